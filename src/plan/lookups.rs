//! SSM parameters that stacks read: by parameters of SSM types, which CloudFormation looks up anew with every change set, and
//! by dynamic references, which it looks up when it changes what has them.

use super::build::chosen;
use super::changes::Sides;
use super::differences::{Flow, resolve};
use super::document::{ChangeAction, Finding, FindingSeverity, StackStep};
use super::head::{Head, Named};
use super::request::{LookedUp, Request};
use crate::graph::Graph;
use crate::model::{Deployed, RenderedStack, SsmValue, StackRecord, Target, shows};
use crate::render::parameter_name;
use cloudformation::evaluate::Evaluator;
use cloudformation::evaluate::dynamic::{self, references};
use std::collections::{BTreeMap, BTreeSet};

const PARAMETER: &str = "AWS::SSM::Parameter";

/// The SSM parameters that must be looked up for [`super::plan`], by where they are. None for stacks without parameters of SSM
/// types.
pub fn needs_parameters(request: &Request) -> BTreeMap<Target, BTreeSet<String>> {
    let graph = Graph::of_stacks(request.wanted);
    // A target that there is not is said by the plan itself.
    let Ok(chosen) = chosen(request, &graph) else { return BTreeMap::new() };
    let live = live(request.deployed);
    let mut needed: BTreeMap<Target, BTreeSet<String>> = BTreeMap::new();
    // Looking for the word costs less than reading the template.
    let may = |wanted: &&RenderedStack| chosen.contains(&wanted.name) && wanted.template.contains(PARAMETER);
    for wanted in request.wanted.iter().filter(may) {
        let head = Head::of(&wanted.template);
        let names = named(&head, &resolve(wanted, &live));
        let names: BTreeSet<String> = names.into_iter().filter_map(|(_, _, name)| name).collect();
        if !names.is_empty() {
            needed.entry(wanted.target.clone()).or_default().extend(names);
        }
    }
    needed
}

/// The SSM parameters that parameters of a stack name, by these parameters, as far as they are known before an apply.
pub fn read_parameters(wanted: &RenderedStack) -> BTreeMap<String, String> {
    let (head, values) = (Head::of(&wanted.template), resolve(wanted, &Flow::new()));
    named(&head, &values).into_iter().filter_map(|(parameter, _, name)| Some((parameter.to_owned(), name?))).collect()
}

/// The outputs that stacks have now.
pub(super) fn live(deployed: &BTreeMap<String, Deployed>) -> Flow {
    let outputs =
        |stack: &Deployed| stack.outputs.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
    deployed.iter().map(|(name, stack)| (name.clone(), outputs(stack))).collect()
}

/// The parameters that name SSM parameters, each with that name where it is known.
fn named<'h>(head: &'h Head, values: &BTreeMap<String, Option<String>>) -> Vec<(&'h str, Named, Option<String>)> {
    let ssm = head.parameters.iter().filter_map(|(name, declared)| Some((name, declared, declared.ssm()?)));
    ssm.map(|(name, declared, what)| {
        let value = values.get(name).cloned().unwrap_or_else(|| declared.default());
        (name.as_str(), what, value)
    })
    .collect()
}

/// What is known of the SSM parameters while a plan is made: what they hold, and which stacks of the run set them.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    /// By account, region and name: the stack that sets it.
    set: BTreeMap<(String, String, String), String>,
    /// What is not as CloudFormation wants it, a sentence each.
    pub problems: Vec<String>,
}

/// What a stack's parameters of SSM types come to.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Resolved {
    /// By the parameter of the template; none while it cannot be known.
    pub values: BTreeMap<String, Option<String>>,
    /// The same by the name of the SSM parameter, where it is known.
    pub facts: BTreeMap<String, String>,
}

impl Lookups {
    /// What a stack reads, by what was looked up. Where nobody looked it is what it was.
    pub fn resolve(
        &self,
        request: &Request,
        wanted: &RenderedStack,
        values: &BTreeMap<String, Option<String>>,
        head: &Head,
    ) -> Resolved {
        let mut resolved = Resolved::default();
        for (parameter, what, name) in named(head, values) {
            if what == Named::Name {
                continue;
            }
            let value = name.as_ref().and_then(|name| match &request.options.looked_up {
                _ if self.setter(&wanted.target, name).is_some() => None,
                Some(looked_up) => text(looked_up, &wanted.target, name),
                None => before(request, &wanted.name, parameter, name),
            });
            if let (Some(name), Some(value)) = (name, &value) {
                resolved.facts.insert(name, value.clone());
            }
            resolved.values.insert(parameter.to_owned(), value);
        }
        resolved
    }

    /// Notes what CloudFormation would refuse: what does not exist, and what it gives to no template.
    pub fn check(
        &mut self,
        request: &Request,
        wanted: &RenderedStack,
        values: &BTreeMap<String, Option<String>>,
        head: &Head,
    ) {
        let Some(looked_up) = &request.options.looked_up else { return };
        for (parameter, what, name) in named(head, values) {
            let Some(name) = name.filter(|name| self.setter(&wanted.target, name).is_none()) else { continue };
            let found = looked_up.get(&place(&wanted.target)).and_then(|values| values.get(&name));
            let (stack, target) = (&wanted.name, &wanted.target);
            match (found, what) {
                (None, _) => self.problems.push(format!(
                    "parameter {parameter} of stack `{stack}` names the SSM parameter `{name}`, which does not exist in {} of \
                     account {}",
                    target.region, target.account
                )),
                (Some(SsmValue::Secure), Named::Value) => self.problems.push(format!(
                    "parameter {parameter} of stack `{stack}` names the SSM parameter `{name}`, which is a SecureString: \
                     CloudFormation gives it to no parameter"
                )),
                _ => {}
            }
        }
    }

    /// Notes which SSM parameters a step sets.
    pub fn note(&mut self, step: &StackStep, sides: &Sides) {
        let changing = |id: &str| {
            let change = step.changes.iter().find(|change| change.logical_id == id);
            change.is_some_and(|change| match change.action {
                ChangeAction::Modify | ChangeAction::MayModify => {
                    change.properties.iter().any(|property| property.path == "Value" || property.path == "Type")
                }
                ChangeAction::Remove | ChangeAction::Import => false,
                ChangeAction::Add | ChangeAction::Replace | ChangeAction::MayReplace => true,
            })
        };
        let after = &sides.after;
        let resources = after.template.resources.iter();
        let mut set = resources.filter(|(id, of)| of.resource_type.value == PARAMETER && changing(id)).peekable();
        if set.peek().is_none() {
            return;
        }
        let evaluator = Evaluator::new(&after.template, &after.parameters, &after.environment, &after.facts);
        let (account, region) = place(&step.target);
        for name in set.filter_map(|(_, resource)| parameter_name(&evaluator, resource)) {
            self.set.insert((account.clone(), region.clone(), name), step.stack.clone());
        }
    }

    fn setter(&self, target: &Target, name: &str) -> Option<&str> {
        let (account, region) = place(target);
        self.set.get(&(account, region, name.to_owned())).map(String::as_str)
    }

    /// Resources that keep what a dynamic reference gave them although the run changes what it names: CloudFormation looks
    /// again only where something else of them changes.
    pub fn stale(&self, wanted: &RenderedStack, step: &StackStep) -> Vec<Finding> {
        if self.set.is_empty() || !wanted.template.contains("{{resolve:ssm:") {
            return Vec::new();
        }
        let Ok(template) = serde_json::from_str::<serde_json::Value>(&wanted.template) else { return Vec::new() };
        let resources = template["Resources"].as_object().into_iter().flatten();
        let kept = resources.filter(|(id, _)| !step.changes.iter().any(|change| change.logical_id == **id));
        let mut found = Vec::new();
        for (id, resource) in kept {
            for reference in references(&resource.to_string()) {
                let dynamic::Target::Ssm { name, version: None } = reference.target else { continue };
                let Some(setter) = self.setter(&wanted.target, &name) else { continue };
                found.push(Finding {
                    severity: FindingSeverity::Warning,
                    code: "stale-reference".to_owned(),
                    stack: wanted.name.clone(),
                    logical_id: Some(id.clone()),
                    path: None,
                    place: wanted.places.get(id).cloned(),
                    message: format!(
                        "keeps the old value of the SSM parameter `{name}`, which `{setter}` sets anew: CloudFormation looks up \
                         a dynamic reference only when something else of its resource changes; a parameter of type \
                         AWS::SSM::Parameter::Value<String> follows"
                    ),
                });
            }
        }
        found
    }
}

/// What a parameter was given when CloudFormation last looked, if it named the same SSM parameter then.
fn before(request: &Request, stack: &str, parameter: &str, name: &str) -> Option<String> {
    let deployed = request.deployed.get(stack)?;
    let record = request.record(stack).filter(|record| record.fingerprint == deployed.fingerprint());
    let equivalent = record.and_then(|record| record.equivalent.as_ref());
    let pairs = equivalent.map(|it| (&it.parameters, &it.resolved)).into_iter();
    let mut pairs = pairs.chain([(&deployed.parameters, &deployed.resolved)]);
    let same = |given: &BTreeMap<String, String>| given.get(parameter).is_some_and(|before| before == name);
    pairs.find_map(|(given, resolved)| resolved.get(parameter).filter(|_| same(given))).cloned()
}

/// What a stack's parameters of SSM types came to when CloudFormation last looked, by the names of the SSM parameters. Where
/// it shows what they hold now, that it is: it shows ASCII alone.
pub(super) fn shown_ssm(deployed: &Deployed, now: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let one = |(parameter, shown): (&String, &String)| {
        let name = deployed.parameters.get(parameter)?;
        let value = now.get(name).filter(|now| shows(shown, now)).unwrap_or(shown);
        Some((name.clone(), value.clone()))
    };
    deployed.resolved.iter().filter_map(one).collect()
}

fn text(looked_up: &LookedUp, target: &Target, name: &str) -> Option<String> {
    match looked_up.get(&place(target))?.get(name)? {
        SsmValue::Text(text) => Some(text.clone()),
        SsmValue::Secure => None,
    }
}

fn place(target: &Target) -> (String, String) {
    (target.account.clone(), target.region.clone())
}

/// What the parameters of SSM types were given last; what changed nothing counts too.
pub(super) fn given<'a>(
    deployed: &'a Deployed,
    record: Option<&'a StackRecord>,
    is_equivalent: bool,
) -> &'a BTreeMap<String, String> {
    let equivalent = record.and_then(|record| record.equivalent.as_ref()).filter(|_| is_equivalent);
    equivalent.map_or(&deployed.resolved, |equivalent| &equivalent.resolved)
}

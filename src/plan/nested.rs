//! Nested stacks: what changes inside, where the template behind a URL is another one than the nested stack has, or its
//! parameters are. (A change set names each nested stack of a stack that is updated, and says nothing of what is inside.)

use super::build::chosen;
use super::changes::{self, Side, Sides, environment};
use super::differences::resolve;
use super::document::{Action, Change, ChangeAction, StackStep, Value as Shown};
use super::lookups::{live, shown_ssm};
use super::outputs;
use super::request::Request;
use super::situation::Situation;
use crate::graph::Graph;
use crate::model::{Deployed, RenderedStack, SsmValue, sensitive::MASKED, shows};
use cloudformation::evaluate::dynamic::{self, references};
use cloudformation::evaluate::{Evaluator, Facts, ParameterValue, Resources, Value};
use cloudformation::predict::{Context, ResourceChange};
use cloudformation::sensitive::has_reference;
use cloudformation::template::{ParameterType, Template};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};

/// The type of nested stacks.
pub const STACK: &str = "AWS::CloudFormation::Stack";

/// What is there of a nested stack, and what it is to become.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Nested {
    /// With its template and its resources; none where it could not be read.
    pub deployed: Option<Deployed>,
    /// The template behind its URL; none where it could not be read.
    pub template: Option<String>,
    /// What the SSM parameters hold that its parameters name, or that dynamic references in their values name.
    pub looked_up: BTreeMap<String, SsmValue>,
    /// Its own nested stacks, by their logical ids.
    pub nested: BTreeMap<String, Nested>,
}

/// What a template says of a stack that it nests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Child {
    /// None where it is known after the apply.
    pub url: Option<String>,
    /// Values of its parameters; none for those that are known after the apply.
    pub parameters: BTreeMap<String, Option<String>>,
    /// Those whose value nobody may see: it is, or holds, that of a NoEcho parameter or of a dynamic reference.
    pub hidden: BTreeSet<String>,
}

/// The stacks that are there and nest others: their resources must be at hand for [`children_of`].
pub fn nesting(request: &Request) -> BTreeSet<String> {
    let graph = Graph::of_stacks(request.wanted);
    let Ok(chosen) = chosen(request, &graph) else { return BTreeSet::new() };
    let nests = request.wanted.iter().filter(|wanted| wanted.template.contains(STACK) && chosen.contains(&wanted.name));
    let there = |wanted: &&RenderedStack| Situation::of(request.deployed.get(&wanted.name)).comparable().is_some();
    nests.filter(there).map(|wanted| wanted.name.clone()).collect()
}

/// The stacks that a stack of the environment nests, by their logical ids.
pub fn children_of(deployed: &BTreeMap<String, Deployed>, wanted: &RenderedStack) -> BTreeMap<String, Child> {
    let Some(parent) = deployed.get(&wanted.name) else { return BTreeMap::new() };
    children(&wanted.template, &resolve(wanted, &live(deployed)), parent)
}

/// The stacks that a template nests. `deployed`: the stack that has it, or is to have it.
pub fn children(
    template: &str,
    parameters: &BTreeMap<String, Option<String>>,
    deployed: &Deployed,
) -> BTreeMap<String, Child> {
    let Ok((template, _)) = Template::read(template) else { return BTreeMap::new() };
    let given: IndexMap<String, ParameterValue> = parameters
        .iter()
        .filter(|(name, _)| template.parameters.contains_key(*name))
        .map(|(name, value)| (name.clone(), value.clone().map_or(ParameterValue::Unknown, ParameterValue::Known)))
        .collect();
    let environment = environment(&deployed.target, &deployed.stack_name, Some(deployed.stack_id.clone()));
    let facts = Facts::default();
    let evaluator = Evaluator::new(&template, &given, &environment, &facts);
    let resources = Ids { template: &template, deployed };
    let nested = template
        .resources
        .iter()
        .filter(|(id, resource)| resource.resource_type.value == STACK && evaluator.exists(id) != Some(false));
    nested
        .filter_map(|(id, resource)| {
            let value = evaluator.evaluate(resource.properties.as_ref()?, &resources, "/Resources").value;
            Some((id.clone(), child(&value)))
        })
        .collect()
}

/// The names of the SSM parameters that a nested stack reads, and of those that are read for what it is given.
pub fn read_by(template: &str, child: &Child) -> BTreeSet<String> {
    let given = child.parameters.values().flatten().flat_map(|value| references(value));
    let mut names: BTreeSet<String> = given.filter_map(|reference| ssm_name(&reference.target)).collect();
    let Ok((template, _)) = Template::read(template) else { return names };
    let ssm =
        template.parameters.iter().filter(|(_, declared)| matches!(declared.parameter_type, ParameterType::Ssm(_)));
    names.extend(ssm.filter_map(|(name, declared)| match child.parameters.get(name) {
        Some(given) => given.clone(),
        None => declared.default.as_ref().map(|default| default.value.clone()),
    }));
    names
}

/// What GetParameters calls the parameter of a dynamic reference; none for secrets, which nobody looks up.
fn ssm_name(target: &dynamic::Target) -> Option<String> {
    match target {
        dynamic::Target::Ssm { name, version: None } => Some(name.clone()),
        dynamic::Target::Ssm { name, version: Some(version) } => Some(format!("{name}:{version}")),
        _ => None,
    }
}

fn child(properties: &Value) -> Child {
    let Value::Map(properties) = properties else { return Child::default() };
    let text = |value: &Value| match value {
        Value::List(items) if value.is_known() => {
            items.iter().map(Value::as_text).collect::<Option<Vec<String>>>().map(|items| items.join(","))
        }
        value => value.clone().reveal().as_text().filter(|_| value.is_known()),
    };
    let mut child = Child { url: properties.get("TemplateURL").and_then(text), ..Child::default() };
    if let Some(Value::Map(parameters)) = properties.get("Parameters") {
        for (name, value) in parameters {
            let given = text(value);
            if value.is_sensitive() || given.as_deref().is_some_and(has_reference) {
                child.hidden.insert(name.clone());
            }
            child.parameters.insert(name.clone(), given);
        }
    }
    child
}

/// References to what is there.
struct Ids<'a> {
    template: &'a Template,
    deployed: &'a Deployed,
}

impl Resources for Ids<'_> {
    fn reference(&self, id: &str) -> Option<Value> {
        self.template.resources.get(id)?;
        let physical_id = self.deployed.resources.as_ref().and_then(|ids| ids.get(id));
        Some(physical_id.map_or(Value::Unknown, Value::string))
    }

    fn attribute(&self, id: &str, _: &str) -> Option<Value> {
        self.template.resources.get(id).map(|_| Value::Unknown)
    }
}

/// What changes inside of a nested stack.
#[derive(Debug, Default)]
pub(super) struct Inside {
    /// Its resources, as `Child.Queue`.
    pub changes: Vec<Change>,
    /// Whether CloudFormation finds anything to change in it: outputs and tags count, too.
    pub any: bool,
    /// Whether it does so for certain.
    pub certain: bool,
}

/// What changes inside of a nested stack that stays; none where that cannot be known. `step`: of the stack that nests it;
/// `change`: of the nested stack itself.
pub(super) fn inside(step: &StackStep, change: &ResourceChange, nested: &Nested) -> Option<Inside> {
    let (deployed, template) = (nested.deployed.as_ref()?, nested.template.as_ref()?);
    let given = |context: &Option<Context>| context.as_ref().and_then(|context| context.get("Properties")).map(child);
    let given = Given {
        before: given(&change.before).unwrap_or_default(),
        now: given(&change.after)?,
        ssm: texts(&nested.looked_up),
        may_change: step.action != Action::Nothing,
    };
    let (before, now) = given.values(deployed);
    let mut own = StackStep::new(&step.stack, &deployed.stack_name, &step.target, step.action);
    own.tags.clone_from(&step.tags);
    let ssm = shown_ssm(deployed, &given.ssm);
    let before = Side { template: deployed.template.as_deref()?, parameters: before, ssm };
    let after = Side { template, parameters: now, ssm: given.ssm.clone() };
    let mut sides = Sides::read(&own, Some(before), after, Some(deployed)).ok()?;
    for (name, declared) in &sides.after.template.parameters {
        if declared.no_echo && deployed.parameters.contains_key(name) {
            let value = match given.is_as_before(name) {
                true => ParameterValue::Known(MASKED.to_owned()),
                false => ParameterValue::Unknown,
            };
            sides.after.parameters.insert(name.clone(), value);
        }
    }
    let Sides { before, after } = &mut sides;
    for template in before.iter_mut().map(|before| &mut before.template).chain([&mut after.template]) {
        let hidden = template.parameters.iter_mut().filter(|(name, _)| given.is_hidden(name));
        hidden.for_each(|(_, declared)| declared.no_echo = true);
    }
    let mut changes = changes::changes(&own, &sides, &nested.nested).ok()?;
    let outputs = outputs::outputs(&sides, &changes, Some(deployed)).changes;
    let described = |template: &Template| template.to_json().get("Outputs").cloned();
    let differ =
        sides.before.as_ref().is_none_or(|before| described(&before.template) != described(&sides.after.template));
    let elsewhere = differ || !step.tags.is_empty();
    let any = elsewhere || !changes.is_empty() || !outputs.is_empty();
    let certain = elsewhere
        || changes.iter().any(|change| !matches!(change.action, ChangeAction::MayModify | ChangeAction::MayReplace))
        || outputs.values().any(|output| output.after != Shown::Unknown);
    for inner in &mut changes {
        inner.logical_id = format!("{}.{}", change.logical_id, inner.logical_id);
        inner.place = step.wanted.as_ref().and_then(|wanted| wanted.places.get(&change.logical_id)).cloned();
    }
    Some(Inside { changes, any, certain })
}

/// What a nested stack was given and is to be given.
struct Given {
    before: Child,
    now: Child,
    /// What SSM parameters hold, by their names.
    ssm: BTreeMap<String, String>,
    /// Whether the stack that nests it is updated anyhow: what nobody can see may then become another value.
    may_change: bool,
}

impl Given {
    /// The values of its parameters as they are and as they will be, none where one cannot be known. What the stack shows is
    /// ASCII alone; what was sent stands in the template that sent it, as far as that gives it.
    fn values(&self, deployed: &Deployed) -> (BTreeMap<String, Option<String>>, BTreeMap<String, Option<String>>) {
        let mut now = BTreeMap::new();
        for (name, given) in &self.now.parameters {
            let shown = deployed.parameters.get(name);
            let value = match given {
                _ if !self.may_change && self.now.hidden.contains(name) && shown.is_some() => shown.cloned(),
                Some(text) if has_reference(text) => match (self.resolve(text), shown) {
                    // Which character a `?` was nobody remembers.
                    (Some(value), Some(shown)) if value != *shown && shows(shown, &value) => None,
                    (Some(value), _) => Some(value),
                    // Nobody looks up what is secret.
                    (None, shown) => shown.filter(|_| self.is_as_before(name)).cloned(),
                },
                other => other.clone(),
            };
            now.insert(name.clone(), value);
        }
        let mut before = BTreeMap::new();
        for (name, shown) in &deployed.parameters {
            let sent = self.before.parameters.get(name).and_then(Option::as_ref).filter(|sent| shows(shown, sent));
            let sent = sent.or_else(|| now.get(name)?.as_ref().filter(|now| shows(shown, now)));
            before.insert(name.clone(), Some(sent.unwrap_or(shown).clone()));
        }
        (before, now)
    }

    /// A text with what its dynamic references come to; none where it has one that nobody looked up.
    fn resolve(&self, text: &str) -> Option<String> {
        let (mut resolved, mut end) = (String::new(), 0);
        for reference in references(text) {
            resolved.push_str(&text[end..reference.start]);
            resolved.push_str(self.ssm.get(&ssm_name(&reference.target)?)?);
            end = reference.end;
        }
        resolved.push_str(&text[end..]);
        Some(resolved)
    }

    /// Whether a value that nobody can see stays: it is given as before, or nothing updates the stack.
    fn is_as_before(&self, name: &str) -> bool {
        let now = self.now.parameters.get(name);
        !self.may_change || now.is_none_or(|now| now.is_some() && self.before.parameters.get(name) == Some(now))
    }

    fn is_hidden(&self, name: &str) -> bool {
        self.before.hidden.contains(name) || self.now.hidden.contains(name)
    }
}

fn texts(looked_up: &BTreeMap<String, SsmValue>) -> BTreeMap<String, String> {
    let text = |(name, value): (&String, &SsmValue)| match value {
        SsmValue::Text(text) => Some((name.clone(), text.clone())),
        SsmValue::Secure => None,
    };
    looked_up.iter().filter_map(text).collect()
}

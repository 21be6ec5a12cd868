//! Nested stacks: what changes inside, where the template behind a URL is another one than the nested stack has, or its
//! parameters are. (A change set names each nested stack of a stack that is updated, and says nothing of what is inside.)

use super::build::chosen;
use super::changes::{self, Side, Sides, environment};
use super::differences::resolve;
use super::document::{Action, Change, StackStep};
use super::lookups::live;
use super::outputs;
use super::request::Request;
use super::situation::Situation;
use crate::graph::Graph;
use crate::model::{Deployed, RenderedStack, SsmValue, sensitive::MASKED};
use cloudformation::evaluate::{Evaluator, Facts, ParameterValue, Resources, Value};
use cloudformation::predict::{Context, ResourceChange};
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
    /// What the SSM parameters hold that its parameters name.
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

/// The names of the SSM parameters that a nested stack reads.
pub fn read_by(template: &str, child: &Child) -> BTreeSet<String> {
    let Ok((template, _)) = Template::read(template) else { return BTreeSet::new() };
    let ssm =
        template.parameters.iter().filter(|(_, declared)| matches!(declared.parameter_type, ParameterType::Ssm(_)));
    ssm.filter_map(|(name, declared)| match child.parameters.get(name) {
        Some(given) => given.clone(),
        None => declared.default.as_ref().map(|default| default.value.clone()),
    })
    .collect()
}

fn child(properties: &Value) -> Child {
    let Value::Map(properties) = properties else { return Child::default() };
    let text = |value: &Value| match value {
        Value::List(items) if value.is_known() => {
            items.iter().map(Value::as_text).collect::<Option<Vec<String>>>().map(|items| items.join(","))
        }
        value => value.clone().reveal().as_text().filter(|_| value.is_known()),
    };
    let parameters = match properties.get("Parameters") {
        Some(Value::Map(parameters)) => parameters.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        _ => BTreeMap::new(),
    };
    Child { url: properties.get("TemplateURL").and_then(text), parameters }
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
}

/// What changes inside of a nested stack that stays; none where that cannot be known. `step`: of the stack that nests it;
/// `change`: of the nested stack itself.
pub(super) fn inside(step: &StackStep, change: &ResourceChange, nested: &Nested) -> Option<Inside> {
    let (deployed, template) = (nested.deployed.as_ref()?, nested.template.as_ref()?);
    let child = child(change.after.as_ref()?.get("Properties")?);
    let before = Side {
        template: deployed.template.as_deref()?,
        parameters: deployed.parameters.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect(),
        ssm: deployed
            .resolved
            .iter()
            .filter_map(|(name, value)| Some((deployed.parameters.get(name)?.clone(), value.clone())))
            .collect(),
    };
    let ssm = nested.looked_up.iter().filter_map(|(name, value)| match value {
        SsmValue::Text(text) => Some((name.clone(), text.clone())),
        SsmValue::Secure => None,
    });
    let given =
        |context: &Option<Context>| context.as_ref().and_then(|context| context.get("Properties")).map(self::child);
    let given_before = given(&change.before).unwrap_or_default().parameters;
    let after = Side { template, parameters: child.parameters.clone(), ssm: ssm.collect() };
    let mut own = StackStep::new(&step.stack, &deployed.stack_name, &step.target, step.action);
    own.tags.clone_from(&step.tags);
    let mut sides = Sides::read(&own, Some(before), after, Some(deployed)).ok()?;
    // What secrets are cannot be seen, but for those that are given as before. Alone they make no update.
    for (name, declared) in &sides.after.template.parameters {
        if declared.no_echo && deployed.parameters.contains_key(name) {
            let same =
                child.parameters.get(name).is_none_or(|now| now.is_some() && given_before.get(name) == Some(now));
            let open = step.action != Action::Nothing && !same;
            let value = if open { ParameterValue::Unknown } else { ParameterValue::Known(MASKED.to_owned()) };
            sides.after.parameters.insert(name.clone(), value);
        }
    }
    let mut changes = changes::changes(&own, &sides, &nested.nested).ok()?;
    let outputs = outputs::outputs(&sides, &changes, Some(deployed)).changes;
    let described = |template: &Template| template.to_json().get("Outputs").cloned();
    let differ =
        sides.before.as_ref().is_none_or(|before| described(&before.template) != described(&sides.after.template));
    let any = !changes.is_empty() || !outputs.is_empty() || differ || !step.tags.is_empty();
    for inner in &mut changes {
        inner.logical_id = format!("{}.{}", change.logical_id, inner.logical_id);
        inner.place = step.wanted.as_ref().and_then(|wanted| wanted.places.get(&change.logical_id)).cloned();
    }
    Some(Inside { changes, any })
}

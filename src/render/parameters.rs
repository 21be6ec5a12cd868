//! Stacks that read an SSM parameter come after the stack that sets it: a value flows from one to the other, though by another
//! way than an output.

use crate::graph::{Edge, Graph};
use crate::model::{Parameter, RenderedStack, Target};
use cloudformation::evaluate::dynamic::{self, references};
use cloudformation::evaluate::{Environment, Evaluator, Facts, ParameterValue, Resources, Value};
use cloudformation::template::{ParameterType, Resource, Template};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};

const PARAMETER: &str = "AWS::SSM::Parameter";

/// The name under which a resource makes an SSM parameter, where it is known before an apply.
pub fn parameter_name(evaluator: &Evaluator, resource: &Resource) -> Option<String> {
    let name = resource.properties.as_ref()?.get("Name")?;
    evaluator.evaluate(name, &Unmade, "/Resources").value.as_text().filter(|name| !name.is_empty())
}

/// The names of the SSM parameters that a stack makes, as far as they are known before an apply.
pub fn made_parameters(stack: &RenderedStack) -> BTreeSet<String> {
    let parameter = stack.template.contains(PARAMETER);
    let template = parameter.then(|| Template::read(&stack.template).ok()).flatten();
    template.map(|(template, _)| set(stack, &template)).unwrap_or_default()
}

/// Lets every stack that reads an SSM parameter of another one wait for that, unless that waits for it.
pub(super) fn order<'s>(stacks: impl Iterator<Item = (&'s mut RenderedStack, &'s Template)>, edges: &mut Vec<Edge>) {
    let stacks: Vec<_> = stacks.collect();
    let mut setters: BTreeMap<(Target, String), String> = BTreeMap::new();
    for (stack, template) in &stacks {
        setters.extend(set(stack, template).into_iter().map(|name| ((place(stack), name), stack.name.clone())));
    }
    if setters.is_empty() {
        return;
    }
    let names: Vec<String> = stacks.iter().map(|(stack, _)| stack.name.clone()).collect();
    for (stack, template) in stacks {
        let setters: BTreeSet<&String> =
            read(stack, template).into_iter().filter_map(|name| setters.get(&(place(stack), name))).collect();
        for setter in setters.into_iter().filter(|setter| **setter != stack.name) {
            let graph = Graph::new(names.iter().cloned(), edges.iter().cloned());
            let known = stack.after.contains(setter) || graph.needs(&stack.name).contains(setter.as_str());
            if !known && !graph.needs(setter).contains(stack.name.as_str()) {
                edges.push(Edge { from: stack.name.clone(), to: setter.clone(), at: None });
                stack.after.push(setter.clone());
            }
        }
    }
}

/// Whoever works there: a role makes it no other place.
fn place(stack: &RenderedStack) -> Target {
    Target { role: None, ..stack.target.clone() }
}

/// The names of the SSM parameters that a stack makes.
fn set(stack: &RenderedStack, template: &Template) -> BTreeSet<String> {
    let mut made = template.resources.values().filter(|it| it.resource_type.value == PARAMETER).peekable();
    if made.peek().is_none() {
        return BTreeSet::new();
    }
    let given = given(stack);
    let environment = Environment {
        account_id: Some(stack.target.account.clone()),
        region: Some(stack.target.region.clone()),
        stack_name: Some(stack.stack_name.clone()),
        ..Environment::default()
    };
    let facts = Facts::default();
    let evaluator = Evaluator::new(template, &given, &environment, &facts);
    made.filter_map(|resource| parameter_name(&evaluator, resource)).collect()
}

fn given(stack: &RenderedStack) -> IndexMap<String, ParameterValue> {
    let value = |parameter: &Parameter| match parameter {
        Parameter::Value(value) => ParameterValue::Known(value.clone()),
        _ => ParameterValue::Unknown,
    };
    stack.parameters.iter().map(|(name, parameter)| (name.clone(), value(parameter))).collect()
}

/// The names of the SSM parameters that a stack reads, as far as they are known before an apply.
fn read(stack: &RenderedStack, template: &Template) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (name, parameter) in &template.parameters {
        if matches!(parameter.parameter_type, ParameterType::Ssm(_) | ParameterType::SsmName) {
            names.extend(match stack.parameters.get(name) {
                Some(Parameter::Value(value)) => Some(value.clone()),
                Some(_) => None,
                None => parameter.default.as_ref().map(|default| default.value.clone()),
            });
        }
    }
    names.extend(references(&stack.template).into_iter().filter_map(|reference| match reference.target {
        dynamic::Target::Ssm { name, .. } | dynamic::Target::SsmSecure { name, .. } => Some(name),
        dynamic::Target::SecretsManager { .. } => None,
    }));
    names
}

/// Nothing is made yet.
struct Unmade;

impl Resources for Unmade {
    fn reference(&self, _: &str) -> Option<Value> {
        Some(Value::Unknown)
    }

    fn attribute(&self, _: &str, _: &str) -> Option<Value> {
        Some(Value::Unknown)
    }
}

//! What the template of a stack, as it was applied, declares of each resource: expressions evaluated with the parameters
//! that the stack has, and with what is known of its resources.

use super::compare::{Declared, escaped};
use super::facts::ResourceFacts;
use crate::model::{Deployed, RenderedStack, StackRecord};
use crate::plan::restored;
use cloudformation::evaluate::{Environment, Evaluator, Facts, ParameterValue, Resources, Value};
use cloudformation::partition::Partition;
use cloudformation::sensitive::has_reference;
use cloudformation::template::Template;
use indexmap::IndexMap;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// NoEcho parameters as DescribeStacks gives them.
const MASK: &str = "****";

/// The declared properties of each resource that exists by its condition, by logical id; none for a template that only
/// CloudFormation can read.
pub fn declared(deployed: &Deployed, resources: &BTreeMap<&str, &ResourceFacts>) -> Option<BTreeMap<String, Declared>> {
    let (template, problems) = Template::read(deployed.template.as_deref()?).ok()?;
    if !problems.is_empty() {
        return None;
    }
    let environment = environment(deployed);
    let given: IndexMap<String, ParameterValue> = deployed
        .parameters
        .iter()
        .filter(|(name, _)| template.parameters.contains_key(*name))
        .map(|(name, value)| {
            let value = if value == MASK { ParameterValue::Unknown } else { ParameterValue::Known(value.clone()) };
            (name.clone(), value)
        })
        .collect();
    let looked_up = deployed.resolved.iter().filter(|(_, value)| *value != MASK);
    let looked_up = looked_up.filter_map(|(name, value)| Some((deployed.parameters.get(name)?.clone(), value.clone())));
    let facts = Facts { ssm: looked_up.collect(), ..Facts::default() };
    let evaluator = Evaluator::new(&template, &given, &environment, &facts);
    let live = Live { template: &template, resources };
    let mut all = BTreeMap::new();
    for (logical_id, resource) in &template.resources {
        if evaluator.exists(logical_id) == Some(false) {
            continue;
        }
        let mut declared =
            Declared { properties: Json::Object(Default::default()), unknown: Vec::new(), sensitive: Vec::new() };
        if let Some(properties) = &resource.properties {
            let origin = format!("/Resources/{logical_id}/Properties");
            let value = evaluator.evaluate(properties, &live, &origin).value;
            note(&value, "", &mut declared);
            declared.properties = value.reveal().to_json();
        }
        all.insert(logical_id.clone(), declared);
    }
    Some(all)
}

/// A stack with its template as it was sent, as far as that can be told: CloudFormation gives back ASCII alone.
pub fn as_sent(deployed: &Deployed, record: Option<&StackRecord>, wanted: Option<&RenderedStack>) -> Deployed {
    let template = deployed.template.as_deref().zip(wanted);
    let restored = template.and_then(|(template, wanted)| restored(template, record, wanted));
    let mut sent = Deployed { template: restored.or_else(|| deployed.template.clone()), ..deployed.clone() };
    // What SSM held outside ASCII stands in the state alone.
    let is_sure = |name: &String, value: &String| {
        !value.contains('?') || record.is_some_and(|record| record.resolved.get(name) == Some(value))
    };
    sent.resolved.retain(|name, value| is_sure(name, value));
    sent
}

fn environment(deployed: &Deployed) -> Environment {
    let partition = Partition::of_region(&deployed.target.region);
    Environment {
        account_id: Some(deployed.target.account.clone()),
        region: Some(deployed.target.region.clone()),
        partition: Some(partition.id.to_owned()),
        url_suffix: Some(partition.dns_suffix.to_owned()),
        stack_name: Some(deployed.stack_name.clone()),
        stack_id: Some(deployed.stack_id.clone()),
        ..Environment::default()
    }
}

/// Notes which parts are not known and which nobody may see.
fn note(value: &Value, pointer: &str, declared: &mut Declared) {
    match value {
        Value::Unknown | Value::Partial(_) => declared.unknown.push(pointer.to_owned()),
        Value::String(text) if has_reference(text) => declared.unknown.push(pointer.to_owned()),
        Value::Sensitive(inner) => {
            declared.sensitive.push(pointer.to_owned());
            note(inner, pointer, declared);
        }
        Value::List(items) => {
            items.iter().enumerate().for_each(|(at, item)| note(item, &format!("{pointer}/{at}"), declared));
        }
        Value::Map(members) => {
            members.iter().for_each(|(name, value)| note(value, &format!("{pointer}/{}", escaped(name)), declared));
        }
        _ => {}
    }
}

/// Resources as they are.
struct Live<'a> {
    template: &'a Template,
    resources: &'a BTreeMap<&'a str, &'a ResourceFacts>,
}

impl Resources for Live<'_> {
    fn reference(&self, logical_id: &str) -> Option<Value> {
        self.template.resources.get(logical_id)?;
        let physical = self.resources.get(logical_id).and_then(|facts| facts.resource.physical_id.as_deref());
        Some(physical.map_or(Value::Unknown, Value::string))
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Option<Value> {
        self.template.resources.get(logical_id)?;
        let Some(facts) = self.resources.get(logical_id) else { return Some(Value::Unknown) };
        let at = |properties: &Json| {
            let value = attribute.split('.').try_fold(properties, |value, segment| value.get(segment))?;
            Some(Value::from_json(value))
        };
        let value = facts.properties().and_then(at).or_else(|| of_arn(facts, attribute).map(Value::string));
        Some(value.unwrap_or(Value::Unknown))
    }
}

/// What a resource that is called by its ARN tells without being read. Whose tasks auto scaling counts hangs on a service's
/// name.
fn of_arn<'f>(facts: &'f ResourceFacts, attribute: &str) -> Option<&'f str> {
    let arn = facts.resource.physical_id.as_deref().filter(|id| id.starts_with("arn:"))?;
    match (facts.resource.resource_type.as_str(), attribute) {
        (_, "Arn") | ("AWS::ECS::Service", "ServiceArn") => Some(arn),
        ("AWS::ECS::Service", "Name") => arn.rsplit('/').next(),
        _ => None,
    }
}

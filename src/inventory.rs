//! What an environment consists of: the resources of its rendered stacks with their properties evaluated, before any of
//! them exists.
//!
//! What a resource will be called is not known yet; a [`Reference`] stands for it, and travels through functions, outputs
//! and parameters as text (`⟦network/Vpc⟧`, `⟦items/Table.Arn⟧`). So a property of one stack says which resource of
//! another it means.

use crate::graph::Graph;
use crate::model::{Parameter, REPOSITORY_URI, RenderedStack, Target};
use cloudformation::evaluate::{self, Evaluator, Facts, ParameterValue, Resources, Value};
use cloudformation::extensions;
use cloudformation::partition::Partition;
use cloudformation::template::Template;
use indexmap::IndexMap;
use serde_json::Value as Json;
use std::collections::BTreeMap;

const OPEN: char = '⟦';
const CLOSE: char = '⟧';

/// No region has more zones than that.
const MOST_ZONES: usize = 8;

/// A resource of a stack.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    pub stack: String,
    pub region: String,
    pub logical_id: String,
    pub resource_type: String,
    /// Evaluated; what nobody knows yet is CloudFormation's marker for it, secrets are masked.
    pub properties: Json,
}

/// A resource that a value stands for, or one of its attributes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    pub stack: String,
    pub logical_id: String,
    pub attribute: Option<String>,
}

/// The resources of all stacks, each stack's in the order of its template. Stacks whose template cannot be read have none:
/// validation says why.
pub fn of_stacks(stacks: &[RenderedStack]) -> Vec<Resource> {
    let graph = Graph::of_stacks(stacks);
    let mut outputs: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut found: BTreeMap<&str, Vec<Resource>> = BTreeMap::new();
    for name in graph.order() {
        let Some(stack) = stacks.iter().find(|stack| stack.name == name) else { continue };
        let output = |stack: &str, key: &str| outputs.get(stack).and_then(|of| of.get(key)).cloned();
        let parameters = stack.parameters.iter().map(|(name, value)| (name.clone(), known(value, output)));
        let parameters: BTreeMap<String, Option<String>> = parameters.collect();
        let (resources, given) = evaluate(&stack.name, &stack.target, &stack.stack_name, &stack.template, &parameters);
        outputs.insert(stack.name.clone(), given);
        found.insert(&stack.name, resources);
    }
    stacks.iter().flat_map(|stack| found.remove(stack.name.as_str()).unwrap_or_default()).collect()
}

/// The resources of one stack by itself; a parameter of which nothing is known is none.
pub fn of_template(
    stack: &str,
    target: &Target,
    stack_name: &str,
    template: &str,
    parameters: &BTreeMap<String, Option<String>>,
) -> Vec<Resource> {
    evaluate(stack, target, stack_name, template, parameters).0
}

fn known(parameter: &Parameter, output: impl Fn(&str, &str) -> Option<String>) -> Option<String> {
    match parameter {
        Parameter::Value(value) => Some(value.clone()),
        Parameter::Output { stack, key } => output(stack, key),
        Parameter::Image { reference, .. } => Some(reference.clone()),
        Parameter::LocalImage(image) => {
            let uri = output(&image.repository, REPOSITORY_URI)?;
            Some(image.reference(&uri).unwrap_or(uri))
        }
        Parameter::Package(package) => package.value(output),
        Parameter::Secret { .. } => None,
    }
}

fn evaluate(
    stack: &str,
    target: &Target,
    stack_name: &str,
    template: &str,
    parameters: &BTreeMap<String, Option<String>>,
) -> (Vec<Resource>, BTreeMap<String, String>) {
    let Ok((template, _)) = Template::read(template) else { return Default::default() };
    let given = parameters.iter().filter(|(name, _)| template.parameters.contains_key(*name)).map(|(name, value)| {
        let value = value.clone().map_or(ParameterValue::Unknown, ParameterValue::Known);
        (name.clone(), value)
    });
    let given: IndexMap<String, ParameterValue> = given.collect();
    let environment = surroundings(target, stack_name);
    let facts = Facts::default();
    let expanded =
        template.has_language_extensions().then(|| extensions::expand(&template, &given, &environment, &facts));
    let template = match expanded {
        Some(Ok(expanded)) => expanded,
        _ => template,
    };
    let evaluator = Evaluator::new(&template, &given, &environment, &facts);
    let names = Names { stack, template: &template };
    let mut resources = Vec::new();
    for (logical_id, resource) in &template.resources {
        if evaluator.exists(logical_id) == Some(false) {
            continue;
        }
        let properties = resource.properties.as_ref().map(|properties| {
            let origin = format!("/Resources/{logical_id}/Properties");
            evaluator.evaluate(properties, &names, &origin).value.to_json()
        });
        resources.push(Resource {
            stack: stack.to_owned(),
            region: target.region.clone(),
            logical_id: logical_id.clone(),
            resource_type: resource.resource_type.value.clone(),
            properties: properties.unwrap_or(Json::Null),
        });
    }
    let outputs = template.outputs.iter().filter_map(|(key, output)| {
        let value = evaluator.evaluate(&output.value, &names, &format!("/Outputs/{key}/Value")).value;
        Some((key.clone(), value.as_text()?))
    });
    (resources, outputs.collect())
}

fn surroundings(target: &Target, stack_name: &str) -> evaluate::Environment {
    let partition = Partition::of_region(&target.region);
    evaluate::Environment {
        account_id: Some(target.account.clone()),
        region: Some(target.region.clone()),
        partition: Some(partition.id.to_owned()),
        url_suffix: Some(partition.dns_suffix.to_owned()),
        stack_name: Some(stack_name.to_owned()),
        availability_zones: (1..=MOST_ZONES).map(|zone| format!("zone {zone}")).collect(),
        ..evaluate::Environment::default()
    }
}

/// Gives every resource and attribute its reference for a value.
struct Names<'a> {
    stack: &'a str,
    template: &'a Template,
}

impl Resources for Names<'_> {
    fn reference(&self, logical_id: &str) -> Option<Value> {
        let known = self.template.resources.contains_key(logical_id);
        known.then(|| Value::string(format!("{OPEN}{}/{logical_id}{CLOSE}", self.stack)))
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Option<Value> {
        let known = self.template.resources.contains_key(logical_id);
        known.then(|| Value::string(format!("{OPEN}{}/{logical_id}.{attribute}{CLOSE}", self.stack)))
    }
}

impl Resource {
    /// The part of the properties at a path: `/NetworkConfiguration/AwsvpcConfiguration/Subnets`.
    pub fn at(&self, path: &str) -> Option<&Json> {
        self.properties.pointer(path)
    }

    /// A scalar at a path as text: CloudFormation tells `"512"` from `512` nowhere.
    pub fn text(&self, path: &str) -> Option<String> {
        self.at(path).and_then(text)
    }

    /// Something at a path that says yes.
    pub fn is(&self, path: &str) -> bool {
        self.text(path).is_some_and(|text| text == "true")
    }

    /// The items of a list at a path.
    pub fn list(&self, path: &str) -> &[Json] {
        self.at(path).and_then(Json::as_array).map_or(&[], Vec::as_slice)
    }

    /// The first resource that the value at a path speaks of.
    pub fn refers(&self, path: &str) -> Option<Reference> {
        self.at(path).and_then(|value| references(value).into_iter().next())
    }
}

/// A scalar as text.
pub fn text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// All resources that a value speaks of, in the order in which they stand there.
pub fn references(value: &Json) -> Vec<Reference> {
    let mut found = Vec::new();
    gather(value, &mut found);
    found
}

fn gather(value: &Json, found: &mut Vec<Reference>) {
    match value {
        Json::String(text) => {
            found.extend(text.split(OPEN).skip(1).filter_map(|rest| parse(rest.split(CLOSE).next()?)))
        }
        Json::Array(items) => items.iter().for_each(|item| gather(item, found)),
        Json::Object(members) => members.values().for_each(|member| gather(member, found)),
        _ => {}
    }
}

fn parse(token: &str) -> Option<Reference> {
    let (stack, rest) = token.split_once('/')?;
    let (logical_id, attribute) = match rest.split_once('.') {
        Some((logical_id, attribute)) => (logical_id, Some(attribute.to_owned())),
        None => (rest, None),
    };
    Some(Reference { stack: stack.to_owned(), logical_id: logical_id.to_owned(), attribute })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use std::path::Path;

    fn storefront(environment: &str) -> Vec<Resource> {
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (environment, _) = crate::environment::load(project, environment).unwrap();
        of_stacks(&crate::render::render(&environment, &Catalog::embedded()).unwrap())
    }

    #[test]
    fn references_go_through_outputs_and_parameters() {
        let resources = storefront("prod");
        let find = |stack: &str, id: &str| {
            resources.iter().find(|resource| resource.stack == stack && resource.logical_id == id).unwrap()
        };
        let service = find("fastapi-a", "Service");
        let subnets = service.at("/NetworkConfiguration/AwsvpcConfiguration/Subnets").unwrap();
        let subnets: Vec<String> = references(subnets).into_iter().map(|one| one.logical_id).collect();
        assert_eq!(subnets, ["PrivateSubnet1", "PrivateSubnet2", "PrivateSubnet3"]);
        let table = find("fastapi-a", "TaskDefinition").refers("/ContainerDefinitions/0/Environment/0/Value").unwrap();
        assert_eq!((table.stack.as_str(), table.logical_id.as_str(), table.attribute), ("items", "Table", None));
        assert_eq!(find("network", "PrivateSubnet2").text("/AvailabilityZone").unwrap(), "zone 2");
        assert_eq!(service.text("/NetworkConfiguration/AwsvpcConfiguration/AssignPublicIp").unwrap(), "DISABLED");
    }

    #[test]
    fn a_value_may_speak_of_several() {
        let found = references(&Json::from("service/⟦cluster/Cluster⟧/⟦a/Service.Name⟧ and ⟦broken"));
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].attribute.as_deref(), Some("Name"));
    }
}

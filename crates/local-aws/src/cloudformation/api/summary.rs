//! `GetTemplateSummary`, `ValidateTemplate` and `EstimateTemplateCost`: what a template asks for.

use super::{find, stack_sets};
use crate::cloudformation::engine::provider;
use crate::cloudformation::prepare::recognised;
use crate::cloudformation::text;
use crate::place::Place;
use crate::query::{self, Fault};
use crate::world::World;
use cloudformation::evaluate::ParameterValue;
use cloudformation::predict::{Deployment, predict};
use cloudformation::schema::resource_type;
use cloudformation::template::{Parameter, ParameterType, Problem, Resource, Template};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    template_body: Option<String>,
    #[serde(rename = "TemplateURL")]
    template_url: Option<String>,
    stack_name: Option<String>,
    stack_set_name: Option<String>,
    template_summary_config: Option<Config>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    treat_unrecognized_resource_types_as_warnings: Option<bool>,
}

/// The parameters, types and needs of a template, or of that of a stack.
pub(super) async fn get_template_summary(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let of_set = match &input.stack_set_name {
        Some(name) => Some(world.stack_sets.find(place, name).ok_or_else(|| stack_sets::missing(name))?.template),
        None => None,
    };
    let text = match input.stack_name {
        _ if of_set.is_some() => of_set.unwrap_or_default(),
        Some(name) => {
            if input.template_body.is_some() || input.template_url.is_some() {
                return Err(Fault::validation(
                    "StackName and Template Body or Template URL cannot be specified at the same time.",
                ));
            }
            let stacks = world.stacks.lock();
            let stack = find::stack(&stacks, place, &name).ok_or_else(|| find::with_id(&name))?;
            if stack.status == "REVIEW_IN_PROGRESS" {
                let message = "GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.";
                return Err(Fault::validation(message));
            }
            stack.current.template.clone()
        }
        None => text::template(world, place, input.template_body, input.template_url.as_deref()).await?,
    };
    let template = read(&text)?;
    let mut types: Vec<&str> = Vec::new();
    for resource in template.resources.values() {
        if !types.contains(&resource.resource_type.value.as_str()) {
            types.push(&resource.resource_type.value);
        }
    }
    let lenient = input.template_summary_config.and_then(|it| it.treat_unrecognized_resource_types_as_warnings);
    let lenient = lenient == Some(true);
    // What a macro makes of a type is not known yet.
    if !lenient && template.macros().next().is_none() {
        recognised(&template)?;
    }
    let unknown: Vec<&str> = types.iter().copied().filter(|name| !provider::is_known(name)).collect();
    let needs = Needs::of(&template);
    Ok(json!({
        "Parameters": template.parameters.iter().map(declaration).collect::<Vec<_>>(),
        "Description": description(&template),
        "Capabilities": needs.capabilities(),
        "CapabilitiesReason": needs.reason(),
        "ResourceTypes": types,
        "Version": "2010-09-09",
        "Metadata": template.root.get("Metadata").map(|metadata| metadata.to_json().to_string()),
        "DeclaredTransforms": transforms(&template),
        "ResourceIdentifierSummaries": identifiers(&template),
        "Warnings": (lenient && !unknown.is_empty()).then(|| json!({ "UnrecognizedResourceTypes": unknown })),
    }))
}

/// Whether a template is one, and what it asks for.
pub(super) async fn validate_template(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let text = text::template(world, place, input.template_body, input.template_url.as_deref()).await?;
    let template = read(&text)?;
    check(&template)?;
    let needs = Needs::of(&template);
    let parameters: Vec<Json> = template
        .parameters
        .iter()
        .map(|(name, parameter)| {
            json!({
                "ParameterKey": name,
                "DefaultValue": parameter.default.as_ref().map(|default| &default.value),
                "NoEcho": parameter.no_echo,
                "Description": parameter.description.as_ref().map(|description| &description.value),
            })
        })
        .collect();
    Ok(json!({
        "Parameters": parameters,
        "Description": description(&template),
        "Capabilities": needs.capabilities(),
        "CapabilitiesReason": needs.reason(),
        "DeclaredTransforms": transforms(&template),
    }))
}

/// Where AWS's calculator would show what a template costs.
pub(super) async fn estimate_template_cost(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let text = text::template(world, place, input.template_body, input.template_url.as_deref()).await?;
    check(&read(&text)?)?;
    let id = world.ids.uuid();
    Ok(json!({ "Url": format!("http://calculator.s3.amazonaws.com/calc5.html?key=cloudformation/{id}") }))
}

/// # Errors
/// `ValidationError` with the first thing that is wrong with its form.
pub(super) fn read(text: &str) -> Result<Template, Fault> {
    match Template::read(text) {
        Ok((template, problems)) => problems.first().map_or(Ok(template), |problem| Err(refused(problem))),
        Err(problem) => Err(refused(&problem)),
    }
}

/// # Errors
/// `ValidationError` if something in it refers to nothing, whatever the parameters.
fn check(template: &Template) -> Result<(), Fault> {
    let mut deployment = Deployment::new(template.clone());
    deployment.parameters = template.parameters.keys().map(|name| (name.clone(), ParameterValue::Unknown)).collect();
    if template.macros().next().is_some() {
        return Ok(());
    }
    recognised(template)?;
    match predict(None, Some(&deployment)) {
        Ok(_) => Ok(()),
        Err(problems) => problems.first().map_or(Ok(()), |problem| Err(refused(problem))),
    }
}

fn refused(problem: &Problem) -> Fault {
    Fault::validation(problem.message.clone())
}

fn description(template: &Template) -> Option<&str> {
    template.description.as_ref().map(|description| description.value.as_str())
}

fn transforms(template: &Template) -> Option<Vec<&str>> {
    let names: Vec<&str> = template.transforms.iter().map(|transform| transform.name.value.as_str()).collect();
    (!names.is_empty()).then_some(names)
}

/// A parameter as `GetTemplateSummary` shows it.
fn declaration((name, parameter): (&String, &Parameter)) -> Json {
    let allowed: Vec<&str> = parameter.allowed_values.iter().map(|value| value.value.as_str()).collect();
    json!({
        "ParameterKey": name,
        "DefaultValue": parameter.default.as_ref().map(|default| &default.value),
        "ParameterType": type_name(&parameter.parameter_type),
        "NoEcho": parameter.no_echo,
        "Description": parameter.description.as_ref().map(|description| &description.value),
        "ParameterConstraints": { "AllowedValues": (!allowed.is_empty()).then_some(allowed) },
    })
}

fn type_name(of: &ParameterType) -> String {
    match of {
        ParameterType::String => "String".to_owned(),
        ParameterType::Number => "Number".to_owned(),
        ParameterType::ListOfNumber => "List<Number>".to_owned(),
        ParameterType::CommaDelimitedList => "CommaDelimitedList".to_owned(),
        ParameterType::Aws(name) | ParameterType::Other(name) => name.clone(),
        ParameterType::ListOfAws(name) => format!("List<{name}>"),
        ParameterType::SsmName => "AWS::SSM::Parameter::Name".to_owned(),
        ParameterType::Ssm(held) => format!("AWS::SSM::Parameter::Value<{}>", type_name(held)),
    }
}

/// What identifies the resources of each type when they are imported: the schema's primary identifier.
fn identifiers(template: &Template) -> Vec<Json> {
    let mut by_type: IndexMap<&str, Vec<&str>> = IndexMap::new();
    for (id, resource) in &template.resources {
        by_type.entry(&resource.resource_type.value).or_default().push(id);
    }
    let summaries = by_type.into_iter().filter_map(|(name, ids)| {
        let identifier: Vec<String> =
            resource_type(name)?.primary_identifier().iter().map(|path| path.dotted()).collect();
        Some(json!({ "ResourceType": name, "LogicalResourceIds": ids, "ResourceIdentifiers": identifier }))
    });
    summaries.collect()
}

/// The resource types that may give away permissions, with the property that names one of them. (User guide,
/// "Acknowledging IAM resources in CloudFormation templates".)
const IDENTITIES: [(&str, Option<&str>); 8] = [
    ("AWS::IAM::AccessKey", None),
    ("AWS::IAM::Group", Some("GroupName")),
    ("AWS::IAM::InstanceProfile", Some("InstanceProfileName")),
    ("AWS::IAM::ManagedPolicy", Some("ManagedPolicyName")),
    ("AWS::IAM::Policy", None),
    ("AWS::IAM::Role", Some("RoleName")),
    ("AWS::IAM::User", Some("UserName")),
    ("AWS::IAM::UserToGroupAddition", None),
];

/// What has to be acknowledged before a template is deployed, and because of what.
pub(in crate::cloudformation) struct Needs<'t> {
    identities: Vec<&'t str>,
    named: bool,
    macros: Vec<&'t str>,
}

impl<'t> Needs<'t> {
    pub fn of(template: &'t Template) -> Self {
        let found = template.resources.values().filter_map(|resource| {
            IDENTITIES.iter().find(|(name, _)| *name == resource.resource_type.value).map(|found| (resource, found))
        });
        let mut needs = Needs { identities: Vec::new(), named: false, macros: Vec::new() };
        for (resource, (name, naming)) in found {
            if !needs.identities.contains(name) {
                needs.identities.push(name);
            }
            needs.named |= naming.is_some_and(|property| has_property(resource, property));
        }
        needs.macros = template.transforms.iter().map(|transform| transform.name.value.as_str()).collect();
        needs
    }

    /// The names of the capabilities; `None` if none is needed.
    pub fn capabilities(&self) -> Option<Vec<&'static str>> {
        let identity = if self.named { "CAPABILITY_NAMED_IAM" } else { "CAPABILITY_IAM" };
        let capabilities: Vec<&'static str> = [
            (!self.identities.is_empty()).then_some(identity),
            (!self.macros.is_empty()).then_some("CAPABILITY_AUTO_EXPAND"),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!capabilities.is_empty()).then_some(capabilities)
    }

    /// AWS names the resource types, or else the transforms.
    pub fn reason(&self) -> Option<String> {
        let because = if self.identities.is_empty() { &self.macros } else { &self.identities };
        let because = (!because.is_empty()).then(|| because.join(", "))?;
        Some(format!("The following resource(s) require capabilities: [{because}]"))
    }
}

fn has_property(resource: &Resource, property: &str) -> bool {
    resource.properties.as_ref().is_some_and(|properties| properties.get(property).is_some())
}

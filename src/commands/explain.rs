//! `infra explain`: what a resource is made of, and what a change of each property would do to it.

use super::planning;
use super::session::Session;
use crate::error::{Error, Kind, Result};
use crate::problem::nearest;
use crate::view::explain::Resource;
use cloudformation::schema::{explain, resource_type, resource_type_names};
use serde_json::Value;
use std::process::ExitCode;

/// Explain a resource or a type: its properties, and what a change of each does
///
/// A change is made in place, replaces the resource, or may replace it. The facts are those of CloudFormation's registry,
/// embedded: neither an account nor a network is needed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A resource of the environment (STACK.LOGICALID), or a type (`AWS::DynamoDB::Table`)
    #[arg(value_name = "RESOURCE", add = super::completions::resource_types())]
    subject: String,

    /// Only this property and what is inside of it: `Tags`, `KeySchema[].KeyType`
    property: Option<String>,
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let (type_name, resource) = match args.subject.contains("::") {
        true => (args.subject.clone(), None),
        false => {
            let (type_name, resource) = find(&args.subject, session)?;
            (type_name, Some(resource))
        }
    };
    let Some(found) = resource_type(&type_name) else { return Err(unknown_type(&type_name).into()) };
    let below = args.property.as_ref().map(|path| path.replace("[]", "/*").replace('.', "/"));
    let explained = explain(found, below.as_deref());
    if explained.properties.is_empty() {
        let property = args.property.unwrap_or_default();
        return Err(unknown_property(&type_name, &property).into());
    }
    session.view.explanation(&explained, resource.as_ref(), below.is_some())?;
    Ok(ExitCode::SUCCESS)
}

/// The resource's type, and the resource.
fn find(subject: &str, session: &Session) -> Result<(String, Resource)> {
    let Some((stack_name, id)) = subject.split_once('.') else {
        return Err(Error::new(Kind::Usage, format!("`{subject}` is neither a resource nor a type"))
            .hint("a resource is written STACK.LOGICALID, a type `AWS::Service::Resource`")
            .into());
    };
    let (_, stacks) = planning::wanted(session)?;
    let names = || stacks.iter().map(|stack| stack.name.as_str());
    let Some(stack) = stacks.iter().find(|stack| stack.name == stack_name) else {
        let error = Error::new(Kind::Usage, format!("the environment has no stack `{stack_name}`"));
        return Err(corrected(error, stack_name, names()).into());
    };
    let template: Value = serde_json::from_str(&stack.template)?;
    let Some(resource) = template["Resources"].get(id) else {
        let ids: Vec<&str> =
            template["Resources"].as_object().into_iter().flatten().map(|(id, _)| id.as_str()).collect();
        let error = Error::new(Kind::Usage, format!("stack `{stack_name}` has no resource `{id}`"));
        return Err(corrected(error, id, ids.into_iter()).into());
    };
    let type_name = resource["Type"].as_str().unwrap_or_default().to_owned();
    let properties = resource["Properties"].clone();
    Ok((type_name, Resource { name: subject.to_owned(), place: stack.places.get(id).cloned(), properties }))
}

fn unknown_type(name: &str) -> Error {
    let error = Error::new(Kind::Usage, format!("the registry has no resource type `{name}`"));
    match nearest(name, resource_type_names()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("a resource type is written `AWS::Service::Resource`"),
    }
}

fn unknown_property(type_name: &str, property: &str) -> Error {
    let error = Error::new(Kind::Usage, format!("{type_name} has no property `{property}`"));
    let all = resource_type(type_name).map(|found| explain(found, None).properties).unwrap_or_default();
    let paths: Vec<String> = all.iter().map(|property| property.path.replace("/*", "[]").replace('/', ".")).collect();
    match nearest(property, paths.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("infra explain -v {type_name} lists them")),
    }
}

fn corrected<'a>(error: Error, name: &str, candidates: impl Iterator<Item = &'a str>) -> Error {
    let candidates: Vec<&str> = candidates.collect();
    match nearest(name, candidates.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.detail(format!("there are {}", candidates.join(", "))),
    }
}

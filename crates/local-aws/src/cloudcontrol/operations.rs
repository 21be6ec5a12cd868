//! Reading and changing resources.

use super::page::page;
use super::requests::{self, Outcome};
use super::{patch, refusal, required};
use crate::place::Place;
use crate::query::Fault;
use crate::resources::{self, Action, Found, Owner};
use crate::world::World;
use cloudformation::schema::{ResourceType, resource_type};
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

pub(super) async fn get(world: &World, place: &Place, input: &Json) -> Result<Json, Fault> {
    let (type_name, known) = typed(input, "read")?;
    let identifier = required(input, "Identifier")?;
    let found = find(world, place, type_name, identifier).await?;
    Ok(json!({ "TypeName": known.name(), "ResourceDescription": description(&found) }))
}

pub(super) async fn list(world: &World, place: &Place, input: &Json) -> Result<Json, Fault> {
    let (type_name, known) = typed(input, "list")?;
    let found = resources::list(world, place, type_name).await;
    // A model narrows the list where a resource is only found below another (listeners of a load balancer).
    let model = match input["ResourceModel"].as_str() {
        Some(text) => serde_json::from_str::<Json>(text)
            .map_err(|error| Fault::new("ValidationException", format!("Invalid ResourceModel: {error}")))?,
        None => json!({}),
    };
    let fits = |found: &Found| {
        model.as_object().into_iter().flatten().all(|(name, value)| found.properties.get(name) == Some(value))
    };
    let found: Vec<Found> = found.into_iter().filter(fits).collect();
    let (found, next) = page(found, |found| found.identifier.clone(), input)?;
    let descriptions: Vec<Json> = found.iter().map(description).collect();
    let mut answer = json!({ "TypeName": known.name(), "ResourceDescriptions": descriptions });
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(answer)
}

pub(super) async fn create(world: &World, place: &Place, input: &Json) -> Result<Json, Fault> {
    let (type_name, known) = typed(input, "create")?;
    if let Some(answer) = requests::repeated(world, place, "CREATE", input)? {
        return Ok(answer);
    }
    let desired: Json = serde_json::from_str(required(input, "DesiredState")?)
        .map_err(|error| Fault::new("ValidationException", format!("Invalid DesiredState: {error}")))?;
    resources::check(type_name, &desired).map_err(refusal)?;
    let owner = nobody(place, type_name);
    let outcome = match resources::create(world, &owner, type_name, &desired, None).await {
        Ok(made) => {
            let handle = resources::handle(type_name, &made.physical_id, &desired);
            let found = resources::find(world, place, type_name, &handle).await;
            let identifier = found.as_ref().map_or(made.physical_id, |found| found.identifier.clone());
            Outcome { identifier, model: found.map(|found| found.properties), failure: None }
        }
        Err(failure) => {
            let model = Json::Object(Default::default());
            Outcome { identifier: String::new(), model: Some(model), failure: Some(failure) }
        }
    };
    Ok(requests::note(world, place, ("CREATE", Action::Create), known.name(), input, outcome))
}

pub(super) async fn update(world: &World, place: &Place, input: &Json) -> Result<Json, Fault> {
    let (type_name, known) = typed(input, "update")?;
    if let Some(answer) = requests::repeated(world, place, "UPDATE", input)? {
        return Ok(answer);
    }
    let found = find(world, place, type_name, required(input, "Identifier")?).await?;
    let patched = patch::apply(known, &found.properties, required(input, "PatchDocument")?)?;
    requests::alone(world, place, type_name, &found.identifier)?;
    let owner = nobody(place, type_name);
    let changed = resources::update(world, &owner, type_name, &found.physical_id, &found.properties, &patched).await;
    let outcome = match changed {
        Ok(_) => {
            let handle = resources::handle(type_name, &found.physical_id, &patched);
            let model = resources::find(world, place, type_name, &handle).await.map(|found| found.properties);
            Outcome { identifier: found.identifier, model, failure: None }
        }
        Err(failure) => Outcome { identifier: found.identifier, model: None, failure: Some(failure) },
    };
    Ok(requests::note(world, place, ("UPDATE", Action::Update), known.name(), input, outcome))
}

pub(super) async fn delete(world: &World, place: &Place, input: &Json) -> Result<Json, Fault> {
    let (type_name, known) = typed(input, "delete")?;
    if let Some(answer) = requests::repeated(world, place, "DELETE", input)? {
        return Ok(answer);
    }
    let found = find(world, place, type_name, required(input, "Identifier")?).await?;
    requests::alone(world, place, type_name, &found.identifier)?;
    let owner = nobody(place, type_name);
    let deleted = resources::delete(world, &owner, type_name, &found.physical_id, &found.properties).await;
    let outcome = Outcome { identifier: found.identifier, model: None, failure: deleted.err() };
    Ok(requests::note(world, place, ("DELETE", Action::Delete), known.name(), input, outcome))
}

/// The type that a request is about, if its provider can do what is asked.
fn typed<'i>(input: &'i Json, handler: &str) -> Result<(&'i str, &'static ResourceType), Fault> {
    let name = required(input, "TypeName")?;
    let Some(known) = resource_type(name).filter(|_| !name.starts_with("Custom::")) else {
        let message = format!("The type '{name}' cannot be found.");
        return Err(Fault::new("TypeNotFoundException", message));
    };
    if !known.has_handler(handler) {
        let message = format!("Resource type {name} does not support {} action", handler.to_uppercase());
        return Err(Fault::new("UnsupportedActionException", message));
    }
    Ok((name, known))
}

async fn find(world: &World, place: &Place, type_name: &str, identifier: &str) -> Result<Found, Fault> {
    resources::find(world, place, type_name, identifier).await.ok_or_else(|| {
        let message = format!("Resource of type '{type_name}' with identifier '{identifier}' was not found.");
        Fault::new("ResourceNotFoundException", message)
    })
}

fn description(found: &Found) -> Json {
    json!({ "Identifier": found.identifier, "Properties": found.properties.to_string() })
}

/// Who Cloud Control makes resources for: no stack.
fn nobody(place: &Place, type_name: &str) -> Owner {
    Owner {
        place: place.clone(),
        stack_name: String::new(),
        stack_id: String::new(),
        logical_id: type_name.rsplit("::").next().unwrap_or_default().to_owned(),
        tags: IndexMap::new(),
    }
}

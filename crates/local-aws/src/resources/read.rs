//! Reading resources: as they are, and as the services behind them say that they are.

use super::backed::{self, Backing};
use super::live::Live;
use super::model::{self, Properties};
use crate::cloudformation::STACK_TYPE;
use crate::place::Place;
use crate::world::World;
use cloudformation::schema::{PropertyPath, ResourceType, resource_type};
use serde_json::Value as Json;

/// A resource as Cloud Control tells it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub physical_id: String,
    /// The parts of its primary identifier, joined.
    pub identifier: String,
    pub properties: Json,
}

/// The live properties of a resource, with those that only the service sets, without those that cannot be read back.
/// It may be named by its [handle](super::handle) or by its identifier.
pub(crate) async fn read(world: &World, place: &Place, type_name: &str, name: &str) -> Option<Json> {
    find(world, place, type_name, name).await.map(|found| found.properties)
}

/// As [`read`], with its names.
pub(crate) async fn find(world: &World, place: &Place, type_name: &str, name: &str) -> Option<Found> {
    if type_name == STACK_TYPE
        && let Some(found) = nested_stack(world, place, name)
    {
        return Some(found);
    }
    let known = resource_type(type_name)?;
    let live = current(world, place, type_name, name).await?;
    Some(found(known, &live))
}

/// A nested stack, as the stack says that nests it: the engine of stacks holds it.
fn nested_stack(world: &World, place: &Place, id: &str) -> Option<Found> {
    let stacks = world.stacks.lock();
    let stack = stacks.get(id).filter(|stack| stack.place == *place && stack.status != "DELETE_COMPLETE")?;
    let parent = stack.parent.as_ref()?;
    let resource = stacks.get(&parent.stack_id)?.resources.get(&parent.logical_id)?;
    let mut properties = resource.properties.clone();
    properties["StackId"] = Json::String(stack.id.clone());
    Some(Found { physical_id: stack.id.clone(), identifier: stack.id.clone(), properties })
}

/// All resources of a type, by their identifiers.
pub(crate) async fn list(world: &World, place: &Place, type_name: &str) -> Vec<Found> {
    let Some(known) = resource_type(type_name) else { return Vec::new() };
    let names: Vec<String> = {
        let state = world.resources.lock();
        state.of_type(place, type_name).map(|live| live.handle().into_owned()).collect()
    };
    let mut listed = Vec::with_capacity(names.len());
    for name in names {
        if let Some(live) = current(world, place, type_name, &name).await {
            listed.push(found(known, &live));
        }
    }
    listed.sort_by(|one, other| one.identifier.cmp(&other.identifier));
    listed
}

fn found(known: &ResourceType, live: &Live) -> Found {
    let mut visible = live.properties.clone();
    known.write_only().iter().for_each(|path| model::remove(&mut visible, path));
    Found {
        physical_id: live.physical_id.clone(),
        identifier: live.identifier(known),
        properties: Json::Object(visible),
    }
}

/// The resource as it is now. What was changed or deleted through the API of the service behind it is taken over, and
/// what was only made through that API is found too.
pub(super) async fn current(world: &World, place: &Place, type_name: &str, name: &str) -> Option<Live> {
    let known = resource_type(type_name)?;
    let live = world.resources.lock().named(place, known, type_name, name).cloned();
    if !backed::is_backed(type_name) {
        return live;
    }
    let physical_id = live.as_ref().map_or(name, |live| live.physical_id.as_str()).to_owned();
    let backing = Backing { world, place, type_name, physical_id: &physical_id };
    let observed = backed::observe(&backing).await;
    let mut state = world.resources.lock();
    let Some(observed) = observed else {
        state.remove(place, type_name, &physical_id);
        return None;
    };
    if live.is_none() {
        state.insert(adopted(place, type_name, &physical_id, &observed));
    }
    let live = state.get_mut(place, type_name, &physical_id)?;
    take_over(live, observed);
    Some(live.clone())
}

/// Remembers what the service holds after a change through the resource.
pub(super) async fn note(backing: &Backing<'_>) {
    if !backed::is_backed(backing.type_name) {
        return;
    }
    let observed = backed::observe(backing).await;
    let mut state = backing.world.resources.lock();
    if let Some(live) = state.get_mut(backing.place, backing.type_name, backing.physical_id) {
        live.observed = observed;
    }
}

/// What differs from the last observation has been changed through the service.
fn take_over(live: &mut Live, observed: Properties) {
    if let Some(before) = &live.observed {
        for (name, value) in observed.iter().filter(|(name, value)| before.get(*name) != Some(*value)) {
            live.properties.insert(name.clone(), value.clone());
        }
        for name in before.keys().filter(|name| !observed.contains_key(*name)) {
            live.properties.remove(name);
        }
    }
    live.observed = Some(observed);
}

/// A resource that was made through the service alone.
fn adopted(place: &Place, type_name: &str, physical_id: &str, observed: &Properties) -> Live {
    Live {
        place: place.clone(),
        type_name: type_name.to_owned(),
        physical_id: physical_id.to_owned(),
        properties: with_identity(type_name, physical_id, observed),
        observed: Some(observed.clone()),
        stack_id: None,
        logical_id: None,
    }
}

fn with_identity(type_name: &str, physical_id: &str, observed: &Properties) -> Properties {
    let mut properties = observed.clone();
    let identifier: &[PropertyPath] = resource_type(type_name).map_or(&[], ResourceType::primary_identifier);
    if let [only] = identifier
        && model::get(&properties, only).is_none()
    {
        model::set(&mut properties, only, Json::String(physical_id.to_owned()));
    }
    properties
}

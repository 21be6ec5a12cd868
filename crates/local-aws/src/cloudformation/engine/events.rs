//! What a stack's events say. Every change of a status is an event, and made together with it.

use crate::cloudformation::model::{Event, Stack, StackResource, Written};
use crate::world::World;
use cloudformation::evaluate::Value;
use serde_json::Value as Json;

pub(crate) const STACK_TYPE: &str = "AWS::CloudFormation::Stack";
pub(crate) const USER_INITIATED: &str = "User Initiated";
pub(super) const CREATION_INITIATED: &str = "Resource creation Initiated";
pub(super) const REPLACING: &str =
    "Requested update requires the creation of a new physical resource; hence creating one.";
pub(super) const CREATION_CANCELLED: &str = "Resource creation cancelled";
pub(super) const UPDATE_CANCELLED: &str = "Resource update cancelled";

/// Whether the event of a resource shows its properties: those of cleanups do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Properties {
    Shown,
    Hidden,
}

/// Sets the stack's status and tells of it.
pub(crate) fn stack_event(world: &World, stack: &mut Stack, status: &str, reason: Option<&str>) {
    status.clone_into(&mut stack.status);
    stack.status_reason = reason.map(str::to_owned);
    let event = Event {
        id: world.ids.uuid(),
        timestamp: world.clock.now(),
        logical_id: stack.name.clone(),
        physical_id: stack.id.clone(),
        resource_type: STACK_TYPE.to_owned(),
        status: status.to_owned(),
        reason: reason.map(str::to_owned),
        properties: None,
        client_request_token: token(stack),
        operation_id: operation_id(stack),
        written: Written::default(),
    };
    stack.events.push(event);
}

/// Sets the status of a resource of the stack and tells of it.
pub(crate) fn resource_event(world: &World, stack: &mut Stack, id: &str, status: &str, reason: Option<&str>) {
    let Some(resource) = stack.resources.get_mut(id) else { return };
    set(world, resource, status, reason);
    let resource = resource.clone();
    tell(world, stack, &resource, Properties::Shown);
}

/// The same with properties that the resource does not have yet.
pub(super) fn resource_event_with(
    world: &World,
    stack: &mut Stack,
    id: &str,
    status: &str,
    reason: Option<&str>,
    properties: &Json,
) {
    let Some(resource) = stack.resources.get_mut(id) else { return };
    set(world, resource, status, reason);
    let resource = StackResource { properties: properties.clone(), ..resource.clone() };
    tell(world, stack, &resource, Properties::Shown);
}

fn set(world: &World, resource: &mut StackResource, status: &str, reason: Option<&str>) {
    status.clone_into(&mut resource.status);
    resource.status_reason = reason.map(str::to_owned);
    resource.updated = world.clock.now();
}

/// Tells of a resource as it is given, which need not be the stack's any more.
pub(super) fn tell(world: &World, stack: &mut Stack, resource: &StackResource, properties: Properties) {
    let timestamp = world.clock.now();
    // Ids of events name the moment; those of cleanups, where one resource may have several at once, do not.
    let id = match properties {
        Properties::Shown => {
            let at = timestamp.strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
            format!("{}-{}-{at}", resource.logical_id, resource.status)
        }
        Properties::Hidden => format!("{}-{}", resource.logical_id, world.ids.uuid()),
    };
    let event = Event {
        id,
        timestamp,
        logical_id: resource.logical_id.clone(),
        physical_id: resource.physical_id.clone(),
        resource_type: resource.resource_type.clone(),
        status: resource.status.clone(),
        reason: resource.status_reason.clone(),
        properties: (properties == Properties::Shown).then(|| as_text(&resource.properties)),
        client_request_token: token(stack),
        operation_id: operation_id(stack),
        written: Written::default(),
    };
    stack.events.push(event);
}

/// Events show scalars as text.
fn as_text(properties: &Json) -> String {
    Value::from_json(properties).into_text_scalars().to_json().to_string()
}

fn token(stack: &Stack) -> Option<String> {
    stack.operation.as_ref().and_then(|operation| operation.token.clone())
}

fn operation_id(stack: &Stack) -> Option<String> {
    stack.operation.as_ref().map(|operation| operation.id.clone())
}

/// `The following resource(s) failed to create: [A, B]. ` with its trailing space, for each way to fail in turn.
pub(super) fn failed(created: &[String], updated: &[String], deleted: &[String]) -> String {
    let part = |verb: &str, ids: &[String]| match ids.is_empty() {
        true => String::new(),
        false => format!("The following resource(s) failed to {verb}: [{}]. ", ids.join(", ")),
    };
    part("create", created) + &part("update", updated) + &part("delete", deleted)
}

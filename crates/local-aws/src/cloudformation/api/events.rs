//! `DescribeStackEvents` and `DescribeEvents`, newest first.

use super::{find, page, required, show};
use crate::cloudformation::model::{Event, Stack};
use crate::door::Response;
use crate::place::Place;
use crate::query::{self, Fault};
use crate::world::World;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeStackEvents {
    stack_name: Option<String>,
    next_token: Option<String>,
}

/// All events of a stack, of a deleted one by its id.
pub(super) async fn describe_stack_events(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let (shown, next) = stack_events(world, place, input, stack_event)?;
    Ok(json!({ "StackEvents": shown, "NextToken": next }))
}

/// The same answer as it goes out. Whoever follows a stack asks for it all the time, and what it says of an event never
/// changes: that is written once.
pub(super) fn answer_stack_events(world: &Arc<World>, place: &Place, input: Json) -> Result<Response, Fault> {
    let written = |stack: &Stack, event: &Event| event.written(|| query::element("member", &stack_event(stack, event)));
    let (members, next) = stack_events(world, place, input, written)?;
    let next = query::element("NextToken", &json!(next));
    let content = ["<StackEvents>"].into_iter().chain(members.iter().map(AsRef::as_ref));
    let content = content.chain(["</StackEvents>", next.as_str()]);
    Ok(query::answer_written("DescribeStackEvents", super::NAMESPACE, content))
}

/// One page of them, as `show` has them, and the token of the next.
fn stack_events<T>(
    world: &Arc<World>,
    place: &Place,
    input: Json,
    show: impl Fn(&Stack, &Event) -> T,
) -> Result<(Vec<T>, Option<String>), Fault> {
    let input: DescribeStackEvents = query::input(input)?;
    let name = required(input.stack_name, "stackName")?;
    let stacks = world.stacks.lock();
    let stack = find::stack(&stacks, place, &name).ok_or_else(|| find::in_brackets(&name))?;
    let events = stack.events.iter().rev();
    let (shown, next) = page::page(events, input.next_token.as_deref(), page::PAGE, |event| event.id.clone())?;
    Ok((shown.into_iter().map(|event| show(stack, event)).collect(), next))
}

fn stack_event(stack: &Stack, event: &Event) -> Json {
    json!({
        "StackId": stack.id,
        "EventId": event.id,
        "StackName": stack.name,
        "OperationId": event.operation_id,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.resource_type,
        "Timestamp": show::time(event.timestamp),
        "ResourceStatus": event.status,
        "ResourceStatusReason": event.reason,
        "ResourceProperties": event.properties,
        "ClientRequestToken": event.client_request_token,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeEvents {
    stack_name: Option<String>,
    change_set_name: Option<String>,
    operation_id: Option<String>,
    filters: Option<Filters>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filters {
    failed_events: Option<bool>,
}

/// Events by stack, change set or operation; only failures, if asked for.
pub(super) async fn describe_events(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: DescribeEvents = query::input(input)?;
    let stacks = world.stacks.lock();
    let mut operation = input.operation_id;
    let stack = match (&input.change_set_name, &input.stack_name, &operation) {
        (Some(change_set), name, _) => {
            let (stack, found) = find::change_set(&stacks, place, change_set, name.as_deref())?;
            // The operation that made a change set has the change set's own id.
            operation = operation.or_else(|| found.id.rsplit('/').next().map(str::to_owned));
            stack
        }
        (None, Some(name), _) => find::stack(&stacks, place, name).ok_or_else(|| find::in_brackets(name))?,
        (None, None, Some(id)) => stacks
            .values()
            .filter(|stack| stack.place == *place)
            .find(|stack| stack.events.iter().any(|event| event.operation_id.as_deref() == Some(id)))
            .ok_or_else(|| Fault::validation(format!("Operation [{id}] does not exist")))?,
        (None, None, None) => {
            return Err(Fault::validation("StackName, ChangeSetName or OperationId must be specified."));
        }
    };
    let only_failed = input.filters.and_then(|filters| filters.failed_events).unwrap_or(false);
    let events = stack.events.iter().rev();
    let events = events.filter(|event| operation.is_none() || event.operation_id == operation);
    let events = events.filter(|event| !only_failed || is_failure(event));
    let (shown, next) = page::page(events, input.next_token.as_deref(), page::PAGE, |event| event.id.clone())?;
    let shown: Vec<Json> = shown.into_iter().map(|event| operation_event(stack, event)).collect();
    Ok(json!({ "OperationEvents": shown, "NextToken": next }))
}

fn operation_event(stack: &Stack, event: &Event) -> Json {
    let of_stack = event.physical_id == stack.id;
    let operation = event.operation_id.as_deref();
    let event_type = match of_stack {
        true => "STACK_EVENT",
        false if is_failure(event) => "PROVISIONING_ERROR",
        false => "PROGRESS_EVENT",
    };
    let ended = !event.status.ends_with("_IN_PROGRESS");
    let started =
        stack.events.iter().find(|it| it.logical_id == event.logical_id && it.operation_id == event.operation_id);
    json!({
        "EventId": event.id,
        "StackId": stack.id,
        "OperationId": operation,
        "OperationType": operation.and_then(|id| operation_type(stack, id)),
        "OperationStatus": of_stack.then(|| operation_status(&event.status)),
        "EventType": event_type,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.resource_type,
        "Timestamp": show::time(event.timestamp),
        "StartTime": started.map(|it| show::time(it.timestamp)),
        "EndTime": ended.then(|| show::time(event.timestamp)),
        "ResourceStatus": event.status,
        "ResourceStatusReason": event.reason,
        "ResourceProperties": event.properties,
        "ClientRequestToken": event.client_request_token,
    })
}

fn is_failure(event: &Event) -> bool {
    event.status.ends_with("_FAILED")
}

fn operation_status(status: &str) -> &'static str {
    match status {
        _ if status.ends_with("_IN_PROGRESS") => "IN_PROGRESS",
        _ if status.ends_with("_FAILED") || status.contains("ROLLBACK") => "FAILED",
        _ => "SUCCEEDED",
    }
}

/// `{OperationType, OperationId}` of what was last done to a stack.
pub(super) fn last_operation(stack: &Stack) -> Option<Json> {
    let id = stack.events.iter().rev().find_map(|event| event.operation_id.as_deref())?;
    Some(json!({ "OperationType": operation_type(stack, id)?, "OperationId": id }))
}

/// What an operation is, by the stack's first event of it.
fn operation_type(stack: &Stack, id: &str) -> Option<&'static str> {
    let first =
        stack.events.iter().find(|event| event.operation_id.as_deref() == Some(id) && event.physical_id == stack.id)?;
    Some(match first.status.as_str() {
        "REVIEW_IN_PROGRESS" => "CREATE_CHANGESET",
        "CREATE_IN_PROGRESS" => "CREATE_STACK",
        "DELETE_IN_PROGRESS" => "DELETE_STACK",
        "ROLLBACK_IN_PROGRESS" => "ROLLBACK",
        "UPDATE_ROLLBACK_IN_PROGRESS" => "CONTINUE_ROLLBACK",
        _ => "UPDATE_STACK",
    })
}

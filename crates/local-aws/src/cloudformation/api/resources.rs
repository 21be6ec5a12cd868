//! `DescribeStackResource`, `DescribeStackResources` and `ListStackResources`.

use super::{find, page, required, show};
use crate::cloudformation::model::{Stack, StackResource};
use crate::place::Place;
use crate::query::{self, Fault};
use crate::world::World;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    stack_name: Option<String>,
    logical_resource_id: Option<String>,
    physical_resource_id: Option<String>,
    next_token: Option<String>,
}

/// One resource with its metadata.
pub(super) async fn describe_stack_resource(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let name = required(input.stack_name, "stackName")?;
    let id = required(input.logical_resource_id, "logicalResourceId")?;
    let stacks = world.stacks.lock();
    let stack = find::stack(&stacks, place, &name).ok_or_else(|| find::in_quotes(&name))?;
    let Some(resource) = stack.resources.get(&id) else {
        return Err(Fault::validation(format!("Resource {id} does not exist for stack {}", stack.name)));
    };
    let metadata = resource.metadata.as_ref().map_or_else(|| "{}".to_owned(), Json::to_string);
    Ok(json!({
        "StackResourceDetail": {
            "StackName": stack.name,
            "StackId": stack.id,
            "LogicalResourceId": resource.logical_id,
            "PhysicalResourceId": physical_id(resource),
            "ResourceType": resource.resource_type,
            "LastUpdatedTimestamp": show::time(resource.updated),
            "ResourceStatus": resource.status,
            "ResourceStatusReason": resource.status_reason,
            "Metadata": metadata,
            "DriftInformation": drift(resource),
        }
    }))
}

/// The resources of a stack, found by the stack or by the physical id of one of them; at most a page of them, as on AWS.
pub(super) async fn describe_stack_resources(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let stacks = world.stacks.lock();
    let stack = match (&input.stack_name, &input.physical_resource_id) {
        (Some(_), Some(_)) | (None, None) => {
            return Err(Fault::validation("Either stackName or physicalResourceId must be specified, but not both"));
        }
        (Some(name), None) => find::stack(&stacks, place, name).ok_or_else(|| find::with_id(name))?,
        (None, Some(id)) => stacks
            .values()
            .filter(|stack| stack.place == *place && !find::is_deleted(stack))
            .find(|stack| stack.resources.values().any(|resource| resource.physical_id == *id))
            .ok_or_else(|| Fault::validation(format!("Stack for {id} does not exist")))?,
    };
    let wanted =
        |resource: &&StackResource| input.logical_resource_id.as_ref().is_none_or(|id| *id == resource.logical_id);
    let shown: Vec<Json> = sorted(stack)
        .into_iter()
        .filter(wanted)
        .take(page::PAGE)
        .map(|resource| {
            json!({
                "StackName": stack.name,
                "StackId": stack.id,
                "LogicalResourceId": resource.logical_id,
                "PhysicalResourceId": physical_id(resource),
                "ResourceType": resource.resource_type,
                "Timestamp": show::time(resource.updated),
                "ResourceStatus": resource.status,
                "ResourceStatusReason": resource.status_reason,
                "DriftInformation": drift(resource),
            })
        })
        .collect();
    Ok(json!({ "StackResources": shown }))
}

/// All resources of a stack, in pages.
pub(super) async fn list_stack_resources(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let name = required(input.stack_name, "stackName")?;
    let stacks = world.stacks.lock();
    let stack = find::stack(&stacks, place, &name).ok_or_else(|| find::with_id(&name))?;
    let (shown, next) =
        page::page(sorted(stack), input.next_token.as_deref(), page::PAGE, |resource| resource.logical_id.clone())?;
    let summaries: Vec<Json> = shown
        .into_iter()
        .map(|resource| {
            json!({
                "LogicalResourceId": resource.logical_id,
                "PhysicalResourceId": physical_id(resource),
                "ResourceType": resource.resource_type,
                "LastUpdatedTimestamp": show::time(resource.updated),
                "ResourceStatus": resource.status,
                "ResourceStatusReason": resource.status_reason,
                "DriftInformation": drift(resource),
            })
        })
        .collect();
    Ok(json!({ "StackResourceSummaries": summaries, "NextToken": next }))
}

/// AWS shows them by logical id.
fn sorted(stack: &Stack) -> Vec<&StackResource> {
    let mut resources: Vec<&StackResource> = stack.resources.values().collect();
    resources.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    resources
}

fn physical_id(resource: &StackResource) -> Option<&str> {
    Some(resource.physical_id.as_str()).filter(|id| !id.is_empty())
}

fn drift(resource: &StackResource) -> Json {
    json!({
        "StackResourceDriftStatus": show::or_not_checked(&resource.drift_status),
        "LastCheckTimestamp": resource.drift_checked.map(show::time),
    })
}

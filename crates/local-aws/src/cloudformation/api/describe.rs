//! `DescribeStacks` and `DescribeChangeSet`.

use super::{find, page, required, show};
use crate::cloudformation::model::{ChangeSet, Stack};
use crate::place::Place;
use crate::query::{self, Fault};
use crate::world::World;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeStacks {
    stack_name: Option<String>,
    next_token: Option<String>,
}

/// One stack by name or id, or all that are not deleted, the newest first.
pub(super) async fn describe_stacks(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: DescribeStacks = query::input(input)?;
    let stacks = world.stacks.lock();
    if let Some(name) = input.stack_name.filter(|name| !name.is_empty()) {
        let found = find::stack(&stacks, place, &name).ok_or_else(|| find::with_id(&name))?;
        return Ok(json!({ "Stacks": [stack(found)] }));
    }
    let live: Vec<&Stack> =
        stacks.values().rev().filter(|stack| stack.place == *place && !find::is_deleted(stack)).collect();
    let (shown, next) = page::page(live, input.next_token.as_deref(), page::PAGE, |stack| stack.id.clone())?;
    Ok(json!({ "Stacks": shown.into_iter().map(stack).collect::<Vec<_>>(), "NextToken": next }))
}

/// A stack as `DescribeStacks` shows it.
fn stack(stack: &Stack) -> Json {
    let deleted = find::is_deleted(stack);
    // A creation that was rolled back counts as deleted in this.
    let gone = deleted || stack.status == "ROLLBACK_COMPLETE";
    let definition = &stack.current;
    let outputs: Vec<Json> = stack
        .outputs
        .iter()
        .map(|output| {
            json!({
                "OutputKey": output.key,
                "OutputValue": output.value,
                "Description": output.description,
                "ExportName": output.export,
            })
        })
        .collect();
    json!({
        "StackId": stack.id,
        "StackName": stack.name,
        "ChangeSetId": stack.change_set_id.as_ref().filter(|_| !gone),
        "Description": definition.description,
        "Parameters": show::parameters(definition),
        "CreationTime": show::time(stack.created),
        "DeletionTime": stack.deleted.map(show::time),
        "LastUpdatedTime": stack.updated.map(show::time),
        "RollbackConfiguration": show::rollback_configuration(definition),
        "StackStatus": stack.status,
        "StackStatusReason": stack.status_reason,
        "DisableRollback": stack.disable_rollback,
        "RetainExceptOnCreate": stack.retain_except_on_create.then_some(true),
        "DeploymentConfig": stack.deployment_config,
        "NotificationARNs": definition.notification_arns,
        "TimeoutInMinutes": stack.timeout_minutes,
        "Capabilities": show::any(&definition.capabilities),
        "Outputs": (!outputs.is_empty()).then_some(outputs),
        "RoleARN": definition.role_arn,
        "Tags": show::tags(&definition.tags),
        "EnableTerminationProtection": (!deleted).then_some(stack.termination_protection),
        "ParentId": stack.parent.as_ref().map(|parent| &parent.stack_id),
        "RootId": stack.parent.as_ref().map(|parent| &parent.root_id),
        "DriftInformation": show::stack_drift(stack),
        "DeletionMode": stack.deletion_mode,
        "LastOperations": super::events::last_operation(stack).map(|last| [last]),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeChangeSet {
    change_set_name: Option<String>,
    stack_name: Option<String>,
    include_property_values: Option<bool>,
    next_token: Option<String>,
}

/// A change set, executed ones too; its changes in pages.
pub(super) async fn describe_change_set(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: DescribeChangeSet = query::input(input)?;
    let name = required(input.change_set_name, "changeSetName")?;
    let stacks = world.stacks.lock();
    let (stack, change_set) = find::change_set(&stacks, place, &name, input.stack_name.as_deref())?;
    let (changes, warning) = match input.include_property_values {
        Some(true) => (&change_set.changes_with_values, change_set.warning.as_ref()),
        _ => (&change_set.changes, None),
    };
    let (changes, next) = page::page(changes, input.next_token.as_deref(), page::PAGE, |change| {
        change["ResourceChange"]["LogicalResourceId"].as_str().unwrap_or_default().to_owned()
    })?;
    let definition = &change_set.definition;
    Ok(json!({
        "ChangeSetName": change_set.name,
        "ChangeSetId": change_set.id,
        "StackId": stack.id,
        "StackName": stack.name,
        "Description": change_set.description,
        "Parameters": show::parameters(definition),
        "CreationTime": show::time(change_set.created),
        "ExecutionStatus": change_set.execution_status,
        "Status": change_set.status,
        "StatusReason": change_set.status_reason.as_ref().or(warning),
        "StackDriftStatus": change_set.deployment_mode.as_ref().map(|_| show::or_not_checked(&stack.drift_status)),
        "NotificationARNs": definition.notification_arns,
        "RollbackConfiguration": show::rollback_configuration(definition),
        "Capabilities": definition.capabilities,
        "Tags": (!definition.tags.is_empty()).then(|| show::tags(&definition.tags)),
        "Changes": changes,
        "NextToken": next,
        "IncludeNestedStacks": change_set.hierarchy.is_some(),
        "ParentChangeSetId": change_set.hierarchy.as_ref().map(|hierarchy| &hierarchy.parent),
        "RootChangeSetId": change_set.hierarchy.as_ref().map(|hierarchy| &hierarchy.root),
        "OnStackFailure": change_set.on_stack_failure,
        "ImportExistingResources": change_set.import_existing_resources.then_some(true),
        "DeploymentMode": change_set.deployment_mode,
        "DeploymentConfig": change_set.deployment_config,
    }))
}

/// No hook is ever activated here.
pub(super) async fn describe_change_set_hooks(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: DescribeChangeSet = query::input(input)?;
    let name = required(input.change_set_name, "changeSetName")?;
    let stacks = world.stacks.lock();
    let (stack, change_set) = find::change_set(&stacks, place, &name, input.stack_name.as_deref())?;
    Ok(json!({
        "ChangeSetId": change_set.id,
        "ChangeSetName": change_set.name,
        "Hooks": [],
        "Status": "PLANNED",
        "StackId": stack.id,
        "StackName": stack.name,
    }))
}

/// A change set as `ListChangeSets` shows it.
pub(super) fn change_set_summary(stack: &Stack, change_set: &ChangeSet) -> Json {
    json!({
        "StackId": stack.id,
        "StackName": stack.name,
        "ChangeSetId": change_set.id,
        "ChangeSetName": change_set.name,
        "ExecutionStatus": change_set.execution_status,
        "Status": change_set.status,
        "StatusReason": change_set.status_reason,
        "CreationTime": show::time(change_set.created),
        "Description": change_set.description,
        "IncludeNestedStacks": change_set.hierarchy.is_some(),
        "ParentChangeSetId": change_set.hierarchy.as_ref().map(|hierarchy| &hierarchy.parent),
        "RootChangeSetId": change_set.hierarchy.as_ref().map(|hierarchy| &hierarchy.root),
        "ImportExistingResources": change_set.import_existing_resources.then_some(true),
    })
}

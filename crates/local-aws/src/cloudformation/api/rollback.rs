//! `RollbackStack` and `ContinueUpdateRollback`.

use super::input::{check_role, repeated};
use super::{find, required};
use crate::cloudformation::engine::again;
use crate::cloudformation::engine::events::{USER_INITIATED, stack_event};
use crate::cloudformation::engine::spawn;
use crate::cloudformation::model::{DeploymentConfig, Event, OperationKind, Stack};
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
    client_request_token: Option<String>,
    retain_except_on_create: Option<bool>,
    resources_to_skip: Option<Vec<String>>,
    force_rollback: Option<bool>,
    #[serde(rename = "RoleARN")]
    role_arn: Option<String>,
    deployment_config: Option<DeploymentConfig>,
}

/// Rolls back a creation or an update whose failure was left as it was.
pub(super) async fn rollback_stack(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let name = required(input.stack_name, "stackName")?;
    check_role(input.role_arn.as_deref())?;
    let id = world.stacks.id_of(place, &name).ok_or_else(|| find::in_brackets(&name))?;
    let begun = world.edit_stack(&id, |stack| {
        if repeated(stack, "RollbackStack", input.client_request_token.as_deref())? {
            return Ok(false);
        }
        let status = match stack.status.as_str() {
            "CREATE_FAILED" => "ROLLBACK_IN_PROGRESS",
            "UPDATE_FAILED" if stack.previous.is_none() => "ROLLBACK_IN_PROGRESS",
            "UPDATE_FAILED" => "UPDATE_ROLLBACK_IN_PROGRESS",
            other => {
                return Err(Fault::validation(format!(
                    "Stack [{name}] cannot be rolled back as it is in {other} state. RollbackStack is only supported from \
                     CREATE_FAILED or UPDATE_FAILED."
                )));
            }
        };
        let mut operation = again(world, stack, OperationKind::Rollback);
        operation.token.clone_from(&input.client_request_token);
        operation.retain_except_on_create = input.retain_except_on_create.unwrap_or_default();
        operation.express = input.deployment_config.as_ref().is_some_and(DeploymentConfig::is_express);
        stack.current.role_arn = input.role_arn.or(stack.current.role_arn.take());
        if status == "ROLLBACK_IN_PROGRESS" {
            stack.deleted = Some(world.clock.now());
        }
        stack.operation = Some(operation);
        stack_event(world, stack, status, Some(USER_INITIATED));
        Ok(true)
    });
    if begun.unwrap_or(Ok(false))? {
        spawn(world, &id);
    }
    Ok(json!({ "StackId": id }))
}

/// Goes on with a rollback of an update that failed.
pub(super) async fn continue_update_rollback(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let name = required(input.stack_name, "stackName")?;
    check_role(input.role_arn.as_deref())?;
    let skip = input.resources_to_skip.unwrap_or_default();
    let force = input.force_rollback == Some(true);
    if force && !skip.is_empty() {
        return Err(Fault::validation("You cannot specify both ForceRollback and ResourcesToSkip"));
    }
    let id = world.stacks.id_of(place, &name).ok_or_else(|| find::in_brackets(&name))?;
    let failed = failed_to_go_back(world, &id);
    let begun = world.edit_stack(&id, |stack| {
        if repeated(stack, "ContinueUpdateRollback", input.client_request_token.as_deref())? {
            return Ok(false);
        }
        if stack.status != "UPDATE_ROLLBACK_FAILED" {
            let status = &stack.status;
            return Err(Fault::validation(format!(
                "Stack:{} is in {status} state and can not continue rollback.",
                stack.id
            )));
        }
        if let Some(wrong) = skip.iter().find(|id| !failed.contains(id)) {
            return Err(Fault::validation(format!(
                "Only resources that are in the UPDATE_FAILED state can be skipped. The following are not: [{wrong}]"
            )));
        }
        let mut operation = again(world, stack, OperationKind::ContinueRollback);
        operation.token.clone_from(&input.client_request_token);
        operation.skip = if force { failed } else { skip };
        stack.current.role_arn = input.role_arn.or(stack.current.role_arn.take());
        stack.operation = Some(operation);
        stack_event(world, stack, "UPDATE_ROLLBACK_IN_PROGRESS", Some(USER_INITIATED));
        Ok(true)
    });
    if begun.unwrap_or(Ok(false))? {
        spawn(world, &id);
    }
    Ok(Json::Null)
}

/// The resources that a rollback could not bring back, as `ResourcesToSkip` names them: those of nested stacks behind the
/// name of their stack. A nested stack itself is not skipped, what failed in it is.
fn failed_to_go_back(world: &World, id: &str) -> Vec<String> {
    let stacks = world.stacks.lock();
    let mut found = Vec::new();
    let mut open: Vec<&Stack> = stacks.get(id).into_iter().collect();
    while let Some(stack) = open.pop() {
        let since = stack.events.iter().rposition(|event| event.status == "UPDATE_ROLLBACK_IN_PROGRESS").unwrap_or(0);
        for resource in stack.resources.values().filter(|resource| resource.status == "UPDATE_FAILED") {
            let tried = |event: &Event| event.logical_id == resource.logical_id && event.status == "UPDATE_FAILED";
            if !stack.events[since..].iter().any(tried) {
                continue;
            }
            match stacks.get(&resource.physical_id) {
                Some(nested) if nested.status == "UPDATE_ROLLBACK_FAILED" => open.push(nested),
                _ if stack.id == id => found.push(resource.logical_id.clone()),
                _ => found.push(format!("{}.{}", stack.name, resource.logical_id)),
            }
        }
    }
    found
}

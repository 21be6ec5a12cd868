//! `DeleteStack`.

use super::input::{check_role, repeated};
use super::{nested_change_sets, required};
use crate::cloudformation::engine::events::{USER_INITIATED, stack_event};
use crate::cloudformation::engine::{exports, halt, is_busy, spawn};
use crate::cloudformation::model::{DeploymentConfig, Operation, OperationKind, Phase};
use crate::place::Place;
use crate::query::{self, Fault};
use crate::world::World;
use serde::Deserialize;
use serde_json::Value as Json;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    stack_name: Option<String>,
    retain_resources: Option<Vec<String>>,
    client_request_token: Option<String>,
    deletion_mode: Option<String>,
    #[serde(rename = "RoleARN")]
    role_arn: Option<String>,
    deployment_config: Option<DeploymentConfig>,
}

/// What becomes of the request.
enum Answer {
    Nothing,
    /// There is something to be done in the background.
    Begun,
    /// What is being done has to stop first, and goes on as a deletion.
    Stopping,
}

/// Deletes a stack in the background. A stack that is not there is deleted already.
pub(super) async fn delete_stack(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let name = required(input.stack_name, "stackName")?;
    check_role(input.role_arn.as_deref())?;
    let Some(id) = world.stacks.id_of(place, &name) else { return Ok(Json::Null) };
    let in_use = exports::in_use(world, &id);
    let answer = world.edit_stack(&id, |stack| {
        if matches!(stack.status.as_str(), "DELETE_COMPLETE" | "DELETE_IN_PROGRESS") {
            return Ok(Answer::Nothing);
        }
        if stack.termination_protection {
            return Err(Fault::validation(format!(
                "Stack [{name}] cannot be deleted while TerminationProtection is enabled"
            )));
        }
        if repeated(stack, "DeleteStack", input.client_request_token.as_deref())? {
            return Ok(Answer::Nothing);
        }
        let creating = stack.status == "CREATE_IN_PROGRESS";
        if is_busy(stack) && !creating {
            let status = &stack.status;
            return Err(Fault::validation(format!("Stack [{name}] cannot be deleted while in status {status}")));
        }
        let retain = input.retain_resources.unwrap_or_default();
        if !retain.is_empty() && stack.status != "DELETE_FAILED" {
            return Err(Fault::validation(
                "Invalid operation on stack. RetainResources can only be specified for a stack in the DELETE_FAILED state.",
            ));
        }
        if let Some(unknown) = retain.iter().find(|id| !stack.resources.contains_key(*id)) {
            return Err(Fault::validation(format!("The specified resources to retain must be in a valid state. Do not specify the following: [{unknown}]")));
        }
        if let Some(failed) = &stack.operation {
            // What a failed update was about to replace goes too.
            let replaced = failed.steps.iter().filter_map(|(id, step)| Some((id, step.before.as_ref()?)));
            let replaced = replaced.filter(|(id, before)| {
                stack.resources.get(*id).is_some_and(|now| now.physical_id != before.physical_id)
            });
            let replaced: Vec<_> = replaced.map(|(_, before)| before.clone()).collect();
            stack.leftovers.extend(replaced);
        }
        let mut operation = Operation::new(world, OperationKind::Delete, Phase::Delete);
        operation.token.clone_from(&input.client_request_token);
        operation.express = input.deployment_config.as_ref().is_some_and(DeploymentConfig::is_express);
        operation.force = input.deletion_mode.as_deref() == Some("FORCE_DELETE_STACK");
        operation.retain = retain;
        let before = (stack.status.clone(), stack.status_reason.clone());
        stack.deletion_mode = input.deletion_mode;
        // From now on all is done as this role.
        stack.current.role_arn = input.role_arn.or(stack.current.role_arn.take());
        stack.operation = Some(operation);
        stack_event(world, stack, "DELETE_IN_PROGRESS", Some(USER_INITIATED));
        if let Some(reason) = in_use {
            // Nothing happens to it: it is again what it was.
            stack_event(world, stack, &before.0, Some(&format!("Delete canceled. {reason}.")));
            stack.operation = None;
            return Ok(Answer::Nothing);
        }
        Ok(if creating { Answer::Stopping } else { Answer::Begun })
    });
    match answer.unwrap_or(Ok(Answer::Nothing))? {
        Answer::Nothing => {}
        Answer::Begun => {
            nested_change_sets::forget_stack(world, &id);
            spawn(world, &id);
        }
        Answer::Stopping => halt(world, &id),
    }
    Ok(Json::Null)
}

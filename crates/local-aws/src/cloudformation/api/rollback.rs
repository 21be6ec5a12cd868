//! `RollbackStack` and `ContinueUpdateRollback`.

use super::input::repeated;
use super::{find, required};
use crate::cloudformation::engine::events::{USER_INITIATED, stack_event};
use crate::cloudformation::engine::spawn;
use crate::cloudformation::model::{OnFailure, Operation, OperationKind, Phase, Stack};
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
}

/// Rolls back a creation or an update whose failure was left as it was.
pub(super) async fn rollback_stack(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let name = required(input.stack_name, "stackName")?;
    let id = world.stacks.id_of(place, &name).ok_or_else(|| find::in_brackets(&name))?;
    let begun = world.edit_stack(&id, |stack| {
        if repeated(stack, "RollbackStack", input.client_request_token.as_deref()) {
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
    let id = world.stacks.id_of(place, &name).ok_or_else(|| find::in_brackets(&name))?;
    let begun = world.edit_stack(&id, |stack| {
        if repeated(stack, "ContinueUpdateRollback", input.client_request_token.as_deref()) {
            return Ok(false);
        }
        if stack.status != "UPDATE_ROLLBACK_FAILED" {
            let status = &stack.status;
            return Err(Fault::validation(format!(
                "Stack:{} is in {status} state and can not continue rollback.",
                stack.id
            )));
        }
        let skip = input.resources_to_skip.unwrap_or_default();
        let failed = |id: &&String| stack.resources.get(*id).is_some_and(|it| it.status == "UPDATE_FAILED");
        if let Some(wrong) = skip.iter().find(|id| !failed(id)) {
            return Err(Fault::validation(format!(
                "Only resources that are in the UPDATE_FAILED state can be skipped. The following are not: [{wrong}]"
            )));
        }
        let mut operation = again(world, stack, OperationKind::ContinueRollback);
        operation.token.clone_from(&input.client_request_token);
        operation.skip = skip;
        stack.operation = Some(operation);
        stack_event(world, stack, "UPDATE_ROLLBACK_IN_PROGRESS", Some(USER_INITIATED));
        Ok(true)
    });
    if begun.unwrap_or(Ok(false))? {
        spawn(world, &id);
    }
    Ok(Json::Null)
}

/// The operation that failed, as a rollback of it.
fn again(world: &World, stack: &mut Stack, kind: OperationKind) -> Operation {
    let failed = stack.operation.take();
    let mut operation = Operation::new(world, kind, Phase::Rollback);
    operation.on_failure = OnFailure::Rollback;
    if let Some(failed) = failed {
        operation.steps = failed.steps;
        operation.imports = failed.imports;
        operation.prepared = failed.prepared;
        operation.retain_except_on_create = failed.retain_except_on_create;
    }
    operation
}

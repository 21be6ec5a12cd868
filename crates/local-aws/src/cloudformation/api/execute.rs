//! `ExecuteChangeSet`.

use super::input::{can_be_updated, cannot_be_updated, on_failure, repeated};
use super::{find, nested_change_sets, required, update};
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
    change_set_name: Option<String>,
    stack_name: Option<String>,
    client_request_token: Option<String>,
    disable_rollback: Option<bool>,
    retain_except_on_create: Option<bool>,
}

/// Carries out a change set in the background. All others of the stack are void from then on.
pub(super) async fn execute_change_set(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let name = required(input.change_set_name, "changeSetName")?;
    let (stack_id, change_set_id) = {
        let stacks = world.stacks.lock();
        let (stack, change_set) = find::change_set(&stacks, place, &name, input.stack_name.as_deref())?;
        nested_change_sets::check_root(change_set, "executed")?;
        (stack.id.clone(), change_set.id.clone())
    };
    let begun = world.edit_stack(&stack_id, |stack| {
        if repeated(stack, "ExecuteChangeSet", input.client_request_token.as_deref())? {
            return Ok(false);
        }
        let Some(change_set) = stack.change_sets.get(&change_set_id).cloned() else { return Ok(false) };
        if change_set.execution_status != "AVAILABLE" {
            let status = match change_set.status.as_str() {
                "CREATE_COMPLETE" => &change_set.execution_status,
                other => other,
            };
            let message = format!("ChangeSet [{change_set_id}] cannot be executed in its current status of [{status}]");
            return Err(Fault::new("InvalidChangeSetStatus", message));
        }
        if stack.status != "REVIEW_IN_PROGRESS" && !can_be_updated(stack) {
            return Err(cannot_be_updated(stack));
        }
        let mut operation = Operation::new(world, kind(&change_set.kind), Phase::Forward);
        let config = change_set.deployment_config.clone().unwrap_or_default();
        let disable = input.disable_rollback.or(config.disable_rollback);
        let disable = disable.filter(|_| change_set.on_stack_failure.is_none());
        operation.on_failure = on_failure(disable, change_set.on_stack_failure.as_deref())?;
        operation.token.clone_from(&input.client_request_token);
        operation.retain_except_on_create = input.retain_except_on_create.unwrap_or_default();
        operation.express = config.is_express();
        operation.revert_drift = change_set.deployment_mode.as_deref() == Some("REVERT_DRIFT");
        operation.imports = change_set.imports;
        stack.change_set_id = Some(change_set_id.clone());
        stack.deployment_config = change_set.deployment_config;
        stack.retain_except_on_create = operation.retain_except_on_create;
        for (id, other) in &mut stack.change_sets {
            let status = if *id == change_set_id { "EXECUTE_COMPLETE" } else { "OBSOLETE" };
            // What was executed or failed stays so.
            if *id == change_set_id || matches!(other.execution_status.as_str(), "AVAILABLE" | "UNAVAILABLE") {
                status.clone_into(&mut other.execution_status);
            }
        }
        begin(world, stack, change_set.definition, operation);
        Ok(true)
    });
    if begun.unwrap_or(Ok(false))? {
        nested_change_sets::follow(world, &stack_id);
        spawn(world, &stack_id);
    }
    Ok(json!({}))
}

fn kind(kind: &str) -> OperationKind {
    match kind {
        "CREATE" => OperationKind::Create,
        "IMPORT" => OperationKind::Import,
        _ => OperationKind::Update,
    }
}

fn begin(world: &World, stack: &mut Stack, definition: crate::cloudformation::model::Definition, operation: Operation) {
    match operation.kind {
        OperationKind::Update => update::begin(world, stack, definition, operation),
        kind => {
            let old = std::mem::replace(&mut stack.current, definition);
            if stack.status != "REVIEW_IN_PROGRESS" {
                stack.previous = Some(old);
            }
            stack.disable_rollback = operation.on_failure == OnFailure::DoNothing;
            stack.updated = Some(world.clock.now());
            stack.operation = Some(operation);
            let status = if kind == OperationKind::Import { "IMPORT_IN_PROGRESS" } else { "CREATE_IN_PROGRESS" };
            stack_event(world, stack, status, Some(USER_INITIATED));
        }
    }
}

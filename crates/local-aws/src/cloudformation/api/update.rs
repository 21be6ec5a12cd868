//! `UpdateStack`.

use super::find;
use super::input::{Input, can_be_updated, cannot_be_updated, is_known, repeated};
use super::policies;
use crate::cloudformation::engine::events::{USER_INITIATED, stack_event};
use crate::cloudformation::engine::spawn;
use crate::cloudformation::model::{Definition, OnFailure, Operation, OperationKind, Phase, Stack};
use crate::cloudformation::prepare::{changes, prepare};
use crate::place::Place;
use crate::query::{self, Fault};
use crate::world::World;
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// Updates a stack in the background.
pub(super) async fn update_stack(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let mut input: Input = query::input(input)?;
    let name = input.name()?;
    input.check_template()?;
    let missing = || Fault::validation(format!("Stack [{name}] does not exist"));
    let id = world.stacks.id_of(place, &name).ok_or_else(missing)?;
    let stack = world.with_stack(&id, Clone::clone).ok_or_else(|| find::with_id(&name))?;
    let token = input.client_request_token.clone();
    if is_known(&stack, "UpdateStack", token.as_deref())? {
        return Ok(json!({ "StackId": id }));
    }
    let on_failure = input.on_failure(None)?;
    let during = policies::body(
        world,
        place,
        input.stack_policy_during_update_body.take(),
        input.stack_policy_during_update_url.as_deref(),
    )
    .await?;
    let policy = input.policy(world, place).await?;
    let mut prepared = prepare(world, place, (&stack.name, &id), input.request()?, Some(&stack.current)).await?;
    // The template asks for none, and what was acknowledged before still is.
    if prepared.definition.capabilities.is_empty() {
        prepared.definition.capabilities.clone_from(&stack.current.capabilities);
    }
    if !can_be_updated(&stack) {
        return Err(cannot_be_updated(&stack));
    }
    // What failed before is tried again, whether or not anything else is to be done.
    let failed = stack.status.ends_with("_FAILED");
    let changes = changes(world, &stack, &prepared.definition, &Default::default()).await;
    if !failed && changes.as_ref().is_ok_and(|changes| !changes.any) {
        return Err(Fault::validation("No updates are to be performed."));
    }
    let mut operation = Operation::new(world, OperationKind::Update, Phase::Forward);
    operation.on_failure = on_failure;
    operation.policy = policy;
    input.describe(&mut operation);
    let begun = world.edit_stack(&id, |stack| {
        // Another request may have come first.
        if !can_be_updated(stack) {
            return Err(cannot_be_updated(stack));
        }
        repeated(stack, "UpdateStack", token.as_deref())?;
        stack.change_set_id = None;
        stack.policy_during_update = during;
        stack.deployment_config = input.deployment_config;
        begin(world, stack, prepared.definition, operation);
        Ok(())
    });
    begun.unwrap_or_else(|| Err(missing()))?;
    spawn(world, &id);
    Ok(json!({ "StackId": id }))
}

/// Makes an update the stack's operation. After a failure that was left as it was, the state to go back to stays.
pub(super) fn begin(world: &World, stack: &mut Stack, definition: Definition, mut operation: Operation) {
    let failed = stack.operation.take();
    let old = std::mem::replace(&mut stack.current, definition);
    // What failed is nothing to go back to.
    if stack.previous.is_none() && !stack.status.ends_with("_FAILED") {
        stack.previous = Some(old);
    }
    if let Some(failed) = failed {
        operation.steps = failed.steps;
        // Only what is still there can be gone back to.
        operation.steps.retain(|id, _| stack.resources.contains_key(id));
    }
    stack.disable_rollback = operation.on_failure == OnFailure::DoNothing;
    stack.retain_except_on_create = operation.retain_except_on_create;
    stack.updated = Some(world.clock.now());
    stack.operation = Some(operation);
    stack_event(world, stack, "UPDATE_IN_PROGRESS", Some(USER_INITIATED));
}

//! `CreateStack`.

use super::input::{Input, is_known, repeated};
use crate::cloudformation::engine::events::{USER_INITIATED, stack_event};
use crate::cloudformation::engine::spawn;
use crate::cloudformation::model::{OnFailure, Operation, OperationKind, Phase, Stack};
use crate::cloudformation::prepare::prepare;
use crate::place::Place;
use crate::query::{self, Fault};
use crate::world::World;
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// Creates a stack in the background. A stack that only has change sets so far is created at once, and they are void.
pub(super) async fn create_stack(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let mut input: Input = query::input(input)?;
    let name = input.name()?;
    input.check_template()?;
    let existing = world.stacks.id_of(place, &name);
    let token = input.client_request_token.clone();
    let review = match existing {
        None => None,
        Some(id) => {
            let looked =
                world.with_stack(&id, |stack| (is_known(stack, "CreateStack", token.as_deref()), stack.status.clone()));
            let (known, status) = looked.unwrap_or_else(|| (Ok(false), String::new()));
            if known? {
                return Ok(json!({ "StackId": id }));
            }
            if status != "REVIEW_IN_PROGRESS" {
                return Err(Fault::new("AlreadyExistsException", format!("Stack [{name}] already exists")));
            }
            Some(id)
        }
    };
    let on_failure = input.on_failure(input.on_failure.as_deref())?;
    let id = review.clone().unwrap_or_else(|| new_id(world, place, &name));
    let policy = input.policy(world, place).await?;
    let prepared = prepare(world, place, (&name, &id), input.request()?, None).await?;
    let mut operation = Operation::new(world, OperationKind::Create, Phase::Forward);
    operation.on_failure = on_failure;
    input.describe(&mut operation);
    let begin = |stack: &mut Stack| {
        repeated(stack, "CreateStack", token.as_deref())?;
        stack.current = prepared.definition;
        stack.disable_rollback = on_failure == OnFailure::DoNothing;
        stack.retain_except_on_create = operation.retain_except_on_create;
        stack.deployment_config = input.deployment_config;
        stack.timeout_minutes = input.timeout_in_minutes;
        stack.termination_protection = input.enable_termination_protection.unwrap_or_default();
        stack.policy = policy;
        stack.operation = Some(operation);
        for change_set in stack.change_sets.values_mut() {
            "OBSOLETE".clone_into(&mut change_set.execution_status);
        }
        stack_event(world, stack, "CREATE_IN_PROGRESS", Some(USER_INITIATED));
        Ok::<_, Fault>(())
    };
    match review {
        Some(id) => world.edit_stack(&id, begin).unwrap_or(Ok(()))?,
        None => {
            let mut stack = Stack::new(place, &name, &id, world.clock.now());
            begin(&mut stack)?;
            world.add_stack(stack);
        }
    }
    spawn(world, &id);
    Ok(json!({ "StackId": id }))
}

/// The id of a stack that is not there yet.
pub(super) fn new_id(world: &World, place: &Place, name: &str) -> String {
    place.arn("cloudformation", &format!("stack/{name}/{}", world.ids.uuid()))
}

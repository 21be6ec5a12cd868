//! `CancelUpdateStack` and `SignalResource`.

use super::input::{is_known, repeated};
use super::{find, required};
use crate::cloudformation::engine::events::resource_event;
use crate::cloudformation::engine::halt;
use crate::cloudformation::model::Signal;
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
    logical_resource_id: Option<String>,
    unique_id: Option<String>,
    status: Option<String>,
    client_request_token: Option<String>,
}

/// Stops an update, which is then rolled back.
pub(super) async fn cancel_update_stack(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let name = required(input.stack_name, "stackName")?;
    let id = world.stacks.id_of(place, &name).ok_or_else(|| find::in_brackets(&name))?;
    let cancelled = world.edit_stack(&id, |stack| {
        if is_known(stack, "CancelUpdateStack", input.client_request_token.as_deref())? {
            return Ok(());
        }
        match &mut stack.operation {
            Some(operation) if stack.status == "UPDATE_IN_PROGRESS" => operation.cancelled = true,
            _ => return Err(Fault::validation("CancelUpdateStack cannot be called from current stack status")),
        }
        repeated(stack, "CancelUpdateStack", input.client_request_token.as_deref()).map(drop)
    });
    cancelled.unwrap_or(Ok(()))?;
    halt(world, &id);
    Ok(Json::Null)
}

/// Tells a wait condition, or a resource with a creation policy, that something it waits for has happened, or will not.
pub(super) async fn signal_resource(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let name = required(input.stack_name, "stackName")?;
    let target = required(input.logical_resource_id, "logicalResourceId")?;
    let unique_id = required(input.unique_id, "uniqueId")?;
    let status = required(input.status, "status")?;
    let id = world.stacks.id_of(place, &name).ok_or_else(|| find::in_brackets(&name))?;
    let told = world.edit_stack(&id, |stack| {
        let missing = || Fault::validation(format!("Resource {target} does not exist for stack {name}"));
        let now = stack.resources.get(&target).ok_or_else(missing)?.status.clone();
        if !now.ends_with("_IN_PROGRESS") {
            let message = format!("Resource {target} is in {now} state and cannot be signaled");
            return Err(Fault::validation(message));
        }
        // A signal counts once.
        if !stack.signals.iter().any(|it| it.target == target && it.unique_id == unique_id) {
            let told = format!("Received {status} signal with UniqueId {unique_id}");
            let (reason, data) = (String::new(), String::new());
            stack.signals.push(Signal { target: target.clone(), unique_id, status, reason, data });
            resource_event(world, stack, &target, &now, Some(&told));
        }
        Ok(())
    });
    told.unwrap_or_else(|| Err(find::in_brackets(&name)))?;
    world.stacks.signal();
    Ok(Json::Null)
}

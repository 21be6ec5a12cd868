//! `UpdateTerminationProtection`.

use super::{find, required};
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
    enable_termination_protection: Option<bool>,
}

/// Guards a stack against deletion, or no longer.
pub(super) async fn update_termination_protection(
    world: &Arc<World>,
    place: &Place,
    input: Json,
) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let name = required(input.stack_name, "stackName")?;
    let Some(enable) = input.enable_termination_protection else {
        return required(None, "enableTerminationProtection").map(Json::String);
    };
    let id = {
        let stacks = world.stacks.lock();
        let stack = find::stack(&stacks, place, &name).ok_or_else(|| find::in_brackets(&name))?;
        if find::is_deleted(stack) || stack.status == "DELETE_IN_PROGRESS" {
            return Err(Fault::validation(format!("Stack [{name}] does not exist")));
        }
        if stack.parent.is_some() {
            return Err(Fault::validation(
                "Termination protection cannot be updated on a nested stack. Update it on the root stack.",
            ));
        }
        stack.id.clone()
    };
    world.edit_stack(&id, |stack| stack.termination_protection = enable);
    Ok(json!({ "StackId": id }))
}

//! Carrying out an operation on the instances of a stack set: one after the other, until one fails. (The defaults of
//! operation preferences: one at a time, no failure is tolerated.)

use super::model::{Instance, Outcome, StackSet};
use crate::cloudformation::api::carry_out;
use crate::place::Place;
use crate::world::World;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::Duration;

/// How often a stack is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Carries out an operation. Boxed: operations on stacks and on sets of them lead to each other.
pub(super) fn run(
    world: Arc<World>,
    set_id: String,
    operation_id: String,
    places: Vec<Place>,
    overrides: Option<Json>,
) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let mut failed = false;
        for place in places {
            let Some(set) = world.stack_sets.by_id(&set_id) else { return };
            let Some(operation) = set.operations.iter().find(|operation| operation.id == operation_id) else { return };
            if failed || operation.status == "STOPPING" {
                break;
            }
            let (action, retain) = (operation.action.clone(), operation.retain);
            let reason = one(&world, &set, &place, &action, retain, overrides.as_ref(), &operation_id).await.err();
            failed = reason.is_some();
            let Place { account, region } = place;
            let outcome = Outcome { account, region, reason };
            let _ = world.stack_sets.edit(&world, &set_id, |set| {
                let operations = set.operations.iter_mut().find(|operation| operation.id == operation_id);
                operations.into_iter().for_each(|operation| operation.results.push(outcome.clone()));
            });
        }
        let now = world.clock.now();
        let _ = world.stack_sets.edit(&world, &set_id, |set| {
            if let Some(operation) = set.operations.iter_mut().find(|operation| operation.id == operation_id) {
                let status = match operation.status.as_str() {
                    "STOPPING" => "STOPPED",
                    _ if failed => "FAILED",
                    _ => "SUCCEEDED",
                };
                status.clone_into(&mut operation.status);
                operation.ended = Some(now);
            }
        });
    })
}

/// Works on one instance; why that fails.
async fn one(
    world: &Arc<World>,
    set: &StackSet,
    place: &Place,
    action: &str,
    retain: bool,
    overrides: Option<&Json>,
    operation_id: &str,
) -> Result<(), String> {
    let known = set.instances.iter().find(|instance| instance.place() == *place);
    let stack_id = known.and_then(|instance| instance.stack_id.clone());
    if action == "DELETE" {
        if let Some(stack) = stack_id.filter(|_| !retain) {
            stack_call(world, place, "DeleteStack", json!({ "StackName": stack })).await?;
            rest(world, &stack, &["DELETE_COMPLETE"]).await?;
        }
        let _ = world.stack_sets.edit(world, &set.id, |set| set.instances.retain(|it| it.place() != *place));
        return Ok(());
    }
    let overrides = overrides.cloned().or(known.and_then(|instance| instance.overrides.clone()));
    let mut input = json!({
        "TemplateBody": set.template,
        "Parameters": with_overrides(&set.parameters, overrides.as_ref()),
        "Capabilities": set.capabilities,
        "Tags": set.tags,
    });
    let made = match &stack_id {
        Some(stack) => {
            input["StackName"] = json!(stack);
            match stack_call(world, place, "UpdateStack", input).await {
                Err(why) if why == "No updates are to be performed." => Ok(stack.clone()),
                Err(why) => Err(why),
                Ok(_) => rest(world, stack, &["UPDATE_COMPLETE"]).await.map(|()| stack.clone()),
            }
        }
        None => {
            input["StackName"] = json!(format!("StackSet-{}-{}", set.name, world.ids.uuid()));
            let answer = stack_call(world, place, "CreateStack", input).await;
            match answer {
                Err(why) => Err(why),
                Ok(answer) => {
                    let id = answer["StackId"].as_str().unwrap_or_default().to_owned();
                    rest(world, &id, &["CREATE_COMPLETE"]).await.map(|()| id)
                }
            }
        }
    };
    let instance = Instance {
        account: place.account.clone(),
        region: place.region.clone(),
        stack_id: made.as_ref().ok().cloned().or(stack_id),
        status: if made.is_ok() { "CURRENT" } else { "OUTDATED" }.to_owned(),
        reason: made.as_ref().err().cloned(),
        overrides,
        last_operation: operation_id.to_owned(),
    };
    let _ = world.stack_sets.edit(world, &set.id, |set| {
        set.instances.retain(|it| it.place() != *place);
        set.instances.push(instance);
    });
    made.map(drop)
}

async fn stack_call(world: &Arc<World>, place: &Place, action: &str, input: Json) -> Result<Json, String> {
    carry_out(world, place, action, input).await.map_err(|fault| fault.message)
}

/// Waits until nothing is being done to a stack; why it is not as it was to be.
async fn rest(world: &World, stack_id: &str, wanted: &[&str]) -> Result<(), String> {
    loop {
        let look = |stack: &crate::cloudformation::model::Stack| (stack.status.clone(), stack.status_reason.clone());
        let (status, reason) = world.with_stack(stack_id, look).ok_or("the stack is gone")?;
        if !status.ends_with("_IN_PROGRESS") {
            return match wanted.contains(&status.as_str()) {
                true => Ok(()),
                false => Err(format!("ResourceLogicalId:, ResourceStatusReason:{}.", reason.unwrap_or(status))),
            };
        }
        tokio::time::sleep(world.clock.scaled(LOOK).max(Duration::from_millis(1))).await;
    }
}

/// The parameters of the set, those that an instance has of its own in their place.
fn with_overrides(parameters: &Json, overrides: Option<&Json>) -> Json {
    let mut all = parameters.as_array().cloned().unwrap_or_default();
    for own in overrides.and_then(Json::as_array).into_iter().flatten() {
        all.retain(|parameter| parameter["ParameterKey"] != own["ParameterKey"]);
        all.push(own.clone());
    }
    Json::Array(all)
}

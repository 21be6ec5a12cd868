//! Nested stacks: a resource that is a stack of its own, with a life like any other's, driven by its parent.

use super::events::{USER_INITIATED, stack_event};
use super::stage::{Ended, Stage};
use super::{again, boxed, halt, is_busy};
use crate::cloudformation::model::{OnFailure, Operation, OperationKind, Parent, Phase, Stack};
use crate::cloudformation::prepare::{self, Prepared, Request};
use crate::resources::{Action, Made};
use indexmap::IndexMap;
use serde_json::Value as Json;
use std::sync::Arc;

/// The status of a stack that a change set announced.
const IN_REVIEW: &str = "REVIEW_IN_PROGRESS";

/// The id of the stack to be: of the one that a change set announced, if there is one.
pub(super) fn name(stage: &Stage, id: &str) -> String {
    let announced = |stack: &Stack| {
        let of = |parent: &Parent| parent.stack_id == stage.stack_id && parent.logical_id == id;
        stack.status == IN_REVIEW && stack.parent.as_ref().is_some_and(of)
    };
    if let Some(stack) = stage.world.stacks.lock().values().find(|stack| announced(stack)) {
        return stack.id.clone();
    }
    let name = format!("{}-{id}-{}", stage.stack_name, stage.world.ids.upper(12));
    stage.place.arn("cloudformation", &format!("stack/{name}/{}", stage.world.ids.uuid()))
}

/// Accepts the stack as CreateStack would; it is carried out by [`settle`].
pub(super) async fn create(stage: &Stage, id: &str, properties: &Json, promised: &str) -> Result<Made, Ended> {
    let made = || Made { physical_id: promised.to_owned(), attributes: IndexMap::new() };
    let announced = stage.world.with_stack(promised, Clone::clone);
    if announced.as_ref().is_some_and(|stack| stack.status != IN_REVIEW) {
        return Ok(made());
    }
    let name = promised.split('/').nth(1).unwrap_or_default().to_owned();
    let prepared = prepared(stage, &name, promised, properties, None).await?;
    let root_id = stage.look(|stack| stack.parent.as_ref().map(|parent| parent.root_id.clone()));
    let world = &*stage.world;
    let mut stack = announced.unwrap_or_else(|| Stack::new(&stage.place, &name, promised, world.clock.now()));
    stack.current = prepared.definition;
    stack.parent = Some(Parent {
        stack_id: stage.stack_id.clone(),
        root_id: root_id.unwrap_or_else(|| stage.stack_id.clone()),
        logical_id: id.to_owned(),
    });
    stack.timeout_minutes = properties.get("TimeoutInMinutes").and_then(number);
    let mut operation = Operation::new(world, OperationKind::Create, Phase::Forward);
    // The parent's rollback takes it away.
    operation.on_failure = OnFailure::DoNothing;
    operation.express = stage.operation(|parents| parents.express);
    stack.operation = Some(operation);
    stack_event(world, &mut stack, "CREATE_IN_PROGRESS", Some(USER_INITIATED));
    world.add_stack(stack);
    Ok(made())
}

/// Goes on with a rollback that failed, as the parent's rollback is gone on with; whether that was to be done.
fn go_back(stage: &Stage, child: &str) -> bool {
    let (world, parents) = (&*stage.world, stage.operation(|operation| operation.skip.clone()));
    let begun = world.edit_stack(child, |stack| {
        if stack.status != "UPDATE_ROLLBACK_FAILED" {
            return false;
        }
        let mut operation = again(world, stack, OperationKind::ContinueRollback);
        let own = |name: &String| name.strip_prefix(&format!("{}.", stack.name)).map(str::to_owned);
        // What is meant for stacks further inside is handed on.
        operation.skip = parents.iter().map(|name| own(name).unwrap_or_else(|| name.clone())).collect();
        stack.operation = Some(operation);
        stack_event(world, stack, "UPDATE_ROLLBACK_IN_PROGRESS", Some(USER_INITIATED));
        true
    });
    begun.unwrap_or_default()
}

/// Accepts an update of the stack, if there is anything to update.
pub(super) async fn update(stage: &Stage, _id: &str, child: &str, properties: &Json) -> Result<Made, Ended> {
    let made = || Made { physical_id: child.to_owned(), attributes: IndexMap::new() };
    if stage.world.with_stack(child, is_busy).unwrap_or(false) {
        return Ok(made());
    }
    if go_back(stage, child) {
        return Ok(made());
    }
    let Some(prepared) = changed(stage, child, properties).await? else { return Ok(made()) };
    let (world, express) = (&*stage.world, stage.operation(|parents| parents.express));
    world.edit_stack(child, |stack| {
        let mut operation = Operation::new(world, OperationKind::Update, Phase::Forward);
        operation.express = express;
        operation.on_failure = OnFailure::Rollback;
        let old = std::mem::replace(&mut stack.current, prepared.definition);
        stack.previous.get_or_insert(old);
        stack.updated = Some(world.clock.now());
        stack.operation = Some(operation);
        stack_event(world, stack, "UPDATE_IN_PROGRESS", Some(USER_INITIATED));
    });
    Ok(made())
}

/// Whether an update of the stack would find anything to do.
pub(super) async fn has_changes(stage: &Stage, child: &str, properties: &Json) -> Result<bool, Ended> {
    if stage.world.with_stack(child, is_busy).unwrap_or(false) {
        return Ok(true);
    }
    Ok(changed(stage, child, properties).await?.is_some())
}

async fn changed(stage: &Stage, child: &str, properties: &Json) -> Result<Option<Prepared>, Ended> {
    let Some(stack) = stage.world.with_stack(child, Clone::clone) else {
        return Err(Ended::failed(format!("Stack [{child}] does not exist")));
    };
    let prepared = prepared(stage, &stack.name, child, properties, Some(&stack)).await?;
    let changes = prepare::changes(&stage.world, &stack, &prepared.definition, &Default::default()).await;
    let changes = changes.map_err(Ended::Failed)?;
    Ok(changes.any.then_some(prepared))
}

/// Deletes the stack.
pub(super) async fn delete(stage: &Stage, child: &str) -> Result<(), Ended> {
    let world = &*stage.world;
    world.edit_stack(child, |stack| {
        if stack.status == "DELETE_COMPLETE" || stack.status == "DELETE_IN_PROGRESS" {
            return;
        }
        stack.operation = Some(Operation::new(world, OperationKind::Delete, Phase::Delete));
        stack_event(world, stack, "DELETE_IN_PROGRESS", Some(USER_INITIATED));
    });
    boxed(Arc::clone(&stage.world), child.to_owned()).await;
    match world.with_stack(child, |stack| (stack.status.clone(), stack.status_reason.clone())) {
        Some((status, reason)) if status != "DELETE_COMPLETE" => Err(Ended::Failed(format!(
            "Embedded stack {child} was not successfully deleted: {}",
            reason.unwrap_or_default()
        ))),
        _ => Ok(()),
    }
}

/// Carries out what was accepted. When the parent stops, the nested stack does.
pub(super) async fn settle(stage: &Stage, child: &str, action: Action) -> Result<IndexMap<String, Json>, Ended> {
    let world = &*stage.world;
    let kind = |stack: &Stack| stack.operation.as_ref().map(|operation| operation.kind);
    let goes_back = world.with_stack(child, kind).flatten() == Some(OperationKind::ContinueRollback);
    let mut work = boxed(Arc::clone(&stage.world), child.to_owned());
    tokio::select! {
        biased;
        () = &mut work => {}
        () = stage.halting() => {
            world.edit_stack(child, |stack| stack.operation.iter_mut().for_each(|operation| operation.cancelled = true));
            halt(world, child);
            work.await;
        }
    }
    let Some((status, reason, outputs)) =
        world.with_stack(child, |stack| (stack.status.clone(), stack.status_reason.clone(), stack.outputs.clone()))
    else {
        return Err(Ended::failed(format!("Stack [{child}] does not exist")));
    };
    let reason = reason.unwrap_or_default();
    match (status.as_str(), action) {
        ("CREATE_COMPLETE" | "UPDATE_COMPLETE", _) | ("UPDATE_ROLLBACK_COMPLETE", Action::Update)
            if goes_back || status != "UPDATE_ROLLBACK_COMPLETE" =>
        {
            let outputs = outputs.into_iter().map(|it| (format!("Outputs.{}", it.key), Json::String(it.value)));
            Ok(outputs.collect())
        }
        // It was left as it was before.
        ("UPDATE_ROLLBACK_COMPLETE", Action::Update) if !stage.halted() && reason.is_empty() => {
            let reason = last_failure(stage, child);
            Err(Ended::Failed(format!("Embedded stack {child} was not successfully updated: {reason}")))
        }
        _ if stage.halted() => Err(Ended::Cancelled),
        (_, Action::Create) => {
            Err(Ended::Failed(format!("Embedded stack {child} was not successfully created: {reason}")))
        }
        _ => Err(Ended::Failed(format!("Embedded stack {child} was not successfully updated: {reason}"))),
    }
}

/// Why the stack's last update was rolled back.
fn last_failure(stage: &Stage, child: &str) -> String {
    let reason = stage.world.with_stack(child, |stack| {
        let begun = stack.events.iter().rev().find(|event| event.status == "UPDATE_ROLLBACK_IN_PROGRESS");
        begun.and_then(|event| event.reason.clone())
    });
    reason.flatten().unwrap_or_default()
}

async fn prepared(
    stage: &Stage,
    name: &str,
    id: &str,
    properties: &Json,
    old: Option<&Stack>,
) -> Result<Prepared, Ended> {
    let capabilities = stage.look(|stack| stack.current.capabilities.clone());
    let mut request = Request::nested(properties, capabilities);
    // The parent's tags count for the child too.
    for (key, value) in stage.look(|stack| stack.current.tags.clone()) {
        request.tags.get_or_insert_default().entry(key).or_insert(value);
    }
    let previous = old.map(|stack| &stack.current);
    let prepared = prepare::prepare(&stage.world, &stage.place, (name, id), request, previous).await;
    prepared.map_err(|fault| Ended::Failed(fault.message))
}

fn number(json: &Json) -> Option<u32> {
    match json {
        Json::String(text) => text.parse().ok(),
        other => other.as_u64().and_then(|number| u32::try_from(number).ok()),
    }
}

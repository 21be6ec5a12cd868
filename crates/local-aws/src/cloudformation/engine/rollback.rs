//! Rolling back: a creation is undone by deleting what it made, an update by putting every resource back to what it was
//! and leaving what is new to the cleanup.

use super::delete::{self, Gone};
use super::events::{Properties, failed, resource_event, resource_event_with, stack_event, tell};
use super::stage::{Ended, Stage};
use super::walk::{Node, walk};
use super::{dynamic, finish, update};
use crate::cloudformation::model::{OnFailure, Operation, OperationKind, Phase, Stack, StackResource};
use crate::world::World;
use indexmap::IndexMap;

pub(super) async fn run(stage: &Stage) {
    stage.go_on();
    match (stage.kind(), stage.look(|stack| stack.previous.is_some())) {
        (OperationKind::Import, _) => import(stage),
        (_, true) => of_update(stage).await,
        (_, false) => of_creation(stage).await,
    }
}

/// Everything goes, dependents first. `Retain` counts; `RetainExceptOnCreate` means just this case.
async fn of_creation(stage: &Stage) {
    let nodes = stage.look(delete::order);
    let except = stage.operation(|operation| operation.retain_except_on_create);
    let one = |id: &'_ str| {
        let id = id.to_owned();
        async move {
            let Some(record) = stage.resource(&id) else { return true };
            // What it did not make is not its to delete.
            let imported = stage.operation(|operation| operation.imports.contains_key(&id));
            let retain = imported || record.deletion_policy.as_deref() == Some("Retain") && !except;
            let gone = delete::resource(stage, &record, retain, Properties::Shown).await;
            if gone != Gone::Failed {
                stage.edit(|_, stack| forget(stack, &id, gone));
            }
            gone != Gone::Failed
        }
    };
    walk(&nodes, one, || false).await;
    stage.edit(|world, stack| {
        let stuck: Vec<String> = stack
            .resources
            .values()
            .filter(|resource| resource.status == "DELETE_FAILED")
            .map(|resource| resource.logical_id.clone())
            .collect();
        match stuck.is_empty() {
            true => stack_event(world, stack, "ROLLBACK_COMPLETE", None),
            false => stack_event(world, stack, "ROLLBACK_FAILED", Some(&failed(&[], &[], &stuck))),
        }
        finish(stack);
    });
}

/// Takes a resource out of the stack. What was kept belongs to nobody from now on.
fn forget(stack: &mut Stack, id: &str, gone: Gone) {
    if let Some(record) = stack.resources.shift_remove(id)
        && gone == Gone::Skipped
    {
        stack.abandoned.push(record);
    }
}

/// Imported resources leave the stack again; nothing was done to them.
fn import(stage: &Stage) {
    stage.edit(|world, stack| {
        let imported: Vec<String> =
            stack.operation.as_ref().map(|it| it.imports.keys().cloned().collect()).unwrap_or_default();
        for id in imported {
            if stack.resources.contains_key(&id) {
                resource_event(world, stack, &id, "IMPORT_ROLLBACK_IN_PROGRESS", None);
                resource_event(world, stack, &id, "IMPORT_ROLLBACK_COMPLETE", None);
                stack.resources.shift_remove(&id);
            }
        }
        if let Some(previous) = stack.previous.take() {
            stack.current = previous;
        }
        stack_event(world, stack, "IMPORT_ROLLBACK_COMPLETE", None);
        finish(stack);
    });
}

async fn of_update(stage: &Stage) {
    let befores: IndexMap<String, StackResource> = stage.operation(|operation| {
        let steps = operation.steps.iter().filter_map(|(id, step)| Some((id.clone(), step.before.clone()?)));
        steps.collect()
    });
    let touched: IndexMap<&String, &StackResource> =
        befores.iter().filter(|(id, before)| stage.resource(id).is_none_or(|now| now != **before)).collect();
    let nodes: Vec<Node> =
        touched.iter().map(|(id, before)| Node { id: (*id).clone(), after: before.depends_on.clone() }).collect();
    let skip = stage.operation(|operation| operation.skip.clone());
    let one = |id: &'_ str| {
        let before = touched.get(&id.to_owned()).copied();
        let skipped = skip.iter().any(|other| other == id);
        let id = id.to_owned();
        async move {
            match before {
                Some(before) if skipped => put_back(stage, &id, before),
                Some(before) => restore(stage, &id, before).await,
                None => true,
            }
        }
    };
    walk(&nodes, one, || false).await;
    stage.edit(|world, stack| {
        let stuck: Vec<String> = stack
            .resources
            .values()
            .filter(|resource| resource.status == "UPDATE_FAILED")
            .map(|resource| resource.logical_id.clone())
            .collect();
        if !stuck.is_empty() {
            stack_event(world, stack, "UPDATE_ROLLBACK_FAILED", Some(&failed(&[], &stuck, &[])));
            return;
        }
        leave_new_ones(stack);
        if let Some(previous) = stack.previous.take() {
            stack.current = previous;
        }
        if let Some(operation) = &mut stack.operation {
            operation.phase = Phase::RollbackCleanup;
        }
        stack_event(world, stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", None);
    });
}

/// Hands what the update made to the cleanup.
fn leave_new_ones(stack: &mut Stack) {
    let Some(operation) = &stack.operation else { return };
    let except = operation.retain_except_on_create;
    let imported: Vec<String> = operation.imports.keys().cloned().collect();
    let new: Vec<String> =
        operation.steps.iter().filter(|(_, step)| step.before.is_none()).map(|(id, _)| id.clone()).collect();
    for id in new {
        if let Some(mut record) = stack.resources.shift_remove(&id) {
            match imported.contains(&id) {
                true => record.deletion_policy = Some("Retain".to_owned()),
                false => drop(record.deletion_policy.take_if(|policy| policy != "Retain" || except)),
            }
            stack.leftovers.push(record);
        }
    }
}

/// The record as it was, without a touch to the resource: what `ResourcesToSkip` asks for.
fn put_back(stage: &Stage, id: &str, before: &StackResource) -> bool {
    stage.edit(|world, stack| {
        stack.resources.insert(id.to_owned(), before.clone());
        resource_event(world, stack, id, "UPDATE_COMPLETE", None);
    });
    true
}

async fn restore(stage: &Stage, id: &str, before: &StackResource) -> bool {
    let Some(now) = stage.resource(id) else { return put_back(stage, id, before) };
    if now.status != "UPDATE_IN_PROGRESS"
        && now.physical_id == before.physical_id
        && now.properties == before.properties
        && now.metadata == before.metadata
        && !now.status.ends_with("_FAILED")
    {
        // Only what the template says about it was different.
        stage.edit(|_, stack| stack.resources.insert(id.to_owned(), before.clone()));
        return true;
    }
    stage.edit(|world, stack| resource_event_with(world, stack, id, "UPDATE_IN_PROGRESS", None, &before.properties));
    let same = now.physical_id == before.physical_id;
    // One that was replaced is as it was, unless an earlier failed update changed it first.
    let left = stage.operation(|operation| operation.steps.get(id).and_then(|step| step.left.clone()));
    if let Some(from) = if same { Some(now.clone()) } else { left } {
        let changed = async {
            let properties = dynamic::resolved(&stage.world, &stage.place, &before.properties).await?;
            update::change(stage, id, &from, &properties).await
        };
        if let Err(ended) = changed.await {
            let reason = if let Ended::Failed(reason) = ended { reason } else { String::new() };
            stage.edit(|world, stack| resource_event(world, stack, id, "UPDATE_FAILED", Some(&reason)));
            return false;
        }
    }
    if !same && !now.physical_id.is_empty() {
        let replacement = StackResource { deletion_policy: None, ..now };
        stage.edit(|_, stack| stack.leftovers.push(replacement));
    }
    stage.edit(|world, stack| {
        let attributes = stack.resources.get(id).map(|now| now.attributes.clone());
        let mut record = before.clone();
        if let Some(attributes) = attributes.filter(|_| stack.resources[id].physical_id == before.physical_id) {
            record.attributes = attributes;
        }
        "UPDATE_COMPLETE".clone_into(&mut record.status);
        record.status_reason = None;
        record.updated = world.clock.now();
        stack.resources.insert(id.to_owned(), record.clone());
        // In place of the one before, where the order of the template has it.
        tell(world, stack, &record, Properties::Shown);
    });
    true
}

/// The operation that failed, as a rollback of it.
pub(crate) fn again(world: &World, stack: &mut Stack, kind: OperationKind) -> Operation {
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

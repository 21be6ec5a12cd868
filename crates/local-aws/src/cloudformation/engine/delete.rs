//! Deleting: one resource, and all of a stack, dependents first.

use super::events::{Properties, failed, stack_event, tell};
use super::stage::{Ended, Stage};
use super::walk::{Node, reversed, walk};
use super::{finish, provider};
use crate::cloudformation::history;
use crate::cloudformation::model::{Stack, StackResource};
use crate::resources::Action;

/// How the deletion of a resource ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    Deleted,
    /// It stays, and belongs to nobody any more.
    Skipped,
    Failed,
}

/// Deletes the physical resource of a record, and tells of it. The record itself is the caller's.
pub(super) async fn resource(stage: &Stage, record: &StackResource, retain: bool, shown: Properties) -> Gone {
    let tell = |status: &str, reason: Option<&str>| {
        stage.edit(|world, stack| {
            let mut told = record.clone();
            status.clone_into(&mut told.status);
            told.status_reason = reason.map(str::to_owned);
            told.updated = world.clock.now();
            if let Some(kept) = stack.resources.get_mut(&told.logical_id)
                && kept.physical_id == told.physical_id
                && shown == Properties::Shown
            {
                kept.status.clone_from(&told.status);
                kept.status_reason.clone_from(&told.status_reason);
                kept.updated = told.updated;
            }
            tell(world, stack, &told, shown);
        });
    };
    if record.physical_id.is_empty() {
        tell("DELETE_COMPLETE", None);
        return Gone::Deleted;
    }
    if retain {
        provider::release(stage, record);
        tell("DELETE_SKIPPED", None);
        return Gone::Skipped;
    }
    tell("DELETE_IN_PROGRESS", None);
    let deleted = match stage.fault(&record.logical_id, Action::Delete) {
        Some(reason) => Err(Ended::Failed(reason)),
        None => provider::delete(stage, record).await,
    };
    if provider::is_live(&record.resource_type) {
        stage.take(&record.resource_type, Action::Delete).await;
    }
    match deleted {
        Ok(()) => {
            tell("DELETE_COMPLETE", None);
            Gone::Deleted
        }
        Err(ended) => {
            let reason = if let Ended::Failed(reason) = ended { reason } else { String::new() };
            tell("DELETE_FAILED", Some(&reason));
            Gone::Failed
        }
    }
}

/// The resources of a stack that still have to go, dependents first.
pub(super) fn order(stack: &Stack) -> Vec<Node> {
    let there = stack.resources.values().filter(|resource| !is_gone(resource));
    let nodes: Vec<Node> =
        there.map(|resource| Node { id: resource.logical_id.clone(), after: resource.depends_on.clone() }).collect();
    // Only what is there counts as a dependent.
    reversed(&nodes)
}

fn is_gone(resource: &StackResource) -> bool {
    matches!(resource.status.as_str(), "DELETE_COMPLETE" | "DELETE_SKIPPED")
}

/// Deletes the stack.
pub(super) async fn run(stage: &Stage) {
    let (nodes, retain) = stage.look(|stack| {
        let retain = stack.operation.as_ref().map(|operation| operation.retain.clone()).unwrap_or_default();
        (order(stack), retain)
    });
    let one = |id: &'_ str| {
        let id = id.to_owned();
        let retain = &retain;
        async move {
            let Some(record) = stage.resource(&id) else { return true };
            let keeps = matches!(record.deletion_policy.as_deref(), Some("Retain" | "RetainExceptOnCreate"));
            resource(stage, &record, keeps || retain.contains(&id), Properties::Shown).await != Gone::Failed
        }
    };
    walk(&nodes, one, || false).await;
    leftovers(stage).await;
    let force = stage.operation(|operation| operation.force);
    for record in stage.look(|stack| stack.resources.values().filter(|it| !is_gone(it)).cloned().collect::<Vec<_>>()) {
        if force {
            // It is nobody's from now on.
            provider::release(stage, &record);
        }
    }
    stage.edit(|world, stack| {
        let stuck: Vec<String> =
            stack.resources.values().filter(|it| !is_gone(it)).map(|it| it.logical_id.clone()).collect();
        if !stuck.is_empty() && !force {
            let names: Vec<String> = stack
                .resources
                .values()
                .filter(|resource| resource.status == "DELETE_FAILED")
                .map(|resource| resource.logical_id.clone())
                .collect();
            let reason = failed(&[], &[], &names);
            stack_event(world, stack, "DELETE_FAILED", Some(&reason));
            return finish(stack);
        }
        for id in stuck {
            super::events::resource_event(world, stack, &id, "DELETE_SKIPPED", None);
        }
        stack.deleted = Some(world.clock.now());
        stack.termination_protection = false;
        stack_event(world, stack, "DELETE_COMPLETE", None);
        finish(stack);
    });
    history::bound(&stage.world);
}

/// Deletes what earlier operations could not, as far as it goes now.
async fn leftovers(stage: &Stage) {
    for record in stage.look(|stack| stack.leftovers.clone()) {
        if resource(stage, &record, false, Properties::Hidden).await != Gone::Failed {
            stage.edit(|_, stack| stack.leftovers.retain(|other| other.physical_id != record.physical_id));
        }
    }
}

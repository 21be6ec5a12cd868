//! Updating a resource: not at all, in place, or by making a new one and leaving the old one to the cleanup.

use super::create::bring_into_being;
use super::diff::{self, Change};
use super::events::{REPLACING, UPDATE_CANCELLED, resource_event, resource_event_with};
use super::policy;
use super::rolling::{self, Rolling};
use super::scene::{Desired, Scene};
use super::stage::{Ended, Stage};
use super::{dynamic, provider};
use crate::cloudformation::model::{Stack, StackResource};
use crate::resources::Action;
use cloudformation::schema::{replaced_by_policy, resource_type};
use serde_json::Value as Json;

pub(super) async fn run(stage: &Stage, scene: &Scene, id: &str) -> Result<(), Ended> {
    let Some(resource) = stage.resource(id) else { return Ok(()) };
    let wanted = stage.world.with_stack(&stage.stack_id, |stack| scene.desired(id, stack));
    let desired = match wanted.unwrap_or_else(|| Err("the stack is gone".to_owned())) {
        Ok(desired) => desired,
        Err(reason) => return fail(stage, id, Ended::Failed(reason), &resource.properties),
    };
    let change = needed(stage, &resource, &desired).await?;
    let only_described = change == Change::None && resource.metadata == desired.metadata;
    if only_described {
        stage.edit(|_, stack| stack.resources.get_mut(id).map(|resource| desired.describe_attributes(resource)));
        return Ok(());
    }
    let action = if change == Change::Replace { policy::Action::Replace } else { policy::Action::Modify };
    let policy = stage.look(|stack| stack.policy_during_update.clone().or_else(|| stack.policy.clone()));
    let denial = policy.and_then(|policy| policy::denial(&policy, action, id, &desired.resource_type));
    if let Some(reason) = denial {
        return fail(stage, id, Ended::Failed(reason), &desired.properties);
    }
    let ended = match change {
        Change::Replace => replace(stage, id, &resource, &desired).await,
        Change::InPlace => in_place(stage, id, &resource, &desired).await,
        Change::None => {
            announce(stage, id, None, &desired);
            stage.edit(|_, stack| stack.resources.get_mut(id).map(|resource| desired.describe(resource)));
            Ok(())
        }
    };
    match ended {
        Ok(()) => {
            stage.edit(|world, stack| resource_event(world, stack, id, "UPDATE_COMPLETE", None));
            Ok(())
        }
        Err(ended) => fail(stage, id, ended, &desired.properties),
    }
}

fn fail(stage: &Stage, id: &str, ended: Ended, properties: &Json) -> Result<(), Ended> {
    let reason = match &ended {
        Ended::Failed(reason) => reason,
        Ended::Cancelled => UPDATE_CANCELLED,
    };
    stage.edit(|world, stack| resource_event_with(world, stack, id, "UPDATE_FAILED", Some(reason), properties));
    Err(ended)
}

/// What has to be done to a resource so that it is as wanted.
async fn needed(stage: &Stage, resource: &StackResource, desired: &Desired) -> Result<Change, Ended> {
    let type_name = desired.resource_type.as_str();
    let mut from = resource.properties.clone();
    if stage.operation(|operation| operation.revert_drift) {
        match provider::read(stage, type_name, &resource.physical_id, &resource.properties).await {
            // What cannot be read back has not changed.
            Some(live) => {
                let live = diff::readable(type_name, &resource.properties, &live);
                from = diff::overlay(&resource.properties, &live);
            }
            // Somebody deleted it: it is made again.
            None if provider::is_live(type_name) => return Ok(Change::Replace),
            None => {}
        }
    }
    let change = match replaced_by_its_policy(desired, &from) {
        true => Change::Replace,
        false => diff::change(type_name, &from, &desired.properties),
    };
    // An update that failed before is tried again, and so is one that was interrupted.
    let again = is_unfinished(resource)
        || (retagged(stage) && takes_tags(type_name))
        || provider::has_changes_inside(stage, resource, desired).await?;
    Ok(if change == Change::None && again { Change::InPlace } else { change })
}

/// Whether the update policy makes the resource new for what changes (`AutoScalingReplacingUpdate`).
fn replaced_by_its_policy(desired: &Desired, from: &Json) -> bool {
    let replaces = desired.update_policy.as_ref().map(|policy| &policy["AutoScalingReplacingUpdate"]["WillReplace"]);
    replaces.is_some_and(|replaces| *replaces == true || replaces == "true")
        && diff::paths(from, &desired.properties)
            .iter()
            .any(|path| replaced_by_policy(&desired.resource_type, path.trim_start_matches('/')))
}

/// Whether an update of the resource failed, or was interrupted: the record has what was before it, and the resource may be
/// either.
fn is_unfinished(resource: &StackResource) -> bool {
    matches!(resource.status.as_str(), "UPDATE_FAILED" | "UPDATE_IN_PROGRESS")
}

/// Whether this update changes the stack's tags.
fn retagged(stage: &Stage) -> bool {
    stage.look(|stack| stack.previous.as_ref().is_some_and(|previous| previous.tags != stack.current.tags))
}

/// Whether CloudFormation puts the stack's tags on resources of a type, and can change them later.
fn takes_tags(type_name: &str) -> bool {
    resource_type(type_name).is_some_and(|schema| {
        let tagging = schema.tagging();
        tagging.taggable && tagging.tag_updatable && tagging.tag_property.is_some()
    })
}

/// Tells that the update begins, unless it did before a restart.
fn announce(stage: &Stage, id: &str, reason: Option<&str>, desired: &Desired) {
    stage.edit(|world, stack| {
        let begun = stack.resources.get(id).is_some_and(|resource| resource.status == "UPDATE_IN_PROGRESS");
        if !begun {
            // Those were for what it was before.
            stack.signals.retain(|signal| signal.target != id);
            resource_event_with(world, stack, id, "UPDATE_IN_PROGRESS", reason, &desired.properties);
        }
    });
}

async fn replace(stage: &Stage, id: &str, resource: &StackResource, desired: &Desired) -> Result<(), Ended> {
    announce(stage, id, Some(REPLACING), desired);
    let old_id = stage.edit(|_, stack| replaced(stack, id));
    let ended = bring_into_being(stage, id, desired, "UPDATE_IN_PROGRESS", &old_id).await;
    // After a failure the old one is the resource still.
    if !matches!(ended, Err(Ended::Failed(_))) {
        let old = StackResource { physical_id: old_id, deletion_policy: None, ..resource.clone() };
        stage.edit(|_, stack| leave_intermediate(stack, old));
    }
    ended
}

/// Notes which physical resource is replaced, once; its id.
fn replaced(stack: &mut Stack, id: &str) -> String {
    let now = stack.resources.get(id).map(|resource| resource.physical_id.clone()).unwrap_or_default();
    let step = stack.operation.as_mut().and_then(|operation| operation.steps.get_mut(id));
    match step {
        Some(step) => step.replaces.get_or_insert(now).clone(),
        None => now,
    }
}

/// Leaves a replaced resource to the cleanup, if an earlier operation made it whose failure was left as it was: it is
/// neither what there was before, which a rollback wants, nor what there will be.
fn leave_intermediate(stack: &mut Stack, old: StackResource) {
    let step = stack.operation.as_ref().and_then(|operation| operation.steps.get(&old.logical_id));
    let before = step.and_then(|step| step.before.as_ref()).map(|before| before.physical_id.as_str());
    let known = stack.leftovers.iter().any(|other| other.physical_id == old.physical_id);
    if !old.physical_id.is_empty() && before != Some(old.physical_id.as_str()) && !known {
        stack.leftovers.push(old);
    }
}

async fn in_place(stage: &Stage, id: &str, resource: &StackResource, desired: &Desired) -> Result<(), Ended> {
    announce(stage, id, None, desired);
    let type_name = desired.resource_type.as_str();
    provider::check(type_name, &desired.properties)?;
    let after = dynamic::resolved(&stage.world, &stage.place, &desired.properties).await?;
    change(stage, id, resource, &after).await?;
    if let Some(rolling) = Rolling::of(desired, &resource.properties) {
        rolling::run(stage, id, &rolling).await?;
    }
    stage.edit(|_, stack| stack.resources.get_mut(id).map(|resource| desired.describe(resource)));
    Ok(())
}

/// Changes the physical resource and waits for it. The record keeps its old properties.
pub(super) async fn change(stage: &Stage, id: &str, resource: &StackResource, after: &Json) -> Result<(), Ended> {
    let type_name = resource.resource_type.as_str();
    if let Some(reason) = stage.fault(id, Action::Update) {
        stage.take_or_stop(type_name, Action::Update).await?;
        return Err(Ended::Failed(reason));
    }
    let before = match is_unfinished(resource) || stage.operation(|operation| operation.revert_drift) {
        // From what it is to what it should be: every difference counts.
        true => provider::read(stage, type_name, &resource.physical_id, &resource.properties).await,
        false => dynamic::resolved(&stage.world, &stage.place, &resource.properties).await.ok(),
    };
    let before = before.unwrap_or_else(|| resource.properties.clone());
    let before = diff::overlay(&resource.properties, &before);
    let made = provider::update(stage, id, resource, &before, after).await?;
    let settled = provider::settle(stage, id, type_name, after, &made, Action::Update).await?;
    stage.edit(|_, stack| stack.resources.get_mut(id).map(|resource| resource.attributes = settled));
    Ok(())
}

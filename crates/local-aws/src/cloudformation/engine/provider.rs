//! Who makes resources: the room `resources` for almost all types; the engine itself for those that are CloudFormation's
//! own (nested stacks, wait conditions, the CDK's metadata).
//!
//! Every action has two halves: the request, which has its effect at once, and [`settle`], which waits until AWS would
//! report it done. Only the second can be interrupted.

use super::scene::Desired;
use super::stage::{Ended, Stage};
use super::{nested, wait};
use crate::cloudformation::model::StackResource;
use crate::resources::{self, Action, Failure, Made};
use indexmap::IndexMap;
use serde_json::Value as Json;

pub(super) const STACK: &str = "AWS::CloudFormation::Stack";
pub(super) const WAIT_CONDITION: &str = "AWS::CloudFormation::WaitCondition";
pub(super) const WAIT_HANDLE: &str = "AWS::CloudFormation::WaitConditionHandle";
const CDK_METADATA: &str = "AWS::CDK::Metadata";

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Ended::Failed(failure.reason)
    }
}

/// Whether the type is one that CloudFormation knows.
pub(crate) fn is_known(type_name: &str) -> bool {
    type_name == CDK_METADATA || cloudformation::schema::resource_type(type_name).is_some()
}

/// Whether there is a physical resource apart from CloudFormation's record.
pub(crate) fn is_live(type_name: &str) -> bool {
    ![STACK, WAIT_CONDITION, WAIT_HANDLE, CDK_METADATA].contains(&type_name)
}

pub(super) fn check(type_name: &str, properties: &Json) -> Result<(), Ended> {
    if type_name == CDK_METADATA {
        return Ok(());
    }
    resources::check(type_name, properties).map_err(Ended::from)
}

/// The physical id that the resource will have.
pub(super) fn name(stage: &Stage, id: &str, type_name: &str, properties: &Json) -> String {
    match type_name {
        STACK => nested::name(stage, id),
        WAIT_CONDITION => wait::condition_name(stage, id),
        WAIT_HANDLE => wait::handle_name(stage, id),
        CDK_METADATA => stage.world.ids.uuid(),
        _ => resources::name(&stage.world, &stage.owner(id), type_name, properties),
    }
}

/// Makes the resource with the id that it was promised. What was made before a restart is only finished.
pub(super) async fn create(
    stage: &Stage,
    id: &str,
    type_name: &str,
    properties: &Json,
    promised: &str,
) -> Result<Made, Ended> {
    let bare = || Made { physical_id: promised.to_owned(), attributes: IndexMap::new() };
    match type_name {
        STACK => nested::create(stage, id, properties, promised).await,
        WAIT_CONDITION | WAIT_HANDLE | CDK_METADATA => Ok(bare()),
        _ => {
            let (world, owner) = (&*stage.world, stage.owner(id));
            let handle = resources::handle(type_name, promised, properties);
            let made = match !is_left(stage, id, promised) && is_made(stage, id, type_name, &handle) {
                true => resources::update(world, &owner, type_name, promised, properties, properties).await,
                false => resources::create(world, &owner, type_name, properties, Some(promised)).await,
            };
            follow(stage, type_name, properties);
            made.map_err(Ended::from)
        }
    }
}

/// Whether the resource was made already, for this very resource of the stack: before a restart.
fn is_made(stage: &Stage, id: &str, type_name: &str, handle: &str) -> bool {
    let state = stage.world.resources.lock();
    state
        .get(&stage.place, type_name, handle)
        .is_some_and(|live| live.stack_id.as_ref() == Some(&stage.stack_id) && live.logical_id.as_deref() == Some(id))
}

/// Whether an earlier operation made the resource of this id, and it is there until a rollback or the cleanup: one that
/// takes its place cannot have its name.
fn is_left(stage: &Stage, id: &str, physical_id: &str) -> bool {
    stage.look(|stack| {
        let step = stack.operation.as_ref().and_then(|operation| operation.steps.get(id));
        let before = step.and_then(|step| step.before.as_ref());
        let mut left = before.into_iter().chain(&stack.leftovers);
        left.any(|old| old.logical_id == id && old.physical_id == physical_id)
    })
}

pub(super) async fn update(
    stage: &Stage,
    id: &str,
    resource: &StackResource,
    before: &Json,
    after: &Json,
) -> Result<Made, Ended> {
    let (type_name, physical_id) = (resource.resource_type.as_str(), resource.physical_id.as_str());
    let same = || Made { physical_id: physical_id.to_owned(), attributes: resource.attributes.clone() };
    match type_name {
        STACK => nested::update(stage, id, physical_id, after).await,
        WAIT_CONDITION => {
            Err(Ended::failed("Update to resource type AWS::CloudFormation::WaitCondition is not supported."))
        }
        WAIT_HANDLE | CDK_METADATA => Ok(same()),
        _ => {
            let owner = stage.owner(id);
            let made = resources::update(&stage.world, &owner, type_name, physical_id, before, after).await;
            follow(stage, type_name, after);
            made.map_err(Ended::from)
        }
    }
}

/// Asks for the deletion of a resource. One that is gone is no error.
pub(super) async fn delete(stage: &Stage, resource: &StackResource) -> Result<(), Ended> {
    let (type_name, physical_id) = (resource.resource_type.as_str(), resource.physical_id.as_str());
    match type_name {
        STACK => nested::delete(stage, physical_id).await,
        WAIT_CONDITION | WAIT_HANDLE | CDK_METADATA => Ok(()),
        _ => {
            let owner = stage.owner(&resource.logical_id);
            let deleted = resources::delete(&stage.world, &owner, type_name, physical_id, &resource.properties).await;
            follow(stage, type_name, &resource.properties);
            deleted.map_err(Ended::from)
        }
    }
}

/// Writes what a change means for the attributes of other resources into their records, of whatever stack.
fn follow(stage: &Stage, type_name: &str, properties: &Json) {
    let Some(followed) = resources::follow(&stage.world, &stage.place, type_name, properties) else { return };
    stage.world.edit_stack(&followed.stack_id, |stack| {
        if let Some(resource) = stack.resources.get_mut(&followed.logical_id) {
            resource.attributes.extend(followed.attributes.into_iter().map(|(name, value)| (name.to_owned(), value)));
        }
    });
}

/// Makes a resource nobody's: its stack leaves it behind.
pub(super) fn release(stage: &Stage, record: &StackResource) {
    let StackResource { resource_type, physical_id, properties, .. } = record;
    resources::release(&stage.world, &stage.place, resource_type, physical_id, properties);
}

/// The live properties, for types that have any. `declared`: what the template says of it.
pub(super) async fn read(stage: &Stage, type_name: &str, physical_id: &str, declared: &Json) -> Option<Json> {
    let handle = resources::handle(type_name, physical_id, declared);
    resources::read(&stage.world, &stage.place, type_name, &handle).await
}

/// Waits for what was asked for, and gives the attributes that the resource then has.
pub(super) async fn settle(
    stage: &Stage,
    id: &str,
    type_name: &str,
    properties: &Json,
    made: &Made,
    action: Action,
) -> Result<IndexMap<String, Json>, Ended> {
    match type_name {
        STACK => nested::settle(stage, &made.physical_id, action).await,
        WAIT_CONDITION => wait::settle(stage, id, properties).await,
        _ => {
            let world = &stage.world;
            let stable = async {
                let stable = match stage.is_express() {
                    true => None,
                    false => resources::stabilize(world, &stage.place, type_name, &made.physical_id).await,
                };
                match stable {
                    Some(stable) => stable.map_err(Ended::from),
                    None => {
                        stage.take(type_name, action).await;
                        Ok(())
                    }
                }
            };
            tokio::select! {
                biased;
                stable = stable => stable?,
                () = stage.halting() => return Err(Ended::Cancelled),
            }
            Ok(made.attributes.clone())
        }
    }
}

/// Whether an update would change what lies behind unchanged properties: a nested stack's template.
pub(super) async fn has_changes_inside(
    stage: &Stage,
    resource: &StackResource,
    desired: &Desired,
) -> Result<bool, Ended> {
    match resource.resource_type.as_str() {
        STACK => nested::has_changes(stage, &resource.physical_id, &desired.properties).await,
        _ => Ok(false),
    }
}

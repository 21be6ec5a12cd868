//! Creating a resource: `CREATE_IN_PROGRESS`, `CREATE_IN_PROGRESS` with "Resource creation Initiated" once there is a
//! physical id, then `CREATE_COMPLETE` or `CREATE_FAILED`.
//!
//! A name is chosen and kept before the resource is made, so that after a restart the same one is made, not another.

use super::events::{CREATION_CANCELLED, CREATION_INITIATED, resource_event, resource_event_with};
use super::scene::{Desired, Scene};
use super::stage::{Ended, Stage};
use super::{dynamic, provider, wait};
use crate::cloudformation::model::StackResource;
use crate::resources::Action;
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

pub(super) async fn run(stage: &Stage, scene: &Scene, id: &str) -> Result<(), Ended> {
    let wanted = stage.world.with_stack(&stage.stack_id, |stack| scene.desired(id, stack));
    let wanted = wanted.unwrap_or_else(|| Err("the stack is gone".to_owned()));
    stage.edit(|world, stack| {
        // After a restart it has begun already.
        if stack.resources.contains_key(id) {
            return;
        }
        let resource_type = scene.template.resources.get(id).map(|resource| resource.resource_type.value.clone());
        let mut resource = begun(id, resource_type.unwrap_or_default(), world.clock.now());
        if let Ok(desired) = &wanted {
            desired.describe(&mut resource);
        }
        stack.resources.insert(id.to_owned(), resource);
        resource_event(world, stack, id, "CREATE_IN_PROGRESS", None);
    });
    let ended = match wanted {
        Ok(desired) => bring_into_being(stage, id, &desired, "CREATE_IN_PROGRESS", "").await,
        Err(reason) => Err(Ended::Failed(reason)),
    };
    let (status, reason) = match &ended {
        Ok(()) => ("CREATE_COMPLETE", None),
        Err(Ended::Failed(reason)) => ("CREATE_FAILED", Some(reason.as_str())),
        Err(Ended::Cancelled) => ("CREATE_FAILED", Some(CREATION_CANCELLED)),
    };
    stage.edit(|world, stack| resource_event(world, stack, id, status, reason));
    ended
}

/// A resource that nothing is known of yet.
pub(super) fn begun(id: &str, resource_type: String, now: jiff::Timestamp) -> StackResource {
    StackResource {
        logical_id: id.to_owned(),
        resource_type,
        physical_id: String::new(),
        properties: json!({}),
        attributes: IndexMap::new(),
        metadata: None,
        status: "CREATE_IN_PROGRESS".to_owned(),
        status_reason: None,
        updated: now,
        deletion_policy: None,
        update_replace_policy: None,
        depends_on: Vec::new(),
        drift_status: "NOT_CHECKED".to_owned(),
        drift_checked: None,
    }
}

impl Desired {
    /// Writes what is wanted into a resource's record.
    pub(in crate::cloudformation) fn describe(&self, resource: &mut StackResource) {
        resource.properties = self.properties.clone();
        self.describe_attributes(resource);
    }

    /// The same without the properties.
    pub(super) fn describe_attributes(&self, resource: &mut StackResource) {
        resource.metadata.clone_from(&self.metadata);
        resource.deletion_policy.clone_from(&self.deletion_policy);
        resource.update_replace_policy.clone_from(&self.update_replace_policy);
        resource.depends_on.clone_from(&self.depends_on);
    }
}

/// Makes a new physical resource for `id`, which had `old_id` (empty: none) so far. The record gets the new id before
/// anything is made, and keeps it if the work is cancelled; if it fails, there is nothing, and the old id is back.
pub(super) async fn bring_into_being(
    stage: &Stage,
    id: &str,
    desired: &Desired,
    in_progress: &str,
    old_id: &str,
) -> Result<(), Ended> {
    let type_name = desired.resource_type.as_str();
    let made = async {
        provider::check(type_name, &desired.properties)?;
        let properties = dynamic::resolved(&stage.world, &stage.place, &desired.properties).await?;
        if let Some(reason) = stage.fault(id, Action::Create) {
            stage.take_or_stop(type_name, Action::Create).await?;
            return Err(Ended::Failed(reason));
        }
        let promised = promise(stage, id, type_name, &properties, old_id);
        if promised == old_id {
            return Err(same_name(old_id));
        }
        let made = provider::create(stage, id, type_name, &properties, &promised).await?;
        Ok((made, properties))
    };
    let (made, properties) = match made.await {
        Ok(made) => made,
        Err(ended) => {
            stage.edit(|_, stack| {
                if let Some(resource) = stack.resources.get_mut(id) {
                    old_id.clone_into(&mut resource.physical_id);
                }
            });
            return Err(ended);
        }
    };
    stage.edit(|world, stack| {
        if let Some(resource) = stack.resources.get_mut(id) {
            resource.physical_id.clone_from(&made.physical_id);
            resource.attributes.clone_from(&made.attributes);
        }
        resource_event_with(world, stack, id, in_progress, Some(CREATION_INITIATED), &desired.properties);
    });
    let policy = desired.creation_policy.as_ref().and_then(|policy| wait::Policy::of(type_name, policy));
    let settled = match type_name {
        // Its policy says what it waits for.
        provider::WAIT_CONDITION if policy.is_some() => made.attributes.clone(),
        _ => provider::settle(stage, id, type_name, &properties, &made, Action::Create).await?,
    };
    if let Some(policy) = policy {
        wait::signals(stage, id, &policy).await?;
    }
    stage.edit(|_, stack| {
        if let Some(resource) = stack.resources.get_mut(id) {
            resource.attributes = settled;
            desired.describe(resource);
        }
    });
    Ok(())
}

/// The physical id that the new resource will have: kept from before a restart, or chosen and kept now.
fn promise(stage: &Stage, id: &str, type_name: &str, properties: &Json, old_id: &str) -> String {
    let kept = stage.resource(id).map(|resource| resource.physical_id).filter(|kept| !kept.is_empty());
    if let Some(kept) = kept.filter(|kept| kept != old_id) {
        return kept;
    }
    let name = provider::name(stage, id, type_name, properties);
    stage.edit(|_, stack| {
        if let Some(resource) = stack.resources.get_mut(id) {
            resource.physical_id.clone_from(&name);
        }
        // Those were for the one before.
        stack.signals.retain(|signal| signal.target != id);
    });
    name
}

/// A resource whose name the template gives cannot be replaced by another of that name.
fn same_name(old_id: &str) -> Ended {
    Ended::Failed(format!(
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename {old_id} and update \
         the stack again."
    ))
}

//! Importing a resource that exists: it becomes part of the stack, and nothing is done to it.

use super::create::begun;
use super::events::resource_event;
use super::provider;
use super::scene::Scene;
use super::stage::{Ended, Stage};
use crate::resources;

pub(super) async fn run(stage: &Stage, scene: &Scene, id: &str, physical_id: &str) -> Result<(), Ended> {
    let wanted = stage.world.with_stack(&stage.stack_id, |stack| scene.desired(id, stack));
    let desired = wanted.unwrap_or_else(|| Err("the stack is gone".to_owned())).map_err(Ended::Failed)?;
    stage.edit(|world, stack| {
        let mut resource = begun(id, desired.resource_type.clone(), world.clock.now());
        desired.describe(&mut resource);
        physical_id.clone_into(&mut resource.physical_id);
        stack.resources.insert(id.to_owned(), resource);
        resource_event(world, stack, id, "IMPORT_IN_PROGRESS", Some("Resource import started."));
    });
    let adopted = async {
        let live = provider::read(stage, &desired.resource_type, physical_id, &desired.properties).await;
        live.ok_or_else(|| {
            Ended::failed(format!(
                "Resource of type '{}' with identifier '{physical_id}' was not found.",
                desired.resource_type
            ))
        })?;
        // What is the same before and after changes nothing; the answer tells the attributes.
        let (owner, same) = (stage.owner(id), &desired.properties);
        let made = resources::update(&stage.world, &owner, &desired.resource_type, physical_id, same, same).await?;
        resources::adopt(&stage.world, &owner, &desired.resource_type, &made.physical_id, &desired.properties);
        Ok::<_, Ended>(made)
    };
    match adopted.await {
        Ok(made) => {
            stage.edit(|world, stack| {
                if let Some(resource) = stack.resources.get_mut(id) {
                    resource.attributes = made.attributes;
                }
                resource_event(world, stack, id, "IMPORT_COMPLETE", Some("Resource import completed."));
            });
            Ok(())
        }
        Err(ended) => {
            let reason = if let Ended::Failed(reason) = &ended { reason.clone() } else { String::new() };
            stage.edit(|world, stack| resource_event(world, stack, id, "IMPORT_FAILED", Some(&reason)));
            Err(ended)
        }
    }
}

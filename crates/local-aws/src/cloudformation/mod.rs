//! CloudFormation's API over an engine that does what stacks say.
//!
//! `model` holds what there is; `api` answers requests about it, one operation a function; `engine` carries out stack
//! operations in the background. What CloudFormation would say is decided by the crate `cloudformation`.

pub(crate) mod api;
pub mod drift;
mod edit;
pub(crate) mod engine;
mod history;
pub mod model;
mod prepare;
mod reading;
mod text;

#[cfg(test)]
mod tests;

pub(crate) use engine::events::STACK_TYPE;
pub use model::Stacks;

use crate::world::World;
use std::sync::Arc;

/// Goes on with what was being done when the world was closed.
pub(crate) fn resume(world: &Arc<World>) {
    engine::resume(world);
    api::change_sets::resume(world);
    api::resume_drift_detections(world);
}

//! CloudFormation's API over an engine that does what stacks say.
//!
//! `model` holds what there is; `api` answers requests about it, one operation a function; `engine` carries out stack
//! operations in the background. What CloudFormation would say is decided by the crate `cloudformation`.

#[allow(dead_code, reason = "the door that leads here follows")]
pub(crate) mod api;
pub mod drift;
mod edit;
pub mod model;
#[allow(dead_code, reason = "as above")]
mod text;

pub use model::Stacks;

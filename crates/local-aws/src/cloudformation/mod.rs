//! CloudFormation's API over an engine that does what stacks say.
//!
//! `model` holds what there is; `api` answers requests about it, one operation a function; `engine` carries out stack
//! operations in the background. What CloudFormation would say is decided by the crate `cloudformation`.

pub mod drift;
mod edit;
pub mod model;

pub use model::Stacks;

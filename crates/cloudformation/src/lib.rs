//! What CloudFormation means: templates, intrinsic functions, provider schemas, prediction of changes.
//!
//! Pure: no I/O, no AWS SDK, no clock. What is not known before a deployment is a value of its own.

pub mod evaluate;
pub mod extensions;
pub mod items;
pub mod lambda;
pub mod order;
pub mod partition;
pub mod predict;
pub mod schedule;
pub mod schema;
pub mod sensitive;
pub mod source;
pub mod storage;
pub mod template;
pub mod validate;

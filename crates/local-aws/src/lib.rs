//! An AWS embedded in a process: a CloudFormation engine over services that hold real data, reached through an SDK HTTP
//! connector (no port) or served on one. Knows nothing of `infra`.
//!
//! A [`LocalAws`] is a world of its own: accounts, regions, stacks, buckets, tables. Its time is `tokio::time`, real,
//! scaled or paused; its identifiers come from one seed. With a directory it survives its process, and operations that
//! were in flight go on when it is opened again, as they would on AWS.
//!
//! The account of a request is the access key's id where that has twelve digits, else [`DEFAULT_ACCOUNT`]; its region
//! and service are those it was signed for.

pub mod clock;
mod cloudcontrol;
pub mod cloudformation;
pub mod door;
pub mod faults;
pub mod ids;
pub mod place;
pub mod query;
pub mod resources;
pub mod services;
mod store;
mod world;
mod zones;

pub use clock::{Clock, Speed};
pub use door::{Request, Reset, Response};
pub use faults::FaultPlan;
pub use place::{DEFAULT_ACCOUNT, Place};
pub use world::{LocalAws, Options, Signals};

//! Plan → outcomes: each stack as soon as what it needs is done, through change sets, followed event by event.
//!
//! The engine decides and tells; it never prints. What it tells are [`Event`]s, sent to whoever listens.

mod event;
mod outcome;

pub use event::{Event, EventKind, Events, ResourceEvent, send};
pub use outcome::{FailedResource, Outcome, Report, RootCause, StackOutcome};

//! Plan → outcomes: each stack as soon as what it needs is done, through change sets, followed event by event.
//!
//! The engine decides and tells; it never prints. What it tells are [`Event`]s, sent to whoever listens.

mod assets;
mod cause;
mod change_set;
mod compare;
mod context;
mod delete;
mod deploy;
mod estimate;
mod event;
mod follow;
mod interrupt;
mod joining;
mod outcome;
mod protection;
mod record;
mod rollout;
mod run;
mod scan;
mod scheduler;
mod service;
mod settle;
mod stop;
mod taken;
mod templates;
mod verify;
mod wait;

pub use assets::teller;
pub use context::Context;
pub use event::{Event, EventKind, Events, ResourceEvent, ServiceProgress, send};
pub use interrupt::{Interrupt, Interrupter, Level, interrupt};
pub use outcome::{AssetOutcome, FailedResource, Outcome, Report, RootCause, StackOutcome};
pub use run::{apply, refuse};
pub use settle::settle;

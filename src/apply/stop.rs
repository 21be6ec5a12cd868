//! Why work on a stack ends before its end, and how an error of a call becomes the cause of a failure.

use super::outcome::{Outcome, RootCause};
use crate::error::{Error, Kind};

pub(super) type Result<T> = std::result::Result<T, Stop>;

#[derive(Debug)]
pub(super) enum Stop {
    /// The stack failed.
    Failed(Box<RootCause>),
    /// Nothing failed: the run was interrupted, lost its lock, or has waited long enough.
    Stopped(String),
}

impl Stop {
    /// What happened, and what to do about it.
    pub fn failed(message: impl Into<String>, hints: impl IntoIterator<Item = String>) -> Stop {
        let hints = hints.into_iter().collect();
        Stop::Failed(Box::new(RootCause { message: message.into(), hints, ..RootCause::default() }))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        match error.kind {
            Kind::LockLost => Stop::Stopped(error.message),
            _ => Stop::Failed(Box::new(RootCause {
                message: error.message,
                details: error.details,
                hints: error.hints,
                ..RootCause::default()
            })),
        }
    }
}

impl From<Stop> for Outcome {
    fn from(stop: Stop) -> Outcome {
        match stop {
            Stop::Failed(cause) => Outcome::Failed(cause),
            Stop::Stopped(because) => Outcome::Stopped { because },
        }
    }
}

//! States as text: written in one form, read with care.

use crate::aws::Result;
use crate::error::{Error, Kind};
use crate::model::State;
use serde::{Deserialize, Serialize};

/// Of `state.json` and `history/<serial>.json`. A reader refuses what is newer.
pub const FORMAT_VERSION: u32 = 1;

/// What every format of ours has, however new.
#[derive(Deserialize)]
struct Header {
    format_version: u32,
}

/// JSON for people and machines: indented, keys in a fixed order.
pub(super) fn to_bytes(document: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(document)
        .map_err(|error| Error::new(Kind::State, "the state cannot be written as JSON").caused_by(error))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// What a text that is no document of ours is instead.
#[derive(Debug)]
pub(super) enum Unreadable {
    Newer { format_version: u32 },
    Corrupt(String),
}

/// A document of ours.
pub(super) fn from_bytes<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> std::result::Result<T, Unreadable> {
    let header: Header = serde_json::from_slice(bytes).map_err(|error| Unreadable::Corrupt(error.to_string()))?;
    if header.format_version > FORMAT_VERSION {
        return Err(Unreadable::Newer { format_version: header.format_version });
    }
    serde_json::from_slice(bytes).map_err(|error| Unreadable::Corrupt(error.to_string()))
}

impl Unreadable {
    /// The error for the object at `place`.
    pub(super) fn explain(&self, place: &str) -> Error {
        match self {
            Unreadable::Newer { format_version } => Error::new(
                Kind::State,
                format!(
                    "{place} was written by a newer infra (format {format_version}; this one reads {FORMAT_VERSION})"
                ),
            )
            .hint("update infra, here and wherever else this environment is applied"),
            Unreadable::Corrupt(why) => {
                Error::new(Kind::State, format!("{place} cannot be read as a state")).detail(why.clone())
            }
        }
    }
}

/// A state that is another environment's was copied here by hand.
pub(super) fn check_owner(state: &State, project: &str, environment: &str, place: &str) -> Result<()> {
    if (state.project.as_str(), state.environment.as_str()) == (project, environment) {
        return Ok(());
    }
    Err(Error::new(Kind::State, format!("{place} is the state of {}/{}", state.project, state.environment))
        .detail(format!("this is {project}/{environment}"))
        .hint("look at who copied it there; the bucket keeps the versions before"))
}

//! One error for what code decides on: its kind, what happened, and what to do next.
//!
//! Everything else travels as [`anyhow::Error`] with context; `main` finds an [`Error`] in the chain by downcasting and
//! takes heading, hints and exit code from it.

use crate::problem::Problem;
use std::fmt;

pub type Result<T, E = anyhow::Error> = std::result::Result<T, E>;

/// What went wrong, as far as code or the exit code depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command line makes no sense: exit 64.
    Usage,
    /// Files of the project are wrong; [`Error::problems`] says where.
    Configuration,
    /// Somebody else holds the lock: exit 3.
    LockHeld,
    /// This run held the lock and lost it; it has stopped writing.
    LockLost,
    /// No credentials, or expired ones.
    Credentials,
    /// The credentials are of another account or partition than the environment's.
    WrongAccount,
    /// AWS refused one call for lack of permission.
    AccessDenied,
    /// The state bucket or the lock table does not exist yet.
    NotBootstrapped,
    /// No answer from an endpoint.
    Unreachable,
    /// A saved plan does not match the state or the account any more.
    Stale,
    /// The state in S3 is not what this version can read or expects.
    State,
    /// A stack failed; the report has been shown.
    Failed,
    /// What AWS is about to do is not what the plan showed.
    NotAsPlanned,
    /// The answer to the question was no.
    Declined,
    /// A signal stopped the run: 130 for SIGINT, 143 for SIGTERM.
    Interrupted(u8),
    /// AWS answered with an error that none of the above names.
    Aws,
    Other,
}

impl Kind {
    /// The process exit code: 0 done, 1 error, 2 changes (never an error), 3 lock held, 64 wrong usage, 128+n signals.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::LockHeld => 3,
            Kind::Usage => 64,
            Kind::Interrupted(code) => code,
            _ => 1,
        }
    }
}

/// An error made for people: a message that says what happened and where, hints that say what to do.
#[derive(Debug)]
pub struct Error {
    pub kind: Kind,
    /// One sentence without a full stop at its end: what happened, to what.
    pub message: String,
    /// Indented lines under the message: facts that help (what was tried, who holds it, AWS's own words).
    pub details: Vec<String>,
    /// What to do next, each a sentence or a command to type.
    pub hints: Vec<String>,
    /// Places in files, for [`Kind::Configuration`].
    pub problems: Vec<Problem>,
    pub source: Option<anyhow::Error>,
}

impl Error {
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error {
            kind,
            message: message.into(),
            details: Vec::new(),
            hints: Vec::new(),
            problems: Vec::new(),
            source: None,
        }
    }

    /// Problems in files; the message counts them.
    pub fn problems(problems: Vec<Problem>) -> Error {
        let count = problems.iter().filter(|problem| problem.is_error()).count();
        let message = if count == 1 { "1 problem found".to_owned() } else { format!("{count} problems found") };
        Error { problems, ..Error::new(Kind::Configuration, message) }
    }

    pub fn detail(mut self, detail: impl Into<String>) -> Error {
        self.details.push(detail.into());
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hints.push(hint.into());
        self
    }

    pub fn caused_by(mut self, source: impl Into<anyhow::Error>) -> Error {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as _)
    }
}

/// The [`Error`] in a chain, if there is one.
pub fn find(error: &anyhow::Error) -> Option<&Error> {
    error.chain().find_map(|cause| cause.downcast_ref::<Error>())
}

/// The kind of the first [`Error`] in a chain.
pub fn kind(error: &anyhow::Error) -> Kind {
    find(error).map_or(Kind::Other, |error| error.kind)
}

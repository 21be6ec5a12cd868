//! A problem in a file of the project: where it stands, what is wrong, what would be right.
//!
//! Rooms that read files collect problems and go on, so that one run tells them all; `view` draws them.

use crate::model::sensitive;
pub use cloudformation::source::{Position, Span};
use std::fmt;
use std::sync::Arc;

/// A text that was read, under the name that people know it by (a path relative to the project, or `<catalog>/alb.yaml`).
#[derive(PartialEq, Eq)]
pub struct SourceFile {
    pub name: String,
    pub text: String,
}

impl SourceFile {
    /// A text that was read; secrets in its lines are taken note of, for nobody may print them.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> SourceFile {
        let text = text.into();
        sensitive::learn_source(&text);
        SourceFile { name: name.into(), text }
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({})", self.name)
    }
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    pub file: Arc<SourceFile>,
    pub span: Span,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.name, self.span.start.line, self.span.start.column)
    }
}

/// A value that knows where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Located<T> {
    pub value: T,
    pub at: Location,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub severity: Severity,
    /// A stable name for the kind of problem (`unknown-key`, `cycle`, …), for JSON and documentation.
    pub code: &'static str,
    /// One sentence without a full stop at its end.
    pub message: String,
    /// Where; none only if a file could not be read at all.
    pub at: Option<Location>,
    /// A few words under the underlined text ("expected an integer").
    pub label: String,
    /// Further places that belong to the matter, each with a few words.
    pub related: Vec<(Location, String)>,
    /// What to do ("did you mean `memory`?").
    pub help: Option<String>,
}

impl Problem {
    pub fn error(code: &'static str, message: impl Into<String>, at: Option<Location>) -> Problem {
        Problem {
            severity: Severity::Error,
            code,
            message: message.into(),
            at,
            label: String::new(),
            related: Vec::new(),
            help: None,
        }
    }

    pub fn warning(code: &'static str, message: impl Into<String>, at: Option<Location>) -> Problem {
        Problem { severity: Severity::Warning, ..Problem::error(code, message, at) }
    }

    pub fn label(mut self, label: impl Into<String>) -> Problem {
        self.label = label.into();
        self
    }

    pub fn related(mut self, at: Location, label: impl Into<String>) -> Problem {
        self.related.push((at, label.into()));
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// The name among `candidates` that was probably meant: at most a third of its letters differ.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= name.chars().count().max(candidate.chars().count()).div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn nearest_names() {
        let names = ["memory", "cpu", "count", "desired_count"];
        assert_eq!(nearest("memroy", names), Some("memory"));
        assert_eq!(nearest("Count", names), Some("count"));
        assert_eq!(nearest("bananas", names), None);
    }
}

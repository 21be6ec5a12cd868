//! What is wrong with a template, and where.

use crate::source::{ParseError, Span};
use std::fmt;

/// One thing that is wrong, worded as CloudFormation words it where it has words for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub message: String,
    pub span: Span,
    /// Where in the template, as CloudFormation writes paths: `/Resources/Topic/Type`.
    pub path: String,
    /// What CloudFormation's words leave out, such as the parser's own reason.
    pub detail: Option<String>,
}

impl Problem {
    pub fn new(message: impl Into<String>, span: Span, path: &str) -> Self {
        Problem { message: message.into(), span, path: path.to_owned(), detail: None }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.span.start.line, self.span.start.column, self.message)?;
        self.detail.as_ref().map_or(Ok(()), |detail| write!(f, " ({detail})"))
    }
}

impl std::error::Error for Problem {}

impl From<ParseError> for Problem {
    fn from(error: ParseError) -> Self {
        Problem::new(error.message, error.span, "")
    }
}

//! From text to tree, within limits.

use super::build::Builder;
use super::dialect::Dialect;
use super::{Node, Scalar, Span, Style, Value, json};
use std::fmt;

/// What a text may cost before it is refused.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Nesting of lists and maps.
    pub depth: usize,
    /// Nodes of the tree after aliases are expanded.
    pub nodes: usize,
}

impl Default for Limits {
    /// 2 MiB, 64 levels and 400,000 nodes: well over CloudFormation's 1 MB templates, well under harm.
    fn default() -> Self {
        Limits { bytes: 2 * 1024 * 1024, depth: 64, nodes: 400_000 }
    }
}

/// Why a text is no tree, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct ParseError {
    pub message: String,
    pub span: Span,
    /// A second place that belongs to the matter, as the first of two equal keys.
    pub related: Option<(String, Span)>,
    /// Whether it is about a key that stands twice.
    pub doubled_key: bool,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.span.start.line, self.span.start.column, self.message)
    }
}

impl std::error::Error for ParseError {}

/// Parses a file of a project that holds one document (an empty text is a null).
///
/// # Errors
/// The first thing that is wrong: syntax, a duplicate key, a second document, or a limit passed.
pub fn parse(text: &str, limits: Limits) -> Result<Node, ParseError> {
    parse_as(text, limits, Dialect::PROJECT)
}

/// As [`parse`], in a dialect.
///
/// # Errors
/// As [`parse`].
pub fn parse_as(text: &str, limits: Limits, dialect: Dialect) -> Result<Node, ParseError> {
    let mut documents = documents(text, limits, dialect)?;
    match documents.len() {
        0 => Ok(null(Span::default())),
        1 => {
            let mut root = documents.remove(0);
            dialect.interpret(&mut root);
            Ok(root)
        }
        _ => Err(error("a second document starts here; one was expected", documents[1].span)),
    }
}

/// Parses all documents of a project's file (separated by `---`).
///
/// # Errors
/// As [`parse`], but for the number of documents.
pub fn parse_documents(text: &str, limits: Limits) -> Result<Vec<Node>, ParseError> {
    documents(text, limits, Dialect::PROJECT)
}

fn documents(text: &str, limits: Limits, dialect: Dialect) -> Result<Vec<Node>, ParseError> {
    if text.len() > limits.bytes {
        let message = format!("the text has {} bytes; at most {} are read", text.len(), limits.bytes);
        return Err(error(&message, Span::default()));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder::new(text, limits, dialect);
    match json::read(text, &mut builder) {
        Some(root) => Ok(vec![root?]),
        None => builder.documents(),
    }
}

fn null(span: Span) -> Node {
    Node { span, tag: None, value: Value::Scalar(Scalar { text: String::new(), style: Style::Plain }) }
}

pub(super) fn error(message: &str, span: Span) -> ParseError {
    ParseError { message: message.to_owned(), span, related: None, doubled_key: false }
}

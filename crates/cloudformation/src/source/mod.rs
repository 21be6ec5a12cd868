//! Source text as a tree whose every node knows where it stands.
//!
//! YAML as SnakeYAML reads it (the parser of CloudFormation), and JSON. A [`Node`] keeps its [`Span`], tag and scalar
//! style, so that later stages can point at the text that a value came from. A [`Dialect`] says what scalars mean and
//! whether a key may stand twice. Alias bombs and runaway nesting are errors here: no later stage has to think of them.

mod build;
mod dialect;
mod events;
mod json;
mod merge;
mod node;
mod parse;
mod places;
#[cfg(test)]
mod tests;

pub use dialect::Dialect;
pub use node::{Entry, Node, Scalar, Style, Value};
pub use parse::{Limits, ParseError, parse, parse_as, parse_documents};

/// A place in a source text. Lines and columns start at 1; columns and offsets count characters, not bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    pub line: usize,
    pub column: usize,
    /// Characters from the start of the text.
    pub offset: usize,
}

/// A half-open range of a source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    pub start: Position,
    pub end: Position,
}

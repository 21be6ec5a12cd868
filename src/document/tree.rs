//! A parsed file as values that know their places.

use crate::model::{Input, InputKind, InputValue};
use crate::problem::{Location, Position, Problem, SourceFile, Span};
use cloudformation::source::{Node, Scalar, Style, Value};
use indexmap::IndexMap;
use std::ops::Range;
use std::sync::Arc;

/// Characters from here on (Unicode's planes for private use) mark places while templates are rendered, and mean nothing
/// to anybody else.
pub const PRIVATE_USE: char = '\u{F0000}';

/// The tree of a file. Tags and characters for private use are problems; the values around them are kept.
pub fn located(node: &Node, file: &Arc<SourceFile>, problems: &mut Vec<Problem>) -> InputValue {
    let at = place(file, node.span);
    if let Some(tag) = &node.tag {
        problems.push(
            Problem::error("tag", format!("the tag `!{tag}` means nothing here"), Some(at.clone()))
                .help("functions of CloudFormation belong into templates"),
        );
    }
    let kind = match &node.value {
        Value::Scalar(scalar) => {
            if scalar.text.contains(|c| c >= PRIVATE_USE) {
                let message = "characters of Unicode's planes for private use (from U+F0000) are refused";
                problems.push(Problem::error("private-use", message, Some(at.clone())));
                InputKind::Scalar(serde_json::Value::Null)
            } else {
                InputKind::Scalar(scalar.to_json())
            }
        }
        Value::List(items) => InputKind::List(items.iter().map(|item| located(item, file, problems)).collect()),
        Value::Map(entries) => InputKind::Map(
            entries
                .iter()
                .map(|entry| {
                    let key_at = place(file, entry.key_span);
                    if entry.key == "<<" {
                        problems.push(
                            Problem::error("merge-key", "YAML's merge key `<<` is not supported", Some(key_at.clone()))
                                .help("an environment starts from another with `extends`"),
                        );
                    }
                    (entry.key.clone(), Input { key_at, value: located(&entry.value, file, problems) })
                })
                .collect(),
        ),
    };
    InputValue { at, kind }
}

pub fn place(file: &Arc<SourceFile>, span: Span) -> Location {
    Location { file: file.clone(), span }
}

/// The place of some bytes of a file.
pub fn place_of_bytes(file: &Arc<SourceFile>, bytes: Range<usize>) -> Location {
    let position = |byte: usize| {
        let before = file.text.get(..byte).unwrap_or(&file.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        Position { line, column, offset: before.chars().count() }
    };
    place(file, Span { start: position(bytes.start), end: position(bytes.end) })
}

/// The start of a file, for what is said of it as a whole.
pub fn start_of(file: &Arc<SourceFile>) -> Location {
    let start = Position { line: 1, column: 1, offset: 0 };
    place(file, Span { start, end: start })
}

pub fn is_null(value: &InputValue) -> bool {
    matches!(&value.kind, InputKind::Scalar(serde_json::Value::Null))
}

pub fn empty(at: Location) -> InputValue {
    InputValue { at, kind: InputKind::Map(IndexMap::new()) }
}

/// "a list", "text" …: for messages.
pub fn kind_of(value: &InputValue) -> &'static str {
    match &value.kind {
        InputKind::List(_) => "a list",
        InputKind::Map(_) => "a map",
        InputKind::Scalar(serde_json::Value::Null) => "null",
        InputKind::Scalar(serde_json::Value::Bool(_)) => "a boolean",
        InputKind::Scalar(serde_json::Value::Number(_)) => "a number",
        InputKind::Scalar(_) => "text",
    }
}

/// A scalar as it was written (`1.10`, where its value is 1.1), as JSON where it comes from elsewhere.
pub fn written(scalar: &serde_json::Value, at: &Location) -> String {
    let (start, end) = (at.span.start.offset, at.span.end.offset);
    let text: String = at.file.text.chars().skip(start).take(end.saturating_sub(start)).collect();
    let read = Scalar { text, style: Style::Plain };
    if read.to_json() == *scalar { read.text } else { scalar.to_string() }
}

/// The value without its places.
pub fn to_json(value: &InputValue) -> serde_json::Value {
    match &value.kind {
        InputKind::Scalar(scalar) => scalar.clone(),
        InputKind::List(items) => items.iter().map(to_json).collect(),
        InputKind::Map(entries) => entries.iter().map(|(key, input)| (key.clone(), to_json(&input.value))).collect(),
    }
}

//! JSON as a tree with places: what begins with `{` and is JSON is read by JSON's rules (escapes of two halves, keys of
//! any length, tabs), as CloudFormation reads it.

use super::build::{Builder, Seen};
use super::parse::ParseError;
use super::{Entry, Node, Position, Scalar, Span, Style, Value};
use std::borrow::Cow;

/// The tree of a text that is strict JSON; `None` if it is something else, to be read as YAML.
pub(super) fn read(text: &str, builder: &mut Builder<'_>) -> Option<Result<Node, ParseError>> {
    if !text.trim_start().starts_with('{') || serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        return None;
    }
    let start = Position { line: 1, column: 1, offset: 0 };
    let mut reader = Reader { rest: text, at: start, builder };
    reader.space();
    Some(reader.value(0))
}

/// Walks over a text that is known to be JSON.
struct Reader<'t, 'b, 'l> {
    rest: &'t str,
    at: Position,
    builder: &'b mut Builder<'l>,
}

impl<'t> Reader<'t, '_, '_> {
    fn value(&mut self, depth: usize) -> Result<Node, ParseError> {
        let start = self.at;
        self.builder.enter(depth, Span { start, end: start })?;
        let value = match self.rest.as_bytes().first() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Value::Scalar(Scalar { text: self.string().into_owned(), style: Style::Text }),
            _ => {
                let length = self.rest.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(self.rest.len());
                let text = self.take(length).to_owned();
                Value::Scalar(self.builder.dialect().plain(text))
            }
        };
        Ok(Node { span: Span { start, end: self.at }, tag: None, value })
    }

    fn object(&mut self, depth: usize) -> Result<Value, ParseError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = Seen::default();
        self.take(1);
        loop {
            self.space();
            if self.closes(b'}') {
                return Ok(Value::Map(entries));
            }
            let start = self.at;
            let key = self.string().into_owned();
            let key_span = Span { start, end: self.at };
            self.space();
            self.take(1);
            self.space();
            let value = self.value(depth + 1)?;
            seen.add(Entry { key, key_span, value }, &mut entries, self.builder.dialect())?;
            self.comma();
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, ParseError> {
        let mut items = Vec::new();
        self.take(1);
        loop {
            self.space();
            if self.closes(b']') {
                return Ok(Value::List(items));
            }
            items.push(self.value(depth + 1)?);
            self.comma();
        }
    }

    fn string(&mut self) -> Cow<'t, str> {
        let bytes = self.rest.as_bytes();
        let (mut end, mut escaped) = (1, false);
        while end < bytes.len() && bytes[end] != b'"' {
            escaped |= bytes[end] == b'\\';
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let quoted = self.take((end + 1).min(self.rest.len()));
        match escaped {
            true => serde_json::from_str::<String>(quoted).map_or_else(|_| quoted.into(), Cow::Owned),
            false => quoted.get(1..quoted.len() - 1).unwrap_or_default().into(),
        }
    }

    fn closes(&mut self, bracket: u8) -> bool {
        let closes = self.rest.is_empty() || self.rest.as_bytes()[0] == bracket;
        if closes {
            self.take(1);
        }
        closes
    }

    fn comma(&mut self) {
        self.space();
        if self.rest.starts_with(',') {
            self.take(1);
        }
    }

    fn space(&mut self) {
        let length = self.rest.len() - self.rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.take(length);
    }

    /// The next bytes; the position moves behind them.
    fn take(&mut self, length: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        for c in taken.chars() {
            self.at.offset += 1;
            match c {
                '\n' => (self.at.line, self.at.column) = (self.at.line + 1, 1),
                _ => self.at.column += 1,
            }
        }
        self.rest = rest;
        taken
    }
}

#[cfg(test)]
mod tests {
    use crate::source::{Dialect, Limits, Node, parse_as};
    use serde_json::json;

    fn tree(text: &str) -> Node {
        parse_as(text, Limits::default(), Dialect::TEMPLATE).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn json_has_its_own_rules() {
        let long = "k".repeat(2000);
        let text = format!("\t{{\"a\"\n: \"\\ud83d\\ude00\\/\", \"{long}\": 1.50, \"a\": true}}\n");
        assert_eq!(tree(&text).to_json(), json!({"a": true, long: "1.50"}));
        assert_eq!(
            tree("{\"a\": [], \"b\": {}, \"c\": [1,-2 , null]}").to_json(),
            json!({"a": [], "b": {}, "c": [1, -2, null]})
        );
    }

    #[test]
    fn places_count_characters() {
        let node = tree("{\"é\": {\n  \"b\": [1, \"x\"]}}");
        let inner = node.get("é").and_then(|inner| inner.entry("b")).expect("b");
        assert_eq!((inner.key_span.start.line, inner.key_span.start.column, inner.key_span.start.offset), (2, 3, 10));
        let item = &inner.value.as_list().expect("a list")[1];
        assert_eq!((item.span.start.column, item.span.end.column), (12, 15));
        assert_eq!(node.span.end.offset, 25);
    }

    #[test]
    fn nesting_has_its_limit() {
        let text = format!("{{\"a\": {}{}}}", "[".repeat(100), "]".repeat(100));
        let error = parse_as(&text, Limits::default(), Dialect::TEMPLATE).expect_err("too deep");
        assert!(error.message.contains("nested deeper"), "{error}");
    }
}

//! From text to tree, within limits.

use super::{Entry, Node, Position, Scalar, Span, Style, Value};
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use std::collections::{HashMap, HashSet};
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
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.span.start.line, self.span.start.column, self.message)
    }
}

impl std::error::Error for ParseError {}

/// Parses a text that holds one document (an empty text is a null).
///
/// # Errors
/// The first thing that is wrong: syntax, a duplicate key, a second document, or a limit passed.
pub fn parse(text: &str, limits: Limits) -> Result<Node, ParseError> {
    let mut documents = parse_documents(text, limits)?;
    match documents.len() {
        0 => Ok(null(Span::default())),
        1 => Ok(documents.remove(0)),
        _ => Err(ParseError {
            message: "a second document starts here; one was expected".to_owned(),
            span: documents[1].span,
            related: None,
        }),
    }
}

/// Parses all documents of a text (separated by `---`).
///
/// # Errors
/// As [`parse`], but for the number of documents.
pub fn parse_documents(text: &str, limits: Limits) -> Result<Vec<Node>, ParseError> {
    if text.len() > limits.bytes {
        let message = format!("the text has {} bytes; at most {} are read", text.len(), limits.bytes);
        return Err(ParseError { message, span: Span::default(), related: None });
    }
    let text = &*super::pairs::joined(text);
    Builder { events: Parser::new_from_str(text), limits, nodes: 0, anchors: HashMap::new() }.documents()
}

struct Builder<'t> {
    events: Parser<'t, saphyr_parser::StrInput<'t>>,
    limits: Limits,
    nodes: usize,
    /// Finished nodes by anchor, with their number of nodes. An anchor inside itself is not finished: an error.
    anchors: HashMap<usize, (Node, usize)>,
}

impl Builder<'_> {
    fn documents(mut self) -> Result<Vec<Node>, ParseError> {
        let mut documents = Vec::new();
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(documents),
                Event::DocumentStart(_) => {
                    let (event, span) = self.next()?;
                    documents.push(self.node(event, span, 0)?);
                    self.anchors.clear();
                }
                Event::Nothing | Event::StreamStart | Event::DocumentEnd => {}
                _ => return Err(error("content outside a document", span)),
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'static>, Span), ParseError> {
        match self.events.next_event() {
            None => Ok((Event::StreamEnd, Span::default())),
            Some(Ok((event, span))) => Ok((owned(event), to_span(span))),
            Some(Err(scan)) => {
                let start = position(*scan.marker());
                Err(error(scan.info(), Span { start, end: start }))
            }
        }
    }

    fn node(&mut self, event: Event<'static>, span: Span, depth: usize) -> Result<Node, ParseError> {
        self.count(1, span)?;
        if depth > self.limits.depth {
            return Err(error(&format!("nested deeper than {} levels", self.limits.depth), span));
        }
        let before = self.nodes;
        let (node, anchor) = match event {
            Event::Alias(anchor) => return self.alias(anchor, span),
            Event::Scalar(text, style, anchor, tag) => (scalar(&text, style, tag.as_deref(), span), anchor),
            Event::SequenceStart(anchor, tag) => (self.list(tag.as_deref(), span, depth)?, anchor),
            Event::MappingStart(anchor, tag) => (self.map(tag.as_deref(), span, depth)?, anchor),
            _ => return Err(error("a value was expected here", span)),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), self.nodes - before + 1));
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<Node, ParseError> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err(error("this alias refers to a node that contains it", span));
        };
        let (node, size) = (node.clone(), *size);
        self.count(size, span)?;
        Ok(Node { span, ..node })
    }

    fn list(&mut self, tag: Option<&Tag>, start: Span, depth: usize) -> Result<Node, ParseError> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if let Event::SequenceEnd = event {
                let span = Span { start: start.start, end: span.end };
                return Ok(Node { span, tag: local(tag), value: Value::List(items) });
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn map(&mut self, tag: Option<&Tag>, start: Span, depth: usize) -> Result<Node, ParseError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: HashSet<String> = HashSet::new();
        loop {
            let (event, key_span) = self.next()?;
            let key = match event {
                Event::MappingEnd => {
                    let span = Span { start: start.start, end: key_span.end };
                    return Ok(Node { span, tag: local(tag), value: Value::Map(entries) });
                }
                Event::Scalar(text, ..) => text.into_owned(),
                Event::Alias(anchor) => match self.anchors.get(&anchor) {
                    Some((Node { value: Value::Scalar(scalar), .. }, _)) => scalar.text.clone(),
                    _ => return Err(error("a key must be text", key_span)),
                },
                _ => return Err(error("a key must be text", key_span)),
            };
            if !seen.insert(key.clone()) {
                let first = entries.iter().find(|entry| entry.key == key).map(|entry| entry.key_span);
                return Err(ParseError {
                    message: format!("`{key}` stands here a second time"),
                    span: key_span,
                    related: first.map(|span| ("it is here already".to_owned(), span)),
                });
            }
            self.count(1, key_span)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            entries.push(Entry { key, key_span, value });
        }
    }

    fn count(&mut self, nodes: usize, span: Span) -> Result<(), ParseError> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > self.limits.nodes {
            let message = format!("aliases and lists grow to more than {} values here", self.limits.nodes);
            return Err(error(&message, span));
        }
        Ok(())
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Node {
    let core = tag.filter(|tag| tag.is_yaml_core_schema()).map(|tag| tag.suffix.as_str());
    let style = match (core, style) {
        (Some("str"), _) => Style::Text,
        (None, ScalarStyle::Plain) | (Some(_), _) => Style::Plain,
        (None, _) => Style::Text,
    };
    Node { span, tag: local(tag), value: Value::Scalar(Scalar { text: text.to_owned(), style }) }
}

fn null(span: Span) -> Node {
    Node { span, tag: None, value: Value::Scalar(Scalar { text: String::new(), style: Style::Plain }) }
}

/// The name of a local tag (`!Ref` → `Ref`).
fn local(tag: Option<&Tag>) -> Option<String> {
    tag.filter(|tag| !tag.is_yaml_core_schema())
        .map(|tag| if tag.handle == "!" { tag.suffix.clone() } else { format!("{}{}", tag.handle, tag.suffix) })
}

fn owned(event: Event<'_>) -> Event<'static> {
    let tag = |tag: Option<std::borrow::Cow<'_, Tag>>| tag.map(|tag| std::borrow::Cow::Owned(tag.into_owned()));
    match event {
        Event::Nothing => Event::Nothing,
        Event::StreamStart => Event::StreamStart,
        Event::StreamEnd => Event::StreamEnd,
        Event::DocumentStart(explicit) => Event::DocumentStart(explicit),
        Event::DocumentEnd => Event::DocumentEnd,
        Event::Alias(anchor) => Event::Alias(anchor),
        Event::Scalar(text, style, anchor, t) => {
            Event::Scalar(std::borrow::Cow::Owned(text.into_owned()), style, anchor, tag(t))
        }
        Event::SequenceStart(anchor, t) => Event::SequenceStart(anchor, tag(t)),
        Event::SequenceEnd => Event::SequenceEnd,
        Event::MappingStart(anchor, t) => Event::MappingStart(anchor, tag(t)),
        Event::MappingEnd => Event::MappingEnd,
    }
}

fn to_span(span: saphyr_parser::Span) -> Span {
    Span { start: position(span.start), end: position(span.end) }
}

fn position(marker: saphyr_parser::Marker) -> Position {
    Position { line: marker.line(), column: marker.col() + 1, offset: marker.index() }
}

fn error(message: &str, span: Span) -> ParseError {
    ParseError { message: message.to_owned(), span, related: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tree(text: &str) -> Node {
        parse(text, Limits::default()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn refused(text: &str) -> String {
        parse(text, Limits::default()).expect_err("this text should be refused").to_string()
    }

    #[test]
    fn values_keep_their_places_and_tags() {
        let node = tree("a: 1\nb:\n  - !Ref X\n  - 'two'\n");
        assert_eq!(node.to_json(), json!({"a": 1, "b": ["X", "two"]}));
        let list = node.get("b").and_then(Node::as_list).expect("b is a list");
        assert_eq!(list[0].tag.as_deref(), Some("Ref"));
        assert_eq!((list[0].span.start.line, list[0].span.end.line), (3, 3));
        assert_eq!((list[1].span.start.line, list[1].span.start.column), (4, 5));
        assert_eq!(node.entry("b").map(|entry| entry.key_span.start.line), Some(2));
    }

    #[test]
    fn json_is_read_too() {
        assert_eq!(tree("{\"a\": [1, true, null, \"x\\n\"]}").to_json(), json!({"a": [1, true, null, "x\n"]}));
    }

    #[test]
    fn tags_of_functions_survive_both_forms() {
        assert_eq!(tree("!Fn::GetAtt a.b").tag.as_deref(), Some("Fn::GetAtt"));
        assert_eq!(tree("!Sub\n- x\n- {}").tag.as_deref(), Some("Sub"));
        assert_eq!(tree("!!str 12").to_json(), json!("12"));
    }

    #[test]
    fn anchors_are_expanded() {
        assert_eq!(tree("a: &x {k: 1}\nb: *x").to_json(), json!({"a": {"k": 1}, "b": {"k": 1}}));
    }

    #[test]
    fn empty_text_is_null_and_documents_are_counted() {
        assert!(tree("").is_null());
        assert!(tree("# only a comment\n").is_null());
        assert_eq!(parse_documents("a: 1\n---\nb: 2\n", Limits::default()).map(|d| d.len()), Ok(2));
        assert!(refused("a: 1\n---\nb: 2\n").contains("second document"));
    }

    #[test]
    fn duplicate_keys_name_both_places() {
        let error = parse("a: 1\nb: 2\na: 3\n", Limits::default()).expect_err("duplicate");
        assert_eq!((error.span.start.line, error.span.start.column), (3, 1));
        assert_eq!(error.related.map(|(_, span)| span.start.line), Some(1));
    }

    #[test]
    fn bombs_are_refused_quickly() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for i in 1..30 {
            let refs = vec![format!("*a{}", i - 1); 10].join(", ");
            text.push_str(&format!("a{i}: &a{i} [{refs}]\n"));
        }
        assert!(refused(&text).contains("grow to more than"));
        assert!(refused(&"[".repeat(100)).contains("nested deeper"));
        assert!(!refused(&"[".repeat(100_000)).is_empty());
        assert!(refused(&"x".repeat(3 * 1024 * 1024)).contains("bytes"));
    }

    #[test]
    fn syntax_errors_have_a_place() {
        assert!(refused("a: [1, 2\nb: 3\n").starts_with("line "));
        assert!(refused("a: *nothing\n").starts_with("line 1"));
        assert!(refused("? [a]\n: 1\n").contains("a key must be text"));
    }
}

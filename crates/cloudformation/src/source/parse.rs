//! From text to tree, within limits.

use super::merge::{Merged, merged};
use super::places::Places;
use super::{Entry, Node, Position, Scalar, Span, Style, Value, json};
use libyaml_safer::{Event, EventData, Parser, ScalarStyle};
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
    /// Whether it is about a key that stands twice.
    pub doubled_key: bool,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.span.start.line, self.span.start.column, self.message)
    }
}

impl std::error::Error for ParseError {}

/// What scalars mean, and whether a key may stand twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Plain scalars as CloudFormation takes them: YAML 1.1's booleans (`Yes`, `off`), and numbers that stay as they
    /// were written where JSON would write them otherwise (`1.30`, `1e3`, `0x1F`); and merge keys. Else YAML 1.2's core
    /// schema, without them.
    cloudformation: bool,
    /// Of equal keys the last one counts, as for CloudFormation; else they are an error.
    last_key_counts: bool,
}

impl Dialect {
    /// Environment files and manifests.
    pub const PROJECT: Dialect = Dialect { cloudformation: false, last_key_counts: false };
    /// Templates in which a doubled key is a mistake: a project's own.
    pub const OWN_TEMPLATE: Dialect = Dialect { cloudformation: true, last_key_counts: false };
    /// Templates that CloudFormation has, or is asked to take.
    pub const TEMPLATE: Dialect = Dialect { cloudformation: true, last_key_counts: true };

    /// A scalar without quotes and tags.
    pub(super) fn plain(self, text: String) -> Scalar {
        let scalar = Scalar { text, style: Style::Plain };
        if !self.cloudformation || scalar.is_null() {
            return scalar;
        }
        if let Some(truth) = boolean(&scalar.text) {
            return Scalar { text: truth.to_string(), style: Style::Plain };
        }
        let as_written =
            matches!(scalar.to_json(), serde_json::Value::Number(number) if number.to_string() == scalar.text);
        Scalar { style: if as_written { Style::Plain } else { Style::Text }, ..scalar }
    }
}

/// Names of conditions, parameters and their like that are booleans of YAML 1.1 (`On`, `Off`). What is a name in a template
/// is one everywhere in it: a reference does not become a boolean that names nothing.
fn names(root: &Node) -> HashSet<String> {
    let sections = ["Conditions", "Mappings", "Parameters", "Resources"];
    let members = sections.iter().filter_map(|section| root.get(section)?.as_map()).flatten();
    let keys = members.flat_map(|member| {
        let below = member.value.as_map().unwrap_or_default().iter().map(|entry| &entry.key);
        std::iter::once(&member.key).chain(below)
    });
    keys.filter(|key| boolean(key).is_some()).cloned().collect()
}

/// Makes of plain scalars what they are to CloudFormation.
fn as_cloudformation_means(node: &mut Node, names: &HashSet<String>, dialect: Dialect) {
    match &mut node.value {
        Value::Scalar(scalar) if scalar.style == Style::Plain && node.tag.is_none() => {
            let text = std::mem::take(&mut scalar.text);
            *scalar = match names.contains(&text) {
                true => Scalar { text, style: Style::Text },
                false => dialect.plain(text),
            };
        }
        Value::Scalar(_) => {}
        Value::List(items) => items.iter_mut().for_each(|item| as_cloudformation_means(item, names, dialect)),
        Value::Map(entries) => {
            entries.iter_mut().for_each(|entry| as_cloudformation_means(&mut entry.value, names, dialect));
        }
    }
}

/// Booleans of YAML 1.1, as far as SnakeYAML takes them: not the single letters `y` and `n`.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

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
            if dialect.cloudformation {
                let names = names(&root);
                as_cloudformation_means(&mut root, &names, dialect);
            }
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
    let mut events = Parser::new();
    events.set_input(text.as_bytes());
    let places = Places::new(text);
    let mut builder = Builder { events, text, places, limits, dialect, nodes: 0, anchors: HashMap::new() };
    match json::read(text, &mut builder) {
        Some(root) => Ok(vec![root?]),
        None => builder.documents(),
    }
}

pub(super) struct Builder<'t> {
    events: Parser<&'t [u8]>,
    text: &'t str,
    places: Places<'t>,
    limits: Limits,
    dialect: Dialect,
    nodes: usize,
    /// Nodes by anchor, with their number of nodes; `None` while they are not finished.
    anchors: HashMap<String, Option<(Node, usize)>>,
}

impl Builder<'_> {
    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn documents(mut self) -> Result<Vec<Node>, ParseError> {
        let mut documents = Vec::new();
        loop {
            let (event, span) = self.next()?;
            match event {
                EventData::StreamEnd => return Ok(documents),
                EventData::DocumentStart { .. } => {
                    let (event, span) = self.next()?;
                    documents.push(self.node(event, span, 0)?);
                    self.anchors.clear();
                }
                EventData::StreamStart { .. } | EventData::DocumentEnd { .. } => {}
                _ => return Err(error("content outside a document", span)),
            }
        }
    }

    fn next(&mut self) -> Result<(EventData, Span), ParseError> {
        match self.events.parse() {
            Ok(Event { data, start_mark, end_mark, .. }) => {
                let span = Span { start: self.position(start_mark), end: self.position(end_mark) };
                Ok((data, span))
            }
            Err(error) => Err(self.broken(&error)),
        }
    }

    fn position(&self, mark: libyaml_safer::Mark) -> Position {
        self.places.position(usize::try_from(mark.index).unwrap_or(usize::MAX))
    }

    /// The parser's error with its place, and the place of what it was about.
    fn broken(&self, broken: &libyaml_safer::Error) -> ParseError {
        let at = |position: Position| Span { start: position, end: position };
        let Some(mark) = broken.problem_mark() else {
            // Of characters that no YAML may have, the parser says no more than that there are some.
            let byte = self.text.char_indices().find(|(_, c)| !is_printable(*c)).map_or(0, |(byte, _)| byte);
            return error(broken.problem(), at(self.places.position(byte)));
        };
        let rest = self.text.get(usize::try_from(mark.index).unwrap_or(usize::MAX)..);
        let message = match rest.and_then(|rest| rest.chars().next()) {
            Some('\t') if broken.problem().contains("cannot start any token") => {
                "a tab stands here; indent with spaces".to_owned()
            }
            Some(c) if broken.problem().contains("cannot start any token") => {
                format!("a value cannot start with `{c}`; put it in quotes")
            }
            _ => match broken.context() {
                Some(context) => format!("{} {context}", broken.problem()),
                None => broken.problem().to_owned(),
            },
        };
        // A text or a bracket that never ends is best shown where it begins.
        if broken.problem().contains("end of stream")
            && let Some(begin) = broken.context_mark()
        {
            return error(&message, at(self.position(begin)));
        }
        let here = self.position(mark);
        let begin = broken.context_mark().map(|context| self.position(context)).filter(|begin| begin.line != here.line);
        let related = begin.map(|begin| ("it starts here".to_owned(), at(begin)));
        ParseError { related, ..error(&message, at(here)) }
    }

    /// Counts a node at a depth.
    pub(super) fn enter(&mut self, depth: usize, span: Span) -> Result<(), ParseError> {
        self.count(1, span)?;
        match depth > self.limits.depth {
            true => Err(error(&format!("nested deeper than {} levels", self.limits.depth), span)),
            false => Ok(()),
        }
    }

    fn node(&mut self, event: EventData, span: Span, depth: usize) -> Result<Node, ParseError> {
        self.enter(depth, span)?;
        let before = self.nodes;
        let (EventData::Scalar { anchor, tag, .. }
        | EventData::SequenceStart { anchor, tag, .. }
        | EventData::MappingStart { anchor, tag, .. }) = &event
        else {
            return match event {
                EventData::Alias { anchor } => self.alias(&anchor, span),
                _ => Err(error("a value was expected here", span)),
            };
        };
        let (anchor, tag) = (anchor.clone(), Tag::read(tag.as_deref(), span)?);
        if let Some(anchor) = &anchor {
            self.anchors.insert(anchor.clone(), None);
        }
        let node = match event {
            EventData::Scalar { value, style, .. } => self.scalar(value, style, tag, span),
            EventData::SequenceStart { .. } => self.list(tag, span, depth)?,
            _ => self.map(tag, span, depth)?,
        };
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, Some((node.clone(), self.nodes - before + 1)));
        }
        Ok(node)
    }

    fn scalar(&self, text: String, style: ScalarStyle, tag: Tag, span: Span) -> Node {
        let scalar = match (&tag, style) {
            (Tag::Text, _) => Scalar { text, style: Style::Text },
            (Tag::None | Tag::Core, ScalarStyle::Plain) | (Tag::Core, _) => Scalar { text, style: Style::Plain },
            // What a function of a template gets is text, unless it gets nothing.
            (Tag::Local(_), ScalarStyle::Plain) if !self.dialect.cloudformation || text.is_empty() => {
                Scalar { text, style: Style::Plain }
            }
            _ => Scalar { text, style: Style::Text },
        };
        Node { span, tag: tag.local(), value: Value::Scalar(scalar) }
    }

    fn alias(&mut self, anchor: &str, span: Span) -> Result<Node, ParseError> {
        let (node, size) = match self.anchors.get(anchor) {
            Some(Some((node, size))) => (node.clone(), *size),
            Some(None) => return Err(error("this alias refers to a node that contains it", span)),
            None => return Err(error(&format!("there is no anchor `&{anchor}` before this alias"), span)),
        };
        self.count(size, span)?;
        Ok(Node { span, ..node })
    }

    fn list(&mut self, tag: Tag, start: Span, depth: usize) -> Result<Node, ParseError> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if let EventData::SequenceEnd = event {
                let span = Span { start: start.start, end: span.end };
                return Ok(Node { span, tag: tag.local(), value: Value::List(items) });
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn map(&mut self, tag: Tag, start: Span, depth: usize) -> Result<Node, ParseError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = Seen::default();
        let mut from_others = Merged::default();
        loop {
            let (event, key_span) = self.next()?;
            if let EventData::MappingEnd = event {
                let span = Span { start: start.start, end: key_span.end };
                let entries = merged(entries, from_others);
                return Ok(Node { span, tag: tag.local(), value: Value::Map(entries) });
            }
            let merges = self.dialect.cloudformation && is_merge_key(&event);
            let key = self.key(event, key_span)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            if merges {
                from_others.add(value)?;
            } else {
                seen.add(Entry { key, key_span, value }, &mut entries, self.dialect)?;
            }
        }
    }

    fn key(&self, event: EventData, span: Span) -> Result<String, ParseError> {
        match event {
            EventData::Scalar { value, style, .. } if !value.is_empty() || style != ScalarStyle::Plain => Ok(value),
            EventData::Scalar { .. } => Err(error("a key is missing here", span)),
            EventData::Alias { anchor } => match self.anchors.get(&anchor) {
                Some(Some((Node { value: Value::Scalar(scalar), .. }, _))) => Ok(scalar.text.clone()),
                _ => Err(error("a key must be text", span)),
            },
            _ => Err(error("a key must be text", span)),
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

/// Keys of a map, by their place among its entries.
#[derive(Default)]
pub(super) struct Seen(HashMap<String, usize>);

impl Seen {
    /// Adds an entry, or refuses it, or lets it take the place of an equal one.
    pub(super) fn add(&mut self, entry: Entry, to: &mut Vec<Entry>, dialect: Dialect) -> Result<(), ParseError> {
        match self.0.get(&entry.key) {
            None => {
                self.0.insert(entry.key.clone(), to.len());
                to.push(entry);
                Ok(())
            }
            Some(at) if dialect.last_key_counts => {
                to[*at] = entry;
                Ok(())
            }
            Some(at) => Err(ParseError {
                message: format!("`{}` stands here a second time", entry.key),
                span: entry.key_span,
                related: Some(("it is here already".to_owned(), to[*at].key_span)),
                doubled_key: true,
            }),
        }
    }
}

/// What a tag means.
enum Tag {
    None,
    /// `!!str`.
    Text,
    /// Another tag of YAML's own that needs no more than the value itself.
    Core,
    /// One of CloudFormation's, without its `!`.
    Local(String),
}

impl Tag {
    fn read(tag: Option<&str>, span: Span) -> Result<Tag, ParseError> {
        let Some(tag) = tag else { return Ok(Tag::None) };
        match tag.strip_prefix("tag:yaml.org,2002:") {
            Some("str") => Ok(Tag::Text),
            Some("int" | "float" | "bool" | "null" | "map" | "seq" | "merge") => Ok(Tag::Core),
            Some(other) => {
                Err(error(&format!("the tag `!!{other}` is not supported, as CloudFormation has none"), span))
            }
            None => Ok(Tag::Local(tag.strip_prefix('!').unwrap_or(tag).to_owned())),
        }
    }

    fn local(self) -> Option<String> {
        match self {
            Tag::Local(name) => Some(name),
            _ => None,
        }
    }
}

/// Whether a key is YAML 1.1's `<<`.
fn is_merge_key(key: &EventData) -> bool {
    matches!(key, EventData::Scalar { value, style: ScalarStyle::Plain, tag, .. } if value == "<<" && tag.is_none())
        || matches!(key, EventData::Scalar { tag: Some(tag), .. } if tag == "tag:yaml.org,2002:merge")
}

/// Characters that YAML allows in a text.
fn is_printable(c: char) -> bool {
    !(c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}') || matches!(c, '\u{fffe}' | '\u{ffff}'))
}

fn null(span: Span) -> Node {
    Node { span, tag: None, value: Value::Scalar(Scalar { text: String::new(), style: Style::Plain }) }
}

pub(super) fn error(message: &str, span: Span) -> ParseError {
    ParseError { message: message.to_owned(), span, related: None, doubled_key: false }
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
        assert!(refused("a: *nothing\n").starts_with("line 1, column 4: there is no anchor `&nothing`"));
        assert!(refused("a: &a [*a]\n").contains("a node that contains it"));
        assert!(refused("a: é\u{7}\n").starts_with("line 1, column 5: control characters"));
        assert_eq!(refused("a:\n\tb: 1\n"), "line 2, column 1: a tab stands here; indent with spaces");
        assert_eq!(refused("a: @b\n"), "line 1, column 4: a value cannot start with `@`; put it in quotes");
        assert_eq!(refused("? : b\n"), "line 1, column 3: a key must be text");
        assert!(refused("? [a]\n: 1\n").contains("a key must be text"));
    }

    fn template(text: &str) -> serde_json::Value {
        let tree = parse_as(text, Limits::default(), Dialect::TEMPLATE).unwrap_or_else(|error| panic!("{error}"));
        tree.to_json()
    }

    #[test]
    fn brackets_and_quotes_do_not_care_for_indentation() {
        let cases = [
            ("a: [\n  b,\n  c\n]\nd: e\n", json!({"a": ["b", "c"], "d": "e"})),
            ("a:\n  b: {\n  c: d\n  }\n  e: f\n", json!({"a": {"b": {"c": "d"}, "e": "f"}})),
            ("a:\n  - b: [\n    x\n    ]\n    c: d\n", json!({"a": [{"b": ["x"], "c": "d"}]})),
            ("a:\n  b: '{\n    c\n  }'\n  d: e\n", json!({"a": {"b": "{ c }", "d": "e"}})),
            ("a:\n  b: \"one\n  two\"\n  c: d\n", json!({"a": {"b": "one two", "c": "d"}})),
            ("a:\n  b: \"one\ntwo\n\nthree\"\n", json!({"a": {"b": "one two\nthree"}})),
            ("a: {b: [\n1,\n2]\n,c: d}\n", json!({"a": {"b": [1, 2], "c": "d"}})),
            ("a: !Sub '\n  x\n'\n", json!({"a": " x "})),
            ("a: [b, # c\n  d]\n", json!({"a": ["b", "d"]})),
            ("a: [\"b\",\n\t\"c\"]\n", json!({"a": ["b", "c"]})),
            ("%YAML 1.1\n---\na: b\t# c\n...\n", json!({"a": "b"})),
        ];
        for (text, expected) in cases {
            assert_eq!(template(text), expected, "{text}");
            assert_eq!(tree(text).to_json(), expected, "{text}");
        }
    }

    #[test]
    fn templates_have_the_booleans_of_yaml_1_1() {
        let text = "[Yes, off, On, no, True, FALSE, y, N, 'yes', !!str no, yes sir]";
        let expected = json!([true, false, true, false, true, false, "y", "N", "yes", "no", "yes sir"]);
        assert_eq!(template(text), expected);
        assert_eq!(tree("[Yes, off]").to_json(), json!(["Yes", "off"]));
        assert_eq!(template("On: 1"), json!({"On": 1}));
        let named = template("Conditions: {Off: x}\nA: {Condition: Off, B: !If [Off, On]}");
        assert_eq!(named["A"], json!({"Condition": "Off", "B": ["Off", true]}));
    }

    #[test]
    fn numbers_of_templates_stay_as_they_were_written() {
        for text in
            ["1.30", "1e3", "0x1F", "0o17", "012", "1_000", "12345678901234567890123", "2012-10-17", "+1", "1:30"]
        {
            assert_eq!(template(text), json!(text));
        }
        assert_eq!(
            template("[1, -1, 1.5, 0, 12345678901234567890]"),
            json!([1, -1, 1.5, 0, 12_345_678_901_234_567_890_u64])
        );
    }

    #[test]
    fn the_last_of_equal_keys_counts_for_cloudformation() {
        assert_eq!(template("a: 1\nb: 2\na: 3\n"), json!({"a": 3, "b": 2}));
        let own = parse_as("a: 1\na: 3\n", Limits::default(), Dialect::OWN_TEMPLATE).expect_err("doubled");
        assert_eq!(own.span.start.line, 2);
    }

    #[test]
    fn tags_that_nobody_understands_are_refused_by_name() {
        for tag in ["binary", "timestamp", "omap", "pairs", "set"] {
            let error = refused(&format!("a:\n  - !!{tag} x\n"));
            assert!(error.starts_with("line 2, column 5") && error.contains(&format!("`!!{tag}`")), "{error}");
        }
        assert_eq!(tree("[!!int '12', !!seq [], !!map {}]").to_json(), json!([12, [], {}]));
    }

    #[test]
    fn positions_count_characters_behind_other_scripts() {
        let node = tree("ü: 'é'\r\nb: [x, {c: ö}]\r\n");
        let inner = &node.get("b").and_then(Node::as_list).expect("a list")[1];
        let c = inner.entry("c").expect("c");
        assert_eq!((c.key_span.start.line, c.key_span.start.column, c.key_span.start.offset), (2, 9, 16));
        assert_eq!((c.value.span.start.column, c.value.span.end.column), (12, 13));
    }
}

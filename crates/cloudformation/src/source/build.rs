//! From events to nodes: aliases expanded, keys held apart, sizes counted.

use super::dialect::Dialect;
use super::events::Events;
use super::merge::{Merged, merged};
use super::parse::{Limits, ParseError, error};
use super::{Entry, Node, Scalar, Span, Style, Value};
use libyaml_safer::{EventData, ScalarStyle};
use std::collections::HashMap;

pub(super) struct Builder<'t> {
    events: Events<'t>,
    limits: Limits,
    dialect: Dialect,
    nodes: usize,
    /// Nodes by anchor, with their number of nodes; `None` while they are not finished.
    anchors: HashMap<String, Option<(Node, usize)>>,
}

impl<'t> Builder<'t> {
    pub(super) fn new(text: &'t str, limits: Limits, dialect: Dialect) -> Builder<'t> {
        Builder { events: Events::new(text), limits, dialect, nodes: 0, anchors: HashMap::new() }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Returns the trees of all documents.
    ///
    /// # Errors
    /// The first thing that is wrong: syntax, a duplicate key, or a limit passed.
    pub(super) fn documents(mut self) -> Result<Vec<Node>, ParseError> {
        let mut documents = Vec::new();
        loop {
            let (event, span) = self.events.next()?;
            match event {
                EventData::StreamEnd => return Ok(documents),
                EventData::DocumentStart { .. } => {
                    let (event, span) = self.events.next()?;
                    documents.push(self.node(event, span, 0)?);
                    self.anchors.clear();
                }
                EventData::StreamStart { .. } | EventData::DocumentEnd { .. } => {}
                _ => return Err(error("content outside a document", span)),
            }
        }
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
            (Tag::Local(_), ScalarStyle::Plain) if !self.dialect.is_cloudformation() || text.is_empty() => {
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
            let (event, span) = self.events.next()?;
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
            let (event, key_span) = self.events.next()?;
            if let EventData::MappingEnd = event {
                let span = Span { start: start.start, end: key_span.end };
                let entries = merged(entries, from_others);
                return Ok(Node { span, tag: tag.local(), value: Value::Map(entries) });
            }
            let merges = self.dialect.is_cloudformation() && is_merge_key(&event);
            let key = self.key(event, key_span)?;
            let (event, span) = self.events.next()?;
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
            Some(at) if dialect.last_key_counts() => {
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

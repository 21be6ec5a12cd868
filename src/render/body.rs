//! The rendered text of a body → a CloudFormation template, or problems at the places of the source.

use super::marks::{REFERENCE, Trace};
use super::workshop::Workshop;
use crate::problem::{Problem, nearest};
use cloudformation::source::{Dialect, Limits, Node, Position, Span, Style, Value, parse_as};
use cloudformation::template::{FUNCTIONS, Template};
use std::collections::HashSet;

/// YAML of a body is bigger than the JSON that comes of it; CloudFormation's limit is checked on that.
const LIMITS: Limits = Limits { bytes: 8 * 1024 * 1024, depth: 64, nodes: 400_000 };

/// Reads what a template rendered to.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(trace: &Trace, workshop: &Workshop) -> Result<Template, Vec<Problem>> {
    let root = match parse_as(&trace.text, LIMITS, Dialect::OWN_TEMPLATE) {
        Ok(root) => root,
        Err(error) => {
            let mut problem = workshop.problem_at(trace, error.span, "rendered-syntax", error.message);
            if let Some((label, span)) = error.related {
                let at = workshop.locate(trace, span).0;
                problem = match error.doubled_key && problem.at.as_ref() == Some(&at) {
                    true => problem.label("written more than once: by the turns of a loop, or by several calls"),
                    false => problem.related(at, label),
                };
            }
            problem.help = match json_on_line(trace, error.span.start) {
                true => {
                    Some("`tojson` writes a whole value, with its own quotes: let nothing stand beside it".to_owned())
                }
                false if unquoted_reference(trace, error.span) => {
                    Some("write a dynamic reference in quotes: \"{{resolve:…}}\"".to_owned())
                }
                false => rendered_line(trace, error.span, &problem),
            };
            return Err(vec![problem]);
        }
    };
    let root = without_empty_sections(root);
    let mut problems = misplaced_json(&root, trace, workshop);
    joined_values(&root, trace, workshop, &mut problems);
    let (template, found) = Template::from_node(root);
    problems.extend(found.into_iter().map(|found| {
        let help = unknown_tag(&found.message);
        let mut problem = workshop.problem_at(trace, found.span, "template", found.message);
        problem.label = found.detail.unwrap_or_default();
        problem.help = help.or_else(|| rendered_line(trace, found.span, &problem));
        problem
    }));
    if problems.is_empty() { Ok(template) } else { Err(problems) }
}

/// Whether a value on the line begins with a dynamic reference, whose braces are a map's without quotes.
fn unquoted_reference(trace: &Trace, span: Span) -> bool {
    let line = trace.text.lines().nth(span.start.line.saturating_sub(1)).unwrap_or_default();
    line.match_indices(REFERENCE).any(|(at, _)| line[..at].ends_with([' ', ',', '[']))
}

/// What a line has become, where it is not what the template says.
fn rendered_line(trace: &Trace, span: Span, problem: &Problem) -> Option<String> {
    let at = problem.at.as_ref()?;
    let line = trace.text.lines().nth(span.start.line.checked_sub(1)?)?.trim();
    let written = at.file.text.lines().nth(at.span.start.line.checked_sub(1)?)?.trim();
    let shown: String = line.chars().take(160).collect();
    let more = if shown.len() < line.len() { "…" } else { "" };
    (line != written && !line.is_empty()).then(|| format!("the line renders to `{shown}{more}`"))
}

fn unknown_tag(message: &str) -> Option<String> {
    let (_, tag) = message.split_once("Unknown tag !")?;
    let known = FUNCTIONS.iter().map(|(_, short)| *short);
    nearest(tag, known).map(|near| format!("did you mean `!{near}`?"))
}

/// Pieces that are texts by themselves may make a number, a boolean or a null together: `1.` and `5`.
fn joined_values(node: &Node, trace: &Trace, workshop: &Workshop, problems: &mut Vec<Problem>) {
    match &node.value {
        Value::Scalar(scalar) => {
            let joined = |at: &usize| node.span.start.offset <= *at && *at < node.span.end.offset;
            if !scalar.is_string() && node.tag.is_none() && trace.joined.iter().any(joined) {
                let message = format!("put together, this is {}: `{}`", node.kind(), scalar.text);
                let problem = workshop.problem_at(trace, node.span, "value", message);
                problems.push(problem.help("write text in quotes, and compute a number within one `{{ … }}`"));
            }
        }
        Value::List(items) => items.iter().for_each(|item| joined_values(item, trace, workshop, problems)),
        Value::Map(entries) => entries.iter().for_each(|entry| joined_values(&entry.value, trace, workshop, problems)),
    }
}

/// A section whose members all depend on something is left with its name alone.
fn without_empty_sections(root: Node) -> Node {
    match root.value {
        Value::Map(entries) => {
            let entries = entries.into_iter().filter(|entry| !entry.value.is_null()).collect();
            Node { value: Value::Map(entries), ..root }
        }
        value => Node { value, ..root },
    }
}

fn json_on_line(trace: &Trace, at: Position) -> bool {
    let before = trace.text.lines().take(at.line.saturating_sub(1)).map(|line| line.chars().count() + 1).sum::<usize>();
    let length = trace.text.lines().nth(at.line.saturating_sub(1)).map_or(0, |line| line.chars().count());
    trace.json.iter().any(|json| json.start < before + length && json.end > before)
}

/// What `tojson` wrote must be a node of the tree, neither more nor less: beside other text, a quote or a `#` in a value
/// would end the value. In block scalars and comments it is text among text.
fn misplaced_json(root: &Node, trace: &Trace, workshop: &Workshop) -> Vec<Problem> {
    if trace.json.is_empty() {
        return Vec::new();
    }
    let text: Vec<char> = trace.text.chars().collect();
    let mut nodes = Nodes { text: &text, whole: HashSet::new(), blocks: Vec::new(), leaves: Vec::new() };
    nodes.collect(root);
    let whole = |start: usize, end: usize| nodes.whole.contains(&(start, end));
    let free = |start: usize, end: usize| {
        let overlaps = |(from, to): &(usize, usize)| *from < end && start < *to;
        nodes.blocks.iter().any(|(from, to)| *from <= start && end <= *to) || !nodes.leaves.iter().any(overlaps)
    };
    let inner = |json: &&std::ops::Range<usize>| {
        // `tojson` of what `tojson` wrote brackets once more; the outer bracket is what counts.
        trace.json.iter().any(|other| other.start <= json.start && json.end <= other.end && other != *json)
    };
    let wrong =
        trace.json.iter().filter(|json| !inner(json) && !whole(json.start, json.end) && !free(json.start, json.end));
    wrong
        .map(|json| {
            let line = trace.text.chars().take(json.start).filter(|c| *c == '\n').count() + 1;
            let start = Position { line, column: 1, offset: json.start };
            let span = Span { start, end: Position { offset: json.start, ..start } };
            let message = "what `tojson` writes is not a whole value here";
            workshop
                .problem_at(trace, span, "value", message)
                .label("there is other text beside it")
                .help("join texts first, and write the whole: `{{ (\"…\" ~ x) | tojson }}`")
        })
        .collect()
}

struct Nodes<'t> {
    text: &'t [char],
    /// Ranges of all nodes and keys, without their tags and what follows them.
    whole: HashSet<(usize, usize)>,
    /// Ranges of block scalars.
    blocks: Vec<(usize, usize)>,
    /// Ranges of scalars and keys.
    leaves: Vec<(usize, usize)>,
}

impl Nodes<'_> {
    fn collect(&mut self, node: &Node) {
        let start = self.behind_tag(node);
        match &node.value {
            Value::Scalar(scalar) => {
                let end = node.span.end.offset;
                self.leaf(start, end);
                // No other text starts with a block scalar's indicator.
                if scalar.style == Style::Text && matches!(self.text.get(start), Some('|' | '>')) {
                    self.blocks.push((start, end));
                }
            }
            Value::List(items) => {
                self.whole.insert((start, node.span.end.offset));
                items.iter().for_each(|item| self.collect(item));
            }
            Value::Map(entries) => {
                self.whole.insert((start, node.span.end.offset));
                for entry in entries {
                    self.leaf(entry.key_span.start.offset, entry.key_span.end.offset);
                    self.collect(&entry.value);
                }
            }
        }
    }

    fn leaf(&mut self, start: usize, end: usize) {
        self.whole.insert((start, end));
        self.leaves.push((start, end));
    }

    /// A tagged node's span starts at its tag.
    fn behind_tag(&self, node: &Node) -> usize {
        let start = node.span.start.offset;
        if node.tag.is_none() || self.text.get(start) != Some(&'!') {
            return start;
        }
        let tag = self.text[start..].iter().take_while(|c| !c.is_whitespace()).count();
        start + tag + self.text[start + tag..].iter().take_while(|c| c.is_whitespace()).count()
    }
}

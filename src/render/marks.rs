//! Marks: characters for private use that travel with the text through rendering and say afterwards where each part of
//! the result came from.
//!
//! Before rendering, [`mark`] puts a line mark before the text of each line that can start something in YAML, and a call
//! and a return mark around a macro call that has a line to itself, and another mark before what is printed right beside
//! other text. CloudFormation's own `{{resolve:…}}` is put into `raw` tags, which take part as marks do. While rendering, `tojson` brackets what it writes. Afterwards [`Trace::read`] takes all marks out and keeps what they said. Nothing else may have such characters: sources
//! and inputs with them are refused when they are read.

use std::ops::Range;

/// From here on, a character stands for a line number.
const LINES: u32 = 0xF_0000;
/// From here on, a character stands for a file's number.
const FILES: u32 = 0x10_0000;
const MOST_FILES: u32 = 0x1000;
const CALL: char = '\u{10F000}';
const RETURN: char = '\u{10F001}';
pub const JSON_START: char = '\u{10F002}';
pub const JSON_END: char = '\u{10F003}';
const JOINED: char = '\u{10F004}';

/// A line of a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Number of the file among those of a rendering.
    pub file: usize,
    /// From 1.
    pub line: usize,
}

/// A source with marks.
#[derive(Debug)]
pub struct Marked {
    pub text: String,
    /// Bytes of `text` where a mark ends, with the bytes of all marks up to there.
    inserted: Vec<(usize, usize)>,
}

impl Marked {
    /// The byte of the source that stands at a byte of the marked text.
    pub fn original(&self, marked: usize) -> usize {
        let before = self.inserted.partition_point(|(end, _)| *end <= marked);
        let shift = before.checked_sub(1).map_or(0, |last| self.inserted[last].1);
        marked.saturating_sub(shift)
    }
}

/// Marks a source. `file` is its number; `first_line` the number of its first line.
pub fn mark(source: &str, file: usize, first_line: usize) -> Marked {
    let mut marker =
        Marker { source, file, text: String::with_capacity(source.len() * 2), inserted: Vec::new(), copied: 0 };
    marker.run(first_line);
    Marked { text: marker.text, inserted: marker.inserted }
}

struct Marker<'s> {
    source: &'s str,
    file: usize,
    text: String,
    inserted: Vec<(usize, usize)>,
    /// Bytes of the source that are in `text`.
    copied: usize,
}

impl Marker<'_> {
    fn run(&mut self, first_line: usize) {
        let (mut at, mut line) = (0, first_line);
        // Text that becomes a value, and is not printed where it stands, keeps no line marks.
        let mut in_value = false;
        while at < self.source.len() {
            let end = self.source[at..].find('\n').map_or(self.source.len(), |length| at + length + 1);
            let start = at + (self.source[at..end].len() - self.source[at..end].trim_start_matches([' ', '\t']).len());
            let rest = &self.source[start..end];
            let mut position = start;
            let marks = !in_value && starts_something(rest);
            if let Some(call_end) = call(self.source, start).filter(|_| !in_value) {
                self.insert(start, Some(CALL), line);
                self.copy(call_end);
                self.text.push(RETURN);
                self.noted(RETURN.len_utf8());
                position = call_end;
            } else if marks {
                self.insert(start, None, line);
            }
            // Tags may span lines; the next line starts where the last tag that begins on this one has ended.
            let mut line_end = end.max(position);
            while let Some(tag) = tag(self.source, position, line_end) {
                if marks && tag.kind != Tag::Reference && self.joins(&tag.range) {
                    self.copy(tag.range.start);
                    self.text.push(JOINED);
                    self.noted(JOINED.len_utf8());
                }
                match tag.kind {
                    Tag::SetBlock => in_value = true,
                    Tag::EndSetBlock => in_value = false,
                    Tag::Reference => {
                        // With `+`, the indentation before it stays.
                        self.copy(tag.range.start);
                        self.wrap("{%+ raw %}");
                        self.copy(tag.range.end);
                        self.wrap("{% endraw %}");
                    }
                    Tag::Raw | Tag::Other => {}
                }
                position = tag.range.end;
                if position >= line_end {
                    line_end =
                        self.source[position..].find('\n').map_or(self.source.len(), |length| position + length + 1);
                }
            }
            line += self.source[at..line_end].matches('\n').count();
            at = line_end;
        }
        self.copy(self.source.len());
    }

    /// Whether something is printed right beside other text, so that both may be one scalar.
    fn joins(&self, tag: &Range<usize>) -> bool {
        let tag_text = &self.source[tag.clone()];
        let beside = |c: Option<char>| {
            c.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '-' | '{' | '}'))
        };
        let before = self.source[..tag.start].chars().next_back();
        let after = self.source[tag.end..].chars().next();
        // Whitespace control reaches for the text before it, and a mark would be in its way.
        tag_text.starts_with("{{")
            && !tag_text.starts_with("{{-")
            && (beside(before) && before != Some('{') || beside(after) && after != Some('}'))
    }

    fn copy(&mut self, to: usize) {
        self.text.push_str(&self.source[self.copied..to]);
        self.copied = to;
    }

    fn insert(&mut self, at: usize, call: Option<char>, line: usize) {
        self.copy(at);
        let before = self.text.len();
        self.text.extend(call);
        self.text.extend(char::from_u32(FILES + (self.file as u32).min(MOST_FILES - 1)));
        self.text.extend(char::from_u32(LINES + line as u32));
        self.noted(self.text.len() - before);
    }

    fn wrap(&mut self, tag: &str) {
        self.text.push_str(tag);
        self.noted(tag.len());
    }

    fn noted(&mut self, bytes: usize) {
        let so_far = self.inserted.last().map_or(0, |(_, sum)| *sum);
        self.inserted.push((self.text.len(), so_far + bytes));
    }
}

/// Lines with a key, an item or a printed text that is no call. Other lines (the text of a macro that gives a name) are
/// left alone: what they give may be compared or measured.
fn starts_something(line: &str) -> bool {
    !line.starts_with("{%")
        && !line.starts_with("{#")
        && !line.starts_with("{{-")
        && (line.starts_with('-') || line.contains(':'))
}

/// The end of a printed macro call that starts at `start`: `{{ name(…) }}`.
fn call(source: &str, start: usize) -> Option<usize> {
    let inside = source[start..].strip_prefix("{{")?.trim_start();
    let name = inside.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').filter(|length| *length > 0)?;
    let end = tag_end(source, start + 2, "}}")?;
    // Whitespace control reaches for the text behind it, and a mark would be in its way.
    (inside[name..].starts_with('(') && !source[..end].ends_with("-}}")).then_some(end)
}

/// How CloudFormation's dynamic references begin. No expression does: a name is followed by no colon.
pub const REFERENCE: &str = "{{resolve:";

struct FoundTag {
    kind: Tag,
    range: Range<usize>,
}

#[derive(Debug, PartialEq, Eq)]
enum Tag {
    /// `{% set name %}`, up to `{% endset %}`.
    SetBlock,
    EndSetBlock,
    /// From `{% raw %}` to the end of `{% endraw %}`.
    Raw,
    /// The beginning of one of CloudFormation's dynamic references, which is no tag: [`REFERENCE`].
    Reference,
    Other,
}

/// The next tag that starts in `from..before`.
fn tag(source: &str, from: usize, before: usize) -> Option<FoundTag> {
    let opens = |start: &str| source.get(from..before)?.find(start).map(|at| (from + at, start.to_owned()));
    let (start, opening) = [opens("{{"), opens("{%"), opens("{#")].into_iter().flatten().min()?;
    if source[start..].starts_with(REFERENCE) {
        return Some(FoundTag { kind: Tag::Reference, range: start..start + REFERENCE.len() });
    }
    let inside = start + 2;
    let end = match opening.as_str() {
        "{{" => tag_end(source, inside, "}}")?,
        "{#" => inside + source[inside..].find("#}")? + 2,
        _ => tag_end(source, inside, "%}")?,
    };
    let mut found = FoundTag { kind: Tag::Other, range: start..end };
    if opening == "{%" {
        let words = source[inside..end - 2].trim_matches(['-', '+']).trim();
        match words.split_whitespace().next() {
            Some("set") if !words.contains('=') => found.kind = Tag::SetBlock,
            Some("endset") => found.kind = Tag::EndSetBlock,
            Some("raw") => {
                found.kind = Tag::Raw;
                let close = source[end..].find("endraw").map_or(source.len(), |at| end + at);
                found.range.end = source[close..].find("%}").map_or(source.len(), |at| close + at + 2);
            }
            _ => {}
        }
    }
    Some(found)
}

/// The end of a tag whose inside starts at `from`: behind the first `close` outside strings and brackets.
fn tag_end(source: &str, from: usize, close: &str) -> Option<usize> {
    let bytes = source.as_bytes();
    let (mut at, mut depth, mut quote) = (from, 0_usize, None);
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (Some(_), b'\\') => at += 1,
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, byte @ (b'"' | b'\'')) => quote = Some(byte),
            (None, _) if depth == 0 && source.as_bytes()[at..].starts_with(close.as_bytes()) => {
                return Some(at + close.len());
            }
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where a part of the rendered text came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    pub at: Line,
    /// The outermost macro call that wrote it.
    pub call: Option<Line>,
}

/// A rendered text without its marks, and what they said.
#[derive(Debug)]
pub struct Trace {
    pub text: String,
    /// By the character from which on it holds; sorted.
    origins: Vec<(usize, Origin)>,
    /// Characters that `tojson` wrote.
    pub json: Vec<Range<usize>>,
    /// Characters at which something was printed right beside other text.
    pub joined: Vec<usize>,
}

impl Trace {
    /// `start`: the line that text before the first mark belongs to.
    pub fn read(rendered: &str, start: Line) -> Trace {
        let mut trace = Trace {
            text: String::with_capacity(rendered.len()),
            origins: Vec::new(),
            json: Vec::new(),
            joined: Vec::new(),
        };
        let mut current = Origin { at: start, call: None };
        let mut calls: Vec<Origin> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        let (mut offset, mut file, mut calling) = (0, start.file, false);
        trace.origins.push((0, current));
        for c in rendered.chars() {
            if !is_mark(c) {
                trace.text.push(c);
                offset += 1;
                continue;
            }
            match c {
                CALL => calling = true,
                RETURN => {
                    current = calls.pop().unwrap_or(current);
                    trace.origins.push((offset, current));
                }
                JOINED => trace.joined.push(offset),
                JSON_START => open.push(offset),
                JSON_END => trace.json.extend(open.pop().map(|start| start..offset)),
                c if c as u32 >= FILES => file = (c as u32 - FILES) as usize,
                c => {
                    let at = Line { file, line: (c as u32 - LINES) as usize };
                    let outer = if calls.is_empty() { None } else { current.call };
                    if calling {
                        calls.push(Origin { at, call: outer });
                        current = Origin { at, call: outer.or(Some(at)) };
                        calling = false;
                    } else {
                        current = Origin { at, call: outer };
                    }
                    trace.origins.push((offset, current));
                }
            }
        }
        trace
    }

    /// Where the character at `offset` came from.
    pub fn origin(&self, offset: usize) -> Origin {
        let after = self.origins.partition_point(|(start, _)| *start <= offset);
        self.origins[after.saturating_sub(1)].1
    }
}

fn is_mark(c: char) -> bool {
    c as u32 >= LINES
}

/// The text without its marks.
pub fn without(text: &str) -> std::borrow::Cow<'_, str> {
    match text.contains(is_mark) {
        true => text.chars().filter(|c| !is_mark(*c)).collect::<String>().into(),
        false => text.into(),
    }
}

/// For tests and debugging: marks as `<file:line>`, `<call`, `return>` …
#[cfg(test)]
pub fn visible(text: &str) -> String {
    use std::fmt::Write;
    let mut shown = String::new();
    for c in text.chars() {
        let _ = match c {
            CALL => write!(shown, "<call>"),
            RETURN => write!(shown, "<return>"),
            JSON_START => write!(shown, "<json>"),
            JSON_END => write!(shown, "</json>"),
            JOINED => write!(shown, "<joined>"),
            c if c as u32 >= FILES => write!(shown, "<{}:", c as u32 - FILES),
            c if is_mark(c) => write!(shown, "{}>", c as u32 - LINES),
            c => write!(shown, "{c}"),
        };
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(source: &str) -> String {
        visible(&mark(source, 0, 1).text)
    }

    #[test]
    fn lines_that_start_something_are_marked_behind_their_indentation() {
        assert_eq!(marked("a: 1\n  - b\n\n  text\n# c: d\n"), "<0:1>a: 1\n  <0:2>- b\n\n  text\n<0:5># c: d\n");
        assert_eq!(
            marked("{% if x: %}\n  a: {{ b }}\n{%- endif %}\n"),
            "{% if x: %}\n  <0:2>a: {{ b }}\n{%- endif %}\n"
        );
        assert_eq!(marked("{# a:\n b: #}\nc: 1"), "{# a:\n b: #}\n<0:3>c: 1");
    }

    #[test]
    fn tags_over_several_lines_are_left_alone() {
        let source = "{% set x = {\n  \"a\": \"%}\",\n  b: 1} %}\nc: {{ f(\n  d: 1) }}\ne: 1\n";
        assert_eq!(
            marked(source),
            "{% set x = {\n  \"a\": \"%}\",\n  b: 1} %}\n<0:4>c: {{ f(\n  d: 1) }}\n<0:6>e: 1\n"
        );
    }

    #[test]
    fn calls_on_their_own_line_are_bracketed() {
        assert_eq!(
            marked("{{ alarm({\"a\": {\"b\": 1}}) }}\n"),
            "<call><0:1>{{ alarm({\"a\": {\"b\": 1}}) }}<return>\n"
        );
        assert_eq!(marked("{{ a(1) -}}\n b: 1\n"), "{{ a(1) -}}\n <0:2>b: 1\n");
        assert_eq!(marked("{{ name }}Id: 1\n"), "<0:1><joined>{{ name }}Id: 1\n");
        assert_eq!(marked("a: {k: {{ b }}}, {{c}}{{ d }}"), "<0:1>a: {k: {{ b }}}, <joined>{{c}}<joined>{{ d }}");
    }

    #[test]
    fn values_and_raw_text_are_left_alone() {
        assert_eq!(marked("{% set x %}\na: 1\n{% endset %}\nb: 1"), "{% set x %}\na: 1\n{% endset %}\n<0:4>b: 1");
        assert_eq!(
            marked("{% raw %}{{ a: }}\nb: {{\n{% endraw %}\nc: 1"),
            "{% raw %}{{ a: }}\nb: {{\n{% endraw %}\n<0:4>c: 1"
        );
    }

    #[test]
    fn dynamic_references_are_no_tags() {
        assert_eq!(
            marked("a: \"{{resolve:ssm:/{{ b }}/c}}x{{resolve:ssm:d}}\"\n"),
            "<0:1>a: \"{%+ raw %}{{resolve:{% endraw %}ssm:/{{ b }}/c}}x{%+ raw %}{{resolve:{% endraw %}ssm:d}}\"\n"
        );
        for untouched in
            ["{# {{resolve:a}} #}", "{% raw %}{{resolve:a}}{% endraw %}", "{{ \"{{resolve:a}}\" | tojson }}"]
        {
            assert!(!marked(untouched).contains("raw %}{{resolve:{%"), "{untouched}");
            assert_eq!(without(&mark(untouched, 0, 1).text), untouched);
        }
    }

    #[test]
    fn unclosed_tags_end_the_marking() {
        for source in ["a: {{ x\nb: 1\n", "{% if \"", "{# never", "{{ a(", "{{", "a: é {{ \"\\"] {
            assert_eq!(without(&mark(source, 0, 1).text), source);
        }
    }

    #[test]
    fn places_in_the_marked_text_lead_back() {
        let source = "a: 1\n  b: {{ x }}\n{{ f(1) }}\nc: 1";
        let marked = mark(source, 3, 10);
        for needle in ["a: 1", "b: {{", "{{ x", "x }}", "{{ f", "f(1)", "c: 1"] {
            let (here, there) = (marked.text.find(needle).unwrap(), source.find(needle).unwrap());
            assert_eq!(marked.original(here), there, "{needle}");
        }
    }

    #[test]
    fn a_trace_tells_lines_and_calls() {
        let main = mark("a: 1\n{{ f(1) }}\nb: 2\n", 0, 5).text;
        let partial = mark("c: 3\n", 1, 9).text;
        let rendered = main.replace("{{ f(1) }}", &partial);
        let trace = Trace::read(&rendered, Line { file: 0, line: 5 });
        assert_eq!(trace.text, "a: 1\nc: 3\n\nb: 2\n");
        let at = |needle: &str| trace.origin(trace.text.find(needle).unwrap());
        let call = Line { file: 0, line: 6 };
        assert_eq!(at("a:"), Origin { at: Line { file: 0, line: 5 }, call: None });
        assert_eq!(at("c:"), Origin { at: Line { file: 1, line: 9 }, call: Some(call) });
        assert_eq!(at("b:"), Origin { at: Line { file: 0, line: 7 }, call: None });
    }
}

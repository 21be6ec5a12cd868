//! Runs templates: sources with marks go in, a traced text or a problem at its place comes out.

use super::functions::{FUEL, Refusal, engine};
use super::marks::{Line, Marked, REFERENCE, Trace, mark};
use crate::catalog::{Catalog, Spec, Template};
use crate::document::{listed, place_of_bytes, to_json};
use crate::model::{Input, InputKind, InputValue};
use crate::problem::{Location, Problem, SourceFile, Span, nearest};
use indexmap::IndexMap;
use minijinja::{Environment, Error, ErrorKind, Value};
use regex::Regex;
use serde_json::Value as Json;
use std::collections::HashMap;
use std::io::Write;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

/// A rendered text may have this many bytes, marks included: several times what CloudFormation takes.
const MOST_BYTES: usize = 8 * 1024 * 1024;

pub struct Workshop {
    engine: Environment<'static>,
    files: Vec<Loaded>,
    /// By file name: what is wrong with partials that cannot be used.
    broken: HashMap<String, Vec<Problem>>,
}

struct Loaded {
    /// The name by which the engine knows it.
    name: String,
    source: Arc<SourceFile>,
    /// Bytes of the source before the part that is rendered.
    start: usize,
    first_line: usize,
    marked: Marked,
}

/// The inputs of the stack that is rendered, for messages.
#[derive(Clone, Copy)]
pub struct Provenance<'a> {
    pub given: &'a IndexMap<String, Input>,
    pub specs: &'a IndexMap<String, Spec>,
}

impl Workshop {
    /// With all partials of a catalog. One that is broken is a problem only for who imports it.
    pub fn new(catalog: &Catalog) -> Workshop {
        let mut workshop = Workshop { engine: engine(), files: Vec::new(), broken: HashMap::new() };
        for name in catalog.partials() {
            let loaded = match catalog.file(&name) {
                Some(Ok((source, _))) => workshop.load(&name, source, 0).map(|_| ()).map_err(|problem| vec![problem]),
                Some(Err(problems)) => Err(problems),
                None => Ok(()),
            };
            if let Err(problems) = loaded {
                workshop.broken.insert(name, problems);
            }
        }
        workshop
    }

    /// Makes a template's body known, once.
    ///
    /// # Errors
    /// Its syntax is wrong.
    pub fn add(&mut self, template: &Template) -> Result<usize, Problem> {
        let name = format!("{}.yaml", template.name);
        match self.files.iter().position(|file| file.name == name) {
            Some(known) => Ok(known),
            None => self.load(&name, template.file.clone(), template.body_start),
        }
    }

    fn load(&mut self, name: &str, source: Arc<SourceFile>, start: usize) -> Result<usize, Problem> {
        let first_line = source.text[..start].matches('\n').count() + 1;
        let number = self.files.len();
        let marked = mark(&source.text[start..], number, first_line);
        let text = marked.text.clone();
        self.files.push(Loaded { name: name.to_owned(), source, start, first_line, marked });
        match self.engine.add_template_owned(name.to_owned(), text) {
            Ok(()) => Ok(number),
            Err(error) => {
                let nothing = IndexMap::new();
                let problem = self.problem(&error, Provenance { given: &nothing, specs: &IndexMap::new() });
                self.files.pop();
                Err(problem)
            }
        }
    }

    /// Renders a file that is known.
    ///
    /// # Errors
    /// What went wrong in it, or in a partial that it uses.
    pub fn render(&self, number: usize, context: &Value, inputs: Provenance<'_>) -> Result<Trace, Vec<Problem>> {
        let file = &self.files[number];
        let mut out = Bounded { bytes: Vec::new(), full: false };
        let done = self.engine.get_template(&file.name).and_then(|template| {
            let captured = template.render_captured_to(context.clone(), &mut out);
            captured.map(|_| ())
        });
        if out.full {
            let message = format!("{} renders to more than {MOST_BYTES} bytes", file.source.name);
            return Err(vec![Problem::error("template-too-big", message, Some(self.start_of(number)))]);
        }
        match done {
            Ok(()) => {
                let text = String::from_utf8_lossy(&out.bytes);
                Ok(Trace::read(&text, Line { file: number, line: file.first_line }))
            }
            Err(error) => Err(self.problems(&error, inputs)),
        }
    }

    /// Renders a short text of a manifest.
    pub fn text(&self, text: &str, context: &Value) -> Result<String, Error> {
        self.engine.render_str(text, context.clone()).map(|text| super::marks::without(&text).into_owned())
    }

    /// Whether an expression of a manifest is true.
    pub fn truth(&self, expression: &str, context: &Value) -> Result<bool, Error> {
        self.engine.compile_expression_owned(expression.to_owned())?.eval(context.clone()).map(|value| value.is_true())
    }

    pub fn start_of(&self, number: usize) -> Location {
        let file = &self.files[number];
        let start = file.start.min(file.source.text.len());
        place_of_bytes(&file.source, start..start)
    }

    /// The place of a line, or of `text` in it where that stands there just once.
    pub fn line(&self, line: Line, text: &str) -> Location {
        let source = &self.files[line.file].source;
        let mut start = 0;
        for _ in 1..line.line {
            start = source.text[start..].find('\n').map_or(source.text.len(), |length| start + length + 1);
        }
        let whole = source.text[start..].lines().next().unwrap_or_default();
        let mut found = whole.match_indices(text).map(|(at, _)| at).filter(|_| !text.is_empty());
        let bytes = match (found.next(), found.next()) {
            (Some(only), None) => only..only + text.len(),
            _ => whole.len() - whole.trim_start().len()..whole.trim_end().len(),
        };
        place_of_bytes(source, start + bytes.start..start + bytes.end.max(bytes.start))
    }

    /// A line by its file's name: `templates/alb.yaml:42`.
    pub fn place(&self, line: Line) -> String {
        format!("{}:{}", self.files[line.file].source.name, line.line)
    }

    /// Where a part of a rendered text came from: its place, and that of the macro call that wrote it.
    pub fn locate(&self, trace: &Trace, span: Span) -> (Location, Option<Location>) {
        let origin = trace.origin(span.start.offset);
        let characters =
            trace.text.chars().skip(span.start.offset).take(span.end.offset.saturating_sub(span.start.offset));
        let text: String = characters.take_while(|c| *c != '\n').collect();
        (self.line(origin.at, text.trim_end()), origin.call.map(|call| self.line(call, "")))
    }

    /// A problem at a part of a rendered text.
    pub fn problem_at(&self, trace: &Trace, span: Span, code: &'static str, message: impl Into<String>) -> Problem {
        let (at, call) = self.locate(trace, span);
        let problem = Problem::error(code, message, Some(at));
        match call {
            Some(call) => problem.related(call, "called here"),
            None => problem,
        }
    }

    fn problems(&self, error: &Error, inputs: Provenance<'_>) -> Vec<Problem> {
        let broken = chain(error).find_map(missing).and_then(|name| self.broken.get(name).cloned());
        broken.unwrap_or_else(|| vec![self.problem(error, inputs)])
    }

    fn problem(&self, error: &Error, inputs: Provenance<'_>) -> Problem {
        let placed: Vec<(&Error, Location)> =
            chain(error).filter_map(|error| Some((error, self.place_of(error)?))).collect();
        let innermost = placed.last().map_or(error, |(error, _)| *error);
        let at = placed.last().map(|(_, at)| at.clone());
        let expression = at.as_ref().map(text_at).unwrap_or_default();
        let refusal = chain(error)
            .find_map(|error| std::error::Error::source(error).and_then(|source| source.downcast_ref::<Refusal>()));
        let mut problem = match refusal {
            Some(refusal) => refused(refusal, &expression, at),
            None => self.explained(innermost, &expression, at, inputs),
        };
        if let [(_, outer), .., (_, inner)] = placed.as_slice()
            && outer != inner
        {
            problem = problem.related(outer.clone(), "used here");
        }
        for (at, label) in inputs.of(&expression, refusal.and_then(|refusal| refusal.value.as_ref())) {
            problem = problem.related(at, label);
        }
        problem
    }

    fn place_of(&self, error: &Error) -> Option<Location> {
        let file = self.files.iter().find(|file| Some(file.name.as_str()) == error.name())?;
        match error.range().filter(|range| !range.is_empty()) {
            Some(range) => {
                let bytes = file.marked.original(range.start)..file.marked.original(range.end);
                Some(place_of_bytes(
                    &file.source,
                    trimmed(&file.source.text, file.start + bytes.start..file.start + bytes.end),
                ))
            }
            None => {
                let number = self.files.iter().position(|other| other.name == file.name)?;
                Some(self.line(Line { file: number, line: file.first_line + error.line()?.checked_sub(1)? }, ""))
            }
        }
    }

    /// Whether the line of a place has a dynamic reference that is written as an expression.
    fn near_reference(&self, at: Option<&Location>) -> bool {
        let line = at.and_then(|at| at.file.text.lines().nth(at.span.start.line.checked_sub(1)?));
        line.is_some_and(|line| {
            line.match_indices("{{").any(|(start, _)| {
                let inside = line[start + 2..].trim_start_matches(['-', ' ']);
                inside.starts_with("resolve:") && !line[start..].starts_with(REFERENCE)
            })
        })
    }

    fn explained(&self, error: &Error, expression: &str, at: Option<Location>, inputs: Provenance<'_>) -> Problem {
        let detail = error.detail().unwrap_or_default();
        let problem = |message: String| Problem::error("template", message, at.clone());
        match error.kind() {
            ErrorKind::UndefinedError => {
                let unknown =
                    INPUT.captures(expression).map(|found| found[1].split('.').next().unwrap_or_default().to_owned());
                match unknown.filter(|name| !inputs.specs.contains_key(name)) {
                    Some(name) => {
                        let names = || inputs.specs.keys().map(String::as_str);
                        problem(format!("the manifest declares no input `{name}`")).help(
                            match nearest(&name, names()) {
                                Some(near) => format!("did you mean `inputs.{near}`?"),
                                None => format!("its inputs are {}", listed(names())),
                            },
                        )
                    }
                    None if detail.is_empty() => problem(format!("`{expression}` is undefined")),
                    None => problem(detail.to_owned()),
                }
            }
            ErrorKind::SyntaxError if self.near_reference(at.as_ref()) => problem(format!("syntax error: {detail}"))
                .help("a dynamic reference of CloudFormation has no space behind its braces: `{{resolve:…}}`"),
            ErrorKind::SyntaxError if detail.starts_with("unexpected") => problem(format!("syntax error: {detail}"))
                .help("is a `}}`, a `%}` or an end tag missing before this place?"),
            ErrorKind::SyntaxError => problem(format!("syntax error: {detail}")),
            ErrorKind::OutOfFuel => problem(format!("the template takes more than {FUEL} steps"))
                .help("is there a loop over far too many things, or a macro that calls itself?"),
            ErrorKind::TemplateNotFound => {
                let names = || self.files.iter().map(|file| file.name.as_str()).filter(|name| name.starts_with('_'));
                let name = missing(error).unwrap_or_default();
                problem(format!("there is no partial `{name}`")).help(match nearest(name, names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the partials are {}", listed(names())),
                })
            }
            ErrorKind::UnknownFilter if expression.contains("safe") => {
                problem("there is no filter `safe`: every value is checked".to_owned()).help("write `tojson`")
            }
            _ if detail.is_empty() => problem(error.kind().to_string()),
            _ => problem(detail.to_owned()),
        }
    }
}

/// The engine's errors, outermost first.
fn chain(error: &Error) -> impl Iterator<Item = &Error> {
    std::iter::successors(Some(error), |error| std::error::Error::source(*error)?.downcast_ref::<Error>())
}

/// The name of the template that is not there, which the engine tells within its sentence alone.
fn missing(error: &Error) -> Option<&str> {
    let detail = error.detail().filter(|_| error.kind() == ErrorKind::TemplateNotFound)?;
    detail.split(['\'', '"']).nth(1)
}

fn refused(refusal: &Refusal, expression: &str, at: Option<Location>) -> Problem {
    let problem = Problem::error("value", refusal.message.clone(), at).label(refusal.label.clone());
    let expression = expression.trim().trim_start_matches("{{").trim_end_matches("}}").trim();
    match (&refusal.help, &refusal.value) {
        (Some(help), _) => problem.help(help.clone()),
        (None, Some(Json::Null)) => {
            problem.help(format!("print it only where there is one: `{{% if {expression} is not none %}}`"))
        }
        (None, Some(_)) if expression.contains(['|', '~', ' ']) => {
            problem.help(format!("write `{{{{ ({expression}) | tojson }}}}`, as a whole value"))
        }
        (None, Some(_)) => problem.help(format!("write `{{{{ {expression} | tojson }}}}`, as a whole value")),
        (None, None) => problem,
    }
}

#[allow(clippy::unwrap_used, reason = "a constant pattern, used by tests")]
static INPUT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\binputs\.([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)").unwrap());

impl Provenance<'_> {
    /// Where the inputs of an expression were given; where it names none, an input that has the very value.
    fn of(&self, expression: &str, value: Option<&Json>) -> Vec<(Location, String)> {
        let named: Vec<(Location, String)> = INPUT
            .captures_iter(expression)
            .filter_map(|found| {
                let mut path = found[1].split('.');
                let name = path.next()?;
                let (from, label) = self.value(name)?;
                Some((path.try_fold(from, |from, step| part(from, step)).unwrap_or(from).at.clone(), label.to_owned()))
            })
            .collect();
        match value {
            Some(value @ Json::String(_)) if named.is_empty() => self.holder(value).into_iter().collect(),
            _ => named,
        }
    }

    fn value(&self, name: &str) -> Option<(&InputValue, &'static str)> {
        let given = self.given.get(name).map(|input| (&input.value, "the value is given here"));
        given.or_else(|| Some((self.specs.get(name)?.default.as_ref()?, "the default is here")))
    }

    fn holder(&self, value: &Json) -> Option<(Location, String)> {
        self.specs.keys().filter_map(|name| self.value(name)).find_map(|(from, label)| {
            let held = leaf(from, value)?;
            Some((held.at.clone(), label.to_owned()))
        })
    }
}

fn part<'v>(value: &'v InputValue, key: &str) -> Option<&'v InputValue> {
    match &value.kind {
        InputKind::Map(entries) => entries.get(key).map(|input| &input.value),
        _ => None,
    }
}

fn leaf<'v>(value: &'v InputValue, wanted: &Json) -> Option<&'v InputValue> {
    match &value.kind {
        InputKind::Scalar(_) => (to_json(value) == *wanted).then_some(value),
        InputKind::List(items) => items.iter().find_map(|item| leaf(item, wanted)),
        InputKind::Map(entries) => entries.values().find_map(|input| leaf(&input.value, wanted)),
    }
}

fn text_at(at: &Location) -> String {
    at.file.text.chars().skip(at.span.start.offset).take(at.span.end.offset - at.span.start.offset).collect()
}

/// Bytes without the white space around their text.
fn trimmed(text: &str, bytes: Range<usize>) -> Range<usize> {
    let Some(inside) = text.get(bytes.clone()) else { return bytes };
    let start = bytes.start + inside.len() - inside.trim_start().len();
    start..start + inside.trim().len()
}

/// Keeps what is written, up to a limit.
struct Bounded {
    bytes: Vec<u8>,
    full: bool,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len() + bytes.len() > MOST_BYTES {
            self.full = true;
            return Err(std::io::Error::other("too much text"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A place in a manifest for an error in a short text of it.
pub fn manifest_problem(error: &Error, at: &Location, inputs: Provenance<'_>) -> Problem {
    let expression = text_at(at);
    let refusal = std::error::Error::source(error).and_then(|source| source.downcast_ref::<Refusal>());
    let message = match refusal {
        Some(refusal) => refusal.message.clone(),
        None => error.detail().map_or_else(|| error.kind().to_string(), str::to_owned),
    };
    let mut problem = Problem::error("template", message, Some(at.clone()));
    for (at, label) in inputs.of(&expression, None) {
        problem = problem.related(at, label);
    }
    problem
}

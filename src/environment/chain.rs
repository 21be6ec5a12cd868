//! The files of an `extends` chain: read, checked one by one, merged.

use super::merge::{merge, without_nulls};
use super::{DIRECTORY, LIMIT_BYTES, keys, names};
use crate::document::{self, Shape, empty, is_null, located, start_of};
use crate::files;
use crate::graph::{Cycle, Edge};
use crate::model::{Input, InputKind, InputValue};
use crate::problem::{Located, Location, Problem, SourceFile, nearest};
use cloudformation::source::{Limits, parse};
use indexmap::IndexMap;
use std::path::Path;
use std::sync::Arc;

/// A chain longer than this is refused: nobody could say any more where a value comes from.
const LONGEST: usize = 10;

const LIMITS: Limits = Limits { bytes: LIMIT_BYTES as usize, depth: 40, nodes: 50_000 };

pub struct Chain {
    /// All files over each other; none if the first one could not be read.
    pub merged: Option<InputValue>,
    /// Every file of the chain could be read: what is missing in `merged` is missing.
    pub complete: bool,
    /// The names that the files extend.
    pub extended: Vec<String>,
    pub problems: Vec<Problem>,
}

impl Chain {
    /// Whether the files together have a key.
    pub fn has(&self, key: &str) -> bool {
        matches!(self.merged.as_ref().map(|value| &value.kind), Some(InputKind::Map(entries)) if entries.contains_key(key))
    }
}

/// Reads `environments/<name>.yaml` and what it extends.
pub fn read(project: &Path, name: &str) -> Chain {
    let mut chain = Chain { merged: None, complete: true, extended: Vec::new(), problems: Vec::new() };
    let mut files: Vec<InputValue> = Vec::new();
    let mut links: Vec<Edge> = Vec::new();
    let mut current = name.to_owned();
    loop {
        let extended_at = links.last().and_then(|link| link.at.as_ref());
        let Some(value) = read_file(project, &current, extended_at, &mut chain.problems) else {
            chain.complete = false;
            break;
        };
        let parent = parent_of(&value);
        files.push(value);
        let Some(parent) = parent else { break };
        chain.extended.push(parent.value.clone());
        links.push(Edge { from: current, to: parent.value.clone(), at: Some(parent.at.clone()) });
        if let Some(start) = links.iter().position(|link| link.from == parent.value) {
            chain.problems.push(cycle(links.split_off(start)));
            chain.complete = false;
            break;
        }
        if links.len() >= LONGEST {
            let message = format!("this chain of `extends` is longer than {LONGEST} files");
            let names: Vec<&str> = links.iter().map(|link| link.from.as_str()).collect();
            chain.problems.push(Problem::error("extends-too-long", message, Some(parent.at.clone())).label(format!(
                "{} → {}",
                names.join(" → "),
                parent.value
            )));
            chain.complete = false;
            break;
        }
        current = parent.value;
    }
    for pair in files.windows(2) {
        if let [child, parent] = pair {
            silent_removals(child, parent, "", &mut chain.problems);
        }
    }
    chain.merged = merge_all(files, &mut chain.problems);
    chain
}

fn read_file(project: &Path, name: &str, from: Option<&Location>, problems: &mut Vec<Problem>) -> Option<InputValue> {
    let shown = format!("{DIRECTORY}/{name}.yaml");
    let path = project.join(DIRECTORY).join(format!("{name}.yaml"));
    if let Some(from) = from
        && !path.exists()
    {
        let problem = Problem::error("unknown-environment", format!("{shown} does not exist"), Some(from.clone()))
            .label("extended here");
        let names = names(project).unwrap_or_default();
        problems.push(match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem,
        });
        return None;
    }
    let file = match files::read(&path, &shown, LIMIT_BYTES) {
        Ok(file) => file,
        Err(problem) => {
            problems.push(problem);
            return None;
        }
    };
    parse_file(&file, problems)
}

/// One file's values, checked by themselves; none if the text is no YAML.
pub fn parse_file(file: &Arc<SourceFile>, problems: &mut Vec<Problem>) -> Option<InputValue> {
    let node = match parse(&file.text, LIMITS) {
        Ok(node) => node,
        Err(error) => {
            problems.push(document::syntax(error, file));
            return None;
        }
    };
    if node.is_null() {
        return Some(empty(start_of(file)));
    }
    let value = located(&node, file, problems);
    document::check(&value, &Shape::Keys(&keys::ENVIRONMENT), "", problems);
    Some(value)
}

fn parent_of(value: &InputValue) -> Option<Located<String>> {
    let InputKind::Map(entries) = &value.kind else { return None };
    let extends = &entries.get("extends")?.value;
    match &extends.kind {
        // A name of a wrong form has its problem already.
        InputKind::Scalar(serde_json::Value::String(name)) if document::matches(&keys::ENVIRONMENT_NAME, name) => {
            Some(Located { value: name.clone(), at: extends.at.clone() })
        }
        _ => None,
    }
}

fn cycle(edges: Vec<Edge>) -> Problem {
    let mut places = edges
        .iter()
        .filter_map(|edge| edge.at.clone().map(|at| (at, format!("`{}` extends `{}`", edge.from, edge.to))));
    let path = Cycle { edges: edges.clone() }.path();
    let problem = Problem::error("cycle", format!("environments extend each other: {path}"), None);
    let Some((at, label)) = places.next() else { return problem };
    let problem = Problem { at: Some(at), ..problem }.label(label);
    places.fold(problem, |problem, (at, label)| problem.related(at, label))
}

/// A key without a value reads as null, and null removes: where that takes away a map with something in it, somebody may
/// only have commented out its last line.
fn silent_removals(child: &InputValue, parent: &InputValue, path: &str, problems: &mut Vec<Problem>) {
    let (InputKind::Map(above), InputKind::Map(below)) = (&child.kind, &parent.kind) else { return };
    for (key, input) in above {
        let Some(old) = below.get(key) else { continue };
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let unwritten = input.value.at.span.start.offset == input.value.at.span.end.offset;
        let loses = matches!(&old.value.kind, InputKind::Map(entries) if !entries.is_empty());
        if is_null(&input.value) && unwritten && loses {
            problems.push(
                Problem::warning(
                    "empty-removes",
                    format!("`{path}` is empty here, and that removes it"),
                    Some(input.key_at.clone()),
                )
                .related(old.key_at.clone(), "what is removed")
                .help("write `null` if that is meant, `{}` to change nothing"),
            );
        }
        silent_removals(&input.value, &old.value, &path, problems);
    }
}

/// Puts the files over each other, the child first in `files`. A stack that is null where no file below has it is a
/// problem: whoever writes `network:` and nothing more wants a stack with defaults, and would get none.
fn merge_all(files: Vec<InputValue>, problems: &mut Vec<Problem>) -> Option<InputValue> {
    let mut merged: Option<InputValue> = None;
    for value in files.into_iter().rev() {
        let below = merged.as_ref().and_then(|merged| section(merged, "stacks"));
        for (name, input) in section(&value, "stacks").into_iter().flatten() {
            let removes = below.and_then(|below| below.get(name)).is_some_and(|input| !is_null(&input.value));
            if is_null(&input.value) && !removes {
                problems.push(
                    Problem::error(
                        "nothing-to-remove",
                        format!("the stack `{name}` is null"),
                        Some(input.key_at.clone()),
                    )
                    .label("null removes a stack that an extended file has, and none has this one")
                    .help(format!("for a stack with all defaults write `{name}: {{}}`")),
                );
            }
        }
        merged = Some(match merged {
            Some(merged) => merge(merged, value),
            None => value,
        });
    }
    merged.map(without_nulls)
}

fn section<'v>(value: &'v InputValue, key: &str) -> Option<&'v IndexMap<String, Input>> {
    let InputKind::Map(entries) = &value.kind else { return None };
    match &entries.get(key)?.value.kind {
        InputKind::Map(entries) => Some(entries),
        _ => None,
    }
}

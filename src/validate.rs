//! What CloudFormation or a service would refuse in the rendered stacks, found offline, at its place in a template.

mod narrow;
mod words;

use crate::catalog::Catalog;
use crate::model::{Parameter, RenderedStack};
use crate::problem::{Location, Position, Problem, SourceFile, Span};
use cloudformation::validate::{Finding, Options, validate_text};
use rayon::prelude::*;
use serde_json::Value as Json;
use std::collections::HashMap;
use std::sync::Arc;

/// Everything that is wrong with these stacks. Stacks of one template that have a problem in common tell it once.
pub fn validate(stacks: &[RenderedStack], catalog: &Catalog) -> Vec<Problem> {
    let mut files = Files::new(catalog);
    let mut problems: Vec<Problem> = Vec::new();
    let found: Vec<Vec<Finding>> =
        stacks.par_iter().map(|stack| validate_text(&stack.template, &options(stack))).collect();
    for (stack, findings) in stacks.iter().zip(found) {
        for finding in findings {
            let problem = problem(stack, &finding, &mut files);
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    problems.extend(same_priorities(stacks, &mut files));
    problems
}

/// What is known of a stack beside its template.
fn options(stack: &RenderedStack) -> Options {
    let value = |parameter: &Parameter| match parameter {
        Parameter::Value(value) => Some(value.clone()),
        _ => None,
    };
    let given = stack.parameters.iter().map(|(name, parameter)| (name.clone(), value(parameter)));
    Options { region: Some(stack.target.region.clone()), parameters: Some(given.collect()) }
}

/// Rules that several stacks give one listener, with one priority: the second is refused when it is created.
fn same_priorities(stacks: &[RenderedStack], files: &mut Files) -> Vec<Problem> {
    let mut seen: HashMap<(String, String), (&RenderedStack, String)> = HashMap::new();
    let mut problems = Vec::new();
    for stack in stacks.iter().filter(|stack| stack.template.contains(LISTENER_RULE)) {
        let Ok(template) = serde_json::from_str::<Json>(&stack.template) else { continue };
        for (id, resource) in template["Resources"].as_object().into_iter().flatten() {
            let properties = &resource["Properties"];
            if resource["Type"] != LISTENER_RULE || resource.get("Condition").is_some() {
                continue;
            }
            let Some(listener) = given(stack, &properties["ListenerArn"]) else { continue };
            let Some(priority) = given(stack, &properties["Priority"]) else { continue };
            let key = (listener, priority);
            match seen.get(&key) {
                // Within one template it is found as such.
                Some((other, _)) if other.name == stack.name => {}
                Some((other, other_id)) => {
                    let at = stack.places.get(id).and_then(|place| files.location(place));
                    let message = format!(
                        "stack `{}` gives its listener rule {id} the priority {}, which {other_id} of stack `{}` has on the \
                         same listener",
                        stack.name, key.1, other.name
                    );
                    let help = "a listener takes each priority once; give one of the stacks another";
                    problems.push(
                        Problem::error("same-priority", message, at).label(format!("priority {}", key.1)).help(help),
                    );
                }
                None => _ = seen.insert(key, (stack, id.clone())),
            }
        }
    }
    problems
}

const LISTENER_RULE: &str = "AWS::ElasticLoadBalancingV2::ListenerRule";

/// A value as it is written, or as the parameter gets it: an output is known by its name.
fn given(stack: &RenderedStack, value: &Json) -> Option<String> {
    if let Some(name) = value["Ref"].as_str() {
        return match stack.parameters.get(name)? {
            Parameter::Value(value) => Some(value.clone()),
            Parameter::Output { stack, key } => Some(format!("{stack}.{key}")),
            _ => None,
        };
    }
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn problem(stack: &RenderedStack, finding: &Finding, files: &mut Files) -> Problem {
    let below = finding.path.strip_prefix("/Resources/").unwrap_or_default();
    let below: Vec<&str> = below.split('/').skip(1).collect();
    let at = place(stack, &finding.path).and_then(|place| match below.is_empty() {
        true => files.location(place),
        false => files.within(place, &below),
    });
    let make = if finding.is_error() { Problem::error } else { Problem::warning };
    let mut problem = make(finding.rule.id, words::message(&finding.message), at).label(label(&finding.path));
    problem.help = finding.remedy.as_deref().map(words::remedy);
    if problem.at.is_none() {
        problem.message = format!("{} (template `{}`, {})", problem.message, stack.template_name, finding.path);
    }
    problem
}

/// The line of a finding: of its resource, of its member of another section, or of its section.
fn place<'s>(stack: &'s RenderedStack, path: &str) -> Option<&'s String> {
    let mut steps = path.split('/').skip(1);
    let section = steps.next().filter(|section| !section.is_empty())?;
    let member = steps.next().and_then(|member| match section {
        "Resources" => stack.places.get(member),
        _ => stack.places.get(&format!("/{section}/{member}")),
    });
    member.or_else(|| stack.places.get(&format!("/{section}")))
}

/// `Alarm.Threshold` for `/Resources/Alarm/Properties/Threshold`.
fn label(path: &str) -> String {
    let below = path.strip_prefix("/Resources/").unwrap_or(path).replacen("/Properties", "", 1);
    below.trim_start_matches('/').replace('/', ".")
}

/// Template files by the names that places give them.
pub struct Files<'c> {
    catalog: &'c Catalog,
    read: HashMap<String, Option<Arc<SourceFile>>>,
}

impl<'c> Files<'c> {
    pub fn new(catalog: &'c Catalog) -> Files<'c> {
        Files { catalog, read: HashMap::new() }
    }

    /// The line that `templates/alb.yaml:42` names.
    pub fn location(&mut self, place: &str) -> Option<Location> {
        let (name, line) = place.rsplit_once(':')?;
        let line: usize = line.parse().ok()?;
        let above = line.checked_sub(1)?;
        let file = self.file(name)?;
        let before: usize = file.text.split_inclusive('\n').take(above).map(|line| line.chars().count()).sum();
        let text = file.text.lines().nth(above)?;
        let indent = text.chars().take_while(|c| c.is_whitespace()).count();
        let length = text.trim().chars().count();
        let position = |column: usize| Position { line, column: column + 1, offset: before + column };
        Some(Location { file, span: Span { start: position(indent), end: position(indent + length) } })
    }

    /// The place of what `path` names in the resource on the line that `place` names, as near as it is found.
    pub fn within(&mut self, place: &str, path: &[&str]) -> Option<Location> {
        let whole = self.location(place)?;
        let resource = whole.span.start.line.checked_sub(1)?;
        let Some((line, from, to)) = narrow::place(&whole.file.text, resource, path) else { return Some(whole) };
        let before: usize = whole.file.text.split_inclusive('\n').take(line).map(|line| line.chars().count()).sum();
        let position = |column: usize| Position { line: line + 1, column: column + 1, offset: before + column };
        Some(Location { span: Span { start: position(from), end: position(to) }, ..whole })
    }

    fn file(&mut self, name: &str) -> Option<Arc<SourceFile>> {
        if let Some(known) = self.read.get(name) {
            return known.clone();
        }
        let file = self.catalog.file(name.rsplit('/').next()?).and_then(Result::ok).map(|(file, _)| file);
        self.read.insert(name.to_owned(), file.clone());
        file
    }
}

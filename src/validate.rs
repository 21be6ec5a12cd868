//! What CloudFormation or a service would refuse in the rendered stacks, found offline, at its place in a template.

use crate::catalog::Catalog;
use crate::model::RenderedStack;
use crate::problem::{Location, Position, Problem, SourceFile, Span};
use cloudformation::validate::{Finding, Options, validate_text};
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;

/// Everything that is wrong with these stacks. Stacks of one template that have a problem in common tell it once.
pub fn validate(stacks: &[RenderedStack], catalog: &Catalog) -> Vec<Problem> {
    let mut files = Files::new(catalog);
    let mut problems: Vec<Problem> = Vec::new();
    let found: Vec<Vec<Finding>> = stacks
        .par_iter()
        .map(|stack| validate_text(&stack.template, &Options { region: Some(stack.target.region.clone()) }))
        .collect();
    for (stack, findings) in stacks.iter().zip(found) {
        for finding in findings {
            let problem = problem(stack, &finding, &mut files);
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    problems
}

fn problem(stack: &RenderedStack, finding: &Finding, files: &mut Files) -> Problem {
    let at = place(stack, &finding.path).and_then(|place| files.location(place));
    let make = if finding.is_error() { Problem::error } else { Problem::warning };
    let mut problem = make(finding.rule.id, finding.message.clone(), at).label(finding.path.clone());
    problem.help.clone_from(&finding.remedy);
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

    fn file(&mut self, name: &str) -> Option<Arc<SourceFile>> {
        if let Some(known) = self.read.get(name) {
            return known.clone();
        }
        let file = self.catalog.file(name.rsplit('/').next()?).and_then(Result::ok).map(|(file, _)| file);
        self.read.insert(name.to_owned(), file.clone());
        file
    }
}

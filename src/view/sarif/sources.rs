//! What `validate` and `plan` found, as results for code scanning.

use super::{Entry, Level, Place};
use crate::model::Environment;
use crate::plan::{self, FindingSeverity, Plan};
use crate::policy::{Standing, Violation};
use crate::problem::{Location, Problem};

/// Problems of files.
pub fn problems(problems: &[Problem]) -> Vec<Entry> {
    problems.iter().map(problem).collect()
}

fn problem(problem: &Problem) -> Entry {
    let help = problem.help.as_ref().map(|help| format!(". {help}")).unwrap_or_default();
    let place = problem.at.as_ref().and_then(place);
    Entry {
        rule: problem.code.to_owned(),
        about: sentence(problem.code),
        level: if problem.is_error() { Level::Error } else { Level::Warning },
        message: format!("{}{help}", problem.message),
        subject: None,
        identity: format!("{} {} {}", problem.message, problem.label, place.as_ref().map_or("", |at| &at.file)),
        place,
        accepted: None,
    }
}

/// Findings of a plan. One that has no line of its own stands at its stack in the environment's file.
pub fn plan(plan: &Plan, environment: &Environment) -> Vec<Entry> {
    let entry = |finding: &plan::Finding| {
        let stack = environment.stacks.get(&finding.stack).map_or(&environment.at, |stack| &stack.at);
        let subject = match &finding.logical_id {
            Some(id) => format!("{}.{id}", finding.stack),
            None => finding.stack.clone(),
        };
        Entry {
            rule: finding.code.clone(),
            about: plan::about(&finding.code).to_owned(),
            level: match finding.severity {
                FindingSeverity::Note => Level::Note,
                FindingSeverity::Warning => Level::Warning,
                FindingSeverity::Refused => Level::Error,
            },
            message: format!("{subject}: {}", finding.message),
            place: finding.place.as_deref().and_then(Place::parse).or_else(|| place(stack)),
            identity: format!("{} {subject} {}", plan.environment, finding.message),
            subject: Some(subject),
            accepted: None,
        }
    };
    plan.findings.iter().map(entry).collect()
}

/// What the rules of a project say. Those that are waived come as accepted.
pub fn violations(violations: &[Violation]) -> Vec<Entry> {
    let entry = |violation: &Violation| Entry {
        rule: format!("policy/{}", violation.rule),
        about: format!("{} of {}", violation.rule, violation.file),
        level: Level::Error,
        message: format!("{}: {}", violation.subject(), violation.text()),
        subject: Some(violation.subject()),
        place: violation.place.as_deref().and_then(Place::parse),
        identity: format!("{} {}", violation.subject(), violation.path),
        accepted: match &violation.standing {
            Standing::Waived(waiver) => Some(format!("until {}: {}", waiver.until, waiver.because)),
            Standing::Open | Standing::Expired(_) => None,
        },
    };
    violations.iter().map(entry).collect()
}

fn place(at: &Location) -> Option<Place> {
    Place::parse(&format!("{}:{}", at.file.name, at.span.start.line))
}

/// `Unknown key` for `unknown-key`; rules of CloudFormation's registry keep their name.
fn sentence(code: &str) -> String {
    let words = code.replace('-', " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => words,
    }
}

//! What is wrong with a template, found without asking anybody.
//!
//! Two kinds of knowledge meet here: how CloudFormation reads a template (structure, references, circles, quotas), and
//! what the registry says of each resource type (properties, values, attributes). What is not known before the
//! deployment never makes a finding. Findings come in the order of the text, in CloudFormation's words where it has
//! words for them.

mod attributes;
mod check;
mod conditions;
mod constraints;
mod cycles;
mod declarations;
mod domain;
mod facts;
mod finding;
mod functions;
mod gather;
mod limits;
mod parameters;
pub mod plain;
mod properties;
mod references;
pub mod rules;
mod usage;

pub use facts::Options;
pub use finding::{Finding, Rule, Severity, did_you_mean, nearest};
pub use limits::{INLINE_BYTES, LARGEST_BYTES};

use crate::template::{Problem, Template};
use facts::Facts;

/// Everything that is wrong with the template in `text`.
pub fn validate_text(text: &str, options: &Options) -> Vec<Finding> {
    match Template::read(text) {
        Ok((template, problems)) => validate(&template, &problems, text.len(), options),
        Err(problem) => vec![from_problem(&problem, true)],
    }
}

/// As [`validate_text`], for a template that has been read: with the problems of reading it and the bytes of its text.
pub fn validate(template: &Template, problems: &[Problem], bytes: usize, options: &Options) -> Vec<Finding> {
    let facts = Facts::new(template, options);
    let mut found: Vec<Finding> = problems.iter().map(|problem| from_problem(problem, false)).collect();
    limits::check(&facts, bytes, &mut found);
    parameters::check(&facts, &mut found);
    references::check(&facts, &mut found);
    functions::check(&facts, &mut found);
    declarations::check(&facts, &mut found);
    cycles::check(&facts, &mut found);
    attributes::check(&facts, &mut found);
    properties::check(&facts, &mut found);
    // Properties that a type does not have may be what a macro of one's own reads.
    if template.macros().any(|one| !one.name.value.starts_with("AWS::")) {
        found.retain(|finding| finding.rule != rules::UNKNOWN_PROPERTY);
    }
    domain::check(&facts, &mut found);
    usage::check(&facts, &mut found);
    found.sort_by_key(|finding| (finding.span.start.offset, finding.rule.severity));
    found.dedup();
    found
}

fn from_problem(problem: &Problem, syntax: bool) -> Finding {
    let rule = match problem.path.strip_prefix("/Resources") {
        _ if syntax => rules::SYNTAX,
        Some(_) => rules::RESOURCE_STRUCTURE,
        None => rules::STRUCTURE,
    };
    let mut finding = Finding::new(rule, problem.message.clone(), problem.span, problem.path.clone());
    finding.remedy = problem.detail.clone();
    finding
}

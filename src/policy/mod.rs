//! Policy as code: the rules of the project's `policies/*.guard`, in the language of CloudFormation Guard, evaluated on
//! rendered templates. Offline, and the same for everybody who has the files.
//!
//! A rule sees the template as CloudFormation gets it, and beside it `Stack`: its name, template, region, tags and
//! whether it is protected.

mod report;
mod rules;
mod waivers;

#[cfg(test)]
mod tests;

use crate::error::Result;
use crate::model::{RenderedStack, Waiver};
use rayon::prelude::*;
pub use rules::{DIRECTORY, Rules};
use serde_json::json;
pub use waivers::{unused, waive};

/// A rule that does not hold for a resource, or for a stack as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// As the rule is named in its file.
    pub rule: String,
    /// `policies/tls.guard`.
    pub file: String,
    pub stack: String,
    pub logical_id: Option<String>,
    /// Where in the template, as a pointer: `/Resources/Table/Properties/SSESpecification`.
    pub path: String,
    pub message: String,
    /// `templates/dynamodb-table.yaml:42`.
    pub place: Option<String>,
    pub standing: Standing,
}

/// Whether a violation counts.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    Open,
    /// Accepted, for now.
    Waived(Waiver),
    /// It was accepted until a day that is past.
    Expired(Waiver),
}

/// What the rules say against the stacks, in the order of stacks and files.
///
/// # Errors
/// A file that is not in the language of CloudFormation Guard.
pub fn check(rules: &Rules, stacks: &[RenderedStack]) -> Result<Vec<Violation>> {
    let pairs: Vec<(&RenderedStack, &rules::File)> = stacks
        .iter()
        .flat_map(|stack| rules.files().iter().map(move |file| (stack, file)))
        .filter(|(stack, file)| file.concerns(&stack.template))
        .collect();
    let found: Vec<Vec<Violation>> =
        pairs.into_par_iter().map(|(stack, file)| of_stack(stack, file)).collect::<Result<_>>()?;
    Ok(found.into_iter().flatten().collect())
}

fn of_stack(stack: &RenderedStack, file: &rules::File) -> Result<Vec<Violation>> {
    let failures = file.evaluate(&document(stack))?;
    let mut found: Vec<Violation> = Vec::new();
    for failure in failures {
        let logical_id = failure.path.strip_prefix("/Resources/").and_then(|path| path.split('/').next());
        let violation = Violation {
            rule: failure.rule,
            file: file.name.clone(),
            stack: stack.name.clone(),
            logical_id: logical_id.map(str::to_owned),
            place: logical_id.and_then(|id| stack.places.get(id)).cloned(),
            path: failure.path,
            message: failure.message,
            standing: Standing::Open,
        };
        // One clause may fail in several ways of saying the same.
        let same = |known: &Violation| {
            (&known.rule, &known.logical_id, &known.message)
                == (&violation.rule, &violation.logical_id, &violation.message)
        };
        if !found.iter().any(same) {
            found.push(violation);
        }
    }
    Ok(found)
}

/// The template with `Stack` beside its sections.
fn document(stack: &RenderedStack) -> String {
    let about = json!({
        "Name": stack.name,
        "Template": stack.template_name,
        "Region": stack.target.region,
        "Tags": stack.tags,
        "Protect": stack.protect,
    });
    let rest = stack.template.trim_start().strip_prefix('{').unwrap_or("}");
    let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
    format!("{{\"Stack\":{about}{comma}{rest}")
}

impl Violation {
    /// `items.Table`, or the stack's name.
    pub fn subject(&self) -> String {
        self.logical_id.as_ref().map_or(self.stack.clone(), |id| format!("{}.{id}", self.stack))
    }

    pub fn is_waived(&self) -> bool {
        matches!(self.standing, Standing::Waived(_))
    }

    /// What is wrong, and what became of a waiver.
    pub fn text(&self) -> String {
        match &self.standing {
            Standing::Open => self.message.clone(),
            Standing::Waived(waiver) => format!("{} (waived until {}: {})", self.message, waiver.until, waiver.because),
            Standing::Expired(waiver) => format!("{} (its waiver ended on {})", self.message, waiver.until),
        }
    }
}

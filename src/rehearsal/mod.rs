//! A run that happened nowhere: an environment's plan, applied to a copy of its last known state on an AWS in memory, in
//! virtual time.
//!
//! What always holds: plan and apply are those of a real run, through the same calls; no file, no account and no clock of
//! this machine has any part in it but the files of the project and the copy of the state; the same seed gives the same
//! rehearsal.

mod known;
mod stand_ins;
mod timeline;

pub use known::Known;
pub use stand_ins::{move_nothing, name_assets};
pub use timeline::{Act, CriticalPath, Recorder, Resource, Timeline};

use crate::apply::Report;
use crate::error::{Error, Kind, Result};
use crate::model::RenderedStack;
use crate::plan::{Change, Plan, StackStep};
use crate::problem::nearest;
use jiff::Timestamp;
use serde::Serialize;
use std::str::FromStr;

/// What a rehearsal came to.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    pub project: String,
    pub environment: String,
    /// What it stands on: none for an account in which nothing had been applied.
    pub basis: Option<Basis>,
    pub seed: u64,
    /// Stacks that were worked on at the same time.
    pub concurrency: usize,
    pub failing: Vec<Failing>,
    pub timeline: Timeline,
    pub report: Report,
}

/// The state of which a copy was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Basis {
    pub serial: u64,
    pub saved: Timestamp,
}

/// A resource that is to fail, and why: `stack.Resource` or `stack.Resource=reason`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failing {
    pub stack: String,
    pub resource: String,
    /// What its provider would say.
    pub reason: String,
}

/// What a provider says that says nothing of use.
const REASON: &str =
    "Resource handler returned message: \"made to fail by infra rehearse\" (HandlerErrorCode: GeneralServiceException)";

impl FromStr for Failing {
    type Err = String;

    fn from_str(text: &str) -> Result<Failing, String> {
        let (place, reason) = text.split_once('=').unwrap_or((text, REASON));
        match place.split_once('.') {
            Some((stack, resource)) if !stack.is_empty() && !resource.is_empty() && !reason.is_empty() => {
                Ok(Failing { stack: stack.to_owned(), resource: resource.to_owned(), reason: reason.to_owned() })
            }
            _ => Err(format!("`{text}` is no resource of a stack; write STACK.RESOURCE or STACK.RESOURCE=REASON")),
        }
    }
}

impl Failing {
    /// The change of the plan that is to fail, and its step.
    ///
    /// # Errors
    /// Wrong usage: there is no such stack or resource, or the plan leaves it alone, so that it cannot fail.
    pub fn find<'a>(&self, wanted: &[RenderedStack], plan: &'a Plan) -> Result<(&'a StackStep, &'a Change)> {
        let Failing { stack, resource, .. } = self;
        let found = plan.step(stack);
        if let Some(step) = found
            && let Some(change) = step.changes.iter().find(|change| change.logical_id == *resource)
        {
            return Ok((step, change));
        }
        let names: Vec<&str> = wanted.iter().map(|stack| stack.name.as_str()).collect();
        let Some(rendered) = wanted.iter().find(|rendered| rendered.name == *stack) else {
            return Err(unknown(format!("there is no stack `{stack}` that could fail"), stack, &names, ""));
        };
        let template: serde_json::Value = serde_json::from_str(&rendered.template).unwrap_or_default();
        let resources: Vec<&str> =
            template["Resources"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        if !resources.contains(&resource.as_str()) {
            let message = format!("stack `{stack}` has no resource `{resource}` that could fail");
            return Err(unknown(message, resource, &resources, &format!("{stack}.")));
        }
        let changed: Vec<&str> =
            found.into_iter().flat_map(|step| &step.changes).map(|change| change.logical_id.as_str()).collect();
        let error = Error::new(Kind::Usage, format!("{stack}.{resource} cannot fail: the plan does not touch it"));
        Err(match changed.is_empty() {
            true => error.detail(format!("stack `{stack}` has no changes")),
            false => error.detail(format!("in stack `{stack}` it changes {}", changed.join(", "))),
        }
        .into())
    }
}

fn unknown(message: String, name: &str, known: &[&str], prefix: &str) -> anyhow::Error {
    let error = Error::new(Kind::Usage, message);
    match nearest(name, known.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{prefix}{near}`?")).into(),
        None => error.detail(format!("there are: {}", known.join(", "))).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_resource_is_named_with_or_without_a_reason() {
        let failing: Failing = "site.Distribution".parse().unwrap();
        assert_eq!((failing.stack.as_str(), failing.resource.as_str()), ("site", "Distribution"));
        assert!(failing.reason.contains("GeneralServiceException"));
        let failing: Failing = "alb.Listener=Limit exceeded = 50".parse().unwrap();
        assert_eq!((failing.resource.as_str(), failing.reason.as_str()), ("Listener", "Limit exceeded = 50"));
        for wrong in ["alb", ".Listener", "alb.", "alb.Listener="] {
            assert!(wrong.parse::<Failing>().unwrap_err().contains(wrong));
        }
    }
}

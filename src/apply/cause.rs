//! Why a stack failed, from its events. Pure.
//!
//! CloudFormation reports the failure of everything that was under way when something failed. The cause is the first
//! resource that failed by itself; those that were merely cancelled with it are not worth a word.

use super::outcome::{FailedResource, RootCause};
use super::taken;
use crate::aws::cloudformation::StackEvent;
use crate::model::StackStatus;
use std::collections::{BTreeMap, BTreeSet};

/// What the explanation is about.
#[derive(Debug, Clone, Copy)]
pub struct Failed<'a> {
    pub environment: &'a str,
    pub stack_name: &'a str,
    pub region: &'a str,
    /// The status that the stack was left in.
    pub status: StackStatus,
    /// Logical id → place in the template file.
    pub places: &'a BTreeMap<String, String>,
}

/// The cause of a failed operation. `events` are those of the operation, the oldest first, nested stacks' among them.
pub fn root_cause(failed: Failed, events: &[StackEvent]) -> RootCause {
    let failures = own_failures(events);
    let rollback_from = events.iter().position(|event| event.is_of_stack() && is_rollback(&event.status));
    let (before, after): (Vec<_>, Vec<_>) =
        failures.into_iter().partition(|(index, _)| rollback_from.is_none_or(|from| *index < from));
    let mut causes = unique(before.into_iter().map(|(_, event)| event));
    let in_rollback = unique(after.into_iter().map(|(_, event)| event));
    if causes.is_empty() && failed.status == StackStatus::DeleteFailed {
        causes.clone_from(&in_rollback);
    }
    let resource = |event: &&StackEvent| failed_resource(event, failed.places);
    let mut all: Vec<FailedResource> = causes.iter().map(resource).collect();
    let first = (!all.is_empty()).then(|| all.remove(0));
    let message = match (&first, stack_reason(events)) {
        (Some(first), _) => {
            format!("{} ({}) failed: {}", first.logical_id, first.resource_type, without_envelope(&first.reason))
        }
        (None, Some(reason)) => reason,
        (None, None) => format!("the stack is in {}, and CloudFormation gives no reason", failed.status),
    };
    let mut details: Vec<String> = Vec::new();
    details.extend(causes.first().and_then(|event| event.hook.as_ref()).map(|hook| format!("hook {hook}")));
    if failed.status != StackStatus::DeleteFailed {
        let of = |event: &&StackEvent| {
            format!("in the rollback {} ({}) failed: {}", event.logical_id, event.resource_type, reason(event))
        };
        details.extend(in_rollback.iter().map(of));
    }
    let taken = causes.first().and_then(|event| taken::hints(event, failed.region)).unwrap_or_default();
    RootCause {
        message,
        resource: first,
        also: all,
        details,
        status: Some(failed.status.to_string()),
        rolled_back: rolled_back(failed.status).map(str::to_owned),
        hints: taken.into_iter().chain(hints(failed, &in_rollback)).collect(),
    }
}

/// Whether a status is a resource's failure.
pub fn is_failure(status: &str) -> bool {
    status.ends_with("_FAILED")
}

/// Reasons of resources that did not fail themselves: CloudFormation gave up on them because something else did. There
/// is no code for this, only text.
pub fn is_cancelled(reason: &str) -> bool {
    ["Resource creation cancelled", "Resource update cancelled", "Resource deletion cancelled", "Resource cancelled"]
        .iter()
        .any(|known| reason.contains(known))
}

fn is_rollback(status: &str) -> bool {
    matches!(status, "ROLLBACK_IN_PROGRESS" | "UPDATE_ROLLBACK_IN_PROGRESS" | "IMPORT_ROLLBACK_IN_PROGRESS")
}

/// Failures of resources themselves, with their index among the events. A nested stack whose own events say more is
/// none.
fn own_failures(events: &[StackEvent]) -> Vec<(usize, &StackEvent)> {
    let by_itself = |event: &StackEvent| {
        is_failure(&event.status) && !event.is_of_stack() && !event.reason.as_deref().is_some_and(is_cancelled)
    };
    let blamed: BTreeSet<&str> =
        events.iter().filter(|event| by_itself(event)).map(|event| event.stack_id.as_str()).collect();
    let explained = |event: &StackEvent| {
        event.resource_type == "AWS::CloudFormation::Stack"
            && event.physical_id.as_deref().is_some_and(|id| id != event.stack_id && blamed.contains(id))
    };
    events.iter().enumerate().filter(|(_, event)| by_itself(event) && !explained(event)).collect()
}

/// The first failure of each resource.
fn unique<'a>(events: impl Iterator<Item = &'a StackEvent>) -> Vec<&'a StackEvent> {
    let mut seen = BTreeSet::new();
    events.filter(|event| seen.insert((event.stack_id.as_str(), event.logical_id.as_str()))).collect()
}

fn failed_resource(event: &StackEvent, places: &BTreeMap<String, String>) -> FailedResource {
    FailedResource {
        logical_id: event.logical_id.clone(),
        resource_type: event.resource_type.clone(),
        physical_id: event.physical_id.clone(),
        status: event.status.clone(),
        reason: reason(event),
        place: places.get(&event.logical_id).cloned(),
    }
}

fn reason(event: &StackEvent) -> String {
    event
        .reason
        .as_deref()
        .map_or_else(|| format!("{} without a reason", event.status), |reason| reason.trim().to_owned())
}

/// What the registry's handlers pass on, without what they say of themselves.
fn without_envelope(reason: &str) -> &str {
    let inner = reason.strip_prefix("Resource handler returned message: \"");
    inner.and_then(|inner| inner.split_once("\" (RequestToken: ")).map_or(reason, |(words, _)| words)
}

/// The stack's own reason, where it says more than that somebody asked for the operation or which resources failed.
fn stack_reason(events: &[StackEvent]) -> Option<String> {
    let says_something =
        |reason: &&str| !reason.is_empty() && *reason != "User Initiated" && *reason != "Transformation succeeded";
    let of_stack = events.iter().filter(|event| event.is_of_stack());
    let failing = of_stack.filter(|event| event.status.contains("ROLLBACK") || is_failure(&event.status));
    let mut reasons = failing.filter_map(|event| event.reason.as_deref().map(str::trim)).filter(says_something);
    let reason = reasons.next()?;
    Some(reason.strip_suffix("Rollback requested by user.").unwrap_or(reason).trim_end().to_owned())
}

fn rolled_back(status: StackStatus) -> Option<&'static str> {
    Some(match status {
        StackStatus::RollbackComplete => "everything that was created was deleted again; an empty stack is left",
        StackStatus::RollbackFailed => "the rollback failed too: some of what was created is still there",
        StackStatus::UpdateRollbackComplete => "the stack is as it was before",
        StackStatus::UpdateRollbackFailed => "the rollback failed too: the stack is between old and new",
        StackStatus::ImportRollbackComplete => "nothing was imported",
        StackStatus::DeleteFailed => "nothing is rolled back: what was deleted is gone, the rest is still there",
        _ => return None,
    })
}

fn hints(failed: Failed, in_rollback: &[&StackEvent]) -> Vec<String> {
    let Failed { environment, stack_name, region, .. } = failed;
    let again = format!("mend the cause, then: infra apply --env {environment}");
    let see =
        format!("all events: aws cloudformation describe-stack-events --stack-name {stack_name} --region {region}");
    match failed.status {
        StackStatus::UpdateRollbackFailed => {
            let ids: Vec<&str> = in_rollback.iter().map(|event| event.logical_id.as_str()).collect();
            let command =
                format!("aws cloudformation continue-update-rollback --stack-name {stack_name} --region {region}");
            let mut hints = vec![format!("mend what stopped the rollback, then continue it: {command}")];
            if !ids.is_empty() {
                hints.push(format!(
                    "or leave behind what cannot be rolled back: {command} --resources-to-skip {}",
                    ids.join(" ")
                ));
            }
            hints.push(format!("then: infra apply --env {environment}"));
            hints
        }
        StackStatus::DeleteFailed => {
            vec![
                format!("remove what stands in the way (a bucket must be empty), then run the same command again"),
                see,
            ]
        }
        _ => vec![again, see],
    }
}

#[cfg(test)]
#[path = "cause_tests.rs"]
mod tests;

//! What happens to whole stacks, and to the data of their resources.

use crate::model::{Deployed, Parameter, RenderedStack};
use crate::plan::document::{Action, Change, ChangeAction, Finding, FindingSeverity, Removal, StackStep};
use crate::plan::head::Head;
use crate::plan::request::Request;
use crate::plan::running::unproven_images;
use crate::plan::situation::{Situation, unstick};
use crate::stateful;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn of_step(request: &Request, step: &StackStep) -> Vec<Finding> {
    let deployed = request.deployed.get(&step.stack);
    let mut found = Vec::new();
    found.extend(protected_deletion(request, step, deployed));
    found.extend(step.changes.iter().filter_map(|change| stateful_loss(request, step, change)));
    found.extend(unprotected(request, step, deployed));
    found.extend(half_deleted(request, step, deployed));
    found.extend(deployed.and_then(|deployed| stuck(step, deployed)));
    let unproven = deployed.and_then(|deployed| rollout_unproven(request, step, deployed));
    // It says more of the same change.
    let outside = || deployed.and_then(|deployed| changed_outside(request, step, deployed));
    found.extend(unproven.or_else(outside));
    found.extend(deployed.and_then(|deployed| drifted(step, deployed)));
    found.extend(lost(request, step));
    found.extend(kept(step));
    found.extend(unseen_secrets(request, step, deployed));
    found
}

fn finding(severity: FindingSeverity, code: &str, step: &StackStep, message: String) -> Finding {
    Finding {
        severity,
        code: code.to_owned(),
        stack: step.stack.clone(),
        logical_id: None,
        path: None,
        place: None,
        message,
    }
}

/// What destroys data is refused in a protected environment, and said in every other one.
fn graver_if(protected: bool) -> FindingSeverity {
    if protected { FindingSeverity::Refused } else { FindingSeverity::Warning }
}

fn stateful_loss(request: &Request, step: &StackStep, change: &Change) -> Option<Finding> {
    let holds = stateful::holds(&change.resource_type)?;
    let (id, resource_type) = (&change.logical_id, &change.resource_type);
    let kept = match change.removal {
        Some(Removal::Retain) => " (the old one stays in the account, outside of the stack)",
        Some(Removal::Snapshot) => " (a snapshot of the old one is kept)",
        Some(Removal::Delete) | None => "",
    };
    let (code, message) = match change.action {
        ChangeAction::Remove if change.removal == Some(Removal::Retain) => return None,
        ChangeAction::Remove => ("stateful-removal", format!("removes {id} ({resource_type}) with its {holds}{kept}")),
        ChangeAction::Replace => (
            "stateful-replacement",
            format!("replaces {id} ({resource_type}): the new one is without the {holds}{kept}"),
        ),
        ChangeAction::MayReplace => (
            "stateful-replacement",
            format!("may replace {id} ({resource_type}), and the new one would be without the {holds}{kept}"),
        ),
        _ => return None,
    };
    let word = format!("{}.{id}", step.stack);
    let allowed = match step.action {
        Action::Delete => request.options.allow_destroy,
        _ => request.options.allow_replace.contains(&word),
    };
    let severity = graver_if(request.scope.protect && !allowed);
    let message = match (severity, step.action) {
        (FindingSeverity::Refused, Action::Delete) => format!("{message}; `--allow-destroy` allows it"),
        (FindingSeverity::Refused, _) => format!("{message}; `--allow-replace {word}` allows it"),
        _ => message,
    };
    Some(Finding {
        logical_id: Some(id.clone()),
        place: change.place.clone(),
        ..finding(severity, code, step, message)
    })
}

fn protected_deletion(request: &Request, step: &StackStep, deployed: Option<&Deployed>) -> Option<Finding> {
    let protected = request.scope.protect || deployed.is_some_and(|deployed| deployed.termination_protection);
    if step.action != Action::Delete || !protected {
        return None;
    }
    if request.options.allow_destroy {
        let message = "deletes a protected stack; its termination protection is switched off for that".to_owned();
        return Some(finding(FindingSeverity::Warning, "protected-deletion", step, message));
    }
    let message = "deletes a protected stack; `--allow-destroy` allows it".to_owned();
    Some(finding(FindingSeverity::Refused, "protected-deletion", step, message))
}

/// Nothing keeps anybody from deleting the stack any more.
fn unprotected(request: &Request, step: &StackStep, deployed: Option<&Deployed>) -> Option<Finding> {
    let wanted = request.wanted.iter().find(|wanted| wanted.name == step.stack)?;
    let lost = deployed?.termination_protection && !wanted.protect && step.action == Action::Update;
    lost.then(|| {
        let message = "loses its termination protection: it can be deleted like any other stack".to_owned();
        super::graver(request, finding(FindingSeverity::Warning, "protection-lost", step, message))
    })
}

/// Recreating a stack whose deletion failed deletes what the deletion has not reached.
fn half_deleted(request: &Request, step: &StackStep, deployed: Option<&Deployed>) -> Option<Finding> {
    let deployed = deployed?;
    let half = step.action == Action::Recreate && deployed.status == crate::model::StackStatus::DeleteFailed;
    let allowed = request.options.allow_destroy;
    half.then(|| {
        let severity = graver_if(request.scope.protect && !allowed);
        let words = if severity == FindingSeverity::Refused { "; `--allow-destroy` allows it" } else { "" };
        let message =
            format!("its deletion failed halfway: what is left of it is deleted before it is created anew{words}");
        finding(severity, "half-deleted", step, message)
    })
}

fn stuck(step: &StackStep, deployed: &Deployed) -> Option<Finding> {
    let Situation::Stuck(deployed) = Situation::of(Some(deployed)) else { return None };
    if step.action == Action::Delete {
        return None;
    }
    let (why, command) = unstick(deployed);
    let message = format!("is in {}: {why}; continue it with `{command}`", deployed.status);
    Some(finding(FindingSeverity::Warning, "stuck-stack", step, message))
}

fn changed_outside(request: &Request, step: &StackStep, deployed: &Deployed) -> Option<Finding> {
    let record = request.record(&step.stack)?;
    let present = Situation::of(Some(deployed)).comparable().is_some();
    if !present || record.fingerprint == deployed.fingerprint() {
        return None;
    }
    let message = if record.fingerprint.stack_id != deployed.stack_id {
        format!("was deleted and created again since the state was written, at {}", deployed.created_at)
    } else {
        format!(
            "was changed at {} ({}) by something that the state does not know: a run that was cut off, or a change \
             outside of infra",
            deployed.changed_at, deployed.status
        )
    };
    let severity = if step.action == Action::Nothing { FindingSeverity::Note } else { FindingSeverity::Warning };
    Some(finding(severity, "changed-outside", step, message))
}

/// The stack is as wanted, and yet the state has not seen its image run: only ECS knows, and a plan does not ask it.
fn rollout_unproven(request: &Request, step: &StackStep, deployed: &Deployed) -> Option<Finding> {
    let record = request.record(&step.stack)?;
    let wanted = request.wanted.iter().find(|wanted| wanted.name == step.stack)?;
    let unproven = unproven_images(record, wanted);
    (step.action == Action::Nothing && step.adopt && !unproven.is_empty()).then(|| {
        let message = format!(
            "was given {} at {}, and no apply has seen it run: one was cut off, or ECS took the deployment back. Apply asks \
             ECS again, and fails unless it runs by then; `infra drift --stack {}` shows what runs",
            unproven.join(", "),
            deployed.changed_at,
            step.stack
        );
        finding(FindingSeverity::Warning, super::ROLLOUT_UNPROVEN, step, message)
    })
}

/// What CloudFormation found when it was last asked; a plan does not ask it. What was found before the stack's last change
/// says nothing of it now.
fn drifted(step: &StackStep, deployed: &Deployed) -> Option<Finding> {
    let checked = deployed.drifted_at.filter(|checked| *checked > deployed.changed_at)?;
    (step.action == Action::Update).then(|| {
        let message = format!(
            "has resources that are not as its template says, as CloudFormation found at {checked}: an update leaves \
             alone what it does not change; see `infra drift --stack {}`",
            step.stack
        );
        finding(FindingSeverity::Warning, "drifted-stack", step, message)
    })
}

fn lost(request: &Request, step: &StackStep) -> Option<Finding> {
    let record = request.record(&step.stack)?;
    let there = request.deployed.get(&step.stack).is_some();
    (step.action == Action::Create && !there).then(|| {
        let message = format!(
            "{} was applied at {} by {} and is gone from the account: it is created anew, without the data it held",
            record.stack_name, record.applied.at, record.applied.by
        );
        finding(FindingSeverity::Warning, "lost-stack", step, message)
    })
}

fn kept(step: &StackStep) -> Option<Finding> {
    let kept: Vec<&str> = step
        .changes
        .iter()
        .filter(|change| change.action == ChangeAction::Remove && change.removal == Some(Removal::Retain))
        .filter(|change| change.taken_by.is_none())
        .map(|change| change.logical_id.as_str())
        .collect();
    (!kept.is_empty()).then(|| {
        let message = format!("leaves in the account, outside of any stack: {}", kept.join(", "));
        finding(FindingSeverity::Note, "retained", step, message)
    })
}

/// Parameters that take outputs of which CloudFormation gives back only the ASCII. `lossy`: those outputs, by stack.
pub(in crate::plan) fn lost_text(wanted: &RenderedStack, lossy: &BTreeMap<String, BTreeSet<String>>) -> Vec<Finding> {
    let taken = wanted.parameters.iter().filter_map(|(name, parameter)| match parameter {
        Parameter::Output { stack, key } => lossy.get(stack)?.contains(key).then_some((name, stack, key)),
        _ => None,
    });
    taken
        .map(|(name, stack, key)| Finding {
            severity: FindingSeverity::Warning,
            code: "text-lost".to_owned(),
            stack: wanted.name.clone(),
            logical_id: None,
            path: None,
            place: None,
            message: format!(
                "parameter {name} takes output {key} of `{stack}`, which has characters outside ASCII: CloudFormation gives each \
                 back as `?`, and the parameter gets that; give the text as an input to both, or write it in ASCII"
            ),
        })
        .collect()
}

/// Nested stacks into which nobody could look.
pub(in crate::plan) fn unseen_nested(request: &Request) -> Vec<Finding> {
    let all =
        request.options.nested.iter().flat_map(|(stack, all)| all.iter().map(move |(id, nested)| (stack, id, nested)));
    let unseen = all.filter(|(_, _, nested)| nested.template.is_none());
    unseen
        .map(|(stack, id, _)| Finding {
            severity: FindingSeverity::Note,
            code: "nested-unseen".to_owned(),
            stack: stack.clone(),
            logical_id: Some(id.clone()),
            path: None,
            place: None,
            message: "the template behind its URL could not be read: what changes inside of it is not seen".to_owned(),
        })
        .collect()
}

/// CloudFormation tells nobody what a NoEcho parameter holds.
fn unseen_secrets(request: &Request, step: &StackStep, deployed: Option<&Deployed>) -> Option<Finding> {
    let wanted = request.wanted.iter().find(|wanted| wanted.name == step.stack)?;
    Situation::of(deployed).comparable()?;
    let head = Head::of(&wanted.template);
    let given = wanted.parameters.iter().filter(|(name, value)| {
        head.is_secret(name)
            && matches!(value, Parameter::Value(_) | Parameter::Secret { .. } | Parameter::Output { .. })
    });
    let names: Vec<&str> = given.map(|(name, _)| name.as_str()).collect();
    (!names.is_empty() && step.action == Action::Nothing).then(|| {
        let message = format!(
            "a new value of {} (NoEcho) cannot be seen, and is sent only when something else changes",
            names.join(", ")
        );
        finding(FindingSeverity::Note, "unseen-secret", step, message)
    })
}

//! Stacks that go: no longer in the file, or all of them for `destroy`.

use super::build::{assemble, recorded_only};
use super::changes;
use super::document::{Action, Plan, StackStep};
use super::findings;
use super::request::Request;
use super::situation::Situation;
use crate::model::{Deployed, StackRecord};
use std::collections::BTreeMap;

/// Which stacks each stack needed when it was last applied.
pub(super) type Needs = BTreeMap<String, Vec<String>>;

/// All stacks go, those that others need last. What has a deletion policy that says so stays in the account.
///
/// Stacks of the file that the state does not know are deleted too, where they exist: an interrupted first apply may
/// have made them.
pub fn plan_destroy(request: &Request) -> Plan {
    let mut needs = needs_of_records(request);
    let records = request.state.into_iter().flat_map(|state| &state.stacks);
    let mut steps: Vec<StackStep> = records.map(|(name, record)| step(request, name, record)).collect();
    for wanted in request.wanted.iter().filter(|stack| request.record(&stack.name).is_none()) {
        if let Some(deployed) = existing(request, &wanted.name) {
            steps.push(deletion(request, &wanted.name, deployed));
            needs.insert(wanted.name.clone(), wanted.waits_on());
        }
    }
    wait_for_users(&mut steps, &needs);
    let mut plan = assemble(request, steps);
    plan.findings = findings::findings(request, &plan.steps, Vec::new());
    plan
}

/// The step of a stack that is in the state and goes.
pub(super) fn step(request: &Request, name: &str, record: &StackRecord) -> StackStep {
    match existing(request, name) {
        Some(deployed) => deletion(request, name, deployed),
        None => {
            let mut step = StackStep::new(name, &record.stack_name, &record.target, Action::Forget);
            step.reason = Some("it is gone from the account already".to_owned());
            step
        }
    }
}

fn existing<'a>(request: &Request<'a>, name: &str) -> Option<&'a Deployed> {
    request.deployed.get(name).filter(|stack| stack.status != crate::model::StackStatus::DeleteComplete)
}

fn deletion(request: &Request, name: &str, deployed: &Deployed) -> StackStep {
    let mut step = StackStep::new(name, &deployed.stack_name, &deployed.target, Action::Delete);
    let gone = recorded_only(request).any(|(gone, _)| gone == name);
    step.reason = match Situation::of(Some(deployed)) {
        Situation::Leaving(_) | Situation::Busy(_) => Situation::of(Some(deployed)).reason(),
        _ => gone.then(|| "it is no longer in the file".to_owned()),
    };
    step.changes = changes::removals(deployed);
    step.resources = step.changes.len();
    step.unprotect = deployed.termination_protection && request.options.allow_destroy;
    step.fingerprint = Some(deployed.fingerprint());
    step
}

pub(super) fn needs_of_records(request: &Request) -> Needs {
    let records = request.state.into_iter().flat_map(|state| &state.stacks);
    records.map(|(name, record)| (name.clone(), record.waits_on.clone())).collect()
}

/// Deletions come after the steps of all stacks that used what is deleted: their own deletion, or the update that stops
/// using it.
pub(super) fn wait_for_users(steps: &mut [StackStep], needs: &Needs) {
    let names: Vec<String> = steps.iter().map(|step| step.stack.clone()).collect();
    for step in steps.iter_mut().filter(|step| matches!(step.action, Action::Delete | Action::Forget)) {
        let uses = |user: &&String| **user != step.stack && needs.get(*user).is_some_and(|of| of.contains(&step.stack));
        step.waits_on = names.iter().filter(uses).cloned().collect();
    }
}

//! What one stack gives up and another takes: one resource under one name, which cannot be there twice.
//!
//! Where the giver keeps it (`DeletionPolicy: Retain`), it moves: it leaves its old stack and joins the new one as it is.
//! Where it is not kept, or CloudFormation cannot take it, the plan is refused before anything happens, with the way.

use super::document::{Action, Change, ChangeAction, Finding, FindingSeverity, Hand, Removal, StackStep, Value};
use super::evaluated::Evaluated;
use super::identity::{self, Identity};
use super::request::Request;
use cloudformation::schema::{ReplacementStrategy, resource_type};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// Where a resource stands in a plan: stack and logical id.
type Spot = (String, String);

/// One resource that a stack gives up and another takes, or the same stack under another logical id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Move {
    pub from: Spot,
    pub to: Spot,
    pub resource_type: String,
    /// Its name, as its template gives it.
    pub name: String,
    /// What it is called in its present stack.
    pub physical_id: String,
    /// What stands in the way; none for what moves.
    pub refusal: Option<String>,
}

/// All moves of these steps, the givers in the order of the steps.
pub(super) fn moves(request: &Request, steps: &[StackStep]) -> Vec<Move> {
    let taken: BTreeMap<Identity, Spot> = steps.iter().flat_map(takes).collect();
    if taken.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for step in steps {
        let gives: Vec<&Change> = step.changes.iter().filter(|change| gives_up(change)).collect();
        let types: BTreeSet<&str> = taken.keys().map(|identity| identity.resource_type.as_str()).collect();
        if !gives.iter().any(|change| types.contains(change.resource_type.as_str())) {
            continue;
        }
        let live = request.deployed.get(&step.stack).and_then(Evaluated::live);
        for change in gives {
            let Some(identity) = given(step, change, live.as_ref()) else { continue };
            let Some(to) = taken.get(&identity) else { continue };
            let from = (step.stack.clone(), change.logical_id.clone());
            // A replacement under the same name is another thing.
            if *to == from {
                continue;
            }
            found.push(Move {
                refusal: refusal(change, &from, to),
                from,
                to: to.clone(),
                resource_type: change.resource_type.clone(),
                name: identity.name,
                physical_id: change.physical_id.clone().unwrap_or_default(),
            });
        }
    }
    found
}

/// The names that a step takes.
fn takes(step: &StackStep) -> impl Iterator<Item = (Identity, Spot)> {
    let new = step
        .changes
        .iter()
        .filter(|change| matches!(change.action, ChangeAction::Add | ChangeAction::Import | ChangeAction::Replace));
    new.filter_map(|change| {
        let name = name_after(change)?;
        let identity = Identity::new(&change.resource_type, &step.target, name);
        Some((identity, (step.stack.clone(), change.logical_id.clone())))
    })
}

/// Names that two stacks take in the same run: one of them would find it taken.
pub(super) fn taken_twice(steps: &[StackStep]) -> Vec<Finding> {
    let mut first: BTreeMap<Identity, Spot> = BTreeMap::new();
    let mut findings = Vec::new();
    for (identity, at) in steps.iter().flat_map(takes) {
        match first.get(&identity) {
            // Of two in one template, the template's own check says it.
            Some(other) if other.0 != at.0 => {
                let message = format!(
                    "{} and {} would both have the name of {} `{}`, which is there only once: give one of them another name",
                    spot(other),
                    spot(&at),
                    identity.resource_type,
                    identity.name
                );
                findings.push(taken(steps, &at, message));
            }
            Some(_) => {}
            None => {
                first.insert(identity, at);
            }
        }
    }
    findings
}

/// The name that a resource will have, as far as the plan shows it.
pub(super) fn name_after(change: &Change) -> Option<String> {
    let property = |name: &str| {
        let found = change.properties.iter().find(|property| property.path == name)?;
        match &found.change.after {
            Value::Known(Json::String(text)) if !text.contains(super::shown::UNKNOWN_PART) => Some(text.clone()),
            Value::Known(Json::Number(number)) => Some(number.to_string()),
            _ => None,
        }
    };
    identity::name_of(&change.resource_type, property)
}

fn gives_up(change: &Change) -> bool {
    matches!(change.action, ChangeAction::Remove | ChangeAction::Replace) && change.physical_id.is_some()
}

/// The name that a resource has now.
fn given(step: &StackStep, change: &Change, live: Option<&Evaluated>) -> Option<Identity> {
    let known = resource_type(&change.resource_type)?;
    let properties = live.and_then(|live| live.properties(&change.logical_id));
    let property = |name: &str| {
        let value = properties.as_ref()?.at(&format!("/{name}"))?;
        value.as_text().filter(|_| value.is_known() && !value.is_sensitive())
    };
    let name = identity::name_of(&change.resource_type, property).or_else(|| {
        // A name that CloudFormation made.
        let by_id = identity::is_named_by_identifier(known) && known.primary_identifier().len() == 1;
        change.physical_id.clone().filter(|_| by_id)
    })?;
    Some(Identity::new(&change.resource_type, &step.target, name))
}

/// Why a resource cannot move, with what to do; none if it can.
fn refusal(change: &Change, from: &Spot, to: &Spot) -> Option<String> {
    let (old, new) = (spot(from), spot(to));
    let kept = change.removal == Some(Removal::Retain);
    let stack = &from.0;
    let policy = if change.action == ChangeAction::Replace { "UpdateReplacePolicy" } else { "DeletionPolicy" };
    let two_steps = |first: &str| {
        format!(
            "in two steps: {first}, apply (it stays in the account); then add {new} and apply: it joins its stack as it is"
        )
    };
    let way = if !identity::is_importable(&change.resource_type) {
        return Some(format!(
            "CloudFormation cannot take a resource of this type into a stack: give {new} another name, or remove {old} and \
             apply, then add {new} and apply"
        ));
    } else if !kept {
        format!(
            "{old} is deleted. To keep it: apply with `{policy}: Retain` on {old} first; then {}. Or give {new} another name",
            if from.0 == to.0 || change.action == ChangeAction::Replace {
                two_steps(&format!("remove {old}"))
            } else {
                "apply this again: it moves".to_owned()
            }
        )
    } else if from.0 == to.0 {
        format!(
            "CloudFormation makes {new} before it lets go of {old} of the same stack. Rename it {}",
            two_steps(&format!("remove {old}"))
        )
    } else if change.action == ChangeAction::Replace {
        format!(
            "`{stack}` lets go of the name only when its own update is through. Rename it in two steps: apply without {new} first, then with it"
        )
    } else {
        return None;
    };
    Some(way)
}

fn spot((stack, id): &Spot) -> String {
    format!("{stack}.{id}")
}

impl Move {
    /// `orders.Queue → sales.Queue`
    fn arrow(&self) -> String {
        format!("{} → {}", spot(&self.from), spot(&self.to))
    }
}

/// What joins its stack because another gives it up: stack → logical id → physical id.
pub(super) fn joining(moves: &[Move]) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut joining: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for one in moves.iter().filter(|one| one.refusal.is_none()) {
        joining.entry(one.to.0.clone()).or_default().insert(one.to.1.clone(), one.physical_id.clone());
    }
    joining
}

/// Writes the moves into the steps, orders these, and says what is refused.
///
/// The stack that takes comes first and lets the resource go from its old stack itself, so that the old stack's other
/// deletions wait until the new one is made. Where the taker waits on the giver for another reason, the giver comes first.
pub(super) fn settle(steps: &mut [StackStep], moves: &[Move]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in moves {
        if let Some(refusal) = &one.refusal {
            let message = format!("{} ({} `{}`): {refusal}", one.arrow(), one.resource_type, one.name);
            findings.push(taken(steps, &one.to, message));
            continue;
        }
        let giver_first = waits_on(steps, &one.to.0, &one.from.0);
        let early = !giver_first;
        let (from, to) = (&one.from, &one.to);
        if let Some(change) = change_mut(steps, to) {
            change.taken_from = Some(Hand { stack: from.0.clone(), logical_id: from.1.clone(), early });
            change.because = vec![format!("{} gives it up", spot(from))];
        }
        if let Some(change) = change_mut(steps, from) {
            change.taken_by = Some(Hand { stack: to.0.clone(), logical_id: to.1.clone(), early });
            change.because = vec![format!("{} takes it", spot(to))];
        }
        if early
            && let Some(step) = steps.iter_mut().find(|step| step.stack == from.0)
            && !step.waits_on.contains(&to.0)
        {
            step.waits_on.push(to.0.clone());
        }
    }
    findings
}

/// Moves to a chosen stack from one that was not chosen: nothing would let the resource go.
pub(super) fn left_out(steps: &[StackStep], moves: &[Move], chosen: &BTreeSet<String>) -> Vec<Finding> {
    let cut = moves.iter().filter(|one| chosen.contains(&one.to.0) && !chosen.contains(&one.from.0));
    cut.map(|one| {
        let giver = &one.from.0;
        let message = format!(
            "{} ({} `{}`): `{giver}` is not looked at, and still has it: name it too (`--target {giver}`)",
            one.arrow(),
            one.resource_type,
            one.name
        );
        taken(steps, &one.to, message)
    })
    .collect()
}

/// Whether a step comes after another, directly or through others.
fn waits_on(steps: &[StackStep], stack: &str, on: &str) -> bool {
    let mut open = vec![stack.to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        let Some(step) = steps.iter().find(|step| step.stack == name) else { continue };
        if step.waits_on.iter().any(|need| need == on) {
            return true;
        }
        open.extend(step.waits_on.iter().filter(|need| seen.insert((*need).clone())).cloned());
    }
    false
}

fn change_mut<'s>(steps: &'s mut [StackStep], (stack, id): &Spot) -> Option<&'s mut Change> {
    let step = steps.iter_mut().find(|step| step.stack == *stack)?;
    step.changes.iter_mut().find(|change| change.logical_id == *id)
}

/// A finding about a name that is taken.
pub(super) fn taken(steps: &[StackStep], (stack, id): &Spot, message: String) -> Finding {
    let step = steps.iter().find(|step| step.stack == *stack);
    let change = step.and_then(|step| step.changes.iter().find(|change| change.logical_id == *id));
    Finding {
        severity: FindingSeverity::Refused,
        code: "name-taken".to_owned(),
        stack: stack.clone(),
        logical_id: Some(id.clone()),
        path: None,
        place: change.and_then(|change| change.place.clone()),
        message,
    }
}

/// Replacements under the same name: CloudFormation makes the new one first, and refuses to.
pub(super) fn renamed_by_nothing(request: &Request, steps: &[StackStep]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for step in steps.iter().filter(|step| step.action == Action::Update) {
        let replaced = step.changes.iter().filter(|change| change.action == ChangeAction::Replace);
        let mut named = replaced.filter(|change| {
            let names = identity::name_properties(&change.resource_type);
            // A name that changes is in the list of what changes.
            let part = |path: &str| names.iter().any(|name| path == name || path.starts_with(&format!("{name}.")));
            let first_new = resource_type(&change.resource_type)
                .is_some_and(|known| known.replacement_strategy() == ReplacementStrategy::CreateThenDelete);
            first_new && !names.is_empty() && !change.properties.iter().any(|property| part(&property.path))
        });
        let Some(first) = named.next() else { continue };
        let Some(live) = request.deployed.get(&step.stack).and_then(Evaluated::live) else { continue };
        for change in std::iter::once(first).chain(named) {
            let Some(properties) = live.properties(&change.logical_id) else { continue };
            let property =
                |name: &str| properties.at(&format!("/{name}")).filter(|value| !value.is_sensitive())?.as_text();
            let Some(name) = identity::name_of(&change.resource_type, property) else { continue };
            let message = format!(
                "{} ({} `{name}`) would be replaced under its own name: CloudFormation makes the new one before it deletes \
                 the old one, and refuses. Give it another name, or let CloudFormation name it",
                change.logical_id, change.resource_type
            );
            findings.push(taken(steps, &(step.stack.clone(), change.logical_id.clone()), message));
        }
    }
    findings
}

//! What CloudFormation is about to do against what the plan showed. Pure.
//!
//! A change set that does less than the plan, or the same more gently, is fine. One that replaces, removes or changes
//! anything that the plan did not show, or to other values, is not executed.

mod values;

use super::templates::{PLACEHOLDER, PLACEHOLDER_TYPE};
use crate::aws::cloudformation::{
    ChangeSetAction, ChangeSetChange, ChangeSetDetail, Recreation as Required, Replacement,
};
use crate::plan::{Change, ChangeAction, PropertyChange, Recreation, StackStep};
use cloudformation::schema::resource_type;
use std::collections::BTreeSet;
use std::fmt;

/// One thing that the plan did not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    pub logical_id: String,
    pub resource_type: String,
    /// A sentence without its subject: `would be replaced, because of Name; the plan showed a change in place`.
    pub what: String,
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}) {}", self.logical_id, self.resource_type, self.what)
    }
}

/// Everything in the change set that the plan did not show, in the change set's order.
pub fn deviations(step: &StackStep, described: &[ChangeSetChange]) -> Vec<Deviation> {
    described
        .iter()
        .filter(|change| !is_inside_unseen(step, change))
        .filter_map(|change| {
            let planned = step.changes.iter().find(|planned| planned.logical_id == change.logical_id);
            let what = deviation(step, planned, change)?;
            let (logical_id, resource_type) = (change.logical_id.clone(), change.resource_type.clone());
            Some(Deviation { logical_id, resource_type, what })
        })
        .collect()
}

/// Whether it is inside of a nested stack into which the plan could not look, as it said.
fn is_inside_unseen(step: &StackStep, change: &ChangeSetChange) -> bool {
    let outer = change.logical_id.rmatch_indices('.').map(|(at, _)| &change.logical_id[..at]);
    let planned = |id: &str| step.changes.iter().find(|planned| planned.logical_id == id);
    let nearest = outer.filter_map(planned).next();
    planned(&change.logical_id).is_none()
        && nearest.is_some_and(|outer| matches!(outer.action, ChangeAction::MayModify | ChangeAction::MayReplace))
}

fn deviation(step: &StackStep, planned: Option<&Change>, change: &ChangeSetChange) -> Option<String> {
    if change.logical_id == PLACEHOLDER && change.resource_type == PLACEHOLDER_TYPE {
        // It stood in for what another stack has taken.
        return None;
    }
    let showed = planned.map_or("the plan showed no change", |planned| showed(planned.action));
    let deviates = |would: String| Some(format!("{would}; {showed}"));
    match change.action {
        ChangeSetAction::Add => match planned.map(|planned| planned.action) {
            Some(ChangeAction::Add) => planned.and_then(|planned| values::other(planned, change)),
            // What was to be imported is gone, or belongs to a stack by now.
            Some(ChangeAction::Import) => {
                deviates("would be created, for there is nothing that could be imported".to_owned())
            }
            // Its condition may turn either way: the plan said that it would only know then.
            Some(ChangeAction::MayModify | ChangeAction::MayReplace) => None,
            _ => deviates("would be created".to_owned()),
        },
        ChangeSetAction::Import => match planned.map(|planned| planned.action) {
            Some(ChangeAction::Import) => None,
            _ => deviates("would be imported".to_owned()),
        },
        ChangeSetAction::Remove => match planned.map(|planned| planned.action) {
            Some(ChangeAction::Remove) => None,
            _ => deviates("would be removed".to_owned()),
        },
        // Nested stacks, whose changes nobody knows; and the record alone, which is no change to the resource.
        ChangeSetAction::Dynamic => planned.is_none().then(|| format!("may change; {showed}")),
        ChangeSetAction::SyncWithActual => None,
        ChangeSetAction::Modify => modification(step, planned, change),
    }
}

fn modification(step: &StackStep, planned: Option<&Change>, change: &ChangeSetChange) -> Option<String> {
    let Some(planned) = planned else {
        return (!only_stack_tags(step, change) && !possible_echo(step, change)).then(|| {
            let would = if change.replacement == Some(Replacement::Yes) { "replaced" } else { "changed" };
            format!("would be {would}{}; the plan showed no change", because(change))
        });
    };
    let replacement = change.replacement.unwrap_or(Replacement::No);
    match (planned.action, replacement) {
        // What was left out of its import comes now.
        (ChangeAction::Import, Replacement::No) => None,
        (ChangeAction::Replace | ChangeAction::MayReplace, _) | (ChangeAction::MayModify, Replacement::No) => {
            values::other(planned, change)
        }
        (ChangeAction::Modify | ChangeAction::MayModify, Replacement::Conditional) => {
            conditional(planned, change).or_else(|| values::other(planned, change))
        }
        (ChangeAction::Modify, Replacement::No) => {
            unplanned_properties(step, planned, change).or_else(|| values::other(planned, change))
        }
        (action, Replacement::Yes) => Some(format!("would be replaced{}; {}", because(change), showed(action))),
        (action, _) => Some(format!("would be changed{}; {}", because(change), showed(action))),
    }
}

/// CloudFormation often leaves open whether it replaces a resource although no changed property can make it do so. That
/// is fine as long as every property it names is one that the plan showed as changing in place for certain.
fn conditional(planned: &Change, change: &ChangeSetChange) -> Option<String> {
    let in_place = |detail: &&ChangeSetDetail| {
        is_own_tags(detail)
            || planned.properties.iter().any(|shown| covers(shown, detail) && shown.recreation == Recreation::Never)
    };
    let doubtful: BTreeSet<String> = change
        .details
        .iter()
        .filter(|detail| detail.recreation != Some(Required::Never))
        .filter(|detail| !in_place(detail))
        .map(name)
        .collect();
    (!doubtful.is_empty()).then(|| {
        let doubtful: Vec<String> = doubtful.into_iter().collect();
        format!("may be replaced, because of {}; {}", doubtful.join(", "), showed(planned.action))
    })
}

/// In place as planned, but of which properties?
fn unplanned_properties(step: &StackStep, planned: &Change, change: &ChangeSetChange) -> Option<String> {
    let shown = |detail: &&ChangeSetDetail| {
        planned.properties.iter().any(|property| covers(property, detail))
            || (is_own_tags(detail) && !step.tags.is_empty())
    };
    // Without names there is nothing to compare; and CloudFormation lists values that stay the same, too.
    let stays =
        |detail: &ChangeSetDetail| !detail.is_certain && detail.before.is_some() && detail.before == detail.after;
    let named = change.details.iter().filter(|detail| detail.attribute == "Properties" && detail.name.is_some());
    let named = named.filter(|detail| !stays(detail));
    let unplanned: BTreeSet<String> = named.filter(|detail| !shown(detail)).map(name).collect();
    (!unplanned.is_empty()).then(|| {
        let unplanned: Vec<String> = unplanned.into_iter().collect();
        format!("would change in {}, which the plan did not show", unplanned.join(", "))
    })
}

/// Stack tags spread to every resource that can carry them; the plan shows them once, on the stack.
fn only_stack_tags(step: &StackStep, change: &ChangeSetChange) -> bool {
    !step.tags.is_empty()
        && change.replacement != Some(Replacement::Yes)
        && change.scope.iter().all(|scope| scope == "Tags" || scope == "Properties")
        && change.details.iter().all(is_own_tags)
}

/// CloudFormation names a resource that reads an attribute of one that changes in place, for it learns only at execution
/// whether the attribute stays the same. That is no news to a plan that showed the change it would follow from, as long
/// as following could not replace the resource.
fn possible_echo(step: &StackStep, change: &ChangeSetChange) -> bool {
    let changing = |cause: &str| {
        let resource = cause.split('.').next().unwrap_or(cause);
        let planned = step.changes.iter().find(|planned| planned.logical_id == resource);
        planned.is_some_and(|planned| matches!(planned.action, ChangeAction::Modify | ChangeAction::MayModify))
    };
    let in_place = |detail: &ChangeSetDetail| {
        detail.recreation == Some(Required::Never)
            || resource_type(&change.resource_type).zip(detail.name.as_deref()).is_some_and(|(schema, name)| {
                schema.update_behaviour(name) == cloudformation::schema::RequiresRecreation::Never
            })
    };
    change.replacement != Some(Replacement::Yes)
        && !change.details.is_empty()
        && change.details.iter().all(|detail| {
            !detail.is_certain
                && detail.source.as_deref() == Some("ResourceAttribute")
                && detail.cause.as_deref().is_some_and(changing)
                && in_place(detail)
        })
}

fn is_own_tags(detail: &ChangeSetDetail) -> bool {
    detail.attribute == "Tags" || detail.name.as_deref() == Some("Tags")
}

/// A planned change of a property covers everything inside of its top level part: CloudFormation names no more than
/// that in some answers.
fn covers(planned: &PropertyChange, detail: &ChangeSetDetail) -> bool {
    let top = |path: &str| path.split(['.', '[', '/']).next().unwrap_or_default().to_owned();
    match &detail.name {
        Some(name) => top(&planned.path) == top(name),
        None => top(&planned.path) == detail.attribute,
    }
}

fn name(detail: &ChangeSetDetail) -> String {
    detail.name.clone().unwrap_or_else(|| detail.attribute.clone())
}

fn because(change: &ChangeSetChange) -> String {
    let always = change.details.iter().filter(|detail| detail.recreation == Some(Required::Always));
    let all: BTreeSet<String> = match change.replacement {
        Some(Replacement::Yes) => always.map(name).collect(),
        _ => change.details.iter().map(name).collect(),
    };
    if all.is_empty() {
        return String::new();
    }
    format!(", because of {}", all.into_iter().collect::<Vec<_>>().join(", "))
}

fn showed(action: ChangeAction) -> &'static str {
    match action {
        ChangeAction::Add => "the plan showed it as new",
        ChangeAction::Modify => "the plan showed a change in place",
        ChangeAction::MayModify => "the plan showed at most a change in place",
        ChangeAction::Replace | ChangeAction::MayReplace => "the plan showed a replacement",
        ChangeAction::Remove => "the plan showed its removal",
        ChangeAction::Import => "the plan showed its import",
    }
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;

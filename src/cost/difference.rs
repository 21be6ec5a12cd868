//! What a plan changes in a month's cost: each stack before and after, both by today's prices and figures of use.
//!
//! No call is made for it: a stack that stays as it is costs what it costs, and what is deployed of the others is at
//! hand, since the plan compared it.

use super::estimate::{Estimate, estimate};
use super::sheet::Sheets;
use super::{CURRENCY, cents};
use crate::inventory::{self, Resource};
use crate::model::{Deployed, RenderedStack, Usage};
use crate::plan::{Action, Change, ChangeAction, CostChange, Plan, Removal, StackCostChange, StackStep, UnknownCost};
use std::collections::{BTreeMap, BTreeSet};

/// The change that a plan makes; none for a plan that changes nothing.
pub fn difference(
    plan: &Plan,
    wanted: &[RenderedStack],
    deployed: &BTreeMap<String, Deployed>,
    sheets: &Sheets,
    usage: &Usage,
) -> Option<CostChange> {
    if !plan.has_changes() {
        return None;
    }
    let looked_at: BTreeSet<&str> = plan.steps.iter().map(|step| step.stack.as_str()).collect();
    let mut resources = inventory::of_stacks(wanted);
    resources.retain(|resource| looked_at.contains(resource.stack.as_str()));
    let after = estimate(&resources, sheets, usage);
    let mut change = CostChange { currency: CURRENCY.to_owned(), ..CostChange::default() };
    for step in &plan.steps {
        let template = wanted.iter().find(|stack| stack.name == step.stack).map(|stack| stack.template.as_str());
        let there = before(step, deployed.get(&step.stack), template);
        let kept = there.as_deref().map(|there| kept(step, there)).unwrap_or_default();
        let was = there.map(|resources| estimate(&resources, sheets, usage));
        let after_step = match step.action {
            Action::Delete | Action::Forget => cents(0.into()),
            _ => after.of(&step.stack),
        };
        let after_step = after_step + estimate(&kept, sheets, usage).of(&step.stack);
        let before_step = match (&was, step.action) {
            (Some(was), _) => was.of(&step.stack),
            (None, Action::Nothing) => after_step,
            (None, _) => cents(0.into()),
        };
        change.before += before_step;
        change.after += after_step;
        if step.action != Action::Nothing {
            if before_step != after_step {
                let stack = step.stack.clone();
                change.stacks.push(StackCostChange { stack, before: before_step, after: after_step });
            }
            change.unknown.extend(unknown(&step.stack, &after, was.as_ref()));
        }
    }
    change.before = cents(change.before);
    change.after = cents(change.after);
    change.difference = change.after - change.before;
    Some(change)
}

/// What there is now of a stack that changes. A stack whose first creation failed has nothing that lasts.
fn before(step: &StackStep, deployed: Option<&Deployed>, wanted: Option<&str>) -> Option<Vec<Resource>> {
    if !matches!(step.action, Action::Update | Action::Delete) {
        return None;
    }
    let deployed = deployed?;
    // Without a text of its own it is the wanted one: the plan found that they are the same.
    let template = deployed.template.as_deref().or(wanted)?;
    let parameters = deployed.parameters.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect();
    Some(inventory::of_template(&step.stack, &deployed.target, &deployed.stack_name, template, &parameters))
}

/// What leaves the stack and stays in the account, where it costs on.
fn kept(step: &StackStep, there: &[Resource]) -> Vec<Resource> {
    let leaves = |change: &Change| {
        change.removal == Some(Removal::Retain) && matches!(change.action, ChangeAction::Remove | ChangeAction::Replace)
    };
    let kept: BTreeSet<&str> =
        step.changes.iter().filter(|change| leaves(change)).map(|change| change.logical_id.as_str()).collect();
    there.iter().filter(|resource| kept.contains(resource.logical_id.as_str())).cloned().collect()
}

/// Resources without a price that come, or go.
fn unknown(stack: &str, after: &Estimate, before: Option<&Estimate>) -> Vec<UnknownCost> {
    let of = |estimate: &Estimate| -> BTreeSet<(String, String, String)> {
        let unknown = estimate.unknown().filter(|(cost, _, _)| cost.stack == stack);
        unknown.map(|(_, one, it)| (one.logical_id.clone(), one.resource_type.clone(), it.what.clone())).collect()
    };
    let (now, then) = (of(after), before.map(of).unwrap_or_default());
    let changed = now.symmetric_difference(&then).cloned();
    let cost = |(logical_id, resource_type, what): (String, String, String)| UnknownCost {
        stack: stack.to_owned(),
        logical_id,
        resource_type,
        what,
    };
    changed.map(cost).collect()
}

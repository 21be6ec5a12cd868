//! What a plan changes in a month's cost, in a sentence or two.

use super::Detail;
use crate::plan::CostChange;
use crate::view::text;
use rust_decimal::Decimal;
use std::cmp::Reverse;

/// Stacks that are named where not all are asked for.
const NAMED: usize = 4;

/// The sum, and what has no price. Nothing where neither changes.
pub(super) fn lines(cost: &CostChange, detail: Detail) -> Vec<String> {
    let mut lines = Vec::new();
    if !cost.stacks.is_empty() {
        let CostChange { before, after, currency, difference, .. } = cost;
        lines.push(format!(
            "Cost: {before:.2} → {after:.2} {currency} a month ({}): {}.",
            signed(*difference),
            stacks(cost, detail)
        ));
    }
    if !cost.unknown.is_empty() {
        let mut names: Vec<String> = cost.unknown.iter().map(|it| format!("{}.{}", it.stack, it.logical_id)).collect();
        names.dedup();
        let rest = names.len().saturating_sub(NAMED);
        if rest > 0 && !detail.verbose {
            names.truncate(NAMED);
            names.push(format!("{rest} more"));
        }
        lines.push(format!("Cost not known, in no sum: {}.", text::list(&names)));
    }
    lines
}

/// Those that change most first.
fn stacks(cost: &CostChange, detail: Detail) -> String {
    let mut changes: Vec<(&str, Decimal)> =
        cost.stacks.iter().map(|stack| (stack.stack.as_str(), stack.after - stack.before)).collect();
    changes.sort_by_key(|(_, difference)| Reverse(difference.abs()));
    let mut named: Vec<String> =
        changes.iter().map(|(stack, difference)| format!("{stack} {}", signed(*difference))).collect();
    if named.len() > NAMED + 1 && !detail.verbose {
        let rest: Decimal = changes.iter().skip(NAMED).map(|(_, difference)| *difference).sum();
        let others = named.len() - NAMED;
        named.truncate(NAMED);
        named.push(format!("{others} others {}", signed(rest)));
    }
    named.join(", ")
}

/// With its sign, also where it is a plus.
fn signed(amount: Decimal) -> String {
    if amount.is_sign_negative() && !amount.is_zero() {
        format!("−{:.2}", amount.abs())
    } else {
        format!("+{amount:.2}")
    }
}

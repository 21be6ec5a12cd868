//! Drift as text for people, as Markdown for comments and summaries, and as SARIF.

mod adoptions;
mod human;
mod markdown;
mod results;
#[cfg(test)]
mod tests;

use super::text::{self, principal};
use super::{Format, View};
use crate::drift::{Drift, PropertyDrift, PropertyKind, ResourceDrift, StackCondition, StackDrift, Status, Summary};
use crate::error::Result;

pub use human::human;
pub use markdown::markdown;
pub use results::results;

/// How much of it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Detail {
    /// Columns; longer values take lines of their own.
    pub width: usize,
    /// What is ignored, what the template leaves open, and where answers come from.
    pub verbose: bool,
}

impl View {
    /// Drift as a document, as text, or as Markdown of at most `size_limit` characters.
    pub fn drift(&self, drift: &Drift, size_limit: usize) -> Result<()> {
        let detail = Detail { width: self.terminal.width, verbose: self.verbose };
        match self.format {
            Format::Human => self.data(&human(drift, detail)),
            Format::Json => self.json(drift),
            Format::Markdown => self.data(&markdown(drift, size_limit)),
        }
    }
}

/// The last line: what was found, of how much, and what remains to be said of it.
fn summary_line(drift: &Drift) -> String {
    let Summary { resources, modified, deleted, not_checked, stacks_changed, unmanaged, undeclared, ignored, .. } =
        drift.summary;
    let mut found = Vec::new();
    let mut say = |count: usize, what: &str| {
        if count > 0 {
            found.push(format!("{count} {what}"));
        }
    };
    say(modified, "modified");
    say(deleted, "deleted");
    say(stacks_changed, if stacks_changed == 1 { "stack changed" } else { "stacks changed" });
    say(unmanaged, "unmanaged");
    let mut beside = Vec::new();
    let mut add = |count: usize, what: &str| {
        if count > 0 {
            beside.push(format!("{count} {what}"));
        }
    };
    add(not_checked, "not checked");
    add(undeclared, "left open by the template");
    add(ignored, "ignored");
    let beside = if beside.is_empty() { String::new() } else { format!("; {}", beside.join(", ")) };
    let of = format!("{} in {}", text::count(resources, "resource"), text::count(drift.stacks.len(), "stack"));
    if drift.serial.is_none() && resources == 0 {
        let found = if found.is_empty() { String::new() } else { format!(" {} found.", found.join(", ")) };
        return format!(
            "Nothing to compare: {}/{} was never applied, or its state is gone.{found}",
            drift.project, drift.environment
        );
    }
    match (found.is_empty(), drift.is_complete()) {
        (true, true) => {
            format!("No drift. {}/{} is as it was applied: {of}{beside}.", drift.project, drift.environment)
        }
        (true, false) => format!("No drift was found, and not everything could be looked at: {of}{beside}."),
        (false, _) => format!("Drift: {}, of {of}{beside}.", found.join(", ")),
    }
}

/// Stacks with something to tell.
fn told(drift: &Drift) -> impl Iterator<Item = &StackDrift> {
    drift.stacks.iter().filter(|stack| stack.is_changed() || stack.drifted().next().is_some())
}

/// What became of the stack as a whole, where that is worth a word.
fn condition(stack: &StackDrift) -> &'static str {
    match stack.condition {
        StackCondition::Unchanged | StackCondition::NotApplied => "",
        StackCondition::Changed => "changed outside of infra",
        StackCondition::Deleted => "is gone from the account",
        StackCondition::Recreated => "was deleted and created again outside of infra",
    }
}

/// `modified`, and who did it.
fn remark(resource: &ResourceDrift) -> &'static str {
    match resource.status {
        Status::Deleted => "is gone",
        _ => "",
    }
}

/// `changed 2026-11-22 07:14 UTC by Deploy/alice (ec2:AuthorizeSecurityGroupIngress)`
fn changed(resource: &ResourceDrift) -> Option<String> {
    let changed = resource.changed.as_ref()?;
    let at = changed.at.strftime("%Y-%m-%d %H:%M UTC");
    Some(format!("{at} by {} ({})", principal(&changed.by), changed.call))
}

/// Those that are shown: what is drift, and with `verbose` all.
fn shown(resource: &ResourceDrift, verbose: bool) -> impl Iterator<Item = &PropertyDrift> {
    resource.properties.iter().filter(move |property| verbose || property.is_confirmed())
}

/// Why a property is no drift.
fn excuse(property: &PropertyDrift) -> Option<String> {
    match (&property.ignored, property.kind) {
        (Some(ignored), _) => Some(format!("ignored: {}", ignored.because)),
        (None, PropertyKind::Undeclared) => Some("the template leaves it open".to_owned()),
        (None, PropertyKind::Declared) => None,
    }
}

/// What could not be looked at, a line each; resources that share a reason and a stack share a line.
fn unchecked(drift: &Drift) -> Vec<(String, String)> {
    let mut lines: Vec<(String, String)> = Vec::new();
    for stack in &drift.stacks {
        for one in &stack.unchecked {
            lines.push((format!("{}: {}", stack.stack, one.what), one.reason.clone()));
        }
        let mut grouped: Vec<(String, String, Vec<&str>)> = Vec::new();
        for resource in stack.resources.iter().filter(|resource| resource.status == Status::NotChecked) {
            let reason = resource.reason.clone().unwrap_or_default();
            match grouped.iter_mut().find(|(of, why, _)| *of == resource.resource_type && *why == reason) {
                Some((_, _, ids)) => ids.push(&resource.logical_id),
                None => grouped.push((resource.resource_type.clone(), reason, vec![&resource.logical_id])),
            }
        }
        for (of, reason, ids) in grouped {
            lines.push((format!("{}: {} ({of})", stack.stack, text::list(&ids)), reason));
        }
    }
    lines.extend(drift.unchecked.iter().map(|one| (one.what.clone(), one.reason.clone())));
    lines
}

/// Rules that no longer do anything.
fn strays(drift: &Drift) -> Vec<String> {
    let line = |stray: &crate::drift::StrayIgnore| match &stray.expired {
        Some(day) => format!("{}: the rule for `{}` expired on {day}", stray.place, stray.rule),
        None => format!("{}: nothing needs the rule for `{}` any more", stray.place, stray.rule),
    };
    drift.stray_ignores.iter().map(line).collect()
}

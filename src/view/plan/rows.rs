//! What is said about one stack of a plan, line by line, before anybody decides how lines look.

use super::values::{self, Known};
use super::{Detail, Sign};
use crate::model::Parameter;
use crate::plan::{
    Action, Change, ChangeAction, Plan, PropertyChange, Recreation, Removal, SENSITIVE_PART, StackStep, Value,
    ValueChange,
};
use crate::view::text;

/// One line: a symbol, its depth, its text. Styled parts carry escape codes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub sign: Sign,
    pub indent: usize,
    pub text: String,
    /// Belongs to the line above and may be left out where space is short.
    pub minor: bool,
}

impl Row {
    pub fn new(sign: Sign, indent: usize, text: impl Into<String>) -> Row {
        Row { sign, indent, text: text.into(), minor: true }
    }
}

/// The columns that a symbol and the space after it take.
pub(super) const SYMBOL_WIDTH: usize = 4;

const RESOURCE: usize = 2;
const PROPERTY: usize = RESOURCE + SYMBOL_WIDTH;

/// "update", "delete: no longer in the environment file", …: what becomes of the stack as a whole.
pub(super) fn headline(plan: &Plan, step: &StackStep) -> String {
    let verb = match step.action {
        Action::Nothing => "unchanged",
        Action::Create => "create",
        Action::Update => "update",
        Action::Recreate => "delete and create again",
        Action::Delete => "delete",
        Action::Forget => "forget",
    };
    let mut headline = verb.to_owned();
    if matches!(step.action, Action::Create | Action::Recreate | Action::Delete) {
        headline += &format!(" ({})", text::count(step.resources, "resource"));
    }
    if step.target.region != plan.region {
        headline += &format!(" in {}", step.target.region);
    }
    if step.target.account != plan.account {
        headline += &format!(" in account {}", step.target.account);
    }
    if let Some(reason) = &step.reason {
        headline += &format!(", {reason}");
    }
    headline
}

/// Everything under a stack's headline.
pub(super) fn rows(step: &StackStep, detail: Detail) -> Vec<Row> {
    let mut rows = Vec::new();
    // Everything about a new stack is new: its resources say enough.
    let new = matches!(step.action, Action::Create | Action::Recreate);
    if !new || detail.verbose {
        stack_rows(step, detail, &mut rows);
    }
    let ids = step.changes.iter().map(|change| change.logical_id.chars().count()).max().unwrap_or(0).min(34);
    for change in &step.changes {
        resource_rows(change, ids, new, detail, &mut rows);
    }
    rows
}

/// Parameters, tags, outputs, images, protection.
fn stack_rows(step: &StackStep, detail: Detail, rows: &mut Vec<Row>) {
    for (name, change) in &step.images {
        match image_digests(change) {
            Some(digests) => {
                let commits = step.image_commits.get(name).map(|count| plural_commits(*count)).unwrap_or_default();
                rows.push(Row::new(Sign::Change, RESOURCE, format!("image {name}: {digests}{commits}")));
            }
            None => value_rows(&format!("image {name}"), change, "", RESOURCE, detail, rows),
        }
    }
    for (name, change) in &step.packages {
        let digest = |value: &Value| match value.known().and_then(|value| value.as_str()) {
            Some(digest) => values::with_short_digests(digest),
            None => values::inline(value),
        };
        let moved = change.before == change.after;
        let text = match (&change.before, moved) {
            (Value::Known(_), true) => format!("package {name}: {}, in another place", digest(&change.after)),
            (Value::Known(_), false) => {
                format!("package {name}: {} → {}", digest(&change.before), digest(&change.after))
            }
            _ => format!("package {name}: {}", digest(&change.after)),
        };
        rows.push(Row::new(Sign::Change, RESOURCE, text));
    }
    let image_values: Vec<&Value> = step.images.values().map(|change| &change.after).collect();
    for (name, change) in &step.parameters {
        // A parameter that only carries an image on would say the same digest twice.
        if detail.verbose || !(image_values.contains(&&change.after) || carries_package(step, name)) {
            value_rows(&format!("parameter {name}"), change, "", RESOURCE, detail, rows);
        }
    }
    for (name, change) in &step.tags {
        value_rows(&format!("tag {name}"), change, "", RESOURCE, detail, rows);
    }
    for (name, change) in &step.outputs {
        value_rows(&format!("output {name}"), change, "", RESOURCE, detail, rows);
    }
    for (path, change) in &step.sections {
        value_rows(path, change, "", RESOURCE, detail, rows);
    }
    if step.unprotect {
        rows.push(Row::new(Sign::Change, RESOURCE, "termination protection is lifted first"));
    }
    if let Some(change) = &step.protection {
        let word = |value: &Value| match value.known().and_then(|value| value.as_str()) {
            Some(word) => word.to_owned(),
            None => values::inline(value),
        };
        let text = format!("protection: {} → {}", word(&change.before), word(&change.after));
        rows.push(Row::new(Sign::Change, RESOURCE, text));
    }
}

/// The parameter is a package's key, or its whole address, which its digest has told.
fn carries_package(step: &StackStep, parameter: &str) -> bool {
    let wanted = step.wanted.as_ref().and_then(|wanted| wanted.parameters.get(parameter));
    matches!(wanted, Some(Parameter::Package(package)) if step.packages.contains_key(&package.name))
}

/// How far the sources have moved since.
fn plural_commits(count: u64) -> String {
    match usize::try_from(count) {
        Ok(count @ 1..) => format!(" ({})", text::count(count, "commit")),
        _ => String::new(),
    }
}

/// References to the same repository differ in their digests only.
fn image_digests(change: &ValueChange) -> Option<String> {
    let parts = |value: &Value| {
        let (repository, digest) = value.known()?.as_str()?.split_once("@sha256:")?;
        Some((repository.to_owned(), values::with_short_digests(&format!("sha256:{digest}"))))
    };
    let ((old_repository, old), (repository, new)) = (parts(&change.before)?, parts(&change.after)?);
    (old_repository == repository && old != new).then(|| format!("{old} → {new}"))
}

fn resource_rows(change: &Change, ids: usize, new_stack: bool, detail: Detail, rows: &mut Vec<Row>) {
    let remark = remark(change);
    let id = text::pad(&change.logical_id, ids);
    let what = format!("{id}  {}", change.resource_type);
    let inner = PROPERTY + SYMBOL_WIDTH;
    let length = RESOURCE + SYMBOL_WIDTH + text::columns(&what) + 2 + text::columns(remark);
    let (beside, below) = if length <= detail.width { (remark, "") } else { ("", remark) };
    let beside = if beside.is_empty() { String::new() } else { format!("  {}", text::strong(beside)) };
    let mut line = Row::new(change.action.into(), RESOURCE, format!("{what}{beside}"));
    line.minor = false;
    rows.push(line);
    if !below.is_empty() {
        rows.push(Row::new(Sign::None, PROPERTY, text::strong(below)));
    }
    if let (Some(id), true) = (&change.physical_id, detail.verbose || change.action.may_lose_the_old()) {
        rows.push(Row::new(Sign::None, PROPERTY, text::faint(id)));
    }
    if let (Some(place), true) = (&change.place, detail.verbose) {
        rows.push(Row::new(Sign::None, PROPERTY, text::faint(place)));
    }
    if !change.because.is_empty() {
        let because = format!("because {}", text::list(&change.because));
        for line in text::wrap(&because, detail.width.saturating_sub(inner)) {
            rows.push(Row::new(Sign::None, PROPERTY, line));
        }
    }
    if new_stack && !detail.verbose || change.action == ChangeAction::Remove {
        return;
    }
    for property in &change.properties {
        let remark = recreation(change.action, property);
        value_rows(&property.path, &property.change, remark, PROPERTY, detail, rows);
    }
}

/// What the symbol alone does not say.
fn remark(change: &Change) -> &'static str {
    if change.action == ChangeAction::Remove && change.taken_by.is_some() {
        return "moves to another stack";
    }
    match (change.action, change.removal) {
        (ChangeAction::Replace, Some(Removal::Retain)) => "is replaced, the old one is kept",
        (ChangeAction::Replace, Some(Removal::Snapshot)) => "is replaced, a snapshot is kept",
        (ChangeAction::Replace, _) => "is replaced",
        (ChangeAction::MayReplace, Some(Removal::Retain)) => "may be replaced, the old one is kept",
        (ChangeAction::MayReplace, Some(Removal::Snapshot)) => "may be replaced, a snapshot is kept",
        (ChangeAction::MayReplace, _) => "may be replaced",
        (ChangeAction::MayModify, _) => "may change",
        (ChangeAction::Remove, Some(Removal::Retain)) => "leaves the stack, is kept in the account",
        (ChangeAction::Remove, Some(Removal::Snapshot)) => "is deleted, a snapshot is kept",
        (ChangeAction::Import, _) => "joins the stack as it is",
        (ChangeAction::Add | ChangeAction::Modify | ChangeAction::Remove, _) => "",
    }
}

fn recreation(action: ChangeAction, property: &PropertyChange) -> &'static str {
    match property.recreation {
        Recreation::Always if action.may_lose_the_old() => "forces replacement",
        Recreation::Conditionally if action.may_lose_the_old() => "may force replacement",
        _ => "",
    }
}

/// `name: before → after` where that fits, otherwise lines of their own.
fn value_rows(name: &str, change: &ValueChange, remark: &str, indent: usize, detail: Detail, rows: &mut Vec<Row>) {
    let first = rows.len();
    push_value_rows(name, change, remark, indent, detail, rows);
    if !detail.verbose {
        rows[first..].iter_mut().for_each(|row| row.text = values::with_short_digests(&row.text));
    }
}

fn push_value_rows(name: &str, change: &ValueChange, remark: &str, indent: usize, detail: Detail, rows: &mut Vec<Row>) {
    let ValueChange { before, after } = change;
    let sign = match (before, after) {
        (Value::Absent, _) => Sign::Add,
        (_, Value::Absent) => Sign::Remove,
        (_, Value::Unknown) => Sign::Unknown,
        _ => Sign::Change,
    };
    let room = detail.width.saturating_sub(indent + SYMBOL_WIDTH);
    // Where nobody may see how it differs, it is said that it does.
    let alike = !matches!((before, after), (Value::Absent, _) | (_, Value::Absent))
        && values::inline(before) == values::inline(after)
        && values::inline(after).contains(SENSITIVE_PART);
    let changes = if alike { format!(", {CHANGES}") } else { String::new() };
    let suffix = match remark.is_empty() {
        true => changes,
        false => format!("{changes}  {}", text::strong(remark)),
    };
    let short = match (before, after) {
        (Value::Absent, one) | (one, Value::Absent) => values::inline(one),
        (before, after) => format!("{} → {}", values::inline(before), values::inline(after)),
    };
    let line = format!("{name}: {short}{suffix}");
    if alike || text::columns(&line) <= room || !worth_lines(before, after) {
        rows.push(Row::new(sign, indent, line));
        return;
    }
    let one = matches!(before, Value::Absent) || matches!(after, Value::Absent);
    if one && !detail.verbose {
        let keep = room.saturating_sub(text::columns(name) + 2 + text::columns(&suffix));
        rows.push(Row::new(sign, indent, format!("{name}: {}{suffix}", text::cut(&short, keep))));
        return;
    }
    rows.push(Row::new(sign, indent, format!("{name}:{suffix}")));
    for (sign, line) in values::lines(before, after) {
        rows.push(Row::new(sign, indent + SYMBOL_WIDTH, line));
    }
}

/// Of a sensitive value.
const CHANGES: &str = "changes";

/// A value that nobody knows or may see has no lines to show.
fn worth_lines(before: &Value, after: &Value) -> bool {
    [before, after].into_iter().any(|value| value.known().is_some())
}

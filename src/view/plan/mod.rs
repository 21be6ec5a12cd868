//! A plan as text for people and as Markdown for pull requests. Both are made of the same rows.

mod assets;
mod cost;
mod human;
mod markdown;
mod rows;
#[cfg(test)]
mod tests;
pub(in crate::view) mod values;

use crate::plan::{Action, Asset, ChangeAction, FindingSeverity, Plan, StackStep, Summary};
use crate::view::text;
use serde::Serialize;

pub use human::human;
pub use markdown::{GITHUB_COMMENT_LIMIT, NO_LIMIT, markdown};

/// How much of a plan is shown.
#[derive(Debug, Clone, Copy)]
pub struct Detail {
    /// Columns; longer values take lines of their own.
    pub width: usize,
    /// Properties of new resources, places in templates, unchanged stacks by name.
    pub verbose: bool,
}

/// The document that programs get: the plan, and the figures of its summary line.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    #[serde(flatten)]
    pub plan: &'a Plan,
    pub summary: Summary,
}

impl<'a> Document<'a> {
    pub fn new(plan: &'a Plan) -> Document<'a> {
        Document { plan, summary: plan.summary() }
    }
}

/// The last line of every plan.
fn summary_line(plan: &Plan) -> String {
    if !plan.has_changes() {
        let scope = if plan.targets.is_empty() {
            format!("{}/{}", plan.project, plan.environment)
        } else {
            format!("{} in {}/{}", plan.targets.join(", "), plan.project, plan.environment)
        };
        let verb = if plan.targets.len() > 1 { "match their" } else { "matches its" };
        let unproven: Vec<&str> = plan.unproven().collect();
        if !unproven.is_empty() {
            let stacks = text::list(&unproven);
            return format!("No changes. {scope} {verb} configuration, but whether {stacks} runs it is not known.");
        }
        return format!("No changes. {scope} {verb} configuration.");
    }
    format!("Plan: {}.", figures(plan))
}

fn figures(plan: &Plan) -> String {
    let Summary { import, add, change, replace, destroy, stacks, .. } = plan.summary();
    // Few plans import anything, and only those say so.
    let imports = if import > 0 { format!("{import} to import, ") } else { String::new() };
    let noun = if stacks == 1 { "stack" } else { "stacks" };
    let kind = |wanted: fn(&Asset) -> bool, noun: &str| match plan.moving().filter(|one| wanted(&one.asset)).count() {
        0 => String::new(),
        count => format!(", {}", text::count(count, noun)),
    };
    let images = kind(|asset| matches!(asset, Asset::Image(_)), "image");
    let packages = kind(|asset| matches!(asset, Asset::Package(_)), "package");
    let sites = kind(|asset| matches!(asset, Asset::Site(_)), "site");
    format!(
        "{imports}{add} to add, {change} to change, {replace} to replace, {destroy} to destroy in {stacks} {noun}{images}{packages}{sites}"
    )
}

/// Stacks that something happens to.
fn busy(plan: &Plan) -> impl Iterator<Item = &StackStep> {
    plan.steps.iter().filter(|step| step.action != Action::Nothing)
}

/// The symbol before a line, with what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::view) enum Sign {
    Add,
    Change,
    Replace,
    Remove,
    Import,
    Unknown,
    None,
}

impl Sign {
    pub fn symbol(self) -> &'static str {
        match self {
            Sign::Add => "+",
            Sign::Change => "~",
            Sign::Replace => "-/+",
            Sign::Remove => "-",
            Sign::Import => "<=",
            Sign::Unknown => ">",
            Sign::None => "",
        }
    }
}

impl From<Action> for Sign {
    fn from(action: Action) -> Sign {
        match action {
            Action::Nothing => Sign::None,
            Action::Create => Sign::Add,
            Action::Update => Sign::Change,
            Action::Recreate => Sign::Replace,
            Action::Delete | Action::Forget => Sign::Remove,
        }
    }
}

impl From<ChangeAction> for Sign {
    /// What may become a replacement is shown as one: nobody should be surprised by it.
    fn from(action: ChangeAction) -> Sign {
        match action {
            ChangeAction::Add => Sign::Add,
            ChangeAction::Modify => Sign::Change,
            ChangeAction::Replace | ChangeAction::MayReplace => Sign::Replace,
            ChangeAction::MayModify => Sign::Unknown,
            ChangeAction::Remove => Sign::Remove,
            ChangeAction::Import => Sign::Import,
        }
    }
}

fn severity_name(severity: FindingSeverity) -> &'static str {
    match severity {
        FindingSeverity::Note => "note",
        FindingSeverity::Warning => "warning",
        FindingSeverity::Refused => "refused",
    }
}

//! The plan for a terminal, readable at 80 columns and without colours.

use super::rows::{Row, SYMBOL_WIDTH, headline, rows};
use super::{Detail, Sign, assets, busy, cost, severity_name, summary_line};
use crate::plan::{Action, Finding, FindingSeverity, Plan};
use crate::view::style::{ADD, CHANGE, ERROR, FAINT, REMOVE, STRONG, UNKNOWN, WARNING, paint};
use crate::view::text;
use anstyle::Style;
use std::fmt::Write;

/// The whole plan, with a line break at its end.
pub fn human(plan: &Plan, detail: Detail) -> String {
    let mut page = String::new();
    if plan.has_changes() {
        let name = paint(STRONG, format!("{}/{}", plan.project, plan.environment));
        let _ = writeln!(page, "{name} in account {}, {}\n", plan.account, plan.region);
    }
    for asset in &plan.assets {
        let sign = assets::sign(asset);
        let title = format!("{}: {}", paint(STRONG, &asset.id), assets::headline(asset));
        let _ = writeln!(page, "{} {title}", paint(style(sign), sign.symbol()));
        for row in assets::rows(asset, detail) {
            let _ = writeln!(page, "{}", line(&row));
        }
        page.push('\n');
    }
    for step in busy(plan) {
        let sign = Sign::from(step.action);
        let title = format!("{}: {}", paint(STRONG, &step.stack), headline(plan, step));
        let _ = writeln!(page, "{} {title}", paint(style(sign), sign.symbol()));
        for row in rows(step, detail) {
            let _ = writeln!(page, "{}", line(&row));
        }
        page.push('\n');
    }
    for remark in remarks(plan, detail.verbose) {
        for line in text::wrap(&remark, detail.width) {
            let _ = writeln!(page, "{}", paint(FAINT, line));
        }
        page.push('\n');
    }
    if !plan.findings.is_empty() {
        let _ = writeln!(page, "{}", paint(STRONG, "Findings"));
        for finding in &plan.findings {
            write_finding(&mut page, finding, detail.width);
        }
        page.push('\n');
    }
    if let Some(cost) = &plan.cost {
        for line in cost::lines(cost, detail).iter().flat_map(|line| text::wrap(line, detail.width)) {
            let _ = writeln!(page, "{line}");
        }
    }
    for line in text::wrap(&summary_line(plan), detail.width) {
        let _ = writeln!(page, "{}", paint(STRONG, line));
    }
    page
}

/// Sentences about the stacks that nothing happens to.
fn remarks(plan: &Plan, verbose: bool) -> Vec<String> {
    let still = |adopt: bool| -> Vec<&str> {
        let steps = plan.steps.iter().filter(|step| step.action == Action::Nothing && step.adopt == adopt);
        steps.map(|step| step.stack.as_str()).collect()
    };
    let mut remarks = Vec::new();
    let (mut adopted, unchanged) = (still(true), still(false));
    let unproven: Vec<&str> = plan.unproven().collect();
    adopted.retain(|stack| !unproven.contains(stack));
    if !unproven.is_empty() {
        remarks.push(format!(
            "Apply asks ECS what {} runs: the state is brought up to date where that is what is wanted, and apply fails \
             where it is not.",
            text::list(&unproven)
        ));
    }
    if !adopted.is_empty() {
        remarks
            .push(format!("Apply brings the state up to date for {}; nothing is changed there.", text::list(&adopted)));
    }
    if plan.has_changes() && !unchanged.is_empty() {
        let which =
            if verbose || unchanged.len() <= 3 { unchanged.join(", ") } else { text::count(unchanged.len(), "stack") };
        remarks.push(format!("Unchanged: {which}."));
    }
    remarks
}

fn write_finding(page: &mut String, finding: &Finding, width: usize) {
    let style = match finding.severity {
        FindingSeverity::Note => FAINT,
        FindingSeverity::Warning => WARNING,
        FindingSeverity::Refused => ERROR,
    };
    let place = match &finding.logical_id {
        Some(id) => format!("{}.{id}", finding.stack),
        None => finding.stack.clone(),
    };
    let label = format!("{:<7}", severity_name(finding.severity));
    let line = finding.place.as_ref().map(|line| format!(" {line}")).unwrap_or_default();
    let text = format!("{place}: {} [{}]{line}", finding.message, finding.code);
    for (index, line) in text::wrap(&text, width.saturating_sub(11)).into_iter().enumerate() {
        let label = if index == 0 { paint(style, &label) } else { " ".repeat(7) };
        let _ = writeln!(page, "  {label}  {line}");
    }
}

fn line(row: &Row) -> String {
    let text = match row.sign {
        // Changed lines of a document are coloured whole: its symbols stand far from where it differs.
        Sign::Add | Sign::Remove if row.minor => paint(style(row.sign), &row.text),
        _ => row.text.clone(),
    };
    format!("{}{} {text}", " ".repeat(row.indent), symbol(row.sign)).trim_end().to_owned()
}

fn symbol(sign: Sign) -> String {
    let padded = format!("{:>width$}", sign.symbol(), width = SYMBOL_WIDTH - 1);
    if sign == Sign::None { padded } else { paint(style(sign), padded) }
}

fn style(sign: Sign) -> Style {
    match sign {
        Sign::Add => ADD,
        Sign::Change => CHANGE,
        Sign::Replace | Sign::Remove => REMOVE,
        Sign::Import | Sign::Unknown => UNKNOWN,
        Sign::None => Style::new(),
    }
}

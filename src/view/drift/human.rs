//! For people: stack by stack what differs, then what could not be looked at, then the figures.

use super::{Detail, changed, condition, excuse, remark, shown, strays, summary_line, told, unchecked};
use crate::drift::{Drift, PropertyDrift, ResourceDrift, StackDrift, Status};
use crate::plan::{Value, ValueChange};
use crate::view::plan::Sign;
use crate::view::plan::values::{self, Known, with_short_digests};
use crate::view::style::{ADD, CHANGE, FAINT, REMOVE, STRONG, WARNING, paint};
use crate::view::text;
use std::fmt::Write;

/// With a line break at its end.
pub fn human(drift: &Drift, detail: Detail) -> String {
    let mut page = String::new();
    for stack in told(drift) {
        write_stack(&mut page, stack, drift, detail);
        page.push('\n');
    }
    if detail.verbose {
        write_excused(&mut page, drift, detail);
    }
    if !drift.unmanaged.is_empty() {
        let _ = writeln!(page, "{}", paint(STRONG, "Unmanaged: with this environment's tags, in none of its stacks"));
        for one in &drift.unmanaged {
            let left = one.left_by.as_ref().map(|stack| format!("  (left by {stack})")).unwrap_or_default();
            let _ = writeln!(page, "  {} {}{left}", paint(ADD, "+"), one.arn);
        }
        page.push('\n');
    }
    write_list(&mut page, "Not checked", &unchecked(drift), detail);
    let strays: Vec<(String, String)> = strays(drift).into_iter().map(|line| (line, String::new())).collect();
    write_list(&mut page, "Rules to remove", &strays, detail);
    let style = if drift.has_drift() || !drift.is_complete() { WARNING } else { STRONG };
    for line in text::wrap(&summary_line(drift), detail.width) {
        let _ = writeln!(page, "{}", paint(style, line));
    }
    page
}

fn write_stack(page: &mut String, stack: &StackDrift, drift: &Drift, detail: Detail) {
    let region =
        if stack.target.region == drift.region { String::new() } else { format!(" in {}", stack.target.region) };
    let condition = condition(stack);
    let condition = if condition.is_empty() { String::new() } else { format!("  {}", paint(WARNING, condition)) };
    let _ = writeln!(page, "{}{region}{condition}", paint(STRONG, &stack.stack));
    for change in &stack.changes {
        write_value(page, &change.what, &change.change, 2, None, detail);
    }
    let drifted: Vec<&ResourceDrift> = stack.drifted().collect();
    let ids = drifted.iter().map(|resource| text::columns(&resource.logical_id)).max().unwrap_or(0).min(34);
    for resource in drifted {
        write_resource(page, resource, ids, detail);
    }
}

fn write_resource(page: &mut String, resource: &ResourceDrift, ids: usize, detail: Detail) {
    let (sign, style) = match resource.status {
        Status::Deleted => ("-", REMOVE),
        _ => ("~", CHANGE),
    };
    let what = format!("{}  {}", text::pad(&resource.logical_id, ids), resource.resource_type);
    let remark = remark(resource);
    let remark = if remark.is_empty() { String::new() } else { format!("  {}", paint(STRONG, remark)) };
    let _ = writeln!(page, "  {} {what}{remark}", paint(style, sign));
    if let Some(id) = resource.physical_id.as_ref().filter(|_| detail.verbose || resource.status == Status::Deleted) {
        let _ = writeln!(page, "      {}", paint(FAINT, id));
    }
    for property in shown(resource, detail.verbose) {
        write_property(page, property, detail);
    }
    if let Some(changed) = changed(resource) {
        for line in text::wrap(&format!("changed {changed}"), detail.width.saturating_sub(6)) {
            let _ = writeln!(page, "      {}", paint(FAINT, line));
        }
    }
}

fn write_property(page: &mut String, property: &PropertyDrift, detail: Detail) {
    write_value(page, &property.path, &property.change, 6, excuse(property).as_deref(), detail);
}

/// `name: declared → live` where that fits; otherwise a line for each, `-` as declared and `+` as it is.
fn write_value(
    page: &mut String,
    name: &str,
    change: &ValueChange,
    indent: usize,
    excuse: Option<&str>,
    detail: Detail,
) {
    let ValueChange { before, after } = change;
    let excuse = excuse.map(|excuse| format!("  {}", paint(FAINT, format!("({excuse})")))).unwrap_or_default();
    let margin = " ".repeat(indent);
    let short = |value: &Value| with_short_digests(&values::inline(value));
    let line = match (before, after) {
        (Value::Absent, _) => format!("{name}: {} is there too many", short(after)),
        (_, Value::Absent) => format!("{name}: {} is missing", short(before)),
        _ => format!("{name}: {} → {}", short(before), short(after)),
    };
    if text::columns(&line) + indent <= detail.width {
        let _ = writeln!(page, "{margin}{line}{excuse}");
        return;
    }
    let _ = writeln!(page, "{margin}{name}:{excuse}");
    let is_long = |value: &Value| value.known().is_some_and(|value| value.is_object() || value.is_array());
    let documents = is_long(before) || is_long(after) || [before, after].iter().any(|value| holds_document(value));
    let rows = match documents {
        true => values::lines(before, after),
        false => [(Sign::Remove, before), (Sign::Add, after)]
            .into_iter()
            .filter(|(_, value)| **value != Value::Absent)
            .map(|(sign, value)| (sign, short(value)))
            .collect(),
    };
    let room = detail.width.saturating_sub(indent + 4);
    for (sign, line) in rows {
        let style = match sign.symbol() {
            "-" => REMOVE,
            "+" => ADD,
            _ => FAINT,
        };
        let line = if detail.verbose { line } else { text::cut(&with_short_digests(&line), room) };
        let _ = writeln!(page, "{margin}  {}", paint(style, format!("{:1} {line}", sign.symbol())).trim_end());
    }
}

/// A policy or another document inside a text.
fn holds_document(value: &Value) -> bool {
    let text = value.known().and_then(|value| value.as_str());
    text.is_some_and(|text| text.trim_start().starts_with(['{', '[']) || text.contains('\n'))
}

/// What is no drift, of resources that have none.
fn write_excused(page: &mut String, drift: &Drift, detail: Detail) {
    let excused = drift.stacks.iter().flat_map(|stack| {
        let quiet = stack.resources.iter().filter(|resource| !resource.is_drifted() && !resource.properties.is_empty());
        quiet.map(move |resource| (stack, resource))
    });
    let mut any = false;
    for (stack, resource) in excused {
        if !any {
            let _ = writeln!(page, "{}", paint(STRONG, "No drift, and different all the same"));
        }
        any = true;
        let _ = writeln!(page, "    {}.{}  {}", stack.stack, resource.logical_id, resource.resource_type);
        resource.properties.iter().for_each(|property| write_property(page, property, detail));
    }
    if any {
        page.push('\n');
    }
}

fn write_list(page: &mut String, title: &str, lines: &[(String, String)], detail: Detail) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(page, "{}", paint(STRONG, title));
    for (what, reason) in lines {
        let whole = if reason.is_empty() { what.clone() } else { format!("{what}: {reason}") };
        for (at, line) in text::wrap(&whole, detail.width.saturating_sub(4)).into_iter().enumerate() {
            let _ = writeln!(page, "{}{line}", if at == 0 { "  " } else { "    " });
        }
    }
    page.push('\n');
}

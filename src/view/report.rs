//! How a run ended: what was done, or the root cause first, with all that follows from it and what to type next.

use super::style::{ADD, ERROR, FAINT, HINT, STRONG, WARNING, paint};
use super::text;
use crate::apply::{FailedResource, Outcome, Report, RootCause};
use std::fmt::Write;

/// What a report says beside the outcomes.
#[derive(Debug, Clone)]
pub struct Told<'a> {
    /// `Applied`, `Destroyed`, `Rolled back to serial 12`.
    pub past: &'a str,
    /// The command that carries on after a failure or an interruption.
    pub again: &'a str,
    pub width: usize,
}

/// For people, with a line break at its end.
pub fn human(report: &Report, told: &Told) -> String {
    let mut page = String::new();
    for (name, cause) in failed(report) {
        write_cause(&mut page, name, cause, told.width);
        if let Some(resource) = &cause.resource {
            write_resource(&mut page, &said_once(resource, cause), told.width);
        }
        for detail in cause.details.iter().flat_map(|detail| detail.lines()) {
            write_detail(&mut page, detail, told.width);
        }
        if !cause.also.is_empty() {
            let _ = writeln!(page, "  Failed by themselves too:");
            for resource in &cause.also {
                write_resource(&mut page, resource, told.width);
            }
        }
        if let Some(what) = rolled_back(cause) {
            for line in text::wrap(&what, told.width.saturating_sub(2)) {
                let _ = writeln!(page, "  {line}");
            }
        }
        page.push('\n');
    }
    for (label, style, names) in groups(report) {
        for (index, line) in text::wrap(&names, told.width.saturating_sub(12)).iter().enumerate() {
            let label = if index == 0 { paint(style, format!("{label:<10}")) } else { " ".repeat(10) };
            let _ = writeln!(page, "{label}  {line}");
        }
    }
    if let Some(lost) = &report.lock_lost {
        let _ = writeln!(page, "{} {lost}; nothing was written after that", paint(ERROR, "lock lost:"));
    }
    for hint in hints(report, told) {
        let _ = writeln!(page, "{}  {hint}", paint(HINT, format!("{:<10}", "next")));
    }
    if !report.failed() && !report.interrupted {
        let _ = writeln!(page, "{}", paint(STRONG, headline(report, told)));
        page += &addresses(report);
    }
    page
}

/// Outputs that one would open next: those that are addresses.
fn addresses(report: &Report) -> String {
    let outputs = report.stacks.iter().flat_map(|stack| match &stack.outcome {
        Outcome::Done { outputs } => outputs.iter().map(|(key, value)| (&stack.stack, key, value)).collect(),
        _ => Vec::new(),
    });
    let mut found: Vec<(String, &String)> = outputs
        .filter(|(_, _, value)| value.starts_with("https://") || value.starts_with("http://"))
        .map(|(stack, key, value)| (format!("{stack}.{key}"), value))
        .collect();
    found.sort();
    let width = found.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = found.iter().map(|(name, value)| format!("  {name:<width$}  {value}\n"));
    if found.is_empty() { String::new() } else { format!("\n{}", lines.collect::<String>()) }
}

/// For a step summary.
pub fn markdown(report: &Report, told: &Told) -> String {
    let mut page = format!("### {}\n\n", headline(report, told));
    for (name, cause) in failed(report) {
        let _ = writeln!(page, "**`{name}` failed**: {}\n", text::inert(&cause.message));
        let mut facts = String::new();
        let first = cause.resource.as_ref().map(|resource| said_once(resource, cause));
        for resource in first.iter().chain(&cause.also) {
            write_resource(&mut facts, resource, 100);
        }
        for detail in &cause.details {
            let _ = writeln!(facts, "{detail}");
        }
        facts.extend(rolled_back(cause).map(|what| format!("{what}\n")));
        let facts = text::plain(&facts);
        if !facts.is_empty() {
            let _ = writeln!(page, "{}\n", text::fenced(&facts, "text"));
        }
    }
    if !report.stacks.is_empty() {
        page.push_str("| stack | outcome | time |\n|---|---|---|\n");
    }
    for asset in &report.assets {
        let took = text::took(asset.elapsed_seconds);
        let _ = writeln!(page, "| `{}` | {} | {took} |", asset.asset, text::inert(&outcome(&asset.outcome)));
    }
    for stack in &report.stacks {
        let took = text::took(stack.elapsed_seconds);
        let _ = writeln!(page, "| `{}` | {} | {took} |", stack.stack, text::inert(&outcome(&stack.outcome)));
    }
    let hints = hints(report, told);
    if !hints.is_empty() {
        let _ = write!(page, "\nNext:\n\n");
        hints.iter().for_each(|hint| page.push_str(&format!("- `{hint}`\n")));
    }
    page
}

fn failed(report: &Report) -> impl Iterator<Item = (&str, &RootCause)> {
    report.outcomes().filter_map(|(name, outcome)| match outcome {
        Outcome::Failed(cause) => Some((name, cause.as_ref())),
        _ => None,
    })
}

fn write_cause(page: &mut String, name: &str, cause: &RootCause, width: usize) {
    let heading = format!("{name} failed:");
    let lines = text::wrap(&format!("{heading} {}", cause.message), width.saturating_sub(2));
    for (index, line) in lines.iter().enumerate() {
        match line.strip_prefix(&heading).filter(|_| index == 0) {
            Some(rest) => {
                let _ = writeln!(page, "{}{rest}", paint(ERROR, &heading));
            }
            None => {
                let _ = writeln!(page, "  {line}");
            }
        }
    }
}

/// The resource without its reason, where the headline has that already.
fn said_once(resource: &FailedResource, cause: &RootCause) -> FailedResource {
    let mut resource = resource.clone();
    // A provider's words stand in an envelope (`Resource handler returned message: "…" (RequestToken: …)`).
    let words = resource.reason.split('"').nth(1).filter(|words| words.len() > 10).unwrap_or(&resource.reason);
    if cause.message.contains(words) || cause.message.contains(&resource.reason) {
        resource.reason.clear();
    }
    resource
}

fn write_resource(page: &mut String, resource: &FailedResource, width: usize) {
    let FailedResource { logical_id, resource_type, status, .. } = resource;
    let _ = writeln!(page, "    {}  {resource_type}  {status}", paint(STRONG, logical_id));
    if let Some(place) = &resource.place {
        let _ = writeln!(page, "      {}", paint(FAINT, place));
    }
    for line in resource.reason.lines().flat_map(|line| text::wrap(line, width.saturating_sub(6))) {
        let _ = writeln!(page, "      {line}");
    }
}

/// Lines of a log stay as they are.
fn write_detail(page: &mut String, detail: &str, width: usize) {
    if detail.starts_with("  | ") {
        let _ = writeln!(page, "    {detail}");
        return;
    }
    for (index, line) in text::wrap(detail, width.saturating_sub(6)).iter().enumerate() {
        let indent = if index == 0 { "    " } else { "      " };
        let _ = writeln!(page, "{indent}{line}");
    }
}

fn rolled_back(cause: &RootCause) -> Option<String> {
    match (&cause.rolled_back, &cause.status) {
        (Some(what), Some(status)) => Some(format!("{} ({status}).", sentence(what))),
        (Some(what), None) => Some(format!("{}.", sentence(what))),
        (None, Some(status)) => Some(format!("The stack is in {status}.")),
        (None, None) => None,
    }
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Stacks by how they ended, failed ones apart.
fn groups(report: &Report) -> Vec<(&'static str, anstyle::Style, String)> {
    let mut groups: Vec<(&str, anstyle::Style, String)> = Vec::new();
    let names = |wanted: fn(&Outcome) -> bool| -> Vec<&str> {
        report.outcomes().filter(|(_, outcome)| wanted(outcome)).map(|(name, _)| name).collect()
    };
    let calm = !report.failed() && !report.interrupted;
    for (label, style, names) in [
        ("done", ADD, names(|outcome| matches!(outcome, Outcome::Done { .. }))),
        ("unchanged", FAINT, names(|outcome| matches!(outcome, Outcome::Unchanged))),
    ] {
        // A good end is one line; a bad one says what stands.
        if !names.is_empty() && !calm {
            groups.push((label, style, names.join(", ")));
        }
    }
    for (name, outcome) in report.outcomes() {
        match outcome {
            Outcome::Skipped { because } => {
                groups.push(("skipped", WARNING, format!("{name}, because of {}", text::list(because))));
            }
            Outcome::Stopped { because } => groups.push(("stopped", WARNING, format!("{name}: {because}"))),
            Outcome::Unchanged | Outcome::Done { .. } | Outcome::Failed(_) => {}
        }
    }
    groups
}

/// What to type next: what the causes ask for, then the command itself once more, unless a cause says how to carry on.
pub(super) fn hints(report: &Report, told: &Told) -> Vec<String> {
    let mut hints: Vec<String> = Vec::new();
    for hint in failed(report).flat_map(|(_, cause)| &cause.hints) {
        if !hints.contains(hint) {
            hints.push(hint.clone());
        }
    }
    let carries_on = hints.iter().any(|hint| hint.contains("infra "));
    if report.interrupted || (report.failed() && !carries_on) {
        hints.push(told.again.to_owned());
    }
    hints
}

fn headline(report: &Report, told: &Told) -> String {
    let took = text::took(report.elapsed_seconds);
    let count = |wanted: fn(&Outcome) -> bool| report.stacks.iter().filter(|stack| wanted(&stack.outcome)).count();
    let assets = |wanted: fn(&Outcome) -> bool, kind: &str| {
        let assets = report.assets.iter().filter(|asset| wanted(&asset.outcome) && asset.asset.starts_with(kind));
        assets.count()
    };
    let kinds = |wanted: fn(&Outcome) -> bool| {
        let beside = [("image ", "image"), ("package ", "package"), ("files of ", "site")];
        let beside = beside.map(|(id, kind)| (assets(wanted, id), kind));
        [vec![(count(wanted), "stack")], beside.to_vec()].concat()
    };
    if report.interrupted {
        return format!("Interrupted after {took}.");
    }
    if report.failed() {
        let failed: fn(&Outcome) -> bool = |outcome| matches!(outcome, Outcome::Failed(_));
        return format!("{} failed after {took}.", counted(&kinds(failed)));
    }
    let done: fn(&Outcome) -> bool = |outcome| matches!(outcome, Outcome::Done { .. });
    let unchanged = count(|outcome| matches!(outcome, Outcome::Unchanged));
    let unchanged = if unchanged > 0 { format!(", {unchanged} unchanged") } else { String::new() };
    format!("{} in {took}: {}{unchanged}.", told.past, counted(&kinds(done)))
}

/// `2 stacks, 1 image`: those that there are, stacks if there is nothing.
fn counted(kinds: &[(usize, &str)]) -> String {
    let some: Vec<String> =
        kinds.iter().filter(|(count, _)| *count > 0).map(|(count, noun)| text::count(*count, noun)).collect();
    if some.is_empty() { text::count(0, "stack") } else { some.join(", ") }
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Unchanged => "unchanged".to_owned(),
        Outcome::Done { .. } => "done".to_owned(),
        Outcome::Failed(cause) => format!("failed: {}", cause.message),
        Outcome::Skipped { because } => format!("skipped because of {}", text::list(because)),
        Outcome::Stopped { because } => format!("stopped: {because}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::StackOutcome;
    use crate::plan::Action;
    use std::collections::BTreeMap;

    fn stack(name: &str, outcome: Outcome) -> StackOutcome {
        StackOutcome {
            stack: name.to_owned(),
            stack_name: format!("storefront-prod-{name}"),
            action: Action::Update,
            outcome,
            elapsed_seconds: 84.2,
        }
    }

    const TOLD: Told = Told { past: "Applied", again: "infra apply --env prod", width: 80 };

    fn failure() -> Report {
        let resource = |id: &str, reason: &str| FailedResource {
            logical_id: id.to_owned(),
            resource_type: "AWS::ECS::Service".to_owned(),
            physical_id: None,
            status: "CREATE_FAILED".to_owned(),
            reason: reason.to_owned(),
            place: Some("templates/fargate-service.yaml:88".to_owned()),
        };
        let cause = RootCause {
            message: "Service could not be created".to_owned(),
            resource: Some(resource(
                "Service",
                "Resource handler returned message: \"Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.\" (RequestToken: 1f, HandlerErrorCode: GeneralServiceException)",
            )),
            also: vec![resource("Alarm", "Limit exceeded")],
            details: vec!["2 tasks stopped: Essential container in task exited (exit code 1)\n  | ModuleNotFoundError: No module named 'app'".to_owned()],
            status: Some("ROLLBACK_COMPLETE".to_owned()),
            rolled_back: Some("everything that was created was deleted again; an empty stack is left".to_owned()),
            hints: vec!["aws logs tail /storefront/prod/fastapi-a".to_owned()],
        };
        Report {
            stacks: vec![
                stack("network", Outcome::Done { outputs: BTreeMap::new() }),
                stack("dns", Outcome::Unchanged),
                stack("fastapi-a", Outcome::Failed(Box::new(cause))),
                stack("fastapi-b", Outcome::Skipped { because: vec!["fastapi-a".to_owned()] }),
            ],
            elapsed_seconds: 130.0,
            ..Report::default()
        }
    }

    #[test]
    fn a_failure_begins_with_its_root_cause() {
        insta::assert_snapshot!(text::plain(&human(&failure(), &TOLD)));
    }

    #[test]
    fn a_reason_is_said_once() {
        for reason in [
            "Table already exists",
            "Resource handler returned message: \"Table already exists\" (RequestToken: 1f, HandlerErrorCode: AlreadyExists)",
        ] {
            let mut report = failure();
            report.stacks.retain(|stack| stack.stack == "fastapi-a");
            let Outcome::Failed(cause) = &mut report.stacks[0].outcome else { panic!("it failed") };
            cause.message = "Table (AWS::DynamoDB::Table) failed: Table already exists".to_owned();
            cause.resource.as_mut().unwrap().reason = reason.to_owned();
            for page in [human(&report, &TOLD), markdown(&report, &TOLD)] {
                // A table of outcomes says it in its row, too.
                let rows: String = page.lines().filter(|line| !line.starts_with('|')).collect();
                assert_eq!(rows.matches("Table already exists").count(), 1, "{page}");
            }
        }
    }

    #[test]
    fn a_failure_in_a_step_summary() {
        insta::assert_snapshot!(markdown(&failure(), &TOLD));
    }

    #[test]
    fn a_good_end_says_where_to_look() {
        let outputs = [("Url", "https://example.com"), ("BucketName", "site")];
        let outputs = outputs.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let report = Report {
            stacks: vec![stack("site", Outcome::Done { outputs: outputs.into() })],
            elapsed_seconds: 3.0,
            ..Report::default()
        };
        insta::assert_snapshot!(text::plain(&human(&report, &TOLD)), @r"
        Applied in 3.0s: 1 stack.

          site.Url  https://example.com
        ");
    }

    #[test]
    fn a_good_end_is_one_line() {
        let mut report = failure();
        report.stacks.truncate(2);
        assert_eq!(text::plain(&human(&report, &TOLD)), "Applied in 2m 10s: 1 stack, 1 unchanged.\n");
    }

    #[test]
    fn an_interruption_says_how_to_carry_on() {
        let stopped = Outcome::Stopped { because: "not begun".to_owned() };
        let report = Report {
            stacks: vec![stack("data", stopped)],
            interrupted: true,
            elapsed_seconds: 3.0,
            ..Report::default()
        };
        insta::assert_snapshot!(text::plain(&human(&report, &TOLD)), @r"
        stopped     data: not begun
        next        infra apply --env prod
        ");
    }
}

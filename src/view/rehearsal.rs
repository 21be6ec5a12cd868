//! A rehearsal: who works when as a chart, what the whole waits for, and what becomes of a failure.

use super::report::{self, Told};
use super::style::{ERROR, FAINT, STRONG, paint};
use super::text;
use super::{Format, View};
use crate::error::Result;
use crate::rehearsal::{Act, CriticalPath, Rehearsal};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

/// Narrower than this a chart shows nothing.
const NARROWEST_CHART: usize = 16;

impl View {
    /// `again`: the apply that was rehearsed, as a command.
    pub fn rehearsal(&self, rehearsal: &Rehearsal, again: &str) -> Result<()> {
        match self.format {
            Format::Human => self.data(&human(rehearsal, again, self.terminal.width)),
            Format::Markdown => self.data(&markdown(rehearsal, again)),
            Format::Json => self.json(&document(rehearsal, again)),
        }
    }
}

fn human(rehearsal: &Rehearsal, again: &str, width: usize) -> String {
    let mut page = format!("{}\n", head(rehearsal));
    if rehearsal.timeline.acts.is_empty() {
        page += "\nNothing to do: an apply would change nothing.\n";
        return page;
    }
    let path = rehearsal.timeline.critical_path();
    page.push('\n');
    page += &chart(rehearsal, &path, width);
    page.push('\n');
    for sentence in sentences(rehearsal, &path) {
        text::wrap(&sentence, width).iter().for_each(|line| page.push_str(&format!("{line}\n")));
    }
    if rehearsal.report.failed() {
        let _ = writeln!(page, "\n{}\n", paint(STRONG, "The apply would fail:"));
        page += &report::human(&rehearsal.report, &Told { past: "Applied", again, width });
    }
    page
}

fn head(rehearsal: &Rehearsal) -> String {
    let basis = match &rehearsal.basis {
        Some(basis) => {
            format!("on a copy of serial {}, saved {}", basis.serial, basis.saved.strftime("%Y-%m-%d %H:%M UTC"))
        }
        None => "on an empty account (no earlier apply is known)".to_owned(),
    };
    let name = paint(STRONG, format!("{}/{}", rehearsal.project, rehearsal.environment));
    let failing: String = (rehearsal.failing.iter())
        .map(|failing| format!("\nwith {}.{} made to fail", failing.stack, failing.resource))
        .collect();
    format!("{name} rehearsed {basis}{failing}")
}

/// A line for each stack: name, what is done, how long, and when. The critical path is marked.
fn chart(rehearsal: &Rehearsal, path: &CriticalPath, width: usize) -> String {
    let acts = &rehearsal.timeline.acts;
    let critical: BTreeSet<&str> = path.stacks.iter().map(String::as_str).collect();
    let names = acts.iter().map(|act| text::columns(&act.stack)).max().unwrap_or(0);
    let actions = acts.iter().map(|act| action(act).len()).max().unwrap_or(0);
    let times = acts.iter().map(|act| text::took(act.took_seconds).len()).max().unwrap_or(0);
    let room = width.saturating_sub(2 + names + 2 + actions + 2 + times + 2).max(NARROWEST_CHART);
    let whole = rehearsal.timeline.makespan_seconds();
    let mut page = String::new();
    for act in acts {
        let mark = if critical.contains(act.stack.as_str()) { "*" } else { " " };
        let name = text::pad(&act.stack, names);
        let name = if mark == "*" { paint(STRONG, name) } else { name };
        let done = format!("{:<actions$}", action(act));
        let done = if act.succeeded { done } else { paint(ERROR, done) };
        let took = format!("{:>times$}", text::took(act.took_seconds));
        let _ = writeln!(page, "{mark} {name}  {done}  {took}  {}", bar(act, whole, room).trim_end());
    }
    let label = format!("{:indent$}0s", "", indent = 2 + names + 2 + actions + 2 + times + 2);
    let end = text::took(whole);
    let gap = (2 + names + 2 + actions + 2 + times + 2 + room).saturating_sub(label.len() + end.len());
    let _ = writeln!(page, "{}", paint(FAINT, format!("{label}{}{end}", " ".repeat(gap))));
    page
}

/// `█` while something is made, `×` for what fails; never shorter than one column.
fn bar(act: &Act, whole: f64, room: usize) -> String {
    let column = |seconds: f64| ((seconds / whole.max(0.001)) * room as f64).round() as usize;
    let begin = column(act.began_seconds).min(room - 1);
    let end = column(act.began_seconds + act.took_seconds).clamp(begin + 1, room);
    let sign = if act.succeeded { "█" } else { "×" };
    format!("{}{}", " ".repeat(begin), sign.repeat(end - begin))
}

fn action(act: &Act) -> String {
    let action = serde_json::to_value(act.action).ok();
    let word = action.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
    if act.succeeded { word } else { format!("{word} FAILS") }
}

fn sentences(rehearsal: &Rehearsal, path: &CriticalPath) -> Vec<String> {
    let whole = rehearsal.timeline.makespan_seconds();
    let long = |seconds: f64| text::duration(Duration::from_secs_f64(seconds.max(0.0)));
    let at_once = text::count(rehearsal.concurrency, "stack");
    let mut sentences = vec![
        format!("* Critical path, {}: {}.", long(path.seconds), path.stacks.join(" → ")),
        format!("Makespan {} with {at_once} at a time.", long(whole)),
    ];
    // What a hand more would save, where it is worth a word.
    if whole > path.seconds * 1.05 && !rehearsal.report.failed() {
        sentences.push(format!("More at a time would bring it down to {} at best.", long(path.seconds)));
    }
    let slowest = rehearsal.timeline.acts.iter().filter(|act| path.stacks.contains(&act.stack)).filter_map(|act| {
        let resource = act.slowest.as_ref()?;
        Some((resource.took_seconds, format!("{}.{} ({})", act.stack, resource.logical_id, resource.resource_type)))
    });
    if let Some((seconds, resource)) = slowest.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(seconds, _)| *seconds >= 1.0)
    {
        sentences.push(format!("What takes longest on it: {resource}, {}.", long(seconds)));
    }
    sentences
}

fn markdown(rehearsal: &Rehearsal, again: &str) -> String {
    let mut page = format!("### {}\n\n", text::plain(&head(rehearsal)).replace('\n', ", "));
    if rehearsal.timeline.acts.is_empty() {
        page += "Nothing to do: an apply would change nothing.\n";
        return page;
    }
    let path = rehearsal.timeline.critical_path();
    page += "| stack | action | begins | takes | waits on |\n|---|---|---|---|---|\n";
    for act in &rehearsal.timeline.acts {
        let name = match path.stacks.contains(&act.stack) {
            true => format!("**`{}`**", act.stack),
            false => format!("`{}`", act.stack),
        };
        let begins = text::duration(Duration::from_secs_f64(act.began_seconds.max(0.0)));
        let (takes, waits_on) = (text::took(act.took_seconds), act.waits_on.join(", "));
        let _ = writeln!(page, "| {name} | {} | {begins} | {takes} | {waits_on} |", action(act));
    }
    page.push('\n');
    for sentence in sentences(rehearsal, &path) {
        let _ = writeln!(page, "- {}", sentence.trim_start_matches("* "));
    }
    if rehearsal.report.failed() {
        page += "\nThe apply would fail.\n\n";
        page += &report::markdown(&rehearsal.report, &Told { past: "Applied", again, width: 100 });
    }
    page
}

fn document(rehearsal: &Rehearsal, again: &str) -> Value {
    let path = rehearsal.timeline.critical_path();
    let told = Told { past: "Applied", again, width: 100 };
    json!({
        "format_version": "1.0",
        "project": rehearsal.project,
        "environment": rehearsal.environment,
        "basis": rehearsal.basis,
        "seed": rehearsal.seed,
        "concurrency": rehearsal.concurrency,
        "failing": rehearsal.failing,
        "succeeded": !rehearsal.report.failed(),
        "makespan_seconds": rehearsal.timeline.makespan_seconds(),
        "critical_path": path,
        "stacks": rehearsal.timeline.acts,
        "outcomes": rehearsal.report.stacks,
        "next": report::hints(&rehearsal.report, &told),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::{FailedResource, Outcome, Report, RootCause, StackOutcome};
    use crate::plan::Action;
    use crate::rehearsal::{Basis, Failing, Resource, Timeline};
    use std::collections::BTreeMap;

    fn act(stack: &str, began: f64, took: f64, waits_on: &[&str], slowest: (&str, &str, f64)) -> Act {
        Act {
            stack: stack.to_owned(),
            action: Action::Create,
            resources: 3,
            began_seconds: began,
            took_seconds: took,
            waits_on: waits_on.iter().map(|&name| name.to_owned()).collect(),
            slowest: Some(Resource {
                logical_id: slowest.0.to_owned(),
                resource_type: slowest.1.to_owned(),
                took_seconds: slowest.2,
            }),
            succeeded: true,
        }
    }

    fn good() -> Rehearsal {
        let acts = vec![
            act("network", 0.0, 140.0, &[], ("NatGateway", "AWS::EC2::NatGateway", 106.0)),
            act("items", 0.0, 25.0, &[], ("Table", "AWS::DynamoDB::Table", 17.0)),
            act(
                "alb",
                140.0,
                124.0,
                &["network"],
                ("LoadBalancer", "AWS::ElasticLoadBalancingV2::LoadBalancer", 116.0),
            ),
            act("fastapi-a", 264.0, 142.0, &["alb", "items"], ("Service", "AWS::ECS::Service", 119.0)),
        ];
        Rehearsal {
            project: "storefront".to_owned(),
            environment: "prod".to_owned(),
            basis: Some(Basis { serial: 12, saved: "2026-02-02T10:00:00Z".parse().unwrap() }),
            seed: 0,
            concurrency: 8,
            failing: Vec::new(),
            timeline: Timeline { acts },
            report: Report::default(),
        }
    }

    fn bad() -> Rehearsal {
        let mut rehearsal = good();
        rehearsal.basis = None;
        rehearsal.failing = vec![Failing {
            stack: "alb".to_owned(),
            resource: "LoadBalancer".to_owned(),
            reason: "The maximum number of load balancers has been reached.".to_owned(),
        }];
        rehearsal.timeline.acts.pop();
        rehearsal.timeline.acts[2].succeeded = false;
        let stack = |name: &str, outcome| StackOutcome {
            stack: name.to_owned(),
            stack_name: format!("storefront-prod-{name}"),
            action: Action::Create,
            outcome,
            elapsed_seconds: 60.0,
        };
        let cause = RootCause {
            message: "LoadBalancer could not be created".to_owned(),
            resource: Some(FailedResource {
                logical_id: "LoadBalancer".to_owned(),
                resource_type: "AWS::ElasticLoadBalancingV2::LoadBalancer".to_owned(),
                physical_id: None,
                status: "CREATE_FAILED".to_owned(),
                reason: "The maximum number of load balancers has been reached.".to_owned(),
                place: Some("templates/alb.yaml:88".to_owned()),
            }),
            status: Some("ROLLBACK_COMPLETE".to_owned()),
            rolled_back: Some("everything that was created was deleted again; an empty stack is left".to_owned()),
            ..RootCause::default()
        };
        rehearsal.report.stacks = vec![
            stack("items", Outcome::Done { outputs: BTreeMap::new() }),
            stack("network", Outcome::Done { outputs: BTreeMap::new() }),
            stack("alb", Outcome::Failed(Box::new(cause))),
            stack("fastapi-a", Outcome::Skipped { because: vec!["alb".to_owned()] }),
        ];
        rehearsal
    }

    const AGAIN: &str = "infra apply --env prod";

    #[test]
    fn a_chart_shows_what_the_whole_waits_for() {
        let page = text::plain(&human(&good(), AGAIN, 80));
        assert!(page.lines().all(|line| text::columns(line) <= 80), "{page}");
        insta::assert_snapshot!(page);
        assert!(markdown(&good(), AGAIN).contains("| **`alb`** | create | 2m 20s | 2m 04s | network |"));
    }

    #[test]
    fn a_failure_says_what_becomes_of_the_rest_and_what_to_type() {
        insta::assert_snapshot!(text::plain(&human(&bad(), AGAIN, 80)));
        assert!(markdown(&bad(), AGAIN).contains("| `fastapi-a` | skipped because of alb |"));
    }

    #[test]
    fn programs_get_the_same() {
        let document = document(&bad(), AGAIN);
        assert_eq!(document["succeeded"], false);
        assert_eq!(document["makespan_seconds"], 264.0);
        assert_eq!(document["critical_path"], json!({"stacks": ["network", "alb"], "seconds": 264.0}));
        assert_eq!(document["outcomes"][3]["outcome"], "skipped");
        assert_eq!(document["next"], json!([AGAIN]));
    }

    #[test]
    fn nothing_to_do_is_said_in_words() {
        let mut rehearsal = good();
        rehearsal.timeline.acts.clear();
        assert!(human(&rehearsal, AGAIN, 80).ends_with("\nNothing to do: an apply would change nothing.\n"));
    }
}

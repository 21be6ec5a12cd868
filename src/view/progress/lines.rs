//! A log: a line for each event that matters, and one for every half minute in which nothing did.

use super::board::{Board, Ending, clock, figures, is_stack};
use crate::apply::{AssetOutcome, Event, EventKind, Outcome, ResourceEvent, ServiceProgress, StackOutcome};
use crate::model::sensitive::hide;
use crate::plan::Action;
use crate::view::style::{ADD, ERROR, FAINT, WARNING, paint};
use crate::view::text;
use jiff::Timestamp;
use std::io::Write;
use std::time::Duration;
use tokio::time::Instant;

/// Silence that is broken by telling what is being waited for.
const SILENCE: Duration = Duration::from_secs(30);

pub(super) struct Lines {
    verbose: bool,
    spoke: Instant,
}

impl Lines {
    pub fn new(verbose: bool) -> Lines {
        Lines { verbose, spoke: Instant::now() }
    }

    pub fn event(&mut self, event: &Event, board: &Board) {
        // A wait is told once; silence is broken soon enough.
        if matches!(event.kind, EventKind::LockWaiting { waited_seconds: 1.., .. }) {
            return self.tick(board);
        }
        if let Some(line) = line(event, self.verbose) {
            self.say(event.timestamp, &line);
        }
    }

    pub fn tick(&mut self, board: &Board) {
        if self.spoke.elapsed() < SILENCE {
            return;
        }
        let now = Timestamp::now();
        for line in waited_for(board, now) {
            self.say(now, &line);
        }
    }

    fn say(&mut self, at: Timestamp, line: &str) {
        self.spoke = Instant::now();
        let _ = writeln!(anstream::stderr(), "{} {}", paint(FAINT, clock(at)), hide(&text::visible(line)));
    }
}

/// What a silent run waits for, a line each.
fn waited_for(board: &Board, now: Timestamp) -> Vec<String> {
    let running = board
        .in_flight
        .iter()
        .map(|(stack, flight)| format!("{stack}: still running, {}, {}", flight.state(now), flight.elapsed(now)));
    board.waits_for.iter().cloned().chain(running).collect()
}

/// What an event is worth to somebody who reads a log; none if nothing.
pub(super) fn line(event: &Event, verbose: bool) -> Option<String> {
    let stack = event.stack.as_deref().unwrap_or_default();
    let text = match &event.kind {
        EventKind::RunStarted { operation, project, environment, stacks } => {
            format!("{operation} of {project}/{environment}: {}", text::count(*stacks, "stack"))
        }
        EventKind::LockWaiting { holder, timeout_seconds, .. } => format!(
            "the lock is held by {} for `{}` since {}{}",
            holder.who,
            holder.operation,
            clock(holder.created),
            match timeout_seconds {
                0 => String::new(),
                seconds => format!("; waiting up to {}", text::duration(Duration::from_secs(*seconds))),
            }
        ),
        EventKind::LockTaken { id } => return verbose.then(|| format!("lock {id} taken")),
        EventKind::LockTakenOver { from } => paint(
            WARNING,
            format!(
                "the lock of {} ({}) showed no sign of life for a whole lease and was taken over",
                from.who, from.operation
            ),
        ),
        EventKind::StackStarted { action, resources, estimate_seconds } => {
            let about = estimate_seconds.map(|s| format!(", about {}", text::duration(Duration::from_secs(s))));
            let size = text::count(*resources, "resource");
            format!("{stack}: {} ({size}{})", doing(*action), about.unwrap_or_default())
        }
        EventKind::StackBusy { status } => format!("{stack}: {status} by another run, waiting for its end"),
        EventKind::ChangeSetCreated { name } => {
            return verbose.then(|| format!("{stack}: change set {name} created"));
        }
        EventKind::ChangeSetExecuted { name, changes } => {
            return verbose
                .then(|| format!("{stack}: change set {name} executed ({})", text::count(*changes, "change")));
        }
        EventKind::ImageBuilding { image, builder } => format!("image {image}: {builder} builds it"),
        EventKind::ImageOutput { image, line } => return verbose.then(|| format!("image {image}: {line}")),
        EventKind::ImageBuilt { image, digest, bytes, elapsed_seconds } => {
            let took = text::took(*elapsed_seconds);
            format!("image {image}: built {}, {}, {took}", short(digest), indicatif::BinaryBytes(*bytes))
        }
        EventKind::ImagePushed { image, repository, digest, uploaded_bytes, already_there } => {
            let sent = match already_there {
                true => "there already".to_owned(),
                false => format!("pushed, {} sent", indicatif::BinaryBytes(*uploaded_bytes)),
            };
            format!("image {image}: {} {sent} ({repository})", short(digest))
        }
        EventKind::PackageBuilding { package, with } => format!("package {package}: {with}"),
        EventKind::PackageOutput { package, line } => return verbose.then(|| format!("package {package}: {line}")),
        EventKind::PackageBuilt { package, digest, bytes, elapsed_seconds } => {
            let took = text::took(*elapsed_seconds);
            format!("package {package}: made {}, {}, {took}", short(digest), indicatif::BinaryBytes(*bytes))
        }
        EventKind::PackageUploaded { package, bucket, digest, uploaded_bytes, already_there, .. } => {
            let sent = match already_there {
                true => "there already".to_owned(),
                false => format!("uploaded, {} sent", indicatif::BinaryBytes(*uploaded_bytes)),
            };
            format!("package {package}: {} {sent} (s3://{bucket})", short(digest))
        }
        EventKind::SiteUploaded { site, bucket, uploaded, uploaded_bytes, removed, invalidation } => {
            let went = format!("{uploaded} uploaded ({})", indicatif::BinaryBytes(*uploaded_bytes));
            let told = if invalidation.is_some() { "; CloudFront forgets what changed" } else { "" };
            format!("files of {site}: {went}, {removed} removed (s3://{bucket}){told}")
        }
        EventKind::AssetFinished(asset) => return asset_finished(asset),
        EventKind::ImageScanned { image, digest, findings, stopped_by } => {
            let found: Vec<String> = findings.iter().map(|(severity, count)| format!("{count} {severity}")).collect();
            let found = if found.is_empty() { "nothing found".to_owned() } else { found.join(", ") };
            let stopped = match stopped_by {
                0 => String::new(),
                _ => format!(", {}", paint(ERROR, format!("stopped by {}", text::count(*stopped_by, "finding")))),
            };
            format!("image {image}: {} scanned, {found}{stopped}", short(digest))
        }
        EventKind::Resource(event) => return resource(stack, event, verbose),
        EventKind::ServiceDeployment(service) => deployment(stack, service),
        EventKind::ResourceChecked { .. } => return None,
        EventKind::Throttled { service, operation, attempt } => {
            // The first ones are everyday life.
            return (verbose || *attempt > 2)
                .then(|| format!("{service} asks for patience: {operation} is tried again (attempt {attempt})"));
        }
        EventKind::StackFinished(outcome) => finished(outcome),
        EventKind::StateSaved { serial } => return verbose.then(|| format!("state saved, serial {serial}")),
        EventKind::Interrupted { running } => paint(WARNING, interrupted(running)),
        EventKind::CredentialsExpired { since_seconds } => paint(
            WARNING,
            format!(
                "the credentials expired {} ago; new ones are looked for (sign in again in another terminal)",
                text::duration(Duration::from_secs(*since_seconds))
            ),
        ),
        EventKind::ImageProgress { image, done_bytes, total_bytes } => {
            let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
            let percent = (100 * done_bytes).checked_div(*total_bytes).unwrap_or(100);
            format!("image {image}: {percent} %, {:.1} of {:.1} MiB", mib(*done_bytes), mib(*total_bytes))
        }
        EventKind::Note { message } if stack.is_empty() => message.clone(),
        EventKind::Note { message } => format!("{stack}: {message}"),
        EventKind::RunFinished { .. } => return None,
    };
    Some(text)
}

/// Enough of a digest to know it again.
fn short(digest: &str) -> &str {
    digest.get(.."sha256:".len() + 12).unwrap_or(digest)
}

/// What the first signal means, in one sentence.
pub(super) fn interrupted(running: &[String]) -> String {
    if running.is_empty() {
        return "interrupted: nothing runs, ending".to_owned();
    }
    format!(
        "interrupted: nothing new is started; waiting for {} (interrupt again to stop waiting)",
        text::list(running)
    )
}

fn resource(stack: &str, event: &ResourceEvent, verbose: bool) -> Option<String> {
    let ResourceEvent { logical_id, resource_type, status, .. } = event;
    if is_stack(event) {
        return status.ends_with("ROLLBACK_IN_PROGRESS").then(|| {
            let reason = event.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("{stack}: {}", paint(WARNING, format!("rolling back{reason}")))
        });
    }
    let reason = event.reason.as_deref().map(|reason| format!("\n           {reason}")).unwrap_or_default();
    match Ending::of(status) {
        Some(Ending::Well) => {
            Some(format!("{stack}: {}/{} {logical_id} {resource_type} {status}", event.done, event.total))
        }
        Some(Ending::Badly) => Some(format!("{stack}: {} {logical_id} {resource_type}{reason}", paint(ERROR, status))),
        None => verbose.then(|| format!("{stack}: {logical_id} {resource_type} {status}")),
    }
}

/// `api: Service api:8 1/2 tasks run, 1 pending`.
fn deployment(stack: &str, service: &ServiceProgress) -> String {
    let ServiceProgress { logical_id, task_definition, rollout_state, .. } = service;
    // The family is the stack's name once more.
    let revision = task_definition.rsplit(':').next().unwrap_or_default();
    let figures = figures(service);
    let troubled = service.failed_tasks > 0 || service.unhealthy_targets > 0 || rollout_state == "FAILED";
    let figures = if troubled { paint(WARNING, figures) } else { figures };
    let back = service.reason.as_deref().is_some_and(|reason| reason.contains("rolling back"));
    let back = if back { ", rolling back" } else { "" };
    format!("{stack}: {logical_id} revision {revision}: {figures}{back}")
}

/// How a stack ended, on one line.
pub(super) fn finished(stack: &StackOutcome) -> String {
    let took = text::took(stack.elapsed_seconds);
    let name = &stack.stack;
    match &stack.outcome {
        Outcome::Unchanged => format!("{name}: unchanged"),
        Outcome::Done { .. } => format!("{name}: {}", paint(ADD, format!("{} in {took}", done(stack.action)))),
        // Why has been said when the resource failed, and the report says it whole.
        Outcome::Failed(cause) => {
            let why = cause.resource.as_ref().map_or(&cause.message, |resource| &resource.logical_id);
            format!("{name}: {} after {took}: {why}", paint(ERROR, "failed"))
        }
        Outcome::Skipped { because } => {
            format!("{name}: {} because of {}", paint(WARNING, "skipped"), text::list(because))
        }
        Outcome::Stopped { because } => format!("{name}: {}: {because}", paint(WARNING, "stopped")),
    }
}

/// How an asset ended, where no other line says it.
fn asset_finished(asset: &AssetOutcome) -> Option<String> {
    let name = &asset.asset;
    Some(match &asset.outcome {
        Outcome::Unchanged | Outcome::Done { .. } => return None,
        Outcome::Failed(cause) => format!("{name}: {}: {}", paint(ERROR, "failed"), cause.message),
        Outcome::Skipped { because } => {
            format!("{name}: {} because of {}", paint(WARNING, "skipped"), text::list(because))
        }
        Outcome::Stopped { because } => format!("{name}: {}: {because}", paint(WARNING, "stopped")),
    })
}

pub(super) fn doing(action: Action) -> &'static str {
    match action {
        Action::Nothing => "looking",
        Action::Create => "creating",
        Action::Update => "updating",
        Action::Recreate => "deleting and creating again",
        Action::Delete => "deleting",
        Action::Forget => "forgetting",
    }
}

fn done(action: Action) -> &'static str {
    match action {
        Action::Nothing => "recorded",
        Action::Create => "created",
        Action::Update => "updated",
        Action::Recreate => "created again",
        Action::Delete => "deleted",
        Action::Forget => "forgotten",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times of day depend on the machine's zone.
    fn log(verbose: bool) -> String {
        let events = super::super::samples::events();
        let lines = events.iter().filter_map(|event| line(event, verbose)).map(|line| text::plain(&line) + "\n");
        let holder_since = clock(events[0].timestamp - jiff::SignedDuration::from_secs(600));
        lines.collect::<String>().replace(&holder_since, "09:00:00")
    }

    #[tokio::test(start_paused = true)]
    async fn half_a_minute_of_silence_is_broken() {
        let mut board = Board::default();
        let mut lines = Lines::new(false);
        let started = super::super::samples::events()
            .into_iter()
            .find(|event| matches!(event.kind, EventKind::StackStarted { estimate_seconds: Some(_), .. }));
        let started = started.expect("one of the samples");
        board.note(&started);
        let now = started.timestamp + jiff::SignedDuration::from_secs(31);
        assert_eq!(waited_for(&board, now), ["network: still running, 0/18  preparing, 31s of about 1m 30s"]);
        let began = lines.spoke;
        tokio::time::advance(Duration::from_secs(29)).await;
        lines.tick(&board);
        assert_eq!(lines.spoke, began, "not yet");
        tokio::time::advance(Duration::from_secs(1)).await;
        lines.tick(&board);
        assert!(lines.spoke > began, "it spoke");
        lines.tick(&Board::default());
    }

    #[test]
    fn what_matters() {
        insta::assert_snapshot!(log(false));
    }

    #[test]
    fn everything() {
        insta::assert_snapshot!(log(true));
    }
}

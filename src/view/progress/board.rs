//! What is going on right now, kept up to date by events: pure, so that displays can be simple.

use crate::apply::{Event, EventKind, ResourceEvent, ServiceProgress};
use crate::plan::Action;
use crate::view::text;
use indexmap::IndexMap;
use jiff::Timestamp;
use std::time::Duration;

/// The stacks in flight, in the order in which work on them began.
#[derive(Debug, Default)]
pub(super) struct Board {
    pub in_flight: IndexMap<String, Flight>,
    /// The images on their way to registries, by name.
    pub moving: IndexMap<String, Moving>,
    /// Waiting for the lock: who holds it, and for how long this run has waited.
    pub waits_for: Option<String>,
    pub interrupted: bool,
}

/// One image on its way.
#[derive(Debug)]
pub(super) struct Moving {
    pub since: Timestamp,
    done_bytes: u64,
    total_bytes: u64,
}

/// One stack that is being worked on.
#[derive(Debug)]
pub(super) struct Flight {
    pub action: Action,
    pub since: Timestamp,
    pub estimate: Option<Duration>,
    pub done: usize,
    pub total: usize,
    /// What is happening, where no resource is being worked on.
    stage: String,
    /// Resources in progress and since when, oldest first.
    busy: IndexMap<String, Timestamp>,
    /// What the ECS services among them are doing.
    services: IndexMap<String, String>,
}

impl Board {
    pub fn note(&mut self, event: &Event) {
        if !matches!(event.kind, EventKind::LockWaiting { .. }) {
            self.waits_for = None;
        }
        match &event.kind {
            EventKind::LockWaiting { holder, waited_seconds, timeout_seconds } => {
                let waited = text::duration(Duration::from_secs(*waited_seconds));
                let timeout = text::duration(Duration::from_secs(*timeout_seconds));
                self.waits_for = Some(format!(
                    "waiting for the lock: {} holds it for `{}` since {} (waited {waited} of {timeout})",
                    holder.who,
                    holder.operation,
                    clock(holder.created),
                ));
            }
            EventKind::ImageBuilding { image, builder } => {
                self.waits_for = Some(format!("image {image}: {builder} builds it"));
            }
            EventKind::ImageOutput { image, line } => self.waits_for = Some(format!("image {image}: {line}")),
            EventKind::PackageBuilding { package, with } => {
                self.waits_for = Some(format!("package {package}: {with}"));
            }
            EventKind::PackageOutput { package, line } => self.waits_for = Some(format!("package {package}: {line}")),
            EventKind::ImageProgress { image, done_bytes, total_bytes } => {
                let new = Moving { since: event.timestamp, done_bytes: 0, total_bytes: 0 };
                let moving = self.moving.entry(image.clone()).or_insert(new);
                (moving.done_bytes, moving.total_bytes) = (*done_bytes, *total_bytes);
            }
            EventKind::ImagePushed { image, .. } => {
                self.moving.shift_remove(image);
            }
            EventKind::AssetFinished(asset) => {
                let image = asset.asset.strip_prefix("image ").map(|name| name.split('@').next().unwrap_or(name));
                image.map(|image| self.moving.shift_remove(image));
            }
            EventKind::ResourceChecked { logical_id, done, total } => {
                let stack = event.stack.as_deref().unwrap_or_default();
                self.waits_for = Some(match done == total {
                    true => format!("{done} resources read; CloudFormation compares them"),
                    false => format!("{done} of {total} resources read: {stack}.{logical_id}"),
                });
            }
            EventKind::Interrupted { .. } => self.interrupted = true,
            EventKind::StackFinished(outcome) => {
                self.in_flight.shift_remove(&outcome.stack);
            }
            EventKind::StackStarted { action, resources, estimate_seconds } => {
                let Some(stack) = &event.stack else { return };
                let flight = Flight {
                    action: *action,
                    since: event.timestamp,
                    estimate: estimate_seconds.map(Duration::from_secs),
                    done: 0,
                    total: *resources,
                    stage: "preparing".to_owned(),
                    busy: IndexMap::new(),
                    services: IndexMap::new(),
                };
                self.in_flight.insert(stack.clone(), flight);
            }
            kind => {
                if let Some(flight) = event.stack.as_ref().and_then(|stack| self.in_flight.get_mut(stack)) {
                    flight.note(kind);
                }
            }
        }
    }

    /// Something else is printed now, such as a question: nothing is waited for as a whole any more.
    pub fn rest(&mut self) {
        self.waits_for = None;
    }
}

impl Moving {
    /// `34.1/87.0 MiB`: what is there, of what there is.
    pub fn state(&self) -> String {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        format!("{:.1}/{:.1} MiB", mib(self.done_bytes), mib(self.total_bytes))
    }

    pub fn elapsed(&self, now: Timestamp) -> String {
        text::duration(between(self.since, now))
    }
}

impl Flight {
    fn note(&mut self, kind: &EventKind) {
        match kind {
            EventKind::StackBusy { status } => self.stage = format!("{status} by another run, waiting for its end"),
            EventKind::ChangeSetCreated { .. } => self.stage = "CloudFormation works out the changes".to_owned(),
            EventKind::ChangeSetExecuted { .. } => self.stage = "changes begin".to_owned(),
            EventKind::Resource(resource) => self.resource(resource),
            EventKind::ServiceDeployment(service) => {
                self.services.insert(service.logical_id.clone(), figures(service));
            }
            _ => {}
        }
    }

    fn resource(&mut self, event: &ResourceEvent) {
        self.done = event.done;
        self.total = event.total.max(event.done);
        match Ending::of(&event.status) {
            None if !is_stack(event) => {
                self.busy.entry(event.logical_id.clone()).or_insert(event.at);
            }
            _ => {
                self.busy.shift_remove(&event.logical_id);
                self.services.shift_remove(&event.logical_id);
            }
        }
        if self.busy.is_empty() {
            self.stage = stage(&event.status, self.done < self.total).to_owned();
        }
    }

    /// `12/18  NatGateway 1m 20s, 2 more`: how far it is and what is being waited for.
    pub fn state(&self, now: Timestamp) -> String {
        let figures = if self.total > 0 { format!("{}/{}  ", self.done, self.total) } else { String::new() };
        match self.busy.first() {
            Some((id, since)) => {
                let more = self.busy.len() - 1;
                let more = if more > 0 { format!(", {more} more") } else { String::new() };
                let doing = self.services.get(id).map(|doing| format!(": {doing}")).unwrap_or_default();
                format!("{figures}{id} {}{doing}{more}", text::duration(between(*since, now)))
            }
            None => format!("{figures}{}", self.stage),
        }
    }

    /// `1m 20s of about 3m 00s`.
    pub fn elapsed(&self, now: Timestamp) -> String {
        let elapsed = text::duration(between(self.since, now));
        match self.estimate {
            Some(estimate) => format!("{elapsed} of about {}", text::duration(estimate)),
            None => elapsed,
        }
    }
}

/// `1/2 tasks run, 1 pending, 3 failed`.
pub(super) fn figures(service: &ServiceProgress) -> String {
    let more =
        [(service.pending, "pending"), (service.failed_tasks, "failed"), (service.unhealthy_targets, "unhealthy")];
    let more: String =
        more.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}")).collect();
    format!("{}/{} tasks run{more}", service.running, service.desired)
}

/// How a resource's operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Well,
    Badly,
}

impl Ending {
    /// From a resource status (`CREATE_COMPLETE` …); none while it goes on.
    pub fn of(status: &str) -> Option<Ending> {
        if status.ends_with("_FAILED") {
            Some(Ending::Badly)
        } else if status.ends_with("_COMPLETE") || status == "DELETE_SKIPPED" {
            Some(Ending::Well)
        } else {
            None
        }
    }
}

/// The event is the stack's own, not one of its resources'.
pub(super) fn is_stack(event: &ResourceEvent) -> bool {
    let own = format!(":stack/{}/", event.logical_id);
    event.physical_id.as_deref().is_some_and(|id| id.contains(&own))
}

fn stage(status: &str, more_to_come: bool) -> &'static str {
    if status.contains("ROLLBACK") {
        "rolling back"
    } else if status.contains("CLEANUP") {
        "removing what was replaced"
    } else if more_to_come {
        "waiting for CloudFormation"
    } else {
        "finishing"
    }
}

/// Wall clock of the machine, to the second.
pub(super) fn clock(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string()
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_770_000_000 + seconds).unwrap()
    }

    fn event(seconds: i64, kind: EventKind) -> Event {
        Event { timestamp: at(seconds), stack: Some("network".to_owned()), kind }
    }

    fn resource(seconds: i64, id: &str, status: &str, done: usize) -> Event {
        let resource = ResourceEvent {
            logical_id: id.to_owned(),
            resource_type: "AWS::EC2::VPC".to_owned(),
            physical_id: None,
            status: status.to_owned(),
            reason: None,
            at: at(seconds),
            done,
            total: 3,
        };
        event(seconds, EventKind::Resource(resource))
    }

    #[test]
    fn the_oldest_resource_in_progress_is_waited_for() {
        let mut board = Board::default();
        let started = EventKind::StackStarted { action: Action::Create, resources: 3, estimate_seconds: Some(90) };
        for event in [
            event(0, started),
            resource(1, "Vpc", "CREATE_IN_PROGRESS", 0),
            resource(2, "Gateway", "CREATE_IN_PROGRESS", 0),
            resource(3, "Vpc", "CREATE_IN_PROGRESS", 0),
        ] {
            board.note(&event);
        }
        assert_eq!(board.in_flight["network"].state(at(65)), "0/3  Vpc 1m 04s, 1 more");
        assert_eq!(board.in_flight["network"].elapsed(at(65)), "1m 05s of about 1m 30s");
        board.note(&resource(70, "Vpc", "CREATE_COMPLETE", 1));
        assert_eq!(board.in_flight["network"].state(at(72)), "1/3  Gateway 1m 10s");
        board.note(&resource(71, "Gateway", "CREATE_FAILED", 1));
        assert_eq!(board.in_flight["network"].state(at(72)), "1/3  waiting for CloudFormation");
    }

    #[test]
    fn a_question_is_not_drawn_over() {
        let mut board = Board::default();
        board.note(&event(0, EventKind::ResourceChecked { logical_id: "Vpc".to_owned(), done: 2, total: 2 }));
        assert_eq!(board.waits_for.as_deref(), Some("2 resources read; CloudFormation compares them"));
        board.rest();
        assert_eq!(board.waits_for, None);
    }

    #[test]
    fn an_image_tells_its_bytes_until_it_is_there() {
        let mut board = Board::default();
        let progress = |mib: u64| EventKind::ImageProgress {
            image: "fastapi-a".to_owned(),
            done_bytes: mib << 20,
            total_bytes: 87 << 20,
        };
        board.note(&Event { stack: None, ..event(0, progress(0)) });
        board.note(&Event { stack: None, ..event(12, progress(34)) });
        let moving = &board.moving["fastapi-a"];
        assert_eq!((moving.state(), moving.elapsed(at(12))), ("34.0/87.0 MiB".to_owned(), "12s".to_owned()));
        let failed = crate::apply::AssetOutcome {
            asset: "image fastapi-a@sha256:1a".to_owned(),
            stack: "fastapi-a-images".to_owned(),
            outcome: crate::apply::Outcome::Stopped { because: "interrupted".to_owned() },
            elapsed_seconds: 12.0,
        };
        board.note(&event(13, EventKind::AssetFinished(failed)));
        assert!(board.moving.is_empty());
    }

    #[test]
    fn a_service_tells_its_tasks() {
        let mut board = Board::default();
        let started = EventKind::StackStarted { action: Action::Update, resources: 3, estimate_seconds: None };
        board.note(&event(0, started));
        board.note(&resource(1, "Service", "UPDATE_IN_PROGRESS", 2));
        let deployment = super::super::samples::deployment();
        board.note(&event(60, EventKind::ServiceDeployment(deployment)));
        let state = "2/3  Service 1m 04s: 1/2 tasks run, 1 pending, 3 failed, 1 unhealthy";
        assert_eq!(board.in_flight["network"].state(at(65)), state);
        board.note(&resource(70, "Service", "UPDATE_FAILED", 2));
        board.note(&resource(71, "Service", "UPDATE_IN_PROGRESS", 2));
        assert_eq!(board.in_flight["network"].state(at(71)), "2/3  Service 0s");
    }

    #[test]
    fn statuses_that_end_an_operation() {
        assert_eq!(Ending::of("CREATE_COMPLETE"), Some(Ending::Well));
        assert_eq!(Ending::of("DELETE_SKIPPED"), Some(Ending::Well));
        assert_eq!(Ending::of("UPDATE_FAILED"), Some(Ending::Badly));
        assert_eq!(Ending::of("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), None);
    }
}

//! Who worked when: from the events of a run, stamped as they come, to the longest chain of stacks.

use crate::apply::{EventKind, Events, ResourceEvent};
use crate::plan::{Action, Plan};
use serde::Serialize;
use std::collections::BTreeMap;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// One stack's part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Act {
    pub stack: String,
    pub action: Action,
    /// Resources that change.
    pub resources: usize,
    /// Since the beginning of the run.
    pub began_seconds: f64,
    pub took_seconds: f64,
    pub waits_on: Vec<String>,
    /// What took longest in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slowest: Option<Resource>,
    /// Whether what depends on it could go on.
    pub succeeded: bool,
}

/// A resource, and how long it was worked on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Resource {
    pub logical_id: String,
    pub resource_type: String,
    pub took_seconds: f64,
}

/// The stacks that were worked on, by when they began.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timeline {
    pub acts: Vec<Act>,
}

/// The chain of stacks, each waiting on the one before, that takes longest: no number of hands makes a run shorter.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CriticalPath {
    pub stacks: Vec<String>,
    pub seconds: f64,
}

impl Timeline {
    /// From the beginning to the last end.
    pub fn makespan_seconds(&self) -> f64 {
        self.acts.iter().map(|act| act.began_seconds + act.took_seconds).fold(0.0, f64::max)
    }

    pub fn critical_path(&self) -> CriticalPath {
        let acts: BTreeMap<&str, &Act> = self.acts.iter().map(|act| (act.stack.as_str(), act)).collect();
        // Each began after what it waits on had ended, so that the order of beginnings is one of dependency.
        let mut longest: BTreeMap<&str, CriticalPath> = BTreeMap::new();
        for act in &self.acts {
            let before = act.waits_on.iter().filter(|need| acts.contains_key(need.as_str()));
            let before = before.filter_map(|need| longest.get(need.as_str()));
            let mut path = before.max_by(|a, b| a.seconds.total_cmp(&b.seconds)).cloned().unwrap_or_default();
            path.stacks.push(act.stack.clone());
            path.seconds += act.took_seconds;
            longest.insert(&act.stack, path);
        }
        longest.into_values().max_by(|a, b| a.seconds.total_cmp(&b.seconds)).unwrap_or_default()
    }
}

/// Listens to a run.
pub struct Recorder {
    task: JoinHandle<BTreeMap<String, Heard>>,
}

/// What was heard of a stack.
#[derive(Debug, Default)]
struct Heard {
    began: Option<f64>,
    ended: Option<f64>,
    succeeded: bool,
    /// When each resource was first heard of, how long it took, and whether it is done.
    resources: BTreeMap<String, (f64, Resource, bool)>,
}

impl Recorder {
    /// From now on. Events are stamped when they are received: in virtual time that is when they are sent.
    pub fn start() -> (Events, Recorder) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (sender, Recorder { task: tokio::spawn(listen(receiver)) })
    }

    /// When all senders are gone.
    pub async fn finish(self, plan: &Plan) -> Timeline {
        let mut heard = self.task.await.unwrap_or_default();
        let mut acts: Vec<Act> = plan
            .steps
            .iter()
            .filter_map(|step| {
                let heard = heard.remove(&step.stack)?;
                let began_seconds = heard.began?;
                let resources = heard.resources.into_values().map(|(_, resource, _)| resource);
                Some(Act {
                    stack: step.stack.clone(),
                    action: step.action,
                    resources: step.changes.len(),
                    began_seconds,
                    took_seconds: heard.ended? - began_seconds,
                    waits_on: step.waits_on.clone(),
                    slowest: resources.max_by(|a, b| a.took_seconds.total_cmp(&b.took_seconds)),
                    succeeded: heard.succeeded,
                })
            })
            .collect();
        acts.sort_by(|a, b| a.began_seconds.total_cmp(&b.began_seconds));
        Timeline { acts }
    }
}

async fn listen(mut events: UnboundedReceiver<crate::apply::Event>) -> BTreeMap<String, Heard> {
    let mut began: Option<Instant> = None;
    let mut stacks: BTreeMap<String, Heard> = BTreeMap::new();
    while let Some(event) = events.recv().await {
        let now = match (&event.kind, began) {
            (EventKind::RunStarted { .. }, _) | (_, None) => {
                began = Some(Instant::now());
                0.0
            }
            (_, Some(began)) => began.elapsed().as_secs_f64(),
        };
        let Some(stack) = event.stack else { continue };
        let heard = stacks.entry(stack).or_default();
        match event.kind {
            EventKind::StackStarted { .. } => heard.began = Some(now),
            EventKind::StackFinished(outcome) => {
                heard.ended = Some(now);
                heard.succeeded = outcome.outcome.is_good();
            }
            EventKind::Resource(resource) => heard.resource(resource),
            _ => {}
        }
    }
    stacks
}

impl Heard {
    /// By CloudFormation's clock: between two questions much may happen. What comes after a resource is done is the rollback's
    /// work, or the cleanup's: nothing that waits for the stack would come sooner without it.
    fn resource(&mut self, event: ResourceEvent) {
        let at = event.at.as_millisecond() as f64 / 1000.0;
        let fresh = || Resource {
            logical_id: event.logical_id.clone(),
            resource_type: event.resource_type.clone(),
            took_seconds: 0.0,
        };
        let (since, resource, done) =
            self.resources.entry(event.logical_id.clone()).or_insert_with(|| (at, fresh(), false));
        if !*done {
            resource.took_seconds = at - *since;
            *done = event.status.ends_with("_COMPLETE") || event.status.ends_with("_FAILED");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(stack: &str, began: f64, took: f64, waits_on: &[&str]) -> Act {
        Act {
            stack: stack.to_owned(),
            action: Action::Create,
            resources: 1,
            began_seconds: began,
            took_seconds: took,
            waits_on: waits_on.iter().map(|&name| name.to_owned()).collect(),
            slowest: None,
            succeeded: true,
        }
    }

    #[test]
    fn what_a_rollback_does_is_not_a_resource_s_time() {
        let mut heard = Heard::default();
        let mut tell = |id: &str, status: &str, second: i64| {
            heard.resource(ResourceEvent {
                logical_id: id.to_owned(),
                resource_type: "AWS::SQS::Queue".to_owned(),
                physical_id: None,
                status: status.to_owned(),
                reason: None,
                at: jiff::Timestamp::from_second(second).unwrap(),
                done: 0,
                total: 2,
            });
        };
        tell("Queue", "CREATE_IN_PROGRESS", 0);
        tell("Queue", "CREATE_COMPLETE", 3);
        tell("Table", "CREATE_IN_PROGRESS", 0);
        tell("Table", "CREATE_FAILED", 9);
        tell("Queue", "DELETE_IN_PROGRESS", 10);
        tell("Queue", "DELETE_COMPLETE", 70);
        let took = |id: &str| heard.resources[id].1.took_seconds;
        assert_eq!((took("Queue"), took("Table")), (3.0, 9.0));
    }

    #[test]
    fn the_critical_path_is_the_longest_chain_not_the_last_to_end() {
        // `late` ends last, for want of a free hand; it waits on nothing that takes long.
        let acts = vec![
            act("network", 0.0, 100.0, &["elsewhere"]),
            act("table", 0.0, 20.0, &[]),
            act("alb", 100.0, 50.0, &["network", "table"]),
            act("late", 100.0, 70.0, &["table"]),
        ];
        let timeline = Timeline { acts };
        let path = timeline.critical_path();
        assert_eq!((path.stacks, path.seconds), (vec!["network".to_owned(), "alb".to_owned()], 150.0));
        assert_eq!(timeline.makespan_seconds(), 170.0);
        assert_eq!(Timeline::default().critical_path(), CriticalPath::default());
    }
}

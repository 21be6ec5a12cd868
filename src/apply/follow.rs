//! Following an operation of CloudFormation, event by event, to its end.

use super::cause::is_failure;
use super::context::Run;
use super::event::{EventKind, ResourceEvent};
use super::rollout::Rollouts;
use super::stop::Result;
use super::wait::Wait;
use crate::aws::cloudformation::{CloudFormation, StackEvent};
use crate::model::{Deployed, StackStatus};
use crate::plan::{ChangeAction, StackStep};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// An operation that shows no sign of life for so long, on a stack at rest, is over: it was so quick that nothing of it
/// was seen, or its events do not come.
const QUIET: Duration = Duration::from_secs(30);
/// How often the status is asked for although the events tell no end.
const LOOK: Duration = Duration::from_secs(30);

/// The end of an operation.
pub(super) struct Followed {
    /// The stack as it was left; none if it is gone.
    pub stack: Option<Deployed>,
    /// Of the operation, the oldest first; nested stacks' too, where something failed.
    pub events: Vec<StackEvent>,
    /// What the services of failed resources say about it.
    pub facts: Vec<String>,
    /// Why the operation was cancelled by this run.
    pub late: Option<String>,
}

/// Where an operation begins among the events of its stack.
pub(super) struct Mark {
    last_event: Option<String>,
}

impl Mark {
    /// To be set before the operation is asked for.
    pub async fn set(cloudformation: &CloudFormation, stack_id: &str, wait: &Wait<'_>) -> Result<Mark> {
        let newest = async || {
            let mut first = None;
            cloudformation
                .events_while(stack_id, |event| {
                    first.get_or_insert_with(|| event.event_id.clone());
                    false
                })
                .await?;
            Ok(first)
        };
        Ok(Mark { last_event: wait.ask(newest).await? })
    }
}

/// Waits until the operation that was asked for after `mark` is over; tells its events meanwhile.
pub(super) async fn follow(run: &Run<'_>, step: &StackStep, stack_id: &str, mark: Mark) -> Result<Followed> {
    let cloudformation = run.cloudformation(step);
    let mut wait = run.wait(step);
    let mut tale = Tale::new(run, step, mark);
    let mut looked: Option<Instant> = None;
    let stack = loop {
        let new = wait.ask(async || cloudformation.events(stack_id, tale.seen.as_deref()).await).await?;
        tale.take(new).await;
        // The events tell the end; the status is asked for beside, should they come late or not at all.
        if tale.ended || looked.is_none_or(|looked| wait.has_passed(LOOK, looked)) {
            let stack = wait.ask(async || cloudformation.describe_stack(stack_id).await).await?;
            looked = Some(Instant::now());
            let status = stack.as_ref().map(|stack| stack.status);
            tale.alive |= status.is_none_or(StackStatus::in_progress);
            let at_rest = status.is_none_or(|status| !status.in_progress() && status != StackStatus::ReviewInProgress);
            if at_rest && (tale.alive || wait.elapsed() >= QUIET) {
                if !tale.ended {
                    // At rest by now: whatever happened since the events were asked for is among them now.
                    let new = wait.ask(async || cloudformation.events(stack_id, tale.seen.as_deref()).await).await?;
                    tale.take(new).await;
                }
                break stack.filter(|stack| stack.status != StackStatus::DeleteComplete);
            }
        }
        tale.rollouts.look(&wait).await;
        tale.facts.extend(tale.rollouts.keep_deadline(&wait, stack_id).await?);
        wait.pause().await?;
    };
    let mut followed = Followed { stack, events: tale.events, facts: tale.facts, late: tale.rollouts.late };
    let nested = nested_events(&cloudformation, &followed.events, &wait).await?;
    followed.events.extend(nested);
    followed.events.sort_by_key(|event| event.at);
    Ok(followed)
}

/// What the events of an operation have told so far.
struct Tale<'a> {
    run: &'a Run<'a>,
    step: &'a StackStep,
    /// The id of the newest event.
    seen: Option<String>,
    events: Vec<StackEvent>,
    facts: Vec<String>,
    progress: Progress,
    /// The operation has shown a sign of life.
    alive: bool,
    /// The stack itself has told its end.
    ended: bool,
    rollouts: Rollouts<'a>,
    asked_services: BTreeSet<String>,
}

impl<'a> Tale<'a> {
    fn new(run: &'a Run<'a>, step: &'a StackStep, mark: Mark) -> Tale<'a> {
        Tale {
            run,
            step,
            seen: mark.last_event,
            events: Vec::new(),
            facts: Vec::new(),
            progress: Progress::new(step),
            alive: false,
            ended: false,
            rollouts: Rollouts::new(run, step),
            asked_services: BTreeSet::new(),
        }
    }

    /// Takes in new events, the newest first, and tells them.
    async fn take(&mut self, mut new: Vec<StackEvent>) {
        new.reverse();
        if let Some(last) = new.last() {
            self.seen = Some(last.event_id.clone());
        }
        for event in &new {
            self.progress.count(event);
            if event.is_of_stack() {
                self.alive = true;
                self.ended = StackStatus::parse(&event.status)
                    .is_some_and(|status| !status.in_progress() && status != StackStatus::ReviewInProgress);
            } else {
                self.run.tell_resource(self.step, self.progress.told(event));
            }
            // One that was given up has told its facts by then.
            let given_up = self.rollouts.late.is_some();
            if is_failure(&event.status) && !given_up && self.asked_services.insert(event.logical_id.clone()) {
                self.facts.extend(self.rollouts.facts(event).await);
            }
            self.rollouts.note(event);
        }
        self.events.append(&mut new);
    }
}

/// Waits until nobody's operation runs on the stack any more; says so once. None if the stack is gone then.
pub(super) async fn rest(
    events: &super::Events,
    stack: &str,
    cloudformation: &CloudFormation,
    found: Deployed,
    mut wait: Wait<'_>,
) -> Result<Option<Deployed>> {
    if !found.status.in_progress() {
        return Ok(Some(found).filter(|stack| stack.status != StackStatus::DeleteComplete));
    }
    super::send(events, Some(stack), EventKind::StackBusy { status: found.status.to_string() });
    loop {
        wait.pause().await?;
        let now = wait.ask(async || cloudformation.describe_stack(&found.stack_id).await).await?;
        match now {
            Some(now) if now.status.in_progress() => {}
            now => return Ok(now.filter(|now| now.status != StackStatus::DeleteComplete)),
        }
    }
}

/// Events of nested stacks that failed, and of those nested in them.
async fn nested_events(
    cloudformation: &CloudFormation,
    events: &[StackEvent],
    wait: &Wait<'_>,
) -> Result<Vec<StackEvent>> {
    let Some(began) = events.first().map(|event| event.at) else { return Ok(Vec::new()) };
    let mut found: Vec<StackEvent> = Vec::new();
    let mut asked: BTreeSet<String> = events.iter().map(|event| event.stack_id.clone()).collect();
    loop {
        let failed = events.iter().chain(&found).filter(|event| {
            event.resource_type == "AWS::CloudFormation::Stack" && !event.is_of_stack() && is_failure(&event.status)
        });
        let next = failed.filter_map(|event| event.physical_id.clone()).find(|id| !asked.contains(id));
        let Some(id) = next else { return Ok(found) };
        found.extend(wait.ask(async || cloudformation.events_while(&id, |event| event.at >= began).await).await?);
        asked.insert(id);
    }
}

/// Resources done, of how many.
struct Progress {
    done: BTreeSet<String>,
    total: usize,
}

impl Progress {
    fn new(step: &StackStep) -> Progress {
        let counts = |action: ChangeAction| action != ChangeAction::MayModify;
        Progress { done: BTreeSet::new(), total: step.changes.iter().filter(|change| counts(change.action)).count() }
    }

    fn count(&mut self, event: &StackEvent) {
        let finished = event.status.ends_with("_COMPLETE") || event.status == "DELETE_SKIPPED";
        if finished && !event.is_of_stack() {
            self.done.insert(event.logical_id.clone());
        }
    }

    fn told(&self, event: &StackEvent) -> ResourceEvent {
        ResourceEvent {
            logical_id: event.logical_id.clone(),
            resource_type: event.resource_type.clone(),
            physical_id: event.physical_id.clone(),
            status: event.status.clone(),
            reason: event.reason.clone(),
            at: event.at,
            done: self.done.len(),
            total: self.total.max(self.done.len()),
        }
    }
}

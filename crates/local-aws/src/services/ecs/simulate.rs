//! Services by themselves: tasks start, pass their checks or fail, deployments complete or are given up.
//!
//! Nothing runs in the background. What will happen stands in a service's agenda; whoever looks at ECS lets happen first
//! what was due by then. A deployment that goes well takes as long as the table of durations says.

use super::model::{Deployment, Ending, Event, Happening, Region, RolloutState, Service, Stage, Stopped, Task};
use crate::clock::Clock;
use crate::faults::{FailureKind, RolloutFailure};
use crate::ids::Ids;
use crate::place::Place;
use crate::resources::{Action, duration};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use std::time::Duration;

/// From the launch of a task, in percent of the time that a good deployment takes.
const PENDING: u64 = 8;
const RUNNING: u64 = 30;
const HEALTHY: u64 = 60;
/// When the tasks of the deployment before go.
const DRAINED: u64 = 90;
/// A container that does not run long.
const LIVES: Duration = Duration::from_secs(6);
/// Failed checks until a target is unhealthy and its task is replaced.
const CHECKS: Duration = Duration::from_secs(40);
/// ECS waits longer and longer before it tries once more, up to 27 minutes.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(27 * 60);
/// Where nothing takes time a service that never becomes steady must end all the same.
const MOST_LAUNCHES: u32 = 200;
/// Events that a service keeps.
const EVENTS: usize = 100;
/// How long ECS shows tasks that stopped.
const SHOWN: SignedDuration = SignedDuration::from_hours(1);

/// Lines that a container has written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LogLines {
    pub group: String,
    pub stream: String,
    pub at: Timestamp,
    pub lines: Vec<String>,
}

/// One place's services while something happens to them.
pub(super) struct Simulation<'s> {
    pub region: &'s mut Region,
    pub place: &'s Place,
    pub clock: &'s Clock,
    pub ids: &'s Ids,
    pub logs: Vec<LogLines>,
}

/// What began a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    /// With the service.
    Created,
    Updated,
}

impl Simulation<'_> {
    /// Lets happen what was due. Whether anything did.
    pub fn advance(&mut self) -> bool {
        let now = self.clock.now();
        let mut happened = false;
        for at in 0..self.region.services.len() {
            while let Some((when, happening)) = next(&mut self.region.services[at], now) {
                self.happen(at, when, happening);
                happened = true;
            }
        }
        let tasks = self.region.tasks.len();
        self.region.tasks.retain(|_, task| task.stopped.as_ref().is_none_or(|it| now.duration_since(it.at) < SHOWN));
        happened || tasks != self.region.tasks.len()
    }

    /// Begins a deployment of what the service's settings say.
    pub fn deploy(&mut self, at: usize, begun: Begun, failure: Option<RolloutFailure>) {
        let (now, id) = (self.clock.now(), format!("ecs-svc/{}", self.ids.digits(19)));
        let service = &mut self.region.services[at];
        let action = if begun == Begun::Created { Action::Create } else { Action::Update };
        let deployment = Deployment {
            id: id.clone(),
            task_definition: service.task_definition(),
            created_at: now,
            updated_at: now,
            state: RolloutState::InProgress,
            reason: format!("ECS deployment {id} in progress."),
            failed_tasks: 0,
            launched: 0,
            takes_seconds: duration("AWS::ECS::Service", action).as_secs(),
            failure: failure.clone(),
        };
        // What a deployment still had before it is not done any more.
        service.agenda.retain(|(_, happening)| matches!(happening, Happening::Task { .. }));
        service.deployments.insert(0, deployment);
        service.last = Some(Ending {
            deployment: id.clone(),
            state: RolloutState::InProgress,
            hidden: failure.is_some_and(|failure| failure.reported_as_success),
        });
        let count = service.desired();
        self.plan(at, now, Duration::ZERO, Happening::Launch { deployment: id, count });
    }

    /// More or fewer tasks of what runs already.
    pub fn scale(&mut self, at: usize) {
        let now = self.clock.now();
        let service = &self.region.services[at];
        let Some(primary) = service.deployments.first().map(|primary| primary.id.clone()) else { return };
        let there: Vec<String> = self.tasks_of(&primary).map(|task| task.arn.clone()).collect();
        let (desired, count) = (service.desired() as usize, there.len());
        for arn in there.iter().skip(desired) {
            let reason = format!("Scaling activity initiated by (deployment {primary})");
            self.stop(arn, now, stopped(now, "ServiceSchedulerInitiated", &reason));
        }
        if let Some(more) = desired.checked_sub(count).filter(|more| *more > 0) {
            let count = u32::try_from(more).unwrap_or(u32::MAX);
            self.plan(at, now, Duration::ZERO, Happening::Launch { deployment: primary, count });
        }
    }

    /// Somebody stops a task; its service starts another.
    pub fn stop_by_hand(&mut self, arn: &str, reason: &str) {
        let now = self.clock.now();
        let Some(task) = self.region.tasks.get(arn).filter(|task| task.stopped.is_none()).cloned() else { return };
        self.stop(arn, now, Stopped { exit_code: Some(143), ..stopped(now, "UserInitiated", reason) });
        if let Some(at) = self.region.services.iter().position(|service| service.arn == task.service) {
            let launch = Happening::Launch { deployment: task.deployment, count: 1 };
            self.plan(at, now, Duration::ZERO, launch);
        }
    }

    /// The service ends with all its tasks.
    pub fn end(&mut self, at: usize) {
        let now = self.clock.now();
        let service = &mut self.region.services[at];
        service.active = false;
        service.agenda.clear();
        service.deployments.clear();
        let arn = service.arn.clone();
        let tasks = self.region.tasks.values().filter(|task| task.service == arn && task.stopped.is_none());
        let tasks: Vec<String> = tasks.map(|task| task.arn.clone()).collect();
        for task in tasks {
            let reason = "Scaling activity initiated by service deletion";
            self.stop(&task, now, stopped(now, "ServiceSchedulerInitiated", reason));
        }
    }

    fn happen(&mut self, at: usize, when: Timestamp, happening: Happening) {
        match happening {
            Happening::Launch { deployment, count } => {
                let service = &mut self.region.services[at];
                let wanted = service.is_primary(&deployment) && service.active;
                for _ in 0..if wanted { count } else { 0 } {
                    let arn = self.launch(at, &deployment, when);
                    self.fate(at, when, &deployment, &arn);
                }
                // Nothing to start is done at once.
                self.check_steady(at, when, &deployment);
            }
            Happening::Task { arn, to } => self.task(at, when, &arn, to),
            Happening::Drain { deployment } => self.drain(at, when, &deployment),
            Happening::Complete { deployment } => self.complete(at, when, &deployment),
        }
    }

    /// A new task of a deployment.
    fn launch(&mut self, at: usize, deployment: &str, when: Timestamp) -> String {
        let service = &mut self.region.services[at];
        let arn = self.place.arn("ecs", &format!("task/{}/{}", service.cluster, self.ids.hex(32)));
        let mut task = Task {
            arn: arn.clone(),
            cluster: service.cluster.clone(),
            service: service.arn.clone(),
            deployment: deployment.to_owned(),
            task_definition: String::new(),
            stage: Stage::Provisioning,
            address: format!("10.0.{}.{}", self.ids.below(64), 4 + self.ids.below(250)),
            created_at: when,
            started_at: None,
            stopped: None,
        };
        if let Some(deployment) = service.deployment(deployment) {
            deployment.launched += 1;
            task.task_definition.clone_from(&deployment.task_definition);
        }
        self.region.tasks.insert(arn.clone(), task);
        arn
    }

    /// What becomes of a task that was launched.
    fn fate(&mut self, at: usize, when: Timestamp, deployment: &str, arn: &str) {
        let Some(deployment) = self.region.services[at].deployment(deployment) else { return };
        let (takes, failure) = (deployment.takes_seconds, deployment.failure.as_ref().map(|failure| failure.kind));
        let part = |percent: u64| Duration::from_millis(takes * percent * 10);
        let mut stages = vec![(part(PENDING), Stage::Pending)];
        match failure {
            None => stages.extend([(part(RUNNING), Stage::Running), (part(HEALTHY), Stage::Healthy)]),
            Some(FailureKind::CannotPull) => stages.push((part(RUNNING), Stage::Stopped)),
            Some(FailureKind::Exits) => {
                stages.extend([(part(RUNNING), Stage::Running), (part(RUNNING) + LIVES, Stage::Stopped)]);
            }
            Some(FailureKind::Unhealthy) => {
                stages.extend([(part(RUNNING), Stage::Running), (part(RUNNING) + CHECKS, Stage::Stopped)]);
            }
        }
        for (after, to) in stages {
            self.plan(at, when, after, Happening::Task { arn: arn.to_owned(), to });
        }
    }

    fn task(&mut self, at: usize, when: Timestamp, arn: &str, to: Stage) {
        if to == Stage::Stopped {
            return self.fail_task(at, when, arn);
        }
        let Some(task) = self.region.tasks.get_mut(arn).filter(|task| task.stopped.is_none()) else { return };
        task.stage = to;
        if task.is_running() {
            task.started_at.get_or_insert(when);
        }
        let deployment = task.deployment.clone();
        self.check_steady(at, when, &deployment);
    }

    /// Whether all tasks of a deployment pass their checks: then those before it go.
    fn check_steady(&mut self, at: usize, when: Timestamp, deployment: &str) {
        let healthy = self.tasks_of(deployment).filter(|task| task.stage == Stage::Healthy).count();
        let service = &mut self.region.services[at];
        if healthy < service.desired() as usize || !service.is_primary(deployment) {
            return;
        }
        let planned = service.agenda.iter().any(|(_, it)| matches!(it, Happening::Complete { .. }));
        let Some(begun) = service.deployment(deployment).filter(|it| it.state == RolloutState::InProgress && !planned)
        else {
            return;
        };
        let (created, takes) = (begun.created_at, begun.takes_seconds);
        let deployment = deployment.to_owned();
        for (percent, happening) in [
            (DRAINED, Happening::Drain { deployment: deployment.clone() }),
            (100, Happening::Complete { deployment: deployment.clone() }),
        ] {
            let due = later(created, self.clock.scaled(Duration::from_millis(takes * percent * 10)));
            self.region.services[at].agenda.push((due.max(when), happening));
        }
    }

    fn drain(&mut self, at: usize, when: Timestamp, deployment: &str) {
        let service = self.region.services[at].arn.clone();
        let old = |task: &&Task| task.service == service && task.deployment != deployment && task.stopped.is_none();
        let old: Vec<String> = self.region.tasks.values().filter(old).map(|task| task.arn.clone()).collect();
        let count = old.len();
        for arn in old {
            let reason = format!("Scaling activity initiated by (deployment {deployment})");
            self.stop(&arn, when, stopped(when, "ServiceSchedulerInitiated", &reason));
        }
        if count > 0 {
            self.tell(at, when, &format!("has stopped {count} running tasks."));
        }
    }

    fn complete(&mut self, at: usize, when: Timestamp, deployment: &str) {
        let service = &mut self.region.services[at];
        service.deployments.retain(|other| other.id == deployment);
        if let Some(done) = service.deployment(deployment) {
            (done.state, done.updated_at) = (RolloutState::Completed, when);
            done.reason = format!("ECS deployment {deployment} completed.");
        }
        if let Some(last) = service.last.as_mut().filter(|last| last.deployment == deployment) {
            last.state = RolloutState::Completed;
        }
        self.tell(at, when, &format!("(deployment {deployment}) deployment completed."));
        self.tell(at, when, "has reached a steady state.");
    }

    /// A task ends as its deployment's failure wants it.
    fn fail_task(&mut self, at: usize, when: Timestamp, arn: &str) {
        let Some(task) = self.region.tasks.get(arn).filter(|task| task.stopped.is_none()).cloned() else { return };
        let group = self.region.services[at].target_groups().next().map(|(arn, _)| arn.to_owned());
        let Some(deployment) = self.region.services[at].deployment(&task.deployment) else { return };
        let Some(failure) = deployment.failure.clone() else { return };
        deployment.failed_tasks += 1;
        deployment.updated_at = when;
        let (failed, launched) = (deployment.failed_tasks, deployment.launched);
        self.stop(arn, when, end_of(&failure, when, group.as_deref()));
        if failure.kind != FailureKind::CannotPull {
            self.write(&task, when, &failure.log);
        }
        let service = &self.region.services[at];
        let (breaks, rolls_back) = service.circuit_breaker();
        if breaks && failed >= threshold(service.desired()) && service.is_primary(&task.deployment) {
            return self.give_up(at, when, &task.deployment, rolls_back);
        }
        if launched < MOST_LAUNCHES {
            let pause = (FIRST_PAUSE * 2_u32.saturating_pow(failed.saturating_sub(1).min(16))).min(LONGEST_PAUSE);
            self.plan(at, when, pause, Happening::Launch { deployment: task.deployment, count: 1 });
        }
    }

    /// The circuit breaker: what ran before comes back, if it is to and there is anything.
    fn give_up(&mut self, at: usize, when: Timestamp, deployment: &str, rolls_back: bool) {
        let service = &mut self.region.services[at];
        service.agenda.clear();
        if let Some(failed) = service.deployment(deployment) {
            (failed.state, failed.updated_at) = (RolloutState::Failed, when);
            failed.reason = "ECS deployment circuit breaker: tasks failed to start.".to_owned();
        }
        if let Some(last) = service.last.as_mut().filter(|last| last.deployment == deployment) {
            last.state = RolloutState::Failed;
        }
        self.tell(at, when, &format!("(deployment {deployment}) deployment failed: tasks failed to start."));
        let rest: Vec<String> = self.tasks_of(deployment).map(|task| task.arn.clone()).collect();
        for arn in rest {
            let reason = format!("Scaling activity initiated by (deployment {deployment})");
            self.stop(&arn, when, stopped(when, "ServiceSchedulerInitiated", &reason));
        }
        let service = &mut self.region.services[at];
        let before = service.deployments.iter().position(|one| one.state == RolloutState::Completed);
        let Some(before) = before.filter(|_| rolls_back) else { return };
        let mut back = service.deployments.remove(before);
        back.state = RolloutState::InProgress;
        back.updated_at = when;
        back.reason = format!("ECS deployment circuit breaker: rolling back to deploymentId {}.", back.id);
        service.settings.insert("taskDefinition".to_owned(), Json::String(back.task_definition.clone()));
        let (id, takes) = (back.id.clone(), back.takes_seconds);
        service.deployments.insert(0, back);
        self.tell(at, when, &format!("rolling back to (deployment {id})."));
        // Its tasks have been there all the time.
        self.plan(at, when, Duration::from_secs(takes / 4), Happening::Complete { deployment: id });
    }

    fn write(&mut self, task: &Task, at: Timestamp, lines: &[String]) {
        let logs = self.region.containers(&task.task_definition).iter().filter_map(|container| {
            let options = &container["logConfiguration"]["options"];
            let prefix = options["awslogs-stream-prefix"].as_str().unwrap_or("ecs");
            let group = options["awslogs-group"].as_str()?.to_owned();
            let stream = format!("{prefix}/{}/{}", container["name"].as_str()?, task.id());
            Some(LogLines { group, stream, at, lines: lines.to_vec() })
        });
        let first = logs.take(usize::from(!lines.is_empty())).next();
        self.logs.extend(first);
    }

    fn stop(&mut self, arn: &str, when: Timestamp, how: Stopped) {
        if let Some(task) = self.region.tasks.get_mut(arn) {
            task.stage = Stage::Stopped;
            task.stopped = Some(Stopped { at: when, ..how });
        }
    }

    fn tasks_of<'t>(&'t self, deployment: &'t str) -> impl Iterator<Item = &'t Task> {
        self.region.tasks.values().filter(move |task| task.deployment == deployment && task.stopped.is_none())
    }

    fn tell(&mut self, at: usize, when: Timestamp, message: &str) {
        let id = self.ids.uuid();
        let service = &mut self.region.services[at];
        let message = format!("(service {}) {message}", service.name);
        service.events.insert(0, Event { id, at: when, message });
        service.events.truncate(EVENTS);
    }

    fn plan(&mut self, at: usize, from: Timestamp, after: Duration, happening: Happening) {
        let due = later(from, self.clock.scaled(after));
        self.region.services[at].agenda.push((due, happening));
    }
}

/// The next thing that is due; of several at one time the one that was planned first.
fn next(service: &mut Service, now: Timestamp) -> Option<(Timestamp, Happening)> {
    let (at, (due, _)) = service.agenda.iter().enumerate().min_by_key(|(at, (due, _))| (*due, *at))?;
    (*due <= now).then(|| service.agenda.remove(at))
}

/// Failed tasks that the circuit breaker bears: half of those that are wanted, from 3 to 200 (Developer Guide, "How the
/// Amazon ECS deployment circuit breaker detects failures").
fn threshold(desired: u32) -> u32 {
    desired.div_ceil(2).clamp(3, 200)
}

fn stopped(at: Timestamp, code: &str, reason: &str) -> Stopped {
    Stopped { at, code: code.to_owned(), reason: reason.to_owned(), exit_code: Some(0), container_reason: None }
}

fn end_of(failure: &RolloutFailure, at: Timestamp, target_group: Option<&str>) -> Stopped {
    match failure.kind {
        FailureKind::Exits => {
            let exit_code = Some(failure.exit_code);
            Stopped { exit_code, ..stopped(at, "EssentialContainerExited", "Essential container in task exited") }
        }
        FailureKind::CannotPull => {
            let reason =
                "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref";
            let container_reason = Some(reason.to_owned());
            Stopped { exit_code: None, container_reason, ..stopped(at, "TaskFailedToStart", reason) }
        }
        FailureKind::Unhealthy => {
            let reason = match target_group {
                Some(group) => format!("Task failed ELB health checks in (target-group {group})"),
                None => "Task failed container health checks".to_owned(),
            };
            Stopped { exit_code: Some(143), ..stopped(at, "ServiceSchedulerInitiated", &reason) }
        }
    }
}

pub(super) fn later(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| at.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}

//! The deployments of a stack's ECS services while CloudFormation waits for them: CloudFormation says nothing until they
//! are over, which may take hours.
//!
//! Watching must not fail a run: what cannot be looked at is not told.

use super::context::Run;
use super::event::{EventKind, ServiceProgress};
use super::service;
use super::stop::{Result, Stop};
use super::wait::Wait;
use crate::aws::ServiceState;
use crate::aws::cloudformation::StackEvent;
use crate::model::StackStatus;
use crate::plan::StackStep;
use crate::quantity;
use crate::random;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How often services are looked at.
const LOOK: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(10);

/// The services of one stack.
pub(super) struct Rollouts<'a> {
    run: &'a Run<'a>,
    step: &'a StackStep,
    /// Those that CloudFormation waits for, by logical id.
    watched: BTreeMap<String, Watched>,
    looked: Option<Instant>,
    /// What was unhealthy when it was seen last, by logical id: by the time of a failure it is gone.
    unhealthy: BTreeMap<String, Vec<String>>,
    /// The deadline has passed, and something was done about it.
    pub late: Option<String>,
}

struct Watched {
    cluster: String,
    service: String,
    since: Instant,
    /// The same by AWS's clock.
    begun: Timestamp,
    told: Option<ServiceProgress>,
}

impl<'a> Rollouts<'a> {
    pub fn new(run: &'a Run<'a>, step: &'a StackStep) -> Rollouts<'a> {
        let (watched, looked, unhealthy, late) = Default::default();
        Rollouts { run, step, watched, looked, unhealthy, late }
    }

    /// Takes in an event of the stack: a service that begins to change is watched until it is done.
    pub fn note(&mut self, event: &StackEvent) {
        if event.resource_type != service::TYPE {
            return;
        }
        let id = event.physical_id.as_deref().and_then(service::cluster_and_name);
        match id {
            Some((cluster, service)) if event.status.ends_with("_IN_PROGRESS") && !event.status.contains("DELETE") => {
                let (cluster, service) = (cluster.to_owned(), service.to_owned());
                let before = self.watched.get(&event.logical_id);
                let (since, begun) =
                    before.map_or_else(|| (Instant::now(), event.at), |watched| (watched.since, watched.begun));
                self.watched.insert(event.logical_id.clone(), Watched { cluster, service, since, begun, told: None });
                self.looked = None;
            }
            _ => drop(self.watched.remove(&event.logical_id)),
        }
    }

    /// Looks at the services that are watched, if it is time, and tells what has changed.
    pub async fn look(&mut self, wait: &Wait<'_>) {
        if self.watched.is_empty() || self.looked.is_some_and(|looked| !wait.has_passed(LOOK, looked)) {
            return;
        }
        self.looked = Some(Instant::now());
        let (ecs, step) = (self.run.context.aws.ecs(&self.step.target), self.step);
        for (logical_id, watched) in &mut self.watched {
            // Whoever does not answer must not hold up what is followed.
            let looked = timeout(PATIENCE, async {
                let state = ecs.service(&watched.cluster, &watched.service).await.ok()??;
                let unhealthy = service::unhealthy(self.run, step, &state).await;
                Some((state, unhealthy))
            });
            let Ok(Some((state, unhealthy))) = looked.await else { continue };
            let Some(now) = progress(logical_id, watched, &state, unhealthy.len()) else { continue };
            if !unhealthy.is_empty() {
                self.unhealthy.insert(logical_id.clone(), unhealthy);
            }
            // What stood before anything began is no news.
            let begun = watched.told.is_some() || now.rollout_state != "COMPLETED" || now.running != now.desired;
            if begun && watched.told.as_ref() != Some(&now) {
                self.run.tell(step, EventKind::ServiceDeployment(now.clone()));
                watched.told = Some(now);
            }
        }
    }

    /// What there is to say about a service that failed.
    pub async fn facts(&self, event: &StackEvent) -> Vec<String> {
        let unhealthy = self.unhealthy.get(&event.logical_id).map(Vec::as_slice).unwrap_or_default();
        let since = self.watched.get(&event.logical_id).map(|watched| watched.begun);
        let arn = event.physical_id.as_deref().unwrap_or_default();
        service::facts(self.run, self.step, arn, since, unhealthy).await
    }

    /// Gives up a deployment that takes longer than the environment allows: an update is cancelled, so that
    /// CloudFormation rolls it back; of a creation nothing can be cancelled. Gives what there is to say.
    ///
    /// # Errors
    /// The stack is being created: there is nothing more to wait for.
    pub async fn keep_deadline(&mut self, wait: &Wait<'_>, stack_id: &str) -> Result<Vec<String>> {
        let allowed = self.run.context.settings.rollout_timeout;
        let late = |(_, watched): &(&String, &Watched)| wait.has_passed(allowed, watched.since);
        let Some((logical_id, watched)) = self.watched.iter().find(late).filter(|_| self.late.is_none()) else {
            return Ok(Vec::new());
        };
        let arn = format!(":service/{}/{}", watched.cluster, watched.service);
        let unhealthy = self.unhealthy.get(logical_id).map(Vec::as_slice).unwrap_or_default();
        let facts = service::facts(self.run, self.step, &arn, Some(watched.begun), unhealthy).await;
        let because = format!(
            "{logical_id} ({}) was not stable after {} (`apply.rollout_timeout`)",
            service::TYPE,
            quantity::in_words(allowed)
        );
        let cloudformation = self.run.cloudformation(self.step);
        let status = wait.ask(async || cloudformation.describe_stack(stack_id).await).await?.map(|stack| stack.status);
        match status {
            Some(StackStatus::UpdateInProgress) => {
                let token = random::uuid();
                wait.ask(async || cloudformation.cancel_update(stack_id, &token).await).await?;
                self.run.note(self.step, format!("{because}; the update is cancelled and rolled back"));
                self.late = Some(format!("{because}, so the update was cancelled"));
                Ok(facts)
            }
            Some(StackStatus::CreateInProgress) => Err(self.abandon(because, facts)),
            // It is being undone already.
            _ => {
                self.late = Some(because);
                Ok(facts)
            }
        }
    }

    /// A creation cannot be cancelled, only deleted, and that is for people to decide.
    fn abandon(&self, because: String, details: Vec<String>) -> Stop {
        let (stack, region) = (&self.step.stack_name, &self.step.target.region);
        let mut stop = Stop::failed(
            format!("{because}; CloudFormation goes on by itself, for three hours in all"),
            [
                format!("end it: aws cloudformation delete-stack --stack-name {stack} --region {region}"),
                format!("mend the cause, then: infra apply --env {}", self.run.plan.environment),
            ],
        );
        if let Stop::Failed(cause) = &mut stop {
            cause.details = details;
            cause.status = Some(StackStatus::CreateInProgress.to_string());
        }
        stop
    }
}

/// What a service is doing; none if nothing deploys it (an external controller).
fn progress(
    logical_id: &str,
    watched: &Watched,
    state: &ServiceState,
    unhealthy_targets: usize,
) -> Option<ServiceProgress> {
    let primary = state.deployments.iter().find(|deployment| deployment.status == "PRIMARY")?;
    let count = |number: i32| u32::try_from(number).unwrap_or(0);
    Some(ServiceProgress {
        logical_id: logical_id.to_owned(),
        cluster: watched.cluster.clone(),
        service: watched.service.clone(),
        deployment: primary.id.clone(),
        task_definition: last(&primary.task_definition).to_owned(),
        rollout_state: primary.rollout.clone().unwrap_or_else(|| "IN_PROGRESS".to_owned()),
        reason: primary.rollout_reason.clone().filter(|_| primary.rollout.as_deref() != Some("COMPLETED")),
        desired: count(primary.desired),
        running: count(primary.running),
        pending: count(primary.pending),
        failed_tasks: count(state.deployments.iter().map(|deployment| deployment.failed_tasks).max().unwrap_or(0)),
        unhealthy_targets: u32::try_from(unhealthy_targets).unwrap_or(u32::MAX),
    })
}

/// What an ARN ends with.
pub(super) fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

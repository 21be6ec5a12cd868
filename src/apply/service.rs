//! What an ECS service that did not become stable has to say: why its tasks stopped, what the failing container wrote
//! last, and which targets fail their checks.
//!
//! Asked as soon as the failure shows: the rollback takes tasks and log groups away. Nothing here may fail a run.

use super::context::Run;
use super::rollout::last;
use crate::aws::{ServiceState, StoppedTask, failure};
use crate::plan::StackStep;
use jiff::Timestamp;

pub(super) const TYPE: &str = "AWS::ECS::Service";

/// Reasons for which tasks stopped that are told; the same reason is told once.
const REASONS: usize = 5;
/// All of a failure is to fit on a screen.
const LOG_LINES: u16 = 12;
/// Targets that are told one by one.
const TARGETS: usize = 3;

/// Sentences for a failure report about the service with this ARN; empty for every other resource. `since`: when what
/// failed began, by AWS's clock; ECS remembers tasks of earlier failures for an hour. `unhealthy`: targets that failed
/// their checks when they were seen last.
pub(super) async fn facts(
    run: &Run<'_>,
    step: &StackStep,
    arn: &str,
    since: Option<Timestamp>,
    unhealthy: &[String],
) -> Vec<String> {
    let Some((cluster, service)) = cluster_and_name(arn) else { return Vec::new() };
    let mut facts = Vec::new();
    match run.context.aws.ecs(&step.target).stopped_tasks(cluster, service).await {
        Ok(tasks) => {
            let earlier =
                |task: &StoppedTask| task.stopped_at.zip(since).is_some_and(|(stopped, since)| stopped < since);
            let failed: Vec<&StoppedTask> = tasks.iter().filter(|task| !by_itself(task) && !earlier(task)).collect();
            facts.extend(reasons(&failed));
            facts.extend(checks(unhealthy));
            facts.extend(last_lines(run, step, &failed).await);
        }
        Err(error) => {
            facts.push(format!("its stopped tasks could not be looked at: {}", told(&error)));
            facts.extend(checks(unhealthy));
        }
    }
    facts
}

/// `arn:aws:ecs:eu-west-1:111122223333:service/cluster/service`.
pub(super) fn cluster_and_name(arn: &str) -> Option<(&str, &str)> {
    arn.split_once(":service/")?.1.split_once('/')
}

/// The targets of a service that fail their checks, a sentence each.
pub(super) async fn unhealthy(run: &Run<'_>, step: &StackStep, state: &ServiceState) -> Vec<String> {
    let balancer = run.context.aws.elbv2(&step.target);
    let mut found = Vec::new();
    for group in &state.target_groups {
        // Who may not ask gets no answer; who asks what is not there, neither.
        let Ok(targets) = balancer.targets(group).await else { continue };
        for target in targets.into_iter().filter(|target| target.state == "unhealthy") {
            let why = target.description.or(target.reason).unwrap_or_else(|| "no reason given".to_owned());
            found.push(format!("target {}:{} is unhealthy: {why}", target.id, target.port));
        }
    }
    found
}

fn checks(unhealthy: &[String]) -> Vec<String> {
    let mut told: Vec<String> = unhealthy.iter().take(TARGETS).cloned().collect();
    if unhealthy.len() > TARGETS {
        told.push(format!("and {} more targets", unhealthy.len() - TARGETS));
    }
    told
}

/// A task that was stopped because another takes its place, or because nobody wants it any more.
fn by_itself(task: &StoppedTask) -> bool {
    task.reason.as_deref().is_some_and(|reason| reason.starts_with("Scaling activity initiated by"))
}

/// Each reason once, with how many tasks stopped for it.
fn reasons(tasks: &[&StoppedTask]) -> Vec<String> {
    let mut counted: Vec<(String, usize)> = Vec::new();
    for reason in tasks.iter().filter_map(|task| reason(task)) {
        match counted.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => counted.push((reason, 1)),
        }
    }
    let tell = |(reason, count): (String, usize)| match count {
        1 => format!("task stopped: {reason}"),
        _ => format!("{count} tasks stopped: {reason}"),
    };
    counted.into_iter().take(REASONS).map(tell).collect()
}

fn reason(task: &StoppedTask) -> Option<String> {
    let mut parts: Vec<String> = task.reason.iter().cloned().collect();
    for container in &task.containers {
        let exit = container.exit_code.filter(|code| *code != 0).map(|code| format!("exit code {code}"));
        // A container that never started often has the task's own reason.
        let reason = container.reason.clone().filter(|reason| task.reason.as_ref() != Some(reason));
        let words: Vec<String> = exit.into_iter().chain(reason).collect();
        if !words.is_empty() {
            parts.push(format!("container {}: {}", container.name, words.join(", ")));
        }
    }
    (!parts.is_empty()).then(|| format!("{} ({})", parts.join("; "), last(&task.task_definition)))
}

/// The last lines of the container that failed last; one text of several lines.
async fn last_lines(run: &Run<'_>, step: &StackStep, failed: &[&StoppedTask]) -> Option<String> {
    let (ecs, logs) = (run.context.aws.ecs(&step.target), run.context.aws.logs(&step.target));
    let task = failed.first()?;
    let containers = ecs.containers(&task.task_definition).await.ok()?;
    // The container that ended badly; where none did, whichever writes a log.
    let exited = task.containers.iter().find(|container| container.exit_code.is_some_and(|code| code != 0));
    let guilty = |name: &str| exited.is_none_or(|exited| exited.name == name);
    let container = containers.iter().find(|container| guilty(&container.name) && container.log.is_some())?;
    let (group, stream) = container.log_stream(&task.arn)?;
    let lines = logs.last_lines(group, &stream, LOG_LINES).await.ok().filter(|lines| !lines.is_empty())?;
    let heading = format!("last lines of {} in {group}:", container.name);
    Some(lines.into_iter().fold(heading, |text, line| text + "\n  | " + &line))
}

fn told(error: &crate::error::Error) -> String {
    failure(error).map_or_else(|| error.message.clone(), |failure| failure.code.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ContainerExit;

    #[test]
    fn services_are_named_by_their_arn() {
        let arn = "arn:aws:ecs:eu-west-1:111122223333:service/main/api";
        assert_eq!(cluster_and_name(arn), Some(("main", "api")));
        assert_eq!(cluster_and_name("arn:aws:ecs:eu-west-1:111122223333:service/api"), None);
    }

    #[test]
    fn each_reason_is_told_once() {
        let task = |exit_code, reason: &str, why: Option<&str>| StoppedTask {
            arn: String::new(),
            task_definition: "arn:aws:ecs:eu-west-1:111122223333:task-definition/api:7".to_owned(),
            stopped_at: None,
            stop_code: None,
            reason: Some(reason.to_owned()),
            containers: vec![ContainerExit { name: "app".to_owned(), exit_code, reason: why.map(str::to_owned) }],
        };
        let essential = "Essential container in task exited";
        let scaled = task(Some(0), "Scaling activity initiated by (deployment ecs-svc/1)", None);
        let pull = task(None, "CannotPullContainerError: not found", Some("CannotPullContainerError: not found"));
        let tasks = [task(Some(1), essential, None), pull, task(Some(1), essential, None), scaled];
        let failed: Vec<&StoppedTask> = tasks.iter().filter(|task| !by_itself(task)).collect();
        assert_eq!(
            reasons(&failed),
            [
                "2 tasks stopped: Essential container in task exited; container app: exit code 1 (api:7)",
                "task stopped: CannotPullContainerError: not found (api:7)"
            ]
        );
    }

    #[test]
    fn many_targets_are_counted() {
        let targets: Vec<String> = (0..5).map(|n| format!("target {n}")).collect();
        assert_eq!(checks(&targets), ["target 0", "target 1", "target 2", "and 2 more targets"]);
        assert_eq!(checks(&targets[..3]).len(), 3);
    }
}

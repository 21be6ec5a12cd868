//! What an ECS service that did not become stable has to say: why its tasks stopped, and what they wrote last.
//!
//! Asked as soon as the failure shows: the rollback takes tasks and log groups away. Nothing here may fail a run.

use super::context::Run;
use crate::aws::cloudformation::StackEvent;
use crate::aws::{StoppedTask, failure};
use crate::plan::StackStep;
use std::collections::BTreeSet;

/// Stopped tasks whose reasons are told; the same reason is told once.
const TASKS: usize = 5;
const LOG_LINES: u16 = 20;

/// Sentences for a failure report; empty for every other type of resource.
pub(super) async fn facts(run: &Run<'_>, step: &StackStep, event: &StackEvent) -> Vec<String> {
    let Some((cluster, service)) = event.physical_id.as_deref().and_then(cluster_and_service) else {
        return Vec::new();
    };
    if event.resource_type != "AWS::ECS::Service" {
        return Vec::new();
    }
    let mut facts = Vec::new();
    match run.context.aws.ecs(&step.target).stopped_tasks(cluster, service).await {
        Ok(tasks) => facts.extend(reasons(&tasks)),
        Err(error) => facts.push(format!("its stopped tasks could not be looked at: {}", told(&error))),
    }
    facts.extend(last_lines(run, step).await);
    facts
}

/// `arn:aws:ecs:eu-west-1:111122223333:service/cluster/service`.
fn cluster_and_service(arn: &str) -> Option<(&str, &str)> {
    arn.split_once(":service/")?.1.split_once('/')
}

fn reasons(tasks: &[StoppedTask]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    tasks.iter().filter_map(reason).filter(|reason| seen.insert(reason.clone())).take(TASKS).collect()
}

fn reason(task: &StoppedTask) -> Option<String> {
    let mut parts: Vec<String> = task.reason.iter().cloned().collect();
    for container in &task.containers {
        let exit = container.exit_code.filter(|code| *code != 0).map(|code| format!("exit code {code}"));
        let words: Vec<String> = exit.into_iter().chain(container.reason.clone()).collect();
        if !words.is_empty() {
            parts.push(format!("container {}: {}", container.name, words.join(", ")));
        }
    }
    (!parts.is_empty()).then(|| format!("task stopped: {}", parts.join("; ")))
}

/// The last lines of the stack's own log group, into which its containers write; one text of several lines.
async fn last_lines(run: &Run<'_>, step: &StackStep) -> Option<String> {
    let resources = run.cloudformation(step).resources(&step.stack_name).await.ok()?;
    let group = resources.into_iter().find(|resource| resource.resource_type == "AWS::Logs::LogGroup")?.physical_id?;
    let logs = run.context.aws.logs(&step.target);
    let stream = logs.newest_stream(&group).await.ok()??;
    let lines = logs.last_lines(&group, &stream, LOG_LINES).await.ok().filter(|lines| !lines.is_empty())?;
    let heading = format!("last lines of {group} {stream}:");
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
        assert_eq!(cluster_and_service(arn), Some(("main", "api")));
        assert_eq!(cluster_and_service("arn:aws:ecs:eu-west-1:111122223333:service/api"), None);
    }

    #[test]
    fn each_reason_is_told_once() {
        let task = |exit_code, reason: &str| StoppedTask {
            arn: String::new(),
            task_definition: String::new(),
            stopped_at: None,
            stop_code: None,
            reason: Some(reason.to_owned()),
            containers: vec![ContainerExit { name: "app".to_owned(), exit_code, reason: None }],
        };
        let essential = "Essential container in task exited";
        let tasks = [task(Some(1), essential), task(Some(1), essential), task(Some(0), "Scaling activity")];
        assert_eq!(
            reasons(&tasks),
            [
                "task stopped: Essential container in task exited; container app: exit code 1",
                "task stopped: Scaling activity"
            ]
        );
    }
}

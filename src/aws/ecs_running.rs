//! What an ECS service really runs.

use super::Result;
use super::ecs::Ecs;
use super::error::{Call, Explain, failure};
use crate::error::Error;
use aws_sdk_ecs::types::DesiredStatus;

/// DescribeTasks takes a hundred tasks at most.
const TASKS_PER_CALL: usize = 100;

/// A container of a task that runs or is about to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningContainer {
    /// As the task definition calls it.
    pub name: String,
    /// As the task definition has it: a repository with a tag or a digest.
    pub image: String,
    pub task_definition: String,
}

impl Ecs {
    /// The containers of all tasks that a service wants to run. `service`: its ARN,
    /// `arn:aws:ecs:us-east-1:111122223333:service/<cluster>/<service>`.
    pub async fn running(&self, service: &str) -> Result<Vec<RunningContainer>> {
        let mut path = service.rsplit('/');
        let (name, cluster) = (path.next().unwrap_or(service), path.next().unwrap_or("default"));
        let listing = || Call::new("ecs", "ListTasks", format!("list the tasks of service `{name}`"));
        let reading = || Call::new("ecs", "DescribeTasks", format!("look at the tasks of service `{name}`"));
        let request = self.client.list_tasks().cluster(cluster).service_name(name);
        let mut pages = request.desired_status(DesiredStatus::Running).into_paginator().send();
        let mut arns = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page.explain(listing) {
                // What is not there runs nothing; that it is gone, others tell.
                Err(error) if is_gone(&error) => return Ok(Vec::new()),
                page => page?,
            };
            arns.extend(page.task_arns.unwrap_or_default());
        }
        let mut running = Vec::new();
        for some in arns.chunks(TASKS_PER_CALL) {
            let request = self.client.describe_tasks().cluster(cluster).set_tasks(Some(some.to_vec()));
            for task in request.send().await.explain(reading)?.tasks.unwrap_or_default() {
                let task_definition = task.task_definition_arn.unwrap_or_default();
                let containers = task.containers.unwrap_or_default().into_iter();
                running.extend(containers.map(|container| RunningContainer {
                    name: container.name.unwrap_or_default(),
                    image: container.image.unwrap_or_default(),
                    task_definition: task_definition.clone(),
                }));
            }
        }
        Ok(running)
    }
}

fn is_gone(error: &Error) -> bool {
    let codes = ["ClusterNotFoundException", "ServiceNotFoundException", "ServiceNotActiveException"];
    failure(error).is_some_and(|failure| codes.contains(&failure.code.as_str()))
}

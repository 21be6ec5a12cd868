//! What became of an ECS service: its deployments, and why its tasks stopped.

use super::error::{Call, Explain};
use super::{Result, timestamp};
use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{ContainerDefinition, DesiredStatus, Task};
use jiff::Timestamp;

/// DescribeTasks takes a hundred tasks at most.
const TASKS_PER_CALL: usize = 100;
/// Events of a service that are worth showing, the newest first.
const EVENTS: usize = 10;

#[derive(Clone)]
pub struct Ecs {
    pub(super) client: Client,
}

/// A task that is no more.
#[derive(Debug, Clone, PartialEq)]
pub struct StoppedTask {
    pub arn: String,
    pub task_definition: String,
    pub stopped_at: Option<Timestamp>,
    /// `EssentialContainerExited`, `TaskFailedToStart` …
    pub stop_code: Option<String>,
    /// ECS's words.
    pub reason: Option<String>,
    pub containers: Vec<ContainerExit>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerExit {
    pub name: String,
    pub exit_code: Option<i32>,
    pub reason: Option<String>,
}

/// The image of a container that runs or is about to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningImage {
    /// Its name.
    pub cluster: String,
    /// As the task definition has it.
    pub reference: String,
    /// `sha256:…`, once it is pulled.
    pub digest: Option<String>,
}

/// A service with what ECS is doing to it.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceState {
    pub name: String,
    pub running: i32,
    pub desired: i32,
    pub pending: i32,
    /// ARNs of the target groups that its tasks register with.
    pub target_groups: Vec<String>,
    pub deployments: Vec<ServiceDeployment>,
    /// The newest first.
    pub events: Vec<String>,
}

/// A container of a task definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub name: String,
    pub image: String,
    /// Log group and prefix of its streams, where it writes to CloudWatch Logs.
    pub log: Option<(String, String)>,
}

impl Container {
    /// The stream that the container has written to in a task (its ARN).
    pub fn log_stream(&self, task: &str) -> Option<(&str, String)> {
        let (group, prefix) = self.log.as_ref()?;
        let task = task.rsplit('/').next().unwrap_or(task);
        Some((group, format!("{prefix}/{}/{task}", self.name)))
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct ServiceDeployment {
    /// `ecs-svc/…`
    pub id: String,
    /// `PRIMARY`, `ACTIVE`, `INACTIVE`.
    pub status: String,
    /// `COMPLETED`, `FAILED`, `IN_PROGRESS`.
    pub rollout: Option<String>,
    pub rollout_reason: Option<String>,
    pub task_definition: String,
    pub desired: i32,
    pub running: i32,
    pub pending: i32,
    pub failed_tasks: i32,
}

impl Ecs {
    pub(super) fn new(client: Client) -> Ecs {
        Ecs { client }
    }

    /// Tasks of a service that stopped, the newest first (ECS remembers them for about an hour).
    pub async fn stopped_tasks(&self, cluster: &str, service: &str) -> Result<Vec<StoppedTask>> {
        let listing = || Call::new("ecs", "ListTasks", format!("list the stopped tasks of service `{service}`"));
        let reading = || Call::new("ecs", "DescribeTasks", format!("look at the stopped tasks of service `{service}`"));
        let request = self.client.list_tasks().cluster(cluster).service_name(service);
        let mut pages = request.desired_status(DesiredStatus::Stopped).into_paginator().send();
        let mut arns = Vec::new();
        while let Some(page) = pages.next().await {
            arns.extend(page.explain(listing)?.task_arns.unwrap_or_default());
        }
        let mut tasks = Vec::new();
        for some in arns.chunks(TASKS_PER_CALL) {
            let request = self.client.describe_tasks().cluster(cluster).set_tasks(Some(some.to_vec()));
            let answer = request.send().await.explain(reading)?;
            tasks.extend(answer.tasks.unwrap_or_default().into_iter().map(stopped));
        }
        tasks.sort_by_key(|task: &StoppedTask| std::cmp::Reverse(task.stopped_at));
        Ok(tasks)
    }

    /// The images of all tasks that run or are about to, in every cluster of the account and region.
    pub async fn running_images(&self) -> Result<Vec<RunningImage>> {
        let clusters = || Call::new("ecs", "ListClusters", "list the clusters");
        let mut pages = self.client.list_clusters().into_paginator().send();
        let mut images = Vec::new();
        while let Some(page) = pages.next().await {
            for cluster in page.explain(clusters)?.cluster_arns.unwrap_or_default() {
                images.extend(self.images_of(&cluster).await?);
            }
        }
        Ok(images)
    }

    async fn images_of(&self, cluster: &str) -> Result<Vec<RunningImage>> {
        let name = cluster.rsplit('/').next().unwrap_or(cluster);
        let listing = || Call::new("ecs", "ListTasks", format!("list the tasks of cluster `{name}`"));
        let reading = || Call::new("ecs", "DescribeTasks", format!("look at the tasks of cluster `{name}`"));
        // Those that are wanted: pending ones have yet to pull their image.
        let request = self.client.list_tasks().cluster(cluster).desired_status(DesiredStatus::Running);
        let mut pages = request.into_paginator().send();
        let mut arns = Vec::new();
        while let Some(page) = pages.next().await {
            arns.extend(page.explain(listing)?.task_arns.unwrap_or_default());
        }
        let mut images = Vec::new();
        for some in arns.chunks(TASKS_PER_CALL) {
            let request = self.client.describe_tasks().cluster(cluster).set_tasks(Some(some.to_vec()));
            let tasks = request.send().await.explain(reading)?.tasks.unwrap_or_default();
            let containers = tasks.into_iter().flat_map(|task| task.containers.unwrap_or_default());
            images.extend(containers.map(|container| RunningImage {
                cluster: name.to_owned(),
                reference: container.image.unwrap_or_default(),
                digest: container.image_digest,
            }));
        }
        Ok(images)
    }

    /// The containers of a task definition.
    pub async fn containers(&self, task_definition: &str) -> Result<Vec<Container>> {
        let name = task_definition.rsplit('/').next().unwrap_or(task_definition);
        let call = || Call::new("ecs", "DescribeTaskDefinition", format!("look at the task definition `{name}`"));
        let request = self.client.describe_task_definition().task_definition(task_definition);
        let definition = request.send().await.explain(call)?.task_definition;
        let containers = definition.and_then(|definition| definition.container_definitions).unwrap_or_default();
        let log = |container: &ContainerDefinition| {
            let options = container.log_configuration.as_ref()?.options.as_ref()?;
            Some((options.get("awslogs-group")?.clone(), options.get("awslogs-stream-prefix")?.clone()))
        };
        Ok(containers
            .into_iter()
            .map(|container| Container {
                log: log(&container),
                name: container.name.unwrap_or_default(),
                image: container.image.unwrap_or_default(),
            })
            .collect())
    }

    /// None if there is no such service.
    pub async fn service(&self, cluster: &str, service: &str) -> Result<Option<ServiceState>> {
        let call = || Call::new("ecs", "DescribeServices", format!("look at service `{service}`"));
        let request = self.client.describe_services().cluster(cluster).services(service);
        let found = request.send().await.explain(call)?.services.unwrap_or_default().into_iter().next();
        Ok(found.map(|service| ServiceState {
            name: service.service_name.unwrap_or_default(),
            running: service.running_count,
            desired: service.desired_count,
            pending: service.pending_count,
            target_groups: service
                .load_balancers
                .unwrap_or_default()
                .into_iter()
                .filter_map(|balancer| balancer.target_group_arn)
                .collect(),
            deployments: service
                .deployments
                .unwrap_or_default()
                .into_iter()
                .map(|deployment| ServiceDeployment {
                    id: deployment.id.unwrap_or_default(),
                    status: deployment.status.unwrap_or_default(),
                    rollout: deployment.rollout_state.map(|state| state.as_str().to_owned()),
                    rollout_reason: deployment.rollout_state_reason,
                    task_definition: deployment.task_definition.unwrap_or_default(),
                    desired: deployment.desired_count,
                    running: deployment.running_count,
                    pending: deployment.pending_count,
                    failed_tasks: deployment.failed_tasks,
                })
                .collect(),
            events: service
                .events
                .unwrap_or_default()
                .into_iter()
                .filter_map(|event| event.message)
                .take(EVENTS)
                .collect(),
        }))
    }
}

fn stopped(task: Task) -> StoppedTask {
    StoppedTask {
        arn: task.task_arn.unwrap_or_default(),
        task_definition: task.task_definition_arn.unwrap_or_default(),
        stopped_at: task.stopped_at.as_ref().map(timestamp),
        stop_code: task.stop_code.map(|code| code.as_str().to_owned()),
        reason: task.stopped_reason,
        containers: task
            .containers
            .unwrap_or_default()
            .into_iter()
            .map(|container| ContainerExit {
                name: container.name.unwrap_or_default(),
                exit_code: container.exit_code,
                reason: container.reason,
            })
            .collect(),
    }
}

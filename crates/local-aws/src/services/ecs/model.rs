//! What ECS holds in one place.

use crate::faults::RolloutFailure;
use crate::place::Place;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// Members of a request or an answer, in the API's spelling.
pub(super) type Members = Map<String, Json>;

/// An account and region's part of ECS.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Region {
    /// By name.
    pub clusters: BTreeMap<String, Cluster>,
    /// By ARN.
    pub definitions: BTreeMap<String, Definition>,
    pub services: Vec<Service>,
    /// By ARN; those that stopped are forgotten after an hour.
    pub tasks: BTreeMap<String, Task>,
    /// By ARN.
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Cluster {
    /// `settings`, `configuration`, `capacityProviders` …
    pub settings: Members,
    pub active: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Definition {
    pub family: String,
    pub revision: u64,
    /// As it was registered.
    pub settings: Members,
    pub active: bool,
    pub registered_at: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Service {
    pub name: String,
    /// Its name.
    pub cluster: String,
    pub arn: String,
    /// As it was asked for: `taskDefinition`, `desiredCount`, `networkConfiguration` …
    pub settings: Members,
    pub active: bool,
    pub created_at: Timestamp,
    /// The newest first, but one that is rolled back to, which comes before the one that failed.
    pub deployments: Vec<Deployment>,
    /// How the deployment that began last has ended, even when ECS shows it no more.
    pub last: Option<Ending>,
    /// The newest first.
    pub events: Vec<Event>,
    /// What will happen, and when.
    pub agenda: Vec<(Timestamp, Happening)>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Event {
    pub id: String,
    pub at: Timestamp,
    pub message: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Deployment {
    /// `ecs-svc/…`
    pub id: String,
    /// ARN.
    pub task_definition: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub state: RolloutState,
    pub reason: String,
    pub failed_tasks: u32,
    pub launched: u32,
    /// How long it takes on AWS if all goes well, in seconds.
    pub takes_seconds: u64,
    /// What keeps its tasks from running.
    pub failure: Option<RolloutFailure>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum RolloutState {
    InProgress,
    Completed,
    Failed,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Ending {
    pub deployment: String,
    pub state: RolloutState,
    /// CloudFormation is to take a roll-back for a success.
    pub hidden: bool,
}

/// What happens to a service by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Happening {
    /// Tasks of a deployment start.
    Launch {
        deployment: String,
        count: u32,
    },
    /// A task gets on.
    Task {
        arn: String,
        to: Stage,
    },
    /// The tasks of older deployments have had their time.
    Drain {
        deployment: String,
    },
    Complete {
        deployment: String,
    },
}

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Stage {
    Provisioning,
    Pending,
    Running,
    /// Running, and its target passes the checks.
    Healthy,
    Stopped,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Task {
    pub arn: String,
    /// Its name.
    pub cluster: String,
    /// The ARN of its service.
    pub service: String,
    pub deployment: String,
    pub task_definition: String,
    pub stage: Stage,
    pub address: String,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub stopped: Option<Stopped>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stopped {
    pub at: Timestamp,
    /// `EssentialContainerExited` …
    pub code: String,
    pub reason: String,
    pub exit_code: Option<i32>,
    /// Why the container did not even start.
    pub container_reason: Option<String>,
}

impl RolloutState {
    pub fn as_str(self) -> &'static str {
        match self {
            RolloutState::InProgress => "IN_PROGRESS",
            RolloutState::Completed => "COMPLETED",
            RolloutState::Failed => "FAILED",
        }
    }
}

impl Task {
    pub fn is_running(&self) -> bool {
        matches!(self.stage, Stage::Running | Stage::Healthy)
    }

    pub fn is_pending(&self) -> bool {
        matches!(self.stage, Stage::Provisioning | Stage::Pending)
    }

    pub fn id(&self) -> &str {
        last(&self.arn)
    }
}

impl Service {
    pub fn desired(&self) -> u32 {
        let count = self.settings.get("desiredCount").and_then(Json::as_u64).unwrap_or(1);
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    pub fn task_definition(&self) -> String {
        self.settings.get("taskDefinition").and_then(Json::as_str).unwrap_or_default().to_owned()
    }

    /// Whether failing deployments are given up, and whether what ran before comes back then.
    pub fn circuit_breaker(&self) -> (bool, bool) {
        let breaker = self.settings.get("deploymentConfiguration").map(|it| &it["deploymentCircuitBreaker"]);
        let is = |member: &str| breaker.is_some_and(|breaker| breaker[member] == true);
        (is("enable"), is("rollback"))
    }

    pub fn deployment(&mut self, id: &str) -> Option<&mut Deployment> {
        self.deployments.iter_mut().find(|deployment| deployment.id == id)
    }

    pub fn is_primary(&self, id: &str) -> bool {
        self.deployments.first().is_some_and(|primary| primary.id == id)
    }

    pub fn target_groups(&self) -> impl Iterator<Item = (&str, u64)> {
        let balancers = self.settings.get("loadBalancers").and_then(Json::as_array).into_iter().flatten();
        balancers.filter_map(|one| Some((one["targetGroupArn"].as_str()?, one["containerPort"].as_u64().unwrap_or(80))))
    }
}

impl Region {
    /// The ARN of a task definition that is named by its ARN, `family:revision`, or the family alone, which means its
    /// last active revision.
    pub fn definition_arn(&self, place: &Place, name: &str) -> Option<String> {
        let named = if name.starts_with("arn:") { name.to_owned() } else { definition_arn(place, name) };
        if self.definitions.contains_key(&named) {
            return Some(named);
        }
        let family = last(&named).split(':').next().unwrap_or_default();
        let has_revision = last(&named).contains(':');
        let of_family = self.definitions.iter().filter(|(_, one)| one.family == family && one.active && !has_revision);
        of_family.max_by_key(|(_, one)| one.revision).map(|(arn, _)| arn.clone())
    }

    pub fn last_revision(&self, family: &str) -> u64 {
        self.definitions.values().filter(|one| one.family == family).map(|one| one.revision).max().unwrap_or(0)
    }

    /// A service that is named by its ARN or its name; one that was deleted only where there is no other.
    pub fn service(&mut self, cluster: &str, name: &str) -> Option<&mut Service> {
        let (cluster, name) = (last(cluster), last(name));
        let same = |service: &Service| service.cluster == cluster && service.name == name;
        let at = self.services.iter().rposition(|service| same(service) && service.active);
        let at = at.or_else(|| self.services.iter().rposition(same))?;
        self.services.get_mut(at)
    }

    /// `[{"name": …, "image": …}]` of a definition.
    pub fn containers(&self, definition: &str) -> &[Json] {
        let settings = self.definitions.get(definition).map(|one| &one.settings);
        let containers = settings.and_then(|settings| settings.get("containerDefinitions")).and_then(Json::as_array);
        containers.map(Vec::as_slice).unwrap_or_default()
    }

    pub fn tag_list(&self, arn: &str) -> Json {
        let tags = self.tags.get(arn).into_iter().flatten();
        tags.map(|(key, value)| json!({ "key": key, "value": value })).collect()
    }

    pub fn tag(&mut self, arn: &str, tags: &Json) {
        let tags = tags.as_array().into_iter().flatten();
        let pairs = tags.filter_map(|tag| {
            Some((tag["key"].as_str()?.to_owned(), tag["value"].as_str().unwrap_or_default().to_owned()))
        });
        let pairs: Vec<_> = pairs.collect();
        if !pairs.is_empty() {
            self.tags.entry(arn.to_owned()).or_default().extend(pairs);
        }
    }
}

pub(super) fn cluster_arn(place: &Place, name: &str) -> String {
    place.arn("ecs", &format!("cluster/{name}"))
}

pub(super) fn definition_arn(place: &Place, name: &str) -> String {
    place.arn("ecs", &format!("task-definition/{name}"))
}

/// What an ARN ends with; a bare name is itself.
pub(super) fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Seconds since the epoch, as the JSON protocols write time.
pub(super) fn seconds(at: Timestamp) -> Json {
    #[allow(clippy::cast_precision_loss, reason = "milliseconds of our times fit")]
    let seconds = at.as_millisecond() as f64 / 1000.0;
    json!(seconds)
}

//! What happens during a run, as typed events; views decide what people see of it.

use super::{AssetOutcome, StackOutcome};
use crate::model::LockInfo;
use jiff::Timestamp;
use serde::Serialize;

/// Where events go. Sending never blocks and never fails: a view that went away stops nothing.
pub type Events = tokio::sync::mpsc::UnboundedSender<Event>;

/// One thing that happened.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    pub timestamp: Timestamp,
    /// The stack it belongs to, as the environment names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    #[serde(flatten)]
    pub kind: EventKind,
}

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// First of all: what the run is and how many stacks it will work on.
    RunStarted {
        operation: String,
        project: String,
        environment: String,
        stacks: usize,
    },
    /// Somebody else holds the lock; this run waits for it.
    LockWaiting {
        holder: LockInfo,
        waited_seconds: u64,
        timeout_seconds: u64,
    },
    LockTaken {
        id: String,
    },
    /// The lock of a run that stopped beating was taken over.
    LockTakenOver {
        from: LockInfo,
    },
    /// Work on a stack begins. `estimate` from how long it took before, where known.
    StackStarted {
        action: crate::plan::Action,
        resources: usize,
        estimate_seconds: Option<u64>,
    },
    /// Somebody else's operation runs on the stack; this run waits for its end.
    StackBusy {
        status: String,
    },
    /// CloudFormation works out the change set.
    ChangeSetCreated {
        name: String,
    },
    /// The change set does what the plan showed and is being executed.
    ChangeSetExecuted {
        name: String,
        changes: usize,
    },
    /// An image is built, before the plan is made.
    ImageBuilding {
        image: String,
        builder: String,
    },
    /// A line that the builder printed.
    ImageOutput {
        image: String,
        line: String,
    },
    ImageBuilt {
        image: String,
        digest: String,
        bytes: u64,
        elapsed_seconds: f64,
    },
    /// The repository has the image; what was there before is not sent.
    ImagePushed {
        image: String,
        repository: String,
        digest: String,
        uploaded_bytes: u64,
        already_there: bool,
    },
    /// The dependencies of a package are installed, before the plan is made.
    PackageBuilding {
        package: String,
        /// `pip install` or `npm ci`.
        with: String,
    },
    /// A line that pip or npm printed.
    PackageOutput {
        package: String,
        line: String,
    },
    PackageBuilt {
        package: String,
        digest: String,
        bytes: u64,
        elapsed_seconds: f64,
    },
    /// The bucket has the package; what was there before is not sent.
    PackageUploaded {
        package: String,
        bucket: String,
        key: String,
        digest: String,
        uploaded_bytes: u64,
        already_there: bool,
    },
    /// The bucket has the site's files.
    SiteUploaded {
        site: String,
        bucket: String,
        uploaded: usize,
        uploaded_bytes: u64,
        removed: usize,
        /// What the CDN calls the request to forget what changed.
        #[serde(skip_serializing_if = "Option::is_none")]
        invalidation: Option<String>,
    },
    /// ECR has scanned the image: findings by severity, and how many of them stop it.
    ImageScanned {
        image: String,
        digest: String,
        findings: std::collections::BTreeMap<String, usize>,
        stopped_by: usize,
    },
    Resource(ResourceEvent),
    /// How far the deployment of an ECS service is that CloudFormation waits for.
    ServiceDeployment(ServiceProgress),
    /// A resource was looked at for drift: `done` of `total` so far, in all stacks.
    ResourceChecked {
        logical_id: String,
        done: usize,
        total: usize,
    },
    /// AWS asks for patience: the call will be made again.
    Throttled {
        service: String,
        operation: String,
        attempt: u32,
    },
    StackFinished(StackOutcome),
    /// An image, a package or the files of a site are where they should be, or will not get there.
    AssetFinished(AssetOutcome),
    StateSaved {
        serial: u64,
    },
    /// The first interrupt: nothing new starts; what runs is waited for.
    Interrupted {
        running: Vec<String>,
    },
    /// Credentials ended in the middle of a wait; new ones are tried.
    CredentialsExpired {
        since_seconds: u64,
    },
    /// An image is on its way to a registry: so many bytes are there, of so many.
    ImageProgress {
        image: String,
        done_bytes: u64,
        total_bytes: u64,
    },
    /// A sentence for people, where nothing above fits.
    Note {
        message: String,
    },
    RunFinished {
        succeeded: bool,
        elapsed_seconds: f64,
    },
}

/// A stack event of CloudFormation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResourceEvent {
    pub logical_id: String,
    pub resource_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    /// CloudFormation's ResourceStatus, as it spells it.
    pub status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When CloudFormation says it happened.
    pub at: Timestamp,
    /// Resources of this operation that are finished, of how many.
    pub done: usize,
    pub total: usize,
}

/// An ECS service while it is deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceProgress {
    pub logical_id: String,
    pub cluster: String,
    pub service: String,
    /// The primary deployment's id, `ecs-svc/…`.
    pub deployment: String,
    /// `family:revision` of the primary deployment.
    pub task_definition: String,
    /// `IN_PROGRESS`, `COMPLETED` or `FAILED`.
    pub rollout_state: String,
    /// ECS's words on it, while it is not completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Tasks of the primary deployment.
    pub desired: u32,
    pub running: u32,
    pub pending: u32,
    /// Tasks that failed, of the deployment with the most of them.
    pub failed_tasks: u32,
    pub unhealthy_targets: u32,
}

impl Event {
    pub fn now(stack: Option<&str>, kind: EventKind) -> Event {
        Event { timestamp: Timestamp::now(), stack: stack.map(str::to_owned), kind }
    }
}

/// Sends; whoever listens may be gone.
pub fn send(events: &Events, stack: Option<&str>, kind: EventKind) {
    let _ = events.send(Event::now(stack, kind));
}

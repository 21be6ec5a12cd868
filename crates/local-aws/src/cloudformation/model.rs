//! What CloudFormation knows: stacks, their resources, change sets and events. Plain data that can be saved.

use super::drift::Drift;
use crate::place::Place;
use cloudformation::evaluate::ParameterValue;
use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// All stacks of a world, deleted ones too, by their id (an ARN).
#[derive(Debug, Default)]
pub struct Stacks {
    stacks: Mutex<IndexMap<String, Stack>>,
    /// By stack id.
    halts: Mutex<HashMap<String, Arc<Halt>>>,
    /// Told of every signal to a resource.
    signals: Notify,
}

/// Whether what is being done to a stack is to stop. Who waits for it is woken in the order of waiting, so that a seed
/// gives one sequence of events.
#[derive(Debug, Default)]
pub(super) struct Halt {
    halted: AtomicBool,
    told: Notify,
}

impl Halt {
    pub fn set(&self, halted: bool) {
        self.halted.store(halted, Ordering::SeqCst);
        if halted {
            self.told.notify_waiters();
        }
    }

    pub fn is_set(&self) -> bool {
        self.halted.load(Ordering::SeqCst)
    }

    /// Returns once it is set.
    pub async fn wait(&self) {
        loop {
            let told = self.told.notified();
            if self.is_set() {
                return;
            }
            told.await;
        }
    }
}

impl Stacks {
    /// To look at them; changes go through `World::edit_stack`. Not to be held across an await.
    pub fn lock(&self) -> MutexGuard<'_, IndexMap<String, Stack>> {
        self.stacks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a stack in, new or as it was kept.
    pub(crate) fn restore(&self, stack: Stack) {
        self.lock().insert(stack.id.clone(), stack);
    }

    /// The id of a stack of this place by its name or id. By name only a stack that is not deleted is found.
    pub fn id_of(&self, place: &Place, name_or_id: &str) -> Option<String> {
        let stacks = self.lock();
        let found = match name_or_id.starts_with("arn:") {
            true => stacks.get(name_or_id).filter(|stack| stack.place == *place),
            false => stacks
                .values()
                .rev()
                .find(|stack| stack.name == name_or_id && stack.place == *place && stack.status != "DELETE_COMPLETE"),
        };
        found.map(|stack| stack.id.clone())
    }

    /// The way to stop what is being done to a stack.
    pub(super) fn halt_of(&self, stack_id: &str) -> Arc<Halt> {
        let mut halts = self.halts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(halts.entry(stack_id.to_owned()).or_default())
    }

    /// Nothing is being done to the stack any more.
    pub(super) fn forget_halt(&self, stack_id: &str) {
        self.halts.lock().unwrap_or_else(PoisonError::into_inner).remove(stack_id);
    }

    /// Becomes ready at the next signal after this call.
    pub(super) fn signalled(&self) -> Notified<'_> {
        self.signals.notified()
    }

    /// Wakes all who wait for signals.
    pub(super) fn signal(&self) {
        self.signals.notify_waiters();
    }
}

/// A stack, from its first change set or creation on; it stays after its deletion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stack {
    /// `arn:aws:cloudformation:<region>:<account>:stack/<name>/<uuid>`
    pub id: String,
    pub name: String,
    pub place: Place,
    /// `CREATE_IN_PROGRESS` …
    pub status: String,
    pub status_reason: Option<String>,
    pub created: Timestamp,
    pub updated: Option<Timestamp>,
    pub deleted: Option<Timestamp>,
    /// What was last carried out, or is being carried out.
    pub current: Definition,
    /// What a failed update goes back to; set while an update runs and while its rollback has failed.
    pub previous: Option<Definition>,
    pub termination_protection: bool,
    pub disable_rollback: bool,
    /// Of the last operation, if it was asked for.
    #[serde(default)]
    pub retain_except_on_create: bool,
    /// Of the last operation, if it had one.
    #[serde(default)]
    pub deployment_config: Option<DeploymentConfig>,
    /// Of the last executed change set.
    pub change_set_id: Option<String>,
    pub policy: Option<String>,
    pub policy_during_update: Option<String>,
    /// By logical id; resources that are gone are not in it.
    pub resources: IndexMap<String, StackResource>,
    /// Old physical resources that a cleanup still has to delete.
    pub leftovers: Vec<StackResource>,
    /// Physical resources that were the stack's, exist, and belong to nobody any more: retained, or not deletable.
    #[serde(default)]
    pub abandoned: Vec<StackResource>,
    /// What its wait conditions were told.
    #[serde(default)]
    pub signals: Vec<Signal>,
    /// What looking for drift found.
    #[serde(default)]
    pub drift: Drift,
    pub outputs: Vec<Output>,
    /// By their id (an ARN), in the order they were made.
    pub change_sets: IndexMap<String, ChangeSet>,
    /// Oldest first.
    pub events: Vec<Event>,
    pub drift_status: String,
    pub drift_checked: Option<Timestamp>,
    /// For a nested stack: whose resource it is.
    pub parent: Option<Parent>,
    /// The names of the exports of other stacks that its values came from.
    pub imports: Vec<String>,
    /// Of the last deletion: `STANDARD` or `FORCE_DELETE_STACK`.
    pub deletion_mode: Option<String>,
    /// Minutes after which its creation is given up.
    pub timeout_minutes: Option<u32>,
    /// What was sent with a `ClientRequestToken`: asking for it again does nothing.
    pub tokens: Vec<Token>,
    /// What is being done to it.
    pub operation: Option<Operation>,
}

/// What a wait condition is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// The logical id of the resource, or the URL of a handle.
    pub target: String,
    pub unique_id: String,
    /// `SUCCESS` or `FAILURE`.
    pub status: String,
    pub reason: String,
    pub data: String,
}

impl Stack {
    /// A stack of which nothing is known yet.
    pub(crate) fn new(place: &Place, name: &str, id: &str, created: Timestamp) -> Self {
        Stack {
            id: id.to_owned(),
            name: name.to_owned(),
            place: place.clone(),
            status: String::new(),
            status_reason: None,
            created,
            updated: None,
            deleted: None,
            current: Definition::default(),
            previous: None,
            termination_protection: false,
            disable_rollback: false,
            retain_except_on_create: false,
            deployment_config: None,
            change_set_id: None,
            policy: None,
            policy_during_update: None,
            resources: IndexMap::new(),
            leftovers: Vec::new(),
            abandoned: Vec::new(),
            signals: Vec::new(),
            drift: Drift::default(),
            outputs: Vec::new(),
            change_sets: IndexMap::new(),
            events: Vec::new(),
            drift_status: "NOT_CHECKED".to_owned(),
            drift_checked: None,
            parent: None,
            imports: Vec::new(),
            deletion_mode: None,
            timeout_minutes: None,
            tokens: Vec::new(),
            operation: None,
        }
    }
}

/// The stack whose resource a nested stack is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parent {
    pub stack_id: String,
    pub root_id: String,
    pub logical_id: String,
}

/// A request that was accepted with a token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Token {
    pub token: String,
    /// `CreateStack`, `UpdateStack` …
    pub action: String,
}

/// What is being done to a stack: all that the engine needs to carry on after a restart. It stays after a failure that
/// something can still be done about: whether it runs, the stack's status says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// For `DescribeEvents`.
    pub id: String,
    pub kind: OperationKind,
    pub phase: Phase,
    pub started: Timestamp,
    pub token: Option<String>,
    pub on_failure: OnFailure,
    /// Whether `steps` is filled.
    pub prepared: bool,
    /// Somebody wants it to stop: an update rolls back, a creation gives way to a deletion.
    pub cancelled: bool,
    /// Logical ids that a deletion leaves alone (`RetainResources`).
    pub retain: Vec<String>,
    /// Logical ids that a rollback leaves as they are (`ResourcesToSkip`).
    pub skip: Vec<String>,
    /// Whether resources that cannot be deleted are left behind (`FORCE_DELETE_STACK`).
    pub force: bool,
    /// Whether a rollback deletes new resources whatever their deletion policy.
    pub retain_except_on_create: bool,
    /// Whether resources only have to be configured, not ready (`DeploymentConfig.Mode` is `EXPRESS`).
    #[serde(default)]
    pub express: bool,
    /// The stack policy that came with an update: the stack's once the update is through.
    #[serde(default)]
    pub policy: Option<String>,
    /// Whether an update goes from what resources are, not from what they were made as (`REVERT_DRIFT`).
    pub revert_drift: bool,
    /// Logical id → physical id of what becomes part of the stack.
    pub imports: IndexMap<String, String>,
    /// By logical id: every resource that it works on, in the order of the template.
    pub steps: IndexMap<String, Step>,
}

/// How an operation goes about its work, as the request says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeploymentConfig {
    /// `STANDARD` or `EXPRESS`.
    pub mode: Option<String>,
    pub disable_rollback: Option<bool>,
}

impl DeploymentConfig {
    /// Whether a resource counts as done once it is configured, before it is ready to serve.
    pub fn is_express(&self) -> bool {
        self.mode.as_deref() == Some("EXPRESS")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperationKind {
    Create,
    Update,
    Import,
    Delete,
    /// `RollbackStack` after a failure that was left as it was.
    Rollback,
    /// `ContinueUpdateRollback`.
    ContinueRollback,
}

/// How far an operation is. Every phase may be entered again after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Resources are created, updated, imported.
    Forward,
    /// Old resources are deleted after an update.
    Cleanup,
    /// Resources go back to what they were.
    Rollback,
    /// New resources are deleted after an update was rolled back.
    RollbackCleanup,
    /// All resources are deleted.
    Delete,
}

/// What becomes of a stack whose operation failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnFailure {
    Rollback,
    DoNothing,
    Delete,
}

/// How far an operation is with one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub state: StepState,
    /// The physical id that is being replaced.
    #[serde(default)]
    pub replaces: Option<String>,
    /// The resource before the operation touched it; `None`: there was none.
    pub before: Option<StackResource>,
    /// What an operation that failed made of `before` in place, and left so.
    #[serde(default)]
    pub left: Option<StackResource>,
    /// An operation that failed worked on it, and the template that is carried out now has it no more.
    #[serde(default)]
    pub dropped: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepState {
    Waiting,
    Running,
    Done,
    Failed,
    /// It had begun when another one failed.
    Cancelled,
}

/// A template with all that decides what it means.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// The text as it was sent.
    pub template: String,
    /// After transforms, as `GetTemplate` shows it; `None` where there are none.
    pub processed: Option<String>,
    /// After macros, before the language extensions: what is carried out. `None` where there are no macros.
    #[serde(default)]
    pub expanded: Option<String>,
    /// Why a transform failed; then nothing can be carried out.
    #[serde(default)]
    pub failure: Option<String>,
    pub description: Option<String>,
    /// Every parameter of the template with its effective value, defaults included.
    pub parameters: IndexMap<String, ParameterValue>,
    /// Values of SSM parameters that were looked up, by the name of the template's parameter.
    pub resolved: IndexMap<String, String>,
    pub tags: IndexMap<String, String>,
    pub capabilities: Vec<String>,
    pub notification_arns: Vec<String>,
    pub role_arn: Option<String>,
    pub rollback_configuration: Json,
}

/// A resource of a stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StackResource {
    pub logical_id: String,
    pub resource_type: String,
    /// Empty until there is one.
    pub physical_id: String,
    /// As they were last applied, resolved.
    pub properties: Json,
    /// What `Fn::GetAtt` gives.
    pub attributes: IndexMap<String, Json>,
    pub metadata: Option<Json>,
    pub status: String,
    pub status_reason: Option<String>,
    pub updated: Timestamp,
    /// `Delete`, `Retain`, `RetainExceptOnCreate`, `Snapshot`.
    pub deletion_policy: Option<String>,
    pub update_replace_policy: Option<String>,
    /// The logical ids it depends on.
    pub depends_on: Vec<String>,
    /// `NOT_CHECKED`, `IN_SYNC`, `MODIFIED`, `DELETED`.
    pub drift_status: String,
    pub drift_checked: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Output {
    pub key: String,
    pub value: String,
    pub description: Option<String>,
    pub export: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeSet {
    /// `arn:aws:cloudformation:<region>:<account>:changeSet/<name>/<uuid>`
    pub id: String,
    pub name: String,
    /// `CREATE`, `UPDATE` or `IMPORT`.
    pub kind: String,
    pub description: Option<String>,
    pub status: String,
    pub status_reason: Option<String>,
    pub execution_status: String,
    pub created: Timestamp,
    pub definition: Definition,
    /// Logical id → physical id of what is imported.
    pub imports: IndexMap<String, String>,
    /// `ROLLBACK`, `DO_NOTHING`, `DELETE`.
    pub on_stack_failure: Option<String>,
    /// `REVERT_DRIFT`, if asked for.
    pub deployment_mode: Option<String>,
    #[serde(default)]
    pub deployment_config: Option<DeploymentConfig>,
    /// `{ResourceChange, Type}` as on the wire: contexts are JSON text.
    pub changes: Vec<Json>,
    /// The same with property values.
    pub changes_with_values: Vec<Json>,
    /// What the description with property values gives as its reason, where the change set has none.
    #[serde(default)]
    pub warning: Option<String>,
    pub client_token: Option<String>,
    /// `ImportExistingResources`, as asked for.
    pub import_existing_resources: bool,
    /// Its place among those that were made with it; `None`: nested stacks have none (`IncludeNestedStacks`).
    #[serde(default)]
    pub hierarchy: Option<Hierarchy>,
}

/// Where a change set is among those of nested stacks, by their ids; the root has neither.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Hierarchy {
    pub root: Option<String>,
    pub parent: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub id: String,
    pub timestamp: Timestamp,
    pub logical_id: String,
    pub physical_id: String,
    pub resource_type: String,
    pub status: String,
    pub reason: Option<String>,
    /// JSON text.
    pub properties: Option<String>,
    pub client_request_token: Option<String>,
    /// Which operation it belongs to, for `DescribeEvents`.
    pub operation_id: Option<String>,
    /// What answers say of it, once it was asked for.
    #[serde(skip)]
    pub written: Written,
}

impl Event {
    /// How it is written in an answer; `write` is asked at most once.
    pub fn written(&self, write: impl FnOnce() -> String) -> Arc<str> {
        Arc::clone(self.written.0.get_or_init(|| write().into()))
    }
}

/// Text that follows from what it stands beside: it makes nothing equal or different.
#[derive(Debug, Clone, Default)]
pub struct Written(OnceLock<Arc<str>>);

impl PartialEq for Written {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

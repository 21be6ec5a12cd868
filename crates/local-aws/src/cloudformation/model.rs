//! What CloudFormation knows: stacks, their resources, change sets and events. Plain data that can be saved.

use super::drift::Drift;
use crate::place::Place;
use cloudformation::evaluate::ParameterValue;
use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// All stacks of a world, deleted ones too, by their id (an ARN).
#[derive(Debug, Default)]
pub struct Stacks {
    stacks: Mutex<IndexMap<String, Stack>>,
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
    /// Of the last executed change set.
    pub change_set_id: Option<String>,
    pub policy: Option<String>,
    pub policy_during_update: Option<String>,
    /// By logical id; resources that are gone are not in it.
    pub resources: IndexMap<String, StackResource>,
    /// Old physical resources that a cleanup still has to delete.
    pub leftovers: Vec<StackResource>,
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

/// What is being done to a stack: all that the engine needs to carry on after a restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// For `DescribeEvents`.
    pub id: String,
    pub kind: OperationKind,
    pub phase: Phase,
    pub started: Timestamp,
    pub token: Option<String>,
    pub on_failure: OnFailure,
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
    /// Whether an update goes from what resources are, not from what they were made as (`REVERT_DRIFT`).
    pub revert_drift: bool,
    /// Logical id → physical id of what becomes part of the stack.
    pub imports: IndexMap<String, String>,
    /// By logical id: every resource that it works on, in the order of the template.
    pub steps: IndexMap<String, Step>,
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
    /// The resource before the operation touched it; `None`: there was none.
    pub before: Option<StackResource>,
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
    /// After transforms; `None` where there are none.
    pub processed: Option<String>,
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
    /// `{ResourceChange, Type}` as on the wire: contexts are JSON text.
    pub changes: Vec<Json>,
    /// The same with property values.
    pub changes_with_values: Vec<Json>,
    pub client_token: Option<String>,
    /// `ImportExistingResources`, as asked for.
    pub import_existing_resources: bool,
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
}

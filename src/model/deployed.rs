//! What is in the account: stacks as they are, and the statuses that they go through.

use super::Target;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One stack as it is in the account.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployed {
    pub stack_name: String,
    pub stack_id: String,
    pub target: Target,
    pub status: StackStatus,
    pub status_reason: Option<String>,
    /// Fetched only where nobody knows it: the state's digest holds as long as the fingerprint does.
    pub template: Option<String>,
    /// Physical ids by logical id. Fetched beside the template; none where nobody asked.
    pub resources: Option<BTreeMap<String, String>>,
    /// As DescribeStacks gives them: `****` for NoEcho parameters.
    pub parameters: BTreeMap<String, String>,
    /// What the SSM parameters held that parameters of SSM types name, when CloudFormation last looked them up; `****` for
    /// NoEcho parameters.
    pub resolved: BTreeMap<String, String>,
    pub outputs: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub capabilities: Vec<String>,
    pub termination_protection: bool,
    /// When CloudFormation last looked for drift, if it found any then (DriftInformation).
    pub drifted_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// LastUpdatedTime, or CreationTime for a stack that was never updated.
    pub changed_at: Timestamp,
}

impl Deployed {
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint { stack_id: self.stack_id.clone(), changed_at: self.changed_at, status: self.status }
    }
}

/// What an SSM parameter holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SsmValue {
    Text(String),
    /// A SecureString, which CloudFormation gives to no parameter of a template.
    Secure,
}

/// What tells that nobody touched a stack since it was last looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    pub stack_id: String,
    pub changed_at: Timestamp,
    pub status: StackStatus,
}

/// CloudFormation's stack statuses (API reference, `Stack.StackStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StackStatus {
    CreateInProgress,
    CreateFailed,
    CreateComplete,
    RollbackInProgress,
    RollbackFailed,
    RollbackComplete,
    DeleteInProgress,
    DeleteFailed,
    DeleteComplete,
    UpdateInProgress,
    UpdateCompleteCleanupInProgress,
    UpdateComplete,
    UpdateFailed,
    UpdateRollbackInProgress,
    UpdateRollbackFailed,
    UpdateRollbackCompleteCleanupInProgress,
    UpdateRollbackComplete,
    ReviewInProgress,
    ImportInProgress,
    ImportComplete,
    ImportRollbackInProgress,
    ImportRollbackFailed,
    ImportRollbackComplete,
}

impl StackStatus {
    /// From CloudFormation's own spelling.
    pub fn parse(text: &str) -> Option<StackStatus> {
        serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
    }

    /// Somebody's operation runs. A change set that waits for review is none.
    pub fn in_progress(self) -> bool {
        use StackStatus::*;
        matches!(
            self,
            CreateInProgress
                | RollbackInProgress
                | DeleteInProgress
                | UpdateInProgress
                | UpdateCompleteCleanupInProgress
                | UpdateRollbackInProgress
                | UpdateRollbackCompleteCleanupInProgress
                | ImportInProgress
                | ImportRollbackInProgress
        )
    }

    /// The last operation did what it was asked to. A stack that rolled back did not.
    pub fn succeeded(self) -> bool {
        use StackStatus::*;
        matches!(self, CreateComplete | UpdateComplete | ImportComplete | DeleteComplete)
    }

    /// An update may be asked for: the stack is at rest and CloudFormation accepts a change set of type UPDATE.
    pub fn can_update(self) -> bool {
        use StackStatus::*;
        matches!(
            self,
            CreateComplete | UpdateComplete | UpdateRollbackComplete | ImportComplete | ImportRollbackComplete
        )
    }

    /// The creation failed and left a shell that can only be deleted.
    pub fn must_be_recreated(self) -> bool {
        use StackStatus::*;
        matches!(self, RollbackComplete | RollbackFailed | CreateFailed | DeleteFailed)
    }
}

impl std::fmt::Display for StackStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = serde_json::to_value(self).map_err(|_| std::fmt::Error)?;
        f.write_str(value.as_str().unwrap_or_default())
    }
}

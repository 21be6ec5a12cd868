//! How it ended, stack by stack.

use serde::Serialize;
use std::collections::BTreeMap;

/// What a run came to; the exit code and the report follow from it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// In the order in which they finished.
    pub stacks: Vec<StackOutcome>,
    /// What went up beside them, in the order in which it finished.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<AssetOutcome>,
    /// The run was interrupted by a signal and stopped before its end.
    pub interrupted: bool,
    /// The lock was lost on the way: how. Nothing was written after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock_lost: Option<String>,
    pub elapsed_seconds: f64,
}

#[derive(Debug, Clone, Serialize)]
pub struct StackOutcome {
    pub stack: String,
    pub stack_name: String,
    pub action: crate::plan::Action,
    #[serde(flatten)]
    pub outcome: Outcome,
    pub elapsed_seconds: f64,
}

/// An image, a package, or the files of a site.
#[derive(Debug, Clone, Serialize)]
pub struct AssetOutcome {
    /// As the plan calls it: `image api`.
    pub asset: String,
    /// The stack that makes its repository or bucket; empty for the bucket that the state lies in.
    #[serde(skip)]
    pub stack: String,
    #[serde(flatten)]
    pub outcome: Outcome,
    pub elapsed_seconds: f64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// There was nothing to do.
    Unchanged,
    Done {
        outputs: BTreeMap<String, String>,
    },
    Failed(Box<RootCause>),
    /// Not begun: something it needs failed or was skipped.
    Skipped {
        because: Vec<String>,
    },
    /// Not finished, without a failure of its own: the run was interrupted or lost the lock.
    Stopped {
        because: String,
    },
}

impl Outcome {
    /// What depends on the stack may go on.
    pub fn is_good(&self) -> bool {
        matches!(self, Outcome::Unchanged | Outcome::Done { .. })
    }
}

/// Why a stack failed: the first resource that failed by itself, not those cancelled with it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RootCause {
    /// One sentence: what failed.
    pub message: String,
    /// The resource, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<FailedResource>,
    /// Resources that failed by themselves too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<FailedResource>,
    /// Facts from further away: stopped tasks' reasons, last log lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// The status that the stack was left in; none if CloudFormation never began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What CloudFormation undid ("rolled back to its last good state").
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolled_back: Option<String>,
    /// Commands to type next.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailedResource {
    pub logical_id: String,
    pub resource_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    pub status: String,
    /// CloudFormation's words.
    pub reason: String,
    /// `templates/alb.yaml:42`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

impl Report {
    pub fn failed(&self) -> bool {
        self.outcomes().any(|(_, outcome)| !outcome.is_good())
    }

    /// All of them, assets first, with their names.
    pub fn outcomes(&self) -> impl Iterator<Item = (&str, &Outcome)> {
        let assets = self.assets.iter().map(|asset| (asset.asset.as_str(), &asset.outcome));
        assets.chain(self.stacks.iter().map(|stack| (stack.stack.as_str(), &stack.outcome)))
    }
}

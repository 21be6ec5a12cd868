//! The result as data: what `--format json` prints and views draw.

use crate::model::Target;
use crate::plan::ValueChange;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What differs between an environment's last apply and its account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// `major.minor`; a minor step only adds keys.
    pub format_version: String,
    pub infra_version: String,
    pub checked_at: Timestamp,
    pub project: String,
    pub environment: String,
    pub account: String,
    pub region: String,
    /// Of the state that was compared with; none before the first apply.
    pub serial: Option<u64>,
    pub summary: Summary,
    /// In the order in which they are applied.
    pub stacks: Vec<StackDrift>,
    /// Resources that carry the environment's tags and belong to none of its stacks.
    pub unmanaged: Vec<Unmanaged>,
    /// What could not be looked at and belongs to no resource.
    pub unchecked: Vec<Unchecked>,
    /// Rules of the environment's `drift.ignore` that no longer do anything.
    pub stray_ignores: Vec<StrayIgnore>,
}

/// The figures of the summary line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub resources: usize,
    pub in_sync: usize,
    pub modified: usize,
    pub deleted: usize,
    /// Resources that could not be compared.
    pub not_checked: usize,
    /// Stacks that were changed or deleted as a whole.
    pub stacks_changed: usize,
    pub unmanaged: usize,
    /// Differences that the template leaves open: shown, and no drift by themselves.
    pub undeclared: usize,
    /// Differences that are expected: owned by auto scaling, or ignored by a rule.
    pub ignored: usize,
}

/// One stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StackDrift {
    pub stack: String,
    pub stack_name: String,
    pub target: Target,
    pub condition: StackCondition,
    /// What was changed of the stack itself.
    pub changes: Vec<StackChange>,
    /// All that were looked at, drifted or not.
    pub resources: Vec<ResourceDrift>,
    /// What could not be looked at, of the stack as a whole.
    pub unchecked: Vec<Unchecked>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StackCondition {
    /// As it was left by the last apply.
    Unchanged,
    /// Something of the stack itself was changed; see `changes`.
    Changed,
    /// The state knows it, and it is gone from the account.
    Deleted,
    /// It was deleted and made anew, or made by something else.
    Recreated,
    /// In the file and not applied yet: nothing to compare.
    NotApplied,
}

/// Something of a stack that is not as the last apply left it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StackChange {
    /// `template`, `parameter Cidr`, `tag owner`, `termination protection`, `stack policy`.
    pub what: String,
    pub change: ValueChange,
}

/// One resource of a stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceDrift {
    pub logical_id: String,
    /// `AWS::EC2::VPC` …
    pub resource_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    pub status: Status,
    /// Why it was not checked, or what else there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the answer comes from; empty where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// What differs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<PropertyDrift>,
    /// Declared properties that nobody can read back, or whose declared value is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_comparable: Vec<String>,
    /// The last change that CloudTrail knows of, since the last apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Changed>,
    /// `templates/network.yaml:42`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    InSync,
    Modified,
    Deleted,
    NotChecked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// CloudFormation's drift detection.
    CloudFormation,
    /// The resource's properties through Cloud Control, compared here.
    CloudControl,
    /// Some of the resource's properties as its own service tells them, where Cloud Control does not; compared here.
    Service,
    /// The tasks that ECS runs.
    Ecs,
}

/// A property that is not as it was declared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PropertyDrift {
    /// `SecurityGroupIngress[0].CidrIp`
    pub path: String,
    /// The same as a JSON pointer.
    pub pointer: String,
    pub kind: PropertyKind,
    /// `before`: as declared; `after`: as it is.
    #[serde(flatten)]
    pub change: ValueChange,
    pub sources: Vec<Source>,
    /// It is no drift, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored: Option<Ignored>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PropertyKind {
    /// The template says another value.
    Declared,
    /// The template says nothing, and the value is none that AWS gives by itself, as far as is known: somebody may have set
    /// it. Shown, and no drift by itself.
    Undeclared,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    pub by: IgnoredBy,
    pub because: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IgnoredBy {
    /// Auto scaling sets the value.
    AutoScaling,
    /// AWS shows it in another way and means the same.
    KnownDifference,
    /// `drift.ignore` of the environment's file.
    Rule,
}

/// Who changed something, as CloudTrail tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    pub at: Timestamp,
    /// The caller's ARN.
    pub by: String,
    /// `ec2:AuthorizeSecurityGroupIngress`
    pub call: String,
}

/// A resource with our tags that no stack of ours has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmanaged {
    pub arn: String,
    pub region: String,
    /// A stack that it once belonged to, as its tags say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_by: Option<String>,
}

/// Something that was to be looked at and could not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unchecked {
    /// `drift detection`, `stack policy`, `tagged resources in us-east-1`.
    pub what: String,
    pub reason: String,
}

/// A rule that no longer does anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrayIgnore {
    /// `environments/prod.yaml:12`
    pub place: String,
    /// What it says, in short.
    pub rule: String,
    /// It held until that day; what it ignored counts again. None: nothing differs that it would ignore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired: Option<String>,
}

impl Drift {
    pub const FORMAT_VERSION: &str = "1.0";

    /// Something is not as the last apply left it.
    pub fn has_drift(&self) -> bool {
        let Summary { modified, deleted, stacks_changed, unmanaged, .. } = self.summary;
        modified + deleted + stacks_changed + unmanaged > 0
    }

    /// Everything could be looked at.
    pub fn is_complete(&self) -> bool {
        self.summary.not_checked == 0
            && self.unchecked.is_empty()
            && self.stacks.iter().all(|stack| stack.unchecked.is_empty())
    }

    /// Counts what is in it.
    pub fn summed(mut self) -> Drift {
        let mut summary = Summary { unmanaged: self.unmanaged.len(), ..Summary::default() };
        for stack in &self.stacks {
            summary.stacks_changed += usize::from(stack.is_changed());
            for resource in &stack.resources {
                summary.resources += 1;
                *match resource.status {
                    Status::InSync => &mut summary.in_sync,
                    Status::Modified => &mut summary.modified,
                    Status::Deleted => &mut summary.deleted,
                    Status::NotChecked => &mut summary.not_checked,
                } += 1;
                for property in &resource.properties {
                    match (&property.ignored, property.kind) {
                        (Some(_), _) => summary.ignored += 1,
                        (None, PropertyKind::Undeclared) => summary.undeclared += 1,
                        (None, PropertyKind::Declared) => {}
                    }
                }
            }
        }
        self.summary = summary;
        self
    }
}

impl StackDrift {
    pub fn is_changed(&self) -> bool {
        matches!(self.condition, StackCondition::Changed | StackCondition::Deleted | StackCondition::Recreated)
    }

    /// Resources that are not as they were declared.
    pub fn drifted(&self) -> impl Iterator<Item = &ResourceDrift> {
        self.resources.iter().filter(|resource| resource.is_drifted())
    }
}

impl ResourceDrift {
    pub fn is_drifted(&self) -> bool {
        matches!(self.status, Status::Modified | Status::Deleted)
    }

    /// Properties that make it drifted.
    pub fn confirmed(&self) -> impl Iterator<Item = &PropertyDrift> {
        self.properties.iter().filter(|property| property.is_confirmed())
    }
}

impl PropertyDrift {
    /// It is drift: declared otherwise, and by nothing ignored.
    pub fn is_confirmed(&self) -> bool {
        self.ignored.is_none() && self.kind == PropertyKind::Declared
    }
}

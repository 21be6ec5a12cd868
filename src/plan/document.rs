//! The plan as data: what `plan -o` saves, `--format json` prints, views draw and `apply` carries out.

use super::assets::{AssetAction, AssetStep};
use super::findings::ROLLOUT_UNPROVEN;
use crate::model::{Fingerprint, RenderedStack, Target};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What `apply` would do, stack by stack, in an order that respects what each waits on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// `major.minor`; a minor step only adds keys.
    pub format_version: String,
    pub infra_version: String,
    pub created: Timestamp,
    pub project: String,
    pub environment: String,
    pub account: String,
    pub region: String,
    /// Of the state that the plan was made from; none before the first apply.
    pub lineage: Option<String>,
    /// Of the state that the plan was made from; 0 before the first apply.
    pub serial: u64,
    /// `--target`: only these stacks and what they need were looked at; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    pub steps: Vec<StackStep>,
    /// What goes up beside the stacks: images, packages, files of sites.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<AssetStep>,
    pub findings: Vec<Finding>,
    /// What the plan changes in a month's cost; none where nothing changes, or prices could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<CostChange>,
}

/// One stack of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StackStep {
    pub stack: String,
    pub stack_name: String,
    pub target: Target,
    pub action: Action,
    /// Why this action, where it does not go without saying ("its first creation failed", "no longer in the file").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub changes: Vec<Change>,
    /// Changed CloudFormation parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, ValueChange>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, ValueChange>,
    /// Outputs of the template that come, go or are computed differently; values are known only where the template has
    /// them in plain.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, ValueChange>,
    /// What else of the template changes, by its path: `Description`, `Mappings.Sizes.small.memory`, `Conditions.IsLarge`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sections: BTreeMap<String, ValueChange>,
    /// Image name → reference, for the images that the stack's parameters name and whose reference changes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, ValueChange>,
    /// Image name → commits since the one that runs was made, where both are known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub image_commits: BTreeMap<String, u64>,
    /// Package name → digest, for the packages that the stack's parameters name and that become others or go elsewhere.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub packages: BTreeMap<String, ValueChange>,
    /// Termination protection or stack policy change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection: Option<ValueChange>,
    /// The stack is protected against deletion, and the words to delete it all the same were said.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unprotect: bool,
    /// A drift-aware change set: what was changed behind CloudFormation's back goes back too.
    #[serde(default, skip_serializing_if = "is_false")]
    pub revert_drift: bool,
    /// The state does not know the stack as it is: it is brought up to date, whatever else the step does.
    #[serde(default, skip_serializing_if = "is_false")]
    pub adopt: bool,
    /// Buckets and repositories that are emptied before their stack goes, by their logical ids: the words for that were
    /// said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emptied: Vec<String>,
    /// Steps of this plan that come first: names of stacks.
    pub waits_on: Vec<String>,
    /// The stack as it was when the plan was made; none if there was none.
    pub fingerprint: Option<Fingerprint>,
    /// What will be asked for; none where the stack goes, or stays as it is.
    pub wanted: Option<RenderedStack>,
    /// Resources of the stack after the step (before it, for a delete).
    pub resources: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Nothing,
    Create,
    Update,
    /// A first creation failed and left a shell: delete it, then create.
    Recreate,
    Delete,
    /// In the state and no longer in the file, but gone from the account already: forget it.
    Forget,
}

/// One resource of a stack step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub logical_id: String,
    /// `AWS::EC2::VPC` …
    pub resource_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    pub action: ChangeAction,
    pub properties: Vec<PropertyChange>,
    /// What else in the plan makes this change happen: `Subnet is replaced`, `parameter VpcId changes`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<String>,
    /// What becomes of the old physical resource, where it goes or is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal: Option<Removal>,
    /// `templates/network.yaml:42`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The resource that gives up what this one is from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_from: Option<Hand>,
    /// The resource that takes what this one gives up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_by: Option<Hand>,
}

/// The other end of a move from one stack to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hand {
    pub stack: String,
    pub logical_id: String,
    /// The step of the stack that takes lets the resource go from its old stack, whose own step comes later.
    #[serde(default, skip_serializing_if = "is_false")]
    pub early: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeAction {
    Add,
    /// In place.
    Modify,
    Replace,
    /// CloudFormation decides at apply time, from values that nobody knows yet, whether this is a change in place or a
    /// replacement.
    MayReplace,
    /// May turn out to be no change: it depends on a value known only after apply.
    MayModify,
    Remove,
    Import,
}

/// What happens to a physical resource that leaves its stack (DeletionPolicy, UpdateReplacePolicy).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Removal {
    Delete,
    Retain,
    Snapshot,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PropertyChange {
    /// `BucketEncryption.ServerSideEncryptionConfiguration[0].…`; `DeletionPolicy` and such for attributes.
    pub path: String,
    #[serde(flatten)]
    pub change: ValueChange,
    /// What changing this property does to the resource.
    pub recreation: Recreation,
}

/// CloudFormation's RequiresRecreation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recreation {
    Never,
    Conditionally,
    Always,
}

/// A value before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValueChange {
    pub before: Value,
    pub after: Value,
}

/// A value of a plan. Secrets never get further than here: a sensitive value carries nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    Absent,
    Known(serde_json::Value),
    /// Known after apply.
    Unknown,
    Sensitive,
}

/// Something that a reviewer should know before saying yes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub severity: FindingSeverity,
    /// A stable name for the kind of finding (`stateful-replacement` …).
    pub code: String,
    pub stack: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logical_id: Option<String>,
    /// The property that it is about (`SecurityGroupIngress[1].CidrIp`), where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// `templates/alb.yaml:42`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingSeverity {
    Note,
    Warning,
    /// Apply stops unless the words for it were said.
    Refused,
}

/// A month's cost before and after, of the stacks that were looked at. Amounts are to the cent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CostChange {
    /// `USD`
    pub currency: String,
    pub before: Decimal,
    pub after: Decimal,
    pub difference: Decimal,
    /// Stacks whose cost changes.
    pub stacks: Vec<StackCostChange>,
    /// What comes or goes and has no known price: it is in none of the sums.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<UnknownCost>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StackCostChange {
    pub stack: String,
    pub before: Decimal,
    pub after: Decimal,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnknownCost {
    pub stack: String,
    pub logical_id: String,
    pub resource_type: String,
    pub what: String,
}

/// The figures of the summary line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Existing resources that join their stack.
    pub import: usize,
    pub add: usize,
    /// In place; counts those that may turn out to be none.
    pub change: usize,
    /// Counts those that CloudFormation will decide at apply time.
    pub replace: usize,
    pub destroy: usize,
    /// Stacks with something to do.
    pub stacks: usize,
    /// Images, packages and sites that go up or go.
    pub assets: usize,
}

impl Plan {
    pub const FORMAT_VERSION: &str = "1.3";

    pub fn has_changes(&self) -> bool {
        self.steps.iter().any(|step| step.action != Action::Nothing) || self.moving().next().is_some()
    }

    /// Assets with something to do.
    pub fn moving(&self) -> impl Iterator<Item = &AssetStep> {
        self.assets.iter().filter(|asset| !matches!(asset.action, AssetAction::Nothing | AssetAction::Assumed))
    }

    /// There is something to apply: changes, or stacks that the state must learn of. More than [`Self::has_changes`],
    /// which is what people and exit codes go by.
    pub fn has_work(&self) -> bool {
        self.has_changes() || self.steps.iter().any(|step| step.adopt)
    }

    /// What stands in the way of applying it; empty for a plan that may be applied.
    pub fn refusals(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == FindingSeverity::Refused)
    }

    /// Stacks that nothing changes, and of which only ECS knows whether they run what they name.
    pub fn unproven(&self) -> impl Iterator<Item = &str> {
        let found = self.findings.iter().filter(|finding| finding.code == ROLLOUT_UNPROVEN);
        found.map(|finding| finding.stack.as_str())
    }

    pub fn step(&self, stack: &str) -> Option<&StackStep> {
        self.steps.iter().find(|step| step.stack == stack)
    }

    pub fn summary(&self) -> Summary {
        let mut summary = Summary { assets: self.moving().count(), ..Summary::default() };
        for step in self.steps.iter().filter(|step| step.action != Action::Nothing) {
            summary.stacks += 1;
            for change in &step.changes {
                match change.action {
                    ChangeAction::Import => summary.import += 1,
                    ChangeAction::Add => summary.add += 1,
                    ChangeAction::Modify | ChangeAction::MayModify => summary.change += 1,
                    ChangeAction::Replace | ChangeAction::MayReplace => summary.replace += 1,
                    // It is counted where it joins.
                    ChangeAction::Remove if change.taken_by.is_some() => {}
                    ChangeAction::Remove => summary.destroy += 1,
                }
            }
        }
        summary
    }
}

impl StackStep {
    /// A step that says no more than this.
    pub fn new(stack: &str, stack_name: &str, target: &Target, action: Action) -> StackStep {
        StackStep {
            stack: stack.to_owned(),
            stack_name: stack_name.to_owned(),
            target: target.clone(),
            action,
            reason: None,
            changes: Vec::new(),
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
            outputs: BTreeMap::new(),
            sections: BTreeMap::new(),
            images: BTreeMap::new(),
            image_commits: BTreeMap::new(),
            packages: BTreeMap::new(),
            protection: None,
            unprotect: false,
            revert_drift: false,
            adopt: false,
            emptied: Vec::new(),
            waits_on: Vec::new(),
            fingerprint: None,
            wanted: None,
            resources: 0,
        }
    }
}

impl ChangeAction {
    /// The physical resource stays, and what it is called.
    pub fn is_in_place(self) -> bool {
        matches!(self, ChangeAction::Modify | ChangeAction::MayModify)
    }

    /// The physical resource that is there now may go.
    pub fn may_lose_the_old(self) -> bool {
        matches!(self, ChangeAction::Replace | ChangeAction::MayReplace | ChangeAction::Remove)
    }
}

impl ValueChange {
    pub fn new(before: Value, after: Value) -> ValueChange {
        ValueChange { before, after }
    }
}

impl Value {
    pub fn text(text: impl Into<String>) -> Value {
        Value::Known(serde_json::Value::String(text.into()))
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

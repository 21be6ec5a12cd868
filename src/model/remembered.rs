//! What is remembered: the state, its stacks and images, and who holds the lock.

use super::{Fingerprint, MadeFrom, PackageRecord, Target};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `state.json`: what the last applies left, so that a plan needs few calls and a removed stack is not forgotten.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub format_version: u32,
    /// One state's identity for life (a UUID): a saved plan of another state is refused.
    pub lineage: String,
    /// Counts the saves.
    pub serial: u64,
    pub project: String,
    pub environment: String,
    pub written: Written,
    pub stacks: BTreeMap<String, StackRecord>,
    /// Resources that stayed in the account when they left their stack, and that no stack has taken up since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept>,
}

/// A resource that left its stack and stayed in the account (DeletionPolicy: Retain).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The stack that it left, by the environment's name.
    pub stack: String,
    pub logical_id: String,
    pub resource_type: String,
    pub physical_id: String,
    pub target: Target,
    /// When it left.
    pub at: Timestamp,
    /// What made it leave: `apply`, `destroy`, `rollback to 12` …
    pub operation: String,
}

/// Who wrote a state or applied a stack, when, from where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Written {
    pub at: Timestamp,
    /// The caller's ARN.
    pub by: String,
    pub host: String,
    /// Of `infra`.
    pub version: String,
    /// `apply`, `destroy`, `rollback to 12` …
    pub operation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_commit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline_url: Option<String>,
}

/// One stack in the state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StackRecord {
    pub stack_name: String,
    pub target: Target,
    pub fingerprint: Fingerprint,
    pub template_name: String,
    /// `sha256:<hex>` of the template that the account has, as it gives it back.
    pub template_digest: String,
    /// Values that the stack has; NoEcho parameters are left out.
    pub parameters: BTreeMap<String, String>,
    /// What the SSM parameters held that parameters of SSM types name, when CloudFormation last looked them up.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resolved: BTreeMap<String, String>,
    /// What the stack was asked for last, where CloudFormation found nothing in it to change and kept what it had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equivalent: Option<Equivalent>,
    pub outputs: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    /// Image name → reference by digest.
    pub images: BTreeMap<String, String>,
    /// Image name → what it was made from, for those that were made here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub made_from: BTreeMap<String, MadeFrom>,
    /// Package name → the archive that its functions were given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub packages: BTreeMap<String, PackageRecord>,
    /// Stacks that had to come first: destroy goes the other way round.
    pub waits_on: Vec<String>,
    /// The files that were put into its bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteRecord>,
    /// `sha256:<hex>` of the stack policy that was set; none where none was, or where it is not known to be in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_policy_digest: Option<String>,
    #[serde(default, skip_serializing_if = "Durations::is_empty")]
    pub durations: Durations,
    pub applied: Written,
}

/// A template with values that comes to the same as what a stack has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Equivalent {
    /// `sha256:<hex>`
    pub template_digest: String,
    /// Of all parameters, defaults included; `****` for NoEcho parameters.
    pub parameters: BTreeMap<String, String>,
    /// What the SSM parameters held that parameters of SSM types name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resolved: BTreeMap<String, String>,
}

/// The files of a site, as they went up last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SiteRecord {
    /// `sha256:…` of the files' names and contents.
    pub digest: String,
    pub files: usize,
    /// An upload began whose end is not known: the CDN may hold what is gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unfinished: bool,
    pub applied: Written,
}

/// How long the last successful work of each kind on a stack took, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Durations {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_seconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_seconds: Option<u64>,
}

impl Durations {
    pub fn is_empty(&self) -> bool {
        *self == Durations::default()
    }
}

/// Who holds the lock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LockInfo {
    #[serde(rename = "ID")]
    pub id: String,
    pub operation: String,
    pub who: String,
    pub host: String,
    pub created: Timestamp,
    pub version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline_url: Option<String>,
}

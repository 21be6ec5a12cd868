//! The nouns that the rooms share. Plain data: no I/O, no SDK types, no printing.

use crate::problem::{Located, Location};
use indexmap::IndexMap;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

// ── What the files say ──────────────────────────────────────────────────────────────────────────────────────────────

/// A validated `environments/<name>.yaml` with all that it extends.
#[derive(Debug, Clone)]
pub struct Environment {
    pub name: String,
    pub project: String,
    /// Twelve digits.
    pub account: String,
    pub region: String,
    pub tags: BTreeMap<String, String>,
    /// Termination protection, stack policies for stateful resources, explicit words for what destroys data.
    pub protect: bool,
    pub images: IndexMap<String, Image>,
    pub stacks: IndexMap<String, StackSpec>,
    pub waivers: Vec<Waiver>,
    pub state: StateLocation,
    pub apply: ApplySettings,
    /// What AWS bills by use.
    pub usage: Usage,
    /// Differences between files and account that are meant to be.
    pub drift_ignores: Vec<DriftIgnore>,
    /// The environment lives on the AWS that is embedded in this program, not in an account.
    pub local: bool,
    /// The environment's own file, for messages about the environment as a whole.
    pub at: Location,
}

/// A rule of `policies/` that does not count somewhere, for a reason and a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiver {
    pub rule: String,
    pub stack: String,
    /// None for all of the stack.
    pub resource: Option<String>,
    pub because: String,
    /// The last day on which it holds.
    pub until: jiff::civil::Date,
    pub at: Location,
}

/// A difference that is meant to be: `drift.ignore` of an environment. What is left out stands for all.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftIgnore {
    pub stack: Option<String>,
    /// A logical id.
    pub resource: Option<String>,
    /// A property with everything below it: `SecurityGroupIngress`, `Environment.Variables.LEVEL`.
    pub property: Option<String>,
    /// The last day on which it holds.
    pub until: Option<jiff::civil::Date>,
    pub because: String,
    pub at: Location,
}

/// Where state and lock live. Defaults: bucket `infra-state-<account>-<region>`, table `infra-locks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateLocation {
    pub bucket: String,
    pub table: String,
    pub region: String,
}

/// How much of what AWS bills by use, in a month: figures that differ from the defaults, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    pub all: BTreeMap<String, Decimal>,
    /// By stack.
    pub stacks: BTreeMap<String, BTreeMap<String, Decimal>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ApplySettings {
    /// Stacks that are worked on at the same time.
    pub concurrency: usize,
    /// How long one stack may take before the run stops waiting for it.
    pub timeout: Duration,
    /// How long an ECS service may take to become stable before its update is cancelled.
    pub rollout_timeout: Duration,
    /// What scans may find in images; none: nobody looks.
    pub scan: Option<ScanGate>,
    /// After so long without a beat of its holder the lock is anybody's.
    pub lock_lease: Duration,
    /// How many seconds of AWS pass in a second: 1 but for an embedded AWS. Questions are asked so much more often.
    pub speed: f64,
}

/// What ECR's scan may find in an image that is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanGate {
    /// Findings of this severity or above stop the image.
    pub severity: Severity,
    /// How long to wait for the scan of one image.
    pub timeout: Duration,
    /// Findings that stop nothing, by their names.
    pub ignore: BTreeSet<String>,
}

/// How grave a finding of a scan is, in ECR's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Undefined,
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    const NAMES: [(Severity, &'static str); 6] = [
        (Severity::Undefined, "undefined"),
        (Severity::Informational, "informational"),
        (Severity::Low, "low"),
        (Severity::Medium, "medium"),
        (Severity::High, "high"),
        (Severity::Critical, "critical"),
    ];
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = Severity::NAMES.iter().find(|(severity, _)| severity == self).map(|(_, name)| *name);
        f.write_str(name.unwrap_or_default())
    }
}

impl std::str::FromStr for Severity {
    type Err = ();

    fn from_str(text: &str) -> Result<Severity, ()> {
        Severity::NAMES.iter().find(|(_, name)| *name == text).map(|(severity, _)| *severity).ok_or(())
    }
}

/// A container image as the environment names it.
#[derive(Debug, Clone, PartialEq)]
pub enum Image {
    /// `repository@sha256:…`, used as it is.
    Ref(Located<String>),
    /// Made on this machine, and pushed to the repository that a stack of the environment makes.
    Local(LocalImage),
    /// The image that another environment runs, copied to the repository that a stack of this one makes.
    Promoted(PromotedImage),
}

impl Image {
    /// The stack that makes its repository; none for one that is where it is.
    pub fn repository(&self) -> Option<&Located<String>> {
        match self {
            Image::Ref(_) => None,
            Image::Local(image) => Some(&image.repository),
            Image::Promoted(image) => Some(&image.repository),
        }
    }
}

/// An image that is pushed before the stacks that name it are touched.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalImage {
    pub source: ImageSource,
    /// The stack that makes the repository; its output [`REPOSITORY_URI`] says where that is.
    pub repository: Located<String>,
    /// An archive that stands in where the image cannot be built.
    pub fallback: Option<String>,
}

/// An image that another environment has proven.
#[derive(Debug, Clone, PartialEq)]
pub struct PromotedImage {
    pub environment: Located<String>,
    /// As in [`LocalImage`].
    pub repository: Located<String>,
}

/// The output of a stack that makes a repository of images.
pub const REPOSITORY_URI: &str = "RepositoryUri";

/// The output of a stack that makes a bucket for files.
pub const BUCKET_NAME: &str = "BucketName";

/// The output of a stack that makes a distribution in front of its bucket.
pub const DISTRIBUTION_ID: &str = "DistributionId";

/// What an image is made from. Paths are relative to the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSource {
    Build {
        context: String,
        /// Relative to the context.
        dockerfile: Option<String>,
        target: Option<String>,
        args: BTreeMap<String, String>,
        /// `linux/amd64`
        platform: Option<String>,
        /// By the id that the Dockerfile knows them by.
        secrets: BTreeMap<String, BuildSecret>,
        /// `docker`, `podman` or `buildah`; none for the first that there is.
        builder: Option<String>,
    },
    Archive {
        path: String,
        platform: Option<String>,
    },
}

/// Where a build takes a secret from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildSecret {
    Variable(String),
    /// Relative to the project.
    File(String),
}

#[derive(Debug, Clone)]
pub struct StackSpec {
    pub name: String,
    pub template: Located<String>,
    pub target: Target,
    /// As written; typed and checked against the template's manifest by `render`.
    pub inputs: IndexMap<String, Input>,
    /// CloudFormation parameter ← need; overrides the template's own wiring.
    pub needs: IndexMap<String, Located<Need>>,
    pub after: Vec<Located<String>>,
    /// A folder, relative to the project, whose files go into the stack's bucket.
    pub files: Option<Located<String>>,
    pub at: Location,
}

/// One input of a stack: its value, and the places of the value and of everything inside it.
#[derive(Debug, Clone)]
pub struct Input {
    pub key_at: Location,
    pub value: InputValue,
}

/// A value with the place of every part of it; parts may come from different files of an `extends` chain.
#[derive(Debug, Clone)]
pub struct InputValue {
    pub at: Location,
    pub kind: InputKind,
}

#[derive(Debug, Clone)]
pub enum InputKind {
    /// Null, boolean, number or string.
    Scalar(serde_json::Value),
    List(Vec<InputValue>),
    Map(IndexMap<String, Input>),
}

/// Where a stack lives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Target {
    pub account: String,
    pub region: String,
    /// The role to assume there; none for the caller's own credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// What a CloudFormation parameter is filled with at apply time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    Output { stack: String, key: String },
    Image { name: String },
}

impl Need {
    /// `stack.Output` or `image:name`.
    pub fn parse(text: &str) -> Option<Need> {
        if let Some(name) = text.strip_prefix("image:") {
            return (!name.is_empty()).then(|| Need::Image { name: name.to_owned() });
        }
        let (stack, key) = text.split_once('.')?;
        let filled = !stack.is_empty() && !key.is_empty();
        filled.then(|| Need::Output { stack: stack.to_owned(), key: key.to_owned() })
    }
}

// ── What is asked of CloudFormation ─────────────────────────────────────────────────────────────────────────────────

/// A stack as CloudFormation will get it, but for values that other stacks have yet to give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RenderedStack {
    /// The name in the environment file.
    pub name: String,
    /// CloudFormation's name: `<project>-<environment>-<name>`.
    pub stack_name: String,
    pub target: Target,
    /// The template of the catalog that it was rendered from.
    pub template_name: String,
    /// Canonical JSON: keys in the order of the template's sections, minified.
    pub template: String,
    /// `sha256:<hex>` of [`Self::template`].
    pub template_digest: String,
    pub parameters: BTreeMap<String, Parameter>,
    pub tags: BTreeMap<String, String>,
    /// `CAPABILITY_IAM`, `CAPABILITY_NAMED_IAM`, `CAPABILITY_AUTO_EXPAND`, as the template needs them.
    pub capabilities: Vec<String>,
    /// Termination protection.
    pub protect: bool,
    /// The stack policy (JSON) that denies replacing and deleting stateful resources, where the environment is protected.
    pub stack_policy: Option<String>,
    /// Stacks that come first although no value flows from them.
    pub after: Vec<String>,
    /// Logical id → the place in the template file it came from (`templates/alb.yaml:42`), for failure reports.
    pub places: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parameter {
    Value(String),
    Output {
        stack: String,
        key: String,
    },
    /// An image by name, with the reference it stands for now.
    Image {
        name: String,
        reference: String,
    },
    /// An image that was made on this machine: `<output RepositoryUri of the stack>@<digest>`.
    LocalImage(LocalImageUse),
    /// What a NoEcho parameter is given literally: sent to CloudFormation, printed and saved nowhere.
    Secret {
        #[serde(skip)]
        value: Secret,
    },
}

/// An image that a stack runs, and what it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalImageUse {
    pub name: String,
    /// The stack that makes the repository.
    pub repository: String,
    /// `sha256:…` of the manifest; none as long as the image has not been made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    #[serde(flatten)]
    pub made_from: MadeFrom,
    /// Of its blobs, where it has been looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// It is taken from another environment, not made on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Promotion>,
}

/// Where an image was proven before it came here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// The environment that runs it.
    pub environment: String,
    /// `repository@sha256:…` there.
    pub reference: String,
    /// The role to assume for reading it, where its account is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// What an image was made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeFrom {
    /// `sha256:…` of the build context, or of the archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_digest: Option<String>,
    /// With `-dirty` where files differed from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_commit: Option<String>,
}

impl LocalImageUse {
    /// The image in the repository that is at `uri`; none as long as it has not been made.
    pub fn reference(&self, uri: &str) -> Option<String> {
        self.digest.as_ref().map(|digest| format!("{uri}@{digest}"))
    }
}

/// Text that neither `Debug` nor a document shows.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl RenderedStack {
    /// Names of the stacks that come before this one, by values or by `after`; sorted, unique.
    pub fn waits_on(&self) -> Vec<String> {
        let outputs = self.parameters.values().filter_map(|parameter| match parameter {
            Parameter::Output { stack, .. } => Some(stack.clone()),
            Parameter::LocalImage(image) => Some(image.repository.clone()),
            _ => None,
        });
        let names: std::collections::BTreeSet<String> = outputs.chain(self.after.iter().cloned()).collect();
        names.into_iter().collect()
    }
}

// ── What is in the account ──────────────────────────────────────────────────────────────────────────────────────────

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

// ── What is remembered ──────────────────────────────────────────────────────────────────────────────────────────────

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
    pub template_digest: String,
    /// Values as sent; NoEcho parameters are left out.
    pub parameters: BTreeMap<String, String>,
    pub outputs: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    /// Image name → reference by digest.
    pub images: BTreeMap<String, String>,
    /// Image name → what it was made from, for those that were made here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub made_from: BTreeMap<String, MadeFrom>,
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

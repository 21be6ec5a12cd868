//! What the files say: an environment, its images, its stacks.

use super::{Package, PackagePart};
use crate::problem::{Located, Location};
use indexmap::IndexMap;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

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
    pub packages: IndexMap<String, Package>,
    pub stacks: IndexMap<String, StackSpec>,
    pub waivers: Vec<Waiver>,
    pub state: StateLocation,
    /// The role that environments of other accounts assume to read what this one runs.
    pub reader: Option<String>,
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
    /// What is told those resources of an embedded AWS that wait for signals.
    pub signals: ResourceSignals,
}

/// What instances, groups and wait conditions get that wait for signals, where nothing runs that could send them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ResourceSignals {
    /// That all is well.
    #[default]
    Succeed,
    /// That something went wrong.
    Fail,
    /// Nothing: they wait until their time is over.
    None,
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
    /// Where the environment says what it runs on, or else what it is made from.
    pub at: Location,
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
        /// `linux/amd64`; empty for the usual one.
        platforms: Vec<String>,
        /// By the id that the Dockerfile knows them by.
        secrets: BTreeMap<String, BuildSecret>,
        /// `docker`, `podman` or `buildah`; none for the first that there is.
        builder: Option<String>,
    },
    Archive {
        path: String,
        /// Empty for what is in it.
        platforms: Vec<String>,
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
    Package { name: String, part: PackagePart },
}

impl Need {
    /// `stack.Output`, `image:name`, `package:name`, `package:name.bucket` or `package:name.key`.
    pub fn parse(text: &str) -> Option<Need> {
        if let Some(name) = text.strip_prefix("image:") {
            return (!name.is_empty()).then(|| Need::Image { name: name.to_owned() });
        }
        if let Some(package) = text.strip_prefix("package:") {
            let (name, part) = match package.split_once('.') {
                None => (package, PackagePart::Uri),
                Some((name, "bucket")) => (name, PackagePart::Bucket),
                Some((name, "key")) => (name, PackagePart::Key),
                Some(_) => return None,
            };
            return (!name.is_empty()).then(|| Need::Package { name: name.to_owned(), part });
        }
        let (stack, key) = text.split_once('.')?;
        let filled = !stack.is_empty() && !key.is_empty();
        filled.then(|| Need::Output { stack: stack.to_owned(), key: key.to_owned() })
    }
}

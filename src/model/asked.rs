//! What is asked of CloudFormation: a stack with its template and its parameters.

use super::{PackageUse, Target, sensitive};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;

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
    /// Canonical JSON: keys in the order of the template's sections, minified. Documents have it without its secrets: it then
    /// has not the digest that stands beside it.
    #[serde(serialize_with = "template_without_secrets")]
    pub template: String,
    /// `sha256:<hex>` of [`Self::template`].
    pub template_digest: String,
    /// Documents have those that hold secrets as [`Parameter::Secret`], without their values.
    #[serde(serialize_with = "parameters_without_secrets")]
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
    /// Logical id → the place in the template file it came from (`templates/alb.yaml:42`), for failure reports; and for each
    /// secret that stands in the template `<logical id>/<pointer into the properties>` → its place.
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
    /// A function's code, or where it lies.
    Package(PackageUse),
    /// What a NoEcho parameter, or one that is called a secret, is given literally: sent to CloudFormation, printed and saved nowhere.
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
    /// What it runs on, where that is more than one platform: `linux/amd64`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
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

/// What an image or a package was made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeFrom {
    /// `sha256:…` of the build context, of the package's sources, or of the archive.
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

fn template_without_secrets<S: Serializer>(template: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&sensitive::template(template))
}

fn parameters_without_secrets<S: Serializer>(
    parameters: &BTreeMap<String, Parameter>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let one = |(name, parameter): (&String, &Parameter)| {
        let shown = match parameter {
            Parameter::Value(value) if sensitive::is_secret(name, value) => {
                Parameter::Secret { value: Secret::default() }
            }
            other => other.clone(),
        };
        (name.clone(), shown)
    };
    serializer.collect_map(parameters.iter().map(one))
}

impl RenderedStack {
    /// Names of the stacks that come before this one, by values or by `after`; sorted, unique.
    pub fn waits_on(&self) -> Vec<String> {
        let outputs = self.parameters.values().filter_map(|parameter| match parameter {
            Parameter::Output { stack, .. } => Some(stack.clone()),
            Parameter::LocalImage(image) => Some(image.repository.clone()),
            Parameter::Package(package) => package.place.stack().map(str::to_owned),
            _ => None,
        });
        let names: std::collections::BTreeSet<String> = outputs.chain(self.after.iter().cloned()).collect();
        names.into_iter().collect()
    }
}

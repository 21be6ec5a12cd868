//! Code of functions: what the files say of it, and what a stack is given of it.

use super::{MadeFrom, Target};
use crate::problem::Located;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A function's code as the environment names it.
#[derive(Debug, Clone, PartialEq)]
pub struct Package {
    pub source: PackageSource,
    /// The stack that makes the bucket for it, by its output [`super::BUCKET_NAME`]; none for the bucket that the state
    /// lies in.
    pub bucket: Option<Located<String>>,
}

/// Where code comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum PackageSource {
    Folder(PackageFolder),
    /// The package of this name that another environment runs, copied.
    Promoted(Located<String>),
}

/// Code that is packed on this machine.
#[derive(Debug, Clone, PartialEq)]
pub struct PackageFolder {
    /// Relative to the project.
    pub folder: Located<String>,
    pub runtime: Runtime,
    pub architecture: Architecture,
    /// Whether the dependencies that its lock file names are installed; otherwise the folder is whole as it is.
    pub install: bool,
}

/// What runs a function (Lambda's developer guide, "Lambda runtimes").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// `python3.<minor>`
    Python { minor: u32 },
    /// `nodejs<major>.x`
    Node { major: u32 },
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Runtime::Python { minor } => write!(f, "python3.{minor}"),
            Runtime::Node { major } => write!(f, "nodejs{major}.x"),
        }
    }
}

impl FromStr for Runtime {
    type Err = ();

    fn from_str(text: &str) -> Result<Runtime, ()> {
        let number = |text: &str| text.parse().map_err(|_| ());
        if let Some(minor) = text.strip_prefix("python3.") {
            return Ok(Runtime::Python { minor: number(minor)? });
        }
        let major = text.strip_prefix("nodejs").and_then(|rest| rest.strip_suffix(".x")).ok_or(())?;
        Ok(Runtime::Node { major: number(major)? })
    }
}

/// The processors that Lambda has, as it names them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Architecture {
    #[default]
    X86,
    Arm,
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Architecture::X86 => "x86_64",
            Architecture::Arm => "arm64",
        })
    }
}

impl FromStr for Architecture {
    type Err = ();

    fn from_str(text: &str) -> Result<Architecture, ()> {
        [Architecture::X86, Architecture::Arm].into_iter().find(|one| one.to_string() == text).ok_or(())
    }
}

/// What of a package's place a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackagePart {
    /// `s3://bucket/key`
    Uri,
    Bucket,
    Key,
}

/// A package that a stack runs: what it was made from, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageUse {
    pub name: String,
    pub part: PackagePart,
    pub place: PackagePlace,
    /// What its key begins with: `<project>/<environment>/packages/`.
    pub prefix: String,
    /// `sha256:…` of the archive; none as long as it has not been made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    #[serde(flatten)]
    pub made_from: MadeFrom,
    /// Of the archive, where it has been looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// It is taken from another environment, not made on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PackagePromotion>,
}

/// The bucket that a package goes into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackagePlace {
    /// One that is there: the state's.
    Bucket { name: String, target: Target },
    /// One that a stack of the environment makes.
    Stack(String),
}

/// Where a package was proven before it came here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackagePromotion {
    /// The environment that runs it.
    pub environment: String,
    pub bucket: String,
    pub key: String,
    /// Where that bucket is, and the role to assume for reading it.
    pub target: Target,
}

/// A package as a stack was given it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageRecord {
    pub bucket: String,
    pub key: String,
    /// `sha256:…` of the archive.
    pub digest: String,
    #[serde(flatten)]
    pub made_from: MadeFrom,
    /// Where the bucket is.
    pub target: Target,
    /// The stack that makes the bucket, where one of the environment does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
}

impl PackagePlace {
    /// The stack that makes the bucket.
    pub fn stack(&self) -> Option<&str> {
        match self {
            PackagePlace::Bucket { .. } => None,
            PackagePlace::Stack(stack) => Some(stack),
        }
    }
}

impl PackageUse {
    /// Its object's key; none as long as it has not been made.
    pub fn key(&self) -> Option<String> {
        let hex = self.digest.as_deref()?.strip_prefix("sha256:")?;
        Some(format!("{}{hex}.zip", self.prefix))
    }

    /// The bucket's name. `output` asks a stack for one of its outputs.
    pub fn bucket(&self, output: impl FnOnce(&str, &str) -> Option<String>) -> Option<String> {
        match &self.place {
            PackagePlace::Bucket { name, .. } => Some(name.clone()),
            PackagePlace::Stack(stack) => output(stack, super::BUCKET_NAME),
        }
    }

    /// What the parameter is given; none while that is not known.
    pub fn value(&self, output: impl FnOnce(&str, &str) -> Option<String>) -> Option<String> {
        match self.part {
            PackagePart::Uri => Some(format!("s3://{}/{}", self.bucket(output)?, self.key()?)),
            PackagePart::Bucket => self.bucket(output),
            PackagePart::Key => self.key(),
        }
    }
}

/// The digest that a package's key, or the address of its object, ends with.
pub fn package_digest(value: &str) -> Option<String> {
    let hex = value.rsplit('/').next()?.strip_suffix(".zip")?;
    let is_digest = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_digest.then(|| format!("sha256:{hex}"))
}

//! The resource types of CloudFormation's registry (us-east-1), embedded.
//!
//! [`resource_type`] reads a type when it is first asked for and keeps it: a process pays only for the types it uses.
//! The artifact holds facts alone and says where they come from: [`provenance`].

mod archive;
mod backtrack;
mod constraint;
mod explain;
mod node;
mod path;
mod pattern;
mod read;
mod recreation;
mod reference;
mod resource_type;
mod tags;
mod types;

pub use constraint::{Constraint, constraints, document};
pub use explain::{Explained, ExplainedProperty, explain};
pub use node::{Conditional, Keyword, Named, Schema, Text, named};
pub use path::PropertyPath;
pub use pattern::Pattern;
pub use recreation::replaced_by_policy;
pub use reference::{Reference, meaning, reference};
pub use resource_type::{Lifecycle, Property, ReplacementStrategy, RequiresRecreation, ResourceType, Tagging};
pub use types::{Type, Types};

use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// The type whose schema stands for every `Custom::…`.
pub const CUSTOM_RESOURCE: &str = "AWS::CloudFormation::CustomResource";

/// Where the embedded schemas come from.
#[derive(Debug, Clone, Deserialize)]
pub struct Provenance {
    /// The package that carried them, its version and the SHA-256 of its wheel.
    pub package: String,
    pub version: String,
    pub sha256: String,
    pub license: String,
    /// When the registry was read (ISO 8601, UTC).
    pub schema_date: String,
    pub region: String,
    pub resource_types: usize,
}

/// Where the embedded schemas come from; `None` only if the artifact is damaged.
pub fn provenance() -> Option<Provenance> {
    serde_json::from_str(archive::provenance()).ok()
}

/// The resource type called `name`. `Custom::…` gives [`CUSTOM_RESOURCE`].
pub fn resource_type(name: &str) -> Option<&'static ResourceType> {
    static READ: LazyLock<Mutex<HashMap<String, Option<&'static ResourceType>>>> = LazyLock::new(Mutex::default);
    let name = if name.starts_with("Custom::") { CUSTOM_RESOURCE } else { name };
    let mut types = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = types.get(name) {
        return *known;
    }
    // Names that do not exist are not kept: their number has no bound.
    let found: &'static ResourceType = Box::leak(Box::new(read_type(name)?));
    types.insert(name.to_owned(), Some(found));
    Some(found)
}

/// The names of all resource types, sorted.
pub fn resource_type_names() -> impl Iterator<Item = &'static str> {
    archive::names().filter(|name| !name.starts_with('#'))
}

fn read_type(name: &str) -> Option<ResourceType> {
    let (json, _) = archive::entry(name).filter(|_| !name.starts_with('#'))?;
    ResourceType::read(json)
}

#[cfg(test)]
mod tests;

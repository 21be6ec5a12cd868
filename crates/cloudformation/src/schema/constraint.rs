//! Constraints across properties and resources that the registry's schemas cannot express.

use super::archive;
use super::node::Schema;
use super::read::Cow;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// A schema that holds at some places of resources' properties.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Constraint {
    rule: Cow,
    at: Vec<Cow>,
    /// Whether it tells what is offered in the region of the artifact.
    #[serde(default)]
    pub regional: bool,
    /// Whether functions are plain values to it.
    #[serde(default)]
    pub literal: bool,
    /// Whether the value may also be a text that holds JSON.
    #[serde(default)]
    pub embedded_json: bool,
    /// Properties whose case does not matter; the schema is written in lower case.
    #[serde(default)]
    lowercase: Vec<Cow>,
    pub schema: Schema,
}

impl Constraint {
    /// The id of the rule that it is one of: `E3047`.
    pub fn rule(&self) -> &str {
        &self.rule.0
    }

    /// The places below the properties of a resource type at which it holds: `["ContainerDefinitions", "*"]`.
    pub fn places(&self, resource_type: &str) -> impl Iterator<Item = Vec<&str>> {
        self.at.iter().filter_map(move |place| {
            let mut segments = place.0.split('/');
            let fits = segments.next() == Some(resource_type) && segments.next() == Some("Properties");
            fits.then(|| segments.collect())
        })
    }

    pub fn lowercase(&self) -> impl Iterator<Item = &str> {
        self.lowercase.iter().map(|name| name.0.as_ref())
    }
}

/// The constraints that hold for resources of a type.
pub fn constraints(resource_type: &str) -> Vec<&'static Constraint> {
    let Some((_, names)) = archive::entry(resource_type) else { return Vec::new() };
    names.filter_map(read_constraint).collect()
}

/// A schema of the archive that belongs to no resource type: `#UpdatePolicy`, `#CfnInit`.
pub fn document(name: &'static str) -> Option<&'static Schema> {
    static READ: LazyLock<Mutex<HashMap<&'static str, Option<&'static Schema>>>> = LazyLock::new(Mutex::default);
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    *read.entry(name).or_insert_with(|| {
        let schema: Schema = serde_json::from_slice(archive::entry(name)?.0).ok()?;
        Some(Box::leak(Box::new(schema)))
    })
}

fn read_constraint(name: &'static str) -> Option<&'static Constraint> {
    static READ: LazyLock<Mutex<HashMap<&'static str, Option<&'static Constraint>>>> = LazyLock::new(Mutex::default);
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    *read.entry(name).or_insert_with(|| {
        let constraint: Constraint = serde_json::from_slice(archive::entry(name)?.0).ok()?;
        Some(Box::leak(Box::new(constraint)))
    })
}

//! What the integration tests share: the Python venv, the emulator, projects in temporary folders, the binary.

#![allow(dead_code)] // each test file uses its own part

pub mod backend;
pub mod candidates;
pub mod cli;
pub mod cloud_control;
pub mod drifting;
pub mod hand;
pub mod live;
pub mod memory;
pub mod ministack;
pub mod npm;
pub mod project;
pub mod proxy;
pub mod registry;
pub mod sarif;
pub mod served;
pub mod service;
pub mod small;
pub mod state;
pub mod storefront;
pub mod venv;
pub mod whole;
pub mod wire;

use std::path::{Path, PathBuf};

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `target/`, where everything goes that tests make and keep.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// An error as people see it, but for colour and width.
pub fn shown(error: &infra::error::Error) -> String {
    let details = error.details.iter().map(|line| format!("  {line}\n"));
    let hints = error.hints.iter().map(|line| format!("hint: {line}\n"));
    format!("{:?}: {error}\n{}{}", error.kind, details.collect::<String>(), hints.collect::<String>())
}

/// Where `value` differs from docs/schemas/<name>.json.
pub fn schema_errors(name: &str, value: &serde_json::Value) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(format!("docs/schemas/{name}.json"))).expect("a schema");
    let schema = serde_json::from_str(&text).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a JSON Schema");
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

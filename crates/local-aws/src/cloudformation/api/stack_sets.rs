//! What operations on stack sets say where there are none: this world deploys to one account at a time.

use crate::query::Fault;
use serde_json::{Value as Json, json};

/// Answers an operation on stack sets: lists are empty, and no stack set is found.
pub(super) fn answer(action: &str, input: &Json) -> Result<Json, Fault> {
    if action == "ListStackSets" {
        return Ok(json!({ "Summaries": [] }));
    }
    match input["StackSetName"].as_str() {
        Some(name) if action != "CreateStackSet" => Err(missing(name)),
        _ => Err(super::unknown(action)),
    }
}

pub(super) fn missing(name: &str) -> Fault {
    Fault::new("StackSetNotFoundException", format!("StackSet {name} not found")).with_status(404)
}

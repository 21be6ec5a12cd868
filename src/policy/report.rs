//! CloudFormation Guard's record of an evaluation: a tree of rules, blocks and clauses, of which the clauses that failed
//! are wanted.

use serde::Deserialize;
use serde_json::Value as Json;

/// A clause that does not hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub rule: String,
    /// A pointer into the document; empty where the clause looked at nothing.
    pub path: String,
    /// What the rule's author says, or else what the clause asks.
    pub message: String,
}

#[derive(Debug, Deserialize)]
struct Record {
    #[serde(default)]
    context: String,
    #[serde(default)]
    container: Option<serde_json::Map<String, Json>>,
    #[serde(default)]
    children: Vec<Record>,
}

/// What decides whether something is looked at, and no part of the rule itself.
const CONDITIONS: [&str; 4] = ["Filter", "RuleCondition", "TypeCondition", "WhenCondition"];

/// The failed clauses of a record in JSON.
///
/// # Errors
/// It is no such record.
pub fn failures(record: &str) -> Result<Vec<Failure>, serde_json::Error> {
    let record: Record = serde_json::from_str(record)?;
    let mut found = Vec::new();
    collect(&record, "", &mut found);
    Ok(found)
}

fn collect(record: &Record, rule: &str, found: &mut Vec<Failure>) {
    let mut rule = rule.to_owned();
    if let Some((kind, value)) = record.container.as_ref().and_then(|container| container.iter().next()) {
        if CONDITIONS.contains(&kind.as_str()) || status(value).is_some_and(|status| status != "FAIL") {
            return;
        }
        match kind.as_str() {
            // Rules that others call are told under the name of the one that calls them.
            "RuleCheck" if rule.is_empty() => rule = value["name"].as_str().unwrap_or_default().to_owned(),
            "ClauseValueCheck" => found.extend(clause(value, &rule, &record.context)),
            _ => {}
        }
    }
    record.children.iter().for_each(|child| collect(child, &rule, found));
}

/// `FAIL` of `"FAIL"`, `{"status": "FAIL"}` or `{"block": {"status": "FAIL"}}`.
fn status(value: &Json) -> Option<&str> {
    value.as_str().or_else(|| value["status"].as_str()).or_else(|| value["block"]["status"].as_str())
}

fn clause(value: &Json, rule: &str, context: &str) -> Option<Failure> {
    let (_, check) = value.as_object()?.iter().next()?;
    // A check on one value keeps it one level further down.
    let check = if check["value"].is_object() { &check["value"] } else { check };
    if check["status"].as_str().is_some_and(|status| status != "FAIL") {
        return None;
    }
    let from = &check["from"];
    let path = from["Resolved"]["path"]
        .as_str()
        .or_else(|| from["Literal"]["path"].as_str())
        .or_else(|| from["UnResolved"]["traversed_to"]["path"].as_str())
        .unwrap_or_default();
    let said =
        ["custom_message", "message"].iter().find_map(|key| check[*key].as_str().filter(|text| !text.is_empty()));
    let message =
        said.map_or_else(|| context.trim().to_owned(), |text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    Some(Failure { rule: rule.to_owned(), path: path.to_owned(), message })
}

//! Whether a resource changes, and whether that replaces it.

use cloudformation::evaluate::Value;
use cloudformation::schema::{RequiresRecreation, resource_type};
use serde_json::Value as Json;

/// What a change of its properties does to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    None,
    InPlace,
    Replace,
}

/// Compares properties as CloudFormation keeps them, scalars as text. A change that only the provider could judge is
/// made in place.
pub(crate) fn change(type_name: &str, before: &Json, after: &Json) -> Change {
    let paths = paths(before, after);
    if paths.is_empty() {
        return Change::None;
    }
    let Some(schema) = resource_type(type_name) else { return Change::InPlace };
    let replaces = |path: &String| schema.update_behaviour(path.trim_start_matches('/')) == RequiresRecreation::Always;
    if paths.iter().any(replaces) { Change::Replace } else { Change::InPlace }
}

/// The paths of the leaves in which two values differ, scalars as text: `/Tags/0/Value`.
pub(crate) fn paths(before: &Json, after: &Json) -> Vec<String> {
    let mut paths = Vec::new();
    let text = |json: &Json| Value::from_json(json).into_text_scalars().to_json();
    compare(Some(&text(before)), Some(&text(after)), "", &mut paths);
    paths
}

fn compare(before: Option<&Json>, after: Option<&Json>, path: &str, found: &mut Vec<String>) {
    match (before, after) {
        (Some(Json::Object(left)), Some(Json::Object(right))) => {
            for key in left.keys().chain(right.keys().filter(|key| !left.contains_key(*key))) {
                compare(left.get(key), right.get(key), &format!("{path}/{key}"), found);
            }
        }
        (Some(Json::Array(left)), Some(Json::Array(right))) => {
            for at in 0..left.len().max(right.len()) {
                compare(left.get(at), right.get(at), &format!("{path}/{at}"), found);
            }
        }
        (before, after) if before != after => found.push(path.to_owned()),
        _ => {}
    }
}

/// Live properties with those put back that can be set but not read, so that they do not look changed.
pub(crate) fn readable(type_name: &str, declared: &Json, live: &Json) -> Json {
    let (Some(schema), Json::Object(declared), Json::Object(live)) = (resource_type(type_name), declared, live) else {
        return live.clone();
    };
    let mut live = live.clone();
    for (name, value) in declared {
        if schema.is_write_only(name) {
            live.insert(name.clone(), value.clone());
        }
    }
    Json::Object(live)
}

/// `actual` where `declared` says something: what the template speaks of, as it is.
pub(crate) fn overlay(declared: &Json, actual: &Json) -> Json {
    match (declared, actual) {
        (Json::Object(declared), Json::Object(actual)) => {
            declared.iter().filter_map(|(key, value)| Some((key.clone(), overlay(value, actual.get(key)?)))).collect()
        }
        (_, actual) => actual.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_schema_says_what_replaces() {
        let queue = |name: &str, seconds: Json| json!({"QueueName": name, "VisibilityTimeout": seconds});
        let change = |before: &Json, after: &Json| change("AWS::SQS::Queue", before, after);
        assert_eq!(change(&queue("a", json!(30)), &queue("a", json!("30"))), Change::None);
        assert_eq!(change(&queue("a", json!(30)), &queue("a", json!(31))), Change::InPlace);
        assert_eq!(change(&queue("a", json!(30)), &queue("b", json!(31))), Change::Replace);
        assert_eq!(change(&json!({}), &json!({"QueueName": "b"})), Change::Replace);
    }

    #[test]
    fn only_what_is_declared_counts_of_the_live_state() {
        let live = overlay(&json!({"A": {"B": 1}, "C": 2}), &json!({"A": {"B": 5, "X": 1}, "Y": 3}));
        assert_eq!(live, json!({"A": {"B": 5}}));
    }
}

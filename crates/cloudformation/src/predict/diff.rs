//! The leaves in which two values differ, with their paths, as property-level change sets list them.
//!
//! Lists are compared place by place, maps key by key; what only one side has is one difference, not one per leaf.

use super::change::ChangeType;
use crate::evaluate::Value;

/// A difference below a common path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference<'v> {
    /// `/Tags/0/Value`; empty if the values differ as a whole.
    pub path: String,
    pub before: Option<&'v Value>,
    pub after: Option<&'v Value>,
}

impl Difference<'_> {
    pub(super) fn change(&self) -> ChangeType {
        match (self.before, self.after) {
            (None, _) => ChangeType::Add,
            (_, None) => ChangeType::Remove,
            _ => ChangeType::Modify,
        }
    }

    /// Whether change sets see it: an object without any value in it is as good as absent to them.
    pub(super) fn visible(&self) -> bool {
        let hollow = |side: Option<&Value>| side.is_none_or(hollow);
        !(hollow(self.before) && hollow(self.after))
    }
}

pub(super) fn differences<'v>(before: Option<&'v Value>, after: Option<&'v Value>) -> Vec<Difference<'v>> {
    let mut found = Vec::new();
    compare(before, after, &mut String::new(), &mut found);
    found
}

fn compare<'v>(
    before: Option<&'v Value>,
    after: Option<&'v Value>,
    path: &mut String,
    found: &mut Vec<Difference<'v>>,
) {
    let mut below = |step: &str, before: Option<&'v Value>, after: Option<&'v Value>, found: &mut Vec<_>| {
        let length = path.len();
        path.push('/');
        path.push_str(step);
        compare(before, after, path, found);
        path.truncate(length);
    };
    match (before, after) {
        (Some(Value::Map(left)), Some(Value::Map(right))) => {
            for (key, value) in left {
                below(key, Some(value), right.get(key), found);
            }
            for (key, value) in right.iter().filter(|(key, _)| !left.contains_key(*key)) {
                below(key, None, Some(value), found);
            }
        }
        (Some(Value::List(left)), Some(Value::List(right))) => {
            for at in 0..left.len().max(right.len()) {
                below(&at.to_string(), left.get(at), right.get(at), found);
            }
        }
        (before, after) if before.map(Value::reveal) != after.map(Value::reveal) => {
            found.push(Difference { path: path.clone(), before, after });
        }
        _ => {}
    }
}

fn hollow(value: &Value) -> bool {
    matches!(value, Value::Map(members) if members.values().all(hollow))
}

/// The paths of all leaves of a value, each below `path`.
pub(super) fn leaves(value: &Value, path: &str) -> Vec<String> {
    match value {
        Value::Map(members) if !members.is_empty() => {
            members.iter().flat_map(|(key, value)| leaves(value, &format!("{path}/{key}"))).collect()
        }
        Value::List(items) if !items.is_empty() => {
            items.iter().enumerate().flat_map(|(at, value)| leaves(value, &format!("{path}/{at}"))).collect()
        }
        _ => vec![path.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn paths(before: Json, after: Json) -> Vec<(String, ChangeType, bool)> {
        let (before, after) = (Value::from_json(&before), Value::from_json(&after));
        differences(Some(&before), Some(&after))
            .into_iter()
            .map(|found| (found.path.clone(), found.change(), found.visible()))
            .collect()
    }

    #[test]
    fn leaves_are_found_where_they_differ() {
        use ChangeType::{Add, Modify, Remove};
        let at = |path: &str, change| (path.to_owned(), change, true);
        assert_eq!(paths(json!({"a": {"b": "1", "c": "2"}}), json!({"a": {"b": "1", "c": "3"}})), [at("/a/c", Modify)]);
        assert_eq!(paths(json!(["1", "2"]), json!(["1"])), [at("/1", Remove)]);
        assert_eq!(paths(json!([]), json!([{"k": "v"}])), [at("/0", Add)]);
        assert_eq!(paths(json!("a"), json!(["a"])), [at("", Modify)]);
        assert_eq!(paths(json!({"a": []}), json!({})), [at("/a", Remove)]);
        assert_eq!(paths(json!({"a": {}}), json!({"a": {}})), []);
    }

    #[test]
    fn empty_objects_are_not_seen() {
        let found = paths(json!({"Allow": {}}), json!({"Block": {"x": {}}}));
        assert_eq!(found.iter().map(|(_, _, visible)| *visible).collect::<Vec<_>>(), [false, false]);
    }
}

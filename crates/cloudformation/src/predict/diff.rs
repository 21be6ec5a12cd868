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

/// More leaves than this are one difference.
pub(super) const MAX_LEAVES: usize = 500;

/// What lies deeper is one difference: no property has such a path.
const PATH_BYTES: usize = 512;

pub(super) fn differences<'v>(before: Option<&'v Value>, after: Option<&'v Value>) -> Vec<Difference<'v>> {
    let mut found = Vec::new();
    compare(before, after, &mut String::new(), &mut found);
    if found.len() > MAX_LEAVES {
        found = vec![Difference { path: String::new(), before, after }];
    }
    found
}

fn compare<'v>(
    before: Option<&'v Value>,
    after: Option<&'v Value>,
    path: &mut String,
    found: &mut Vec<Difference<'v>>,
) {
    if found.len() > MAX_LEAVES {
        return;
    }
    let deeper = path.len() < PATH_BYTES;
    let mut below = |step: &str, before: Option<&'v Value>, after: Option<&'v Value>| {
        let length = path.len();
        path.push('/');
        path.push_str(step);
        compare(before, after, path, found);
        path.truncate(length);
    };
    match (before, after) {
        (Some(Value::Map(left)), Some(Value::Map(right))) if deeper => {
            for (key, value) in left {
                below(key, Some(value), right.get(key));
            }
            for (key, value) in right.iter().filter(|(key, _)| !left.contains_key(*key)) {
                below(key, None, Some(value));
            }
        }
        (Some(Value::List(left)), Some(Value::List(right))) if deeper => {
            for at in 0..left.len().max(right.len()) {
                below(&at.to_string(), left.get(at), right.get(at));
            }
        }
        (before, after) if !same(before, after) => found.push(Difference { path: path.clone(), before, after }),
        _ => {}
    }
}

/// Whether two values are the same, secrets by what they are.
pub(super) fn same(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(Value::Sensitive(left)), right) => same(Some(left), right),
        (left, Some(Value::Sensitive(right))) => same(left, Some(right)),
        (Some(Value::List(left)), Some(Value::List(right))) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(Some(left), Some(right)))
        }
        (Some(Value::Map(left)), Some(Value::Map(right))) => {
            left.len() == right.len() && left.iter().all(|(key, value)| same(Some(value), right.get(key)))
        }
        (left, right) => left == right,
    }
}

fn hollow(value: &Value) -> bool {
    matches!(value, Value::Map(members) if members.values().all(hollow))
}

/// Whether the path of any leaf of a value, below `path`, is such.
pub(super) fn any_leaf(value: &Value, path: &str, is: &dyn Fn(&str) -> bool) -> bool {
    if path.len() >= PATH_BYTES {
        return is(path);
    }
    match value {
        Value::Map(members) if !members.is_empty() => {
            members.iter().any(|(key, value)| any_leaf(value, &format!("{path}/{key}"), is))
        }
        // The items of a list are alike, but for what they leave out.
        Value::List(items) if !items.is_empty() => items.iter().any(|value| any_leaf(value, &format!("{path}/0"), is)),
        _ => is(path),
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

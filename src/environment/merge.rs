//! How one file's values go over another's.

use crate::document::{empty, is_null};
use crate::model::{Input, InputKind, InputValue};

/// Puts `child` over `parent`: maps merge, lists and scalars replace. Null replaces, too; [`without_nulls`] then takes
/// away what is null in the end.
pub fn merge(parent: InputValue, child: InputValue) -> InputValue {
    match (parent.kind, child.kind) {
        (InputKind::Map(below), InputKind::Map(above)) => {
            let mut merged = below;
            for (key, Input { key_at, value }) in above {
                let value = match merged.get_mut(&key) {
                    Some(slot) => merge(std::mem::replace(&mut slot.value, empty(value.at.clone())), value),
                    None => value,
                };
                merged.insert(key, Input { key_at, value });
            }
            InputValue { at: child.at, kind: InputKind::Map(merged) }
        }
        (_, kind) => InputValue { at: child.at, kind },
    }
}

/// The same value without the nulls of its maps. A stack's inputs keep theirs, for some inputs may be null.
pub fn without_nulls(value: InputValue) -> InputValue {
    without(value, &["stacks", "*", "inputs"])
}

/// `kept`: the path from here to the maps that stay as they are; empty for one of them.
fn without(value: InputValue, kept: &[&str]) -> InputValue {
    let InputKind::Map(entries) = value.kind else { return value };
    let clean = |(key, Input { key_at, value }): (String, Input)| {
        let value = match kept {
            [only] if *only == key => value,
            [first, rest @ ..] if *first == key || *first == "*" => without(value, rest),
            _ => without(value, &[]),
        };
        (key, Input { key_at, value })
    };
    let entries = entries.into_iter().filter(|(_, input)| !is_null(&input.value)).map(clean).collect();
    InputValue { at: value.at, kind: InputKind::Map(entries) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{located, to_json};
    use crate::problem::SourceFile;
    use cloudformation::source::{Limits, parse};
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};
    use std::sync::Arc;

    fn value(json: &Json) -> InputValue {
        let text = json.to_string();
        let node = parse(&text, Limits::default()).unwrap();
        located(&node, &Arc::new(SourceFile { name: "x.yaml".to_owned(), text }), &mut Vec::new())
    }

    fn merged(parent: &Json, child: &Json) -> Json {
        to_json(&without_nulls(merge(value(parent), value(child))))
    }

    #[test]
    fn maps_merge_lists_and_scalars_replace_null_removes() {
        let base = json!({"a": 1, "l": [1, 2], "m": {"x": 1, "y": 2}, "gone": {"deep": 1}});
        let child = json!({"a": 2, "l": [3], "m": {"y": 3, "z": 4}, "gone": null});
        assert_eq!(merged(&base, &child), json!({"a": 2, "l": [3], "m": {"x": 1, "y": 3, "z": 4}}));
        assert_eq!(merged(&json!({"a": {"b": 1}}), &json!({"a": "text"})), json!({"a": "text"}));
        assert_eq!(merged(&json!({"a": 1}), &json!({"a": {"b": null, "c": 1}})), json!({"a": {"c": 1}}));
    }

    #[test]
    fn inputs_keep_their_nulls() {
        let base = json!({"stacks": {"a": {"inputs": {"key": "k"}, "needs": {"P": "b.C"}}}});
        let child = json!({"stacks": {"a": {"inputs": {"key": null}, "needs": {"P": null}}}, "inputs": null});
        assert_eq!(merged(&base, &child), json!({"stacks": {"a": {"inputs": {"key": null}, "needs": {}}}}));
    }

    fn tree() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![Just(Json::Null), any::<bool>().prop_map(Json::from), (0..9i64).prop_map(Json::from)];
        leaf.prop_recursive(4, 40, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
                proptest::collection::btree_map("[abc]", inner, 0..4)
                    .prop_map(|map| Json::Object(map.into_iter().collect())),
            ]
        })
    }

    fn map() -> impl Strategy<Value = Json> {
        proptest::collection::btree_map("[abc]", tree(), 0..4).prop_map(|map| Json::Object(map.into_iter().collect()))
    }

    fn has_null_in_map(value: &Json) -> bool {
        match value {
            Json::Object(entries) => entries.values().any(|value| value.is_null() || has_null_in_map(value)),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn nothing_over_a_value_is_the_value(a in map()) {
            let clean = to_json(&without_nulls(value(&a)));
            prop_assert_eq!(merged(&clean, &json!({})), clean.clone());
            prop_assert_eq!(merged(&json!({}), &a), clean);
        }

        #[test]
        fn a_value_over_itself_is_itself(a in map()) {
            let clean = to_json(&without_nulls(value(&a)));
            prop_assert_eq!(merged(&clean, &clean), clean);
        }

        #[test]
        fn the_last_word_counts_and_nulls_are_gone(a in map(), b in map(), c in map()) {
            let base = to_json(&without_nulls(value(&a)));
            let once = merged(&merged(&base, &b), &c);
            prop_assert!(!has_null_in_map(&once));
            prop_assert_eq!(merged(&once, &c), once.clone());
            for (key, wanted) in c.as_object().unwrap() {
                match wanted {
                    Json::Null => prop_assert!(once.get(key).is_none()),
                    Json::Object(_) => prop_assert!(once[key].is_object()),
                    other => prop_assert_eq!(&once[key], other),
                }
            }
        }
    }
}

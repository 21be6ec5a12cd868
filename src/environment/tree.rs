//! A parsed file as values that know their places, and how one file's values go over another's.

use crate::model::{Input, InputKind, InputValue};
use crate::problem::{Location, Position, Problem, SourceFile, Span};
use cloudformation::source::{Node, Value};
use indexmap::IndexMap;
use std::sync::Arc;

/// Characters from here on (Unicode's planes for private use) mark places while templates are rendered, and mean nothing
/// to anybody else.
pub const PRIVATE_USE: char = '\u{F0000}';

/// The tree of a file. Tags and characters for private use are problems; the values around them are kept.
pub fn located(node: &Node, file: &Arc<SourceFile>, problems: &mut Vec<Problem>) -> InputValue {
    let at = place(file, node.span);
    if let Some(tag) = &node.tag {
        problems.push(
            Problem::error("tag", format!("the tag `!{tag}` means nothing here"), Some(at.clone()))
                .help("functions of CloudFormation belong into templates"),
        );
    }
    let kind = match &node.value {
        Value::Scalar(scalar) => {
            if scalar.text.contains(|c| c >= PRIVATE_USE) {
                let message = "characters of Unicode's planes for private use (from U+F0000) are refused";
                problems.push(Problem::error("private-use", message, Some(at.clone())));
                InputKind::Scalar(serde_json::Value::Null)
            } else {
                InputKind::Scalar(scalar.to_json())
            }
        }
        Value::List(items) => InputKind::List(items.iter().map(|item| located(item, file, problems)).collect()),
        Value::Map(entries) => InputKind::Map(
            entries
                .iter()
                .map(|entry| {
                    let key_at = place(file, entry.key_span);
                    if entry.key == "<<" {
                        problems.push(
                            Problem::error("merge-key", "YAML's merge key `<<` is not supported", Some(key_at.clone()))
                                .help("an environment starts from another with `extends`"),
                        );
                    }
                    (entry.key.clone(), Input { key_at, value: located(&entry.value, file, problems) })
                })
                .collect(),
        ),
    };
    InputValue { at, kind }
}

pub fn place(file: &Arc<SourceFile>, span: Span) -> Location {
    Location { file: file.clone(), span }
}

/// The start of a file, for what is said of it as a whole.
pub fn start_of(file: &Arc<SourceFile>) -> Location {
    let start = Position { line: 1, column: 1, offset: 0 };
    place(file, Span { start, end: start })
}

/// Puts `child` over `parent`: maps merge, lists and scalars replace, null removes. The result has no null in any map.
pub fn merge(parent: InputValue, child: InputValue) -> InputValue {
    match (parent.kind, child.kind) {
        (InputKind::Map(below), InputKind::Map(above)) => {
            let mut merged = below;
            for (key, input) in above {
                if is_null(&input.value) {
                    merged.shift_remove(&key);
                } else if let Some(slot) = merged.get_mut(&key) {
                    let Input { key_at, value } = input;
                    let old = std::mem::replace(&mut slot.value, empty(value.at.clone()));
                    *slot = Input { key_at, value: merge(old, value) };
                } else {
                    merged.insert(key, Input { key_at: input.key_at, value: without_nulls(input.value) });
                }
            }
            InputValue { at: child.at, kind: InputKind::Map(merged) }
        }
        (_, kind) => without_nulls(InputValue { at: child.at, kind }),
    }
}

/// The same value without the nulls of its maps, which remove nothing where there is nothing below.
pub fn without_nulls(value: InputValue) -> InputValue {
    let InputKind::Map(entries) = value.kind else { return value };
    let entries = entries
        .into_iter()
        .filter(|(_, input)| !is_null(&input.value))
        .map(|(key, input)| (key, Input { key_at: input.key_at, value: without_nulls(input.value) }))
        .collect();
    InputValue { at: value.at, kind: InputKind::Map(entries) }
}

pub fn is_null(value: &InputValue) -> bool {
    matches!(&value.kind, InputKind::Scalar(serde_json::Value::Null))
}

pub fn empty(at: Location) -> InputValue {
    InputValue { at, kind: InputKind::Map(IndexMap::new()) }
}

/// "a list", "text" …: for messages.
pub fn kind_of(value: &InputValue) -> &'static str {
    match &value.kind {
        InputKind::List(_) => "a list",
        InputKind::Map(_) => "a map",
        InputKind::Scalar(serde_json::Value::Null) => "null",
        InputKind::Scalar(serde_json::Value::Bool(_)) => "a boolean",
        InputKind::Scalar(serde_json::Value::Number(_)) => "a number",
        InputKind::Scalar(_) => "text",
    }
}

/// The value without its places.
pub fn to_json(value: &InputValue) -> serde_json::Value {
    match &value.kind {
        InputKind::Scalar(scalar) => scalar.clone(),
        InputKind::List(items) => items.iter().map(to_json).collect(),
        InputKind::Map(entries) => entries.iter().map(|(key, input)| (key.clone(), to_json(&input.value))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudformation::source::{Limits, parse};
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    fn value(json: &Json) -> InputValue {
        let text = json.to_string();
        let node = parse(&text, Limits::default()).unwrap();
        located(&node, &Arc::new(SourceFile { name: "x.yaml".to_owned(), text }), &mut Vec::new())
    }

    fn merged(parent: &Json, child: &Json) -> Json {
        to_json(&merge(value(parent), value(child)))
    }

    #[test]
    fn maps_merge_lists_and_scalars_replace_null_removes() {
        let base = json!({"a": 1, "l": [1, 2], "m": {"x": 1, "y": 2}, "gone": {"deep": 1}});
        let child = json!({"a": 2, "l": [3], "m": {"y": 3, "z": 4}, "gone": null});
        assert_eq!(merged(&base, &child), json!({"a": 2, "l": [3], "m": {"x": 1, "y": 3, "z": 4}}));
        assert_eq!(merged(&json!({"a": {"b": 1}}), &json!({"a": "text"})), json!({"a": "text"}));
        assert_eq!(merged(&json!({"a": 1}), &json!({"a": {"b": null, "c": 1}})), json!({"a": {"c": 1}}));
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

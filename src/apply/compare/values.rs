//! Values that a change set gives against those that the plan showed.
//!
//! Only what both know for certain is compared, scalars as text. CloudFormation hides secrets, leaves references open
//! and gives text outside ASCII back as `?`; items of a list may stand at another place than the plan saw them.

use crate::aws::cloudformation::ChangeSetChange;
use crate::plan::{Change, SENSITIVE_PART, UNKNOWN_PART, Value};
use serde_json::Value as Json;

/// What CloudFormation writes for what it hides (NoEcho), looks up itself, or knows only at execution.
const OPEN: [&str; 4] = ["****", "{{resolve:", "{{changeSet:", "AWS::NoValue"];
/// Characters of a value in a message.
const SHOWN: usize = 80;

/// The first property that would get another value than the plan showed, as a sentence without its subject.
pub(super) fn other(planned: &Change, change: &ChangeSetChange) -> Option<String> {
    let given: Vec<(String, Json)> = given(change);
    planned.properties.iter().find_map(|property| {
        let Value::Known(shown) = &property.change.after else { return None };
        let at = |(path, value): &(String, Json)| part(value, &property.path, path).cloned();
        let now = given.iter().find_map(at)?;
        let differs = !same(shown, &now) && !elsewhere_in_list(planned, &property.path, &now);
        differs.then(|| format!("would set {} to {}; the plan showed {}", property.path, short(&now), short(shown)))
    })
}

/// Every value that the change set gives, with its path as the plan writes paths.
fn given(change: &ChangeSetChange) -> Vec<(String, Json)> {
    let details = change.details.iter().filter(|detail| detail.attribute == "Properties" && detail.is_certain);
    let mut given: Vec<(String, Json)> =
        details.filter_map(|detail| Some((path(detail.path.as_deref()?), json(detail.after.as_deref()?)))).collect();
    let whole = change.after.as_deref().and_then(|after| serde_json::from_str::<Json>(after).ok());
    if let Some(Json::Object(properties)) = whole.as_ref().and_then(|whole| whole.get("Properties")) {
        given.extend(properties.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    given
}

/// `Tags[0].Value` for `/Properties/Tags/0/Value`.
fn path(pointer: &str) -> String {
    let mut text = String::new();
    for step in pointer.split('/').skip(1).skip_while(|step| *step == "Properties") {
        if !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()) {
            text.push_str(&format!("[{step}]"));
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(step);
        }
    }
    text
}

/// What stands at `path`, where `value` stands at `above`. Parts of the planned value are looked at leaf by leaf.
fn part<'v>(value: &'v Json, path: &str, above: &str) -> Option<&'v Json> {
    let mut rest = path.strip_prefix(above)?;
    let mut here = value;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (index, more) = inner.split_once(']')?;
            here = here.get(index.parse::<usize>().ok()?)?;
            rest = more;
        } else {
            let name = rest.strip_prefix('.')?;
            let end = name.find(['.', '[']).unwrap_or(name.len());
            here = here.get(&name[..end])?;
            rest = &name[end..];
        }
    }
    Some(here)
}

/// A value as CloudFormation writes it: maps and lists are JSON, everything else is text.
fn json(text: &str) -> Json {
    let structured = text.starts_with(['{', '[']).then(|| serde_json::from_str::<Json>(text).ok()).flatten();
    structured.unwrap_or_else(|| Json::String(text.to_owned()))
}

fn same(shown: &Json, given: &Json) -> bool {
    match (shown, given) {
        (Json::Object(shown), Json::Object(given)) => {
            shown.len() == given.len()
                && shown.iter().all(|(key, value)| given.get(key).is_some_and(|other| same(value, other)))
        }
        (Json::Array(shown), Json::Array(given)) => {
            shown.len() == given.len() && shown.iter().zip(given).all(|(one, other)| same(one, other))
        }
        // Documents that are text for one side and taken apart for the other.
        (Json::Object(_) | Json::Array(_), Json::String(text)) => match json(text) {
            Json::String(text) => is_open(&text),
            document => same(shown, &document),
        },
        (Json::String(text), Json::Object(_) | Json::Array(_)) => match json(text) {
            Json::String(text) => is_open(&text),
            document => same(&document, given),
        },
        (shown, given) => {
            let (shown, given) = (text(shown), text(given));
            is_open(&shown) || is_open(&given) || same_text(&shown, &given)
        }
    }
}

fn same_text(shown: &str, given: &str) -> bool {
    let numbers = || Some(shown.parse::<f64>().ok()? == given.parse::<f64>().ok()?);
    let characters = || {
        shown.chars().count() == given.chars().count()
            && shown.chars().zip(given.chars()).all(|(one, other)| one == other || (!one.is_ascii() && other == '?'))
    };
    shown == given || numbers() == Some(true) || characters()
}

fn is_open(text: &str) -> bool {
    OPEN.iter().any(|open| text.contains(open)) || text.contains(UNKNOWN_PART) || text.contains(SENSITIVE_PART)
}

/// Another item of the same list is to get this value, as the plan showed.
fn elsewhere_in_list(planned: &Change, path: &str, value: &Json) -> bool {
    let Some((list, _)) = path.split_once('[') else { return false };
    let items = planned.properties.iter().filter(|other| other.path.starts_with(list) && other.path.contains('['));
    items.into_iter().any(|item| matches!(&item.change.after, Value::Known(shown) if same(shown, value)))
}

fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn short(value: &Json) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_same_value_in_other_words_is_the_same() {
        for (shown, given) in [
            (json!("60"), "60"),
            (json!(60), "60"),
            (json!(1.0), "1"),
            (json!(true), "true"),
            (json!({"a": [1, "b"]}), r#"{"a":["1","b"]}"#),
            (json!(r#"{"Statement":[]}"#), r#"{"Statement":[]}"#),
            (json!("Prüfer"), "Pr?fer"),
            (json!("x"), "****"),
            (json!("arn:(known after apply)"), "arn:aws:sns:eu-west-1:1:t"),
            (json!("x"), "{{changeSet:KNOWN_AFTER_APPLY}}"),
        ] {
            assert!(same(&shown, &json(given)), "{shown} {given}");
        }
        for (shown, given) in [
            (json!("b"), "EVIL"),
            (json!("Prüfer"), "Pr?f"),
            (json!("a?b"), "axb"),
            (json!({"a": 1}), r#"{"a":1,"b":2}"#),
            (json!(60), "600"),
        ] {
            assert!(!same(&shown, &json(given)), "{shown} {given}");
        }
    }

    #[test]
    fn parts_of_values_are_found_by_the_plans_paths() {
        assert_eq!(path("/Properties/Tags/0/Value"), "Tags[0].Value");
        let value = json!([{"Key": "a", "Value": {"x": [7]}}]);
        assert_eq!(part(&value, "Tags[0].Value.x[0]", "Tags"), Some(&json!(7)));
        assert_eq!(part(&value, "Tags[1].Value", "Tags"), None);
        assert_eq!(part(&value, "TagsOf", "Tags"), None);
    }
}

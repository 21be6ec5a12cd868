//! Looking into properties: values by paths, scalars that may be written as text.

use serde_json::Value as Json;

/// A path into properties. A step is a key; `Key=name` chooses from a list of maps; `*` takes every member of a list.
pub(super) type Path = &'static [&'static str];

/// What stands at a path: one entry for each member that `*` stands for, with how people write its place.
pub(super) fn select(json: &Json, path: &[&str]) -> Vec<(String, Json)> {
    let mut found = vec![(String::new(), json.clone())];
    for step in path {
        let mut next = Vec::new();
        for (label, value) in found {
            match (*step, &value) {
                ("*", Json::Array(items)) => {
                    for (index, item) in items.iter().enumerate() {
                        next.push((format!("{label}[{}]", name_of(item).unwrap_or(index.to_string())), item.clone()));
                    }
                }
                ("*", _) => {}
                (step, Json::Array(items)) => {
                    let chosen = step.split_once('=').and_then(|(key, wanted)| {
                        items.iter().find(|item| text(&item[key]).is_some_and(|name| name == wanted))
                    });
                    let name = step.split_once('=').map_or(step, |(_, name)| name);
                    next.push((format!("{label}[{name}]"), chosen.cloned().unwrap_or(Json::Null)));
                }
                (step, value) => {
                    let key = step.split_once('=').map_or(step, |(_, name)| name);
                    let dot = if label.is_empty() { "" } else { "." };
                    next.push((format!("{label}{dot}{key}"), value.get(step).cloned().unwrap_or(Json::Null)));
                }
            }
        }
        found = next;
    }
    found
}

/// What tells a member of a list from the others, wherever it stands.
fn name_of(item: &Json) -> Option<String> {
    ["Name", "Id", "Key", "IndexName", "PathPattern", "PolicyName"].iter().find_map(|key| text(&item[*key]))
}

/// One value, by keys alone.
pub(super) fn at<'j>(json: &'j Json, path: &[&str]) -> &'j Json {
    path.iter().fold(json, |value, step| value.get(step).unwrap_or(&Json::Null))
}

pub(super) fn text(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

pub(super) fn flag(json: &Json) -> Option<bool> {
    match json {
        Json::Bool(value) => Some(*value),
        Json::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Json::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

pub(super) fn number(json: &Json) -> Option<f64> {
    match json {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A list as it is; one value as a list of it.
pub(super) fn list(json: &Json) -> Vec<Json> {
    match json {
        Json::Array(items) => items.clone(),
        Json::Null => Vec::new(),
        other => vec![other.clone()],
    }
}

pub(super) fn texts(json: &Json) -> Vec<String> {
    list(json).iter().filter_map(text).collect()
}

/// Short enough for a sentence.
pub(super) fn brief(json: &Json) -> String {
    let text = match json {
        Json::Null => return "nothing".to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let cut: String = text.chars().take(60).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { text }
}

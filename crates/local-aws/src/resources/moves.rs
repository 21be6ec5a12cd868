//! What a change in place does to what only the service sets: versions, revisions, stream labels, times of change.

use super::attributes;
use super::draft::Draft;
use super::facts::{Move, is_last_change, moving};
use super::model::{self, Properties};
use cloudformation::schema::{PropertyPath, Type};
use serde_json::Value as Json;

/// Moves the attributes of a draft that was made from what a resource was `before`.
pub(super) fn apply(draft: &mut Draft<'_>, before: &Properties) {
    let tags = draft.known.tagging().tag_property.as_ref().map(|path| path.top().to_owned()).unwrap_or_default();
    let changed = |name: &str, draft: &Draft<'_>| before.get(name) != draft.properties.get(name);
    let any = {
        let names = before.keys().chain(draft.properties.keys().filter(|name| !before.contains_key(*name)));
        names.filter(|name| **name != tags && !draft.known.is_read_only(name)).any(|name| changed(name, draft))
    };
    for (path, triggers, how) in moving(draft.type_name) {
        let moves = if triggers.is_empty() { any } else { triggers.iter().any(|name| changed(name, draft)) };
        if moves {
            let path = PropertyPath::new(path);
            match how {
                Move::Next => next(draft, &path),
                Move::Anew => model::remove(&mut draft.properties, &path),
                Move::Form(form) => {
                    if let Some(text) = draft.fill(form) {
                        model::set(&mut draft.properties, &path, Json::String(text));
                    }
                }
            }
        }
    }
    if any {
        let times: Vec<&PropertyPath> = draft
            .known
            .read_only()
            .iter()
            .filter(|path| path.segments().len() == 1 && is_last_change(path.top()))
            .collect();
        for path in times {
            model::remove(&mut draft.properties, path);
        }
    }
}

/// Counts a number on, whatever stands before its digits.
fn next(draft: &mut Draft<'_>, path: &PropertyPath) {
    let text = match model::get(&draft.properties, path) {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Number(number)) => number.to_string(),
        _ => match attributes::attribute(draft, path) {
            Json::String(text) => text,
            other => other.to_string(),
        },
    };
    let stem = text.trim_end_matches(|character: char| character.is_ascii_digit());
    let number = text[stem.len()..].parse::<u64>().unwrap_or(0) + 1;
    let is_text = draft.known.property(&path.dotted()).is_some_and(|property| property.types().contains(Type::String));
    let value = if is_text { Json::String(format!("{stem}{number}")) } else { Json::from(number) };
    model::set(&mut draft.properties, path, value);
}

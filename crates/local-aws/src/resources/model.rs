//! The properties of a resource as JSON: finding, setting and removing parts of them by path, and giving scalars the
//! types that the schema wants.

use cloudformation::schema::{Keyword, PropertyPath, ResourceType, Schema, Type, Types, named};
use serde_json::{Map, Number, Value as Json};

/// The properties of one resource.
pub(super) type Properties = Map<String, Json>;

/// The properties as a map; anything else than an object has none.
pub(super) fn object(properties: &Json) -> Properties {
    properties.as_object().cloned().unwrap_or_default()
}

/// The value at a path without `*`.
pub(super) fn get<'p>(properties: &'p Properties, path: &PropertyPath) -> Option<&'p Json> {
    let mut segments = path.segments();
    let mut here = properties.get(segments.next()?)?;
    for segment in segments {
        here = here.get(segment)?;
    }
    Some(here)
}

/// Puts a value at a path without `*`, making the objects on the way.
pub(super) fn set(properties: &mut Properties, path: &PropertyPath, value: Json) {
    let segments: Vec<&str> = path.segments().collect();
    let Some((last, above)) = segments.split_last() else { return };
    let mut here = properties;
    for segment in above {
        let inner = here.entry(*segment).or_insert_with(|| Json::Object(Map::new()));
        match inner {
            Json::Object(inner) => here = inner,
            _ => return,
        }
    }
    here.insert((*last).to_owned(), value);
}

/// Removes what is at a path; `*` stands for every item of a list and every value of a map. An object that is empty
/// after that is removed too.
pub(super) fn remove(properties: &mut Properties, path: &PropertyPath) {
    remove_member(properties, &path.segments().collect::<Vec<_>>());
}

fn remove_member(members: &mut Properties, path: &[&str]) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        members.remove(*first);
    } else if let Some(inner) = members.get_mut(*first) {
        let was_empty = is_empty(inner);
        remove_below(inner, rest);
        if !was_empty && is_empty(inner) {
            members.remove(*first);
        }
    }
}

fn remove_below(value: &mut Json, path: &[&str]) {
    match (value, path) {
        (Json::Array(items), ["*", rest @ ..]) => items.iter_mut().for_each(|item| remove_below(item, rest)),
        // A path may pass over a list without a word.
        (Json::Array(items), _) => items.iter_mut().for_each(|item| remove_below(item, path)),
        (Json::Object(members), ["*", rest @ ..]) if !rest.is_empty() => {
            members.values_mut().for_each(|value| remove_below(value, rest));
        }
        (Json::Object(members), _) => remove_member(members, path),
        _ => {}
    }
}

fn is_empty(value: &Json) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}

/// The properties with their scalars as the schema types them: templates may write `"80"` for 80 and `80` for `"80"`.
pub(super) fn typed(known: &ResourceType, properties: &Properties) -> Properties {
    let root = known.schema();
    properties
        .iter()
        .map(|(name, value)| {
            let schema = root.properties().and_then(|all| named(all, name));
            (name.clone(), schema.map_or_else(|| value.clone(), |schema| typed_value(root, schema, value, 0)))
        })
        .collect()
}

fn typed_value(root: &Schema, schema: &Schema, value: &Json, depth: usize) -> Json {
    // Schemas may refer to themselves; values end, but alternatives are tried without going deeper.
    if depth > 64 {
        return value.clone();
    }
    let schema = schema.follow(root);
    match value {
        Json::Object(members) => Json::Object(
            members.iter().map(|(name, value)| (name.clone(), member(root, schema, name, value, depth))).collect(),
        ),
        Json::Array(items) => {
            let item = find(root, schema, 0, &|schema| schema.items());
            Json::Array(
                items
                    .iter()
                    .map(|value| item.map_or_else(|| value.clone(), |item| typed_value(root, item, value, depth + 1)))
                    .collect(),
            )
        }
        _ => scalar(schema, value),
    }
}

fn member(root: &Schema, schema: &Schema, name: &str, value: &Json, depth: usize) -> Json {
    let found = find(root, schema, 0, &|schema| {
        let named = schema.properties().and_then(|all| named(all, name));
        let matching = || {
            schema.keywords.iter().find_map(|keyword| match keyword {
                Keyword::PatternProperties(patterns) => {
                    patterns.iter().find(|(pattern, _)| pattern.matches(name) == Some(true)).map(|(_, schema)| schema)
                }
                _ => None,
            })
        };
        let other = || {
            schema.keywords.iter().find_map(|keyword| match keyword {
                Keyword::AdditionalProperties(more) if !more.forbids_all() => Some(more.as_ref()),
                _ => None,
            })
        };
        named.or_else(matching).or_else(other)
    });
    found.map_or_else(|| value.clone(), |schema| typed_value(root, schema, value, depth + 1))
}

/// The first schema that `pick` finds in this one, its references and its alternatives.
fn find<'s>(
    root: &'s Schema,
    schema: &'s Schema,
    depth: usize,
    pick: &dyn Fn(&'s Schema) -> Option<&'s Schema>,
) -> Option<&'s Schema> {
    let schema = schema.follow(root);
    if depth > 8 {
        return None;
    }
    pick(schema).or_else(|| {
        schema.keywords.iter().find_map(|keyword| match keyword {
            Keyword::AllOf(all) | Keyword::AnyOf(all) | Keyword::OneOf(all) => {
                all.iter().find_map(|schema| find(root, schema, depth + 1, pick))
            }
            _ => None,
        })
    })
}

fn scalar(schema: &Schema, value: &Json) -> Json {
    let types = schema.types;
    match value {
        Json::String(text) if !types.any() && !types.contains(Type::String) => {
            let number = || {
                text.trim()
                    .parse::<Number>()
                    .ok()
                    .filter(|_| types.contains(Type::Integer) || types.contains(Type::Number))
            };
            match text.as_str() {
                "true" | "True" | "TRUE" if types.contains(Type::Boolean) => Json::Bool(true),
                "false" | "False" | "FALSE" if types.contains(Type::Boolean) => Json::Bool(false),
                _ => number().map_or_else(|| value.clone(), Json::Number),
            }
        }
        // Where the corrected schemas take everything (the variables of a function), the service holds texts.
        Json::Number(number) if is_text(types, &[Type::Integer, Type::Number]) => Json::String(number.to_string()),
        Json::Bool(truth) if is_text(types, &[Type::Boolean]) => Json::String(truth.to_string()),
        _ => value.clone(),
    }
}

fn is_text(types: Types, own: &[Type]) -> bool {
    let everything = types.contains(Type::Object) && types.contains(Type::Array);
    types.contains(Type::String) && (everything || !own.iter().any(|one| types.contains(*one)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudformation::schema::resource_type;
    use serde_json::json;

    #[test]
    fn parts_are_set_and_removed_by_path() {
        let mut properties = object(&json!({"A": {"B": [{"C": 1, "D": 2}, {"C": 3}]}}));
        remove(&mut properties, &PropertyPath::new("A/B/*/C"));
        assert_eq!(Json::Object(properties.clone()), json!({"A": {"B": [{"D": 2}, {}]}}));
        set(&mut properties, &PropertyPath::new("E/F"), json!("x"));
        assert_eq!(get(&properties, &PropertyPath::new("E.F")), Some(&json!("x")));
        remove(&mut properties, &PropertyPath::new("A"));
        assert_eq!(Json::Object(properties), json!({"E": {"F": "x"}}));
    }

    #[test]
    fn scalars_get_the_types_of_the_schema() {
        let table = resource_type("AWS::DynamoDB::Table").expect("known");
        let written = object(&json!({
            "TableName": 7,
            "DeletionProtectionEnabled": "true",
            "ProvisionedThroughput": {"ReadCapacityUnits": "5", "WriteCapacityUnits": 6},
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        }));
        assert_eq!(
            Json::Object(typed(table, &written)),
            json!({
                "TableName": "7",
                "DeletionProtectionEnabled": true,
                "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6},
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            })
        );
        let function = resource_type("AWS::Lambda::Function").expect("known");
        let written = object(&json!({"Environment": {"Variables": {"PORT": 80}}, "MemorySize": "512"}));
        let expected = json!({"Environment": {"Variables": {"PORT": "80"}}, "MemorySize": 512});
        assert_eq!(Json::Object(typed(function, &written)), expected);
    }
}

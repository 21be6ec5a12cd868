//! Values for properties by their schemas: others than those that they have.

use cloudformation::schema::{Keyword, Schema};
use serde_json::{Value as Json, json};

/// Values that differ from one in a single place; where there is none, plain ones of the right type.
pub fn others(root: &Schema, schema: &Schema, value: Option<&Json>, depth: usize) -> Vec<Json> {
    let schema = schema.follow(root);
    if depth > 4 {
        return Vec::new();
    }
    if let Some(allowed) = schema.keywords.iter().find_map(|keyword| match keyword {
        Keyword::Enum(allowed) => Some(allowed),
        _ => None,
    }) {
        return allowed.iter().filter(|one| Some(*one) != value).cloned().collect();
    }
    match value {
        Some(Json::Bool(truth)) => vec![json!(!truth)],
        Some(Json::Number(number)) => [1, -1, 60].map(|step| json!(number.as_i64().unwrap_or_default() + step)).into(),
        Some(Json::String(text)) => {
            let number = text.parse::<i64>().map(|number| json!((number + 1).to_string()));
            number
                .into_iter()
                .chain([json!(format!("{text}x")), json!("other"), json!("arn:aws:sns:us-east-1:111122223333:other")])
                .collect()
        }
        Some(Json::Array(items)) => {
            let mut found = Vec::new();
            for (at, item) in items.iter().enumerate() {
                let inner = schema.items().map(|inner| others(root, inner, Some(item), depth + 1)).unwrap_or_default();
                found.extend(inner.into_iter().map(|other| {
                    let mut list = items.clone();
                    list[at] = other;
                    Json::Array(list)
                }));
            }
            let fresh = schema.items().map(|inner| others(root, inner, None, depth + 1)).unwrap_or_default();
            found.extend(fresh.into_iter().map(|one| Json::Array(items.iter().cloned().chain([one]).collect())));
            if items.len() > 1 {
                found.push(Json::Array(items[1..].to_vec()));
            }
            found
        }
        Some(Json::Object(members)) => {
            let mut found = Vec::new();
            for (name, inner) in schema.properties().into_iter().flatten() {
                let Some(value) = members.get(name.as_ref()) else { continue };
                found.extend(others(root, inner, Some(value), depth + 1).into_iter().map(|other| {
                    let mut object = members.clone();
                    object.insert(name.to_string(), other);
                    Json::Object(object)
                }));
            }
            if schema.properties().is_none() {
                let mut object = members.clone();
                object.insert("Added".to_owned(), json!("x"));
                found.push(Json::Object(object));
            }
            found
        }
        Some(Json::Null) | None => fresh(root, schema, depth),
    }
}

/// Plain values of a type.
fn fresh(root: &Schema, schema: &Schema, depth: usize) -> Vec<Json> {
    use cloudformation::schema::Type;
    let mut found = Vec::new();
    let types = schema.types;
    if types.contains(Type::Boolean) {
        found.extend([json!(true), json!(false)]);
    }
    if types.contains(Type::Integer) || types.contains(Type::Number) {
        found.extend([2, 7, 60, 400, 7200, 3600].map(|number| json!(number)));
    }
    if types.contains(Type::String) {
        found.extend(
            [
                "other",
                "2",
                "arn:aws:sns:us-east-1:111122223333:other",
                "arn:aws:kms:us-east-1:111122223333:key/0b1c2d3e-0000-4000-8000-000000000000",
            ]
            .map(|text| json!(text)),
        );
    }
    if types.contains(Type::Array) {
        let inner = schema.items().map(|inner| others(root, inner, None, depth + 1)).unwrap_or_default();
        found.extend(inner.into_iter().map(|one| json!([one])));
    }
    if types.contains(Type::Object) {
        let mut object = serde_json::Map::new();
        for (name, inner) in schema.properties().into_iter().flatten() {
            let required = schema.required().any(|required| required == name.as_ref());
            if let Some(value) = others(root, inner, None, depth + 1).into_iter().next().filter(|_| required) {
                object.insert(name.to_string(), value);
            }
        }
        if object.is_empty()
            && let Some((name, inner)) = schema.properties().into_iter().flatten().next()
            && let Some(value) = others(root, inner, None, depth + 1).into_iter().next()
        {
            object.insert(name.to_string(), value);
        }
        if schema.properties().is_none() {
            object.insert("Added".to_owned(), json!("x"));
        }
        found.push(Json::Object(object));
    }
    found
}

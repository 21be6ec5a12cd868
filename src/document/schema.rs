//! The JSON Schema of a table of keys, for editors.

use super::shape::{Format, Section, Shape};
use serde_json::{Map, Value, json};

/// The schema (draft 2020-12) of a file. Required keys are no part of it, for a file may get them from one that it extends.
pub fn schema(of: &Section, title: &str) -> Value {
    let mut schema = section(of);
    if let Some(object) = schema.as_object_mut() {
        object.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        object.insert("title".to_owned(), json!(title));
        // An empty file is one that changes nothing.
        object.insert("type".to_owned(), json!(["object", "null"]));
    }
    schema
}

fn section(section: &Section) -> Value {
    let keys = section.keys.iter().filter(|key| !matches!(key.shape, Shape::Refused(_)));
    let properties: Map<String, Value> = keys
        .map(|key| {
            let mut schema = or_null(shape(&key.shape));
            if let Some(object) = schema.as_object_mut() {
                object.insert("description".to_owned(), json!(key.about));
            }
            (key.name.to_owned(), schema)
        })
        .collect();
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn shape(shape: &Shape) -> Value {
    match shape {
        Shape::Text(format) => text(format),
        Shape::Digits(format) => json!({"anyOf": [text(format), {
            "type": "integer",
            "minimum": 10i64.pow(format.longest as u32 - 1),
            "maximum": 10i64.pow(format.longest as u32) - 1,
        }]}),
        Shape::OneOrMore(format) => json!({"anyOf": [
            text(format),
            {"type": "array", "items": text(format), "minItems": 1, "uniqueItems": true},
        ]}),
        Shape::Boolean => json!({"type": "boolean"}),
        Shape::Integer { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Shape::Quantity { max } => json!({"type": "number", "minimum": 0, "maximum": max}),
        Shape::Any => json!({}),
        Shape::List(item) => json!({"type": "array", "items": self::shape(item)}),
        Shape::Keys(keys) => section(keys),
        Shape::Named { name, entry } => json!({
            "type": "object",
            "propertyNames": {"pattern": name.pattern, "maxLength": name.longest},
            "additionalProperties": or_null(self::shape(entry)),
        }),
        Shape::Refused(_) => json!(false),
    }
}

fn text(format: &Format) -> Value {
    json!({"type": "string", "pattern": format.pattern, "maxLength": format.longest})
}

/// Null removes what an extended file has, so it is right wherever a key has a value.
fn or_null(schema: Value) -> Value {
    match schema.get("type") {
        Some(Value::String(kind)) => {
            let kinds = json!([kind, "null"]);
            let mut schema = schema;
            if let Some(object) = schema.as_object_mut() {
                object.insert("type".to_owned(), kinds);
            }
            schema
        }
        _ if schema.as_object().is_some_and(Map::is_empty) => schema,
        _ => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}

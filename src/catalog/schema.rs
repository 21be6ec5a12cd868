//! The JSON Schema of environment files with the inputs of every template: for editors, which then complete and check
//! inputs where they are written.

use super::describe::shown;
use super::spec::{Kind, Spec};
use super::{Catalog, Checked};
use crate::document::{is_null, start_of, to_json};
use crate::environment;
use crate::problem::{Located, SourceFile};
use crate::quantity::{DURATION_PATTERN, SIZE_PATTERN};
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;

impl Catalog {
    /// The schema (draft 2020-12). A stack that names its template has that one's inputs and no others; so has one whose
    /// template follows from its name. Where the file extends another, that one may name another template: the inputs are
    /// described then, and others are let pass.
    ///
    /// # Errors
    /// The problems of all templates that cannot be read.
    pub fn schema(&self) -> Checked<Json> {
        let nowhere = Arc::new(SourceFile { name: String::new(), text: String::new() });
        let mut schema = environment::schema();
        let (mut inputs, mut named, mut implied, mut certain) = (Map::new(), Vec::new(), Map::new(), Map::new());
        let mut problems = Vec::new();
        for name in self.names() {
            let template = match self.get(&Located { value: name.clone(), at: start_of(&nowhere) }) {
                Ok(template) => template,
                Err(more) => {
                    problems.extend(more);
                    continue;
                }
            };
            let properties: Map<String, Json> =
                template.manifest.inputs.iter().map(|(input, spec)| (input.clone(), of(spec))).collect();
            let keys: Vec<Json> = properties.keys().map(|key| json!(key)).collect();
            inputs.insert(name.clone(), json!({"properties": properties}));
            let reference = json!({"$ref": format!("#/$defs/{name}")});
            let no_others = json!({"allOf": [reference, {"propertyNames": {"enum": keys}}]});
            named.push(json!({
                "if": {"type": "object", "properties": {"template": {"const": name}}, "required": ["template"]},
                "then": {"properties": {"inputs": no_others}},
            }));
            let unnamed = json!({"type": "object", "not": {"required": ["template"]}});
            certain.insert(name.clone(), json!({"if": unnamed, "then": {"properties": {"inputs": no_others}}}));
            implied.insert(name.clone(), json!({"if": unnamed, "then": {"properties": {"inputs": reference}}}));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        inputs.values_mut().for_each(hide_defaults);
        schema["$defs"] = Json::Object(inputs);
        schema["properties"]["stacks"]["allOf"] = json!([{"properties": implied}]);
        schema["if"] = json!({"type": "object", "not": {"required": ["extends"]}});
        schema["then"] = json!({"properties": {"stacks": {"properties": certain}}});
        schema["properties"]["stacks"]["additionalProperties"]["allOf"] = Json::Array(named);
        Ok(schema)
    }
}

/// Defaults of inputs that are called secrets are nobody's help.
fn hide_defaults(schema: &mut Json) {
    for (name, input) in schema.get_mut("properties").and_then(Json::as_object_mut).into_iter().flatten() {
        if let Some(default) = input.get_mut("default") {
            *default = shown(name, default.take());
        }
        hide_defaults(input);
    }
}

/// What an input takes. Null is right anywhere, for it removes.
fn of(spec: &Spec) -> Json {
    let rules = &spec.rules;
    let mut schema = match &spec.kind {
        Kind::String => json!({"type": "string"}),
        Kind::Integer => json!({"type": "integer"}),
        Kind::Number => json!({"type": "number"}),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Enum | Kind::Any => json!({}),
        Kind::List(items) => json!({"type": "array", "items": of(items)}),
        Kind::Fields(fields) => {
            let properties: Map<String, Json> = fields.iter().map(|(field, spec)| (field.clone(), of(spec))).collect();
            json!({"type": "object", "properties": properties, "additionalProperties": false})
        }
        Kind::Map(items) => json!({"type": "object", "additionalProperties": of(items)}),
        Kind::Cidr => json!({"type": "string", "pattern": "^[0-9a-fA-F.:]+/[0-9]+$"}),
        Kind::Duration => json!({"type": "string", "pattern": DURATION_PATTERN}),
        Kind::Size => json!({"type": "string", "pattern": SIZE_PATTERN}),
        Kind::Arn => json!({"type": "string", "pattern": super::spec::ARN_PATTERN}),
        Kind::Domain => json!({"type": "string", "pattern": super::spec::DOMAIN_PATTERN, "maxLength": 253}),
        Kind::Port => json!({"type": "integer", "minimum": 1, "maximum": 65_535}),
        Kind::Percent => json!({"type": "number", "minimum": 0, "maximum": 100}),
    };
    let Some(members) = schema.as_object_mut() else { return schema };
    if let Some(Json::String(kind)) = members.get("type").cloned() {
        members.insert("type".to_owned(), json!([kind, "null"]));
    }
    let mut rule = |key: &str, value: Option<Json>| {
        if let Some(value) = value {
            members.insert(key.to_owned(), value);
        }
    };
    let lengths = match spec.kind {
        Kind::List(_) => Some(("minItems", "maxItems")),
        Kind::String => Some(("minLength", "maxLength")),
        Kind::Map(_) => Some(("minProperties", "maxProperties")),
        _ => None,
    };
    if let Some((least, most)) = lengths {
        rule(least, rules.min_length.map(|length| json!(length)));
        rule(most, rules.max_length.map(|length| json!(length)));
    }
    if matches!(spec.kind, Kind::Integer | Kind::Number | Kind::Port | Kind::Percent) {
        rule("minimum", rules.min.as_ref().map(|bound| json!(bound.number)));
        rule("maximum", rules.max.as_ref().map(|bound| json!(bound.number)));
    }
    rule("pattern", rules.pattern.as_ref().map(|pattern| json!(pattern.as_str())));
    if !rules.values.is_empty() {
        let values = rules.values.iter().cloned().chain([Json::Null]);
        rule("enum", Some(values.collect()));
    }
    rule("default", spec.default.as_ref().filter(|default| !is_null(default)).map(to_json));
    rule("description", (!spec.about.is_empty()).then(|| json!(spec.about)));
    schema
}

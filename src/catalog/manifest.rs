//! The first document of a template: what it is for, what it takes, what it needs and gives.

use super::keys::{self, constraints_of};
use super::spec::{Bound, Kind, Rules, Spec};
use crate::document::{self, Shape, is_null, kind_of, listed, start_of, to_json};
use crate::model::{Input, InputKind, InputValue, Need, sensitive};
use crate::problem::{Located, Location, Problem, SourceFile};
use crate::quantity;
use cloudformation::source::{Limits, parse};
use indexmap::IndexMap;
use regex::Regex;
use serde_json::Value as Json;
use std::sync::Arc;

#[derive(Debug, Clone)]
pub struct Manifest {
    pub description: String,
    pub inputs: IndexMap<String, Spec>,
    /// CloudFormation parameter ← where its value comes from.
    pub needs: IndexMap<String, NeedSpec>,
    pub outputs: IndexMap<String, Located<String>>,
}

/// A need as the manifest says it.
#[derive(Debug, Clone)]
pub struct NeedSpec {
    pub key_at: Location,
    /// `stack.Output` or `image:name`, perhaps with `{{ … }}`.
    pub from: Located<String>,
    /// An expression; where it is false, the parameter is not wired.
    pub when: Option<Located<String>>,
}

const LIMITS: Limits = Limits { bytes: 1024 * 1024, depth: 40, nodes: 50_000 };

/// Reads a manifest. `text` is the part of the file that it stands in, from the file's start.
pub fn read(text: &str, file: &Arc<SourceFile>, problems: &mut Vec<Problem>) -> Option<Manifest> {
    let node = match parse(text, LIMITS) {
        Ok(node) => node,
        Err(error) => {
            problems.push(document::syntax(error, file));
            return None;
        }
    };
    let value = document::located(&node, file, problems);
    document::check(&value, &Shape::Keys(&keys::MANIFEST), "", problems);
    let empty = IndexMap::new();
    let top = map(&value).unwrap_or(&empty);
    if !top.contains_key("description") {
        let problem = Problem::error("missing-key", "the manifest has no `description`", Some(start_of(file)));
        problems.push(problem.help("say in a sentence what the template is for"));
    }
    let inputs: IndexMap<String, Spec> = entries(top, "inputs")
        .filter_map(|(name, input)| Some((name.clone(), spec(name, map(&input.value)?, &input.key_at, problems)?)))
        .collect();
    let needs =
        entries(top, "needs").filter_map(|(name, input)| Some((name.clone(), need(name, input, problems)?))).collect();
    let outputs = entries(top, "outputs")
        .filter_map(|(name, input)| {
            Some((name.clone(), Located { value: string(&input.value)?, at: input.key_at.clone() }))
        })
        .collect();
    Some(Manifest { description: text_of(top, "description").unwrap_or_default(), inputs, needs, outputs })
}

fn spec(name: &str, entry: &IndexMap<String, Input>, at: &Location, problems: &mut Vec<Problem>) -> Option<Spec> {
    let Some(type_name) = text_of(entry, "type") else {
        if !entry.contains_key("type") {
            problems.push(Problem::error("missing-key", format!("the input `{name}` has no `type`"), Some(at.clone())));
        }
        return None;
    };
    let mut wrong = |message: String, at: &Location| {
        problems.push(Problem::error("wrong-declaration", message, Some(at.clone())));
    };
    let allowed = constraints_of(&type_name);
    for (key, input) in entry {
        let general = ["type", "description", "default", "nullable"].contains(&key.as_str());
        if !general && !allowed.contains(&key.as_str()) && keys::INPUT.keys.iter().any(|known| known.name == key) {
            wrong(format!("`{key}` means nothing for an input of type `{type_name}`"), &input.key_at);
        }
    }
    let rules = rules(&type_name, entry, &mut wrong);
    let mut part = |key: &str| -> Option<Box<Spec>> {
        let input = entry.get(key)?;
        spec(&format!("{name}.{key}"), map(&input.value)?, &input.key_at, problems).map(Box::new)
    };
    let anything = || {
        Box::new(Spec {
            kind: Kind::Any,
            about: String::new(),
            default: None,
            nullable: false,
            rules: Rules::default(),
            at: at.clone(),
        })
    };
    let kind = match type_name.as_str() {
        "string" => Kind::String,
        "integer" => Kind::Integer,
        "number" => Kind::Number,
        "boolean" => Kind::Boolean,
        "enum" => Kind::Enum,
        "list" => Kind::List(part("items").unwrap_or_else(anything)),
        "map" if entry.contains_key("fields") => Kind::Fields(
            entries(entry, "fields")
                .filter_map(|(field, input)| {
                    let spec = spec(&format!("{name}.{field}"), map(&input.value)?, &input.key_at, problems)?;
                    Some((field.clone(), spec))
                })
                .collect(),
        ),
        "map" => Kind::Map(part("items").unwrap_or_else(anything)),
        "cidr" => Kind::Cidr,
        "duration" => Kind::Duration,
        "size" => Kind::Size,
        "arn" => Kind::Arn,
        "domain" => Kind::Domain,
        "port" => Kind::Port,
        "percent" => Kind::Percent,
        "any" => Kind::Any,
        // A type of another name has its problem already.
        _ => return None,
    };
    if matches!(kind, Kind::Enum) && rules.values.is_empty() {
        problems.push(Problem::error(
            "wrong-declaration",
            format!("the enum `{name}` has no `values`"),
            Some(at.clone()),
        ));
    }
    let default = entry.get("default").map(|input| input.value.clone());
    let null_default = default.as_ref().is_some_and(is_null);
    let nullable = null_default || entry.get("nullable").is_some_and(|input| to_json(&input.value) == Json::Bool(true));
    let about = text_of(entry, "description").unwrap_or_default();
    if let Some(default) = &default {
        sensitive::learn_named(name, &to_json(default));
    }
    let spec = Spec { kind, about, default, nullable, rules, at: at.clone() };
    if spec.default.is_some() {
        spec.resolve(None, name, at, problems);
    }
    Some(spec)
}

fn rules(type_name: &str, entry: &IndexMap<String, Input>, wrong: &mut impl FnMut(String, &Location)) -> Rules {
    let mut bound = |key: &str| -> Option<Bound> {
        let value = &entry.get(key)?.value;
        let number = match (type_name, &value.kind) {
            ("duration", InputKind::Scalar(Json::String(text))) => {
                quantity::duration(text).map(|it| it.as_secs() as f64)
            }
            ("size", InputKind::Scalar(Json::String(text))) => quantity::bytes(text).map(|bytes| bytes as f64),
            ("duration" | "size", _) => None,
            (_, InputKind::Scalar(Json::Number(number))) => number.as_f64(),
            _ => None,
        };
        match number {
            Some(number) => Some(Bound { number, text: super::spec::plain(&to_json(value)) }),
            None => {
                wrong(format!("`{key}` of an input of type `{type_name}` cannot be {}", kind_of(value)), &value.at);
                None
            }
        }
    };
    let (min, max) = (bound("min"), bound("max"));
    let pattern = entry.get("pattern").and_then(|input| {
        let text = string(&input.value)?;
        match Regex::new(&text) {
            Ok(regex) => Some(regex),
            Err(error) => {
                let reason = error.to_string();
                let last = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
                wrong(format!("this is no regular expression: {last}"), &input.value.at);
                None
            }
        }
    });
    let length = |key: &str| entry.get(key).and_then(|input| to_json(&input.value).as_u64()).map(|n| n as usize);
    let list = |key: &str| match entry.get(key).map(|input| to_json(&input.value)) {
        Some(Json::Array(items)) => items,
        _ => Vec::new(),
    };
    let one_of: Vec<String> = list("one_of").iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
    if let Some(input) = entry.get("one_of") {
        let fields: Vec<&str> = entries(entry, "fields").map(|(name, _)| name.as_str()).collect();
        for name in one_of.iter().filter(|name| !fields.contains(&name.as_str())) {
            wrong(
                format!("`one_of` names `{name}`, which is no field; the fields are {}", listed(fields.clone())),
                &input.value.at,
            );
        }
    }
    Rules {
        min,
        max,
        pattern,
        min_length: length("min_length"),
        max_length: length("max_length"),
        values: list("values"),
        one_of,
    }
}

fn need(name: &str, input: &Input, problems: &mut Vec<Problem>) -> Option<NeedSpec> {
    let located = |value: &InputValue| string(value).map(|text| Located { value: text, at: value.at.clone() });
    let (from, when) = match &input.value.kind {
        InputKind::Map(entries) => {
            document::check(&input.value, &Shape::Keys(&keys::NEED), &format!("needs.{name}"), problems);
            let get = |key: &str| entries.get(key).and_then(|input| located(&input.value));
            (get("from"), get("when"))
        }
        _ => (located(&input.value), None),
    };
    let Some(from) = from else {
        let problem = Problem::error(
            "wrong-type",
            format!("`needs.{name}` says not where its value comes from"),
            Some(input.key_at.clone()),
        );
        problems.push(problem.help("write `stack.Output`, `image:name`, or `{from: …, when: …}`"));
        return None;
    };
    if !from.value.contains("{{") && Need::parse(&from.value).is_none() {
        let problem = Problem::error("wrong-value", format!("`{}` is no need", from.value), Some(from.at.clone()));
        problems.push(problem.label("expected `stack.Output` or `image:name`"));
    }
    Some(NeedSpec { key_at: input.key_at.clone(), from, when })
}

fn map(value: &InputValue) -> Option<&IndexMap<String, Input>> {
    match &value.kind {
        InputKind::Map(entries) => Some(entries),
        _ => None,
    }
}

fn entries<'v>(within: &'v IndexMap<String, Input>, key: &str) -> impl Iterator<Item = (&'v String, &'v Input)> {
    within.get(key).and_then(|input| map(&input.value)).into_iter().flatten()
}

fn string(value: &InputValue) -> Option<String> {
    match &value.kind {
        InputKind::Scalar(Json::String(text)) => Some(text.clone()),
        _ => None,
    }
}

fn text_of(within: &IndexMap<String, Input>, key: &str) -> Option<String> {
    within.get(key).and_then(|input| string(&input.value))
}

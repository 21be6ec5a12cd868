//! Constraints over several resources: values are gathered along references, then held against a schema that may
//! compare them with each other (`$data`).

use super::check::{Checker, Found};
use super::conditions::Assumed;
use super::facts::is_no_value;
use crate::schema::Schema;
use crate::source::{Scalar, Span, Style};
use crate::template::{Expr, Kind, Member};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

/// Checks `value` (the properties of a resource) against a constraint over it and the resources it refers to.
pub fn check(checker: &mut Checker<'_, '_>, value: &Expr, spec: &Json, assumed: &Assumed) {
    let Some(parts) = spec.get("gather").and_then(Json::as_object) else { return };
    let schema = spec.get("schema").unwrap_or(&Json::Null);
    let is_remote = |part: &Json| part.get("reference").is_some();
    let Some((primary, remote)) = parts.iter().find(|(_, part)| is_remote(part)) else {
        return hold(checker, value, parts, &[], schema, assumed);
    };
    for (reference, assumed) in checker.facts.at(value, &path(remote.get("reference")), assumed) {
        let Some(resource) = checker.facts.referred(reference) else {
            if !matches!(reference.kind, Kind::Call(_)) {
                hold(checker, value, parts, &[], schema, &assumed);
            }
            continue;
        };
        if !has_type(checker, resource, remote) {
            continue;
        }
        let mut resources = vec![(primary.as_str(), resource)];
        for (name, part) in parts.iter().filter(|(name, part)| *name != primary && is_remote(part)) {
            let referred = checker.facts.at(value, &path(part.get("reference")), &assumed);
            let found = referred.into_iter().find_map(|(reference, _)| {
                checker.facts.referred(reference).filter(|resource| has_type(checker, resource, part))
            });
            resources.extend(found.map(|resource| (name.as_str(), resource)));
        }
        hold(checker, value, parts, &resources, schema, &assumed);
    }
}

fn has_type(checker: &Checker<'_, '_>, resource: &str, part: &Json) -> bool {
    let wanted = part.pointer("/filter/type").and_then(Json::as_str);
    let actual = checker.facts.template.resources.get(resource).map(|it| it.resource_type.value.as_str());
    wanted.is_none() || wanted == actual
}

/// Gathers the values of all parts and holds them against the schema.
fn hold(
    checker: &mut Checker<'_, '_>,
    value: &Expr,
    parts: &Map<String, Json>,
    resources: &[(&str, &str)],
    schema: &Json,
    assumed: &Assumed,
) {
    let mut gathered = Vec::new();
    for (name, part) in parts {
        let remote = resources.iter().find(|(part, _)| part == name).map(|(_, resource)| *resource);
        if part.get("reference").is_some() && remote.is_none() {
            continue;
        }
        let mut members = Vec::new();
        for (key, spec) in part.get("properties").and_then(Json::as_object).into_iter().flatten() {
            members.extend(property(checker, value, remote, spec, assumed).map(|found| member(key, found)));
        }
        gathered.push(member(name, Expr::new(Kind::Map(members), value.span)));
    }
    let gathered = Expr::new(Kind::Map(gathered), value.span);
    let resolved = resolve(schema, &gathered, false);
    let Ok(schema) = Schema::deserialize(resolved) else { return };
    for mut found in checker.check_other(&gathered, &schema, assumed) {
        put_back(&mut found, parts, resources);
        checker.found.push(found);
    }
}

/// Turns the path in what was gathered into one in the resource that the value came from.
fn put_back(found: &mut Found, parts: &Map<String, Json>, resources: &[(&str, &str)]) {
    let mut path = found.path.iter();
    let Some(part) = path.next() else { return };
    let spec = path.next().and_then(|key| parts.get(part)?.get("properties")?.get(key));
    let mut real: Vec<String> = spec.map(place).unwrap_or_default().into_iter().map(str::to_owned).collect();
    real.extend(path.cloned());
    found.resource = resources.iter().find(|(name, _)| name == part).map(|(_, resource)| (*resource).to_owned());
    found.path = real;
}

/// Where a property stands that is to be gathered.
fn place(spec: &Json) -> Vec<&str> {
    spec.as_str().map_or_else(|| path(spec.get("path")), segments)
}

fn property(
    checker: &Checker<'_, '_>,
    value: &Expr,
    remote: Option<&str>,
    spec: &Json,
    assumed: &Assumed,
) -> Option<Expr> {
    let place = place(spec);
    if place == ["$type"] {
        let name = checker.facts.template.resources.get(remote?)?;
        return Some(literal(&Json::from(name.resource_type.value.as_str()), name.resource_type.span));
    }
    let found = match remote {
        Some(resource) => checker.facts.property(resource, &place, assumed).first().map(|(found, _)| (*found).clone()),
        None => checker.facts.at(value, &place, assumed).first().map(|(found, _)| (*found).clone()),
    };
    found.filter(|found| !is_no_value(found)).or_else(|| Some(literal(spec.get("default")?, value.span)))
}

/// A schema with each `$data` pointer replaced by what it points to.
fn resolve(schema: &Json, gathered: &Expr, literal: bool) -> Json {
    match schema {
        Json::Array(items) => items.iter().map(|item| resolve(item, gathered, literal)).collect(),
        Json::Object(entries) => {
            let mut resolved = Map::new();
            for (key, value) in entries {
                let literal = literal || key == "cfnContext";
                let Some(pointer) = value.get("$data").and_then(Json::as_str) else {
                    resolved.insert(key.clone(), resolve(value, gathered, literal));
                    continue;
                };
                let found = segments(pointer).into_iter().try_fold(gathered, |here, name| here.get(name));
                let usable = found.filter(|found| literal || !matches!(found.kind, Kind::Call(_)));
                match usable.map(Expr::to_json) {
                    None => {
                        resolved.insert("cfnUnresolved".to_owned(), Json::Bool(true));
                    }
                    Some(Json::String(text)) if is_numeric(key) => {
                        resolved.extend(text.parse::<f64>().ok().map(|number| (key.clone(), Json::from(number))));
                    }
                    Some(found) => {
                        resolved.insert(key.clone(), found);
                    }
                }
            }
            Json::Object(resolved)
        }
        other => other.clone(),
    }
}

fn is_numeric(keyword: &str) -> bool {
    matches!(keyword, "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum")
}

fn path(pointer: Option<&Json>) -> Vec<&str> {
    pointer.and_then(Json::as_str).map(segments).unwrap_or_default()
}

fn segments(pointer: &str) -> Vec<&str> {
    pointer.split('/').filter(|segment| !segment.is_empty() && *segment != ".").collect()
}

fn member(key: &str, value: Expr) -> Member {
    Member { key: key.to_owned(), key_span: value.span, value }
}

fn literal(json: &Json, span: Span) -> Expr {
    let (text, style) = match json {
        Json::String(text) => (text.clone(), Style::Text),
        other => (other.to_string(), Style::Plain),
    };
    Expr::new(Kind::Literal(Scalar { text, style }), span)
}

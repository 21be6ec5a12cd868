//! The catalog as data: what `infra docs templates` prints.

use super::spec::{Kind, Spec};
use super::{Catalog, Origin, Template};
use crate::document::{is_null, start_of, to_json};
use crate::problem::{Located, Problem, SourceFile};
use cloudformation::sensitive::Properties;
use serde::Serialize;
use serde_json::Value as Json;
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TemplateDescription {
    pub name: String,
    pub origin: Origin,
    pub description: String,
    pub inputs: Vec<InputDescription>,
    pub needs: Vec<NeedDescription>,
    pub outputs: Vec<OutputDescription>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InputDescription {
    /// With dots for the fields of a map: `count.min`.
    pub name: String,
    /// `integer`, `list of string`, `map` …
    #[serde(rename = "type")]
    pub kind: String,
    /// What is right, in words: "an integer from 2 to 4".
    pub takes: String,
    pub required: bool,
    /// Null for an input that may be left out, and absent where a value is required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Json>,
    pub description: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NeedDescription {
    pub parameter: String,
    pub from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutputDescription {
    pub name: String,
    pub description: String,
}

impl Catalog {
    /// All templates, sorted by name.
    ///
    /// # Errors
    /// The problems of all templates that cannot be read.
    pub fn describe(&self) -> Result<Vec<TemplateDescription>, Vec<Problem>> {
        let nowhere = Arc::new(SourceFile { name: String::new(), text: String::new() });
        let mut problems = Vec::new();
        let mut described = Vec::new();
        for name in self.names() {
            match self.get(&Located { value: name, at: start_of(&nowhere) }) {
                Ok(template) => described.push(template.describe()),
                Err(more) => problems.extend(more),
            }
        }
        if problems.is_empty() { Ok(described) } else { Err(problems) }
    }
}

impl Template {
    pub fn describe(&self) -> TemplateDescription {
        let mut inputs = Vec::new();
        for (name, spec) in &self.manifest.inputs {
            describe(name, spec, &mut inputs);
        }
        let need = |(parameter, need): (&String, &super::NeedSpec)| NeedDescription {
            parameter: parameter.clone(),
            from: need.from.value.clone(),
            when: need.when.as_ref().map(|when| when.value.clone()),
        };
        let output = |(name, about): (&String, &Located<String>)| OutputDescription {
            name: name.clone(),
            description: about.value.clone(),
        };
        TemplateDescription {
            name: self.name.clone(),
            origin: self.origin,
            description: self.manifest.description.clone(),
            inputs,
            needs: self.manifest.needs.iter().map(need).collect(),
            outputs: self.manifest.outputs.iter().map(output).collect(),
        }
    }
}

fn describe(name: &str, spec: &Spec, inputs: &mut Vec<InputDescription>) {
    inputs.push(InputDescription {
        name: name.to_owned(),
        kind: spec.kind_name(),
        takes: spec.describe(),
        required: spec.default.is_none(),
        default: spec.default.as_ref().map(|default| match is_null(default) {
            true => Json::Null,
            false => shown(name, to_json(default)),
        }),
        description: spec.about.clone(),
    });
    if let Kind::Fields(fields) = &spec.kind {
        for (field, spec) in fields {
            describe(&format!("{name}.{field}"), spec, inputs);
        }
    }
}

/// A default as it may be shown: one of an input that is called a secret is not.
pub(super) fn shown(name: &str, default: Json) -> Json {
    let name = name.rsplit('.').next().unwrap_or(name);
    let all = Json::Object([(name.to_owned(), default)].into_iter().collect());
    Properties::of_nothing().hide(&all)[name].take()
}

impl Spec {
    /// The type as a manifest writes it, with that of its items.
    pub fn kind_name(&self) -> String {
        match &self.kind {
            Kind::String => "string".to_owned(),
            Kind::Integer => "integer".to_owned(),
            Kind::Number => "number".to_owned(),
            Kind::Boolean => "boolean".to_owned(),
            Kind::Enum => "enum".to_owned(),
            Kind::List(items) => format!("list of {}", items.kind_name()),
            Kind::Fields(_) => "map".to_owned(),
            Kind::Map(items) => format!("map of {}", items.kind_name()),
            Kind::Cidr => "cidr".to_owned(),
            Kind::Duration => "duration".to_owned(),
            Kind::Size => "size".to_owned(),
            Kind::Arn => "arn".to_owned(),
            Kind::Domain => "domain".to_owned(),
            Kind::Port => "port".to_owned(),
            Kind::Percent => "percent".to_owned(),
            Kind::Any => "any".to_owned(),
        }
    }
}

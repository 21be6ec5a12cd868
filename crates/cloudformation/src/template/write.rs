//! Back to JSON, with every function in its long form.

use super::expr::{Expr, Function, Kind, Member};
use super::form::FUNCTIONS;
use super::sections::Template;
use crate::source::{Node, Value};
use serde_json::{Map, Value as Json, json};

impl Template {
    /// The template as JSON; short tags have become long forms. Reading it again gives the same template.
    pub fn to_json(&self) -> Json {
        long_form(&self.root)
    }
}

/// A tree as JSON with tags as long forms: `!GetAtt A.B` is `{"Fn::GetAtt": ["A", "B"]}`.
fn long_form(node: &Node) -> Json {
    let bare = || match &node.value {
        Value::Scalar(scalar) => scalar.to_json(),
        Value::List(items) => items.iter().map(long_form).collect(),
        Value::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), long_form(&entry.value))).collect(),
    };
    let Some(tag) = &node.tag else { return bare() };
    let known = FUNCTIONS.iter().find(|(name, short)| short == tag || name == tag);
    let name = known.map_or(tag.as_str(), |(name, _)| name);
    let argument = match (name, node.as_scalar()) {
        ("Fn::GetAtt", Some(scalar)) => match scalar.text.split_once('.') {
            Some((resource, attribute)) => json!([resource, attribute]),
            None => bare(),
        },
        (_, Some(scalar)) if scalar.text.is_empty() => json!(""),
        ("Ref" | "Condition", Some(scalar)) => Json::String(scalar.text.clone()),
        _ => bare(),
    };
    json!({ name: argument })
}

impl Expr {
    /// The expression as JSON, functions in long form.
    pub fn to_json(&self) -> Json {
        match &self.kind {
            Kind::Literal(scalar) => scalar.to_json(),
            Kind::List(items) => items.iter().map(Expr::to_json).collect(),
            Kind::Map(members) => Json::Object(object(members)),
            Kind::Call(function) => {
                let argument = function.argument_json();
                json!({ function.name(): argument })
            }
        }
    }
}

fn object(members: &[Member]) -> Map<String, Json> {
    members.iter().map(|member| (member.key.clone(), member.value.to_json())).collect()
}

impl Function {
    fn argument_json(&self) -> Json {
        match self {
            Function::Condition(name) => Json::String(name.value.clone()),
            Function::If { condition, then, otherwise } => {
                json!([condition.value, then.to_json(), otherwise.to_json()])
            }
            Function::Sub { template, variables, .. } if variables.is_empty() => Json::String(template.value.clone()),
            Function::Sub { template, variables, .. } => json!([template.value, object(variables)]),
            Function::FindInMap { map, first, second, default: Some(default) } => {
                json!([map.to_json(), first.to_json(), second.to_json(), { "DefaultValue": default.to_json() }])
            }
            Function::And(_)
            | Function::Or(_)
            | Function::Not(_)
            | Function::GetAtt { .. }
            | Function::Join { .. }
            | Function::Select { .. }
            | Function::Split { .. }
            | Function::Equals(..)
            | Function::FindInMap { .. }
            | Function::Cidr { .. } => self.arguments().into_iter().map(Expr::to_json).collect(),
            Function::Ref(argument)
            | Function::Base64(argument)
            | Function::GetAzs(argument)
            | Function::ImportValue(argument)
            | Function::Length(argument)
            | Function::ToJsonString(argument)
            | Function::GetStackOutput(argument)
            | Function::Transform(argument)
            | Function::Rule { argument, .. }
            | Function::Malformed { argument, .. } => argument.to_json(),
        }
    }
}

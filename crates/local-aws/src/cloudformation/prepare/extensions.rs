//! What `GetTemplate` shows of a template with the language extensions: loops expanded, and functions replaced by what
//! they give where nothing is left open. The deployment itself evaluates the functions where they stand.

use super::macros::without_transform;
use cloudformation::evaluate::{Evaluator, Resources, Value};
use cloudformation::order::references;
use cloudformation::template::{Expr, Function, Kind, Template};
use serde_json::Value as Json;

/// The template after the transform.
pub(super) fn processed(template: &Template, evaluator: &Evaluator<'_>) -> Json {
    let mut json = without_transform(template.to_json());
    for (id, resource) in &template.resources {
        if let Some(properties) = &resource.properties {
            json["Resources"][id]["Properties"] = shown(properties, evaluator);
        }
        // The transform writes a list of one as that one.
        if let [only] = resource.depends_on.as_slice() {
            json["Resources"][id]["DependsOn"] = Json::String(only.value.clone());
        }
    }
    for (key, output) in &template.outputs {
        json["Outputs"][key]["Value"] = shown(&output.value, evaluator);
    }
    json
}

fn shown(expr: &Expr, evaluator: &Evaluator<'_>) -> Json {
    match &expr.kind {
        Kind::Literal(_) => expr.to_json(),
        Kind::List(items) => items.iter().map(|item| shown(item, evaluator)).collect(),
        Kind::Map(members) => {
            members.iter().map(|member| (member.key.clone(), shown(&member.value, evaluator))).collect()
        }
        Kind::Call(function) => {
            // The transform's own functions are run; others only if they refer to nothing.
            let own = matches!(function.as_ref(), Function::Length(_) | Function::ToJsonString(_));
            let closed = || references(expr).is_empty() && !is_open(function);
            if own || closed() {
                let value = evaluator.evaluate(expr, &Later, "/Resources").value;
                if value.is_known() && !value.is_sensitive() && value != Value::NoValue {
                    return value.to_json();
                }
            }
            expr.to_json()
        }
    }
}

/// Whether a function is decided by the deployment.
fn is_open(function: &Function) -> bool {
    matches!(
        function,
        Function::Ref(_)
            | Function::GetAtt { .. }
            | Function::If { .. }
            | Function::ImportValue(_)
            | Function::GetStackOutput(_)
            | Function::GetAzs(_)
    )
}

/// Resources are there, and nothing is known of them.
pub(super) struct Later;

impl Resources for Later {
    fn reference(&self, _: &str) -> Option<Value> {
        Some(Value::Unknown)
    }

    fn attribute(&self, _: &str, _: &str) -> Option<Value> {
        Some(Value::Unknown)
    }
}

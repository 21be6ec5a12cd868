//! What AWS says of the values of properties that it cannot show: where `Fn::Join` is to join what `Fn::Split` makes of a
//! value that only the deployment knows, its evaluation finds no list; where `Fn::ImportValue` names no export, there is
//! no value. DescribeChangeSet with property values then bears a warning as its reason. The change set is good all the same.

use super::extensions::Later;
use cloudformation::evaluate::Evaluator;
use cloudformation::order::references;
use cloudformation::predict::Deployment;
use cloudformation::template::{Expr, Function};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// The warning for the changes of a change set, if there is any; `changes` as on the wire.
pub(super) fn warning(after: &Deployment, changes: &[Json]) -> Option<String> {
    let (mut listed, mut later) = (BTreeSet::new(), BTreeSet::new());
    for change in changes.iter().map(|change| &change["ResourceChange"]) {
        let Some(id) = change["LogicalResourceId"].as_str() else { continue };
        listed.insert(id);
        if change["Action"] == "Add" || change["Replacement"] == "True" {
            later.insert(id);
        }
    }
    let evaluator = Evaluator::new(&after.template, &after.parameters, &after.environment, &after.facts);
    let listed = after.template.resources.iter().filter(|(id, _)| listed.contains(id.as_str()));
    let (id, why) = listed.filter_map(|(id, resource)| Some((id, resource.properties.as_ref()?))).find_map(
        |(id, properties)| {
            let why = match joins_unknown(properties, &later) {
                true => Some(JOIN.to_owned()),
                false => missing_export(properties, &evaluator, after),
            };
            Some((id, why?))
        },
    )?;
    Some(format!(
        "[WARN] --include-property-values option can return incomplete ChangeSet data because: ChangeSet creation failed for \
         resource [{id}] because: {why}"
    ))
}

const JOIN: &str = "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list \
                    of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be \
                    joined.";

/// Why a value cannot be told that imports what nobody exports.
fn missing_export(expr: &Expr, evaluator: &Evaluator<'_>, after: &Deployment) -> Option<String> {
    let mut missing = None;
    expr.walk(&mut |expr| {
        if let Some(Function::ImportValue(name)) = expr.as_call()
            && let Some(name) = evaluator.evaluate(name, &Later, "/Resources").value.as_text()
            && !after.facts.exports.contains_key(&name)
        {
            missing.get_or_insert_with(|| format!("No export named {name} found"));
        }
    });
    missing
}

/// Whether a value joins the parts of something that is made only by the deployment.
fn joins_unknown(expr: &Expr, later: &BTreeSet<&str>) -> bool {
    let mut found = false;
    expr.walk(&mut |expr| {
        if let Some(Function::Join { items, .. }) = expr.as_call()
            && let Some(Function::Split { text, .. }) = items.as_call()
        {
            found |= references(text).iter().any(|id| later.contains(id));
        }
    });
    found
}

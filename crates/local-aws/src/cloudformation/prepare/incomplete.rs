//! What AWS says of the values of properties that it cannot show: where `Fn::Join` is to join what `Fn::Split` makes of a
//! value that only the deployment knows, its evaluation finds no list, and DescribeChangeSet with property values bears a
//! warning as its reason. The change set is good all the same.

use cloudformation::order::references;
use cloudformation::template::{Expr, Function, Template};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// The warning for the changes of a change set, if there is any; `changes` as on the wire.
pub(super) fn warning(template: &Template, changes: &[Json]) -> Option<String> {
    let (mut listed, mut later) = (BTreeSet::new(), BTreeSet::new());
    for change in changes.iter().map(|change| &change["ResourceChange"]) {
        let Some(id) = change["LogicalResourceId"].as_str() else { continue };
        listed.insert(id);
        if change["Action"] == "Add" || change["Replacement"] == "True" {
            later.insert(id);
        }
    }
    let (id, _) = template
        .resources
        .iter()
        .filter(|(id, _)| listed.contains(id.as_str()))
        .find(|(_, resource)| resource.properties.as_ref().is_some_and(|expr| joins_unknown(expr, &later)))?;
    Some(format!(
        "[WARN] --include-property-values option can return incomplete ChangeSet data because: ChangeSet creation failed for \
         resource [{id}] because: Template error: every Fn::Join object requires two parameters, (1) a string delimiter \
         and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be \
         joined."
    ))
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

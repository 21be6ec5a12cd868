//! One resource before and after a step, evaluated as far as that goes: references stand as `${Table.Arn}`, and so do
//! parameters whose value comes with the apply, on both sides. What is the same expression is thus the same text.

use crate::plan::changes::Sides;
use crate::plan::document::{Change, ChangeAction, Value};
use crate::plan::shown::{SENSITIVE_PART, UNKNOWN_PART, shown};
use cloudformation::evaluate::{Evaluator, ParameterValue, Resources, Value as Evaluated};
use cloudformation::predict::Deployment;
use cloudformation::sensitive::{Literal, Properties};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// A resource that a step changes.
pub(super) struct Pair<'a> {
    pub change: &'a Change,
    /// Its properties; null where it is not there.
    pub before: Json,
    pub after: Json,
    /// Secrets that stand in the properties after the step as they are.
    pub literals: Vec<Literal>,
    pub attributes_before: Attributes,
    pub attributes_after: Attributes,
}

/// What happens to the resource when it goes, in CloudFormation's words.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Attributes {
    pub deletion_policy: Option<String>,
    pub update_replace_policy: Option<String>,
}

impl Pair<'_> {
    pub fn is(&self, resource_type: &str) -> bool {
        self.change.resource_type == resource_type
    }

    pub fn is_new(&self) -> bool {
        matches!(self.change.action, ChangeAction::Add | ChangeAction::Import)
    }

    pub fn is_removed(&self) -> bool {
        self.change.action == ChangeAction::Remove
    }
}

/// The changed resources of a step.
pub(super) fn pairs<'a>(sides: &Sides, changes: &'a [Change]) -> Vec<Pair<'a>> {
    let open: BTreeSet<&str> = unknown(&sides.after);
    let before = sides.before.as_ref().map(|before| Side::new(before, &open));
    let after = Side::new(&sides.after, &open);
    let nothing = || (Json::Null, Attributes::default());
    changes
        .iter()
        .map(|change| {
            let id = change.logical_id.as_str();
            let (old, old_attributes) = before.as_ref().and_then(|side| side.read(id)).unwrap_or_else(nothing);
            let of = Properties::of(&change.resource_type);
            let (new, new_attributes) = match change.action {
                ChangeAction::Remove => nothing(),
                _ => after.read(id).unwrap_or_else(nothing),
            };
            Pair {
                change,
                before: of.hide(&old),
                after: of.hide(&new),
                literals: of.literals(&new),
                attributes_before: old_attributes,
                attributes_after: new_attributes,
            }
        })
        .collect()
}

fn unknown(after: &Deployment) -> BTreeSet<&str> {
    let values = after.parameters.iter();
    values.filter(|(_, value)| **value == ParameterValue::Unknown).map(|(name, _)| name.as_str()).collect()
}

struct Side<'d> {
    deployment: &'d Deployment,
    evaluator: Evaluator<'d>,
}

impl<'d> Side<'d> {
    fn new(deployment: &'d Deployment, open: &BTreeSet<&str>) -> Side<'d> {
        let mut parameters = deployment.parameters.clone();
        for (name, value) in &mut parameters {
            if open.contains(name.as_str()) {
                *value = ParameterValue::Known(format!("${{{name}}}"));
            }
        }
        let evaluator = Evaluator::new(&deployment.template, &parameters, &deployment.environment, &deployment.facts);
        Side { deployment, evaluator }
    }

    fn read(&self, id: &str) -> Option<(Json, Attributes)> {
        let resource = self.deployment.template.resources.get(id)?;
        let read = |expr: &cloudformation::template::Expr, section: &str| {
            let place = format!("/Resources/{id}/{section}");
            match shown(Some(&self.evaluator.evaluate(expr, self, &place).value)) {
                Value::Known(json) => json,
                Value::Unknown => Json::String(UNKNOWN_PART.to_owned()),
                Value::Sensitive => Json::String(SENSITIVE_PART.to_owned()),
                Value::Absent => Json::Null,
            }
        };
        let properties = resource.properties.as_ref().map(|expr| read(expr, "Properties"));
        let word = |expr: &Option<cloudformation::template::Expr>, section: &str| {
            expr.as_ref().and_then(|expr| read(expr, section).as_str().map(str::to_owned))
        };
        let attributes = Attributes {
            deletion_policy: word(&resource.deletion_policy, "DeletionPolicy"),
            update_replace_policy: word(&resource.update_replace_policy, "UpdateReplacePolicy"),
        };
        Some((properties.unwrap_or_else(|| Json::Object(Default::default())), attributes))
    }
}

impl Resources for Side<'_> {
    fn reference(&self, id: &str) -> Option<Evaluated> {
        self.deployment.template.resources.get(id)?;
        Some(Evaluated::String(format!("${{{id}}}")))
    }

    fn attribute(&self, id: &str, attribute: &str) -> Option<Evaluated> {
        self.deployment.template.resources.get(id)?;
        Some(Evaluated::String(format!("${{{id}.{attribute}}}")))
    }
}

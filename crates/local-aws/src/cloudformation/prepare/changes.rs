//! What an update (or a creation) would change: the prediction, with the facts of the stack as it is.

use super::{deployment, drift, incomplete};
use crate::cloudformation::engine::scene::account_facts;
use crate::cloudformation::model::{Definition, Stack, StackResource};
use crate::cloudformation::reading;
use crate::resources;
use crate::world::World;
use cloudformation::evaluate::{Facts, LiveResource};
use cloudformation::predict::{Deployment, Prediction, PropertyValues, describe, predict};
use cloudformation::template::Template;
use indexmap::IndexMap;
use serde_json::Value as Json;
use std::sync::Arc;

/// What becomes part of a stack, and what its changes start from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// Logical id → physical id.
    pub imports: IndexMap<String, String>,
    /// From what resources are, not from what they were made as.
    pub live_state: bool,
}

/// The changes of a change set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    /// Whether there is anything to do: outputs and tags count too.
    pub any: bool,
    /// Whether there is anything beside changes of resources: the creation itself, outputs, tags.
    pub beside: bool,
    /// `{ResourceChange, Type}` as on the wire, without and with property values.
    pub plain: Vec<Json>,
    pub with_values: Vec<Json>,
    /// What the description with property values says beside them.
    pub warning: Option<String>,
}

/// Compares a stack as it is with a definition.
///
/// # Errors
/// Why the change set would fail.
pub(crate) async fn changes(
    world: &Arc<World>,
    stack: &Stack,
    after: &Definition,
    from: &Origin,
) -> Result<Changes, String> {
    if let Some(failure) = &after.failure {
        return Err(failure.clone());
    }
    let account = account_facts(world, &stack.place);
    let after_template = template(after)?;
    let before = match is_deployed(stack) {
        false => None,
        true => {
            let facts = Facts { resources: live(stack), ..account.clone() };
            Some(deployment(template(&stack.current)?, &stack.current, stack, facts))
        }
    };
    let mut after = deployment(after_template, after, stack, account);
    after.imports.clone_from(&from.imports);
    let prediction = predict(before.as_ref(), Some(&after))
        .map_err(|problems| problems.first().map(|problem| problem.message.clone()).unwrap_or_default())?;
    let mut changes = Changes {
        any: false,
        beside: before
            .as_ref()
            .is_none_or(|before| outputs_differ(before, &after, &prediction) || before.tags != after.tags),
        plain: wire(describe(&prediction.changes, PropertyValues::Omitted)),
        with_values: wire(describe(&prediction.changes, PropertyValues::Included)),
        warning: None,
    };
    changes.warning = incomplete::warning(&after, &changes.with_values);
    if from.live_state {
        drift::mark(world, stack, &mut changes).await;
    }
    changes.any = changes.beside || !changes.plain.is_empty() || !changes.with_values.is_empty();
    Ok(changes)
}

/// Whether there was ever anything carried out.
fn is_deployed(stack: &Stack) -> bool {
    !stack.current.template.is_empty() && stack.status != "REVIEW_IN_PROGRESS"
}

fn template(definition: &Definition) -> Result<Template, String> {
    let text = definition.expanded.as_ref().unwrap_or(&definition.template);
    match reading::read(text) {
        Ok((template, problems)) => problems.into_iter().next().map_or(Ok(template), |problem| Err(problem.message)),
        Err(problem) => Err(problem.message),
    }
}

/// The stack's resources as the predictor wants them.
fn live(stack: &Stack) -> IndexMap<String, LiveResource> {
    let there = stack.resources.values().filter(|resource| !resource.physical_id.is_empty());
    let fact = |resource: &StackResource| {
        let reference = resources::reference(&resource.resource_type, &resource.physical_id, &resource.attributes);
        LiveResource {
            physical_id: Some(reference.as_str().map_or_else(|| resource.physical_id.clone(), str::to_owned)),
            attributes: resource.attributes.clone(),
        }
    };
    there.map(|resource| (resource.logical_id.clone(), fact(resource))).collect()
}

/// What an output says counts as a change, and so do its value and the name of its export.
fn outputs_differ(before: &Deployment, after: &Deployment, prediction: &Prediction) -> bool {
    let written = |deployment: &Deployment| deployment.template.to_json().get("Outputs").cloned();
    written(before) != written(after) || prediction.outputs.values().any(|output| output.before != output.after)
}

/// Contexts are text on the wire.
fn wire(mut changes: Vec<Json>) -> Vec<Json> {
    for change in &mut changes {
        for key in ["BeforeContext", "AfterContext"] {
            if let Some(context) = change["ResourceChange"].get_mut(key) {
                *context = Json::String(context.to_string());
            }
        }
    }
    changes
}

//! `GetTemplate`.

use super::find;
use crate::cloudformation::model::Definition;
use crate::place::Place;
use crate::query::{self, Fault};
use crate::world::World;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    stack_name: Option<String>,
    change_set_name: Option<String>,
    template_stage: Option<String>,
}

/// The template of a stack or of a change set: the text as it was sent, or after its transforms.
pub(super) async fn get_template(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let stacks = world.stacks.lock();
    let change_set = |name: &str, stack_name: Option<&str>| find::change_set(&stacks, place, name, stack_name);
    let mut stages: &[&str] = &["Original", "Processed"];
    let definition = match (&input.change_set_name, &input.stack_name) {
        (Some(name), stack_name) if stack_name.is_some() || name.starts_with("arn:") => {
            let (_, found) = change_set(name, stack_name.as_deref())?;
            if matches!(found.status.as_str(), "CREATE_PENDING" | "CREATE_IN_PROGRESS") {
                // Macros run while the change set is made.
                stages = &stages[..1];
            }
            &found.definition
        }
        // Without a stack AWS looks for no name.
        (Some(name), _) => return Err(find::change_set_missing(name)),
        (None, Some(name)) => {
            let stack = find::stack(&stacks, place, name).ok_or_else(|| find::with_id(name))?;
            if stack.status == "REVIEW_IN_PROGRESS" {
                // Nothing was carried out: the stack has no template yet, only its change sets have.
                return Ok(json!({ "StagesAvailable": stages }));
            }
            &stack.current
        }
        (None, None) => {
            return Err(Fault::validation("StackName is required if ChangeSetName is not specified."));
        }
    };
    let body = match input.template_stage.as_deref() {
        Some("Processed") => processed(definition),
        _ => &definition.template,
    };
    Ok(json!({ "TemplateBody": body, "StagesAvailable": stages }))
}

/// What AWS makes of a template: the text itself where no transform changes it.
fn processed(definition: &Definition) -> &String {
    definition.processed.as_ref().unwrap_or(&definition.template)
}

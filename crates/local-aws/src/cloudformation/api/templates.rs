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
    let definition = match (&input.change_set_name, &input.stack_name) {
        (Some(change_set), Some(name)) => &find::change_set(&stacks, place, change_set, Some(name))?.1.definition,
        (Some(change_set), None) if change_set.starts_with("arn:") => {
            &find::change_set(&stacks, place, change_set, None)?.1.definition
        }
        // Without a stack AWS looks for no name.
        (Some(change_set), None) => return Err(find::change_set_missing(change_set)),
        (None, Some(name)) => find::definition(find::stack(&stacks, place, name).ok_or_else(|| find::with_id(name))?),
        (None, None) => {
            return Err(Fault::validation("StackName is required if ChangeSetName is not specified."));
        }
    };
    let body = match input.template_stage.as_deref() {
        Some("Processed") => processed(definition),
        _ => &definition.template,
    };
    Ok(json!({ "TemplateBody": body, "StagesAvailable": ["Original", "Processed"] }))
}

/// What AWS makes of a template: the text itself where no transform changes it.
fn processed(definition: &Definition) -> &String {
    definition.processed.as_ref().unwrap_or(&definition.template)
}

//! `ListExports` and `ListImports`.

use super::{find, page, required};
use crate::cloudformation::model::Stack;
use crate::place::Place;
use crate::query::{self, Fault};
use crate::world::World;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    export_name: Option<String>,
    next_token: Option<String>,
}

/// The exports of all stacks, by name.
pub(super) async fn list_exports(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let stacks = world.stacks.lock();
    let mut exports: Vec<(&str, &str, &str)> = stacks
        .values()
        .filter(|stack| is_live(stack, place))
        .flat_map(|stack| stack.outputs.iter().map(move |output| (stack, output)))
        .filter_map(|(stack, output)| Some((output.export.as_deref()?, stack.id.as_str(), output.value.as_str())))
        .collect();
    exports.sort_unstable();
    let (shown, next) = page::page(exports, input.next_token.as_deref(), page::PAGE, |(name, ..)| (*name).to_owned())?;
    let shown: Vec<Json> = shown
        .into_iter()
        .map(|(name, stack_id, value)| json!({ "ExportingStackId": stack_id, "Name": name, "Value": value }))
        .collect();
    Ok(json!({ "Exports": shown, "NextToken": next }))
}

/// The names of the stacks that import an export.
pub(super) async fn list_imports(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let export = required(input.export_name, "exportName")?;
    let stacks = world.stacks.lock();
    let live = || stacks.values().filter(|stack| is_live(stack, place));
    let importing: Vec<String> =
        live().filter(|stack| stack.imports.contains(&export)).map(|stack| stack.name.clone()).collect();
    if importing.is_empty() {
        let exported = live().any(|stack| stack.outputs.iter().any(|output| output.export.as_ref() == Some(&export)));
        return Err(Fault::validation(match exported {
            true => format!("Export '{export}' is not imported by any stack."),
            false => format!("Export '{export}' does not exist."),
        }));
    }
    let (shown, next) = page::page(importing, input.next_token.as_deref(), page::PAGE, Clone::clone)?;
    Ok(json!({ "Imports": shown, "NextToken": next }))
}

fn is_live(stack: &Stack, place: &Place) -> bool {
    stack.place == *place && !find::is_deleted(stack)
}

//! `ListStacks` and `ListChangeSets`.

use super::{describe, find, page, required, show};
use crate::cloudformation::model::Stack;
use crate::place::Place;
use crate::query::{self, Fault};
use crate::world::World;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListStacks {
    next_token: Option<String>,
    #[serde(default)]
    stack_status_filter: Vec<String>,
}

/// All stacks of the given statuses, or all there ever were; the newest first.
pub(super) async fn list_stacks(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: ListStacks = query::input(input)?;
    let stacks = world.stacks.lock();
    let wanted = &input.stack_status_filter;
    let listed: Vec<&Stack> = stacks
        .values()
        .rev()
        .filter(|stack| stack.place == *place && (wanted.is_empty() || wanted.contains(&stack.status)))
        .collect();
    let (shown, next) = page::page(listed, input.next_token.as_deref(), page::PAGE, |stack| stack.id.clone())?;
    let summaries: Vec<Json> = shown.into_iter().map(summary).collect();
    Ok(json!({ "StackSummaries": summaries, "NextToken": next }))
}

fn summary(stack: &Stack) -> Json {
    json!({
        "StackId": stack.id,
        "StackName": stack.name,
        "TemplateDescription": stack.current.description,
        "CreationTime": show::time(stack.created),
        "LastUpdatedTime": stack.updated.map(show::time),
        "DeletionTime": stack.deleted.map(show::time),
        "StackStatus": stack.status,
        "StackStatusReason": stack.status_reason,
        "ParentId": stack.parent.as_ref().map(|parent| &parent.stack_id),
        "RootId": stack.parent.as_ref().map(|parent| &parent.root_id),
        "DriftInformation": show::stack_drift(stack),
        "LastOperations": super::events::last_operation(stack).map(|last| [last]),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListChangeSets {
    stack_name: Option<String>,
    next_token: Option<String>,
}

/// The change sets of a stack that were not executed.
pub(super) async fn list_change_sets(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: ListChangeSets = query::input(input)?;
    let name = required(input.stack_name, "stackName")?;
    let stacks = world.stacks.lock();
    let stack = find::stack(&stacks, place, &name).ok_or_else(|| find::in_brackets(&name))?;
    let pending = stack.change_sets.values().filter(|it| !is_past(&it.execution_status));
    let (shown, next) = page::page(pending, input.next_token.as_deref(), page::PAGE, |it| it.id.clone())?;
    let summaries: Vec<Json> = shown.into_iter().map(|it| describe::change_set_summary(stack, it)).collect();
    Ok(json!({ "Summaries": summaries, "NextToken": next }))
}

fn is_past(execution_status: &str) -> bool {
    execution_status.starts_with("EXECUTE_")
}

//! Change sets of nested stacks (`IncludeNestedStacks`): one for each stack of a hierarchy, made with the root's, carried
//! out and deleted with it. (User guide, "Change sets for nested stacks".)

use super::change_sets::{NO_CHANGES, compute};
use crate::cloudformation::engine::events::{STACK_TYPE, USER_INITIATED, stack_event};
use crate::cloudformation::engine::{Ended, dynamic};
use crate::cloudformation::model::{ChangeSet, Definition, Hierarchy, Parent, Stack};
use crate::cloudformation::prepare::{Changes, Request, prepare};
use crate::query::Fault;
use crate::world::World;
use indexmap::IndexMap;
use serde_json::{Value as Json, json};
use std::sync::Arc;

const IN_REVIEW: &str = "REVIEW_IN_PROGRESS";

/// Makes a change set for each stack that `stack` nests, and enters them in its own changes. A nested stack in which
/// nothing changes is no change.
///
/// # Errors
/// One of them cannot be made.
pub(super) async fn include(
    world: &Arc<World>,
    stack: &Stack,
    of: &ChangeSet,
    mut made: Changes,
) -> Result<Changes, String> {
    // Those of a making that was interrupted.
    forget(world, |hierarchy| hierarchy.parent.as_ref() == Some(&of.id));
    for (logical_id, properties) in nested(stack, &made) {
        let id = Box::pin(make(world, stack, of, &logical_id, &properties)).await;
        match outcome(world, &id) {
            Outcome::Changes => enter(&mut made, &logical_id, &id),
            Outcome::None => leave_out(&mut made, &logical_id, &id),
            Outcome::Failed => {
                enter(&mut made, &logical_id, &id);
                return Err(format!("Nested change set {id} was not successfully created: Currently in FAILED."));
            }
        }
    }
    made.any = made.beside || !made.plain.is_empty() || !made.with_values.is_empty();
    Ok(made)
}

/// The properties of the nested stacks that are made or stay, by their logical ids.
fn nested(stack: &Stack, made: &Changes) -> IndexMap<String, Json> {
    let mut found = IndexMap::new();
    for change in made.plain.iter().chain(&made.with_values).map(|change| &change["ResourceChange"]) {
        let stays = change["Action"] != "Remove" && change["Action"] != "Import";
        let Some(id) = change["LogicalResourceId"].as_str() else { continue };
        if change["ResourceType"] != STACK_TYPE || !stays {
            continue;
        }
        let context = change["AfterContext"].as_str().and_then(|text| serde_json::from_str::<Json>(text).ok());
        let becoming = context.map(|mut context| context["Properties"].take());
        let before = || stack.resources.get(id).map(|resource| resource.properties.clone()).unwrap_or_default();
        match becoming {
            Some(properties) => found.insert(id.to_owned(), properties),
            None if found.contains_key(id) => None,
            None => found.insert(id.to_owned(), before()),
        };
    }
    found
}

/// Makes the change set of one nested stack; its id.
async fn make(world: &Arc<World>, stack: &Stack, of: &ChangeSet, logical_id: &str, properties: &Json) -> String {
    let suffix = world.ids.upper(12);
    let existing = child(world, stack, logical_id);
    let child = existing.unwrap_or_else(|| in_review(world, stack, logical_id, &suffix));
    let in_review = child.status == IN_REVIEW;
    let definition = definition(world, stack, of, &child, properties).await;
    let definition = definition.unwrap_or_else(|reason| Definition { failure: Some(reason), ..Definition::default() });
    let name: String = format!("{}-{logical_id}", of.name).chars().take(115).collect();
    let name = format!("{name}-{suffix}");
    let change_set = ChangeSet {
        id: stack.place.arn("cloudformation", &format!("changeSet/{name}/{}", world.ids.uuid())),
        name,
        kind: if in_review { "CREATE" } else { "UPDATE" }.to_owned(),
        description: None,
        status: "CREATE_IN_PROGRESS".to_owned(),
        status_reason: None,
        execution_status: "UNAVAILABLE".to_owned(),
        created: world.clock.now(),
        definition,
        imports: IndexMap::new(),
        changes: Vec::new(),
        changes_with_values: Vec::new(),
        client_token: None,
        import_existing_resources: false,
        hierarchy: Some(Hierarchy { root: Some(root(of).to_owned()), parent: Some(of.id.clone()) }),
        ..of.clone()
    };
    let id = change_set.id.clone();
    world.edit_stack(&child.id, |stack| stack.change_sets.insert(id.clone(), change_set));
    compute(world, &child.id, &id).await;
    id
}

/// What a nested stack is to become. It is given what the dynamic references in its properties come to.
///
/// # Errors
/// CloudFormation's words for what it refuses.
async fn definition(
    world: &Arc<World>,
    stack: &Stack,
    of: &ChangeSet,
    child: &Stack,
    properties: &Json,
) -> Result<Definition, String> {
    let properties = dynamic::resolved(world, &stack.place, properties).await.map_err(|ended| match ended {
        Ended::Failed(reason) => reason,
        Ended::Cancelled => "Resource creation cancelled".to_owned(),
    })?;
    let mut request = Request::nested(&properties, of.definition.capabilities.clone());
    for (key, value) in &of.definition.tags {
        request.tags.get_or_insert_default().entry(key.clone()).or_insert_with(|| value.clone());
    }
    let previous = Some(&child.current).filter(|_| child.status != IN_REVIEW);
    let prepared = prepare(world, &stack.place, (&child.name, &child.id), request, previous).await;
    prepared.map(|prepared| prepared.definition).map_err(|fault| fault.message)
}

/// The root of the hierarchy that a change set is of.
fn root(of: &ChangeSet) -> &str {
    of.hierarchy.as_ref().and_then(|hierarchy| hierarchy.root.as_deref()).unwrap_or(&of.id)
}

/// The nested stack, deployed or in review.
fn child(world: &World, stack: &Stack, logical_id: &str) -> Option<Stack> {
    let stacks = world.stacks.lock();
    let deployed = stack.resources.get(logical_id).and_then(|resource| stacks.get(&resource.physical_id));
    let deployed = deployed.filter(|child| child.status != "DELETE_COMPLETE");
    deployed.or_else(|| stacks.values().find(|child| is_in_review(child, &stack.id, logical_id))).cloned()
}

/// Whether a stack is one that a change set announced as this resource of a stack.
fn is_in_review(stack: &Stack, parent_id: &str, logical_id: &str) -> bool {
    let of = |parent: &Parent| parent.stack_id == parent_id && parent.logical_id == logical_id;
    stack.status == IN_REVIEW && stack.parent.as_ref().is_some_and(of)
}

/// A nested stack that is not created yet.
fn in_review(world: &World, stack: &Stack, logical_id: &str, suffix: &str) -> Stack {
    let name = format!("{}-{logical_id}-{suffix}", stack.name);
    let id = stack.place.arn("cloudformation", &format!("stack/{name}/{}", world.ids.uuid()));
    let mut child = Stack::new(&stack.place, &name, &id, world.clock.now());
    let root_id = stack.parent.as_ref().map_or(&stack.id, |parent| &parent.root_id).clone();
    child.parent = Some(Parent { stack_id: stack.id.clone(), root_id, logical_id: logical_id.to_owned() });
    stack_event(world, &mut child, IN_REVIEW, Some(USER_INITIATED));
    world.add_stack(child.clone());
    child
}

enum Outcome {
    Changes,
    None,
    Failed,
}

fn outcome(world: &World, id: &str) -> Outcome {
    let stacks = world.stacks.lock();
    let change_set = stacks.values().find_map(|stack| stack.change_sets.get(id));
    match change_set.map(|change_set| (change_set.status.as_str(), change_set.status_reason.as_deref())) {
        Some(("CREATE_COMPLETE", _)) => Outcome::Changes,
        Some(("FAILED", Some(NO_CHANGES))) => Outcome::None,
        _ => Outcome::Failed,
    }
}

/// Says in the parent's changes which change set tells of the nested stack.
fn enter(made: &mut Changes, logical_id: &str, id: &str) {
    let is_it = |change: &Json| change["ResourceChange"]["LogicalResourceId"] == logical_id;
    for changes in [&mut made.plain, &mut made.with_values] {
        if let Some(change) = changes.iter_mut().find(|change| is_it(change)) {
            change["ResourceChange"]["ChangeSetId"] = json!(id);
        }
    }
    // What changes is inside: the stack's own properties are as they were.
    if !made.with_values.iter().any(is_it) {
        made.with_values.extend(made.plain.iter().find(|change| is_it(change)).cloned());
    }
}

/// Nothing changes in it: unless its own properties do, it is no change of the parent.
fn leave_out(made: &mut Changes, logical_id: &str, id: &str) {
    let stays = |change: &Json| {
        let change = &change["ResourceChange"];
        let details = change["Details"].as_array();
        let only_inside = details.is_some_and(|all| all.iter().all(|detail| detail["ChangeSource"] == "Automatic"));
        change["LogicalResourceId"] != logical_id || change["Action"] != "Modify" || !only_inside
    };
    made.plain.retain(stays);
    made.with_values.retain(stays);
    let there = |change: &Json| change["ResourceChange"]["LogicalResourceId"] == logical_id;
    if made.plain.iter().chain(&made.with_values).any(there) {
        enter(made, logical_id, id);
    }
}

/// Whether a change set may be executed or deleted by itself: those of nested stacks go with their root's.
pub(super) fn check_root(change_set: &ChangeSet, verb: &str) -> Result<(), Fault> {
    match change_set.hierarchy.as_ref().and_then(|hierarchy| hierarchy.root.as_ref()) {
        None => Ok(()),
        Some(root) => Err(Fault::validation(format!(
            "ChangeSet [{}] is of a nested stack and cannot be {verb} by itself: the root change set is [{root}]",
            change_set.id
        ))),
    }
}

/// The change sets of nested stacks have become what their roots have: executed, or void.
pub(super) fn follow(world: &World, root_stack_id: &str) {
    let now = |stack: &Stack| -> IndexMap<String, String> {
        stack.change_sets.values().map(|it| (it.id.clone(), it.execution_status.clone())).collect()
    };
    let roots = world.with_stack(root_stack_id, now).unwrap_or_default();
    edit_all(world, |change_set| {
        let root = change_set.hierarchy.as_ref().and_then(|hierarchy| hierarchy.root.as_ref());
        if let Some(status) = root.and_then(|root| roots.get(root))
            && change_set.status == "CREATE_COMPLETE"
        {
            change_set.execution_status.clone_from(status);
        }
    });
}

fn edit_all(world: &World, edit: impl Fn(&mut ChangeSet)) {
    let with_any: Vec<String> = {
        let stacks = world.stacks.lock();
        let nests = |stack: &&Stack| stack.parent.is_some() && !stack.change_sets.is_empty();
        stacks.values().filter(nests).map(|stack| stack.id.clone()).collect()
    };
    for id in with_any {
        world.edit_stack(&id, |stack| stack.change_sets.values_mut().for_each(&edit));
    }
}

/// Deletes the change sets of a root's nested stacks, and those stacks that were in review for nothing else.
pub(super) fn forget_root(world: &World, root: &str) {
    forget(world, |hierarchy| hierarchy.root.as_deref() == Some(root));
    let left: Vec<String> = {
        let stacks = world.stacks.lock();
        let empty =
            |stack: &&Stack| stack.status == IN_REVIEW && stack.parent.is_some() && stack.change_sets.is_empty();
        stacks.values().filter(empty).map(|stack| stack.id.clone()).collect()
    };
    remove(world, &left);
}

/// Deletes the nested stacks in review of a stack that goes.
pub(super) fn forget_stack(world: &World, id: &str) {
    let of_it = |stack: &&Stack| {
        stack.status == IN_REVIEW && stack.parent.as_ref().is_some_and(|p| p.stack_id == id || p.root_id == id)
    };
    let ids: Vec<String> = world.stacks.lock().values().filter(of_it).map(|stack| stack.id.clone()).collect();
    remove(world, &ids);
}

fn remove(world: &World, ids: &[String]) {
    for id in ids {
        world.edit_stack(id, |stack| {
            stack.deleted = Some(world.clock.now());
            stack_event(world, stack, "DELETE_COMPLETE", None);
        });
    }
}

fn forget(world: &World, which: impl Fn(&Hierarchy) -> bool) {
    let goes = |change_set: &ChangeSet| change_set.hierarchy.as_ref().is_some_and(&which);
    let ids: Vec<String> = {
        let stacks = world.stacks.lock();
        let has = |stack: &&Stack| stack.parent.is_some() && stack.change_sets.values().any(goes);
        stacks.values().filter(has).map(|stack| stack.id.clone()).collect()
    };
    for id in ids {
        world.edit_stack(&id, |stack| stack.change_sets.retain(|_, change_set| !goes(change_set)));
    }
}

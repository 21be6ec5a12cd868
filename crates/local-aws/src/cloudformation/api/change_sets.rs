//! `CreateChangeSet` and `DeleteChangeSet`.
//!
//! A change set is `CREATE_PENDING` at first and made in the background: `CREATE_IN_PROGRESS`, then `CREATE_COMPLETE`
//! and executable, or `FAILED` with a reason.

use super::create::new_id;
use super::input::{Input, ToImport, can_be_updated, cannot_be_updated, check_name};
use super::{find, nested_change_sets, required};
use crate::cloudformation::engine::events::{USER_INITIATED, stack_event};
use crate::cloudformation::engine::is_busy;
use crate::cloudformation::model::{ChangeSet, Definition, Hierarchy, Stack};
use crate::cloudformation::prepare::{Origin, changes, prepare};
use crate::cloudformation::reading;
use crate::place::Place;
use crate::query::{self, Fault};
use crate::resources;
use crate::world::World;
use cloudformation::schema::resource_type;
use cloudformation::template::Resource;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::Duration;

/// How long AWS takes to make a change set: a few seconds.
const MAKING: Duration = Duration::from_secs(4);

/// Why a change set without changes fails.
pub(super) const NO_CHANGES: &str =
    "The submitted information didn't contain changes. Submit different information to create a change set.";

/// Accepts a change set; it is made in the background.
pub(super) async fn create_change_set(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let mut input: Input = query::input(input)?;
    let name = required(input.change_set_name.clone(), "changeSetName")?;
    check_name(&name, "changeSetName")?;
    let stack_name = input.name()?;
    input.check_template()?;
    let kind = input.change_set_type.clone().unwrap_or_else(|| "UPDATE".to_owned());
    let existing = world.stacks.id_of(place, &stack_name);
    let stack = existing.as_ref().and_then(|id| world.with_stack(id, Clone::clone));
    if let Some(answer) = stack.as_ref().and_then(|stack| repeated(stack, &name, input.client_token.as_deref())) {
        return Ok(answer);
    }
    suits(stack.as_ref(), &kind, &stack_name, &name)?;
    if input.on_stack_failure.as_deref() == Some("DELETE") && kind != "CREATE" {
        return Err(Fault::validation("OnStackFailure=DELETE is only valid when the ChangeSetType is CREATE."));
    }
    let id = stack.as_ref().map_or_else(|| new_id(world, place, &stack_name), |stack| stack.id.clone());
    let plain_name = stack.as_ref().map_or(stack_name.as_str(), |stack| stack.name.as_str());
    let previous = stack.as_ref().filter(|stack| stack.status != "REVIEW_IN_PROGRESS").map(|stack| &stack.current);
    let mut request = input.request()?;
    // A change set shows what macros make before it is done.
    request.acknowledge_macros = false;
    let mut prepared = prepare(world, place, (plain_name, &id), request, previous).await?;
    let imports = match kind.as_str() {
        "IMPORT" => imports(world, place, &prepared.definition, input.resources_to_import.unwrap_or_default()).await?,
        _ if input.import_existing_resources == Some(true) => {
            match found_by_name(world, place, &prepared.definition, stack.as_ref()).await {
                Ok(found) => found,
                Err(reason) => {
                    prepared.definition.failure.get_or_insert(reason);
                    IndexMap::new()
                }
            }
        }
        _ => IndexMap::new(),
    };
    let change_set = ChangeSet {
        id: place.arn("cloudformation", &format!("changeSet/{name}/{}", world.ids.uuid())),
        name,
        kind,
        description: input.description,
        status: "CREATE_PENDING".to_owned(),
        status_reason: None,
        execution_status: "UNAVAILABLE".to_owned(),
        created: world.clock.now(),
        definition: prepared.definition,
        imports,
        on_stack_failure: input.on_stack_failure,
        deployment_mode: input.deployment_mode,
        deployment_config: input.deployment_config,
        changes: Vec::new(),
        changes_with_values: Vec::new(),
        warning: None,
        client_token: input.client_token,
        import_existing_resources: input.import_existing_resources.unwrap_or_default(),
        hierarchy: input.include_nested_stacks.filter(|include| *include).map(|_| Hierarchy::default()),
    };
    let change_set_id = change_set.id.clone();
    let add = |stack: &mut Stack| stack.change_sets.insert(change_set.id.clone(), change_set);
    if existing.is_some() {
        world.edit_stack(&id, add);
    } else {
        let mut stack = Stack::new(place, &stack_name, &id, world.clock.now());
        add(&mut stack);
        stack_event(world, &mut stack, "REVIEW_IN_PROGRESS", Some(USER_INITIATED));
        world.add_stack(stack);
    }
    tokio::spawn(make(Arc::clone(world), id.clone(), change_set_id.clone()));
    Ok(json!({ "Id": change_set_id, "StackId": id }))
}

/// The answer to a request that was accepted before.
fn repeated(stack: &Stack, name: &str, token: Option<&str>) -> Option<Json> {
    let token = token?;
    let known = stack.change_sets.values().find(|it| it.name == name && it.client_token.as_deref() == Some(token))?;
    Some(json!({ "Id": known.id, "StackId": stack.id }))
}

/// Whether the stack is one that this kind of change set is for, and the name is free.
fn suits(stack: Option<&Stack>, kind: &str, stack_name: &str, name: &str) -> Result<(), Fault> {
    let review = stack.is_some_and(|stack| stack.status == "REVIEW_IN_PROGRESS");
    match (stack, kind) {
        (Some(_), "CREATE") if !review => {
            return Err(Fault::validation(format!(
                "Stack [{stack_name}] already exists and cannot be created again with the changeSet [{name}]."
            )));
        }
        (None, "UPDATE") => return Err(Fault::validation(format!("Stack [{stack_name}] does not exist"))),
        (Some(stack), "UPDATE") if !can_be_updated(stack) => return Err(cannot_be_updated(stack)),
        (Some(stack), "IMPORT") if !review && !can_be_updated(stack) => return Err(cannot_be_updated(stack)),
        _ => {}
    }
    let taken = |it: &ChangeSet| it.name == name && it.execution_status != "EXECUTE_COMPLETE";
    if stack.is_some_and(|stack| stack.change_sets.values().any(taken)) {
        let message =
            format!("ChangeSet {name} cannot be created due to a mismatch with existing attribute: it exists already");
        return Err(Fault::new("AlreadyExistsException", message));
    }
    Ok(())
}

/// The physical ids of what is to be imported.
async fn imports(
    world: &World,
    place: &Place,
    definition: &Definition,
    wanted: Vec<ToImport>,
) -> Result<IndexMap<String, String>, Fault> {
    let text = definition.expanded.as_ref().unwrap_or(&definition.template);
    let Ok((template, _)) = reading::read(text) else { return Ok(IndexMap::new()) };
    if wanted.is_empty() {
        return Err(Fault::validation("ResourcesToImport must be specified for an IMPORT change set."));
    }
    let mut found = IndexMap::new();
    for one in wanted {
        let id = required(one.logical_resource_id, "resourcesToImport.member.logicalResourceId")?;
        let type_name = required(one.resource_type, "resourcesToImport.member.resourceType")?;
        let Some(resource) = template.resources.get(&id) else {
            return Err(Fault::validation(format!("Resources [{id}] do not exist in the template")));
        };
        if resource.deletion_policy.is_none() {
            return Err(Fault::validation(format!(
                "Resources to import must have a DeletionPolicy attribute specified in the template: [{id}]"
            )));
        }
        let identifier = one.resource_identifier.unwrap_or_default();
        let order = resource_type(&type_name).map(|schema| schema.primary_identifier());
        let parts: Vec<&str> =
            order.into_iter().flatten().filter_map(|path| identifier.get(&path.dotted()).map(String::as_str)).collect();
        let physical_id = if parts.is_empty() { identifier.values().cloned().collect() } else { parts.join("|") };
        if resources::read(world, place, &type_name, &physical_id).await.is_none() {
            return Err(Fault::validation(format!(
                "Resource of type '{type_name}' with identifier '{physical_id}' was not found."
            )));
        }
        if owner(world, place, &type_name, &physical_id).is_some() {
            return Err(Fault::validation(format!("{physical_id} already exists in another stack")));
        }
        found.insert(id, physical_id);
    }
    Ok(found)
}

/// The id of the stack that a resource belongs to.
fn owner(world: &World, place: &Place, type_name: &str, physical_id: &str) -> Option<String> {
    let stacks = world.stacks.lock();
    let owner = stacks.values().find(|stack| {
        stack.place == *place
            && stack.status != "DELETE_COMPLETE"
            && stack.resources.values().any(|it| it.resource_type == type_name && it.physical_id == physical_id)
    });
    owner.map(|stack| stack.id.clone())
}

/// What `ImportExistingResources` takes into a stack: new resources that exist already under the very name that the
/// template gives them. Logical id → physical id. (User guide, "Import AWS resources into a CloudFormation stack
/// automatically".)
///
/// # Errors
/// Why the change set fails: one of them belongs to a stack, or is not kept when its stack goes.
async fn found_by_name(
    world: &World,
    place: &Place,
    definition: &Definition,
    stack: Option<&Stack>,
) -> Result<IndexMap<String, String>, String> {
    let text = definition.expanded.as_ref().unwrap_or(&definition.template);
    let Ok((template, _)) = reading::read(text) else { return Ok(IndexMap::new()) };
    let (mut found, mut unkept) = (IndexMap::new(), Vec::new());
    for (id, resource) in &template.resources {
        let has = stack.is_some_and(|stack| stack.resources.contains_key(id));
        let type_name = resource.resource_type.value.as_str();
        let Some(name) = static_name(type_name, resource).filter(|_| !has) else { continue };
        if resources::read(world, place, type_name, &name).await.is_none() {
            continue;
        }
        if let Some(owner) = owner(world, place, type_name, &name) {
            return Err(format!("{name} already exists in stack {owner}"));
        }
        let policy = resource.deletion_policy.as_ref().and_then(|policy| policy.as_str());
        if !matches!(policy, Some("Retain" | "RetainExceptOnCreate")) {
            let order = resource_type(type_name).map(|schema| schema.primary_identifier()).unwrap_or_default();
            let named = order.iter().zip(name.split('|')).map(|(path, part)| format!("{}={part}", path.dotted()));
            unkept.push(format!("{id} ({{{}}})", named.collect::<Vec<_>>().join(", ")));
        }
        found.insert(id.clone(), name);
    }
    match unkept.is_empty() {
        true => Ok(found),
        // Recorded in aws-cdk-cli's pull request 1367.
        false => Err(format!(
            "CloudFormation is attempting to import some resources because they already exist in your account. The \
             resources must have the DeletionPolicy attribute set to 'Retain' or 'RetainExceptOnCreate' in the template for \
             successful import. The affected resources are {}",
            unkept.join(", ")
        )),
    }
}

/// The identifier of a resource whose template spells it out: no function in it, and no part that only the service sets.
fn static_name(type_name: &str, resource: &Resource) -> Option<String> {
    let schema = resource_type(type_name)?;
    let parts: Option<Vec<&str>> = schema
        .primary_identifier()
        .iter()
        .map(|path| {
            let given = path.segments().len() == 1 && !schema.read_only().iter().any(|only| only.top() == path.top());
            resource.properties.as_ref()?.get(path.top())?.as_str().filter(|_| given)
        })
        .collect();
    parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join("|"))
}

/// Goes on with the change sets that were being made when the world was closed.
pub(in crate::cloudformation) fn resume(world: &Arc<World>) {
    let open: Vec<(String, String)> = world
        .stacks
        .lock()
        .values()
        .flat_map(|stack| stack.change_sets.values().map(move |change_set| (stack, change_set)))
        .filter(|(_, change_set)| matches!(change_set.status.as_str(), "CREATE_PENDING" | "CREATE_IN_PROGRESS"))
        .map(|(stack, change_set)| (stack.id.clone(), change_set.id.clone()))
        .collect();
    for (stack, change_set) in open {
        tokio::spawn(make(Arc::clone(world), stack, change_set));
    }
}

/// Makes a change set.
async fn make(world: Arc<World>, stack_id: String, id: String) {
    set(&world, &stack_id, &id, |change_set| "CREATE_IN_PROGRESS".clone_into(&mut change_set.status));
    world.clock.take(MAKING).await;
    compute(&world, &stack_id, &id).await;
}

/// Finds what a change set changes, and ends its making.
pub(super) async fn compute(world: &Arc<World>, stack_id: &str, id: &str) {
    let Some(stack) = world.with_stack(stack_id, Clone::clone) else { return };
    let Some(change_set) = stack.change_sets.get(id) else { return };
    let from = Origin {
        imports: change_set.imports.clone(),
        live_state: change_set.deployment_mode.as_deref() == Some("REVERT_DRIFT"),
    };
    let mut made = changes(world, &stack, &change_set.definition, &from).await;
    if let (Ok(all), true) = (&made, change_set.hierarchy.is_some()) {
        made = nested_change_sets::include(world, &stack, change_set, all.clone()).await;
    }
    let made = made.and_then(|made| if made.any { Ok(made) } else { Err(NO_CHANGES.to_owned()) });
    set(world, stack_id, id, |change_set| match made {
        Ok(made) => {
            "CREATE_COMPLETE".clone_into(&mut change_set.status);
            // It may be void already.
            if change_set.execution_status == "UNAVAILABLE" {
                "AVAILABLE".clone_into(&mut change_set.execution_status);
            }
            change_set.changes = made.plain;
            change_set.changes_with_values = made.with_values;
            change_set.warning = made.warning;
        }
        Err(reason) => {
            "FAILED".clone_into(&mut change_set.status);
            change_set.status_reason = Some(reason);
        }
    });
}

fn set(world: &World, stack_id: &str, id: &str, edit: impl FnOnce(&mut ChangeSet)) {
    world.edit_stack(stack_id, |stack| stack.change_sets.get_mut(id).map(edit));
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Which {
    change_set_name: Option<String>,
    stack_name: Option<String>,
}

/// Deletes a change set. One that is not there is deleted already, as long as its stack is.
pub(super) async fn delete_change_set(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Which = query::input(input)?;
    let name = required(input.change_set_name, "changeSetName")?;
    let found = {
        let stacks = world.stacks.lock();
        match find::change_set(&stacks, place, &name, input.stack_name.as_deref()) {
            Ok((stack, change_set)) => {
                if is_busy(stack) && change_set.execution_status == "EXECUTE_IN_PROGRESS" {
                    let message =
                        format!("ChangeSet [{}] cannot be deleted while it is being executed.", change_set.id);
                    return Err(Fault::new("InvalidChangeSetStatus", message));
                }
                nested_change_sets::check_root(change_set, "deleted")?;
                Some((stack.id.clone(), change_set.id.clone()))
            }
            Err(fault) if fault.code == "ChangeSetNotFound" => None,
            Err(fault) => return Err(fault),
        }
    };
    if let Some((stack, change_set)) = found {
        world.edit_stack(&stack, |stack| stack.change_sets.shift_remove(&change_set));
        nested_change_sets::forget_root(world, &change_set);
    }
    Ok(json!({}))
}

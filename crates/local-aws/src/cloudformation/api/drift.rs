//! Drift: `DetectStackDrift` and `DetectStackResourceDrift` compare resources with what their stack last set, and
//! `DescribeStackDriftDetectionStatus` and `DescribeStackResourceDrifts` tell what was found.

use super::{find, page, required, show};
use crate::cloudformation::drift::{Detection, Found, ResourceDrift};
use crate::cloudformation::model::Stack;
use crate::place::Place;
use crate::query::{self, Fault};
use crate::resources::{self, drift};
use crate::world::World;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::Duration;

/// How long looking at one resource takes, on AWS about a second.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    stack_name: Option<String>,
    logical_resource_id: Option<String>,
    #[serde(default)]
    logical_resource_ids: Vec<String>,
    stack_drift_detection_id: Option<String>,
    #[serde(default)]
    stack_resource_drift_status_filters: Vec<String>,
    max_results: Option<u32>,
    next_token: Option<String>,
}

/// Begins to compare a stack's resources, or some of them; answers at once.
pub(super) async fn detect_stack_drift(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let name = required(input.stack_name, "stackName")?;
    let stack_id = {
        let stacks = world.stacks.lock();
        let stack = checkable(find::stack(&stacks, place, &name), &name)?;
        if stack.drift.detections.values().any(|detection| detection.found.is_none()) {
            return Err(Fault::validation(format!("Drift detection is already in progress for stack [{}]", stack.id)));
        }
        for id in &input.logical_resource_ids {
            known(stack, id)?;
        }
        stack.id.clone()
    };
    let detection = world.ids.uuid();
    let started = Detection { started: world.clock.now(), logical_ids: input.logical_resource_ids, found: None };
    world.edit_stack(&stack_id, |stack| stack.drift.detections.insert(detection.clone(), started));
    tokio::spawn(detect(Arc::clone(world), stack_id, detection.clone()));
    Ok(json!({ "StackDriftDetectionId": detection }))
}

/// Goes on with the detections that were in flight when a world was closed.
pub(in crate::cloudformation) fn resume(world: &Arc<World>) {
    let unfinished: Vec<(String, String)> = {
        let stacks = world.stacks.lock();
        let of_stack = |stack: &Stack| -> Vec<(String, String)> {
            let open = stack.drift.detections.iter().filter(|(_, detection)| detection.found.is_none());
            open.map(|(id, _)| (stack.id.clone(), id.clone())).collect()
        };
        stacks.values().flat_map(of_stack).collect()
    };
    for (stack_id, detection) in unfinished {
        tokio::spawn(detect(Arc::clone(world), stack_id, detection));
    }
}

async fn detect(world: Arc<World>, stack_id: String, detection: String) {
    let Some((place, mut chosen)) = world.with_stack(&stack_id, |stack| {
        let only = stack.drift.detections.get(&detection).map(|it| it.logical_ids.clone()).unwrap_or_default();
        let wanted = |id: &String| only.is_empty() || only.contains(id);
        let chosen: Vec<String> = stack.resources.keys().filter(|id| wanted(id)).cloned().collect();
        (stack.place.clone(), chosen)
    }) else {
        return;
    };
    chosen.sort();
    let mut drifted_resources = 0;
    for id in chosen {
        world.clock.take(LOOK).await;
        if let Some(found) = look(&world, &place, &stack_id, &id).await {
            drifted_resources += usize::from(is_drift(&found.status));
        }
    }
    let now = world.clock.now();
    world.edit_stack(&stack_id, |stack| {
        let drifted = stack.drift.resources.values().any(|found| is_drift(&found.status));
        let status = if drifted { "DRIFTED" } else { "IN_SYNC" };
        stack.drift_status = status.to_owned();
        stack.drift_checked = Some(now);
        if let Some(detection) = stack.drift.detections.get_mut(&detection) {
            detection.found = Some(Found { stack_status: status.to_owned(), drifted_resources });
        }
    });
}

/// Compares one resource and notes what it found; `None` if the resource has left the stack, or has a type that
/// CloudFormation does not look at.
async fn look(world: &Arc<World>, place: &Place, stack_id: &str, logical_id: &str) -> Option<ResourceDrift> {
    let (resource, tags) = world
        .with_stack(stack_id, |stack| Some((stack.resources.get(logical_id)?.clone(), stack.current.tags.clone())))??;
    let handle = resources::handle(&resource.resource_type, &resource.physical_id, &resource.properties);
    let live = resources::read(world, place, &resource.resource_type, &handle).await;
    let compared = drift::compare(&resource.resource_type, &resource.properties, live.as_ref(), &tags);
    if compared.status == "NOT_CHECKED" {
        return None;
    }
    let found = ResourceDrift {
        physical_id: resource.physical_id,
        resource_type: resource.resource_type,
        status: compared.status.to_owned(),
        expected: compared.expected,
        actual: compared.actual,
        differences: compared.differences.iter().map(drift::Difference::to_json).collect(),
        checked: world.clock.now(),
    };
    world.edit_stack(stack_id, |stack| {
        if let Some(resource) = stack.resources.get_mut(logical_id) {
            resource.drift_status.clone_from(&found.status);
            resource.drift_checked = Some(found.checked);
        }
        stack.drift.resources.insert(logical_id.to_owned(), found.clone());
    });
    Some(found)
}

fn is_drift(status: &str) -> bool {
    matches!(status, "MODIFIED" | "DELETED")
}

/// Compares one resource and tells the result.
pub(super) async fn detect_stack_resource_drift(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let name = required(input.stack_name, "stackName")?;
    let logical_id = required(input.logical_resource_id, "logicalResourceId")?;
    let stack_id = {
        let stacks = world.stacks.lock();
        let stack = checkable(find::stack(&stacks, place, &name), &name)?;
        known(stack, &logical_id)?;
        stack.id.clone()
    };
    world.clock.take(LOOK).await;
    match look(world, place, &stack_id, &logical_id).await {
        Some(found) => Ok(json!({ "StackResourceDrift": shown(&stack_id, &logical_id, &found) })),
        None => Err(Fault::validation(format!("Drift detection is not supported for resource [{logical_id}]"))),
    }
}

/// How far a detection is.
pub(super) async fn describe_stack_drift_detection_status(
    world: &Arc<World>,
    place: &Place,
    input: Json,
) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let id = required(input.stack_drift_detection_id, "stackDriftDetectionId")?;
    let stacks = world.stacks.lock();
    let (stack, detection) = stacks
        .values()
        .filter(|stack| stack.place == *place)
        .find_map(|stack| Some((stack, stack.drift.detections.get(&id)?)))
        .ok_or_else(|| Fault::validation(format!("Drift detection [{id}] does not exist")))?;
    let found = detection.found.as_ref();
    Ok(json!({
        "StackId": stack.id,
        "StackDriftDetectionId": id,
        "StackDriftStatus": found.map(|found| &found.stack_status),
        "DetectionStatus": if found.is_some() { "DETECTION_COMPLETE" } else { "DETECTION_IN_PROGRESS" },
        "DriftedStackResourceCount": found.map(|found| found.drifted_resources),
        "Timestamp": show::time(detection.started),
    }))
}

/// What the last detections found of each resource.
pub(super) async fn describe_stack_resource_drifts(
    world: &Arc<World>,
    place: &Place,
    input: Json,
) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let name = required(input.stack_name, "stackName")?;
    let stacks = world.stacks.lock();
    let stack = find::stack(&stacks, place, &name).ok_or_else(|| find::in_brackets(&name))?;
    let wanted = &input.stack_resource_drift_status_filters;
    let mut found: Vec<(&String, &ResourceDrift)> = stack
        .drift
        .resources
        .iter()
        .filter(|(id, found)| {
            let current = stack.resources.get(*id).is_some_and(|it| it.physical_id == found.physical_id);
            current && (wanted.is_empty() || wanted.contains(&found.status))
        })
        .collect();
    found.sort_by_key(|(id, _)| *id);
    let size = input.max_results.map_or(page::PAGE, |size| (size as usize).clamp(1, page::PAGE));
    let (found, next) = page::page(found, input.next_token.as_deref(), size, |(id, _)| (*id).clone())?;
    let found: Vec<Json> = found.into_iter().map(|(id, found)| shown(&stack.id, id, found)).collect();
    Ok(json!({ "StackResourceDrifts": found, "NextToken": next }))
}

fn shown(stack_id: &str, logical_id: &str, found: &ResourceDrift) -> Json {
    json!({
        "StackId": stack_id,
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": found.physical_id,
        "ResourceType": found.resource_type,
        "ExpectedProperties": found.expected.to_string(),
        "ActualProperties": found.actual.as_ref().map(Json::to_string),
        "PropertyDifferences": found.differences,
        "StackResourceDriftStatus": found.status,
        "Timestamp": show::time(found.checked),
    })
}

/// A stack whose resources can be looked at: one that is there and at rest.
fn checkable<'s>(stack: Option<&'s Stack>, name: &str) -> Result<&'s Stack, Fault> {
    let stack = stack.filter(|stack| !find::is_deleted(stack)).ok_or_else(|| find::in_brackets(name))?;
    match stack.status.ends_with("_IN_PROGRESS") {
        false => Ok(stack),
        true => Err(Fault::validation(format!(
            "Drift detection cannot be performed on stack [{}] in {} state",
            stack.id, stack.status
        ))),
    }
}

fn known(stack: &Stack, logical_id: &str) -> Result<(), Fault> {
    match stack.resources.contains_key(logical_id) {
        true => Ok(()),
        false => Err(Fault::validation(format!("Resource {logical_id} does not exist for stack {}", stack.name))),
    }
}

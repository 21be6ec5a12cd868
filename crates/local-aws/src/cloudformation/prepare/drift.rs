//! Drift-aware change sets (`DeploymentMode=REVERT_DRIFT`): three states are compared, what was deployed, what is, and
//! what is wanted; what somebody changed meanwhile is listed with both its values, and goes back.

use super::changes::Changes;
use crate::cloudformation::api::show;
use crate::cloudformation::engine::provider;
use crate::cloudformation::model::{Stack, StackResource};
use crate::resources;
use crate::resources::drift::{self, Comparison, Difference};
use crate::world::World;
use cloudformation::schema::{RequiresRecreation, resource_type};
use serde_json::{Value as Json, json};

/// Adds what drift has to do with to the changes, and the changes that only drift makes.
pub(super) async fn mark(world: &World, stack: &Stack, changes: &mut Changes) {
    for resource in stack.resources.values().filter(|resource| provider::is_live(&resource.resource_type)) {
        let handle = resources::handle(&resource.resource_type, &resource.physical_id, &resource.properties);
        let live = resources::read(world, &stack.place, &resource.resource_type, &handle).await;
        let tags = &stack.current.tags;
        let compared = drift::compare(&resource.resource_type, &resource.properties, live.as_ref(), tags);
        for (list, values) in [(&mut changes.plain, false), (&mut changes.with_values, true)] {
            let listed = list.iter_mut().find(|it| it["ResourceChange"]["LogicalResourceId"] == resource.logical_id);
            if listed.as_ref().is_some_and(|change| change["ResourceChange"]["Action"] == "Remove") {
                continue;
            }
            match (listed, undoing(world, resource, &compared, values)) {
                (Some(change), Some(found)) => join(&mut change["ResourceChange"], found),
                (None, Some(found)) => list.push(json!({ "ResourceChange": found, "Type": "Resource" })),
                (Some(change), None) => change["ResourceChange"]["ResourceDriftStatus"] = json!(compared.status),
                (None, None) => {}
            }
        }
    }
    for list in [&mut changes.plain, &mut changes.with_values] {
        list.sort_by_key(|change| change["ResourceChange"]["LogicalResourceId"].as_str().map(str::to_owned));
    }
}

/// The change that undoes what happened to a resource; `None` if nothing did, or nobody looks.
fn undoing(world: &World, resource: &StackResource, compared: &Comparison, values: bool) -> Option<Json> {
    let (replacement, details) = match compared.status {
        "DELETED" => ("True", Vec::new()),
        "MODIFIED" => {
            let replaces = |found: &Difference| behaviour(resource, found) == Some(RequiresRecreation::Always);
            let replacement = if compared.differences.iter().any(replaces) { "True" } else { "False" };
            let details = compared.differences.iter().map(|found| detail(world, resource, found, values));
            (replacement, details.collect())
        }
        _ => return None,
    };
    Some(json!({
        "Action": "Modify",
        "Details": Json::Array(details),
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "Replacement": replacement,
        "ResourceDriftStatus": compared.status,
        "ResourceType": resource.resource_type,
        "Scope": ["Properties"],
    }))
}

fn behaviour(resource: &StackResource, found: &Difference) -> Option<RequiresRecreation> {
    resource_type(&resource.resource_type).map(|schema| schema.update_behaviour(&found.path[1..]))
}

fn detail(world: &World, resource: &StackResource, found: &Difference, values: bool) -> Json {
    // What drifted is undone: an item that somebody added is removed.
    let (kind, wanted, actual) = match found.kind {
        "ADD" => ("Remove", None, Some(&found.actual)),
        "REMOVE" => ("Add", Some(&found.expected), None),
        _ => ("Modify", Some(&found.expected), Some(&found.actual)),
    };
    let recreation = match behaviour(resource, found) {
        Some(RequiresRecreation::Always) => "Always",
        Some(RequiresRecreation::Conditionally) => "Conditionally",
        _ => "Never",
    };
    let mut target = json!({
        "Attribute": "Properties",
        "Name": found.path[1..].split('/').next(),
        "RequiresRecreation": recreation,
        "Drift": {
            "PreviousValue": wanted,
            "ActualValue": actual,
            "DriftDetectionTimestamp": show::time(world.clock.now()),
        },
    });
    if values {
        target["Path"] = json!(format!("/Properties{}", found.path));
        target["AttributeChangeType"] = json!(kind);
        target["BeforeValue"] = json!(actual);
        target["BeforeValueFrom"] = json!("ACTUAL_STATE");
        target["AfterValue"] = json!(wanted);
        target["AfterValueFrom"] = json!("TEMPLATE");
    }
    json!({ "ChangeSource": "NoModification", "Evaluation": "Static", "Target": target })
}

/// Adds drift to a change that is made anyway: values that the template changes too start from what is.
fn join(change: &mut Json, mut drift: Json) {
    change["ResourceDriftStatus"] = drift["ResourceDriftStatus"].take();
    if drift["Replacement"] == "True" {
        change["Replacement"] = drift["Replacement"].take();
    }
    let (Some(details), Json::Array(more)) = (change["Details"].as_array_mut(), drift["Details"].take()) else {
        return;
    };
    for detail in more {
        let same = |other: &&mut Json| {
            let (one, other) = (&detail["Target"], &other["Target"]);
            one["Name"] == other["Name"] && one.get("Path") == other.get("Path")
        };
        match details.iter_mut().find(same) {
            Some(listed) => {
                let target = &mut listed["Target"];
                target["Drift"] = detail["Target"]["Drift"].clone();
                if detail["Target"].get("BeforeValue").is_some() {
                    target["BeforeValue"] = detail["Target"]["BeforeValue"].clone();
                    target["BeforeValueFrom"] = json!("ACTUAL_STATE");
                    target["AfterValueFrom"] = json!("TEMPLATE");
                }
            }
            None => details.push(detail),
        }
    }
}

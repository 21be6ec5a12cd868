//! Drift-aware change sets (`DeploymentMode=REVERT_DRIFT`): three states are compared, what was deployed, what is, and
//! what is wanted; what somebody changed meanwhile is listed with both its values, and goes back.

use super::changes::Changes;
use crate::cloudformation::api::show;
use crate::cloudformation::engine::diff::{self, Change};
use crate::cloudformation::engine::provider;
use crate::cloudformation::model::{Stack, StackResource};
use crate::resources;
use crate::world::World;
use cloudformation::schema::{RequiresRecreation, resource_type};
use serde_json::{Value as Json, json};

/// Adds what drift has to do with to the changes, and the changes that only drift makes.
pub(super) async fn mark(world: &World, stack: &Stack, changes: &mut Changes) {
    for resource in stack.resources.values().filter(|resource| provider::is_live(&resource.resource_type)) {
        let live = resources::read(world, &stack.place, &resource.resource_type, &resource.physical_id).await;
        for (list, values) in [(&mut changes.plain, false), (&mut changes.with_values, true)] {
            let listed = list.iter_mut().find(|it| it["ResourceChange"]["LogicalResourceId"] == resource.logical_id);
            if listed.as_ref().is_some_and(|change| change["ResourceChange"]["Action"] == "Remove") {
                continue;
            }
            let Some(found) = drifted(world, resource, live.as_ref(), values) else {
                listed
                    .into_iter()
                    .for_each(|change| change["ResourceChange"]["ResourceDriftStatus"] = json!("IN_SYNC"));
                continue;
            };
            match listed {
                Some(change) => join(&mut change["ResourceChange"], found),
                None => list.push(json!({ "ResourceChange": found, "Type": "Resource" })),
            }
        }
    }
    for list in [&mut changes.plain, &mut changes.with_values] {
        list.sort_by_key(|change| change["ResourceChange"]["LogicalResourceId"].as_str().map(str::to_owned));
    }
}

/// The change that undoes what happened to a resource; `None` if nothing did.
fn drifted(world: &World, resource: &StackResource, live: Option<&Json>, values: bool) -> Option<Json> {
    let type_name = resource.resource_type.as_str();
    let change = |status: &str, replacement: &str, details: Vec<Json>| {
        json!({
            "Action": "Modify",
            "Details": details,
            "LogicalResourceId": resource.logical_id,
            "PhysicalResourceId": resource.physical_id,
            "Replacement": replacement,
            "ResourceDriftStatus": status,
            "ResourceType": type_name,
            "Scope": ["Properties"],
        })
    };
    let Some(live) = live else { return Some(change("DELETED", "True", Vec::new())) };
    let actual = diff::overlay(&resource.properties, &diff::readable(type_name, &resource.properties, live));
    let paths = diff::paths(&resource.properties, &actual);
    if paths.is_empty() {
        return None;
    }
    let details = paths.iter().map(|path| detail(world, resource, &actual, path, values)).collect();
    let replacement = match diff::change(type_name, &actual, &resource.properties) {
        Change::Replace => "True",
        _ => "False",
    };
    Some(change("MODIFIED", replacement, details))
}

fn detail(world: &World, resource: &StackResource, actual: &Json, path: &str, values: bool) -> Json {
    let wanted = resource.properties.pointer(path).map(text);
    let found = actual.pointer(path).map(text);
    let behaviour = resource_type(&resource.resource_type).map(|schema| schema.update_behaviour(&path[1..]));
    let recreation = match behaviour {
        Some(RequiresRecreation::Always) => "Always",
        Some(RequiresRecreation::Conditionally) => "Conditionally",
        _ => "Never",
    };
    let mut target = json!({
        "Attribute": "Properties",
        "Name": path[1..].split('/').next(),
        "RequiresRecreation": recreation,
        "Drift": {
            "PreviousValue": wanted,
            "ActualValue": found,
            "DriftDetectionTimestamp": show::time(world.clock.now()),
        },
    });
    if values {
        let kind = if wanted.is_none() {
            "Remove"
        } else if found.is_none() {
            "Add"
        } else {
            "Modify"
        };
        target["Path"] = json!(format!("/Properties{path}"));
        target["AttributeChangeType"] = json!(kind);
        target["BeforeValue"] = json!(found);
        target["BeforeValueFrom"] = json!("ACTUAL_STATE");
        target["AfterValue"] = json!(wanted);
        target["AfterValueFrom"] = json!("TEMPLATE");
    }
    json!({ "ChangeSource": "NoModification", "Evaluation": "Static", "Target": target })
}

/// Text as it is, everything else as JSON.
fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
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

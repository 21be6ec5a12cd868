//! Task definitions: families with revisions that never change.

use super::answer::{Answered, Call};
use super::model::{Definition, definition_arn, seconds};
use serde_json::{Value as Json, json};

pub(super) fn register(call: &mut Call<'_, '_>) -> Answered {
    let family = call.text("family").to_owned();
    if family.is_empty() || !call.input["containerDefinitions"].is_array() {
        let message = "Family and container definitions should not be null or empty.";
        return Err(("ClientException", message.to_owned()));
    }
    // Only a resource of a stack comes with a number: it was promised before.
    let revision = call.input["revision"].as_u64().unwrap_or_else(|| call.region().last_revision(&family) + 1);
    let arn = definition_arn(call.place(), &format!("{family}:{revision}"));
    let (settings, tags) = (call.settings(&["family", "revision", "tags"]), call.input["tags"].clone());
    let registered_at = call.simulation.clock.now();
    let definition = Definition { family, revision, settings, active: true, registered_at };
    call.region().definitions.insert(arn.clone(), definition);
    call.region().tag(&arn, &tags);
    Ok(json!({ "taskDefinition": told(call, &arn), "tags": call.region().tag_list(&arn) }))
}

pub(super) fn deregister(call: &mut Call<'_, '_>) -> Answered {
    let arn = known(call)?;
    if let Some(definition) = call.region().definitions.get_mut(&arn) {
        definition.active = false;
    }
    Ok(json!({ "taskDefinition": told(call, &arn) }))
}

pub(super) fn describe(call: &mut Call<'_, '_>) -> Answered {
    let arn = known(call)?;
    let mut answer = json!({ "taskDefinition": told(call, &arn) });
    if call.includes_tags() {
        answer["tags"] = call.region().tag_list(&arn);
    }
    Ok(answer)
}

pub(super) fn list(call: &mut Call<'_, '_>) -> Answered {
    let (prefix, newest_first) = (call.text("familyPrefix").to_owned(), call.text("sort") == "DESC");
    let active = call.text("status") != "INACTIVE";
    let fits = |definition: &&Definition| definition.active == active && definition.family.starts_with(&prefix);
    let place = call.place().clone();
    let mut found: Vec<(String, u64)> = call
        .region()
        .definitions
        .values()
        .filter(fits)
        .map(|definition| (definition.family.clone(), definition.revision))
        .collect();
    found.sort();
    if newest_first {
        found.reverse();
    }
    let arns = found.iter().map(|(family, revision)| definition_arn(&place, &format!("{family}:{revision}"))).collect();
    Ok(call.page("taskDefinitionArns", arns))
}

pub(super) fn families(call: &mut Call<'_, '_>) -> Answered {
    let prefix = call.text("familyPrefix").to_owned();
    let mut families: Vec<String> = call.region().definitions.values().map(|one| one.family.clone()).collect();
    families.retain(|family| family.starts_with(&prefix));
    families.sort();
    families.dedup();
    Ok(call.page("families", families))
}

fn known(call: &mut Call<'_, '_>) -> Result<String, (&'static str, String)> {
    let (name, place) = (call.text("taskDefinition").to_owned(), call.place().clone());
    let found = call.region().definition_arn(&place, &name);
    found.ok_or_else(|| ("ClientException", "Unable to describe task definition.".to_owned()))
}

fn told(call: &mut Call<'_, '_>, arn: &str) -> Json {
    let Some(definition) = call.region().definitions.get(arn) else { return Json::Null };
    let mut told = json!({
        "taskDefinitionArn": arn,
        "family": definition.family,
        "revision": definition.revision,
        "status": if definition.active { "ACTIVE" } else { "INACTIVE" },
        "registeredAt": seconds(definition.registered_at),
        "volumes": [],
        "placementConstraints": [],
        "compatibilities": ["EC2", "FARGATE"],
    });
    for (member, value) in &definition.settings {
        told[member] = value.clone();
    }
    for container in told["containerDefinitions"].as_array_mut().into_iter().flatten() {
        for (member, value) in [("essential", json!(true)), ("cpu", json!(0))] {
            if container[member].is_null() {
                container[member] = value;
            }
        }
        for list in ["portMappings", "environment", "mountPoints", "volumesFrom"] {
            if container[list].is_null() {
                container[list] = json!([]);
            }
        }
    }
    told
}

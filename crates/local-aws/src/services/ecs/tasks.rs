//! Tasks.

use super::answer::{Answered, Call};
use super::model::{Region, Stage, Task, cluster_arn, last, seconds};
use crate::place::Place;
use serde_json::{Value as Json, json};

pub(super) fn list(call: &mut Call<'_, '_>) -> Answered {
    let cluster = call.known_cluster()?;
    let service = last(call.text("serviceName")).to_owned();
    let family = call.text("family").to_owned();
    let started_by = call.text("startedBy").to_owned();
    let stopped = call.text("desiredStatus") == "STOPPED";
    let of_family = |task: &Task| last(&task.task_definition).split(':').next() == Some(&family);
    let fits = |task: &&Task| {
        task.cluster == cluster
            && (task.stage == Stage::Stopped) == stopped
            && (service.is_empty() || last(&task.service) == service)
            && (family.is_empty() || of_family(task))
            && (started_by.is_empty() || task.deployment == started_by)
    };
    let arns = call.region().tasks.values().filter(fits).map(|task| task.arn.clone()).collect();
    Ok(call.page("taskArns", arns))
}

pub(super) fn describe(call: &mut Call<'_, '_>) -> Answered {
    let cluster = call.known_cluster()?;
    let place = call.place().clone();
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in call.texts("tasks") {
        let arn = place.arn("ecs", &format!("task/{cluster}/{}", last(&name)));
        match call.region().tasks.get(&arn).cloned() {
            Some(known) => found.push(task(call.region(), &place, &known)),
            None => failures.push(json!({ "arn": arn, "reason": "MISSING" })),
        }
    }
    Ok(json!({ "tasks": found, "failures": failures }))
}

pub(super) fn stop(call: &mut Call<'_, '_>) -> Answered {
    let cluster = call.known_cluster()?;
    let place = call.place().clone();
    let arn = place.arn("ecs", &format!("task/{cluster}/{}", last(call.text("task"))));
    let reason = match call.text("reason") {
        "" => "Task stopped by user".to_owned(),
        reason => reason.to_owned(),
    };
    if !call.region().tasks.contains_key(&arn) {
        return Err(("InvalidParameterException", "The referenced task was not found.".to_owned()));
    }
    call.simulation.stop_by_hand(&arn, &reason);
    let known = call.region().tasks.get(&arn).cloned();
    Ok(json!({ "task": known.map(|known| task(call.region(), &place, &known)) }))
}

/// A task as it is told.
fn task(region: &Region, place: &Place, task: &Task) -> Json {
    let status = match task.stage {
        Stage::Provisioning => "PROVISIONING",
        Stage::Pending => "PENDING",
        Stage::Running | Stage::Healthy => "RUNNING",
        Stage::Stopped => "STOPPED",
    };
    let definition = region.definitions.get(&task.task_definition);
    let setting = |member: &str| definition.and_then(|definition| definition.settings.get(member)).cloned();
    let containers = region
        .containers(&task.task_definition).iter().map(|container| {
        let mut told = json!({
            "containerArn": place.arn("ecs", &format!("container/{}/{}/{}", task.cluster, task.id(), text(container, "name"))),
            "taskArn": task.arn,
            "name": container["name"],
            "image": container["image"],
            "lastStatus": if task.stage == Stage::Provisioning { "PENDING" } else { status },
            "networkInterfaces": [{ "privateIpv4Address": task.address }],
            "healthStatus": health(task, !container["healthCheck"].is_null()),
        });
        // Known once it is pulled.
        if task.started_at.is_some()
            && let Some((_, digest)) = container["image"].as_str().and_then(|image| image.split_once('@'))
        {
            told["imageDigest"] = json!(digest);
        }
        if let Some(stopped) = &task.stopped {
            told["exitCode"] = json!(stopped.exit_code);
            told["reason"] = json!(stopped.container_reason);
        }
        told
    });
    let mut told = json!({
        "taskArn": task.arn,
        "clusterArn": cluster_arn(place, &task.cluster),
        "taskDefinitionArn": task.task_definition,
        "group": format!("service:{}", last(&task.service)),
        "startedBy": task.deployment,
        "launchType": "FARGATE",
        "lastStatus": status,
        "desiredStatus": if task.stopped.is_some() { "STOPPED" } else { "RUNNING" },
        "connectivity": "CONNECTED",
        "containers": containers.collect::<Vec<_>>(),
        "cpu": setting("cpu"),
        "memory": setting("memory"),
        "createdAt": seconds(task.created_at),
        "healthStatus": "UNKNOWN",
        "version": 1,
        "tags": [],
    });
    if let Some(at) = task.started_at {
        told["startedAt"] = seconds(at);
    }
    if let Some(stopped) = &task.stopped {
        (told["stoppedAt"], told["stoppingAt"]) = (seconds(stopped.at), seconds(stopped.at));
        (told["stopCode"], told["stoppedReason"]) = (json!(stopped.code), json!(stopped.reason));
    }
    told
}

fn health(task: &Task, is_checked: bool) -> &'static str {
    match task.stage {
        Stage::Healthy if is_checked => "HEALTHY",
        _ => "UNKNOWN",
    }
}

fn text<'j>(json: &'j Json, member: &str) -> &'j str {
    json[member].as_str().unwrap_or_default()
}

//! Services.

use super::answer::{Answered, Call};
use super::model::{Region, RolloutState, Service, cluster_arn, last, seconds};
use super::simulate::Begun;
use crate::faults::RolloutFailure;
use crate::place::Place;
use serde_json::{Value as Json, json};

/// Changes that begin a deployment; others only change how the next one goes.
const DEPLOYED: [&str; 8] = [
    "taskDefinition",
    "networkConfiguration",
    "loadBalancers",
    "serviceRegistries",
    "capacityProviderStrategy",
    "volumeConfigurations",
    "serviceConnectConfiguration",
    "platformVersion",
];
/// Events in an answer.
const EVENTS: usize = 100;

pub(super) fn create(call: &mut Call<'_, '_>) -> Answered {
    let cluster = call.known_cluster()?;
    let name = call.text("serviceName").to_owned();
    if name.is_empty() {
        return Err(("InvalidParameterException", "Service name cannot be empty.".to_owned()));
    }
    if call.region().service(&cluster, &name).is_some_and(|service| service.active) {
        return Err(("InvalidParameterException", "Creation of service was not idempotent.".to_owned()));
    }
    let mut settings = call.settings(&["cluster", "serviceName", "tags", "clientToken"]);
    name_definition(call, &mut settings)?;
    if settings.get("schedulingStrategy").is_none_or(|strategy| strategy == "REPLICA") {
        settings.entry("desiredCount").or_insert(json!(1));
    }
    let arn = call.place().arn("ecs", &format!("service/{cluster}/{name}"));
    let created_at = call.simulation.clock.now();
    let service = Service {
        name: name.clone(),
        cluster,
        arn: arn.clone(),
        settings,
        active: true,
        created_at,
        deployments: Vec::new(),
        last: None,
        events: Vec::new(),
        agenda: Vec::new(),
    };
    let tags = call.input["tags"].clone();
    // ECS shows a service that was deleted for a while, but not beside one of its name.
    call.region().services.retain(|service| service.arn != arn);
    call.region().services.push(service);
    call.region().tag(&arn, &tags);
    let at = call.region().services.len() - 1;
    let failure = failure(call, at);
    call.simulation.deploy(at, Begun::Created, failure);
    Ok(json!({ "service": told(call, at) }))
}

pub(super) fn update(call: &mut Call<'_, '_>) -> Answered {
    let at = known(call, "service")?;
    let mut changes = call.input.as_object().cloned().unwrap_or_default();
    ["cluster", "service", "forceNewDeployment"].iter().for_each(|member| drop(changes.remove(*member)));
    if changes.get("taskDefinition").is_some_and(Json::is_string) {
        name_definition(call, &mut changes)?;
    }
    let forced = call.input["forceNewDeployment"] == true;
    let service = &mut call.region().services[at];
    let before = service.settings.clone();
    for (member, value) in changes {
        match value {
            Json::Null => drop(service.settings.remove(&member)),
            value => drop(service.settings.insert(member, value)),
        }
    }
    let deploys = DEPLOYED.iter().any(|member| before.get(*member) != service.settings.get(*member));
    if deploys || forced {
        let failure = failure(call, at);
        call.simulation.deploy(at, Begun::Updated, failure);
    } else {
        // What failed before is not what is waited for now.
        service.last.take_if(|last| last.state == RolloutState::Failed);
        call.simulation.scale(at);
    }
    Ok(json!({ "service": told(call, at) }))
}

pub(super) fn delete(call: &mut Call<'_, '_>) -> Answered {
    let at = known(call, "service")?;
    let wanted = call.region().services[at].desired();
    if wanted > 0 && call.input["force"] != true {
        let message = "The service cannot be stopped while it is scaled above 0.";
        return Err(("InvalidParameterException", message.to_owned()));
    }
    call.simulation.end(at);
    let arn = call.region().services[at].arn.clone();
    let answer = told(call, at);
    call.region().tags.remove(&arn);
    Ok(json!({ "service": answer }))
}

pub(super) fn describe(call: &mut Call<'_, '_>) -> Answered {
    let cluster = call.known_cluster()?;
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in call.texts("services") {
        let arn = call.place().arn("ecs", &format!("service/{cluster}/{}", last(&name)));
        match call.region().services.iter().position(|service| service.arn == arn) {
            Some(at) => found.push(told(call, at)),
            None => failures.push(json!({ "arn": arn, "reason": "MISSING" })),
        }
    }
    Ok(json!({ "services": found, "failures": failures }))
}

pub(super) fn list(call: &mut Call<'_, '_>) -> Answered {
    let cluster = call.known_cluster()?;
    let of_cluster = call.region().services.iter().filter(|service| service.active && service.cluster == cluster);
    let arns = of_cluster.map(|service| service.arn.clone()).collect();
    Ok(call.page("serviceArns", arns))
}

/// Where the service is that a request names.
fn known(call: &mut Call<'_, '_>, member: &str) -> Result<usize, (&'static str, String)> {
    let cluster = call.known_cluster()?;
    let name = last(call.text(member)).to_owned();
    let same = |service: &Service| service.cluster == cluster && service.name == name;
    match call.region().services.iter().position(same) {
        Some(at) if call.region().services[at].active => Ok(at),
        Some(_) => Err(("ServiceNotActiveException", "Service was not ACTIVE.".to_owned())),
        None => Err(("ServiceNotFoundException", "Service not found.".to_owned())),
    }
}

/// Puts the ARN of the task definition in place of whatever names it.
fn name_definition(
    call: &mut Call<'_, '_>,
    settings: &mut super::model::Members,
) -> Result<(), (&'static str, String)> {
    let (name, place) = (call.text("taskDefinition").to_owned(), call.place().clone());
    match call.region().definition_arn(&place, &name) {
        Some(arn) => drop(settings.insert("taskDefinition".to_owned(), Json::String(arn))),
        // A service with task sets has none of its own.
        None if name.is_empty() && call.input["deploymentController"]["type"] == "EXTERNAL" => {}
        None => return Err(("ClientException", "TaskDefinition not found.".to_owned())),
    }
    Ok(())
}

/// What the fault plan has for a deployment that begins now.
fn failure(call: &mut Call<'_, '_>, at: usize) -> Option<RolloutFailure> {
    let (name, definition) = {
        let service = &call.region().services[at];
        (service.name.clone(), service.task_definition())
    };
    let images = call.region().containers(&definition).iter().filter_map(|container| container["image"].as_str());
    let images: Vec<String> = images.map(str::to_owned).collect();
    call.faults.rollout(&name, &images)
}

fn told(call: &mut Call<'_, '_>, at: usize) -> Json {
    let place = call.place().clone();
    service(call.region(), &place, at)
}

/// A service as it is told.
fn service(region: &Region, place: &Place, at: usize) -> Json {
    let service = &region.services[at];
    let of_service = || region.tasks.values().filter(|task| task.service == service.arn);
    let deployments: Vec<Json> = service
        .deployments
        .iter()
        .enumerate()
        .map(|(at, deployment)| {
            let tasks = || of_service().filter(|task| task.deployment == deployment.id);
            let mut told = json!({
                "id": deployment.id,
                "status": if at == 0 { "PRIMARY" } else { "ACTIVE" },
                "taskDefinition": deployment.task_definition,
                "desiredCount": if at == 0 { service.desired() } else { 0 },
                "pendingCount": tasks().filter(|task| task.is_pending()).count(),
                "runningCount": tasks().filter(|task| task.is_running()).count(),
                "failedTasks": deployment.failed_tasks,
                "createdAt": seconds(deployment.created_at),
                "updatedAt": seconds(deployment.updated_at),
                "rolloutState": deployment.state.as_str(),
                "rolloutStateReason": deployment.reason,
            });
            for member in ["launchType", "platformVersion", "networkConfiguration", "capacityProviderStrategy"] {
                if let Some(value) = service.settings.get(member) {
                    told[member] = value.clone();
                }
            }
            told
        })
        .collect();
    let events = service.events.iter().take(EVENTS);
    let events: Vec<Json> = events
        .map(|event| json!({ "id": event.id, "createdAt": seconds(event.at), "message": event.message }))
        .collect();
    let mut told = json!({
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": cluster_arn(place, &service.cluster),
        "status": if service.active { "ACTIVE" } else { "INACTIVE" },
        "runningCount": of_service().filter(|task| task.is_running()).count(),
        "pendingCount": of_service().filter(|task| task.is_pending()).count(),
        "schedulingStrategy": "REPLICA",
        "loadBalancers": [],
        "serviceRegistries": [],
        "placementConstraints": [],
        "placementStrategy": [],
        "deploymentController": { "type": "ECS" },
        "createdAt": seconds(service.created_at),
        "enableECSManagedTags": false,
        "propagateTags": "NONE",
        "enableExecuteCommand": false,
    });
    for (member, value) in &service.settings {
        told[member] = value.clone();
    }
    told["desiredCount"] = json!(if service.active { service.desired() } else { 0 });
    told["deployments"] = Json::Array(deployments);
    told["events"] = Json::Array(events);
    told["tags"] = region.tag_list(&service.arn);
    told
}

//! What Elastic Load Balancing says of the tasks of services: `DescribeTargetHealth`, the one operation of that service
//! that is here.

use super::model::{Stage, Task};
use crate::door::{Request, Response};
use crate::faults::FailureKind;
use crate::place::Place;
use crate::query::{self, Fault};
use crate::services::Services;
use serde_json::{Value as Json, json};

const NAMESPACE: &str = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/";

/// Lets Elastic Load Balancing answer.
pub(in crate::services) async fn answer(services: &Services, place: &Place, request: &Request) -> Response {
    services.catch_up(place).await;
    let answered = query::read_request(request).and_then(|(action, input)| match action.as_str() {
        "DescribeTargetHealth" => Ok(described(services, place, input["TargetGroupArn"].as_str().unwrap_or_default())),
        _ => Err(Fault::new(
            "InvalidAction",
            format!("The operation {action} of Elastic Load Balancing is not part of this local AWS."),
        )),
    });
    match answered {
        Ok(result) => query::answer("DescribeTargetHealth", NAMESPACE, &result),
        Err(fault) => fault.answer(NAMESPACE),
    }
}

fn described(services: &Services, place: &Place, group: &str) -> Json {
    let mut regions = services.ecs.lock();
    let Some(region) = regions.get_mut(place) else { return json!({ "TargetHealthDescriptions": [] }) };
    let mut targets = Vec::new();
    for service in &region.services {
        let Some((_, port)) = service.target_groups().find(|(arn, _)| *arn == group) else { continue };
        let fails = |task: &Task| {
            let deployment = service.deployments.iter().find(|one| one.id == task.deployment);
            let failure = deployment.and_then(|one| one.failure.as_ref());
            failure.is_some_and(|failure| failure.kind == FailureKind::Unhealthy)
        };
        let registered = |task: &&Task| task.service == service.arn && task.is_running();
        for task in region.tasks.values().filter(registered) {
            let health = match task.stage {
                Stage::Healthy => json!({ "State": "healthy" }),
                _ if fails(task) => json!({
                    "State": "unhealthy",
                    "Reason": "Target.ResponseCodeMismatch",
                    "Description": "Health checks failed with these codes: [503]",
                }),
                _ => json!({
                    "State": "initial",
                    "Reason": "Elb.InitialHealthChecking",
                    "Description": "Initial health checks in progress",
                }),
            };
            targets.push(json!({
                "Target": { "Id": task.address, "Port": port },
                "HealthCheckPort": port.to_string(),
                "TargetHealth": health,
            }));
        }
    }
    json!({ "TargetHealthDescriptions": targets })
}

//! What an ECS service is to run, and how often.

use crate::aws::Result;
use crate::aws::error::{Call, Explain, failure};
use aws_sdk_ecs::Client;
use serde_json::{Value as Json, json};

/// `arn`: `arn:aws:ecs:us-east-1:111122223333:service/<cluster>/<service>`.
pub(super) async fn service(client: &Client, arn: &str) -> Result<Option<Json>> {
    let mut path = arn.rsplit('/');
    let (name, cluster) = (path.next().unwrap_or(arn), path.next().unwrap_or("default"));
    let call = || Call::new("ecs", "DescribeServices", format!("look at service `{name}`"));
    let answer = match client.describe_services().cluster(cluster).services(name).send().await.explain(call) {
        Err(error) if failure(&error).is_some_and(|failure| failure.code == "ClusterNotFoundException") => {
            return Ok(None);
        }
        answer => answer?,
    };
    let service = answer.services.unwrap_or_default().into_iter().find(|it| it.status.as_deref() != Some("INACTIVE"));
    Ok(service.map(|it| json!({ "DesiredCount": it.desired_count, "TaskDefinition": it.task_definition })))
}

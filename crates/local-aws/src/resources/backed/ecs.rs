//! `AWS::ECS::Cluster`, `AWS::ECS::TaskDefinition` and `AWS::ECS::Service`.
//!
//! CloudFormation's properties and ECS's members are the same words, but for their first letter.

use super::{Backing, Change};
use crate::resources::Failure;
use crate::resources::model::Properties;
use serde_json::{Map, Value as Json, json};

const SERVICE: &str = "ecs";

/// Properties that are not the same word with a small letter, in CloudFormation and in ECS.
const NAMES: [(&str, &str); 3] = [
    ("EFSVolumeConfiguration", "efsVolumeConfiguration"),
    ("FSxWindowsFileServerVolumeConfiguration", "fsxWindowsFileServerVolumeConfiguration"),
    ("FilesystemId", "fileSystemId"),
];
/// Maps whose keys are the user's.
const MAPS: [&str; 8] =
    ["Options", "options", "DockerLabels", "dockerLabels", "Labels", "labels", "DriverOpts", "driverOpts"];
/// What ECS keeps of a service and CloudFormation shows.
const OF_SERVICES: [&str; 15] = [
    "TaskDefinition",
    "DesiredCount",
    "LaunchType",
    "CapacityProviderStrategy",
    "PlatformVersion",
    "NetworkConfiguration",
    "LoadBalancers",
    "ServiceRegistries",
    "DeploymentConfiguration",
    "HealthCheckGracePeriodSeconds",
    "AvailabilityZoneRebalancing",
    "EnableExecuteCommand",
    "EnableECSManagedTags",
    "PropagateTags",
    "PlacementStrategies",
];
const OF_CLUSTERS: [&str; 4] =
    ["ClusterSettings", "Configuration", "CapacityProviders", "DefaultCapacityProviderStrategy"];

pub(super) async fn create(backing: &Backing<'_>, properties: &Properties) -> Result<(), Failure> {
    match backing.type_name {
        "AWS::ECS::Cluster" => {
            let mut input = members(properties);
            input.insert("clusterName".to_owned(), json!(backing.physical_id));
            backing.ask(SERVICE, "CreateCluster", Json::Object(input)).await.map(drop)
        }
        "AWS::ECS::TaskDefinition" => {
            let mut input = members(properties);
            let (family, revision) = last(backing.physical_id).rsplit_once(':').unwrap_or_default();
            input.insert("family".to_owned(), json!(family));
            input.insert("revision".to_owned(), json!(revision.parse::<u64>().unwrap_or(1)));
            input.entry("containerDefinitions").or_insert(json!([]));
            backing.ask(SERVICE, "RegisterTaskDefinition", Json::Object(input)).await.map(drop)
        }
        _ => {
            let mut input = members(properties);
            let (cluster, name) = cluster_and_name(backing.physical_id);
            make_up(backing, cluster, input.get("taskDefinition")).await?;
            input.insert("cluster".to_owned(), json!(cluster));
            input.insert("serviceName".to_owned(), json!(name));
            backing.ask(SERVICE, "CreateService", Json::Object(input)).await.map(drop)
        }
    }
}

/// A world that was made from what somebody remembers has services whose clusters and task definitions have other names
/// there, or none: they are made up, so that the service is.
async fn make_up(backing: &Backing<'_>, cluster: &str, definition: Option<&Json>) -> Result<(), Failure> {
    let known = backing.call(SERVICE, "DescribeClusters", json!({ "clusters": [cluster] })).await;
    if known.is_ok_and(|known| known["clusters"][0]["status"] != "ACTIVE") {
        backing.ask(SERVICE, "CreateCluster", json!({ "clusterName": cluster })).await?;
    }
    let Some(definition) = definition.and_then(Json::as_str) else { return Ok(()) };
    let which = json!({ "taskDefinition": definition });
    if backing.call(SERVICE, "DescribeTaskDefinition", which).await.is_err() {
        let mut parts = last(definition).split(':');
        let family = parts.next().unwrap_or_default();
        let revision = parts.next().and_then(|revision| revision.parse::<u64>().ok()).unwrap_or(1);
        let input = json!({ "family": family, "revision": revision, "containerDefinitions": [] });
        backing.ask(SERVICE, "RegisterTaskDefinition", input).await?;
    }
    Ok(())
}

pub(super) async fn update(backing: &Backing<'_>, change: &Change<'_>) -> Result<(), Failure> {
    let (properties, operation, mut input) = match backing.type_name {
        "AWS::ECS::Service" => {
            let (cluster, name) = cluster_and_name(backing.physical_id);
            (&OF_SERVICES[..], "UpdateService", json!({ "cluster": cluster, "service": name }))
        }
        "AWS::ECS::Cluster" => (&OF_CLUSTERS[..], "UpdateCluster", json!({ "cluster": backing.physical_id })),
        // Everything but its tags is a new revision.
        _ => (&[][..], "", json!({})),
    };
    let changed: Vec<(&str, Option<&Json>)> =
        properties.iter().filter_map(|name| Some((*name, change.of(name)?))).collect();
    // A service is told of every change: what is asked for now counts, not what failed before.
    let told = backing.type_name == "AWS::ECS::Service";
    if told || !changed.is_empty() {
        for (name, value) in changed {
            input[member(name)] = value.map_or(Json::Null, |value| to_service(name, value));
        }
        if let Some(definition) = input.get("taskDefinition").cloned() {
            make_up(backing, cluster_and_name(backing.physical_id).0, Some(&definition)).await?;
        }
        if told && change.of("ForceNewDeployment").is_some() {
            input["forceNewDeployment"] = json!(true);
        }
        backing.ask(SERVICE, operation, input).await?;
    }
    let (set, gone) = change.tags();
    let arn = arn(backing);
    if !gone.is_empty() {
        backing.ask(SERVICE, "UntagResource", json!({ "resourceArn": arn, "tagKeys": gone })).await?;
    }
    if !set.is_empty() {
        backing.ask(SERVICE, "TagResource", json!({ "resourceArn": arn, "tags": tags(&set) })).await?;
    }
    Ok(())
}

pub(super) async fn delete(backing: &Backing<'_>) -> Result<(), Failure> {
    let (operation, input) = match backing.type_name {
        "AWS::ECS::Cluster" => ("DeleteCluster", json!({ "cluster": backing.physical_id })),
        "AWS::ECS::TaskDefinition" => ("DeregisterTaskDefinition", json!({ "taskDefinition": backing.physical_id })),
        _ => {
            let (cluster, name) = cluster_and_name(backing.physical_id);
            ("DeleteService", json!({ "cluster": cluster, "service": name, "force": true }))
        }
    };
    backing.remove(SERVICE, operation, input).await
}

pub(super) async fn observe(backing: &Backing<'_>) -> Option<Properties> {
    let (found, names) = match backing.type_name {
        "AWS::ECS::Cluster" => {
            let input = json!({ "clusters": [backing.physical_id] });
            let answer = backing.call(SERVICE, "DescribeClusters", input).await.ok()?;
            (answer["clusters"][0].clone(), &OF_CLUSTERS[..])
        }
        "AWS::ECS::TaskDefinition" => {
            let input = json!({ "taskDefinition": backing.physical_id, "include": ["TAGS"] });
            let answer = backing.call(SERVICE, "DescribeTaskDefinition", input).await.ok()?;
            let mut found = answer["taskDefinition"].clone();
            found["tags"] = answer["tags"].clone();
            (found, &[][..])
        }
        _ => {
            let (cluster, name) = cluster_and_name(backing.physical_id);
            let input = json!({ "cluster": cluster, "services": [name] });
            let answer = backing.call(SERVICE, "DescribeServices", input).await.ok()?;
            (answer["services"][0].clone(), &OF_SERVICES[..])
        }
    };
    if found["status"] != "ACTIVE" {
        return None;
    }
    let mut observed = Properties::new();
    for name in names {
        if let Some(value) = found.get(member(name)).filter(|value| !value.is_null()) {
            observed.insert((*name).to_owned(), to_resource(value));
        }
    }
    let listed = super::tags(&found["tags"], "key", "value");
    if let Some(tags) = listed.filter(|tags| tags.as_array().is_some_and(|tags| !tags.is_empty())) {
        observed.insert("Tags".to_owned(), tags);
    }
    Some(observed)
}

fn arn(backing: &Backing<'_>) -> String {
    match backing.type_name {
        "AWS::ECS::Cluster" => backing.place.arn("ecs", &format!("cluster/{}", backing.physical_id)),
        _ => backing.physical_id.to_owned(),
    }
}

/// What an operation takes, from a resource's properties.
fn members(properties: &Properties) -> Map<String, Json> {
    let settable =
        properties.iter().filter(|(name, _)| !matches!(name.as_str(), "Arn" | "ServiceArn" | "Name" | "Tags"));
    let mut members: Map<String, Json> =
        settable.map(|(name, value)| (member(name), to_service(name, value))).collect();
    if let Some(tags) = properties.get("Tags").and_then(Json::as_array) {
        members.insert("tags".to_owned(), self::tags(tags));
    }
    members
}

fn tags(list: &[Json]) -> Json {
    list.iter().map(|tag| json!({ "key": tag["Key"], "value": tag["Value"] })).collect()
}

fn member(name: &str) -> String {
    if name == "ClusterSettings" {
        return "settings".to_owned();
    }
    match NAMES.iter().find(|(resource, _)| *resource == name) {
        Some((_, service)) => (*service).to_owned(),
        None => first(name, char::to_ascii_lowercase),
    }
}

fn to_service(name: &str, value: &Json) -> Json {
    match value {
        Json::Object(members) if !MAPS.contains(&name) => {
            members.iter().map(|(name, value)| (member(name), to_service(name, value))).collect()
        }
        Json::Array(items) => items.iter().map(|item| to_service(name, item)).collect(),
        other => other.clone(),
    }
}

fn to_resource(value: &Json) -> Json {
    match value {
        Json::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let known =
                    NAMES.iter().find(|(_, service)| service == name).map(|(resource, _)| (*resource).to_owned());
                let value = if MAPS.contains(&name.as_str()) { value.clone() } else { to_resource(value) };
                (known.unwrap_or_else(|| first(name, char::to_ascii_uppercase)), value)
            })
            .collect(),
        Json::Array(items) => items.iter().map(to_resource).collect(),
        other => other.clone(),
    }
}

fn first(name: &str, change: fn(&char) -> char) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |letter| std::iter::once(change(&letter)).chain(letters).collect())
}

fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// `…:service/cluster/name`.
fn cluster_and_name(arn: &str) -> (&str, &str) {
    let cluster = arn.rsplit_once('/').map_or("default", |(before, _)| last(before));
    (cluster, last(arn))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_change_their_first_letter_and_maps_nothing() {
        let resource = json!({"LogConfiguration": {"LogDriver": "awslogs", "Options": {"awslogs-group": "/a", "Mode": "x"}},
            "EFSVolumeConfiguration": {"FilesystemId": "fs-1"}, "Command": ["CMD", "True"]});
        let service = json!({"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/a", "Mode": "x"}},
            "efsVolumeConfiguration": {"fileSystemId": "fs-1"}, "command": ["CMD", "True"]});
        assert_eq!(to_service("", &resource), service);
        assert_eq!(to_resource(&service), resource);
    }
}

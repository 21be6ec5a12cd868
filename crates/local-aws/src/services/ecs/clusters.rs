//! Clusters.

use super::answer::{Answered, Call};
use super::model::{Cluster, Region, cluster_arn, last};
use crate::place::Place;
use serde_json::{Value as Json, json};

pub(super) fn create(call: &mut Call<'_, '_>) -> Answered {
    let name = Some(call.text("clusterName")).filter(|name| !name.is_empty()).unwrap_or("default").to_owned();
    let (settings, tags) = (call.settings(&["clusterName", "tags"]), call.input["tags"].clone());
    let arn = cluster_arn(call.place(), &name);
    let cluster = Cluster { settings, active: true };
    // Asked twice, it is one cluster.
    let known = call.region().clusters.get(&name).is_some_and(|cluster| cluster.active);
    if !known {
        call.region().clusters.insert(name.clone(), cluster);
        call.region().tag(&arn, &tags);
    }
    Ok(json!({ "cluster": told(call, &name) }))
}

pub(super) fn update(call: &mut Call<'_, '_>) -> Answered {
    let name = call.known_cluster()?;
    let settings = call.settings(&["cluster"]);
    if let Some(cluster) = call.region().clusters.get_mut(&name) {
        cluster.settings.extend(settings);
    }
    Ok(json!({ "cluster": told(call, &name) }))
}

pub(super) fn delete(call: &mut Call<'_, '_>) -> Answered {
    let name = call.known_cluster()?;
    if call.region().services.iter().any(|service| service.active && service.cluster == name) {
        let message = "The Cluster cannot be deleted while Services are active.";
        return Err(("ClusterContainsServicesException", message.to_owned()));
    }
    if let Some(cluster) = call.region().clusters.get_mut(&name) {
        cluster.active = false;
    }
    let cluster = told(call, &name);
    let arn = cluster_arn(call.place(), &name);
    call.region().tags.remove(&arn);
    Ok(json!({ "cluster": cluster }))
}

pub(super) fn describe(call: &mut Call<'_, '_>) -> Answered {
    let mut names = call.texts("clusters");
    if names.is_empty() {
        names.push("default".to_owned());
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        match call.region().clusters.contains_key(last(&name)) {
            true => found.push(told(call, last(&name))),
            false => failures.push(json!({ "arn": cluster_arn(call.place(), last(&name)), "reason": "MISSING" })),
        }
    }
    Ok(json!({ "clusters": found, "failures": failures }))
}

pub(super) fn list(call: &mut Call<'_, '_>) -> Answered {
    let place = call.place().clone();
    let active = call.region().clusters.iter().filter(|(_, cluster)| cluster.active);
    let arns = active.map(|(name, _)| cluster_arn(&place, name)).collect();
    Ok(call.page("clusterArns", arns))
}

fn told(call: &mut Call<'_, '_>, name: &str) -> Json {
    let place = call.place().clone();
    cluster(call.region(), &place, name)
}

/// A cluster as it is told.
fn cluster(region: &Region, place: &Place, name: &str) -> Json {
    let arn = cluster_arn(place, name);
    let Some(cluster) = region.clusters.get(name) else { return Json::Null };
    let tasks = || region.tasks.values().filter(|task| task.cluster == name);
    let services = region.services.iter().filter(|service| service.active && service.cluster == name).count();
    let mut told = json!({
        "clusterArn": arn,
        "clusterName": name,
        "status": if cluster.active { "ACTIVE" } else { "INACTIVE" },
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": tasks().filter(|task| task.is_running()).count(),
        "pendingTasksCount": tasks().filter(|task| task.is_pending()).count(),
        "activeServicesCount": services,
        "statistics": [],
        "tags": region.tag_list(&arn),
        "settings": [{ "name": "containerInsights", "value": "disabled" }],
        "capacityProviders": [],
        "defaultCapacityProviderStrategy": [],
    });
    for (member, value) in &cluster.settings {
        told[member] = value.clone();
    }
    told
}

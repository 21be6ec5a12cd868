//! What holds of every stack whatever happens to it: which status follows which, that all that begins ends, that nothing
//! is lost, and that a stack is what its last good template says.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

/// The statuses that may follow a status of a stack. (API reference, "Stack status codes".)
fn next(status: &str) -> &'static [&'static str] {
    match status {
        "" => &["CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS"],
        "CREATE_IN_PROGRESS" => &["CREATE_COMPLETE", "CREATE_FAILED", "ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"],
        "CREATE_FAILED" => &["UPDATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"],
        "ROLLBACK_IN_PROGRESS" => &["ROLLBACK_COMPLETE", "ROLLBACK_FAILED"],
        "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "DELETE_FAILED" => &["DELETE_IN_PROGRESS"],
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE" => {
            &["UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"]
        }
        "UPDATE_IN_PROGRESS" => &[
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            "UPDATE_ROLLBACK_IN_PROGRESS",
            "ROLLBACK_IN_PROGRESS",
            "UPDATE_FAILED",
        ],
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" => &["UPDATE_COMPLETE"],
        "UPDATE_FAILED" => {
            &["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"]
        }
        "UPDATE_ROLLBACK_IN_PROGRESS" => &["UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"],
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" => &["UPDATE_ROLLBACK_COMPLETE"],
        "UPDATE_ROLLBACK_FAILED" => &["UPDATE_ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"],
        "DELETE_IN_PROGRESS" => &["DELETE_COMPLETE", "DELETE_FAILED"],
        _ => &[],
    }
}

/// The statuses of resources that belong to what a stack is doing.
fn belong(stack: &str) -> &'static [&'static str] {
    match stack {
        "CREATE_IN_PROGRESS" => &["CREATE_"],
        "UPDATE_IN_PROGRESS" => &["CREATE_", "UPDATE_"],
        "UPDATE_ROLLBACK_IN_PROGRESS" => &["UPDATE_"],
        "ROLLBACK_IN_PROGRESS"
        | "DELETE_IN_PROGRESS"
        | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
        | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" => &["DELETE_"],
        _ => &[],
    }
}

/// Every status follows the one before as it may, resources do what belongs to what their stack does, and whatever begins
/// has ended before the stack goes on to something else.
pub(super) fn events_are_lawful(cloud: &Cloud) {
    let stack = cloud.stack("s");
    let (mut now, mut open) = (String::new(), BTreeMap::<(String, String), String>::new());
    let told = || cloud.events("s");
    for event in &stack.events {
        let status = event.status.as_str();
        if event.physical_id == stack.id {
            assert!(next(&now).contains(&status), "{status} after {now:?}\n{:#?}", told());
            assert!(open.is_empty(), "{status} while {open:?}\n{:#?}", told());
            now = event.status.clone();
            continue;
        }
        assert!(belong(&now).iter().any(|begin| status.starts_with(begin)), "{status} in {now}\n{:#?}", told());
        let (verb, end) = status.split_once('_').expect("two words");
        // A cleanup may delete several physical resources of one logical one.
        let which = if verb == "DELETE" { event.physical_id.clone() } else { String::new() };
        let key = (event.logical_id.clone(), which);
        match end {
            "IN_PROGRESS" => {
                let before = open.insert(key, verb.to_owned());
                let again = before.is_none() || (before.as_deref() == Some(verb) && event.reason.is_some());
                assert!(again, "{} {status} twice\n{:#?}", event.logical_id, told());
            }
            // What fails or is passed over before it begins ends all the same.
            _ => assert!(open.remove(&key).is_none_or(|begun| begun == verb), "{status}\n{:#?}", told()),
        }
    }
    assert_eq!(stack.status, now);
    assert!(open.is_empty(), "{open:?} never ended\n{:#?}", told());
}

/// Every live resource is the stack's, or was let go of knowingly; what the stack says it has is there. What was let go.
pub(super) fn nothing_is_lost(cloud: &Cloud) -> Vec<String> {
    let stack = cloud.stack("s");
    // What an update that failed was about to replace.
    let steps = stack.operation.iter().flat_map(|operation| operation.steps.values());
    let owned: BTreeSet<&str> = stack
        .resources
        .values()
        .chain(&stack.leftovers)
        .filter(|resource| !matches!(resource.status.as_str(), "DELETE_COMPLETE" | "DELETE_SKIPPED"))
        .chain(steps.filter_map(|step| step.before.as_ref()))
        .map(|resource| resource.physical_id.as_str())
        .collect();
    let skipped =
        stack.events.iter().filter(|event| event.status == "DELETE_SKIPPED").map(|it| it.physical_id.as_str());
    let let_go: BTreeSet<&str> =
        stack.abandoned.iter().map(|resource| resource.physical_id.as_str()).chain(skipped).collect();
    let live = cloud.live();
    for id in &live {
        let known = owned.contains(id.as_str()) || let_go.contains(id.as_str());
        assert!(known, "{id} is lost\n{:#?}", cloud.events("s"));
    }
    let there =
        |it: &&super::super::model::StackResource| it.status.ends_with("E_COMPLETE") && it.status != "DELETE_COMPLETE";
    for resource in stack.resources.values().filter(there) {
        assert!(live.contains(&resource.physical_id), "{} is not there\n{:#?}", resource.logical_id, cloud.events("s"));
    }
    live.into_iter().filter(|id| !owned.contains(id.as_str())).collect()
}

/// What a stack is: of each resource its physical id, its properties, and what is really there.
pub(super) type Snapshot = BTreeMap<String, (String, Json, Option<Json>)>;

pub(super) async fn snapshot(cloud: &Cloud) -> Snapshot {
    let mut found = Snapshot::new();
    for (id, resource) in cloud.stack("s").resources {
        let live =
            crate::resources::read(&cloud.aws.world, &cloud.place, &resource.resource_type, &resource.physical_id);
        let value = live.await.map(|live| live["Value"].clone());
        found.insert(id, (resource.physical_id, resource.properties, value));
    }
    found
}

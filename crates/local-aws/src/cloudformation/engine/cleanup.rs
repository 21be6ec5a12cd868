//! The cleanup after an update or after its rollback: old physical resources are deleted, dependents first. What cannot
//! be deleted in three attempts is left behind, and the update is a success all the same.

use super::delete::{self, Gone};
use super::events::{Properties, stack_event};
use super::stage::Stage;
use super::walk::{Node, reversed, walk};
use super::{finish, provider};
use crate::cloudformation::model::StackResource;

const ATTEMPTS: usize = 3;

/// After an update. `end` is the stack's last status.
pub(super) async fn run(stage: &Stage, end: &str) {
    let records = stage.look(|stack| stack.leftovers.clone());
    let nodes = order(&records);
    let one = |key: &str| {
        let record = records.iter().find(|record| self::key(record) == key);
        let key = key.to_owned();
        async move {
            let Some(record) = record else { return true };
            let mut gone = Gone::Failed;
            for _ in 0..ATTEMPTS {
                gone = delete::resource(stage, record, retained(record), Properties::Hidden).await;
                if gone != Gone::Failed {
                    break;
                }
            }
            stage.edit(|_, stack| {
                stack.leftovers.retain(|other| self::key(other) != key);
                if gone == Gone::Failed {
                    stack.abandoned.push(record.clone());
                }
            });
            if gone == Gone::Failed {
                // It is nobody's, and has its name all the same.
                provider::release(stage, record);
            }
            // What needs it is gone already, and what it needs may go.
            true
        }
    };
    walk(&nodes, one, || false).await;
    stage.edit(|world, stack| {
        let stuck = records.iter().any(|record| stack.abandoned.iter().any(|other| key(other) == key(record)));
        let reason = stuck.then_some("Update successful. One or more resources could not be deleted.");
        stack_event(world, stack, end, reason);
        finish(stack);
    });
}

/// One logical resource may leave several physical ones.
fn key(record: &StackResource) -> String {
    format!("{}/{}", record.logical_id, record.physical_id)
}

fn retained(record: &StackResource) -> bool {
    matches!(record.deletion_policy.as_deref(), Some("Retain" | "RetainExceptOnCreate"))
}

fn order(records: &[StackResource]) -> Vec<Node> {
    let keys = |id: &str| records.iter().filter(|record| record.logical_id == *id).map(key).collect::<Vec<_>>();
    let nodes: Vec<Node> = records
        .iter()
        .map(|record| Node { id: key(record), after: record.depends_on.iter().flat_map(|id| keys(id)).collect() })
        .collect();
    reversed(&nodes)
}

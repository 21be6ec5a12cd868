//! Stack operations in the background: what CreateStack, UpdateStack, DeleteStack and the others set going.
//!
//! An operation goes through phases. Each is entered with what the stack's record says and leaves it in the record, and
//! what is done to a resource is noted before and after it is done: a world that is opened again goes on where the last
//! one stopped ([`resume`]).
//!
//! | phase | from | on success | on failure |
//! |---|---|---|---|
//! | forward | `CREATE_IN_PROGRESS`, `UPDATE_IN_PROGRESS`, `IMPORT_IN_PROGRESS` | complete, or cleanup after an update | rollback, deletion, or left as it is |
//! | cleanup | `UPDATE_COMPLETE_CLEANUP_IN_PROGRESS` | `UPDATE_COMPLETE` | the same, with leftovers |
//! | rollback | `ROLLBACK_IN_PROGRESS`, `UPDATE_ROLLBACK_IN_PROGRESS` | `ROLLBACK_COMPLETE`, or cleanup | `ROLLBACK_FAILED`, `UPDATE_ROLLBACK_FAILED` |
//! | rollback cleanup | `UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS` | `UPDATE_ROLLBACK_COMPLETE` | the same, with leftovers |
//! | delete | `DELETE_IN_PROGRESS` | `DELETE_COMPLETE` | `DELETE_FAILED` |

mod alarms;
mod cleanup;
mod create;
mod delete;
pub(super) mod diff;
pub(super) mod dynamic;
pub(super) mod events;
pub(super) mod exports;
mod forward;
mod import;
mod nested;
mod policy;
pub(super) mod provider;
mod rollback;
mod rolling;
pub(super) mod scene;
mod stage;
mod update;
mod wait;
mod walk;

pub(super) use rollback::again;
pub(super) use stage::Ended;

use super::model::{OnFailure, Operation, OperationKind, Phase, Stack};
use crate::world::World;
use indexmap::IndexMap;
use stage::Stage;
use std::pin::Pin;
use std::sync::Arc;

impl Operation {
    pub(super) fn new(world: &World, kind: OperationKind, phase: Phase) -> Self {
        Operation {
            id: world.ids.uuid(),
            kind,
            phase,
            started: world.clock.now(),
            token: None,
            on_failure: OnFailure::Rollback,
            prepared: false,
            cancelled: false,
            retain: Vec::new(),
            skip: Vec::new(),
            force: false,
            retain_except_on_create: false,
            express: false,
            policy: None,
            revert_drift: false,
            imports: IndexMap::new(),
            steps: IndexMap::new(),
        }
    }
}

/// Lets what is being done to a stack go on in the background.
pub(crate) fn spawn(world: &Arc<World>, stack_id: &str) {
    tokio::spawn(boxed(Arc::clone(world), stack_id.to_owned()));
}

/// Goes on with everything that was being done when the world was closed.
pub(crate) fn resume(world: &Arc<World>) {
    let stacks: Vec<String> = {
        let stacks = world.stacks.lock();
        // A nested stack goes on when its parent does.
        let driven = |stack: &Stack| {
            let parent = stack.parent.as_ref().and_then(|parent| stacks.get(&parent.stack_id));
            parent.is_some_and(is_busy)
        };
        stacks.values().filter(|stack| is_busy(stack) && !driven(stack)).map(|stack| stack.id.clone()).collect()
    };
    stacks.iter().for_each(|id| spawn(world, id));
}

/// Whether something is being done to a stack.
pub(crate) fn is_busy(stack: &Stack) -> bool {
    stack.status.ends_with("_IN_PROGRESS") && stack.operation.is_some()
}

/// Tells what is being done to a stack to stop.
pub(crate) fn halt(world: &World, stack_id: &str) {
    world.stacks.halt_of(stack_id).set(true);
}

/// Stacks nest, and so do the futures that work on them.
fn boxed(world: Arc<World>, stack_id: String) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move { run(&world, &stack_id).await })
}

/// Does what there is to do until the stack rests.
async fn run(world: &Arc<World>, stack_id: &str) {
    let Some(stage) = Stage::new(world, stack_id) else { return };
    let phase = |stack: &Stack| stack.operation.as_ref().filter(|_| is_busy(stack)).map(|operation| operation.phase);
    while let Some(phase) = stage.look(phase) {
        match phase {
            Phase::Forward => forward::run(&stage).await,
            Phase::Cleanup => cleanup::run(&stage, "UPDATE_COMPLETE").await,
            Phase::Rollback => rollback::run(&stage).await,
            Phase::RollbackCleanup => cleanup::run(&stage, "UPDATE_ROLLBACK_COMPLETE").await,
            Phase::Delete => delete::run(&stage).await,
        }
    }
    world.stacks.forget_halt(stack_id);
}

/// The stack rests: nothing is to be gone back to, and nothing to be gone on with.
fn finish(stack: &mut Stack) {
    stack.operation = None;
    stack.previous = None;
    stack.policy_during_update = None;
}

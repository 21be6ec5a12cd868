//! How much is remembered of stacks that are deleted. AWS keeps them for 90 days; a world that deploys and deletes all
//! day would hold thousands of them. Of the latest everything stays, of those before them that they were there.

use super::model::Stack;
use crate::world::World;
use jiff::{SignedDuration, Timestamp};

/// Deleted stacks of which everything stays: events, templates, change sets.
const WHOLE: usize = 100;
/// After so long nothing more is said of a deleted stack than that it was there.
const DAYS: i64 = 90;

/// Lets go of what is not remembered any more.
pub(super) fn bound(world: &World) {
    let now = world.clock.now();
    let mut deleted: Vec<(Timestamp, String)> = {
        let stacks = world.stacks.lock();
        let whole = stacks.values().filter(|stack| stack.status == "DELETE_COMPLETE" && !stack.events.is_empty());
        whole.filter_map(|stack| Some((stack.deleted?, stack.id.clone()))).collect()
    };
    deleted.sort_unstable();
    let many = deleted.len().saturating_sub(WHOLE);
    let is_old = |time: &Timestamp| now.duration_since(*time) > SignedDuration::from_hours(24 * DAYS);
    for (at, (time, id)) in deleted.into_iter().enumerate() {
        if at < many || is_old(&time) {
            world.edit_stack(&id, forget);
        }
    }
}

/// Leaves of a deleted stack what lists of stacks show, and its outputs.
fn forget(stack: &mut Stack) {
    stack.events = Vec::new();
    stack.change_sets = Default::default();
    stack.resources = Default::default();
    stack.leftovers = Vec::new();
    stack.signals = Vec::new();
    stack.tokens = Vec::new();
    stack.drift = Default::default();
    stack.policy = None;
    let definition = &mut stack.current;
    (definition.template, definition.processed, definition.expanded) = (String::new(), None, None);
}

//! What a plan does, on the picture of what it leads to.

use super::scene::{Mark, Scene};
use crate::plan::{Action, ChangeAction, Plan};
use std::collections::BTreeMap;

/// Marks every box by the gravest change of what it stands for. What goes and is in no box is listed.
pub fn mark(scene: &mut Scene, plan: &Plan) {
    let mut marks: BTreeMap<(String, String), Mark> = BTreeMap::new();
    for step in plan.steps.iter().filter(|step| step.action != Action::Nothing) {
        for change in &step.changes {
            let mark = match change.action {
                ChangeAction::Add | ChangeAction::Import => Mark::New,
                ChangeAction::Modify | ChangeAction::MayModify => Mark::Changes,
                ChangeAction::Replace | ChangeAction::MayReplace => Mark::Replaced,
                ChangeAction::Remove => Mark::Goes,
            };
            marks.insert((step.stack.clone(), change.logical_id.clone()), mark);
        }
    }
    let mut shown = Vec::new();
    scene.root.walk_mut(&mut |node| {
        let of: Vec<Mark> = node.resources.iter().filter_map(|resource| marks.get(resource).copied()).collect();
        // A card is new only if all of it is: an old service with a new alarm changes.
        node.mark = match of.iter().max() {
            Some(Mark::New) if of.len() < node.resources.len() => Some(Mark::Changes),
            gravest => gravest.copied(),
        };
        shown.extend(node.resources.iter().cloned());
    });
    let gone = marks.iter().filter(|(resource, mark)| **mark == Mark::Goes && !shown.contains(resource));
    scene.gone = gone.map(|((stack, logical_id), _)| format!("{stack}.{logical_id}")).collect();
}

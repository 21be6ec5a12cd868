//! Storage that a change in place would make smaller, which its service refuses in the middle of the update.

use super::pair::Pair;
use super::risk::Context;
use crate::plan::document::ChangeAction;
use cloudformation::storage::{Shrinkage, shrinkage};

pub(super) fn check(pair: &Pair, context: &mut Context) {
    if !matches!(pair.change.action, ChangeAction::Modify | ChangeAction::MayModify) {
        return;
    }
    let (Some(before), Some(after)) = (pair.before.as_object(), pair.after.as_object()) else { return };
    let Some(Shrinkage { path, before, after, .. }) = shrinkage(&pair.change.resource_type, before, after) else {
        return;
    };
    let message = format!(
        "{path} {before} → {after}: AWS makes this storage larger, and never smaller, so that the update would fail and be \
         rolled back; write {before} or more, or make a new resource of the smaller size and move the data"
    );
    context.refuse(pair, "storage-shrinks", &path, message);
}

//! Finding stacks and change sets by what requests call them, and the words for those that are not there.

use crate::cloudformation::model::{ChangeSet, Stack};
use crate::place::Place;
use crate::query::Fault;
use indexmap::IndexMap;

/// A stack by its name or id. A deleted stack is found by its id only.
pub(super) fn stack<'s>(stacks: &'s IndexMap<String, Stack>, place: &Place, name: &str) -> Option<&'s Stack> {
    if name.starts_with("arn:") {
        return stacks.get(name).filter(|stack| stack.place == *place);
    }
    stacks.values().rev().find(|stack| stack.name == name && stack.place == *place && !is_deleted(stack))
}

pub(super) fn is_deleted(stack: &Stack) -> bool {
    stack.status == "DELETE_COMPLETE"
}

/// A change set by its id, or by its name and the stack's name or id; of several with the name the newest.
///
/// # Errors
/// `ChangeSetNotFound` and `ValidationError`, as AWS words them.
pub(super) fn change_set<'s>(
    stacks: &'s IndexMap<String, Stack>,
    place: &Place,
    change_set: &str,
    stack_name: Option<&str>,
) -> Result<(&'s Stack, &'s ChangeSet), Fault> {
    let missing = || change_set_missing(change_set);
    if change_set.starts_with("arn:") {
        return stacks
            .values()
            .filter(|stack| stack.place == *place)
            .find_map(|stack| Some((stack, stack.change_sets.get(change_set)?)))
            .ok_or_else(missing);
    }
    let Some(name) = stack_name else {
        return Err(Fault::validation("StackName must be specified if ChangeSetName is not specified as an ARN."));
    };
    let stack = stack(stacks, place, name).ok_or_else(|| in_brackets(name))?;
    let found = stack.change_sets.values().rev().find(|it| it.name == change_set).ok_or_else(missing)?;
    Ok((stack, found))
}

pub(super) fn change_set_missing(change_set: &str) -> Fault {
    Fault::new("ChangeSetNotFound", format!("ChangeSet [{change_set}] does not exist")).with_status(404)
}

/// What most operations say of a stack that they do not find.
pub(super) fn with_id(name: &str) -> Fault {
    Fault::validation(format!("Stack with id {name} does not exist"))
}

/// What `DescribeStackEvents`, `ListChangeSets` and some others say.
pub(super) fn in_brackets(name: &str) -> Fault {
    Fault::validation(format!("Stack [{name}] does not exist"))
}

/// What `DescribeStackResource` says.
pub(super) fn in_quotes(name: &str) -> Fault {
    Fault::validation(format!("Stack '{name}' does not exist"))
}

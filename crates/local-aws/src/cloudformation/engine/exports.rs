//! Exports: a name is exported once, and what others import neither changes nor goes.

use crate::cloudformation::model::{Output, Stack};
use crate::world::World;

/// Checks the outputs that a stack is about to have.
///
/// # Errors
/// A name is taken, or an export that is in use would change or go.
pub(super) fn check(world: &World, stack_id: &str, outputs: &[Output]) -> Result<(), String> {
    let stacks = world.stacks.lock();
    let Some(stack) = stacks.get(stack_id) else { return Ok(()) };
    let others = || stacks.values().filter(|other| is_other(other, stack));
    for (name, _) in exported(outputs) {
        if let Some(owner) = others().find(|other| exported(&other.outputs).any(|(taken, _)| taken == name)) {
            return Err(format!("Export with name {name} is already exported by stack {}", owner.name));
        }
    }
    for (name, value) in exported(&stack.outputs) {
        let users: Vec<&str> =
            others().filter(|other| other.imports.iter().any(|it| it == name)).map(|it| it.name.as_str()).collect();
        if users.is_empty() {
            continue;
        }
        match exported(outputs).find(|(kept, _)| *kept == name) {
            None => return Err(format!("Cannot delete export {name} as it is in use by {}", list(&users))),
            Some((_, now)) if now != value => {
                return Err(format!("Cannot update export {name} as it is in use by {}", list(&users)));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Why a stack cannot be deleted: others import from it.
pub(crate) fn in_use(world: &World, stack_id: &str) -> Option<String> {
    check(world, stack_id, &[]).err()
}

fn is_other(other: &Stack, stack: &Stack) -> bool {
    other.id != stack.id && other.place == stack.place && other.status != "DELETE_COMPLETE"
}

fn exported(outputs: &[Output]) -> impl Iterator<Item = (&str, &str)> {
    outputs.iter().filter_map(|output| Some((output.export.as_deref()?, output.value.as_str())))
}

/// `a`, `a and b`, `a, b and c`.
fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn lists_read_as_english() {
        assert_eq!(super::list(&["a"]), "a");
        assert_eq!(super::list(&["a", "b", "c"]), "a, b and c");
    }
}

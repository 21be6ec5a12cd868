//! Changes of stacks: all go through here, so that whoever keeps stacks sees each of them.

use super::model::Stack;
use crate::world::World;

#[allow(dead_code, reason = "the rooms that use it follow")]
impl World {
    /// Changes a stack; `None` if there is none with this id. The whole change is seen at once, or not at all.
    pub(crate) fn edit_stack<T>(&self, id: &str, edit: impl FnOnce(&mut Stack) -> T) -> Option<T> {
        let mut stacks = self.stacks.lock();
        stacks.get_mut(id).map(edit)
    }

    /// Adds a stack that was not there.
    pub(crate) fn add_stack(&self, stack: Stack) {
        self.stacks.lock().insert(stack.id.clone(), stack);
    }

    /// Looks at a stack.
    pub(crate) fn with_stack<T>(&self, id: &str, look: impl FnOnce(&Stack) -> T) -> Option<T> {
        self.stacks.lock().get(id).map(look)
    }
}

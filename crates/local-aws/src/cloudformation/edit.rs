//! Changes of stacks: all go through here, so that whoever keeps stacks sees each of them.

use super::model::Stack;
use crate::world::World;

impl World {
    /// Changes a stack; `None` if there is none with this id. The whole change is seen at once, or not at all.
    pub(crate) fn edit_stack<T>(&self, id: &str, edit: impl FnOnce(&mut Stack) -> T) -> Option<T> {
        let edited = self.stacks.lock().get_mut(id).map(edit);
        self.store.touch_stack(id);
        edited
    }

    /// Adds a stack that was not there.
    pub(crate) fn add_stack(&self, stack: Stack) {
        let id = stack.id.clone();
        self.stacks.restore(stack);
        self.store.touch_stack(&id);
    }

    /// Looks at a stack.
    pub(crate) fn with_stack<T>(&self, id: &str, look: impl FnOnce(&Stack) -> T) -> Option<T> {
        self.stacks.lock().get(id).map(look)
    }
}

//! How much text one evaluation may make, so that a small template cannot stand for gigabytes.

use std::cell::Cell;

/// 32 MiB: thirty times the largest template.
const BYTES: usize = 32 * 1024 * 1024;

pub(super) const EXCEEDED: &str = "the values of this template grow to more than 32 MiB of text";

pub(super) struct Budget {
    left: Cell<usize>,
    exceeded: Cell<bool>,
}

pub(super) enum Spent {
    Within,
    /// This went over it, the first time.
    First,
    Over,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { left: Cell::new(BYTES), exceeded: Cell::new(false) }
    }
}

impl Budget {
    pub(super) fn has(&self, bytes: usize) -> bool {
        bytes <= self.left.get()
    }

    pub(super) fn spend(&self, bytes: usize) -> Spent {
        match self.left.get().checked_sub(bytes) {
            Some(left) => {
                self.left.set(left);
                Spent::Within
            }
            None => {
                self.left.set(0);
                if self.exceeded.replace(true) { Spent::Over } else { Spent::First }
            }
        }
    }
}

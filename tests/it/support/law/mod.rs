//! Random projects and random edits of them, for the law that a plan is what the apply does.

pub mod edit;
pub mod project;
pub mod world;

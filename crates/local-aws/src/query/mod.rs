//! The AWS Query protocol: a form becomes JSON, JSON becomes XML.
//!
//! It knows no operation. Lists, maps and structures are told apart by how their keys are written; all values that
//! arrive are strings, which [`input`] reads as the numbers, booleans and empty lists that they stand for.

mod fault;
mod input;
mod read;
mod write;

pub(crate) use fault::request_id;
pub use fault::{Fault, with_request_id};
pub use input::input;
pub use read::{action, read, read_request};
pub use write::{answer, entries};
pub(crate) use write::{answer_written, element, escape};

#[cfg(test)]
mod tests;

//! Code of functions: a folder and what its lock file names become one zip archive, which is known by its digest.
//!
//! What always holds: the same sources give the same bytes, wherever and whenever they are packed; what was packed once is
//! not packed again; an archive is whole or not there. Nothing here prints: progress is told as values.

mod archive;
mod build;
mod contents;
mod handler;
mod install;
mod lock;
#[cfg(all(test, unix))]
mod tests;

pub use archive::{LIMIT_BYTES, Packed};
pub use build::{Built, Progress, Recipe, Tell, build, find, folder, listing};
pub use handler::{HandlerProblem, Listing, problem as handler_problem};

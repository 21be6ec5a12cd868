//! One verb a file: its arguments and `run`. Commands wire rooms together; they never decide and never print.

pub mod completions;
pub mod docs;

use crate::cli::{Cli, Command};
use crate::error::Result;
use crate::view::View;
use std::process::ExitCode;

/// Runs the command that was asked for.
pub fn run(cli: Cli, view: &View) -> Result<ExitCode> {
    match cli.command {
        Command::Docs(args) => docs::run(args, view),
        Command::Completions(args) => completions::run(args, view),
    }
}

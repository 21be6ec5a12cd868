//! One verb a file: its arguments and `run`. Commands wire rooms together; they never decide and never print.

pub mod apply;
mod assets;
pub mod bootstrap;
pub mod changing;
mod checks;
pub mod completions;
pub mod cost;
pub mod destroy;
pub mod diagram;
pub mod docs;
pub mod drift;
pub mod explain;
pub mod history;
pub mod image;
mod images;
pub mod init;
pub mod local;
pub mod lock;
pub mod outputs;
mod packages;
pub mod plan;
pub mod planning;
mod policies;
mod promotion;
pub mod rehearse;
pub mod render;
pub mod rollback;
pub mod schema;
pub mod session;
mod signals;
pub mod status;
mod surroundings;
pub mod validate;

use crate::cli::{Cli, Command};
use crate::error::Result;
use crate::view::View;
use session::Session;
use std::process::ExitCode;

/// Runs the command that was asked for.
pub fn run(cli: Cli, view: &View) -> Result<ExitCode> {
    let session = &Session::new(&cli.global, view);
    match cli.command {
        Command::Init(args) => init::run(args, session),
        Command::Bootstrap(args) => bootstrap::run(args, session),
        Command::Validate(args) => validate::run(args, session),
        Command::Render(args) => render::run(args, session),
        Command::Plan(args) => plan::run(args, session),
        Command::Cost(args) => cost::run(args, session),
        Command::Diagram(args) => diagram::run(args, session),
        Command::Apply(args) => apply::run(args, session),
        Command::Destroy(args) => destroy::run(args, session),
        Command::Drift(args) => drift::run(args, session),
        Command::Status(args) => status::run(args, session),
        Command::Outputs(args) => outputs::run(args, session),
        Command::History(args) => history::run(args, session),
        Command::Rollback(args) => rollback::run(args, session),
        Command::Local(args) => local::run(args, session),
        Command::Rehearse(args) => rehearse::run(args, session),
        Command::Lock(args) => lock::run(args, session),
        Command::Image(args) => image::run(args, session),
        Command::Explain(args) => explain::run(args, session),
        Command::Schema(args) => schema::run(args, session),
        Command::Docs(args) => docs::run(args, session),
        Command::Completions(args) => completions::run(args, session),
    }
}

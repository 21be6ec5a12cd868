//! `infra docs`: reference texts, generated from what they describe.

use super::session::Session;
use crate::cli;
use crate::error::Result;
use crate::view::reference;
use clap::Subcommand;
use std::process::ExitCode;

/// Print reference documentation
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    topic: Topic,
}

#[derive(Debug, Subcommand)]
enum Topic {
    /// Every command and option, as Markdown
    Cli,
    /// The manual page, in roff
    Man,
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    match args.topic {
        Topic::Cli => session.view.raw(reference::markdown(&cli::tree()).as_bytes())?,
        Topic::Man => session.view.raw(&reference::man(cli::tree())?)?,
    }
    Ok(ExitCode::SUCCESS)
}

//! `infra docs`: reference texts, generated from what they describe.

use crate::cli;
use crate::error::Result;
use crate::view::{View, reference};
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

pub fn run(args: Args, view: &View) -> Result<ExitCode> {
    match args.topic {
        Topic::Cli => view.raw(reference::markdown(&cli::tree()).as_bytes())?,
        Topic::Man => view.raw(&reference::man(cli::tree())?)?,
    }
    Ok(ExitCode::SUCCESS)
}

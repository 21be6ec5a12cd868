//! `infra completions`: a completion script for a shell, generated from the command tree.

use super::session::Session;
use crate::cli;
use crate::error::Result;
use clap_complete::Shell;
use std::process::ExitCode;

/// Print the completion script of a shell
///
/// Bash: `infra completions bash > ~/.local/share/bash-completion/completions/infra`.
/// Zsh: `infra completions zsh > "${fpath[1]}/_infra"`.
/// Fish: `infra completions fish > ~/.config/fish/completions/infra.fish`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell to complete in
    #[arg(value_enum)]
    shell: Shell,
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::tree(), "infra", &mut script);
    session.view.raw(&script)?;
    Ok(ExitCode::SUCCESS)
}

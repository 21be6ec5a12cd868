//! `infra completions`: a script with which a shell asks `infra` itself what could stand at the cursor: commands, options, and
//! the names of environments, stacks, templates and images.

use super::session::Session;
use crate::catalog::Catalog;
use crate::cli;
use crate::environment;
use crate::error::{Error, Kind, Result};
use anyhow::Context;
use clap_complete::Shell;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::Shells;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

/// Print the completion script of a shell
///
/// It completes commands and options, and the names of the project's environments, stacks, templates and images.
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
    let name = args.shell.to_string();
    let shells = Shells::builtins();
    let Some(shell) = shells.completer(&name) else {
        return Err(Error::new(Kind::Other, format!("there are no completions for {name}")).into());
    };
    shell
        .write_registration(VARIABLE, "infra", "infra", "infra", &mut script)
        .context("the script could not be written")?;
    session.view.raw(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// The variable by which a shell's script asks for completions.
pub const VARIABLE: &str = "INFRA_COMPLETE";

/// Answers a shell that asks what could stand at the cursor; returns where no shell asks. Nothing but files of the project is
/// looked at.
pub fn answer() {
    clap_complete::CompleteEnv::with_factory(cli::tree).var(VARIABLE).bin("infra").complete();
}

/// Names of environments.
pub fn environments() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let listed = environment::list(&project()).unwrap_or_default();
        listed.into_iter().filter(|listed| !listed.base).map(|listed| CompletionCandidate::new(listed.name)).collect()
    })
}

/// Names of stacks: those of the environment that the line names, or of all.
pub fn stacks() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let project = project();
        let named = option(&["--env"]).or_else(|| std::env::var("INFRA_ENV").ok()).filter(|name| !name.is_empty());
        let listed = || environment::list(&project).unwrap_or_default();
        let environments = match named {
            Some(name) => vec![name],
            None => listed().into_iter().filter(|listed| !listed.base).map(|listed| listed.name).collect(),
        };
        let names: BTreeSet<String> = environments
            .iter()
            .filter_map(|name| environment::load(&project, name).ok())
            .flat_map(|(environment, _)| environment.stacks.into_keys())
            .collect();
        names.into_iter().map(CompletionCandidate::new).collect()
    })
}

/// Names of templates.
pub fn templates() -> ArgValueCandidates {
    ArgValueCandidates::new(|| Catalog::open(&project()).names().into_iter().map(CompletionCandidate::new).collect())
}

/// Names of images.
pub fn images() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let project = project();
        let listed = environment::list(&project).unwrap_or_default();
        let loaded = listed.iter().filter_map(|listed| environment::load(&project, &listed.name).ok());
        let names: BTreeSet<String> = loaded.flat_map(|(environment, _)| environment.images.into_keys()).collect();
        names.into_iter().map(CompletionCandidate::new).collect()
    })
}

/// Types of resources.
pub fn resource_types() -> ArgValueCandidates {
    ArgValueCandidates::new(|| cloudformation::schema::resource_type_names().map(CompletionCandidate::new).collect())
}

/// The directory that the line to be completed works in.
fn project() -> PathBuf {
    option(&["-C", "--directory"]).map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// The value of an option on the line to be completed, which this process has as its arguments.
fn option(names: &[&str]) -> Option<String> {
    let words: Vec<String> = std::env::args().collect();
    let mut found = None;
    for (index, word) in words.iter().enumerate() {
        for name in names {
            if word == name {
                found = words.get(index + 1).cloned();
            } else if let Some(value) = word.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
                found = Some(value.to_owned());
            }
        }
    }
    found.filter(|value| !value.is_empty())
}

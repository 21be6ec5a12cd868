//! The command line as a tree of types; its doc comments are the manual, from which help, `docs/cli.md`, the man page and
//! the shell completions follow.
//!
//! Nothing is decided here: a verb's own arguments stand beside its `run` in `commands`.

use crate::commands;
use crate::view::{Color, Format, View};
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueHint};
use std::path::PathBuf;

/// Plans and applies AWS environments as CloudFormation stacks, from one YAML file each
///
/// An environment is a file, `environments/<name>.yaml`: the stacks it consists of, the template of each and the inputs
/// that it gives them. `infra plan` shows what would change, `infra apply` does exactly that, in dependency order, in
/// parallel and under a lock.
///
/// Data goes to stdout, progress and messages to stderr.
///
/// Exit codes: 0 done, or no changes; 1 error; 2 changes or drift, with --detailed-exitcode; 3 somebody else holds the lock; 64
/// wrong usage; 130 and 143 stopped by SIGINT and SIGTERM.
#[derive(Debug, Parser)]
#[command(name = "infra", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The environment to work on: the name of a file in environments/, without `.yaml`
    #[arg(long, global = true, value_name = "NAME", env = "INFRA_ENV", hide_env_values = true,
          add = commands::completions::environments())]
    pub env: Option<String>,

    /// Work in this directory instead of the current one
    #[arg(short = 'C', long = "directory", global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub directory: Option<PathBuf>,

    /// How to write what the command found or did
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,

    /// When to use colours; `auto` follows the terminal, NO_COLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,

    /// No progress and no notes on stderr, only what was asked for and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say more: every property of new resources, every event of a stack
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,

    /// Send every AWS call to this address (AWS_ENDPOINT_URL does the same)
    #[arg(long, global = true, value_name = "URL", value_hint = ValueHint::Url)]
    pub endpoint_url: Option<String>,

    /// The profile of the AWS configuration files to take credentials from (AWS_PROFILE does the same)
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
}

impl Global {
    /// How this run talks, as the options say; settles colours for the whole process.
    pub fn view(&self) -> View {
        View::new(self.format, self.color, self.quiet, self.verbose > 0)
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Init(commands::init::Args),
    Bootstrap(commands::bootstrap::Args),
    Validate(commands::validate::Args),
    Render(commands::render::Args),
    Plan(commands::plan::Args),
    Cost(commands::cost::Args),
    Diagram(commands::diagram::Args),
    Apply(commands::apply::Args),
    Destroy(commands::destroy::Args),
    Drift(commands::drift::Args),
    Status(commands::status::Args),
    Outputs(commands::outputs::Args),
    History(commands::history::Args),
    Rollback(commands::rollback::Args),
    Lock(commands::lock::Args),
    Image(commands::image::Args),
    Rehearse(commands::rehearse::Args),
    Local(commands::local::Args),
    Explain(commands::explain::Args),
    Schema(commands::schema::Args),
    Docs(commands::docs::Args),
    Completions(commands::completions::Args),
}

/// The tree itself, for what is generated from it.
pub fn tree() -> clap::Command {
    let mut tree = Cli::command();
    tree.build();
    tree
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_is_sound() {
        super::tree().debug_assert();
    }

    #[test]
    fn the_published_reference_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md");
        let published = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            published == crate::view::reference::markdown(&super::tree()),
            "docs/cli.md is out of date; write it anew: cargo run -q -- docs cli > docs/cli.md"
        );
    }
}

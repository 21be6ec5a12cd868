//! `infra plan`: what apply would do. Reads only.

use super::planning::{self, Aim, Limits};
use super::session::Session;
use crate::error::Result;
use crate::observe;
use crate::view::plan::GITHUB_COMMENT_LIMIT;
use anyhow::Context;
use std::path::PathBuf;
use std::process::ExitCode;

/// Show what apply would do
///
/// Reads the account and changes nothing. `+` is created, `~` changed in place, `-/+` replaced, `-` deleted, `<=`
/// imported; what `>` changes is known after apply.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    limits: Limits,

    /// Save the plan for `infra apply FILE`
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,

    /// Exit with 2 where there are changes
    #[arg(long)]
    detailed_exitcode: bool,

    /// With --format markdown: at most so many characters (GitHub takes 65536 in a comment, 1048576 in a summary)
    #[arg(long, value_name = "CHARACTERS", default_value_t = GITHUB_COMMENT_LIMIT)]
    size_limit: usize,
}

/// There are changes, and --detailed-exitcode asked to be told.
const CHANGES: u8 = 2;

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let (environment, wanted) = planning::wanted(session)?;
    let plan = session.read(async |events| {
        let account = session.connect(&environment, events).await?;
        let mut facts = observe::look(&account.aws, &account.store, &environment, &wanted).await?;
        let state = facts.state.as_ref().map(|snapshot| &snapshot.state);
        let options = args.limits.options();
        planning::make(&account, &environment, &wanted, state, &mut facts.deployed, &options, Aim::Reach).await
    })?;
    if let Some(path) = &args.out {
        std::fs::write(path, plan.save()?).with_context(|| format!("cannot save the plan as {}", path.display()))?;
    }
    session.view.plan(&plan, args.size_limit)?;
    if let Some(path) = &args.out {
        let path = path.display();
        session
            .view
            .note(&format!("Saved as {path}. To do exactly this: {}", session.command(&format!("apply {path}"))));
    }
    Ok(match args.detailed_exitcode && plan.has_changes() {
        true => ExitCode::from(CHANGES),
        false => ExitCode::SUCCESS,
    })
}

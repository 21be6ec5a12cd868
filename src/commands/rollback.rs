//! `infra rollback`: back to the templates and parameters of an earlier serial.

use super::changing::{self, Grip, Manner, Operation, change};
use super::planning::{self, Aim, Imports, Limits};
use super::session::Session;
use crate::error::Result;
use std::process::ExitCode;

/// Go back to what was applied under an earlier serial
///
/// Plans the templates and parameters that the history keeps of that serial against what is there now, and applies the
/// plan as any other. The files stay as they are: the next apply goes forward to them again.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The serial to go back to, as `infra history` lists them
    #[arg(long, value_name = "SERIAL")]
    to: u64,

    #[command(flatten)]
    limits: Limits,

    #[command(flatten)]
    imports: Imports,

    #[command(flatten)]
    manner: Manner,
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let environment = session.environment()?;
    let options = args.imports.options(args.limits.options());
    let operation = Operation {
        name: format!("rollback to {}", args.to),
        past: "Rolled back",
        question: changing::question(&format!("Go back to serial {} of", args.to), &environment),
        nothing: Some("No changes. Everything is as it was then."),
        words: format!("rollback --to {}{}{}", args.to, args.limits.words(), args.imports.words()),
    };
    change(session, &environment, &args.manner, &operation, async |grip: Grip<'_>| {
        let store = grip.state.store();
        let wanted = store.recorded_stacks(store.entry(args.to).await?).await?;
        planning::under_lock(&grip, &environment, &wanted, &options, Aim::Return).await
    })
}

//! `infra destroy`: every stack of an environment goes, those that others need last.

use super::changing::{self, Grip, Manner, Operation, change};
use super::planning::{self, Aim, Removal};
use super::session::Session;
use crate::error::Result;
use std::process::ExitCode;

/// Delete the stacks of an environment
///
/// Shows what goes and what stays, asks, and deletes in reverse order. What a template says to retain stays in the
/// account, the state's history too; the next apply takes it up again. What AWS would not delete (a bucket that holds
/// something, what is protected) is refused before anything is deleted.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    removal: Removal,

    #[command(flatten)]
    manner: Manner,
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let (environment, wanted) = planning::wanted(session)?;
    let options = args.removal.options();
    let operation = Operation {
        name: "destroy".to_owned(),
        past: "Destroyed",
        question: changing::question("Delete all of", &environment),
        nothing: Some("Nothing to destroy."),
        words: format!("destroy{}", args.removal.words()),
    };
    change(session, &environment, &args.manner, &operation, async |grip: Grip<'_>| {
        planning::under_lock(&grip, &environment, &wanted, &options, Aim::Destroy).await
    })
}

//! `infra bootstrap`: the bucket for states and the table for locks, as a stack.

use super::changing::{exit_code, heeding};
use super::session::Session;
use super::signals::{self, Signals};
use super::surroundings;
use crate::apply::{Context, Report, apply, interrupt};
use crate::bootstrap;
use crate::catalog::Catalog;
use crate::error::Result;
use crate::model::{Environment, RenderedStack, Written};
use crate::plan::Plan;
use crate::view::progress::Stdout;
use crate::view::report::Told;
use jiff::Timestamp;
use std::process::ExitCode;

/// Make the bucket for states and the table for locks
///
/// Once for each account and region; asking again changes only what is new. Both are encrypted and backed up, and stay
/// when their stack is deleted.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Do not ask for approval
    #[arg(short, long)]
    yes: bool,
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let environment = session.environment()?;
    let wanted = bootstrap::stack(&environment, &Catalog::open(&session.project))?;
    let again = session.command("bootstrap");
    let Some((report, code)) = session.block_on(carry_out(&args, session, &environment, wanted))? else {
        return Ok(ExitCode::SUCCESS);
    };
    let report = bootstrap::with_its_own_command(report, &again);
    let told = Told { past: "Bootstrapped", again: &again, width: session.view.terminal.width };
    session.view.report(&report, &told)?;
    Ok(ExitCode::from(exit_code(&report, code)))
}

/// None where there is nothing to do.
async fn carry_out(
    args: &Args,
    session: &Session<'_>,
    environment: &Environment,
    wanted: RenderedStack,
) -> Result<Option<(Report, Option<u8>)>> {
    let mut signals = Signals::listen()?;
    let (events, listener) = session.view.listen(Stdout::Events);
    let (interrupter, interrupted) = interrupt();
    let work = async {
        let account = signals::unless_interrupted(&mut signals, session.connect(environment, &events)).await?;
        let cloudformation = account.aws.cloudformation(&wanted.target);
        let made = async {
            let plan = bootstrap::make_plan(&cloudformation, environment, wanted).await?;
            listener.pause().await;
            approved(args, session, &plan).await.map(|approved| approved.then_some(plan))
        };
        let Some(plan) = signals::unless_interrupted(&mut signals, made).await? else { return Ok(None) };
        let context = Context {
            aws: &account.aws,
            state: None,
            events: &events,
            interrupt: &interrupted,
            settings: &environment.apply,
            written: &Written {
                at: Timestamp::now(),
                by: account.identity.arn.clone(),
                host: surroundings::host(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                operation: "bootstrap".to_owned(),
                git_commit: None,
                pipeline_url: None,
            },
            project: &session.project,
        };
        heeding(signals, interrupter, &interrupted, apply(&plan, context)).await.map(Some)
    };
    let result = work.await;
    drop(events);
    listener.finish().await;
    result
}

/// The plan is shown; whether there is something to do that may be done.
async fn approved(args: &Args, session: &Session<'_>, plan: &Plan) -> Result<bool> {
    session.view.plan_of_run(plan, Some("No changes. Bucket and table are there."))?;
    if plan.has_changes() && !args.yes {
        let question = format!("Make this in account {}?", plan.account);
        session.view.approve(&question, &session.command("bootstrap --yes")).await?;
    }
    Ok(plan.has_changes())
}

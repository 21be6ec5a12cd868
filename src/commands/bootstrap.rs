//! `infra bootstrap`: the bucket for states and the table for locks, as a stack.

use super::changing::{exit_code, heeding};
use super::session::{Account, Session};
use super::signals::{self, Signals};
use super::surroundings;
use crate::apply::{Context, EventKind, Events, Interrupt, Outcome, Report, apply, interrupt, send};
use crate::bootstrap;
use crate::catalog::Catalog;
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::model::{Environment, RenderedStack, Written};
use crate::plan::Plan;
use crate::view::progress::Stdout;
use crate::view::report::Told;
use jiff::Timestamp;
use std::path::Path;
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
            approved(args, session, environment, &plan).await.map(|approved| approved.then_some(plan))
        };
        let Some(plan) = signals::unless_interrupted(&mut signals, made).await? else { return Ok(None) };
        let written = written(&account, surroundings::host());
        let context = context(&account, environment, &session.project, &events, &interrupted, &written);
        heeding(signals, interrupter, &interrupted, apply(&plan, context)).await.map(Some)
    };
    let result = work.await;
    drop(events);
    listener.finish().await;
    result
}

fn context<'a>(
    account: &'a Account,
    environment: &'a Environment,
    project: &'a Path,
    events: &'a Events,
    interrupt: &'a Interrupt,
    written: &'a Written,
) -> Context<'a> {
    Context { aws: &account.aws, state: None, events, interrupt, settings: &environment.apply, written, project }
}

fn written(account: &Account, host: String) -> Written {
    Written {
        at: Timestamp::now(),
        by: account.identity.arn.clone(),
        host,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        operation: "bootstrap".to_owned(),
        git_commit: None,
        pipeline_url: None,
    }
}

/// Makes bucket and table where they are missing, without asking, and says so.
pub async fn on_the_fly(account: &Account, environment: &Environment, project: &Path, events: &Events) -> Result<()> {
    match account.store.read().await {
        Err(error) if error.kind == Kind::NotBootstrapped => {}
        _ => return Ok(()),
    }
    let state = &environment.state;
    let message = format!("the local AWS is new: making bucket {} and table {}", state.bucket, state.table);
    send(events, None, EventKind::Note { message });
    in_silence(account, environment, project).await
}

/// Bucket and table, for an AWS that is this machine's own.
pub async fn in_silence(account: &Account, environment: &Environment, project: &Path) -> Result<()> {
    let wanted = bootstrap::stack(environment, &Catalog::open(project))?;
    let cloudformation = account.aws.cloudformation(&wanted.target);
    let plan = bootstrap::make_plan(&cloudformation, environment, wanted).await?;
    let (unheard, _) = tokio::sync::mpsc::unbounded_channel();
    let (written, never) = (written(account, surroundings::host()), Interrupt::never());
    let report = apply(&plan, context(account, environment, project, &unheard, &never, &written)).await?;
    let failed = report.stacks.into_iter().find_map(|stack| match stack.outcome {
        Outcome::Failed(cause) => Some(cause),
        _ => None,
    });
    match failed {
        None => Ok(()),
        Some(cause) => {
            let error = Error::new(Kind::Failed, format!("the local AWS could not be made ready: {}", cause.message));
            let reasons = cause.resource.iter().map(|resource| format!("{}: {}", resource.logical_id, resource.reason));
            let reasons = reasons.chain(cause.details);
            let hint = format!(
                "make sure that the disk with {} has room and can be written, then run the same command again",
                project.join(files::OWN_FOLDER).display()
            );
            Err(reasons.fold(error, Error::detail).hint(hint).into())
        }
    }
}

/// The plan is shown; whether there is something to do that may be done.
async fn approved(args: &Args, session: &Session<'_>, environment: &Environment, plan: &Plan) -> Result<bool> {
    session.view.plan_of_run(plan, Some("No changes. Bucket and table are there."))?;
    if plan.has_changes() && !args.yes && !session.goes_without_saying(environment) {
        let question = format!("Make this in account {}?", plan.account);
        session.view.approve(&question, &session.command("bootstrap --yes")).await?;
    }
    Ok(plan.has_changes())
}

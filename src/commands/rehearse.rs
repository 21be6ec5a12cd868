//! `infra rehearse`: the apply that would come, on an AWS in memory and in virtual time.

use super::bootstrap;
use super::changing::{self, Grip};
use super::planning::{self, Aim, Limits};
use super::session::{Account, Session};
use super::surroundings;
use crate::apply::{self, Context, Interrupt, Outcome, Report};
use crate::aws::{AccessKey, Aws, Connect};
use crate::error::{Error, Kind, Result};
use crate::local::Manner;
use crate::model::{Environment, RenderedStack, Written};
use crate::plan::{self, ChangeAction, Options, Plan};
use crate::rehearsal::{self, Basis, Failing, Known, Recorder, Rehearsal, Timeline};
use crate::render::made_parameters;
use crate::state::{LocalCopy, LockRequest, StateStore};
use anyhow::Context as _;
use jiff::Timestamp;
use local_aws::faults::{Action, ResourceFault};
use local_aws::{LocalAws, Place, Speed};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

/// Show how an apply would go, without an account
///
/// Plans and applies the environment, as its files are, to a copy of its last known state on the AWS that is embedded in
/// infra, in virtual time: which stack when, how long, what the whole waits for. Durations are averages of AWS's own.
/// What this machine last read or saved is the last known state; where it knows none, the account is taken to be empty.
///
/// With --fail a resource fails, and the rehearsal shows what becomes of the rest. Exits with 1 where the apply would fail.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    limits: Limits,

    /// Let this resource fail, for this reason; may be given more than once
    #[arg(long, value_name = "STACK.RESOURCE[=REASON]")]
    fail: Vec<Failing>,

    /// Work on so many stacks at the same time, whatever the environment's file says
    #[arg(long, value_name = "STACKS", value_parser = clap::value_parser!(u16).range(1..=64))]
    concurrency: Option<u16>,

    /// Where made-up identifiers come from; the same seed gives the same rehearsal
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let (mut environment, mut wanted) = planning::wanted(session)?;
    // As it would be on AWS, even if the environment lives here: at AWS's own pace.
    environment.apply.speed = 1.0;
    environment.apply.concurrency = args.concurrency.map_or(environment.apply.concurrency, usize::from);
    let copy = LocalCopy::find(&session.project, &environment)?;
    rehearsal::name_assets(&mut wanted, copy.as_ref().and_then(|copy| copy.state.as_ref()));
    let known = Known::from_copy(copy, &environment, &wanted)?;
    crate::random::seed(args.seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .context("the runtime could not be started")?;
    let rehearsal = runtime.block_on(rehearse(&args, session, &environment, &wanted, known))?;
    let again = session.command(&format!("apply{}", args.limits.words()));
    session.view.rehearsal(&rehearsal, &again)?;
    Ok(ExitCode::from(changing::exit_code(&rehearsal.report, None)))
}

async fn rehearse(
    args: &Args,
    session: &Session<'_>,
    environment: &Environment,
    wanted: &[RenderedStack],
    known: Option<Known>,
) -> Result<Rehearsal> {
    // The account holds more than the environment's stacks made: what they refer to beside them is taken as there.
    let options = local_aws::Options {
        speed: Speed::REAL,
        seed: args.seed,
        partial: true,
        signals: Manner::of(&environment.apply).signals(),
        ..local_aws::Options::default()
    };
    let world = LocalAws::open(options).await.context("the embedded AWS could not be made")?;
    let account = account(&world, environment).await?;
    let written = written(&account);
    bootstrap::in_silence(&account, environment, &session.project).await?;
    let basis = known.as_ref().map(|known| Basis { serial: known.state.serial, saved: known.state.written.at });
    let stacks = known.as_ref().map(|known| known.stacks(wanted)).unwrap_or_default();
    put_parameters(&world, known.as_ref(), &[&stacks, wanted]).await?;
    if known.is_some() {
        let before =
            Stage { project: &session.project, environment, wanted: &stacks, account: &account, written: &written };
        let (_, report) = before.play(&Options::default(), |_| Ok(())).await?;
        if let Some(cause) = failure(report) {
            let error = Error::new(Kind::Other, "the last known state could not be made on the embedded AWS");
            return Err(error.detail(format!("{}: {}", cause.0, cause.1)).into());
        }
    }
    let stage = Stage { project: &session.project, environment, wanted, account: &account, written: &written };
    let broken = |plan: &Plan| break_what_is_to_fail(&args.fail, wanted, plan, &world);
    let (timeline, report) = stage.play(&args.limits.options(), broken).await?;
    Ok(Rehearsal {
        project: environment.project.clone(),
        environment: environment.name.clone(),
        basis,
        seed: args.seed,
        concurrency: environment.apply.concurrency,
        failing: args.fail.clone(),
        timeline,
        report,
    })
}

/// What the stacks read and none of them makes, as it was when it was last looked up.
async fn put_parameters(world: &LocalAws, known: Option<&Known>, stacks: &[&[RenderedStack]]) -> Result<()> {
    let all = || stacks.iter().flat_map(|stacks| stacks.iter());
    let made: BTreeSet<String> = all().flat_map(made_parameters).collect();
    for stack in all() {
        for (parameter, name) in plan::read_parameters(stack).into_iter().filter(|(_, name)| !made.contains(name)) {
            let record = known.and_then(|known| known.state.stacks.get(&stack.name));
            let value = record.and_then(|record| record.resolved.get(&parameter)).map_or("rehearsal", String::as_str);
            let place = Place::new(&stack.target.account, &stack.target.region);
            world.put_parameter(&place, &name, value).await.map_err(|reason| {
                Error::new(Kind::Other, format!("the SSM parameter `{name}` could not be made on the embedded AWS"))
                    .detail(reason)
            })?;
        }
    }
    Ok(())
}

/// The environment's account in the world.
async fn account(world: &LocalAws, environment: &Environment) -> Result<Account> {
    let aws = Aws::connect(Connect {
        region: environment.region.clone(),
        credentials: Some(AccessKey { id: environment.account.clone(), secret: "rehearsal".to_owned() }),
        http_client: Some(world.http_client()),
        ..Connect::default()
    })
    .await;
    let identity = aws.check_identity(environment).await?;
    let store = StateStore::new(&aws, environment);
    Ok(Account { aws, identity, store })
}

fn written(account: &Account) -> Written {
    Written {
        at: Timestamp::now(),
        by: account.identity.arn.clone(),
        host: surroundings::host(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        operation: "apply".to_owned(),
        git_commit: None,
        pipeline_url: None,
    }
}

/// The first stack that failed, and why.
fn failure(report: Report) -> Option<(String, String)> {
    report.stacks.into_iter().find_map(|stack| match stack.outcome {
        Outcome::Failed(cause) => {
            let reason = cause.resource.map_or(cause.message, |resource| resource.reason);
            Some((stack.stack, reason))
        }
        _ => None,
    })
}

struct Stage<'a> {
    project: &'a Path,
    environment: &'a Environment,
    wanted: &'a [RenderedStack],
    account: &'a Account,
    written: &'a Written,
}

impl Stage<'_> {
    /// What `infra apply` does between lock and report. `before` sees the plan.
    async fn play(&self, options: &Options, before: impl FnOnce(&Plan) -> Result<()>) -> Result<(Timeline, Report)> {
        let request = LockRequest::new("apply", &self.written.by, &self.written.host);
        let state = self.account.store.lock(request, |_| {}).await?;
        let (events, recorder) = Recorder::start();
        let grip =
            Grip { account: self.account, state: &state, events: &events, project: self.project, remembered: false };
        let mut plan = planning::under_lock(&grip, self.environment, self.wanted, options, Aim::Rehearse).await?;
        rehearsal::move_nothing(&mut plan);
        before(&plan)?;
        let never = Interrupt::never();
        let context = Context {
            aws: &self.account.aws,
            state: Some(&state),
            events: &events,
            interrupt: &never,
            settings: &self.environment.apply,
            written: self.written,
            project: self.project,
        };
        let report = apply::apply(&plan, context).await?;
        drop(events);
        let timeline = recorder.finish(&plan).await;
        state.release().await?;
        Ok((timeline, report))
    }
}

fn break_what_is_to_fail(failing: &[Failing], wanted: &[RenderedStack], plan: &Plan, world: &LocalAws) -> Result<()> {
    for failing in failing {
        let (step, change) = failing.find(wanted, plan)?;
        let fault = |action| ResourceFault::new(&step.stack_name, &failing.resource, action, &failing.reason);
        world.faults(|faults| faults.resources.extend(broken(change.action).iter().copied().map(fault)));
    }
    Ok(())
}

/// What CloudFormation would do to a resource of which the plan says this, and what fails then.
fn broken(action: ChangeAction) -> &'static [Action] {
    match action {
        ChangeAction::Add | ChangeAction::Replace => &[Action::Create],
        ChangeAction::Modify | ChangeAction::MayModify => &[Action::Update],
        ChangeAction::MayReplace => &[Action::Create, Action::Update],
        ChangeAction::Remove => &[Action::Delete],
        ChangeAction::Import => &[],
    }
}

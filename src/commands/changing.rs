//! What `apply`, `destroy` and `rollback` have in common: under the lock, a plan is made, shown, approved, carried out
//! and reported.

use super::planning;
use super::session::{Account, Session};
use super::signals::{self, Signals};
use super::surroundings;
use crate::apply::{self, Context, EventKind, Events, Interrupt, Interrupter, Level, Report, interrupt, send};
use crate::error::{Error, Kind, Result};
use crate::model::{Environment, Written};
use crate::plan::Plan;
use crate::state::{LockProgress, LockRequest, LockedState};
use crate::view::progress::{Listener, Stdout};
use crate::view::report::Told;
use jiff::{SignedDuration, Timestamp};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Beats in a lease.
const BEATS: u32 = 6;

/// How a change is made.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Manner {
    /// Do not ask for approval
    #[arg(short, long)]
    yes: bool,

    /// Wait so long for the lock if somebody else holds it: `30s`, `5m`, `1h`
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    lock_timeout: Duration,

    /// Work on so many stacks at the same time, whatever the environment's file says
    #[arg(long, value_name = "STACKS", value_parser = clap::value_parser!(u16).range(1..=64))]
    concurrency: Option<u16>,
}

impl Manner {
    /// Approval was given beforehand.
    pub fn yes(&self) -> bool {
        self.yes
    }
}

/// What is being done, in words.
#[derive(Debug, Clone)]
pub struct Operation {
    /// `apply`, `destroy`, `rollback to 12`: for the lock and the history.
    pub name: String,
    /// `Applied`: what a report begins with.
    pub past: &'static str,
    pub question: String,
    /// What is said where there is nothing to do, if not that everything matches its configuration.
    pub nothing: Option<&'static str>,
    /// The words after `infra` that carry on, or do it again.
    pub words: String,
}

/// What a plan is made with.
#[derive(Clone, Copy)]
pub struct Grip<'a> {
    pub account: &'a Account,
    pub state: &'a LockedState,
    pub events: &'a Events,
    /// The project's folder.
    pub project: &'a Path,
    /// Whether the project is to remember the last known state; a rehearsal leaves no trace.
    pub remembered: bool,
}

/// The whole way, from the lock to the report. `make` makes the plan, once nobody else can change anything.
pub fn change(
    session: &Session,
    environment: &Environment,
    manner: &Manner,
    operation: &Operation,
    make: impl AsyncFnOnce(Grip<'_>) -> Result<Plan>,
) -> Result<ExitCode> {
    session.block_on(async {
        let signals = Signals::listen()?;
        let (events, listener) = session.view.listen(Stdout::Events);
        let run = Run { session, environment, manner, operation, events: &events, listener: &listener };
        let result = run.locked(signals, make).await;
        drop(events);
        listener.finish().await;
        let Some((report, code)) = result? else { return Ok(ExitCode::SUCCESS) };
        let again = session.command(&operation.words);
        let told = Told { past: operation.past, again: &again, width: session.view.terminal.width };
        session.view.report(&report, &told)?;
        let code = exit_code(&report, code);
        if code == 0 && environment.local {
            session.view.note(&next(session, operation));
        }
        Ok(ExitCode::from(code))
    })
}

/// What to try on the embedded AWS.
fn next(session: &Session, operation: &Operation) -> String {
    let (plan, outputs) = (session.command("plan"), session.command("outputs"));
    let rehearse = session.command_for(&rehearsed(session), "rehearse");
    let tries: &[(&str, &str)] = match operation.name.as_str() {
        "destroy" => &[("infra local reset", "throws the local AWS away")],
        _ => &[
            (&plan, "no changes, until you edit a file"),
            (&outputs, "what the stacks give"),
            ("infra local serve", "the same AWS on a port: for aws, boto3, cdk"),
            (&rehearse, "how long it takes, and with --fail what goes wrong"),
        ],
    };
    let width = tries.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    let lines = tries.iter().map(|(command, about)| format!("\n  {command:<width$}  {about}"));
    format!("\nTo try next:{}", lines.collect::<String>())
}

/// The environment that is worth a rehearsal: the one that lives on AWS and is cared for most, or else the one at hand.
fn rehearsed(session: &Session) -> String {
    let listed = crate::environment::list(&session.project).unwrap_or_default();
    let others = listed.into_iter().filter(|listed| !listed.base).filter_map(|listed| {
        let (environment, _) = crate::environment::load(&session.project, &listed.name).ok()?;
        (!environment.local).then_some((!environment.protect, environment.name))
    });
    let here = || session.global.env.clone().unwrap_or_default();
    others.min().map_or_else(here, |(_, name)| name)
}

/// `signal` is the code that the first signal asked for, if one came.
pub fn exit_code(report: &Report, signal: Option<u8>) -> u8 {
    match signal {
        Some(code) if report.interrupted => Kind::Interrupted(code).exit_code(),
        _ if report.lock_lost.is_some() => Kind::LockLost.exit_code(),
        _ if report.failed() => Kind::Failed.exit_code(),
        _ => 0,
    }
}

struct Run<'a> {
    session: &'a Session<'a>,
    environment: &'a Environment,
    manner: &'a Manner,
    operation: &'a Operation,
    events: &'a Events,
    listener: &'a Listener,
}

impl Run<'_> {
    /// None where there was nothing to do.
    async fn locked(
        &self,
        mut signals: Signals,
        make: impl AsyncFnOnce(Grip<'_>) -> Result<Plan>,
    ) -> Result<Option<(Report, Option<u8>)>> {
        let account =
            signals::unless_interrupted(&mut signals, self.session.connect(self.environment, self.events)).await?;
        let written = self.written(&account);
        let state = signals::unless_interrupted(&mut signals, self.lock(&account, &written)).await?;
        let grip = Grip {
            account: &account,
            state: &state,
            events: self.events,
            project: &self.session.project,
            remembered: true,
        };
        let result = match signals::unless_interrupted(&mut signals, self.approved(grip, make)).await {
            Ok(Some(plan)) => {
                let result = self.carry_out(&plan, &account, &state, &written, signals).await;
                // Whatever came of it: what was saved is the last known state.
                let texts = plan.steps.iter().filter_map(|step| Some(step.wanted.as_ref()?.template.as_str()));
                let state = state.state();
                planning::keep(&grip, self.environment, (state.serial > 0).then_some(&*state), texts);
                result.map(Some)
            }
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        // A lock that cannot be given back ends by itself; what was done stands.
        if let Err(error) = state.release().await
            && error.kind != Kind::LockLost
        {
            send(self.events, None, EventKind::Note { message: format!("the lock was not given back: {error}") });
        }
        result
    }

    async fn lock(&self, account: &Account, written: &Written) -> Result<LockedState> {
        let lease = self.environment.apply.lock_lease;
        let request = LockRequest {
            pipeline_url: written.pipeline_url.clone(),
            timeout: self.manner.lock_timeout,
            lease,
            beat: lease / BEATS,
            ..LockRequest::new(&self.operation.name, &written.by, &written.host)
        };
        let tell = |progress| {
            let kind = match progress {
                LockProgress::Waiting { holder, waited, timeout, .. } => EventKind::LockWaiting {
                    holder,
                    waited_seconds: waited.as_secs(),
                    timeout_seconds: timeout.as_secs(),
                },
                LockProgress::TakenOver { from } => EventKind::LockTakenOver { from },
            };
            send(self.events, None, kind);
        };
        let state = account.store.lock(request, tell).await?;
        send(self.events, None, EventKind::LockTaken { id: state.lock_id().to_owned() });
        Ok(state)
    }

    /// The plan, made, shown and approved; none if it has nothing to do.
    async fn approved(&self, grip: Grip<'_>, make: impl AsyncFnOnce(Grip<'_>) -> Result<Plan>) -> Result<Option<Plan>> {
        let view = self.session.view;
        let plan = make(grip).await?;
        self.listener.pause().await;
        view.plan_of_run(&plan, self.operation.nothing)?;
        if !plan.has_work() {
            send(self.events, None, EventKind::RunFinished { succeeded: true, elapsed_seconds: 0.0 });
            return Ok(None);
        }
        apply::refuse(&plan)?;
        if plan.has_changes() && !self.manner.yes && !self.session.goes_without_saying(self.environment) {
            let without = self.session.command(&format!("{} --yes", self.operation.words));
            view.approve(&self.operation.question, &without).await?;
        }
        Ok(Some(plan))
    }

    async fn carry_out(
        &self,
        plan: &Plan,
        account: &Account,
        state: &LockedState,
        written: &Written,
        signals: Signals,
    ) -> Result<(Report, Option<u8>)> {
        let (interrupter, interrupted) = interrupt();
        let mut settings = self.environment.apply.clone();
        settings.concurrency = self.manner.concurrency.map_or(settings.concurrency, usize::from);
        let context = Context {
            aws: &account.aws,
            state: Some(state),
            events: self.events,
            interrupt: &interrupted,
            settings: &settings,
            written,
            project: &self.session.project,
        };
        heeding(signals, interrupter, &interrupted, apply::apply(plan, context)).await
    }

    fn written(&self, account: &Account) -> Written {
        Written {
            at: Timestamp::now(),
            by: account.identity.arn.clone(),
            host: surroundings::host(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            operation: self.operation.name.clone(),
            git_commit: surroundings::git_commit(&self.session.project),
            pipeline_url: surroundings::pipeline_url(|name| std::env::var(name).ok()),
        }
    }
}

/// Runs to the end, handing signals on: the first asks to finish what runs, the second to leave it.
pub async fn heeding(
    mut signals: Signals,
    interrupter: Interrupter,
    interrupted: &Interrupt,
    work: impl Future<Output = Result<Report>>,
) -> Result<(Report, Option<u8>)> {
    let mut code = None;
    tokio::pin!(work);
    loop {
        tokio::select! {
            report = &mut work => return Ok((report?, code)),
            signal = signals.next() => {
                code.get_or_insert(signal);
                interrupter.raise(if interrupted.is_raised() { Level::Leave } else { Level::Finish });
            }
        }
    }
}

/// `90s`, `5m`, `1h 30m`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration; write `30s`, `5m` or `1h`");
    let duration: SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(duration).map_err(|_| wrong())
}

/// A question that names the environment.
pub fn question(verb: &str, environment: &Environment) -> String {
    format!("{verb} {}/{} in account {}?", environment.project, environment.name, environment.account)
}

/// The environment of a run that names none and may not go on without.
pub fn other_environment(named: &str, planned: &str) -> Error {
    Error::new(Kind::Usage, format!("the plan is of environment `{planned}`, and --env says `{named}`"))
        .hint("leave --env out, or plan anew")
}

//! A whole run: each step of a plan as soon as what it waits on is done, told as it goes, with a report at its end.

use super::context::{Context, Run};
use super::event::{Event, EventKind, send};
use super::interrupt::{Interrupter, Level, interrupt};
use super::outcome::{Outcome, Report, StackOutcome};
use super::scheduler::{self, Job};
use super::{assets, delete, deploy, estimate, record};
use crate::error::{Error, Kind, Result};
use crate::model::{Parameter, sensitive};
use crate::plan::{self, Action, AssetStep, Plan, StackStep};
use cloudformation::sensitive::HIDDEN;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

/// Carries out a plan that was approved, and tells how it ended, stack by stack. A stack that fails is no error of this
/// function: the report says so.
///
/// # Errors
/// The plan has refusals that nobody overruled; nothing was done then.
pub async fn apply(plan: &Plan, context: Context<'_>) -> Result<Report> {
    refuse(plan)?;
    let began = Instant::now();
    let steps: BTreeMap<&str, &StackStep> = plan.steps.iter().map(|step| (step.stack.as_str(), step)).collect();
    let moving: BTreeMap<&str, &AssetStep> = plan.assets.iter().map(|asset| (asset.id.as_str(), asset)).collect();
    let before = plan::before(&plan.assets);
    let working = plan.steps.iter().filter(|step| step.action != Action::Nothing).count();
    let started = EventKind::RunStarted {
        operation: context.written.operation.clone(),
        project: plan.project.clone(),
        environment: plan.environment.clone(),
        stacks: working,
    };
    send(context.events, None, started);
    let (interrupter, interrupted) = interrupt();
    let run = Run::new(context, plan, interrupted.clone());
    recall(&run, plan).await?;
    let jobs: Vec<Job> = plan.steps.iter().map(|step| job(&run, step, &before)).chain(assets::jobs(plan)).collect();
    let running = Running::default();
    let report = Mutex::new(Report::default());
    let execute = async |job: &Job| {
        running.start(&job.name);
        let outcome = match (steps.get(job.name.as_str()), moving.get(job.name.as_str())) {
            (Some(step), _) => carry_out(&run, step).await,
            (None, Some(asset)) => assets::carry_out(&run, asset).await,
            (None, None) => Outcome::Unchanged,
        };
        running.end(&job.name);
        outcome
    };
    let finished = |job: &Job, outcome: Outcome| {
        if let Some(asset) = moving.get(job.name.as_str()) {
            let outcome = assets::ended(asset, outcome, running.seconds(&asset.id));
            let stack = Some(asset.stack.as_str()).filter(|stack| !stack.is_empty());
            send(context.events, stack, EventKind::AssetFinished(outcome.clone()));
            report.lock().unwrap_or_else(PoisonError::into_inner).assets.push(outcome);
        } else if let Some(step) = steps.get(job.name.as_str()) {
            let outcome = ended(step, outcome, running.seconds(&step.stack));
            if step.action != Action::Nothing || !outcome.outcome.is_good() {
                let event = EventKind::StackFinished(outcome.clone());
                let _ = context.events.send(Event::now(Some(&step.stack), event));
            }
            report.lock().unwrap_or_else(PoisonError::into_inner).stacks.push(outcome);
        }
    };
    let work = scheduler::run(&jobs, context.settings.concurrency, &interrupted, execute, finished);
    let lost = tokio::select! {
        biased;
        () = work => None,
        lost = watch(context, &interrupter, &running) => Some(lost),
    };
    let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(lost) = lost {
        cut_short(plan, &running, &mut report, &lost);
    }
    report.interrupted = context.interrupt.is_raised();
    report.elapsed_seconds = began.elapsed().as_secs_f64();
    let done = EventKind::RunFinished { succeeded: !report.failed(), elapsed_seconds: report.elapsed_seconds };
    send(context.events, None, done);
    Ok(report)
}

/// Whether the plan may be applied at all.
///
/// # Errors
/// It has refusals that nobody overruled.
pub fn refuse(plan: &Plan) -> Result<()> {
    let refusals: Vec<String> =
        plan.refusals().map(|finding| format!("{} {}", finding.stack, finding.message)).collect();
    if refusals.is_empty() {
        return Ok(());
    }
    let error = Error::new(Kind::Other, "the plan is refused; nothing was done");
    Err(refusals.into_iter().fold(error, Error::detail).into())
}

fn job(run: &Run<'_>, step: &StackStep, before: &BTreeMap<&str, Vec<&str>>) -> Job {
    let weight = match step.action {
        Action::Nothing | Action::Forget => 0,
        _ => estimate(run, step).unwrap_or_else(|| estimate::seconds(step)),
    };
    let assets = before.get(step.stack.as_str()).into_iter().flatten().map(|id| (*id).to_owned());
    Job { name: step.stack.clone(), waits_on: step.waits_on.iter().cloned().chain(assets).collect(), weight }
}

/// Outputs that the state keeps nothing of, for they are sensitive, are asked for where a stack takes one.
async fn recall(run: &Run<'_>, plan: &Plan) -> Result<()> {
    let wanted = plan.steps.iter().filter_map(|step| step.wanted.as_ref());
    let takes = wanted.flat_map(|wanted| wanted.parameters.values()).filter_map(|parameter| match parameter {
        Parameter::Output { stack, key } => Some((stack, key)),
        _ => None,
    });
    let mut asked = BTreeSet::new();
    for (stack, key) in takes {
        let Some(record) = run.record(stack) else { continue };
        if record.outputs.get(key).is_some_and(|value| value == HIDDEN)
            && asked.insert(stack)
            && let Some(live) =
                run.context.aws.cloudformation(&record.target).describe_stack(&record.stack_name).await?
        {
            let hidden = record.outputs.iter().filter(|(_, value)| *value == HIDDEN);
            hidden.filter_map(|(key, _)| live.outputs.get(key)).for_each(|value| sensitive::learn(value));
            run.finished(stack, live.outputs);
        }
    }
    Ok(())
}

async fn carry_out(run: &Run<'_>, step: &StackStep) -> Outcome {
    let busy = step.fingerprint.as_ref().is_some_and(|found| found.status.in_progress());
    if step.action != Action::Nothing {
        let estimate_seconds = estimate(run, step);
        run.tell(step, EventKind::StackStarted { action: step.action, resources: step.resources, estimate_seconds });
    }
    let done = |()| Outcome::Done { outputs: BTreeMap::new() };
    let result = match (step.action, &step.wanted) {
        (Action::Nothing, Some(wanted)) if step.adopt || busy => deploy::adopt_unchanged(run, step, wanted).await,
        (Action::Nothing, _) => Ok(Outcome::Unchanged),
        (Action::Create | Action::Update | Action::Recreate, Some(wanted)) => match assets::complete(run.plan, step) {
            Ok(()) => deploy::deploy(run, step, wanted).await,
            Err(stop) => Err(stop),
        },
        (Action::Delete, _) => delete::delete(run, step).await.map(done),
        (Action::Forget, _) => record::forgotten(run, step).await.map(done),
        (Action::Create | Action::Update | Action::Recreate, None) => {
            Err(super::stop::Stop::failed("the plan is damaged: it does not say what the stack should be", []))
        }
    };
    result.unwrap_or_else(Outcome::from)
}

/// How long the same work took the last time; a first creation is like no other.
fn estimate(run: &Run<'_>, step: &StackStep) -> Option<u64> {
    let durations = run.record(&step.stack)?.durations;
    match step.action {
        Action::Create | Action::Recreate => durations.create_seconds,
        Action::Update => durations.update_seconds,
        Action::Nothing | Action::Delete | Action::Forget => None,
    }
}

fn ended(step: &StackStep, outcome: Outcome, elapsed_seconds: f64) -> StackOutcome {
    StackOutcome {
        stack: step.stack.clone(),
        stack_name: step.stack_name.clone(),
        action: step.action,
        outcome,
        elapsed_seconds,
    }
}

/// Hands on what the outside asks for; comes back only when the lock is lost.
async fn watch(context: Context<'_>, interrupter: &Interrupter, running: &Running) -> Error {
    let lost = async {
        match context.state {
            Some(state) => state.signal().lost().await,
            None => std::future::pending().await,
        }
    };
    let signals = async {
        context.interrupt.reached(Level::Finish).await;
        send(context.events, None, EventKind::Interrupted { running: running.names() });
        interrupter.raise(Level::Finish);
        context.interrupt.reached(Level::Leave).await;
        interrupter.raise(Level::Leave);
        std::future::pending::<Error>().await
    };
    tokio::select! {
        lost = lost => lost,
        never = signals => never,
    }
}

/// The lock is lost: nothing may be written, so that nothing is waited for.
fn cut_short(plan: &Plan, running: &Running, report: &mut Report, lost: &Error) {
    for step in &plan.steps {
        if report.stacks.iter().any(|ended| ended.stack == step.stack) {
            continue;
        }
        let because = lost.message.clone();
        let outcome = ended(step, Outcome::Stopped { because }, running.seconds(&step.stack));
        report.stacks.push(outcome);
    }
    for asset in &plan.assets {
        if report.assets.iter().all(|ended| ended.asset != asset.id) {
            let because = lost.message.clone();
            let outcome = assets::ended(asset, Outcome::Stopped { because }, running.seconds(&asset.id));
            report.assets.push(outcome);
        }
    }
    report.lock_lost = Some(lost.message.clone());
}

/// Which stacks are being worked on, and since when.
#[derive(Default)]
struct Running {
    began: Mutex<BTreeMap<String, Instant>>,
    now: Mutex<std::collections::BTreeSet<String>>,
}

impl Running {
    fn start(&self, stack: &str) {
        self.began.lock().unwrap_or_else(PoisonError::into_inner).insert(stack.to_owned(), Instant::now());
        self.now.lock().unwrap_or_else(PoisonError::into_inner).insert(stack.to_owned());
    }

    fn end(&self, stack: &str) {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).remove(stack);
    }

    fn names(&self) -> Vec<String> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn seconds(&self, stack: &str) -> f64 {
        let began = self.began.lock().unwrap_or_else(PoisonError::into_inner);
        began.get(stack).map_or(0.0, |began| began.elapsed().as_secs_f64())
    }
}

//! Creating or updating a stack: from what is there now, through a change set, to what is remembered.

use super::cause::{Failed, root_cause};
use super::change_set::{self, Prepared, Ready};
use super::context::Run;
use super::delete::clear;
use super::follow::{Followed, Mark, follow, rest};
use super::outcome::Outcome;
use super::stop::{Result, Stop};
use super::{joining, protection, record, verify};
use crate::model::{Deployed, RenderedStack, StackStatus, sensitive};
use crate::plan::{Action, Situation, StackStep, has_template, unstick};
use std::collections::BTreeMap;

/// Makes the stack what the step wants it to be.
pub(super) async fn deploy(run: &Run<'_>, step: &StackStep, wanted: &RenderedStack) -> Result<Outcome> {
    let now = present(run, step).await?;
    let now = match (step.action, Situation::of(now.as_ref())) {
        (_, Situation::Stuck(stack)) => return Err(stuck(run, stack)),
        (Action::Update, Situation::Present(stack)) => {
            if step.fingerprint.as_ref() != Some(&stack.fingerprint()) && !run.has_let_go(&step.stack) {
                run.note(
                    step,
                    "changed since the plan was made; its change set is compared with the plan all the same",
                );
            }
            Some(stack.clone())
        }
        (Action::Create | Action::Recreate, Situation::Absent) => {
            if now.is_some() {
                change_set::clear_shell(run, step).await?;
            }
            None
        }
        (Action::Recreate, Situation::Broken(left)) => {
            clear(run, step, left).await?;
            None
        }
        // Another run's creation failed meanwhile: what it left holds nothing.
        (Action::Create, Situation::Broken(left)) if left.status != StackStatus::DeleteFailed => {
            clear(run, step, left).await?;
            None
        }
        (_, Situation::Present(stack)) => return adopt(run, step, wanted, stack.clone()).await,
        (_, situation) => return Err(moved_on(run, step, situation)),
    };
    let joined = now.as_ref().map(Deployed::fingerprint);
    let now = joining::join(run, step, wanted, now).await?;
    let joined = now.as_ref().map(Deployed::fingerprint) != joined || run.has_let_go(&step.stack);
    match change_set::prepare(run, step, wanted, now.as_ref()).await? {
        Prepared::Ready(ready) => execute(run, step, wanted, now, &ready).await,
        // Nothing for CloudFormation to do: what is left to do is ours alone.
        Prepared::Nothing { resolved } => {
            let Some(now) = present(run, step).await? else {
                return Err(moved_on(run, step, Situation::Absent));
            };
            let now = with_template(run, step, now).await?;
            let now = tightened(run, step, wanted, now).await?;
            record::applied(run, step, wanted, &now, Some(resolved)).await?;
            run.finished(&step.stack, now.outputs.clone());
            let outputs = sensitive::outputs(&wanted.template, &now.outputs);
            Ok(if joined || step.protection.is_some() { Outcome::Done { outputs } } else { Outcome::Unchanged })
        }
    }
}

/// A stack with nothing to do that the state does not know, or at which somebody was still working.
pub(super) async fn adopt_unchanged(run: &Run<'_>, step: &StackStep, wanted: &RenderedStack) -> Result<Outcome> {
    let now = present(run, step).await?;
    match Situation::of(now.as_ref()) {
        Situation::Present(stack) => adopt(run, step, wanted, stack.clone()).await,
        situation => Err(moved_on(run, step, situation)),
    }
}

async fn execute(
    run: &Run<'_>,
    step: &StackStep,
    wanted: &RenderedStack,
    now: Option<Deployed>,
    ready: &Ready,
) -> Result<Outcome> {
    if let Some(now) = &now
        && let Err(stop) = protection::loosen(run, step, wanted, now).await
    {
        change_set::take_back(run, step, ready).await;
        return Err(stop);
    }
    let wait = run.wait(step);
    let mark = Mark::set(&run.cloudformation(step), &ready.stack_id, &wait).await?;
    change_set::execute(run, step, ready).await?;
    let followed = follow(run, step, &ready.stack_id, mark).await?;
    match followed.stack {
        Some(stack) if stack.status.succeeded() => {
            let stack = protection::tighten(run, step, wanted, stack).await?;
            // What does not run is not remembered as applied.
            if verify::is_due(step) {
                verify::verify(run, step, wanted, &stack).await?;
            }
            conclude(run, step, wanted, stack, true).await
        }
        _ => Err(explain(run, step, &wanted.places, followed).await),
    }
}

/// What remains when CloudFormation is done and the stack protected: memory, outputs.
async fn conclude(
    run: &Run<'_>,
    step: &StackStep,
    wanted: &RenderedStack,
    now: Deployed,
    changed: bool,
) -> Result<Outcome> {
    record::applied(run, step, wanted, &now, None).await?;
    run.finished(&step.stack, now.outputs.clone());
    let outputs = sensitive::outputs(&wanted.template, &now.outputs);
    Ok(if changed { Outcome::Done { outputs } } else { Outcome::Unchanged })
}

/// The stack as it is once nobody works on it any more.
pub(super) async fn present(run: &Run<'_>, step: &StackStep) -> Result<Option<Deployed>> {
    let cloudformation = run.cloudformation(step);
    let wait = run.wait(step);
    match wait.ask(async || cloudformation.describe_stack(&step.stack_name).await).await? {
        Some(found) => rest(run.context.events, &step.stack, &cloudformation, found, wait).await,
        None => Ok(None),
    }
}

/// A stack is there that the plan did not count on changing. It is taken as it is if it is what is wanted.
async fn adopt(run: &Run<'_>, step: &StackStep, wanted: &RenderedStack, now: Deployed) -> Result<Outcome> {
    let now = with_template(run, step, now).await?;
    let record = run.record(&step.stack);
    if !has_template(&now, record.as_ref(), wanted) && !record::is_equivalent(run, step, wanted, &now) {
        return Err(moved_on(run, step, Situation::Present(&now)));
    }
    let protects = now.termination_protection != wanted.protect;
    let now = tightened(run, step, wanted, now).await?;
    // An apply that was killed may have left it so, or one that saw ECS roll back what CloudFormation takes for done.
    if verify::is_open(run, step, wanted) {
        verify::verify(run, step, wanted, &now).await?;
    }
    conclude(run, step, wanted, now, protects).await
}

/// The stack with the template that the account has of it.
async fn with_template(run: &Run<'_>, step: &StackStep, now: Deployed) -> Result<Deployed> {
    let (cloudformation, wait) = (run.cloudformation(step), run.wait(step));
    let template = wait.ask(async || cloudformation.template(&now.stack_id).await).await?;
    Ok(Deployed { template, ..now })
}

/// With its protection as wanted; its template stays at hand.
async fn tightened(run: &Run<'_>, step: &StackStep, wanted: &RenderedStack, mut now: Deployed) -> Result<Deployed> {
    let template = now.template.take();
    Ok(Deployed { template, ..protection::tighten(run, step, wanted, now).await? })
}

fn stuck(run: &Run<'_>, stack: &Deployed) -> Stop {
    let (why, command) = unstick(stack);
    Stop::failed(
        format!("{} is in {}: {why}", stack.stack_name, stack.status),
        [format!("continue it: {command}"), format!("then: infra apply --env {}", run.plan.environment)],
    )
}

fn moved_on(run: &Run<'_>, step: &StackStep, situation: Situation) -> Stop {
    let planned =
        step.fingerprint.as_ref().map_or("did not exist".to_owned(), |before| format!("was {}", before.status));
    let now = match situation {
        Situation::Absent => "does not exist".to_owned(),
        Situation::Leaving(stack)
        | Situation::Broken(stack)
        | Situation::Stuck(stack)
        | Situation::Busy(stack)
        | Situation::Present(stack) => format!("is {} since {}", stack.status, stack.changed_at),
    };
    Stop::failed(
        format!("{} {planned} when the plan was made, and {now} now; nothing was done to it", step.stack_name),
        [format!("plan again: infra plan --env {}", run.plan.environment)],
    )
}

/// Says why it failed, after putting right what can be.
pub(super) async fn explain(
    run: &Run<'_>,
    step: &StackStep,
    places: &BTreeMap<String, String>,
    followed: Followed,
) -> Stop {
    let Some(left) = followed.stack else {
        return Stop::failed(
            format!("{} was deleted by somebody else while it was being worked on", step.stack_name),
            [format!("plan again: infra plan --env {}", run.plan.environment)],
        );
    };
    let failed = Failed {
        environment: &run.plan.environment,
        stack_name: &step.stack_name,
        region: &step.target.region,
        status: left.status,
        places,
    };
    let mut cause = root_cause(failed, &followed.events);
    cause.details.extend(followed.facts);
    if let Some(late) = followed.late {
        cause.message = late;
    }
    if left.status == StackStatus::UpdateRollbackComplete
        && let Err(stop) = after_rollback(run, step, &left).await
    {
        cause.details.push(format!("and the state could not be brought up to date: {}", told(stop)));
    }
    Stop::Failed(Box::new(cause))
}

/// The old stack with its old protection.
async fn after_rollback(run: &Run<'_>, step: &StackStep, left: &Deployed) -> Result<()> {
    run.may_write()?;
    record::rolled_back(run, step, left).await
}

fn told(stop: Stop) -> String {
    match stop {
        Stop::Failed(cause) => cause.message,
        Stop::Stopped(because) => because,
    }
}

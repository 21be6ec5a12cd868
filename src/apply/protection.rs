//! What guards a stack against accidents: termination protection, and the stack policy of stateful resources.

use super::context::Run;
use super::record;
use super::stop::Result;
use crate::model::{Deployed, RenderedStack, digest};
use crate::plan::StackStep;
use crate::stateful;

/// CloudFormation knows no way to take a policy away: this one allows everything.
const ALLOW_ALL: &str = r#"{"Statement":[{"Effect":"Allow","Action":"Update:*","Principal":"*","Resource":"*"}]}"#;

/// Takes the stack policy out of the way of what was approved in so many words, or where none is wanted any more.
pub(super) async fn loosen(run: &Run<'_>, step: &StackStep, wanted: &RenderedStack, now: &Deployed) -> Result<()> {
    let guarded = recorded(run, step).is_some();
    let approved_loss = step
        .changes
        .iter()
        .any(|change| change.action.may_lose_the_old() && stateful::holds(&change.resource_type).is_some());
    if !guarded || !(approved_loss || wanted.stack_policy.is_none()) {
        return Ok(());
    }
    open(run, step, now).await
}

/// Takes the stack policy out of the way, where there is one.
pub(super) async fn open(run: &Run<'_>, step: &StackStep, now: &Deployed) -> Result<()> {
    if recorded(run, step).is_none() {
        return Ok(());
    }
    record::policy_loosened(run, step).await?;
    run.may_begin()?;
    run.cloudformation(step).set_stack_policy(&now.stack_id, ALLOW_ALL).await?;
    Ok(())
}

/// Sets what is wanted, where it is not so already. The stack as it is then.
pub(super) async fn tighten(
    run: &Run<'_>,
    step: &StackStep,
    wanted: &RenderedStack,
    now: Deployed,
) -> Result<Deployed> {
    let cloudformation = run.cloudformation(step);
    let mut touched = false;
    if let Some(policy) = &wanted.stack_policy
        && recorded(run, step) != Some(digest(policy))
    {
        run.may_write()?;
        cloudformation.set_stack_policy(&now.stack_id, policy).await?;
        touched = true;
    }
    if now.termination_protection != wanted.protect {
        run.may_write()?;
        cloudformation.set_termination_protection(&now.stack_id, wanted.protect).await?;
        touched = true;
    }
    if !touched {
        return Ok(now);
    }
    // Its fingerprint may be another one now.
    Ok(cloudformation.describe_stack(&now.stack_id).await?.unwrap_or(now))
}

/// The digest of the policy that is in place, as far as the state knows.
fn recorded(run: &Run<'_>, step: &StackStep) -> Option<String> {
    run.record(&step.stack)?.stack_policy_digest
}

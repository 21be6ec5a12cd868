//! One change set: asked for, awaited, compared with the plan, executed or taken back without a trace.

use super::compare::deviations;
use super::context::Run;
use super::event::EventKind;
use super::joining;
use super::outcome::RootCause;
use super::stop::{Result, Stop};
use crate::aws::cloudformation::{
    ChangeSet, ChangeSetAction, ChangeSetChange, ChangeSetKind, ChangeSetRequest, ChangeSetState, CloudFormation,
    OWN_CHANGE_SETS, ParameterValue, TemplateSource,
};
use crate::model::{Deployed, Parameter, REPOSITORY_URI, RenderedStack};
use crate::plan::{ChangeAction, STACK, StackStep};
use std::collections::BTreeMap;

/// A change set that may be executed.
pub(super) struct Ready {
    pub name: String,
    pub stack_id: String,
    pub changes: usize,
    /// CloudFormation made the stack's shell for it: if it is taken back, so is the shell.
    pub made_shell: bool,
}

/// What became of a change set.
pub(super) enum Prepared {
    Ready(Ready),
    /// There is nothing to change. What the SSM parameters held that the stack's parameters name.
    Nothing {
        resolved: BTreeMap<String, String>,
    },
}

/// Has CloudFormation work out what the step would do, and compares that with what the plan showed.
///
/// # Errors
/// CloudFormation refuses, or would do what the plan did not show; nothing of the change set is left then.
pub(super) async fn prepare(
    run: &Run<'_>,
    step: &StackStep,
    wanted: &RenderedStack,
    now: Option<&Deployed>,
) -> Result<Prepared> {
    let cloudformation = run.cloudformation(step);
    let request = request(run, step, wanted, now.is_some()).await?;
    run.may_begin()?;
    let id = cloudformation.create_change_set(&request).await?;
    run.tell(step, EventKind::ChangeSetCreated { name: request.name.clone() });
    let mut described = finished(run, step, &cloudformation, &id).await?;
    described.changes = with_nested(run, step, &cloudformation, described.changes).await?;
    let ready = Ready {
        name: id,
        stack_id: described.stack_id.clone(),
        changes: described.changes.len(),
        made_shell: request.kind == ChangeSetKind::Create,
    };
    let verdict = judge(run, step, &described);
    if !matches!(verdict, Ok(true)) {
        take_back(run, step, &ready).await;
    }
    Ok(match verdict? {
        true => Prepared::Ready(ready),
        false => Prepared::Nothing { resolved: described.resolved },
    })
}

/// Whether it is to be executed.
fn judge(run: &Run<'_>, step: &StackStep, described: &ChangeSet) -> Result<bool> {
    let environment = &run.plan.environment;
    let reason = || described.reason.clone().unwrap_or_else(|| described.status.clone());
    match described.state {
        ChangeSetState::Empty => return Ok(false),
        ChangeSetState::Ready => {}
        ChangeSetState::Failed | ChangeSetState::Pending => {
            return Err(Stop::failed(
                format!("CloudFormation could not work out the changes: {}", reason()),
                [format!("mend the cause, then: infra apply --env {environment}")],
            ));
        }
        ChangeSetState::Gone => {
            return Err(Stop::failed(
                "the change set was deleted by somebody else before it could be executed",
                [format!("infra apply --env {environment}")],
            ));
        }
    }
    let deviations = deviations(step, &described.changes);
    if !deviations.is_empty() {
        return Err(Stop::Failed(Box::new(RootCause {
            message: "CloudFormation would do what the plan did not show; nothing was executed".to_owned(),
            details: deviations.iter().map(ToString::to_string).collect(),
            hints: vec![format!("plan again, look at it, then apply: infra plan --env {environment}")],
            ..RootCause::default()
        })));
    }
    run.may_begin()?;
    Ok(true)
}

/// Executes it. Its events bear `name` as their token.
pub(super) async fn execute(run: &Run<'_>, step: &StackStep, ready: &Ready) -> Result<()> {
    run.may_begin()?;
    let token = ready.name.rsplit('/').nth(1).unwrap_or(&ready.name);
    run.cloudformation(step).execute_change_set(&ready.stack_id, &ready.name, token).await?;
    run.tell(step, EventKind::ChangeSetExecuted { name: token.to_owned(), changes: ready.changes });
    Ok(())
}

/// Leaves no trace of a change set that is not executed. What cannot be deleted now goes with the next execution.
pub(super) async fn take_back(run: &Run<'_>, step: &StackStep, ready: &Ready) {
    let cloudformation = run.cloudformation(step);
    if run.may_write().is_err() {
        return;
    }
    if let Err(error) = cloudformation.delete_change_set(&ready.stack_id, &ready.name).await {
        run.note(step, format!("the change set is left behind: {error}"));
    }
    if ready.made_shell
        && let Err(error) = cloudformation.delete_stack(&ready.stack_id, &run.token("shell"), &[]).await
    {
        run.note(step, format!("the empty stack is left behind: {error}"));
    }
}

/// Clears the shell of a stack that waits for its first change set: change sets that a run of ours left there go; the
/// shell itself serves again.
///
/// # Errors
/// Somebody else's change set waits there too: it is theirs to execute or to delete.
pub(super) async fn clear_shell(run: &Run<'_>, step: &StackStep) -> Result<()> {
    let cloudformation = run.cloudformation(step);
    let waiting = cloudformation.list_change_sets(&step.stack_name).await?;
    let (ours, foreign): (Vec<_>, Vec<_>) =
        waiting.into_iter().partition(|change_set| change_set.name.starts_with(OWN_CHANGE_SETS));
    if !foreign.is_empty() {
        let foreign: Vec<&str> = foreign.iter().map(|change_set| change_set.name.as_str()).collect();
        let (name, region) = (&step.stack_name, &step.target.region);
        return Err(Stop::failed(
            format!("{name} waits for the review of a change set that infra did not make: {}", foreign.join(", ")),
            [
                format!(
                    "execute it, or delete it: aws cloudformation delete-stack --stack-name {name} --region {region}"
                ),
                format!("then: infra apply --env {}", run.plan.environment),
            ],
        ));
    }
    for change_set in ours {
        run.may_begin()?;
        cloudformation.delete_change_set(&step.stack_name, &change_set.id).await?;
    }
    Ok(())
}

async fn request(run: &Run<'_>, step: &StackStep, wanted: &RenderedStack, exists: bool) -> Result<ChangeSetRequest> {
    Ok(ChangeSetRequest {
        stack_name: step.stack_name.clone(),
        // With a serial and a part of the lock's id behind it.
        name: run.token(&format!("{OWN_CHANGE_SETS}{}", run.plan.serial)),
        kind: if exists { ChangeSetKind::Update } else { ChangeSetKind::Create },
        template: match step.revert_drift {
            // What the stack has, to the letter: no answer gives all of it.
            true => TemplateSource::Previous,
            false => run.template_source(wanted.template.clone()).await?,
        },
        parameters: match step.revert_drift {
            true => wanted.parameters.keys().map(|name| (name.clone(), ParameterValue::Previous)).collect(),
            false => parameters(run, wanted, exists)?,
        },
        tags: wanted.tags.clone(),
        capabilities: wanted.capabilities.clone(),
        description: run.description(),
        reverts_drift: step.revert_drift,
        // What is new is new inside, too.
        includes_nested: exists && wanted.template.contains(STACK),
        imports_existing: step.changes.iter().any(|change| change.action == ChangeAction::Import)
            && !joining::needs_import(step, wanted),
        imports: Vec::new(),
    })
}

/// Values for all parameters, now that what they come from is done. A secret whose value was not kept (plans and
/// histories keep none) stays what it is in the stack.
pub(super) fn parameters(
    run: &Run<'_>,
    wanted: &RenderedStack,
    exists: bool,
) -> Result<BTreeMap<String, ParameterValue>> {
    let mut values = BTreeMap::new();
    for (name, parameter) in &wanted.parameters {
        let value = match parameter {
            Parameter::Value(value) => value.clone(),
            Parameter::Secret { value } if value.0.is_empty() && exists => {
                values.insert(name.clone(), ParameterValue::Previous);
                continue;
            }
            Parameter::Secret { value } if value.0.is_empty() => {
                return Err(Stop::failed(
                    format!("nobody knows the value of parameter {name} (NoEcho) any more"),
                    [format!("apply from the files, which have it: infra apply --env {}", run.plan.environment)],
                ));
            }
            Parameter::Secret { value } => value.0.clone(),
            Parameter::Image { reference, .. } => reference.clone(),
            Parameter::LocalImage(image) => {
                let uri = run.output(&image.repository, REPOSITORY_URI);
                uri.and_then(|uri| image.reference(&uri)).ok_or_else(|| {
                    Stop::failed(
                        format!("parameter {name} takes the image `{}`, and nobody knows where it is", image.name),
                        [format!("plan again: infra plan --env {}", run.plan.environment)],
                    )
                })?
            }
            Parameter::Package(package) => package.value(|stack, key| run.output(stack, key)).ok_or_else(|| {
                Stop::failed(
                    format!("parameter {name} takes the package `{}`, and nobody knows where it is", package.name),
                    [format!("plan again: infra plan --env {}", run.plan.environment)],
                )
            })?,
            Parameter::Output { stack, key } => run.output(stack, key).ok_or_else(|| {
                Stop::failed(
                    format!("parameter {name} takes output {key} of stack `{stack}`, which has no such output"),
                    [format!("look at what it gives: infra outputs --env {}", run.plan.environment)],
                )
            })?,
        };
        values.insert(name.clone(), ParameterValue::Value(value));
    }
    Ok(values)
}

/// With what changes inside of nested stacks, as `Child.Queue`.
async fn with_nested(
    run: &Run<'_>,
    step: &StackStep,
    cloudformation: &CloudFormation,
    changes: Vec<ChangeSetChange>,
) -> Result<Vec<ChangeSetChange>> {
    let mut all = Vec::new();
    for change in changes {
        let inner = match (&change.change_set, &change.physical_id, change.action) {
            (Some(id), Some(stack), ChangeSetAction::Modify | ChangeSetAction::Dynamic) => {
                let wait = run.wait(step);
                let inner = wait.ask(async || cloudformation.describe_change_set(stack, id).await).await?;
                let inner = inner.map(|inner| inner.changes).unwrap_or_default();
                Box::pin(with_nested(run, step, cloudformation, inner)).await?
            }
            _ => Vec::new(),
        };
        let prefix = change.logical_id.clone();
        all.push(change);
        all.extend(inner.into_iter().map(|mut inner| {
            inner.logical_id = format!("{prefix}.{}", inner.logical_id);
            for cause in inner.details.iter_mut().filter_map(|detail| detail.cause.as_mut()) {
                *cause = format!("{prefix}.{cause}");
            }
            inner
        }));
    }
    Ok(all)
}

pub(super) async fn finished(
    run: &Run<'_>,
    step: &StackStep,
    cloudformation: &CloudFormation,
    id: &str,
) -> Result<ChangeSet> {
    let mut wait = run.wait(step);
    loop {
        let described = wait.ask(async || cloudformation.describe_change_set(&step.stack_name, id).await).await?;
        match described {
            Some(described) if described.state == ChangeSetState::Pending => wait.pause().await?,
            Some(described) => return Ok(described),
            None => {
                return Err(Stop::failed(
                    "the change set was deleted by somebody else while CloudFormation worked it out",
                    [format!("infra apply --env {}", run.plan.environment)],
                ));
            }
        }
    }
}

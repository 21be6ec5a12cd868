//! Deleting a stack.

use super::cause::{Failed, root_cause};
use super::context::Run;
use super::follow::{Mark, follow, rest};
use super::record;
use super::stop::{Result, Stop};
use crate::model::{Deployed, StackStatus};
use crate::plan::StackStep;
use std::collections::BTreeMap;

/// Deletes the stack of a step that says so, and forgets it.
pub(super) async fn delete(run: &Run<'_>, step: &StackStep) -> Result<()> {
    let cloudformation = run.cloudformation(step);
    let Some(planned) = &step.fingerprint else { return record::forgotten(run, step).await };
    // By its id: another stack of the same name is none of this step's business.
    let wait = run.wait(step);
    let found = wait.ask(async || cloudformation.describe_stack(&planned.stack_id).await).await?;
    let now = match found {
        Some(found) => rest(run.context.events, &step.stack, &cloudformation, found, run.wait(step)).await?,
        None => None,
    };
    if let Some(now) = now {
        unprotect(run, step, &now).await?;
        empty(run, step).await?;
        remove(run, step, &now).await?;
    }
    record::forgotten(run, step).await
}

/// Deletes what a failed creation (or a deletion that failed halfway) left, so that the stack can be created.
pub(super) async fn clear(run: &Run<'_>, step: &StackStep, left: &Deployed) -> Result<()> {
    run.note(step, format!("{} is in {}: it is deleted first", left.stack_name, left.status));
    remove(run, step, left).await
}

async fn unprotect(run: &Run<'_>, step: &StackStep, now: &Deployed) -> Result<()> {
    if !now.termination_protection {
        return Ok(());
    }
    if !step.unprotect {
        return Err(Stop::failed(
            format!("{} has termination protection, and the plan does not say to switch it off", now.stack_name),
            ["plan again with `--allow-destroy`, if it is to go".to_owned()],
        ));
    }
    run.may_begin()?;
    Ok(run.cloudformation(step).set_termination_protection(&now.stack_id, false).await?)
}

/// Deletes the content of what CloudFormation could not delete otherwise, where the plan says so.
async fn empty(run: &Run<'_>, step: &StackStep) -> Result<()> {
    for change in step.changes.iter().filter(|change| step.emptied.contains(&change.logical_id)) {
        let Some(name) = &change.physical_id else { continue };
        run.may_begin()?;
        let what = match change.resource_type.as_str() {
            "AWS::ECR::Repository" => {
                let ecr = run.context.aws.ecr(&step.target);
                let images: Vec<String> = ecr.images(name).await?.into_iter().map(|image| image.digest).collect();
                let kept = ecr.remove_images(name, &images).await?;
                format!("{} images of repository {name} deleted", images.len().saturating_sub(kept.len()))
            }
            _ => {
                let removed = run.context.aws.site_bucket(&step.target, name).empty().await?;
                format!("{removed} objects and old versions of s3://{name} deleted")
            }
        };
        run.note(step, what);
    }
    Ok(())
}

async fn remove(run: &Run<'_>, step: &StackStep, now: &Deployed) -> Result<()> {
    let cloudformation = run.cloudformation(step);
    let wait = run.wait(step);
    let mark = Mark::set(&cloudformation, &now.stack_id, &wait).await?;
    run.may_begin()?;
    cloudformation.delete_stack(&now.stack_id, &run.token("delete"), &[]).await?;
    let followed = follow(run, step, &now.stack_id, mark).await?;
    let Some(left) = followed.stack else { return Ok(()) };
    let places = step.wanted.as_ref().map_or_else(BTreeMap::new, |wanted| wanted.places.clone());
    let failed = Failed {
        environment: &run.plan.environment,
        stack_name: &step.stack_name,
        region: &step.target.region,
        status: left.status,
        places: &places,
    };
    let mut cause = root_cause(failed, &followed.events);
    if left.status != StackStatus::DeleteFailed {
        cause.message = format!("the stack is in {} although its deletion was asked for", left.status);
    }
    Err(Stop::Failed(Box::new(cause)))
}

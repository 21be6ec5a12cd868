//! Whether what runs is what was planned. CloudFormation may say that a stack is updated although ECS has rolled the
//! deployment of its service back.

use super::context::Run;
use super::outcome::{FailedResource, RootCause};
use super::rollout::last;
use super::service;
use super::stop::{Result, Stop};
use crate::aws::cloudformation::StackResource;
use crate::model::{Deployed, RenderedStack};
use crate::plan::{StackStep, is_image, named_images, unproven_images};
use std::collections::BTreeSet;

const TASK_DEFINITION: &str = "AWS::ECS::TaskDefinition";

/// Whether the changes of a step may bring something else to run.
pub(super) fn is_due(step: &StackStep) -> bool {
    let deploys = |kind: &str| kind == service::TYPE || kind == TASK_DEFINITION;
    step.changes.iter().any(|change| deploys(&change.resource_type))
}

/// Whether the state has other images for a stack than those that it is to run.
pub(super) fn is_open(run: &Run<'_>, step: &StackStep, wanted: &RenderedStack) -> bool {
    run.record(&step.stack).is_some_and(|record| !unproven_images(&record, wanted).is_empty())
}

/// Compares the primary deployment of each service of a stack with what the stack made and the plan wanted.
///
/// # Errors
/// Something else runs.
pub(super) async fn verify(run: &Run<'_>, step: &StackStep, wanted: &RenderedStack, now: &Deployed) -> Result<()> {
    match compare(run, step, wanted, now).await {
        Err(Stop::Failed(cause)) if cause.resource.is_none() => {
            // A policy that lets nobody look at ECS is no failure of what was done.
            run.note(step, format!("what its services run could not be checked: {}", cause.message));
            Ok(())
        }
        compared => compared,
    }
}

async fn compare(run: &Run<'_>, step: &StackStep, wanted: &RenderedStack, now: &Deployed) -> Result<()> {
    let (cloudformation, ecs, wait) = (run.cloudformation(step), run.context.aws.ecs(&step.target), run.wait(step));
    let resources = wait.ask(async || cloudformation.resources(&now.stack_id).await).await?;
    let made: Vec<&str> = of_type(&resources, TASK_DEFINITION).filter_map(|it| it.physical_id.as_deref()).collect();
    let mut images = BTreeSet::new();
    let mut families = BTreeSet::new();
    let mut last_service = None;
    for resource in of_type(&resources, service::TYPE) {
        let Some(arn) = resource.physical_id.as_deref() else { continue };
        let Some((cluster, name)) = service::cluster_and_name(arn) else { continue };
        let Some(state) = wait.ask(async || ecs.service(cluster, name).await).await? else { continue };
        let Some(primary) = state.deployments.iter().find(|deployment| deployment.status == "PRIMARY") else {
            continue;
        };
        let runs = primary.task_definition.as_str();
        // Of one family the stack has made one revision: another one is not what it made.
        if let Some(meant) = made.iter().find(|made| family(made) == family(runs) && **made != runs) {
            let what = format!("service `{name}` runs {}, not {}", last(runs), last(meant));
            let again = format!(
                "try the same once more: aws ecs update-service --cluster {cluster} --service {name} \
                 --task-definition {} --force-new-deployment --region {}",
                last(meant),
                step.target.region
            );
            let reason = state.events.iter().find(|event| event.contains("deployment failed")).cloned();
            return Err(mismatch(run, step, wanted, resource, Found { now, what, reason, again: Some(again) }).await);
        }
        families.insert(family(runs).to_owned());
        let containers = wait.ask(async || ecs.containers(runs).await).await?;
        images.extend(containers.into_iter().map(|container| container.image));
        last_service = Some((resource, name));
    }
    let Some((resource, name)) = last_service else { return Ok(()) };
    for definition in made.iter().filter(|made| !families.contains(family(made))) {
        let containers = wait.ask(async || ecs.containers(definition).await).await?;
        images.extend(containers.into_iter().map(|container| container.image));
    }
    let missing = named_images(wanted).into_iter().find(|named| !images.iter().any(|image| is_image(image, named)));
    match missing {
        Some(planned) => {
            let runs: Vec<String> = images.into_iter().collect();
            let what = format!("the planned image {planned} runs in no service; `{name}` runs {}", runs.join(", "));
            Err(mismatch(run, step, wanted, resource, Found { now, what, reason: None, again: None }).await)
        }
        None => Ok(()),
    }
}

fn of_type<'r>(resources: &'r [StackResource], kind: &'static str) -> impl Iterator<Item = &'r StackResource> {
    resources.iter().filter(move |resource| resource.resource_type == kind)
}

fn family(definition: &str) -> &str {
    last(definition).split(':').next().unwrap_or_default()
}

/// Something else than what was planned.
struct Found<'a> {
    now: &'a Deployed,
    what: String,
    /// ECS's words.
    reason: Option<String>,
    /// What would try the planned once more.
    again: Option<String>,
}

async fn mismatch(
    run: &Run<'_>,
    step: &StackStep,
    wanted: &RenderedStack,
    resource: &StackResource,
    found: Found<'_>,
) -> Stop {
    let Found { now, what, reason, again } = found;
    let arn = resource.physical_id.as_deref().unwrap_or_default();
    let next = format!("mend the cause, make a new image, then: infra apply --env {}", run.plan.environment);
    Stop::Failed(Box::new(RootCause {
        message: format!("CloudFormation reports success, but {what}"),
        resource: Some(FailedResource {
            logical_id: resource.logical_id.clone(),
            resource_type: resource.resource_type.clone(),
            physical_id: resource.physical_id.clone(),
            status: "ROLLED_BACK_BY_ECS".to_owned(),
            reason: reason.unwrap_or_else(|| "ECS gives no reason".to_owned()),
            place: wanted.places.get(&resource.logical_id).cloned(),
        }),
        details: service::facts(run, step, arn, Some(now.changed_at), &[]).await,
        hints: std::iter::once(next).chain(again).collect(),
        ..RootCause::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_of_one_task_definition_are_a_family() {
        assert_eq!(family("arn:aws:ecs:eu-west-1:111122223333:task-definition/api:12"), "api");
    }
}

//! CloudFormation's API: one operation a function, found by its action. Requests are forms, answers XML
//! ([`crate::query`]); what is between them is JSON in the API's own member names.

mod cancel;
pub(super) mod change_sets;
mod create;
mod delete;
mod describe;
mod drift;
mod events;
mod execute;
mod exports;
mod find;
mod input;
mod limits;
mod list;
mod nested_change_sets;
mod page;
mod policies;
mod protection;
mod resources;
mod rollback;
mod shapes;
pub(super) mod show;
pub(crate) mod stack_sets;
pub(super) mod summary;
mod templates;
#[cfg(test)]
mod tests;
mod update;

pub(in crate::cloudformation) use drift::resume as resume_drift_detections;

use crate::door::{Request, Response};
use crate::place::Place;
use crate::query::{self, Fault};
use crate::world::World;
use serde_json::Value as Json;
use std::sync::Arc;

/// The XML namespace of answers.
pub(crate) const NAMESPACE: &str = "http://cloudformation.amazonaws.com/doc/2010-05-15/";

/// Answers one request.
pub(crate) async fn answer(world: &Arc<World>, place: &Place, request: &Request) -> Response {
    let (action, input) = match query::read_request(request) {
        Ok(read) => read,
        Err(fault) => return fault.answer(NAMESPACE),
    };
    let answer = match action.as_str() {
        "DescribeStackEvents" => {
            shapes::check(&action, &input).and_then(|()| events::answer_stack_events(world, place, input))
        }
        // Boxed: what is asked for all the time would bear the weight of what creates stacks.
        _ => Box::pin(carry_out(world, place, &action, input))
            .await
            .map(|output| query::answer(&action, NAMESPACE, &output)),
    };
    in_ascii(answer.unwrap_or_else(|fault| fault.answer(NAMESPACE)))
}

/// CloudFormation works with the text that it was sent and answers in ASCII: a `?` for each other character, in everything
/// that it gives back (cloudformation-coverage-roadmap, issues 814 and 1220).
fn in_ascii(answer: Response) -> Response {
    if answer.body().is_ascii() {
        return answer;
    }
    answer.map(|body| {
        let text = String::from_utf8_lossy(&body);
        text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect::<String>().into()
    })
}

pub(super) async fn carry_out(world: &Arc<World>, place: &Place, action: &str, input: Json) -> Result<Json, Fault> {
    shapes::check(action, &input)?;
    match action {
        "CancelUpdateStack" => cancel::cancel_update_stack(world, place, input).await,
        "ContinueUpdateRollback" => rollback::continue_update_rollback(world, place, input).await,
        "CreateChangeSet" => change_sets::create_change_set(world, place, input).await,
        "CreateStack" => create::create_stack(world, place, input).await,
        "DeleteChangeSet" => change_sets::delete_change_set(world, place, input).await,
        "DeleteStack" => delete::delete_stack(world, place, input).await,
        "DescribeAccountLimits" => limits::describe_account_limits(world, place, input).await,
        "DescribeChangeSet" => describe::describe_change_set(world, place, input).await,
        "DescribeChangeSetHooks" => describe::describe_change_set_hooks(world, place, input).await,
        "DescribeEvents" => events::describe_events(world, place, input).await,
        "DescribeStackEvents" => events::describe_stack_events(world, place, input).await,
        "DescribeStackResource" => resources::describe_stack_resource(world, place, input).await,
        "DescribeStackResources" => resources::describe_stack_resources(world, place, input).await,
        "DescribeStacks" => {
            let described = describe::describe_stacks(world, place, input).await;
            // Whoever hears that a stack is done may end the process at once.
            world.store.flush(world).map_err(|error| Fault::new("InternalFailure", error.to_string()))?;
            described
        }
        "DescribeStackDriftDetectionStatus" => drift::describe_stack_drift_detection_status(world, place, input).await,
        "DescribeStackResourceDrifts" => drift::describe_stack_resource_drifts(world, place, input).await,
        "DetectStackDrift" => drift::detect_stack_drift(world, place, input).await,
        "DetectStackResourceDrift" => drift::detect_stack_resource_drift(world, place, input).await,
        "EstimateTemplateCost" => summary::estimate_template_cost(world, place, input).await,
        "ExecuteChangeSet" => execute::execute_change_set(world, place, input).await,
        "GetStackPolicy" => policies::get_stack_policy(world, place, input).await,
        "GetTemplate" => templates::get_template(world, place, input).await,
        "GetTemplateSummary" => summary::get_template_summary(world, place, input).await,
        "ListChangeSets" => list::list_change_sets(world, place, input).await,
        "ListExports" => exports::list_exports(world, place, input).await,
        "ListImports" => exports::list_imports(world, place, input).await,
        "ListStackResources" => resources::list_stack_resources(world, place, input).await,
        "ListStacks" => list::list_stacks(world, place, input).await,
        "ListTypes" => limits::list_types(world, place, input).await,
        "RollbackStack" => rollback::rollback_stack(world, place, input).await,
        "SetStackPolicy" => policies::set_stack_policy(world, place, input).await,
        "SignalResource" => cancel::signal_resource(world, place, input).await,
        "UpdateStack" => update::update_stack(world, place, input).await,
        "UpdateTerminationProtection" => protection::update_termination_protection(world, place, input).await,
        "ValidateTemplate" => summary::validate_template(world, place, input).await,
        _ if action.contains("StackSet") || action.contains("StackInstance") => {
            stack_sets::answer(world, place, action, input).await
        }
        _ => Err(unknown(action)),
    }
}

/// What a service says to an action that it does not know.
fn unknown(action: &str) -> Fault {
    Fault::new("InvalidAction", format!("Could not find operation {action} for version 2010-05-15"))
}

/// A member that has to be there. `member` is its name as AWS writes it in messages: `stackName`.
fn required(value: Option<String>, member: &str) -> Result<String, Fault> {
    value.ok_or_else(|| {
        Fault::validation(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

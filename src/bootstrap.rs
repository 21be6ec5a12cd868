//! The stack that holds state and locks: made before there is a state to keep it in, so that it is remembered by nothing
//! but CloudFormation itself. Asking for it again changes only what its template says anew.

use crate::apply::{Outcome, Report};
use crate::aws::cloudformation::CloudFormation;
use crate::catalog::Catalog;
use crate::error::{Error, Kind, Result};
use crate::model::{Deployed, Environment, Input, InputKind, InputValue, RenderedStack, StackSpec, Target};
use crate::plan::{Options, Plan, Request, Scope, plan};
use crate::problem::Located;
use crate::render::render;
use indexmap::IndexMap;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The template, and the name of the stack in plans and events.
pub const STACK: &str = "bootstrap";

/// What its plan calls itself: it belongs to no project's environment.
const PROJECT: &str = "infra";

/// The stack for the environment's bucket and table. It belongs to an account and region, not to one environment.
///
/// # Errors
/// The problems of the template, where the project has its own.
pub fn stack(environment: &Environment, catalog: &Catalog) -> Result<RenderedStack> {
    let at = environment.at.clone();
    let text = |value: &str| Input {
        key_at: at.clone(),
        value: InputValue { at: at.clone(), kind: InputKind::Scalar(value.into()) },
    };
    let spec = StackSpec {
        name: STACK.to_owned(),
        template: Located { value: STACK.to_owned(), at: at.clone() },
        target: Target { account: environment.account.clone(), region: environment.state.region.clone(), role: None },
        inputs: IndexMap::from([
            ("bucket".to_owned(), text(&environment.state.bucket)),
            ("table".to_owned(), text(&environment.state.table)),
        ]),
        needs: IndexMap::new(),
        files: None,
        after: Vec::new(),
        at: at.clone(),
    };
    let alone = Environment {
        stacks: IndexMap::from([(STACK.to_owned(), spec)]),
        tags: BTreeMap::new(),
        protect: true,
        ..environment.clone()
    };
    let mut stacks = render(&alone, catalog)?;
    let Some(stack) = stacks.pop() else {
        return Err(Error::new(Kind::Other, "the template `bootstrap` made no stack").into());
    };
    Ok(RenderedStack {
        stack_name: stack_name(environment),
        tags: BTreeMap::from([("ManagedBy".to_owned(), "infra".to_owned())]),
        // Termination protection is enough: nothing in here is ever replaced by a change of an environment.
        stack_policy: None,
        ..stack
    })
}

/// `infra-bootstrap`, and with the bucket's name where that is not the usual one: an account may have several.
fn stack_name(environment: &Environment) -> String {
    let usual = format!("infra-state-{}-{}", environment.account, environment.state.region);
    match environment.state.bucket == usual {
        true => "infra-bootstrap".to_owned(),
        false => format!("infra-bootstrap-{}", environment.state.bucket.replace('.', "-")),
    }
}

/// The stack as it is there now, with its template.
async fn deployed(cloudformation: &CloudFormation, wanted: &RenderedStack) -> Result<BTreeMap<String, Deployed>> {
    let Some(mut found) = cloudformation.describe_stack(&wanted.stack_name).await? else { return Ok(BTreeMap::new()) };
    found.template = cloudformation.template(&found.stack_id).await?;
    Ok(BTreeMap::from([(STACK.to_owned(), found)]))
}

/// What making the stack, or bringing it up to date, would do.
///
/// # Errors
/// CloudFormation cannot be asked.
pub async fn make_plan(
    cloudformation: &CloudFormation,
    environment: &Environment,
    wanted: RenderedStack,
) -> Result<Plan> {
    let scope = Scope {
        project: PROJECT.to_owned(),
        environment: STACK.to_owned(),
        account: environment.account.clone(),
        region: wanted.target.region.clone(),
        protect: true,
    };
    let deployed = deployed(cloudformation, &wanted).await?;
    let mut plan = plan(&Request {
        scope: &scope,
        wanted: &[wanted],
        deployed: &deployed,
        state: None,
        options: &Options::default(),
        now: Timestamp::now(),
    })?;
    // There is no state that could learn of it.
    plan.steps.iter_mut().for_each(|step| step.adopt = false);
    Ok(plan)
}

/// Hints of the report that speak of an apply speak of `again` instead.
pub fn with_its_own_command(mut report: Report, again: &str) -> Report {
    for stack in &mut report.stacks {
        if let Outcome::Failed(cause) = &mut stack.outcome {
            for verb in ["apply", "plan"] {
                let other = format!("infra {verb} --env {STACK}");
                cause.hints.iter_mut().for_each(|hint| *hint = hint.replace(&other, again));
            }
        }
    }
    report
}

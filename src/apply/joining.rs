//! Existing resources on their way into a stack, before anything else of its step: those that another stack gives up are
//! let go there, and what CloudFormation does not find by its name is imported by a change set of its own.
//!
//! At no point is a resource deleted. A run that dies on the way leaves it in the account, outside of any stack or in its
//! new one; the state knows it in both cases, and the next apply carries on.

use super::change_set::{self, Ready, finished, take_back};
use super::context::Run;
use super::deploy::{explain, present};
use super::event::EventKind;
use super::follow::{Mark, follow};
use super::outcome::RootCause;
use super::stop::{Result, Stop};
use super::templates::{self, Joining, Leaving};
use super::{protection, record};
use crate::aws::cloudformation::{
    ChangeSetAction, ChangeSetChange, ChangeSetKind, ChangeSetRequest, ChangeSetState, OWN_CHANGE_SETS, ParameterValue,
    ToImport,
};
use crate::aws::{Reading, denied};
use crate::model::{Deployed, RenderedStack, StackStatus};
use crate::plan::{Action, Change, ChangeAction, Evaluated, StackStep, identifier};
use cloudformation::template::Template;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The stack with all that joins it by a change set of its own; as it was where nothing does.
pub(super) async fn join(
    run: &Run<'_>,
    step: &StackStep,
    wanted: &RenderedStack,
    now: Option<Deployed>,
) -> Result<Option<Deployed>> {
    let joining: Vec<&Change> = joining(step).collect();
    if joining.is_empty() {
        return Ok(now);
    }
    let mut givers: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for change in &joining {
        if let Some(hand) = change.taken_from.as_ref().filter(|hand| hand.early) {
            givers.entry(&hand.stack).or_default().push(change);
        }
    }
    for (giver, taken) in givers {
        let Some(giver) = run.plan.step(giver) else { continue };
        let _alone = run.alone_with(&giver.stack).await;
        let_go(run, step, giver, &taken).await?;
    }
    if !needs_import(step, wanted) {
        return Ok(now);
    }
    import(run, step, wanted, now, &joining).await
}

fn joining(step: &StackStep) -> impl Iterator<Item = &Change> {
    step.changes.iter().filter(|change| change.action == ChangeAction::Import)
}

/// Whether the step's imports need a change set of their own.
pub(super) fn needs_import(step: &StackStep, wanted: &RenderedStack) -> bool {
    let Some(template) = json(&wanted.template) else { return false };
    let all = joining(step).map(|change| (change.logical_id.as_str(), change.resource_type.as_str()));
    !templates::are_found_by_name(&template, all)
}

fn json(template: &str) -> Option<Json> {
    Template::read(template).ok().map(|(template, _)| template.to_json())
}

/// Takes resources out of the stack that has them now; its `DeletionPolicy` keeps them in the account.
async fn let_go(run: &Run<'_>, step: &StackStep, giver: &StackStep, taken: &[&Change]) -> Result<()> {
    // Told as a part of the step that needs it.
    let mut about = StackStep::new(&step.stack, &giver.stack_name, &giver.target, Action::Update);
    let Some(now) = present(run, &about).await? else { return Ok(()) };
    let cloudformation = run.cloudformation(&about);
    let wait = run.wait(step);
    let text = wait.ask(async || cloudformation.template(&now.stack_id).await).await?.unwrap_or_default();
    let Some(template) = json(&text) else { return Err(unreadable(&now)) };
    let mut leaving = BTreeMap::new();
    for change in taken {
        let Some((old, id)) = change.taken_from.as_ref().map(|hand| &hand.logical_id).zip(change.physical_id.as_ref())
        else {
            continue;
        };
        // An earlier run may have let it go.
        if template["Resources"].get(old).is_some() {
            let live = live(run, &about, change, id).await?;
            leaving.insert(old.clone(), Leaving { physical_id: id.clone(), live });
        }
    }
    if leaving.is_empty() {
        return Ok(());
    }
    let rest = templates::without(&template, &leaving).map_err(|unknown| {
        let mut cause = RootCause {
            message: format!("{} refers to what it gives up, and nobody knows the value", now.stack_name),
            hints: vec![format!(
                "in two steps: take those references out of `{}` and apply; then apply the rest",
                giver.stack
            )],
            ..RootCause::default()
        };
        cause.details = unknown;
        Stop::Failed(Box::new(cause))
    })?;
    about.changes = giver.changes.iter().filter(|change| leaving.contains_key(&change.logical_id)).cloned().collect();
    protection::open(run, giver, &now).await?;
    let parameters = now.parameters.keys().map(|name| (name.clone(), ParameterValue::Previous)).collect();
    let index = run.plan.steps.iter().position(|one| one.stack == step.stack).unwrap_or_default();
    let request = ChangeSetRequest {
        stack_name: giver.stack_name.clone(),
        name: run.token(&format!("{OWN_CHANGE_SETS}leave-{}-{index}", run.plan.serial)),
        kind: ChangeSetKind::Update,
        template: run.template_source(rest.to_string()).await?,
        parameters,
        tags: now.tags.clone(),
        capabilities: now.capabilities.clone(),
        description: run.description(),
        reverts_drift: false,
        includes_nested: false,
        imports_existing: false,
        imports: Vec::new(),
    };
    let fits = |change: &ChangeSetChange| match change.action {
        ChangeSetAction::Remove => {
            leaving.contains_key(&change.logical_id) && change.policy_action.as_deref() != Some("Delete")
        }
        ChangeSetAction::Add => change.logical_id == templates::PLACEHOLDER,
        _ => false,
    };
    let after = carry_out(run, &about, request, fits).await?;
    run.let_go(&giver.stack);
    if let Some(after) = after {
        record::let_go(run, giver, &after, &about.changes).await?;
        if let (Some(wanted), Action::Update) = (&giver.wanted, giver.action) {
            protection::tighten(run, giver, wanted, after).await?;
        }
    }
    Ok(())
}

/// Imports by a change set that does nothing else.
async fn import(
    run: &Run<'_>,
    step: &StackStep,
    wanted: &RenderedStack,
    now: Option<Deployed>,
    joining: &[&Change],
) -> Result<Option<Deployed>> {
    let cloudformation = run.cloudformation(step);
    let base = match &now {
        None => None,
        Some(now) => {
            let wait = run.wait(step);
            let text = wait.ask(async || cloudformation.template(&now.stack_id).await).await?.unwrap_or_default();
            Some(json(&text).ok_or_else(|| unreadable(now))?)
        }
    };
    let given = change_set::parameters(run, wanted, now.is_some())?;
    let values = given.iter().filter_map(|(name, value)| match value {
        ParameterValue::Value(value) => Some((name.clone(), value.clone())),
        ParameterValue::Previous => None,
    });
    let values: BTreeMap<String, String> = values.collect();
    let template = json(&wanted.template).unwrap_or_default();
    let Some(evaluated) = Evaluated::wanted(step, &wanted.template, &values) else {
        return Err(Stop::failed(
            "its template has a macro, and only CloudFormation knows what that makes of resources that join the stack",
            [format!(
                "take them in by hand: aws cloudformation create-change-set --change-set-type IMPORT --stack-name {}",
                step.stack_name
            )],
        ));
    };
    let (mut resources, mut imports) = (Vec::new(), Vec::new());
    for change in joining {
        let Some(physical_id) = &change.physical_id else { continue };
        // An earlier run may have imported it.
        if base.as_ref().is_some_and(|base| base["Resources"].get(&change.logical_id).is_some()) {
            continue;
        }
        let properties = evaluated.properties(&change.logical_id);
        let property = |name: &str| properties.as_ref()?.at(&format!("/{name}"))?.as_text();
        let Some(identifier) = identifier(&change.resource_type, physical_id, property) else {
            return Err(Stop::failed(
                format!("nobody knows how CloudFormation calls {} ({physical_id})", change.logical_id),
                [format!("delete it, or take it out of `{}`", step.stack)],
            ));
        };
        resources
            .push(Joining { logical_id: change.logical_id.clone(), live: live(run, step, change, physical_id).await? });
        imports.push(ToImport {
            logical_id: change.logical_id.clone(),
            resource_type: change.resource_type.clone(),
            identifier,
        });
    }
    if imports.is_empty() {
        return Ok(now);
    }
    let parameters = now.iter().flat_map(|now| now.parameters.keys());
    let request = ChangeSetRequest {
        stack_name: step.stack_name.clone(),
        name: run.token(&format!("{OWN_CHANGE_SETS}import-{}", run.plan.serial)),
        kind: ChangeSetKind::Import,
        template: run
            .template_source(templates::with(base.as_ref(), &template, &evaluated, &resources).to_string())
            .await?,
        parameters: parameters.map(|name| (name.clone(), ParameterValue::Previous)).collect(),
        tags: now.as_ref().map_or(&wanted.tags, |now| &now.tags).clone(),
        capabilities: wanted.capabilities.clone(),
        description: run.description(),
        reverts_drift: false,
        includes_nested: false,
        imports_existing: false,
        imports,
    };
    let mut about = step.clone();
    about.changes.retain(|change| change.action == ChangeAction::Import);
    let fits = |change: &ChangeSetChange| {
        change.action == ChangeSetAction::Import && about.changes.iter().any(|one| one.logical_id == change.logical_id)
    };
    carry_out(run, &about, request, fits).await
}

/// The resource's properties and attributes as they are; null where Cloud Control cannot read them.
async fn live(run: &Run<'_>, step: &StackStep, change: &Change, physical_id: &str) -> Result<Json> {
    let known = cloudformation::schema::resource_type(&change.resource_type);
    if known.is_none_or(|known| known.primary_identifier().len() != 1) {
        return Ok(Json::Null);
    }
    let cloudcontrol = run.context.aws.cloud_control(&step.target);
    let read = async || match cloudcontrol.read(&change.resource_type, physical_id).await {
        Err(error) if denied(&error).is_some() => Ok(Reading::Unsupported(error.message)),
        read => read,
    };
    match run.wait(step).ask(read).await? {
        Reading::Found(live) => Ok(live),
        Reading::Gone => Err(Stop::failed(
            format!("{physical_id} ({}) is gone since the plan was made; nothing was done", change.resource_type),
            [format!("plan again: infra plan --env {}", run.plan.environment)],
        )),
        Reading::Unsupported(_) => Ok(Json::Null),
    }
}

/// Makes a change set, executes it if all its changes fit, and follows it to its end. None where it had nothing to do.
async fn carry_out(
    run: &Run<'_>,
    step: &StackStep,
    request: ChangeSetRequest,
    fits: impl Fn(&ChangeSetChange) -> bool,
) -> Result<Option<Deployed>> {
    let cloudformation = run.cloudformation(step);
    run.may_begin()?;
    let name = cloudformation.create_change_set(&request).await?;
    run.tell(step, EventKind::ChangeSetCreated { name: request.name.clone() });
    let described = finished(run, step, &cloudformation, &name).await?;
    let made_shell = request.kind == ChangeSetKind::Import && run.record(&step.stack).is_none();
    let (stack_id, changes) = (described.stack_id.clone(), described.changes.len());
    let ready = Ready { name, stack_id, changes, made_shell: made_shell && is_shell(run, step).await? };
    let other: Vec<String> = described
        .changes
        .iter()
        .filter(|change| !fits(change))
        .map(|change| format!("{} ({}): {:?}", change.logical_id, change.resource_type, change.action))
        .collect();
    let stop = match described.state {
        ChangeSetState::Empty => {
            take_back(run, step, &ready).await;
            return present(run, step).await;
        }
        ChangeSetState::Ready if other.is_empty() => None,
        ChangeSetState::Ready => {
            let mut cause = RootCause {
                message: "CloudFormation would do more than let resources move; nothing was executed".to_owned(),
                hints: vec![format!("plan again, look at it, then apply: infra plan --env {}", run.plan.environment)],
                ..RootCause::default()
            };
            cause.details = other;
            Some(Stop::Failed(Box::new(cause)))
        }
        ChangeSetState::Failed | ChangeSetState::Pending | ChangeSetState::Gone => {
            let reason = described.reason.clone().unwrap_or_else(|| described.status.clone());
            Some(Stop::failed(
                format!("CloudFormation does not let resources move: {reason}"),
                [format!("mend the cause, then: infra apply --env {}", run.plan.environment)],
            ))
        }
    };
    if let Some(stop) = stop {
        take_back(run, step, &ready).await;
        return Err(stop);
    }
    let wait = run.wait(step);
    let mark = Mark::set(&cloudformation, &ready.stack_id, &wait).await?;
    change_set::execute(run, step, &ready).await?;
    let followed = follow(run, step, &ready.stack_id, mark).await?;
    match followed.stack {
        Some(stack) if stack.status.succeeded() => Ok(Some(stack)),
        _ => Err(explain(run, step, &BTreeMap::new(), followed).await),
    }
}

/// Whether nothing of the stack was ever executed.
async fn is_shell(run: &Run<'_>, step: &StackStep) -> Result<bool> {
    let cloudformation = run.cloudformation(step);
    let found = run.wait(step).ask(async || cloudformation.describe_stack(&step.stack_name).await).await?;
    Ok(found.is_some_and(|stack| stack.status == StackStatus::ReviewInProgress))
}

fn unreadable(stack: &Deployed) -> Stop {
    Stop::failed(
        format!("the present template of {} cannot be read, so that nothing can move in or out", stack.stack_name),
        ["move its resources by hand, by change sets of type IMPORT".to_owned()],
    )
}

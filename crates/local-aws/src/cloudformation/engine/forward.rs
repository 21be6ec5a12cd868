//! The part of an operation that goes forward: every resource of the template is created, updated or imported, as soon
//! as those it depends on are done.
//!
//! When one fails, nothing new starts and what waits is cancelled, unless failures are to be left as they are: then all
//! that does not depend on a failure goes on.

use super::alarms::Triggers;
use super::events::{failed, resource_event, stack_event};
use super::scene::Scene;
use super::stage::{Ended, Stage};
use super::walk::walk;
use super::{create, exports, finish, import, policy, update};
use crate::cloudformation::model::{OnFailure, OperationKind, Output, Phase, Stack, StackResource, Step, StepState};
use crate::world::World;
use std::time::Duration;

pub(super) async fn run(stage: &Stage) {
    let scene = match ready(stage) {
        Ok(scene) => scene,
        Err(reason) => return conclude(stage, Err(reason)),
    };
    stage.edit(|_, stack| prepare_steps(stack, &scene));
    if !deletions_allowed(stage, &scene) {
        return conclude(stage, Ok(Vec::new()));
    }
    let triggers = match Triggers::of(stage) {
        Ok(triggers) => triggers,
        Err(reason) => return conclude(stage, Err(reason)),
    };
    if let Some(reason) = work(stage, &scene, &triggers).await {
        return conclude(stage, Err(reason));
    }
    let outputs = stage.world.with_stack(&stage.stack_id, |stack| match unfinished(stack) {
        true => Ok(Vec::new()),
        false => scene.outputs(stack),
    });
    let outputs = outputs.unwrap_or_else(|| Ok(Vec::new())).and_then(|outputs| {
        exports::check(&stage.world, &stage.stack_id, &outputs)?;
        Ok(outputs)
    });
    if outputs.is_ok() {
        let imports = scene.imports().into_iter().collect();
        stage.edit(|_, stack| stack.imports = imports);
    }
    conclude(stage, outputs);
}

/// Works on all resources, and watches what may stop that; why the operation fails apart from its resources.
async fn work(stage: &Stage, scene: &Scene, triggers: &Triggers) -> Option<String> {
    let timeout = stage.look(|stack| stack.timeout_minutes).filter(|_| stage.kind() == OperationKind::Create);
    let minutes = Duration::from_secs(u64::from(timeout.unwrap_or_default()) * 60);
    let work = walk(scene.nodes(), |id| one(stage, scene, id), || stage.halted());
    let (breached, late) = (triggers.breached(stage), stage.world.clock.take(minutes));
    tokio::pin!(work, breached, late);
    let stopped = tokio::select! {
        biased;
        () = &mut work => None,
        reason = &mut breached => Some(reason),
        () = &mut late, if timeout.is_some() => Some("Stack creation time exceeded the specified timeout".to_owned()),
    };
    if stopped.is_some() {
        stage.halt();
        work.await;
        return stopped;
    }
    if stage.look(unfinished) {
        return None;
    }
    tokio::select! {
        biased;
        () = stage.halting() => None,
        reason = breached => Some(reason),
        () = triggers.monitored(stage) => None,
    }
}

/// Reads the template and looks for what is bound to fail.
fn ready(stage: &Stage) -> Result<Scene, String> {
    if let Some(failure) = stage.look(|stack| stack.current.failure.clone()) {
        return Err(failure);
    }
    let scene = stage.scene()?;
    scene.preflight()?;
    Ok(scene)
}

/// Notes what every resource was before, once.
fn prepare_steps(stack: &mut Stack, scene: &Scene) {
    let Some(operation) = &mut stack.operation else { return };
    if std::mem::replace(&mut operation.prepared, true) {
        return;
    }
    // What a creation left behind that failed before is made anew.
    let broken = |resource: &StackResource| resource.status == "CREATE_FAILED";
    let remains: Vec<String> =
        stack.resources.values().filter(|resource| broken(resource)).map(|it| it.logical_id.clone()).collect();
    for id in remains {
        let record = stack.resources.shift_remove(&id).filter(|record| !record.physical_id.is_empty());
        stack.leftovers.extend(record.map(|record| StackResource { deletion_policy: None, ..record }));
    }
    for node in scene.nodes() {
        let now = stack.resources.get(&node.id).cloned();
        let step = operation.steps.entry(node.id.clone()).or_insert_with(|| Step {
            state: StepState::Waiting,
            replaces: None,
            before: now.clone(),
            left: None,
            dropped: false,
        });
        (step.state, step.replaces, step.dropped) = (StepState::Waiting, None, false);
        if let (Some(now), Some(before)) = (&now, &step.before)
            && now.physical_id == before.physical_id
        {
            step.left = (now.properties != before.properties).then(|| now.clone());
        }
        // A replacement that was not finished is none: the update begins with what there was.
        let half = now.zip(step.before.clone());
        let half = half.filter(|(now, before)| now.status == "UPDATE_FAILED" && now.physical_id != before.physical_id);
        if let Some((now, before)) = half {
            let status = now.status.clone();
            stack.leftovers.push(StackResource { deletion_policy: None, ..now });
            stack.resources.insert(node.id.clone(), StackResource { status, ..before });
        }
    }
    // What an earlier operation failed with and nobody wants any more fails nothing now.
    for (_, step) in operation.steps.iter_mut().filter(|(id, _)| scene.nodes().iter().all(|node| node.id != **id)) {
        (step.state, step.replaces, step.dropped) = (StepState::Done, None, true);
    }
}

/// Whether the stack policy lets go of all that the template has no more. What it does not is told.
fn deletions_allowed(stage: &Stage, scene: &Scene) -> bool {
    stage.edit(|world, stack| {
        let policy = stack.policy_during_update.clone().or_else(|| stack.policy.clone());
        let Some(policy) = policy.filter(|_| stack.previous.is_some()) else { return true };
        let removed = removed(stack, scene);
        let mut allowed = true;
        for id in removed {
            let type_name = stack.resources[&id].resource_type.clone();
            if let Some(reason) = policy::denial(&policy, policy::Action::Delete, &id, &type_name) {
                resource_event(world, stack, &id, "DELETE_FAILED", Some(&reason));
                allowed = false;
            }
        }
        allowed
    })
}

/// What the stack has and the template has not.
fn removed(stack: &Stack, scene: &Scene) -> Vec<String> {
    let wanted = |id: &String| scene.nodes().iter().any(|node| node.id == *id);
    stack.resources.keys().filter(|id| !wanted(id)).cloned().collect()
}

/// Works on one resource; whether those that depend on it may go on.
async fn one(stage: &Stage, scene: &Scene, id: &str) -> bool {
    let (state, before, imported) = stage.operation(|operation| {
        let step = operation.steps.get(id);
        let before = step.is_some_and(|step| step.before.is_some());
        (step.map(|step| step.state), before, operation.imports.get(id).cloned())
    });
    match state {
        Some(StepState::Done) => return true,
        Some(StepState::Failed | StepState::Cancelled) => return false,
        _ => stage.set_step(id, StepState::Running),
    }
    // An operation that failed may have made it, and left it.
    let exists =
        stage.resource(id).is_some_and(|it| !it.status.starts_with("CREATE_") || it.status == "CREATE_COMPLETE");
    let ended = match imported {
        _ if before || exists => update::run(stage, scene, id).await,
        Some(physical_id) => import::run(stage, scene, id, &physical_id).await,
        None => create::run(stage, scene, id).await,
    };
    let state = match ended {
        Ok(()) => StepState::Done,
        Err(Ended::Failed(_)) => StepState::Failed,
        Err(Ended::Cancelled) => StepState::Cancelled,
    };
    stage.set_step(id, state);
    let goes_on = stage.operation(|operation| operation.on_failure == OnFailure::DoNothing);
    if state == StepState::Failed && !goes_on {
        stage.halt();
    }
    state == StepState::Done
}

impl Default for OnFailure {
    /// What CloudFormation does if nothing else is asked for.
    fn default() -> Self {
        OnFailure::Rollback
    }
}

fn unfinished(stack: &Stack) -> bool {
    stack.operation.as_ref().is_none_or(|operation| {
        operation.cancelled || operation.steps.values().any(|step| step.state != StepState::Done)
    })
}

/// What failed, in CloudFormation's words; `None` if nothing did.
fn failure(stack: &Stack) -> Option<String> {
    let operation = stack.operation.as_ref()?;
    let broken = |step: &&Step| matches!(step.state, StepState::Failed | StepState::Cancelled);
    let ids = |new: bool| {
        let is_new = |id: &String, step: &Step| {
            let updated = stack.resources.get(id).is_some_and(|it| it.status == "UPDATE_FAILED");
            step.before.is_none() && !updated
        };
        let steps = operation.steps.iter().filter(|(id, step)| broken(step) && is_new(id, step) == new);
        steps.map(|(id, _)| id.clone()).collect::<Vec<_>>()
    };
    let undeletable: Vec<String> =
        stack.resources.values().filter(|it| it.status == "DELETE_FAILED").map(|it| it.logical_id.clone()).collect();
    let told = failed(&ids(true), &ids(false), &undeletable);
    (!told.is_empty()).then_some(told)
}

/// Decides how the operation goes on. `outcome`: the stack's outputs, or why it fails apart from its resources.
fn conclude(stage: &Stage, outcome: Result<Vec<Output>, String>) {
    stage.edit(|world, stack| {
        let Some(operation) = &stack.operation else { return };
        // A deletion has taken over.
        if operation.phase != Phase::Forward {
            return;
        }
        let told = failure(stack);
        let cancelled = operation.cancelled;
        match (outcome, told, cancelled) {
            (Ok(_), None, true) => fall_back(world, stack, super::events::USER_INITIATED),
            (Ok(outputs), None, false) => succeed(world, stack, outputs),
            (Err(reason), _, _) | (Ok(_), Some(reason), _) => fall_back(world, stack, &reason),
        }
    });
}

fn succeed(world: &World, stack: &mut Stack, outputs: Vec<Output>) {
    stack.outputs = outputs;
    let kind = stack.operation.as_ref().map(|operation| operation.kind);
    match kind {
        Some(OperationKind::Update) => {
            leave_old_ones(stack);
            if let Some(operation) = &mut stack.operation {
                operation.phase = Phase::Cleanup;
                if let Some(policy) = operation.policy.take() {
                    stack.policy = Some(policy);
                }
            }
            stack_event(world, stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", None);
        }
        Some(OperationKind::Import) => {
            stack_event(world, stack, "IMPORT_COMPLETE", None);
            finish(stack);
        }
        _ => {
            stack_event(world, stack, "CREATE_COMPLETE", None);
            finish(stack);
        }
    }
}

/// Hands replaced and removed resources to the cleanup.
fn leave_old_ones(stack: &mut Stack) {
    let Some(operation) = &stack.operation else { return };
    let mut old = Vec::new();
    for (id, step) in &operation.steps {
        let now = stack.resources.get(id);
        let Some(before) = step.before.as_ref().filter(|before| !before.physical_id.is_empty()) else { continue };
        if now.is_some_and(|now| now.physical_id != before.physical_id) {
            let policy = now.and_then(|now| now.update_replace_policy.clone());
            old.push(StackResource { deletion_policy: policy, ..before.clone() });
        }
    }
    let wanted = |id: &String| operation.steps.get(id).is_some_and(|step| !step.dropped);
    let gone: Vec<String> = stack.resources.keys().filter(|id| !wanted(id)).cloned().collect();
    for id in gone {
        old.extend(stack.resources.shift_remove(&id));
    }
    stack.leftovers.extend(old);
}

/// What a failure leads to: back, to the end, or nowhere.
fn fall_back(world: &World, stack: &mut Stack, reason: &str) {
    let Some(operation) = &mut stack.operation else { return };
    let by_user = |what: &str| match reason.ends_with(". ") {
        true => format!("{reason}{what} requested by user."),
        false => format!("{reason}. {what} requested by user."),
    };
    let import = operation.kind == OperationKind::Import;
    // Who cancels an update wants it undone, whatever was to be done about failures.
    let on_failure = if operation.cancelled { OnFailure::Rollback } else { operation.on_failure };
    let (phase, status, reason) = match (on_failure, stack.previous.is_some()) {
        (_, _) if import => (Phase::Rollback, "IMPORT_ROLLBACK_IN_PROGRESS", reason.to_owned()),
        (OnFailure::DoNothing, true) => (Phase::Forward, "UPDATE_FAILED", reason.to_owned()),
        (OnFailure::DoNothing, false) if operation.kind == OperationKind::Update => {
            (Phase::Forward, "UPDATE_FAILED", reason.to_owned())
        }
        (OnFailure::DoNothing, false) => (Phase::Forward, "CREATE_FAILED", reason.to_owned()),
        (_, true) => (Phase::Rollback, "UPDATE_ROLLBACK_IN_PROGRESS", reason.to_owned()),
        (OnFailure::Delete, false) => (Phase::Delete, "DELETE_IN_PROGRESS", by_user("Delete")),
        (OnFailure::Rollback, false) => (Phase::Rollback, "ROLLBACK_IN_PROGRESS", by_user("Rollback")),
    };
    operation.phase = phase;
    if status == "ROLLBACK_IN_PROGRESS" {
        // DescribeStacks shows a time of deletion from the rollback of a creation on.
        stack.deleted = Some(world.clock.now());
    }
    stack_event(world, stack, status, Some(&reason));
}

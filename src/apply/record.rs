//! What is remembered of a finished stack.

use super::context::Run;
use super::event::{EventKind, send};
use super::stop::Result;
use crate::model::{
    Deployed, Durations, Equivalent, Kept, MadeFrom, PackagePlace, PackageRecord, Parameter, REPOSITORY_URI,
    RenderedStack, SiteRecord, SsmValue, StackRecord, Target, Written, digest, sensitive, sensitive::MASKED, shows,
};
use crate::plan::{Action, Change, ChangeAction, Removal, StackStep, with_defaults};
use crate::state::Update;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The stack is as wanted. Its template is at hand unless it was sent just now: where nothing was sent, the account has what
/// it had. `resolved`: what its parameters of SSM types came to, where that changed nothing.
pub(super) async fn applied(
    run: &Run<'_>,
    step: &StackStep,
    wanted: &RenderedStack,
    now: &Deployed,
    resolved: Option<BTreeMap<String, String>>,
) -> Result<()> {
    sensitive::learn_stack(Some(&wanted.template), &now.parameters, &now.outputs);
    let template_digest = now.template.as_deref().map_or_else(|| wanted.template_digest.clone(), digest);
    let seen = |values: &BTreeMap<String, String>| -> BTreeMap<String, String> {
        values.iter().filter(|(_, value)| *value != MASKED).map(owned).collect()
    };
    let resolved = resolved.as_ref().map_or_else(|| known(run, step, now).resolved, seen);
    let mut asked = asked(run, wanted, now);
    asked.resolved = as_held(run, step, &asked.parameters, resolved).await;
    let now_resolved = as_held(run, step, &now.parameters, seen(&now.resolved)).await;
    let has_all = template_digest == wanted.template_digest
        && asked.parameters.keys().eq(now.parameters.keys())
        && asked.parameters.iter().all(|(name, value)| now.parameters.get(name).is_some_and(|now| shows(now, value)))
        && asked.resolved == now_resolved;
    let tags = now.tags.iter().map(|(key, value)| as_sent((key, value), wanted.tags.get(key)));
    let record = StackRecord {
        stack_name: step.stack_name.clone(),
        target: step.target.clone(),
        fingerprint: now.fingerprint(),
        template_name: wanted.template_name.clone(),
        template_digest,
        parameters: now.parameters.iter().map(|it| as_sent(it, asked.parameters.get(it.0))).collect(),
        resolved: now_resolved,
        equivalent: match step.revert_drift {
            true => run.record(&step.stack).and_then(|record| record.equivalent),
            false => (!has_all).then_some(asked),
        },
        outputs: sensitive::outputs(&wanted.template, &now.outputs),
        tags: tags.collect(),
        images: images(wanted, now),
        made_from: made_from(wanted),
        packages: packages(run, wanted),
        waits_on: wanted.waits_on(),
        site: run.record(&step.stack).and_then(|record| record.site),
        stack_policy_digest: wanted.stack_policy.as_deref().map(digest),
        durations: durations(run, step),
        applied: written(run),
    };
    let rendered = Some(Box::new(wanted.clone()));
    let applied = Update::Applied { stack: step.stack.clone(), record: Box::new(record), rendered };
    let has = step.changes.iter().filter(|change| matches!(change.action, ChangeAction::Add | ChangeAction::Import));
    let has = has.map(|change| Update::Has {
        stack: step.stack.clone(),
        logical_id: change.logical_id.clone(),
        resource_type: change.resource_type.clone(),
        physical_id: change.physical_id.clone(),
    });
    let updates = std::iter::once(applied).chain(has).chain(kept(run, step, &step.changes)).collect();
    save(run, step, updates).await
}

/// Another step has taken these resources out of the stack: they are in the account, and in no stack yet.
pub(super) async fn let_go(run: &Run<'_>, giver: &StackStep, now: &Deployed, left: &[Change]) -> Result<()> {
    let mut left = left.to_vec();
    left.iter_mut().for_each(|change| change.taken_by = None);
    let mut updates: Vec<Update> = kept(run, giver, &left).collect();
    if let Some(mut record) = run.record(&giver.stack) {
        record.fingerprint = now.fingerprint();
        let stack = giver.stack.clone();
        updates.insert(0, Update::Applied { stack, record: Box::new(record), rendered: None });
    }
    save(run, giver, updates).await
}

/// What left the stack and stays in the account; not what another stack has by then.
fn kept<'a>(run: &'a Run<'_>, step: &'a StackStep, changes: &'a [Change]) -> impl Iterator<Item = Update> + 'a {
    let left = changes.iter().filter(|change| {
        matches!(change.action, ChangeAction::Remove | ChangeAction::Replace)
            && change.removal == Some(Removal::Retain)
            && change.taken_by.as_ref().is_none_or(|hand| !hand.early)
    });
    left.filter_map(|change| {
        Some(Update::Kept(Kept {
            stack: step.stack.clone(),
            logical_id: change.logical_id.clone(),
            resource_type: change.resource_type.clone(),
            physical_id: change.physical_id.clone()?,
            target: step.target.clone(),
            at: Timestamp::now(),
            operation: run.context.written.operation.clone(),
        }))
    })
}

/// Whether the state knows that the stack means what is wanted, although it was made from something else.
pub(super) fn is_equivalent(run: &Run<'_>, step: &StackStep, wanted: &RenderedStack, now: &Deployed) -> bool {
    let known = known(run, step, now);
    let asked = asked(run, wanted, now);
    (known.template_digest, known.parameters) == (asked.template_digest, asked.parameters)
}

/// What the state knows to mean the same as what the stack has; else that itself.
fn known(run: &Run<'_>, step: &StackStep, now: &Deployed) -> Equivalent {
    let record = run.record(&step.stack).filter(|record| record.fingerprint == now.fingerprint());
    record.and_then(|record| record.equivalent).unwrap_or_else(|| Equivalent {
        template_digest: now.template.as_deref().map(digest).unwrap_or_default(),
        parameters: now.parameters.clone(),
        resolved: now.resolved.iter().filter(|(_, value)| *value != MASKED).map(owned).collect(),
    })
}

/// What is asked for, with the values of all parameters. Those that nobody knows any more are what they were.
fn asked(run: &Run<'_>, wanted: &RenderedStack, now: &Deployed) -> Equivalent {
    let value = |(name, parameter): (&String, &Parameter)| {
        let value = match parameter {
            Parameter::Value(value) => Some(value.clone()),
            Parameter::Secret { .. } => Some(String::new()),
            Parameter::Image { reference, .. } => Some(reference.clone()),
            Parameter::LocalImage(image) => {
                run.output(&image.repository, REPOSITORY_URI).and_then(|uri| image.reference(&uri))
            }
            Parameter::Package(package) => package.value(|stack, key| run.output(stack, key)),
            Parameter::Output { stack, key } => run.output(stack, key),
        };
        Some((name.clone(), value.or_else(|| now.parameters.get(name).cloned())?))
    };
    let given = wanted.parameters.iter().filter_map(value).collect();
    let parameters = with_defaults(&wanted.template, &given);
    Equivalent { template_digest: wanted.template_digest.clone(), parameters, resolved: BTreeMap::new() }
}

/// What parameters of SSM types came to, with the characters outside ASCII that CloudFormation does not show. SSM is asked for
/// them where there are any; what it holds by now may be another text, which then tells nothing.
async fn as_held(
    run: &Run<'_>,
    step: &StackStep,
    parameters: &BTreeMap<String, String>,
    mut resolved: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let unsure = resolved.iter().filter(|(_, shown)| shown.contains('?'));
    let names: BTreeSet<String> = unsure.filter_map(|(parameter, _)| parameters.get(parameter).cloned()).collect();
    if names.is_empty() {
        return resolved;
    }
    let held = run.context.aws.ssm(&step.target).parameters(&names).await.unwrap_or_default();
    for (parameter, shown) in &mut resolved {
        let held = parameters.get(parameter).and_then(|name| held.get(name));
        if let Some(SsmValue::Text(text)) = held
            && shows(shown, text)
        {
            shown.clone_from(text);
        }
    }
    resolved
}

/// A text that CloudFormation shows, as it was sent where that can be told.
fn as_sent((name, shown): (&String, &String), sent: Option<&String>) -> (String, String) {
    (name.clone(), sent.filter(|sent| shows(shown, sent)).unwrap_or(shown).clone())
}

fn owned((name, value): (&String, &String)) -> (String, String) {
    (name.clone(), value.clone())
}

/// An update failed and was rolled back: the stack is what it was, under another fingerprint.
pub(super) async fn rolled_back(run: &Run<'_>, step: &StackStep, now: &Deployed) -> Result<()> {
    let Some(mut record) = run.record(&step.stack) else { return Ok(()) };
    record.fingerprint = now.fingerprint();
    save(run, step, vec![Update::Applied { stack: step.stack.clone(), record: Box::new(record), rendered: None }]).await
}

/// Its stack policy is about to be loosened: should the run die before it is set again, the next one must know.
pub(super) async fn policy_loosened(run: &Run<'_>, step: &StackStep) -> Result<()> {
    let Some(record) = run.record(&step.stack) else { return Ok(()) };
    let record = StackRecord { stack_policy_digest: None, ..record };
    save(run, step, vec![Update::Applied { stack: step.stack.clone(), record: Box::new(record), rendered: None }]).await
}

/// What the bucket of a stack holds: it is about to change, or it is as wanted.
pub(super) async fn site(run: &Run<'_>, stack: &str, digest: &str, files: usize, unfinished: bool) -> Result<()> {
    let (Some(state), Some(mut record)) = (run.context.state, run.record(stack)) else { return Ok(()) };
    let site = SiteRecord { digest: digest.to_owned(), files, unfinished, applied: written(run) };
    record.site = Some(site);
    let update = Update::Applied { stack: stack.to_owned(), record: Box::new(record), rendered: None };
    let serial = state.save(written(run), vec![update]).await?;
    send(run.context.events, Some(stack), EventKind::StateSaved { serial });
    Ok(())
}

/// The stack is gone.
pub(super) async fn forgotten(run: &Run<'_>, step: &StackStep) -> Result<()> {
    let mut updates: Vec<Update> = kept(run, step, &step.changes).collect();
    updates.extend(left_by_a_lost_run(run, step).await);
    if run.record(&step.stack).is_some() {
        updates.push(Update::Forgotten { stack: step.stack.clone() });
    }
    if updates.is_empty() { Ok(()) } else { save(run, step, updates).await }
}

/// What a stack left behind that a run deleted which could not say so any more. CloudFormation tells of a deleted stack for
/// ninety days; what it does not tell is nobody's knowledge any more, and no reason to stop.
async fn left_by_a_lost_run(run: &Run<'_>, step: &StackStep) -> Vec<Update> {
    let Some(record) = run.record(&step.stack).filter(|_| step.action == Action::Forget) else { return Vec::new() };
    let resources = run.cloudformation(step).resources(&record.fingerprint.stack_id).await.unwrap_or_default();
    let left = resources.into_iter().filter(|resource| resource.status == "DELETE_SKIPPED");
    left.filter_map(|resource| {
        Some(Update::Kept(Kept {
            stack: step.stack.clone(),
            logical_id: resource.logical_id,
            resource_type: resource.resource_type,
            physical_id: resource.physical_id?,
            target: step.target.clone(),
            at: Timestamp::now(),
            operation: run.context.written.operation.clone(),
        }))
    })
    .collect()
}

async fn save(run: &Run<'_>, step: &StackStep, updates: Vec<Update>) -> Result<()> {
    let Some(state) = run.context.state else { return Ok(()) };
    let serial = state.save(written(run), updates).await?;
    run.tell(step, EventKind::StateSaved { serial });
    Ok(())
}

fn written(run: &Run<'_>) -> Written {
    Written { at: Timestamp::now(), ..run.context.written.clone() }
}

/// With what the work that is just done took. Finding a stack as wanted is no work.
fn durations(run: &Run<'_>, step: &StackStep) -> Durations {
    let mut durations = run.record(&step.stack).map(|record| record.durations).unwrap_or_default();
    let seconds = Some(run.elapsed(step).as_secs());
    match step.action {
        Action::Create | Action::Recreate => durations.create_seconds = seconds,
        Action::Update => durations.update_seconds = seconds,
        Action::Nothing | Action::Delete | Action::Forget => {}
    }
    durations
}

/// References as the stack has them now.
fn images(wanted: &RenderedStack, now: &Deployed) -> BTreeMap<String, String> {
    let images = wanted.parameters.iter().filter_map(|(key, parameter)| match parameter {
        Parameter::Image { name, reference } => Some((name.clone(), reference.clone())),
        Parameter::LocalImage(image) => Some((image.name.clone(), now.parameters.get(key)?.clone())),
        _ => None,
    });
    images.collect()
}

fn made_from(wanted: &RenderedStack) -> BTreeMap<String, MadeFrom> {
    let images = wanted.parameters.values().filter_map(|parameter| match parameter {
        Parameter::LocalImage(image) => Some((image.name.clone(), image.made_from.clone())),
        _ => None,
    });
    images.collect()
}

fn packages(run: &Run<'_>, wanted: &RenderedStack) -> BTreeMap<String, PackageRecord> {
    let target = |place: &PackagePlace| -> Option<Target> {
        match place {
            PackagePlace::Bucket { target, .. } => Some(target.clone()),
            PackagePlace::Stack(stack) => {
                let step = run.plan.step(stack).map(|step| step.target.clone());
                step.or_else(|| run.record(stack).map(|record| record.target))
            }
        }
    };
    let packages = wanted.parameters.values().filter_map(|parameter| match parameter {
        Parameter::Package(package) => {
            let record = PackageRecord {
                bucket: package.bucket(|stack, key| run.output(stack, key))?,
                key: package.key()?,
                digest: package.digest.clone()?,
                made_from: package.made_from.clone(),
                target: target(&package.place)?,
                stack: package.place.stack().map(str::to_owned),
            };
            Some((package.name.clone(), record))
        }
        _ => None,
    });
    packages.collect()
}

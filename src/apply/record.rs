//! What is remembered of a finished stack.

use super::context::Run;
use super::event::{EventKind, send};
use super::stop::Result;
use crate::model::{
    Deployed, Durations, MadeFrom, PackagePlace, PackageRecord, Parameter, RenderedStack, SiteRecord, StackRecord,
    Target, Written, digest, sensitive,
};
use crate::plan::{Action, StackStep};
use crate::state::Update;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The stack is as wanted.
pub(super) async fn applied(run: &Run<'_>, step: &StackStep, wanted: &RenderedStack, now: &Deployed) -> Result<()> {
    sensitive::learn_stack(Some(&wanted.template), &now.parameters, &now.outputs);
    let record = StackRecord {
        stack_name: step.stack_name.clone(),
        target: step.target.clone(),
        fingerprint: now.fingerprint(),
        template_name: wanted.template_name.clone(),
        template_digest: wanted.template_digest.clone(),
        parameters: now.parameters.clone(),
        outputs: sensitive::outputs(&wanted.template, &now.outputs),
        tags: now.tags.clone(),
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
    save(run, step, Update::Applied { stack: step.stack.clone(), record: Box::new(record), rendered }).await
}

/// An update failed and was rolled back: the stack is what it was, under another fingerprint.
pub(super) async fn rolled_back(run: &Run<'_>, step: &StackStep, now: &Deployed) -> Result<()> {
    let Some(mut record) = run.record(&step.stack) else { return Ok(()) };
    record.fingerprint = now.fingerprint();
    save(run, step, Update::Applied { stack: step.stack.clone(), record: Box::new(record), rendered: None }).await
}

/// Its stack policy is about to be loosened: should the run die before it is set again, the next one must know.
pub(super) async fn policy_loosened(run: &Run<'_>, step: &StackStep) -> Result<()> {
    let Some(record) = run.record(&step.stack) else { return Ok(()) };
    let record = StackRecord { stack_policy_digest: None, ..record };
    save(run, step, Update::Applied { stack: step.stack.clone(), record: Box::new(record), rendered: None }).await
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
    if run.record(&step.stack).is_none() {
        return Ok(());
    }
    save(run, step, Update::Forgotten { stack: step.stack.clone() }).await
}

async fn save(run: &Run<'_>, step: &StackStep, update: Update) -> Result<()> {
    let Some(state) = run.context.state else { return Ok(()) };
    let serial = state.save(written(run), vec![update]).await?;
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

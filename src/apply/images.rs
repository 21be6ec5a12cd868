//! Images on their way to the repositories that the plan's stacks make: each once, as soon as its repository is there,
//! and before the stacks that name it are touched.
//!
//! An image that cannot be pushed fails the stacks that need it: they say why, and nothing of them is changed.

use super::context::Run;
use super::event::{EventKind, send};
use super::outcome::RootCause;
use super::scheduler::Job;
use super::stop::{Result, Stop};
use crate::error::{Error, Kind};
use crate::image::builder;
use crate::image::layout::Layout;
use crate::image::push::{self, Destination, Source};
use crate::image::registry::{Credentials, Reference, Registry, Repository};
use crate::image::{Digest, context};
use crate::model::{LocalImageUse, Parameter, REPOSITORY_URI, RenderedStack, Target};
use crate::plan::{Action, Plan, StackStep};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Digits of a context's digest that its tag has.
const TAG_DIGITS: usize = 16;

/// An image to push.
pub(super) struct Push {
    image: LocalImageUse,
    /// Where the stack of the repository lives.
    target: Target,
}

/// What the plan needs to have pushed, by the name of the job.
pub(super) fn pushes(plan: &Plan) -> BTreeMap<String, Push> {
    let mut pushes = BTreeMap::new();
    for step in plan.steps.iter().filter(|step| works(step)) {
        for image in used(step) {
            let repository = plan.step(&image.repository);
            let target = repository.map_or(&step.target, |repository| &repository.target).clone();
            pushes.entry(job_name(image)).or_insert_with(|| Push { image: image.clone(), target });
        }
    }
    pushes
}

/// The jobs of the pushes. They are done when their repositories are, and weigh next to nothing beside stacks.
pub(super) fn jobs(pushes: &BTreeMap<String, Push>) -> impl Iterator<Item = Job> {
    pushes.iter().map(|(name, push)| Job {
        name: name.clone(),
        waits_on: [push.image.repository.clone()].into(),
        weight: 1,
    })
}

/// The jobs that come before the step's own.
pub(super) fn before(step: &StackStep) -> impl Iterator<Item = String> {
    let images = works(step).then(|| used(step));
    images.into_iter().flatten().map(job_name)
}

/// Two images of one name and different digests are two: a rollback may bring back an older one for a single stack.
fn job_name(image: &LocalImageUse) -> String {
    // No stack's name has a colon.
    format!("image:{}@{}", image.name, image.digest.as_deref().unwrap_or_default())
}

fn works(step: &StackStep) -> bool {
    matches!(step.action, Action::Create | Action::Update | Action::Recreate)
}

/// The images that the step brings to its stack. One that stays was pushed when it came.
fn used(step: &StackStep) -> impl Iterator<Item = &LocalImageUse> {
    let images = local_images(step.wanted.iter());
    images.filter(|image| step.images.contains_key(&image.name))
}

fn local_images<'a>(stacks: impl Iterator<Item = &'a RenderedStack>) -> impl Iterator<Item = &'a LocalImageUse> {
    stacks.flat_map(|stack| stack.parameters.values()).filter_map(|parameter| match parameter {
        Parameter::LocalImage(image) => Some(image),
        _ => None,
    })
}

/// Pushes the image, and notes a failure for the stacks that need it.
pub(super) async fn push(run: &Run<'_>, job: &str, push: &Push) {
    if let Err(Stop::Failed(cause)) = push_one(run, push).await {
        run.image_failed(job, *cause);
    }
}

/// Whether all images of the step are where they should be.
///
/// # Errors
/// Why one of them is not.
pub(super) fn pushed(run: &Run<'_>, step: &StackStep) -> Result<()> {
    match before(step).find_map(|job| run.image_failure(&job)) {
        Some(cause) => Err(Stop::Failed(Box::new(cause))),
        None => Ok(()),
    }
}

async fn push_one(run: &Run<'_>, push: &Push) -> Result<()> {
    run.may_begin()?;
    let Push { image, target } = push;
    let digest: Digest = match image.digest.as_deref().map(str::parse) {
        Some(Ok(digest)) => digest,
        _ => return Err(failed(image, "the plan is damaged: it does not say which image")),
    };
    let uri = run.output(&image.repository, REPOSITORY_URI);
    let uri =
        uri.ok_or_else(|| failed(image, format!("stack `{}` has no output {REPOSITORY_URI}", image.repository)))?;
    let reference: Reference = uri.parse()?;
    let aws = run.context.aws;
    let ecr = aws.ecr(target);
    let credentials = Credentials::Ecr(ecr.clone());
    let registry = match aws.endpoint_url() {
        // What stands in for AWS stands in for its registry, too.
        Some(url) => Registry::at(aws.http(), url, &reference.host, credentials),
        None => Registry::new(aws.http(), &reference.host, credentials),
    };
    let repository = registry.repository(&reference.repository);
    let mut done = EventKind::ImagePushed {
        image: image.name.clone(),
        repository: uri.clone(),
        digest: digest.to_string(),
        uploaded_bytes: 0,
        already_there: true,
    };
    if repository.find(&digest.to_string()).await? != Some(digest) {
        let layout = layout(run, image, &digest)?;
        let immutable_tags = ecr.repository(&reference.repository).await?.is_some_and(|found| found.immutable_tags);
        let tags = free_tags(image, &repository, &digest, immutable_tags).await?;
        let to = Destination { repository, tags, immutable_tags, mount_from: Vec::new() };
        let pushed = push::push(&Source::Layout(layout), &digest, &to, &push::silent()).await?;
        if let EventKind::ImagePushed { uploaded_bytes, already_there, .. } = &mut done {
            (*uploaded_bytes, *already_there) = (pushed.uploaded_bytes, pushed.already_there);
        }
    }
    send(run.context.events, None, done);
    Ok(())
}

/// Where the image lies on this machine.
fn layout(run: &Run<'_>, image: &LocalImageUse, digest: &Digest) -> Result<PathBuf> {
    let context = image.made_from.context_digest.as_deref().and_then(|context| context.parse::<Digest>().ok());
    let folder = context.map(|context| builder::folder(run.context.project, &image.name).join(context.hex()));
    let entry = |folder: &PathBuf| Layout::open(folder)?.entry(None);
    match folder {
        Some(folder) if entry(&folder).is_ok_and(|entry| entry.digest == *digest) => Ok(folder),
        _ => Err(Error::new(Kind::Other, format!("the image `{}` of the plan is not on this machine", image.name))
            .detail(format!("{digest} is neither in its repository nor in {}/images", context::FOLDER))
            .hint(format!("make it from the same sources: infra image build --env {}", run.plan.environment))
            .hint(format!("or plan again here: infra plan --env {}", run.plan.environment))
            .into()),
    }
}

/// The tags that the image may have: its commit's and its context's. Where tags never move, one that is another image's is
/// let be; nothing takes an image by its tag.
async fn free_tags(
    image: &LocalImageUse,
    repository: &Repository,
    digest: &Digest,
    immutable: bool,
) -> Result<Vec<String>> {
    let commit = image.made_from.git_commit.clone().filter(|commit| !commit.ends_with("-dirty"));
    let context = image.made_from.context_digest.as_deref().and_then(|context| context.parse::<Digest>().ok());
    let context = context.map(|context| format!("context-{}", &context.hex()[..TAG_DIGITS]));
    let mut free = Vec::new();
    for tag in commit.into_iter().chain(context) {
        if !immutable || repository.find(&tag).await?.is_none_or(|found| found == *digest) {
            free.push(tag);
        }
    }
    Ok(free)
}

fn failed(image: &LocalImageUse, why: impl std::fmt::Display) -> Stop {
    let message = format!("the image `{}` was not pushed: {why}", image.name);
    Stop::Failed(Box::new(RootCause { message, ..RootCause::default() }))
}

//! An image on its way to the repository that a stack makes: from this machine, or from the repository of the environment
//! where it was proven.

use super::{damaged, failed, teller};
use crate::apply::context::Run;
use crate::apply::event::{EventKind, send};
use crate::apply::scan::{self, Scanned};
use crate::apply::stop::{Result, Stop};
use crate::error::{Error, Kind};
use crate::image::builder;
use crate::image::layout::Layout;
use crate::image::push::{self, Destination, Source};
use crate::image::registry::{Reference, Repository, ecr};
use crate::image::{Digest, context};
use crate::model::{Promotion, REPOSITORY_URI, Target};
use crate::plan::{AssetStep, ImageAsset};
use std::path::PathBuf;

/// Digits of a context's digest that its tag has.
const TAG_DIGITS: usize = 16;

/// Whether the repository has the image.
pub(super) async fn is_there(run: &Run<'_>, asset: &AssetStep, image: &ImageAsset) -> Result<bool> {
    let uri = run.output(&asset.stack, REPOSITORY_URI);
    // What is missing here, the push tells.
    let (Some(uri), Some(digest)) = (uri, image.after.as_deref()) else { return Ok(false) };
    let reference: Reference = uri.parse()?;
    Ok(run.context.aws.ecr(&asset.target).has_image(&reference.repository, digest).await?)
}

/// Makes the repository have the image.
pub(super) async fn push(run: &Run<'_>, asset: &AssetStep, image: &ImageAsset) -> Result<()> {
    run.may_begin()?;
    let digest: Digest = match image.after.as_deref().map(str::parse) {
        Some(Ok(digest)) => digest,
        _ => return Err(damaged(&format!("it does not say which image {} is", asset.name), [])),
    };
    let Some(uri) = run.output(&asset.stack, REPOSITORY_URI) else {
        let message = format!("stack `{}` has no output {REPOSITORY_URI}: nobody knows where to", asset.stack);
        return Err(failed(message, []));
    };
    let reference: Reference = uri.parse()?;
    let aws = run.context.aws;
    let repository = ecr::registry(aws, &asset.target, &reference.host).repository(&reference.repository);
    let mut done = EventKind::ImagePushed {
        image: asset.name.clone(),
        repository: uri.clone(),
        digest: digest.to_string(),
        uploaded_bytes: 0,
        already_there: true,
    };
    if repository.find(&digest.to_string()).await? != Some(digest) {
        let source = source(run, asset, image, &digest)?;
        let settings = aws.ecr(&asset.target).repository(&reference.repository).await?;
        let immutable_tags = settings.is_some_and(|found| found.immutable_tags);
        let tags = free_tags(image, &repository, &digest, immutable_tags).await?;
        let mount_from = neighbour(image, &reference);
        let to = Destination { repository, tags, immutable_tags, mount_from };
        let pushed = push::push(&source, &digest, &to, &teller(run.context.events, &asset.name)).await?;
        if let EventKind::ImagePushed { uploaded_bytes, already_there, .. } = &mut done {
            (*uploaded_bytes, *already_there) = (pushed.uploaded_bytes, pushed.already_there);
        }
    }
    send(run.context.events, None, done);
    Ok(())
}

/// Whether the image in its repository may run: what its scan has found.
pub(super) async fn judge(run: &Run<'_>, asset: &AssetStep, image: &ImageAsset) -> Result<()> {
    let uri = run.output(&asset.stack, REPOSITORY_URI);
    // What is missing here, the push has told.
    let (Some(uri), Some(digest)) = (uri, image.after.as_deref()) else { return Ok(()) };
    let reference: Reference = uri.parse()?;
    let repository = reference.repository.as_str();
    let scanned = Scanned { image: &asset.name, repository, digest, target: &asset.target };
    scan::pass(run, &run.context.aws.ecr(&asset.target), &scanned).await
}

fn source(run: &Run<'_>, asset: &AssetStep, image: &ImageAsset, digest: &Digest) -> Result<Source> {
    match &image.from {
        Some(from) => Ok(Source::Repository(proven(run, from, &asset.target)?)),
        None => Ok(Source::Layout(layout(run, asset, image, digest)?)),
    }
}

/// The repository that the other environment runs the image from.
fn proven(run: &Run<'_>, from: &Promotion, near: &Target) -> Result<Repository> {
    let reference: Reference = from.reference.parse()?;
    let (account, region) = ecr::place(&reference.host).unwrap_or((near.account.clone(), near.region.clone()));
    let target = Target { account, region, role: from.role.clone() };
    Ok(ecr::registry(run.context.aws, &target, &reference.host).repository(&reference.repository))
}

/// Within a registry layers are mounted, not moved.
fn neighbour(image: &ImageAsset, to: &Reference) -> Vec<String> {
    let from = image.from.as_ref().and_then(|from| from.reference.parse::<Reference>().ok());
    from.filter(|from| from.host == to.host && from.repository != to.repository)
        .map(|from| from.repository)
        .into_iter()
        .collect()
}

/// Where the image lies on this machine.
fn layout(run: &Run<'_>, asset: &AssetStep, image: &ImageAsset, digest: &Digest) -> Result<PathBuf> {
    let context = image.made_from.context_digest.as_deref().and_then(|context| context.parse::<Digest>().ok());
    let folder = context.map(|context| builder::folder(run.context.project, &asset.name).join(context.hex()));
    let entry = |folder: &PathBuf| Layout::open(folder)?.entry(None);
    match folder {
        Some(folder) if entry(&folder).is_ok_and(|entry| entry.digest == *digest) => Ok(folder),
        _ => Err(Stop::from(
            Error::new(Kind::Other, format!("the image `{}` of the plan is not on this machine", asset.name))
                .detail(format!("{digest} is neither in its repository nor in {}/images", context::FOLDER))
                .hint(format!("make it from the same sources: infra image build --env {}", run.plan.environment))
                .hint(format!("or plan again here: infra plan --env {}", run.plan.environment)),
        )),
    }
}

/// The tags that the image may have: its commit's and its context's. Where tags never move, one that is another image's is
/// let be; nothing takes an image by its tag.
async fn free_tags(
    image: &ImageAsset,
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

//! What goes up beside the stacks, each as soon as its repository or bucket is there, and before the stacks that need it are
//! touched. One that fails fails by itself: stacks that need it are skipped, and nothing of them is changed.

mod image;
mod moving;
mod package;
mod site;

pub use moving::teller;

use super::context::Run;
use super::event::{EventKind, send};
use super::outcome::{AssetOutcome, Outcome, RootCause};
use super::scheduler::Job;
use super::stop::{Result, Stop};
use crate::plan::{Asset, AssetAction, AssetStep, Plan, StackStep, new_images, new_packages};
use std::collections::BTreeMap;

/// The jobs of the assets. They are done when their repository or bucket is, and weigh next to nothing beside stacks.
pub(super) fn jobs(plan: &Plan) -> impl Iterator<Item = Job> {
    plan.assets.iter().map(|asset| Job {
        name: asset.id.clone(),
        waits_on: asset.waits_on.iter().cloned().collect(),
        weight: 1,
    })
}

/// Brings it where it should be.
pub(super) async fn carry_out(run: &Run<'_>, asset: &AssetStep) -> Outcome {
    bring(run, asset).await.unwrap_or_else(Outcome::from)
}

async fn bring(run: &Run<'_>, asset: &AssetStep) -> Result<Outcome> {
    let done = Outcome::Done { outputs: BTreeMap::new() };
    let there = match (asset.action, &asset.asset) {
        (AssetAction::Assumed, _) => return Ok(Outcome::Unchanged),
        (AssetAction::Remove, Asset::Site(_)) => return site::remove(run, asset).await.map(|()| done),
        (AssetAction::Remove, _) => return Err(damaged(&format!("it removes {}", asset.id), [])),
        (AssetAction::Upload | AssetAction::UploadIfMissing, _) => false,
        // A saved plan may be old: what was there when it was made is looked for again.
        (AssetAction::Nothing, Asset::Image(image)) => image::is_there(run, asset, image).await?,
        (AssetAction::Nothing, Asset::Package(package)) => package::is_there(run, asset, package).await?,
        (AssetAction::Nothing, Asset::Site(_)) => true,
    };
    if asset.action == AssetAction::Nothing && !there {
        gone(run, asset);
    }
    match &asset.asset {
        Asset::Image(image) => {
            if !there {
                image::push(run, asset, image).await?;
            }
            // What was there may have been pushed by a run that its scan stopped.
            image::judge(run, asset, image).await?;
        }
        Asset::Package(package) if !there => package::upload(run, asset, package).await?,
        Asset::Site(site) if !there => site::upload(run, asset, site).await?,
        Asset::Package(_) | Asset::Site(_) => {}
    }
    Ok(if there { Outcome::Unchanged } else { done })
}

/// What the plan has found is not there any more.
fn gone(run: &Run<'_>, asset: &AssetStep) {
    let message = format!("{}: it was there when the plan was made, and is not any more; it goes up again", asset.id);
    send(run.context.events, None, EventKind::Note { message });
}

/// Whether the plan has all images and packages that the step brings to its stack.
///
/// # Errors
/// It was made by an older version, or changed since: nobody would bring them up.
pub(super) fn complete(plan: &Plan, step: &StackStep) -> Result<()> {
    let pushed = |name: &str, digest: &Option<String>| {
        let images = plan.assets.iter().filter(|asset| asset.name == name).filter_map(AssetStep::image);
        images.into_iter().any(|image| image.after == *digest)
    };
    let uploaded = |name: &str, digest: &Option<String>| {
        let packages = plan.assets.iter().filter(|asset| asset.name == name).filter_map(AssetStep::package);
        packages.into_iter().any(|package| package.after == *digest)
    };
    let image = new_images(step).find(|image| !pushed(&image.name, &image.digest));
    let package = new_packages(step).find(|package| !uploaded(&package.name, &package.digest));
    let missing = image
        .map(|image| format!("image {} gets to its repository", image.name))
        .or_else(|| package.map(|package| format!("package {} gets to its bucket", package.name)));
    match missing {
        None => Ok(()),
        Some(how) => Err(damaged(
            &format!("it does not say how {how}"),
            [format!("plan again: infra plan --env {} -o FILE", plan.environment)],
        )),
    }
}

fn damaged(what: &str, hints: impl IntoIterator<Item = String>) -> Stop {
    Stop::failed(format!("the plan is damaged, or of an older version: {what}"), hints)
}

pub(super) fn ended(asset: &AssetStep, outcome: Outcome, elapsed_seconds: f64) -> AssetOutcome {
    AssetOutcome { asset: asset.id.clone(), stack: asset.stack.clone(), outcome, elapsed_seconds }
}

/// Of an asset, with where it happened.
fn failed(message: String, hints: impl IntoIterator<Item = String>) -> Stop {
    Stop::Failed(Box::new(RootCause { message, hints: hints.into_iter().collect(), ..RootCause::default() }))
}

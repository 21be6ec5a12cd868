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

/// Brings it where it should be. What was there when the plan was made is looked for again: a saved plan may be old.
pub(super) async fn carry_out(run: &Run<'_>, asset: &AssetStep) -> Outcome {
    let done = |()| Outcome::Done { outputs: BTreeMap::new() };
    let result: Result<()> = match (asset.action, &asset.asset) {
        (AssetAction::Assumed, _) | (AssetAction::Nothing, Asset::Site(_)) => return Outcome::Unchanged,
        (AssetAction::Nothing, Asset::Image(image)) => match image::is_there(run, asset, image).await {
            Ok(true) => match image::judge(run, asset, image).await {
                // It may have been pushed by a run that its scan stopped.
                Ok(()) => return Outcome::Unchanged,
                refused => refused,
            },
            Ok(false) => {
                gone(run, asset);
                match image::push(run, asset, image).await {
                    Ok(()) => image::judge(run, asset, image).await,
                    failed => failed,
                }
            }
            Err(failed) => Err(failed),
        },
        (AssetAction::Nothing, Asset::Package(package)) => match package::is_there(run, asset, package).await {
            Ok(true) => return Outcome::Unchanged,
            Ok(false) => {
                gone(run, asset);
                package::upload(run, asset, package).await
            }
            Err(failed) => Err(failed),
        },
        (AssetAction::Upload | AssetAction::UploadIfMissing, Asset::Package(package)) => {
            package::upload(run, asset, package).await
        }
        (AssetAction::Upload | AssetAction::UploadIfMissing, Asset::Image(image)) => {
            match image::push(run, asset, image).await {
                Ok(()) => image::judge(run, asset, image).await,
                failed => failed,
            }
        }
        (AssetAction::Upload | AssetAction::UploadIfMissing, Asset::Site(site)) => site::upload(run, asset, site).await,
        (AssetAction::Remove, Asset::Site(_)) => site::remove(run, asset).await,
        (AssetAction::Remove, Asset::Image(_) | Asset::Package(_)) => {
            Err(damaged(&format!("it removes {}", asset.id), []))
        }
    };
    result.map_or_else(Outcome::from, done)
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

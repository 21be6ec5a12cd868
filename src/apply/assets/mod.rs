//! What goes up beside the stacks, each as soon as its repository or bucket is there, and before the stacks that need it are
//! touched. One that fails fails by itself: stacks that need it are skipped, and nothing of them is changed.

mod image;
mod moving;
mod site;

pub use moving::teller;

use super::context::Run;
use super::outcome::{AssetOutcome, Outcome, RootCause};
use super::scheduler::Job;
use super::stop::{Result, Stop};
use crate::plan::{Asset, AssetAction, AssetStep, Plan, StackStep, new_images};
use std::collections::BTreeMap;

/// The jobs of the assets. They are done when their repository or bucket is, and weigh next to nothing beside stacks.
pub(super) fn jobs(plan: &Plan) -> impl Iterator<Item = Job> {
    plan.assets.iter().map(|asset| Job {
        name: asset.id.clone(),
        waits_on: asset.waits_on.iter().cloned().collect(),
        weight: 1,
    })
}

/// Brings it where it should be. What is there already is not asked for again.
pub(super) async fn carry_out(run: &Run<'_>, asset: &AssetStep) -> Outcome {
    let done = |()| Outcome::Done { outputs: BTreeMap::new() };
    let result: Result<()> = match (asset.action, &asset.asset) {
        (AssetAction::Nothing, Asset::Site(_)) => return Outcome::Unchanged,
        // It may have been pushed by a run that its scan stopped.
        (AssetAction::Nothing, Asset::Image(image)) => match image::judge(run, asset, image).await {
            Ok(()) => return Outcome::Unchanged,
            refused => refused,
        },
        (AssetAction::Upload | AssetAction::UploadIfMissing, Asset::Image(image)) => {
            match image::push(run, asset, image).await {
                Ok(()) => image::judge(run, asset, image).await,
                failed => failed,
            }
        }
        (AssetAction::Upload | AssetAction::UploadIfMissing, Asset::Site(site)) => site::upload(run, asset, site).await,
        (AssetAction::Remove, Asset::Site(_)) => site::remove(run, asset).await,
        (AssetAction::Remove, Asset::Image(_)) => Err(damaged("it removes an image", [])),
    };
    result.map_or_else(Outcome::from, done)
}

/// Whether the plan has all images that the step brings to its stack.
///
/// # Errors
/// It was made by an older version, or changed since: nobody would push them.
pub(super) fn complete(plan: &Plan, step: &StackStep) -> Result<()> {
    let pushed = |name: &str, digest: &Option<String>| {
        let images = plan.assets.iter().filter(|asset| asset.name == name).filter_map(AssetStep::image);
        images.into_iter().any(|image| image.after == *digest)
    };
    match new_images(step).find(|image| !pushed(&image.name, &image.digest)) {
        None => Ok(()),
        Some(image) => Err(damaged(
            &format!("it does not say how image {} gets to its repository", image.name),
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

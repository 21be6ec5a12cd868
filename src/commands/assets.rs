//! What a plan's assets come to once account and disk have been asked: which images and packages are there already, which
//! files of sites differ.

use super::session::Account;
use crate::aws::PackageObject;
use crate::error::{Error, Kind, Result};
use crate::image::registry::Reference;
use crate::model::{BUCKET_NAME, Deployed, Environment, REPOSITORY_URI, SiteRecord, State};
use crate::plan::{Action, Asset, AssetAction, AssetStep, Plan, SiteAsset, StackStep, site_id};
use crate::problem::{Located, Problem};
use crate::site::{self, File};
use futures::future::join_all;
use std::collections::BTreeMap;
use std::path::Path;

/// Asks the repositories and buckets that exist which of the plan's images and packages they have. One that cannot be asked is no reason to stop:
/// the push finds out.
pub async fn settle(plan: &mut Plan, account: &Account, deployed: &BTreeMap<String, Deployed>) {
    let open = plan.assets.iter_mut().filter(|asset| asset.action == AssetAction::UploadIfMissing);
    join_all(open.map(|asset| async {
        if let Some(there) = is_there(asset, account, deployed).await {
            asset.action = if there { AssetAction::Nothing } else { AssetAction::Upload };
        }
    }))
    .await;
}

async fn is_there(asset: &AssetStep, account: &Account, deployed: &BTreeMap<String, Deployed>) -> Option<bool> {
    if let Some(package) = asset.package() {
        let made = || deployed.get(&asset.stack)?.outputs.get(BUCKET_NAME).cloned();
        let bucket = package.bucket.clone().or_else(made)?;
        let found = account.aws.package_bucket(&asset.target, &bucket).find(package.key.as_deref()?).await;
        // Other content under its name is found out by an upload: it writes over nothing, and says what is there.
        let is_it = |found: &PackageObject| match (&found.sha256, &package.after) {
            (Some(hex), Some(digest)) => format!("sha256:{hex}") == *digest,
            _ => package.size_bytes.is_none_or(|bytes| bytes == found.bytes),
        };
        return found.ok().map(|found| found.as_ref().is_some_and(is_it));
    }
    let digest = asset.image()?.after.as_deref()?;
    let uri = deployed.get(&asset.stack)?.outputs.get(REPOSITORY_URI)?;
    let repository = uri.parse::<Reference>().ok()?.repository;
    account.aws.ecr(&asset.target).has_image(&repository, digest).await.ok()
}

/// How what a bucket holds is known.
#[derive(Clone, Copy)]
pub enum Buckets<'a> {
    Asked(&'a Account),
    /// Only that it was filled, and with what.
    Remembered,
}

/// Adds the files of the stacks that have some, where they differ from what the buckets hold.
pub async fn sites(
    plan: &mut Plan,
    environment: &Environment,
    project: &Path,
    state: Option<&State>,
    deployed: &BTreeMap<String, Deployed>,
    buckets: Buckets<'_>,
) -> Result<()> {
    for (name, spec) in &environment.stacks {
        let (Some(folder), Some(step)) = (&spec.files, plan.step(name)) else { continue };
        let files = scan(project, folder)?;
        let record = state.and_then(|state| state.stacks.get(name)?.site.as_ref());
        let bucket = match step.action {
            Action::Create | Action::Recreate => None,
            _ => deployed.get(name).and_then(|stack| stack.outputs.get(BUCKET_NAME)),
        };
        let found = match (bucket, buckets) {
            (None, _) => differing(folder, &files, &site::plan(&files, &[], ""), None),
            (Some(bucket), Buckets::Asked(account)) => {
                let objects = match account.aws.site_bucket(&step.target, bucket).list("").await {
                    Ok(objects) => Some(objects),
                    // Whoever may only plan need not be allowed to look into buckets.
                    Err(error) if error.kind == Kind::AccessDenied => None,
                    Err(error) => return Err(error.into()),
                };
                match objects {
                    Some(objects) => differing(folder, &files, &site::plan(&files, &objects, ""), record),
                    None => remembered(folder, &files, record),
                }
            }
            (Some(_), Buckets::Remembered) => remembered(folder, &files, record),
        };
        if let Some((asset, action)) = found {
            let asset = step_of(step, asset, action);
            plan.assets.push(asset);
        }
    }
    Ok(())
}

/// The files of a site; what is wrong with its folder is said at its place.
fn scan(project: &Path, folder: &Located<String>) -> Result<Vec<File>> {
    site::scan(project, &folder.value).map_err(|error| site_problem(error, folder).into())
}

fn site_problem(error: Error, folder: &Located<String>) -> Error {
    let mut problem = Problem::error("wrong-files", error.message, Some(folder.at.clone()));
    problem.help = error.hints.into_iter().next();
    Error::problems(vec![problem])
}

/// What is wrong with the folders of the environment's sites. One that is not there yet may be what a build has still to make.
pub fn site_problems(project: &Path, environment: &Environment) -> Vec<Problem> {
    let judged = |folder: &&Located<String>| project.join(&folder.value).exists() || site::leads_out(&folder.value);
    let folders = environment.stacks.values().filter_map(|spec| spec.files.as_ref()).filter(judged);
    let wrong =
        |folder: &Located<String>| site::scan(project, &folder.value).err().map(|error| site_problem(error, folder));
    folders.filter_map(wrong).flat_map(|error| error.problems).collect()
}

type Found = Option<(SiteAsset, AssetAction)>;

/// None where the bucket has all of it and nothing else.
fn differing(folder: &Located<String>, files: &[File], plan: &site::Plan, record: Option<&SiteRecord>) -> Found {
    let doubtful = record.is_some_and(|site| site.unfinished);
    (!plan.is_empty() || doubtful).then(|| (uploaded(folder, files, plan, doubtful), AssetAction::Upload))
}

/// None where what went up last was the same.
fn remembered(folder: &Located<String>, files: &[File], record: Option<&SiteRecord>) -> Found {
    let digest = site::digest(files);
    let same = record.is_some_and(|site| site.digest == digest && !site.unfinished);
    let asset = SiteAsset { folder: folder.value.clone(), digest, ..SiteAsset::default() };
    (!same).then_some((asset, AssetAction::UploadIfMissing))
}

fn uploaded(folder: &Located<String>, files: &[File], plan: &site::Plan, doubtful: bool) -> SiteAsset {
    let (change, add): (Vec<_>, Vec<_>) = plan.upload.iter().partition(|change| change.replaces.is_some());
    let names = |changes: Vec<&site::Change>| changes.into_iter().map(|change| change.key.clone()).collect();
    SiteAsset {
        folder: folder.value.clone(),
        digest: site::digest(files),
        add: names(add),
        change: names(change),
        remove: plan.remove.clone(),
        unchanged: plan.unchanged,
        size_bytes: plan.bytes(),
        invalidate: if doubtful { vec!["/*".to_owned()] } else { plan.invalidate.clone() },
    }
}

fn step_of(step: &StackStep, asset: SiteAsset, action: AssetAction) -> AssetStep {
    AssetStep {
        id: site_id(&step.stack),
        name: step.stack.clone(),
        asset: Asset::Site(asset),
        action,
        stack: step.stack.clone(),
        target: step.target.clone(),
        waits_on: vec![step.stack.clone()],
        needed_by: Vec::new(),
    }
}

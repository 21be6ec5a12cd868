//! What goes up beside stacks: images to their repositories, code of functions and files of a site to their buckets. Plain
//! data, derived from steps.

use super::document::{Action, Removal, StackStep, Value};
use crate::model::{
    LocalImageUse, MadeFrom, PackagePlace, PackagePromotion, PackageUse, Parameter, Promotion, State, Target,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something that is neither a stack nor a resource, and is brought to where a stack makes room for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssetStep {
    /// `image api`, `files of site`: the only one of its name in the plan, and no stack's name.
    pub id: String,
    /// As the environment names it.
    pub name: String,
    #[serde(flatten)]
    pub asset: Asset,
    pub action: AssetAction,
    /// The stack that makes the repository or bucket; empty for the bucket that the state lies in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stack: String,
    /// Where that is.
    pub target: Target,
    /// Stacks that come first.
    pub waits_on: Vec<String>,
    /// Stacks of this plan that come after it, and not at all if it fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needed_by: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssetAction {
    /// It is there already.
    Nothing,
    Upload,
    /// Whether it is there could not be asked. What is there is not sent again.
    UploadIfMissing,
    /// It goes, so that its bucket can be deleted.
    Remove,
    /// Nobody looks whether it is there: a rehearsal. No plan that is shown or saved has it.
    Assumed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Asset {
    Image(ImageAsset),
    Package(PackageAsset),
    Site(SiteAsset),
}

/// An image for a repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageAsset {
    /// `sha256:…` of the image that the stacks have now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// `sha256:…` of the image that they get; none while it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Of its blobs, compressed as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Commits to its sources since the one that runs was made, where both are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commits: Option<u64>,
    /// What it runs on, where that is more than one platform.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    #[serde(flatten)]
    pub made_from: MadeFrom,
    /// Another environment runs it: it is copied from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Promotion>,
}

/// A function's code for a bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PackageAsset {
    /// `sha256:…` of the archive that the stacks have now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// `sha256:…` of the archive that they get; none while it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Of the archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Commits to its folder since the one that runs was made, where both are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commits: Option<u64>,
    #[serde(flatten)]
    pub made_from: MadeFrom,
    /// None while the stack that makes it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Another environment runs it: it is copied from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PackagePromotion>,
}

/// The files of a folder for a bucket.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SiteAsset {
    /// Relative to the project; empty where the files go.
    pub folder: String,
    /// `sha256:…` of the files' names and contents.
    pub digest: String,
    /// Names of files that are new.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub change: Vec<String>,
    /// Names of objects that are no longer in the folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
    pub unchanged: usize,
    /// Of the files that go up.
    pub size_bytes: u64,
    /// What the CDN is told to forget.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invalidate: Vec<String>,
}

/// Of the files of a stack's site.
pub fn site_id(stack: &str) -> String {
    format!("files of {stack}")
}

impl AssetStep {
    pub fn image(&self) -> Option<&ImageAsset> {
        match &self.asset {
            Asset::Image(image) => Some(image),
            Asset::Package(_) | Asset::Site(_) => None,
        }
    }

    pub fn package(&self) -> Option<&PackageAsset> {
        match &self.asset {
            Asset::Package(package) => Some(package),
            Asset::Image(_) | Asset::Site(_) => None,
        }
    }

    pub fn site(&self) -> Option<&SiteAsset> {
        match &self.asset {
            Asset::Site(site) => Some(site),
            Asset::Image(_) | Asset::Package(_) => None,
        }
    }
}

/// The images that these steps bring to their stacks, each once. One that stays was pushed when it came.
pub(super) fn images(steps: &[StackStep]) -> Vec<AssetStep> {
    let mut assets: Vec<AssetStep> = Vec::new();
    for step in steps.iter().filter(|step| works(step)) {
        for image in new_images(step) {
            let same = |asset: &&mut AssetStep| {
                asset.name == image.name && asset.image().is_some_and(|known| known.after == image.digest)
            };
            match assets.iter_mut().find(same) {
                Some(asset) => asset.needed_by.push(step.stack.clone()),
                None => {
                    let other = assets.iter().any(|asset| asset.name == image.name);
                    assets.push(of_image(image, step, steps, other));
                }
            }
        }
    }
    assets
}

/// The packages that these steps bring to their stacks, each once.
pub(super) fn packages(steps: &[StackStep]) -> Vec<AssetStep> {
    let mut assets: Vec<AssetStep> = Vec::new();
    for step in steps.iter().filter(|step| works(step)) {
        for package in new_packages(step) {
            let same = |asset: &&mut AssetStep| {
                asset.name == package.name && asset.package().is_some_and(|known| known.after == package.digest)
            };
            match assets.iter_mut().find(same) {
                Some(asset) if asset.needed_by.contains(&step.stack) => {}
                Some(asset) => asset.needed_by.push(step.stack.clone()),
                None => {
                    let other = assets.iter().any(|asset| asset.name == package.name);
                    assets.push(of_package(package, step, steps, other));
                }
            }
        }
    }
    assets
}

/// The files that stand in the way of stacks that go: CloudFormation deletes no bucket that holds anything.
pub(super) fn leftovers(steps: &[StackStep], records: Option<&State>) -> Vec<AssetStep> {
    let all = || records.into_iter().flat_map(|state| state.stacks.values());
    let holds_packages = |stack: &str| {
        all().flat_map(|record| record.packages.values()).any(|package| package.stack.as_deref() == Some(stack))
    };
    let filled = |step: &&StackStep| {
        let record = records.and_then(|state| state.stacks.get(&step.stack));
        let holds = record.is_some_and(|record| record.site.is_some()) || holds_packages(&step.stack);
        holds && emptied(step).next().is_some()
    };
    let leftover = |step: &StackStep| {
        let record = records.and_then(|state| state.stacks.get(&step.stack)?.site.as_ref());
        let site =
            SiteAsset { digest: record.map(|site| site.digest.clone()).unwrap_or_default(), ..SiteAsset::default() };
        AssetStep {
            id: site_id(&step.stack),
            name: step.stack.clone(),
            asset: Asset::Site(site),
            action: AssetAction::Remove,
            stack: step.stack.clone(),
            target: step.target.clone(),
            waits_on: step.waits_on.clone(),
            needed_by: vec![step.stack.clone()],
        }
    };
    steps.iter().filter(filled).map(leftover).collect()
}

/// The buckets of the stack that are deleted with it, by their logical ids.
pub fn emptied(step: &StackStep) -> impl Iterator<Item = &str> {
    let gone = step.changes.iter().filter(|_| step.action == Action::Delete);
    let deleted = gone.filter(|change| change.removal == Some(Removal::Delete));
    deleted.filter(|change| change.resource_type == "AWS::S3::Bucket").map(|change| change.logical_id.as_str())
}

/// The images that the step brings to its stack.
pub fn new_images(step: &StackStep) -> impl Iterator<Item = &LocalImageUse> {
    let parameters = step.wanted.iter().flat_map(|stack| stack.parameters.values());
    let local = parameters.filter_map(|parameter| match parameter {
        Parameter::LocalImage(image) => Some(image),
        _ => None,
    });
    local.filter(|image| works(step) && step.images.contains_key(&image.name))
}

/// The packages that the step brings to its stack: one of several parameters may name each.
pub fn new_packages(step: &StackStep) -> impl Iterator<Item = &PackageUse> {
    let parameters = step.wanted.iter().flat_map(|stack| stack.parameters.values());
    let packages = parameters.filter_map(|parameter| match parameter {
        Parameter::Package(package) => Some(package),
        _ => None,
    });
    packages.filter(|package| works(step) && step.packages.contains_key(&package.name))
}

fn works(step: &StackStep) -> bool {
    matches!(step.action, Action::Create | Action::Update | Action::Recreate)
}

/// `other`: another image of this name is on its way too, for a rollback may bring back an older one for a single stack.
fn of_image(image: &LocalImageUse, user: &StackStep, steps: &[StackStep], other: bool) -> AssetStep {
    let repository = steps.iter().find(|step| step.stack == image.repository);
    let new = repository.is_some_and(|step| matches!(step.action, Action::Create | Action::Recreate));
    let digest = image.digest.as_deref().unwrap_or_default();
    let asset = ImageAsset {
        before: user.images.get(&image.name).and_then(|change| digest_of(&change.before)),
        after: image.digest.clone(),
        size_bytes: image.size_bytes,
        commits: user.image_commits.get(&image.name).copied(),
        platforms: image.platforms.clone(),
        made_from: image.made_from.clone(),
        from: image.from.clone(),
    };
    AssetStep {
        id: if other { format!("image {}@{digest}", image.name) } else { format!("image {}", image.name) },
        name: image.name.clone(),
        asset: Asset::Image(asset),
        action: if new { AssetAction::Upload } else { AssetAction::UploadIfMissing },
        stack: image.repository.clone(),
        target: repository.map_or(&user.target, |step| &step.target).clone(),
        waits_on: repository.map(|step| step.stack.clone()).into_iter().collect(),
        needed_by: vec![user.stack.clone()],
    }
}

/// `other`: as for images.
fn of_package(package: &PackageUse, user: &StackStep, steps: &[StackStep], other: bool) -> AssetStep {
    let maker = package.place.stack().and_then(|stack| steps.iter().find(|step| step.stack == stack));
    let new = maker.is_some_and(|step| matches!(step.action, Action::Create | Action::Recreate));
    let digest = package.digest.as_deref().unwrap_or_default();
    let known = |value: &Value| match value {
        Value::Known(serde_json::Value::String(digest)) => Some(digest.clone()),
        _ => None,
    };
    let asset = PackageAsset {
        before: user.packages.get(&package.name).and_then(|change| known(&change.before)),
        after: package.digest.clone(),
        size_bytes: package.size_bytes,
        commits: None,
        made_from: package.made_from.clone(),
        bucket: package.bucket(|_, _| None),
        key: package.key(),
        from: package.from.clone(),
    };
    let target = match &package.place {
        PackagePlace::Bucket { target, .. } => target,
        PackagePlace::Stack(_) => maker.map_or(&user.target, |step| &step.target),
    };
    AssetStep {
        id: if other { format!("package {}@{digest}", package.name) } else { format!("package {}", package.name) },
        name: package.name.clone(),
        asset: Asset::Package(asset),
        action: if new { AssetAction::Upload } else { AssetAction::UploadIfMissing },
        stack: package.place.stack().unwrap_or_default().to_owned(),
        target: target.clone(),
        waits_on: maker.map(|step| step.stack.clone()).into_iter().collect(),
        needed_by: vec![user.stack.clone()],
    }
}

/// The digest that a reference ends with.
fn digest_of(value: &Value) -> Option<String> {
    let Value::Known(serde_json::Value::String(reference)) = value else { return None };
    reference.rsplit_once('@').map(|(_, digest)| digest.to_owned())
}

/// Which assets each stack comes after.
pub fn before(assets: &[AssetStep]) -> BTreeMap<&str, Vec<&str>> {
    let mut before: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for asset in assets {
        for stack in &asset.needed_by {
            before.entry(stack).or_default().push(&asset.id);
        }
    }
    before
}

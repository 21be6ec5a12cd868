//! What a plan's assets come to once account and disk have been asked: which images are there already.

use super::session::Account;
use crate::image::registry::Reference;
use crate::model::{Deployed, REPOSITORY_URI};
use crate::plan::{AssetAction, AssetStep, Plan};
use futures::future::join_all;
use std::collections::BTreeMap;

/// Asks the repositories that exist which of the plan's images they have. One that cannot be asked is no reason to stop:
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
    let digest = asset.image()?.after.as_deref()?;
    let uri = deployed.get(&asset.stack)?.outputs.get(REPOSITORY_URI)?;
    let repository = uri.parse::<Reference>().ok()?.repository;
    account.aws.ecr(&asset.target).has_image(&repository, digest).await.ok()
}

//! The files of a folder on their way into the bucket that a stack makes, and out of it before the stack goes.

use super::failed;
use crate::apply::context::Run;
use crate::apply::event::{EventKind, send};
use crate::apply::record;
use crate::apply::stop::Result;
use crate::model::{BUCKET_NAME, DISTRIBUTION_ID, SiteRecord};
use crate::plan::{AssetAction, AssetStep, SiteAsset, emptied};
use crate::site::{self, Applied, Progress, Tell};
use std::sync::Arc;

/// What the CDN forgets where nobody knows what it holds.
const EVERYTHING: &str = "/*";

/// Makes the bucket hold what the folder holds, and the CDN forget what changed.
pub(super) async fn upload(run: &Run<'_>, asset: &AssetStep, planned: &SiteAsset) -> Result<()> {
    run.may_begin()?;
    let Some(name) = run.output(&asset.stack, BUCKET_NAME) else {
        let message = format!("stack `{}` has no output {BUCKET_NAME}: nobody knows where to", asset.stack);
        return Err(failed(message, []));
    };
    let (project, folder) = (run.context.project.to_path_buf(), planned.folder.clone());
    let files = tokio::task::spawn_blocking(move || site::scan(&project, &folder))
        .await
        .map_err(|error| failed(format!("the files of {} could not be read: {error}", planned.folder), []))??;
    if site::digest(&files) != planned.digest {
        return Err(failed(
            format!("the files of {} are others than when the plan was made; nothing was uploaded", planned.folder),
            [format!("plan again: infra plan --env {}", run.plan.environment)],
        ));
    }
    let bucket = run.context.aws.site_bucket(&asset.target, &name);
    let plan = site::plan(&files, &bucket.list("").await?, "");
    let shown = asset.action == AssetAction::Upload;
    if let Some(unseen) = plan.remove.iter().find(|key| shown && !planned.remove.contains(key)) {
        return Err(failed(
            format!("`{unseen}` came into s3://{name} since the plan was made; nothing was uploaded or removed"),
            [format!("plan again: infra plan --env {}", run.plan.environment)],
        ));
    }
    let before = run.record(&asset.stack).and_then(|record| record.site);
    let doubtful = before.as_ref().is_some_and(|site| site.unfinished);
    let mut applied = Applied::default();
    if !plan.is_empty() || doubtful {
        // Should the run die before the CDN is told, the next one must tell it.
        remember(run, asset, planned, files.len(), true, before.as_ref()).await?;
        let distribution = run.output(&asset.stack, DISTRIBUTION_ID);
        let cloudfront = run.context.aws.cloudfront(&asset.target);
        let cdn = distribution.as_deref().map(|distribution| (&cloudfront, distribution));
        let always = if doubtful { vec![EVERYTHING.to_owned()] } else { Vec::new() };
        run.may_write()?;
        applied = site::apply(&plan, &bucket, cdn, &always, &silent()).await?;
    }
    remember(run, asset, planned, files.len(), false, before.as_ref()).await?;
    let Applied { uploaded, uploaded_bytes, removed, invalidation } = applied;
    let done = EventKind::SiteUploaded {
        site: asset.name.clone(),
        bucket: name,
        uploaded,
        uploaded_bytes,
        removed,
        invalidation,
    };
    send(run.context.events, None, done);
    Ok(())
}

async fn remember(
    run: &Run<'_>,
    asset: &AssetStep,
    planned: &SiteAsset,
    files: usize,
    unfinished: bool,
    before: Option<&SiteRecord>,
) -> Result<()> {
    let known = |site: &SiteRecord| site.digest == planned.digest && site.unfinished == unfinished;
    if before.is_some_and(known) {
        return Ok(());
    }
    run.may_write()?;
    record::site(run, &asset.stack, &planned.digest, files, unfinished).await
}

/// Empties the buckets that CloudFormation could not delete otherwise: those of the stack that the plan says are deleted.
pub(super) async fn remove(run: &Run<'_>, asset: &AssetStep) -> Result<()> {
    run.may_begin()?;
    let Some(step) = run.plan.step(&asset.stack) else { return Ok(()) };
    let deleted: Vec<&str> = emptied(step).collect();
    for resource in run.cloudformation(step).resources(&step.stack_name).await? {
        let Some(name) = resource.physical_id.filter(|_| deleted.contains(&resource.logical_id.as_str())) else {
            continue;
        };
        run.may_write()?;
        let removed = run.context.aws.site_bucket(&asset.target, &name).empty().await?;
        let message = format!("{}: {removed} objects and old versions of s3://{name} deleted", asset.id);
        send(run.context.events, None, EventKind::Note { message });
    }
    Ok(())
}

fn silent() -> Tell {
    Arc::new(|_: Progress| {})
}

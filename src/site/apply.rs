//! Carrying out a plan: files up, a few at a time; then pages; then removals; then the CDN's memory.

use super::content::is_page;
use super::plan::{Change, Plan};
use crate::aws::{CloudFront, SiteBucket};
use crate::error::{Error, Kind};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;
use std::sync::Arc;

/// Files that go up at the same time.
const PARALLEL_FILES: usize = 8;

/// Hears of each file; must be quick.
pub type Tell = Arc<dyn Fn(Progress) + Send + Sync>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    Uploaded {
        key: String,
        bytes: u64,
    },
    Removed {
        keys: usize,
    },
    /// The CDN was told; it takes a minute or so.
    Invalidating {
        id: String,
        paths: usize,
    },
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Applied {
    pub uploaded: usize,
    pub uploaded_bytes: u64,
    pub removed: usize,
    /// None where the CDN has nothing to forget, or there is none.
    pub invalidation: Option<String>,
}

/// Does what the plan says. What is done stays done if it breaks: the next plan has the rest.
///
/// A run that dies between a change and the CDN being told would leave old pages in its caches, so `invalidate_always`
/// are told too (after a failure: `/*`).
///
/// # Errors
/// S3 or CloudFront says no; a key is outside of the plan's prefix, and nothing was done then.
pub async fn apply(
    plan: &Plan,
    bucket: &SiteBucket,
    cdn: Option<(&CloudFront, &str)>,
    invalidate_always: &[String],
    tell: &Tell,
) -> Result<Applied, Error> {
    let keys = plan.upload.iter().map(|change| &change.key).chain(&plan.remove);
    if let Some(outside) = keys.into_iter().find(|key| !key.starts_with(&plan.prefix)) {
        return Err(Error::new(
            Kind::Other,
            format!("`{outside}` lies outside of `{}`; nothing was done", plan.prefix),
        ));
    }
    let (pages, rest): (Vec<&Change>, Vec<&Change>) = plan.upload.iter().partition(|change| is_page(&change.key));
    for some in [rest, pages] {
        let uploads = some.into_iter().map(|change| upload(bucket, change, tell));
        stream::iter(uploads).buffer_unordered(PARALLEL_FILES).try_collect::<Vec<()>>().await?;
    }
    if !plan.remove.is_empty() {
        bucket.remove(&plan.remove).await?;
        tell(Progress::Removed { keys: plan.remove.len() });
    }
    let mut paths = plan.invalidate.clone();
    paths.extend(invalidate_always.iter().filter(|path| !plan.invalidate.contains(path)).cloned());
    let invalidation = match cdn {
        Some((cloudfront, distribution)) if !paths.is_empty() => {
            let id = cloudfront.invalidate(distribution, &paths).await?;
            tell(Progress::Invalidating { id: id.clone(), paths: paths.len() });
            Some(id)
        }
        _ => None,
    };
    Ok(Applied { uploaded: plan.upload.len(), uploaded_bytes: plan.bytes(), removed: plan.remove.len(), invalidation })
}

async fn upload(bucket: &SiteBucket, change: &Change, tell: &Tell) -> Result<(), Error> {
    bucket.put(&change.key, &change.file.path, change.content_type, change.cache_control).await?;
    tell(Progress::Uploaded { key: change.key.clone(), bytes: change.file.bytes });
    Ok(())
}

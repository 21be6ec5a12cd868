//! What a repository holds, and who uses it: environments by their states, tasks by what runs.
//!
//! Reads only. An image is in use if its own digest is named, if it is part of an index that is in use, or if a part of it
//! is (ECS tells the digest of the platform's own manifest).

use super::Digest;
use super::model::{Index, media_type};
use crate::aws::{Aws, EcrImage};
use crate::error::Error;
use crate::model::{Environment, State, Target};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Indexes that are read at the same time.
const READERS: usize = 8;

type Result<T> = std::result::Result<T, Error>;

/// Who uses an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Use {
    /// The last apply of this environment named it, for this stack.
    Environment { name: String, stack: String },
    /// It runs in tasks of this cluster.
    Tasks { cluster: String },
}

impl std::fmt::Display for Use {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Use::Environment { name, .. } => f.write_str(name),
            Use::Tasks { cluster } => write!(f, "tasks of {cluster}"),
        }
    }
}

/// Digests in use. Repositories do not matter: the same image has the same digest wherever it was copied to.
pub type Uses = BTreeMap<Digest, BTreeSet<Use>>;

/// An image of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    pub digest: Digest,
    pub tags: Vec<String>,
    pub size_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed_at: Option<Timestamp>,
    pub used_by: BTreeSet<Use>,
    /// The manifests that it is an index of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Digest>,
    /// It belongs to an index of the repository.
    pub is_part: bool,
}

/// The images of a repository, the newest first.
pub async fn list(aws: &Aws, target: &Target, repository: &str, uses: &Uses) -> Result<Vec<Listed>> {
    let ecr = aws.ecr(target);
    let images = ecr.images(repository).await?;
    let indexes = images.iter().filter(|image| image.media_type.as_deref().is_some_and(media_type::is_index));
    let reads = indexes.map(|image| {
        let (ecr, digest) = (ecr.clone(), image.digest.clone());
        async move {
            let manifest = ecr.manifest(repository, &digest).await?;
            Ok::<_, Error>((digest, manifest.as_deref().map(parts).unwrap_or_default()))
        }
    });
    let parts: BTreeMap<String, Vec<Digest>> = stream::iter(reads).buffer_unordered(READERS).try_collect().await?;
    Ok(join(&images, &parts, uses))
}

/// What an index consists of; nothing if it cannot be read.
fn parts(index: &str) -> Vec<Digest> {
    let index: Option<Index> = serde_json::from_str(index).ok();
    index.map(|index| index.manifests.into_iter().map(|part| part.digest).collect()).unwrap_or_default()
}

fn join(images: &[EcrImage], parts: &BTreeMap<String, Vec<Digest>>, uses: &Uses) -> Vec<Listed> {
    let of = |digest: &Digest| uses.get(digest).into_iter().flatten().cloned();
    let mut listed: Vec<Listed> = images
        .iter()
        .filter_map(|image| {
            let digest: Digest = image.digest.parse().ok()?;
            let parts = parts.get(&image.digest).cloned().unwrap_or_default();
            let used_by = of(&digest).chain(parts.iter().flat_map(of)).collect();
            Some(Listed {
                digest,
                tags: image.tags.clone(),
                size_bytes: image.bytes,
                pushed_at: image.pushed_at,
                used_by,
                parts,
                is_part: false,
            })
        })
        .collect();
    let wholes: Vec<(Vec<Digest>, BTreeSet<Use>)> =
        listed.iter().map(|image| (image.parts.clone(), image.used_by.clone())).collect();
    for image in &mut listed {
        for (_, used_by) in wholes.iter().filter(|(parts, _)| parts.contains(&image.digest)) {
            image.is_part = true;
            image.used_by.extend(used_by.iter().cloned());
        }
    }
    listed
}

/// What the states of environments name: images by name, and every parameter that is an image's reference.
pub fn uses_of_state(environment: &str, state: &State) -> Uses {
    let mut uses = Uses::new();
    for (stack, record) in &state.stacks {
        for text in record.images.values().chain(record.parameters.values()) {
            let Some(digest) = text.rsplit_once('@').and_then(|(_, digest)| digest.parse::<Digest>().ok()) else {
                continue;
            };
            let by = Use::Environment { name: environment.to_owned(), stack: stack.clone() };
            uses.entry(digest).or_default().insert(by);
        }
    }
    uses
}

/// Where an environment's tasks run.
pub fn places(environment: &Environment) -> BTreeSet<Target> {
    let home = Target { account: environment.account.clone(), region: environment.region.clone(), role: None };
    environment.stacks.values().map(|stack| stack.target.clone()).chain([home]).collect()
}

/// What runs now in these places.
pub async fn uses_of_tasks(aws: &Aws, places: BTreeSet<Target>) -> Result<Uses> {
    let reads = places.into_iter().map(|target| async move { aws.ecs(&target).running_images().await });
    let running: Vec<_> = stream::iter(reads).buffer_unordered(READERS).try_collect().await?;
    let mut uses = Uses::new();
    for image in running.into_iter().flatten() {
        // A task that names its image by digest may say that of the index, and the container that of its part.
        let named = image.reference.rsplit_once('@').and_then(|(_, digest)| digest.parse::<Digest>().ok());
        let pulled = image.digest.and_then(|digest| digest.parse::<Digest>().ok());
        for digest in named.into_iter().chain(pulled) {
            uses.entry(digest).or_default().insert(Use::Tasks { cluster: image.cluster.clone() });
        }
    }
    Ok(uses)
}

/// Both.
pub fn merge(mut uses: Uses, others: Uses) -> Uses {
    for (digest, by) in others {
        uses.entry(digest).or_default().extend(by);
    }
    uses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(digest: Digest) -> EcrImage {
        EcrImage { digest: digest.to_string(), tags: Vec::new(), pushed_at: None, bytes: 1, media_type: None }
    }

    #[test]
    fn a_part_in_use_keeps_the_whole_and_the_whole_its_parts() {
        let [whole, amd64, arm64, other] = ["whole", "amd64", "arm64", "other"].map(Digest::of);
        let by = Use::Tasks { cluster: "shop".to_owned() };
        let parts = BTreeMap::from([(whole.to_string(), vec![amd64, arm64])]);
        let uses = Uses::from([(arm64, BTreeSet::from([by.clone()]))]);
        let listed = join(&[whole, amd64, arm64, other].map(image), &parts, &uses);
        let facts: Vec<(usize, bool)> = listed.iter().map(|image| (image.used_by.len(), image.is_part)).collect();
        assert_eq!(facts, [(1, false), (1, true), (1, true), (0, false)]);
        assert!(listed[1].used_by.contains(&by), "the part of another platform is needed for the next task");
    }

    #[test]
    fn a_state_names_images_by_name_and_as_parameters() {
        let (one, two) = (Digest::of("one"), Digest::of("two"));
        let state: State = serde_json::from_value(serde_json::json!({
            "format_version": 1, "lineage": "l", "serial": 1, "project": "shop", "environment": "dev",
            "written": {"at": "2026-01-01T00:00:00Z", "by": "a", "host": "h", "version": "1", "operation": "apply"},
            "stacks": {"api": {
                "stack_name": "shop-dev-api", "target": {"account": "1", "region": "r"},
                "fingerprint": {"stack_id": "i", "changed_at": "2026-01-01T00:00:00Z", "status": "CREATE_COMPLETE"},
                "template_name": "t", "template_digest": "d", "outputs": {}, "tags": {}, "waits_on": [],
                "images": {"api": format!("r.test/api@{one}")},
                "parameters": {"Sidecar": format!("r.test/proxy@{two}"), "Mail": "a@example.com"},
                "applied": {"at": "2026-01-01T00:00:00Z", "by": "a", "host": "h", "version": "1", "operation": "apply"}
            }}
        }))
        .unwrap();
        let uses = uses_of_state("dev", &state);
        assert_eq!(uses.keys().copied().collect::<BTreeSet<_>>(), BTreeSet::from([one, two]));
        let by = Use::Environment { name: "dev".to_owned(), stack: "api".to_owned() };
        assert_eq!(uses[&one], BTreeSet::from([by]));
    }
}

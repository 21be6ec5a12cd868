//! From a layout, or from another registry, to a repository: blobs first, then manifests, children before their index,
//! tags last. An image that is half there is never visible.
//!
//! Nothing is moved twice: what the repository has stays, what a neighbour has is mounted, and where the image's own
//! manifest is there already nothing is looked at at all.

mod blobs;
mod progress;
mod source;

pub use progress::{Progress, Pushed, Tell, silent};
pub use source::Source;

use super::model::media_type;
use super::registry::{Repository, Stored, refusal};
use super::{Descriptor, Digest, Index, Manifest};
use crate::error::{Error, Kind};
use blobs::Blobs;
use std::collections::BTreeSet;

/// Blobs that are moved at the same time.
const PARALLEL_BLOBS: usize = 4;
/// Indexes in indexes in … more than anybody makes.
const MAX_DEPTH: usize = 4;

type Result<T> = std::result::Result<T, Error>;

/// Where an image goes.
#[derive(Debug, Clone)]
pub struct Destination {
    pub repository: Repository,
    /// Labels for people and for lifecycle rules: nothing in `infra` takes an image by its tag.
    pub tags: Vec<String>,
    /// The repository refuses to move a tag to another image.
    pub immutable_tags: bool,
    /// Repositories of the same registry that may have some of the layers.
    pub mount_from: Vec<String>,
}

/// Makes the destination have the image of this digest, under its tags.
///
/// # Errors
/// A tag that may not move is another image's: found out before anything is moved. The source is damaged; the registry
/// says no, or does not keep what it is given.
pub async fn push(source: &Source, digest: &Digest, to: &Destination, tell: &Tell) -> Result<Pushed> {
    let tags = missing_tags(digest, to).await?;
    let mut pushed = Pushed::new(*digest);
    let top = source.manifest(digest).await?;
    if to.repository.find(&digest.to_string()).await? == Some(*digest) {
        pushed.already_there = true;
    } else {
        let mut tree = Tree::default();
        collect(source, to, top.clone(), &mut tree, 0).await?;
        let blobs = Blobs { source, to, tell };
        blobs.move_all(&tree.blobs, &mut pushed).await?;
        for manifest in &tree.manifests {
            store(&blobs, manifest, &mut pushed).await?;
        }
        check(&to.repository, &top).await?;
    }
    for tag in tags {
        set_tag(&to.repository, &tag, &top).await?;
        pushed.tags.push(tag);
    }
    Ok(pushed)
}

/// The tags that do not name the image yet.
async fn missing_tags(digest: &Digest, to: &Destination) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    for tag in &to.tags {
        match to.repository.find(tag).await? {
            Some(known) if known == *digest => {}
            Some(known) if to.immutable_tags => {
                return Err(tag_is_taken(&to.repository, tag).detail(format!("it names {known}")));
            }
            _ => missing.push(tag.clone()),
        }
    }
    Ok(missing)
}

fn tag_is_taken(repository: &Repository, tag: &str) -> Error {
    Error::new(Kind::Other, format!("the tag `{tag}` of {repository} is another image's, and its tags never move"))
        .hint("choose another tag; the image itself is named by its digest and needs none")
}

async fn set_tag(repository: &Repository, tag: &str, manifest: &Stored) -> Result<()> {
    // ECR's code for a tag that may not be moved.
    let taken = |error: &Error| refusal(error).is_some_and(|refusal| refusal.code == "TAG_INVALID");
    match repository.store(tag, manifest).await {
        Err(error) if taken(&error) => {
            let words = refusal(&error).map(ToString::to_string).unwrap_or_default();
            Err(tag_is_taken(repository, tag).detail(words).caused_by(error))
        }
        result => result,
    }
}

/// All that an image consists of and the destination lacks.
#[derive(Default)]
struct Tree {
    /// Children before what names them.
    manifests: Vec<Stored>,
    /// Each once.
    blobs: Vec<Descriptor>,
    seen: BTreeSet<Digest>,
}

/// Reads manifests down to their blobs. Those that the destination has are complete there and are left out.
async fn collect(source: &Source, to: &Destination, manifest: Stored, tree: &mut Tree, depth: usize) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(Error::new(Kind::Other, format!("the index {} lies too deep in indexes", manifest.digest)));
    }
    match Parts::read(&manifest)? {
        Parts::Index(index) => {
            for child in index.manifests {
                if !tree.seen.insert(child.digest) || to.repository.find(&child.digest.to_string()).await?.is_some() {
                    continue;
                }
                let child = source.manifest(&child.digest).await?;
                Box::pin(collect(source, to, child, tree, depth + 1)).await?;
            }
        }
        Parts::Manifest(image) => {
            for blob in blobs_of(&image) {
                if tree.seen.insert(blob.digest) {
                    tree.blobs.push(blob.clone());
                }
            }
        }
    }
    tree.manifests.push(manifest);
    Ok(())
}

enum Parts {
    Index(Index),
    Manifest(Box<Manifest>),
}

impl Parts {
    fn read(manifest: &Stored) -> Result<Parts> {
        let unreadable = |error: serde_json::Error| {
            Error::new(Kind::Other, format!("{} is no manifest that infra can read", manifest.digest))
                .detail(format!("its media type is {}", manifest.media_type))
                .caused_by(error)
        };
        if media_type::is_index(&manifest.media_type) {
            return serde_json::from_slice(&manifest.bytes).map(Parts::Index).map_err(unreadable);
        }
        serde_json::from_slice(&manifest.bytes).map(|read| Parts::Manifest(Box::new(read))).map_err(unreadable)
    }
}

/// Configuration and layers, but for layers that no registry may hold: those stay where their makers keep them.
fn blobs_of(manifest: &Manifest) -> impl Iterator<Item = &Descriptor> {
    [&manifest.config].into_iter().chain(manifest.layers.iter().filter(|layer| layer.urls.is_empty()))
}

/// Stores a manifest. A registry that misses one of its blobs is given that once more.
async fn store(blobs: &Blobs<'_>, manifest: &Stored, pushed: &mut Pushed) -> Result<()> {
    let repository = &blobs.to.repository;
    let reference = manifest.digest.to_string();
    let misses = |error: &Error| {
        refusal(error).is_some_and(|refusal| matches!(refusal.code.as_str(), "MANIFEST_BLOB_UNKNOWN" | "BLOB_UNKNOWN"))
    };
    match repository.store(&reference, manifest).await {
        Err(error) if misses(&error) => {
            if let Parts::Manifest(image) = Parts::read(manifest)? {
                let again: Vec<Descriptor> = blobs_of(&image).cloned().collect();
                blobs.move_all(&again, pushed).await?;
            }
            repository.store(&reference, manifest).await
        }
        result => result,
    }
}

/// What can be read back is what was meant: the last word on a push.
async fn check(repository: &Repository, manifest: &Stored) -> Result<()> {
    match repository.fetch(&manifest.digest.to_string()).await? {
        Some(found) if found.bytes == manifest.bytes => Ok(()),
        _ => Err(Error::new(Kind::Other, format!("{repository} does not have {} after its push", manifest.digest))
            .detail("it accepted every part of it")
            .hint("look at the registry's storage, then push again")),
    }
}

//! Manifests and tags: read with their digest checked, written byte by byte as they are.

use super::{Ask, Repository, Result};
use crate::aws::Body;
use crate::error::{Error, Kind};
use crate::image::Digest;
use crate::image::model::media_type;
use bytes::Bytes;
use serde::Deserialize;

/// Manifests are small; registries take no more than this (OCI distribution specification, "Pushing manifests").
pub const MAX_MANIFEST_BYTES: usize = 4 * 1024 * 1024;
/// Tags that are asked for at a time.
const TAGS_PER_PAGE: usize = 1000;

/// A manifest or an index as a registry has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub digest: Digest,
    pub media_type: String,
    pub bytes: Bytes,
}

#[derive(Deserialize)]
struct Tags {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Repository {
    /// The digest that a tag or a digest stands for now; none if it is unknown.
    pub async fn find(&self, reference: &str) -> Result<Option<Digest>> {
        let what = format!("look for {self}, {reference}");
        let ask = Ask::new("HEAD", self.url(&format!("manifests/{reference}")), what).header("accept", accepted());
        let answer = self.ask(&ask).await?;
        match answer.status {
            404 => return Ok(None),
            _ if !answer.is_success() => return Err(self.refused(answer, &ask.what).await),
            _ => {}
        }
        match answer.header("docker-content-digest").map(str::parse) {
            Some(Ok(digest)) => Ok(Some(digest)),
            // The header may be missing: then the bytes tell.
            _ => Ok(self.fetch(reference).await?.map(|stored| stored.digest)),
        }
    }

    /// The manifest or index of a tag or a digest; none if it is unknown.
    ///
    /// # Errors
    /// What comes is not of the digest that was asked for.
    pub async fn fetch(&self, reference: &str) -> Result<Option<Stored>> {
        let what = format!("read the manifest {reference} of {self}");
        let ask = Ask::new("GET", self.url(&format!("manifests/{reference}")), &what).header("accept", accepted());
        let answer = self.ask(&ask).await?;
        match answer.status {
            404 => return Ok(None),
            _ if !answer.is_success() => return Err(self.refused(answer, &ask.what).await),
            _ => {}
        }
        let told = answer.header("content-type").unwrap_or_default();
        let told = told.split(';').next().unwrap_or_default().trim().to_owned();
        let bytes = answer.into_bytes(MAX_MANIFEST_BYTES).await.map_err(|error| {
            Error::new(Kind::Unreachable, format!("could not {what}: the answer broke off")).caused_by(error)
        })?;
        let digest = Digest::of(&bytes);
        if reference.starts_with("sha256:") && reference != digest.to_string() {
            return Err(Error::new(Kind::Other, format!("{self} gave another manifest than {reference}"))
                .detail(format!("what came is {digest}"))
                .hint("the registry, or something in front of it, is damaged or dishonest: nothing of it was used"));
        }
        Ok(Some(Stored { digest, media_type: media_type_of(&bytes).unwrap_or(told), bytes }))
    }

    /// Stores a manifest or index under its digest or under a tag.
    ///
    /// # Errors
    /// The registry says no, or says that it stored something else.
    pub async fn store(&self, reference: &str, manifest: &Stored) -> Result<()> {
        let what = format!("store the manifest {} in {self}", manifest.digest.short());
        let bytes = manifest.bytes.clone();
        let body = move || Body::Bytes(bytes.clone());
        let ask = Ask { body: &body, ..Ask::new("PUT", self.url(&format!("manifests/{reference}")), what) };
        let answer = self.insist(&ask.header("content-type", &manifest.media_type)).await?;
        match answer.header("docker-content-digest") {
            Some(told) if told != manifest.digest.to_string() => Err(Error::new(
                Kind::Other,
                format!("{self} stored the manifest {} as something else", manifest.digest),
            )
            .detail(format!("it says that it has {told}"))
            .hint("the registry, or something in front of it, changes what is pushed: do not use it")),
            _ => Ok(()),
        }
    }

    /// All tags; none if there is no such repository.
    pub async fn tags(&self) -> Result<Vec<String>> {
        let mut tags = Vec::new();
        let mut url = Some(self.url(&format!("tags/list?n={TAGS_PER_PAGE}")));
        while let Some(page) = url {
            let ask = Ask::new("GET", page.clone(), format!("list the tags of {self}"));
            let answer = self.ask(&ask).await?;
            match answer.status {
                404 => break,
                _ if !answer.is_success() => return Err(self.refused(answer, &ask.what).await),
                _ => {}
            }
            url = answer.header("link").and_then(next_page).map(|next| super::absolute(&page, &next));
            let unreadable = || Error::new(Kind::Other, format!("{self} gave a list of tags that cannot be read"));
            let body = answer.into_bytes(MAX_MANIFEST_BYTES).await.map_err(|error| unreadable().caused_by(error))?;
            let read: Tags = serde_json::from_slice(&body).map_err(|error| unreadable().caused_by(error))?;
            tags.extend(read.tags.unwrap_or_default());
        }
        Ok(tags)
    }

    /// Removes a manifest with all its tags; one that is not there is removed already.
    pub async fn remove(&self, digest: &Digest) -> Result<()> {
        let what = format!("remove {} from {self}", digest.short());
        let ask = Ask::new("DELETE", self.url(&format!("manifests/{digest}")), what);
        let answer = self.ask(&ask).await?;
        if answer.is_success() || answer.status == 404 {
            return Ok(());
        }
        Err(self.refused(answer, &ask.what).await)
    }
}

fn accepted() -> String {
    media_type::READ.join(", ")
}

/// What a manifest says of itself; older ones may say nothing.
fn media_type_of(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Head {
        media_type: Option<String>,
    }
    serde_json::from_slice::<Head>(bytes).ok()?.media_type
}

/// `</v2/a/tags/list?n=2&last=b>; rel="next"` (RFC 8288).
fn next_page(link: &str) -> Option<String> {
    let (address, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    rest.contains("next").then(|| address.to_owned())
}

//! What a repository of images holds.

mod scan;

pub use scan::{Scan, ScanFinding};

use super::error::{Call, Explain, failure};
use super::{Result, timestamp};
use crate::error::{Error, Kind};
use crate::model::Secret;
use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::{ImageIdentifier, ImageTagMutability};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// BatchDeleteImage takes a hundred images at most.
const IMAGES_PER_CALL: usize = 100;
/// Without these BatchGetImage answers with Docker's oldest form.
const MANIFESTS: [&str; 4] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

#[derive(Clone)]
pub struct Ecr {
    client: Client,
}

/// A repository as far as a push depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcrRepository {
    /// `<account>.dkr.ecr.<region>.amazonaws.com/<name>`, on a stand-in for AWS another host.
    pub uri: String,
    /// No tag can be moved to another image.
    pub immutable_tags: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcrImage {
    /// `sha256:…`
    pub digest: String,
    pub tags: Vec<String>,
    pub pushed_at: Option<Timestamp>,
    pub bytes: u64,
    /// Of the manifest or index.
    pub media_type: Option<String>,
}

impl Ecr {
    pub(super) fn new(client: Client) -> Ecr {
        Ecr { client }
    }

    /// What ECR's registry wants to see for the next twelve hours: `user:password` in Base64, as in a `Basic` header.
    pub async fn token(&self) -> Result<Secret> {
        let call = || Call::new("ecr", "GetAuthorizationToken", "get a token for the registry");
        let answer = self.client.get_authorization_token().send().await.explain(call)?;
        let token = answer.authorization_data.unwrap_or_default().into_iter().find_map(|data| data.authorization_token);
        token.map(Secret).ok_or_else(|| Error::new(Kind::Aws, "ECR answered without a token for its registry"))
    }

    /// The repository's settings; none if there is no such repository.
    pub async fn repository(&self, name: &str) -> Result<Option<EcrRepository>> {
        let call = || Call::new("ecr", "DescribeRepositories", format!("look at repository `{name}`"));
        let answer = match self.client.describe_repositories().repository_names(name).send().await.explain(call) {
            Err(error) if is_not_found(&error) => return Ok(None),
            answer => answer?,
        };
        Ok(answer.repositories.unwrap_or_default().into_iter().next().map(|repository| EcrRepository {
            uri: repository.repository_uri.unwrap_or_default(),
            immutable_tags: repository.image_tag_mutability.is_some_and(|tags| tags == ImageTagMutability::Immutable),
        }))
    }

    /// Whether the repository has an image of this digest; no repository has none.
    pub async fn has_image(&self, repository: &str, digest: &str) -> Result<bool> {
        let call = || Call::new("ecr", "DescribeImages", format!("look for {digest} in repository `{repository}`"));
        let id = ImageIdentifier::builder().image_digest(digest).build();
        let answer = self.client.describe_images().repository_name(repository).image_ids(id).send().await.explain(call);
        match answer {
            Ok(answer) => Ok(!answer.image_details.unwrap_or_default().is_empty()),
            Err(error) if is_not_found(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the repository has any image; no repository has none.
    pub async fn holds_anything(&self, repository: &str) -> Result<bool> {
        let call = || Call::new("ecr", "DescribeImages", format!("look whether repository `{repository}` is empty"));
        match self.client.describe_images().repository_name(repository).max_results(1).send().await.explain(call) {
            Ok(answer) => Ok(!answer.image_details.unwrap_or_default().is_empty()),
            Err(error) if is_not_found(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The text of a manifest or index; none if there is no such image.
    pub async fn manifest(&self, repository: &str, digest: &str) -> Result<Option<String>> {
        let call = || Call::new("ecr", "BatchGetImage", format!("read {digest} of repository `{repository}`"));
        let id = ImageIdentifier::builder().image_digest(digest).build();
        let request = self.client.batch_get_image().repository_name(repository).image_ids(id);
        let answer = request.set_accepted_media_types(Some(MANIFESTS.map(str::to_owned).to_vec())).send().await;
        Ok(answer.explain(call)?.images.unwrap_or_default().into_iter().find_map(|image| image.image_manifest))
    }

    /// Removes images with all their tags. Gives those that ECR kept, with its words; what is not there is removed already.
    pub async fn remove_images(&self, repository: &str, digests: &[String]) -> Result<BTreeMap<String, String>> {
        let what = format!("remove {} images of repository `{repository}`", digests.len());
        let call = || Call::new("ecr", "BatchDeleteImage", &what);
        let mut kept = BTreeMap::new();
        for some in digests.chunks(IMAGES_PER_CALL) {
            let ids = some.iter().map(|digest| ImageIdentifier::builder().image_digest(digest).build()).collect();
            let request = self.client.batch_delete_image().repository_name(repository).set_image_ids(Some(ids));
            for failure in request.send().await.explain(call)?.failures.unwrap_or_default() {
                let digest = failure.image_id.and_then(|id| id.image_digest).unwrap_or_default();
                let code = failure.failure_code.map(|code| code.as_str().to_owned()).unwrap_or_default();
                if code != "ImageNotFound" {
                    kept.insert(digest, format!("{code}: {}", failure.failure_reason.unwrap_or_default()));
                }
            }
        }
        Ok(kept)
    }

    /// All images of a repository, the newest first; none if there is no repository.
    pub async fn images(&self, repository: &str) -> Result<Vec<EcrImage>> {
        let call = || Call::new("ecr", "DescribeImages", format!("list the images of repository `{repository}`"));
        let mut pages = self.client.describe_images().repository_name(repository).into_paginator().send();
        let mut images = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page.explain(call) {
                Err(error) if is_not_found(&error) => break,
                page => page?,
            };
            images.extend(page.image_details.unwrap_or_default().into_iter().map(|image| EcrImage {
                pushed_at: image.image_pushed_at.as_ref().map(timestamp),
                bytes: image.image_size_in_bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0),
                media_type: image.image_manifest_media_type,
                digest: image.image_digest.unwrap_or_default(),
                tags: image.image_tags.unwrap_or_default(),
            }));
        }
        images.sort_by_key(|image| std::cmp::Reverse(image.pushed_at));
        Ok(images)
    }
}

fn is_not_found(error: &crate::error::Error) -> bool {
    failure(error).is_some_and(|failure| {
        matches!(failure.code.as_str(), "ImageNotFoundException" | "RepositoryNotFoundException")
    })
}

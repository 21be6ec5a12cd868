//! What a repository of images holds.

use super::error::{Call, Explain, failure};
use super::{Result, timestamp};
use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::ImageIdentifier;
use jiff::Timestamp;

#[derive(Clone)]
pub struct Ecr {
    client: Client,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcrImage {
    /// `sha256:…`
    pub digest: String,
    pub tags: Vec<String>,
    pub pushed_at: Option<Timestamp>,
    pub bytes: u64,
}

impl Ecr {
    pub(super) fn new(client: Client) -> Ecr {
        Ecr { client }
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

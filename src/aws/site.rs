//! The bucket of a static site: listed with ETags, written with what visitors are told of each file.

use super::Result;
use super::error::{Call, Explain, failure};
use crate::error::{Error, Kind};
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use std::path::Path;

/// DeleteObjects takes a thousand keys at most.
const KEYS_PER_CALL: usize = 1000;

/// A bucket that visitors' files lie in.
#[derive(Clone)]
pub struct SiteBucket {
    client: Client,
    bucket: String,
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteObject {
    pub key: String,
    pub bytes: u64,
    /// The MD5 of the content in quotes, if it went up in one piece and is not encrypted with KMS.
    pub etag: String,
}

impl SiteBucket {
    pub(super) fn new(client: Client, bucket: &str) -> SiteBucket {
        SiteBucket { client, bucket: bucket.to_owned() }
    }

    /// All objects whose keys begin so.
    pub async fn list(&self, prefix: &str) -> Result<Vec<SiteObject>> {
        let call = || Call::new("s3", "ListObjectsV2", format!("list s3://{}/{prefix}", self.bucket));
        let mut pages = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).into_paginator().send();
        let mut objects = Vec::new();
        while let Some(page) = pages.next().await {
            objects.extend(page.explain(call)?.contents.unwrap_or_default().into_iter().map(|object| SiteObject {
                key: object.key.unwrap_or_default(),
                bytes: object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
                etag: object.e_tag.unwrap_or_default(),
            }));
        }
        Ok(objects)
    }

    /// Writes a file, streamed from disk.
    pub async fn put(&self, key: &str, file: &Path, content_type: &str, cache_control: &str) -> Result<()> {
        let call = || Call::new("s3", "PutObject", format!("write s3://{}/{key}", self.bucket));
        let body = ByteStream::from_path(file).await.map_err(|error| {
            Error::new(Kind::Other, format!("cannot read {}", file.display())).detail(error.to_string())
        })?;
        let request = self.client.put_object().bucket(&self.bucket).key(key).body(body);
        request.content_type(content_type).cache_control(cache_control).send().await.explain(call)?;
        Ok(())
    }

    /// Whether it holds an object, an old version or a mark of a deletion; no bucket holds nothing.
    pub async fn holds_anything(&self) -> Result<bool> {
        let call = || Call::new("s3", "ListObjectVersions", format!("look whether s3://{} is empty", self.bucket));
        let page = self.client.list_object_versions().bucket(&self.bucket).max_keys(1).send().await.explain(call);
        match page {
            Ok(page) => Ok(!page.versions().is_empty() || !page.delete_markers().is_empty()),
            Err(error) if failure(&error).is_some_and(|failure| failure.code == "NoSuchBucket") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes all objects with all their versions, and gives how many those were.
    ///
    /// # Errors
    /// S3 keeps one of them; the others are gone, as far as it came.
    pub async fn empty(&self) -> Result<usize> {
        let call = || Call::new("s3", "ListObjectVersions", format!("list the versions of s3://{}", self.bucket));
        let mut removed = 0;
        // From the beginning each time: what has been listed is gone.
        loop {
            let page = self.client.list_object_versions().bucket(&self.bucket).send().await.explain(call)?;
            let versions = page.versions.unwrap_or_default().into_iter();
            let markers = page.delete_markers.unwrap_or_default().into_iter();
            let ids: Vec<ObjectIdentifier> = versions
                .map(|version| (version.key, version.version_id))
                .chain(markers.map(|marker| (marker.key, marker.version_id)))
                .filter_map(|(key, id)| ObjectIdentifier::builder().key(key?).set_version_id(id).build().ok())
                .collect();
            if ids.is_empty() {
                return Ok(removed);
            }
            removed += ids.len();
            for some in ids.chunks(KEYS_PER_CALL) {
                self.delete(some.to_vec()).await?;
            }
        }
    }

    /// Removes objects; those that are not there are removed already.
    ///
    /// # Errors
    /// S3 keeps one of them; the others are gone.
    pub async fn remove(&self, keys: &[String]) -> Result<()> {
        for some in keys.chunks(KEYS_PER_CALL) {
            let ids: std::result::Result<Vec<_>, _> =
                some.iter().map(|key| ObjectIdentifier::builder().key(key).build()).collect();
            self.delete(ids.map_err(|error| Error::new(Kind::Other, error.to_string()))?).await?;
        }
        Ok(())
    }

    async fn delete(&self, ids: Vec<ObjectIdentifier>) -> Result<()> {
        let call = || Call::new("s3", "DeleteObjects", format!("remove {} objects of {}", ids.len(), self.bucket));
        let delete = Delete::builder().set_objects(Some(ids.clone())).quiet(true).build();
        let delete = delete.map_err(|error| Error::new(Kind::Other, error.to_string()))?;
        let answer = self.client.delete_objects().bucket(&self.bucket).delete(delete).send().await.explain(call)?;
        match answer.errors.unwrap_or_default().into_iter().next() {
            None => Ok(()),
            Some(refused) => {
                let (key, code) = (refused.key.unwrap_or_default(), refused.code.unwrap_or_default());
                Err(Error::new(Kind::Aws, format!("could not remove s3://{}/{key}", self.bucket))
                    .detail(format!("s3:DeleteObject answered {code}: {}", refused.message.unwrap_or_default())))
            }
        }
    }
}

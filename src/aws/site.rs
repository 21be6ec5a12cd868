//! The bucket of a static site: listed with ETags, written with what visitors are told of each file.

use super::Result;
use super::error::{Call, Explain};
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

    /// Removes objects; those that are not there are removed already.
    ///
    /// # Errors
    /// S3 keeps one of them; the others are gone.
    pub async fn remove(&self, keys: &[String]) -> Result<()> {
        let call = || Call::new("s3", "DeleteObjects", format!("remove {} objects of {}", keys.len(), self.bucket));
        for some in keys.chunks(KEYS_PER_CALL) {
            let ids: std::result::Result<Vec<_>, _> =
                some.iter().map(|key| ObjectIdentifier::builder().key(key).build()).collect();
            let delete = ids.and_then(|ids| Delete::builder().set_objects(Some(ids)).quiet(true).build());
            let delete = delete.map_err(|error| Error::new(Kind::Other, error.to_string()))?;
            let answer = self.client.delete_objects().bucket(&self.bucket).delete(delete).send().await.explain(call)?;
            if let Some(refused) = answer.errors.unwrap_or_default().into_iter().next() {
                let (key, code) = (refused.key.unwrap_or_default(), refused.code.unwrap_or_default());
                return Err(Error::new(Kind::Aws, format!("could not remove s3://{}/{key}", self.bucket))
                    .detail(format!("s3:DeleteObject answered {code}: {}", refused.message.unwrap_or_default())));
            }
        }
        Ok(())
    }
}

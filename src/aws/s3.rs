//! Objects of the state bucket: read with their ETag, written on conditions, listed to the end.

use super::endpoint::Endpoints;
use super::error::{Call, Explain, failure};
use super::{Result, timestamp};
use crate::model::StateLocation;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use jiff::Timestamp;

/// The bucket where state lives.
#[derive(Clone)]
pub struct Objects {
    client: Client,
    bucket: String,
    region: String,
    endpoints: Endpoints,
}

/// An object as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub body: Vec<u8>,
    pub etag: String,
    /// None where the bucket keeps no versions.
    pub version: Option<String>,
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectKey {
    pub key: String,
    pub bytes: u64,
    pub modified: Timestamp,
}

/// One version of an object, as the bucket keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectVersion {
    pub id: String,
    pub modified: Timestamp,
    pub is_latest: bool,
    pub bytes: u64,
}

/// What must hold for a write to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    None,
    /// There is no such object yet.
    Absent,
    /// The object is the one that was read with this ETag.
    Unchanged(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    Done {
        etag: String,
    },
    /// The condition does not hold. Also what a write gets that AWS did, whose answer was lost, and that was then sent
    /// again: only reading the object tells.
    Refused,
}

impl Objects {
    pub(super) fn new(client: Client, state: &StateLocation, endpoints: Endpoints) -> Objects {
        Objects { client, bucket: state.bucket.clone(), region: state.region.clone(), endpoints }
    }

    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// `s3://bucket/key`, for messages.
    pub fn place(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    /// The object, or none if there is none.
    pub async fn get(&self, key: &str) -> Result<Option<Object>> {
        self.read(key, None).await
    }

    /// One version of the object.
    pub async fn get_version(&self, key: &str, version: &str) -> Result<Option<Object>> {
        self.read(key, Some(version.to_owned())).await
    }

    async fn read(&self, key: &str, version: Option<String>) -> Result<Option<Object>> {
        let call = || Call::new("s3", "GetObject", format!("read {}", self.place(key)));
        let request = self.client.get_object().bucket(&self.bucket).key(key).set_version_id(version);
        let answer = request.send().await.explain(call);
        let answer = match answer {
            Err(error) if failure(&error).is_some_and(|failure| failure.code == "NoSuchKey") => return Ok(None),
            answer => answer?,
        };
        let body = answer.body.collect().await.map_err(|error| {
            crate::error::Error::new(
                crate::error::Kind::Unreachable,
                format!("{} could not be read to its end", self.place(key)),
            )
            .caused_by(error)
        })?;
        let etag = answer.e_tag.filter(|etag| !etag.is_empty());
        Ok(Some(Object {
            body: body.into_bytes().to_vec(),
            etag: etag.ok_or_else(|| without_etag("GetObject", &format!("read {}", self.place(key))))?,
            version: answer.version_id.filter(|version| version != "null"),
        }))
    }

    pub async fn put(&self, key: &str, body: Vec<u8>, content_type: &str, only_if: Precondition) -> Result<Put> {
        let call = || Call::new("s3", "PutObject", format!("write {}", self.place(key)));
        let request = self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type);
        let request = match only_if {
            Precondition::None => request,
            Precondition::Absent => request.if_none_match("*"),
            Precondition::Unchanged(etag) => request.if_match(etag),
        };
        match request.body(ByteStream::from(body)).send().await.explain(call) {
            Ok(answer) => match answer.e_tag.filter(|etag| !etag.is_empty()) {
                Some(etag) => Ok(Put::Done { etag }),
                // Something before S3 has answered: nobody knows whether the object is there.
                None => Err(without_etag("PutObject", &format!("write {}", self.place(key)))),
            },
            // The last: two conditional writes met; the other one may win. NoSuchKey answers If-Match on nothing.
            Err(error)
                if failure(&error).is_some_and(|failure| {
                    matches!(failure.code.as_str(), "PreconditionFailed" | "NoSuchKey" | "ConditionalRequestConflict")
                }) =>
            {
                Ok(Put::Refused)
            }
            Err(error) => Err(error),
        }
    }

    /// All objects whose keys begin so, in the order of their keys.
    pub async fn list(&self, prefix: &str) -> Result<Vec<ObjectKey>> {
        let call = || Call::new("s3", "ListObjectsV2", format!("list {}", self.place(prefix)));
        let mut pages = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            keys.extend(page.explain(call)?.contents.unwrap_or_default().into_iter().map(|object| ObjectKey {
                key: object.key.unwrap_or_default(),
                bytes: object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
                modified: object.last_modified.as_ref().map(timestamp).unwrap_or_default(),
            }));
        }
        Ok(keys)
    }

    /// The versions of one object, the newest first; none where the bucket keeps none.
    pub async fn versions(&self, key: &str) -> Result<Vec<ObjectVersion>> {
        let call = || Call::new("s3", "ListObjectVersions", format!("list the versions of {}", self.place(key)));
        // The first page holds a thousand: nobody goes back further by hand.
        let page = self.client.list_object_versions().bucket(&self.bucket).prefix(key).send().await.explain(call)?;
        let versions = page.versions.unwrap_or_default().into_iter().filter(|version| version.key() == Some(key));
        Ok(versions
            .map(|version| ObjectVersion {
                modified: version.last_modified().map(timestamp).unwrap_or_default(),
                is_latest: version.is_latest.unwrap_or(false),
                bytes: version.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
                id: version.version_id.unwrap_or_default(),
            })
            .collect())
    }

    /// The address under which CloudFormation reads an object (`TemplateURL`).
    pub fn url(&self, key: &str) -> String {
        self.endpoints.object(&self.region, &self.bucket, key)
    }
}

/// S3 names the version of every object that it gives or takes by an ETag; what answers without one is not S3.
fn without_etag(operation: &str, what: &str) -> crate::error::Error {
    crate::error::Error::new(crate::error::Kind::Aws, format!("could not {what}: the answer is not S3's"))
        .detail(format!("s3:{operation} was answered with success and without an ETag"))
        .hint("look for a proxy or gateway between this machine and S3 that answers in its place")
}

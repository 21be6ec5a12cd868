//! The bucket that functions' code lies in: archives under their digests, written once and checked.

use super::Result;
use super::error::{Call, Explain, failure};
use crate::error::{Error, Kind};
use crate::files::reason;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumMode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::path::Path;
use tokio::io::AsyncWriteExt;

/// A bucket with archives.
#[derive(Clone)]
pub struct PackageBucket {
    client: Client,
    bucket: String,
}

/// An archive that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageObject {
    pub bytes: u64,
    /// The 64 hexadecimal digits of the content, where S3 keeps them.
    pub sha256: Option<String>,
}

impl PackageBucket {
    pub(super) fn new(client: Client, bucket: &str) -> PackageBucket {
        PackageBucket { client, bucket: bucket.to_owned() }
    }

    /// `s3://bucket/key`, for messages.
    pub fn place(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    /// What is there; none if nothing is.
    ///
    /// # Errors
    /// Those of HeadObject. Where listing the bucket is not allowed S3 says "denied" of what is not there, too.
    pub async fn find(&self, key: &str) -> Result<Option<PackageObject>> {
        let call = || Call::new("s3", "HeadObject", format!("look for {}", self.place(key)));
        let request = self.client.head_object().bucket(&self.bucket).key(key).checksum_mode(ChecksumMode::Enabled);
        match request.send().await.explain(call) {
            Ok(found) => Ok(Some(PackageObject {
                bytes: found.content_length().and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0),
                sha256: found.checksum_sha256().and_then(hex),
            })),
            Err(error)
                if failure(&error).is_some_and(|failure| matches!(failure.code.as_str(), "NotFound" | "NoSuchKey")) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes an archive if there is none of this key; S3 checks that it got the content of this digest (hexadecimal).
    /// Whether it was written: false also where an earlier attempt was, whose answer was lost.
    pub async fn put(&self, key: &str, file: &Path, sha256: &str) -> Result<bool> {
        let call = || Call::new("s3", "PutObject", format!("write {}", self.place(key)));
        let body = ByteStream::from_path(file).await.map_err(|error| {
            Error::new(Kind::Other, format!("cannot read {}", file.display())).detail(error.to_string())
        })?;
        let request = self.client.put_object().bucket(&self.bucket).key(key).content_type("application/zip").body(body);
        let request = request.if_none_match("*").set_checksum_sha256(base64_of(sha256));
        match request.send().await.explain(call) {
            Ok(_) => Ok(true),
            Err(error)
                if failure(&error).is_some_and(|failure| {
                    matches!(failure.code.as_str(), "PreconditionFailed" | "ConditionalRequestConflict")
                }) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Copies an archive to a file, piece by piece; none if there is none of this key.
    pub async fn fetch(&self, key: &str, to: &Path) -> Result<Option<()>> {
        let call = || Call::new("s3", "GetObject", format!("read {}", self.place(key)));
        let answer = self.client.get_object().bucket(&self.bucket).key(key).send().await.explain(call);
        let mut answer = match answer {
            Err(error) if failure(&error).is_some_and(|failure| failure.code == "NoSuchKey") => return Ok(None),
            answer => answer?,
        };
        let unwritable = |error: &std::io::Error| {
            Error::new(Kind::Other, format!("cannot write {}: {}", to.display(), reason(error)))
        };
        let mut file = tokio::fs::File::create(to).await.map_err(|error| unwritable(&error))?;
        while let Some(piece) = answer.body.next().await {
            let piece = piece.map_err(|error| {
                Error::new(Kind::Unreachable, format!("{} could not be read to its end", self.place(key)))
                    .caused_by(error)
            })?;
            file.write_all(&piece).await.map_err(|error| unwritable(&error))?;
        }
        file.flush().await.map_err(|error| unwritable(&error))?;
        Ok(Some(()))
    }
}

/// From 64 hexadecimal digits to what S3 takes.
fn base64_of(hex: &str) -> Option<String> {
    let bytes: Option<Vec<u8>> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect();
    Some(STANDARD.encode(bytes?))
}

fn hex(base64: &str) -> Option<String> {
    let bytes = STANDARD.decode(base64).ok().filter(|bytes| bytes.len() == 32)?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_go_to_s3_and_back() {
        let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let there = base64_of(digest).unwrap();
        assert_eq!(there, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(hex(&there).as_deref(), Some(digest));
        // Of an object that went up in parts: a digest of digests.
        assert_eq!(hex("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=-3"), None);
    }
}

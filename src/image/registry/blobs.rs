//! Blobs: whether they are there, reading them in pieces from any byte on, mounting them from a neighbour.

use super::{Ask, MAX_ATTEMPTS, Repository, Result, pause};
use crate::aws::Chunks;
use crate::error::{Error, Kind};
use crate::image::{Descriptor, Digest};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use std::io;
use tokio::time::sleep;

/// What became of a wish to mount.
pub(in crate::image) enum Mount {
    /// The blob is in the repository now.
    Done,
    /// It is not, and the registry has begun an upload instead: its address.
    Begun(String),
    /// It is not.
    No,
}

impl Repository {
    /// Whether the repository has the blob, in full size.
    ///
    /// # Errors
    /// It has something of another size under this digest.
    pub async fn has_blob(&self, blob: &Descriptor) -> Result<bool> {
        let what = format!("look for the blob {} in {self}", blob.digest.short());
        let ask = Ask::new("HEAD", self.url(&format!("blobs/{}", blob.digest)), what);
        let answer = self.ask(&ask).await?;
        match answer.status {
            404 => return Ok(false),
            _ if !answer.is_success() => return Err(self.refused(answer, &ask.what).await),
            _ => {}
        }
        let size_bytes: Option<u64> = answer.header("content-length").and_then(|length| length.parse().ok());
        let other_digest = answer.header("docker-content-digest").filter(|told| *told != blob.digest.to_string());
        let wrong = match (size_bytes, other_digest) {
            (Some(bytes), _) if bytes != blob.size_bytes => format!("{bytes} bytes instead of {}", blob.size_bytes),
            (_, Some(digest)) => format!("the digest {digest}"),
            _ => return Ok(true),
        };
        Err(Error::new(Kind::Other, format!("{self} has something else under {}", blob.digest))
            .detail(format!("what it has is of {wrong}"))
            .hint("the registry is damaged: remove the repository's images of this layer and push again"))
    }

    /// Asks the registry to take the blob from another of its repositories, without moving a byte.
    pub(in crate::image) async fn mount(&self, digest: &Digest, from: &str) -> Result<Mount> {
        let encoded = from.replace('/', "%2F");
        let url = self.url(&format!("blobs/uploads/?mount={digest}&from={encoded}"));
        let what = format!("mount the blob {} from {from} in {self}", digest.short());
        let answer = self.ask(&Ask { also_from: Some(from), ..Ask::new("POST", url.clone(), what) }).await?;
        Ok(match (answer.status, answer.header("location")) {
            (201, _) => Mount::Done,
            (202, Some(location)) => Mount::Begun(super::absolute(&url, location)),
            // Whatever speaks against it: there is the long way.
            _ => Mount::No,
        })
    }

    /// The blob from byte `from` on. A connection that breaks is made again where it broke.
    pub fn read_blob(&self, blob: &Descriptor, from: u64) -> Chunks {
        let reading = Reading { repository: self.clone(), blob: blob.clone(), at: from, chunks: None, failures: 0 };
        stream::unfold(Some(reading), |reading| async move {
            let mut reading = reading?;
            match reading.next().await {
                Ok(Some(bytes)) => Some((Ok(bytes), Some(reading))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
        // Whoever sends it on may look once more after its end.
        .fuse()
        .boxed()
    }

    async fn open_blob(&self, blob: &Descriptor, from: u64) -> Result<Chunks> {
        let what = format!("read the blob {} of {self}", blob.digest.short());
        let ask = Ask::new("GET", self.url(&format!("blobs/{}", blob.digest)), what);
        let answer = self.insist(&if from > 0 { ask.header("range", format!("bytes={from}-")) } else { ask }).await?;
        let skip = if answer.status == 206 { 0 } else { from };
        Ok(skipping(answer.into_chunks(), skip))
    }
}

struct Reading {
    repository: Repository,
    blob: Descriptor,
    at: u64,
    chunks: Option<Chunks>,
    /// In a row, without a byte in between.
    failures: u32,
}

impl Reading {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        while self.at < self.blob.size_bytes {
            let mut chunks = match self.chunks.take() {
                Some(chunks) => chunks,
                None => self.repository.open_blob(&self.blob, self.at).await.map_err(io::Error::other)?,
            };
            let why = match chunks.next().await {
                Some(Ok(bytes)) if bytes.is_empty() => {
                    self.chunks = Some(chunks);
                    continue;
                }
                Some(Ok(bytes)) => {
                    self.at += bytes.len() as u64;
                    self.failures = 0;
                    self.chunks = Some(chunks);
                    return Ok(Some(bytes));
                }
                Some(Err(error)) => error,
                None => io::ErrorKind::UnexpectedEof.into(),
            };
            self.failures += 1;
            if self.failures >= MAX_ATTEMPTS {
                return Err(why);
            }
            sleep(pause(self.failures)).await;
        }
        Ok(None)
    }
}

/// All but the first bytes.
fn skipping(chunks: Chunks, skip: u64) -> Chunks {
    if skip == 0 {
        return chunks;
    }
    let mut left = skip;
    chunks
        .map(move |chunk| {
            chunk.map(|mut bytes| {
                let drop = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                left -= drop as u64;
                bytes.split_off(drop)
            })
        })
        .boxed()
}

//! Where an image comes from: a layout on this machine, or a repository.

use super::Result;
use crate::aws::Chunks;
use crate::error::{Error, Kind};
use crate::files;
use crate::image::digest::Hasher;
use crate::image::registry::{BlobSource, MAX_MANIFEST_BYTES, Repository, Stored};
use crate::image::{Descriptor, Digest};
use bytes::BytesMut;
use futures::stream::{self, StreamExt, TryStreamExt};
use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, Take};

/// How much of a file is read at a time.
const CHUNK_BYTES: usize = 256 * 1024;

#[derive(Debug, Clone)]
pub enum Source {
    /// A folder with `blobs/sha256/` (OCI image layout).
    Layout(PathBuf),
    Repository(Repository),
}

impl Source {
    /// A manifest or index, certain to be of this digest.
    pub(super) async fn manifest(&self, digest: &Digest) -> Result<Stored> {
        match self {
            Source::Layout(folder) => read_manifest(folder, digest).await,
            Source::Repository(repository) => {
                let missing = || Error::new(Kind::Other, format!("{repository} has no image {digest}"));
                repository.fetch(&digest.to_string()).await?.ok_or_else(missing)
            }
        }
    }

    /// A blob, to be opened at any byte.
    ///
    /// # Errors
    /// It is missing from a layout, or of another size there.
    pub(super) async fn blob(&self, blob: &Descriptor) -> Result<BlobSource> {
        match self {
            Source::Layout(folder) => {
                let path = path(folder, &blob.digest);
                let length = tokio::fs::metadata(&path).await.map_err(|error| unreadable(&path, &error))?.len();
                if length != blob.size_bytes {
                    return Err(damaged(folder, &blob.digest).detail(format!(
                        "{} has {length} bytes instead of {}",
                        path.display(),
                        blob.size_bytes
                    )));
                }
                let size_bytes = blob.size_bytes;
                Ok(Arc::new(move |from| file_chunks(path.clone(), from, size_bytes)))
            }
            Source::Repository(repository) => {
                let (repository, blob) = (repository.clone(), blob.clone());
                Ok(Arc::new(move |from| repository.read_blob(&blob, from)))
            }
        }
    }

    /// Reads a blob through to find out whether it is what its digest says: for when a registry doubts it.
    ///
    /// # Errors
    /// It is not.
    pub(super) async fn check(&self, blob: &Descriptor) -> Result<()> {
        let mut chunks = self.blob(blob).await?(0);
        let mut hasher = Hasher::default();
        while let Some(chunk) = chunks.try_next().await.map_err(|error| {
            Error::new(Kind::Other, format!("could not read the blob {} again", blob.digest)).caused_by(error)
        })? {
            hasher.update(&chunk);
        }
        let found = hasher.finish();
        if found == blob.digest {
            return Ok(());
        }
        Err(match self {
            Source::Layout(folder) => damaged(folder, &blob.digest),
            Source::Repository(repository) => {
                Error::new(Kind::Other, format!("{repository} gives something else for {}", blob.digest))
                    .hint("that registry is damaged: push the image there again, from where it was built")
            }
        }
        .detail(format!("what is there has the digest {found}")))
    }
}

fn path(folder: &Path, digest: &Digest) -> PathBuf {
    folder.join("blobs/sha256").join(digest.hex())
}

async fn read_manifest(folder: &Path, digest: &Digest) -> Result<Stored> {
    let path = path(folder, digest);
    let file = File::open(&path).await.map_err(|error| unreadable(&path, &error))?;
    let mut bytes = Vec::new();
    let limit = MAX_MANIFEST_BYTES as u64 + 1;
    file.take(limit).read_to_end(&mut bytes).await.map_err(|error| unreadable(&path, &error))?;
    if Digest::of(&bytes) != *digest {
        return Err(damaged(folder, digest).detail(format!("{} has another digest", path.display())));
    }
    let unreadable = || Error::new(Kind::Other, format!("{} is no manifest that infra can read", path.display()));
    let head: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| unreadable().caused_by(error))?;
    // OCI manifests may leave it to whoever names them.
    let media_type = match (head["mediaType"].as_str(), head["manifests"].is_array()) {
        (Some(media_type), _) => media_type,
        (None, true) => crate::image::model::media_type::OCI_INDEX,
        (None, false) => crate::image::model::media_type::OCI_MANIFEST,
    };
    Ok(Stored { digest: *digest, media_type: media_type.to_owned(), bytes: bytes.into() })
}

fn file_chunks(path: PathBuf, from: u64, size_bytes: u64) -> Chunks {
    stream::try_unfold(None, move |file: Option<Take<File>>| {
        let path = path.clone();
        async move {
            let mut file = match file {
                Some(file) => file,
                None => {
                    let mut file = File::open(&path).await?;
                    file.seek(SeekFrom::Start(from)).await?;
                    file.take(size_bytes - from)
                }
            };
            let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
            file.read_buf(&mut chunk).await?;
            io::Result::Ok((!chunk.is_empty()).then(|| (chunk.freeze(), Some(file))))
        }
    })
    .boxed()
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::new(Kind::Other, format!("cannot read {}: {}", path.display(), files::reason(error)))
        .hint("build or import the image again")
}

fn damaged(folder: &Path, digest: &Digest) -> Error {
    Error::new(Kind::Other, format!("the image layout {} is damaged: {digest} is not what it says", folder.display()))
        .hint("remove the folder, then build or import the image again")
}

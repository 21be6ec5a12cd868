//! Blobs by their digests, and blobs that are still on their way; in files, or in memory.

use super::images::written;
use crate::store::files;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How much of a file is read at once.
const BUFFER_BYTES: usize = 1 << 20;

pub(super) enum Content {
    Memory(Mutex<Memory>),
    Folder(PathBuf),
}

#[derive(Default)]
pub(super) struct Memory {
    blobs: BTreeMap<String, Bytes>,
    uploads: BTreeMap<String, Vec<u8>>,
}

impl Content {
    pub fn in_memory() -> Self {
        Content::Memory(Mutex::default())
    }

    pub fn in_folder(folder: PathBuf) -> Self {
        Content::Folder(folder)
    }

    /// Begins an upload.
    pub fn begin(&self, id: &str) -> io::Result<()> {
        match self {
            Content::Memory(memory) => drop(lock(memory).uploads.insert(id.to_owned(), Vec::new())),
            Content::Folder(folder) => {
                std::fs::create_dir_all(folder.join("uploads"))?;
                File::create(upload_path(folder, id))?;
            }
        }
        Ok(())
    }

    /// How many bytes of an upload have come; `None` if there is no such upload.
    pub fn offset(&self, id: &str) -> Option<u64> {
        match self {
            Content::Memory(memory) => lock(memory).uploads.get(id).map(|upload| upload.len() as u64),
            Content::Folder(folder) => std::fs::metadata(upload_path(folder, id)).ok().map(|found| found.len()),
        }
    }

    /// Adds to an upload.
    pub fn append(&self, id: &str, bytes: &[u8]) -> io::Result<()> {
        match self {
            Content::Memory(memory) => {
                let mut memory = lock(memory);
                memory.uploads.get_mut(id).ok_or(io::ErrorKind::NotFound)?.extend_from_slice(bytes);
                Ok(())
            }
            Content::Folder(folder) => {
                let path = upload_path(folder, id);
                let mut file = File::options().append(true).open(path)?;
                file.write_all(bytes)
            }
        }
    }

    pub fn cancel(&self, id: &str) {
        match self {
            Content::Memory(memory) => drop(lock(memory).uploads.remove(id)),
            // It may be gone already.
            Content::Folder(folder) => drop(std::fs::remove_file(upload_path(folder, id))),
        }
    }

    /// Ends an upload: its digest and size in bytes. It is kept only if the digest is the one asked for.
    pub async fn finish(&self, id: &str, asked: &str) -> io::Result<(String, u64)> {
        match self {
            Content::Memory(memory) => {
                let upload = lock(memory).uploads.remove(id).ok_or(io::ErrorKind::NotFound)?;
                let (found, size) = (super::images::digest(&upload), upload.len() as u64);
                if found == asked {
                    lock(memory).blobs.insert(found.clone(), Bytes::from(upload));
                }
                Ok((found, size))
            }
            Content::Folder(folder) => {
                let (path, target) = (upload_path(folder, id), blob_path(folder, asked));
                let asked = asked.to_owned();
                let finished = tokio::task::spawn_blocking(move || -> io::Result<(String, u64)> {
                    let (found, size) = digest_of_file(&path)?;
                    if found == asked {
                        let folder = target.parent().unwrap_or(Path::new("."));
                        files::make_directory(folder)?;
                        // It came in parts, and is waited for once.
                        File::open(&path)?.sync_data()?;
                        files::rename(&path, &target)?;
                        files::sync_names(folder)?;
                    } else {
                        std::fs::remove_file(&path)?;
                    }
                    Ok((found, size))
                });
                finished.await.map_err(io::Error::other)?
            }
        }
    }

    /// A part of a blob.
    pub fn read(&self, digest: &str, offset: u64, length: u64) -> io::Result<Bytes> {
        match self {
            Content::Memory(memory) => {
                let blob = lock(memory).blobs.get(digest).cloned().ok_or(io::ErrorKind::NotFound)?;
                let end = blob.len().min(usize::try_from(offset + length).unwrap_or(usize::MAX));
                Ok(blob.slice(end.min(usize::try_from(offset).unwrap_or(usize::MAX))..end))
            }
            Content::Folder(folder) => {
                let mut file = File::open(blob_path(folder, digest))?;
                file.seek(SeekFrom::Start(offset))?;
                let mut bytes = Vec::new();
                file.take(length).read_to_end(&mut bytes)?;
                Ok(Bytes::from(bytes))
            }
        }
    }

    pub fn remove(&self, digest: &str) {
        match self {
            Content::Memory(memory) => drop(lock(memory).blobs.remove(digest)),
            // A blob that stays behind only takes up room.
            Content::Folder(folder) => drop(std::fs::remove_file(blob_path(folder, digest))),
        }
    }
}

/// Ids are made here and have no separators; others' are not believed.
fn upload_path(folder: &Path, id: &str) -> PathBuf {
    let id: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    folder.join("uploads").join(format!("_{id}"))
}

fn blob_path(folder: &Path, digest: &str) -> PathBuf {
    let name: String = digest.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    folder.join("blobs").join(name)
}

fn digest_of_file(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; BUFFER_BYTES]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((written(&hash.finalize()), size)),
            read => {
                hash.update(&buffer[..read]);
                size += read as u64;
            }
        }
    }
}

fn lock(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

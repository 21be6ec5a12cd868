//! The bodies of S3's objects as files.
//!
//! winterbaume gives each body a path of its own and never writes it again, so a file is named by its path's digest.
//! It removes the body of an object that is replaced at once; here it stays until the state that no longer speaks of it
//! is written, or a process killed in between would have lost both.

use super::files;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::future::Future;
use std::io::{self, Cursor};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt};
use winterbaume_core::{MemVfs, Vfs, VfsEntry, VfsError, VfsStat};

type Answering<'a, T> = Pin<Box<dyn Future<Output = Result<T, VfsError>> + Send + 'a>>;

/// Bodies in a folder; what else winterbaume notes beside them can be made from the snapshot and stays in memory.
pub(crate) struct Blobs {
    folder: PathBuf,
    notes: MemVfs,
    /// Files that the next state does not speak of.
    unused: Mutex<Vec<PathBuf>>,
    /// Folders with names that nobody waited for yet.
    new: Mutex<BTreeSet<PathBuf>>,
}

impl Blobs {
    pub fn new(folder: PathBuf) -> Self {
        Blobs { folder, notes: MemVfs::new(), unused: Mutex::default(), new: Mutex::default() }
    }

    /// The files that are not used by a state that is read after this.
    pub fn unused(&self) -> Vec<PathBuf> {
        std::mem::take(&mut *self.unused.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until all bodies are on the disk, before a state speaks of them.
    ///
    /// # Errors
    /// The disk's.
    pub fn settle(&self) -> io::Result<()> {
        let folders = std::mem::take(&mut *self.new.lock().unwrap_or_else(PoisonError::into_inner));
        folders.iter().try_for_each(|folder| files::sync_names(folder))
    }

    /// The file of a body; `None` for notes.
    fn file(&self, path: &str) -> Option<PathBuf> {
        // `<namespace>/<account>/<region>/data/…`
        (path.split('/').nth(3) == Some("data")).then(|| {
            let name: String = Sha256::digest(path.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            self.folder.join(&name[..2]).join(&name[2..])
        })
    }
}

impl Vfs for Blobs {
    fn put<'a>(&'a self, path: &'a str, data: &'a mut (dyn AsyncRead + Unpin + Send)) -> Answering<'a, u64> {
        Box::pin(async move {
            let Some(file) = self.file(path) else { return self.notes.put(path, data).await };
            let mut body = Vec::new();
            data.read_to_end(&mut body).await?;
            files::replace(&file, &body)?;
            self.new.lock().unwrap_or_else(PoisonError::into_inner).extend(file.parent().map(Into::into));
            Ok(body.len() as u64)
        })
    }

    fn get<'a>(&'a self, path: &'a str) -> Answering<'a, Box<dyn AsyncRead + Send + Unpin>> {
        Box::pin(async move {
            let Some(file) = self.file(path) else { return self.notes.get(path).await };
            match std::fs::read(&file) {
                Ok(body) => Ok(Box::new(Cursor::new(body)) as Box<dyn AsyncRead + Send + Unpin>),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Err(VfsError::NotFound(path.to_owned())),
                Err(error) => Err(error.into()),
            }
        })
    }

    fn delete<'a>(&'a self, path: &'a str) -> Answering<'a, ()> {
        Box::pin(async move {
            let Some(file) = self.file(path) else { return self.notes.delete(path).await };
            self.unused.lock().unwrap_or_else(PoisonError::into_inner).push(file);
            Ok(())
        })
    }

    /// Of notes only: bodies are found through the state.
    fn list<'a>(&'a self, prefix: &'a str) -> Answering<'a, Vec<VfsEntry>> {
        self.notes.list(prefix)
    }

    fn stat<'a>(&'a self, path: &'a str) -> Answering<'a, Option<VfsStat>> {
        Box::pin(async move {
            let Some(file) = self.file(path) else { return self.notes.stat(path).await };
            match std::fs::metadata(&file) {
                Ok(found) => Ok(Some(VfsStat { size: found.len() })),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
    }
}

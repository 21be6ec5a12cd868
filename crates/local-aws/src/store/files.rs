//! Files that are whole or not there, also after a power failure: what is written is on the disk before it gets its
//! name, and the name is on the disk before anybody is told.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// The end of names of files that are being written.
pub(super) const UNFINISHED: &str = ".tmp";

/// Makes a folder and those above it.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
    std::fs::create_dir_all(path).map_err(|error| at(path, error))?;
    missing.iter().rev().filter_map(|folder| folder.parent()).try_for_each(sync_names)
}

/// Writes a file, for good.
pub(super) fn write_bytes(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes)?;
    path.parent().map_or(Ok(()), sync_names)
}

/// Writes beside the file and renames. Nobody else may write the same file at the same time. Until [`sync_names`] of its
/// folder, a power failure may bring the file before back.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(UNFINISHED);
    let unfinished = Path::new(&unfinished);
    let file = match File::create(unfinished) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            path.parent().map_or(Ok(()), make_directory)?;
            File::create(unfinished)
        }
        file => file,
    };
    let written = file.and_then(|mut file| {
        file.write_all(bytes)?;
        trace::note(|| trace::Step::Written(unfinished.to_owned(), bytes.to_vec()));
        file.sync_data()
    });
    written.map_err(|error| at(path, error))?;
    trace::note(|| trace::Step::Synced(unfinished.to_owned()));
    rename(unfinished, path)
}

/// Renames a file whose content is on the disk.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to).map_err(|error| at(to, error))?;
    trace::note(|| trace::Step::Renamed(from.to_owned(), to.to_owned()));
    Ok(())
}

/// Waits until the names in a folder are on the disk.
pub(crate) fn sync_names(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    // Elsewhere a folder cannot be opened, and renames are in a journal.
    #[cfg(unix)]
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| at(folder, error))?;
    trace::note(|| trace::Step::NamesSynced(folder.to_owned()));
    Ok(())
}

pub(super) fn write<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    write_bytes(path, &bytes(path, value)?)
}

/// What a file is to hold.
pub(super) fn bytes<T: Serialize>(path: &Path, value: &T) -> io::Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| at(path, error.into()))
}

/// `None` if it is not there.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(path, error)),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| at(path, error.into()))
}

/// The names in a folder, in order, without what was not finished; none if there is no folder.
pub(super) fn list(path: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(at(path, error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| at(path, error))?.file_name();
        names.extend(name.to_str().filter(|name| !name.ends_with(UNFINISHED)).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// The error with the path that it is about.
fn at(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// What was done to the disk, for tests that cut the power.
#[cfg(test)]
pub(super) mod trace {
    use std::cell::RefCell;
    use std::path::PathBuf;

    #[derive(Debug, Clone, PartialEq)]
    pub enum Step {
        /// Into the cache of the operating system.
        Written(PathBuf, Vec<u8>),
        Synced(PathBuf),
        Renamed(PathBuf, PathBuf),
        NamesSynced(PathBuf),
    }

    thread_local! {
        static STEPS: RefCell<Vec<Step>> = const { RefCell::new(Vec::new()) };
    }

    pub fn note(step: impl FnOnce() -> Step) {
        STEPS.with_borrow_mut(|steps| steps.push(step()));
    }

    /// What this thread did since it was asked last.
    pub fn take() -> Vec<Step> {
        STEPS.take()
    }
}

#[cfg(not(test))]
mod trace {
    use std::path::PathBuf;

    #[allow(dead_code)] // nobody looks at it
    pub enum Step {
        Written(PathBuf, Vec<u8>),
        Synced(PathBuf),
        Renamed(PathBuf, PathBuf),
        NamesSynced(PathBuf),
    }

    pub fn note(_: impl FnOnce() -> Step) {}
}

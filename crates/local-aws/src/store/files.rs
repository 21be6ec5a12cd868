//! Files that are whole or not there.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::Path;

/// The end of names of files that are being written.
pub(super) const UNFINISHED: &str = ".tmp";

/// Makes a folder and those above it.
pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path).map_err(|error| at(path, error))
}

/// Writes beside the file and renames. Nobody else may write the same file at the same time.
pub(super) fn write_bytes(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(UNFINISHED);
    let unfinished = Path::new(&unfinished);
    let written = match std::fs::write(unfinished, bytes) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(unfinished, bytes))
        }
        written => written,
    };
    written.and_then(|()| std::fs::rename(unfinished, path)).map_err(|error| at(path, error))
}

pub(super) fn write<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let bytes = serde_json::to_vec(value).map_err(|error| at(path, error.into()))?;
    write_bytes(path, &bytes)
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

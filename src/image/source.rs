//! Images that are not built here: archives, brought to a layout once.

use super::archive;
use super::builder::{self, PARTIAL, Progress, Tell};
use super::context::inside;
use super::digest::{Digest, HashingReader};
use super::layout::{Check, Layout};
use super::model::{Image, Platform};
use crate::error::{Error, Kind, Result};
use crate::files::reason;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// The image of an archive (a path relative to the project), and the archive's own digest.
///
/// # Errors
/// The file is missing, outside of the project, or no archive of one image.
pub async fn of_archive(
    project: &Path,
    name: &str,
    path: &str,
    platform: Option<&Platform>,
    tell: &Tell,
) -> Result<(Image, Digest)> {
    let project = project.canonicalize().map_err(|error| unreadable(project, &error))?;
    let archive = inside(&project, &project, path, "archive")?;
    let (project, name, platform) = (project.clone(), name.to_owned(), platform.cloned());
    let folder = builder::folder(&project, &name);
    fs::create_dir_all(&folder).map_err(|error| unreadable(&folder, &error))?;
    let lock = builder::lock(&folder, tell).await?;
    tell(Progress::Line(format!("reading {path}")));
    let work = move || {
        let _lock = lock;
        let digest = digest(&archive)?;
        let place = folder.join(digest.hex());
        let lies_there = || Layout::open(&place).and_then(|layout| layout.load(&layout.entry(None)?, Check::Sizes));
        if let Ok(image) = lies_there() {
            return Ok((image, digest));
        }
        builder::clear(&folder)?;
        let partial = tempfile::Builder::new().prefix(PARTIAL).tempdir_in(&folder);
        let partial = partial.map_err(|error| unreadable(&folder, &error))?;
        let made = partial.path().join("layout");
        archive::import(&archive, &Layout::create(&made)?, platform.as_ref())?;
        match fs::remove_dir_all(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unreadable(&place, &error)),
            _ => {}
        }
        fs::rename(&made, &place).map_err(|error| unreadable(&place, &error))?;
        Ok((lies_there()?, digest))
    };
    Ok(tokio::task::spawn_blocking(work).await??)
}

fn digest(path: &Path) -> Result<Digest, Error> {
    let mut reader = HashingReader::new(File::open(path).map_err(|error| unreadable(path, &error))?);
    io::copy(&mut reader, &mut io::sink()).map_err(|error| unreadable(path, &error))?;
    Ok(reader.finish().0)
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::new(Kind::Configuration, format!("cannot use {}: {}", path.display(), reason(error)))
}

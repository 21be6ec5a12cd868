//! Images that are not built here: archives, brought to a layout once.

use super::archive;
use super::builder::{self, PARTIAL, Progress, Tell};
use super::choice;
use super::context::inside;
use super::digest::{Digest, HashingReader};
use super::layout::{Check, Layout};
use super::model::{Image, Platform};
use crate::error::{Error, Kind, Result};
use crate::files::reason;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// The image of an archive (a path relative to the project), and the digest of what it was made from: the archive's own, and
/// the platforms where some are wanted.
///
/// # Errors
/// The file is missing, outside of the project, or no archive of one image.
pub async fn of_archive(
    project: &Path,
    name: &str,
    path: &str,
    platforms: &[Platform],
    tell: &Tell,
) -> Result<(Image, Digest)> {
    let project = project.canonicalize().map_err(|error| unreadable(project, &error))?;
    let archive = inside(&project, &project, path, "archive")?;
    let (project, name, platforms) = (project.clone(), name.to_owned(), platforms.to_vec());
    let folder = builder::folder(&project, &name);
    fs::create_dir_all(&folder).map_err(|error| unreadable(&folder, &error))?;
    let lock = builder::lock(&folder, tell).await?;
    tell(Progress::Line(format!("reading {path}")));
    let work = move || {
        let _lock = lock;
        let digest = match &platforms[..] {
            [] => digest(&archive)?,
            wanted => Digest::of(format!("{} {}", digest(&archive)?, listed(wanted))),
        };
        let place = folder.join(digest.hex());
        let lies_there = || {
            let layout = Layout::open(&place)?;
            let entry = layout.entry(None)?;
            // An older version of this program kept attestations.
            let entry = choice::choose(&layout, &[entry], &platforms)?;
            layout.set_entry(&entry)?;
            layout.load(&entry, Check::Sizes)
        };
        if let Ok(image) = lies_there() {
            return Ok((image, digest));
        }
        builder::clear(&folder)?;
        let partial = tempfile::Builder::new().prefix(PARTIAL).tempdir_in(&folder);
        let partial = partial.map_err(|error| unreadable(&folder, &error))?;
        let made = partial.path().join("layout");
        archive::import(&archive, &Layout::create(&made)?, &platforms)?;
        match fs::remove_dir_all(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unreadable(&place, &error)),
            _ => {}
        }
        fs::rename(&made, &place).map_err(|error| unreadable(&place, &error))?;
        Ok((lies_there()?, digest))
    };
    Ok(tokio::task::spawn_blocking(work).await??)
}

/// What the images of an archive are made for, as far as they say it. Nothing is kept of it.
///
/// # Errors
/// As [`of_archive`].
pub fn platforms(project: &Path, path: &str) -> Result<Vec<Platform>, Error> {
    let project = project.canonicalize().map_err(|error| unreadable(project, &error))?;
    archive::platforms(&inside(&project, &project, path, "archive")?)
}

/// `linux/amd64,linux/arm64`, as builders take it.
pub(super) fn listed(platforms: &[Platform]) -> String {
    platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn digest(path: &Path) -> Result<Digest, Error> {
    // Opening a named pipe would wait for whoever writes into it.
    if !path.is_file() {
        return Err(Error::new(Kind::Configuration, format!("{} is no regular file", path.display())));
    }
    let mut reader = HashingReader::new(File::open(path).map_err(|error| unreadable(path, &error))?);
    io::copy(&mut reader, &mut io::sink()).map_err(|error| unreadable(path, &error))?;
    Ok(reader.finish().0)
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::new(Kind::Configuration, format!("cannot use {}: {}", path.display(), reason(error)))
}

//! Image archives → OCI layouts: OCI archives and what `docker save` and `podman save` write, plain or gzipped.
//!
//! An archive is read twice from beginning to end and never unpacked: first for the names and the small documents, then
//! for the blobs, each streamed to the name that its own digest gives it. No path of an archive becomes a path of ours.

mod contents;
mod docker;
mod oci;
#[cfg(test)]
mod tests;

use super::choice;
use super::layout::{Check, Layout};
use super::model::{Image, Platform};
use crate::error::{Error, Kind};
use contents::Contents;
use std::path::Path;

/// Brings the image of an archive into an empty layout, and checks every digest on the way. Without platforms the archive's
/// one image, whatever it is for.
///
/// # Errors
/// The file is no archive of an image, has several, none of a platform that is wanted, or is damaged.
pub fn import(archive: &Path, layout: &Layout, platforms: &[Platform]) -> Result<Image, Error> {
    let contents = Contents::survey(archive)?;
    let entries = if contents.has("oci-layout") && contents.has("index.json") {
        oci::import(archive, &contents, layout)?
    } else if contents.has("manifest.json") {
        vec![docker::import(archive, &contents, layout)?]
    } else {
        return Err(neither(archive));
    };
    let entry = choice::choose(layout, &entries, platforms).map_err(|error| of_archive(archive, error))?;
    layout.set_entry(&entry)?;
    // Blobs got their names from their own bytes as they came in; what is left to check is that they are all there.
    layout.load(&entry, Check::Sizes).map_err(|error| wrong(archive, error.message))
}

/// What the images of an archive are made for, as their configurations say; nothing is brought anywhere.
///
/// # Errors
/// The file is no archive of an image.
pub fn platforms(archive: &Path) -> Result<Vec<Platform>, Error> {
    let contents = Contents::survey(archive)?;
    if contents.has("oci-layout") && contents.has("index.json") {
        oci::platforms(archive, &contents)
    } else if contents.has("manifest.json") {
        docker::platforms(archive, &contents)
    } else {
        Err(neither(archive))
    }
}

fn neither(archive: &Path) -> Error {
    wrong(archive, "it has neither `index.json` (OCI) nor `manifest.json` (docker save)")
        .hint("`docker save`, `podman save` and `skopeo copy … oci-archive:` write archives of images")
}

/// Names the archive in what is wrong with its images.
fn of_archive(archive: &Path, error: Error) -> Error {
    match error.problems.first() {
        Some(problem) => wrong(archive, &problem.message)
            .hint("save one image: `docker save NAME`; or say which `platform` is wanted"),
        None => wrong(archive, error.message),
    }
}

fn wrong(archive: &Path, why: impl std::fmt::Display) -> Error {
    Error::new(Kind::Configuration, format!("{} is no usable image archive: {why}", archive.display()))
}

//! Image archives → OCI layouts: OCI archives and what `docker save` and `podman save` write, plain or gzipped.
//!
//! An archive is read twice from beginning to end and never unpacked: first for the names and the small documents, then
//! for the blobs, each streamed to the name that its own digest gives it. No path of an archive becomes a path of ours.

mod contents;
mod docker;
mod oci;
#[cfg(test)]
mod tests;

use super::layout::{Check, Layout};
use super::model::{Image, Platform};
use crate::error::{Error, Kind};
use contents::Contents;
use std::path::Path;

/// Brings the image of an archive into an empty layout, and checks every digest on the way.
///
/// # Errors
/// The file is no archive of an image, has several, or is damaged.
pub fn import(archive: &Path, layout: &Layout, platform: Option<&Platform>) -> Result<Image, Error> {
    let contents = Contents::survey(archive)?;
    let entry = if contents.has("oci-layout") && contents.has("index.json") {
        oci::import(archive, &contents, layout, platform)?
    } else if contents.has("manifest.json") {
        docker::import(archive, &contents, layout)?
    } else {
        let error = wrong(archive, "it has neither `index.json` (OCI) nor `manifest.json` (docker save)");
        return Err(
            error.hint("`docker save`, `podman save` and `skopeo copy … oci-archive:` write archives of images")
        );
    };
    layout.set_entry(&entry)?;
    // Blobs got their names from their own bytes as they came in; what is left to check is that they are all there.
    layout.load(&entry, Check::Sizes).map_err(|error| wrong(archive, error.message))
}

fn wrong(archive: &Path, why: impl std::fmt::Display) -> Error {
    Error::new(Kind::Configuration, format!("{} is no usable image archive: {why}", archive.display()))
}

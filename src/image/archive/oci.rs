//! OCI archives: a layout in a tar file. Blobs stay as they are.

use super::contents::{Contents, Entry, copying, each};
use super::wrong;
use crate::error::Error;
use crate::image::digest::Digest;
use crate::image::layout::Layout;
use crate::image::model::{Descriptor, Index, Platform, media_type};
use std::io;
use std::path::Path;

const BLOBS: &str = "blobs/sha256/";

/// Copies the blobs and chooses the image.
pub(super) fn import(
    archive: &Path,
    contents: &Contents,
    layout: &Layout,
    platform: Option<&Platform>,
) -> Result<Descriptor, Error> {
    let text = contents.document("index.json").unwrap_or_default();
    let index: Index = serde_json::from_slice(text).map_err(|error| wrong(archive, format!("index.json: {error}")))?;
    each(archive, |name, entry, reader| {
        let (Some(hex), Entry::File { .. }) = (name.strip_prefix(BLOBS), entry) else { return Ok(()) };
        let expected: Digest =
            format!("sha256:{hex}").parse().map_err(|error| wrong(archive, format!("its blob `{name}`: {error}")))?;
        let mut writer = layout.writer()?;
        io::copy(reader, &mut writer).map_err(|error| copying(archive, &name, &error))?;
        let (found, bytes) = writer.finish()?;
        match found == expected {
            true => Ok(()),
            false => {
                Err(wrong(archive, format!("its blob `{name}` is damaged: its {bytes} bytes have the digest {found}")))
            }
        }
    })?;
    let entry = choose(archive, index, platform)?;
    if !media_type::is_manifest(&entry.media_type) && !media_type::is_index(&entry.media_type) {
        return Err(wrong(archive, format!("{} is of type {}: no image", entry.digest, entry.media_type)));
    }
    // Names that the archive's maker gave it are none of ours.
    Ok(Descriptor { annotations: Default::default(), ..entry })
}

fn choose(archive: &Path, index: Index, platform: Option<&Platform>) -> Result<Descriptor, Error> {
    let mut entries = index.manifests;
    entries.sort_by_key(|entry| entry.digest);
    entries.dedup_by_key(|entry| entry.digest);
    if entries.len() > 1
        && let Some(platform) = platform
        && entries.iter().any(|entry| entry.platform.as_ref() == Some(platform))
    {
        entries.retain(|entry| entry.platform.as_ref() == Some(platform));
    }
    match (entries.pop(), entries.len()) {
        (Some(entry), 0) => Ok(entry),
        (Some(_), others) => Err(wrong(archive, format!("it has {} images; one is expected", others + 1))
            .hint("save one image: `docker save NAME`; or say which `platform` is wanted")),
        (None, _) => Err(wrong(archive, "its index.json lists no image")),
    }
}

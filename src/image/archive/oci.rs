//! OCI archives: a layout in a tar file. Blobs stay as they are.

use super::contents::{Contents, Entry, copying, document, each};
use super::wrong;
use crate::error::Error;
use crate::image::choice::{is_attestation, platform_of};
use crate::image::digest::Digest;
use crate::image::layout::Layout;
use crate::image::model::{Descriptor, Index, Manifest, Platform, media_type};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

const BLOBS: &str = "blobs/sha256/";

/// Blobs up to this size may be manifests, indexes and configurations.
const SMALL_BYTES: u64 = 1024 * 1024;

/// Copies the blobs. Gives what the archive's index lists.
pub(super) fn import(archive: &Path, contents: &Contents, layout: &Layout) -> Result<Vec<Descriptor>, Error> {
    let index = index(archive, contents)?;
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
    let mut entries = index.manifests;
    // The same image under several names.
    entries.sort_by_key(|entry| entry.digest);
    entries.dedup_by_key(|entry| entry.digest);
    if let Some(other) = entries.iter().find(|entry| !is_image(entry)) {
        return Err(wrong(archive, format!("{} is of type {}: no image", other.digest, other.media_type)));
    }
    match entries.is_empty() {
        true => Err(wrong(archive, "its index.json lists no image")),
        false => Ok(entries),
    }
}

fn index(archive: &Path, contents: &Contents) -> Result<Index, Error> {
    let text = contents.document("index.json").unwrap_or_default();
    serde_json::from_slice(text).map_err(|error| wrong(archive, format!("index.json: {error}")))
}

fn is_image(entry: &Descriptor) -> bool {
    media_type::is_manifest(&entry.media_type) || media_type::is_index(&entry.media_type)
}

/// What the configurations of the archive's images say.
pub(super) fn platforms(archive: &Path, contents: &Contents) -> Result<Vec<Platform>, Error> {
    let mut small: BTreeMap<Digest, Vec<u8>> = BTreeMap::new();
    each(archive, |name, entry, reader| {
        let (Some(hex), Entry::File { size_bytes }) = (name.strip_prefix(BLOBS), entry) else { return Ok(()) };
        if let (Ok(digest), true) = (format!("sha256:{hex}").parse(), size_bytes <= SMALL_BYTES) {
            let bytes = document(archive, &name, reader)?;
            // Layers are no JSON.
            if bytes.first() == Some(&b'{') {
                small.insert(digest, bytes);
            }
        }
        Ok(())
    })?;
    let mut found = Vec::new();
    let mut open = index(archive, contents)?.manifests;
    let mut seen = BTreeSet::new();
    while let Some(entry) = open.pop() {
        let text = small.get(&entry.digest).filter(|_| !is_attestation(&entry) && seen.insert(entry.digest));
        let Some(text) = text else { continue };
        if media_type::is_index(&entry.media_type) {
            open.extend(serde_json::from_slice::<Index>(text).map(|index| index.manifests).unwrap_or_default());
        } else if let Ok(manifest) = serde_json::from_slice::<Manifest>(text) {
            found.extend(small.get(&manifest.config.digest).and_then(|config| platform_of(config)));
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

//! What `docker save` and `podman save` write: `manifest.json`, a configuration, and layers, mostly not compressed.
//!
//! Layers that are compressed stay as they are; the others are gzipped, for registries bill and tasks wait by the byte.
//! Each layer's contents must have the digest that the configuration says (`rootfs.diff_ids`).

use super::contents::{Compression, Contents, copying, document, each};
use super::wrong;
use crate::error::Error;
use crate::image::choice::platform_of;
use crate::image::digest::{Digest, Hasher, HashingReader};
use crate::image::layout::Layout;
use crate::image::model::{Descriptor, Manifest, Platform, media_type};
use flate2::write::{GzEncoder, MultiGzDecoder};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::Path;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    layers: Vec<String>,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Configuration {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<Digest>,
}

/// A layer as it went into the layout.
struct Layer {
    descriptor: Descriptor,
    /// Of the unpacked layer; none for a compression that is not unpacked here.
    diff_id: Option<Digest>,
}

/// Makes an OCI image of the one that was saved.
pub(super) fn import(archive: &Path, contents: &Contents, layout: &Layout) -> Result<Descriptor, Error> {
    let saved = the_one(archive, contents)?;
    let file = |name: &str| {
        let found = contents.file(name).map(str::to_owned);
        found.ok_or_else(|| wrong(archive, format!("`{name}`, which manifest.json names, is not in it")))
    };
    let config_file = file(&saved.config)?;
    let layer_files = saved.layers.iter().map(|name| file(name)).collect::<Result<Vec<String>, Error>>()?;
    let mut config = None;
    let mut layers: BTreeMap<String, Layer> = BTreeMap::new();
    each(archive, |name, _, reader| {
        if name == config_file {
            config = Some(document(archive, &name, reader)?);
        } else if layer_files.contains(&name) && !layers.contains_key(&name) {
            let layer = add_layer(archive, &name, reader, layout)?;
            layers.insert(name, layer);
        }
        Ok(())
    })?;
    let config = config.ok_or_else(|| wrong(archive, format!("`{config_file}` is no file")))?;
    check_name(archive, &saved.config, &config)?;
    let parsed: Configuration = serde_json::from_slice(&config)
        .map_err(|error| wrong(archive, format!("its configuration `{config_file}`: {error}")))?;
    let layers = layer_files
        .iter()
        .map(|name| layers.get(name).ok_or_else(|| wrong(archive, format!("`{name}` is no file"))))
        .collect::<Result<Vec<&Layer>, Error>>()?;
    check_contents(archive, &parsed.rootfs.diff_ids, &layer_files, &layers)?;
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(media_type::OCI_MANIFEST.to_owned()),
        config: layout.add(media_type::OCI_CONFIG, &config)?,
        layers: layers.iter().map(|layer| layer.descriptor.clone()).collect(),
        annotations: BTreeMap::new(),
    };
    let manifest = serde_json::to_vec(&manifest).map_err(|error| wrong(archive, error))?;
    layout.add(media_type::OCI_MANIFEST, &manifest)
}

/// What the configuration of the saved image says.
pub(super) fn platforms(archive: &Path, contents: &Contents) -> Result<Vec<Platform>, Error> {
    let saved = the_one(archive, contents)?;
    let named = contents.file(&saved.config).map(str::to_owned);
    let mut config = contents.document(&saved.config).map(<[u8]>::to_vec);
    if config.is_none() {
        each(archive, |name, _, reader| {
            if named.as_ref() == Some(&name) {
                config = Some(document(archive, &name, reader)?);
            }
            Ok(())
        })?;
    }
    Ok(config.and_then(|config| platform_of(&config)).into_iter().collect())
}

fn the_one(archive: &Path, contents: &Contents) -> Result<Saved, Error> {
    let text = contents.document("manifest.json").unwrap_or_default();
    let mut saved: Vec<Saved> =
        serde_json::from_slice(text).map_err(|error| wrong(archive, format!("manifest.json: {error}")))?;
    match (saved.pop(), saved.len()) {
        (Some(one), 0) => Ok(one),
        (Some(last), others) => {
            let names = saved.iter().chain([&last]).filter_map(|image| image.repo_tags.as_ref()?.first().cloned());
            let error = wrong(archive, format!("it has {} images; one is expected", others + 1));
            Err(error.detail(names.collect::<Vec<String>>().join(", ")).hint("save one image: `docker save NAME`"))
        }
        (None, _) => Err(wrong(archive, "its manifest.json lists no image")),
    }
}

/// Configurations are called by their own digest.
fn check_name(archive: &Path, name: &str, config: &[u8]) -> Result<(), Error> {
    let hex = name.rsplit('/').next().unwrap_or(name);
    let named: Option<Digest> = format!("sha256:{}", hex.strip_suffix(".json").unwrap_or(hex)).parse().ok();
    match named.is_none_or(|named| named == Digest::of(config)) {
        true => Ok(()),
        false => Err(wrong(archive, format!("its configuration `{name}` is damaged: it has another digest"))),
    }
}

fn check_contents(archive: &Path, diff_ids: &[Digest], names: &[String], layers: &[&Layer]) -> Result<(), Error> {
    if diff_ids.len() != layers.len() {
        let message = format!("it has {} layers, its configuration {}", layers.len(), diff_ids.len());
        return Err(wrong(archive, message));
    }
    for ((expected, name), layer) in diff_ids.iter().zip(names).zip(layers) {
        if let Some(found) = layer.diff_id
            && found != *expected
        {
            let message = format!("its layer `{name}` is damaged: its digest is {found}, not {expected}");
            return Err(wrong(archive, message));
        }
    }
    Ok(())
}

fn add_layer(archive: &Path, name: &str, reader: &mut dyn Read, layout: &Layout) -> Result<Layer, Error> {
    let failed = |error: io::Error| copying(archive, name, &error);
    let mut magic = Vec::new();
    let mut reader = reader;
    Read::by_ref(&mut reader).take(6).read_to_end(&mut magic).map_err(failed)?;
    let mut reader = magic.as_slice().chain(reader);
    let mut writer = layout.writer()?;
    let (media_type, diff_id) = match Compression::of(&magic) {
        Compression::None => {
            let mut hashing = HashingReader::new(reader);
            let mut gzip = GzEncoder::new(&mut writer, flate2::Compression::default());
            io::copy(&mut hashing, &mut gzip).map_err(failed)?;
            gzip.finish().map_err(failed)?;
            (media_type::OCI_LAYER_GZIP, Some(hashing.finish().0))
        }
        Compression::Gzip => {
            let mut both = Unpacking { writer: &mut writer, unpacked: MultiGzDecoder::new(Unpacked::default()) };
            io::copy(&mut reader, &mut both).map_err(failed)?;
            let unpacked = both.unpacked.finish().map_err(failed)?;
            (media_type::OCI_LAYER_GZIP, Some(unpacked.0.finish()))
        }
        Compression::Zstd => {
            io::copy(&mut reader, &mut writer).map_err(failed)?;
            (media_type::OCI_LAYER_ZSTD, None)
        }
        Compression::Xz => {
            return Err(wrong(archive, format!("`{name}` is compressed with xz, which no registry takes")));
        }
    };
    let (digest, size_bytes) = writer.finish()?;
    Ok(Layer { descriptor: Descriptor::new(media_type, digest, size_bytes), diff_id })
}

/// Writes a gzipped layer as it is and looks at what is in it.
struct Unpacking<W: Write> {
    writer: W,
    unpacked: MultiGzDecoder<Unpacked>,
}

impl<W: Write> Write for Unpacking<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unpacked.write_all(bytes)?;
        self.writer.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[derive(Default)]
struct Unpacked(Hasher);

impl Write for Unpacked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

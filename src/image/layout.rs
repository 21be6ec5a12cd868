//! An OCI image layout: `oci-layout`, `index.json` and `blobs/sha256/<hex>` (image specification v1.1, "image layout").
//!
//! What always holds: a blob gets its name only once its bytes are all there and have that digest; whatever is read is
//! checked against the size and the digest that its descriptor says.

use super::digest::{Digest, HashingReader, HashingWriter};
use super::model::{Descriptor, Image, Index, Manifest, Platform, media_type};
use crate::error::{Error, Kind};
use crate::files::reason;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Manifests, indexes and configurations above this are refused: registries take no manifest over 4 MiB.
const DOCUMENT_LIMIT_BYTES: u64 = 4 * 1024 * 1024;

/// An index in an index in an index: nobody makes more.
const DEEPEST: usize = 4;

/// How closely [`Layout::load`] looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Manifests and configurations are read; layers must be there and have their size.
    Sizes,
    /// Every byte of every blob is read and hashed.
    Contents,
}

/// A folder that is an OCI layout.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

/// What a descriptor of a layout leads to: the manifests' own bytes, as they have the digest, and what they say.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "one is read at a time")]
pub enum Document {
    Manifest(Manifest),
    Index(Index),
}

impl Layout {
    /// An empty layout in a folder that is made if it is not there.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create(root: &Path) -> Result<Layout, Error> {
        let layout = Layout { root: root.to_owned() };
        fs::create_dir_all(layout.blobs()).map_err(|error| layout.broken(reason(&error)))?;
        let version = json!({"imageLayoutVersion": "1.0.0"}).to_string();
        fs::write(root.join("oci-layout"), version).map_err(|error| layout.broken(reason(&error)))?;
        Ok(layout)
    }

    /// # Errors
    /// The folder is no OCI layout, or one of a version that is not known.
    pub fn open(root: &Path) -> Result<Layout, Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Marker {
            image_layout_version: String,
        }
        let layout = Layout { root: root.to_owned() };
        let text = layout.small_file("oci-layout")?;
        let marker: Marker =
            serde_json::from_slice(&text).map_err(|error| layout.broken(format!("oci-layout: {error}")))?;
        match marker.image_layout_version.as_str() {
            "1.0.0" => Ok(layout),
            other => Err(layout.broken(format!("its version is {other}; 1.0.0 is known"))),
        }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the blob lies, if it is there.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.blobs().join(digest.hex())
    }

    fn blobs(&self) -> PathBuf {
        self.root.join("blobs/sha256")
    }

    /// What `index.json` lists.
    ///
    /// # Errors
    /// It is missing or says something else than an index.
    pub fn index(&self) -> Result<Index, Error> {
        let text = self.small_file("index.json")?;
        serde_json::from_slice(&text).map_err(|error| self.broken(format!("index.json: {error}")))
    }

    /// The image that the layout is about. Of several entries, the one for `platform` counts.
    ///
    /// # Errors
    /// There is none, or more than one that it could be.
    pub fn entry(&self, platform: Option<&Platform>) -> Result<Descriptor, Error> {
        let mut entries = self.index()?.manifests;
        // The same image under several names.
        entries.sort_by_key(|entry| entry.digest);
        entries.dedup_by_key(|entry| entry.digest);
        if entries.len() > 1
            && let Some(platform) = platform
        {
            entries.retain(|entry| entry.platform.as_ref() == Some(platform));
        }
        match (entries.pop(), entries.len()) {
            (Some(entry), 0) => Ok(entry),
            (Some(_), others) => Err(self.broken(format!("it has {} images; one is expected", others + 1))),
            (None, _) => match platform {
                Some(platform) => Err(self.broken(format!("it has no image for {platform}"))),
                None => Err(self.broken("it has no image")),
            },
        }
    }

    /// Makes this the layout's one image.
    ///
    /// # Errors
    /// `index.json` cannot be written.
    pub fn set_entry(&self, entry: &Descriptor) -> Result<(), Error> {
        let index = Index {
            schema_version: 2,
            media_type: Some(media_type::OCI_INDEX.to_owned()),
            manifests: vec![entry.clone()],
            annotations: BTreeMap::new(),
        };
        let text = serde_json::to_vec(&index).map_err(|error| self.broken(error.to_string()))?;
        fs::write(self.root.join("index.json"), text).map_err(|error| self.broken(reason(&error)))
    }

    /// A manifest, index or configuration: its bytes, checked.
    ///
    /// # Errors
    /// It is missing, too big, or not what the descriptor says.
    pub fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, Error> {
        let Descriptor { digest, size_bytes, .. } = descriptor;
        if *size_bytes > DOCUMENT_LIMIT_BYTES {
            return Err(self.broken(format!(
                "{digest} ({}) has {size_bytes} bytes; at most {DOCUMENT_LIMIT_BYTES} are read",
                descriptor.media_type
            )));
        }
        let mut bytes = Vec::new();
        self.blob(descriptor)?.read_to_end(&mut bytes).map_err(|error| self.unreadable(digest, &error))?;
        Ok(bytes)
    }

    /// What a descriptor of a manifest or an index leads to.
    ///
    /// # Errors
    /// It is neither, or [`Self::document`] fails.
    pub fn read(&self, descriptor: &Descriptor) -> Result<Document, Error> {
        let bytes = self.document(descriptor)?;
        let wrong = |error: serde_json::Error| self.broken(format!("{}: {error}", descriptor.digest));
        if media_type::is_manifest(&descriptor.media_type) {
            Ok(Document::Manifest(serde_json::from_slice(&bytes).map_err(wrong)?))
        } else if media_type::is_index(&descriptor.media_type) {
            Ok(Document::Index(serde_json::from_slice(&bytes).map_err(wrong)?))
        } else {
            let message = format!("{} is of type {}: no image", descriptor.digest, descriptor.media_type);
            Err(self.broken(message))
        }
    }

    /// A blob to read through once. The size is checked here, the digest when its end is read: a wrong one is an error
    /// of that last read.
    ///
    /// # Errors
    /// It is missing, or of another size than the descriptor says.
    pub fn blob(&self, descriptor: &Descriptor) -> Result<BlobReader, Error> {
        let Descriptor { digest, size_bytes, .. } = descriptor;
        let file = File::open(self.blob_path(digest)).map_err(|error| self.unreadable(digest, &error))?;
        let found = file.metadata().map_err(|error| self.unreadable(digest, &error))?.len();
        if found != *size_bytes {
            let message = format!("blob {digest} has {found} bytes instead of {size_bytes}");
            return Err(self.broken(message));
        }
        Ok(BlobReader { inner: Some(HashingReader::new(file)), expected: *digest })
    }

    /// Adds a blob that is at hand.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&self, media_type: &str, bytes: &[u8]) -> Result<Descriptor, Error> {
        let mut writer = self.writer()?;
        writer.write_all(bytes).map_err(|error| self.broken(reason(&error)))?;
        let (digest, size_bytes) = writer.finish()?;
        Ok(Descriptor::new(media_type, digest, size_bytes))
    }

    /// A new blob, to be written piece by piece. It is in the layout once [`BlobWriter::finish`] says so; a writer that is
    /// dropped leaves nothing.
    ///
    /// # Errors
    /// No file can be made.
    pub fn writer(&self) -> Result<BlobWriter<'_>, Error> {
        let file = NamedTempFile::new_in(&self.root).map_err(|error| self.broken(reason(&error)))?;
        Ok(BlobWriter { layout: self, inner: HashingWriter::new(file) })
    }

    /// The image behind `entry` with all that it is made of.
    ///
    /// # Errors
    /// A blob is missing, or not what its descriptor says.
    pub fn load(&self, entry: &Descriptor, check: Check) -> Result<Image, Error> {
        let mut blobs = BTreeMap::new();
        self.walk(entry, check, DEEPEST, &mut blobs)?;
        Ok(Image {
            digest: entry.digest,
            media_type: entry.media_type.clone(),
            layout: self.root.clone(),
            size_bytes: blobs.values().sum(),
        })
    }

    fn walk(
        &self,
        entry: &Descriptor,
        check: Check,
        depth: usize,
        blobs: &mut BTreeMap<Digest, u64>,
    ) -> Result<(), Error> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(self.broken(format!("its indexes are nested more than {DEEPEST} deep")));
        };
        if blobs.insert(entry.digest, entry.size_bytes).is_some() {
            return Ok(());
        }
        match self.read(entry)? {
            Document::Index(index) => {
                index.manifests.iter().try_for_each(|entry| self.walk(entry, check, depth, blobs))
            }
            Document::Manifest(manifest) => {
                for blob in std::iter::once(&manifest.config).chain(&manifest.layers) {
                    if blobs.insert(blob.digest, blob.size_bytes).is_some() {
                        continue;
                    }
                    let mut reader = self.blob(blob)?;
                    if check == Check::Contents {
                        io::copy(&mut reader, &mut io::sink())
                            .map_err(|error| self.unreadable(&blob.digest, &error))?;
                    }
                }
                Ok(())
            }
        }
    }

    fn small_file(&self, name: &str) -> Result<Vec<u8>, Error> {
        let file =
            File::open(self.root.join(name)).map_err(|error| self.broken(format!("{name}: {}", reason(&error))))?;
        let mut bytes = Vec::new();
        file.take(DOCUMENT_LIMIT_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| self.broken(format!("{name}: {}", reason(&error))))?;
        match bytes.len() as u64 > DOCUMENT_LIMIT_BYTES {
            true => Err(self.broken(format!("{name} is longer than {DOCUMENT_LIMIT_BYTES} bytes"))),
            false => Ok(bytes),
        }
    }

    fn unreadable(&self, digest: &Digest, error: &io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::NotFound => self.broken(format!("blob {digest} is missing")),
            io::ErrorKind::InvalidData => self.broken(error.to_string()),
            _ => self.broken(format!("blob {digest}: {}", reason(error))),
        }
    }

    fn broken(&self, why: impl std::fmt::Display) -> Error {
        Error::new(Kind::Other, format!("the image layout {} is not usable: {why}", self.root.display()))
    }
}

/// Reads a blob and checks its digest at the end.
pub struct BlobReader {
    inner: Option<HashingReader<File>>,
    expected: Digest,
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(inner) = &mut self.inner else { return Ok(0) };
        let count = inner.read(buffer)?;
        if count == 0
            && !buffer.is_empty()
            && let Some(inner) = self.inner.take()
        {
            let (digest, bytes) = inner.finish();
            if digest != self.expected {
                let message = format!("blob {} is damaged: its {bytes} bytes have the digest {digest}", self.expected);
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
        }
        Ok(count)
    }
}

/// Writes a blob whose digest is not known before its end.
pub struct BlobWriter<'a> {
    layout: &'a Layout,
    inner: HashingWriter<NamedTempFile>,
}

impl BlobWriter<'_> {
    /// Puts the blob to its place: its digest and size.
    ///
    /// # Errors
    /// It cannot be put there.
    pub fn finish(self) -> Result<(Digest, u64), Error> {
        let (file, digest, bytes) = self.inner.finish();
        // Like every other file of the layout, not for the owner's eyes alone.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::Permissions::from_mode(0o644);
            fs::set_permissions(file.path(), mode).map_err(|error| self.layout.broken(reason(&error)))?;
        }
        file.persist(self.layout.blob_path(&digest)).map_err(|error| self.layout.broken(reason(&error.error)))?;
        Ok((digest, bytes))
    }
}

impl Write for BlobWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A layout with an image of one layer.
    fn sample(root: &Path) -> (Layout, Descriptor, Descriptor) {
        let layout = Layout::create(root).unwrap();
        let config = layout.add(media_type::OCI_CONFIG, b"{}").unwrap();
        let layer = layout.add(media_type::OCI_LAYER, b"layer").unwrap();
        let manifest = Manifest {
            schema_version: 2,
            media_type: None,
            config,
            layers: vec![layer.clone(), layer.clone()],
            annotations: BTreeMap::new(),
        };
        let entry = layout.add(media_type::OCI_MANIFEST, &serde_json::to_vec(&manifest).unwrap()).unwrap();
        layout.set_entry(&entry).unwrap();
        (layout, entry, layer)
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let (_, entry, layer) = sample(folder.path());
        let layout = Layout::open(folder.path()).unwrap();
        assert_eq!(layout.entry(None).unwrap(), entry);
        let image = layout.load(&entry, Check::Contents).unwrap();
        // The layer is there twice and counts once.
        assert_eq!(image.size_bytes, entry.size_bytes + 2 + layer.size_bytes);
        assert_eq!((image.digest, image.layout.as_path()), (entry.digest, folder.path()));
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 3, "{left:?}");
    }

    #[test]
    fn damaged_cut_and_missing_blobs_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let (layout, entry, layer) = sample(folder.path());
        let why = |check| layout.load(&entry, check).unwrap_err().message;
        fs::write(layout.blob_path(&layer.digest), b"lAyer").unwrap();
        assert!(layout.load(&entry, Check::Sizes).is_ok());
        assert!(why(Check::Contents).contains("is damaged: its 5 bytes have the digest sha256:"));
        fs::write(layout.blob_path(&layer.digest), b"lay").unwrap();
        assert!(why(Check::Sizes).contains("has 3 bytes instead of 5"));
        fs::remove_file(layout.blob_path(&layer.digest)).unwrap();
        assert!(why(Check::Sizes).ends_with(&format!("blob {} is missing", layer.digest)));
        fs::write(layout.blob_path(&entry.digest), vec![b' '; entry.size_bytes as usize]).unwrap();
        assert!(why(Check::Sizes).contains("is damaged"));
    }

    #[test]
    fn several_entries_need_a_platform() {
        let folder = tempfile::tempdir().unwrap();
        let (layout, entry, layer) = sample(folder.path());
        let platform = Platform::linux_amd64();
        let other = Descriptor { platform: Some("linux/arm64".parse().unwrap()), ..layer };
        let entry = Descriptor { platform: Some(platform.clone()), ..entry };
        let index = json!({"schemaVersion": 2, "manifests": [other, entry, entry]});
        fs::write(folder.path().join("index.json"), index.to_string()).unwrap();
        assert!(layout.entry(None).unwrap_err().message.contains("it has 2 images; one is expected"));
        assert_eq!(layout.entry(Some(&platform)).unwrap(), entry);
        let s390x = "linux/s390x".parse().unwrap();
        assert!(layout.entry(Some(&s390x)).unwrap_err().message.contains("no image for linux/s390x"));
    }

    #[test]
    fn other_folders_are_no_layouts() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Layout::open(folder.path()).unwrap_err().message.contains("oci-layout: there is no such file"));
        fs::write(folder.path().join("oci-layout"), r#"{"imageLayoutVersion": "2.0.0"}"#).unwrap();
        assert!(Layout::open(folder.path()).unwrap_err().message.contains("its version is 2.0.0"));
    }

    #[test]
    fn an_index_that_holds_itself_ends() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::create(folder.path()).unwrap();
        let mut entry = layout.add(media_type::OCI_INDEX, br#"{"schemaVersion":2,"manifests":[]}"#).unwrap();
        for _ in 0..DEEPEST {
            let index = json!({"schemaVersion": 2, "manifests": [entry]});
            entry = layout.add(media_type::OCI_INDEX, index.to_string().as_bytes()).unwrap();
        }
        assert!(layout.load(&entry, Check::Sizes).unwrap_err().message.contains("nested more than 4 deep"));
    }
}

//! What an archive has in it, by name.

use super::wrong;
use crate::error::Error;
use crate::files::reason;
use flate2::read::MultiGzDecoder;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use tar::EntryType;

/// Documents of an archive (`manifest.json`, `index.json`, `oci-layout`, configurations) above this are refused.
pub(super) const DOCUMENT_LIMIT_BYTES: u64 = 4 * 1024 * 1024;

/// More names than any image has.
const MOST_ENTRIES: usize = 100_000;

/// A name of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    File {
        size_bytes: u64,
    },
    /// To another name of the archive: older `docker save`s write a layer once and link to it.
    Link(String),
    Folder,
}

/// All names of an archive, and the documents at its top.
pub(super) struct Contents {
    entries: BTreeMap<String, Entry>,
    documents: BTreeMap<String, Vec<u8>>,
}

impl Contents {
    /// # Errors
    /// The file cannot be read, is no tar archive, or has names that lead out of it.
    pub fn survey(archive: &Path) -> Result<Contents, Error> {
        let mut contents = Contents { entries: BTreeMap::new(), documents: BTreeMap::new() };
        each(archive, |name, entry, reader| {
            if contents.entries.len() >= MOST_ENTRIES {
                return Err(wrong(archive, format!("it has more than {MOST_ENTRIES} entries")));
            }
            let is_document = !name.contains('/') && (name.ends_with(".json") || name == "oci-layout");
            if is_document && matches!(entry, Entry::File { .. }) {
                contents.documents.insert(name.clone(), document(archive, &name, reader)?);
            }
            contents.entries.insert(name, entry);
            Ok(())
        })?;
        Ok(contents)
    }

    pub fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// The text of a document at the archive's top.
    pub fn document(&self, name: &str) -> Option<&[u8]> {
        self.documents.get(name).map(Vec::as_slice)
    }

    /// The name of the file that `name` stands for, links followed.
    pub fn file(&self, name: &str) -> Option<&str> {
        let (mut name, mut entry) = self.entries.get_key_value(name)?;
        for _ in 0..self.entries.len() {
            match entry {
                Entry::File { .. } => return Some(name),
                Entry::Link(target) => (name, entry) = self.entries.get_key_value(target)?,
                Entry::Folder => return None,
            }
        }
        None
    }
}

/// Reads a small file whole.
///
/// # Errors
/// It is not small, or cannot be read.
pub(super) fn document(archive: &Path, name: &str, reader: &mut dyn Read) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    reader.take(DOCUMENT_LIMIT_BYTES + 1).read_to_end(&mut bytes).map_err(|error| damaged(archive, &error))?;
    match bytes.len() as u64 > DOCUMENT_LIMIT_BYTES {
        true => Err(wrong(archive, format!("`{name}` is longer than {DOCUMENT_LIMIT_BYTES} bytes"))),
        false => Ok(bytes),
    }
}

/// Calls `visit` with every name of the archive in the order in which they lie there.
///
/// # Errors
/// The archive's own, or the first of `visit`.
pub(super) fn each(
    archive: &Path,
    mut visit: impl FnMut(String, Entry, &mut dyn Read) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut tar = tar::Archive::new(open(archive)?);
    let entries = tar.entries().map_err(|error| damaged(archive, &error))?;
    let mut count = 0;
    for entry in entries {
        let mut entry = entry.map_err(|error| damaged(archive, &error))?;
        let raw = entry.path_bytes().into_owned();
        count += 1;
        let Some(name) = within(&raw, "") else {
            let name = String::from_utf8_lossy(&raw).into_owned();
            return Err(wrong(archive, format!("its entry `{name}` leads out of it")));
        };
        let kind = entry.header().entry_type();
        let linked = |base: &str| {
            let target = entry.link_name_bytes().map(|target| target.into_owned()).unwrap_or_default();
            within(&target, base).ok_or_else(|| {
                let target = String::from_utf8_lossy(&target).into_owned();
                wrong(archive, format!("its entry `{name}` links to `{target}`, which is not in it"))
            })
        };
        let found = match kind {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                Entry::File { size_bytes: entry.size() }
            }
            EntryType::Symlink => Entry::Link(linked(name.rsplit_once('/').map_or("", |(folder, _)| folder))?),
            EntryType::Link => Entry::Link(linked("")?),
            EntryType::Directory => Entry::Folder,
            EntryType::XGlobalHeader | EntryType::XHeader => continue,
            other => return Err(wrong(archive, format!("its entry `{name}` is neither file nor link ({other:?})"))),
        };
        visit(name, found, &mut entry)?;
    }
    match count {
        0 => Err(wrong(archive, "it is empty")),
        _ => Ok(()),
    }
}

/// Opens the archive, unzipped if it is gzipped.
fn open(archive: &Path) -> Result<Box<dyn Read>, Error> {
    let unreadable = |error: io::Error| wrong(archive, reason(&error));
    let metadata = std::fs::metadata(archive).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(wrong(archive, "it is no regular file"));
    }
    let mut file = File::open(archive).map_err(unreadable)?;
    let mut magic = Vec::new();
    Read::by_ref(&mut file).take(6).read_to_end(&mut magic).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    let file = BufReader::with_capacity(256 * 1024, file);
    match Compression::of(&magic) {
        Compression::None => Ok(Box::new(file)),
        Compression::Gzip => Ok(Box::new(MultiGzDecoder::new(file))),
        Compression::Zstd => Err(wrong(archive, "it is compressed with zstd").hint("unpack it first: `unzstd FILE`")),
        Compression::Xz => Err(wrong(archive, "it is compressed with xz").hint("unpack it first: `unxz FILE`")),
    }
}

/// How bytes are compressed, as their first ones tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
    Xz,
}

impl Compression {
    pub fn of(magic: &[u8]) -> Compression {
        match magic {
            [0x1F, 0x8B, ..] => Compression::Gzip,
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Compression::Zstd,
            [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Xz,
            _ => Compression::None,
        }
    }
}

/// `path`, seen from `base`, as a name within the archive; none for one that leads out of it.
fn within(path: &[u8], base: &str) -> Option<String> {
    let path = std::str::from_utf8(path).ok()?;
    let mut parts: Vec<&str> = match path.starts_with('/') {
        true => return None,
        false => base.split('/').filter(|part| !part.is_empty()).collect(),
    };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn damaged(archive: &Path, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => wrong(archive, "it ends too early"),
        _ => wrong(archive, reason(error)),
    }
}

/// An error of reading an entry or writing a blob.
pub(super) fn copying(archive: &Path, name: &str, error: &io::Error) -> Error {
    wrong(archive, format!("`{name}`: {}", reason(error)))
}

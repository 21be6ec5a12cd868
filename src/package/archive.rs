//! The archive as Lambda takes it. The same entries give the same bytes: sorted by name, without times, with modes 644 and
//! 755 only, packed by this program's own deflate.

use super::contents::Entries;
use crate::error::{Error, Kind};
use crate::files::reason;
use crate::image::Digest;
use crate::image::digest::HashingReader;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// What a function's code may hold, unpacked, with its layers ("Unzipped size must be smaller than 262144000 bytes"). The
/// 50 MB that Lambda's quotas name besides are for archives in the request itself; these come from a bucket.
pub const LIMIT_BYTES: u64 = 262_144_000;

/// Higher gains little and takes long.
const LEVEL: i64 = 6;

/// Folders that are named where the code is too large.
const LARGEST: usize = 5;

/// An archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packed {
    pub digest: Digest,
    pub bytes: u64,
}

/// Whether Lambda takes so much.
///
/// # Errors
/// It does not; where most of it lies.
pub fn check(name: &str, entries: &Entries, limit_bytes: u64) -> Result<(), Error> {
    let bytes: u64 = entries.values().map(|entry| entry.bytes).sum();
    if bytes < limit_bytes {
        return Ok(());
    }
    let mut parts: BTreeMap<&str, u64> = BTreeMap::new();
    for (path, entry) in entries {
        let depth = if path.starts_with("node_modules/") { 2 } else { 1 };
        let end = path.match_indices('/').nth(depth - 1).map_or(path.len(), |(at, _)| at);
        *parts.entry(&path[..end]).or_default() += entry.bytes;
    }
    let mut parts: Vec<(&str, u64)> = parts.into_iter().collect();
    parts.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let shown = |bytes: u64| indicatif::BinaryBytes(bytes).to_string();
    let message = format!(
        "the package `{name}` is too large: {} unpacked, and Lambda takes less than {}",
        shown(bytes),
        shown(limit_bytes)
    );
    let error = Error::new(Kind::Configuration, message);
    let error = parts
        .iter()
        .take(LARGEST)
        .fold(error, |error, (path, bytes)| error.detail(format!("{path}: {}", shown(*bytes))));
    Err(error
        .hint("leave out what is not needed at run time (.packageignore, devDependencies)")
        .hint("or run it as a container image, which may have 10 GB"))
}

/// Writes the archive.
///
/// # Errors
/// A file cannot be read, or is another one than when its digest was made; the archive cannot be written.
pub fn write(entries: &Entries, file: File, shown: &Path) -> Result<File, Error> {
    let failed =
        |error: &io::Error| Error::new(Kind::Other, format!("cannot write {}: {}", shown.display(), reason(error)));
    let mut writer = ZipWriter::new(BufWriter::new(file));
    for (name, entry) in entries {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL))
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(if entry.executable { 0o755 } else { 0o644 });
        writer.start_file(name.as_str(), options).map_err(|error| failed(&io_error(error)))?;
        let source = File::open(&entry.path).map_err(|error| super::contents::unreadable(&entry.path, &error))?;
        let mut source = HashingReader::new(BufReader::new(source));
        io::copy(&mut source, &mut writer).map_err(|error| failed(&error))?;
        if source.finish().0 != entry.digest {
            let message = format!("{} changed while it was packed", entry.path.display());
            return Err(Error::new(Kind::Other, message).hint("run the same command again"));
        }
    }
    let mut file = writer.finish().map_err(|error| failed(&io_error(error)))?;
    file.flush().map_err(|error| failed(&error))?;
    file.into_inner().map_err(|error| failed(error.error()))
}

/// The digest of an archive that is there.
///
/// # Errors
/// It cannot be read.
pub fn read(path: &Path) -> io::Result<Packed> {
    let mut reader = HashingReader::new(File::open(path)?);
    io::copy(&mut reader, &mut io::sink())?;
    let (digest, bytes) = reader.finish();
    Ok(Packed { digest, bytes })
}

/// The names of an archive's files.
///
/// # Errors
/// It cannot be read, or is no archive.
pub fn names(path: &Path) -> io::Result<BTreeSet<String>> {
    let archive = ZipArchive::new(BufReader::new(File::open(path)?)).map_err(io_error)?;
    archive.file_names().map(|name| Ok(name.map_err(io_error)?.into_owned())).collect()
}

fn io_error(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(error) => error,
        other => io::Error::other(other),
    }
}

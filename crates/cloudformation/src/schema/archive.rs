//! The embedded artifact: blocks of entries, decompressed only when one of theirs is asked for.
//!
//! `schemas/build.py` writes it and describes its layout. Whatever cannot be read is treated as not there; a test reads
//! every entry, so that a broken artifact never passes.

use std::sync::OnceLock;
use zstd::bulk::Decompressor;
use zstd::dict::DecoderDictionary;

static BYTES: &[u8] = include_bytes!("../../schemas/provider.bin");
const MAGIC: &[u8] = b"CFNSCHM1";
/// More than any part of the artifact: a bound, so that a damaged length cannot ask for all memory.
const LARGEST_PART: usize = 4 * 1024 * 1024;

struct Archive {
    provenance: &'static str,
    index: Vec<IndexLine>,
    dictionary: DecoderDictionary<'static>,
    blocks: Vec<Block>,
}

struct IndexLine {
    name: &'static str,
    block: usize,
    offset: usize,
    length: usize,
    extras: &'static str,
}

struct Block {
    compressed: &'static [u8],
    plain_length: usize,
    plain: OnceLock<Vec<u8>>,
}

/// The JSON of the entry called `name` and the names of the entries that belong to it.
pub(super) fn entry(name: &str) -> Option<(&'static [u8], impl Iterator<Item = &'static str>)> {
    let archive = archive()?;
    let at = archive.index.binary_search_by(|line| line.name.cmp(name)).ok()?;
    let line = &archive.index[at];
    let block = archive.blocks.get(line.block)?;
    let plain = block.plain.get_or_init(|| decompress(block, &archive.dictionary).unwrap_or_default());
    let json = plain.get(line.offset..line.offset.checked_add(line.length)?)?;
    Some((json, line.extras.split(',').filter(|extra| !extra.is_empty())))
}

/// The names of all entries, sorted; those of constraints start with `#`.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    archive().into_iter().flat_map(|archive| archive.index.iter().map(|line| line.name))
}

/// The provenance's JSON.
pub(super) fn provenance() -> &'static str {
    archive().map(|archive| archive.provenance).unwrap_or_default()
}

fn archive() -> Option<&'static Archive> {
    static ARCHIVE: OnceLock<Option<Archive>> = OnceLock::new();
    ARCHIVE.get_or_init(|| open(BYTES)).as_ref()
}

fn decompress(block: &Block, dictionary: &DecoderDictionary<'static>) -> Option<Vec<u8>> {
    let mut decompressor = Decompressor::with_prepared_dictionary(dictionary).ok()?;
    decompressor.decompress(block.compressed, block.plain_length.min(LARGEST_PART)).ok()
}

fn open(bytes: &'static [u8]) -> Option<Archive> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let mut plain = Decompressor::new().ok()?;
    let head = plain.decompress(part(&mut rest)?, LARGEST_PART).ok()?;
    let head = String::from_utf8(head).ok()?;
    let dictionary = DecoderDictionary::copy(&plain.decompress(part(&mut rest)?, LARGEST_PART).ok()?);
    let count = number(&mut rest)?;
    let lengths: Option<Vec<(usize, usize)>> =
        (0..count).map(|_| Some((number(&mut rest)?, number(&mut rest)?))).collect();
    let mut blocks = Vec::with_capacity(count);
    for (compressed_length, plain_length) in lengths? {
        let (compressed, more) = rest.split_at_checked(compressed_length)?;
        rest = more;
        blocks.push(Block { compressed, plain_length, plain: OnceLock::new() });
    }
    // The archive lives as long as the process: names may be borrowed from it for good.
    let head: &'static str = String::leak(head);
    let (provenance, lines) = head.split_once('\n')?;
    let index: Option<Vec<IndexLine>> = lines.lines().map(index_line).collect();
    Some(Archive { provenance, index: index?, dictionary, blocks })
}

fn index_line(line: &'static str) -> Option<IndexLine> {
    let mut fields = line.split('\t');
    let name = fields.next()?;
    let mut next = || fields.next()?.parse::<usize>().ok();
    let (block, offset, length) = (next()?, next()?, next()?);
    Some(IndexLine { name, block, offset, length, extras: fields.next()? })
}

fn number(bytes: &mut &'static [u8]) -> Option<usize> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    usize::try_from(u32::from_le_bytes(*head)).ok()
}

fn part(bytes: &mut &'static [u8]) -> Option<&'static [u8]> {
    let length = number(bytes)?;
    let (head, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_archives_are_refused() {
        assert!(open(b"").is_none());
        assert!(open(b"CFNSCHM2").is_none());
        assert!(open(b"CFNSCHM1\xff\xff\xff\xff").is_none());
        assert!(open(&BYTES[..BYTES.len() / 2]).is_none());
    }

    #[test]
    fn names_are_sorted_and_every_entry_can_be_read() {
        let names: Vec<_> = names().collect();
        assert!(names.is_sorted(), "the index is searched by halves");
        for name in names {
            let (json, _) = entry(name).unwrap_or_else(|| panic!("{name}"));
            for line in json.split(|byte| *byte == b'\n') {
                assert!(serde_json::from_slice::<serde_json::Value>(line).is_ok(), "{name}");
            }
        }
    }
}

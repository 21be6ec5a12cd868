//! What an object's headers say of it beside its own metadata: `Cache-Control`, `Content-Encoding` and their like.
//!
//! winterbaume keeps of all that only `Content-Type`, and of a copy always the source's. So on the way in each is
//! written as metadata of a reserved name, which winterbaume keeps with every version, copy and snapshot, and on the way
//! out it becomes the header again. (Amazon S3 User Guide, "System-defined object metadata".) Uploads in
//! parts are [`super::uploads`]'s.

use super::Call;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, EXPIRES};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// Headers that are given back as they came.
const KEPT: [HeaderName; 6] = [
    CACHE_CONTROL,
    CONTENT_DISPOSITION,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    EXPIRES,
    HeaderName::from_static("x-amz-website-redirect-location"),
];

const METADATA: &str = "x-amz-meta-";
/// Before the names of headers that are kept as metadata. S3 would take it from a client too; nobody calls metadata so.
const RESERVED: &str = "x-amz-meta-~system~";
/// Before the names of checksums that a client sent with an object; S3 gives them to those who ask for them.
/// (Amazon S3 User Guide, "Checking object integrity".)
const CHECKSUM: &str = "x-amz-checksum-";
const ALGORITHMS: [&str; 5] = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"];

/// What S3 takes an object for that nobody says anything of.
const ANYTHING: HeaderValue = HeaderValue::from_static("binary/octet-stream");

impl Call {
    /// Whether it makes an object with the headers that it has: a put, or a copy.
    pub(super) fn describes_object(&self) -> bool {
        let others = ["uploadId", "tagging", "acl", "retention", "legal-hold"];
        self.method == Method::PUT && !self.key.is_empty() && !others.iter().any(|name| self.has_parameter(name))
    }

    /// Whether its headers say more of the object than its type.
    pub(super) fn says_more_than_its_type(&self) -> bool {
        self.headers.keys().any(|name| KEPT.contains(name) || name.as_str().starts_with(METADATA))
    }

    /// Writes what its headers say of the object where it is kept.
    pub(super) fn keep_description(&mut self) {
        if !self.describes_object() {
            return;
        }
        let is_copy = self.headers.contains_key("x-amz-copy-source");
        let replaces = self.headers.get("x-amz-metadata-directive").is_some_and(|directive| directive == "REPLACE");
        if is_copy && !replaces {
            // A copy is described as its source is, whatever else the request says.
            let given: Vec<HeaderName> =
                self.headers.keys().filter(|name| name.as_str().starts_with(METADATA)).cloned().collect();
            given.iter().for_each(|name| drop(self.headers.remove(name)));
            return;
        }
        for name in KEPT {
            if let Some(value) = self.headers.get(&name).cloned() {
                self.headers.insert(reserved(&name), value);
            }
        }
        for (name, value) in checksums(&self.headers) {
            if let Some(name) = name {
                self.headers.insert(reserved(&name), value);
            }
        }
        if is_copy {
            // Also what keeps the source's metadata away where there is no other.
            let value = self.headers.get(CONTENT_TYPE).cloned().unwrap_or(ANYTHING);
            self.headers.insert(reserved(&CONTENT_TYPE), value);
        }
    }
}

/// The checksums of an object's bytes among the headers.
pub(super) fn checksums(headers: &HeaderMap) -> HeaderMap {
    let names = ALGORITHMS.iter().filter_map(|name| HeaderName::try_from(format!("{CHECKSUM}{name}")).ok());
    names.filter_map(|name| Some((name.clone(), headers.get(&name)?.clone()))).collect()
}

/// Takes the checksums out of an answer that was not asked for them.
pub(super) fn hide_checksums(headers: &mut HeaderMap) {
    for name in checksums(headers).keys() {
        headers.remove(name);
    }
}

fn reserved(name: &HeaderName) -> HeaderName {
    HeaderName::try_from(format!("{RESERVED}{name}")).unwrap_or_else(|_| name.clone())
}

/// Gives the headers of an answer their names back; `query`: of the request, which may ask for others
/// (`response-cache-control`).
pub(super) fn show(headers: &mut HeaderMap, query: &str) {
    let kept: Vec<HeaderName> = headers.keys().filter(|name| name.as_str().starts_with(RESERVED)).cloned().collect();
    for name in kept {
        let Some(value) = headers.remove(&name) else { continue };
        if let Ok(name) = HeaderName::try_from(&name.as_str()[RESERVED.len()..]) {
            headers.insert(name, value);
        }
    }
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let name = key.strip_prefix("response-").and_then(|name| HeaderName::try_from(name).ok());
        let name = name.filter(|name| *name == CONTENT_TYPE || KEPT.contains(name));
        if let (Some(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
}

/// Adds to the headers of one answer the metadata of another one about the same object.
pub(super) fn add_metadata(headers: &mut HeaderMap, from: &HeaderMap) {
    let metadata = from.iter().filter(|(name, _)| name.as_str().starts_with(METADATA));
    headers.extend(metadata.map(|(name, value)| (Some(name.clone()), value.clone())));
}

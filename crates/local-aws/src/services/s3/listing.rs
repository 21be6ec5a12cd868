//! Lists of objects and versions with a delimiter. winterbaume puts names that share a prefix together only within a page,
//! so that a prefix comes again on the next one; here all names are read and put together before they are cut into pages.
//! (Amazon S3 User Guide, "Organizing objects using prefixes"; API reference, `ListObjectsV2`: names and common prefixes
//! count alike, in one order.)

use super::{Call, error};
use crate::door::Response;
use crate::place::Place;
use crate::query::escape;
use crate::services::account::Backend;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use std::collections::BTreeMap;

/// The most that S3 puts on a page.
const LARGEST_PAGE: usize = 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Objects,
    ObjectsV2,
    Versions,
}

/// One line of a list: the elements of a key, or a prefix that several keys share.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Key(Vec<String>),
    Prefix,
}

/// Answers a list with a delimiter; `None`: the call asks for something else.
pub(super) async fn answer(backend: &dyn Backend, owner: &Place, call: &Call) -> Option<Response> {
    let delimiter = call.parameter("delimiter").filter(|delimiter| !delimiter.is_empty())?;
    let others = ["uploads", "acl", "policy"];
    if call.method != Method::GET || !call.key.is_empty() || others.iter().any(|name| call.has_parameter(name)) {
        return None;
    }
    let kind = match () {
        () if call.has_parameter("versions") => Kind::Versions,
        () if call.parameter("list-type").as_deref() == Some("2") => Kind::ObjectsV2,
        () => Kind::Objects,
    };
    let prefix = call.parameter("prefix").unwrap_or_default();
    let elements = match read_all(backend, owner, call, kind, &prefix).await {
        Ok(elements) => elements,
        Err(refusal) => return Some(refusal),
    };
    let after = match after(call, kind) {
        Ok(after) => after,
        Err(()) => {
            let message = "The continuation token provided is incorrect";
            return Some(call.refuse(StatusCode::BAD_REQUEST, "InvalidArgument", message));
        }
    };
    let size = call.parameter("max-keys").map_or(Ok(LARGEST_PAGE), |size| size.parse::<usize>());
    let Ok(size) = size.map(|size| size.min(LARGEST_PAGE)) else {
        let message = "Provided max-keys not an integer or within integer range";
        return Some(call.refuse(StatusCode::BAD_REQUEST, "InvalidArgument", message));
    };
    let entries = entries(elements, &prefix, &delimiter, &after);
    Some(page(call, kind, &prefix, &delimiter, entries, size))
}

/// The name behind which the page begins.
fn after(call: &Call, kind: Kind) -> Result<String, ()> {
    let given = |name: &str| call.parameter(name).filter(|text| !text.is_empty());
    match kind {
        Kind::Objects => Ok(given("marker").unwrap_or_default()),
        Kind::Versions => Ok(given("key-marker").unwrap_or_default()),
        Kind::ObjectsV2 => match given("continuation-token") {
            Some(token) => {
                let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| ())?;
                String::from_utf8(bytes).map_err(|_| ())
            }
            None => Ok(given("start-after").unwrap_or_default()),
        },
    }
}

/// The elements of every key that begins with the prefix, by key.
async fn read_all(
    backend: &dyn Backend,
    owner: &Place,
    call: &Call,
    kind: Kind,
    prefix: &str,
) -> Result<BTreeMap<String, Vec<String>>, Response> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let encoded: String = form_urlencoded::byte_serialize(prefix.as_bytes()).collect();
    let mut next = String::new();
    loop {
        let query = match kind {
            Kind::Versions => format!("versions&prefix={encoded}&max-keys={}", i32::MAX),
            _ => format!("list-type=2&prefix={encoded}&max-keys={LARGEST_PAGE}{next}"),
        };
        let page = Call { method: Method::GET, query, headers: HeaderMap::new(), body: Bytes::new(), ..call.clone() };
        let response = page.pass(backend, owner).await;
        if !response.status().is_success() {
            return Err(response);
        }
        let body = String::from_utf8_lossy(response.body()).into_owned();
        let names: &[&str] = if kind == Kind::Versions { &["Version", "DeleteMarker"] } else { &["Contents"] };
        let before = found.len();
        let mut last = None;
        for element in elements(&body, names) {
            let Some(key) = between(element, "<Key>", "</Key>").map(unescape) else { continue };
            last = Some(key.clone());
            found.entry(key).or_default().push(element.to_owned());
        }
        let more = kind != Kind::Versions && body.contains("<IsTruncated>true</IsTruncated>");
        match last.filter(|_| more && found.len() > before) {
            Some(last) => {
                let last: String = form_urlencoded::byte_serialize(last.as_bytes()).collect();
                next = format!("&start-after={last}");
            }
            None => return Ok(found),
        }
    }
}

/// Names in their order, those together that share a prefix up to the delimiter; what comes at or before `after` is left
/// out, and all that a prefix stands for which was the last name of a page.
fn entries(
    elements: BTreeMap<String, Vec<String>>,
    prefix: &str,
    delimiter: &str,
    after: &str,
) -> Vec<(String, Entry)> {
    let mut entries: Vec<(String, Entry)> = Vec::new();
    let shared = after.len() > prefix.len() && after.ends_with(delimiter);
    for (key, all) in elements {
        if !after.is_empty() && (key.as_str() <= after || (shared && key.starts_with(after))) {
            continue;
        }
        let rest = key.get(prefix.len()..).unwrap_or_default();
        match rest.find(delimiter) {
            Some(at) => {
                let common = key[..prefix.len() + at + delimiter.len()].to_owned();
                if entries.last().is_none_or(|(name, _)| *name != common) {
                    entries.push((common, Entry::Prefix));
                }
            }
            None => entries.push((key, Entry::Key(all))),
        }
    }
    entries
}

fn page(
    call: &Call,
    kind: Kind,
    prefix: &str,
    delimiter: &str,
    mut entries: Vec<(String, Entry)>,
    size: usize,
) -> Response {
    let truncated = entries.len() > size && size > 0;
    entries.truncate(size);
    let last = entries.last().map(|(name, _)| name.clone()).filter(|_| truncated);
    let mut xml = String::new();
    let mut leaf = |name: &str, text: &str| xml.push_str(&format!("<{name}>{}</{name}>", escape(text)));
    leaf("Name", &call.bucket);
    leaf("Prefix", prefix);
    leaf("Delimiter", delimiter);
    leaf("MaxKeys", &size.to_string());
    leaf("IsTruncated", if truncated { "true" } else { "false" });
    match kind {
        Kind::Objects => {
            leaf("Marker", &call.parameter("marker").unwrap_or_default());
            last.iter().for_each(|last| leaf("NextMarker", last));
        }
        Kind::Versions => {
            leaf("KeyMarker", &call.parameter("key-marker").unwrap_or_default());
            leaf("VersionIdMarker", "");
            last.iter().for_each(|last| leaf("NextKeyMarker", last));
        }
        Kind::ObjectsV2 => {
            leaf("KeyCount", &entries.len().to_string());
            for name in ["continuation-token", "start-after"] {
                let element = if name == "start-after" { "StartAfter" } else { "ContinuationToken" };
                call.parameter(name).iter().for_each(|text| leaf(element, text));
            }
            last.iter().for_each(|last| leaf("NextContinuationToken", &URL_SAFE_NO_PAD.encode(last)));
        }
    }
    for (name, entry) in &entries {
        match entry {
            Entry::Key(elements) => elements.iter().for_each(|element| xml.push_str(element)),
            Entry::Prefix => {
                xml.push_str(&format!("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", escape(name)));
            }
        }
    }
    let root = if kind == Kind::Versions { "ListVersionsResult" } else { "ListBucketResult" };
    let namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
    error::xml(StatusCode::OK, format!("<{root} xmlns=\"{namespace}\">{xml}</{root}>"))
}

/// The elements of these names, in the order of the text.
fn elements<'t>(text: &'t str, names: &[&str]) -> Vec<&'t str> {
    let mut found: Vec<(usize, &str)> = Vec::new();
    for name in names {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let mut from = 0;
        while let Some(at) = text[from..].find(&open).map(|at| from + at) {
            let Some(end) = text[at..].find(&close).map(|end| at + end + close.len()) else { break };
            found.push((at, &text[at..end]));
            from = end;
        }
    }
    found.sort_unstable_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, element)| element).collect()
}

fn between<'t>(text: &'t str, from: &str, to: &str) -> Option<&'t str> {
    Some(text.split_once(from)?.1.split_once(to)?.0)
}

fn unescape(text: &str) -> String {
    quick_xml::escape::unescape(text).map_or_else(|_| text.to_owned(), |text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(keys: &[&str], prefix: &str, after: &str) -> Vec<String> {
        let keys = keys.iter().filter(|key| key.starts_with(prefix));
        let elements = keys.map(|key| ((*key).to_owned(), Vec::new())).collect();
        entries(elements, prefix, "/", after).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn names_that_share_a_prefix_are_one() {
        let keys = ["a/1", "a/2", "b", "c/d/1", "c/e"];
        assert_eq!(listed(&keys, "", ""), ["a/", "b", "c/"]);
        assert_eq!(listed(&keys, "c/", ""), ["c/d/", "c/e"]);
        assert_eq!(listed(&keys, "", "a/"), ["b", "c/"], "a prefix is not given again");
        assert_eq!(listed(&keys, "", "a/1"), ["a/", "b", "c/"], "a key that it stands for comes after");
        assert_eq!(listed(&keys, "", "c/"), [] as [&str; 0]);
    }
}

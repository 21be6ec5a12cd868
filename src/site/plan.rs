//! What would change in the bucket, and which addresses a CDN must forget then. Pure.

use super::content::{cache_control, content_type, is_page};
use super::files::File;
use crate::aws::SiteObject;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A CDN takes fifteen patterns at a time (CloudFront quotas, "Invalidations"), and a thousand free paths a month.
const MAX_PATHS: usize = 15;

/// One file that goes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub file: File,
    pub key: String,
    /// None where there is no such object yet: no address has to be forgotten.
    pub replaces: Option<String>,
    pub content_type: &'static str,
    pub cache_control: &'static str,
}

/// What would change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// What all keys begin with; empty for the whole bucket. Nothing else is ever touched.
    pub prefix: String,
    /// What pages name before the pages.
    pub upload: Vec<Change>,
    /// Keys.
    pub remove: Vec<String>,
    pub unchanged: usize,
    /// Paths for the CDN, at most [`MAX_PATHS`].
    pub invalidate: Vec<String>,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.upload.is_empty() && self.remove.is_empty()
    }

    pub fn bytes(&self) -> u64 {
        self.upload.iter().map(|change| change.file.bytes).sum()
    }
}

/// A plan as people and programs see it.
impl Serialize for Plan {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let keys = |changes: Vec<&Change>| changes.into_iter().map(|change| change.key.clone()).collect::<Vec<_>>();
        let (change, create): (Vec<&Change>, Vec<&Change>) =
            self.upload.iter().partition(|change| change.replaces.is_some());
        serde_json::json!({
            "prefix": self.prefix, "create": keys(create), "change": keys(change), "remove": self.remove,
            "unchanged": self.unchanged, "bytes": self.bytes(), "invalidate": self.invalidate,
        })
        .serialize(serializer)
    }
}

/// Compares the files with what is there under `prefix` (empty, or ending in `/`). Objects that `infra` did not put
/// there go too: the site is what the folder is.
pub fn plan(files: &[File], objects: &[SiteObject], prefix: &str) -> Plan {
    let there: BTreeMap<&str, &SiteObject> = objects
        .iter()
        .filter(|object| object.key.starts_with(prefix))
        .map(|object| (object.key.as_str(), object))
        .collect();
    let mut plan = Plan { prefix: prefix.to_owned(), ..Plan::default() };
    let mut wanted = BTreeSet::new();
    for file in files {
        let key = format!("{prefix}{}", file.name);
        let known = there.get(key.as_str());
        wanted.insert(key.clone());
        if known.is_some_and(|object| object.bytes == file.bytes && object.etag.trim_matches('"') == file.md5) {
            plan.unchanged += 1;
            continue;
        }
        plan.upload.push(Change {
            replaces: known.map(|object| object.etag.clone()),
            content_type: content_type(&file.name),
            cache_control: cache_control(&file.name),
            file: file.clone(),
            key,
        });
    }
    plan.upload.sort_by_key(|change| (is_page(&change.key), change.key.clone()));
    plan.remove = there.keys().filter(|key| !wanted.contains(**key)).map(|key| (*key).to_owned()).collect();
    let stale = plan.upload.iter().filter(|change| change.replaces.is_some()).map(|change| change.key.as_str());
    plan.invalidate = invalidations(stale.chain(plan.remove.iter().map(String::as_str)), prefix);
    plan
}

/// The paths that a CDN must forget: the keys, the folders that they are the index of, and one pattern for all if they are
/// many. The prefix is the CDN's origin path: addresses do not have it.
pub fn invalidations<'a>(keys: impl Iterator<Item = &'a str>, prefix: &str) -> Vec<String> {
    let mut paths = BTreeSet::new();
    for key in keys {
        let path = format!("/{}", encoded(key.strip_prefix(prefix).unwrap_or(key)));
        if let Some(folder) = path.strip_suffix("index.html").filter(|folder| folder.ends_with('/')) {
            paths.insert(folder.to_owned());
        }
        paths.insert(path);
    }
    if paths.len() > MAX_PATHS { vec!["/*".to_owned()] } else { paths.into_iter().collect() }
}

/// As visitors' browsers send it: CloudFront compares what comes (RFC 3986).
fn encoded(path: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
    percent_encoding::utf8_percent_encode(path, KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, md5: &str) -> File {
        File { name: name.to_owned(), path: name.into(), bytes: 4, md5: md5.to_owned() }
    }

    fn object(key: &str, md5: &str) -> SiteObject {
        SiteObject { key: key.to_owned(), bytes: 4, etag: format!("\"{md5}\"") }
    }

    #[test]
    fn only_what_differs_goes_and_pages_go_last() {
        let files = [file("404.html", "a"), file("index.html", "b"), file("js/app.js", "c"), file("styles.css", "d")];
        let objects = [
            object("site/index.html", "other"),
            object("site/styles.css", "d"),
            object("site/js/old.js", "e"),
            object("other/index.html", "x"),
        ];
        let plan = plan(&files, &objects, "site/");
        let keys: Vec<&str> = plan.upload.iter().map(|change| change.key.as_str()).collect();
        assert_eq!(keys, ["site/js/app.js", "site/404.html", "site/index.html"]);
        assert_eq!((plan.unchanged, plan.remove.clone()), (1, vec!["site/js/old.js".to_owned()]));
        assert_eq!(plan.invalidate, ["/", "/index.html", "/js/old.js"], "nobody has seen what is new");
        assert_eq!(serde_json::to_value(&plan).unwrap()["change"], serde_json::json!(["site/index.html"]));
    }

    #[test]
    fn the_same_twice_is_nothing() {
        let files = [file("index.html", "a")];
        let plan = plan(&files, &[object("index.html", "a")], "");
        assert!(plan.is_empty() && plan.invalidate.is_empty(), "{plan:?}");
    }

    #[test]
    fn paths_are_as_browsers_send_them_and_many_become_one() {
        let of = |keys: &[&str]| invalidations(keys.iter().copied(), "");
        assert_eq!(of(&["über uns.html"]), ["/%C3%BCber%20uns.html"]);
        assert_eq!(of(&["docs/index.html"]), ["/docs/", "/docs/index.html"]);
        let many: Vec<String> = (0..16).map(|n| format!("{n}.html")).collect();
        assert_eq!(invalidations(many.iter().map(String::as_str), ""), ["/*"]);
    }
}

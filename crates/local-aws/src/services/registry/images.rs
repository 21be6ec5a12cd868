//! What is in a repository, and what may be put there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A repository's images, by digest (`sha256:…`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Repository {
    pub images: BTreeMap<String, Image>,
    /// Tag → digest.
    pub tags: BTreeMap<String, String>,
    /// What blobs it has, configurations too, and their sizes in bytes.
    pub layers: BTreeMap<String, u64>,
    /// When the scan of an image was last asked for.
    #[serde(default)]
    pub scans: BTreeMap<String, Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Image {
    /// As it was pushed: the digest is of these bytes.
    pub manifest: String,
    pub media_type: String,
    /// The media type of its configuration; an index has none.
    pub artifact_media_type: Option<String>,
    /// Of its layers and its configuration; of an index, zero.
    pub size_bytes: u64,
    pub pushed: Timestamp,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    NoRepository,
    /// It is there already, with this digest and tag.
    Exists {
        digest: String,
    },
    /// The tag names another image and may not move.
    TagExists {
        tag: String,
        digest: String,
    },
    /// Blobs that the manifest names are not there.
    NoLayers(Vec<String>),
    /// Manifests that the index names are not there.
    NoImages(Vec<String>),
    /// The manifest's digest is not the one that was asked for.
    Digest {
        asked: String,
        found: String,
    },
    /// It is no manifest.
    Invalid(String),
    Disk(String),
}

/// How a manifest is to be put.
pub(super) struct Put<'a> {
    pub tag: Option<&'a str>,
    /// The digest that it has to have.
    pub digest: Option<&'a str>,
    pub media_type: Option<&'a str>,
    pub immutable: bool,
    /// Whether it is an error if nothing changes.
    pub must_be_new: bool,
}

/// What was put.
pub(super) struct Pushed {
    pub digest: String,
    pub media_type: String,
}

impl Repository {
    /// Puts a manifest.
    pub fn put(&mut self, manifest: &str, put: Put<'_>, now: Timestamp) -> Result<Pushed, Problem> {
        let parsed: Json = serde_json::from_str(manifest).map_err(|error| Problem::Invalid(error.to_string()))?;
        let digest = digest(manifest.as_bytes());
        if let Some(asked) = put.digest.filter(|asked| *asked != digest) {
            return Err(Problem::Digest { asked: asked.to_owned(), found: digest });
        }
        let media_type = put.media_type.or(parsed["mediaType"].as_str()).unwrap_or(default_media_type(&parsed));
        if let Some(tag) = put.tag {
            match self.tags.get(tag) {
                Some(before) if *before == digest && put.must_be_new => return Err(Problem::Exists { digest }),
                Some(before) if *before != digest && put.immutable => {
                    return Err(Problem::TagExists { tag: tag.to_owned(), digest: before.clone() });
                }
                _ => {}
            }
        } else if put.must_be_new && self.images.contains_key(&digest) {
            return Err(Problem::Exists { digest });
        }
        let size_bytes = self.complete(&parsed)?;
        let image = Image {
            manifest: manifest.to_owned(),
            media_type: media_type.to_owned(),
            artifact_media_type: parsed["config"]["mediaType"].as_str().map(str::to_owned),
            size_bytes,
            pushed: now,
        };
        let media_type = self.images.entry(digest.clone()).or_insert(image).media_type.clone();
        if let Some(tag) = put.tag {
            self.tags.insert(tag.to_owned(), digest.clone());
        }
        Ok(Pushed { digest, media_type })
    }

    /// Checks that everything a manifest names is there; gives its size.
    fn complete(&self, manifest: &Json) -> Result<u64, Problem> {
        let digests = |list: &Json| -> Vec<String> {
            let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
            // Layers with URLs are kept elsewhere.
            let here = items.iter().filter(|item| item["urls"].as_array().is_none_or(Vec::is_empty));
            here.filter_map(|item| item["digest"].as_str()).map(str::to_owned).collect()
        };
        let children = digests(&manifest["manifests"]);
        let absent: Vec<_> = children.into_iter().filter(|digest| !self.images.contains_key(digest)).collect();
        if !absent.is_empty() {
            return Err(Problem::NoImages(absent));
        }
        let mut blobs = digests(&manifest["layers"]);
        blobs.extend(manifest["config"]["digest"].as_str().map(str::to_owned));
        if blobs.is_empty() && manifest["manifests"].is_null() && manifest["layers"].is_null() {
            return Err(Problem::Invalid("it has neither layers nor manifests".to_owned()));
        }
        let absent: Vec<_> = blobs.iter().filter(|digest| !self.layers.contains_key(*digest)).cloned().collect();
        if !absent.is_empty() {
            return Err(Problem::NoLayers(absent));
        }
        Ok(blobs.iter().filter_map(|digest| self.layers.get(digest)).sum())
    }

    /// The digest that a tag or a digest names.
    pub fn resolve(&self, reference: &str) -> Option<&str> {
        match self.images.get_key_value(reference) {
            Some((digest, _)) => Some(digest),
            None => self.tags.get(reference).map(String::as_str),
        }
    }

    /// The tags of an image, in order.
    pub fn tags_of(&self, digest: &str) -> Vec<&str> {
        self.tags.iter().filter(|(_, tagged)| *tagged == digest).map(|(tag, _)| tag.as_str()).collect()
    }

    /// The index that names an image, if one does.
    pub fn index_of(&self, digest: &str) -> Option<&str> {
        let names = |image: &Image| {
            let manifest: Json = serde_json::from_str(&image.manifest).unwrap_or_default();
            manifest["manifests"].as_array().is_some_and(|items| items.iter().any(|item| item["digest"] == digest))
        };
        self.images.iter().find(|(_, image)| names(image)).map(|(index, _)| index.as_str())
    }

    /// Removes an image with its tags.
    pub fn remove(&mut self, digest: &str) {
        self.images.remove(digest);
        self.tags.retain(|_, tagged| tagged != digest);
    }
}

/// `sha256:…` of some bytes.
pub(super) fn digest(bytes: &[u8]) -> String {
    written(&Sha256::digest(bytes))
}

/// A digest as it is written.
pub(super) fn written(hash: &[u8]) -> String {
    hash.iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

fn default_media_type(manifest: &Json) -> &'static str {
    if manifest["manifests"].is_array() {
        "application/vnd.oci.image.index.v1+json"
    } else {
        "application/vnd.oci.image.manifest.v1+json"
    }
}

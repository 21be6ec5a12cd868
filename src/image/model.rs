//! The nouns of images, as the OCI image specification has them (v1.1: descriptor, manifest, image index), read strictly
//! enough to trust them. Docker's older media types mean the same and are kept as they are: another media type would be
//! another digest.

use super::digest::Digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Media types, as registries and layouts name them.
pub mod media_type {
    pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
    pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    pub const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
    pub const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
    pub const OCI_LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

    /// All that [`super::Manifest`] and [`super::Index`] read: what to accept from a registry.
    pub const READ: [&str; 4] = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX];

    /// One image of one platform.
    pub fn is_manifest(media_type: &str) -> bool {
        matches!(media_type, OCI_MANIFEST | DOCKER_MANIFEST)
    }

    /// A list of manifests, usually one for each platform.
    pub fn is_index(media_type: &str) -> bool {
        matches!(media_type, OCI_INDEX | DOCKER_INDEX)
    }
}

/// An image that lies whole in an OCI layout on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Of the manifest, or of the index if there are several platforms: what the image is called from here on.
    pub digest: Digest,
    /// Of what `digest` names.
    pub media_type: String,
    /// The folder with `oci-layout`, `index.json` and `blobs/sha256/`.
    pub layout: PathBuf,
    /// All blobs together (manifests, configurations, layers), each counted once.
    pub size_bytes: u64,
}

/// What names a blob: its type, digest and size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    pub media_type: String,
    pub digest: Digest,
    #[serde(rename = "size")]
    pub size_bytes: u64,
    /// Places to download the blob from. Only layers that a registry may not hold have them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    #[serde(default, deserialize_with = "none_is_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
}

impl Descriptor {
    pub fn new(media_type: impl Into<String>, digest: Digest, size_bytes: u64) -> Descriptor {
        Descriptor {
            media_type: media_type.into(),
            digest,
            size_bytes,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            platform: None,
            artifact_type: None,
        }
    }
}

/// One image of one platform: its configuration and its layers, the lowest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub schema_version: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
    #[serde(default, deserialize_with = "none_is_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A list of manifests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    pub schema_version: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    pub manifests: Vec<Descriptor>,
    #[serde(default, deserialize_with = "none_is_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// Go's encoders write an empty map as null.
fn none_is_default<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// An operating system and a processor, in Go's words: `linux/arm64/v8`. In JSON it is the object that descriptors have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    pub os: String,
    pub architecture: String,
    pub variant: Option<String>,
}

impl Platform {
    /// What Fargate runs if nothing else is said.
    pub fn linux_amd64() -> Platform {
        Platform { os: "linux".to_owned(), architecture: "amd64".to_owned(), variant: None }
    }

    /// Whether an image of this platform runs where `wanted` is asked for; who names no variant takes any.
    pub fn serves(&self, wanted: &Platform) -> bool {
        let same = self.os == wanted.os && self.architecture == wanted.architecture;
        same && (wanted.variant.is_none() || self.variant_or_usual() == wanted.variant_or_usual())
    }

    /// The variant that is meant where none is named (the platforms of Go and containerd).
    pub fn variant_or_usual(&self) -> Option<&str> {
        self.variant.as_deref().or(match self.architecture.as_str() {
            "amd64" => Some("v1"),
            "arm" => Some("v7"),
            "arm64" => Some("v8"),
            _ => None,
        })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
}

/// Text that is no `os/architecture` or `os/architecture/variant`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPlatform(String);

impl fmt::Display for NoPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no platform: expected os/architecture, such as linux/amd64 or linux/arm64", self.0)
    }
}

impl std::error::Error for NoPlatform {}

impl FromStr for Platform {
    type Err = NoPlatform;

    fn from_str(text: &str) -> Result<Platform, NoPlatform> {
        let wrong = || NoPlatform(text.to_owned());
        let parts: Vec<&str> = text.split('/').collect();
        let plain = |part: &&str| {
            !part.is_empty() && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
        };
        if !parts.iter().all(plain) {
            return Err(wrong());
        }
        let (os, architecture, variant) = match parts[..] {
            [os, architecture] => (os, architecture, None),
            [os, architecture, variant] => (os, architecture, Some(variant.to_owned())),
            _ => return Err(wrong()),
        };
        Ok(Platform { os: os.to_owned(), architecture: architecture.to_owned(), variant })
    }
}

#[derive(Serialize, Deserialize)]
struct PlatformObject {
    architecture: String,
    os: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
}

impl Serialize for Platform {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Platform { os, architecture, variant } = self.clone();
        PlatformObject { architecture, os, variant }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Platform {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Platform, D::Error> {
        let PlatformObject { architecture, os, variant } = PlatformObject::deserialize(deserializer)?;
        Ok(Platform { os, architecture, variant })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn platforms() {
        for text in ["linux/amd64", "linux/arm64/v8"] {
            assert_eq!(text.parse::<Platform>().unwrap().to_string(), text);
        }
        for wrong in ["", "linux", "linux/", "/amd64", "linux/arm64/v8/x", "Linux/amd64", "linux/amd 64"] {
            assert!(wrong.parse::<Platform>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_manifest_as_docker_and_buildah_write_it() {
        let layer = Digest::of("layer");
        let manifest: Manifest = serde_json::from_value(json!({
            "schemaVersion": 2,
            "mediaType": media_type::DOCKER_MANIFEST,
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 7, "digest": Digest::of("config")},
            "layers": [{"mediaType": media_type::OCI_LAYER_GZIP, "size": 5, "digest": layer, "annotations": null}],
            "annotations": null,
        }))
        .unwrap();
        assert_eq!(manifest.layers, [Descriptor::new(media_type::OCI_LAYER_GZIP, layer, 5)]);
        assert!(manifest.media_type.as_deref().is_some_and(media_type::is_manifest));
    }

    #[test]
    fn a_digest_of_another_algorithm_is_refused() {
        let text = json!({"mediaType": "x", "size": 1, "digest": format!("sha512:{}", "0".repeat(128))});
        assert!(serde_json::from_value::<Descriptor>(text).unwrap_err().to_string().contains("is no digest"));
    }
}

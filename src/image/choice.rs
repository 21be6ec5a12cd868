//! Which image of a layout is meant: of one platform, or of several together.
//!
//! Attestations (who built an image, and from what) lie in an index beside the images. They are no images, they say another
//! thing each time, and Lambda takes no index: they are left out. What platform an image is of, its own configuration says;
//! what an index says of it may be wrong.

use super::layout::{Document, Layout};
use super::model::{Descriptor, Index, Platform, media_type};
use crate::error::Error;
use crate::problem::Problem;
use std::collections::{BTreeMap, BTreeSet};

/// What BuildKit marks attestations with.
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";

/// An index in an index in an index: nobody makes more.
const DEEPEST: usize = 4;

/// An image of one platform. None where its configuration does not say which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnePlatform {
    pub entry: Descriptor,
    pub platform: Option<Platform>,
}

/// The images that these entries lead to, each once, without attestations.
///
/// # Errors
/// A manifest, index or configuration is missing or damaged, or an entry is no image.
pub fn images(layout: &Layout, entries: &[Descriptor]) -> Result<Vec<OnePlatform>, Error> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in entries {
        walk(layout, entry, DEEPEST, &mut seen, &mut found)?;
    }
    Ok(found)
}

fn walk(
    layout: &Layout,
    entry: &Descriptor,
    depth: usize,
    seen: &mut BTreeSet<super::Digest>,
    found: &mut Vec<OnePlatform>,
) -> Result<(), Error> {
    if is_attestation(entry) || !seen.insert(entry.digest) {
        return Ok(());
    }
    let Some(depth) = depth.checked_sub(1) else {
        return Err(refused(format!("its indexes are nested more than {DEEPEST} deep")));
    };
    match layout.read(entry)? {
        Document::Index(index) => index.manifests.iter().try_for_each(|entry| walk(layout, entry, depth, seen, found)),
        Document::Manifest(manifest) => {
            let platform = platform_of(&layout.document(&manifest.config)?);
            found.push(OnePlatform { entry: entry.clone(), platform });
            Ok(())
        }
    }
}

/// Whether an entry of an index describes another one instead of being an image.
pub fn is_attestation(entry: &Descriptor) -> bool {
    let is_unknown = entry.platform.as_ref().is_some_and(|platform| platform.os == "unknown");
    is_unknown || entry.annotations.contains_key(REFERENCE_TYPE)
}

/// The platform that a configuration names (image specification v1.1, "image configuration").
pub fn platform_of(config: &[u8]) -> Option<Platform> {
    let config: serde_json::Value = serde_json::from_slice(config).ok()?;
    let text = |key: &str| config[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    Some(Platform { os: text("os")?, architecture: text("architecture")?, variant: text("variant") })
}

/// What is pushed: the one image that there is or that the platforms name, or an index of several. An index that holds
/// nothing else than what is wanted stays as it is.
///
/// # Errors
/// There is no image of a platform that is wanted, or more than one that it could be.
pub fn choose(layout: &Layout, entries: &[Descriptor], wanted: &[Platform]) -> Result<Descriptor, Error> {
    let named = entries.iter().filter(|entry| !is_attestation(entry)).count();
    if wanted.is_empty() && named > 1 {
        return Err(refused(format!("it has {named} images; one is expected")));
    }
    let images = images(layout, entries)?;
    let chosen: Vec<OnePlatform> = match wanted {
        [] if images.is_empty() => return Err(refused("it has no image")),
        [] => images,
        wanted => wanted.iter().map(|platform| the_one(&images, platform)).collect::<Result<_, Error>>()?,
    };
    if let [one] = &chosen[..] {
        // Names and times that its maker noted beside the image are no part of it.
        return Ok(Descriptor { annotations: BTreeMap::new(), ..one.entry.clone() });
    }
    together(layout, entries, chosen)
}

/// The image for a platform.
fn the_one<'a>(images: &'a [OnePlatform], wanted: &Platform) -> Result<OnePlatform, Error> {
    let fitting = |exactly: bool| -> Vec<&'a OnePlatform> {
        let fits = |image: &&OnePlatform| match &image.platform {
            Some(platform) => {
                platform.serves(wanted) && (!exactly || platform.variant_or_usual() == wanted.variant_or_usual())
            }
            None => images.len() == 1,
        };
        images.iter().filter(fits).collect()
    };
    let all = fitting(false);
    let fitting = if all.len() > 1 { fitting(true) } else { all };
    match &fitting[..] {
        [one] => Ok((*one).clone()),
        [] => {
            let there: Vec<String> =
                images.iter().filter_map(|image| Some(image.platform.as_ref()?.to_string())).collect();
            let there = if there.is_empty() { "no platform that it names".to_owned() } else { there.join(", ") };
            Err(refused(format!("it is made for {there}, and {wanted} is asked for")))
        }
        several => Err(refused(format!("it has {} images for {wanted}; one is expected", several.len()))),
    }
}

/// An index of these images.
fn together(layout: &Layout, entries: &[Descriptor], images: Vec<OnePlatform>) -> Result<Descriptor, Error> {
    let wanted: Vec<super::Digest> = images.iter().map(|image| image.entry.digest).collect();
    if let [entry] = entries
        && let Document::Index(index) = layout.read(entry)?
        && index.manifests.iter().map(|entry| entry.digest).eq(wanted)
    {
        return Ok(Descriptor { annotations: BTreeMap::new(), ..entry.clone() });
    }
    let manifests = images.into_iter().map(|OnePlatform { entry, platform }| Descriptor {
        platform: platform.or(entry.platform),
        annotations: BTreeMap::new(),
        ..entry
    });
    let index = Index {
        schema_version: 2,
        media_type: Some(media_type::OCI_INDEX.to_owned()),
        manifests: manifests.collect(),
        annotations: BTreeMap::new(),
    };
    let bytes = serde_json::to_vec(&index).map_err(|error| refused(error.to_string()))?;
    layout.add(media_type::OCI_INDEX, &bytes)
}

/// Whoever knows where the image is named adds the place.
fn refused(why: impl Into<String>) -> Error {
    Error::problems(vec![Problem::error("wrong-image", why.into(), None)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    struct Place {
        _folder: tempfile::TempDir,
        layout: Layout,
    }

    impl Place {
        fn new() -> Place {
            let folder = tempfile::tempdir().unwrap();
            let layout = Layout::create(folder.path()).unwrap();
            Place { _folder: folder, layout }
        }

        fn image(&self, config: serde_json::Value) -> Descriptor {
            let config = self.layout.add(media_type::OCI_CONFIG, config.to_string().as_bytes()).unwrap();
            let manifest = json!({"schemaVersion": 2, "config": config, "layers": []});
            self.layout.add(media_type::OCI_MANIFEST, manifest.to_string().as_bytes()).unwrap()
        }

        fn of(&self, platform: &str) -> Descriptor {
            let platform: Platform = platform.parse().unwrap();
            let mut config = json!({"os": platform.os, "architecture": platform.architecture});
            if let Some(variant) = &platform.variant {
                config["variant"] = json!(variant);
            }
            Descriptor { platform: Some(platform), ..self.image(config) }
        }

        fn attestation(&self, of: &Descriptor) -> Descriptor {
            let mut made = self.image(json!({"os": "unknown", "architecture": "unknown"}));
            made.platform = Some("unknown/unknown".parse().unwrap());
            made.annotations.insert(REFERENCE_TYPE.to_owned(), "attestation-manifest".to_owned());
            made.annotations.insert("vnd.docker.reference.digest".to_owned(), of.digest.to_string());
            made
        }

        fn index(&self, manifests: &[Descriptor]) -> Descriptor {
            let index = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": manifests});
            self.layout.add(media_type::OCI_INDEX, index.to_string().as_bytes()).unwrap()
        }

        fn choose(&self, entry: &Descriptor, wanted: &[&str]) -> Result<Descriptor, String> {
            let wanted: Vec<Platform> = wanted.iter().map(|platform| platform.parse().unwrap()).collect();
            choose(&self.layout, std::slice::from_ref(entry), &wanted)
                .map_err(|error| error.problems[0].message.clone())
        }
    }

    #[test]
    fn an_image_of_another_platform_is_refused() {
        let place = Place::new();
        let arm = place.of("linux/arm64");
        let refused = place.choose(&arm, &["linux/amd64"]).unwrap_err();
        assert_eq!(refused, "it is made for linux/arm64, and linux/amd64 is asked for");
        assert_eq!(place.choose(&arm, &["linux/arm64/v8"]).unwrap().digest, arm.digest);
        assert_eq!(place.choose(&arm, &[]).unwrap().digest, arm.digest);
        // What an index says of an image does not make it one.
        let liar = Descriptor { platform: Some(Platform::linux_amd64()), ..arm };
        assert!(place.choose(&place.index(&[liar]), &["linux/amd64"]).is_err());
        let silent = place.image(json!({}));
        assert_eq!(place.choose(&silent, &["linux/amd64"]).unwrap().digest, silent.digest);
        let windows = place.of("windows/amd64");
        assert!(place.choose(&windows, &["linux/amd64"]).is_err());
    }

    #[test]
    fn attestations_are_left_out() {
        let place = Place::new();
        let image = place.of("linux/amd64");
        let index = place.index(&[image.clone(), place.attestation(&image)]);
        for wanted in [&[][..], &["linux/amd64"]] {
            let chosen = place.choose(&index, wanted).unwrap();
            assert_eq!((chosen.digest, chosen.media_type.as_str()), (image.digest, media_type::OCI_MANIFEST));
        }
        let other = place.of("linux/arm64");
        let both = place.index(&[image.clone(), other.clone(), place.attestation(&image), place.attestation(&other)]);
        let chosen = place.choose(&both, &[]).unwrap();
        let Document::Index(index) = place.layout.read(&chosen).unwrap() else { panic!("an index is expected") };
        let digests: Vec<_> = index.manifests.iter().map(|entry| entry.digest).collect();
        assert_eq!(digests, [image.digest, other.digest]);
        assert_eq!(place.choose(&both, &["linux/arm64"]).unwrap().digest, other.digest);
    }

    #[test]
    fn several_platforms_are_an_index() {
        let place = Place::new();
        let (one, two, three) = (place.of("linux/amd64"), place.of("linux/arm64"), place.of("linux/s390x"));
        let pair = place.index(&[one.clone(), two.clone()]);
        assert_eq!(place.choose(&pair, &["linux/amd64", "linux/arm64"]).unwrap().digest, pair.digest);
        let all = place.index(&[three, two, one]);
        let chosen = place.choose(&all, &["linux/amd64", "linux/arm64"]).unwrap();
        let images = images(&place.layout, &[chosen]).unwrap();
        let platforms: Vec<String> =
            images.iter().filter_map(|image| Some(image.platform.as_ref()?.to_string())).collect();
        assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
        let refused = place.choose(&pair, &["linux/amd64", "linux/s390x"]).unwrap_err();
        assert_eq!(refused, "it is made for linux/amd64, linux/arm64, and linux/s390x is asked for");
    }

    #[test]
    fn variants() {
        let place = Place::new();
        let (six, seven) = (place.of("linux/arm/v6"), place.of("linux/arm/v7"));
        let index = place.index(&[six.clone(), seven.clone()]);
        assert_eq!(place.choose(&index, &["linux/arm"]).unwrap().digest, seven.digest);
        assert_eq!(place.choose(&index, &["linux/arm/v6"]).unwrap().digest, six.digest);
        assert!(place.choose(&six, &["linux/arm/v7"]).is_err());
    }
}

//! Archives that are right, damaged or hostile.

use super::*;
use crate::image::digest::Digest;
use crate::image::layout::Document;
use crate::image::model::{Descriptor, Manifest, media_type};
use flate2::write::GzEncoder;
use serde_json::{Value as Json, json};
use std::io::{Read, Write};
use std::path::PathBuf;

/// A tar file of these entries; a text that begins with `->` is a symbolic link.
fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        // Names are set as they are: what is tested are archives that no well-meaning program writes.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        match bytes.strip_prefix(b"->") {
            Some(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.as_gnu_mut().unwrap().linkname[..target.len()].copy_from_slice(target);
                header.set_size(0);
                header.set_cksum();
                builder.append(&header, std::io::empty()).unwrap();
            }
            None => {
                header.set_size(bytes.len() as u64);
                header.set_cksum();
                builder.append(&header, *bytes).unwrap();
            }
        }
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    fn import(&self, archive: &[u8]) -> Result<(Layout, Image), Error> {
        let path: PathBuf = self.folder.path().join("image.tar");
        std::fs::write(&path, archive).unwrap();
        let root = self.folder.path().join("layout");
        let _ = std::fs::remove_dir_all(&root);
        let layout = Layout::create(&root).unwrap();
        let image = import(&path, &layout, &[])?;
        Ok((layout, image))
    }

    fn refused(&self, archive: &[u8]) -> String {
        self.import(archive).expect_err("this archive should be refused").message
    }
}

fn manifest(layout: &Layout) -> Manifest {
    let entry = layout.entry(None).unwrap();
    match layout.read(&entry).unwrap() {
        Document::Manifest(manifest) => manifest,
        Document::Index(_) => panic!("a manifest is expected"),
    }
}

fn config(layers: &[&[u8]]) -> Vec<u8> {
    let diff_ids: Vec<Digest> = layers.iter().map(Digest::of).collect();
    json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}})
        .to_string()
        .into_bytes()
}

fn saved(config: &str, layers: &[&str]) -> Vec<u8> {
    json!([{"Config": config, "RepoTags": ["api:1"], "Layers": layers}]).to_string().into_bytes()
}

#[test]
fn layers_of_docker_save_are_gzipped_and_checked() {
    let (one, two) = (tar(&[("a", b"1")]), tar(&[("b", b"2")]));
    let config = config(&[&one, &two, &one]);
    let name = format!("{}.json", Digest::of(&config).hex());
    // As Docker wrote it before version 25: a layer that is there twice is a link the second time.
    let archive = tar(&[
        ("1/layer.tar", &one),
        ("2/layer.tar", &two),
        ("3/layer.tar", b"->../1/layer.tar"),
        (&name, &config),
        ("manifest.json", &saved(&name, &["1/layer.tar", "2/layer.tar", "3/layer.tar"])),
    ]);
    let place = Place::new();
    let (layout, image) = place.import(&archive).unwrap();
    let manifest = manifest(&layout);
    assert_eq!(manifest.config.digest, Digest::of(&config));
    let unpacked: Vec<Vec<u8>> =
        manifest.layers.iter().map(|layer| gunzip(&std::fs::read(layout.blob_path(&layer.digest)).unwrap())).collect();
    assert_eq!(unpacked, [one.clone(), two, one]);
    assert!(manifest.layers.iter().all(|layer| layer.media_type == media_type::OCI_LAYER_GZIP));
    assert_eq!(layout.load(&layout.entry(None).unwrap(), Check::Contents).unwrap(), image);
    // The same archive, gzipped as a whole, is the same image.
    assert_eq!(place.import(&gzip(&archive)).unwrap().1.digest, image.digest);
}

#[test]
fn gzipped_layers_stay_as_they_are() {
    let layer = tar(&[("a", b"1")]);
    let packed = gzip(&layer);
    let config = config(&[&layer]);
    let archive = tar(&[
        ("manifest.json", &saved("config.json", &["l.tar.gz"])),
        ("l.tar.gz", &packed),
        ("config.json", &config),
    ]);
    let place = Place::new();
    let (layout, _) = place.import(&archive).unwrap();
    assert_eq!(manifest(&layout).layers[0].digest, Digest::of(&packed));
}

#[test]
fn damaged_layers_and_configurations_are_refused() {
    let place = Place::new();
    let layer = tar(&[("a", b"1")]);
    let other = tar(&[("a", b"2")]);
    let config = config(&[&layer]);
    let with =
        |layer: &[u8], name: &str| tar(&[("manifest.json", &saved(name, &["l"])), ("l", layer), (name, &config)]);
    assert!(place.refused(&with(&other, "c.json")).contains("its layer `l` is damaged: its digest is sha256:"));
    assert!(place.refused(&with(&gzip(&other), "c.json")).contains("its layer `l` is damaged"));
    let packed = gzip(&layer);
    assert!(place.import(&with(&packed[..packed.len() - 9], "c.json")).is_err());
    let wrong_name = format!("{}.json", Digest::of("other").hex());
    assert!(place.refused(&with(&layer, &wrong_name)).contains("is damaged: it has another digest"));
    let none = tar(&[("manifest.json", &saved("c.json", &["l", "l"])), ("l", &layer), ("c.json", &config)]);
    assert!(place.refused(&none).contains("it has 2 layers, its configuration 1"));
    let missing = tar(&[("manifest.json", &saved("c.json", &["gone"])), ("c.json", &config)]);
    assert!(place.refused(&missing).contains("`gone`, which manifest.json names, is not in it"));
}

/// The entries of an OCI archive of one image, and its manifest's descriptor.
fn oci() -> (Vec<(String, Vec<u8>)>, Descriptor) {
    let layer = gzip(&tar(&[("a", b"1")]));
    let config = config(&[&tar(&[("a", b"1")])]);
    let describe = |media_type: &str, bytes: &[u8]| Descriptor::new(media_type, Digest::of(bytes), bytes.len() as u64);
    let manifest = json!({
        "schemaVersion": 2,
        "config": describe(media_type::OCI_CONFIG, &config),
        "layers": [describe(media_type::OCI_LAYER_GZIP, &layer)],
        "x-unknown": true,
    })
    .to_string()
    .into_bytes();
    let entry = describe(media_type::OCI_MANIFEST, &manifest);
    let blob = |bytes: &[u8]| (format!("blobs/sha256/{}", Digest::of(bytes).hex()), bytes.to_vec());
    let index = json!({"schemaVersion": 2, "manifests": [entry]}).to_string().into_bytes();
    let entries = vec![
        ("oci-layout".to_owned(), br#"{"imageLayoutVersion": "1.0.0"}"#.to_vec()),
        ("./index.json".to_owned(), index),
        blob(&manifest),
        blob(&config),
        blob(&layer),
    ];
    (entries, entry)
}

fn tar_of(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<(&str, &[u8])> = entries.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    tar(&entries)
}

#[test]
fn an_oci_archive_keeps_its_digest() {
    let (entries, entry) = oci();
    let (_, image) = Place::new().import(&tar_of(&entries)).unwrap();
    assert_eq!((image.digest, image.media_type.as_str()), (entry.digest, media_type::OCI_MANIFEST));
}

#[test]
fn damaged_oci_archives_are_refused() {
    let place = Place::new();
    let (mut entries, _) = oci();
    let whole = tar_of(&entries);
    assert!(place.refused(&whole[..whole.len() - 1500]).contains("is no usable image archive"));
    let last = entries.pop().unwrap();
    assert!(place.refused(&tar_of(&entries)).contains("is missing"));
    entries.push((last.0.clone(), b"other".to_vec()));
    assert!(place.refused(&tar_of(&entries)).contains("is damaged: its 5 bytes have the digest"));
    entries.pop();
    entries.push(("blobs/sha256/short".to_owned(), b"x".to_vec()));
    assert!(place.refused(&tar_of(&entries)).contains("is no digest"));
}

#[test]
fn an_archive_of_several_images_is_refused() {
    let place = Place::new();
    let (mut entries, entry) = oci();
    let second = Descriptor { digest: Digest::of("second"), ..entry.clone() };
    let index: Json = json!({"schemaVersion": 2, "manifests": [entry, second]});
    entries[1].1 = index.to_string().into_bytes();
    assert!(place.refused(&tar_of(&entries)).contains("it has 2 images; one is expected"));
    let two = json!([{"Config": "a", "Layers": []}, {"Config": "b", "Layers": []}]).to_string().into_bytes();
    assert!(place.refused(&tar(&[("manifest.json", &two)])).contains("it has 2 images; one is expected"));
}

#[test]
fn names_that_lead_out_of_the_archive_are_refused() {
    let place = Place::new();
    for name in ["../evil", "/etc/evil", "a/../../evil"] {
        assert!(place.refused(&tar(&[(name, b"x")])).contains("leads out of it"), "{name}");
    }
    let link = tar(&[("1/layer.tar", b"->../../etc/passwd")]);
    assert!(place.refused(&link).contains("links to `../../etc/passwd`, which is not in it"));
    let circle = tar(&[("manifest.json", &saved("c.json", &["a"])), ("c.json", b"{}"), ("a", b"->b"), ("b", b"->a")]);
    assert!(place.refused(&circle).contains("`a`, which manifest.json names, is not in it"));
    let names: Vec<_> =
        std::fs::read_dir(place.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn other_files_are_no_archives() {
    let place = Place::new();
    assert!(place.refused(b"").contains("it is empty"));
    assert!(place.refused(b"text that is no archive").contains("is no usable image archive"));
    assert!(place.refused(&tar(&[("readme.txt", b"x")])).contains("it has neither `index.json`"));
    assert!(place.refused(b"\x28\xB5\x2F\xFD rest").contains("compressed with zstd"));
    let layout = Layout::create(&place.folder.path().join("layout")).unwrap();
    let missing = import(&place.folder.path().join("gone.tar"), &layout, &[]).unwrap_err();
    assert!(missing.message.contains("there is no such file"), "{}", missing.message);
}

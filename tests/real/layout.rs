//! OCI layouts made by hand: of layers as large as wanted, or of tar archives.

#![allow(dead_code)] // each program uses its own part

use infra::image::Digest;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

pub const MIB: u64 = 1024 * 1024;

pub struct Layout {
    folder: tempfile::TempDir,
    /// Of the image's manifest.
    pub digest: Digest,
}

impl Layout {
    /// A layer for each size: a tar archive of one file, whose bytes no compression makes smaller.
    pub fn of_sizes(bytes: &[u64]) -> Layout {
        Layout::make(&json!({}), |folder| {
            bytes
                .iter()
                .enumerate()
                .map(|(seed, bytes)| {
                    let path = folder.join(format!("layer-{seed}"));
                    write_layer(&path, seed as u64, *bytes);
                    path
                })
                .collect()
        })
    }

    /// An image of one layer: this archive. `config` is what containers are run with.
    pub fn of_archive(archive: &Path, config: &Value) -> Layout {
        Layout::make(config, |folder| {
            let path = folder.join("layer");
            fs::copy(archive, &path).unwrap();
            vec![path]
        })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// All blobs together.
    pub fn size_bytes(&self) -> u64 {
        super::server::blobs(self.path()).iter().map(|(_, bytes)| bytes).sum()
    }

    fn make(config: &Value, layers: impl FnOnce(&Path) -> Vec<PathBuf>) -> Layout {
        let folder = tempfile::tempdir().unwrap();
        let blobs = folder.path().join("blobs/sha256");
        fs::create_dir_all(&blobs).unwrap();
        fs::write(folder.path().join("oci-layout"), json!({"imageLayoutVersion": "1.0.0"}).to_string()).unwrap();
        let layers: Vec<Value> = layers(&blobs).iter().map(|path| layer(path)).collect();
        let blob = |media_type: &str, value: Value| {
            let text = value.to_string();
            let digest = Digest::of(&text);
            fs::write(blobs.join(digest.hex()), &text).unwrap();
            (digest, json!({"mediaType": media_type, "digest": digest, "size": text.len()}))
        };
        let ids: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
        let rootfs = json!({"type": "layers", "diff_ids": ids});
        let config = json!({"architecture": architecture(), "os": "linux", "config": config, "rootfs": rootfs});
        let (_, config) = blob("application/vnd.oci.image.config.v1+json", config);
        let manifest = "application/vnd.oci.image.manifest.v1+json";
        let image = json!({"schemaVersion": 2, "mediaType": manifest, "config": config, "layers": layers});
        let (digest, descriptor) = blob(manifest, image);
        let index = json!({"schemaVersion": 2, "manifests": [descriptor]});
        fs::write(folder.path().join("index.json"), index.to_string()).unwrap();
        Layout { folder, digest }
    }
}

/// As images name this machine's.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Gives a blob the name of its digest. It is hashed by `sha256sum`: without optimisation our own takes ten times as long.
fn layer(path: &Path) -> Value {
    let hashed = Command::new("sha256sum").arg(path).output().unwrap();
    let text = String::from_utf8(hashed.stdout).unwrap();
    let hex = text.split_whitespace().next().expect("sha256sum gives a digest");
    let size_bytes = fs::metadata(path).unwrap().len();
    fs::rename(path, path.with_file_name(hex)).unwrap();
    json!({
        "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": format!("sha256:{hex}"), "size": size_bytes
    })
}

fn write_layer(path: &Path, seed: u64, bytes: u64) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    // A tar header (POSIX ustar), the content, the padding to 512, the end.
    let mut header = [0_u8; 512];
    header[..4].copy_from_slice(b"file");
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{bytes:011o}").as_bytes());
    header[148..156].copy_from_slice(b"        ");
    header[156] = b'0';
    header[257..263].copy_from_slice(b"ustar\0");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    file.write_all(&header).unwrap();
    let mut block = vec![0_u8; MIB as usize];
    let mut random = fastrand::Rng::with_seed(seed + 1);
    block.chunks_exact_mut(8).for_each(|eight| eight.copy_from_slice(&random.u64(..).to_le_bytes()));
    for at in (0..bytes).step_by(MIB as usize) {
        // No two blocks are the same.
        block[..8].copy_from_slice(&at.to_le_bytes());
        file.write_all(&block[..MIB.min(bytes - at) as usize]).unwrap();
    }
    let padding = (512 - bytes % 512) % 512 + 1024;
    file.write_all(&vec![0; padding as usize]).unwrap();
    file.flush().unwrap();
}

//! Pushed to Debian's docker-registry and pulled back by skopeo: what comes back is what was built.

#![allow(clippy::unwrap_used, clippy::print_stderr)] // helpers of tests are tests

use infra::aws::Http;
use infra::image::Digest;
use infra::image::push::{Destination, Progress, Pushed, Source, Tell, push, silent};
use infra::image::registry::{Credentials, Registry};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const MIB: usize = 1024 * 1024;
/// What `infra image push` may take at its peak (issue: at most 64 MB).
const MAX_RESIDENT_KIB: u64 = 64 * 1000;

/// A registry on a port of its own, in a folder that goes with it.
struct Server {
    folder: tempfile::TempDir,
    port: u16,
    process: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// None, and a word about it, where it cannot be tried.
fn server() -> Option<Server> {
    for program in ["docker-registry", "skopeo"] {
        if !installed(program) {
            eprintln!("NOT RUN: {program} is not installed");
            return None;
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let config = format!(
        "version: 0.1\nlog: {{level: error}}\nhttp: {{addr: \"127.0.0.1:{port}\"}}\nstorage:\n  delete: {{enabled: true}}\n  \
         filesystem: {{rootdirectory: {}}}\n",
        folder.path().join("data").display()
    );
    fs::write(folder.path().join("config.yml"), config).unwrap();
    let log = File::create(folder.path().join("log")).unwrap();
    let process = Command::new("docker-registry")
        .arg("serve")
        .arg(folder.path().join("config.yml"))
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    let server = Server { folder, port, process };
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "docker-registry did not answer within 20 s");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(server)
}

fn installed(name: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}

impl Server {
    fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn to(&self) -> Destination {
        let registry = Registry::new(Http::new(infra::aws::network()), &self.host(), Credentials::Anonymous);
        Destination {
            repository: registry.repository("shop/api"),
            tags: vec!["v1".to_owned()],
            immutable_tags: false,
            mount_from: Vec::new(),
        }
    }

    /// All blobs that skopeo pulls of the image: name in a layout → digest of its content as it is.
    fn pulled(&self, digest: &Digest) -> BTreeMap<String, Digest> {
        let folder = self.folder.path().join("pulled");
        let _ = fs::remove_dir_all(&folder);
        let status = Command::new("skopeo")
            .args(["copy", "--quiet", "--all", "--src-tls-verify=false", "--preserve-digests"])
            .arg(format!("docker://{}/shop/api@{digest}", self.host()))
            .arg(format!("oci:{}", folder.display()))
            .stdin(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "skopeo pulls the image");
        blobs(&folder)
    }
}

fn blobs(layout: &Path) -> BTreeMap<String, Digest> {
    let entries = fs::read_dir(layout.join("blobs/sha256")).unwrap();
    entries
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), Digest::of(fs::read(entry.path()).unwrap()))
        })
        .collect()
}

/// A layout whose layers are tar archives of one file each, of bytes that no compression makes smaller.
struct Layout {
    folder: tempfile::TempDir,
    digest: Digest,
}

impl Layout {
    fn new(layer_bytes: &[usize]) -> Layout {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("blobs/sha256");
        fs::create_dir_all(&directory).unwrap();
        fs::write(folder.path().join("oci-layout"), json!({"imageLayoutVersion": "1.0.0"}).to_string()).unwrap();
        let layers: Vec<Value> =
            layer_bytes.iter().enumerate().map(|(n, bytes)| layer(&directory, n, *bytes)).collect();
        let blob = |media_type: &str, value: Value| {
            let text = value.to_string();
            let digest = Digest::of(&text);
            fs::write(directory.join(digest.hex()), &text).unwrap();
            (digest, json!({"mediaType": media_type, "digest": digest, "size": text.len()}))
        };
        let ids: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
        let config = json!({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": ids}});
        let (_, config) = blob("application/vnd.oci.image.config.v1+json", config);
        let manifest = "application/vnd.oci.image.manifest.v1+json";
        let image = json!({"schemaVersion": 2, "mediaType": manifest, "config": config, "layers": layers});
        let (digest, descriptor) = blob(manifest, image);
        let index = json!({"schemaVersion": 2, "manifests": [descriptor]});
        fs::write(folder.path().join("index.json"), index.to_string()).unwrap();
        Layout { folder, digest }
    }

    fn source(&self) -> Source {
        Source::Layout(self.folder.path().to_owned())
    }
}

fn layer(directory: &Path, seed: usize, bytes: usize) -> Value {
    let temporary = directory.join(format!("layer-{seed}"));
    let mut random = fastrand::Rng::with_seed(seed as u64 + 1);
    let mut file = std::io::BufWriter::new(File::create(&temporary).unwrap());
    let mut hasher = infra::image::digest::Hasher::default();
    let mut write = |bytes: &[u8]| {
        hasher.update(bytes);
        file.write_all(bytes).unwrap();
    };
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
    write(&header);
    let mut left = bytes;
    let mut block = vec![0_u8; MIB];
    while left > 0 {
        block.chunks_exact_mut(8).for_each(|eight| eight.copy_from_slice(&random.u64(..).to_le_bytes()));
        let some = left.min(MIB);
        write(&block[..some]);
        left -= some;
    }
    write(&vec![0; (512 - bytes % 512) % 512 + 1024]);
    drop(file);
    let size_bytes = hasher.bytes();
    let digest = hasher.finish();
    fs::rename(temporary, directory.join(digest.hex())).unwrap();
    json!({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": size_bytes})
}

async fn pushed(layout: &Layout, server: &Server) -> Pushed {
    push(&layout.source(), &layout.digest, &server.to(), &silent()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pulled_back_is_what_was_pushed_and_the_second_push_moves_nothing() {
    let Some(server) = server() else { return };
    let layout = Layout::new(&(0..20).map(|n| 10_000 + n * 50_000).collect::<Vec<_>>());
    let first = pushed(&layout, &server).await;
    assert_eq!((first.uploaded_blobs, first.tags.len()), (21, 1));
    assert_eq!(server.pulled(&layout.digest), blobs(layout.folder.path()));
    let second = pushed(&layout, &server).await;
    assert!(second.already_there && second.tags.is_empty() && second.uploaded_bytes == 0, "{second:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_copied_with_its_layers_mounted() {
    let Some(server) = server() else { return };
    let layout = Layout::new(&[3 * MIB, 100]);
    pushed(&layout, &server).await;
    let mut to = server.to();
    to.repository = to.repository.registry.repository("shop/prod");
    let copied = infra::image::copy::copy(&server.to().repository, "v1", &to, &silent()).await.unwrap();
    assert_eq!((copied.digest, copied.mounted_blobs, copied.uploaded_blobs), (layout.digest, 3, 0));
}

/// A line to the registry that breaks once, after so many bytes have gone to it.
fn breaking_line(port: u16, after_bytes: u64) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let own = listener.local_addr().unwrap().port();
    let left = Arc::new(AtomicU64::new(after_bytes));
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (mut back, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut back, &mut to_client);
                let _ = to_client.shutdown(std::net::Shutdown::Both);
            });
            let left = left.clone();
            std::thread::spawn(move || {
                let (mut client, mut server) = (client, server);
                let mut buffer = vec![0; 64 * 1024];
                while let Ok(count @ 1..) = client.read(&mut buffer) {
                    let before = left.load(Ordering::Relaxed);
                    if before > 0 && before <= count as u64 {
                        left.store(0, Ordering::Relaxed);
                        let _ = client.shutdown(std::net::Shutdown::Both);
                        break;
                    }
                    left.store(before.saturating_sub(count as u64), Ordering::Relaxed);
                    if server.write_all(&buffer[..count]).is_err() {
                        break;
                    }
                }
                let _ = server.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    own
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_breaks_costs_one_layer_at_most() {
    let Some(server) = server() else { return };
    let layout = Layout::new(&[20 * MIB, 2 * MIB]);
    let host = format!("127.0.0.1:{}", breaking_line(server.port, 9 * MIB as u64));
    let registry = Registry::new(Http::new(infra::aws::network()), &host, Credentials::Anonymous);
    let to = Destination { repository: registry.repository("shop/api"), ..server.to() };
    let began_again = Arc::new(AtomicU64::new(0));
    let tell: Tell = Arc::new({
        let began_again = began_again.clone();
        move |progress| {
            if let Progress::Sent { bytes: 0, .. } = progress {
                began_again.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    push(&layout.source(), &layout.digest, &to, &tell).await.unwrap();
    assert_eq!(server.pulled(&layout.digest), blobs(layout.folder.path()));
    let began = began_again.load(Ordering::Relaxed);
    // Three blobs; those in flight on connections of their own are not disturbed.
    assert_eq!(began, 4, "the one that broke began again");
}

#[test]
fn a_large_layer_is_streamed() {
    let Some(server) = server() else { return };
    let layout = Layout::new(&[300 * MIB, 40 * MIB]);
    let began = Instant::now();
    let mut infra = Command::new(env!("CARGO_BIN_EXE_infra"))
        .args(["image", "push", "--no-commit-tag", "--to"])
        .arg(format!("{}/shop/large", server.host()))
        .arg(layout.folder.path())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir(layout.folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(server.folder.path().join("stderr")).unwrap())
        .spawn()
        .unwrap();
    let mut resident_kib = 0;
    let status = loop {
        resident_kib = resident_kib.max(peak_resident_kib(infra.id()).unwrap_or(0));
        if let Some(status) = infra.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let stderr = fs::read_to_string(server.folder.path().join("stderr")).unwrap();
    assert!(status.success(), "{stderr}");
    let seconds = began.elapsed().as_secs_f64();
    eprintln!("340 MiB in {seconds:.1} s, at most {} MiB resident", resident_kib / 1024);
    assert!((1..=MAX_RESIDENT_KIB).contains(&resident_kib), "{resident_kib} KiB resident");
    let stored: PathBuf = server.folder.path().join("data/docker/registry/v2/blobs/sha256");
    assert!(stored.is_dir());
}

/// Linux: the high-water mark of a process that runs.
fn peak_resident_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

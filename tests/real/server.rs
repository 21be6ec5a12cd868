//! Debian's docker-registry on a port of its own, skopeo to pull from it, and a line to it that counts and breaks.

#![allow(dead_code)] // each program uses its own part

use infra::image::Digest;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A registry whose folder goes with it.
pub struct Server {
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

/// Whether these programs are in `PATH`; a word about the first that is not.
pub fn all_there(programs: &[&str]) -> bool {
    let missing = programs.iter().find(|program| installed(program).is_none());
    if let Some(program) = missing {
        eprintln!("NOT RUN: {program} is not installed");
    }
    missing.is_none()
}

/// The program of this name in `PATH`.
pub fn installed(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// A port that is free now.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

impl Server {
    /// None, and a word about it, where it cannot be tried.
    pub fn start() -> Option<Server> {
        if !all_there(&["docker-registry", "skopeo"]) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nhttp: {{addr: \"127.0.0.1:{port}\"}}\nstorage:\n  \
             delete: {{enabled: true}}\n  filesystem: {{rootdirectory: {}}}\n",
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

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A path beside the registry's data, for a test's own files.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The layout that skopeo makes of an image of this registry; skopeo checks all digests.
    pub fn pull(&self, repository: &str, digest: &Digest) -> PathBuf {
        let layout = self.path(&format!("pulled-{}", digest.hex()));
        let _ = fs::remove_dir_all(&layout);
        let status = Command::new("skopeo")
            .args(["copy", "--quiet", "--all", "--src-tls-verify=false", "--preserve-digests"])
            .arg(format!("docker://{}/{repository}@{digest}", self.host()))
            .arg(format!("oci:{}:pulled", layout.display()))
            .stdin(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "skopeo pulls {repository}@{digest}");
        layout
    }

    /// The blobs that a repository has.
    pub fn blobs_of(&self, repository: &str) -> Vec<String> {
        let links = self.path("data/docker/registry/v2/repositories").join(repository).join("_layers/sha256");
        let Ok(entries) = fs::read_dir(links) else { return Vec::new() };
        let there = entries.map(|entry| entry.unwrap()).filter(|entry| entry.path().join("link").is_file());
        there.map(|entry| entry.file_name().into_string().unwrap()).collect()
    }

    /// Throws away everything that was pushed.
    pub fn clear(&self) {
        let _ = fs::remove_dir_all(self.path("data/docker"));
    }

    /// A line to the registry that breaks once, after so many bytes have gone to it.
    pub fn line(&self, breaks_after_bytes: u64) -> Line {
        Line::to(self.port, breaks_after_bytes)
    }
}

/// A port that passes on what comes to it.
pub struct Line {
    pub port: u16,
    /// What went to the registry.
    sent_bytes: Arc<AtomicU64>,
}

impl Line {
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Ordering::SeqCst)
    }

    fn to(port: u16, breaks_after_bytes: u64) -> Line {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let line = Line { port: listener.local_addr().unwrap().port(), sent_bytes: Arc::default() };
        let sent_bytes = Arc::clone(&line.sent_bytes);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
                let (mut back, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut back, &mut to_client);
                    let _ = to_client.shutdown(Shutdown::Both);
                });
                let sent_bytes = Arc::clone(&sent_bytes);
                std::thread::spawn(move || pass(client, server, &sent_bytes, breaks_after_bytes));
            }
        });
        line
    }
}

fn pass(mut client: TcpStream, mut server: TcpStream, sent_bytes: &AtomicU64, breaks_after_bytes: u64) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        let before = sent_bytes.fetch_add(count as u64, Ordering::SeqCst);
        if before < breaks_after_bytes && breaks_after_bytes <= before + count as u64 {
            let _ = client.shutdown(Shutdown::Both);
            break;
        }
        if server.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
}

/// Name → size of the blobs in a layout.
pub fn blobs(layout: &Path) -> Vec<(String, u64)> {
    let entries = fs::read_dir(layout.join("blobs/sha256")).unwrap().map(|entry| entry.unwrap());
    let mut blobs: Vec<(String, u64)> =
        entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len())).collect();
    blobs.sort();
    blobs
}

/// Two layouts have the same blobs, byte by byte.
#[track_caller]
pub fn assert_same(one: &Path, other: &Path) {
    assert_eq!(blobs(one), blobs(other));
    for (name, _) in blobs(one) {
        let open = |layout: &Path| File::open(layout.join("blobs/sha256").join(&name)).unwrap();
        let (mut left, mut right) = (open(one), open(other));
        let mut pieces = [vec![0; 1024 * 1024], vec![0; 1024 * 1024]];
        loop {
            let [from_left, from_right] = &mut pieces;
            let count = left.read(from_left).unwrap();
            if count == 0 {
                break;
            }
            right.read_exact(&mut from_right[..count]).unwrap();
            assert!(from_left[..count] == from_right[..count], "{name} differs");
        }
    }
}

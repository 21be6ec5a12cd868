//! Pushed to Debian's docker-registry and pulled back by skopeo: what comes back is what was built.

use crate::layout::{Layout, MIB};
use crate::server::{Server, assert_same, blobs};
use infra::aws::Http;
use infra::image::push::{Destination, Progress, Pushed, Source, Tell, push, silent};
use infra::image::registry::{Credentials, Registry};
use serde_json::Value;
use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const REPOSITORY: &str = "shop/api";
/// What `infra image push` may take at its peak: 64 MB.
const MAX_RESIDENT_KIB: u64 = 64_000_000 / 1024;

fn to(host: &str) -> Destination {
    let registry = Registry::new(Http::new(infra::aws::network()), host, Credentials::Anonymous);
    Destination {
        repository: registry.repository(REPOSITORY),
        tags: vec!["v1".to_owned()],
        immutable_tags: false,
        mount_from: Vec::new(),
    }
}

async fn pushed(layout: &Layout, host: &str) -> Pushed {
    push(&Source::Layout(layout.path().to_owned()), &layout.digest, &to(host), &silent()).await.unwrap()
}

/// `infra image push` as a process of its own.
fn spawn(layout: &Layout, host: &str, server: &Server) -> Child {
    Command::new(env!("CARGO_BIN_EXE_infra"))
        .args(["image", "push", "--no-commit-tag", "--format", "json", "--to"])
        .arg(format!("{host}/{REPOSITORY}"))
        .arg(layout.path())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir(layout.path())
        .stdin(Stdio::null())
        .stdout(File::create(server.path("stdout")).unwrap())
        .stderr(File::create(server.path("stderr")).unwrap())
        .spawn()
        .unwrap()
}

/// Waits for it, and gives what it says and the most memory that it had, in KiB.
fn ended(mut infra: Child, server: &Server) -> (Value, u64) {
    let mut resident_kib = 0;
    let status = loop {
        resident_kib = resident_kib.max(peak_resident_kib(infra.id()).unwrap_or(0));
        if let Some(status) = infra.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success(), "{}", fs::read_to_string(server.path("stderr")).unwrap());
    (serde_json::from_str(&fs::read_to_string(server.path("stdout")).unwrap()).unwrap(), resident_kib)
}

/// Linux: the high-water mark of a process that runs.
fn peak_resident_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pulled_back_is_what_was_pushed_and_the_second_push_moves_nothing() {
    let Some(server) = Server::start() else { return };
    let layout = Layout::of_sizes(&(0..120).map(|n| 10_000 + n * 5_000).collect::<Vec<_>>());
    let first = pushed(&layout, &server.host()).await;
    assert_eq!((first.uploaded_blobs, first.tags.len()), (121, 1));
    assert_same(&server.pull(REPOSITORY, &layout.digest), layout.path());
    let line = server.line(u64::MAX);
    let second = pushed(&layout, &line.host()).await;
    assert!(second.already_there && second.tags.is_empty() && second.uploaded_bytes == 0, "{second:?}");
    assert!(line.sent_bytes() < 2_000, "{} bytes for looking", line.sent_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_copied_with_its_layers_mounted() {
    let Some(server) = Server::start() else { return };
    let layout = Layout::of_sizes(&[3 * MIB, 100]);
    pushed(&layout, &server.host()).await;
    let from = to(&server.host()).repository;
    let prod = Destination { repository: from.registry.repository("shop/prod"), ..to(&server.host()) };
    let copied = infra::image::copy::copy(&from, "v1", &prod, &silent()).await.unwrap();
    assert_eq!((copied.digest, copied.mounted_blobs, copied.uploaded_blobs), (layout.digest, 3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_breaks_costs_one_layer_at_most() {
    let Some(server) = Server::start() else { return };
    let layout = Layout::of_sizes(&[20 * MIB, 2 * MIB]);
    let line = server.line(9 * MIB);
    let began_again = Arc::new(AtomicU64::new(0));
    let tell: Tell = Arc::new({
        let began_again = began_again.clone();
        move |progress| {
            if let Progress::Sent { bytes: 0, .. } = progress {
                began_again.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let source = Source::Layout(layout.path().to_owned());
    push(&source, &layout.digest, &to(&line.host()), &tell).await.unwrap();
    assert_same(&server.pull(REPOSITORY, &layout.digest), layout.path());
    let began = began_again.load(Ordering::Relaxed);
    // Three blobs; those in flight on connections of their own are not disturbed.
    assert_eq!(began, 4, "the one that broke began again");
}

#[test]
fn a_run_that_was_killed_moves_only_the_rest() {
    let Some(server) = Server::start() else { return };
    let layout = Layout::of_sizes(&[4 * MIB; 60]);
    let mut killed = spawn(&layout, &server.host(), &server);
    while server.blobs_of(REPOSITORY).len() < 15 {
        assert!(killed.try_wait().unwrap().is_none(), "{}", fs::read_to_string(server.path("stderr")).unwrap());
        std::thread::sleep(Duration::from_millis(1));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    // What was on its way when it was killed may still arrive.
    std::thread::sleep(Duration::from_millis(500));
    let there = server.blobs_of(REPOSITORY);
    let missing: Vec<u64> =
        blobs(layout.path()).into_iter().filter(|(name, _)| !there.contains(name)).map(|(_, bytes)| bytes).collect();
    // The manifest is no blob of the repository.
    assert!((3..48).contains(&missing.len()), "{} of 62 are missing", missing.len());
    let rest: u64 = missing.iter().sum();
    let line = server.line(u64::MAX);
    let (said, _) = ended(spawn(&layout, &line.host(), &server), &server);
    assert_eq!(said["present_blobs"], there.len(), "{said}");
    assert_eq!(said["uploaded_blobs"], missing.len() - 1, "{said}");
    let more = line.sent_bytes() - rest;
    assert!(more < 200_000, "{more} bytes besides the {rest} that were missing");
    assert_same(&server.pull(REPOSITORY, &layout.digest), layout.path());
}

#[test]
fn a_layer_of_a_gibibyte_is_streamed() {
    let Some(server) = Server::start() else { return };
    let layout = Layout::of_sizes(&[1024 * MIB, 40 * MIB, 1000]);
    let began = Instant::now();
    let (said, resident_kib) = ended(spawn(&layout, &server.host(), &server), &server);
    let seconds = began.elapsed().as_secs_f64();
    let mebibytes = layout.size_bytes() / MIB;
    eprintln!("{mebibytes} MiB in {seconds:.1} s, at most {} MiB resident", resident_kib / 1024);
    assert!((1..=MAX_RESIDENT_KIB).contains(&resident_kib), "{resident_kib} KiB resident");
    assert_eq!((&said["uploaded_blobs"], &said["already_there"]), (&4.into(), &false.into()), "{said}");
    assert_same(&server.pull(REPOSITORY, &layout.digest), layout.path());
    let line = server.line(u64::MAX);
    let (said, _) = ended(spawn(&layout, &line.host(), &server), &server);
    assert_eq!((&said["uploaded_bytes"], &said["already_there"]), (&0.into(), &true.into()), "{said}");
    assert!(line.sent_bytes() < 2_000, "{} bytes for looking", line.sent_bytes());
}

//! What AWS really answered, against what this crate answers, asked with boto3 through a port. The recordings are not
//! part of the repository: `INFRA_CONFORMANCE` names their directory, and
//! `cargo test -p local-aws --test conformance -- --ignored --nocapture` replays them and prints the counts.
//!
//! No count of exact answers may fall below `replay/baseline.json`; `INFRA_UPDATE_BASELINE=1` writes what there is now.
//! `INFRA_CONFORMANCE_CASE=part-of-a-name` replays some cases only, and compares with no baseline.

#[path = "../../../tests/it/support/venv.rs"]
#[allow(dead_code, reason = "the other user installs more")]
mod venv;

use local_aws::{LocalAws, Options, Speed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokio::net::TcpListener;

/// Resources take a hundredth of their time: what happens while an update runs is seen, and the whole does not last.
const SPEED: f64 = 100.0;
/// For the cases that ask what is said while something runs: a client on a busy machine may need a second for a call.
const UNHURRIED: f64 = 1.0;

/// One recorded case, as the replay judged it.
#[derive(Debug, Deserialize)]
struct Case {
    id: String,
    group: String,
    excepted: Option<String>,
    verdicts: Vec<Verdict>,
}

#[derive(Debug, Deserialize)]
struct Verdict {
    /// `answer` (compared), `call` (had only to succeed) or `other` (of another service).
    kind: String,
    call: String,
    /// `exact`, `wrong` or `skipped`.
    verdict: String,
    why: String,
}

/// Counts of one group of cases.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Counts {
    exact_answers: usize,
    succeeded_calls: usize,
    exact_answers_of_other_services: usize,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn target_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().expect("tmp is below target").to_owned()
}

fn replay() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the recordings: set INFRA_CONFORMANCE"]
async fn recorded_answers_are_given_again() {
    let recordings =
        std::env::var("INFRA_CONFORMANCE").expect("INFRA_CONFORMANCE must name the directory of recordings");
    let part = std::env::var("INFRA_CONFORMANCE_CASE").ok();
    let (url, server) = serve(SPEED).await;
    let (unhurried, unhurried_server) = serve(UNHURRIED).await;
    let report = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("conformance.json");
    let mut python = Command::new(venv::make("replay-venv", &replay().join("requirements.txt")).join("bin/python"));
    python.args(["-B".as_ref(), replay().as_os_str()]).args([url, unhurried]).arg(recordings).arg(&report);
    python.args(part.as_ref());
    let status = tokio::task::spawn_blocking(move || python.status()).await.expect("no panic").expect("python runs");
    assert!(status.success(), "the replay itself failed");
    server.abort();
    unhurried_server.abort();

    let text = std::fs::read_to_string(&report).expect("a report");
    let cases: Vec<Case> = serde_json::from_str(&text).expect("a report of cases");
    let (table, counts) = table(&cases);
    println!("{}\n{table}", misses(&cases));
    if part.is_some() {
        return;
    }
    let baseline = replay().join("baseline.json");
    if std::env::var_os("INFRA_UPDATE_BASELINE").is_some() {
        let text = serde_json::to_string_pretty(&counts).expect("counts") + "\n";
        std::fs::write(&baseline, text).expect("the baseline can be written");
    }
    let text = std::fs::read_to_string(&baseline).expect("a baseline");
    let baseline: BTreeMap<String, Counts> = serde_json::from_str(&text).expect("counts by group");
    let fallen: Vec<String> = baseline
        .iter()
        .filter(|(group, before)| {
            let now = counts.get(*group).cloned().unwrap_or_default();
            now.exact_answers < before.exact_answers
                || now.succeeded_calls < before.succeeded_calls
                || now.exact_answers_of_other_services < before.exact_answers_of_other_services
        })
        .map(|(group, before)| format!("{group}: {:?} after {before:?}", counts.get(group)))
        .collect();
    assert!(fallen.is_empty(), "fewer answers are exact than before:\n{}", fallen.join("\n"));
    assert!(!baseline.is_empty(), "the baseline is empty");
}

/// A world in memory at a speed, on a port: its URL and the task that serves it.
async fn serve(speed: f64) -> (String, tokio::task::JoinHandle<std::io::Result<()>>) {
    let speed = Speed::times(speed).expect("above zero");
    // Of the oldest recordings: Lambda still had the runtimes of their templates.
    let epoch = Some("2022-11-01T00:00:00Z".parse().expect("a time"));
    // The recorded accounts held more than the recorded calls made (buckets with code).
    let options = Options { speed, epoch, partial: true, ..Options::default() };
    let aws = LocalAws::open(options).await.expect("a world in memory");
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    (url, tokio::spawn(async move { aws.serve(listener, std::future::pending()).await }))
}

/// What differs, and what was left out.
fn misses(cases: &[Case]) -> String {
    let mut text = String::new();
    for case in cases {
        if let Some(why) = &case.excepted {
            let _ = writeln!(text, "excepted: {}: {why}", case.id);
        }
        for verdict in case.verdicts.iter().filter(|verdict| verdict.verdict == "wrong") {
            let _ = writeln!(text, "wrong: {}: {}: {}", case.id, verdict.call, verdict.why);
        }
    }
    text
}

/// Exact of judged, for each group; skipped answers are those that other services would have had to give first.
fn table(cases: &[Case]) -> (String, BTreeMap<String, Counts>) {
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    let mut text =
        format!("{:<54}{:>12}{:>12}{:>12}{:>9}{:>10}\n", "group", "answers", "calls", "others", "skipped", "excepted");
    let groups: Vec<&str> = {
        let mut groups: Vec<&str> = cases.iter().map(|case| case.group.as_str()).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    };
    for group in groups.iter().copied().chain(["total"]) {
        let of_group = || cases.iter().filter(|case| group == "total" || case.group == group);
        let verdicts = || of_group().flat_map(|case| &case.verdicts);
        let count =
            |kind: &str, verdict: &str| verdicts().filter(|it| it.kind == kind && it.verdict == verdict).count();
        let shown = |kind: &str| format!("{}/{}", count(kind, "exact"), count(kind, "exact") + count(kind, "wrong"));
        let skipped = verdicts().filter(|it| it.verdict == "skipped" && it.kind != "other").count();
        let excepted = of_group().filter(|case| case.excepted.is_some()).count();
        let _ = writeln!(
            text,
            "{group:<54}{:>12}{:>12}{:>12}{skipped:>9}{excepted:>10}",
            shown("answer"),
            shown("call"),
            shown("other")
        );
        counts.insert(
            group.to_owned(),
            Counts {
                exact_answers: count("answer", "exact"),
                succeeded_calls: count("call", "exact"),
                exact_answers_of_other_services: count("other", "exact"),
            },
        );
    }
    (text, counts)
}

/// The comparison has tests of its own; they need nothing but Python.
#[test]
fn the_comparison_tells_exact_from_wrong() {
    let output = Command::new("python3")
        .args(["-B", "-m", "unittest", "-q", "test_compare"])
        .current_dir(replay())
        .output()
        .expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

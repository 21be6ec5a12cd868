//! Checking templates, beside `cfn-lint` on the same files, whole process against whole process.
//!
//! `cargo bench --bench against_cfn_lint` prints medians of wall time and peak memory, and their ratio: for the rendered
//! production system, and for a thousand copies of its templates.

#![allow(clippy::print_stdout)] // a bench's result is what it prints

mod measure;
#[path = "../tests/it/support/mod.rs"]
mod support;

use cloudformation::validate::{Options, validate_text};
use measure::Figures;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{root, venv};

/// The first argument of this program when it is run as the one that is measured.
const CHECK: &str = "check-these-files";
const COPIES: usize = 1000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(CHECK) {
        return check(arguments);
    }
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let rendered = Command::new(env!("CARGO_BIN_EXE_infra"))
        .args(["render", "--env", "prod", "--out"])
        .arg(folder.path())
        .current_dir(root())
        .status()
        .expect("infra starts");
    assert!(rendered.success());
    let system = files(folder.path());
    let copies = tempfile::TempDir::new().expect("a temporary folder");
    for (number, file) in system.iter().cycle().take(COPIES).enumerate() {
        std::fs::copy(file, copies.path().join(format!("{number}.yaml"))).expect("a copy");
    }
    println!("medians, whole processes                    wall ms   peak MiB");
    compare(&format!("the system, {} templates", system.len()), &system, 11, 3);
    compare(&format!("{COPIES} templates"), &files(copies.path()), 3, 1);
}

fn compare(what: &str, files: &[PathBuf], our_runs: usize, their_runs: usize) {
    let mut ours = Command::new(std::env::current_exe().expect("this program"));
    ours.arg(CHECK).args(files);
    let mut theirs = Command::new(venv::program("cfn-lint"));
    theirs.args(files);
    let ours = measure::median(our_runs, || measure::run(&mut ours));
    let theirs = measure::median_of(&(0..their_runs).map(|_| measure::run(&mut theirs)).collect::<Vec<Figures>>());
    for (who, figures) in [("ours", ours), ("cfn-lint", theirs)] {
        println!("{:<42} {:>8.1} {:>10.1}", format!("{what}: {who}"), figures.wall_ms(), figures.peak_mib());
    }
    println!("{:<42} {:>8.0} times faster", "", theirs.wall_ms() / ours.wall_ms());
}

/// Reads and checks each file, as a program of its own would.
fn check(files: impl Iterator<Item = String>) {
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a template");
        let findings = validate_text(&text, &Options::default());
        assert!(findings.iter().all(|finding| !finding.is_error()), "{file}: {findings:?}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

//! A plan with nothing to do, beside `sceptre diff` of the same stacks on the same emulator, one run of each in turn.
//!
//! `cargo bench --bench against_sceptre` prints medians of wall time and peak memory, and their ratios.

#![allow(clippy::print_stdout)] // a bench's result is what it prints

mod measure;
#[path = "../tests/it/support/mod.rs"]
mod support;

use std::process::Command;
use support::{ministack::Account, project::Project, root, venv};

const RUNS: usize = 7;

fn main() {
    let (project, account) = storefront();
    let sceptre_project = tempfile::TempDir::new().expect("a temporary folder");
    let made = Command::new(venv::program("python"))
        .arg(root().join("benches/sceptre_project.py"))
        .args([&account.endpoint, &account.id, "us-east-1", "storefront-emulator-"])
        .arg(sceptre_project.path())
        .status()
        .expect("python starts");
    assert!(made.success());
    let python = venv::make("bench-venv", &root().join("benches/requirements.txt")).join("bin/python");

    let mut infra = Command::new(env!("CARGO_BIN_EXE_infra"));
    infra.args(["plan", "--env", "emulator", "--detailed-exitcode"]).current_dir(project.path());
    let mut diff = Command::new(&python);
    diff.arg(root().join("benches/run_sceptre.py"))
        .args(["--ignore-dependencies", "diff", "all"])
        .current_dir(sceptre_project.path());
    for command in [&mut infra, &mut diff] {
        command
            .env("AWS_ENDPOINT_URL", &account.endpoint)
            .env("AWS_ACCESS_KEY_ID", &account.id)
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true");
    }
    let pairs: Vec<_> = (0..=RUNS).map(|_| (measure::run(&mut infra), measure::run(&mut diff))).collect();
    // The first run of each warms the caches of both and of the emulator.
    let (ours, theirs): (Vec<_>, Vec<_>) = pairs[1..].iter().copied().unzip();
    let (our, their) = (measure::median_of(&ours), measure::median_of(&theirs));
    println!("nothing to do, medians of {RUNS}      wall ms   peak MiB");
    for (name, figures) in [("infra plan", our), ("sceptre diff", their)] {
        println!("{name:<30} {:>12.1} {:>10.1}", figures.wall_ms(), figures.peak_mib());
    }
    println!("{:<30} {:>12.3} {:>10.3}", "ratio", our.wall_ms() / their.wall_ms(), our.peak_mib() / their.peak_mib());
}

/// The whole system on the emulator, applied.
fn storefront() -> (Project, Account) {
    let project = Project::on_ministack();
    for name in ["base", "staging", "emulator"] {
        let file = format!("environments/{name}.yaml");
        let text = std::fs::read_to_string(root().join(&file)).expect("an environment of the repository");
        project.write(&file, &text.replace("111122223333", "ACCOUNT"));
    }
    project.infra(&["bootstrap", "--env", "emulator", "--yes"]).expect(0);
    project.infra(&["apply", "--env", "emulator", "--yes"]).expect(0);
    let account = project.account.clone().expect("an account");
    (project, account)
}

//! What a whole `infra` process costs: `--version`, rendering the system, planning 500 stacks that need nothing.
//!
//! `cargo bench --bench processes` prints medians; the bounds beside them are what the project promises.

#![allow(clippy::print_stdout)] // a bench's result is what it prints

mod measure;
#[path = "../tests/it/support/mod.rs"]
mod support;

use measure::Figures;
use std::fmt::Write;
use std::process::Command;
use support::{project::Project, root};

const RUNS: usize = 11;
const STACKS: usize = 500;

fn main() {
    let infra = || Command::new(env!("CARGO_BIN_EXE_infra"));
    let version = measure::median(RUNS, || measure::run(infra().arg("--version")));
    report("infra --version", version, "5 ms, 15 MiB");
    let render = measure::median(RUNS, || measure::run(infra().args(["render", "--env", "prod"]).current_dir(root())));
    report("infra render --env prod", render, "30 ms");

    let project = many();
    let account = project.account.as_ref().expect("an account");
    let plan = measure::median(5, || {
        measure::run(
            infra()
                .args(["plan", "--env", "many", "--detailed-exitcode"])
                .current_dir(project.path())
                .env("AWS_ENDPOINT_URL", &account.endpoint)
                .env("AWS_ACCESS_KEY_ID", &account.id)
                .env("AWS_SECRET_ACCESS_KEY", "test"),
        )
    });
    report("infra plan, 500 stacks, nothing to do", plan, "1 s of CPU, 150 MiB");
}

fn report(what: &str, figures: Figures, bound: &str) {
    println!(
        "{what:<40} {:>8.1} ms wall {:>8} ms CPU {:>7.1} MiB   (at most {bound})",
        figures.wall_ms(),
        figures.cpu.as_millis(),
        figures.peak_mib()
    );
}

/// An environment of many small stacks, applied on the emulator.
fn many() -> Project {
    let project = Project::on_ministack();
    support::small::files(&project);
    let mut text =
        String::from("project: many\naccount: \"ACCOUNT\"\nregion: us-east-1\napply: {concurrency: 16}\nstacks:\n");
    for stack in 0..STACKS {
        writeln!(text, "  s{stack}: {{template: parameter, inputs: {{value: v{stack}}}}}").expect("a string takes it");
    }
    project.write("environments/many.yaml", &text);
    project.infra(&["bootstrap", "--env", "many", "--yes"]).expect(0);
    project.infra(&["apply", "--env", "many", "--yes"]).expect(0);
    project
}

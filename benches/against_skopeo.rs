//! Pushing an image, beside `skopeo copy` of the same layout to the same docker-registry, one run of each in turn.
//!
//! `cargo bench --bench against_skopeo` prints medians of throughput and peak memory, and their ratios: for one layer of a
//! gibibyte, and for many layers. The registry is emptied before each run.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)] // a bench's result is what it prints

#[path = "../tests/real/layout.rs"]
mod layout;
mod measure;
#[path = "../tests/real/server.rs"]
mod server;

use layout::{Layout, MIB};
use measure::Figures;
use server::Server;
use std::process::Command;

const RUNS: usize = 5;

fn main() {
    let server = Server::start().expect("docker-registry and skopeo are installed");
    println!("{:<34} {:>8} {:>8} {:>10}", format!("medians of {RUNS}"), "seconds", "MiB/s", "peak MiB");
    measure("one layer of 1 GiB", &Layout::of_sizes(&[1024 * MIB]), &server);
    measure("200 layers of 2 MiB", &Layout::of_sizes(&[2 * MIB; 200]), &server);
}

fn measure(what: &str, layout: &Layout, server: &Server) {
    let to = format!("{}/bench/image", server.host());
    let mut infra = Command::new(env!("CARGO_BIN_EXE_infra"));
    infra.args(["image", "push", "--no-commit-tag", "--tag", "v1", "--to", &to]).arg(layout.path());
    infra.current_dir(layout.path());
    let mut skopeo = Command::new("skopeo");
    skopeo.args(["copy", "--quiet", "--preserve-digests", "--dest-tls-verify=false"]);
    skopeo.arg(format!("oci:{}", layout.path().display())).arg(format!("docker://{to}:v1"));
    let fresh = |command: &mut Command| {
        server.clear();
        measure::run(command)
    };
    // The first run of each warms the caches.
    let pairs: Vec<_> = (0..=RUNS).map(|_| (fresh(&mut infra), fresh(&mut skopeo))).collect();
    let (ours, theirs): (Vec<_>, Vec<_>) = pairs[1..].iter().copied().unzip();
    let (our, their) = (measure::median_of(&ours), measure::median_of(&theirs));
    let mebibytes = layout.size_bytes() as f64 / MIB as f64;
    let throughput = |figures: Figures| mebibytes / figures.wall.as_secs_f64();
    println!("{what}");
    for (name, figures) in [("infra image push", our), ("skopeo copy", their)] {
        let seconds = figures.wall.as_secs_f64();
        println!("  {name:<32} {seconds:>8.2} {:>8.0} {:>10.1}", throughput(figures), figures.peak_mib());
    }
    let memory = our.peak_mib() / their.peak_mib();
    println!("  {:<32} {:>17.2} {memory:>10.2}", "ratio", throughput(our) / throughput(their));
}

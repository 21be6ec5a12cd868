//! What an apply of the whole system costs on the embedded AWS, in this process and in virtual time: CPU time of all
//! threads, and calls.
//!
//! `cargo bench --bench local` prints a line for each environment, `cargo bench --bench local -- dev` one. The figures
//! are of plan and apply on an account with nothing in it but what `infra bootstrap` makes.

#![allow(clippy::print_stdout)] // a bench's result is what it prints

#[path = "../tests/it/support/mod.rs"]
mod support;

use infra::plan::Options;
use std::collections::BTreeMap;
use std::time::Duration;
use support::whole::Whole;

const RUNS: usize = 7;
/// For an apply of the whole system.
const PROMISED: Duration = Duration::from_millis(300);

struct Figures {
    cpu: Duration,
    stacks: usize,
    resources: usize,
    calls: BTreeMap<String, usize>,
}

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |name: &str| asked.is_empty() || asked.iter().any(|asked| asked == name);
    for name in ["dev", "staging", "prod"].into_iter().filter(|name| wanted(name)) {
        let mut runs: Vec<Figures> = (0..=RUNS).map(|_| one(name)).skip(1).collect();
        runs.sort_by_key(|run| run.cpu);
        let Figures { cpu, stacks, resources, calls } = &runs[RUNS / 2];
        let total: usize = calls.values().sum();
        let of = |operation: &str| calls.get(operation).copied().unwrap_or_default();
        println!(
            "apply {name:<8} {stacks:>3} stacks {resources:>4} resources {:>7.1} ms CPU (at most {} promised) {total:>5} calls, \
             of them {} DescribeStackEvents, {} DescribeStacks, {} DescribeChangeSet",
            cpu.as_secs_f64() * 1e3,
            PROMISED.as_millis(),
            of("DescribeStackEvents"),
            of("DescribeStacks"),
            of("DescribeChangeSet"),
        );
    }
}

fn one(name: &'static str) -> Figures {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let whole = Whole::new(name).await;
        whole.wire.forget();
        let before = cpu();
        let plan = whole.plan(&Options::default(), false).await;
        let report = whole.apply(&plan).await;
        let cpu = cpu() - before;
        assert!(!report.failed(), "{report:#?}");
        let mut calls: BTreeMap<String, usize> = BTreeMap::new();
        for call in whole.wire.calls() {
            *calls.entry(call.operation).or_default() += 1;
        }
        let resources = plan.steps.iter().map(|step| step.changes.len()).sum();
        Figures { cpu, stacks: report.stacks.len(), resources, calls }
    })
}

/// CPU time of this process's threads: the first field of each `/proc/self/task/*/schedstat`, in nanoseconds.
fn cpu() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux").flatten();
    let spent = threads.filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(spent.sum())
}

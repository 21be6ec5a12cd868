//! Random graphs of jobs in virtual time: order, bound, urgency, failures, interrupts.

use super::*;
use crate::apply::interrupt::interrupt;
use proptest::prelude::*;
use std::cell::RefCell;
use std::time::Duration;
use tokio::time::{Instant, sleep};

fn job(name: &str, waits_on: &[&str], weight: u64) -> Job {
    Job { name: name.to_owned(), waits_on: waits_on.iter().map(|&need| need.to_owned()).collect(), weight }
}

fn done() -> Outcome {
    Outcome::Done { outputs: BTreeMap::new() }
}

fn failed() -> Outcome {
    Outcome::Failed(Box::default())
}

/// When each job began and ended, in virtual seconds, and how it ended.
#[derive(Debug, Default)]
struct Log {
    began: BTreeMap<String, u64>,
    ended: BTreeMap<String, u64>,
    outcomes: Vec<(String, Outcome)>,
    most_at_once: usize,
}

impl Log {
    fn outcome(&self, name: &str) -> &Outcome {
        &self.outcomes.iter().find(|(other, _)| other == name).unwrap().1
    }
}

/// Runs jobs that each take `weight` seconds of virtual time; those in `failing` fail.
async fn simulate(jobs: &[Job], concurrency: usize, failing: &[&str], interrupt: &Interrupt) -> Log {
    let log = RefCell::new(Log::default());
    let start = Instant::now();
    let execute = async |job: &Job| {
        {
            let mut log = log.borrow_mut();
            log.began.insert(job.name.clone(), start.elapsed().as_secs());
            log.most_at_once = log.most_at_once.max(log.began.len() - log.ended.len());
        }
        sleep(Duration::from_secs(job.weight)).await;
        log.borrow_mut().ended.insert(job.name.clone(), start.elapsed().as_secs());
        if failing.contains(&job.name.as_str()) { failed() } else { done() }
    };
    run(jobs, concurrency, interrupt, execute, |job, outcome| {
        log.borrow_mut().outcomes.push((job.name.clone(), outcome));
    })
    .await;
    log.into_inner()
}

fn virtual_time<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(future)
}

#[tokio::test(start_paused = true)]
async fn a_stack_starts_as_soon_as_its_own_needs_are_done() {
    // Level by level, `c` would wait for `slow`.
    let jobs = [job("slow", &[], 100), job("a", &[], 1), job("b", &["a"], 1), job("c", &["b"], 1)];
    let log = simulate(&jobs, 8, &[], &Interrupt::never()).await;
    assert_eq!(log.ended["c"], 3);
    assert_eq!(log.ended["slow"], 100);
}

#[tokio::test(start_paused = true)]
async fn the_longest_way_ahead_goes_first() {
    let jobs = [job("short", &[], 5), job("head", &[], 1), job("tail", &["head"], 50)];
    let log = simulate(&jobs, 1, &[], &Interrupt::never()).await;
    assert_eq!((log.began["head"], log.began["tail"], log.began["short"]), (0, 1, 51));
}

#[tokio::test(start_paused = true)]
async fn a_failure_skips_its_dependents_and_nobody_else() {
    let jobs = [
        job("network", &[], 1),
        job("table", &[], 9),
        job("service", &["network", "table"], 1),
        job("monitoring", &["service"], 1),
        job("backup", &["table"], 1),
    ];
    let log = simulate(&jobs, 8, &["network"], &Interrupt::never()).await;
    assert!(matches!(log.outcome("network"), Outcome::Failed(_)));
    assert!(matches!(log.outcome("service"), Outcome::Skipped { because } if because == &["network"]));
    assert!(matches!(log.outcome("monitoring"), Outcome::Skipped { because } if because == &["service"]));
    assert!(log.outcome("backup").is_good());
}

#[tokio::test(start_paused = true)]
async fn the_first_interrupt_lets_running_jobs_finish() {
    let jobs = [job("a", &[], 10), job("b", &[], 20), job("c", &["a"], 1)];
    let (interrupter, interrupt) = interrupt();
    let (log, ()) = tokio::join!(simulate(&jobs, 8, &[], &interrupt), async {
        sleep(Duration::from_secs(5)).await;
        interrupter.raise(Level::Finish);
    });
    assert!(log.outcome("a").is_good() && log.outcome("b").is_good());
    assert!(matches!(log.outcome("c"), Outcome::Stopped { because } if because == INTERRUPTED));
    assert_eq!(log.ended["b"], 20);
}

#[tokio::test(start_paused = true)]
async fn the_second_interrupt_waits_for_nothing() {
    let jobs = [job("a", &[], 1000), job("b", &["a"], 1)];
    let (interrupter, interrupt) = interrupt();
    let start = Instant::now();
    let (log, ()) = tokio::join!(simulate(&jobs, 8, &[], &interrupt), async {
        sleep(Duration::from_secs(5)).await;
        interrupter.raise(Level::Finish);
        sleep(Duration::from_secs(5)).await;
        interrupter.raise(Level::Leave);
    });
    assert!(matches!(log.outcome("a"), Outcome::Stopped { because } if because == LEFT));
    assert!(matches!(log.outcome("b"), Outcome::Stopped { because } if because == INTERRUPTED));
    assert_eq!(start.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_circle_is_said_and_does_not_hang() {
    let jobs = [job("a", &["b"], 1), job("b", &["a"], 1), job("c", &[], 1)];
    let log = simulate(&jobs, 8, &[], &Interrupt::never()).await;
    assert!(matches!(log.outcome("a"), Outcome::Stopped { because } if because == CIRCLE));
    assert!(log.outcome("c").is_good());
}

/// Up to twenty jobs, each waiting on some of those before it.
fn graphs() -> impl Strategy<Value = Vec<Job>> {
    proptest::collection::vec((proptest::collection::vec(any::<proptest::sample::Index>(), 0..4), 1_u64..30), 1..20)
        .prop_map(|rows| {
            let make = |(index, (needs, weight)): (usize, (Vec<proptest::sample::Index>, u64))| {
                let needs: BTreeSet<String> = match index {
                    0 => BTreeSet::new(),
                    _ => needs.iter().map(|need| format!("job{}", need.index(index))).collect(),
                };
                Job { name: format!("job{index}"), waits_on: needs, weight }
            };
            rows.into_iter().enumerate().map(make).collect()
        })
}

/// All that a job waits on, near and far.
fn ancestors<'a>(jobs: &'a [Job], job: &'a Job) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = vec![job];
    while let Some(job) = open.pop() {
        for need in jobs.iter().filter(|other| job.waits_on.contains(&other.name)) {
            if found.insert(need.name.as_str()) {
                open.push(need);
            }
        }
    }
    found
}

proptest! {
    #[test]
    fn order_and_bound_hold_for_every_graph(jobs in graphs(), concurrency in 1_usize..6) {
        let log = virtual_time(simulate(&jobs, concurrency, &[], &Interrupt::never()));
        prop_assert_eq!(log.outcomes.len(), jobs.len());
        prop_assert!(log.most_at_once <= concurrency);
        for job in &jobs {
            for need in &job.waits_on {
                prop_assert!(log.ended[need] <= log.began[&job.name], "{} began before {need} ended", job.name);
            }
        }
    }

    #[test]
    fn with_room_for_all_nobody_waits_for_strangers(jobs in graphs()) {
        let log = virtual_time(simulate(&jobs, jobs.len(), &[], &Interrupt::never()));
        for job in &jobs {
            let ready = job.waits_on.iter().map(|need| log.ended[need]).max().unwrap_or(0);
            prop_assert_eq!(log.began[&job.name], ready);
        }
    }

    #[test]
    fn exactly_the_dependents_of_a_failure_are_skipped(
        jobs in graphs(),
        failing in any::<proptest::sample::Index>(),
        concurrency in 1_usize..6,
    ) {
        let failing = jobs[failing.index(jobs.len())].name.as_str();
        let log = virtual_time(simulate(&jobs, concurrency, &[failing], &Interrupt::never()));
        prop_assert_eq!(log.outcomes.len(), jobs.len());
        for job in &jobs {
            let outcome = log.outcome(&job.name);
            if job.name == failing {
                prop_assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
            } else if ancestors(&jobs, job).contains(failing) {
                prop_assert!(matches!(outcome, Outcome::Skipped { .. }), "{outcome:?}");
            } else {
                prop_assert!(outcome.is_good());
            }
        }
    }
}

//! Runs jobs that wait on each other, each as soon as all that it waits on is done: never level by level.
//!
//! What always holds: at most `concurrency` jobs run at once; of those that could start, the one with the longest way
//! still ahead goes first; a failure stops only what depends on it; every job gets exactly one outcome.

use super::interrupt::{Interrupt, Level};
use super::outcome::Outcome;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::collections::{BTreeMap, BTreeSet};

/// Something to run once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub name: String,
    /// Names of jobs that come first. Names of no job are taken for done.
    pub waits_on: BTreeSet<String>,
    /// How long it may take, compared with the others: whatever unit, the same for all.
    pub weight: u64,
}

/// Runs all jobs, and gives the outcome of each to `finished` as it comes.
///
/// `execute` runs one job. A job whose needs did not end well is not run: it is skipped, saying because of which of
/// them. After a first interrupt no job starts; after a second one those that run are dropped where they stand.
/// Jobs that wait on each other in a circle would never start; they are stopped, which says so.
pub async fn run<E, F>(jobs: &[Job], concurrency: usize, interrupt: &Interrupt, execute: E, mut finished: F)
where
    E: AsyncFn(&Job) -> Outcome,
    F: FnMut(&Job, Outcome),
{
    let urgency = urgency(jobs);
    let mut waiting: Vec<&Job> = jobs.iter().collect();
    waiting.sort_by_key(|job| std::cmp::Reverse(urgency.get(job.name.as_str()).copied().unwrap_or_default()));
    let mut ended = Ended { names: jobs.iter().map(|job| job.name.as_str()).collect(), how: BTreeMap::new() };
    let mut running = FuturesUnordered::new();
    let mut in_flight: Vec<&Job> = Vec::new();
    loop {
        if !interrupt.is_raised() {
            while running.len() < concurrency.max(1)
                && let Some(index) = waiting.iter().position(|job| ended.all_good(job))
            {
                let job = waiting.remove(index);
                in_flight.push(job);
                running.push(execute_one(&execute, job));
            }
        }
        let halt = if interrupt.is_raised() { Level::Leave } else { Level::Finish };
        let next = tokio::select! {
            biased;
            next = running.next() => next,
            () = interrupt.reached(halt), if !running.is_empty() => {
                if halt == Level::Leave { break } else { continue }
            }
        };
        let Some((job, outcome)) = next else { break };
        in_flight.retain(|other| other.name != job.name);
        ended.how.insert(&job.name, End::of(&outcome));
        finished(job, outcome);
        skip_dependents(&mut waiting, &mut ended, &mut finished);
    }
    drop(running);
    for job in in_flight {
        finished(job, Outcome::Stopped { because: LEFT.to_owned() });
    }
    for job in waiting {
        let cut_short = interrupt.is_raised() || ended.how.values().any(|end| *end == End::Stopped);
        let because = if cut_short { INTERRUPTED } else { CIRCLE };
        finished(job, Outcome::Stopped { because: because.to_owned() });
    }
}

async fn execute_one<'a, E: AsyncFn(&Job) -> Outcome>(execute: &E, job: &'a Job) -> (&'a Job, Outcome) {
    (job, execute(job).await)
}

const LEFT: &str = "the run stopped waiting for it; CloudFormation goes on by itself";
const INTERRUPTED: &str = "not begun: the run ended before its turn";
const CIRCLE: &str = "not begun: it waits on itself through others";

/// How a job ended, as far as those that wait on it care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Good,
    /// Failed or skipped: dependents are skipped because of it.
    Bad,
    /// Cut short: dependents are not begun, but nothing is wrong with what they wait on.
    Stopped,
}

impl End {
    fn of(outcome: &Outcome) -> End {
        match outcome {
            Outcome::Unchanged | Outcome::Done { .. } => End::Good,
            Outcome::Failed(_) | Outcome::Skipped { .. } => End::Bad,
            Outcome::Stopped { .. } => End::Stopped,
        }
    }
}

/// Which jobs ended, and how.
struct Ended<'a> {
    names: BTreeSet<&'a str>,
    how: BTreeMap<&'a str, End>,
}

impl Ended<'_> {
    fn all_good(&self, job: &Job) -> bool {
        let mut needs = job.waits_on.iter().filter(|need| self.names.contains(need.as_str()));
        needs.all(|need| self.how.get(need.as_str()) == Some(&End::Good))
    }

    fn bad(&self, job: &Job) -> Vec<String> {
        let is_bad = |need: &&String| self.how.get(need.as_str()) == Some(&End::Bad);
        job.waits_on.iter().filter(is_bad).cloned().collect()
    }
}

/// Gives up what waits on something that did not end well, and what waits on that, and so on.
fn skip_dependents<'a>(waiting: &mut Vec<&'a Job>, ended: &mut Ended<'a>, finished: &mut impl FnMut(&Job, Outcome)) {
    while let Some((index, because)) =
        waiting.iter().enumerate().map(|(index, job)| (index, ended.bad(job))).find(|(_, bad)| !bad.is_empty())
    {
        let job = waiting.remove(index);
        ended.how.insert(&job.name, End::Bad);
        finished(job, Outcome::Skipped { because });
    }
}

/// For each job the weight of the heaviest chain that begins with it. Circles count once.
fn urgency(jobs: &[Job]) -> BTreeMap<&str, u64> {
    let mut dependents: BTreeMap<&str, Vec<&Job>> = BTreeMap::new();
    for job in jobs {
        for need in &job.waits_on {
            dependents.entry(need).or_default().push(job);
        }
    }
    let mut known = BTreeMap::new();
    for job in jobs {
        chain(job, &dependents, &mut known);
    }
    known
}

fn chain<'a>(job: &'a Job, dependents: &BTreeMap<&str, Vec<&'a Job>>, known: &mut BTreeMap<&'a str, u64>) -> u64 {
    if let Some(weight) = known.get(job.name.as_str()) {
        return *weight;
    }
    known.insert(&job.name, job.weight);
    let behind = dependents.get(job.name.as_str()).into_iter().flatten();
    let longest = behind.map(|dependent| chain(dependent, dependents, known)).max().unwrap_or(0);
    let weight = job.weight.saturating_add(longest);
    known.insert(&job.name, weight);
    weight
}

#[cfg(test)]
#[path = "scheduler_tests.rs"]
mod tests;

//! The law of plans: for every state and every files that can be reached, the plan equals what the change sets of the apply
//! say, and after an apply without failure the next plan and the drift are empty.
//!
//! Random edits of random projects, applied in virtual time on the embedded AWS. A seed that fails is shrunk and printed;
//! `INFRA_LAW=<seed>:<edit>,<edit>…` runs that case alone, and `INFRA_LAW_SEEDS=<from>..<to>` other seeds than the usual.

mod edit;
mod project;
mod world;

use world::{Fared, run};

const EDITS: usize = 6;

/// The seeds of a project's edits.
fn edits(seed: u64) -> Vec<u64> {
    let mut random = fastrand::Rng::with_seed(seed ^ 0x5eed);
    (0..EDITS).map(|_| random.u64(..1_000_000)).collect()
}

/// The shortest list of edits that still fails, found by leaving out one at a time.
fn shrunk(seed: u64, mut edits: Vec<u64>, mut why: String) -> (Vec<u64>, String) {
    let mut at = 0;
    while at < edits.len() {
        let mut fewer = edits.clone();
        fewer.remove(at);
        match run(seed, &fewer) {
            Err(still) => (edits, why) = (fewer, still),
            Ok(_) => at += 1,
        }
    }
    (edits, why)
}

fn seeds() -> std::ops::Range<u64> {
    let Ok(asked) = std::env::var("INFRA_LAW_SEEDS") else { return 0..100 };
    let (from, to) = asked.split_once("..").expect("INFRA_LAW_SEEDS=<from>..<to>");
    from.parse().expect("a number")..to.parse().expect("a number")
}

#[test]
fn plans_equal_change_sets_and_nothing_is_left_to_do() {
    if let Ok(case) = std::env::var("INFRA_LAW") {
        let (seed, edits) = case.split_once(':').expect("INFRA_LAW=<seed>:<edit>,<edit>");
        let edits: Vec<u64> = edits.split(',').filter_map(|edit| edit.parse().ok()).collect();
        let fared = run(seed.parse().expect("a number"), &edits);
        panic!("{}", fared.map_or_else(|why| why, |fared| format!("holds: {fared:?}")));
    }
    let mut all = Fared::default();
    let mut broken = Vec::new();
    for seed in seeds() {
        match run(seed, &edits(seed)) {
            Ok(fared) => {
                all.applied += fared.applied;
                all.refused += fared.refused;
            }
            Err(why) => {
                let (edits, why) = shrunk(seed, edits(seed), why);
                let edits: Vec<String> = edits.iter().map(u64::to_string).collect();
                broken.push(format!("INFRA_LAW={seed}:{}\n{why}", edits.join(",")));
            }
        }
    }
    assert!(broken.is_empty(), "{} seeds break the law:\n{}", broken.len(), broken.join("\n\n"));
    assert!(all.applied > 5 * all.refused, "too little was tried: {all:?}");
}

//! An apply takes little longer than it must: random graphs of stacks on the embedded AWS, in virtual time.
//!
//! How long a stack takes is read off its own events. With a hand for each stack nothing makes a run shorter than the
//! longest chain; with fewer hands the best of many list schedules is the measure, each stack taking what it took.

use crate::engine::World;
use crate::support::backend::Backend;
use infra::aws::Aws;
use infra::model::StackStatus;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Stacks of one slow resource each, as slow as AWS says, and quick ones beside it.
fn template(random: &mut fastrand::Rng) -> Json {
    let slow = [
        ("AWS::SQS::Queue", json!({})),
        ("AWS::ECS::Service", json!({"TaskDefinition": "t", "Cluster": "c"})),
        ("AWS::EC2::NatGateway", json!({"SubnetId": "subnet-1"})),
        (
            "AWS::EKS::Cluster",
            json!({"RoleArn": "arn:aws:iam::111122223333:role/r", "ResourcesVpcConfig": {"SubnetIds": ["subnet-1"]}}),
        ),
    ];
    let (name, properties) = slow[random.usize(..slow.len())].clone();
    let mut resources =
        serde_json::Map::from_iter([("Slow".to_owned(), json!({"Type": name, "Properties": properties}))]);
    for n in 0..random.usize(0..3) {
        let parameter = json!({"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "v"}});
        resources.insert(format!("Quick{n}"), parameter);
    }
    json!({"Resources": resources})
}

/// A graph: for each stack those before it that it waits on.
fn graph(random: &mut fastrand::Rng) -> Vec<Vec<usize>> {
    let stacks = random.usize(4..12);
    (0..stacks).map(|stack| (0..stack).filter(|_| random.u8(0..10) < 3).collect()).collect()
}

fn name(stack: usize) -> String {
    format!("s{stack}")
}

async fn applied(seed: u64, concurrency: usize) -> (Vec<Vec<usize>>, Vec<f64>, f64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let needs = graph(&mut random);
    let names: Vec<String> = (0..needs.len()).map(name).collect();
    let stacks = names.iter().map(|name| (name.as_str(), template(&mut random))).collect();
    let mut world = World::new(Backend::partial().await, stacks).await;
    world.environment.apply.concurrency = concurrency;
    world.environment.apply.timeout = std::time::Duration::from_secs(3600);
    for (stack, needs) in needs.iter().enumerate() {
        world.stack(&name(stack)).after = needs.iter().map(|need| name(*need)).collect();
    }
    let ran = world.apply().await;
    assert!(!ran.report.failed(), "seed {seed}: {:?}", ran.report);
    let mut took = Vec::new();
    for stack in &names {
        took.push(seconds(&world.aws, &world.stacks, stack).await);
    }
    (needs, took, ran.report.elapsed_seconds)
}

/// How long the embedded AWS takes to work a change set out. No event tells.
const CHANGE_SET_SECONDS: f64 = 4.0;

/// What AWS takes for a stack: the change set, and from its execution to the end by CloudFormation's own events.
async fn seconds(aws: &Aws, stacks: &[infra::model::RenderedStack], stack: &str) -> f64 {
    let stack = stacks.iter().find(|rendered| rendered.name == stack).expect("a stack of this world");
    let events = aws.cloudformation(&stack.target).events(&stack.stack_name, None).await.expect("events");
    let of_stack: BTreeMap<_, _> = events
        .iter()
        .filter(|event| event.is_of_stack())
        .filter_map(|event| Some((StackStatus::parse(&event.status)?.to_string(), event.at)))
        .collect();
    let execution = of_stack["CREATE_COMPLETE"] - of_stack["CREATE_IN_PROGRESS"];
    CHANGE_SET_SECONDS + execution.total(jiff::Unit::Second).expect("a duration")
}

/// The longest chain.
fn critical_path(needs: &[Vec<usize>], took: &[f64]) -> f64 {
    let mut end = vec![0.0; took.len()];
    for stack in 0..took.len() {
        let begin = needs[stack].iter().map(|need| end[*need]).fold(0.0, f64::max);
        end[stack] = begin + took[stack];
    }
    end.into_iter().fold(0.0, f64::max)
}

/// How long a list schedule takes: whenever a hand is free it takes the first stack of the list that may start.
fn list_schedule(needs: &[Vec<usize>], took: &[f64], hands: usize, list: &[usize]) -> f64 {
    let mut end: Vec<Option<f64>> = vec![None; took.len()];
    let mut running: Vec<usize> = Vec::new();
    let (mut left, mut now) = (list.to_vec(), 0.0);
    while !left.is_empty() || !running.is_empty() {
        let done = |end: &[Option<f64>], stack: usize| end[stack].is_some_and(|end| end <= now);
        while running.len() < hands
            && let Some(next) = left.iter().position(|stack| needs[*stack].iter().all(|need| done(&end, *need)))
        {
            let stack = left.remove(next);
            end[stack] = Some(now + took[stack]);
            running.push(stack);
        }
        now = running.iter().filter_map(|stack| end[*stack]).fold(f64::INFINITY, f64::min);
        running.retain(|stack| end[*stack] > Some(now));
    }
    end.into_iter().flatten().fold(0.0, f64::max)
}

/// The best of the schedule by longest remaining chain and many random ones.
fn best(needs: &[Vec<usize>], took: &[f64], hands: usize, random: &mut fastrand::Rng) -> f64 {
    let mut chain = took.to_vec();
    for stack in (0..took.len()).rev() {
        let behind = (stack + 1..took.len()).filter(|other| needs[*other].contains(&stack)).map(|other| chain[other]);
        chain[stack] += behind.fold(0.0, f64::max);
    }
    let mut list: Vec<usize> = (0..took.len()).collect();
    list.sort_by(|a, b| chain[*b].total_cmp(&chain[*a]));
    let mut best = list_schedule(needs, took, hands, &list);
    for _ in 0..500 {
        random.shuffle(&mut list);
        best = best.min(list_schedule(needs, took, hands, &list));
    }
    best
}

#[tokio::test(start_paused = true)]
async fn with_hands_enough_an_apply_takes_its_critical_path() {
    for seed in 0..4 {
        let (needs, took, apply) = applied(seed, 64).await;
        let path = critical_path(&needs, &took);
        assert!(apply <= 1.02 * path, "seed {seed}: {apply} s for a critical path of {path} s; {took:?} {needs:?}");
        assert!(apply >= path, "seed {seed}: nobody is quicker than the critical path");
    }
}

#[tokio::test(start_paused = true)]
async fn with_few_hands_an_apply_is_close_to_the_best_list_schedule() {
    for seed in 100..104 {
        let mut random = fastrand::Rng::with_seed(seed);
        let hands = random.usize(1..4);
        let (needs, took, apply) = applied(seed, hands).await;
        let best = best(&needs, &took, hands, &mut random);
        assert!(
            apply <= 1.15 * best,
            "seed {seed}: {apply} s with {hands} hands, {best} s at best; {took:?} {needs:?}"
        );
    }
}

#[test]
fn the_measure_is_right() {
    // Two hands: 3 and 3 beside each other, then 2 that waits on both.
    let needs = vec![vec![], vec![], vec![0, 1], vec![]];
    let took = [3.0, 3.0, 2.0, 4.0];
    assert_eq!(critical_path(&needs, &took), 5.0);
    assert_eq!(list_schedule(&needs, &took, 4, &[0, 1, 2, 3]), 5.0);
    assert_eq!(list_schedule(&needs, &took, 2, &[0, 1, 2, 3]), 7.0);
    assert_eq!(list_schedule(&needs, &took, 1, &[3, 0, 1, 2]), 12.0);
}

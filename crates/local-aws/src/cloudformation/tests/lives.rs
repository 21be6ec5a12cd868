//! Random lives of stacks: whatever fails and whenever somebody cancels, [`laws`] hold, and a seed tells everything. A
//! failure prints the life that broke a law, cut down to the least; it is kept in `proptest-regressions` and tried first
//! the next time.

use super::laws::{Snapshot, events_are_lawful, nothing_is_lost, snapshot};
use super::*;
use proptest::prelude::*;

/// A parameter: what it reads of earlier ones, its version, and whether it stays when it leaves the stack. Names change
/// with version 2, which replaces; values with the others, which does not.
#[derive(Debug, Clone)]
struct Resource {
    needs: Vec<usize>,
    version: u8,
    retain: bool,
}

/// By index; `None`: not in the template.
type Resources = Vec<Option<Resource>>;

#[derive(Debug, Clone)]
enum Move {
    Update { wanted: Resources, disable_rollback: bool, cancel_after: Option<u64> },
    Rollback,
    Continue { skip: bool },
    Fault { at: usize, action: Action, times: Option<u32> },
    Heal,
}

#[derive(Debug, Clone)]
struct Life {
    seed: u64,
    first: Resources,
    disable_rollback: bool,
    faults: Vec<(usize, Action, Option<u32>)>,
    moves: Vec<Move>,
}

fn resources(count: usize) -> impl Strategy<Value = Resources> {
    let needs = proptest::collection::vec(0..count, 0..3);
    let one = (needs, 0_u8..3, proptest::bool::weighted(0.15));
    let one = one.prop_map(|(needs, version, retain)| Resource { needs, version, retain });
    proptest::collection::vec(proptest::option::weighted(0.8, one), count)
}

fn faults(count: usize) -> impl Strategy<Value = (usize, Action, Option<u32>)> {
    let action = prop_oneof![Just(Action::Create), Just(Action::Update), Just(Action::Delete), Just(Action::Rollback)];
    (0..count, action, proptest::option::of(1_u32..3))
}

fn lives() -> impl Strategy<Value = Life> {
    (2_usize..8).prop_flat_map(|count| {
        let update = (resources(count), any::<bool>(), proptest::option::weighted(0.2, 0_u64..20));
        let update = update.prop_map(|(wanted, disable_rollback, cancel_after)| Move::Update {
            wanted,
            disable_rollback,
            cancel_after,
        });
        let one = prop_oneof![
            5 => update,
            1 => Just(Move::Rollback),
            2 => any::<bool>().prop_map(|skip| Move::Continue { skip }),
            2 => faults(count).prop_map(|(at, action, times)| Move::Fault { at, action, times }),
            1 => Just(Move::Heal),
        ];
        let moves = proptest::collection::vec(one, 1..7);
        let faults = proptest::collection::vec(faults(count), 0..3);
        (any::<u64>(), resources(count), proptest::bool::weighted(0.3), faults, moves).prop_map(
            |(seed, first, disable_rollback, faults, moves)| Life { seed, first, disable_rollback, faults, moves },
        )
    })
}

/// The earlier resources that one reads, as far as there are any.
fn reads(resources: &Resources, at: usize) -> Vec<usize> {
    let needs = resources[at].as_ref().map(|resource| resource.needs.as_slice()).unwrap_or_default();
    needs.iter().copied().filter(|need| *need < at && resources[*need].is_some()).collect()
}

fn template(resources: &Resources) -> String {
    let mut text =
        "Resources:\n  Root: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: root}}\n".to_owned();
    for (at, resource) in resources.iter().enumerate() {
        let Some(Resource { version, retain, .. }) = resource else { continue };
        let refs: Vec<String> = reads(resources, at).iter().map(|need| format!("${{R{need}}}")).collect();
        let name = if *version == 2 { format!("Name: own{at}, ") } else { String::new() };
        let policy = if *retain { "DeletionPolicy: Retain, " } else { "" };
        text.push_str(&format!(
            "  R{at}: {{{policy}Type: AWS::SSM::Parameter, Properties: {{{name}Type: String, Value: !Sub 'v{version}{}'}}}}\n",
            refs.join("-")
        ));
    }
    text
}

/// A stack that succeeded is what its template says, in its record and in the world.
async fn is_as_wanted(cloud: &Cloud, wanted: &Resources) {
    let now = snapshot(cloud).await;
    let told = || cloud.events("s");
    let mut ids: Vec<String> =
        (0..wanted.len()).filter(|at| wanted[*at].is_some()).map(|at| format!("R{at}")).collect();
    ids.push("Root".to_owned());
    ids.sort();
    assert_eq!(now.keys().cloned().collect::<Vec<_>>(), ids, "{:#?}", told());
    for (at, resource) in wanted.iter().enumerate() {
        let Some(Resource { version, .. }) = resource else { continue };
        let (physical_id, properties, live) = &now[&format!("R{at}")];
        let refs: Vec<&str> = reads(wanted, at).iter().map(|need| now[&format!("R{need}")].0.as_str()).collect();
        let value = json!(format!("v{version}{}", refs.join("-")));
        assert_eq!((&properties["Value"], live.as_ref()), (&value, Some(&value)), "R{at}\n{:#?}", told());
        assert_eq!(physical_id == &format!("own{at}"), *version == 2, "R{at} is {physical_id}\n{:#?}", told());
    }
}

/// A stack as it was when it was last good, and what has been done to it since that a rollback does not undo.
struct Watch {
    good: Option<Snapshot>,
    skipped: bool,
}

impl Watch {
    /// Waits until the stack rests, and holds it to the laws. `wanted`: what it was to become.
    async fn judge(&mut self, cloud: &Cloud, wanted: Option<&Resources>) {
        let status = cloud.rest("s").await;
        events_are_lawful(cloud);
        nothing_is_lost(cloud);
        match (status.as_str(), wanted) {
            ("CREATE_COMPLETE" | "UPDATE_COMPLETE", Some(wanted)) => {
                is_as_wanted(cloud, wanted).await;
                (self.good, self.skipped) = (Some(snapshot(cloud).await), false);
            }
            ("UPDATE_ROLLBACK_COMPLETE", _) => {
                let now = snapshot(cloud).await;
                let good = self.good.as_ref().expect("something to go back to");
                // What was skipped is only said to be as it was.
                let record = |of: &Snapshot| -> Vec<(String, String, Json)> {
                    of.iter()
                        .map(|(id, (name, properties, _))| (id.clone(), name.clone(), properties.clone()))
                        .collect()
                };
                assert_eq!(record(&now), record(good), "{:#?}", cloud.events("s"));
                assert!(self.skipped || now == *good, "{now:#?}\nafter\n{good:#?}\n{:#?}", cloud.events("s"));
            }
            ("ROLLBACK_COMPLETE", _) => {
                let left = cloud.stack("s").resources;
                assert!(left.is_empty(), "{left:#?}\n{:#?}", cloud.events("s"));
            }
            _ => {}
        }
    }
}

/// Lives a life to its end; the events of the stack, and what it leaves behind.
async fn live(life: &Life) -> (Vec<String>, Vec<String>) {
    let cloud = Cloud::seeded(life.seed).await;
    let fault = |(at, action, times): (usize, Action, Option<u32>)| cloud.fail(&format!("R{at}"), action, times);
    life.faults.iter().copied().for_each(fault);
    let mut watch = Watch { good: None, skipped: false };
    let with = |wanted: &Resources, disable: bool| json!({"StackName": "s", "TemplateBody": template(wanted), "DisableRollback": disable});
    cloud.ok("CreateStack", with(&life.first, life.disable_rollback)).await;
    watch.judge(&cloud, Some(&life.first)).await;
    for one in &life.moves {
        match one {
            Move::Update { wanted, disable_rollback, cancel_after } => {
                if cloud.call("UpdateStack", with(wanted, *disable_rollback)).await.is_err() {
                    continue;
                }
                if let Some(seconds) = cancel_after {
                    tokio::time::sleep(Duration::from_secs(*seconds)).await;
                    let _ = cloud.call("CancelUpdateStack", json!({"StackName": "s"})).await;
                }
                watch.judge(&cloud, Some(wanted)).await;
            }
            Move::Rollback => {
                if cloud.call("RollbackStack", json!({"StackName": "s"})).await.is_ok() {
                    watch.judge(&cloud, None).await;
                }
            }
            Move::Continue { skip } => {
                let input = json!({"StackName": "s", "ForceRollback": skip});
                if cloud.call("ContinueUpdateRollback", input).await.is_ok() {
                    watch.skipped |= skip;
                    watch.judge(&cloud, None).await;
                }
            }
            Move::Fault { at, action, times } => fault((*at, *action, *times)),
            Move::Heal => cloud.heal(),
        }
    }
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    watch.judge(&cloud, None).await;
    cloud.heal();
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    watch.judge(&cloud, None).await;
    assert_eq!(cloud.stack("s").status, "DELETE_COMPLETE");
    (cloud.events("s"), nothing_is_lost(&cloud))
}

fn in_virtual_time<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_life_is_lawful_and_a_seed_tells_it(life in lives()) {
        let (events, left) = in_virtual_time(live(&life));
        let (again, still_left) = in_virtual_time(live(&life));
        prop_assert_eq!(events, again, "seed {} gives the same events", life.seed);
        prop_assert_eq!(left, still_left);
    }
}

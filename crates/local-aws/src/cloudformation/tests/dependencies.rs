//! Whatever fails and whenever somebody cancels: a stack comes to rest, nothing is lost, and a seed tells everything.

use super::*;
use proptest::prelude::*;

/// Parameters that depend on earlier ones, by index.
#[derive(Debug, Clone)]
struct Plan {
    seed: u64,
    /// Dependencies of each resource at first, and after the update; `None`: it is not in the template.
    before: Vec<Option<Vec<usize>>>,
    after: Vec<Option<(Vec<usize>, u8)>>,
    faults: Vec<(usize, u8, Option<u32>)>,
    cancel_after: Option<u64>,
    disable_rollback: bool,
}

fn plans() -> impl Strategy<Value = Plan> {
    (2_usize..9).prop_flat_map(|count| {
        let needs = move || proptest::collection::vec(0..count, 0..3);
        let before = proptest::collection::vec(proptest::option::weighted(0.8, needs()), count);
        let after = proptest::collection::vec(proptest::option::weighted(0.8, (needs(), 0_u8..3)), count);
        let faults = proptest::collection::vec((0..count, 0_u8..4, proptest::option::of(1_u32..3)), 0..4);
        let cancel = proptest::option::weighted(0.3, 0_u64..20);
        (any::<u64>(), before, after, faults, cancel, any::<bool>()).prop_map(
            |(seed, before, after, faults, cancel_after, disable_rollback)| Plan {
                seed,
                before,
                after,
                faults,
                cancel_after,
                disable_rollback,
            },
        )
    })
}

/// Names change with `name`, which replaces; values with `value`, which does not.
fn template(resources: &[Option<(Vec<usize>, u8)>]) -> String {
    let mut text =
        "Resources:\n  Root: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: root}}\n".to_owned();
    for (at, resource) in resources.iter().enumerate() {
        let Some((needs, version)) = resource else { continue };
        let there = needs.iter().filter(|need| **need < at && resources[**need].is_some());
        let refs: Vec<String> = there.map(|need| format!("${{R{need}}}")).collect();
        let name = if *version == 2 { format!("Name: own{at}, ") } else { String::new() };
        text.push_str(&format!(
            "  R{at}: {{Type: AWS::SSM::Parameter, Properties: {{{name}Type: String, Value: !Sub 'v{version}{}'}}}}\n",
            refs.join("-")
        ));
    }
    text
}

/// Runs a plan to its end; the events of the stack, and what is lost.
async fn run(plan: &Plan) -> (Vec<String>, Vec<String>) {
    let cloud = Cloud::seeded(plan.seed).await;
    for (at, action, times) in &plan.faults {
        let action = [Action::Create, Action::Update, Action::Delete, Action::Rollback][usize::from(*action)];
        cloud.fail(&format!("R{at}"), action, *times);
    }
    let before: Vec<_> = plan.before.iter().map(|it| it.clone().map(|needs| (needs, 0))).collect();
    let input = json!({"StackName": "s", "TemplateBody": template(&before), "DisableRollback": plan.disable_rollback});
    cloud.ok("CreateStack", input).await;
    let terminal = [
        "CREATE_COMPLETE",
        "CREATE_FAILED",
        "ROLLBACK_COMPLETE",
        "ROLLBACK_FAILED",
        "UPDATE_COMPLETE",
        "UPDATE_FAILED",
        "UPDATE_ROLLBACK_COMPLETE",
        "UPDATE_ROLLBACK_FAILED",
        "DELETE_COMPLETE",
        "DELETE_FAILED",
    ];
    let status = cloud.rest("s").await;
    assert!(terminal.contains(&status.as_str()), "{status}");
    check(&cloud);
    let input =
        json!({"StackName": "s", "TemplateBody": template(&plan.after), "DisableRollback": plan.disable_rollback});
    if cloud.call("UpdateStack", input).await.is_ok() {
        if let Some(seconds) = plan.cancel_after {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            let _ = cloud.call("CancelUpdateStack", json!({"StackName": "s"})).await;
        }
        let status = cloud.rest("s").await;
        assert!(terminal.contains(&status.as_str()), "{status}");
        check(&cloud);
    }
    let _ = cloud.call("ContinueUpdateRollback", json!({"StackName": "s"})).await;
    cloud.rest("s").await;
    check(&cloud);
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    cloud.rest("s").await;
    check(&cloud);
    cloud.heal();
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "DELETE_COMPLETE");
    let left = check(&cloud);
    (cloud.events("s"), left)
}

/// Every live resource is the stack's, or was let go of knowingly; what the stack says it has is there. What was let go.
fn check(cloud: &Cloud) -> Vec<String> {
    let stack = cloud.stack("s");
    let owned: Vec<&str> = stack
        .resources
        .values()
        .chain(&stack.leftovers)
        .filter(|resource| !matches!(resource.status.as_str(), "DELETE_COMPLETE"))
        // What an update that failed was about to replace.
        .chain(
            stack.operation.iter().flat_map(|operation| operation.steps.values()).filter_map(|it| it.before.as_ref()),
        )
        .map(|resource| resource.physical_id.as_str())
        .collect();
    let abandoned: Vec<&str> = stack.abandoned.iter().map(|resource| resource.physical_id.as_str()).collect();
    let live = cloud.live();
    for id in &live {
        assert!(
            owned.contains(&id.as_str()) || abandoned.contains(&id.as_str()),
            "{id} is lost\n{:#?}",
            cloud.events("s")
        );
    }
    for resource in
        stack.resources.values().filter(|it| it.status.ends_with("E_COMPLETE") && it.status != "DELETE_COMPLETE")
    {
        assert!(live.contains(&resource.physical_id), "{} is not there\n{:#?}", resource.logical_id, cloud.events("s"));
    }
    live.into_iter().filter(|id| !owned.contains(&id.as_str())).collect()
}

fn in_virtual_time<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_stack_always_comes_to_rest_and_loses_nothing(plan in plans()) {
        let (events, left) = in_virtual_time(run(&plan));
        let (again, still_left) = in_virtual_time(run(&plan));
        prop_assert_eq!(events, again, "seed {} gives the same events", plan.seed);
        prop_assert_eq!(left, still_left);
    }
}

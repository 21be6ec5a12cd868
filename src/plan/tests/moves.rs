//! What one stack gives up and another takes, and what an environment left behind.

use super::*;
use crate::model::Kept;

fn queue(name: Json, policy: Option<&str>) -> Json {
    let mut queue = json!({"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}});
    if let Some(policy) = policy {
        queue["DeletionPolicy"] = json!(policy);
    }
    queue
}

fn with(id: &str, resource: &Json) -> Json {
    json!({
        "Parameters": {"Stage": {"Type": "String", "Default": "dev"}},
        "Resources": {id: resource, "Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"Url": {"Value": {"Ref": id}}},
    })
}

/// One stack, applied, with physical ids; then it is another one.
fn renamed(before: &Json, after: &Json, from: &str, to: &str) -> World {
    let mut world = World::new(vec![stack(from, before)]).applied();
    let ids = before["Resources"].as_object().unwrap().keys();
    let ids = ids.map(|id| (id.clone(), format!("physical-{id}"))).collect();
    world.deployed.get_mut(from).unwrap().resources = Some(ids);
    world.wanted = vec![stack(to, after)];
    world
}

fn refusals(plan: &Plan) -> Vec<String> {
    plan.refusals().map(|finding| finding.message.clone()).collect()
}

#[test]
fn what_is_kept_moves_whatever_its_name_is_made_of() {
    let literal = with("Queue", &queue(json!("shop-dev-orders"), Some("Retain")));
    let function = with("Queue", &queue(json!({"Fn::Sub": "shop-${Stage}-orders"}), Some("Retain")));
    for (before, after) in [(&literal, &literal), (&literal, &function), (&function, &literal)] {
        let plan = renamed(before, after, "orders", "sales").plan();
        assert_eq!(refusals(&plan), [] as [String; 0]);
        let (sales, orders) = (plan.step("sales").unwrap(), plan.step("orders").unwrap());
        let joins = sales.changes.iter().find(|change| change.logical_id == "Queue").unwrap();
        assert_eq!((joins.action, joins.physical_id.as_deref()), (ChangeAction::Import, Some("physical-Queue")));
        assert_eq!(joins.because, ["orders.Queue gives it up"]);
        assert!(joins.taken_from.as_ref().unwrap().early);
        assert_eq!(orders.waits_on, ["sales"], "the old stack's own deletions wait for the new one");
        assert_eq!(plan.summary().import, 1);
    }
}

#[test]
fn what_cannot_move_is_refused_with_the_pair_and_the_way() {
    let name = json!("shop-orders");
    let (kept, deleted) = (queue(name.clone(), Some("Retain")), queue(name.clone(), None));
    // Another stack, and it is not kept.
    let refused = refusals(&renamed(&with("Queue", &deleted), &with("Queue", &kept), "orders", "sales").plan());
    assert!(
        refused[0].starts_with("orders.Queue → sales.Queue (AWS::SQS::Queue `shop-orders`): orders.Queue is deleted."),
        "{refused:?}"
    );
    // The same stack under another logical id, kept and not.
    let refused = refusals(&renamed(&with("Old", &kept), &with("New", &kept), "orders", "orders").plan());
    assert!(refused[0].contains("CloudFormation makes orders.New before it lets go of orders.Old"), "{refused:?}");
    let refused = refusals(&renamed(&with("Old", &deleted), &with("New", &kept), "orders", "orders").plan());
    assert!(refused[0].contains("`DeletionPolicy: Retain` on orders.Old first"), "{refused:?}");
    // Another name, no name, or another region is another resource.
    for other in [queue(json!("shop-sales"), None), json!({"Type": "AWS::SQS::Queue"})] {
        let plan = renamed(&with("Queue", &deleted), &with("Queue", &other), "orders", "sales").plan();
        assert_eq!(refusals(&plan), [] as [String; 0]);
    }
    let mut elsewhere = renamed(&with("Queue", &deleted), &with("Queue", &deleted), "orders", "sales");
    elsewhere.wanted[0].target.region = "us-east-1".to_owned();
    assert_eq!(refusals(&elsewhere.plan()), [] as [String; 0]);
}

#[test]
fn a_giver_that_is_not_looked_at_is_asked_for() {
    let template = with("Queue", &queue(json!("shop-orders"), Some("Retain")));
    let mut world = renamed(&template, &template, "orders", "sales");
    world.options.targets = vec!["sales".to_owned()];
    let refused = refusals(&world.plan());
    assert!(refused[0].contains("name it too (`--target orders`)"), "{refused:?}");
    world.options.targets.push("orders".to_owned());
    assert_eq!(refusals(&world.plan()), [] as [String; 0]);
}

#[test]
fn a_taker_that_needs_its_giver_comes_after_it() {
    let template = with("Queue", &queue(json!("shop-orders"), Some("Retain")));
    let mut world = renamed(&template, &template, "orders", "sales");
    let rest =
        json!({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": {"T": {"Value": {"Ref": "Topic"}}}});
    world.wanted.push(stack("orders", &rest));
    world.wanted[0].after = vec!["orders".to_owned()];
    let plan = world.plan();
    assert_eq!(refusals(&plan), [] as [String; 0]);
    let sales = plan.step("sales").unwrap();
    assert!(!sales.changes.iter().find_map(|change| change.taken_from.as_ref()).unwrap().early);
    assert_eq!(sales.waits_on, ["orders"]);
}

#[test]
fn two_stacks_do_not_take_one_name() {
    let literal = with("Queue", &queue(json!("shop-dev-orders"), None));
    let function = with("Jobs", &queue(json!({"Fn::Sub": "shop-${Stage}-orders"}), None));
    let other = with("Queue", &queue(json!("shop-dev-returns"), None));
    let made = |second: &Json| World::new(vec![stack("orders", &literal), stack("sales", second)]).plan();
    let refused = refusals(&made(&function));
    assert_eq!(
        refused,
        [
            "orders.Queue and sales.Jobs would both have the name of AWS::SQS::Queue `shop-dev-orders`, which is there only \
          once: give one of them another name"
        ]
    );
    assert_eq!(refusals(&made(&other)), [] as [String; 0]);
    let unnamed = with("Queue", &json!({"Type": "AWS::SQS::Queue"}));
    assert_eq!(refusals(&made(&unnamed)), [] as [String; 0]);
}

#[test]
fn nothing_is_replaced_under_its_own_name() {
    let fifo = |on: bool, name: &str| {
        with(
            "Queue",
            &json!({"Type": "AWS::SQS::Queue",
        "Properties": {"QueueName": name, "FifoQueue": on}}),
        )
    };
    let refused = refusals(&renamed(&fifo(false, "a"), &fifo(true, "a"), "orders", "orders").plan());
    assert!(refused[0].contains("would be replaced under its own name"), "{refused:?}");
    assert_eq!(refusals(&renamed(&fifo(false, "a"), &fifo(true, "b"), "orders", "orders").plan()), [] as [String; 0]);
}

fn left(stack: &str, id: &str, resource_type: &str, physical_id: &str) -> Kept {
    Kept {
        stack: stack.to_owned(),
        logical_id: id.to_owned(),
        resource_type: resource_type.to_owned(),
        physical_id: physical_id.to_owned(),
        target: target(),
        at: at(3),
        operation: "destroy".to_owned(),
    }
}

#[test]
fn what_was_left_behind_is_looked_for_by_place_and_by_name() {
    let template = json!({
        "Parameters": {"Stage": {"Type": "String", "Default": "dev"}},
        "Resources": {
            "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": {"Fn::Sub": "shop-${Stage}"}}},
            "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {}}},
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "shop-orders"}},
        },
    });
    let mut world = World::new(vec![stack("data", &template)]);
    let mut state = World::new(Vec::new()).applied().state.unwrap();
    state.kept = vec![
        // By its name, whatever its place was.
        left("old", "Items", "AWS::DynamoDB::Table", "shop-dev"),
        left("data", "Table", "AWS::DynamoDB::Table", "shop-other"),
        // By its place alone, for it has no name.
        left("data", "Key", "AWS::KMS::Key", "1234"),
        left("other", "Key", "AWS::KMS::Key", "5678"),
        // A queue's identifier is a URL: only the queue itself tells its name.
        left("other", "Queue", "AWS::SQS::Queue", "https://sqs/1/shop-orders"),
    ];
    world.state = Some(state);
    let plan = world.plan();
    let found = candidates(&plan, world.state.as_ref(), &world.deployed, false);
    let looked: Vec<(&str, &str)> =
        found.iter().map(|one| (one.logical_id.as_str(), one.identifier.as_str())).collect();
    assert_eq!(looked, [("Table", "shop-dev"), ("Key", "1234"), ("Queue", "https://sqs/1/shop-orders")]);
    assert!(found[2].is_named(&json!({"QueueName": "shop-orders"})) && !found[2].is_named(&json!({"QueueName": "x"})));

    // One is there, one is gone, one belongs to somebody.
    let what = [Found::There, Found::Gone, Found::Owned("theirs".to_owned())];
    let found: Vec<_> = found.into_iter().zip(what).collect();
    world.options = Options { existing: joining(&found), ..Options::default() };
    let mut plan = world.plan();
    plan.add_found(&found);
    let table = plan.steps[0].changes.iter().find(|change| change.logical_id == "Table").unwrap();
    assert_eq!(table.action, ChangeAction::Import);
    assert_eq!(table.because, ["`destroy` of 2026-01-01 03:00 UTC left it behind"]);
    let said: Vec<String> =
        plan.findings.iter().map(|finding| format!("{} {}", finding.code, finding.message)).collect();
    assert_eq!(
        said,
        [
            "name-taken `https://sqs/1/shop-orders` stays outside of the stack (`destroy` of 2026-01-01 03:00 UTC left it \
             behind): it belongs to stack `theirs` by now. Its name is taken: give the new one another name, or delete the \
             old one",
            "left-behind `1234` is gone by now (`destroy` of 2026-01-01 03:00 UTC left it behind): a new one is made, \
             without its key material, and with it all that it encrypts",
        ]
    );
}

#[test]
fn what_a_failed_creation_kept_is_taken_up_when_its_stack_is_made_again() {
    let template = with("Queue", &queue(json!("shop-orders"), Some("Retain")));
    let mut world = renamed(&template, &template, "orders", "orders");
    world.deployed.get_mut("orders").unwrap().status = StackStatus::RollbackComplete;
    let plan = world.plan();
    assert_eq!(plan.steps[0].action, Action::Recreate);
    let found = candidates(&plan, world.state.as_ref(), &world.deployed, false);
    let looked: Vec<&str> = found.iter().map(|one| one.identifier.as_str()).collect();
    assert_eq!(looked, ["physical-Queue"], "the topic is not kept, and goes with its stack");
}

#[test]
fn a_replacement_does_not_take_the_name_of_what_an_earlier_one_kept() {
    let table = |name: &str| {
        let mut table = data("id");
        table["Resources"]["Table"]["Properties"]["TableName"] = json!(name);
        table
    };
    let mut world = renamed(&table("new"), &table("old"), "data", "data");
    world.state.as_mut().unwrap().kept = vec![left("data", "Table", "AWS::DynamoDB::Table", "old")];
    let mut plan = world.plan();
    let found = candidates(&plan, world.state.as_ref(), &world.deployed, false);
    assert_eq!(found.len(), 1);
    plan.add_found(&[(found[0].clone(), Found::Gone)]);
    assert_eq!(refusals(&plan), [] as [String; 0]);
    plan.add_found(&[(found[0].clone(), Found::There)]);
    assert!(refusals(&plan)[0].contains("replaced under the name of `old`, which is there already"), "{plan:#?}");
}

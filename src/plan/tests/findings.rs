//! What a reviewer is told, and what is refused.

use super::*;
use insta::assert_snapshot;

fn found(world: &World) -> String {
    let plan = Plan { steps: Vec::new(), ..world.plan() };
    sketch(&plan)
}

#[test]
fn replacing_a_table_is_said_and_in_a_protected_environment_refused() {
    let mut world = World::storefront().applied();
    world.set_template("data", &data("sku"));
    assert_snapshot!(found(&world), @"Warning stateful-replacement data.Table: replaces Table (AWS::DynamoDB::Table): the new one is without the items");
    world.scope.protect = true;
    assert_snapshot!(found(&world), @"Refused stateful-replacement data.Table: replaces Table (AWS::DynamoDB::Table): the new one is without the items; `--allow-replace data.Table` allows it");
    assert_eq!(world.plan().refusals().count(), 1);
    world.options.allow_replace.insert("data.Table".to_owned());
    assert_eq!(world.plan().refusals().count(), 0);
}

#[test]
fn removing_a_table_is_refused_unless_it_is_retained() {
    let mut world = World::storefront();
    let mut template = data("id");
    template["Resources"]["Topic"] = json!({"Type": "AWS::SNS::Topic"});
    world.set_template("data", &template);
    let mut world = world.applied();
    world.scope.protect = true;
    template["Resources"].as_object_mut().unwrap().remove("Table");
    template["Outputs"] = json!({});
    world.stack_mut("service").parameters.remove("Table");
    world.set_template("data", &template);
    assert_snapshot!(found(&world), @"Refused stateful-removal data.Table: removes Table (AWS::DynamoDB::Table) with its items; `--allow-replace data.Table` allows it");
    let old: Json = serde_json::from_str(&world.deployed["data"].template.clone().unwrap()).unwrap();
    let mut retaining = old;
    retaining["Resources"]["Table"]["DeletionPolicy"] = json!("Retain");
    world.deployed.get_mut("data").unwrap().template = Some(retaining.to_string());
    assert_snapshot!(found(&world), @"Note retained data: leaves in the account, outside of any stack: Table");
}

#[test]
fn storage_that_shrinks_in_place_is_refused() {
    let database = |size: &str, name: &str| {
        json!({
            "Parameters": {"Size": {"Type": "Number", "Default": size}},
            "Resources": {"Db": {
                "Type": "AWS::RDS::DBInstance",
                "UpdateReplacePolicy": "Retain",
                "Properties": {"DBInstanceIdentifier": name, "Engine": "postgres", "AllocatedStorage": {"Ref": "Size"}},
            }},
        })
    };
    let mut world = World::new(vec![stack("db", &database("100", "one"))]).applied();
    world.set_template("db", &database("50", "one"));
    assert_snapshot!(found(&world), @"Refused storage-shrinks db.Db: AllocatedStorage 100 → 50: AWS makes this storage larger, and never smaller, so that the update would fail and be rolled back; write 100 or more, or make a new resource of the smaller size and move the data");
    assert_eq!(world.plan().findings[0].path.as_deref(), Some("AllocatedStorage"));
    assert_eq!(world.plan().refusals().count(), 1);
    world.set_template("db", &database("200", "one"));
    assert_eq!(found(&world), "");
    // A new one has the size that it is asked for.
    world.set_template("db", &database("50", "two"));
    assert!(!found(&world).contains("storage-shrinks"), "{}", found(&world));
}

#[test]
fn deleting_a_protected_stack_needs_words() {
    let mut world = World::storefront();
    world.stack_mut("data").protect = true;
    let mut world = world.applied();
    world.wanted.retain(|stack| stack.name == "network");
    let plan = world.plan();
    assert_eq!(plan.refusals().map(|finding| finding.stack.as_str()).collect::<Vec<_>>(), ["data"]);
    assert!(!plan.step("data").unwrap().unprotect);
    world.options.allow_destroy = true;
    let plan = world.plan();
    assert_eq!(plan.refusals().count(), 0);
    assert!(plan.step("data").unwrap().unprotect && !plan.step("service").unwrap().unprotect);
}

#[test]
fn destroying_a_protected_environment_needs_words() {
    let mut world = World::storefront().applied();
    world.scope.protect = true;
    let refused = plan_destroy(&world.request()).refusals().count();
    assert_eq!(refused, 4, "three stacks, one of them with a table");
    world.options.allow_destroy = true;
    assert_eq!(plan_destroy(&world.request()).refusals().count(), 0);
}

#[test]
fn changes_outside_are_said() {
    let mut world = World::storefront().applied();
    world.deployed.get_mut("network").unwrap().changed_at = at(50);
    world.deployed.get_mut("data").unwrap().changed_at = at(51);
    world.deployed.get_mut("data").unwrap().template = Some(data("sku").to_string());
    world.deployed.get_mut("data").unwrap().status = StackStatus::UpdateComplete;
    assert_snapshot!(found(&world), @"
    Warning stateful-replacement data.Table: replaces Table (AWS::DynamoDB::Table): the new one is without the items
    Warning changed-outside data: was changed at 2026-01-03T03:00:00Z (UPDATE_COMPLETE) by something that the state does not know: a run that was cut off, or a change outside of infra
    Note changed-outside network: was changed at 2026-01-03T02:00:00Z (CREATE_COMPLETE) by something that the state does not know: a run that was cut off, or a change outside of infra
    ");
}

#[test]
fn an_image_that_no_apply_has_seen_run_is_said() {
    let mut world = World::storefront().applied();
    world.deployed.get_mut("service").unwrap().changed_at = at(50);
    let seen = |world: &mut World, image: &str| {
        let images = BTreeMap::from([("app".to_owned(), image.to_owned())]);
        world.state.as_mut().unwrap().stacks.get_mut("service").unwrap().images = images;
    };
    seen(&mut world, "repo@sha256:99");
    assert_snapshot!(found(&world), @"Warning rollout-unproven service: was given repo@sha256:aa at 2026-01-03T02:00:00Z, and no apply has seen it run: one was cut off, or ECS took the deployment back. Apply asks ECS again, and fails unless it runs by then; `infra drift --stack service` shows what runs");
    assert_eq!(world.plan().unproven().collect::<Vec<_>>(), ["service"]);
    seen(&mut world, "repo@sha256:aa");
    assert!(found(&world).starts_with("Note changed-outside service"), "{}", found(&world));
    assert_eq!(world.plan().unproven().count(), 0);
}

#[test]
fn stuck_and_lost_stacks_are_said() {
    let mut world = World::storefront().applied();
    world.deployed.get_mut("service").unwrap().status = StackStatus::UpdateRollbackFailed;
    world.deployed.remove("network");
    assert_snapshot!(found(&world), @"
    Warning lost-stack network: storefront-dev-network was applied at 2026-01-01T01:00:00Z by arn:aws:iam::111122223333:user/ada and is gone from the account: it is created anew, without the data it held
    Warning stuck-stack service: is in UPDATE_ROLLBACK_FAILED: CloudFormation accepts no update until its rollback is through; continue it with `aws cloudformation continue-update-rollback --stack-name storefront-dev-service --region eu-west-1`
    Warning changed-outside service: was changed at 2026-01-01T01:00:00Z (UPDATE_ROLLBACK_FAILED) by something that the state does not know: a run that was cut off, or a change outside of infra
    ");
}

#[test]
fn a_secret_that_may_have_changed_cannot_be_seen() {
    let template = json!({
        "Parameters": {"Token": {"Type": "String", "NoEcho": true}},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Token"}}}},
    });
    let mut world = World::new(vec![stack("secretive", &template)]);
    world.stack_mut("secretive").parameters.insert("Token".to_owned(), Parameter::Value("hunter2".to_owned()));
    let first = world.plan();
    assert_snapshot!(sketch(&first), @"
    Create secretive
      parameter Token: absent → secret
      tag ManagedBy: absent → infra
      Add Topic AWS::SNS::Topic
    ");
    assert!(!format!("{first:?}").contains("hunter2"));
    assert!(!serde_json::to_string(&first).unwrap().contains("hunter2"));
    let world = world.applied();
    assert_snapshot!(sketch(&world.plan()), @"
    Nothing secretive
    Note unseen-secret secretive: a new value of Token (NoEcho) cannot be seen, and is sent only when something else changes
    ");
}

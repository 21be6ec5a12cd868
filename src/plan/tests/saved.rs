//! Saved plans: what is in them, and when they are refused.

use super::*;
use crate::error::{Kind, find, kind};

#[test]
fn a_plan_comes_back_as_it_was_saved() {
    let mut world = World::storefront().applied();
    world.set_template("network", &network("10.1.0.0/16"));
    let plan = world.plan();
    assert_eq!(Plan::load(&plan.save().unwrap()).unwrap(), plan);
}

#[test]
fn a_plan_that_needs_a_secret_is_not_saved() {
    let template = json!({
        "Parameters": {"Token": {"Type": "String", "NoEcho": true}},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    });
    let mut world = World::new(vec![stack("secretive", &template)]);
    world.stack_mut("secretive").parameters.insert("Token".to_owned(), Parameter::Value("hunter2".to_owned()));
    let error = world.plan().save().unwrap_err();
    assert_eq!(find(&error).unwrap().message, "the plan needs secrets to be applied: secretive.Token");
}

#[test]
fn other_formats_are_refused() {
    for (text, message) in [
        ("# no plan", "the file is no saved plan"),
        (r#"{"format_version": "2.0"}"#, "the plan has format 2.0, and this version of infra reads 1.3"),
        (r#"{"format_version": "1.7", "steps": 3}"#, "the saved plan is damaged"),
    ] {
        let error = Plan::load(text).unwrap_err();
        assert_eq!((kind(&error), error.to_string().as_str()), (Kind::Configuration, message));
    }
}

#[test]
fn a_plan_is_stale_once_anything_moved() {
    let mut world = World::storefront().applied();
    world.set_template("data", &data("sku"));
    let plan = world.plan();
    let stale_now = |world: &World| stale(&plan, world.state.as_ref(), &world.deployed);
    assert_eq!(stale_now(&world), Vec::<String>::new());

    let mut later = world.clone();
    later.state.as_mut().unwrap().serial = 9;
    later.deployed.get_mut("data").unwrap().changed_at = at(30);
    let record = later.state.as_mut().unwrap().stacks.get_mut("data").unwrap();
    record.fingerprint.changed_at = at(30);
    later.deployed.get_mut("network").unwrap().status = StackStatus::UpdateInProgress;
    later.deployed.remove("service");
    insta::assert_snapshot!(stale_now(&later).join("\n"), @"
    the state is at serial 9, the plan was made at 7; since then: `apply` by arn:aws:iam::111122223333:user/ada on laptop at 2026-01-01T02:00:00Z
    network was CREATE_COMPLETE since 2026-01-01T01:00:00Z and is UPDATE_IN_PROGRESS since 2026-01-01T01:00:00Z
    data was CREATE_COMPLETE since 2026-01-01T01:00:00Z and is CREATE_COMPLETE since 2026-01-02T06:00:00Z, by arn:aws:iam::111122223333:user/ada (apply)
    service is gone from the account
    ");

    let mut other = world.clone();
    other.state.as_mut().unwrap().lineage = "beef".to_owned();
    assert_eq!(stale_now(&other), ["the plan belongs to another state: its lineage differs"]);
    other.state = None;
    assert_eq!(stale_now(&other), ["the environment's state is gone"]);
}

#[test]
fn a_first_plan_is_stale_once_there_is_a_state() {
    let world = World::storefront();
    let plan = world.plan();
    assert_eq!(stale(&plan, None, &world.deployed), Vec::<String>::new());
    let applied = world.applied();
    let reasons = stale(&plan, applied.state.as_ref(), &applied.deployed);
    assert_eq!(reasons.len(), 4, "{reasons:?}");
    let error = stale_error(&plan, reasons);
    assert_eq!(error.kind, Kind::Stale);
}

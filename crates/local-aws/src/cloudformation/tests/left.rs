//! What an operation whose failure was left as it was (`DisableRollback`) leaves to the next one.

use super::*;

async fn left(cloud: &Cloud, action: &str, template: &str) -> String {
    cloud.ok(action, json!({"StackName": "s", "TemplateBody": template, "DisableRollback": true})).await;
    cloud.rest("s").await
}

/// The ids of what is live, without that of `A`.
fn others(cloud: &Cloud) -> Vec<String> {
    let a = cloud.stack("s").resources["A"].physical_id.clone();
    cloud.live().into_iter().filter(|id| *id != a).collect()
}

#[tokio::test(start_paused = true)]
async fn what_it_made_is_changed_and_not_made_again() {
    let cloud = Cloud::new().await;
    cloud.deploy("CreateStack", "s", &parameters(&[("A", "Value: a")])).await;
    cloud.fail("Bad", Action::Create, Some(1));
    let with = |new: &str| parameters(&[("A", "Value: a"), ("New", new), ("Bad", "Value: b")]);
    assert_eq!(left(&cloud, "UpdateStack", &with("Value: one")).await, "UPDATE_FAILED");
    let made = cloud.stack("s").resources["New"].physical_id.clone();
    let from = cloud.events("s").len();
    assert_eq!(left(&cloud, "UpdateStack", &with("Value: two")).await, "UPDATE_COMPLETE", "{:#?}", cloud.events("s"));
    let events = cloud.events_from("s", from);
    assert!(events.contains(&"New UPDATE_COMPLETE".to_owned()), "{events:#?}");
    assert_eq!(cloud.stack("s").resources["New"].physical_id, made);
    let live = crate::resources::read(&cloud.aws.world, &cloud.place, "AWS::SSM::Parameter", &made).await;
    assert_eq!(live.expect("it is there")["Value"], "two");
}

#[tokio::test(start_paused = true)]
async fn what_it_made_may_be_replaced_and_nothing_stays() {
    for name in ["Name: second", "Name: third"] {
        let cloud = Cloud::new().await;
        cloud.deploy("CreateStack", "s", &parameters(&[("A", "Value: a")])).await;
        cloud.fail("Bad", Action::Create, Some(2));
        let with =
            |new: &str| parameters(&[("A", "Value: a"), ("New", &format!("{new}, Value: x")), ("Bad", "Value: b")]);
        assert_eq!(left(&cloud, "UpdateStack", &with("Name: first")).await, "UPDATE_FAILED");
        assert_eq!(left(&cloud, "UpdateStack", &with("Name: second")).await, "UPDATE_FAILED");
        assert_eq!(left(&cloud, "UpdateStack", &with(name)).await, "UPDATE_COMPLETE", "{:#?}", cloud.events("s"));
        let bad = cloud.stack("s").resources["Bad"].physical_id.clone();
        let name = name.trim_start_matches("Name: ").to_owned();
        let mut expected = vec![bad, name];
        expected.sort();
        let mut others = others(&cloud);
        others.sort();
        assert_eq!(others, expected, "{:#?}", cloud.events("s"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_failed_and_is_wanted_no_more_fails_nothing() {
    let cloud = Cloud::new().await;
    cloud.deploy("CreateStack", "s", &parameters(&[("A", "Value: a")])).await;
    cloud.fail("Bad", Action::Create, None);
    let with_both = parameters(&[("A", "Value: a"), ("New", "Value: n"), ("Bad", "Value: b")]);
    assert_eq!(left(&cloud, "UpdateStack", &with_both).await, "UPDATE_FAILED");
    assert_eq!(left(&cloud, "UpdateStack", &parameters(&[("A", "Value: b")])).await, "UPDATE_COMPLETE");
    let stack = cloud.stack("s");
    assert_eq!(stack.resources.keys().collect::<Vec<_>>(), ["A"], "{:#?}", cloud.events("s"));
    assert_eq!(others(&cloud), [""; 0], "what it made is gone");
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_never_was_complete_has_nothing_to_go_back_to() {
    let cloud = Cloud::new().await;
    cloud.fail("Bad", Action::Create, None);
    let with = |value: &str| parameters(&[("A", &format!("Value: {value}")), ("Bad", "Value: b")]);
    assert_eq!(left(&cloud, "CreateStack", &with("one")).await, "CREATE_FAILED");
    assert_eq!(left(&cloud, "UpdateStack", &with("two")).await, "UPDATE_FAILED");
    assert_eq!(cloud.deploy("UpdateStack", "s", &with("three")).await, "ROLLBACK_COMPLETE", "{:#?}", cloud.events("s"));
    assert_eq!(cloud.live(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_it_changed_before_it_was_replaced_goes_all_the_way_back() {
    let cloud = Cloud::new().await;
    cloud.deploy("CreateStack", "s", &parameters(&[("A", "Value: good")])).await;
    let id = cloud.stack("s").resources["A"].physical_id.clone();
    cloud.fail("Bad", Action::Create, None);
    let with = |a: &str| parameters(&[("A", a), ("Bad", "Value: b")]);
    assert_eq!(left(&cloud, "UpdateStack", &with("Value: left")).await, "UPDATE_FAILED");
    assert_eq!(cloud.deploy("UpdateStack", "s", &with("Name: other, Value: x")).await, "UPDATE_ROLLBACK_COMPLETE");
    let live = crate::resources::read(&cloud.aws.world, &cloud.place, "AWS::SSM::Parameter", &id).await;
    assert_eq!(live.expect("it is there")["Value"], "good", "{:#?}", cloud.events("s"));
    assert_eq!(others(&cloud), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_deleted_still_has_its_name() {
    let cloud = Cloud::new().await;
    let with = |name: &str| parameters(&[("A", &format!("Name: {name}, Value: x"))]);
    cloud.deploy("CreateStack", "s", &with("first")).await;
    cloud.fail("A", Action::Delete, None);
    assert_eq!(cloud.deploy("UpdateStack", "s", &with("second")).await, "UPDATE_COMPLETE");
    assert!(cloud.live().contains(&"first".to_owned()), "it is left behind");
    assert_eq!(cloud.deploy("UpdateStack", "s", &with("first")).await, "UPDATE_ROLLBACK_COMPLETE");
    let failed = cloud.events("s").into_iter().find(|event| event.starts_with("A UPDATE_FAILED")).expect("told");
    assert!(failed.contains("already exists"), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_the_cleanup_still_has_its_name() {
    let cloud = Cloud::new().await;
    let alone = |a: &str| parameters(&[("A", a)]);
    cloud.deploy("CreateStack", "s", &alone("Name: own, Value: one")).await;
    cloud.fail("Bad", Action::Create, None);
    let with_both = parameters(&[("A", "Name: other, Value: two"), ("Bad", "Value: b")]);
    assert_eq!(left(&cloud, "UpdateStack", &with_both).await, "UPDATE_FAILED");
    let again = alone("Name: own, Value: three");
    assert_eq!(cloud.deploy("UpdateStack", "s", &again).await, "UPDATE_ROLLBACK_COMPLETE", "{:#?}", cloud.events("s"));
    let failed = cloud.events("s").into_iter().find(|event| event.starts_with("A UPDATE_FAILED")).expect("told");
    assert!(failed.contains("already exists"), "{failed}");
    let live = crate::resources::read(&cloud.aws.world, &cloud.place, "AWS::SSM::Parameter", "own").await;
    assert_eq!(live.expect("it is there")["Value"], "one");
    assert_eq!(others(&cloud), [""; 0]);
}

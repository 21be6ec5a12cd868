//! What a stack's events say.

use super::*;

const TOPIC: &str = "Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: one, DisplayName: x}}}";

/// `ResourceStatus PhysicalResourceId (reason)` of a resource's events, oldest first.
async fn of_resource(cloud: &Cloud, id: &str) -> Vec<String> {
    let events = cloud.ok("DescribeStackEvents", json!({"StackName": "s"})).await;
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    let mut lines: Vec<String> = events["StackEvents"]
        .as_array()
        .expect("events")
        .iter()
        .filter(|event| event["LogicalResourceId"] == id)
        .map(|event| {
            let reason = &event["ResourceStatusReason"];
            let line = format!("{} {}", text(&event["ResourceStatus"]), text(&event["PhysicalResourceId"]));
            if reason.is_null() { line } else { format!("{line} ({})", text(reason)) }
        })
        .collect();
    lines.reverse();
    lines
}

#[tokio::test(start_paused = true)]
async fn ids_name_the_moment_or_nothing() {
    let cloud = Cloud::new().await;
    cloud.creating(TOPIC).await;
    cloud.execute("create").await;
    let events = cloud.ok("DescribeStackEvents", json!({"StackName": "s"})).await;
    for event in events["StackEvents"].as_array().expect("events") {
        let id = event["EventId"].as_str().expect("an id");
        let of_stack = event["PhysicalResourceId"] == event["StackId"];
        if of_stack {
            assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{id} is a UUID");
            assert_eq!(event["ResourceProperties"], Json::Null);
        } else {
            let begin = format!("A-{}-19", event["ResourceStatus"].as_str().expect("a status"));
            assert!(id.starts_with(&begin) && id.ends_with('Z'), "{id}");
            assert_eq!(event["ResourceProperties"], r#"{"TopicName":"one","DisplayName":"x"}"#, "JSON in a string");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_by_change_set_begins_with_the_review() {
    let cloud = Cloud::new().await;
    cloud.creating(TOPIC).await;
    cloud.execute("create").await;
    let arn = "arn:aws:sns:eu-west-1:111122223333:one";
    let expected = [
        "CREATE_IN_PROGRESS ".to_owned(),
        format!("CREATE_IN_PROGRESS {arn} (Resource creation Initiated)"),
        format!("CREATE_COMPLETE {arn}"),
    ];
    assert_eq!(of_resource(&cloud, "A").await, expected);
    let of_stack: Vec<String> = cloud.events("s").into_iter().filter(|line| line.starts_with("stack ")).collect();
    let expected = [
        "stack REVIEW_IN_PROGRESS (User Initiated)",
        "stack CREATE_IN_PROGRESS (User Initiated)",
        "stack CREATE_COMPLETE",
    ];
    assert_eq!(of_stack, expected);
    cloud.deploy("CreateStack", "plain", &TOPIC.replace("one", "two")).await;
    assert_eq!(cloud.events("plain")[0], "stack CREATE_IN_PROGRESS (User Initiated)");
}

#[tokio::test(start_paused = true)]
async fn a_replacement_is_told_with_both_ids() {
    let cloud = Cloud::new().await;
    cloud.deploy("CreateStack", "s", TOPIC).await;
    cloud.deploy("UpdateStack", "s", &TOPIC.replace("one", "two")).await;
    let id = |name: &str| format!("arn:aws:sns:eu-west-1:111122223333:{name}");
    let replacing = "Requested update requires the creation of a new physical resource; hence creating one.";
    let expected = [
        format!("UPDATE_IN_PROGRESS {} ({replacing})", id("one")),
        format!("UPDATE_IN_PROGRESS {} (Resource creation Initiated)", id("two")),
        format!("UPDATE_COMPLETE {}", id("two")),
        format!("DELETE_IN_PROGRESS {}", id("one")),
        format!("DELETE_COMPLETE {}", id("one")),
    ];
    assert_eq!(of_resource(&cloud, "A").await[3..], expected);
    let from = cloud.events("s").len();
    cloud.deploy("UpdateStack", "s", &TOPIC.replace("one", "two").replace("DisplayName: x", "DisplayName: y")).await;
    let expected = [
        "stack UPDATE_IN_PROGRESS (User Initiated)",
        "A UPDATE_IN_PROGRESS",
        "A UPDATE_COMPLETE",
        "stack UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "stack UPDATE_COMPLETE",
    ];
    assert_eq!(cloud.events_from("s", from), expected, "in place");
}

#[tokio::test(start_paused = true)]
async fn properties_are_shown_resolved_and_not_of_what_a_cleanup_deletes() {
    let cloud = Cloud::new().await;
    let first = "Resources:\n  A: {Type: AWS::SNS::Topic, Properties: {TopicName: t}}\n";
    let second = "  B: {Type: AWS::SNS::Topic, Properties: {DisplayName: !GetAtt A.TopicName}}\n";
    cloud.deploy("CreateStack", "s", &format!("{first}{second}")).await;
    cloud.deploy("UpdateStack", "s", first).await;
    let events = cloud.ok("DescribeStackEvents", json!({"StackName": "s"})).await;
    let of_b = events["StackEvents"].as_array().expect("events").iter().filter(|it| it["LogicalResourceId"] == "B");
    let mut seen = 0;
    for event in of_b {
        let deletes = event["ResourceStatus"].as_str().expect("a status").starts_with("DELETE");
        let expected = if deletes { Json::Null } else { json!(r#"{"DisplayName":"t"}"#) };
        assert_eq!(event["ResourceProperties"], expected);
        seen += 1;
    }
    assert_eq!(seen, 5);
}

#[tokio::test(start_paused = true)]
async fn order_follows_dependencies_not_the_template() {
    for ids in [["A", "B", "C"], ["C", "B", "A"], ["B", "A", "C"]] {
        let cloud = Cloud::new().await;
        let one = |id: &str| match id {
            "A" => ("A", "Value: a"),
            "B" => ("B", "Value: !Ref A"),
            _ => ("C", "Value: !Ref B"),
        };
        cloud.deploy("CreateStack", "s", &parameters(&ids.map(one))).await;
        let done = |events: Vec<String>, status: &str| -> Vec<String> {
            events.into_iter().filter(|line| line.ends_with(status) && !line.starts_with("stack")).collect()
        };
        let created = done(cloud.events("s"), " CREATE_COMPLETE");
        assert_eq!(created, ["A", "B", "C"].map(|id| format!("{id} CREATE_COMPLETE")));
        let from = cloud.events("s").len();
        cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
        cloud.rest("s").await;
        let deleted = done(cloud.events_from("s", from), " DELETE_COMPLETE");
        assert_eq!(deleted, ["C", "B", "A"].map(|id| format!("{id} DELETE_COMPLETE")));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_is_skipped() {
    let cloud = Cloud::new().await;
    let template = |name: &str| {
        format!(
            "Resources: {{A: {{Type: AWS::SNS::Topic, DeletionPolicy: Retain, UpdateReplacePolicy: Retain, \
                 Properties: {{TopicName: {name}}}}}}}"
        )
    };
    cloud.deploy("CreateStack", "s", &template("one")).await;
    cloud.deploy("UpdateStack", "s", &template("two")).await;
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    let id = cloud.stack("s").id;
    cloud.rest(&id).await;
    let deleted: Vec<String> = cloud
        .stack(&id)
        .events
        .iter()
        .filter(|it| it.status.starts_with("DELETE") && it.logical_id == "A")
        .map(|it| format!("{} {}", it.status, it.physical_id))
        .collect();
    let arn = |name: &str| format!("DELETE_SKIPPED arn:aws:sns:eu-west-1:111122223333:{name}");
    assert_eq!(deleted, [arn("one"), arn("two")]);
}

#[tokio::test(start_paused = true)]
async fn wrong_properties_fail_the_resource() {
    let cloud = Cloud::new().await;
    cloud.deploy("CreateStack", "s", "Resources: {A: {Type: AWS::SSM::Parameter, Properties: {Value: x}}}").await;
    let failed = of_resource(&cloud, "A").await[1].clone();
    assert_eq!(failed, "CREATE_FAILED  (Property validation failure: [The property {/Type} is required])");
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_fails_is_ended_by_retaining() {
    let cloud = Cloud::new().await;
    cloud.fail("Broken", Action::Create, Some(1));
    cloud.fail("Stuck", Action::Delete, None);
    let template =
        "Resources:\n  Stuck: {Type: AWS::SNS::Topic}\n  Broken: {Type: AWS::SQS::Queue, DependsOn: Stuck}\n";
    assert_eq!(cloud.deploy("CreateStack", "s", template).await, "ROLLBACK_FAILED");
    let told = "The following resource(s) failed to delete: [Stuck]. ";
    let from = cloud.events("s").len();
    let expected =
        ["Stuck DELETE_IN_PROGRESS", "Stuck DELETE_FAILED (planned)", &format!("stack ROLLBACK_FAILED ({told})")];
    assert_eq!(cloud.events("s")[from - 3..], expected);
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "DELETE_FAILED");
    assert_eq!(cloud.stack("s").status_reason.as_deref(), Some(told));
    let from = cloud.events("s").len();
    cloud.ok("DeleteStack", json!({"StackName": "s", "RetainResources": ["Stuck"]})).await;
    let id = cloud.stack("s").id;
    assert_eq!(cloud.rest(&id).await, "DELETE_COMPLETE");
    let expected = ["stack DELETE_IN_PROGRESS (User Initiated)", "Stuck DELETE_SKIPPED", "stack DELETE_COMPLETE"];
    assert_eq!(cloud.events_from(&id, from), expected);
}

#[tokio::test(start_paused = true)]
async fn an_attribute_that_is_none_fails_before_any_resource() {
    let cloud = Cloud::new().await;
    let template = "Resources: {P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: x}}}\n\
                    Outputs: {InvalidOutput: {Value: !GetAtt P.Invalid}}\n";
    cloud.creating(template).await;
    assert_eq!(cloud.execute("create").await, "ROLLBACK_COMPLETE");
    let expected = [
        "stack REVIEW_IN_PROGRESS (User Initiated)",
        "stack CREATE_IN_PROGRESS (User Initiated)",
        "stack ROLLBACK_IN_PROGRESS ([Error] /Outputs/InvalidOutput/Value/Fn::GetAtt: Resource type AWS::SSM::Parameter \
         does not support attribute {Invalid}. Rollback requested by user.)",
        "stack ROLLBACK_COMPLETE",
    ];
    assert_eq!(cloud.events("s"), expected);
}

#[tokio::test(start_paused = true)]
async fn a_macro_that_fails_fails_the_creation_not_the_call() {
    let cloud = Cloud::new().await;
    let template = format!("Transform: Nowhere\n{TOPIC}");
    cloud
        .ok(
            "CreateStack",
            json!({"StackName": "s", "TemplateBody": template, "Capabilities": ["CAPABILITY_AUTO_EXPAND"]}),
        )
        .await;
    assert_eq!(cloud.rest("s").await, "ROLLBACK_COMPLETE");
    let expected = [
        "stack CREATE_IN_PROGRESS (User Initiated)",
        "stack ROLLBACK_IN_PROGRESS (No transform named 111122223333::Nowhere found.. Rollback requested by user.)",
        "stack ROLLBACK_COMPLETE",
    ];
    assert_eq!(cloud.events("s"), expected);
}

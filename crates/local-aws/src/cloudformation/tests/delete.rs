//! Deletion.

use super::*;

#[tokio::test(start_paused = true)]
async fn dependents_go_first() {
    let cloud = Cloud::new().await;
    cloud.deploy("CreateStack", "s", &parameters(&[("A", "Value: x"), ("B", "Value: !Ref A")])).await;
    let from = cloud.events("s").len();
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "DELETE_COMPLETE");
    let expected = [
        "stack DELETE_IN_PROGRESS (User Initiated)",
        "B DELETE_IN_PROGRESS",
        "B DELETE_COMPLETE",
        "A DELETE_IN_PROGRESS",
        "A DELETE_COMPLETE",
        "stack DELETE_COMPLETE",
    ];
    assert_eq!(cloud.events_from("s", from), expected);
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    cloud.ok("DeleteStack", json!({"StackName": "never"})).await;
    let gone = cloud.stack("s").id;
    assert_eq!(cloud.deploy("CreateStack", "s", &parameters(&[("A", "Value: x")])).await, "CREATE_COMPLETE");
    assert_ne!(cloud.stack("s").id, gone, "a name may be used again");
}

#[tokio::test(start_paused = true)]
async fn protection_is_a_refusal() {
    let cloud = Cloud::new().await;
    let input = json!({"StackName": "s", "TemplateBody": parameters(&[("A", "Value: x")]), "EnableTerminationProtection": true});
    cloud.ok("CreateStack", input).await;
    cloud.rest("s").await;
    let told = "Stack [s] cannot be deleted while TerminationProtection is enabled";
    assert_eq!(cloud.refused("DeleteStack", json!({"StackName": "s"})).await, told);
}

#[tokio::test(start_paused = true)]
async fn a_creation_gives_way_to_a_deletion() {
    let cloud = Cloud::new().await;
    let template = "Resources:\n  Q: {Type: AWS::SQS::Queue}\n  T: {Type: AWS::SNS::Topic, DependsOn: Q}\n";
    cloud.ok("CreateStack", json!({"StackName": "s", "TemplateBody": template})).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "DELETE_COMPLETE");
    let events = cloud.events_from("s", 3);
    let expected = [
        "stack DELETE_IN_PROGRESS (User Initiated)",
        "Q CREATE_FAILED (Resource creation cancelled)",
        "Q DELETE_IN_PROGRESS",
        "Q DELETE_COMPLETE",
        "stack DELETE_COMPLETE",
    ];
    assert_eq!(events, expected);
}

#[tokio::test(start_paused = true)]
async fn failures_are_told_and_can_be_forced() {
    let cloud = Cloud::new().await;
    cloud.deploy("CreateStack", "s", &parameters(&[("A", "Value: x"), ("B", "Value: !Ref A")])).await;
    cloud.fail("B", Action::Delete, None);
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "DELETE_FAILED");
    let stack = cloud.stack("s");
    assert_eq!(stack.status_reason.as_deref(), Some("The following resource(s) failed to delete: [B]. "));
    assert_eq!(stack.resources["A"].status, "CREATE_COMPLETE", "what others need stays");
    cloud.ok("DeleteStack", json!({"StackName": "s", "DeletionMode": "FORCE_DELETE_STACK"})).await;
    assert_eq!(cloud.rest("s").await, "DELETE_COMPLETE");
}

#[tokio::test(start_paused = true)]
async fn exports_in_use_hold_a_stack() {
    let cloud = Cloud::new().await;
    let exporting = |value: &str| {
        format!("{}Outputs: {{O: {{Value: {value}, Export: {{Name: shared}}}}}}\n", parameters(&[("A", "Value: x")]))
    };
    cloud.deploy("CreateStack", "from", &exporting("one")).await;
    let importing = parameters(&[("B", "Value: !ImportValue shared")]);
    assert_eq!(cloud.deploy("CreateStack", "to", &importing).await, "CREATE_COMPLETE");
    assert_eq!(cloud.stack("to").resources["B"].properties["Value"], "one");
    cloud.ok("DeleteStack", json!({"StackName": "from"})).await;
    assert_eq!(cloud.rest("from").await, "CREATE_COMPLETE");
    let told = "Delete canceled. Cannot delete export shared as it is in use by to.";
    assert_eq!(cloud.stack("from").status_reason.as_deref(), Some(told));
    assert_eq!(cloud.deploy("UpdateStack", "from", &exporting("two")).await, "UPDATE_ROLLBACK_COMPLETE");
    let told = "stack UPDATE_ROLLBACK_IN_PROGRESS (Cannot update export shared as it is in use by to)";
    assert!(cloud.events("from").contains(&told.to_owned()));
    assert_eq!(cloud.deploy("CreateStack", "third", &exporting("x")).await, "ROLLBACK_COMPLETE");
    cloud.ok("DeleteStack", json!({"StackName": "to"})).await;
    cloud.rest("to").await;
    cloud.ok("DeleteStack", json!({"StackName": "from"})).await;
    assert_eq!(cloud.rest("from").await, "DELETE_COMPLETE");
    assert_eq!(cloud.deploy("CreateStack", "alone", &importing).await, "ROLLBACK_COMPLETE");
    let told = "stack ROLLBACK_IN_PROGRESS (No export named shared found. Rollback requested by user.)";
    assert!(cloud.events("alone").contains(&told.to_owned()), "{:#?}", cloud.events("alone"));
}

/// As recorded: it is there, and cannot be made whole nor taken away.
#[tokio::test(start_paused = true)]
async fn a_policy_of_nobody_stays_until_it_is_left_alone() {
    let cloud = Cloud::new().await;
    let document = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let policy = json!({"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "p", "PolicyDocument": document}});
    let template = json!({"Resources": {"Policy": policy}}).to_string();
    let input = json!({"StackName": "s", "TemplateBody": template, "Capabilities": ["CAPABILITY_NAMED_IAM"]});
    cloud.ok("CreateStack", input).await;
    assert_eq!(cloud.rest("s").await, "ROLLBACK_FAILED", "{:#?}", cloud.events("s"));
    let nobody = "At least one of [Groups,Roles,Users] must be non-empty.";
    let stuck = "The following resource(s) failed to delete: [Policy]. ";
    let expected = [
        "stack CREATE_IN_PROGRESS (User Initiated)".to_owned(),
        "Policy CREATE_IN_PROGRESS".to_owned(),
        "Policy CREATE_IN_PROGRESS (Resource creation Initiated)".to_owned(),
        format!("Policy CREATE_FAILED ({nobody})"),
        "stack ROLLBACK_IN_PROGRESS (The following resource(s) failed to create: [Policy]. Rollback requested by user.)".to_owned(),
        "Policy DELETE_IN_PROGRESS".to_owned(),
        format!("Policy DELETE_FAILED ({nobody})"),
        format!("stack ROLLBACK_FAILED ({stuck})"),
    ];
    assert_eq!(cloud.events("s"), expected);
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "DELETE_FAILED");
    cloud.ok("DeleteStack", json!({"StackName": "s", "RetainResources": ["Policy"]})).await;
    assert_eq!(cloud.rest("s").await, "DELETE_COMPLETE");
}

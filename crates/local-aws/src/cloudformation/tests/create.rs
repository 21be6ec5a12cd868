//! Creation: success, failure, and what becomes of it.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_creation_tells_what_it_does() {
    let cloud = Cloud::new().await;
    let template = parameters(&[("B", "Value: !Ref A"), ("A", "Value: x")]);
    assert_eq!(cloud.deploy("CreateStack", "s", &template).await, "CREATE_COMPLETE");
    let expected = [
        "stack CREATE_IN_PROGRESS (User Initiated)",
        "A CREATE_IN_PROGRESS",
        "A CREATE_IN_PROGRESS (Resource creation Initiated)",
        "A CREATE_COMPLETE",
        "B CREATE_IN_PROGRESS",
        "B CREATE_IN_PROGRESS (Resource creation Initiated)",
        "B CREATE_COMPLETE",
        "stack CREATE_COMPLETE",
    ];
    assert_eq!(cloud.events("s"), expected);
    let stack = cloud.stack("s");
    let ids: Vec<&str> = stack.events.iter().map(|event| event.physical_id.as_str()).collect();
    assert_eq!(ids[1], "", "nothing has an id before it is initiated");
    assert!(ids[2].starts_with("CFN-A-") && ids[3] == ids[2], "{ids:?}");
    let shown: Json = serde_json::from_str(stack.events[5].properties.as_deref().expect("properties")).expect("JSON");
    assert_eq!(shown, json!({"Type": "String", "Value": ids[2]}));
    assert_eq!(stack.operation, None);
}

#[tokio::test(start_paused = true)]
async fn independent_resources_are_created_at_the_same_time() {
    let cloud = Cloud::new().await;
    let template = "Resources:\n  A: {Type: AWS::SQS::Queue}\n  B: {Type: AWS::SQS::Queue}\n  C: {Type: AWS::SNS::Topic, DependsOn: [A, B]}\n";
    let begun = cloud.clock().now();
    cloud.deploy("CreateStack", "s", template).await;
    let seconds = (cloud.clock().now() - begun).get_seconds();
    assert!((72 + 11..72 + 11 + 2).contains(&seconds), "{seconds} s: two queues at once, then a topic");
}

#[tokio::test(start_paused = true)]
async fn a_failure_cancels_the_others_and_rolls_back() {
    let cloud = Cloud::new().await;
    cloud.fail("Bad", Action::Create, None);
    let template = "Resources:\n  Slow: {Type: AWS::SQS::Queue}\n  Good: {Type: AWS::SNS::Topic}\n  Bad: {Type: AWS::S3::Bucket, DependsOn: Good}\n  Never: {Type: AWS::SNS::Topic, DependsOn: Bad}\n";
    assert_eq!(cloud.deploy("CreateStack", "s", template).await, "ROLLBACK_COMPLETE");
    let expected = [
        "stack CREATE_IN_PROGRESS (User Initiated)",
        "Slow CREATE_IN_PROGRESS",
        "Slow CREATE_IN_PROGRESS (Resource creation Initiated)",
        "Good CREATE_IN_PROGRESS",
        "Good CREATE_IN_PROGRESS (Resource creation Initiated)",
        "Good CREATE_COMPLETE",
        "Bad CREATE_IN_PROGRESS",
        "Bad CREATE_FAILED (planned)",
        "Slow CREATE_FAILED (Resource creation cancelled)",
        "stack ROLLBACK_IN_PROGRESS (The following resource(s) failed to create: [Slow, Bad]. Rollback requested by user.)",
        "Bad DELETE_COMPLETE",
        "Slow DELETE_IN_PROGRESS",
        "Good DELETE_IN_PROGRESS",
        "Good DELETE_COMPLETE",
        "Slow DELETE_COMPLETE",
        "stack ROLLBACK_COMPLETE",
    ];
    assert_eq!(cloud.events("s"), expected);
    assert_eq!(cloud.stack("s").resources.len(), 0);
    let message = cloud.refused("UpdateStack", json!({"StackName": "s", "TemplateBody": template})).await;
    assert_eq!(message, format!("Stack:{} is in ROLLBACK_COMPLETE state and can not be updated.", cloud.stack("s").id));
}

#[tokio::test(start_paused = true)]
async fn properties_are_validated_by_the_provider() {
    let cloud = Cloud::new().await;
    let template = "Resources: {MyParameter: {Type: AWS::SSM::Parameter, Properties: {Value: abc123}}}";
    assert_eq!(cloud.deploy("CreateStack", "s", template).await, "ROLLBACK_COMPLETE");
    let events = cloud.events("s");
    assert_eq!(
        events[2],
        "MyParameter CREATE_FAILED (Property validation failure: [The property {/Type} is required])"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_may_be_left_as_it_is_and_tried_again() {
    let cloud = Cloud::new().await;
    cloud.fail("Bad", Action::Create, Some(1));
    let template = parameters(&[("Bad", "Value: x"), ("Good", "Value: y"), ("Later", "Value: !Ref Good")]);
    let input = json!({"StackName": "s", "TemplateBody": template, "OnFailure": "DO_NOTHING"});
    cloud.ok("CreateStack", input).await;
    assert_eq!(cloud.rest("s").await, "CREATE_FAILED");
    let stack = cloud.stack("s");
    assert_eq!(stack.resources["Later"].status, "CREATE_COMPLETE", "what does not depend on the failure goes on");
    assert_eq!(stack.status_reason.as_deref(), Some("The following resource(s) failed to create: [Bad]. "));
    cloud.ok("UpdateStack", json!({"StackName": "s", "TemplateBody": template, "DisableRollback": true})).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_COMPLETE");
    assert_eq!(cloud.stack("s").resources["Bad"].status, "CREATE_COMPLETE");
}

#[tokio::test(start_paused = true)]
async fn a_failure_left_as_it_is_can_be_rolled_back() {
    let cloud = Cloud::new().await;
    cloud.fail("Bad", Action::Create, None);
    let template = parameters(&[("Bad", "Value: x"), ("Good", "Value: y")]);
    let input = json!({"StackName": "s", "TemplateBody": template, "DisableRollback": true});
    cloud.ok("CreateStack", input).await;
    assert_eq!(cloud.rest("s").await, "CREATE_FAILED");
    cloud.ok("RollbackStack", json!({"StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "ROLLBACK_COMPLETE");
    assert!(cloud.stack("s").resources.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failure_may_delete_the_stack() {
    let cloud = Cloud::new().await;
    cloud.fail("Bad", Action::Create, None);
    let template = parameters(&[("Bad", "Value: x"), ("Good", "Value: y")]);
    cloud.ok("CreateStack", json!({"StackName": "s", "TemplateBody": template, "OnFailure": "DELETE"})).await;
    assert_eq!(cloud.rest("s").await, "DELETE_COMPLETE");
    let told =
        "stack DELETE_IN_PROGRESS (The following resource(s) failed to create: [Bad, Good]. Delete requested by user.)";
    let told_alone = told.replace("Bad, Good", "Bad");
    let events = cloud.events("s");
    assert!(events.iter().any(|event| event == told || *event == told_alone), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_fails_can_be_finished_by_a_deletion() {
    let cloud = Cloud::new().await;
    cloud.fail("Bad", Action::Create, None);
    cloud.fail("Good", Action::Delete, None);
    let template = parameters(&[("Good", "Value: y"), ("Bad", "Value: !Ref Good")]);
    assert_eq!(cloud.deploy("CreateStack", "s", &template).await, "ROLLBACK_FAILED");
    let reason = cloud.stack("s").status_reason;
    assert_eq!(reason.as_deref(), Some("The following resource(s) failed to delete: [Good]. "));
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "DELETE_FAILED");
    cloud.ok("DeleteStack", json!({"StackName": "s", "RetainResources": ["Good"]})).await;
    assert_eq!(cloud.rest("s").await, "DELETE_COMPLETE");
    let from = cloud.events("s").len() - 3;
    let expected = ["stack DELETE_IN_PROGRESS (User Initiated)", "Good DELETE_SKIPPED", "stack DELETE_COMPLETE"];
    assert_eq!(cloud.events_from("s", from), expected);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_attribute_is_found_before_anything_is_made() {
    let cloud = Cloud::new().await;
    let template =
        format!("{}Outputs: {{InvalidOutput: {{Value: !GetAtt A.Invalid}}}}\n", parameters(&[("A", "Value: x")]));
    assert_eq!(cloud.deploy("CreateStack", "s", &template).await, "ROLLBACK_COMPLETE");
    let expected = [
        "stack CREATE_IN_PROGRESS (User Initiated)",
        "stack ROLLBACK_IN_PROGRESS ([Error] /Outputs/InvalidOutput/Value/Fn::GetAtt: Resource type AWS::SSM::Parameter \
         does not support attribute {Invalid}. Rollback requested by user.)",
        "stack ROLLBACK_COMPLETE",
    ];
    assert_eq!(cloud.events("s"), expected);
}

#[tokio::test(start_paused = true)]
async fn retention_counts_in_rollbacks_unless_it_is_told_not_to() {
    let cloud = Cloud::new().await;
    cloud.fail("Bad", Action::Create, None);
    let template = "
Resources:
  Kept: {Type: AWS::SNS::Topic, DeletionPolicy: Retain}
  Gone: {Type: AWS::SNS::Topic, DeletionPolicy: RetainExceptOnCreate}
  Bad: {Type: AWS::SNS::Topic, DependsOn: [Kept, Gone]}
";
    assert_eq!(cloud.deploy("CreateStack", "s", template).await, "ROLLBACK_COMPLETE");
    let events = cloud.events("s");
    assert!(events.contains(&"Kept DELETE_SKIPPED".to_owned()) && events.contains(&"Gone DELETE_COMPLETE".to_owned()));
    assert_eq!(cloud.stack("s").abandoned.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_takes_too_long_is_given_up() {
    let cloud = Cloud::new().await;
    let template = "Resources: {Db: {Type: AWS::SQS::Queue}}";
    cloud.ok("CreateStack", json!({"StackName": "s", "TemplateBody": template, "TimeoutInMinutes": "1"})).await;
    assert_eq!(cloud.rest("s").await, "ROLLBACK_COMPLETE");
    assert!(cloud.events("s").contains(&"Db CREATE_FAILED (Resource creation cancelled)".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn wait_conditions_want_signals() {
    let cloud = Cloud::new().await;
    let template = "
Resources:
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
  Wait: {Type: AWS::CloudFormation::WaitCondition, Properties: {Handle: !Ref Handle, Timeout: '600', Count: 2}}
";
    cloud.ok("CreateStack", json!({"StackName": "good", "TemplateBody": template})).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    for id in ["one", "two"] {
        let signal = json!({"StackName": "good", "LogicalResourceId": "Wait", "UniqueId": id, "Status": "SUCCESS"});
        cloud.ok("SignalResource", signal).await;
    }
    assert_eq!(cloud.rest("good").await, "CREATE_COMPLETE");
    assert_eq!(cloud.deploy("CreateStack", "late", template).await, "ROLLBACK_COMPLETE");
    let told = "Wait CREATE_FAILED (WaitCondition timed out. Received 0 conditions when expecting 2)";
    assert!(cloud.events("late").contains(&told.to_owned()));
}

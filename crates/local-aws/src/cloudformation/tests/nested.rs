//! Nested stacks.

use super::validation::put;
use super::*;

const CHILD: &str = "
Parameters: {Name: {Type: String}}
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Name}}
Outputs: {Arn: {Value: !Ref Topic}}
";

fn parent(name: &str) -> String {
    format!(
        "
Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties: {{TemplateURL: 'https://s3.amazonaws.com/templates/child.yaml', Parameters: {{Name: {name}}}}}
  After: {{Type: AWS::SSM::Parameter, Properties: {{Type: String, Value: !GetAtt Child.Outputs.Arn}}}}
"
    )
}

#[tokio::test(start_paused = true)]
async fn a_nested_stack_is_a_stack() {
    let cloud = Cloud::new().await;
    put(&cloud, "templates", "child.yaml", CHILD).await;
    assert_eq!(cloud.deploy("CreateStack", "s", &parent("one")).await, "CREATE_COMPLETE", "{:#?}", cloud.events("s"));
    let child = cloud.stack("s").resources["Child"].physical_id.clone();
    assert_eq!(cloud.stack(&child).status, "CREATE_COMPLETE");
    assert!(cloud.stack(&child).name.starts_with("s-Child-"));
    let arn = cloud.stack(&child).outputs[0].value.clone();
    assert_eq!(cloud.stack("s").resources["After"].properties["Value"], arn);
    // Looking for drift does not look into it.
    cloud.ok("DetectStackDrift", json!({"StackName": "s"})).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(cloud.stack("s").drift_status, "IN_SYNC");
    assert_eq!(cloud.stack("s").resources["Child"].drift_status, "NOT_CHECKED");
    assert_eq!(cloud.deploy("UpdateStack", "s", &parent("two")).await, "UPDATE_COMPLETE", "{:#?}", cloud.events("s"));
    assert_eq!(cloud.stack(&child).status, "UPDATE_COMPLETE");
    assert_eq!(cloud.stack(&child).resources["Topic"].properties["DisplayName"], "two");
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "DELETE_COMPLETE");
    assert_eq!(cloud.stack(&child).status, "DELETE_COMPLETE");
}

#[tokio::test(start_paused = true)]
async fn what_fails_inside_fails_outside() {
    let cloud = Cloud::new().await;
    put(&cloud, "templates", "child.yaml", CHILD).await;
    cloud.fail("Topic", Action::Create, Some(1));
    assert_eq!(cloud.deploy("CreateStack", "s", &parent("one")).await, "ROLLBACK_COMPLETE");
    let failed = cloud.events("s").into_iter().find(|event| event.starts_with("Child CREATE_FAILED")).expect("told");
    assert!(failed.contains("was not successfully created: The following resource(s) failed to create: [Topic]. "));
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    cloud.rest("s").await;
    assert_eq!(cloud.deploy("CreateStack", "t", &parent("one")).await, "CREATE_COMPLETE");
    cloud.heal();
    cloud.fail("After", Action::Update, None);
    cloud.ok("UpdateStack", json!({"StackName": "t", "TemplateBody": parent("two").replace("!GetAtt Child.Outputs.Arn", "!Sub '${Child.Outputs.Arn}x'")})).await;
    assert_eq!(cloud.rest("t").await, "UPDATE_ROLLBACK_COMPLETE");
    let child = cloud.stack("t").resources["Child"].physical_id.clone();
    assert_eq!(cloud.stack(&child).resources["Topic"].properties["DisplayName"], "one", "{:#?}", cloud.events(&child));
}

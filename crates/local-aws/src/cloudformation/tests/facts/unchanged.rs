//! Change sets without changes, and those that fail.

use super::*;

const TOPIC: &str = "Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: t}}}\n";
const NOTHING: &str =
    "The submitted information didn't contain changes. Submit different information to create a change set.";

#[tokio::test(start_paused = true)]
async fn a_change_set_without_changes_fails() {
    let (cloud, described) = Cloud::changing(TOPIC, TOPIC).await;
    let described = described.plain;
    assert_eq!((&described["Status"], &described["ExecutionStatus"]), (&json!("FAILED"), &json!("UNAVAILABLE")));
    assert_eq!((&described["Changes"], &described["StatusReason"]), (&json!([]), &json!(NOTHING)));
    let id = described["ChangeSetId"].as_str().expect("an id");
    let fault = cloud.call("ExecuteChangeSet", json!({"ChangeSetName": id})).await.expect_err("refused");
    assert_eq!(fault.code, "InvalidChangeSetStatus");
    assert_eq!(fault.message, format!("ChangeSet [{id}] cannot be executed in its current status of [FAILED]"));
    let fault = cloud.call("UpdateStack", json!({"StackName": "s", "TemplateBody": TOPIC})).await.expect_err("refused");
    assert_eq!((fault.status, fault.code.as_str()), (400, "ValidationError"));
    assert_eq!(fault.message, "No updates are to be performed.");
}

#[tokio::test(start_paused = true)]
async fn outputs_alone_are_worth_a_change_set() {
    let cloud = Cloud::new().await;
    validation::put(&cloud, "shared", "outputs.yml", "Outputs: {More: {Value: included}}").await;
    cloud.deploy("CreateStack", "s", TOPIC).await;
    let include = "Transform: {Name: AWS::Include, Parameters: {Location: 's3://shared/outputs.yml'}}\n";
    let described = cloud.updating(&format!("{include}{TOPIC}")).await;
    for json in [&described.plain, &described.valued] {
        assert_eq!(json["Changes"], json!([]));
        assert_eq!((&json["Status"], &json["ExecutionStatus"]), (&json!("CREATE_COMPLETE"), &json!("AVAILABLE")));
    }
    let from = cloud.events("s").len();
    assert_eq!(cloud.execute("update").await, "UPDATE_COMPLETE");
    assert_eq!(
        cloud.shown("s").await["Outputs"],
        json!([{"OutputKey": "More", "OutputValue": "included",
        "Description": null, "ExportName": null}])
    );
    let expected = [
        "stack UPDATE_IN_PROGRESS (User Initiated)",
        "stack UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "stack UPDATE_COMPLETE",
    ];
    assert_eq!(cloud.events_from("s", from), expected, "the cleanup is told of where there is none");
}

#[tokio::test(start_paused = true)]
async fn an_include_may_replace_what_stands_beside_it() {
    let cloud = Cloud::new().await;
    validation::put(
        &cloud,
        "shared",
        "a.json",
        r#"{"A": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "included"}}}"#,
    )
    .await;
    let template = |include: &str| {
        format!("Resources:\n  A: {{Type: AWS::SNS::Topic, Properties: {{TopicName: own}}}}\n{include}")
    };
    cloud.deploy("CreateStack", "s", &template("")).await;
    let include = "  Fn::Transform: {Name: AWS::Include, Parameters: {Location: 's3://shared/a.json'}}\n";
    let described = cloud.updating(&template(include)).await;
    assert_eq!(described.change("A")["Replacement"], "True");
    assert_eq!(described.change("A")["Details"][0]["Target"]["AfterValue"], "included");
}

#[tokio::test(start_paused = true)]
async fn a_transform_that_fails_fails_the_change_set() {
    let cloud = Cloud::new().await;
    let include = "Transform: {Name: AWS::Include, Parameters: {Location: 's3://doesnotexist/key'}}\n";
    let described = cloud.creating(&format!("{include}{TOPIC}")).await.plain;
    assert_eq!((&described["Status"], &described["ExecutionStatus"]), (&json!("FAILED"), &json!("UNAVAILABLE")));
    let told = "Transform AWS::Include failed with: S3 bucket [doesnotexist] does not exist.";
    assert_eq!(described["StatusReason"], told);
}

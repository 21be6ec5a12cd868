//! What DescribeStacks and the other reads of a stack say.

use super::*;

const TOPIC: &str = "Description: told\nResources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: t}}}\n\
                     Parameters: {P: {Type: String, Default: d}}\nOutputs: {O: {Value: !Ref P}}\n";
const BARE: [&str; 11] = [
    "CreationTime",
    "DisableRollback",
    "DriftInformation",
    "EnableTerminationProtection",
    // Since November 2025.
    "LastOperations",
    "NotificationARNs",
    "RollbackConfiguration",
    "StackId",
    "StackName",
    "StackStatus",
    "Tags",
];

fn with<'n>(names: &[&'n str]) -> Vec<&'n str>
where
    'static: 'n,
{
    let mut all: Vec<&'n str> = BARE.iter().copied().chain(names.iter().copied()).collect();
    all.sort_unstable();
    all
}

#[tokio::test(start_paused = true)]
async fn a_stack_has_these_members() {
    let cloud = Cloud::new().await;
    let input = json!({"StackName": "s", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": TOPIC,
        "Tags": [{"Key": "team", "Value": "a"}], "Capabilities": ["CAPABILITY_IAM"]});
    cloud.change_set(input).await;
    let review = cloud.shown("s").await;
    assert_eq!(
        (&review["StackStatus"], &review["StackStatusReason"]),
        (&json!("REVIEW_IN_PROGRESS"), &json!("User Initiated"))
    );
    assert_eq!(review["Tags"], json!([]), "they come with the execution");
    for later in ["Description", "ChangeSetId", "LastUpdatedTime", "Outputs", "Parameters", "Capabilities"] {
        assert!(review[later].is_null(), "{later}: {review}");
    }
    cloud.execute("c").await;
    let shown = cloud.shown("s").await;
    let full = ["Capabilities", "ChangeSetId", "Description", "LastUpdatedTime", "Outputs", "Parameters"];
    assert_eq!(members(&shown), with(&full));
    assert_eq!((&shown["Description"], &shown["Tags"]), (&json!("told"), &json!([{"Key": "team", "Value": "a"}])));
    assert_eq!(members(&shown["DriftInformation"]), ["StackDriftStatus"]);
    assert_eq!(shown["DriftInformation"]["StackDriftStatus"], "NOT_CHECKED");
    // An update that is no change set takes the change set away.
    cloud.ok("UpdateStack", json!({"StackName": "s", "TemplateBody": TOPIC.replace("Default: d", "Default: e")})).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_COMPLETE");
    assert_eq!(cloud.shown("s").await["ChangeSetId"], Json::Null);
}

#[tokio::test(start_paused = true)]
async fn a_plain_creation_has_neither_a_change_set_nor_an_update() {
    let cloud = Cloud::new().await;
    cloud.deploy("CreateStack", "s", "Resources: {A: {Type: AWS::SNS::Topic}}").await;
    assert_eq!(members(&cloud.shown("s").await), with(&[]));
}

#[tokio::test(start_paused = true)]
async fn a_deleted_stack_keeps_what_it_had() {
    let cloud = Cloud::new().await;
    let input = json!({"StackName": "s", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": TOPIC,
        "Capabilities": ["CAPABILITY_IAM"]});
    cloud.change_set(input).await;
    cloud.execute("c").await;
    let there = cloud.shown("s").await;
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "DELETE_COMPLETE");
    let gone = cloud.shown(there["StackId"].as_str().expect("an id")).await;
    let mut expected: Vec<&str> = members(&there);
    expected.retain(|name| !matches!(*name, "ChangeSetId" | "EnableTerminationProtection"));
    expected.push("DeletionTime");
    expected.sort_unstable();
    assert_eq!(members(&gone), expected);
    for same in ["Outputs", "Parameters", "Capabilities", "LastUpdatedTime"] {
        assert_eq!(gone[same], there[same]);
    }
    assert_eq!(cloud.refused("DescribeStacks", json!({"StackName": "s"})).await, "Stack with id s does not exist");
    let again = cloud.ok("CreateStack", json!({"StackName": "s", "TemplateBody": TOPIC})).await;
    assert_ne!(again["StackId"], there["StackId"], "its name is free at once");
}

#[tokio::test(start_paused = true)]
async fn resources_have_these_members() {
    let cloud = Cloud::new().await;
    let template = "Resources:\n  B: {Type: AWS::SNS::Topic}\n  A: {Type: AWS::SNS::Topic}\n";
    cloud.deploy("CreateStack", "s", template).await;
    let all = cloud.ok("DescribeStackResources", json!({"StackName": "s"})).await;
    let ids: Vec<&str> = all["StackResources"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["LogicalResourceId"].as_str())
        .collect();
    assert_eq!(ids, ["A", "B"], "by logical id");
    let common = [
        "DriftInformation",
        "LogicalResourceId",
        "PhysicalResourceId",
        "ResourceStatus",
        "ResourceType",
        "StackId",
        "StackName",
    ];
    let and = |more: &[&'static str]| {
        let mut all: Vec<&str> = common.iter().chain(more).copied().collect();
        all.sort_unstable();
        all
    };
    let first = &all["StackResources"][0];
    assert_eq!(members(first), and(&["Timestamp"]));
    assert_eq!(first["DriftInformation"]["StackResourceDriftStatus"], "NOT_CHECKED");
    let one = cloud.ok("DescribeStackResource", json!({"StackName": "s", "LogicalResourceId": "A"})).await;
    let detail = &one["StackResourceDetail"];
    assert_eq!(members(detail), and(&["LastUpdatedTimestamp", "Metadata"]));
    assert_eq!(detail["Metadata"], "{}", "JSON in a string");
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_is_gone_is_unknown() {
    let cloud = Cloud::new().await;
    let with = |ids: &[&str]| {
        format!(
            "Resources:\n{}",
            ids.iter().map(|id| format!("  {id}: {{Type: AWS::SNS::Topic}}\n")).collect::<String>()
        )
    };
    cloud.deploy("CreateStack", "s", &with(&["A", "B"])).await;
    cloud.deploy("UpdateStack", "s", &with(&["B"])).await;
    let told = |id: &str| json!({"StackName": "s", "LogicalResourceId": id});
    assert_eq!(cloud.refused("DescribeStackResource", told("A")).await, "Resource A does not exist for stack s");
    cloud.fail("C", Action::Create, Some(1));
    assert_eq!(cloud.deploy("UpdateStack", "s", &with(&["B", "C"])).await, "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(cloud.refused("DescribeStackResource", told("C")).await, "Resource C does not exist for stack s");
    cloud.fail("A", Action::Create, Some(1));
    assert_eq!(cloud.deploy("CreateStack", "t", &with(&["A"])).await, "ROLLBACK_COMPLETE");
    let told = cloud.refused("DescribeStackResource", json!({"StackName": "t", "LogicalResourceId": "A"})).await;
    assert_eq!(told, "Resource A does not exist for stack t");
    let summary = cloud.ok("GetTemplateSummary", json!({"StackName": "t"})).await;
    assert_eq!(members(&summary), ["Parameters", "ResourceIdentifierSummaries", "ResourceTypes", "Version"]);
    let expected =
        json!([{"ResourceType": "AWS::SNS::Topic", "LogicalResourceIds": ["A"], "ResourceIdentifiers": ["TopicArn"]}]);
    assert_eq!(summary["ResourceIdentifierSummaries"], expected);
}

#[tokio::test(start_paused = true)]
async fn a_template_comes_back_as_it_was_sent() {
    let cloud = Cloud::new().await;
    let template = "# a comment\nResources:\n\n  A:   {Type: AWS::SNS::Topic}   # another\n";
    cloud.deploy("CreateStack", "s", template).await;
    let found = cloud.ok("GetTemplate", json!({"StackName": "s"})).await;
    assert_eq!(found, json!({"TemplateBody": template, "StagesAvailable": ["Original", "Processed"]}));
}

#[tokio::test(start_paused = true)]
async fn a_policy_is_shown_as_the_text_that_it_is() {
    let cloud = Cloud::new().await;
    let template = |value: &str| parameters(&[("A", &format!("Value: {value}"))]);
    cloud.deploy("CreateStack", "s", &template("x")).await;
    let shown = async || cloud.ok("GetStackPolicy", json!({"StackName": "s"})).await["StackPolicyBody"].clone();
    assert_eq!(shown().await, Json::Null, "there is none");
    let policy = |effect: &str| {
        json!({"Statement": [{"Effect": effect, "Action": "Update:*", "Principal": "*", "Resource": "*"}]}).to_string()
    };
    cloud.ok("SetStackPolicy", json!({"StackName": "s", "StackPolicyBody": policy("Deny")})).await;
    assert_eq!(shown().await, policy("Deny"));
    let update =
        json!({"StackName": "s", "TemplateBody": template("y"), "StackPolicyDuringUpdateBody": policy("Allow")});
    cloud.ok("UpdateStack", update).await;
    assert_eq!(shown().await, policy("Allow"), "while the update runs");
    assert_eq!(cloud.rest("s").await, "UPDATE_COMPLETE");
    assert_eq!(shown().await, policy("Deny"));
}

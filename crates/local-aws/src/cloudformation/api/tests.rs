//! Reads over a model that is put together by hand; what the engine makes is judged by the recorded cases.

use super::carry_out;
use crate::clock::Speed;
use crate::cloudformation::drift::Drift;
use crate::cloudformation::model::{ChangeSet, Definition, Event, Output, Stack, StackResource};
use crate::place::Place;
use crate::query::Fault;
use crate::resources::{self, Owner};
use crate::world::{LocalAws, Options};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

const TEMPLATE: &str = r#"{"Description": "d", "Resources": {"A": {"Type": "AWS::SSM::Parameter",
    "Properties": {"Name": "n", "Type": "String", "Value": "v"}}, "R": {"Type": "AWS::IAM::Role", "Properties": {
    "RoleName": "r", "AssumeRolePolicyDocument": {}}}}}"#;

fn place() -> Place {
    Place::new("111122223333", "eu-west-1")
}

fn stack(name: &str, status: &str) -> Stack {
    Stack {
        id: place().arn("cloudformation", &format!("stack/{name}/1")),
        name: name.to_owned(),
        place: place(),
        status: status.to_owned(),
        status_reason: None,
        created: Timestamp::UNIX_EPOCH,
        updated: None,
        deleted: None,
        current: Definition { template: TEMPLATE.to_owned(), ..Definition::default() },
        previous: None,
        termination_protection: false,
        disable_rollback: false,
        retain_except_on_create: false,
        deployment_config: None,
        change_set_id: None,
        policy: None,
        policy_during_update: None,
        resources: ["B", "A"].map(|id| (id.to_owned(), resource(id))).into_iter().collect(),
        abandoned: Vec::new(),
        signals: Vec::new(),
        leftovers: Vec::new(),
        drift: Drift::default(),
        outputs: Vec::new(),
        change_sets: [change_set("first", "EXECUTE_COMPLETE"), change_set("second", "AVAILABLE")].into_iter().collect(),
        events: ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"].map(|status| event(name, status)).into(),
        drift_status: String::new(),
        drift_checked: None,
        parent: None,
        imports: Vec::new(),
        deletion_mode: None,
        timeout_minutes: None,
        tokens: Vec::new(),
        operation: None,
    }
}

fn resource(id: &str) -> StackResource {
    StackResource {
        logical_id: id.to_owned(),
        resource_type: "AWS::SSM::Parameter".to_owned(),
        physical_id: format!("physical-{id}"),
        properties: json!({}),
        attributes: indexmap::IndexMap::new(),
        metadata: Some(json!({ "m": 1 })),
        status: "CREATE_COMPLETE".to_owned(),
        status_reason: None,
        updated: Timestamp::UNIX_EPOCH,
        deletion_policy: None,
        update_replace_policy: None,
        depends_on: Vec::new(),
        drift_status: String::new(),
        drift_checked: None,
    }
}

fn change_set(name: &str, execution_status: &str) -> (String, ChangeSet) {
    let id = place().arn("cloudformation", &format!("changeSet/{name}/1"));
    let change = json!({ "Type": "Resource", "ResourceChange": { "LogicalResourceId": "A" } });
    let set = ChangeSet {
        id: id.clone(),
        name: name.to_owned(),
        kind: "UPDATE".to_owned(),
        description: None,
        status: "CREATE_COMPLETE".to_owned(),
        status_reason: None,
        execution_status: execution_status.to_owned(),
        created: Timestamp::UNIX_EPOCH,
        definition: Definition { template: "other".to_owned(), ..Definition::default() },
        imports: indexmap::IndexMap::new(),
        on_stack_failure: None,
        deployment_mode: None,
        deployment_config: None,
        changes: vec![change.clone()],
        changes_with_values: vec![change],
        warning: None,
        client_token: None,
        import_existing_resources: false,
        hierarchy: None,
    };
    (id, set)
}

fn event(name: &str, status: &str) -> Event {
    Event {
        id: format!("{name}-{status}"),
        timestamp: Timestamp::UNIX_EPOCH,
        logical_id: name.to_owned(),
        physical_id: place().arn("cloudformation", &format!("stack/{name}/1")),
        resource_type: "AWS::CloudFormation::Stack".to_owned(),
        status: status.to_owned(),
        reason: None,
        properties: None,
        client_request_token: None,
        operation_id: Some("operation".to_owned()),
        written: Default::default(),
    }
}

async fn aws(stacks: Vec<Stack>) -> LocalAws {
    let aws = LocalAws::open(Options::default()).await.expect("a world in memory");
    stacks.into_iter().for_each(|stack| aws.world.add_stack(stack));
    aws
}

async fn ask(aws: &LocalAws, action: &str, input: Json) -> Result<Json, Fault> {
    carry_out(&aws.world, &place(), action, input).await
}

async fn refusal(aws: &LocalAws, action: &str, input: Json) -> (u16, String, String) {
    let fault = ask(aws, action, input).await.expect_err("refused");
    (fault.status, fault.code, fault.message)
}

fn names(answer: &Json, list: &str, member: &str) -> Vec<String> {
    let items = answer[list].as_array().into_iter().flatten();
    items.map(|item| item[member].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_deleted_stack_is_found_by_its_id_only() {
    let aws = aws(vec![stack("gone", "DELETE_COMPLETE"), stack("here", "CREATE_COMPLETE")]).await;
    let id = place().arn("cloudformation", "stack/gone/1");
    let found = ask(&aws, "DescribeStacks", json!({ "StackName": id })).await.expect("a stack");
    assert_eq!(found["Stacks"][0]["EnableTerminationProtection"], Json::Null);
    assert_eq!(
        refusal(&aws, "DescribeStacks", json!({ "StackName": "gone" })).await,
        (400, "ValidationError".to_owned(), "Stack with id gone does not exist".to_owned())
    );
    let all = ask(&aws, "DescribeStacks", json!({})).await.expect("stacks");
    assert_eq!(names(&all, "Stacks", "StackName"), ["here"]);
    let all = ask(&aws, "ListStacks", json!({})).await.expect("stacks");
    assert_eq!(names(&all, "StackSummaries", "StackName"), ["here", "gone"]);
    let filter = json!({ "StackStatusFilter": ["DELETE_COMPLETE"] });
    let some = ask(&aws, "ListStacks", filter).await.expect("stacks");
    assert_eq!(names(&some, "StackSummaries", "StackName"), ["gone"]);
}

#[tokio::test]
async fn other_places_have_other_stacks() {
    let aws = aws(vec![stack("here", "CREATE_COMPLETE")]).await;
    let elsewhere = Place::new("111122223333", "us-east-1");
    let all = carry_out(&aws.world, &elsewhere, "DescribeStacks", json!({})).await.expect("stacks");
    assert_eq!(all["Stacks"], json!([]));
    let id = place().arn("cloudformation", "stack/here/1");
    assert!(carry_out(&aws.world, &elsewhere, "DescribeStacks", json!({ "StackName": id })).await.is_err());
}

#[tokio::test]
async fn stacks_come_in_pages_of_a_hundred() {
    let aws = aws((0..250).map(|n| stack(&format!("s{n}"), "CREATE_COMPLETE")).collect()).await;
    let (mut input, mut sizes, mut seen) = (json!({}), Vec::new(), Vec::new());
    loop {
        let answer = ask(&aws, "DescribeStacks", input).await.expect("a page");
        let page = names(&answer, "Stacks", "StackName");
        sizes.push(page.len());
        seen.extend(page);
        if answer["NextToken"].is_null() {
            break;
        }
        input = json!({ "NextToken": answer["NextToken"] });
    }
    assert_eq!(sizes, [100, 100, 50]);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 250);
}

#[tokio::test]
async fn change_sets_are_listed_until_they_are_executed() {
    let aws = aws(vec![stack("here", "CREATE_COMPLETE")]).await;
    let listed = ask(&aws, "ListChangeSets", json!({ "StackName": "here" })).await.expect("change sets");
    assert_eq!(names(&listed, "Summaries", "ChangeSetName"), ["second"]);
    let id = place().arn("cloudformation", "changeSet/first/1");
    let executed = ask(&aws, "DescribeChangeSet", json!({ "ChangeSetName": id })).await.expect("a change set");
    assert_eq!(executed["ExecutionStatus"], "EXECUTE_COMPLETE");
    assert_eq!(executed["Changes"][0]["ResourceChange"]["LogicalResourceId"], "A");
    assert_eq!(
        refusal(&aws, "DescribeChangeSet", json!({ "ChangeSetName": "x", "StackName": "here" })).await,
        (404, "ChangeSetNotFound".to_owned(), "ChangeSet [x] does not exist".to_owned())
    );
    assert_eq!(
        refusal(&aws, "DescribeChangeSet", json!({ "ChangeSetName": "x" })).await.2,
        "StackName must be specified if ChangeSetName is not specified as an ARN."
    );
    let template = json!({ "ChangeSetName": "second", "StackName": "here" });
    assert_eq!(ask(&aws, "GetTemplate", template).await.expect("a template")["TemplateBody"], "other");
}

#[tokio::test]
async fn resources_are_shown_by_logical_id() {
    let aws = aws(vec![stack("here", "CREATE_COMPLETE")]).await;
    let input = || json!({ "StackName": "here" });
    let all = ask(&aws, "DescribeStackResources", input()).await.expect("resources");
    assert_eq!(names(&all, "StackResources", "LogicalResourceId"), ["A", "B"]);
    let by_id = json!({ "PhysicalResourceId": "physical-B", "LogicalResourceId": "B" });
    let all = ask(&aws, "DescribeStackResources", by_id).await.expect("resources");
    assert_eq!(names(&all, "StackResources", "StackName"), ["here"]);
    let one = json!({ "StackName": "here", "LogicalResourceId": "A" });
    let one = ask(&aws, "DescribeStackResource", one).await.expect("a resource");
    assert_eq!(one["StackResourceDetail"]["Metadata"], r#"{"m":1}"#);
    let none = json!({ "StackName": "here", "LogicalResourceId": "C" });
    assert_eq!(refusal(&aws, "DescribeStackResource", none).await.2, "Resource C does not exist for stack here");
    assert_eq!(
        refusal(&aws, "DescribeStackResource", json!({ "StackName": "x", "LogicalResourceId": "A" })).await.2,
        "Stack 'x' does not exist"
    );
}

#[tokio::test]
async fn events_tell_of_operations() {
    let mut failed = stack("here", "CREATE_FAILED");
    failed.events.push(Event { physical_id: "p".to_owned(), ..event("A", "CREATE_FAILED") });
    let aws = aws(vec![failed]).await;
    let events = ask(&aws, "DescribeStackEvents", json!({ "StackName": "here" })).await.expect("events");
    let statuses = names(&events, "StackEvents", "ResourceStatus");
    assert_eq!(statuses, ["CREATE_FAILED", "CREATE_COMPLETE", "CREATE_IN_PROGRESS"]);
    let input = json!({ "OperationId": "operation", "Filters": { "FailedEvents": "true" } });
    let failures = ask(&aws, "DescribeEvents", input).await.expect("events");
    assert_eq!(names(&failures, "OperationEvents", "EventType"), ["PROVISIONING_ERROR"]);
    assert_eq!(names(&failures, "OperationEvents", "OperationType"), ["CREATE_STACK"]);
    assert_eq!(refusal(&aws, "DescribeStackEvents", json!({ "StackName": "x" })).await.2, "Stack [x] does not exist");
}

#[tokio::test]
async fn small_writes_stay() {
    let aws = aws(vec![stack("here", "CREATE_COMPLETE")]).await;
    let policy = r#"{"Statement":[{"Effect":"Deny","Action":"Update:*","Principal":"*","Resource":"*"}]}"#;
    let before = ask(&aws, "GetStackPolicy", json!({ "StackName": "here" })).await.expect("an answer");
    assert_eq!(before, json!({ "StackPolicyBody": null }));
    let set = json!({ "StackName": "here", "StackPolicyBody": policy });
    ask(&aws, "SetStackPolicy", set).await.expect("set");
    let after = ask(&aws, "GetStackPolicy", json!({ "StackName": "here" })).await.expect("an answer");
    assert_eq!(after["StackPolicyBody"], policy);
    let protect = json!({ "StackName": "here", "EnableTerminationProtection": "true" });
    ask(&aws, "UpdateTerminationProtection", protect).await.expect("set");
    let shown = ask(&aws, "DescribeStacks", json!({ "StackName": "here" })).await.expect("a stack");
    assert_eq!(shown["Stacks"][0]["EnableTerminationProtection"], true);
}

#[tokio::test]
async fn exports_tell_who_imports_them() {
    let (mut exporting, mut importing) = (stack("a", "CREATE_COMPLETE"), stack("b", "CREATE_COMPLETE"));
    let output = |export: &str| Output {
        key: export.to_owned(),
        value: "v".to_owned(),
        description: None,
        export: Some(export.to_owned()),
    };
    exporting.outputs = vec![output("y"), output("x")];
    importing.imports = vec!["x".to_owned()];
    let aws = aws(vec![exporting, importing]).await;
    let exports = ask(&aws, "ListExports", json!({})).await.expect("exports");
    assert_eq!(names(&exports, "Exports", "Name"), ["x", "y"]);
    let imports = ask(&aws, "ListImports", json!({ "ExportName": "x" })).await.expect("imports");
    assert_eq!(imports["Imports"], json!(["b"]));
    assert_eq!(
        refusal(&aws, "ListImports", json!({ "ExportName": "y" })).await.2,
        "Export 'y' is not imported by any stack."
    );
}

#[tokio::test]
async fn templates_tell_what_they_need() {
    let aws = aws(vec![stack("here", "ROLLBACK_COMPLETE")]).await;
    let summary = ask(&aws, "GetTemplateSummary", json!({ "StackName": "here" })).await.expect("a summary");
    assert_eq!(summary["Capabilities"], json!(["CAPABILITY_NAMED_IAM"]));
    assert_eq!(summary["ResourceTypes"], json!(["AWS::SSM::Parameter", "AWS::IAM::Role"]));
    assert_eq!(summary["ResourceIdentifierSummaries"][0]["ResourceIdentifiers"], json!(["Name"]));
    let valid = ask(&aws, "ValidateTemplate", json!({ "TemplateBody": TEMPLATE })).await.expect("valid");
    assert_eq!(valid["Description"], "d");
    for (body, message) in [
        ("{}", "Template format error: At least one Resources member must be defined."),
        (
            r#"{"Resources": {"A": {"Type": "AWS::SNS::Topic", "DependsOn": "B"}}}"#,
            "Template format error: Unresolved resource dependencies [B] in the Resources block of the template",
        ),
    ] {
        assert_eq!(refusal(&aws, "ValidateTemplate", json!({ "TemplateBody": body })).await.2, message);
    }
    assert_eq!(
        refusal(&aws, "ValidateTemplate", json!({})).await.2,
        "Either Template URL or Template Body must be specified."
    );
}

#[tokio::test(start_paused = true)]
async fn drift_is_found_property_by_property() {
    let aws = LocalAws::open(Options { speed: Speed::REAL, ..Options::default() }).await.expect("a world in memory");
    let mut drifting = stack("here", "CREATE_COMPLETE");
    let owner = |logical_id: &str| Owner {
        place: place(),
        stack_name: "here".to_owned(),
        stack_id: drifting.id.clone(),
        logical_id: logical_id.to_owned(),
        tags: indexmap::IndexMap::new(),
    };
    let mut topics = Vec::new();
    for id in ["Changed", "Gone", "Same"] {
        let properties = json!({ "TopicName": id, "DisplayName": "before" });
        let made = resources::create(&aws.world, &owner(id), "AWS::SNS::Topic", &properties, None).await.expect("made");
        topics.push((id, properties, made.physical_id));
    }
    {
        let mut live = aws.world.resources.lock();
        let changed = live.get_mut(&place(), "AWS::SNS::Topic", &topics[0].2).expect("a topic");
        changed.properties.insert("DisplayName".to_owned(), json!("after"));
        live.remove(&place(), "AWS::SNS::Topic", &topics[1].2).expect("a topic");
    }
    drifting.resources = topics
        .into_iter()
        .map(|(id, properties, physical_id)| {
            let resource_type = "AWS::SNS::Topic".to_owned();
            (id.to_owned(), StackResource { physical_id, properties, resource_type, ..resource(id) })
        })
        .collect();
    aws.world.add_stack(drifting);

    let begun = ask(&aws, "DetectStackDrift", json!({ "StackName": "here" })).await.expect("begun");
    let status = || async {
        let input = json!({ "StackDriftDetectionId": begun["StackDriftDetectionId"] });
        ask(&aws, "DescribeStackDriftDetectionStatus", input).await.expect("a status")
    };
    assert_eq!(status().await["DetectionStatus"], "DETECTION_IN_PROGRESS");
    assert!(ask(&aws, "DetectStackDrift", json!({ "StackName": "here" })).await.is_err());
    while status().await["DetectionStatus"] != "DETECTION_COMPLETE" {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    assert_eq!(status().await["StackDriftStatus"], "DRIFTED");
    assert_eq!(status().await["DriftedStackResourceCount"], 2);
    let found = ask(&aws, "DescribeStackResourceDrifts", json!({ "StackName": "here" })).await.expect("drifts");
    let statuses = names(&found, "StackResourceDrifts", "StackResourceDriftStatus");
    assert_eq!(statuses, ["MODIFIED", "DELETED", "IN_SYNC"]);
    assert_eq!(
        found["StackResourceDrifts"][0]["PropertyDifferences"],
        json!([{
            "PropertyPath": "/DisplayName",
            "ExpectedValue": "before",
            "ActualValue": "after",
            "DifferenceType": "NOT_EQUAL",
        }])
    );
    let one = json!({ "StackName": "here", "LogicalResourceId": "Changed" });
    let one = ask(&aws, "DetectStackResourceDrift", one).await.expect("drift");
    assert_eq!(one["StackResourceDrift"]["ActualProperties"], r#"{"TopicName":"Changed","DisplayName":"after"}"#);
    let stack = ask(&aws, "DescribeStacks", json!({ "StackName": "here" })).await.expect("a stack");
    assert_eq!(stack["Stacks"][0]["DriftInformation"]["StackDriftStatus"], "DRIFTED");
}

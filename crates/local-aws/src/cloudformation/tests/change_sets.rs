//! Change sets.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_stack_is_made_by_a_change_set() {
    let cloud = Cloud::new().await;
    let template = parameters(&[("A", "Value: x")]);
    let input = json!({"StackName": "s", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": template});
    let made = cloud.ok("CreateChangeSet", input.clone()).await;
    let described = cloud.ok("DescribeChangeSet", json!({"ChangeSetName": made["Id"]})).await;
    assert_eq!(described["ExecutionStatus"], "UNAVAILABLE");
    tokio::time::sleep(Duration::from_secs(10)).await;
    let described = cloud.ok("DescribeChangeSet", json!({"ChangeSetName": made["Id"]})).await;
    assert_eq!((&described["Status"], &described["ExecutionStatus"]), (&json!("CREATE_COMPLETE"), &json!("AVAILABLE")));
    assert_eq!(described["Changes"][0]["ResourceChange"]["Action"], "Add");
    let other = json!({"StackName": "s", "ChangeSetName": "d", "ChangeSetType": "CREATE", "TemplateBody": template});
    cloud.change_set(other).await;
    cloud.ok("ExecuteChangeSet", json!({"ChangeSetName": made["Id"]})).await;
    assert_eq!(cloud.rest("s").await, "CREATE_COMPLETE");
    let expected = ["stack REVIEW_IN_PROGRESS (User Initiated)", "stack CREATE_IN_PROGRESS (User Initiated)"];
    assert_eq!(cloud.events("s")[..2], expected);
    let statuses: Vec<String> = cloud.stack("s").change_sets.values().map(|it| it.execution_status.clone()).collect();
    assert_eq!(statuses, ["EXECUTE_COMPLETE", "OBSOLETE"]);
    let told = "Stack [s] already exists and cannot be created again with the changeSet [c].";
    assert_eq!(cloud.refused("CreateChangeSet", input).await, told);
    let again = cloud.refused("ExecuteChangeSet", json!({"ChangeSetName": made["Id"]})).await;
    assert!(again.ends_with("cannot be executed in its current status of [EXECUTE_COMPLETE]"), "{again}");
}

#[tokio::test(start_paused = true)]
async fn no_changes_fail() {
    let cloud = Cloud::new().await;
    let template = parameters(&[("A", "Value: x")]);
    cloud.deploy("CreateStack", "s", &template).await;
    let input = json!({"StackName": "s", "ChangeSetName": "c", "TemplateBody": template});
    let (status, reason, described) = cloud.change_set(input).await;
    assert_eq!(status, "FAILED");
    let told = "The submitted information didn't contain changes. Submit different information to create a change set.";
    assert_eq!(reason.as_deref(), Some(told));
    assert_eq!(described["ExecutionStatus"], "UNAVAILABLE");
    let told = cloud.refused("ExecuteChangeSet", json!({"ChangeSetName": described["ChangeSetId"]})).await;
    assert!(told.ends_with("cannot be executed in its current status of [FAILED]"), "{told}");
    let outputs = format!("{template}Outputs: {{O: {{Value: !Ref A}}}}\n");
    let input = json!({"StackName": "s", "ChangeSetName": "d", "TemplateBody": outputs});
    assert_eq!(cloud.change_set(input).await.0, "CREATE_COMPLETE");
    cloud.ok("ExecuteChangeSet", json!({"ChangeSetName": "d", "StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_COMPLETE");
    assert!(cloud.stack("s").outputs[0].value.starts_with("CFN-A-"));
}

#[tokio::test(start_paused = true)]
async fn values_are_shown_as_text_of_json() {
    let cloud = Cloud::new().await;
    cloud.deploy("CreateStack", "s", &parameters(&[("A", "Name: n, Value: x")])).await;
    let template = parameters(&[("A", "Name: n, Value: y")]);
    let (_, _, described) =
        cloud.change_set(json!({"StackName": "s", "ChangeSetName": "c", "TemplateBody": template})).await;
    let change = &described["Changes"][0]["ResourceChange"];
    assert_eq!(change["PhysicalResourceId"], "n");
    assert_eq!(change["BeforeContext"], r#"{"Properties":{"Type":"String","Name":"n","Value":"x"}}"#);
    assert_eq!(change["Details"][0]["Target"]["AfterValue"], "y");
}

#[tokio::test(start_paused = true)]
async fn existing_resources_are_imported() {
    let cloud = Cloud::new().await;
    let template = "Resources: {A: {Type: AWS::SNS::Topic, DeletionPolicy: Retain, Properties: {TopicName: t}}}";
    cloud.deploy("CreateStack", "first", template).await;
    let id = cloud.stack("first").resources["A"].physical_id.clone();
    cloud.ok("DeleteStack", json!({"StackName": "first"})).await;
    assert_eq!(cloud.rest("first").await, "DELETE_COMPLETE");
    let import =
        json!([{"ResourceType": "AWS::SNS::Topic", "LogicalResourceId": "A", "ResourceIdentifier": {"TopicArn": id}}]);
    let input = json!({"StackName": "s", "ChangeSetName": "c", "ChangeSetType": "IMPORT", "TemplateBody": template,
        "ResourcesToImport": import});
    let (status, reason, described) = cloud.change_set(input).await;
    assert_eq!(status, "CREATE_COMPLETE", "{reason:?}");
    assert_eq!(described["Changes"][0]["ResourceChange"]["Action"], "Import");
    cloud.ok("ExecuteChangeSet", json!({"ChangeSetName": "c", "StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "IMPORT_COMPLETE");
    let expected = [
        "stack REVIEW_IN_PROGRESS (User Initiated)",
        "stack IMPORT_IN_PROGRESS (User Initiated)",
        "A IMPORT_IN_PROGRESS (Resource import started.)",
        "A IMPORT_COMPLETE (Resource import completed.)",
        "stack IMPORT_COMPLETE",
    ];
    assert_eq!(cloud.events("s"), expected);
    assert_eq!(cloud.stack("s").resources["A"].physical_id, id);
    assert_eq!(cloud.stack("s").resources["A"].attributes["TopicName"], "t");
}

#[tokio::test(start_paused = true)]
async fn drift_is_shown_and_reverted() {
    let cloud = Cloud::new().await;
    let template = "Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: t, DisplayName: wanted}}}";
    cloud.deploy("CreateStack", "s", template).await;
    let resource = cloud.stack("s").resources["A"].clone();
    let owner = crate::resources::Owner {
        place: cloud.place.clone(),
        stack_name: String::new(),
        stack_id: String::new(),
        logical_id: String::new(),
        tags: Default::default(),
    };
    let (before, after) =
        (json!({"TopicName": "t", "DisplayName": "wanted"}), json!({"TopicName": "t", "DisplayName": "other"}));
    crate::resources::update(&cloud.aws.world, &owner, "AWS::SNS::Topic", &resource.physical_id, &before, &after)
        .await
        .expect("somebody changes it");
    let plain = json!({"StackName": "s", "ChangeSetName": "plain", "TemplateBody": template});
    assert_eq!(cloud.change_set(plain).await.0, "FAILED");
    let input =
        json!({"StackName": "s", "ChangeSetName": "c", "TemplateBody": template, "DeploymentMode": "REVERT_DRIFT"});
    let (status, _, described) = cloud.change_set(input).await;
    assert_eq!(status, "CREATE_COMPLETE");
    let change = &described["Changes"][0]["ResourceChange"];
    assert_eq!(change["ResourceDriftStatus"], "MODIFIED");
    let target = &change["Details"][0]["Target"];
    assert_eq!((&target["BeforeValue"], &target["AfterValue"]), (&json!("other"), &json!("wanted")));
    cloud.ok("ExecuteChangeSet", json!({"ChangeSetName": "c", "StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_COMPLETE");
    let live = crate::resources::read(&cloud.aws.world, &cloud.place, "AWS::SNS::Topic", &resource.physical_id).await;
    assert_eq!(live.expect("it is there")["DisplayName"], "wanted");
}

#[tokio::test(start_paused = true)]
async fn change_sets_are_deleted_once_and_for_all() {
    let cloud = Cloud::new().await;
    let template = parameters(&[("A", "Value: x")]);
    let input = json!({"StackName": "s", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": template});
    cloud.change_set(input).await;
    let which = json!({"StackName": "s", "ChangeSetName": "c"});
    cloud.ok("DeleteChangeSet", which.clone()).await;
    cloud.ok("DeleteChangeSet", which.clone()).await;
    assert_eq!(cloud.refused("DescribeChangeSet", which).await, "ChangeSet [c] does not exist");
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "DELETE_COMPLETE");
}

/// A table that is kept, of a name that the template spells out, and a topic beside it.
fn kept(policy: &str, name: &str) -> String {
    format!(
        "Parameters: {{Name: {{Type: String, Default: items}}}}\nResources:\n  Topic: {{Type: AWS::SNS::Topic}}\n  Table:\n    \
         Type: AWS::DynamoDB::Table\n    {policy}\n    Properties:\n      TableName: {name}\n      BillingMode: \
         PAY_PER_REQUEST\n      AttributeDefinitions: [{{AttributeName: id, AttributeType: S}}]\n      KeySchema: \
         [{{AttributeName: id, KeyType: HASH}}]\n"
    )
}

async fn with_a_kept_table() -> Cloud {
    let cloud = Cloud::new().await;
    let status = cloud.deploy("CreateStack", "first", &kept("DeletionPolicy: Retain", "items")).await;
    assert_eq!(status, "CREATE_COMPLETE");
    cloud.ok("DeleteStack", json!({"StackName": "first"})).await;
    assert_eq!(cloud.rest("first").await, "DELETE_COMPLETE");
    assert_eq!(cloud.live(), ["items"]);
    cloud
}

/// Whether a change set that may import takes the table in.
async fn takes(cloud: &Cloud, name: &str, template: &str, import: bool) -> String {
    let input = json!({"StackName": name, "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": template,
        "ImportExistingResources": import});
    let (status, reason, described) = cloud.change_set(input).await;
    if status == "FAILED" {
        return reason.unwrap_or_default();
    }
    let changes = described["Changes"].as_array().expect("changes");
    let of = |id: &str| changes.iter().map(|it| &it["ResourceChange"]).find(|it| it["LogicalResourceId"] == id);
    assert_eq!(of("Topic").expect("the topic")["Action"], "Add");
    of("Table").expect("the table")["Action"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(start_paused = true)]
async fn what_exists_is_imported_where_that_is_asked_for() {
    let cloud = with_a_kept_table().await;
    let template = kept("DeletionPolicy: Retain", "items");
    assert_eq!(takes(&cloud, "unasked", &template, false).await, "Add");
    assert_eq!(
        takes(&cloud, "unkept", &kept("DeletionPolicy: Delete", "items"), true).await,
        "CloudFormation is attempting to import some resources because they already exist in your account. The resources must \
         have the DeletionPolicy attribute set to 'Retain' or 'RetainExceptOnCreate' in the template for successful import. \
         The affected resources are Table ({TableName=items})"
    );
    assert_eq!(takes(&cloud, "dynamic", &kept("DeletionPolicy: Retain", "!Ref Name"), true).await, "Add");
    assert_eq!(takes(&cloud, "new", &kept("DeletionPolicy: Retain", "others"), true).await, "Add");
    assert_eq!(takes(&cloud, "s", &kept("DeletionPolicy: RetainExceptOnCreate", "items"), true).await, "Import");
    cloud.ok("ExecuteChangeSet", json!({"ChangeSetName": "c", "StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "CREATE_COMPLETE");
    let events = cloud.events("s");
    let about = |id: &str| events.iter().filter(|event| event.starts_with(id)).cloned().collect::<Vec<_>>();
    let imported = ["IMPORT_IN_PROGRESS (Resource import started.)", "IMPORT_COMPLETE (Resource import completed.)"];
    assert_eq!(about("Table"), imported.map(|event| format!("Table {event}")));
    assert_eq!(about("Topic").last().map(String::as_str), Some("Topic CREATE_COMPLETE"));
    assert_eq!(cloud.stack("s").resources["Table"].physical_id, "items");
    // It belongs to a stack now, and no other gets it.
    let owner = cloud.stack("s").id;
    assert_eq!(takes(&cloud, "late", &template, true).await, format!("items already exists in stack {owner}"));
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_fails_keeps_what_it_imported() {
    let cloud = with_a_kept_table().await;
    cloud.fail("Topic", Action::Create, None);
    assert_eq!(takes(&cloud, "s", &kept("DeletionPolicy: RetainExceptOnCreate", "items"), true).await, "Import");
    cloud.ok("ExecuteChangeSet", json!({"ChangeSetName": "c", "StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "ROLLBACK_COMPLETE");
    assert!(cloud.events("s").contains(&"Table DELETE_SKIPPED".to_owned()), "{:#?}", cloud.events("s"));
    assert_eq!(cloud.live(), ["items"]);
    // And so does an update.
    cloud.heal();
    assert_eq!(
        cloud.deploy("CreateStack", "t", "Resources: {Other: {Type: AWS::SQS::Queue}}").await,
        "CREATE_COMPLETE"
    );
    cloud.fail("Topic", Action::Create, None);
    let template = kept("DeletionPolicy: Retain", "items");
    let input =
        json!({"StackName": "t", "ChangeSetName": "c", "TemplateBody": template, "ImportExistingResources": true});
    assert_eq!(cloud.change_set(input).await.0, "CREATE_COMPLETE");
    cloud.ok("ExecuteChangeSet", json!({"ChangeSetName": "c", "StackName": "t"})).await;
    assert_eq!(cloud.rest("t").await, "UPDATE_ROLLBACK_COMPLETE");
    assert!(cloud.live().contains(&"items".to_owned()), "{:?}", cloud.live());
}

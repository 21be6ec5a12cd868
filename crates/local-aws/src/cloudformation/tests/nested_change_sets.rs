//! Change sets of nested stacks.

use super::validation::put;
use super::*;

const CHILD: &str = "
Parameters: {Name: {Type: String}, Queue: {Type: String}}
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Name}}
  Known: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Queue}}
";

fn parent(name: &str, value: &str) -> String {
    format!(
        "
Resources:
  Queue: {{Type: AWS::SQS::Queue}}
  Own: {{Type: AWS::SSM::Parameter, Properties: {{Type: String, Value: {value}}}}}
  Child:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: https://s3.amazonaws.com/templates/child.yaml
      Parameters: {{Name: {name}, Queue: !GetAtt Queue.Arn}}
"
    )
}

/// Makes a change set and waits until it is made; its description with property values.
async fn make(cloud: &Cloud, kind: &str, name: &str, template: &str) -> Json {
    let input = json!({"StackName": "s", "ChangeSetName": name, "ChangeSetType": kind, "TemplateBody": template, "IncludeNestedStacks": true});
    cloud.ok("CreateChangeSet", input).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    describe(cloud, json!({"StackName": "s", "ChangeSetName": name})).await
}

async fn describe(cloud: &Cloud, mut which: Json) -> Json {
    which["IncludePropertyValues"] = json!(true);
    cloud.ok("DescribeChangeSet", which).await
}

/// The change of a resource in a description.
fn change<'d>(described: &'d Json, id: &str) -> Option<&'d Json> {
    let changes = described["Changes"].as_array().expect("changes").iter().map(|change| &change["ResourceChange"]);
    changes.into_iter().find(|change| change["LogicalResourceId"] == id)
}

#[tokio::test(start_paused = true)]
async fn a_hierarchy_is_shown_and_carried_out_as_one() {
    let cloud = Cloud::new().await;
    put(&cloud, "templates", "child.yaml", CHILD).await;
    let root = make(&cloud, "CREATE", "one", &parent("one", "a")).await;
    assert_eq!((&root["Status"], &root["IncludeNestedStacks"]), (&json!("CREATE_COMPLETE"), &json!(true)), "{root:#}");
    let nested_id = change(&root, "Child").expect("it is added")["ChangeSetId"].clone();
    let nested = describe(&cloud, json!({"ChangeSetName": nested_id})).await;
    assert_eq!(
        (&nested["ParentChangeSetId"], &nested["RootChangeSetId"]),
        (&root["ChangeSetId"], &root["ChangeSetId"])
    );
    let known = change(&nested, "Known").expect("it is added")["AfterContext"].as_str().expect("text").to_owned();
    assert!(known.contains("{{changeSet:KNOWN_AFTER_APPLY}}"), "{known}");
    // The stack is announced, and it is the one that is created.
    let announced = nested["StackId"].as_str().expect("an id").to_owned();
    assert_eq!(cloud.stack(&announced).status, "REVIEW_IN_PROGRESS");
    let alone = cloud.refused("ExecuteChangeSet", json!({"ChangeSetName": nested_id})).await;
    assert!(alone.contains("the root change set is"), "{alone}");
    cloud.ok("ExecuteChangeSet", json!({"StackName": "s", "ChangeSetName": "one"})).await;
    assert_eq!(cloud.rest("s").await, "CREATE_COMPLETE", "{:#?}", cloud.events("s"));
    assert_eq!(cloud.stack("s").resources["Child"].physical_id, announced);
    assert_eq!(cloud.stack(&announced).status, "CREATE_COMPLETE");
    assert_eq!(describe(&cloud, json!({"ChangeSetName": nested_id})).await["ExecutionStatus"], "EXECUTE_COMPLETE");

    // Only the stack itself changes.
    let own = make(&cloud, "UPDATE", "own", &parent("one", "b")).await;
    assert!(change(&own, "Own").is_some() && change(&own, "Child").is_none(), "{own:#}");
    // Only the nested one does, behind an address that is the same.
    let inside = CHILD.replace("!Ref Name", "!Sub 'new ${Name}'");
    put(&cloud, "templates-2", "child.yaml", &inside).await;
    let moved = parent("one", "a").replace("/templates/", "/templates-2/");
    let inner = make(&cloud, "UPDATE", "inner", &moved).await;
    let nested_id = change(&inner, "Child").expect("it changes")["ChangeSetId"].clone();
    let nested = describe(&cloud, json!({"ChangeSetName": nested_id})).await;
    assert_eq!(change(&nested, "Topic").expect("it changes")["Action"], "Modify");
    assert!(change(&nested, "Known").is_none(), "{nested:#}");
    // Nothing does.
    let none = make(&cloud, "UPDATE", "none", &parent("one", "a")).await;
    assert_eq!(none["Status"], "FAILED");
    assert!(none["StatusReason"].as_str().expect("a reason").contains("didn't contain changes"), "{none:#}");

    cloud.ok("ExecuteChangeSet", json!({"StackName": "s", "ChangeSetName": "inner"})).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_COMPLETE", "{:#?}", cloud.events("s"));
    assert_eq!(cloud.stack(&announced).resources["Topic"].properties["DisplayName"], "new one");
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_inside_fails_the_root() {
    let cloud = Cloud::new().await;
    put(&cloud, "templates", "child.yaml", "Resources: {Topic: {Type: AWS::No::Such}}").await;
    let root = make(&cloud, "CREATE", "one", &parent("one", "a")).await;
    assert_eq!(root["Status"], "FAILED", "{root:#}");
    let reason = root["StatusReason"].as_str().expect("a reason");
    assert!(reason.starts_with("Nested change set arn:"), "{reason}");
    assert!(reason.ends_with("was not successfully created: Currently in FAILED."), "{reason}");
    let nested = reason.split(' ').nth(3).expect("its id");
    let nested = describe(&cloud, json!({"ChangeSetName": nested})).await;
    assert!(nested["StatusReason"].as_str().expect("a reason").contains("AWS::No::Such"), "{nested:#}");
}

#[tokio::test(start_paused = true)]
async fn a_hierarchy_is_deleted_as_one() {
    let cloud = Cloud::new().await;
    put(&cloud, "templates", "child.yaml", CHILD).await;
    let root = make(&cloud, "CREATE", "one", &parent("one", "a")).await;
    let nested_id = change(&root, "Child").expect("it is added")["ChangeSetId"].clone();
    let nested = describe(&cloud, json!({"ChangeSetName": nested_id})).await;
    cloud.refused("DeleteChangeSet", json!({"ChangeSetName": nested_id})).await;
    cloud.ok("DeleteChangeSet", json!({"StackName": "s", "ChangeSetName": "one"})).await;
    let gone = cloud.refused("DescribeChangeSet", json!({"ChangeSetName": nested_id})).await;
    assert!(gone.contains("does not exist"), "{gone}");
    assert_eq!(cloud.stack(nested["StackId"].as_str().expect("an id")).status, "DELETE_COMPLETE");
    assert_eq!(cloud.stack("s").status, "REVIEW_IN_PROGRESS");
    // And with the stack that was announced.
    let root = make(&cloud, "CREATE", "two", &parent("one", "a")).await;
    let nested_id = change(&root, "Child").expect("it is added")["ChangeSetId"].clone();
    let nested = describe(&cloud, json!({"ChangeSetName": nested_id})).await;
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "DELETE_COMPLETE");
    assert_eq!(cloud.stack(nested["StackId"].as_str().expect("an id")).status, "DELETE_COMPLETE");
}

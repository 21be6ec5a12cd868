//! What DescribeChangeSet says at its top level, and the life of a change set.

use super::*;

const TOPIC: &str = "Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: t, DisplayName: one}}}";

#[tokio::test(start_paused = true)]
async fn a_change_set_has_these_members() {
    let cloud = Cloud::new().await;
    let created = cloud.creating(TOPIC).await;
    let expected = [
        "Capabilities",
        "ChangeSetId",
        "ChangeSetName",
        "Changes",
        "CreationTime",
        "ExecutionStatus",
        "IncludeNestedStacks",
        "NotificationARNs",
        "RollbackConfiguration",
        "StackId",
        "StackName",
        "Status",
    ];
    for described in [&created.plain, &created.valued] {
        assert_eq!(members(described), expected);
        assert_eq!(described["IncludeNestedStacks"], false);
        assert_eq!((&described["NotificationARNs"], &described["RollbackConfiguration"]), (&json!([]), &json!({})));
        assert_eq!(
            (&described["Status"], &described["ExecutionStatus"]),
            (&json!("CREATE_COMPLETE"), &json!("AVAILABLE"))
        );
    }
    assert_eq!(cloud.execute("create").await, "CREATE_COMPLETE");
    let updated = cloud.updating(&TOPIC.replace("one", "two")).await;
    assert_eq!(members(&updated.plain), expected);
    assert_eq!(
        (&updated.plain["Status"], &updated.plain["ExecutionStatus"]),
        (&json!("CREATE_COMPLETE"), &json!("AVAILABLE"))
    );
}

#[tokio::test(start_paused = true)]
async fn tags_and_parameters_are_there_if_there_are_any() {
    let cloud = Cloud::new().await;
    let template = format!("Parameters: {{Size: {{Type: Number, Default: 7}}, Name: {{Type: String}}}}\n{TOPIC}");
    let described = cloud
        .described(json!({"StackName": "s", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": template,
            "Parameters": given(&[("Name", "n")]), "Tags": [{"Key": "team", "Value": "a"}]}))
        .await;
    assert_eq!(described.plain["Tags"], json!([{"Key": "team", "Value": "a"}]));
    let shown: BTreeSet<(&str, &str)> = described.plain["Parameters"]
        .as_array()
        .expect("parameters")
        .iter()
        .map(|one| {
            (one["ParameterKey"].as_str().unwrap_or_default(), one["ParameterValue"].as_str().unwrap_or_default())
        })
        .collect();
    assert_eq!(shown, BTreeSet::from([("Name", "n"), ("Size", "7")]), "defaults are parameters too");
}

#[tokio::test(start_paused = true)]
async fn capabilities_are_those_of_the_request_in_its_order() {
    let cloud = Cloud::new().await;
    let capabilities = json!(["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM"]);
    let described = cloud
        .described(json!({"StackName": "s", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": TOPIC,
            "Capabilities": capabilities}))
        .await;
    assert_eq!(described.plain["Capabilities"], capabilities);
    let none = cloud.creating(TOPIC).await;
    assert_eq!(none.plain["Capabilities"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_parameter_of_ssm_shows_its_name_and_what_it_holds() {
    let cloud = Cloud::new().await;
    let put = json!({"Name": "/conf", "Value": "held", "Type": "String"});
    cloud.aws.world.services.json(&cloud.place, "ssm", "PutParameter", &put).await.expect("put");
    let template = "
Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /conf}}
Resources: {A: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref P}}}
";
    let described = cloud.creating(template).await;
    let expected = json!([{"ParameterKey": "P", "ParameterValue": "/conf", "ResolvedValue": "held"}]);
    assert_eq!(described.plain["Parameters"], expected);
    assert_eq!(context(described.change("A"), "AfterContext")["Properties"]["DisplayName"], "held");
    cloud.execute("create").await;
    assert_eq!(cloud.shown("s").await["Parameters"], expected);
    // As long as it holds the same, its reader does not change.
    let described = cloud.updating(&format!("{template}Outputs: {{O: {{Value: x}}}}")).await;
    assert_eq!(described.plain["Changes"], json!([]));
    // Under the same name something else: that alone is the change.
    let put = json!({"Name": "/conf", "Value": "moved", "Type": "String", "Overwrite": true});
    cloud.aws.world.services.json(&cloud.place, "ssm", "PutParameter", &put).await.expect("put");
    let moved = cloud.described(json!({"StackName": "s", "ChangeSetName": "moved", "TemplateBody": template})).await;
    let details = &moved.change("A")["Details"];
    assert_eq!(details.as_array().map(Vec::len), Some(1), "{details}");
    assert_eq!(
        (&details[0]["ChangeSource"], &details[0]["Evaluation"]),
        (&json!("DirectModification"), &json!("Static"))
    );
    assert_eq!(details[0]["CausingEntity"], Json::Null);
    let put = json!({"Name": "/conf", "Value": "held", "Type": "String", "Overwrite": true});
    cloud.aws.world.services.json(&cloud.place, "ssm", "PutParameter", &put).await.expect("put");
    let stack = cloud.shown("s").await["StackId"].take();
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    cloud.rest("s").await;
    let gone = cloud.shown(stack.as_str().expect("an id")).await;
    assert_eq!(gone["Parameters"], expected, "a deleted stack still shows it");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_to_be_echoed_leaks_all_the_same() {
    let template = |no_echo: bool| {
        format!(
            "
Parameters: {{Secret: {{Type: String, NoEcho: {no_echo}}}}}
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties: {{BucketName: no-echo, Tags: [{{Key: k, Value: !Ref Secret}}]}}
    Metadata: {{Sensitive: !Ref Secret}}
Outputs: {{O: {{Value: !Ref Secret}}}}
"
        )
    };
    let cloud = Cloud::new().await;
    let with = |no_echo: bool, value: &str| json!({"StackName": "s", "TemplateBody": template(no_echo), "Parameters": given(&[("Secret", value)])});
    cloud.ok("CreateStack", with(true, "first")).await;
    assert_eq!(cloud.rest("s").await, "CREATE_COMPLETE");
    let shown = cloud.shown("s").await;
    assert_eq!(shown["Parameters"][0]["ParameterValue"], "****");
    assert_eq!(shown["Outputs"][0]["OutputValue"], "first");
    let detail = cloud.ok("DescribeStackResource", json!({"StackName": "s", "LogicalResourceId": "Bucket"})).await;
    assert_eq!(detail["StackResourceDetail"]["Metadata"], r#"{"Sensitive":"first"}"#);

    let mut input = with(true, "second");
    input["ChangeSetName"] = json!("masked");
    let masked = cloud.described(input).await;
    assert_eq!(masked.plain["Parameters"][0]["ParameterValue"], "****");
    let change = change(&masked.plain, "Bucket");
    assert_eq!(change["Scope"], json!(["Metadata", "Properties"]));
    let expected = set([
        "Metadata DirectModification/Dynamic",
        "Metadata ParameterReference/Static Secret",
        "Tags DirectModification/Dynamic",
        "Tags ParameterReference/Static Secret",
    ]);
    assert_eq!(details(change), expected);
    let of_metadata = |detail: &&Json| detail["Target"]["Attribute"] == "Metadata";
    for detail in change["Details"].as_array().expect("details").iter().filter(of_metadata) {
        assert_eq!(members(&detail["Target"]), ["Attribute", "RequiresRecreation"]);
        assert_eq!(detail["Target"]["RequiresRecreation"], "Never");
    }
    let mut input = with(false, "third");
    input["ChangeSetName"] = json!("clear");
    assert_eq!(cloud.described(input).await.plain["Parameters"][0]["ParameterValue"], "third");
}

#[tokio::test(start_paused = true)]
async fn an_executed_change_set_stays_even_when_its_stack_is_gone() {
    let cloud = Cloud::new().await;
    let made = cloud.creating(TOPIC).await.plain["ChangeSetId"].clone();
    cloud.execute("create").await;
    let which = json!({"ChangeSetName": made});
    assert_eq!(cloud.ok("DescribeChangeSet", which.clone()).await["ExecutionStatus"], "EXECUTE_COMPLETE");
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    cloud.rest("s").await;
    assert_eq!(cloud.ok("DescribeChangeSet", which).await["ExecutionStatus"], "EXECUTE_COMPLETE");
}

#[tokio::test(start_paused = true)]
async fn a_stack_in_review_may_be_created_at_once() {
    let cloud = Cloud::new().await;
    let made = cloud.creating(TOPIC).await.plain;
    let created = cloud.ok("CreateStack", json!({"StackName": "s", "TemplateBody": TOPIC})).await;
    assert_eq!(created["StackId"], made["StackId"]);
    assert_eq!(cloud.rest("s").await, "CREATE_COMPLETE");
    let which = json!({"ChangeSetName": made["ChangeSetId"]});
    assert_eq!(cloud.ok("DescribeChangeSet", which).await["ExecutionStatus"], "OBSOLETE");
    let shown = cloud.shown("s").await;
    assert_eq!((&shown["ChangeSetId"], &shown["LastUpdatedTime"]), (&Json::Null, &Json::Null));
}

#[tokio::test(start_paused = true)]
async fn lists_have_neither_executed_nor_deleted_change_sets() {
    let cloud = Cloud::new().await;
    cloud.creating(TOPIC).await;
    cloud.execute("create").await;
    let with =
        |name: &str| json!({"StackName": "s", "ChangeSetName": name, "TemplateBody": TOPIC.replace("one", name)});
    for name in ["kept", "deleted"] {
        cloud.change_set(with(name)).await;
    }
    cloud.ok("DeleteChangeSet", json!({"StackName": "s", "ChangeSetName": "deleted"})).await;
    let listed = cloud.ok("ListChangeSets", json!({"StackName": "s"})).await;
    let [only] = listed["Summaries"].as_array().expect("a list").as_slice() else { panic!("{listed}") };
    assert_eq!(only["ChangeSetName"], "kept");
    let expected = [
        "ChangeSetId",
        "ChangeSetName",
        "CreationTime",
        "ExecutionStatus",
        "IncludeNestedStacks",
        "StackId",
        "StackName",
        "Status",
    ];
    assert_eq!(members(only), expected);
}

#[tokio::test(start_paused = true)]
async fn one_stack_may_have_several_change_sets_that_create_it() {
    let cloud = Cloud::new().await;
    let with =
        |name: &str| json!({"StackName": "s", "ChangeSetName": name, "ChangeSetType": "CREATE", "TemplateBody": TOPIC});
    let first = cloud.ok("CreateChangeSet", with("first")).await;
    let second = cloud.ok("CreateChangeSet", with("second")).await;
    assert_eq!(members(&first), ["Id", "StackId"]);
    assert_eq!(first["StackId"], second["StackId"]);
    assert_ne!(first["Id"], second["Id"]);
    assert_eq!(cloud.stack("s").status, "REVIEW_IN_PROGRESS");
}

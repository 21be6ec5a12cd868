//! What operations owe whoever asks, whatever the case: what is looked at first, what a stack in review answers, when a
//! stack policy counts, and how far a provider's own failure is told.

use super::validation::put;
use super::*;

const TOPIC: &str = "Resources: {A: {Type: AWS::SNS::Topic}}";

#[tokio::test(start_paused = true)]
async fn members_are_looked_at_before_the_stack_is_looked_for() {
    let cloud = Cloud::new().await;
    let neither = "Either Template URL or Template Body must be specified.";
    for action in ["CreateStack", "UpdateStack", "CreateChangeSet"] {
        let told = cloud.refused(action, json!({"StackName": "nobodys", "ChangeSetName": "c"})).await;
        assert_eq!(told, neither, "{action}");
        let both = json!({"StackName": "nobodys", "ChangeSetName": "c", "TemplateBody": TOPIC, "TemplateURL": "https://s3.amazonaws.com/b/k"});
        assert_eq!(
            cloud.refused(action, both).await,
            "You cannot specify both TemplateBody and TemplateURL",
            "{action}"
        );
    }
    let trigger = json!({"RollbackTriggers": [{"Arn": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a"}]});
    let told = cloud.refused("UpdateStack", json!({"StackName": "nobodys", "RollbackConfiguration": trigger})).await;
    assert!(told.contains("Value null at 'rollbackConfiguration.rollbackTriggers.1.member.type'"), "{told}");
    let told = cloud.refused("CreateStack", json!({"StackName": "", "TemplateBody": TOPIC})).await;
    assert!(told.starts_with("2 validation errors detected: Value '' at 'stackName'"), "{told}");
    let told = cloud.refused("CreateStack", json!({"StackName": "s", "TemplateURL": "s3://bucket/key"})).await;
    assert_eq!(told, "S3 error: Domain name specified in bucket is not a valid S3 domain");
}

#[tokio::test(start_paused = true)]
async fn a_stack_in_review_has_no_template_yet() {
    let cloud = Cloud::new().await;
    let made = json!({"StackName": "s", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": TOPIC});
    cloud.ok("CreateChangeSet", made).await;
    let change_set = json!({"StackName": "s", "ChangeSetName": "c"});
    let shown = cloud.ok("GetTemplate", change_set.clone()).await;
    assert_eq!(shown["StagesAvailable"], json!(["Original"]), "it is being made");
    tokio::time::sleep(Duration::from_secs(10)).await;
    let shown = cloud.ok("GetTemplate", change_set).await;
    assert_eq!((&shown["StagesAvailable"], &shown["TemplateBody"]), (&json!(["Original", "Processed"]), &json!(TOPIC)));
    let shown = cloud.ok("GetTemplate", json!({"StackName": "s"})).await;
    assert_eq!(shown, json!({"StagesAvailable": ["Original", "Processed"]}));
    let told = cloud.refused("GetTemplateSummary", json!({"StackName": "s"})).await;
    assert_eq!(told, "GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.");
    cloud.ok("ExecuteChangeSet", json!({"StackName": "s", "ChangeSetName": "c"})).await;
    cloud.rest("s").await;
    assert_eq!(cloud.ok("GetTemplate", json!({"StackName": "s"})).await["TemplateBody"], TOPIC);
    assert_eq!(
        cloud.ok("GetTemplateSummary", json!({"StackName": "s"})).await["ResourceTypes"],
        json!(["AWS::SNS::Topic"])
    );
}

#[tokio::test(start_paused = true)]
async fn a_policy_counts_once_its_update_is_through() {
    let cloud = Cloud::new().await;
    let queue = |seconds: u32| {
        format!("Resources: {{Q: {{Type: AWS::SQS::Queue, Properties: {{VisibilityTimeout: {seconds}}}}}}}")
    };
    let denying = r#"{"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}"#;
    let update = |seconds: u32| json!({"StackName": "s", "TemplateBody": queue(seconds), "StackPolicyBody": denying});
    let policy = async || cloud.ok("GetStackPolicy", json!({"StackName": "s"})).await["StackPolicyBody"].clone();
    cloud.deploy("CreateStack", "s", &queue(1)).await;
    cloud.fail("Q", Action::Update, Some(1));
    cloud.ok("UpdateStack", update(2)).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(policy().await, Json::Null, "that of an update that failed is gone");
    cloud.heal();
    cloud.ok("UpdateStack", update(2)).await;
    assert_eq!(policy().await, Json::Null, "the update runs");
    assert_eq!(cloud.rest("s").await, "UPDATE_COMPLETE", "its own policy does not stop it");
    assert_eq!(policy().await, json!(denying));
    cloud.ok("UpdateStack", json!({"StackName": "s", "TemplateBody": queue(3)})).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_ROLLBACK_COMPLETE");
}

#[tokio::test(start_paused = true)]
async fn an_import_of_nothing_is_told_with_the_values() {
    let cloud = Cloud::new().await;
    let template = "
Resources:
  P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: {Fn::ImportValue: !Sub '${AWS::StackName}-none'}}}
";
    let made = json!({"StackName": "s", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": template});
    let (status, reason, _) = cloud.change_set(made).await;
    assert_eq!(status, "CREATE_COMPLETE");
    assert_eq!(
        reason.as_deref(),
        Some(
            "[WARN] --include-property-values option can return incomplete ChangeSet data because: ChangeSet creation \
             failed for resource [P] because: No export named s-none found"
        )
    );
    let plain = cloud.ok("DescribeChangeSet", json!({"StackName": "s", "ChangeSetName": "c"})).await;
    assert_eq!(plain["StatusReason"], Json::Null);
}

#[tokio::test(start_paused = true)]
async fn one_dependency_of_a_loop_is_a_text() {
    let cloud = Cloud::new().await;
    let template = "
Transform: AWS::LanguageExtensions
Resources:
  First: {Type: AWS::SNS::Topic}
  Fn::ForEach::Topics: [Name, [a, b], {'Topic${Name}': {Type: AWS::SNS::Topic, DependsOn: [First]}}]
  Last: {Type: AWS::SNS::Topic, DependsOn: [Topica, Topicb]}
";
    let create = json!({"StackName": "s", "TemplateBody": template, "Capabilities": ["CAPABILITY_AUTO_EXPAND"]});
    cloud.ok("CreateStack", create).await;
    assert_eq!(cloud.rest("s").await, "CREATE_COMPLETE");
    let shown = cloud.ok("GetTemplate", json!({"StackName": "s", "TemplateStage": "Processed"})).await;
    let shown: Json = serde_json::from_str(shown["TemplateBody"].as_str().expect("a text")).expect("JSON");
    assert_eq!(shown["Resources"]["Topica"]["DependsOn"], "First");
    assert_eq!(shown["Resources"]["Last"]["DependsOn"], json!(["Topica", "Topicb"]));
}

#[tokio::test(start_paused = true)]
async fn what_a_provider_misses_is_told_up_to_the_root() {
    let cloud = Cloud::new().await;
    let child = "
Resources:
  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}}}
  F:
    Type: AWS::Lambda::Function
    Properties:
      {Runtime: python3.13, Handler: a.b, Role: !GetAtt Role.Arn, Code: {S3Bucket: nobodys-code, S3Key: f.zip}}
";
    put(&cloud, "templates", "child.yaml", child).await;
    let parent = "
Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: 'https://s3.amazonaws.com/templates/child.yaml'}
";
    let create = json!({"StackName": "s", "TemplateBody": parent, "Capabilities": ["CAPABILITY_IAM"]});
    cloud.ok("CreateStack", create).await;
    assert_eq!(cloud.rest("s").await, "ROLLBACK_COMPLETE");
    let child = cloud.aws.world.stacks.lock().values().find(|it| it.parent.is_some()).map(|it| it.id.clone());
    let told = |stack: &str, begin: &str| {
        let event = cloud.events(stack).into_iter().find(|event| event.starts_with(begin));
        event.unwrap_or_else(|| panic!("{begin}: {:#?}", cloud.events(stack)))
    };
    let own = told(&child.expect("a nested stack"), "F CREATE_FAILED");
    let message = "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does \
                   not exist (Service: Lambda, Status Code: 400";
    assert!(own.contains(message) && own.contains("HandlerErrorCode: InvalidRequest"), "{own}");
    let above = told("s", "Child CREATE_FAILED");
    assert!(
        above.contains("was not successfully created: The following resource(s) failed to create: [F]. "),
        "{above}"
    );
    let root = told("s", "stack ROLLBACK_IN_PROGRESS");
    assert!(
        root.contains("The following resource(s) failed to create: [Child]. Rollback requested by user."),
        "{root}"
    );
}

#[tokio::test(start_paused = true)]
async fn old_deletions_are_not_remembered_whole() {
    let cloud = Cloud::new().await;
    let mut ids = Vec::new();
    for number in 0..110 {
        let name = format!("s{number}");
        cloud.deploy("CreateStack", &name, TOPIC).await;
        cloud.ok("DeleteStack", json!({"StackName": name})).await;
        cloud.rest(&name).await;
        ids.push(cloud.stack(&name).id);
    }
    let (first, last) = (cloud.stack(&ids[0]), cloud.stack(&ids[109]));
    assert_eq!(
        (first.status.as_str(), first.events.len(), first.current.template.as_str()),
        ("DELETE_COMPLETE", 0, "")
    );
    assert!(!last.events.is_empty());
    assert_eq!(last.current.template, TOPIC);
    let whole = ids.iter().filter(|id| !cloud.stack(id).events.is_empty()).count();
    assert_eq!(whole, 100);
}

#[tokio::test(start_paused = true)]
async fn a_stack_set_has_a_stack_in_every_place() {
    let cloud = Cloud::new().await;
    let template = "
Parameters: {Name: {Type: String}}
Resources: {A: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Name}}}
";
    let parameters = json!([{"ParameterKey": "Name", "ParameterValue": "one"}]);
    let made = json!({"StackSetName": "all", "TemplateBody": template, "Parameters": parameters});
    let id = cloud.ok("CreateStackSet", made.clone()).await["StackSetId"].as_str().expect("an id").to_owned();
    assert!(id.starts_with("all:"), "{id}");
    assert_eq!(cloud.call("CreateStackSet", made).await.expect_err("taken").code, "NameAlreadyExistsException");
    let ended = async |operation: Json| {
        loop {
            let which = json!({"StackSetName": "all", "OperationId": operation["OperationId"]});
            let told = cloud.ok("DescribeStackSetOperation", which).await;
            let status = told["StackSetOperation"]["Status"].as_str().unwrap_or_default().to_owned();
            if status != "RUNNING" {
                return status;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let accounts = json!(["111122223333", "444455556666"]);
    let places = json!({"StackSetName": "all", "Accounts": accounts, "Regions": ["eu-west-1", "us-east-1"]});
    let begun = cloud.ok("CreateStackInstances", places.clone()).await;
    let busy = cloud.call("CreateStackInstances", places.clone()).await.expect_err("one runs");
    assert_eq!(busy.code, "OperationInProgressException");
    assert_eq!(ended(begun).await, "SUCCEEDED");
    let listed = cloud.ok("ListStackInstances", json!({"StackSetName": "all"})).await;
    let listed = listed["Summaries"].as_array().expect("instances").clone();
    assert_eq!(listed.len(), 4);
    assert!(listed.iter().all(|instance| instance["Status"] == "CURRENT"), "{listed:?}");
    let stack = cloud.stack(listed[1]["StackId"].as_str().expect("an id"));
    assert!(stack.name.starts_with("StackSet-all-"), "{}", stack.name);
    assert_eq!(stack.status, "CREATE_COMPLETE");
    let changed = json!([{"ParameterKey": "Name", "ParameterValue": "two"}]);
    let update = json!({"StackSetName": "all", "UsePreviousTemplate": "true", "Parameters": changed});
    assert_eq!(ended(cloud.ok("UpdateStackSet", update).await).await, "SUCCEEDED");
    assert_eq!(cloud.stack(&stack.id).resources["A"].properties["DisplayName"], "two");
    let full = cloud.call("DeleteStackSet", json!({"StackSetName": "all"})).await.expect_err("not empty");
    assert_eq!(full.code, "StackSetNotEmptyException");
    let mut gone = places;
    gone["RetainStacks"] = json!("false");
    assert_eq!(ended(cloud.ok("DeleteStackInstances", gone).await).await, "SUCCEEDED");
    assert_eq!(cloud.stack(&stack.id).status, "DELETE_COMPLETE");
    cloud.ok("DeleteStackSet", json!({"StackSetName": "all"})).await;
    let none = cloud.call("DescribeStackSet", json!({"StackSetName": "all"})).await.expect_err("gone");
    assert_eq!(none.code, "StackSetNotFoundException");
}

#[tokio::test(start_paused = true)]
async fn signals_are_played_where_nothing_runs() {
    let template = "
Resources:
  Web:
    Type: AWS::EC2::Instance
    CreationPolicy: {ResourceSignal: {Count: 2, Timeout: PT15M}}
    Properties: {ImageId: ami-12345678}
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
  Wait: {Type: AWS::CloudFormation::WaitCondition, Properties: {Handle: !Ref Handle, Timeout: '900'}}
";
    for (signals, status, word) in [
        (crate::Signals::Succeed, "CREATE_COMPLETE", Some("Received SUCCESS signal with UniqueId i-0")),
        (crate::Signals::Fail, "ROLLBACK_COMPLETE", Some("Received FAILURE signal with UniqueId i-0")),
        (crate::Signals::None, "ROLLBACK_COMPLETE", None),
    ] {
        let cloud = Cloud::with(Options { signals, ..Options::default() }).await;
        assert_eq!(cloud.deploy("CreateStack", "s", template).await, status, "{:#?}", cloud.events("s"));
        let events = cloud.events("s");
        let played: Vec<&String> = events.iter().filter(|event| event.contains("sent by the embedded AWS")).collect();
        assert_eq!(played.is_empty(), word.is_none(), "{events:#?}");
        assert!(played.iter().all(|event| event.contains(word.unwrap_or_default())), "{events:#?}");
    }
}

//! What requests may say beside a template: tokens, types, how to deploy, what to skip.

use super::validation::put;
use super::*;

fn topic(value: &str) -> String {
    format!("Resources: {{A: {{Type: AWS::SNS::Topic, Properties: {{TopicName: t, DisplayName: {value}}}}}}}")
}

#[tokio::test(start_paused = true)]
async fn a_token_is_of_one_request() {
    let cloud = Cloud::new().await;
    let create = json!({"StackName": "s", "TemplateBody": topic("one"), "ClientRequestToken": "first"});
    let made = cloud.ok("CreateStack", create.clone()).await;
    assert_eq!(cloud.ok("CreateStack", create).await, made, "the same request again");
    cloud.rest("s").await;
    let update = |token: &str| json!({"StackName": "s", "TemplateBody": topic("two"), "ClientRequestToken": token});
    let fault = cloud.call("UpdateStack", update("first")).await.expect_err("of another request");
    assert_eq!((fault.status, fault.code.as_str()), (400, "TokenAlreadyExistsException"));
    cloud.ok("UpdateStack", update("second")).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_COMPLETE");
    cloud.ok("UpdateStack", update("second")).await;
    assert_eq!(cloud.stack("s").status, "UPDATE_COMPLETE", "it does nothing more");
    let wrong = cloud.refused("DeleteStack", json!({"StackName": "s", "ClientRequestToken": "a b"})).await;
    assert!(wrong.contains("'clientRequestToken' failed to satisfy constraint"), "{wrong}");
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_with_a_token_is_one() {
    let cloud = Cloud::new().await;
    let queue = |seconds: u32| {
        format!("Resources: {{Q: {{Type: AWS::SQS::Queue, Properties: {{VisibilityTimeout: {seconds}}}}}}}")
    };
    cloud.deploy("CreateStack", "s", &queue(1)).await;
    cloud.ok("UpdateStack", json!({"StackName": "s", "TemplateBody": queue(2)})).await;
    let cancel = json!({"StackName": "s", "ClientRequestToken": "stop"});
    cloud.ok("CancelUpdateStack", cancel.clone()).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_ROLLBACK_COMPLETE");
    cloud.ok("CancelUpdateStack", cancel).await;
    let other = cloud.refused("CancelUpdateStack", json!({"StackName": "s"})).await;
    assert_eq!(other, "CancelUpdateStack cannot be called from current stack status");
}

#[tokio::test(start_paused = true)]
async fn types_are_restricted_where_the_request_says_so() {
    let cloud = Cloud::new().await;
    let with = |types: &[&str]| json!({"StackName": "s", "TemplateBody": topic("x"), "ResourceTypes": types});
    let told = cloud.refused("CreateStack", with(&["AWS::SQS::*", "AWS::S3::Bucket"])).await;
    assert_eq!(
        told,
        "Resource type AWS::SNS::Topic is not allowed by parameter ResourceTypes [AWS::SQS::*, AWS::S3::Bucket]"
    );
    cloud.ok("CreateStack", with(&["AWS::SNS::*"])).await;
    assert_eq!(cloud.rest("s").await, "CREATE_COMPLETE");
}

#[tokio::test(start_paused = true)]
async fn contradictions_are_refused() {
    let cloud = Cloud::new().await;
    let configured = json!({"StackName": "s", "TemplateBody": topic("x"), "OnFailure": "DELETE",
        "DeploymentConfig": {"DisableRollback": "true"}});
    let told = cloud.refused("CreateStack", configured).await;
    assert_eq!(told, "You may specify either DisableRollback or OnFailure, but not both.");
    cloud.deploy("CreateStack", "s", &topic("x")).await;
    let both = json!({"StackName": "s", "TemplateBody": topic("y"), "UsePreviousTemplate": "true"});
    let told = cloud.refused("UpdateStack", both).await;
    assert_eq!(told, "You cannot specify both usePreviousTemplate and Template Body/Template URL.");
    let delete =
        json!({"StackName": "s", "ChangeSetName": "c", "TemplateBody": topic("y"), "OnStackFailure": "DELETE"});
    assert!(cloud.refused("CreateChangeSet", delete).await.contains("only valid when the ChangeSetType is CREATE"));
}

#[tokio::test(start_paused = true)]
async fn express_mode_waits_for_no_resource_to_be_ready() {
    let cloud = Cloud::new().await;
    let template = "Resources: {Q: {Type: AWS::SQS::Queue}}";
    let config = json!({"Mode": "EXPRESS", "DisableRollback": "true"});
    let began = tokio::time::Instant::now();
    cloud.ok("CreateStack", json!({"StackName": "s", "TemplateBody": template, "DeploymentConfig": config})).await;
    assert_eq!(cloud.rest("s").await, "CREATE_COMPLETE");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let shown = cloud.ok("DescribeStacks", json!({"StackName": "s"})).await["Stacks"][0].take();
    assert_eq!(shown["DeploymentConfig"], json!({"Mode": "EXPRESS", "DisableRollback": true}));
    assert_eq!(shown["DisableRollback"], true);
    let began = tokio::time::Instant::now();
    cloud.deploy("CreateStack", "slow", template).await;
    assert!(began.elapsed() > Duration::from_secs(60), "as long as on AWS: {:?}", began.elapsed());
    let input = json!({"StackName": "c", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": template,
        "DeploymentConfig": config});
    let (_, _, described) = cloud.change_set(input).await;
    assert_eq!(described["DeploymentConfig"]["Mode"], "EXPRESS");
    let began = tokio::time::Instant::now();
    cloud.ok("ExecuteChangeSet", json!({"StackName": "c", "ChangeSetName": "c"})).await;
    assert_eq!(cloud.rest("c").await, "CREATE_COMPLETE");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_rollback_can_be_forced_past_what_does_not_go_back() {
    let cloud = Cloud::new().await;
    let template = |a: &str, b: &str| {
        format!(
            "
Resources:
  A: {{Type: AWS::SSM::Parameter, Properties: {{Type: String, Value: {a}}}}}
  B: {{Type: AWS::SSM::Parameter, DependsOn: A, Properties: {{Type: String, Value: {b}}}}}
"
        )
    };
    put(&cloud, "templates-one", "child.yaml", &template("x", "x")).await;
    put(&cloud, "templates-two", "child.yaml", &template("y", "y")).await;
    let parent = |bucket: &str| {
        format!(
            "
Resources:
  Child: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: 'https://s3.amazonaws.com/templates-{bucket}/child.yaml'}}}}
"
        )
    };
    assert_eq!(cloud.deploy("CreateStack", "s", &parent("one")).await, "CREATE_COMPLETE");
    let child = cloud.stack("s").resources["Child"].physical_id.clone();
    cloud.fail("B", Action::Update, Some(1));
    cloud.fail("A", Action::Rollback, None);
    assert_eq!(
        cloud.deploy("UpdateStack", "s", &parent("two")).await,
        "UPDATE_ROLLBACK_FAILED",
        "{:#?}",
        cloud.events("s")
    );
    assert_eq!(cloud.stack(&child).status, "UPDATE_ROLLBACK_FAILED");
    let name = cloud.stack(&child).name;
    let both = json!({"StackName": "s", "ForceRollback": "true", "ResourcesToSkip": ["Child"]});
    assert!(cloud.refused("ContinueUpdateRollback", both).await.contains("both ForceRollback and ResourcesToSkip"));
    let itself = json!({"StackName": "s", "ResourcesToSkip": ["Child"]});
    assert!(cloud.refused("ContinueUpdateRollback", itself).await.contains("are not: [Child]"), "what failed in it is");
    cloud.ok("ContinueUpdateRollback", json!({"StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_ROLLBACK_FAILED");
    let named = json!({"StackName": "s", "ResourcesToSkip": [format!("{name}.A")]});
    cloud.ok("ContinueUpdateRollback", named).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_ROLLBACK_COMPLETE", "{:#?}", cloud.events(&child));
    assert_eq!(cloud.stack(&child).status, "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(cloud.stack(&child).resources["B"].properties["Value"], "x");
    cloud.heal();
    cloud.fail("B", Action::Update, Some(1));
    cloud.fail("A", Action::Rollback, None);
    assert_eq!(cloud.deploy("UpdateStack", "s", &parent("two")).await, "UPDATE_ROLLBACK_FAILED");
    cloud.ok("ContinueUpdateRollback", json!({"StackName": "s", "ForceRollback": "true"})).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_ROLLBACK_COMPLETE", "{:#?}", cloud.events(&child));
}

#[tokio::test(start_paused = true)]
async fn summaries_warn_of_types_only_when_they_are_asked_to() {
    let cloud = Cloud::new().await;
    let template = "Resources: {A: {Type: AWS::No::Such}, B: {Type: AWS::SNS::Topic}}";
    let told = "Template format error: Unrecognized resource types: [AWS::No::Such]";
    for action in ["GetTemplateSummary", "ValidateTemplate"] {
        assert_eq!(cloud.refused(action, json!({"TemplateBody": template})).await, told);
    }
    let lenient = json!({"TemplateBody": template,
        "TemplateSummaryConfig": {"TreatUnrecognizedResourceTypesAsWarnings": "true"}});
    let summary = cloud.ok("GetTemplateSummary", lenient).await;
    assert_eq!(summary["Warnings"], json!({"UnrecognizedResourceTypes": ["AWS::No::Such"]}));
    assert_eq!(summary["ResourceTypes"], json!(["AWS::No::Such", "AWS::SNS::Topic"]));
    let fault = cloud.call("GetTemplateSummary", json!({"StackSetName": "all"})).await.expect_err("there is none");
    assert_eq!(fault.code, "StackSetNotFoundException");
}

#[tokio::test(start_paused = true)]
async fn rules_may_ask_what_parameters_name() {
    let cloud = Cloud::new().await;
    let network = |name: &str| {
        format!(
            "
Resources:
  Vpc: {{Type: AWS::EC2::VPC, Properties: {{CidrBlock: 10.0.0.0/16, Tags: [{{Key: Stage, Value: {name}}}]}}}}
  Subnet: {{Type: AWS::EC2::Subnet, Properties: {{VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24}}}}
"
        )
    };
    for name in ["prod", "dev"] {
        cloud.deploy("CreateStack", name, &network(name)).await;
    }
    let template = "
Parameters: {Vpc: {Type: 'AWS::EC2::VPC::Id'}, Subnets: {Type: 'List<AWS::EC2::Subnet::Id>'}}
Rules:
  Inside:
    Assertions:
    - Assert: {'Fn::EachMemberEquals': [{'Fn::ValueOf': [Subnets, VpcId]}, !Ref Vpc]}
      AssertDescription: all subnets are in the network
    - Assert: !Equals [{'Fn::ValueOf': [Vpc, Tags.Stage]}, prod]
      AssertDescription: the network is prod's
Resources: {A: {Type: AWS::SNS::Topic}}
";
    let id = |stack: &str, id: &str| cloud.stack(stack).resources[id].physical_id.clone();
    let with = |vpc: &str, subnets: &[&str]| {
        let subnets: Vec<String> = subnets.iter().map(|stack| id(stack, "Subnet")).collect();
        let parameters = json!([{"ParameterKey": "Vpc", "ParameterValue": id(vpc, "Vpc")},
            {"ParameterKey": "Subnets", "ParameterValue": subnets.join(",")}]);
        json!({"StackName": "s", "TemplateBody": template, "Parameters": parameters})
    };
    let told = cloud.refused("CreateStack", with("prod", &["prod", "dev"])).await;
    assert_eq!(told, "all subnets are in the network");
    assert_eq!(cloud.refused("CreateStack", with("dev", &["dev"])).await, "the network is prod's");
    cloud.ok("CreateStack", with("prod", &["prod"])).await;
}

#[tokio::test(start_paused = true)]
async fn custom_resources_are_refused_for_the_reason_that_there_is() {
    let cloud = Cloud::new().await;
    let topic = "Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: t}}}";
    cloud.deploy("CreateStack", "topics", topic).await;
    let arn = |service: &str, region: &str, rest: &str| format!("arn:aws:{service}:{region}:111122223333:{rest}");
    let function = arn("lambda", "eu-west-1", "function:gone");
    let lost = format!("Function not found: {function} (Service: AWSLambda; Status Code: 404; Error Code:");
    for (at, (kind, token, told)) in [
        ("Custom::Thing", "text".to_owned(), "Invalid service token."),
        ("Custom::Thing", function, lost.as_str()),
        (
            "AWS::CloudFormation::CustomResource",
            arn("sns", "eu-west-1", "gone"),
            "Topic does not exist (Service: AmazonSNS;",
        ),
        ("Custom::Thing", arn("sns", "us-east-1", "t"), "Invalid parameter: TopicArn (Service: AmazonSNS;"),
        ("Custom::Thing", arn("sns", "eu-west-1", "t"), "Custom::Thing is made by whoever answers its ServiceToken"),
    ]
    .into_iter()
    .enumerate()
    {
        let template = format!("Resources: {{C: {{Type: '{kind}', Properties: {{ServiceToken: '{token}'}}}}}}");
        let name = format!("s{at}");
        assert_eq!(cloud.deploy("CreateStack", &name, &template).await, "ROLLBACK_COMPLETE");
        let events = cloud.events(&name);
        let begin = format!("C CREATE_FAILED ({told}");
        assert!(events.iter().any(|event| event.starts_with(&begin)), "{begin}: {events:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn macros_fail_for_the_reason_that_there_is() {
    let cloud = Cloud::new().await;
    let registered = "
Resources:
  Macro:
    Type: AWS::CloudFormation::Macro
    Properties: {Name: Mine, FunctionName: 'arn:aws:lambda:eu-west-1:111122223333:function:mine'}
";
    assert_eq!(
        cloud.deploy("CreateStack", "macros", registered).await,
        "CREATE_COMPLETE",
        "{:#?}",
        cloud.events("macros")
    );
    let of = |transform: &str| format!("Transform: {transform}\n{}", topic("x"));
    let inside =
        "Resources: {A: {Type: AWS::SNS::Topic, Properties: {'Fn::Transform': [{Name: Other}, {Name: Mine}]}}}";
    for (at, (template, told)) in [
        (of("Mine"), "Transform 111122223333::Mine failed with: This embedded AWS runs no functions"),
        (of("[{Name: Other}]"), "No transform named 111122223333::Other found."),
        (inside.to_owned(), "No transform named 111122223333::Other found."),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("s{at}");
        let input = json!({"StackName": name, "TemplateBody": template, "Capabilities": ["CAPABILITY_AUTO_EXPAND"]});
        cloud.ok("CreateStack", input).await;
        assert_eq!(cloud.rest(&name).await, "ROLLBACK_COMPLETE");
        assert_eq!(cloud.events(&name)[1], format!("stack ROLLBACK_IN_PROGRESS ({told}. Rollback requested by user.)"));
        let input = json!({"StackName": format!("r{at}"), "ChangeSetName": "c", "ChangeSetType": "CREATE",
            "TemplateBody": template});
        let (status, reason, _) = cloud.change_set(input).await;
        assert_eq!((status.as_str(), reason.as_deref()), ("FAILED", Some(told)));
    }
}

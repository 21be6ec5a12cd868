//! What is refused at once, and transforms.

use super::*;

async fn refused(template: &str) -> String {
    let cloud = Cloud::new().await;
    cloud.refused("CreateStack", json!({"StackName": "s", "TemplateBody": template})).await
}

#[tokio::test(start_paused = true)]
async fn wrong_templates_are_refused_in_awss_words() {
    for (template, message) in [
        ("Resources: {}", "Template format error: At least one Resources member must be defined."),
        (
            "Resources: {A: {}}",
            "Template format error: [/Resources/A] Every Resources object must contain a Type member.",
        ),
        (
            "Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref B}}}",
            "Template format error: Unresolved resource dependencies [B] in the Resources block of the template",
        ),
        (
            "Resources: {A: {Type: AWS::SNS::Topic, DependsOn: B}, B: {Type: AWS::SNS::Topic, DependsOn: A}}",
            "Circular dependency between resources: [A, B]",
        ),
        (
            "Resources: {A: {Type: AWS::No::Such}, B: {Type: Own::No::Such}}",
            "Template format error: Unrecognized resource types: [AWS::No::Such, Own::No::Such]",
        ),
        (
            "Parameters: {P: {Type: String}}\nResources: {A: {Type: AWS::SNS::Topic}}",
            "Parameters: [P] must have values",
        ),
        (
            "Resources: {R: {Type: AWS::IAM::Role, Properties: {RoleName: r, AssumeRolePolicyDocument: {}}}}",
            "Requires capabilities : [CAPABILITY_NAMED_IAM]",
        ),
        (
            "Transform: Mine\nResources: {A: {Type: AWS::SNS::Topic}}",
            "Requires capabilities : [CAPABILITY_AUTO_EXPAND]",
        ),
    ] {
        assert_eq!(refused(template).await, message);
    }
    let cloud = Cloud::new().await;
    let told = cloud.refused("CreateStack", json!({"StackName": "1s", "TemplateBody": "x"})).await;
    assert!(told.contains("'stackName' failed to satisfy constraint"), "{told}");
    let told = cloud.refused("CreateStack", json!({"StackName": "s"})).await;
    assert_eq!(told, "Either Template URL or Template Body must be specified.");
    let told = cloud.refused("UpdateStack", json!({"StackName": "s", "TemplateBody": "x"})).await;
    assert_eq!(told, "Stack [s] does not exist");
}

#[tokio::test(start_paused = true)]
async fn parameters_keep_their_values_when_told_to() {
    let cloud = Cloud::new().await;
    let template = "
Parameters: {P: {Type: String}, Q: {Type: String, Default: d}}
Resources: {A: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Sub '${P}-${Q}'}}}
";
    let given = json!([{"ParameterKey": "P", "ParameterValue": "p"}]);
    cloud.ok("CreateStack", json!({"StackName": "s", "TemplateBody": template, "Parameters": given})).await;
    cloud.rest("s").await;
    let kept = json!([{"ParameterKey": "P", "UsePreviousValue": "true"}, {"ParameterKey": "Q", "ParameterValue": "e"}]);
    cloud.ok("UpdateStack", json!({"StackName": "s", "UsePreviousTemplate": "true", "Parameters": kept})).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_COMPLETE");
    assert_eq!(cloud.stack("s").resources["A"].properties["Value"], "p-e");
    let missing = json!({"StackName": "s", "UsePreviousTemplate": "true"});
    assert_eq!(cloud.refused("UpdateStack", missing).await, "Parameters: [P] must have values");
}

#[tokio::test(start_paused = true)]
async fn macros_that_do_not_exist_fail_later() {
    let cloud = Cloud::new().await;
    let template = "Transform: Mine\nResources: {A: {Type: AWS::SNS::Topic}}";
    let input = json!({"StackName": "s", "TemplateBody": template, "Capabilities": ["CAPABILITY_AUTO_EXPAND"]});
    cloud.ok("CreateStack", input).await;
    assert_eq!(cloud.rest("s").await, "ROLLBACK_COMPLETE");
    assert!(cloud.events("s")[1].contains("No transform named 111122223333::Mine found."), "{:?}", cloud.events("s"));
    let template = "Resources: {A: {Type: AWS::SNS::Topic, Properties: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: 's3://doesnotexist/key'}}}}}";
    let input = json!({"StackName": "t", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": template});
    let (status, reason, _) = cloud.change_set(input).await;
    let told = "Transform AWS::Include failed with: S3 bucket [doesnotexist] does not exist.";
    assert_eq!((status.as_str(), reason.as_deref()), ("FAILED", Some(told)));
}

#[tokio::test(start_paused = true)]
async fn includes_and_loops_are_expanded() {
    let cloud = Cloud::new().await;
    put(
        &cloud,
        "shared",
        "more.yaml",
        "B: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub '${AWS::StackName}-b'}}",
    )
    .await;
    let template = "
Transform: AWS::LanguageExtensions
Resources:
  Fn::Transform: {Name: AWS::Include, Parameters: {Location: 's3://shared/more.yaml'}}
  Fn::ForEach::Topics: [N, [One, Two], {'T${N}': {Type: AWS::SNS::Topic}}]
";
    let input = json!({"StackName": "s", "TemplateBody": template, "Capabilities": ["CAPABILITY_AUTO_EXPAND"]});
    cloud.ok("CreateStack", input).await;
    assert_eq!(cloud.rest("s").await, "CREATE_COMPLETE", "{:#?}", cloud.events("s"));
    let stack = cloud.stack("s");
    let mut ids: Vec<&String> = stack.resources.keys().collect();
    ids.sort();
    assert_eq!(ids, ["B", "TOne", "TTwo"]);
    assert_eq!(stack.resources["B"].properties["TopicName"], "s-b");
}

#[tokio::test(start_paused = true)]
async fn ssm_and_secrets_are_looked_up() {
    let cloud = Cloud::new().await;
    let services = &cloud.aws.world.services;
    let put = json!({"Name": "/conf", "Value": "held", "Type": "String"});
    services.json(&cloud.place, "ssm", "PutParameter", &put).await.expect("put");
    let secret = json!({"Name": "sec", "SecretString": r#"{"user":"me"}"#});
    services.json(&cloud.place, "secretsmanager", "CreateSecret", &secret).await.expect("created");
    let template = "
Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /conf}}
Resources:
  A: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref P}}
  B: {Type: AWS::SNS::Topic, Properties: {DisplayName: '{{resolve:ssm:/conf}}-{{resolve:secretsmanager:sec:SecretString:user}}'}}
  S: {Type: AWS::SecretsManager::Secret, Properties: {SecretString: '{\"user\":\"you\"}'}}
  C: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Sub '{{resolve:secretsmanager:${S}:SecretString:user}}'}}
";
    assert_eq!(cloud.deploy("CreateStack", "s", template).await, "CREATE_COMPLETE", "{:#?}", cloud.events("s"));
    let stack = cloud.stack("s");
    assert_eq!(stack.resources["A"].properties["DisplayName"], "held");
    let live = |id: &str| {
        let (world, physical_id) = (&cloud.aws.world, stack.resources[id].physical_id.clone());
        let place = &cloud.place;
        async move { crate::resources::read(world, place, "AWS::SNS::Topic", &physical_id).await.expect("there") }
    };
    assert_eq!(live("B").await["DisplayName"], "held-me");
    assert_eq!(live("C").await["DisplayName"], "you", "a secret of the stack itself, by its ARN");
    assert!(stack.resources["B"].properties["DisplayName"].as_str().expect("text").starts_with("{{resolve:"));
    let put = json!({"Name": "/hidden", "Value": "held", "Type": "SecureString"});
    services.json(&cloud.place, "ssm", "PutParameter", &put).await.expect("put");
    let given = json!([{"ParameterKey": "P", "ParameterValue": "/hidden"}]);
    let secure = json!({"StackName": "u", "TemplateBody": template, "Parameters": given});
    assert_eq!(
        cloud.refused("CreateStack", secure).await,
        "Parameters [/hidden] referenced by template have types not supported by CloudFormation."
    );
    let named = "
Parameters: {P: {Type: 'AWS::SSM::Parameter::Name', Default: /conf}}
Resources: {A: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref P}}}
";
    assert_eq!(cloud.deploy("CreateStack", "n", named).await, "CREATE_COMPLETE");
    assert_eq!(cloud.stack("n").resources["A"].properties["DisplayName"], "/conf", "the name itself");
    let missing = json!({"StackName": "m", "TemplateBody": named.replace("/conf", "/nothing")});
    assert_eq!(
        cloud.refused("CreateStack", missing).await,
        "Unable to fetch parameters [/nothing] from parameter store for this account."
    );
    let given = json!([{"ParameterKey": "P", "ParameterValue": "/nothing"}]);
    let input = json!({"StackName": "t", "TemplateBody": template, "Parameters": given});
    let told = "Parameter P should either have input value or default value";
    assert_eq!(cloud.refused("CreateStack", input).await, told);
}

/// Puts an object into a bucket that it makes.
pub(super) async fn put(cloud: &Cloud, bucket: &str, key: &str, body: &str) {
    let place =
        "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    for (path, body) in [(format!("/{bucket}"), place.to_owned()), (format!("/{bucket}/{key}"), body.to_owned())] {
        let request = http::Request::put(path).header(http::header::HOST, "s3.amazonaws.com");
        let request = request.body(bytes::Bytes::from(body)).expect("a request");
        let response = cloud.aws.world.services.call(&cloud.place, "s3", request).await.expect("S3");
        assert!(response.status().is_success(), "{response:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_serverless_transform_has_nothing_to_do_or_says_what_it_cannot() {
    let cloud = Cloud::new().await;
    let template = |type_name: &str| {
        format!(
            "Transform: AWS::Serverless-2016-10-31\nGlobals: {{Function: {{Timeout: 3}}}}\nResources: {{A: {{Type: {type_name}}}}}"
        )
    };
    let create = |name: &str, body: String| json!({"StackName": name, "TemplateBody": body, "Capabilities": ["CAPABILITY_AUTO_EXPAND"]});
    cloud.ok("CreateStack", create("s", template("AWS::SNS::Topic"))).await;
    assert_eq!(cloud.rest("s").await, "CREATE_COMPLETE", "{:#?}", cloud.events("s"));
    cloud.ok("CreateStack", create("t", template("AWS::Serverless::SimpleTable"))).await;
    assert_eq!(cloud.rest("t").await, "ROLLBACK_COMPLETE");
    let told = "this local AWS does not translate AWS::Serverless resources, which are [A]";
    assert!(cloud.events("t").iter().any(|event| event.contains(told)), "{:#?}", cloud.events("t"));
}

//! What is refused, in the words of AWS.

use super::*;

/// What CreateStack says of a template.
async fn refused(template: &str) -> String {
    let fault = Cloud::new()
        .await
        .call("CreateStack", json!({"StackName": "s", "TemplateBody": template}))
        .await
        .expect_err(template);
    assert_eq!((fault.status, fault.code.as_str(), fault.sender), (400, "ValidationError", true), "{template}");
    fault.message
}

fn topic(properties: &str) -> String {
    format!("Resources: {{A: {{Type: AWS::SNS::Topic, Properties: {{{properties}}}}}}}\n")
}

#[tokio::test(start_paused = true)]
async fn templates_are_refused_in_these_words() {
    let select = "Template error: Fn::Select requires a list argument with two elements: an integer index and a list";
    let off = "Conditions: {Off: !Equals [a, b]}\nResources:\n  A: {Type: AWS::SNS::Topic, Condition: Off}\n";
    let dependencies = |id: &str| {
        format!("Template format error: Unresolved resource dependencies [{id}] in the Resources block of the template")
    };
    let cases: Vec<(String, String)> = [
        ("Description: x", "Template format error: At least one Resources member must be defined."),
        ("Resources: {A: text}", "Template format error: Any Resources member must be an object."),
        ("Resources: {A: {}}", "Template format error: [/Resources/A] Every Resources object must contain a Type member."),
        ("Resources: {A: {Type: AWS::SNS::Topic, Invalid: x}}", "Invalid template resource property 'Invalid'"),
        (
            "Resources: {my-bad-resource-id: {Type: AWS::SNS::Topic}}",
            "Template format error: Resource name my-bad-resource-id is non alphanumeric.",
        ),
        (
            "Resources: {'AWS::NoValue': {Type: AWS::SNS::Topic}}",
            "Template format error: Resource name AWS::NoValue is non alphanumeric.",
        ),
        (
            "Resources: {A: {Type: AWS::SNS::Topic}}\nOutputs: {MyOutput: {Value: null}}",
            "[/Outputs/MyOutput/Value] 'null' values are not allowed in templates",
        ),
        (
            "Resources: {A: {Type: AWS::SNS::Topic}}\nOutputs: {MyOutput: {}}",
            "Template format error: Every Outputs member must contain a Value object",
        ),
        ("Resources: [", "Template format error: YAML not well-formed."),
        (
            "Transform: [{Name: !Ref P}]\nParameters: {P: {Type: String, Default: x}}\nResources: {A: {Type: AWS::SNS::Topic}}",
            "Key Name of transform definition must be a string.",
        ),
    ]
    .map(|(template, message)| (template.to_owned(), message.to_owned()))
    .into_iter()
    .chain([
        (topic("DisplayName: !Ref X"), dependencies("X")),
        (topic("DisplayName: !GetAtt X.Arn"), dependencies("X")),
        ("Resources: {A: {Type: AWS::SNS::Topic, DependsOn: X}}".to_owned(), dependencies("X")),
        (
            format!("{off}  B: {{Type: AWS::SNS::Topic, Properties: {{DisplayName: !GetAtt A.TopicName}}}}\n"),
            dependencies("A"),
        ),
        (
            format!("{off}  B: {{Type: AWS::SNS::Topic}}\nOutputs: {{O: {{Value: !Ref A}}}}\n"),
            "Unresolved resource dependencies [A] in the Outputs block of the template".to_owned(),
        ),
        (
            topic("DisplayName: !If [MissingCondition, a, b]"),
            "Template error: unresolved condition dependency MissingCondition in Fn::If".to_owned(),
        ),
        (
            format!("Mappings: {{M: {{A: {{Suffix: x}}}}}}\n{}", topic("DisplayName: !FindInMap [M, C, Suffix]")),
            "Template error: Unable to get mapping for M::C::Suffix".to_owned(),
        ),
        (
            format!("Mappings: {{M: {{A: {{Suffix: {{Value: x}}}}}}}}\n{}", topic("DisplayName: x")),
            "Template format error: Every Mappings attribute must be a String or a List.".to_owned(),
        ),
        (
            format!("Mappings: {{M: {{A: suffix}}}}\n{}", topic("DisplayName: x")),
            "Template format error: Every Mappings member A must be a map".to_owned(),
        ),
        (
            topic("DisplayName: !GetAtt [X]"),
            "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the \
             resource attribute"
                .to_owned(),
        ),
        (topic("DisplayName: !Select [bad, [test]]"), select.to_owned()),
        (topic("DisplayName: !Select [100, [test]]"), select.to_owned()),
        (topic("DisplayName: !Select [0, text]"), select.to_owned()),
        (
            topic("DisplayName: {'Fn::Split': {Ref: AWS::Region}}"),
            "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to \
             be split or a function that returns a string to be split."
                .to_owned(),
        ),
    ])
    .collect();
    for (template, message) in cases {
        assert_eq!(refused(&template).await, message, "{template}");
    }
    let cloud = Cloud::new().await;
    let told =
        cloud.refused("ValidateTemplate", json!({"TemplateBody": "{\"this is invalid JSON\"=\"bobbins\"}"})).await;
    assert_eq!(told, "Template format error: JSON not well-formed. (line 1, column 25)");
}

#[tokio::test(start_paused = true)]
async fn bodies_and_urls_are_refused_in_these_words() {
    let cloud = Cloud::new().await;
    let long = "#".repeat(51_201);
    let told = format!(
        "1 validation error detected: Value '{long}' at 'templateBody' failed to satisfy constraint: Member must have \
         length less than or equal to 51200"
    );
    assert_eq!(refused(&long).await, told);
    let url = json!({"StackName": "s", "TemplateURL": "https://example.com/dummy.yml"});
    assert_eq!(cloud.refused("CreateStack", url).await, "TemplateURL must be a supported URL.");
    cloud.deploy("CreateStack", "s", &topic("DisplayName: x")).await;
    let nothing = cloud.refused("UpdateStack", json!({"StackName": "s"})).await;
    assert_eq!(nothing, "Either Template URL or Template Body must be specified.");
    let role = "arn:aws:iam::111122223333:user/somebody";
    let update = json!({"StackName": "s", "TemplateBody": topic("DisplayName: y"), "RoleARN": role});
    assert_eq!(cloud.refused("UpdateStack", update).await, format!("Role {role} is invalid or cannot be assumed"));
}

#[tokio::test(start_paused = true)]
async fn a_missing_parameter_of_ssm_and_capabilities_are_refused_in_these_words() {
    let ssm = "Parameters: {InputValue: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /nowhere}}\n\
               Resources: {A: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref InputValue}}}";
    assert_eq!(refused(ssm).await, "Parameter InputValue should either have input value or default value");
    let cloud = Cloud::new().await;
    let body = format!("Transform: Mine\n{}", topic("DisplayName: x"));
    let fault = cloud.call("CreateStack", json!({"StackName": "s", "TemplateBody": body})).await.expect_err("refused");
    assert_eq!(fault.code, "InsufficientCapabilitiesException");
    assert_eq!(fault.message, "Requires capabilities : [CAPABILITY_AUTO_EXPAND]");
}

#[tokio::test(start_paused = true)]
async fn unknown_stacks_are_called_differently_by_each_call() {
    let cloud = Cloud::new().await;
    let stack = json!({"StackName": "X"});
    assert_eq!(cloud.refused("DescribeStacks", stack.clone()).await, "Stack with id X does not exist");
    assert_eq!(cloud.refused("DescribeStackEvents", stack.clone()).await, "Stack [X] does not exist");
    let resource = json!({"StackName": "X", "LogicalResourceId": "A"});
    assert_eq!(cloud.refused("DescribeStackResource", resource).await, "Stack 'X' does not exist");
    let change_set = json!({"StackName": "X", "ChangeSetName": "c"});
    assert_eq!(cloud.refused("DeleteChangeSet", change_set).await, "Stack [X] does not exist");
    let told = cloud.refused("DeleteChangeSet", json!({"ChangeSetName": "c"})).await;
    assert_eq!(told, "StackName must be specified if ChangeSetName is not specified as an ARN.");
    let told = cloud.refused("GetTemplate", json!({})).await;
    assert_eq!(told, "StackName is required if ChangeSetName is not specified.");
}

#[tokio::test(start_paused = true)]
async fn unknown_change_sets_have_a_code_of_their_own() {
    let cloud = Cloud::new().await;
    cloud.creating(&topic("DisplayName: x")).await;
    cloud.ok("DeleteChangeSet", json!({"StackName": "s", "ChangeSetName": "create"})).await;
    for (action, which) in [
        ("DescribeChangeSet", json!({"StackName": "s", "ChangeSetName": "create"})),
        ("GetTemplate", json!({"StackName": "s", "ChangeSetName": "create"})),
        ("ExecuteChangeSet", json!({"StackName": "s", "ChangeSetName": "create"})),
    ] {
        let fault = cloud.call(action, which).await.expect_err("refused");
        assert_eq!(fault.code, "ChangeSetNotFound");
        assert_eq!(fault.message, "ChangeSet [create] does not exist");
    }
}

#[tokio::test(start_paused = true)]
async fn change_sets_of_stacks_past_change_are_refused_in_these_words() {
    let cloud = Cloud::new().await;
    let body = topic("DisplayName: x");
    let with = |stack: &str, kind: &str| json!({"StackName": stack, "ChangeSetName": "c", "ChangeSetType": kind, "TemplateBody": body});
    cloud.deploy("CreateStack", "s", &body).await;
    let exists =
        |stack: &str| format!("Stack [{stack}] already exists and cannot be created again with the changeSet [c].");
    assert_eq!(cloud.refused("CreateChangeSet", with("s", "CREATE")).await, exists("s"));
    let id = cloud.stack("s").id;
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    let told = |status: &str| format!("Stack:{id} is in {status} state and can not be updated.");
    assert_eq!(cloud.refused("CreateChangeSet", with(&id, "UPDATE")).await, told("DELETE_IN_PROGRESS"));
    cloud.rest(&id).await;
    assert_eq!(cloud.refused("CreateChangeSet", with(&id, "UPDATE")).await, told("DELETE_COMPLETE"));
    assert_eq!(cloud.refused("CreateChangeSet", with(&id, "CREATE")).await, exists(&id));
}

#[tokio::test(start_paused = true)]
async fn policies_are_refused_in_these_words() {
    let cloud = Cloud::new().await;
    cloud.deploy("CreateStack", "s", &topic("DisplayName: x")).await;
    let told = cloud.refused("SetStackPolicy", json!({"StackName": "s", "StackPolicyBody": "policy"})).await;
    assert_eq!(told, "Error validating stack policy: Invalid stack policy");
    let both = json!({"StackName": "s", "StackPolicyBody": "{}", "StackPolicyURL": "https://b.s3.amazonaws.com/k"});
    assert_eq!(
        cloud.refused("SetStackPolicy", both).await,
        "You cannot specify both StackPolicyURL and StackPolicyBody"
    );
}

//! Changes that add a resource.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_addition_has_these_members() {
    let cloud = Cloud::new().await;
    let described =
        cloud.creating("Resources: {A: {Type: AWS::SNS::Topic, DependsOn: B}, B: {Type: AWS::SQS::Queue}}").await;
    let plain = ["Action", "Details", "LogicalResourceId", "ResourceType", "Scope"];
    let valued = ["Action", "AfterContext", "Details", "LogicalResourceId", "ResourceType", "Scope"];
    for id in ["A", "B"] {
        assert_eq!(members(change(&described.plain, id)), plain);
        let added = described.change(id);
        assert_eq!(members(added), valued);
        assert_eq!((&added["Details"], &added["Scope"]), (&json!([]), &json!([])));
        // Neither the type nor what it depends on.
        assert_eq!(added["AfterContext"], r#"{"Properties":{}}"#, "JSON in a string");
    }
    for one in described.plain["Changes"].as_array().expect("changes") {
        assert_eq!((members(one), &one["Type"]), (vec!["ResourceChange", "Type"], &json!("Resource")));
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_be_told_before_is_told() {
    let cloud = Cloud::new().await;
    let template = r#"
Parameters: {Size: {Type: String, Default: small}}
Conditions: {Small: !Equals [!Ref Size, small]}
Mappings:
  Names: {small: {Name: little}, aws: {Name: partition}}
  Keys: {little: {Key: found}}
Resources:
  A:
    Type: AWS::SNS::Topic
    Properties:
      Tags: []
      DisplayName: !Join ['-', [!Ref Size, !Select [1, !Split [',', 'a,b,c']], !Base64 x]]
      TopicName: !Sub '${AWS::StackName}-${AWS::URLSuffix}-${Size}'
      KmsMasterKeyId: !Ref AWS::StackId
      TracingConfig: !If [Small, Active, PassThrough]
      SignatureVersion: !FindInMap [Names, !Ref Size, Name]
      DataProtectionPolicy:
        Nested: !FindInMap [Keys, !FindInMap [Names, !Ref Size, Name], Key]
        Partition: !FindInMap [Names, !Ref AWS::Partition, Name]
        Account: !Ref AWS::AccountId
        Region: !Ref AWS::Region
"#;
    let described = cloud.creating(template).await;
    let expected = json!({"Properties": {
        "Tags": [],
        "DisplayName": "small-b-eA==",
        "TopicName": "s-amazonaws.com-small",
        "KmsMasterKeyId": described.plain["StackId"],
        "TracingConfig": "Active",
        "SignatureVersion": "little",
        "DataProtectionPolicy": {
            "Nested": "found", "Partition": "partition", "Account": "111122223333", "Region": "eu-west-1",
        },
    }});
    assert_eq!(context(described.change("A"), "AfterContext"), expected);
}

#[tokio::test(start_paused = true)]
async fn what_is_made_at_the_same_time_is_known_later() {
    let cloud = Cloud::new().await;
    let topic = |name: &str| format!("{{Type: AWS::SNS::Topic, Properties: {{DisplayName: {name}}}}}");
    let template = format!(
        "
Resources:
  Topic: {{Type: AWS::SNS::Topic, Properties: {{TopicName: literal}}}}
  Ref: {}
  Attribute: {}
  Join: {}
  Sub: {}
",
        topic("!Ref Topic"),
        topic("!GetAtt Topic.TopicName"),
        topic("!Join ['-', [known, !Ref Topic]]"),
        topic("!Sub 'arn:${Topic}/invocations'"),
    );
    let described = cloud.creating(&template).await;
    let shown = |id: &str| context(described.change(id), "AfterContext")["Properties"]["DisplayName"].clone();
    assert_eq!(shown("Ref"), LATER);
    assert_eq!(shown("Attribute"), LATER, "though the name is a literal");
    assert_eq!(shown("Join"), LATER, "the whole property");
    assert_eq!(shown("Sub"), format!("arn:{LATER}/invocations"), "but for a substitution");
}

#[tokio::test(start_paused = true)]
async fn what_is_there_already_is_shown_as_it_is() {
    let first = |value: &str| {
        format!("Resources:\n  First: {{Type: AWS::SNS::Topic, Properties: {{TopicName: t, DisplayName: {value}}}}}\n")
    };
    let more = "  Attribute: {Type: AWS::SNS::Topic, Properties: {DisplayName: !GetAtt First.DisplayName}}\n  \
                Ref: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref First}}\n";
    let (_, described) = Cloud::changing(&first("value-1"), &(first("value-2") + more)).await;
    let shown = |id: &str| context(described.change(id), "AfterContext")["Properties"]["DisplayName"].clone();
    assert_eq!(shown("Attribute"), "value-1", "the live value, not the one that it gets");
    assert_eq!(shown("Ref"), "arn:aws:sns:eu-west-1:111122223333:t");
}

#[tokio::test(start_paused = true)]
async fn an_import_shows_what_is_exported() {
    let cloud = Cloud::new().await;
    let exporting = "Resources: {A: {Type: AWS::SNS::Topic}}\nOutputs: {O: {Value: shared, Export: {Name: name}}}";
    cloud.deploy("CreateStack", "other", exporting).await;
    let importing = "Resources: {A: {Type: AWS::SNS::Topic, Properties: {DisplayName: !ImportValue name}}}";
    let described = cloud.creating(importing).await;
    assert_eq!(context(described.change("A"), "AfterContext")["Properties"]["DisplayName"], "shared");
    let exports = cloud.ok("ListExports", json!({})).await;
    assert_eq!(members(&exports["Exports"][0]), ["ExportingStackId", "Name", "Value"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_joined_yet_is_a_warning_beside_the_values() {
    let cloud = Cloud::new().await;
    let template = |first: &str| {
        format!(
            "
Resources:
  First: {{Type: AWS::SNS::Topic, Properties: {{DisplayName: {first}}}}}
  Second: {{Type: AWS::SNS::Topic, Properties: {{DisplayName: !Join [_, !Split ['-', !GetAtt First.DisplayName]]}}}}
"
        )
    };
    let described = cloud.creating(&template("a-b")).await;
    assert_eq!(
        (&described.plain["Status"], &described.plain["StatusReason"]),
        (&json!("CREATE_COMPLETE"), &Json::Null)
    );
    let told = described.valued["StatusReason"].as_str().expect("a warning");
    assert!(told.starts_with("[WARN] --include-property-values option can return incomplete"), "{told}");
    assert!(told.contains("failed for resource [Second] because: Template error: every Fn::Join object"), "{told}");
    assert_eq!(context(described.change("Second"), "AfterContext")["Properties"]["DisplayName"], LATER);
    assert_eq!(cloud.execute("create").await, "CREATE_COMPLETE");
    let described = cloud.updating(&template("c-d")).await;
    assert_eq!(described.valued["StatusReason"], Json::Null, "what is there can be split");
}

//! Templates as people write them: forms of YAML that CloudFormation takes.

use super::*;

/// The properties that the only resource of a stack was made with.
async fn made(template: &str) -> Json {
    let cloud = Cloud::new().await;
    assert_eq!(cloud.deploy("CreateStack", "s", template).await, "CREATE_COMPLETE", "{:?}", cloud.events("s"));
    let stack = cloud.stack("s");
    let shown = stack.events.iter().find_map(|event| event.properties.as_deref()).expect("properties");
    serde_json::from_str(shown).expect("JSON")
}

#[tokio::test(start_paused = true)]
async fn brackets_and_quotes_end_where_people_end_them() {
    let template = "Resources:\n  T:\n    Type: AWS::SNS::Topic\n    Properties:\n      DisplayName: \"one\n      two\"\n      Tags: [\n        {Key: a, Value: b}\n      ]\n      TopicName: t\n";
    let expected = json!({"DisplayName": "one two", "Tags": [{"Key": "a", "Value": "b"}], "TopicName": "t"});
    assert_eq!(made(template).await, expected);
}

#[tokio::test(start_paused = true)]
async fn unquoted_words_are_booleans_and_numbers_stay_as_written() {
    let tags = "[{Key: a, Value: Yes}, {Key: b, Value: off}, {Key: c, Value: 1.30}, {Key: d, Value: 0x1F}, {Key: e, Value: 2012-10-17}]";
    let shown = made(&format!("Resources: {{T: {{Type: 'AWS::SNS::Topic', Properties: {{Tags: {tags}}}}}}}")).await;
    let values: Vec<&str> =
        shown["Tags"].as_array().expect("tags").iter().filter_map(|tag| tag["Value"].as_str()).collect();
    assert_eq!(values, ["true", "false", "1.30", "0x1F", "2012-10-17"]);
    let allowed = "Parameters: {P: {Type: String, AllowedValues: [true, false], Default: True}}\nResources: {T: {Type: 'AWS::SNS::Topic', Properties: {DisplayName: !Ref P}}}";
    assert_eq!(made(allowed).await["DisplayName"], "true");
}

#[tokio::test(start_paused = true)]
async fn the_last_of_two_equal_keys_counts() {
    let yaml = "Resources: {T: {Type: 'AWS::SNS::Topic', Properties: {DisplayName: first, DisplayName: second}}}";
    let json = r#"{"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "first", "DisplayName": "second"}}}}"#;
    for template in [yaml, json] {
        assert_eq!(made(template).await["DisplayName"], "second");
    }
}

#[tokio::test(start_paused = true)]
async fn merge_keys_are_merged() {
    let template = "Resources:\n  T:\n    Type: AWS::SNS::Topic\n    Metadata: &common {DisplayName: one, TopicName: t}\n    Properties: {<<: *common, DisplayName: two}\n";
    assert_eq!(made(template).await, json!({"TopicName": "t", "DisplayName": "two"}));
}

#[tokio::test(start_paused = true)]
async fn public_parameters_are_there() {
    let name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64";
    let template = format!(
        "Parameters: {{Ami: {{Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>', Default: {name}}}}}\nResources: {{T: {{Type: 'AWS::SNS::Topic', Properties: {{DisplayName: !Ref Ami, TopicName: '{{{{resolve:ssm:{name}}}}}'}}}}}}"
    );
    let shown = made(&template).await;
    let cloud = Cloud::new().await;
    let ssm = |operation: &'static str, input: Json| {
        let services = &cloud.aws.world.services;
        let place = &cloud.place;
        async move { services.json(place, "ssm", operation, &input).await }
    };
    let found = ssm("GetParameter", json!({"Name": name})).await.expect("it is there");
    assert_eq!(found["Parameter"]["Value"], shown["DisplayName"]);
    assert_eq!(found["Parameter"]["DataType"], "aws:ec2:image");

    ssm("PutParameter", json!({"Name": "/shop/a", "Value": "b", "Type": "String"})).await.expect("it is put");
    let names = [name, "/shop/a", "/aws/service/nonsense", "/shop/none"];
    let found = ssm("GetParameters", json!({"Names": names})).await.expect("an answer");
    let got: Vec<&str> =
        found["Parameters"].as_array().expect("a list").iter().filter_map(|one| one["Name"].as_str()).collect();
    assert_eq!(got, [name, "/shop/a"]);
    assert_eq!(found["InvalidParameters"], json!(["/aws/service/nonsense", "/shop/none"]));

    let path = "/aws/service/global-infrastructure/regions";
    let (mut regions, mut token) = (Vec::new(), Json::Null);
    loop {
        let mut input = json!({"Path": path});
        if token.is_string() {
            input["NextToken"] = token;
        }
        let page = ssm("GetParametersByPath", input).await.expect("a page");
        regions.extend(page["Parameters"].as_array().expect("a list").iter().map(|one| one["Value"].clone()));
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert!(regions.len() > 30 && regions.contains(&json!("eu-west-1")), "{regions:?}");

    let unknown = "Parameters: {Ami: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /aws/service/nonsense}}\nResources: {T: {Type: 'AWS::SNS::Topic'}}";
    let refused = cloud.refused("CreateStack", json!({"StackName": "u", "TemplateBody": unknown})).await;
    assert_eq!(refused, "Parameter Ami should either have input value or default value");
}

//! Values that a service refuses, found in the template: one line a case.

use cloudformation::validate::{Options, validate_text};
use std::collections::BTreeMap;

fn rules(template: &str, options: &Options) -> Vec<(&'static str, String)> {
    validate_text(template, options)
        .into_iter()
        .filter(|found| found.is_error())
        .map(|found| (found.rule.id, found.message))
        .collect()
}

fn of(resources: &str) -> Vec<&'static str> {
    rules(&format!("Resources:\n{resources}"), &Options::default()).into_iter().map(|(rule, _)| rule).collect()
}

#[test]
fn what_a_service_refuses_is_found() {
    let function = |runtime: &str| {
        format!(
            "  F: {{Type: AWS::Lambda::Function, Properties: {{Runtime: {runtime}, Handler: a.b, Role: 'arn:aws:iam::111122223333:role/r', Code: {{S3Bucket: bucket, S3Key: k}}}}}}\n"
        )
    };
    let target = |min: u32, max: u32| {
        format!(
            "  T: {{Type: AWS::ApplicationAutoScaling::ScalableTarget, Properties: {{MinCapacity: {min}, MaxCapacity: {max}, ResourceId: service/a/b, ScalableDimension: 'ecs:service:DesiredCount', ServiceNamespace: ecs}}}}\n"
        )
    };
    let rule = |name: &str, priority: u32| {
        format!(
            "  {name}: {{Type: AWS::ElasticLoadBalancingV2::ListenerRule, Properties: {{ListenerArn: 'arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/a/1/2', Priority: {priority}, Conditions: [{{Field: path-pattern, Values: [/x]}}], Actions: [{{Type: fixed-response, FixedResponseConfig: {{StatusCode: '404'}}}}]}}}}\n"
        )
    };
    let vpc = "  V: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}\n";
    let subnet = |name: &str, cidr: &str| {
        format!("  {name}: {{Type: AWS::EC2::Subnet, Properties: {{VpcId: !Ref V, CidrBlock: {cidr}}}}}\n")
    };
    let group = |description: &str| {
        format!(
            "  G: {{Type: AWS::EC2::SecurityGroup, Properties: {{GroupDescription: g, VpcId: vpc-1, SecurityGroupIngress: [{{IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 10.0.0.0/8, Description: '{description}'}}]}}}}\n"
        )
    };
    let cases: Vec<(String, Vec<&str>)> = vec![
        (function("python3.13"), vec![]),
        (function("python2.7"), vec!["runtime-ended"]),
        (function("nodejs14.x"), vec!["runtime-ended"]),
        (target(2, 5), vec![]),
        (target(5, 2), vec!["capacity-range"]),
        (rule("A", 1) + &rule("B", 2), vec![]),
        (rule("A", 1) + &rule("B", 1), vec!["same-priority"]),
        (vpc.to_owned() + &subnet("A", "10.0.1.0/28"), vec![]),
        (vpc.to_owned() + &subnet("A", "10.0.1.0/30"), vec!["network-size"]),
        (vpc.to_owned() + &subnet("A", "10.1.1.0/24"), vec!["subnet-outside-vpc"]),
        (vpc.to_owned() + &subnet("A", "10.0.1.0/24") + &subnet("B", "10.0.1.128/25"), vec!["subnet-overlap"]),
        (group("from the office (VPN)"), vec![]),
        (group("für alle"), vec!["rule-description"]),
        (group("a > b"), vec!["rule-description"]),
    ];
    for (resources, expected) in cases {
        assert_eq!(of(&resources), expected, "{resources}");
    }
}

#[test]
fn addresses_by_parameter_are_judged_by_what_they_are() {
    let template = "\
Parameters: {C: {Type: String, Default: 172.16.0.0/24}}
Resources:
  V: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  A: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref V, CidrBlock: !Ref C}}
";
    let of = |parameters: Option<BTreeMap<String, Option<String>>>| {
        let options = Options { parameters, ..Options::default() };
        rules(template, &options).into_iter().map(|(rule, _)| rule).collect::<Vec<_>>()
    };
    let given = |value: Option<&str>| Some(BTreeMap::from([("C".to_owned(), value.map(str::to_owned))]));
    assert_eq!(of(None), ["subnet-outside-vpc"]);
    assert_eq!(of(Some(BTreeMap::new())), ["subnet-outside-vpc"]);
    assert_eq!(of(given(Some("10.0.3.0/24"))), Vec::<&str>::new());
    assert_eq!(of(given(None)), Vec::<&str>::new());
}

#[test]
fn arns_are_of_the_partition_of_the_region() {
    let template = |arn: &str| {
        format!(
            "Resources:\n  P: {{Type: AWS::SNS::TopicPolicy, Properties: {{Topics: ['{arn}'], PolicyDocument: {{Version: '2012-10-17', Statement: []}}}}}}\n"
        )
    };
    let of = |arn: &str, region: &str| {
        let options = Options { region: Some(region.to_owned()), ..Options::default() };
        rules(&template(arn), &options).into_iter().filter(|(rule, _)| *rule == "partition").count()
    };
    assert_eq!(of("arn:aws:sns:eu-west-1:111122223333:t", "eu-west-1"), 0);
    assert_eq!(of("arn:aws:sns:cn-north-1:111122223333:t", "cn-north-1"), 1);
    assert_eq!(of("arn:aws:sns:us-gov-west-1:111122223333:t", "us-gov-west-1"), 1);
    assert_eq!(of("arn:aws-cn:sns:cn-north-1:111122223333:t", "cn-north-1"), 0);
    assert_eq!(of("arn:aws-cn:sns:cn-north-1:111122223333:t", "eu-west-1"), 1);
    assert_eq!(of("arn:aws:sns:eusc-de-east-1:111122223333:t", "eusc-de-east-1"), 1);
}

#[test]
fn a_scenario_that_cannot_deploy_is_named_and_one_that_cannot_be_is_not() {
    let template = "\
Parameters:
  Index: {Type: String, Default: ''}
Conditions:
  HasIndex: !Not [!Equals [!Ref Index, '']]
Resources:
  T: {Type: AWS::SNS::Topic, Properties: {DisplayName: !If [HasIndex, {a: b}, x]}}
";
    let of = |parameters: Option<BTreeMap<String, Option<String>>>| {
        let options = Options { parameters, ..Options::default() };
        rules(template, &options).into_iter().map(|(_, message)| message).collect::<Vec<_>>()
    };
    let found = of(None);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("(where HasIndex is true)"), "{found:?}");
    assert_eq!(of(Some(BTreeMap::new())), Vec::<String>::new());
    let index = BTreeMap::from([("Index".to_owned(), Some("by-date".to_owned()))]);
    assert_eq!(of(Some(index)).len(), 1);
}

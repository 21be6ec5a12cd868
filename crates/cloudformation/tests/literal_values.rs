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
            "  G: {{Type: AWS::EC2::SecurityGroup, Properties: {{GroupDescription: g, VpcId: vpc-0a1b2c3d, SecurityGroupIngress: [{{IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 10.0.0.0/8, Description: '{description}'}}]}}}}\n"
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

#[test]
fn serverless_functions_share_what_globals_say_and_no_name() {
    let of = |global: &str, properties: [&str; 2]| {
        let [one, two] = properties;
        let template = format!(
            "Transform: AWS::Serverless-2016-10-31\nGlobals: {{Function: {{Runtime: {global}}}}}\nResources:\n  \
             A: {{Type: AWS::Serverless::Function, Properties: {{{one}}}}}\n  \
             B: {{Type: AWS::Serverless::Function, Properties: {{{two}}}}}\n"
        );
        rules(&template, &Options::default()).into_iter().map(|(rule, _)| rule).collect::<Vec<_>>()
    };
    let own = "Runtime: python3.13, Handler: a.b";
    assert_eq!(of("python3.13", ["FunctionName: a", "FunctionName: b"]), [""; 0]);
    assert_eq!(of("python3.13", ["FunctionName: a", "FunctionName: a"]), ["same-identifier"]);
    assert_eq!(of("java8", ["Handler: a.b", own]), ["runtime-ended"]);
    assert_eq!(of("java8", [own, own]), [""; 0]);
    let without_transform = "Resources:\n  F: {Type: AWS::Serverless::Function}\nOutputs: {R: {Value: !Ref FRole}}\n";
    let found = rules(without_transform, &Options::default());
    assert_eq!(found.into_iter().map(|(rule, _)| rule).collect::<Vec<_>>(), ["needs-transform"]);
}

#[test]
fn a_reference_gives_what_is_asked_for() {
    let of = |group: &str, rule: &str| {
        let network = "  V: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}\n  B: {Type: \
                       AWS::EC2::VPCCidrBlock, Properties: {VpcId: !Ref V, AmazonProvidedIpv6CidrBlock: true}}\n";
        of(&format!(
            "{network}  G: {{Type: AWS::EC2::SecurityGroup, Properties: {{GroupDescription: g{group}}}}}\n  R: {{Type: \
             AWS::EC2::SecurityGroupIngress, Properties: {{GroupId: !GetAtt G.GroupId, IpProtocol: '-1', {rule}}}}}\n"
        ))
    };
    assert_eq!(of(", VpcId: !Ref V", "SourceSecurityGroupId: !Ref G"), [""; 0]);
    assert_eq!(of("", "SourceSecurityGroupId: !Ref G"), ["reference-format"]);
    assert_eq!(of("", "SourceSecurityGroupId: !GetAtt G.GroupId"), [""; 0]);
    assert_eq!(of("", "SourceSecurityGroupId: !Ref V"), ["reference-format"]);
    assert_eq!(of("", "CidrIpv6: !Ref B"), ["reference-format"]);
    assert_eq!(of("", "CidrIpv6: '2001:db8::/64'"), [""; 0]);
    assert_eq!(of(", VpcId: vpc-1", "SourceSecurityGroupId: !Ref G"), ["format"]);
}

#[test]
fn resources_of_a_module_are_named_by_way_of_it() {
    let of = |name: &str| {
        of(&format!(
            "  Bucket: {{Type: 'Own::S3::Bucket::MODULE'}}\n  T: {{Type: AWS::SNS::Topic, DependsOn: {name}, Properties: \
             {{KmsMasterKeyId: !GetAtt {name}.Arn, DisplayName: !Sub 'x${{{name}}}'}}}}\n"
        ))
    };
    assert_eq!(of("BucketKey"), [""; 0]);
    assert_eq!(of("OtherKey"), ["unresolved-depends-on", "unresolved-getatt", "unresolved-sub"]);
}

#[test]
fn what_only_the_service_sets_is_refused_at_the_top() {
    let of = |properties: &str| {
        of(&format!(
            "  P: {{Type: AWS::MediaTailor::PlaybackConfiguration, Properties: {{Name: a, AdDecisionServerUrl: x, \
             VideoContentSourceUrl: x, {properties}}}}}\n"
        ))
    };
    assert_eq!(of("PlaybackEndpointPrefix: x"), ["read-only-property"]);
    assert_eq!(of("DashConfiguration: {ManifestEndpointPrefix: x}"), [""; 0]);
}

#[test]
fn what_depends_on_a_resource_goes_with_it() {
    let of = |condition: &str| {
        let template = format!(
            "Parameters: {{Stage: {{Type: String}}}}\nConditions: {{Prod: !Equals [!Ref Stage, prod], Test: !Equals \
             [!Ref Stage, test]}}\nResources:\n  A: {{Type: AWS::SNS::Topic, Condition: Prod}}\n  B: {{Type: \
             AWS::SNS::Topic, DependsOn: [A]{condition}}}\n  C: {{Type: AWS::SNS::Topic, Condition: Test}}\n"
        );
        let found = validate_text(&template, &Options::default());
        found.into_iter().map(|found| (found.rule.id, found.path)).collect::<Vec<_>>()
    };
    let goes = || [("goes-with-dependency", "/Resources/B/DependsOn".to_owned())];
    assert_eq!(of(""), goes());
    assert_eq!(of(", Condition: Test"), goes());
    assert_eq!(of(", Condition: Prod"), []);
}

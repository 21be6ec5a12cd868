//! What services say of the resources of a stack: all that its template set, and where they are looked up.

use crate::support::{Client, world};
use aws_sdk_cloudformation::types::Capability;
use local_aws::LocalAws;
use serde_json::{Value as Json, json};

const TEMPLATE: &str = "
Resources:
  Key: {Type: AWS::KMS::Key, Properties: {KeyPolicy: {}}}
  Alias: {Type: AWS::KMS::Alias, Properties: {AliasName: alias/shop, TargetKeyId: !Ref Key}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: items
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      DeletionProtectionEnabled: true
      TableClass: STANDARD_INFREQUENT_ACCESS
      SSESpecification: {SSEEnabled: true, SSEType: KMS, KMSMasterKeyId: !Ref Key}
      StreamSpecification: {StreamViewType: NEW_IMAGE}
      Tags: [{Key: team, Value: shop}]
  Repository:
    Type: AWS::ECR::Repository
    Properties:
      RepositoryName: api
      EncryptionConfiguration: {EncryptionType: KMS, KmsKey: !GetAtt Key.Arn}
      Tags: [{Key: team, Value: shop}]
  Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /shop, KmsKeyId: !GetAtt Key.Arn}}
  Secret: {Type: AWS::SecretsManager::Secret, Properties: {Name: token, Description: d, KmsKeyId: !Ref Key, SecretString: x}}
  Parameter: {Type: AWS::SSM::Parameter, Properties: {Name: /shop/name, Type: String, Value: x, Description: d}}
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: api}}
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16, Tags: [{Key: Name, Value: shop}]}}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24, AvailabilityZone: eu-west-1b}}
  Routes: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  Joined: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {SubnetId: !Ref Subnet, RouteTableId: !Ref Routes}}
  Web:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: web
      GroupName: web
      VpcId: !Ref Vpc
      SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}]
  Zone: {Type: AWS::Route53::HostedZone, Properties: {Name: example.com}}
  Target:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties:
      {MinCapacity: 1, MaxCapacity: 4, ResourceId: service/shop/api, ScalableDimension: 'ecs:service:DesiredCount', ServiceNamespace: ecs}
  Tracking:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties:
      PolicyName: cpu
      PolicyType: TargetTrackingScaling
      ScalingTargetId: !Ref Target
      TargetTrackingScalingPolicyConfiguration:
        TargetValue: 60
        PredefinedMetricSpecification: {PredefinedMetricType: ECSServiceAverageCPUUtilization}
Outputs:
  Stream: {Value: !GetAtt Table.StreamArn}
  Key: {Value: !GetAtt Key.Arn}
  Vpc: {Value: !Ref Vpc}
  Subnet: {Value: !Ref Subnet}
  Api: {Value: !Ref Api}
  Zone: {Value: !Ref Zone}
";

/// The world with the stack `shop`, and the stack's outputs.
async fn deployed() -> (LocalAws, impl Fn(&str) -> String) {
    let aws = world().await;
    let client = Client::new(&aws).cloudformation();
    let create = client.create_stack().stack_name("shop").template_body(TEMPLATE);
    create.capabilities(Capability::CapabilityIam).send().await.expect("accepted");
    let outputs = loop {
        let described = client.describe_stacks().stack_name("shop").send().await.expect("a stack");
        let stack = described.stacks().first().cloned().expect("a stack");
        let status = stack.stack_status().map(|status| status.as_str().to_owned()).unwrap_or_default();
        if !status.ends_with("_IN_PROGRESS") {
            assert_eq!(status, "CREATE_COMPLETE", "{:?}", stack.stack_status_reason());
            break stack.outputs.unwrap_or_default();
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    (aws, move |key: &str| {
        let found = outputs.iter().find(|output| output.output_key() == Some(key));
        found.and_then(|output| output.output_value()).unwrap_or_else(|| panic!("no output {key}")).to_owned()
    })
}

fn scope(service: &str) -> String {
    format!("AWS4-HMAC-SHA256 Credential=111122223333/20261122/eu-west-1/{service}/aws4_request, SignedHeaders=host")
}

async fn call(aws: &LocalAws, service: &str, target: &str, input: Json) -> Json {
    let request = http::Request::post(format!("https://{service}.eu-west-1.amazonaws.com/"))
        .header("authorization", scope(service))
        .header("x-amz-target", target)
        .header("content-type", "application/x-amz-json-1.1")
        .body(input.to_string().into())
        .expect("a request");
    let response = aws.exchange(request).await.expect("an answer");
    assert!(response.status().is_success(), "{target}: {response:?}");
    serde_json::from_slice(response.body()).expect("JSON")
}

/// Asks with a form; what is said, in XML.
async fn ask(aws: &LocalAws, service: &str, form: &str) -> String {
    let request = http::Request::post(format!("https://{service}.eu-west-1.amazonaws.com/"))
        .header("authorization", scope(service))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned().into())
        .expect("a request");
    let response = aws.exchange(request).await.expect("an answer");
    String::from_utf8_lossy(response.body()).into_owned()
}

fn keys(tags: &Json, key: &str) -> Vec<String> {
    let mut keys: Vec<String> =
        tags.as_array().into_iter().flatten().filter_map(|tag| tag[key].as_str()).map(str::to_owned).collect();
    keys.sort_unstable();
    keys
}

const BY_STACK: [&str; 3] =
    ["aws:cloudformation:logical-id", "aws:cloudformation:stack-id", "aws:cloudformation:stack-name"];

#[tokio::test]
async fn a_table_is_described_as_its_template_has_it() {
    let (aws, output) = deployed().await;
    let table = call(&aws, "dynamodb", "DynamoDB_20120810.DescribeTable", json!({"TableName": "items"})).await;
    let table = &table["Table"];
    assert_eq!(table["DeletionProtectionEnabled"], true);
    assert_eq!(table["TableClassSummary"], json!({"TableClass": "STANDARD_INFREQUENT_ACCESS"}));
    assert_eq!(
        table["SSEDescription"],
        json!({"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": output("Key")})
    );
    assert_eq!(table["LatestStreamArn"], output("Stream"));
    assert_eq!(table["WarmThroughput"]["ReadUnitsPerSecond"], 12_000);
    let arn = table["TableArn"].clone();
    let tags = call(&aws, "dynamodb", "DynamoDB_20120810.ListTagsOfResource", json!({"ResourceArn": arn})).await;
    assert_eq!(tags["Tags"], json!([{"Key": "team", "Value": "shop"}]));
}

#[tokio::test]
async fn keys_descriptions_and_tags_are_told() {
    let (aws, output) = deployed().await;
    let key = output("Key");
    let ecr = |operation: &str| format!("AmazonEC2ContainerRegistry_V20150921.{operation}");
    let told = call(&aws, "ecr", &ecr("DescribeRepositories"), json!({"repositoryNames": ["api"]})).await;
    let repository = &told["repositories"][0];
    assert_eq!(repository["encryptionConfiguration"], json!({"encryptionType": "KMS", "kmsKey": key}));
    let arn = repository["repositoryArn"].clone();
    let tags = call(&aws, "ecr", &ecr("ListTagsForResource"), json!({"resourceArn": arn})).await;
    assert_eq!(keys(&tags["tags"], "Key"), [&BY_STACK[..], &["team"]].concat());
    let groups = call(&aws, "logs", "Logs_20140328.DescribeLogGroups", json!({})).await;
    assert_eq!(
        (&groups["logGroups"][0]["kmsKeyId"], &groups["logGroups"][0]["logGroupClass"]),
        (&json!(key), &json!("STANDARD"))
    );
    let secret = call(&aws, "secretsmanager", "secretsmanager.DescribeSecret", json!({"SecretId": "token"})).await;
    assert_eq!(secret["Description"], "d");
    assert!(key.ends_with(secret["KmsKeyId"].as_str().expect("a key")), "{secret}");
    assert_eq!(keys(&secret["Tags"], "Key"), BY_STACK);
    let parameters = call(&aws, "ssm", "AmazonSSM.DescribeParameters", json!({})).await;
    assert_eq!(parameters["Parameters"][0]["Description"], "d");
    let which = json!({"ResourceType": "Parameter", "ResourceId": "/shop/name"});
    let tags = call(&aws, "ssm", "AmazonSSM.ListTagsForResource", which).await;
    assert_eq!(keys(&tags["TagList"], "Key"), BY_STACK);
    let wanted = json!({"TagFilters": [{"Key": "aws:cloudformation:stack-name", "Values": ["shop"]}]});
    let all = call(&aws, "tagging", "ResourceGroupsTaggingAPI_20170126.GetResources", wanted).await;
    let arns = keys(&all["ResourceTagMappingList"], "ResourceARN");
    let api = format!("arn:aws:apigateway:eu-west-1::/restapis/{}", output("Api"));
    assert!(arns.contains(&api), "{arns:?}");
    assert!(arns.iter().any(|arn| arn.ends_with(&format!(":vpc/{}", output("Vpc")))), "{arns:?}");
}

#[tokio::test]
async fn target_tracking_has_its_alarms() {
    let (aws, _) = deployed().await;
    let told = call(&aws, "monitoring", "GraniteServiceVersion20100801.DescribeAlarms", json!({})).await;
    let alarms = told["MetricAlarms"].as_array().expect("alarms");
    let of = |side: &str| {
        let begin = format!("TargetTracking-service/shop/api-{side}-");
        let found =
            alarms.iter().find(|alarm| alarm["AlarmName"].as_str().is_some_and(|name| name.starts_with(&begin)));
        found.unwrap_or_else(|| panic!("no {side}: {alarms:?}"))
    };
    assert_eq!((&of("AlarmHigh")["Threshold"], &of("AlarmLow")["Threshold"]), (&json!(60.0), &json!(54.0)));
    assert_eq!(of("AlarmHigh")["Dimensions"][1], json!({"Name": "ServiceName", "Value": "api"}));
    assert!(of("AlarmLow")["AlarmActions"][0].as_str().is_some_and(|arn| arn.contains(":scalingPolicy:")));
}

#[tokio::test]
async fn networks_are_looked_up() {
    let (aws, output) = deployed().await;
    let (vpc, subnet) = (output("Vpc"), output("Subnet"));
    let ec2 = async |form: &str| ask(&aws, "ec2", &format!("{form}&Version=2016-11-15")).await;
    let zones = ec2("Action=DescribeAvailabilityZones").await;
    assert!(
        zones.contains("<zoneName>eu-west-1a</zoneName>") && zones.contains("<zoneId>euw1-az1</zoneId>"),
        "{zones}"
    );
    let told = ec2("Action=DescribeVpcs&Filter.1.Name=tag:Name&Filter.1.Value.1=sh*").await;
    assert!(
        told.contains(&format!("<vpcId>{vpc}</vpcId>")) && told.contains("<key>Name</key><value>shop</value>"),
        "{told}"
    );
    let none = ec2("Action=DescribeVpcs&Filter.1.Name=isDefault&Filter.1.Value.1=true").await;
    assert!(none.contains("<vpcSet></vpcSet>"), "{none}");
    let told = ec2(&format!("Action=DescribeSubnets&Filter.1.Name=vpc-id&Filter.1.Value.1={vpc}")).await;
    assert!(told.contains(&subnet) && told.contains("<availabilityZone>eu-west-1b</availabilityZone>"), "{told}");
    let told = ec2(&format!("Action=DescribeRouteTables&Filter.1.Name=vpc-id&Filter.1.Value.1={vpc}")).await;
    assert!(told.contains("<main>true</main>") && told.contains(&format!("<subnetId>{subnet}</subnetId>")), "{told}");
    let told = ec2(&format!("Action=DescribeVpnGateways&Filter.1.Name=attachment.vpc-id&Filter.1.Value.1={vpc}")).await;
    assert!(told.contains("<vpnGatewaySet></vpnGatewaySet>"), "{told}");
    let told = ec2("Action=DescribeSecurityGroups&Filter.1.Name=group-name&Filter.1.Value.1=web").await;
    assert!(told.contains("<fromPort>443</fromPort>") && told.contains("<cidrIp>0.0.0.0/0</cidrIp>"), "{told}");
    let told = ec2("Action=DescribeImages&Owner.1=amazon&Filter.1.Name=name&Filter.1.Value.1=al2023-*").await;
    assert!(told.contains("<imageId>ami-0") && told.contains("<name>al2023-0</name>"), "{told}");
    let told = ec2("Action=DescribeVpcs&VpcId.1=vpc-12345678").await;
    assert!(told.contains("<Code>InvalidVpcID.NotFound</Code>"), "{told}");
    let told = ec2("Action=RunInstances").await;
    assert!(told.contains("<Code>InvalidAction</Code>") && told.contains("RunInstances"), "{told}");
}

#[tokio::test]
async fn keys_zones_and_balancers_are_looked_up() {
    let (aws, output) = deployed().await;
    let aliases = call(&aws, "kms", "TrentService.ListAliases", json!({})).await;
    assert_eq!(aliases["Aliases"][0]["AliasName"], "alias/shop");
    assert!(output("Key").ends_with(aliases["Aliases"][0]["TargetKeyId"].as_str().expect("a key")));
    let request = http::Request::get("https://route53.amazonaws.com/2013-04-01/hostedzonesbyname?dnsname=example.com")
        .header("authorization", scope("route53"))
        .body(Default::default())
        .expect("a request");
    let zones = aws.exchange(request).await.expect("an answer");
    let zones = String::from_utf8_lossy(zones.body()).into_owned();
    assert!(zones.contains(&format!("<Id>/hostedzone/{}</Id><Name>example.com.</Name>", output("Zone"))), "{zones}");
    let told = ask(&aws, "elasticloadbalancing", "Action=DescribeLoadBalancers&Version=2015-12-01").await;
    assert!(told.contains("<LoadBalancers></LoadBalancers>"), "{told}");
}

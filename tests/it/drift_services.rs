//! Drift that is made through the services' own APIs, on an emulator that nobody here wrote. Its Cloud Control knows no
//! resource of a stack, and its CloudFormation compares few properties: what neither tells, the services do (ADR 29).

use crate::support::project::Project;
use crate::support::venv;
use serde_json::Value as Json;
use std::process::Command;

const ENVIRONMENT: &str = r#"project: shop
account: "ACCOUNT"
region: us-east-1
images:
  api: {ref: "example.com/api@sha256:1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a"}

stacks:
  all: {template: all}
"#;

const TEMPLATE: &str = r#"description: One of each.
inputs: {}
needs: {ImageUri: "image:api"}
outputs: {}
---
Parameters:
  ImageUri: {Type: String}
Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.0.0.0/16}
  SubnetA:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24}
  SubnetB:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24}
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: For tests
      VpcId: !Ref Vpc
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/8}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: shop-items
      BillingMode: PROVISIONED
      ProvisionedThroughput: {ReadCapacityUnits: 5, WriteCapacityUnits: 5}
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub shop-${AWS::AccountId}
      BucketEncryption:
        ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]
  Balancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties: {Subnets: [!Ref SubnetA, !Ref SubnetB], SecurityGroups: [!Ref Group]}
  Targets:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: {Port: 80, Protocol: HTTP, VpcId: !Ref Vpc, TargetType: ip}
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Port: 80
      Protocol: HTTP
      DefaultActions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "404"}}]
  Rule:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      ListenerArn: !Ref Listener
      Priority: 10
      Conditions: [{Field: path-pattern, PathPatternConfig: {Values: [/a/*]}}]
      Actions: [{Type: forward, TargetGroupArn: !Ref Targets}]
  Cluster:
    Type: AWS::ECS::Cluster
    Properties: {ClusterName: main}
  TaskDefinition:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: api
      ContainerDefinitions: [{Name: app, Image: !Ref ImageUri, Memory: 128}]
  Service:
    Type: AWS::ECS::Service
    Properties: {Cluster: !Ref Cluster, ServiceName: api, TaskDefinition: !Ref TaskDefinition, DesiredCount: 1}
  Topic:
    Type: AWS::SNS::Topic
    Properties: {TopicName: alarms}
  TopicPolicy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: cloudwatch.amazonaws.com}, Action: sns:Publish, Resource: !Ref Topic}
"#;

/// What somebody does to each.
const BY_HAND: &str = r#"
import boto3, json, os, sys, time
account, endpoint = sys.argv[1:]
def client(name):
    return boto3.client(name, endpoint_url=endpoint, region_name='us-east-1',
                        aws_access_key_id=account, aws_secret_access_key='test')
stack = client('cloudformation').describe_stack_resources(StackName='shop-dev-all')['StackResources']
ids = {one['LogicalResourceId']: one['PhysicalResourceId'] for one in stack}
client('ec2').authorize_security_group_ingress(
    GroupId=ids['Group'], IpPermissions=[{'IpProtocol': 'tcp', 'FromPort': 22, 'ToPort': 22,
                                          'IpRanges': [{'CidrIp': '203.0.113.0/24'}]}])
client('dynamodb').update_table(
    TableName='shop-items', ProvisionedThroughput={'ReadCapacityUnits': 7, 'WriteCapacityUnits': 5})
client('s3').put_bucket_encryption(
    Bucket=ids['Bucket'], ServerSideEncryptionConfiguration={
        'Rules': [{'ApplyServerSideEncryptionByDefault': {'SSEAlgorithm': 'aws:kms'}}]})
client('elbv2').modify_rule(
    RuleArn=ids['Rule'], Conditions=[{'Field': 'path-pattern', 'PathPatternConfig': {'Values': ['/b/*']}}])
ecs, image = client('ecs'), 'example.com/api@sha256:' + '2b' * 32
ecs.register_task_definition(family='api', containerDefinitions=[{'name': 'app', 'image': image, 'memory': 128}])
ecs.update_service(cluster='main', service='api', taskDefinition='api:2', desiredCount=2)
policy = {'Version': '2012-10-17', 'Statement': [
    {'Effect': 'Allow', 'Principal': '*', 'Action': 'sns:Publish', 'Resource': ids['Topic']}]}
client('sns').set_topic_attributes(
    TopicArn=ids['Topic'], AttributeName='Policy', AttributeValue=json.dumps(policy))
for _ in range(300):
    arns = ecs.list_tasks(cluster='main', serviceName='api', desiredStatus='RUNNING')['taskArns']
    tasks = ecs.describe_tasks(cluster='main', tasks=arns)['tasks'] if arns else []
    images = {one['image'] for task in tasks for one in task['containers']}
    if images == {image}:
        break
    time.sleep(0.1)
else:
    raise SystemExit(f'tasks still run {images}')
"#;

/// Neither the emulator's CloudFormation nor its Cloud Control compares these, and infra asks no service for them.
const NOT_CHECKED: [&str; 8] =
    ["Balancer", "Cluster", "Listener", "SubnetA", "SubnetB", "Targets", "TaskDefinition", "Vpc"];

/// The names of the resources with a status.
fn of_status(document: &Json, status: &str) -> Vec<String> {
    let resources = document["stacks"][0]["resources"].as_array().expect("resources").iter();
    let mut ids: Vec<String> = resources
        .filter(|one| one["status"] == status)
        .map(|one| one["logical_id"].as_str().expect("a name").to_owned())
        .collect();
    ids.sort();
    ids
}

#[test]
fn changes_through_the_services_themselves_are_found() {
    let project = Project::on_ministack();
    project.write("environments/dev.yaml", ENVIRONMENT).write("templates/all.yaml", TEMPLATE);
    project.infra(&["bootstrap", "--env", "dev", "--yes"]).expect(0);
    project.infra(&["apply", "--env", "dev", "--yes"]).expect(0);
    let quiet = project.infra(&["drift", "--env", "dev", "--format", "json", "--detailed-exitcode"]).expect(0).json();
    assert_eq!(of_status(&quiet, "not_checked"), NOT_CHECKED, "{quiet:#}");
    project.infra(&["drift", "--env", "dev", "--strict"]).expect(1);

    let account = project.account.as_ref().expect("an account");
    let script = Command::new(venv::program("python"))
        .args(["-c", BY_HAND, &account.id, &account.endpoint])
        .output()
        .expect("python starts");
    assert!(script.status.success(), "{}", String::from_utf8_lossy(&script.stderr));

    let found = project.infra(&["drift", "--env", "dev", "--format", "json", "--detailed-exitcode"]).expect(2).json();
    let resources = found["stacks"][0]["resources"].as_array().expect("resources");
    for (id, path) in [
        ("Group", "SecurityGroupIngress[1]"),
        ("Table", "ProvisionedThroughput.ReadCapacityUnits"),
        ("Bucket", "BucketEncryption.ServerSideEncryptionConfiguration[0].ServerSideEncryptionByDefault.SSEAlgorithm"),
        ("Rule", "Conditions[0].PathPatternConfig.Values[0]"),
        ("Service", "DesiredCount"),
        ("Service", "TaskDefinition"),
        ("Service", "running image of app"),
        ("TopicPolicy", "PolicyDocument.Statement[0].Principal"),
    ] {
        let resource = resources.iter().find(|one| one["logical_id"] == id).expect("the resource");
        assert_eq!(resource["status"], "modified", "{resource:#}");
        let paths = resource["properties"].as_array().expect("properties").iter().map(|one| one["path"].as_str());
        let named = paths.flatten().any(|found| found == path || found.starts_with(&format!("{path}.")));
        assert!(named, "{path}: {resource:#}");
    }
    assert_eq!(
        of_status(&found, "modified"),
        ["Bucket", "Group", "Rule", "Service", "Table", "TopicPolicy"],
        "{found:#}"
    );
    assert_eq!(of_status(&found, "not_checked"), NOT_CHECKED);
}

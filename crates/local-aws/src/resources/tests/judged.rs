//! References to what is not there, and values that a service refuses although the schema takes them.

use super::*;
use jiff::Timestamp;

async fn world() -> LocalAws {
    let epoch = Some("2026-12-01T00:00:00Z".parse::<Timestamp>().expect("a time"));
    LocalAws::open(Options { epoch, ..Options::default() }).await.expect("a world")
}

struct Maker(LocalAws);

impl Maker {
    async fn make(&self, id: &str, type_name: &str, properties: Json) -> Made {
        let made = create(&self.0.world, &owner(id), type_name, &properties, None).await;
        made.unwrap_or_else(|failure| panic!("{type_name} {properties}: {}", failure.reason))
    }

    async fn refused(&self, type_name: &str, properties: Json) -> String {
        match create(&self.0.world, &owner("X"), type_name, &properties, None).await {
            Ok(made) => panic!("{type_name} {properties}: made {made:?}"),
            Err(failure) => failure.reason,
        }
    }
}

const FUNCTION: &str = "AWS::Lambda::Function";

fn function(more: Json) -> Json {
    let mut properties = json!({"Code": {"ZipFile": "x"}, "Role": "arn:aws:iam::444455556666:role/theirs",
        "Runtime": "python3.13", "Handler": "a.b"});
    for (name, value) in more.as_object().into_iter().flatten() {
        properties[name] = value.clone();
    }
    properties
}

#[tokio::test]
async fn what_is_not_there_is_refused_in_the_services_words() {
    let it = Maker(world().await);
    let arn = |service: &str, rest: &str| format!("arn:aws:{service}:eu-west-1:111122223333:{rest}");
    let key = "1234abcd-12ab-34cd-56ef-1234567890ab";
    let balancer = arn("elasticloadbalancing", "loadbalancer/app/a/50dc6c495c0c9188");
    let cases = [
        (
            "AWS::EC2::Subnet",
            json!({"VpcId": "vpc-0123456789abcdef0", "CidrBlock": "10.0.0.0/24"}),
            "The vpc ID 'vpc-0123456789abcdef0' does not exist (Service: Ec2, Status Code: 400",
        ),
        (
            "AWS::EC2::Instance",
            json!({"ImageId": "ami-12345678", "SubnetId": "subnet-12345678"}),
            "The subnet ID 'subnet-12345678' does not exist (Service: Ec2",
        ),
        (
            "AWS::EC2::SecurityGroupIngress",
            json!({"GroupId": "sg-12345678", "IpProtocol": "tcp", "CidrIp": "10.0.0.0/8"}),
            "The security group 'sg-12345678' does not exist",
        ),
        (
            FUNCTION,
            function(json!({"VpcConfig": {"SubnetIds": ["subnet-12345678"], "SecurityGroupIds": []}})),
            "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: The subnet ID \
             'subnet-12345678' does not exist (Service: Lambda",
        ),
        (
            FUNCTION,
            function(json!({"Role": "arn:aws:iam::111122223333:role/service-role/none"})),
            "The role defined for the function cannot be assumed by Lambda. (Service: Lambda, Status Code: 400",
        ),
        (
            FUNCTION,
            function(json!({"Layers": [arn("lambda", "layer:tools:3")]})),
            "Layer version arn:aws:lambda:eu-west-1:111122223333:layer:tools:3 does not exist.",
        ),
        (
            FUNCTION,
            function(json!({"Code": {"S3Bucket": "no-such-bucket", "S3Key": "f.zip"}})),
            "Error occurred while GetObject. S3 Error Code: NoSuchBucket.",
        ),
        (
            "AWS::Lambda::Permission",
            json!({"FunctionName": "none", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}),
            "Function not found: arn:aws:lambda:eu-west-1:111122223333:function:none (Service: Lambda, Status Code: 404",
        ),
        (
            "AWS::Logs::LogGroup",
            json!({"LogGroupName": "g", "KmsKeyId": arn("kms", &format!("key/{key}"))}),
            "The specified KMS Key Id could not be found.",
        ),
        (
            "AWS::ElasticLoadBalancingV2::Listener",
            json!({"LoadBalancerArn": balancer, "DefaultActions": [{"Type": "fixed-response"}]}),
            "One or more load balancers not found",
        ),
        (
            "AWS::Route53::RecordSet",
            json!({"HostedZoneId": "Z0NONE", "Name": "a.example.com", "Type": "A"}),
            "No hosted zone found with ID: Z0NONE (Service: Route53, Status Code: 404",
        ),
        (
            "AWS::IAM::InstanceProfile",
            json!({"Roles": ["nobody"]}),
            "The role with name nobody cannot be found. (Service: Iam, Status Code: 404",
        ),
        (
            "AWS::SNS::Subscription",
            json!({"TopicArn": arn("sns", "none"), "Protocol": "email", "Endpoint": "a@example.com"}),
            "Topic does not exist",
        ),
    ];
    for (type_name, properties, message) in cases {
        let told = it.refused(type_name, properties.clone()).await;
        assert!(told.contains(message), "{type_name} {properties}: {told}");
        let partial = LocalAws::open(Options { partial: true, ..Options::default() }).await.expect("a world");
        let made = create(&partial.world, &owner("X"), type_name, &properties, None).await;
        assert!(made.is_ok(), "an account that holds more may have it: {type_name}: {made:?}");
    }
}

#[tokio::test]
async fn what_is_there_or_elsewhere_is_taken() {
    let it = Maker(world().await);
    let vpc = it.make("Vpc", "AWS::EC2::VPC", json!({"CidrBlock": "10.0.0.0/16"})).await;
    let group = vpc.attributes["DefaultSecurityGroup"].clone();
    let role =
        it.make("Role", "AWS::IAM::Role", json!({"RoleName": "mine", "Path": "/a/", "AssumeRolePolicyDocument": {}}));
    let role = role.await.attributes["Arn"].clone();
    let subnet =
        it.make("Subnet", "AWS::EC2::Subnet", json!({"VpcId": vpc.physical_id, "CidrBlock": "10.0.1.0/24"})).await;
    let key = it.make("Key", "AWS::KMS::Key", json!({"KeyPolicy": {}})).await;
    it.make("Alias", "AWS::KMS::Alias", json!({"AliasName": "alias/mine", "TargetKeyId": key.physical_id})).await;
    let config = json!({"SubnetIds": [subnet.physical_id], "SecurityGroupIds": [group]});
    it.make("F", FUNCTION, function(json!({"FunctionName": "f", "Role": role, "VpcConfig": config}))).await;
    it.make(
        "P",
        "AWS::Lambda::Permission",
        json!({"FunctionName": "f", "Action": "lambda:InvokeFunction", "Principal": "*"}),
    )
    .await;
    for (id, kms) in
        [("A", json!(key.physical_id)), ("B", json!("alias/mine")), ("C", json!("alias/aws/secretsmanager"))]
    {
        it.make(id, "AWS::SecretsManager::Secret", json!({"Name": id, "KmsKeyId": kms, "SecretString": "x"})).await;
    }
    let theirs = json!({"Layers": ["arn:aws:lambda:eu-west-1:444455556666:layer:theirs:1"], "FunctionName": "g"});
    it.make("G", FUNCTION, function(theirs)).await;
    // What only names something is no reference to it.
    it.make("R", "AWS::Events::Rule", json!({"ScheduleExpression": "rate(1 hour)", "Targets": [{"Id": "a", "Arn": "x",
        "EcsParameters": {"TaskDefinitionArn": "t", "NetworkConfiguration": {"AwsVpcConfiguration": {"Subnets": ["subnet-12345678"]}}}}]})).await;
    it.make("V", "AWS::SSM::Parameter", json!({"Type": "String", "Value": "vpc-12345678", "Name": "v"})).await;
}

#[tokio::test]
async fn values_that_do_not_go_together_are_refused() {
    let it = Maker(world().await);
    let vpc = it.make("Vpc", "AWS::EC2::VPC", json!({"CidrBlock": "10.0.0.0/16"})).await.physical_id;
    let subnet = |block: &str| json!({"VpcId": vpc, "CidrBlock": block});
    it.make("A", "AWS::EC2::Subnet", subnet("10.0.1.0/24")).await;
    let target = |min: u32, max: u32| {
        json!({"MinCapacity": min, "MaxCapacity": max, "ResourceId": "service/a/b",
        "ScalableDimension": "ecs:service:DesiredCount", "ServiceNamespace": "ecs"})
    };
    let group = |more: Json| {
        let mut group = json!({"MinSize": "2", "MaxSize": "4", "AvailabilityZones": ["eu-west-1a"], "LaunchConfigurationName": "c"});
        more.as_object().into_iter().flatten().for_each(|(name, value)| group[name] = value.clone());
        group
    };
    let cases = [
        ("AWS::EC2::Subnet", subnet("10.0.1.128/25"), "The CIDR '10.0.1.128/25' conflicts with another subnet"),
        ("AWS::EC2::Subnet", subnet("172.16.0.0/24"), "The CIDR '172.16.0.0/24' is invalid."),
        ("AWS::EC2::Subnet", subnet("10.0.2.0/30"), "The CIDR '10.0.2.0/30' is invalid."),
        ("AWS::EC2::VPC", json!({"CidrBlock": "10.0.0.0/8"}), "The CIDR '10.0.0.0/8' is invalid."),
        (
            "AWS::ApplicationAutoScaling::ScalableTarget",
            target(5, 2),
            "Maximum capacity cannot be less than minimum capacity",
        ),
        (
            "AWS::AutoScaling::AutoScalingGroup",
            group(json!({"MaxSize": "1"})),
            "Max bound, 1, must be greater than or equal to min bound, 2",
        ),
        (
            "AWS::AutoScaling::AutoScalingGroup",
            group(json!({"DesiredCapacity": "9"})),
            "Desired capacity:9 must be between the specified min size:2 and max size:4",
        ),
        (
            "AWS::Events::Rule",
            json!({"ScheduleExpression": "rate(1 hours)"}),
            "Parameter ScheduleExpression is not valid. (Service: EventBridge",
        ),
        (
            "AWS::Scheduler::Schedule",
            json!({"ScheduleExpression": "at(noon)", "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": {"Arn": "a", "RoleArn": "arn:aws:iam::111122223333:role/b"}}),
            "Invalid Schedule Expression at(noon).",
        ),
        (
            FUNCTION,
            function(json!({"Runtime": "python2.7"})),
            "The runtime parameter of python2.7 is no longer supported for creating or updating AWS Lambda functions.",
        ),
    ];
    for (type_name, properties, message) in cases {
        let told = it.refused(type_name, properties.clone()).await;
        assert!(told.contains(message), "{type_name} {properties}: {told}");
    }
    it.make("More", "AWS::EC2::VPCCidrBlock", json!({"VpcId": vpc, "CidrBlock": "172.16.0.0/16"})).await;
    it.make("B", "AWS::EC2::Subnet", subnet("172.16.0.0/24")).await;
    it.make("T", "AWS::ApplicationAutoScaling::ScalableTarget", target(2, 2)).await;
}

#[tokio::test]
async fn priorities_are_taken_once_on_a_listener() {
    let it = Maker(LocalAws::open(Options { partial: true, ..Options::default() }).await.expect("a world"));
    let rule = |listener: &str, priority: Json| {
        json!({"ListenerArn": listener, "Priority": priority, "Actions": [{"Type": "fixed-response"}],
            "Conditions": [{"Field": "path-pattern", "Values": ["/"]}]})
    };
    let type_name = "AWS::ElasticLoadBalancingV2::ListenerRule";
    it.make("A", type_name, rule("one", json!(10))).await;
    let second = it.make("B", type_name, rule("one", json!(20))).await.physical_id;
    it.make("C", type_name, rule("two", json!(10))).await;
    let told = it.refused(type_name, rule("one", json!("10"))).await;
    assert!(told.contains("Priority '10' is currently in use (Service: ElasticLoadBalancingV2"), "{told}");
    let changed =
        update(&it.0.world, &owner("B"), type_name, &second, &rule("one", json!(20)), &rule("one", json!(10))).await;
    assert!(changed.expect_err("taken").reason.contains("Priority '10' is currently in use"));
}

#[tokio::test]
async fn storage_does_not_shrink() {
    let it = Maker(world().await);
    let rds = "(50) cannot be less than the current storage size (100) (Service: Rds, Status Code: 400";
    let cases = [
        (
            "AWS::EC2::Volume",
            json!({"AvailabilityZone": "eu-west-1a"}),
            json!([{"Size": 100}, {"Size": 50}, {"Size": 200}]),
            "New size cannot be smaller than existing size (Service: Ec2, Status Code: 400",
        ),
        (
            "AWS::RDS::DBInstance",
            json!({"Engine": "postgres"}),
            json!([{"AllocatedStorage": "100"}, {"AllocatedStorage": "50"}, {"AllocatedStorage": "200"}]),
            rds,
        ),
        (
            "AWS::RDS::DBCluster",
            json!({"Engine": "mysql", "DBClusterInstanceClass": "db.m6gd.large", "MasterUsername": "shop"}),
            json!([{"AllocatedStorage": 100}, {"AllocatedStorage": 50}, {"AllocatedStorage": 200}]),
            rds,
        ),
        (
            "AWS::SageMaker::NotebookInstance",
            json!({"InstanceType": "ml.t3.medium", "RoleArn": "arn:aws:iam::999999999999:role/notebook"}),
            json!([{"VolumeSizeInGB": 100}, {"VolumeSizeInGB": 50}, {"VolumeSizeInGB": 200}]),
            "The volume size can only be increased (Service: SageMaker",
        ),
    ];
    for (type_name, base, sizes, message) in cases {
        let with = |at: usize| {
            let mut properties = base.clone();
            properties.as_object_mut().expect("a map").extend(sizes[at].as_object().expect("a map").clone());
            properties
        };
        let made = it.make("A", type_name, with(0)).await.physical_id;
        let change = async |to: usize| update(&it.0.world, &owner("A"), type_name, &made, &with(0), &with(to)).await;
        let reason = change(1).await.expect_err("smaller").reason;
        assert!(reason.contains(message), "{reason}");
        change(2).await.expect("larger");
    }
}

#[tokio::test]
async fn rules_on_a_bus_of_their_own_are_called_by_both() {
    let it = Maker(world().await);
    it.make("Bus", "AWS::Events::EventBus", json!({"Name": "orders"})).await;
    let rule = |bus: &str| json!({"Name": "paid", "EventBusName": bus, "EventPattern": {"source": ["shop"]}});
    assert_eq!(it.make("A", "AWS::Events::Rule", rule("orders")).await.physical_id, "orders|paid");
    assert_eq!(it.make("B", "AWS::Events::Rule", rule("default")).await.physical_id, "paid");
}

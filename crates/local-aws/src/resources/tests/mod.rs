//! Names, promises and refusals; the modules: types by their schemas, and the services behind some.

mod backed;
mod catalog;
mod documented;
mod every_type;
mod judged;
mod recorded;

use super::*;
use crate::{LocalAws, Options};
use serde_json::{Value as Json, json};

pub(super) fn owner(logical_id: &str) -> Owner {
    Owner {
        place: Place::new("111122223333", "eu-west-1"),
        stack_name: "shop-prod-web".to_owned(),
        stack_id: "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop-prod-web/uuid".to_owned(),
        logical_id: logical_id.to_owned(),
        tags: IndexMap::new(),
    }
}

#[tokio::test]
async fn names_look_as_on_aws() {
    let aws = LocalAws::open(Options::default()).await.expect("a world");
    let cases = [
        ("AWS::S3::Bucket", json!({}), "shop-prod-web-resource-{lower:12}"),
        ("AWS::SSM::Parameter", json!({"Type": "String", "Value": "x"}), "CFN-Resource-{alnum:12}"),
        ("AWS::SNS::Topic", json!({}), "arn:aws:sns:eu-west-1:111122223333:shop-prod-web-Resource-{alnum:12}"),
        ("AWS::SNS::Topic", json!({"TopicName": "orders"}), "arn:aws:sns:eu-west-1:111122223333:orders"),
        ("AWS::SQS::Queue", json!({"QueueName": "work"}), "https://sqs.eu-west-1.amazonaws.com/111122223333/work"),
        ("AWS::EC2::VPC", json!({"CidrBlock": "10.0.0.0/16"}), "vpc-0{hex:16}"),
        ("AWS::EC2::SecurityGroup", json!({"GroupDescription": "x", "VpcId": "vpc-1"}), "sg-0{hex:16}"),
        ("AWS::EC2::SecurityGroup", json!({"GroupDescription": "x"}), "shop-prod-web-Resource-{alnum:12}"),
        ("AWS::EC2::VPCGatewayAttachment", json!({"VpcId": "vpc-1", "InternetGatewayId": "igw-1"}), "IGW|vpc-1"),
        ("AWS::KMS::Key", json!({}), "{uuid}"),
        ("AWS::CloudFront::Distribution", json!({"DistributionConfig": {}}), "E{upper:13}"),
        (
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            json!({}),
            "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop-prod-Resource-{alnum:12}/{hex:16}",
        ),
        (
            "AWS::ECS::TaskDefinition",
            json!({"Family": "api"}),
            "arn:aws:ecs:eu-west-1:111122223333:task-definition/api:1",
        ),
        (
            "AWS::SecretsManager::Secret",
            json!({"Name": "db"}),
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-{alnum:6}",
        ),
        ("AWS::ApiGateway::Stage", json!({"RestApiId": "a", "StageName": "Prod"}), "Prod"),
    ];
    for (type_name, properties, expected) in cases {
        let made = name(&aws.world, &owner("Resource"), type_name, &properties);
        assert!(form::read(expected, &made).is_some(), "{type_name}: {made} is not {expected}");
    }
}

#[tokio::test]
async fn a_promised_name_is_kept() {
    let aws = LocalAws::open(Options::default()).await.expect("a world");
    let owner = owner("Balancer");
    let type_name = "AWS::ElasticLoadBalancingV2::LoadBalancer";
    let promised = name(&aws.world, &owner, type_name, &json!({"Subnets": ["a", "b"]}));
    let made =
        create(&aws.world, &owner, type_name, &json!({"Subnets": ["a", "b"]}), Some(&promised)).await.expect("made");
    assert_eq!(made.physical_id, promised);
    let full = promised.split_once("loadbalancer/").expect("an ARN").1;
    assert_eq!(made.attributes["LoadBalancerFullName"], json!(full));
    let short = full.split('/').nth(1).expect("a name");
    assert_eq!(made.attributes["LoadBalancerName"], json!(short));
    assert!(made.attributes["DNSName"].as_str().is_some_and(|host| host.starts_with(short)));
    assert_eq!(made.attributes["CanonicalHostedZoneID"], json!("Z32O12XQLNTSW2"));
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let aws = LocalAws::open(Options::default()).await.expect("a world");
    let properties = json!({"TopicName": "orders"});
    let first = create(&aws.world, &owner("A"), "AWS::SNS::Topic", &properties, None).await.expect("made");
    let again = create(&aws.world, &owner("B"), "AWS::SNS::Topic", &properties, None).await.expect_err("taken");
    assert_eq!(again.code, "AlreadyExists");
    assert_eq!(again.reason, format!("{} already exists in stack {}", first.physical_id, owner("A").stack_id));
}

#[tokio::test]
async fn an_update_leaves_alone_what_it_does_not_change() {
    let aws = LocalAws::open(Options::default()).await.expect("a world");
    let owner = owner("Topic");
    let before = json!({"TopicName": "orders", "DisplayName": "one"});
    let made = create(&aws.world, &owner, "AWS::SNS::Topic", &before, None).await.expect("made");
    let after = json!({"TopicName": "orders", "DisplayName": "two"});
    update(&aws.world, &owner, "AWS::SNS::Topic", &made.physical_id, &before, &after).await.expect("changed");
    let live = read(&aws.world, &owner.place, "AWS::SNS::Topic", &made.physical_id).await.expect("there");
    assert_eq!(live["DisplayName"], json!("two"));
    assert_eq!(live["TopicArn"], json!(made.physical_id));
    delete(&aws.world, &owner, "AWS::SNS::Topic", &made.physical_id, &after).await.expect("deleted");
    assert_eq!(read(&aws.world, &owner.place, "AWS::SNS::Topic", &made.physical_id).await, None);
    let gone = update(&aws.world, &owner, "AWS::SNS::Topic", &made.physical_id, &after, &before).await;
    assert_eq!(gone.expect_err("gone").code, "NotFound");
}

#[tokio::test]
async fn values_of_what_only_the_service_sets_are_ignored() {
    let aws = LocalAws::open(Options { partial: true, ..Options::default() }).await.expect("a world");
    let cases = [
        ("AWS::SNS::Topic", json!({"TopicName": "orders", "TopicArn": "mine"}), "TopicArn"),
        ("AWS::Neptune::DBInstance", json!({"DBInstanceClass": "db.t3.medium", "Port": "1"}), "Port"),
        (
            "AWS::AutoScaling::ScheduledAction",
            json!({"AutoScalingGroupName": "g", "ScheduledActionName": "mine", "MinSize": 1}),
            "ScheduledActionName",
        ),
    ];
    for (type_name, properties, name) in cases {
        let owner = owner("Resource");
        let promised = super::name(&aws.world, &owner, type_name, &properties);
        let made = create(&aws.world, &owner, type_name, &properties, Some(&promised)).await;
        let made = made.unwrap_or_else(|failure| panic!("{type_name}: {}", failure.reason));
        assert_ne!(made.attributes[name], properties[name], "{type_name}");
        let handle = handle(type_name, &made.physical_id, &properties);
        let live = read(&aws.world, &owner.place, type_name, &handle).await.expect("there");
        assert_eq!(live[name], made.attributes[name], "{type_name}");
    }
}

#[tokio::test]
async fn what_is_in_use_stays() {
    let aws = LocalAws::open(Options { partial: true, ..Options::default() }).await.expect("a world");
    let make = async |id: &str, type_name: &str, properties: Json| {
        create(&aws.world, &owner(id), type_name, &properties, None).await.expect("made").physical_id
    };
    let vpc = make("Vpc", "AWS::EC2::VPC", json!({"CidrBlock": "10.0.0.0/16"})).await;
    let subnet = make("Subnet", "AWS::EC2::Subnet", json!({"VpcId": vpc, "CidrBlock": "10.0.1.0/24"})).await;
    let group = make("Group", "AWS::EC2::SecurityGroup", json!({"GroupDescription": "x", "VpcId": vpc})).await;
    let lambda = json!({
        "Code": {"ZipFile": "x"},
        "Role": "arn:aws:iam::111122223333:role/x",
        "Runtime": "python3.12",
        "Handler": "a.b",
        "VpcConfig": {"SubnetIds": [subnet], "SecurityGroupIds": [group]},
    });
    let function = make("Function", "AWS::Lambda::Function", lambda).await;
    let remove = async |type_name: &str, id: &str| delete(&aws.world, &owner("X"), type_name, id, &json!({})).await;
    let refused = remove("AWS::EC2::SecurityGroup", &group).await.expect_err("in use");
    assert!(refused.reason.contains(&format!("resource {group} has a dependent object")), "{}", refused.reason);
    assert!(remove("AWS::EC2::Subnet", &subnet).await.is_err());
    assert!(remove("AWS::EC2::VPC", &vpc).await.is_err());
    for (type_name, id) in [
        ("AWS::Lambda::Function", &function),
        ("AWS::EC2::SecurityGroup", &group),
        ("AWS::EC2::Subnet", &subnet),
        ("AWS::EC2::VPC", &vpc),
    ] {
        assert_eq!(remove(type_name, id).await, Ok(()), "{type_name}");
    }
}

#[tokio::test]
async fn what_was_saved_comes_back() {
    let aws = LocalAws::open(Options { partial: true, ..Options::default() }).await.expect("a world");
    let layer = json!({"LayerName": "api", "Content": {"S3Bucket": "code", "S3Key": "layer.zip"}});
    let first = create(&aws.world, &owner("A"), "AWS::Lambda::LayerVersion", &layer, None).await.expect("made");
    let saved = serde_json::to_string(&aws.world.resources.save()).expect("plain data");
    let other = LocalAws::open(Options { partial: true, ..Options::default() }).await.expect("a world");
    other.world.resources.restore(serde_json::from_str(&saved).expect("as it was saved"));
    let live = read(&other.world, &owner("A").place, "AWS::Lambda::LayerVersion", &first.physical_id).await;
    assert_eq!(live.expect("there")["LayerVersionArn"], json!(first.physical_id));
    let next = create(&other.world, &owner("A"), "AWS::Lambda::LayerVersion", &layer, None).await.expect("made");
    assert!(next.physical_id.ends_with("layer:api:2"), "{}", next.physical_id);
}

#[tokio::test]
async fn record_sets_of_one_name_are_told_apart() {
    let aws = LocalAws::open(Options { partial: true, ..Options::default() }).await.expect("a world");
    let record = |kind: &str| json!({"HostedZoneId": "Z1", "Name": "a.example.com", "Type": kind, "TTL": "60"});
    let (type_name, place) = ("AWS::Route53::RecordSet", owner("A").place);
    for kind in ["A", "AAAA"] {
        let made = create(&aws.world, &owner(kind), type_name, &record(kind), None).await.expect("made");
        assert_eq!(made.physical_id, "a.example.com");
    }
    let again = create(&aws.world, &owner("B"), type_name, &record("A"), None).await.expect_err("taken");
    assert_eq!(again.code, "AlreadyExists");
    let mut longer = record("AAAA");
    longer["TTL"] = json!("300");
    let updated = update(&aws.world, &owner("AAAA"), type_name, "a.example.com", &record("AAAA"), &longer).await;
    updated.expect("updated");
    let ttl = async |identifier: &str| Some(read(&aws.world, &place, type_name, identifier).await?["TTL"].clone());
    assert_eq!(ttl("a.example.com|Z1|A|").await, Some(json!("60")));
    assert_eq!(ttl("a.example.com|Z1|AAAA|").await, Some(json!("300")));
    delete(&aws.world, &owner("A"), type_name, "a.example.com", &record("A")).await.expect("deleted");
    assert_eq!(ttl("a.example.com|Z1|A|").await, None);
    assert_eq!(ttl("a.example.com|Z1|AAAA|").await, Some(json!("300")));
}

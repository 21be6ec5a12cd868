//! For each type that the catalog of templates uses: a change of any property that may change, made through Cloud
//! Control, is found and named.

use super::every_type::least;
use super::*;
use crate::cloudcontrol;
use crate::ids::Ids;
use bytes::Bytes;
use cloudformation::schema::{Keyword, RequiresRecreation, ResourceType, Schema, resource_type};
use serde_json::Map;

/// Types with least properties where the schema alone does not lead to them.
fn base(type_name: &str, known: &ResourceType, ids: &Ids) -> Json {
    match type_name {
        "AWS::DynamoDB::Table" => json!({
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        }),
        "AWS::EC2::Route" => {
            json!({"RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"})
        }
        "AWS::EC2::Subnet" => json!({"VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24"}),
        "AWS::EC2::VPC" => json!({"CidrBlock": "10.0.0.0/16"}),
        "AWS::EC2::VPCGatewayAttachment" => json!({"VpcId": "vpc-1", "InternetGatewayId": "igw-1"}),
        "AWS::ElasticLoadBalancingV2::Listener" => json!({
            "LoadBalancerArn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/x/0123456789abcdef",
            "DefaultActions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
            "Port": 80,
            "Protocol": "HTTP",
        }),
        "AWS::ElasticLoadBalancingV2::ListenerRule" => json!({
            "ListenerArn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/x/0123456789abcdef/0123456789abcdef",
            "Priority": 1,
            "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
            "Conditions": [{"Field": "path-pattern", "Values": ["/a"]}],
        }),
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => json!({"Subnets": ["subnet-1", "subnet-2"]}),
        "AWS::ElasticLoadBalancingV2::TargetGroup" => {
            json!({"Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip"})
        }
        "AWS::Route53::RecordSet" => {
            json!({"Name": "a.example.com", "HostedZoneId": "Z1", "Type": "CNAME", "TTL": "60", "ResourceRecords": ["b.example.com"]})
        }
        "AWS::SecretsManager::Secret" => json!({"SecretString": "x"}),
        "AWS::SSM::Parameter" => json!({"Type": "String", "Value": "x"}),
        "AWS::S3::BucketPolicy" => json!({"Bucket": "held", "PolicyDocument": {"Statement": []}}),
        "AWS::CloudFront::Distribution" => json!({"DistributionConfig": {
            "Enabled": true,
            "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "https-only", "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6"},
            "Origins": [{"Id": "o", "DomainName": "a.s3.amazonaws.com", "S3OriginConfig": {}}],
        }}),
        _ => least(known, known.schema(), ids, 0),
    }
}

const TYPES: [&str; 47] = [
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::CertificateManager::Certificate",
    "AWS::CloudFront::Distribution",
    "AWS::CloudFront::OriginAccessControl",
    "AWS::CloudFront::ResponseHeadersPolicy",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::DynamoDB::Table",
    "AWS::EC2::EIP",
    "AWS::EC2::FlowLog",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::Route",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCEndpoint",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::ECR::Repository",
    "AWS::ECS::Cluster",
    "AWS::ECS::Service",
    "AWS::ECS::TaskDefinition",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::ListenerRule",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::OIDCProvider",
    "AWS::IAM::Role",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::Route53::HostedZone",
    "AWS::Route53::RecordSet",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SSM::Parameter",
    "AWS::SecretsManager::Secret",
    "AWS::WAFv2::LoggingConfiguration",
    "AWS::WAFv2::WebACL",
    "AWS::WAFv2::WebACLAssociation",
];

/// Properties that were changed and looked at. Fewer means that the test has lost its sight.
const LEAST_CHANGED: usize = 230;

#[tokio::test]
async fn every_change_through_cloud_control_is_drift() {
    let ids = Ids::new(5);
    let (mut changed, mut missed, mut not_tried) = (0, Vec::new(), Vec::new());
    for type_name in TYPES {
        let known = resource_type(type_name).expect("of the catalog");
        // What the registry cannot read, nobody can look at: neither CloudFormation nor Cloud Control.
        if !known.has_handler("update") || !drift::is_checked(type_name) {
            continue;
        }
        let base = base(type_name, known, &ids);
        assert_eq!(check(type_name, &base), Ok(()), "{type_name} {base}");
        for (name, schema) in known.schema().properties().into_iter().flatten() {
            let settable = !known.is_read_only(name) && !known.is_write_only(name);
            if !settable || known.update_behaviour(name) != RequiresRecreation::Never {
                continue;
            }
            let Some((declared, patched)) = two_values(type_name, known, &base, name, schema, &ids) else {
                not_tried.push(format!("{type_name}/{name}"));
                continue;
            };
            match change(type_name, &declared, name, &patched).await {
                Ok(paths) => {
                    changed += 1;
                    let named = !paths.is_empty() && paths.iter().all(|path| path.split('/').nth(1) == Some(name));
                    if !named {
                        missed.push(format!("{type_name}/{name}: {} → {patched}: {paths:?}", declared[name.as_ref()]));
                    }
                }
                Err(why) => not_tried.push(format!("{type_name}/{name}: {why}")),
            }
        }
    }
    assert!(missed.is_empty(), "{} of {changed} missed: {missed:#?}", missed.len());
    assert!(changed >= LEAST_CHANGED, "{changed} changed; not tried: {not_tried:#?}");
}

/// The base with a value for the property, and another value for it that the schema takes.
fn two_values(
    type_name: &str,
    known: &ResourceType,
    base: &Json,
    name: &str,
    schema: &Schema,
    ids: &Ids,
) -> Option<(Json, Json)> {
    let mut firsts = vec![base.get(name).cloned()];
    firsts.extend((0..3).map(|_| Some(least(known, schema, ids, 0))));
    firsts.push(Some(json!([])));
    let with = |value: &Json| {
        let mut properties = base.clone();
        properties[name] = value.clone();
        check(type_name, &properties).is_ok().then_some(properties)
    };
    for first in firsts.into_iter().flatten() {
        let Some(declared) = with(&first) else { continue };
        let mut others = Vec::new();
        variants(known, schema, &first, ids, 0, &mut others);
        if let Some(other) = others.into_iter().find(|other| *other != first && with(other).is_some()) {
            return Some((declared, other));
        }
    }
    None
}

/// Values that differ from one in a single place.
fn variants(known: &ResourceType, schema: &Schema, value: &Json, ids: &Ids, depth: usize, found: &mut Vec<Json>) {
    let schema = schema.follow(known.schema());
    if depth > 4 {
        return;
    }
    for keyword in &schema.keywords {
        if let Keyword::Enum(allowed) = keyword {
            return found.extend(allowed.iter().filter(|one| *one != value).cloned());
        }
    }
    match value {
        Json::Bool(truth) => found.push(json!(!truth)),
        Json::Number(number) => {
            let number = number.as_i64().unwrap_or_default();
            found.extend([1, -1, 60].map(|step| json!(number + step)));
        }
        Json::String(text) => {
            found.extend((0..4).map(|_| least(known, schema, ids, 0)));
            found.push(json!(format!("{text}x")));
        }
        Json::Array(items) => {
            let inner = schema.items();
            for (at, item) in items.iter().enumerate() {
                let mut others = Vec::new();
                inner.iter().for_each(|schema| variants(known, schema, item, ids, depth + 1, &mut others));
                for other in others {
                    let mut list = items.clone();
                    list[at] = other;
                    found.push(Json::Array(list));
                }
            }
            let more = inner.map(|schema| least(known, schema, ids, 0));
            found.extend(more.map(|more| Json::Array(items.iter().cloned().chain([more]).collect())));
        }
        Json::Object(members) => {
            for (name, inner) in schema.properties().into_iter().flatten() {
                let mut others = Vec::new();
                match members.get(name.as_ref()) {
                    Some(value) => variants(known, inner, value, ids, depth + 1, &mut others),
                    None => continue,
                }
                for other in others {
                    let mut object = members.clone();
                    object.insert(name.to_string(), other);
                    found.push(Json::Object(object));
                }
            }
            if schema.properties().is_none() {
                let mut object: Map<String, Json> = members.clone();
                object.insert("Added".to_owned(), json!("x"));
                object.extend(members.iter().map(|(name, _)| (name.clone(), json!("other"))));
                found.push(Json::Object(object));
            }
        }
        Json::Null => {}
    }
}

/// Makes the resource as a stack does, changes a property through Cloud Control, and tells the paths of the drift.
async fn change(type_name: &str, declared: &Json, name: &str, value: &Json) -> Result<Vec<String>, String> {
    let aws = LocalAws::open(Options { partial: true, ..Options::default() }).await.expect("a world");
    let owner = owner("Thing");
    if type_name == "AWS::S3::BucketPolicy" {
        let bucket = json!({"BucketName": "held"});
        create(&aws.world, &owner, "AWS::S3::Bucket", &bucket, None).await.map_err(|failure| failure.reason)?;
    }
    let made = create(&aws.world, &owner, type_name, declared, None).await.map_err(|failure| failure.reason)?;
    let called = handle(type_name, &made.physical_id, declared);
    let found = find(&aws.world, &owner.place, type_name, &called).await.expect("there");
    let before = drift::compare(type_name, declared, Some(&found.properties), &owner.tags);
    assert_eq!(before.differences, [], "{type_name} drifts at once");
    let patch = json!([{"op": "add", "path": format!("/{name}"), "value": value}]).to_string();
    let input = json!({"TypeName": type_name, "Identifier": found.identifier, "PatchDocument": patch});
    let token = call(&aws, &owner, "UpdateResource", input).await?["RequestToken"].clone();
    let event = call(&aws, &owner, "GetResourceRequestStatus", json!({"RequestToken": token})).await?;
    if event["OperationStatus"] != "SUCCESS" {
        return Err(event["StatusMessage"].to_string());
    }
    let mut changed = declared.clone();
    changed[name] = value.clone();
    let called = handle(type_name, &made.physical_id, &changed);
    let live = read(&aws.world, &owner.place, type_name, &called).await.expect("there");
    let compared = drift::compare(type_name, declared, Some(&live), &owner.tags);
    Ok(compared.differences.into_iter().map(|difference| difference.path).collect())
}

async fn call(aws: &LocalAws, owner: &Owner, operation: &str, input: Json) -> Result<Json, String> {
    let request = http::Request::post("/")
        .header("x-amz-target", format!("CloudApiService.{operation}"))
        .body(Bytes::from(input.to_string()))
        .expect("a request");
    let response = cloudcontrol::answer(&aws.world, &owner.place, &request).await;
    let body: Json = serde_json::from_slice(response.body()).expect("JSON");
    match response.status().is_success() {
        true => Ok(body["ProgressEvent"].clone()),
        false => Err(body["Message"].to_string()),
    }
}

//! What is known of AWS and stands in no schema: values that it sets by itself, lists whose order means nothing, and
//! differences that are none.

use super::meaning::{normal, same};
use serde_json::{Value as Json, json};

/// Whether AWS gives the property this value by itself, as the service's API reference says.
pub fn is_aws_default(type_name: &str, property: &str, value: &Json) -> bool {
    let default = match (type_name, property) {
        ("AWS::ECS::Service", "SchedulingStrategy") => json!("REPLICA"),
        ("AWS::ECS::Service", "PlatformVersion") => json!("LATEST"),
        ("AWS::ECS::Service", "PropagateTags") => json!("NONE"),
        ("AWS::ECS::Service", "AvailabilityZoneRebalancing") => json!("ENABLED"),
        ("AWS::ECS::Service", "DeploymentController") => json!({"Type": "ECS"}),
        ("AWS::Logs::LogGroup", "LogGroupClass") => json!("STANDARD"),
        ("AWS::SQS::Queue", "DelaySeconds" | "ReceiveMessageWaitTimeSeconds") => json!(0),
        ("AWS::SQS::Queue", "MaximumMessageSize") => return is_one_of(value, &[json!(262_144), json!(1_048_576)]),
        ("AWS::SQS::Queue", "MessageRetentionPeriod") => json!(345_600),
        ("AWS::SQS::Queue", "VisibilityTimeout") => json!(30),
        ("AWS::SQS::Queue", "SqsManagedSseEnabled") => json!(true),
        ("AWS::S3::Bucket", "OwnershipControls") => {
            json!({"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
        }
        ("AWS::S3::Bucket", "PublicAccessBlockConfiguration") => json!({
            "BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
        }),
        ("AWS::S3::Bucket", "BucketEncryption") => return is_s3_managed(value),
        ("AWS::Lambda::Function", "Architectures") => json!(["x86_64"]),
        ("AWS::Lambda::Function", "EphemeralStorage") => json!({"Size": 512}),
        ("AWS::Lambda::Function", "MemorySize") => json!(128),
        ("AWS::Lambda::Function", "Timeout") => json!(3),
        ("AWS::Lambda::Function", "PackageType") => json!("Zip"),
        ("AWS::Lambda::Function", "TracingConfig") => json!({"Mode": "PassThrough"}),
        ("AWS::Lambda::Function", "RuntimeManagementConfig") => json!({"UpdateRuntimeOn": "Auto"}),
        ("AWS::DynamoDB::Table", "BillingMode") => json!("PROVISIONED"),
        ("AWS::DynamoDB::Table", "TableClass") => json!("STANDARD"),
        ("AWS::DynamoDB::Table", "ProvisionedThroughput") => json!({"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}),
        ("AWS::IAM::Role", "MaxSessionDuration") => json!(3600),
        ("AWS::IAM::Role" | "AWS::IAM::ManagedPolicy", "Path") => json!("/"),
        ("AWS::KMS::Key", "KeySpec") => json!("SYMMETRIC_DEFAULT"),
        ("AWS::KMS::Key", "KeyUsage") => json!("ENCRYPT_DECRYPT"),
        ("AWS::KMS::Key", "Origin") => json!("AWS_KMS"),
        ("AWS::KMS::Key", "Enabled") => json!(true),
        ("AWS::ECR::Repository", "ImageTagMutability") => json!("MUTABLE"),
        ("AWS::ECR::Repository", "EncryptionConfiguration") => json!({"EncryptionType": "AES256"}),
        ("AWS::EC2::VPC", "EnableDnsSupport") => json!(true),
        ("AWS::EC2::VPC", "InstanceTenancy") => json!("default"),
        ("AWS::EC2::SecurityGroup", "SecurityGroupEgress") => return is_open_egress(value),
        ("AWS::EC2::Subnet", "PrivateDnsNameOptionsOnLaunch") => return is_plain_dns(value),
        ("AWS::EC2::NatGateway", "ConnectivityType") => json!("public"),
        ("AWS::EC2::EIP", "Domain") => json!("vpc"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "IpAddressType") => json!("ipv4"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Type") => json!("application"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Scheme") => json!("internet-facing"),
        ("AWS::SecretsManager::Secret", "KmsKeyId") => json!("alias/aws/secretsmanager"),
        ("AWS::SSM::Parameter", "Tier") => json!("Standard"),
        ("AWS::SSM::Parameter", "DataType") => json!("text"),
        ("AWS::CloudWatch::Alarm", "ActionsEnabled") => json!(true),
        ("AWS::CloudWatch::Alarm", "TreatMissingData") => json!("missing"),
        ("AWS::SNS::Topic", "TracingConfig") => json!("PassThrough"),
        ("AWS::SNS::Topic", "SignatureVersion") => json!("1"),
        ("AWS::Events::Rule", "State") => json!("ENABLED"),
        ("AWS::Events::Rule", "EventBusName") => json!("default"),
        _ => return false,
    };
    same(&normal(&default), value)
}

fn is_one_of(value: &Json, all: &[Json]) -> bool {
    all.iter().any(|one| same(one, value))
}

/// S3 encrypts with its own keys since January 2023.
fn is_s3_managed(value: &Json) -> bool {
    let rules = value["ServerSideEncryptionConfiguration"].as_array();
    rules
        .is_some_and(|rules| rules.iter().all(|rule| rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"))
}

/// A group that says nothing of egress lets everything out.
fn is_open_egress(value: &Json) -> bool {
    let rules = value.as_array();
    rules.is_some_and(|rules| {
        rules.iter().all(|rule| {
            let everywhere = rule["CidrIp"] == "0.0.0.0/0" || rule["CidrIpv6"] == "::/0";
            everywhere && same(&rule["IpProtocol"], &json!("-1"))
        })
    })
}

fn is_plain_dns(value: &Json) -> bool {
    let off = |name: &str| matches!(value.get(name), None | Some(Json::Bool(false)));
    value.get("HostnameType").is_none_or(|kind| kind == "ip-name")
        && off("EnableResourceNameDnsARecord")
        && off("EnableResourceNameDnsAAAARecord")
}

/// Lists whose order means nothing although their schema does not say so.
pub fn is_set(type_name: &str, path: &str) -> bool {
    let top = path.split('/').next().unwrap_or(path);
    match type_name {
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => matches!(top, "LoadBalancerAttributes" | "Subnets"),
        "AWS::ElasticLoadBalancingV2::TargetGroup" => matches!(top, "TargetGroupAttributes" | "Targets"),
        "AWS::ECS::TaskDefinition" => {
            let last = path.rsplit('/').next().unwrap_or(path);
            matches!(last, "Environment" | "Secrets" | "RequiresCompatibilities")
        }
        _ => false,
    }
}

/// A difference that CloudFormation reports and that is none: AWS shows the same in another way. With the reason, for
/// people.
pub fn false_alarm(
    type_name: &str,
    pointer: &str,
    declared: Option<&Json>,
    live: Option<&Json>,
) -> Option<&'static str> {
    let text = |value: Option<&'_ Json>| value.and_then(Json::as_str).map(str::to_owned);
    let (declared_text, live_text) = (text(declared), text(live));
    let pair = declared_text.as_deref().zip(live_text.as_deref());
    let top = pointer.split('/').nth(1).unwrap_or_default();
    let last = pointer.rsplit('/').next().unwrap_or_default();
    match (type_name, top) {
        // Names that DNS takes for the same.
        (_, _) if pair.is_some_and(|(one, other)| is_dns_name(last) && dns(one) == dns(other)) => {
            Some("the same name in DNS")
        }
        // A key by id, alias or ARN.
        (_, _) if last.contains("Kms") && pair.is_some_and(|(one, other)| names_the_same_key(one, other)) => {
            Some("the same key, by its id and by its ARN")
        }
        ("AWS::EC2::SecurityGroup" | "AWS::EC2::SecurityGroupIngress" | "AWS::EC2::SecurityGroupEgress", _)
            if pair.is_some_and(|(one, other)| last == "IpProtocol" && protocol(one) == protocol(other)) =>
        {
            Some("the same protocol, by its name and by its number")
        }
        // A cluster, role or definition by its name or by its ARN.
        (_, _)
            if pair.is_some_and(|(one, other)| {
                (one.starts_with("arn:") != other.starts_with("arn:"))
                    && (is_name_of(one, other) || is_name_of(other, one))
            }) =>
        {
            Some("the same thing, by its name and by its ARN")
        }
        _ => None,
    }
}

fn is_dns_name(last: &str) -> bool {
    matches!(last, "Name" | "DNSName" | "DomainName")
}

fn dns(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn names_the_same_key(one: &str, other: &str) -> bool {
    let key = |text: &str| text.rsplit_once(":key/").map_or(text, |(_, id)| id).to_owned();
    key(one) == key(other)
}

/// IANA's numbers, which EC2 takes as well as the names.
fn protocol(text: &str) -> &str {
    match text.to_ascii_lowercase().as_str() {
        "tcp" | "6" => "tcp",
        "udp" | "17" => "udp",
        "icmp" | "1" => "icmp",
        "icmpv6" | "58" => "icmpv6",
        "-1" | "all" => "-1",
        _ => text,
    }
}

/// Whether the last part of an ARN is this name.
fn is_name_of(name: &str, arn: &str) -> bool {
    arn.starts_with("arn:") && !name.is_empty() && arn.rsplit(['/', ':']).next() == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn false_alarms() {
        let of = |type_name: &str, pointer: &str, one: &str, other: &str| {
            false_alarm(type_name, pointer, Some(&json!(one)), Some(&json!(other))).is_some()
        };
        let key = "arn:aws:kms:us-east-1:111122223333:key/0b1c";
        assert!(of("AWS::Route53::RecordSet", "/Name", "a.example.com", "A.example.com."));
        assert!(of("AWS::Logs::LogGroup", "/KmsKeyId", "0b1c", key));
        assert!(!of("AWS::Logs::LogGroup", "/KmsKeyId", "0b1d", key));
        assert!(of("AWS::EC2::SecurityGroup", "/SecurityGroupIngress/0/IpProtocol", "6", "tcp"));
        assert!(!of("AWS::EC2::SecurityGroup", "/SecurityGroupIngress/0/IpProtocol", "udp", "tcp"));
        assert!(of("AWS::ECS::Service", "/Cluster", "main", "arn:aws:ecs:us-east-1:111122223333:cluster/main"));
        assert!(!of("AWS::ECS::Service", "/Cluster", "other", "arn:aws:ecs:us-east-1:111122223333:cluster/main"));
    }

    #[test]
    fn groups_let_everything_out_by_themselves() {
        let rule = |cidr: &str| json!([{"CidrIp": cidr, "IpProtocol": "-1"}]);
        assert!(is_aws_default("AWS::EC2::SecurityGroup", "SecurityGroupEgress", &rule("0.0.0.0/0")));
        assert!(!is_aws_default("AWS::EC2::SecurityGroup", "SecurityGroupEgress", &rule("10.0.0.0/8")));
    }
}

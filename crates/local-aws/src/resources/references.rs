//! References to what is not there: an account knows its own networks, roles, keys and buckets, and a service refuses a
//! resource that names one that does not exist. What another account or region holds passes.
//!
//! Only what a service looks up when a resource is made or changed is judged: a rule of EventBridge may name a subnet
//! that nobody has. Messages are those of the services, as users report them and as their API references have them
//! (`InvalidVpcID.NotFound`, `InvalidSubnetID.NotFound`, `InvalidGroup.NotFound`, `NoSuchEntity`, `NoSuchHostedZone`).

use super::live::{Live, State};
use super::request::{Refusal, Request};
use crate::place::Place;
use cloudformation::schema::resource_type;
use serde_json::Value as Json;

/// Where a reference stands: the names of the properties down to it, without positions in lists.
struct Spot<'p> {
    names: Vec<&'p str>,
    text: &'p str,
}

/// Refuses properties that refer to what is not there: the first one that does. What stays as it is was judged before.
pub(super) fn refusal(request: &Request<'_>) -> Option<Refusal> {
    let Request { world, place, type_name, before, properties } = *request;
    if world.partial {
        return None;
    }
    let mut texts = Vec::new();
    for (name, value) in properties {
        if before.is_none_or(|before| before.get(name) != Some(value)) {
            collect(value, &mut vec![name.as_str()], &mut texts);
        }
    }
    let state = world.resources.lock();
    let judge = Judge { state: &state, place, type_name };
    texts.iter().find_map(|text| judge.missing(text))
}

/// Documents and free texts name things without referring to them.
const FREE: [&str; 12] = [
    "Tags",
    "Environment",
    "UserData",
    "Description",
    "PolicyDocument",
    "AssumeRolePolicyDocument",
    "KeyPolicy",
    "RedrivePolicy",
    "ResourcePolicy",
    "Policies",
    "LaunchTemplateData",
    "Metadata",
];

fn collect<'p>(value: &'p Json, names: &mut Vec<&'p str>, found: &mut Vec<Spot<'p>>) {
    match value {
        Json::String(text) => found.push(Spot { names: names.clone(), text }),
        Json::Array(items) => items.iter().for_each(|item| collect(item, names, found)),
        Json::Object(members) => {
            for (name, value) in members.iter().filter(|(name, _)| !FREE.contains(&name.as_str())) {
                names.push(name);
                collect(value, names, found);
                names.pop();
            }
        }
        _ => {}
    }
}

struct Judge<'j> {
    state: &'j State,
    place: &'j Place,
    type_name: &'j str,
}

impl Judge<'_> {
    fn missing(&self, at: &Spot<'_>) -> Option<Refusal> {
        let name = *at.names.last()?;
        self.network(name, at.text)
            .or_else(|| self.identity(at))
            .or_else(|| self.key(name, at.text))
            .or_else(|| self.balancing(name, at.text))
            .or_else(|| self.function(at))
            .or_else(|| self.zone(at))
    }

    fn service(&self) -> &str {
        self.type_name.split("::").nth(1).unwrap_or_default()
    }

    fn is_made(&self, type_name: &str, id: &str) -> bool {
        self.state.get(self.place, type_name, id).is_some()
            || self.state.of_type(self.place, type_name).any(|live| live.physical_id == id || is_called(live, id))
    }

    /// Ids of EC2, in the types of which their services look them up.
    fn network(&self, name: &str, id: &str) -> Option<Refusal> {
        let looks_up = match self.service() {
            "EC2" => self.type_name != "AWS::EC2::LaunchTemplate",
            "AutoScaling" | "EFS" | "ElastiCache" | "ElasticLoadBalancing" | "ElasticLoadBalancingV2" | "RDS" => true,
            _ => matches!(self.type_name, "AWS::Lambda::Function" | "AWS::ECS::Service" | "AWS::EKS::Cluster"),
        };
        let (prefix, rest) = id.split_once('-')?;
        let is_hex = matches!(rest.len(), 8 | 17) && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (type_name, what, names): (&str, &str, &[&str]) = match prefix {
            "vpc" => ("AWS::EC2::VPC", "The vpc ID", &["VpcId", "VPCId"]),
            "subnet" => ("AWS::EC2::Subnet", "The subnet ID", &["SubnetId", "SubnetIds", "Subnets"]),
            "sg" => {
                let names =
                    &["SecurityGroupIds", "SecurityGroups", "GroupId", "SourceSecurityGroupId", "VPCSecurityGroups"];
                ("AWS::EC2::SecurityGroup", "The security group", names)
            }
            "rtb" => ("AWS::EC2::RouteTable", "The routeTable ID", &["RouteTableId"]),
            "igw" => ("AWS::EC2::InternetGateway", "The internetGateway ID", &["InternetGatewayId", "GatewayId"]),
            "nat" => ("AWS::EC2::NatGateway", "The natGateway ID", &["NatGatewayId"]),
            "eipalloc" => ("AWS::EC2::EIP", "The allocation ID", &["AllocationId"]),
            "acl" => ("AWS::EC2::NetworkAcl", "The networkAcl ID", &["NetworkAclId"]),
            "vol" => ("AWS::EC2::Volume", "The volume", &["VolumeId"]),
            _ => return None,
        };
        if !looks_up || !(is_hex || names.contains(&name)) || self.is_made(type_name, id) || self.is_given(id) {
            return None;
        }
        let message = format!("{what} '{id}' does not exist");
        Some(match self.type_name {
            "AWS::Lambda::Function" => {
                let (call, code) = match prefix {
                    "sg" => ("DescribeSecurityGroups", "InvalidGroup.NotFound"),
                    _ => ("DescribeSubnets", "InvalidSubnetID.NotFound"),
                };
                let message =
                    format!("Error occurred while {call}. EC2 Error Code: {code}. EC2 Error Message: {message}");
                Refusal::invalid("Lambda", message)
            }
            "AWS::ECS::Service" => {
                let message = format!(
                    "Error retrieving subnet information for [{id}]: {message} (ErrorCode: Invalid{}.NotFound)",
                    if prefix == "sg" { "Group" } else { "SubnetID" }
                );
                Refusal::invalid("AmazonECS", message)
            }
            "AWS::EKS::Cluster" => Refusal::invalid("Eks", message),
            _ => match self.service() {
                "ElasticLoadBalancingV2" => Refusal::invalid("ElasticLoadBalancingV2", message),
                "RDS" if prefix == "subnet" => {
                    Refusal::invalid("Rds", format!("Some input subnets in :[{id}] are invalid."))
                }
                "RDS" => Refusal::invalid("Rds", format!("Invalid security group , groupId= {id}, groupName=.")),
                "ElastiCache" => Refusal::invalid("ElastiCache", message),
                "EFS" => Refusal::invalid("Efs", message),
                "AutoScaling" => Refusal::invalid("AutoScaling", message),
                _ => Refusal::invalid("Ec2", message),
            },
        })
    }

    /// Whether a service gave the id to something: the default security group of a VPC, the interface of an endpoint.
    fn is_given(&self, id: &str) -> bool {
        self.state.of_place(self.place).any(|live| {
            let known = resource_type(&live.type_name);
            live.properties
                .iter()
                .any(|(name, value)| known.is_some_and(|known| known.is_read_only(name)) && holds(value, id))
        })
    }

    /// Roles, instance profiles, policies and key pairs.
    fn identity(&self, at: &Spot<'_>) -> Option<Refusal> {
        let (name, text) = (*at.names.last()?, at.text);
        let named = |type_name: &str, property: &str, name: &str| {
            let mut all = self.state.of_account(&self.place.account, type_name);
            all.any(|live| {
                live.physical_id == name || live.properties.get(property).and_then(Json::as_str) == Some(name)
            })
        };
        if let Some(path) = self.own_arn(text, "iam").and_then(|resource| resource.strip_prefix("role/")) {
            let role = path.rsplit('/').next().unwrap_or(path);
            let is_linked = path.starts_with("aws-service-role/");
            if is_linked || !name.to_ascii_lowercase().contains("role") || named("AWS::IAM::Role", "RoleName", role) {
                return None;
            }
            return match self.type_name {
                "AWS::Lambda::Function" => {
                    Some(Refusal::invalid("Lambda", "The role defined for the function cannot be assumed by Lambda."))
                }
                "AWS::ECS::TaskDefinition" => Some(Refusal::invalid("AmazonECS", "Role is not valid")),
                "AWS::StepFunctions::StateMachine" => Some(Refusal::invalid(
                    "Sfn",
                    format!("The provided role '{text}' does not exist or cannot be assumed."),
                )),
                "AWS::EKS::Cluster" | "AWS::EKS::Nodegroup" => {
                    Some(Refusal::invalid("Eks", format!("The role with name {role} cannot be found.")))
                }
                _ => None,
            };
        }
        if self.own_arn(text, "iam").is_some_and(|resource| resource.starts_with("policy/")) {
            let attaches = self.service() == "IAM" && name == "ManagedPolicyArns";
            let missing = attaches && !named("AWS::IAM::ManagedPolicy", "PolicyArn", text);
            let message = || format!("Policy {text} does not exist or is not attachable.");
            return missing.then(|| Refusal::missing("Iam", message()));
        }
        let (type_name, property, message): (&str, &str, String) = match (self.type_name, name) {
            (
                "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" | "AWS::IAM::InstanceProfile" | "AWS::IAM::RolePolicy",
                "Roles" | "RoleName",
            ) => ("AWS::IAM::Role", "RoleName", format!("The role with name {text} cannot be found.")),
            ("AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" | "AWS::IAM::UserToGroupAddition", "Users") => {
                ("AWS::IAM::User", "UserName", format!("The user with name {text} cannot be found."))
            }
            ("AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy", "Groups") | ("AWS::IAM::User", "Groups") => {
                ("AWS::IAM::Group", "GroupName", format!("The group with name {text} cannot be found."))
            }
            ("AWS::EC2::Instance", "IamInstanceProfile") => {
                if named("AWS::IAM::InstanceProfile", "InstanceProfileName", text) {
                    return None;
                }
                let message = format!(
                    "Value ({text}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
                );
                return Some(Refusal::invalid("Ec2", message));
            }
            ("AWS::EC2::Instance", "KeyName") => {
                let known = self.is_made("AWS::EC2::KeyPair", text);
                return (!known).then(|| Refusal::invalid("Ec2", format!("The key pair '{text}' does not exist")));
            }
            _ => return None,
        };
        (!named(type_name, property, text)).then(|| Refusal::missing("Iam", message))
    }

    /// Keys of KMS, and certificates.
    fn key(&self, name: &str, text: &str) -> Option<Refusal> {
        if name.ends_with("CertificateArn") || name.ends_with("CertificateARN") {
            return self.certificate(text);
        }
        if !name.to_ascii_lowercase().contains("kms") {
            return None;
        }
        let id = match text.starts_with("arn:") {
            true => self.own_arn_here(text, "kms")?,
            false => text,
        };
        let id = id.strip_prefix("key/").unwrap_or(id);
        let is_uuid = id.len() == 36 && id.bytes().filter(|byte| *byte == b'-').count() == 4;
        let there = match id.strip_prefix("alias/") {
            Some(alias) if alias.starts_with("aws/") => true,
            Some(_) => self.is_made("AWS::KMS::Alias", id),
            None if !is_uuid => return None,
            None => self.is_made("AWS::KMS::Key", id) || self.is_made("AWS::KMS::ReplicaKey", id),
        };
        if there {
            return None;
        }
        match self.type_name {
            "AWS::Logs::LogGroup" => {
                Some(Refusal::invalid("CloudWatchLogs", "The specified KMS Key Id could not be found."))
            }
            "AWS::SecretsManager::Secret" => {
                Some(Refusal::missing("SecretsManager", format!("The specified KMS key does not exist: {text}")))
            }
            "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => {
                Some(Refusal::invalid("DynamoDb", format!("KMS key not found: {text}")))
            }
            "AWS::RDS::DBInstance" | "AWS::RDS::DBCluster" => Some(Refusal::invalid(
                "Rds",
                format!(
                    "The specified KMS key [{text}] does not exist, is not enabled or you do not have permissions to access it."
                ),
            )),
            "AWS::ECR::Repository" => Some(Refusal::invalid("Ecr", format!("KMS key '{text}' does not exist"))),
            "AWS::EFS::FileSystem" => Some(Refusal::invalid("Efs", format!("The KMS key {text} does not exist."))),
            "AWS::Kinesis::Stream" => Some(Refusal::invalid("Kinesis", format!("Key '{text}' does not exist"))),
            "AWS::Lambda::Function" => Some(Refusal::invalid("Lambda", "KMS key is invalid for CreateGrant")),
            _ => None,
        }
    }

    fn certificate(&self, arn: &str) -> Option<Refusal> {
        // CloudFront reads certificates of its own region, whatever the stack's.
        let region = match self.service() {
            "CloudFront" => "us-east-1",
            _ => self.place.region.as_str(),
        };
        let home = Place::new(&self.place.account, region);
        let is_own = arn.starts_with(&home.arn("acm", "certificate/"));
        if !is_own || self.state.get(&home, "AWS::CertificateManager::Certificate", arn).is_some() {
            return None;
        }
        Some(match self.service() {
            "ElasticLoadBalancingV2" => {
                Refusal::invalid("ElasticLoadBalancingV2", format!("Certificate ARN '{arn}' is not valid"))
            }
            "CloudFront" => Refusal::invalid(
                "CloudFront",
                "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a \
                 valid certificate chain.",
            ),
            "ApiGateway" | "ApiGatewayV2" => {
                Refusal::invalid("ApiGateway", format!("Unable to find certificate {arn} in ACM"))
            }
            _ => return None,
        })
    }

    /// Load balancers, their listeners and target groups, topics.
    fn balancing(&self, name: &str, arn: &str) -> Option<Refusal> {
        let own = |service: &str, kind: &str| self.own_arn_here(arn, service).is_some_and(|it| it.starts_with(kind));
        let (type_name, message) = match (self.service(), name) {
            ("ElasticLoadBalancingV2", "LoadBalancerArn") if own("elasticloadbalancing", "loadbalancer/") => {
                ("AWS::ElasticLoadBalancingV2::LoadBalancer", "One or more load balancers not found")
            }
            ("ElasticLoadBalancingV2", "ListenerArn") if own("elasticloadbalancing", "listener/") => {
                ("AWS::ElasticLoadBalancingV2::Listener", "One or more listeners not found")
            }
            ("ElasticLoadBalancingV2", "TargetGroupArn") if own("elasticloadbalancing", "targetgroup/") => {
                ("AWS::ElasticLoadBalancingV2::TargetGroup", "One or more target groups not found")
            }
            ("SNS", "TopicArn") if own("sns", "") => {
                return (!self.is_made("AWS::SNS::Topic", arn))
                    .then(|| Refusal::missing("Sns", "Topic does not exist"));
            }
            _ => return None,
        };
        (!self.is_made(type_name, arn)).then(|| Refusal::invalid("ElasticLoadBalancingV2", message))
    }

    /// Functions, and layers of functions.
    fn function(&self, at: &Spot<'_>) -> Option<Refusal> {
        if self.service() != "Lambda" {
            return None;
        }
        let (name, text) = (*at.names.last()?, at.text);
        if name == "Layers" {
            let own = self.own_arn_here(text, "lambda").is_some_and(|resource| resource.starts_with("layer:"));
            let missing = own && !self.is_made("AWS::Lambda::LayerVersion", text);
            return missing.then(|| Refusal::invalid("Lambda", format!("Layer version {text} does not exist.")));
        }
        let names_one = matches!(
            self.type_name,
            "AWS::Lambda::Permission"
                | "AWS::Lambda::EventSourceMapping"
                | "AWS::Lambda::Version"
                | "AWS::Lambda::Alias"
                | "AWS::Lambda::Url"
                | "AWS::Lambda::EventInvokeConfig"
        );
        if !names_one || !matches!(name, "FunctionName" | "TargetFunctionArn") {
            return None;
        }
        let function = match text.starts_with("arn:") {
            true => self.own_arn_here(text, "lambda")?.strip_prefix("function:")?,
            false => text,
        };
        let function = function.split(':').next().unwrap_or(function);
        let arn = self.place.arn("lambda", &format!("function:{function}"));
        let missing = !self.is_made("AWS::Lambda::Function", function);
        missing.then(|| Refusal::missing("Lambda", format!("Function not found: {arn}")))
    }

    /// The zone that records are in. What an alias points to is in a zone of AWS's.
    fn zone(&self, at: &Spot<'_>) -> Option<Refusal> {
        let of_records = matches!(self.type_name, "AWS::Route53::RecordSet" | "AWS::Route53::RecordSetGroup");
        if !of_records || at.names.last() != Some(&"HostedZoneId") || at.names.contains(&"AliasTarget") {
            return None;
        }
        let id = at.text;
        let mut zones = self.state.of_account(&self.place.account, "AWS::Route53::HostedZone");
        let missing = !zones.any(|zone| zone.physical_id == id);
        missing.then(|| Refusal::missing("Route53", format!("No hosted zone found with ID: {id}")))
    }

    /// What follows the account in an ARN of this account, if it is one of `service`.
    fn own_arn<'t>(&self, text: &'t str, service: &str) -> Option<&'t str> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", _, of, _, account, resource] if *of == service && *account == self.place.account => Some(resource),
            _ => None,
        }
    }

    /// The same, of this region too.
    fn own_arn_here<'t>(&self, text: &'t str, service: &str) -> Option<&'t str> {
        let region = text.split(':').nth(3)?;
        self.own_arn(text, service).filter(|_| region == self.place.region)
    }
}

/// Whether a resource goes by this name or id beside its physical one.
fn is_called(live: &Live, id: &str) -> bool {
    ["GroupId", "AllocationId", "Arn", "KeyId", "AliasName", "KeyName"]
        .iter()
        .any(|name| live.properties.get(*name).and_then(Json::as_str) == Some(id))
}

fn holds(value: &Json, id: &str) -> bool {
    match value {
        Json::String(text) => text == id,
        Json::Array(items) => items.iter().any(|item| holds(item, id)),
        _ => false,
    }
}

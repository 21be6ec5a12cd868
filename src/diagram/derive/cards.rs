//! The cards of a picture: which resources get one, and what stands on it. What only serves another resource stands on the
//! card of that one; what there are many of is summed up.

use super::relations::Relations;
use crate::diagram::scene::{Node, NodeKind};
use crate::inventory::Resource;
use std::collections::{BTreeMap, BTreeSet};

/// A node, and where it belongs.
#[derive(Debug, Clone)]
pub(super) struct Card {
    pub node: Node,
    pub kind: NodeKind,
    pub region: String,
    /// It is in no region, but wherever its users are.
    pub edge: bool,
}

impl NodeKind {
    /// Applications and their users meet it.
    pub(super) fn is_used(self) -> bool {
        use NodeKind::*;
        matches!(
            self,
            Firewall | LoadBalancer | Containers | Function | Api | Instance | Table | Database | Bucket | Queue
        )
    }

    /// Neither applications nor their users meet it. Gateways stand in the cells of their subnets.
    pub(super) fn is_support(self) -> bool {
        !self.is_used() && self != NodeKind::Gateway
    }
}

/// The id of a resource's card.
pub(super) fn id(resource: &Resource) -> String {
    format!("{}/{}", resource.stack, resource.logical_id)
}

/// All cards, in the order of the stacks.
pub(super) fn cards(relations: &Relations) -> Vec<Card> {
    let mut cards: Vec<Card> = relations.all.iter().filter_map(|resource| card(resource, relations)).collect();
    cards.extend(sums(relations));
    cards
}

fn card(resource: &Resource, relations: &Relations) -> Option<Card> {
    let text = |path: &str| resource.text(path);
    let (kind, label, details) = match resource.resource_type.as_str() {
        "AWS::CloudFront::Distribution" => (NodeKind::Cdn, "CloudFront".to_owned(), distribution(resource, relations)),
        "AWS::Route53::HostedZone" => (NodeKind::Names, "Route 53".to_owned(), vec![text("/Name").unwrap_or_default()]),
        "AWS::WAFv2::WebACL" => (NodeKind::Firewall, "Web ACL".to_owned(), firewall(resource)),
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => {
            (NodeKind::LoadBalancer, "Load balancer".to_owned(), load_balancer(resource, relations))
        }
        "AWS::ECS::Service" => (NodeKind::Containers, resource.stack.clone(), service(resource, relations)),
        "AWS::Lambda::Function" => (NodeKind::Function, resource.stack.clone(), vec!["function".to_owned()]),
        "AWS::ApiGatewayV2::Api" | "AWS::ApiGateway::RestApi" => {
            (NodeKind::Api, "API".to_owned(), text("/Name").into_iter().collect())
        }
        "AWS::EC2::Instance" => {
            (NodeKind::Instance, resource.stack.clone(), text("/InstanceType").into_iter().collect())
        }
        "AWS::EKS::Cluster" => (NodeKind::Containers, "EKS cluster".to_owned(), text("/Version").into_iter().collect()),
        "AWS::DynamoDB::Table" => (NodeKind::Table, "DynamoDB table".to_owned(), table(resource)),
        "AWS::RDS::DBInstance" if resource.at("/DBClusterIdentifier").is_none() => {
            (NodeKind::Database, "Database".to_owned(), text("/Engine").into_iter().collect())
        }
        "AWS::RDS::DBCluster" => {
            (NodeKind::Database, "Database cluster".to_owned(), text("/Engine").into_iter().collect())
        }
        "AWS::ElastiCache::ReplicationGroup" | "AWS::ElastiCache::ServerlessCache" => {
            (NodeKind::Database, "Cache".to_owned(), cache(resource))
        }
        "AWS::ElastiCache::CacheCluster" => (NodeKind::Database, "Cache".to_owned(), cache(resource)),
        "AWS::S3::Bucket" if !is_for_logs(resource, relations) => (NodeKind::Bucket, "Bucket".to_owned(), Vec::new()),
        "AWS::SQS::Queue" => (NodeKind::Queue, "Queue".to_owned(), Vec::new()),
        "AWS::SNS::Topic" => (NodeKind::Topic, "Topic".to_owned(), subscribers(resource, relations)),
        "AWS::EC2::NatGateway" => (NodeKind::Gateway, "NAT gateway".to_owned(), Vec::new()),
        "AWS::KMS::Key" => (NodeKind::Key, "KMS key".to_owned(), uses(resource, relations)),
        "AWS::SecretsManager::Secret" => (NodeKind::Secret, "Secret".to_owned(), Vec::new()),
        "AWS::CloudWatch::Dashboard" => {
            (NodeKind::Dashboard, "Dashboard".to_owned(), text("/DashboardName").into_iter().collect())
        }
        "AWS::IAM::OIDCProvider" => (
            NodeKind::Deployment,
            "Deployments".to_owned(),
            vec![text("/Url").unwrap_or_default().trim_start_matches("https://").to_owned()],
        ),
        _ => return None,
    };
    let mut node = Node::new(kind, id(resource), label).of(&resource.stack, &resource.logical_id);
    // What a card is called tells which stack it is of, or its first line does.
    if node.label != resource.stack {
        node = node.detail(format!("stack {}", resource.stack));
    }
    node.details.extend(details);
    node.resources.extend(parts(resource, relations));
    let edge = matches!(kind, NodeKind::Names | NodeKind::Cdn) || text("/Scope").as_deref() == Some("CLOUDFRONT");
    Some(Card { node, kind, region: resource.region.clone(), edge })
}

/// Engine, and what it runs on.
fn cache(resource: &Resource) -> Vec<String> {
    let many = resource.text("/NumCacheClusters").or_else(|| resource.text("/NumCacheNodes")).unwrap_or_default();
    let node = resource.text("/CacheNodeType").map(|node| match many.as_str() {
        "" | "1" => node,
        many => format!("{many} × {node}"),
    });
    resource.text("/Engine").into_iter().chain(node).collect()
}

fn distribution(resource: &Resource, relations: &Relations) -> Vec<String> {
    let aliases = resource.list("/DistributionConfig/Aliases").iter().filter_map(|alias| alias.as_str());
    let mut details: Vec<String> = aliases.map(str::to_owned).collect();
    details.extend(relations.at(resource, "/DistributionConfig/ViewerCertificate").map(certificate));
    details
}

fn certificate(of: &Resource) -> String {
    format!("certificate: stack {}", of.stack)
}

fn firewall(resource: &Resource) -> Vec<String> {
    let rules = resource.list("/Rules").len();
    vec![format!("{rules} {}", if rules == 1 { "rule" } else { "rules" })]
}

fn load_balancer(resource: &Resource, relations: &Relations) -> Vec<String> {
    let mut details: Vec<String> = relations.names_of(resource).into_iter().map(str::to_owned).collect();
    let listeners = relations.of_type("AWS::ElasticLoadBalancingV2::Listener");
    for listener in listeners.filter(|one| relations.at(one, "/LoadBalancerArn") == Some(resource)) {
        let (protocol, port) =
            (listener.text("/Protocol").unwrap_or_default(), listener.text("/Port").unwrap_or_default());
        let redirects = listener.text("/DefaultActions/0/Type").as_deref() == Some("redirect");
        details.push(format!("{protocol} {port}{}", if redirects { ", redirected" } else { "" }));
    }
    details
}

fn service(resource: &Resource, relations: &Relations) -> Vec<String> {
    let mut details = Vec::new();
    let Some(task) = relations.at(resource, "/TaskDefinition") else { return details };
    let number = |path: &str| task.text(path).and_then(|text| text.parse::<f64>().ok());
    let scaling = relations.of_type("AWS::ApplicationAutoScaling::ScalableTarget");
    let scaling = scaling
        .filter(|one| relations.at(one, "/ResourceId").is_some())
        .find(|one| one.at("/ResourceId").is_some_and(|value| relations.within(value).contains(&resource)));
    let tasks = match scaling {
        Some(of) => {
            let (least, most) =
                (of.text("/MinCapacity").unwrap_or_default(), of.text("/MaxCapacity").unwrap_or_default());
            format!("{least} to {most} tasks")
        }
        None => format!("{} tasks", resource.text("/DesiredCount").unwrap_or_else(|| "1".to_owned())),
    };
    let size = match (number("/Cpu"), number("/Memory")) {
        (Some(cpu), Some(memory)) => format!(" of {} vCPU, {} GB", cpu / 1024.0, memory / 1024.0),
        _ => String::new(),
    };
    details.push(format!("{tasks}{size}"));
    let fargate =
        resource.list("/CapacityProviderStrategy").iter().any(|one| one["CapacityProvider"] == "FARGATE_SPOT");
    details.push(if fargate { "Fargate Spot" } else { "Fargate" }.to_owned());
    let used = relations.within(&task.properties);
    let secrets: BTreeSet<&str> = used
        .iter()
        .filter(|one| one.resource_type == "AWS::SecretsManager::Secret")
        .map(|one| one.stack.as_str())
        .collect();
    details.extend(secrets.into_iter().map(|stack| format!("reads secret {stack}")));
    details
}

fn table(resource: &Resource) -> Vec<String> {
    let on_demand = resource.text("/BillingMode").as_deref() == Some("PAY_PER_REQUEST");
    let recoverable = resource.is("/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled");
    let mut details = vec![if on_demand { "on demand" } else { "provisioned" }.to_owned()];
    if recoverable {
        details.push("point-in-time recovery".to_owned());
    }
    details
}

fn subscribers(resource: &Resource, relations: &Relations) -> Vec<String> {
    let subscriptions = relations.of_type("AWS::SNS::Subscription");
    let own = subscriptions.filter(|one| relations.at(one, "/TopicArn") == Some(resource));
    own.filter_map(|one| one.text("/Endpoint")).collect()
}

/// Stacks whose resources name a key.
fn uses(key: &Resource, relations: &Relations) -> Vec<String> {
    let others = relations.all.iter().filter(|one| one.stack != key.stack);
    let stacks: BTreeSet<&str> = others
        .filter(|one| one.resource_type != "AWS::IAM::Role" && relations.within(&one.properties).contains(&key))
        .map(|one| one.stack.as_str())
        .collect();
    match stacks.len() {
        0 => Vec::new(),
        many => vec![format!("encrypts data of {many} {}", if many == 1 { "stack" } else { "stacks" })],
    }
}

/// Load balancers and distributions write their access logs there.
fn is_for_logs(bucket: &Resource, relations: &Relations) -> bool {
    relations.all.iter().any(|one| {
        let places = match one.resource_type.as_str() {
            "AWS::ElasticLoadBalancingV2::LoadBalancer" => one.at("/LoadBalancerAttributes"),
            "AWS::CloudFront::Distribution" => one.at("/DistributionConfig/Logging"),
            _ => None,
        };
        places.is_some_and(|value| relations.within(value).contains(&bucket))
    })
}

/// Resources that stand on this one's card, since they only serve it.
fn parts(owner: &Resource, relations: &Relations) -> Vec<(String, String)> {
    let serves = |one: &Resource| match one.resource_type.as_str() {
        "AWS::S3::BucketPolicy" => relations.at(one, "/Bucket") == Some(owner),
        "AWS::ElasticLoadBalancingV2::Listener" => relations.at(one, "/LoadBalancerArn") == Some(owner),
        "AWS::SNS::TopicPolicy" | "AWS::SNS::Subscription" => {
            one.stack == owner.stack && owner.resource_type == "AWS::SNS::Topic"
        }
        "AWS::RDS::DBInstance" => relations.at(one, "/DBClusterIdentifier") == Some(owner),
        "AWS::RDS::DBSubnetGroup" => relations.at(owner, "/DBSubnetGroupName") == Some(one),
        "AWS::ElastiCache::SubnetGroup" => relations.at(owner, "/CacheSubnetGroupName") == Some(one),
        "AWS::Lambda::Alias" | "AWS::Lambda::Version" | "AWS::Lambda::Permission" => {
            owner.resource_type == "AWS::Lambda::Function" && relations.at(one, "/FunctionName") == Some(owner)
        }
        "AWS::ApiGatewayV2::Integration" | "AWS::ApiGatewayV2::Route" | "AWS::ApiGatewayV2::Stage" => {
            relations.at(one, "/ApiId") == Some(owner)
        }
        "AWS::ApiGateway::Method" | "AWS::ApiGateway::Resource" | "AWS::ApiGateway::Stage" => {
            relations.at(one, "/RestApiId") == Some(owner)
        }
        "AWS::KMS::Alias" => relations.at(one, "/TargetKeyId") == Some(owner),
        "AWS::Route53::RecordSet" => relations.at(one, "/HostedZoneId") == Some(owner),
        "AWS::WAFv2::WebACLAssociation" => relations.at(one, "/WebACLArn") == Some(owner),
        "AWS::EC2::EIP" => relations.at(owner, "/AllocationId") == Some(one),
        "AWS::CloudFront::OriginAccessControl" | "AWS::CloudFront::ResponseHeadersPolicy" => {
            owner.resource_type == "AWS::CloudFront::Distribution" && relations.within(&owner.properties).contains(&one)
        }
        "AWS::ECS::TaskDefinition"
        | "AWS::ElasticLoadBalancingV2::TargetGroup"
        | "AWS::ElasticLoadBalancingV2::ListenerRule"
        | "AWS::ApplicationAutoScaling::ScalableTarget"
        | "AWS::ApplicationAutoScaling::ScalingPolicy" => {
            owner.resource_type == "AWS::ECS::Service" && one.stack == owner.stack
        }
        "AWS::IAM::Role" => one.stack == owner.stack && owner.resource_type == "AWS::ECS::Service",
        _ => false,
    };
    let found = relations.all.iter().filter(|one| *one != owner && serves(one));
    found.map(|one| (one.stack.clone(), one.logical_id.clone())).collect()
}

/// One card a region for what there are many of.
fn sums(relations: &Relations) -> Vec<Card> {
    let regions: BTreeSet<&str> = relations.all.iter().map(|one| one.region.as_str()).collect();
    regions.into_iter().flat_map(|region| sums_of(region, relations)).collect()
}

fn sums_of(region: &str, relations: &Relations) -> Vec<Card> {
    let here = |resource_type: &'static str| -> Vec<&Resource> {
        relations.of_type(resource_type).filter(|one| one.region == region).collect()
    };
    let mut cards = Vec::new();
    let mut sum = |kind: NodeKind, name: &str, label: String, details: Vec<String>, of: &[&Resource]| {
        let mut node = Node::new(kind, format!("{region}/{name}"), label);
        node.details = details;
        node.resources = of.iter().map(|one| (one.stack.clone(), one.logical_id.clone())).collect();
        if !of.is_empty() {
            cards.push(Card { node, kind, region: region.to_owned(), edge: false });
        }
    };
    let alarms = here("AWS::CloudWatch::Alarm");
    let mut topics: BTreeSet<&str> = BTreeSet::new();
    for alarm in &alarms {
        let to = alarm.at("/AlarmActions").map(|value| relations.within(value)).unwrap_or_default();
        topics.extend(to.into_iter().map(|one| one.stack.as_str()));
    }
    let told = topics.into_iter().map(|topic| format!("tell topic {topic}")).collect();
    sum(NodeKind::Alarms, "alarms", counted(alarms.len(), "alarm"), told, &alarms);

    let groups = here("AWS::Logs::LogGroup");
    sum(NodeKind::Logs, "logs", counted(groups.len(), "log group"), kept(&groups), &groups);

    let mut buckets = here("AWS::S3::Bucket");
    buckets.retain(|one| is_for_logs(one, relations));
    let whose = buckets.iter().map(|one| format!("of {}", one.stack)).collect();
    sum(NodeKind::Logs, "access-logs", "Access logs".to_owned(), whose, &buckets);

    let images = here("AWS::ECR::Repository");
    let names = images.iter().filter_map(|one| one.text("/RepositoryName")).collect();
    sum(NodeKind::Images, "images", "Image repositories".to_owned(), names, &images);
    cards
}

/// How long logs are kept, where that is the same for many of them said once.
fn kept(groups: &[&Resource]) -> Vec<String> {
    let mut days: BTreeMap<String, usize> = BTreeMap::new();
    for group in groups {
        *days.entry(group.text("/RetentionInDays").unwrap_or_else(|| "ever".to_owned())).or_default() += 1;
    }
    match days.len() {
        1 => days.keys().map(|days| format!("kept {days} days")).collect(),
        _ => days.iter().map(|(days, many)| format!("{many} kept {days} days")).collect(),
    }
}

pub(super) fn counted(many: usize, noun: &str) -> String {
    format!("{many} {noun}{}", if many == 1 { "" } else { "s" })
}

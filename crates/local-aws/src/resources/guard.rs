//! What AWS refuses although the schema has nothing against it: names of the wrong form, policies of nobody, and deletions
//! of what is protected, or what others still use.
//!
//! Who uses what is told by the live properties: a property that holds another resource's id refers to it.

use super::Failure;
use super::live::{Live, State};
use crate::world::World;
use serde_json::Value as Json;

/// A type that cannot go while others refer to it.
struct Rule {
    type_name: &'static str,
    /// Types whose references do not hold it: they belong to it, or go with it.
    apart_from: &'static [&'static str],
    /// Only references by resources of these types hold it; empty: by any.
    held_by: &'static [&'static str],
    service: &'static str,
    /// What the service says; `{id}` stands for the physical id.
    message: &'static str,
}

/// The messages are those of the services' API references and user guides ("DependencyViolation",
/// "ResourceInUse", "ClusterContainsServicesException", "DeleteConflict").
const RULES: &[Rule] = &[
    Rule {
        type_name: "AWS::EC2::SecurityGroup",
        apart_from: &["AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"],
        held_by: &[],
        service: "Ec2",
        message: "resource {id} has a dependent object",
    },
    Rule {
        type_name: "AWS::EC2::Subnet",
        apart_from: &["AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::SubnetNetworkAclAssociation"],
        held_by: &[],
        service: "Ec2",
        message: "The subnet '{id}' has dependencies and cannot be deleted.",
    },
    Rule {
        type_name: "AWS::EC2::VPC",
        apart_from: &["AWS::Route53::HostedZone", "AWS::EC2::FlowLog"],
        held_by: &[],
        service: "Ec2",
        message: "The vpc '{id}' has dependencies and cannot be deleted.",
    },
    Rule {
        type_name: "AWS::EC2::InternetGateway",
        apart_from: &[],
        held_by: &["AWS::EC2::VPCGatewayAttachment"],
        service: "Ec2",
        message: "The internetGateway '{id}' has dependencies and cannot be deleted.",
    },
    Rule {
        type_name: "AWS::EC2::RouteTable",
        apart_from: &[],
        held_by: &["AWS::EC2::SubnetRouteTableAssociation"],
        service: "Ec2",
        message: "The routeTable '{id}' has dependencies and cannot be deleted.",
    },
    Rule {
        type_name: "AWS::ElasticLoadBalancingV2::TargetGroup",
        apart_from: &[],
        held_by: &["AWS::ElasticLoadBalancingV2::Listener", "AWS::ElasticLoadBalancingV2::ListenerRule"],
        service: "ElasticLoadBalancingV2",
        message: "Target group '{id}' is currently in use by a listener or a rule",
    },
    Rule {
        type_name: "AWS::ECS::Cluster",
        apart_from: &[],
        held_by: &["AWS::ECS::Service"],
        service: "AmazonECS",
        message: "The Cluster cannot be deleted while Services are active.",
    },
    Rule {
        type_name: "AWS::WAFv2::WebACL",
        apart_from: &[],
        held_by: &["AWS::WAFv2::WebACLAssociation", "AWS::CloudFront::Distribution"],
        service: "Wafv2",
        message: "AWS WAF couldn\u{2019}t perform the operation because your resource is being used by another \
                  resource or it\u{2019}s associated with another resource.",
    },
    Rule {
        type_name: "AWS::Route53::HostedZone",
        apart_from: &[],
        held_by: &["AWS::Route53::RecordSet", "AWS::Route53::RecordSetGroup"],
        service: "Route53",
        message: "The specified hosted zone contains non-required resource record sets and so cannot be deleted.",
    },
    Rule {
        type_name: "AWS::CertificateManager::Certificate",
        apart_from: &[],
        held_by: &["AWS::ElasticLoadBalancingV2::Listener", "AWS::CloudFront::Distribution"],
        service: "Acm",
        message: "Certificate {id} in use.",
    },
];

/// Types that have a switch against deletion, and where it is.
const PROTECTED: &[(&str, &str, &str, &str)] = &[
    (
        "AWS::Cognito::UserPool",
        "/DeletionProtection",
        "CognitoIdentityProvider",
        "The user pool cannot be deleted because deletion protection is activated.",
    ),
    (
        "AWS::RDS::DBCluster",
        "/DeletionProtection",
        "Rds",
        "Cannot delete protected Cluster, please disable deletion protection and try again.",
    ),
    (
        "AWS::RDS::DBInstance",
        "/DeletionProtection",
        "Rds",
        "Cannot delete protected DB Instance, please disable deletion protection and try again.",
    ),
];

/// Refuses a creation that a service would refuse.
pub(super) fn may_create(world: &World, type_name: &str, properties: &Json) -> Result<(), Failure> {
    let is_fifo = |name: &str| properties[name] == true || properties[name] == "true";
    let lacks_suffix = |name: &str| properties[name].as_str().is_some_and(|name| !name.ends_with(".fifo"));
    let told = |service: &str, message: &str| Err(Failure::handler(world, service, message, 400, "InvalidRequest"));
    match type_name {
        "AWS::SNS::Topic" if is_fifo("FifoTopic") && lacks_suffix("TopicName") => {
            told("Sns", "Invalid parameter: Topic Name")
        }
        "AWS::SQS::Queue" if is_fifo("FifoQueue") && lacks_suffix("QueueName") => told(
            "Sqs",
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with \
             .fifo suffix and be 1 to 80 in length.",
        ),
        _ => Ok(()),
    }
}

/// What the handler of a policy says that belongs to nobody: once it is made, and when it is to go.
pub(super) fn of_nobody(live: &Live) -> Result<(), Failure> {
    let has = |name: &str| live.properties.get(name).and_then(Json::as_array).is_some_and(|names| !names.is_empty());
    if live.type_name != "AWS::IAM::Policy" || ["Groups", "Roles", "Users"].into_iter().any(has) {
        return Ok(());
    }
    Err(Failure::new("InvalidRequest", "At least one of [Groups,Roles,Users] must be non-empty."))
}

/// Refuses a deletion that AWS would refuse.
pub(super) fn may_delete(world: &World, live: &Live) -> Result<(), Failure> {
    of_nobody(live)?;
    let told = |service: &str, message: &str| {
        let message = message.replace("{id}", &live.physical_id);
        Failure::handler(world, service, &message, 400, "InvalidRequest")
    };
    if is_protected_balancer(live) {
        let message = "Load balancer '{id}' cannot be deleted because deletion protection is enabled";
        return Err(told("ElasticLoadBalancingV2", message));
    }
    let properties = Json::Object(live.properties.clone());
    for (_, path, service, message) in PROTECTED.iter().filter(|(name, ..)| *name == live.type_name) {
        if properties.pointer(path).is_some_and(|value| *value == true || *value == "ACTIVE") {
            return Err(told(service, message));
        }
    }
    let Some(rule) = RULES.iter().find(|rule| rule.type_name == live.type_name) else { return Ok(()) };
    let state = world.resources.lock();
    match user(&state, live, rule) {
        Some(_) => Err(told(rule.service, rule.message)),
        None => Ok(()),
    }
}

/// A resource that refers to this one and holds it.
fn user<'s>(state: &'s State, live: &'s Live, rule: &Rule) -> Option<&'s Live> {
    let names = names(live);
    state.of_place(&live.place).find(|other| {
        let itself = other.type_name == live.type_name && other.physical_id == live.physical_id;
        let holds = rule.held_by.is_empty() || rule.held_by.contains(&other.type_name.as_str());
        !itself
            && holds
            && !rule.apart_from.contains(&other.type_name.as_str())
            && other.properties.values().any(|value| mentions(value, &names))
    })
}

/// What others may refer to it by.
fn names(live: &Live) -> Vec<&str> {
    let of = |name: &str| live.properties.get(name).and_then(Json::as_str);
    let attributes: &[&str] = match live.type_name.as_str() {
        "AWS::EC2::SecurityGroup" => &["GroupId"],
        "AWS::ECS::Cluster" | "AWS::WAFv2::WebACL" => &["Arn"],
        _ => &[],
    };
    std::iter::once(live.physical_id.as_str()).chain(attributes.iter().filter_map(|name| of(name))).collect()
}

fn mentions(value: &Json, names: &[&str]) -> bool {
    match value {
        Json::String(text) => names.contains(&text.as_str()),
        Json::Array(items) => items.iter().any(|value| mentions(value, names)),
        Json::Object(members) => members.values().any(|value| mentions(value, names)),
        _ => false,
    }
}

fn is_protected_balancer(live: &Live) -> bool {
    live.type_name == "AWS::ElasticLoadBalancingV2::LoadBalancer"
        && live
            .properties
            .get("LoadBalancerAttributes")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .any(|attribute| attribute["Key"] == "deletion_protection.enabled" && attribute["Value"] == "true")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudformation::schema::resource_type;

    #[test]
    fn rules_are_about_types_that_exist() {
        for rule in RULES {
            for name in [rule.type_name].iter().chain(rule.apart_from).chain(rule.held_by) {
                assert!(resource_type(name).is_some(), "{name}");
            }
        }
        for (name, path, ..) in PROTECTED {
            let known = resource_type(name).unwrap_or_else(|| panic!("{name}"));
            assert!(known.property(path.trim_start_matches('/')).is_some(), "{name} {path}");
        }
    }
}

//! Updates that interrupt, and replacements that what is outside of the stack notices.
//!
//! Which properties interrupt is what CloudFormation's user guide calls "Update requires: Some interruptions" (as last
//! published with its sources, 2023-09-19), for the types of the catalog and the stores that people put beside them. Two
//! of its entries are left out: AWS::EC2::SecurityGroup rules, whose change leaves other connections alone, and backup
//! windows, which interrupt nothing by themselves.

use super::json::{at, number};
use super::pair::Pair;
use super::risk::Context;
use crate::plan::document::ChangeAction;

/// Type, and the properties whose update interrupts it.
const INTERRUPTING: &[(&str, &[&str])] = &[
    ("AWS::DynamoDB::Table", &["SSESpecification"]),
    (
        "AWS::EC2::Instance",
        &[
            "BlockDeviceMappings",
            "EbsOptimized",
            "HostId",
            "InstanceType",
            "KernelId",
            "RamdiskId",
            "Tenancy",
            "UserData",
        ],
    ),
    ("AWS::EC2::NetworkInterface", &["PrivateIpAddresses"]),
    ("AWS::EC2::Subnet", &["Ipv6CidrBlock"]),
    ("AWS::EC2::VPC", &["InstanceTenancy"]),
    (
        "AWS::ElastiCache::CacheCluster",
        &["AZMode", "NumCacheNodes", "PreferredAvailabilityZone", "PreferredAvailabilityZones"],
    ),
    ("AWS::ElastiCache::ReplicationGroup", &["AuthToken", "NodeGroupConfiguration", "NumNodeGroups"]),
    ("AWS::OpenSearchService::Domain", &["VPCOptions"]),
    ("AWS::RDS::DBCluster", &["EngineVersion", "GlobalClusterIdentifier"]),
    (
        "AWS::RDS::DBInstance",
        &["AvailabilityZone", "DBInstanceClass", "DBParameterGroupName", "EngineVersion", "MultiAZ", "StorageType"],
    ),
];

/// Types that requests pass through, and what a new one of them means for those who use the old one.
const NOTICED: &[(&str, &str)] = &[
    ("AWS::ApiGatewayV2::Api", "a new address"),
    ("AWS::CertificateManager::Certificate", "a new certificate, which must be validated before anything can use it"),
    ("AWS::CloudFront::Distribution", "a new name, and minutes until it serves everywhere"),
    ("AWS::EC2::EIP", "a new address: whoever allows the old one refuses the new one"),
    ("AWS::EC2::Instance", "a new instance, without what ran on the old one"),
    ("AWS::EC2::NatGateway", "connections through the old one end"),
    ("AWS::EC2::Subnet", "what runs in it must move"),
    ("AWS::EC2::VPC", "everything in it must move"),
    ("AWS::ECS::Cluster", "its services start anew in the new one"),
    ("AWS::ECS::Service", "all of its tasks start anew at once, without a rolling deployment"),
    ("AWS::ElasticLoadBalancingV2::Listener", "its rules move to the new one; no two listeners share a port"),
    (
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "a new name and new addresses, while names still lead to the old one",
    ),
    ("AWS::ElasticLoadBalancingV2::TargetGroup", "its targets register and pass health checks anew"),
];

pub(super) fn check(pair: &Pair, context: &mut Context) {
    let change = pair.change;
    match change.action {
        ChangeAction::Replace | ChangeAction::MayReplace => {
            if let Some((_, meaning)) = NOTICED.iter().find(|(name, _)| pair.is(name)) {
                let verb = if change.action == ChangeAction::Replace { "is replaced" } else { "may be replaced" };
                context.say(pair, "downtime", "", format!("{verb}: {meaning}"));
            }
        }
        ChangeAction::Modify | ChangeAction::MayModify => {
            let interrupting = INTERRUPTING.iter().find(|(name, _)| pair.is(name));
            for property in interrupting.map(|(_, properties)| *properties).unwrap_or_default() {
                if at(&pair.before, &[property]) != at(&pair.after, &[property]) {
                    context.say(pair, "interruption", property, format!("changing {property} interrupts it"));
                }
            }
        }
        _ => {}
    }
    let least = ["DeploymentConfiguration", "MinimumHealthyPercent"];
    if pair.is("AWS::ECS::Service")
        && !pair.is_new()
        && number(at(&pair.after, &least)) == Some(0.0)
        && number(at(&pair.before, &least)) != Some(0.0)
    {
        let message = "deployments may stop every task before a new one runs: MinimumHealthyPercent is 0";
        context.say(pair, "downtime", "DeploymentConfiguration.MinimumHealthyPercent", message);
    }
    attributes(pair, context);
}

/// What happens to the resource when its stack goes.
fn attributes(pair: &Pair, context: &mut Context) {
    let keeps =
        |word: &Option<String>| word.as_deref().is_some_and(|word| word.starts_with("Retain") || word == "Snapshot");
    let pairs = [
        ("DeletionPolicy", &pair.attributes_before.deletion_policy, &pair.attributes_after.deletion_policy),
        (
            "UpdateReplacePolicy",
            &pair.attributes_before.update_replace_policy,
            &pair.attributes_after.update_replace_policy,
        ),
    ];
    for (name, before, after) in pairs {
        if keeps(before) && !keeps(after) && !pair.is_new() {
            let now = after.as_deref().unwrap_or("Delete");
            let message =
                format!("{name} {} → {now}: it goes when it leaves the stack", before.as_deref().unwrap_or(""));
            context.say(pair, "deletion-policy-weakened", name, message);
        }
    }
}

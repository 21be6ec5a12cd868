//! How long resources take on AWS.
//!
//! Published figures where there are some; the rest is a rule. Sources: [F] the forecast table of aws-cloudformation/rain
//! (average creation in seconds, MIT-0); [D] the services' documentation; [E] estimates in the same order of magnitude,
//! from what the operation has to wait for.

use std::time::Duration;

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Create,
    Update,
    Delete,
}

/// Seconds to create, update and delete, sorted by type.
#[rustfmt::skip]
const SECONDS: &[(&str, u64, u64, u64)] = &[
    // ACM issues once the records that validate a domain are seen: minutes [D].
    ("AWS::CertificateManager::Certificate", 120, 5, 20),
    // [F]; AWS says that a change reaches all edges within five minutes, a deletion needs the distribution disabled [D].
    ("AWS::CloudFront::Distribution", 266, 180, 260),
    ("AWS::DynamoDB::GlobalTable", 60, 60, 60),
    // [E] Tables are CREATING for seconds; indexes and streams take longer.
    ("AWS::DynamoDB::Table", 17, 17, 12),
    // [F]
    ("AWS::EC2::EIP", 20, 5, 10),
    ("AWS::EC2::Instance", 45, 30, 60),
    ("AWS::EC2::InternetGateway", 17, 5, 17),
    // [F] NAT gateways: 106 s; deletion until the address is free [E].
    ("AWS::EC2::NatGateway", 106, 5, 60),
    ("AWS::EC2::VPC", 15, 5, 5),
    // [E] Interface endpoints wait for their network interfaces.
    ("AWS::EC2::VPCEndpoint", 60, 30, 60),
    ("AWS::EC2::VPCGatewayAttachment", 16, 5, 16),
    // [E] The service-linked role is checked first.
    ("AWS::ECS::Cluster", 10, 5, 10),
    // [F] A service is stable when its tasks run and pass the checks; draining takes up to the deregistration delay [D].
    ("AWS::ECS::Service", 119, 150, 60),
    ("AWS::EKS::Cluster", 544, 400, 200),
    ("AWS::EKS::Nodegroup", 160, 160, 240),
    ("AWS::ElastiCache::CacheCluster", 300, 120, 180),
    ("AWS::ElastiCache::ReplicationGroup", 500, 200, 300),
    // [F] Load balancers: 116 s until active.
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", 116, 10, 15),
    ("AWS::Elasticsearch::Domain", 900, 900, 300),
    // [E] IAM waits until a role or profile is seen everywhere.
    ("AWS::IAM::InstanceProfile", 120, 5, 5),
    ("AWS::IAM::ManagedPolicy", 15, 5, 5),
    ("AWS::IAM::Policy", 15, 15, 5),
    ("AWS::IAM::Role", 17, 10, 5),
    ("AWS::KMS::Key", 60, 10, 10),
    ("AWS::Kinesis::Stream", 30, 30, 30),
    ("AWS::KinesisFirehose::DeliveryStream", 60, 20, 60),
    ("AWS::Lambda::Function", 8, 8, 5),
    ("AWS::OpenSearchService::Domain", 900, 900, 300),
    ("AWS::RDS::DBCluster", 300, 120, 180),
    // [F]
    ("AWS::RDS::DBInstance", 595, 300, 400),
    ("AWS::Redshift::Cluster", 400, 300, 200),
    // [D] A change is in sync with all name servers within 60 s.
    ("AWS::Route53::HostedZone", 40, 5, 40),
    ("AWS::Route53::RecordSet", 35, 35, 35),
    ("AWS::Route53::RecordSetGroup", 35, 35, 35),
    // [E] CloudFormation waits for a bucket to be seen.
    ("AWS::S3::Bucket", 22, 20, 3),
    ("AWS::SNS::Topic", 11, 5, 31),
    // [F] 72 s: a queue's attributes and its deletion take 60 s to be seen [D].
    ("AWS::SQS::Queue", 72, 10, 62),
    ("AWS::WAFv2::WebACL", 10, 5, 5),
];

/// How long an action takes on AWS, on average. What only calls an API takes two to four seconds.
pub fn duration(type_name: &str, action: Action) -> Duration {
    let at = SECONDS.binary_search_by(|(name, ..)| (*name).cmp(type_name));
    let seconds = match (at.map(|at| SECONDS[at]), action) {
        (Ok((_, create, _, _)), Action::Create) => create,
        (Ok((_, _, update, _)), Action::Update) => update,
        (Ok((_, _, _, delete)), Action::Delete) => delete,
        (Err(_), Action::Create) => 4,
        (Err(_), Action::Update) => 3,
        (Err(_), Action::Delete) => 2,
    };
    Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudformation::schema::resource_type;

    #[test]
    fn the_table_is_sorted_and_names_types_that_exist() {
        assert!(SECONDS.is_sorted_by_key(|(name, ..)| *name));
        for (name, ..) in SECONDS {
            assert!(resource_type(name).is_some(), "{name}");
        }
    }

    #[test]
    fn figures_are_found() {
        assert_eq!(duration("AWS::RDS::DBInstance", Action::Create).as_secs(), 595);
        assert_eq!(duration("AWS::SSM::Parameter", Action::Delete).as_secs(), 2);
    }
}

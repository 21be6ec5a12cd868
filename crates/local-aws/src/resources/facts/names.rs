//! How CloudFormation names what a template does not name.

/// How a name is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::resources) struct NameRule {
    /// The property that holds it.
    pub property: &'static str,
    /// How it looks; stack and logical id are shortened to fit.
    pub form: &'static str,
    pub lower_case: bool,
    pub longest: usize,
}

/// The usual form: `<stack>-<LogicalId>-<12 letters and digits>`, as recorded of Lambda functions.
pub(in crate::resources) const USUAL: &str = "{stack}-{logical}-{alnum:12}";

const fn rule(property: &'static str, longest: usize) -> NameRule {
    NameRule { property, form: USUAL, lower_case: false, longest }
}

const fn lower(property: &'static str, longest: usize) -> NameRule {
    NameRule { property, form: USUAL, lower_case: true, longest }
}

const fn made(property: &'static str, form: &'static str, longest: usize) -> NameRule {
    NameRule { property, form, lower_case: false, longest }
}

/// Sorted by type. Lengths are those of the services' API references.
const NAMES: &[(&str, NameRule)] = &[
    ("AWS::ApiGateway::ApiKey", rule("Name", 255)),
    ("AWS::AutoScaling::AutoScalingGroup", rule("AutoScalingGroupName", 255)),
    ("AWS::CloudWatch::Alarm", rule("AlarmName", 255)),
    ("AWS::CloudWatch::CompositeAlarm", rule("AlarmName", 255)),
    ("AWS::CloudWatch::Dashboard", rule("DashboardName", 255)),
    ("AWS::DAX::Cluster", lower("ClusterName", 20)),
    ("AWS::DocDB::DBCluster", lower("DBClusterIdentifier", 63)),
    ("AWS::DocDB::DBClusterParameterGroup", lower("Name", 255)),
    ("AWS::DocDB::DBInstance", lower("DBInstanceIdentifier", 63)),
    ("AWS::DocDB::DBSubnetGroup", lower("DBSubnetGroupName", 255)),
    ("AWS::DynamoDB::GlobalTable", rule("TableName", 255)),
    ("AWS::DynamoDB::Table", rule("TableName", 255)),
    ("AWS::EC2::SecurityGroup", rule("GroupName", 255)),
    ("AWS::ECR::Repository", lower("RepositoryName", 256)),
    ("AWS::ECS::Cluster", rule("ClusterName", 255)),
    ("AWS::ECS::Service", rule("ServiceName", 255)),
    ("AWS::ECS::TaskDefinition", made("Family", "{stack}{logical}-{alnum:12}", 255)),
    ("AWS::ElastiCache::CacheCluster", lower("ClusterName", 50)),
    ("AWS::ElastiCache::ReplicationGroup", lower("ReplicationGroupId", 40)),
    ("AWS::ElastiCache::SubnetGroup", lower("CacheSubnetGroupName", 255)),
    ("AWS::ElasticLoadBalancing::LoadBalancer", rule("LoadBalancerName", 32)),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", rule("Name", 32)),
    ("AWS::ElasticLoadBalancingV2::TargetGroup", rule("Name", 32)),
    ("AWS::Events::Rule", rule("Name", 64)),
    ("AWS::IAM::Group", rule("GroupName", 128)),
    ("AWS::IAM::InstanceProfile", rule("InstanceProfileName", 128)),
    ("AWS::IAM::ManagedPolicy", rule("ManagedPolicyName", 128)),
    ("AWS::IAM::Role", rule("RoleName", 64)),
    ("AWS::IAM::ServerCertificate", rule("ServerCertificateName", 128)),
    ("AWS::IAM::User", rule("UserName", 64)),
    ("AWS::IAM::VirtualMFADevice", rule("VirtualMfaDeviceName", 226)),
    ("AWS::Kinesis::Stream", rule("Name", 128)),
    ("AWS::KinesisFirehose::DeliveryStream", rule("DeliveryStreamName", 64)),
    ("AWS::Lambda::Function", rule("FunctionName", 64)),
    ("AWS::Lambda::LayerVersion", rule("LayerName", 140)),
    ("AWS::Logs::LogGroup", rule("LogGroupName", 512)),
    ("AWS::Neptune::DBCluster", lower("DBClusterIdentifier", 63)),
    ("AWS::Neptune::DBClusterParameterGroup", lower("Name", 255)),
    ("AWS::Neptune::DBInstance", lower("DBInstanceIdentifier", 63)),
    ("AWS::Neptune::DBParameterGroup", lower("Name", 255)),
    ("AWS::Neptune::DBSubnetGroup", lower("DBSubnetGroupName", 255)),
    ("AWS::RDS::DBCluster", lower("DBClusterIdentifier", 63)),
    ("AWS::RDS::DBClusterParameterGroup", lower("DBClusterParameterGroupName", 255)),
    ("AWS::RDS::DBInstance", lower("DBInstanceIdentifier", 63)),
    ("AWS::RDS::DBParameterGroup", lower("DBParameterGroupName", 255)),
    ("AWS::RDS::DBSubnetGroup", lower("DBSubnetGroupName", 255)),
    ("AWS::RDS::OptionGroup", lower("OptionGroupName", 255)),
    ("AWS::Redshift::Cluster", lower("ClusterIdentifier", 63)),
    ("AWS::Redshift::ClusterParameterGroup", lower("ParameterGroupName", 255)),
    // Nothing of it is named by CloudFormation, although optional parts identify it.
    ("AWS::Route53::RecordSet", rule("Name", 255)),
    ("AWS::S3::Bucket", lower("BucketName", 63)),
    ("AWS::SNS::Topic", rule("TopicName", 256)),
    ("AWS::SQS::Queue", rule("QueueName", 80)),
    ("AWS::SSM::Parameter", made("Name", "CFN-{logical}-{alnum:12}", 2048)),
    ("AWS::SecretsManager::Secret", made("Name", "{logical}-{alnum:12}", 512)),
    ("AWS::StepFunctions::StateMachine", rule("StateMachineName", 80)),
    ("AWS::WAFv2::WebACL", rule("Name", 128)),
];

/// The rule for a type, where there is one of its own.
pub(in crate::resources) fn name_rule(type_name: &str) -> Option<NameRule> {
    let at = NAMES.binary_search_by(|(name, _)| (*name).cmp(type_name)).ok()?;
    Some(NAMES[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudformation::schema::resource_type;

    #[test]
    fn the_table_is_sorted_and_names_properties_that_can_be_set() {
        assert!(NAMES.is_sorted_by_key(|(name, _)| *name));
        for (name, rule) in NAMES {
            let known = resource_type(name).unwrap_or_else(|| panic!("{name}"));
            assert!(known.property(rule.property).is_some(), "{name} {}", rule.property);
            assert!(!known.is_read_only(rule.property), "{name} {}", rule.property);
        }
    }
}

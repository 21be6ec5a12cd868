//! Where the registry does not say what a change of a property does, and the documentation does.
//!
//! Compared with the registry: CloudFormation's resource specification (`UpdateType`; the last one was published in
//! October 2024 and is carried by cfn-lint 0.87.11) and the line "Update requires" of each property in the template
//! reference (`awsdocs/aws-cloudformation-user-guide` as of September 2023). `examples/update_types.rs` prints what is left.
//! Not every difference is a correction: where a service has learned to change a property since then (DataSync's
//! `UpdateLocation…`, `ModifyVpnConnection`, tags that the registry calls updatable), the registry is right.

use super::path::PropertyPath;

/// A change replaces the resource: the documentation says "Replacement", the service has no call that makes the change,
/// and the registry says nothing, or leaves it open.
const REPLACES: &[(&str, &[&str])] = &[
    ("AWS::AppSync::GraphQLSchema", &["ApiId"]),
    ("AWS::Budgets::Budget", &["Budget/AutoAdjustData", "Budget/PlannedBudgetLimits"]),
    ("AWS::CertificateManager::Certificate", &["ValidationMethod"]),
    ("AWS::Connect::ViewVersion", &["VersionDescription"]),
    ("AWS::DynamoDB::GlobalTable", &["KeySchema", "LocalSecondaryIndexes"]),
    ("AWS::DynamoDB::Table", &["KeySchema"]),
    ("AWS::EC2::EIP", &["Domain"]),
    ("AWS::EC2::TrafficMirrorSession", &["NetworkInterfaceId"]),
    ("AWS::EC2::VPCPeeringConnection", &["PeerRoleArn"]),
    ("AWS::EMR::Cluster", EMR_CLUSTER),
    ("AWS::ElastiCache::ReplicationGroup", &["ReplicasPerNodeGroup"]),
    ("AWS::Elasticsearch::Domain", &["AdvancedSecurityOptions/Enabled", "EncryptionAtRestOptions/KmsKeyId"]),
    ("AWS::FSx::FileSystem", FSX_FILE_SYSTEM),
    ("AWS::HealthLake::FHIRDatastore", &["DatastoreName", "IdentityProviderConfiguration"]),
    ("AWS::KinesisAnalytics::ApplicationOutput", &["Output/Name"]),
    ("AWS::KinesisAnalyticsV2::ApplicationOutput", &["Output/Name"]),
    ("AWS::KinesisAnalyticsV2::ApplicationReferenceDataSource", &["ReferenceDataSource/TableName"]),
    (
        "AWS::Lambda::EventSourceMapping",
        &["AmazonManagedKafkaEventSourceConfig/ConsumerGroupId", "SelfManagedKafkaEventSourceConfig/ConsumerGroupId"],
    ),
    ("AWS::MediaLive::Channel", &["InputAttachments/*/InputId"]),
    ("AWS::RDS::DBInstance", &["Port"]),
    (
        "AWS::RDS::DBSecurityGroup",
        &[
            "DBSecurityGroupIngress/*/EC2SecurityGroupId",
            "DBSecurityGroupIngress/*/EC2SecurityGroupName",
            "DBSecurityGroupIngress/*/EC2SecurityGroupOwnerId",
        ],
    ),
    ("AWS::Route53::RecordSet", &["Name"]),
    ("AWS::SageMaker::Workteam", &["MemberDefinitions/*/CognitoMemberDefinition/CognitoUserPool"]),
    ("AWS::ServiceCatalog::PortfolioShare", &["AcceptLanguage"]),
    ("AWS::ServiceDiscovery::Service", &["DnsConfig/NamespaceId"]),
    ("AWS::Timestream::ScheduledQuery", &["ClientToken"]),
];

/// All but the sizes of groups and fleets.
const EMR_CLUSTER: &[&str] = &[
    "Instances/AdditionalMasterSecurityGroups",
    "Instances/AdditionalSlaveSecurityGroups",
    "Instances/CoreInstanceFleet/LaunchSpecifications",
    "Instances/CoreInstanceFleet/Name",
    "Instances/CoreInstanceGroup/BidPrice",
    "Instances/CoreInstanceGroup/Configurations",
    "Instances/CoreInstanceGroup/CustomAmiId",
    "Instances/CoreInstanceGroup/EbsConfiguration",
    "Instances/CoreInstanceGroup/InstanceType",
    "Instances/CoreInstanceGroup/Market",
    "Instances/CoreInstanceGroup/Name",
    "Instances/Ec2KeyName",
    "Instances/Ec2SubnetId",
    "Instances/Ec2SubnetIds",
    "Instances/EmrManagedMasterSecurityGroup",
    "Instances/EmrManagedSlaveSecurityGroup",
    "Instances/HadoopVersion",
    "Instances/KeepJobFlowAliveWhenNoSteps",
    "Instances/MasterInstanceFleet/LaunchSpecifications",
    "Instances/MasterInstanceFleet/Name",
    "Instances/MasterInstanceGroup/BidPrice",
    "Instances/MasterInstanceGroup/Configurations",
    "Instances/MasterInstanceGroup/CustomAmiId",
    "Instances/MasterInstanceGroup/EbsConfiguration",
    "Instances/MasterInstanceGroup/InstanceType",
    "Instances/MasterInstanceGroup/Market",
    "Instances/MasterInstanceGroup/Name",
    "Instances/Placement",
    "Instances/ServiceAccessSecurityGroup",
];

const FSX_FILE_SYSTEM: &[&str] = &[
    "LustreConfiguration/CopyTagsToBackups",
    "LustreConfiguration/DeploymentType",
    "LustreConfiguration/DriveCacheType",
    "LustreConfiguration/ExportPath",
    "LustreConfiguration/ImportPath",
    "LustreConfiguration/ImportedFileChunkSize",
    "OntapConfiguration/DeploymentType",
    "OntapConfiguration/EndpointIpAddressRange",
    "OntapConfiguration/PreferredSubnetId",
    "OpenZFSConfiguration/DeploymentType",
    "OpenZFSConfiguration/EndpointIpAddressRange",
    "OpenZFSConfiguration/PreferredSubnetId",
    "OpenZFSConfiguration/RootVolumeConfiguration",
    "WindowsConfiguration/ActiveDirectoryId",
    "WindowsConfiguration/CopyTagsToBackups",
    "WindowsConfiguration/DeploymentType",
    "WindowsConfiguration/PreferredSubnetId",
    "WindowsConfiguration/SelfManagedActiveDirectoryConfiguration/DomainName",
    "WindowsConfiguration/SelfManagedActiveDirectoryConfiguration/FileSystemAdministratorsGroup",
    "WindowsConfiguration/SelfManagedActiveDirectoryConfiguration/OrganizationalUnitDistinguishedName",
];

/// A change is made in place although the registry leaves it open (`conditionalCreateOnlyProperties`): the documentation
/// says "No interruption", or "Some interruptions" for what the service's own call changes (`ModifyDBInstance`,
/// `UpdateAutoScalingGroup`). An Auto Scaling group is replaced where its update policy says so: see
/// [`replaced_by_policy`].
const IN_PLACE: &[(&str, &[&str])] = &[
    (
        "AWS::AppSync::GraphQLApi",
        &[
            "LambdaAuthorizerConfig/AuthorizerResultTtlInSeconds",
            "LambdaAuthorizerConfig/AuthorizerUri",
            "LambdaAuthorizerConfig/IdentityValidationExpression",
            "OpenIDConnectConfig/AuthTTL",
            "OpenIDConnectConfig/ClientId",
            "OpenIDConnectConfig/IatTTL",
            "OpenIDConnectConfig/Issuer",
            "UserPoolConfig/AppIdClientRegex",
            "UserPoolConfig/AwsRegion",
            "UserPoolConfig/DefaultAction",
            "UserPoolConfig/UserPoolId",
        ],
    ),
    (AUTO_SCALING_GROUP, REPLACED_BY_POLICY),
    ("AWS::ElastiCache::CacheCluster", &["IpDiscovery"]),
    ("AWS::Neptune::DBInstance", &["AutoMinorVersionUpgrade", "DBParameterGroupName", "PreferredMaintenanceWindow"]),
    (
        "AWS::RDS::DBInstance",
        &[
            "AutoMinorVersionUpgrade",
            "BackupRetentionPeriod",
            "DBParameterGroupName",
            "MultiAZ",
            "PreferredMaintenanceWindow",
        ],
    ),
];

const AUTO_SCALING_GROUP: &str = "AWS::AutoScaling::AutoScalingGroup";

/// What makes an Auto Scaling group new where its `UpdatePolicy` has `AutoScalingReplacingUpdate` with `WillReplace`
/// (reference of the attribute UpdatePolicy).
const REPLACED_BY_POLICY: &[&str] =
    &["LaunchConfigurationName", "LaunchTemplate", "MixedInstancesPolicy", "VPCZoneIdentifier"];

/// Whether a change of the property replaces a resource whose `UpdatePolicy` replaces it.
pub fn replaced_by_policy(type_name: &str, path: &str) -> bool {
    type_name == AUTO_SCALING_GROUP && REPLACED_BY_POLICY.contains(&PropertyPath::new(path).top())
}

/// Puts the registry right: its create-only properties, and those that are so under a condition.
pub(super) fn correct(type_name: &str, always: &mut Vec<PropertyPath>, conditionally: &mut Vec<PropertyPath>) {
    let of = |table: &[(&str, &'static [&'static str])]| {
        table.iter().find(|(name, _)| *name == type_name).map_or(&[][..], |(_, paths)| *paths)
    };
    let in_place: Vec<PropertyPath> = of(IN_PLACE).iter().map(|path| PropertyPath::new(path)).collect();
    conditionally.retain(|path| !in_place.contains(path));
    for path in of(REPLACES).iter().map(|path| PropertyPath::new(path)) {
        conditionally.retain(|open| !path.contains(open));
        if !always.contains(&path) {
            always.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RequiresRecreation, resource_type};
    use super::*;
    use RequiresRecreation::{Always, Conditionally, Never};

    #[test]
    fn every_correction_is_of_a_property_that_there_is_and_changes_the_answer() {
        for (table, expected) in [(REPLACES, Always), (IN_PLACE, Never)] {
            for (name, paths) in table {
                let found = resource_type(name).unwrap_or_else(|| panic!("{name} is not in the registry"));
                for path in *paths {
                    assert!(found.property(path).is_some(), "{name}/{path} is no property");
                    assert_eq!(found.update_behaviour(path), expected, "{name}/{path}");
                }
            }
        }
    }

    #[test]
    fn what_the_documentation_says_where_the_registry_is_silent() {
        let cases = [
            ("AWS::RDS::DBInstance", "MultiAZ", Never),
            ("AWS::RDS::DBInstance", "BackupRetentionPeriod", Never),
            ("AWS::RDS::DBInstance", "DBSnapshotIdentifier", Conditionally),
            ("AWS::RDS::DBInstance", "Engine", Conditionally),
            ("AWS::RDS::DBInstance", "Port", Always),
            ("AWS::Route53::RecordSet", "Name", Always),
            ("AWS::Route53::RecordSet", "TTL", Never),
            ("AWS::EC2::EIP", "Domain", Always),
            ("AWS::EC2::Instance", "InstanceType", Conditionally),
            ("AWS::FSx::FileSystem", "LustreConfiguration/DeploymentType", Always),
            ("AWS::FSx::FileSystem", "LustreConfiguration", Conditionally),
            ("AWS::FSx::FileSystem", "LustreConfiguration/WeeklyMaintenanceStartTime", Never),
            ("AWS::EMR::Cluster", "Instances/CoreInstanceGroup/InstanceCount", Never),
            ("AWS::AutoScaling::AutoScalingGroup", "LaunchTemplate/Version", Never),
        ];
        for (name, path, expected) in cases {
            let found = resource_type(name).map(|found| found.update_behaviour(path));
            assert_eq!(found, Some(expected), "{name} {path}");
        }
    }

    #[test]
    fn an_update_policy_replaces_groups_alone() {
        assert!(replaced_by_policy("AWS::AutoScaling::AutoScalingGroup", "LaunchTemplate/Version"));
        assert!(!replaced_by_policy("AWS::AutoScaling::AutoScalingGroup", "MinSize"));
        assert!(!replaced_by_policy("AWS::EC2::EC2Fleet", "LaunchTemplateConfigs"));
    }
}

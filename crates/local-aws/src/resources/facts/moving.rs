//! Attributes that move when their resource changes in place.
//!
//! Sources: "Return values" of each type in the CloudFormation template reference, and the API that makes the change
//! (CreateLaunchTemplateVersion, RegisterJobDefinition, UpdateTable, ModifyManagedPrefixList, CreatePolicyVersion, UpdateStateMachine …).

/// What a change in place does to an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::resources) enum Move {
    /// The number becomes the next one; text before it (`v1`) stays.
    Next,
    /// The value is made again, by its form.
    Anew,
    /// The value is made by this form from now on.
    Form(&'static str),
}

/// Type, attribute, the properties of which one must change (none: any but the tags), and how it moves. Sorted by type
/// and attribute.
#[rustfmt::skip]
const MOVING: &[(&str, &str, &[&str], Move)] = &[
    ("AWS::ARCRegionSwitch::Plan", "Version", &[], Move::Next),
    ("AWS::AmazonMQ::Configuration", "Revision", &["Data", "Description"], Move::Next),
    ("AWS::Backup::BackupPlan", "VersionId", &["BackupPlan"], Move::Anew),
    ("AWS::Batch::JobDefinition", "JobDefinitionArn", &[],
        Move::Form("arn:{partition}:batch:{region}:{account}:job-definition/{JobDefinitionName}:{revision}")),
    ("AWS::BedrockAgentCore::Runtime", "AgentRuntimeVersion", &[], Move::Next),
    ("AWS::CodePipeline::Pipeline", "Version", &[], Move::Next),
    ("AWS::DynamoDB::GlobalTable", "StreamArn", &["StreamSpecification"], Move::Anew),
    ("AWS::DynamoDB::Table", "StreamArn", &["StreamSpecification"], Move::Anew),
    ("AWS::EC2::LaunchTemplate", "LatestVersionNumber", &["LaunchTemplateData", "VersionDescription"], Move::Next),
    ("AWS::EC2::PrefixList", "Version", &["Entries"], Move::Next),
    ("AWS::IAM::ManagedPolicy", "DefaultVersionId", &["PolicyDocument"], Move::Next),
    ("AWS::IoT::FleetMetric", "Version", &[], Move::Next),
    ("AWS::IoT::Stream", "StreamVersion", &[], Move::Next),
    ("AWS::MSK::Cluster", "CurrentVersion", &[], Move::Anew),
    ("AWS::MSK::Configuration", "LatestRevision/Revision", &["Description", "ServerProperties"], Move::Next),
    ("AWS::RDS::DBCluster", "MasterUserSecret/SecretArn", &["ManageMasterUserPassword"], Move::Anew),
    ("AWS::RDS::DBInstance", "MasterUserSecret/SecretArn", &["ManageMasterUserPassword"], Move::Anew),
    ("AWS::Redshift::Cluster", "MasterPasswordSecretArn", &["ManageMasterPassword"], Move::Anew),
    ("AWS::StepFunctions::StateMachine", "StateMachineRevisionId",
        &["Definition", "DefinitionS3Location", "DefinitionString", "DefinitionSubstitutions", "EncryptionConfiguration",
          "LoggingConfiguration", "RoleArn", "TracingConfiguration"], Move::Form("{uuid}")),
];

/// How the names of attributes end that say when a resource was last changed.
const LAST_CHANGED: &[&str] = &[
    "LastModified",
    "LastModifiedAt",
    "LastModifiedDate",
    "LastModifiedOn",
    "LastModifiedTime",
    "LastUpdateTime",
    "LastUpdated",
    "LastUpdatedAt",
    "LastUpdatedDate",
    "LastUpdatedOn",
    "LastUpdatedTime",
    "ModifiedAt",
    "UpdateDate",
    "UpdateTime",
    "UpdatedAt",
    "UpdatedDate",
    "UpdatedTime",
    "UpdatedTimestamp",
];

/// The attributes of a type that move by its own rules: attribute, what must change, and how it moves.
pub(in crate::resources) fn moving(
    type_name: &str,
) -> impl Iterator<Item = (&'static str, &'static [&'static str], Move)> {
    MOVING.iter().filter(move |(name, ..)| *name == type_name).map(|(_, path, triggers, how)| (*path, *triggers, *how))
}

/// Whether an attribute says when its resource was last changed.
pub(in crate::resources) fn is_last_change(name: &str) -> bool {
    LAST_CHANGED.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudformation::schema::resource_type;

    #[test]
    fn the_table_is_sorted_and_names_what_there_is() {
        assert!(MOVING.is_sorted_by_key(|(name, path, ..)| (*name, *path)));
        for (name, path, triggers, _) in MOVING {
            let known = resource_type(name).unwrap_or_else(|| panic!("{name}"));
            assert!(known.property(path).is_some() && known.is_read_only(path), "{name} {path}");
            for trigger in *triggers {
                assert!(known.property(trigger).is_some() && !known.is_read_only(trigger), "{name} {trigger}");
            }
        }
    }
}

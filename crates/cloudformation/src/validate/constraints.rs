//! What each constraint across properties says, in a sentence, and the finding it makes.

use super::finding::{Rule, Severity};

/// The rule and the sentence for a constraint of the schema archive.
pub fn rule(cfn_lint: &'static str) -> (Rule, &'static str) {
    let known = SENTENCES.iter().find(|(rule, ..)| *rule == cfn_lint);
    let (_, id, sentence) = known.copied().unwrap_or((cfn_lint, "constraint", ""));
    (Rule { id, severity: Severity::Error, cfn_lint: Some(cfn_lint) }, sentence)
}

const SENTENCES: &[(&str, &str, &str)] = &[
    ("E3023", "record-values", "The record's values do not fit its type"),
    ("E3025", "instance-class", "RDS does not offer this instance class for the engine and licence"),
    ("E3029", "alias-record", "An alias record takes no TTL and is of a type that can be an alias"),
    ("E3042", "essential-container", "At least one container of a task must be essential"),
    ("E3044", "fargate-scheduling", "This kind of service can only use the scheduling strategy REPLICA"),
    ("E3045", "bucket-ownership", "A bucket with an ACL needs OwnershipControls that allow ACLs"),
    ("E3046", "awslogs-options", "The log driver awslogs needs `awslogs-group` and `awslogs-region`"),
    ("E3047", "fargate-size", "Fargate does not offer this combination of Cpu and Memory"),
    ("E3048", "fargate-task", "A Fargate task needs Cpu, Memory, NetworkMode awsvpc, and no placement constraints"),
    ("E3051", "document-content", "The document's content is not as SSM wants it"),
    ("E3052", "service-network", "A service whose task uses awsvpc needs NetworkConfiguration"),
    (
        "E3054",
        "service-fargate",
        "A service on Fargate needs a task definition that requires the compatibility FARGATE",
    ),
    ("E3501", "queue-properties", "These queue properties do not fit a queue of this kind (FIFO or standard)"),
    ("E3502", "dead-letter-kind", "A queue and its dead-letter queue must be of one kind (both FIFO or both standard)"),
    ("E3505", "queue-timeout", "The queue's VisibilityTimeout must not be less than the function's Timeout"),
    ("E3510", "identity-policy", "The policy document is not valid for an identity"),
    ("E3512", "resource-policy", "The policy document is not valid for a resource"),
    ("E3513", "repository-policy", "The policy document is not valid for an ECR repository"),
    ("E3530", "trust-policy", "The policy document is not a valid trust policy"),
    ("E3615", "alarm-period", "An alarm's Period is 10, 20, 30 or a multiple of 60 seconds"),
    ("E3617", "instance-type", "This instance type is not offered"),
    ("E3620", "instance-type", "This instance type is not offered"),
    ("E3621", "instance-type", "This instance type is not offered"),
    ("E3628", "instance-type", "This instance type is not offered"),
    ("E3633", "stream-position", "An event source that is a stream needs StartingPosition"),
    ("E3634", "queue-position", "An event source that is a queue takes no StartingPosition"),
    ("E3635", "instance-type", "This instance type is not offered"),
    ("E3636", "project-location", "A project whose source or artifacts are in S3 needs a Location"),
    ("E3638", "on-demand-throughput", "A table that is paid per request takes no ProvisionedThroughput"),
    ("E3639", "provisioned-throughput", "A table with provisioned capacity needs ProvisionedThroughput"),
    ("E3640", "instance-type", "This instance type is not offered"),
    ("E3641", "instance-type", "This instance type is not offered"),
    ("E3642", "instance-type", "This instance type is not offered"),
    ("E3643", "instance-type", "This instance type is not offered"),
    ("E3644", "instance-type", "This instance type is not offered"),
    ("E3647", "instance-type", "This instance type is not offered"),
    ("E3652", "instance-type", "This instance type is not offered"),
    ("E3653", "instance-type", "This instance type is not offered"),
    ("E3660", "rest-api", "A REST API needs a Name or an OpenAPI document in Body or BodyS3Location"),
    ("E3661", "health-check", "The health check's properties do not fit its Type"),
    ("E3663", "reserved-variable", "Lambda reserves this environment variable"),
    ("E3667", "instance-type", "This instance type is not offered"),
    ("E3670", "instance-type", "This instance type is not offered"),
    ("E3671", "volume-iops", "A volume of this type needs Iops"),
    ("E3672", "instance-type", "This instance type is not offered"),
    ("E3674", "private-address", "Only one private address can be the primary one"),
    ("E3675", "instance-type", "This instance type is not offered"),
    ("E3676", "listener-certificate", "A listener with HTTPS or TLS needs Certificates"),
    ("E3677", "inline-runtime", "Code in ZipFile is possible for Node.js and Python only"),
    ("E3678", "zip-runtime", "A function whose code is a ZIP file needs Runtime and Handler"),
    ("E3679", "listener-certificate", "A listener with HTTPS or SSL needs SSLCertificateId"),
    ("E3680", "balancer-subnets", "An application load balancer needs at least two subnets"),
    ("E3681", "target-group-kind", "A target group of this TargetType takes other properties"),
    ("E3682", "aurora-instance", "An Aurora instance takes this property from its cluster"),
    ("E3683", "target-group-protocol", "A target group of this Protocol takes other properties"),
    ("E3684", "health-check-protocol", "A health check of this protocol takes other properties"),
    ("E3685", "image-function", "A function from an image takes no Handler, Runtime or Layers"),
    ("E3686", "serverless-cluster", "A serverless cluster takes other properties"),
    ("E3687", "port-range", "A rule with this protocol needs FromPort and ToPort"),
    ("E3688", "port-range", "When FromPort or ToPort is -1, both must be"),
    ("E3689", "monitoring", "MonitoringInterval and MonitoringRoleArn go together"),
    ("E3690", "engine-version", "RDS does not offer this engine version"),
    ("E3691", "engine-version", "RDS does not offer this engine version"),
    ("E3692", "multi-az-cluster", "A Multi-AZ cluster needs other properties"),
    ("E3693", "aurora-cluster", "An Aurora cluster takes other properties"),
    ("E3694", "instance-class", "RDS does not offer this instance class for a cluster"),
    ("E3695", "engine-version", "ElastiCache does not offer this engine version"),
    ("E3696", "log-level", "LogLevels need LogFormat JSON"),
    ("E3698", "stage-api", "A stage and its deployment must belong to one REST API"),
    ("E3699", "authorizer-api", "A method and its authorizer must belong to one REST API"),
    ("E3704", "valkey-encryption", "With the engine valkey, TransitEncryptionEnabled must be said"),
    ("E3705", "fifo-batch", "An event source that is a FIFO queue has a BatchSize of at most 10"),
    ("E3706", "group-size", "MaxSize must not be less than MinSize"),
    ("E3707", "cluster-engine", "An instance and its cluster must have one Engine"),
    ("E3708", "authorization-type", "AuthorizationType must fit the authorizer's Type"),
    ("E3709", "cluster-encryption", "An instance and its cluster must agree on StorageEncrypted"),
    ("E3711", "rule-target-protocol", "A listener rule cannot forward to a target group of this protocol"),
    ("E3712", "tracking-size", "Target tracking needs a group whose MaxSize is greater than its MinSize"),
    ("E3713", "fargate-log-driver", "Fargate supports the log drivers awslogs, splunk and awsfirelens"),
    ("E3714", "template-network", "The security group and the subnet must be in one VPC"),
    ("E3715", "virtual-name", "VirtualName is `ephemeral` and a number"),
    ("E3717", "provider-timeout", "A function with a capacity provider has a shorter greatest Timeout"),
    ("E3718", "authorizer-ttl", "AuthorizerResultTtlInSeconds is at most 3600"),
    ("E3719", "backup-retention", "BackupRetentionPeriod does not fit this instance"),
    ("E3720", "storage-key", "KmsKeyId needs StorageEncrypted: true"),
    ("E3721", "replica-mode", "ReplicaMode does not fit this engine"),
    ("E3722", "cookies-forward", "Cookies.Forward is all, none or whitelist"),
    ("E3723", "resource-path", "ResourcePath must start with a slash"),
    ("E3725", "storage-capacity", "StorageCapacity does not fit this file system"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_constraint_of_the_archive_has_a_sentence() {
        let names = crate::schema::resource_type_names();
        for constraint in names.flat_map(crate::schema::constraints) {
            assert_ne!(rule_of(constraint.rule()).0.id, "constraint", "{}", constraint.rule());
        }
    }

    fn rule_of(name: &'static str) -> (Rule, &'static str) {
        rule(name)
    }
}

//! The settings that guard something: what the services' documentation says they do, in a few words.

use super::settings::{Guard, Setting};
use Guard::*;

const fn of(
    of: &'static str,
    path: super::json::Path,
    guard: Guard,
    code: &'static str,
    meaning: &'static str,
) -> Setting {
    Setting { of, path, guard, code, meaning }
}

const VIEWER: Guard = Ranked(&["allow-all", "redirect-to-https", "https-only"]);
const ORIGIN: Guard = Ranked(&["http-only", "match-viewer", "https-only"]);
const CDN_TLS: Guard =
    Ranked(&["SSLv3", "TLSv1", "TLSv1_2016", "TLSv1.1_2016", "TLSv1.2_2018", "TLSv1.2_2019", "TLSv1.2_2021"]);
const PUBLIC_ACLS: Guard = Never(&["PublicRead", "PublicReadWrite", "AuthenticatedRead"]);

/// Checked one after the other; a resource may have several.
#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    // ── Tables and databases ───────────────────────────────────────────────────────────────────────────────────────
    of("AWS::DynamoDB::Table", &["SSESpecification", "SSEEnabled"], On, "encryption-lost", "the items fall back to a key that AWS owns"),
    of("AWS::DynamoDB::Table", &["SSESpecification", "KMSMasterKeyId"], Present, "encryption-lost", "the items are no longer encrypted with the environment's key"),
    of("AWS::DynamoDB::Table", &["PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"], On, "backup-lost", "the table can no longer be brought back to an earlier moment"),
    of("AWS::DynamoDB::Table", &["PointInTimeRecoverySpecification", "RecoveryPeriodInDays"], NotLower, "backup-lost", "the table can be brought back less far"),
    of("AWS::DynamoDB::Table", &["DeletionProtectionEnabled"], On, "protection-lost", "anybody who may delete tables can delete it"),
    of("AWS::RDS::DBInstance", &["StorageEncrypted"], On, "encryption-lost", "the storage is no longer encrypted"),
    of("AWS::RDS::DBInstance", &["BackupRetentionPeriod"], NotLower, "backup-lost", "backups are kept for a shorter time"),
    of("AWS::RDS::DBInstance", &["DeletionProtection"], On, "protection-lost", "anybody who may delete databases can delete it"),
    of("AWS::RDS::DBInstance", &["PubliclyAccessible"], NeverOn, "public-access", "the database gets an address on the internet"),
    of("AWS::RDS::DBInstance", &["MultiAZ"], On, "redundancy-lowered", "nothing stands by in another zone"),
    of("AWS::RDS::DBInstance", &["EnableCloudwatchLogsExports"], NotFewer, "logging-lost", "fewer logs are kept"),
    of("AWS::RDS::DBCluster", &["StorageEncrypted"], On, "encryption-lost", "the storage is no longer encrypted"),
    of("AWS::RDS::DBCluster", &["BackupRetentionPeriod"], NotLower, "backup-lost", "backups are kept for a shorter time"),
    of("AWS::RDS::DBCluster", &["DeletionProtection"], On, "protection-lost", "anybody who may delete databases can delete it"),
    of("AWS::ElastiCache::ReplicationGroup", &["TransitEncryptionEnabled"], On, "tls-weakened", "clients talk to it in plain text"),
    of("AWS::ElastiCache::ReplicationGroup", &["AtRestEncryptionEnabled"], On, "encryption-lost", "data on disk is no longer encrypted"),
    of("AWS::ElastiCache::ReplicationGroup", &["AutomaticFailoverEnabled"], On, "redundancy-lowered", "no replica takes over"),
    of("AWS::EFS::FileSystem", &["BackupPolicy", "Status"], Kept("ENABLED"), "backup-lost", "files are no longer backed up"),

    // ── Buckets ────────────────────────────────────────────────────────────────────────────────────────────────────
    of("AWS::S3::Bucket", &["BucketEncryption", "ServerSideEncryptionConfiguration", "*", "ServerSideEncryptionByDefault", "SSEAlgorithm"], Kept("aws:kms"), "encryption-lost", "objects are no longer encrypted with a key of the account"),
    of("AWS::S3::Bucket", &["BucketEncryption"], Present, "encryption-lost", "how objects are encrypted is left to the service"),
    of("AWS::S3::Bucket", &["VersioningConfiguration", "Status"], Kept("Enabled"), "backup-lost", "files that are overwritten or deleted are gone"),
    of("AWS::S3::Bucket", &["ReplicationConfiguration"], Present, "backup-lost", "objects are no longer copied elsewhere"),
    of("AWS::S3::Bucket", &["PublicAccessBlockConfiguration", "BlockPublicAcls"], On, "public-access", "ACLs may make objects public"),
    of("AWS::S3::Bucket", &["PublicAccessBlockConfiguration", "BlockPublicPolicy"], On, "public-access", "a policy may make the bucket public"),
    of("AWS::S3::Bucket", &["PublicAccessBlockConfiguration", "IgnorePublicAcls"], On, "public-access", "public ACLs take effect"),
    of("AWS::S3::Bucket", &["PublicAccessBlockConfiguration", "RestrictPublicBuckets"], On, "public-access", "a public policy takes effect for everybody"),
    of("AWS::S3::Bucket", &["AccessControl"], PUBLIC_ACLS, "public-access", "everybody can read what is in the bucket"),
    of("AWS::S3::Bucket", &["OwnershipControls", "Rules", "*", "ObjectOwnership"], Kept("BucketOwnerEnforced"), "access-granted", "ACLs decide again who may read an object"),
    of("AWS::S3::Bucket", &["LoggingConfiguration"], Present, "logging-lost", "who read what is no longer recorded"),
    of("AWS::S3::Bucket", &["LifecycleConfiguration", "Rules", "*", "ExpirationInDays"], NotLower, "retention-shortened", "objects are deleted sooner"),
    of("AWS::S3::Bucket", &["LifecycleConfiguration", "Rules", "*", "NoncurrentVersionExpiration", "NoncurrentDays"], NotLower, "retention-shortened", "overwritten files can be brought back for a shorter time"),
    of("AWS::S3::Bucket", &["ObjectLockEnabled"], On, "protection-lost", "objects can be deleted before their time"),

    // ── Keys, secrets, messages, images ────────────────────────────────────────────────────────────────────────────
    of("AWS::KMS::Key", &["EnableKeyRotation"], On, "encryption-lost", "the key material stays the same for ever"),
    of("AWS::KMS::Key", &["Enabled"], NotOff, "downtime", "nothing that the key encrypts can be read"),
    of("AWS::KMS::Key", &["PendingWindowInDays"], NotLower, "protection-lost", "there is less time to take back a deletion"),
    of("AWS::SecretsManager::Secret", &["KmsKeyId"], Present, "encryption-lost", "the secret is no longer encrypted with the environment's key"),
    of("AWS::SNS::Topic", &["KmsMasterKeyId"], Present, "encryption-lost", "messages are no longer encrypted at rest"),
    of("AWS::SQS::Queue", &["KmsMasterKeyId"], Present, "encryption-lost", "messages are no longer encrypted with a key of the account"),
    of("AWS::SQS::Queue", &["SqsManagedSseEnabled"], NotOff, "encryption-lost", "messages are no longer encrypted at rest"),
    of("AWS::SQS::Queue", &["RedrivePolicy"], Present, "backup-lost", "messages that fail are lost"),
    of("AWS::SQS::Queue", &["MessageRetentionPeriod"], NotLower, "retention-shortened", "messages are kept for a shorter time"),
    of("AWS::ECR::Repository", &["ImageTagMutability"], Kept("IMMUTABLE"), "hardening-lost", "a tag can be moved to another image"),
    of("AWS::ECR::Repository", &["ImageScanningConfiguration", "ScanOnPush"], On, "hardening-lost", "images are no longer scanned for known weaknesses"),
    of("AWS::ECR::Repository", &["EncryptionConfiguration", "EncryptionType"], Kept("KMS"), "encryption-lost", "images are no longer encrypted with a key of the account"),

    // ── Logs and alarms ────────────────────────────────────────────────────────────────────────────────────────────
    of("AWS::Logs::LogGroup", &["RetentionInDays"], NotLowerThanForever, "retention-shortened", "older log lines are deleted"),
    of("AWS::Logs::LogGroup", &["KmsKeyId"], Present, "encryption-lost", "log lines are no longer encrypted with the environment's key"),
    of("AWS::EC2::FlowLog", &["TrafficType"], Kept("ALL"), "logging-lost", "a part of the traffic is no longer recorded"),
    of("AWS::WAFv2::LoggingConfiguration", &["LoggingFilter", "DefaultBehavior"], Kept("KEEP"), "logging-lost", "the firewall no longer records every request"),
    of("AWS::CloudTrail::Trail", &["IsLogging"], On, "logging-lost", "calls to AWS are no longer recorded"),
    of("AWS::CloudWatch::Alarm", &["ActionsEnabled"], NotOff, "alarm-weakened", "nobody is told when it rises"),
    of("AWS::CloudWatch::Alarm", &["AlarmActions"], NotFewer, "alarm-weakened", "fewer are told when it rises"),
    of("AWS::CloudWatch::Alarm", &["EvaluationPeriods"], NotHigher, "alarm-weakened", "it rises later"),
    of("AWS::CloudWatch::Alarm", &["DatapointsToAlarm"], NotHigher, "alarm-weakened", "it rises later"),
    of("AWS::CloudWatch::Alarm", &["Period"], NotHigher, "alarm-weakened", "it rises later"),
    of("AWS::CloudWatch::Alarm", &["TreatMissingData"], Kept("breaching"), "alarm-weakened", "silence no longer raises it"),

    // ── Load balancers ─────────────────────────────────────────────────────────────────────────────────────────────
    of("AWS::ElasticLoadBalancingV2::LoadBalancer", &["Scheme"], NotTo(&["internet-facing"]), "public-access", "the load balancer gets addresses on the internet"),
    of("AWS::ElasticLoadBalancingV2::LoadBalancer", &["LoadBalancerAttributes", "Key=deletion_protection.enabled", "Value"], On, "protection-lost", "anybody who may delete load balancers can delete it"),
    of("AWS::ElasticLoadBalancingV2::LoadBalancer", &["LoadBalancerAttributes", "Key=access_logs.s3.enabled", "Value"], On, "logging-lost", "requests are no longer recorded"),
    of("AWS::ElasticLoadBalancingV2::LoadBalancer", &["LoadBalancerAttributes", "Key=routing.http.drop_invalid_header_fields.enabled", "Value"], On, "hardening-lost", "header fields that HTTP does not allow reach the applications"),
    of("AWS::ElasticLoadBalancingV2::LoadBalancer", &["LoadBalancerAttributes", "Key=routing.http.desync_mitigation_mode", "Value"], Ranked(&["monitor", "defensive", "strictest"]), "hardening-lost", "requests made to be read in two ways get through"),
    of("AWS::ElasticLoadBalancingV2::LoadBalancer", &["Subnets"], NotFewer, "redundancy-lowered", "it stands in fewer zones"),
    of("AWS::ElasticLoadBalancingV2::Listener", &["Protocol"], Kept("HTTPS"), "tls-weakened", "clients talk to it in plain text"),
    of("AWS::ElasticLoadBalancingV2::Listener", &["Protocol"], Kept("TLS"), "tls-weakened", "clients talk to it in plain text"),
    of("AWS::ElasticLoadBalancingV2::Listener", &["SslPolicy"], TlsPolicy, "tls-weakened", "older versions of TLS are accepted"),
    of("AWS::ElasticLoadBalancingV2::Listener", &["DefaultActions", "*", "Type"], NotTo(&["forward"]), "access-granted", "requests that no rule matches reach an application"),
    of("AWS::ElasticLoadBalancingV2::TargetGroup", &["HealthCheckEnabled"], NotOff, "health-check-weakened", "broken targets get requests"),
    of("AWS::ElasticLoadBalancingV2::TargetGroup", &["HealthCheckIntervalSeconds"], NotHigher, "health-check-weakened", "broken targets get requests for longer"),
    of("AWS::ElasticLoadBalancingV2::TargetGroup", &["UnhealthyThresholdCount"], NotHigher, "health-check-weakened", "broken targets get requests for longer"),
    of("AWS::ElasticLoadBalancingV2::TargetGroup", &["HealthCheckPath"], Present, "health-check-weakened", "any answer at / counts as health"),
    of("AWS::ElasticLoadBalancingV2::TargetGroup", &["Matcher", "HttpCode"], Kept("200"), "health-check-weakened", "more answers count as health"),
    of("AWS::ElasticLoadBalancingV2::TargetGroup", &["Protocol"], Kept("HTTPS"), "tls-weakened", "targets are called in plain text"),

    // ── Containers ─────────────────────────────────────────────────────────────────────────────────────────────────
    of("AWS::ECS::Service", &["DeploymentConfiguration", "DeploymentCircuitBreaker", "Enable"], On, "rollback-off", "a deployment whose tasks do not start goes on for hours"),
    of("AWS::ECS::Service", &["DeploymentConfiguration", "DeploymentCircuitBreaker", "Rollback"], On, "rollback-off", "a failed deployment stays as it is"),
    of("AWS::ECS::Service", &["DeploymentConfiguration", "Alarms", "Enable"], On, "rollback-off", "a deployment that raises alarms goes on"),
    of("AWS::ECS::Service", &["DeploymentConfiguration", "Alarms", "Rollback"], On, "rollback-off", "a deployment that raises alarms stays as it is"),
    of("AWS::ECS::Service", &["DeploymentConfiguration", "MinimumHealthyPercent"], NotLower, "redundancy-lowered", "deployments stop tasks before new ones run"),
    of("AWS::ECS::Service", &["DesiredCount"], NotLower, "redundancy-lowered", "fewer tasks run"),
    of("AWS::ECS::Service", &["AvailabilityZoneRebalancing"], Kept("ENABLED"), "redundancy-lowered", "tasks may end up in one zone"),
    of("AWS::ECS::Service", &["NetworkConfiguration", "AwsvpcConfiguration", "Subnets"], NotFewer, "redundancy-lowered", "tasks run in fewer zones"),
    of("AWS::ECS::Service", &["NetworkConfiguration", "AwsvpcConfiguration", "AssignPublicIp"], NotTo(&["ENABLED"]), "public-address", "each task gets an address on the internet"),
    of("AWS::ECS::Service", &["EnableExecuteCommand"], Off, "exec-enabled", "whoever may call ecs:ExecuteCommand gets a shell in the containers"),
    of("AWS::ECS::Cluster", &["ClusterSettings", "Name=containerInsights", "Value"], Ranked(&["disabled", "enabled", "enhanced"]), "logging-lost", "fewer metrics of tasks are kept"),
    of("AWS::ECS::TaskDefinition", &["ContainerDefinitions", "*", "Privileged"], NeverOn, "hardening-lost", "the container has the rights of its host"),
    of("AWS::ECS::TaskDefinition", &["ContainerDefinitions", "*", "ReadonlyRootFilesystem"], On, "hardening-lost", "who breaks into the container can change its files"),
    of("AWS::ECS::TaskDefinition", &["ContainerDefinitions", "*", "User"], NotTo(&["root", "0", "0:0", "root:root"]), "hardening-lost", "the container runs as root"),
    of("AWS::ECS::TaskDefinition", &["ContainerDefinitions", "*", "LinuxParameters", "Capabilities", "Drop"], NotFewer, "hardening-lost", "the container keeps capabilities of Linux that it does not need"),
    of("AWS::ECS::TaskDefinition", &["ContainerDefinitions", "*", "LinuxParameters", "Capabilities", "Add"], NotMore, "hardening-lost", "the container gets further capabilities of Linux"),
    of("AWS::ECS::TaskDefinition", &["ContainerDefinitions", "*", "HealthCheck"], Present, "health-check-weakened", "a container that hangs is not noticed"),
    of("AWS::ECS::TaskDefinition", &["ContainerDefinitions", "*", "LogConfiguration"], Present, "logging-lost", "what the container prints is lost"),
    of("AWS::ApplicationAutoScaling::ScalableTarget", &["MinCapacity"], NotLower, "redundancy-lowered", "fewer tasks may be left when it is quiet"),
    of("AWS::AutoScaling::AutoScalingGroup", &["MinSize"], NotLower, "redundancy-lowered", "fewer instances may be left when it is quiet"),

    // ── CloudFront ─────────────────────────────────────────────────────────────────────────────────────────────────
    of("AWS::CloudFront::Distribution", &["DistributionConfig", "WebACLId"], Present, "firewall-lost", "requests reach the site and the applications unfiltered"),
    of("AWS::CloudFront::Distribution", &["DistributionConfig", "Logging"], Present, "logging-lost", "requests are no longer recorded"),
    of("AWS::CloudFront::Distribution", &["DistributionConfig", "Enabled"], On, "downtime", "the site is switched off"),
    of("AWS::CloudFront::Distribution", &["DistributionConfig", "ViewerCertificate", "MinimumProtocolVersion"], CDN_TLS, "tls-weakened", "older versions of TLS are accepted"),
    of("AWS::CloudFront::Distribution", &["DistributionConfig", "DefaultCacheBehavior", "ViewerProtocolPolicy"], VIEWER, "tls-weakened", "browsers may use plain HTTP"),
    of("AWS::CloudFront::Distribution", &["DistributionConfig", "CacheBehaviors", "*", "ViewerProtocolPolicy"], VIEWER, "tls-weakened", "browsers may use plain HTTP"),
    of("AWS::CloudFront::Distribution", &["DistributionConfig", "DefaultCacheBehavior", "ResponseHeadersPolicyId"], Present, "hardening-lost", "answers lose the headers that protect browsers"),
    of("AWS::CloudFront::Distribution", &["DistributionConfig", "CacheBehaviors", "*", "ResponseHeadersPolicyId"], Present, "hardening-lost", "answers lose the headers that protect browsers"),
    of("AWS::CloudFront::Distribution", &["DistributionConfig", "Origins", "*", "OriginAccessControlId"], Present, "access-granted", "the origin cannot tell CloudFront from others"),
    of("AWS::CloudFront::Distribution", &["DistributionConfig", "Origins", "*", "CustomOriginConfig", "OriginProtocolPolicy"], ORIGIN, "tls-weakened", "CloudFront calls the origin in plain text"),
    of("AWS::CloudFront::Distribution", &["DistributionConfig", "Origins", "*", "CustomOriginConfig", "OriginSSLProtocols"], NotMore, "tls-weakened", "CloudFront accepts more versions of TLS from the origin"),
    of("AWS::CloudFront::OriginAccessControl", &["OriginAccessControlConfig", "SigningBehavior"], Kept("always"), "access-granted", "requests to the origin go unsigned"),
    of("AWS::CloudFront::ResponseHeadersPolicy", &["ResponseHeadersPolicyConfig", "SecurityHeadersConfig", "StrictTransportSecurity"], Present, "tls-weakened", "browsers no longer insist on HTTPS"),
    of("AWS::CloudFront::ResponseHeadersPolicy", &["ResponseHeadersPolicyConfig", "SecurityHeadersConfig", "StrictTransportSecurity", "AccessControlMaxAgeSec"], NotLower, "tls-weakened", "browsers insist on HTTPS for a shorter time"),
    of("AWS::CloudFront::ResponseHeadersPolicy", &["ResponseHeadersPolicyConfig", "SecurityHeadersConfig", "FrameOptions"], Present, "hardening-lost", "other sites may show the pages in a frame"),
    of("AWS::CloudFront::ResponseHeadersPolicy", &["ResponseHeadersPolicyConfig", "SecurityHeadersConfig", "ContentTypeOptions"], Present, "hardening-lost", "browsers guess what a file is"),
    of("AWS::CloudFront::ResponseHeadersPolicy", &["ResponseHeadersPolicyConfig", "SecurityHeadersConfig", "ContentSecurityPolicy"], Present, "hardening-lost", "pages may load anything from anywhere"),

    // ── Network and functions ──────────────────────────────────────────────────────────────────────────────────────
    of("AWS::EC2::Subnet", &["MapPublicIpOnLaunch"], Off, "public-address", "what starts in the subnet gets an address on the internet"),
    of("AWS::Route53::RecordSet", &["AliasTarget", "EvaluateTargetHealth"], On, "health-check-weakened", "the name leads to a target that does not answer"),
    of("AWS::Lambda::Url", &["AuthType"], Never(&["NONE"]), "public-access", "everybody on the internet can call the function"),
    of("AWS::ApiGateway::Method", &["AuthorizationType"], NotTo(&["NONE"]), "public-access", "everybody can call the method"),
    of("AWS::EKS::Cluster", &["ResourcesVpcConfig", "EndpointPublicAccess"], Off, "public-access", "the API of the cluster gets an address on the internet"),
    of("AWS::Redshift::Cluster", &["PubliclyAccessible"], NeverOn, "public-access", "the warehouse gets an address on the internet"),
    of("AWS::IAM::Role", &["PermissionsBoundary"], Present, "boundary-lost", "nothing limits any more what the role may be granted"),
    of("AWS::IAM::User", &["PermissionsBoundary"], Present, "boundary-lost", "nothing limits any more what the user may be granted"),
];

//! Resource types whose loss cannot be made good by creating them again: the one list that stack policies, findings
//! and the refusal of a protected environment go by.
//!
//! A type is here when replacing or removing its resource loses data (rows, objects, messages, log lines, keys) or an
//! identity that others hold and nobody can reissue (a hosted zone's name servers, a user pool's accounts).

/// What would be lost with a resource of this type, as the end of a sentence ("its items would be lost"); none for
/// types that can be created again without loss.
pub fn holds(resource_type: &str) -> Option<&'static str> {
    TYPES.binary_search_by_key(&resource_type, |(name, _)| name).ok().map(|index| TYPES[index].1)
}

/// The types, sorted by name, each with what its resources hold.
pub const TYPES: &[(&str, &str)] = &[
    ("AWS::AmazonMQ::Broker", "messages"),
    ("AWS::Backup::BackupVault", "recovery points"),
    ("AWS::CloudTrail::EventDataStore", "events"),
    ("AWS::Cognito::IdentityPool", "identities"),
    ("AWS::Cognito::UserPool", "user accounts"),
    ("AWS::DocDB::DBCluster", "data"),
    ("AWS::DocDB::DBInstance", "data"),
    ("AWS::DynamoDB::GlobalTable", "items"),
    ("AWS::DynamoDB::Table", "items"),
    ("AWS::EC2::Volume", "data"),
    ("AWS::ECR::PublicRepository", "images"),
    ("AWS::ECR::Repository", "images"),
    ("AWS::EFS::FileSystem", "files"),
    ("AWS::EMR::Cluster", "data"),
    ("AWS::ElastiCache::CacheCluster", "data"),
    ("AWS::ElastiCache::ReplicationGroup", "data"),
    ("AWS::ElastiCache::ServerlessCache", "data"),
    ("AWS::Elasticsearch::Domain", "indices"),
    ("AWS::FSx::FileSystem", "files"),
    ("AWS::FSx::Volume", "files"),
    ("AWS::KMS::Key", "key material, and with it all that it encrypts"),
    ("AWS::KMS::ReplicaKey", "key material, and with it all that it encrypts"),
    ("AWS::Kinesis::Stream", "records"),
    ("AWS::Lightsail::Database", "data"),
    ("AWS::Lightsail::Disk", "data"),
    ("AWS::Logs::LogGroup", "log lines"),
    ("AWS::MSK::Cluster", "records"),
    ("AWS::MSK::ServerlessCluster", "records"),
    ("AWS::MemoryDB::Cluster", "data"),
    ("AWS::Neptune::DBCluster", "data"),
    ("AWS::Neptune::DBInstance", "data"),
    ("AWS::OpenSearchServerless::Collection", "indices"),
    ("AWS::OpenSearchService::Domain", "indices"),
    ("AWS::QLDB::Ledger", "journal"),
    ("AWS::RDS::DBCluster", "data"),
    ("AWS::RDS::DBInstance", "data"),
    ("AWS::RDS::GlobalCluster", "data"),
    ("AWS::Redshift::Cluster", "data"),
    ("AWS::RedshiftServerless::Namespace", "data"),
    ("AWS::Route53::HostedZone", "name servers, to which the parent domain delegates"),
    ("AWS::S3::Bucket", "objects"),
    ("AWS::S3Express::DirectoryBucket", "objects"),
    ("AWS::S3Tables::TableBucket", "tables"),
    ("AWS::SDB::Domain", "items"),
    ("AWS::SQS::Queue", "messages"),
    ("AWS::SecretsManager::Secret", "secret value"),
    ("AWS::Timestream::Database", "data"),
    ("AWS::Timestream::InfluxDBInstance", "data"),
    ("AWS::Timestream::Table", "data"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_so_that_it_can_be_searched() {
        assert!(TYPES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (name, what) in TYPES {
            assert_eq!(holds(name), Some(*what));
        }
    }

    #[test]
    fn what_can_be_created_again_is_not_stateful() {
        for name in ["AWS::EC2::VPC", "AWS::ECS::Service", "AWS::S3::BucketPolicy", "AWS::DynamoDB", ""] {
            assert_eq!(holds(name), None, "{name}");
        }
    }
}

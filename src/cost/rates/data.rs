//! What is stored: tables, buckets, images, databases, keys and secrets.

use super::Bill;
use rust_decimal::Decimal;

pub(super) fn write(bill: &mut Bill) -> bool {
    match bill.resource.resource_type.as_str() {
        "AWS::DynamoDB::Table" => table(bill),
        "AWS::S3::Bucket" => {
            bill.used("stored", "bucket_gb", "s3-gb-month");
            bill.used("writes", "bucket_writes", "s3-thousand-writes");
            bill.used("reads", "bucket_reads", "s3-thousand-reads");
        }
        "AWS::ECR::Repository" => bill.used("images", "image_gb", "ecr-gb-month"),
        "AWS::KMS::Key" => {
            bill.item("key", Decimal::ONE, "kms-key-month");
            bill.used("requests", "key_requests", "kms-10k-requests");
        }
        "AWS::SecretsManager::Secret" => {
            bill.item("secret", Decimal::ONE, "secret-month");
            bill.used("reads", "secret_calls", "secret-10k-calls");
        }
        "AWS::RDS::DBInstance" => database(bill),
        "AWS::ElastiCache::ReplicationGroup" => replicas(bill),
        "AWS::ElastiCache::CacheCluster" => {
            let nodes = bill.number("/NumCacheNodes").unwrap_or(Decimal::ONE);
            cache(bill, nodes);
        }
        "AWS::ElastiCache::ServerlessCache" => {
            bill.unknown("data and requests", "what a serverless cache holds and answers is not estimated");
        }
        _ => return false,
    }
    true
}

fn table(bill: &mut Bill) {
    match bill.resource.text("/BillingMode").as_deref() {
        Some("PAY_PER_REQUEST") => {
            bill.used("reads", "table_reads", "table-million-reads");
            bill.used("writes", "table_writes", "table-million-writes");
        }
        _ => bill.unknown("reads and writes", "provisioned capacity is not estimated"),
    }
    if !bill.resource.list("/GlobalSecondaryIndexes").is_empty() {
        bill.unknown("indexes", "what they hold and write beside the table is not estimated");
    }
    bill.used("stored", "table_gb", "table-gb-month");
    if bill.resource.is("/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled") {
        // By the size of the table, however far back the recovery goes.
        bill.used("point-in-time recovery", "table_gb", "pitr-gb-month");
    }
}

fn database(bill: &mut Bill) {
    let multi = if bill.resource.is("/MultiAZ") { "multi-az-" } else { "" };
    match bill.resource.text("/DBInstanceClass") {
        Some(class) => bill.hours(class.clone(), Decimal::ONE, format!("rds-{class}-{multi}hour")),
        None => bill.unknown("instance", "its class is known after apply"),
    }
    let kind = bill.resource.text("/StorageType").unwrap_or_else(|| "gp2".to_owned());
    match bill.number("/AllocatedStorage") {
        Some(size) => bill.item("storage", size, format!("rds-{kind}-{multi}gb-month")),
        None => bill.unknown("storage", "it grows by itself, or is known after apply"),
    }
}

/// Nodes of a group: given as such, or by shards that have replicas each.
fn replicas(bill: &mut Bill) {
    let shards = bill.number("/NumNodeGroups").unwrap_or(Decimal::ONE);
    let each = bill.number("/ReplicasPerNodeGroup").unwrap_or(Decimal::ZERO) + Decimal::ONE;
    let nodes = bill.number("/NumCacheClusters").unwrap_or(shards * each);
    cache(bill, nodes);
}

/// Engines differ in their prices.
fn cache(bill: &mut Bill, nodes: Decimal) {
    let engine = bill.resource.text("/Engine").unwrap_or_else(|| "redis".to_owned());
    match bill.resource.text("/CacheNodeType") {
        Some(class) => bill.hours(class.clone(), nodes, format!("cache-{engine}-{class}-hour")),
        None => bill.unknown("nodes", "their type is known after apply"),
    }
}

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

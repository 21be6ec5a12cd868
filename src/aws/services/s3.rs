//! How a bucket is protected: encryption, versions, public access.

use crate::aws::Result;
use crate::aws::error::{Call, Explain, failure};
use aws_sdk_s3::Client;
use serde_json::{Value as Json, json};

pub(super) async fn bucket(client: &Client, bucket: &str) -> Result<Option<Json>> {
    let looking = |operation: &'static str| Call::new("s3", operation, format!("look at the bucket `{bucket}`"));
    let encryption = client.get_bucket_encryption().bucket(bucket).send().await;
    let encryption = encryption.explain(|| looking("GetEncryptionConfiguration"));
    let encryption = match set(encryption, "ServerSideEncryptionConfigurationNotFoundError")? {
        Setting::NoBucket => return Ok(None),
        Setting::None => Json::Null,
        Setting::Is(answer) => {
            let rules = answer.server_side_encryption_configuration.map(|it| it.rules).unwrap_or_default();
            let rules = rules.into_iter().map(|rule| {
                let default = rule.apply_server_side_encryption_by_default.map(
                    |it| json!({ "SSEAlgorithm": it.sse_algorithm.as_str(), "KMSMasterKeyID": it.kms_master_key_id }),
                );
                json!({ "ServerSideEncryptionByDefault": default, "BucketKeyEnabled": rule.bucket_key_enabled })
            });
            json!({ "ServerSideEncryptionConfiguration": rules.collect::<Vec<_>>() })
        }
    };
    let versioning = client.get_bucket_versioning().bucket(bucket).send().await;
    let versioning = versioning.explain(|| looking("GetBucketVersioning"))?.status;
    let access = client.get_public_access_block().bucket(bucket).send().await;
    let access = access.explain(|| looking("GetBucketPublicAccessBlock"));
    let access = match set(access, "NoSuchPublicAccessBlockConfiguration")? {
        Setting::NoBucket => return Ok(None),
        Setting::None => None,
        Setting::Is(answer) => answer.public_access_block_configuration,
    };
    Ok(Some(json!({
        "BucketEncryption": encryption,
        "VersioningConfiguration": versioning.map(|status| json!({ "Status": status.as_str() })),
        "PublicAccessBlockConfiguration": access.map(|it| json!({
            "BlockPublicAcls": it.block_public_acls,
            "BlockPublicPolicy": it.block_public_policy,
            "IgnorePublicAcls": it.ignore_public_acls,
            "RestrictPublicBuckets": it.restrict_public_buckets,
        })),
    })))
}

/// A part of a bucket's configuration.
enum Setting<T> {
    NoBucket,
    None,
    Is(T),
}

fn set<T>(answer: Result<T>, none: &str) -> Result<Setting<T>> {
    match answer {
        Ok(answer) => Ok(Setting::Is(answer)),
        Err(error) => match failure(&error).map(|failure| failure.code.as_str()) {
            Some("NoSuchBucket") => Ok(Setting::NoBucket),
            Some(code) if code == none => Ok(Setting::None),
            _ => Err(error),
        },
    }
}

//! `AWS::S3::BucketPolicy`.

use super::Backing;
use super::bucket::{delete_at, get_at, put_at};
use crate::resources::Failure;
use crate::resources::model::Properties;
use serde_json::{Value as Json, json};

pub(super) async fn put(backing: &Backing<'_>, properties: &Properties) -> Result<(), Failure> {
    let document = properties.get("PolicyDocument").cloned().unwrap_or_default();
    let text = document.as_str().map_or_else(|| document.to_string(), str::to_owned);
    put_at(backing, backing.physical_id, "policy", text).await
}

pub(super) async fn delete(backing: &Backing<'_>) -> Result<(), Failure> {
    delete_at(backing, backing.physical_id, "policy").await
}

pub(super) async fn observe(backing: &Backing<'_>) -> Option<Properties> {
    let body = get_at(backing, backing.physical_id, "policy").await?;
    let document: Json = serde_json::from_slice(&body).ok()?;
    let mut observed = Properties::new();
    observed.insert("Bucket".to_owned(), json!(backing.physical_id));
    observed.insert("PolicyDocument".to_owned(), document);
    Some(observed)
}

//! `AWS::Logs::LogGroup`.

use super::{Backing, Change};
use crate::resources::Failure;
use crate::resources::model::Properties;
use serde_json::{Map, Value as Json, json};

const SERVICE: &str = "logs";

pub(super) async fn create(backing: &Backing<'_>, properties: &Properties) -> Result<(), Failure> {
    let mut input = json!({ "logGroupName": backing.physical_id });
    for (name, member) in [("KmsKeyId", "kmsKeyId"), ("LogGroupClass", "logGroupClass")] {
        if let Some(value) = properties.get(name) {
            input[member] = value.clone();
        }
    }
    let tags: Map<String, Json> = properties
        .get("Tags")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(|tag| Some((tag["Key"].as_str()?.to_owned(), tag["Value"].clone())))
        .collect();
    if !tags.is_empty() {
        input["tags"] = Json::Object(tags);
    }
    backing.ask(SERVICE, "CreateLogGroup", input).await?;
    retain(backing, properties.get("RetentionInDays")).await
}

pub(super) async fn update(backing: &Backing<'_>, change: &Change<'_>) -> Result<(), Failure> {
    if let Some(days) = change.of("RetentionInDays") {
        retain(backing, days).await?;
    }
    match change.of("KmsKeyId") {
        Some(Some(key)) => {
            let input = json!({ "logGroupName": backing.physical_id, "kmsKeyId": key });
            backing.ask(SERVICE, "AssociateKmsKey", input).await?;
        }
        Some(None) => {
            backing.ask(SERVICE, "DisassociateKmsKey", json!({ "logGroupName": backing.physical_id })).await?;
        }
        None => {}
    }
    Ok(())
}

pub(super) async fn delete(backing: &Backing<'_>) -> Result<(), Failure> {
    backing.remove(SERVICE, "DeleteLogGroup", json!({ "logGroupName": backing.physical_id })).await
}

pub(super) async fn observe(backing: &Backing<'_>) -> Option<Properties> {
    let mut next: Option<Json> = None;
    loop {
        let mut input = json!({ "logGroupNamePrefix": backing.physical_id });
        if let Some(token) = next.take() {
            input["nextToken"] = token;
        }
        let page = backing.call(SERVICE, "DescribeLogGroups", input).await.ok()?;
        let groups = page["logGroups"].as_array().cloned().unwrap_or_default();
        if let Some(group) = groups.iter().find(|group| group["logGroupName"] == backing.physical_id) {
            let mut observed = Properties::new();
            for (member, name) in
                [("logGroupName", "LogGroupName"), ("retentionInDays", "RetentionInDays"), ("kmsKeyId", "KmsKeyId")]
            {
                if let Some(value) = group.get(member).filter(|value| !value.is_null()) {
                    observed.insert(name.to_owned(), value.clone());
                }
            }
            return Some(observed);
        }
        match page.get("nextToken") {
            Some(token) if token.is_string() => next = Some(token.clone()),
            _ => return None,
        }
    }
}

async fn retain(backing: &Backing<'_>, days: Option<&Json>) -> Result<(), Failure> {
    let (operation, input) = match days {
        Some(days) => ("PutRetentionPolicy", json!({ "logGroupName": backing.physical_id, "retentionInDays": days })),
        None => ("DeleteRetentionPolicy", json!({ "logGroupName": backing.physical_id })),
    };
    backing.ask(SERVICE, operation, input).await.map(|_| ())
}

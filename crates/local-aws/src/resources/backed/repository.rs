//! `AWS::ECR::Repository`.

use super::{Backing, Change};
use crate::resources::Failure;
use crate::resources::model::Properties;
use serde_json::{Value as Json, json};

const SERVICE: &str = "ecr";

pub(super) async fn create(backing: &Backing<'_>, properties: &Properties) -> Result<(), Failure> {
    let mut input = json!({ "repositoryName": backing.physical_id });
    if let Some(mutability) = properties.get("ImageTagMutability") {
        input["imageTagMutability"] = mutability.clone();
    }
    if let Some(scanning) = properties.get("ImageScanningConfiguration") {
        input["imageScanningConfiguration"] = json!({ "scanOnPush": scanning["ScanOnPush"] });
    }
    if let Some(encryption) = properties.get("EncryptionConfiguration") {
        input["encryptionConfiguration"] = json!({ "encryptionType": encryption["EncryptionType"] });
        if let Some(key) = encryption.get("KmsKey") {
            input["encryptionConfiguration"]["kmsKey"] = key.clone();
        }
    }
    backing.ask(SERVICE, "CreateRepository", input).await?;
    if let (Some(tags), Some(arn)) = (properties.get("Tags"), properties.get("Arn")) {
        backing.ask(SERVICE, "TagResource", json!({ "resourceArn": arn, "tags": tags })).await?;
    }
    put_policy(backing, properties.get("RepositoryPolicyText")).await?;
    put_lifecycle(backing, properties.get("LifecyclePolicy")).await
}

pub(super) async fn update(backing: &Backing<'_>, change: &Change<'_>) -> Result<(), Failure> {
    let name = backing.physical_id;
    if let Some(mutability) = change.of("ImageTagMutability") {
        let mutability = mutability.cloned().unwrap_or(json!("MUTABLE"));
        let input = json!({ "repositoryName": name, "imageTagMutability": mutability });
        backing.ask(SERVICE, "PutImageTagMutability", input).await?;
    }
    if let Some(scanning) = change.of("ImageScanningConfiguration") {
        let on_push = scanning.is_some_and(|scanning| scanning["ScanOnPush"] == true);
        let input = json!({ "repositoryName": name, "imageScanningConfiguration": { "scanOnPush": on_push } });
        backing.ask(SERVICE, "PutImageScanningConfiguration", input).await?;
    }
    if let Some(policy) = change.of("RepositoryPolicyText") {
        put_policy(backing, policy).await?;
    }
    if let Some(policy) = change.of("LifecyclePolicy") {
        put_lifecycle(backing, policy).await?;
    }
    let (set, gone) = change.tags();
    let arn = change.after.get("Arn").cloned().unwrap_or_default();
    if !gone.is_empty() {
        backing.ask(SERVICE, "UntagResource", json!({ "resourceArn": arn, "tagKeys": gone })).await?;
    }
    if !set.is_empty() {
        backing.ask(SERVICE, "TagResource", json!({ "resourceArn": arn, "tags": set })).await?;
    }
    Ok(())
}

pub(super) async fn delete(backing: &Backing<'_>, properties: &Properties) -> Result<(), Failure> {
    let force = properties.get("EmptyOnDelete").is_some_and(|empty| *empty == true);
    backing.remove(SERVICE, "DeleteRepository", json!({ "repositoryName": backing.physical_id, "force": force })).await
}

pub(super) async fn observe(backing: &Backing<'_>) -> Option<Properties> {
    let name = backing.physical_id;
    let found = backing.call(SERVICE, "DescribeRepositories", json!({ "repositoryNames": [name] })).await.ok()?;
    let repository = found["repositories"].as_array()?.iter().find(|one| one["repositoryName"] == name)?.clone();
    let mut observed = Properties::new();
    observed.insert("RepositoryName".to_owned(), json!(name));
    if let Some(mutability) = repository.get("imageTagMutability").filter(|value| value.is_string()) {
        observed.insert("ImageTagMutability".to_owned(), mutability.clone());
    }
    if let Some(on_push) = repository["imageScanningConfiguration"].get("scanOnPush").filter(|value| value.is_boolean())
    {
        observed.insert("ImageScanningConfiguration".to_owned(), json!({ "ScanOnPush": on_push }));
    }
    let which = json!({ "repositoryName": name });
    if let Ok(policy) = backing.call(SERVICE, "GetRepositoryPolicy", which.clone()).await
        && let Some(text) = policy["policyText"].as_str()
    {
        let document = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
        observed.insert("RepositoryPolicyText".to_owned(), document);
    }
    if let Ok(policy) = backing.call(SERVICE, "GetLifecyclePolicy", which).await
        && let Some(text) = policy["lifecyclePolicyText"].as_str()
    {
        observed.insert("LifecyclePolicy".to_owned(), json!({ "LifecyclePolicyText": text }));
    }
    let listed =
        backing.call(SERVICE, "ListTagsForResource", json!({ "resourceArn": repository["repositoryArn"] })).await;
    let tags = listed.ok().and_then(|listed| super::tags(&listed["tags"], "Key", "Value"));
    if let Some(tags) = tags.filter(|tags| tags.as_array().is_some_and(|tags| !tags.is_empty())) {
        observed.insert("Tags".to_owned(), tags);
    }
    Some(observed)
}

async fn put_policy(backing: &Backing<'_>, policy: Option<&Json>) -> Result<(), Failure> {
    let name = backing.physical_id;
    match policy {
        Some(policy) => {
            let text = policy.as_str().map_or_else(|| policy.to_string(), str::to_owned);
            let input = json!({ "repositoryName": name, "policyText": text });
            backing.ask(SERVICE, "SetRepositoryPolicy", input).await.map(|_| ())
        }
        None => backing.remove(SERVICE, "DeleteRepositoryPolicy", json!({ "repositoryName": name })).await,
    }
}

async fn put_lifecycle(backing: &Backing<'_>, policy: Option<&Json>) -> Result<(), Failure> {
    let name = backing.physical_id;
    match policy.and_then(|policy| policy["LifecyclePolicyText"].as_str()) {
        Some(text) => {
            let input = json!({ "repositoryName": name, "lifecyclePolicyText": text });
            backing.ask(SERVICE, "PutLifecyclePolicy", input).await.map(|_| ())
        }
        None => backing.remove(SERVICE, "DeleteLifecyclePolicy", json!({ "repositoryName": name })).await,
    }
}

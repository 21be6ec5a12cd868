//! `AWS::SSM::Parameter`.

use super::{Backing, Change, tags};
use crate::resources::Failure;
use crate::resources::model::Properties;
use serde_json::{Value as Json, json};

const SERVICE: &str = "ssm";

pub(super) async fn create(backing: &Backing<'_>, properties: &Properties) -> Result<(), Failure> {
    let mut input = input(properties, backing.physical_id);
    if let Some(tags) = tag_list(properties) {
        input["Tags"] = tags;
    }
    backing.ask(SERVICE, "PutParameter", input).await.map(|_| ())
}

pub(super) async fn update(backing: &Backing<'_>, change: &Change<'_>) -> Result<(), Failure> {
    let mut put = input(change.after, backing.physical_id);
    if put != input(change.before, backing.physical_id) {
        put["Overwrite"] = json!(true);
        backing.ask(SERVICE, "PutParameter", put).await?;
    }
    if change.of("Tags").is_some() {
        let of = |properties: &Properties| {
            tag_list(properties).and_then(|tags| tags.as_array().cloned()).unwrap_or_default()
        };
        let (before, after) = (of(change.before), of(change.after));
        let gone: Vec<&Json> = before
            .iter()
            .filter(|tag| !after.iter().any(|other| other["Key"] == tag["Key"]))
            .map(|tag| &tag["Key"])
            .collect();
        let which = json!({ "ResourceType": "Parameter", "ResourceId": backing.physical_id });
        let with = |name: &str, value: Json| {
            let mut input = which.clone();
            input[name] = value;
            input
        };
        if !gone.is_empty() {
            backing.ask(SERVICE, "RemoveTagsFromResource", with("TagKeys", json!(gone))).await?;
        }
        if !after.is_empty() {
            backing.ask(SERVICE, "AddTagsToResource", with("Tags", json!(after))).await?;
        }
    }
    Ok(())
}

pub(super) async fn delete(backing: &Backing<'_>) -> Result<(), Failure> {
    backing.remove(SERVICE, "DeleteParameter", json!({ "Name": backing.physical_id })).await
}

pub(super) async fn observe(backing: &Backing<'_>) -> Option<Properties> {
    let found = backing.call(SERVICE, "GetParameter", json!({ "Name": backing.physical_id })).await.ok()?;
    let mut observed = Properties::new();
    for name in ["Name", "Type", "Value", "DataType"] {
        if let Some(value) = found["Parameter"].get(name).filter(|value| !value.is_null()) {
            observed.insert(name.to_owned(), value.clone());
        }
    }
    let asked = json!({ "ResourceType": "Parameter", "ResourceId": backing.physical_id });
    let listed = backing.call(SERVICE, "ListTagsForResource", asked).await.ok();
    let list = listed.and_then(|listed| tags(&listed["TagList"], "Key", "Value"));
    // The type keeps its tags as a map.
    let map: serde_json::Map<String, Json> = list
        .iter()
        .flat_map(|tags| tags.as_array().into_iter().flatten())
        .filter_map(|tag| Some((tag["Key"].as_str()?.to_owned(), tag["Value"].clone())))
        .collect();
    if !map.is_empty() {
        observed.insert("Tags".to_owned(), Json::Object(map));
    }
    Some(observed)
}

fn input(properties: &Properties, name: &str) -> Json {
    let mut input = json!({ "Name": name });
    for member in ["Type", "Value", "Description", "AllowedPattern", "Tier", "Policies", "DataType"] {
        if let Some(value) = properties.get(member) {
            input[member] = value.clone();
        }
    }
    input
}

fn tag_list(properties: &Properties) -> Option<Json> {
    let tags = properties.get("Tags")?.as_object()?;
    Some(tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect())
}

//! `AWS::DynamoDB::Table`.

use super::{Backing, Change};
use crate::resources::Failure;
use crate::resources::model::Properties;
use serde_json::{Value as Json, json};

const SERVICE: &str = "dynamodb";
/// What the service and CloudFormation write alike.
const SAME: [&str; 8] = [
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "LocalSecondaryIndexes",
    "TableClass",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
];

pub(super) async fn create(backing: &Backing<'_>, properties: &Properties) -> Result<(), Failure> {
    let mut input = json!({ "TableName": backing.physical_id });
    for name in SAME {
        if let Some(value) = properties.get(name) {
            input[name] = value.clone();
        }
    }
    if let Some(indexes) = properties.get("GlobalSecondaryIndexes").and_then(Json::as_array) {
        input["GlobalSecondaryIndexes"] = indexes.iter().map(index).collect();
    }
    if let Some(stream) = properties.get("StreamSpecification") {
        input["StreamSpecification"] = stream_specification(Some(stream));
    }
    if let Some(encryption) = properties.get("SSESpecification") {
        input["SSESpecification"] = encryption_specification(encryption);
    }
    backing.ask(SERVICE, "CreateTable", input).await?;
    if let (Some(tags), Some(arn)) = (properties.get("Tags"), properties.get("Arn")) {
        backing.ask(SERVICE, "TagResource", json!({ "ResourceArn": arn, "Tags": tags })).await?;
    }
    if let Some(ttl) = properties.get("TimeToLiveSpecification") {
        time_to_live(backing, ttl).await?;
    }
    if let Some(recovery) = properties.get("PointInTimeRecoverySpecification") {
        point_in_time(backing, Some(recovery)).await?;
    }
    Ok(())
}

pub(super) async fn update(backing: &Backing<'_>, change: &Change<'_>) -> Result<(), Failure> {
    let name = backing.physical_id;
    let mut input = json!({ "TableName": name });
    let bare = input.clone();
    for member in ["BillingMode", "ProvisionedThroughput", "TableClass", "OnDemandThroughput"] {
        if let Some(Some(value)) = change.of(member) {
            input[member] = value.clone();
        }
    }
    if let Some(protected) = change.of("DeletionProtectionEnabled") {
        input["DeletionProtectionEnabled"] = protected.cloned().unwrap_or(json!(false));
    }
    if let Some(encryption) = change.of("SSESpecification") {
        input["SSESpecification"] = encryption.map_or(json!({ "Enabled": false }), encryption_specification);
    }
    if let Some(stream) = change.of("StreamSpecification") {
        input["StreamSpecification"] = stream_specification(stream);
    }
    if input != bare {
        backing.ask(SERVICE, "UpdateTable", input).await?;
    }
    indexes(backing, change).await?;
    match change.of("TimeToLiveSpecification") {
        Some(Some(ttl)) => time_to_live(backing, ttl).await?,
        Some(None) => {
            let mut off = change.before.get("TimeToLiveSpecification").cloned().unwrap_or_default();
            off["Enabled"] = json!(false);
            time_to_live(backing, &off).await?;
        }
        None => {}
    }
    if let Some(recovery) = change.of("PointInTimeRecoverySpecification") {
        point_in_time(backing, recovery).await?;
    }
    let (set, gone) = change.tags();
    let arn = change.after.get("Arn").cloned().unwrap_or_default();
    if !gone.is_empty() {
        backing.ask(SERVICE, "UntagResource", json!({ "ResourceArn": arn, "TagKeys": gone })).await?;
    }
    if !set.is_empty() {
        backing.ask(SERVICE, "TagResource", json!({ "ResourceArn": arn, "Tags": set })).await?;
    }
    Ok(())
}

/// Indexes come and go one at a time, as the service wants it.
async fn indexes(backing: &Backing<'_>, change: &Change<'_>) -> Result<(), Failure> {
    let Some(after) = change.of("GlobalSecondaryIndexes") else { return Ok(()) };
    let list = |value: Option<&Json>| value.and_then(Json::as_array).cloned().unwrap_or_default();
    let (before, after) = (list(change.before.get("GlobalSecondaryIndexes")), list(after));
    let same = |one: &Json, other: &Json| one["IndexName"] == other["IndexName"];
    let mut updates: Vec<Json> = Vec::new();
    for gone in before.iter().filter(|index| !after.iter().any(|other| same(index, other))) {
        updates.push(json!({ "Delete": { "IndexName": gone["IndexName"] } }));
    }
    for kept in &after {
        match before.iter().find(|other| same(kept, other)) {
            None => updates.push(json!({ "Create": index(kept) })),
            Some(other) if other["ProvisionedThroughput"] != kept["ProvisionedThroughput"] => {
                let throughput = &kept["ProvisionedThroughput"];
                updates.push(json!({
                    "Update": { "IndexName": kept["IndexName"], "ProvisionedThroughput": throughput }
                }));
            }
            Some(_) => {}
        }
    }
    let definitions = change.after.get("AttributeDefinitions").cloned().unwrap_or_default();
    for update in updates {
        let input = json!({
            "TableName": backing.physical_id,
            "AttributeDefinitions": definitions,
            "GlobalSecondaryIndexUpdates": [update],
        });
        backing.ask(SERVICE, "UpdateTable", input).await?;
    }
    Ok(())
}

pub(super) async fn delete(backing: &Backing<'_>, properties: &Properties) -> Result<(), Failure> {
    // The embedded DynamoDB takes the switch and forgets it: the resource remembers.
    if properties.get("DeletionProtectionEnabled").is_some_and(|protected| *protected == true) {
        let message = "Resource cannot be deleted as it is currently protected against deletion. Disable deletion \
                       protection first.";
        return Err(Failure::handler(backing.world, "DynamoDb", message, 400, "InvalidRequest"));
    }
    backing.remove(SERVICE, "DeleteTable", json!({ "TableName": backing.physical_id })).await
}

pub(super) async fn observe(backing: &Backing<'_>) -> Option<Properties> {
    let which = json!({ "TableName": backing.physical_id });
    let found = backing.call(SERVICE, "DescribeTable", which.clone()).await.ok()?;
    let table = &found["Table"];
    let mut observed = Properties::new();
    observed.insert("TableName".to_owned(), json!(backing.physical_id));
    for name in ["KeySchema", "AttributeDefinitions"] {
        if let Some(value) = table.get(name).filter(|value| !value.is_null()) {
            observed.insert(name.to_owned(), value.clone());
        }
    }
    let on_demand = table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST";
    observed.insert("BillingMode".to_owned(), json!(if on_demand { "PAY_PER_REQUEST" } else { "PROVISIONED" }));
    if !on_demand {
        observed.insert("ProvisionedThroughput".to_owned(), throughput(&table["ProvisionedThroughput"]));
    }
    if let Some(indexes) = table["GlobalSecondaryIndexes"].as_array().filter(|indexes| !indexes.is_empty()) {
        let index = |index: &Json| {
            let mut observed = json!({
                "IndexName": index["IndexName"],
                "KeySchema": index["KeySchema"],
                "Projection": index["Projection"],
            });
            if !on_demand {
                observed["ProvisionedThroughput"] = throughput(&index["ProvisionedThroughput"]);
            }
            observed
        };
        let mut indexes: Vec<Json> = indexes.iter().map(index).collect();
        indexes.sort_by_key(|index| index["IndexName"].as_str().map(str::to_owned));
        observed.insert("GlobalSecondaryIndexes".to_owned(), Json::Array(indexes));
    }
    if let Some(class) = table["TableClassSummary"].get("TableClass").filter(|class| class.is_string()) {
        observed.insert("TableClass".to_owned(), class.clone());
    }
    if let Some(view) = table["StreamSpecification"].get("StreamViewType").filter(|view| view.is_string()) {
        observed.insert("StreamSpecification".to_owned(), json!({ "StreamViewType": view }));
    }
    if let Some(status) = table["SSEDescription"].get("Status").filter(|status| status.is_string()) {
        observed.insert("SSESpecification".to_owned(), json!({ "SSEEnabled": status == "ENABLED" }));
    }
    if let Ok(ttl) = backing.call(SERVICE, "DescribeTimeToLive", which.clone()).await {
        let ttl = &ttl["TimeToLiveDescription"];
        if ttl["AttributeName"].is_string() {
            let enabled = ttl["TimeToLiveStatus"].as_str().is_some_and(|status| status.starts_with("ENABL"));
            let specification = json!({ "AttributeName": ttl["AttributeName"], "Enabled": enabled });
            observed.insert("TimeToLiveSpecification".to_owned(), specification);
        }
    }
    if let Ok(backups) = backing.call(SERVICE, "DescribeContinuousBackups", which).await {
        let status = &backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"];
        let enabled = status["PointInTimeRecoveryStatus"] == "ENABLED";
        let specification = json!({ "PointInTimeRecoveryEnabled": enabled });
        observed.insert("PointInTimeRecoverySpecification".to_owned(), specification);
    }
    let asked = json!({ "ResourceArn": table["TableArn"] });
    let listed = backing.call(SERVICE, "ListTagsOfResource", asked).await.ok();
    let tags = listed.and_then(|listed| super::tags(&listed["Tags"], "Key", "Value"));
    if let Some(tags) = tags.filter(|tags| tags.as_array().is_some_and(|tags| !tags.is_empty())) {
        observed.insert("Tags".to_owned(), tags);
    }
    Some(observed)
}

fn throughput(described: &Json) -> Json {
    json!({
        "ReadCapacityUnits": described["ReadCapacityUnits"],
        "WriteCapacityUnits": described["WriteCapacityUnits"],
    })
}

fn index(declared: &Json) -> Json {
    let mut index = json!({});
    for name in ["IndexName", "KeySchema", "Projection", "ProvisionedThroughput", "OnDemandThroughput"] {
        if let Some(value) = declared.get(name) {
            index[name] = value.clone();
        }
    }
    index
}

fn stream_specification(stream: Option<&Json>) -> Json {
    match stream {
        Some(stream) => json!({ "StreamEnabled": true, "StreamViewType": stream["StreamViewType"] }),
        None => json!({ "StreamEnabled": false }),
    }
}

fn encryption_specification(declared: &Json) -> Json {
    let mut specification = json!({ "Enabled": declared["SSEEnabled"] });
    for name in ["SSEType", "KMSMasterKeyId"] {
        if let Some(value) = declared.get(name) {
            specification[name] = value.clone();
        }
    }
    specification
}

async fn time_to_live(backing: &Backing<'_>, ttl: &Json) -> Result<(), Failure> {
    let specification = json!({ "AttributeName": ttl["AttributeName"], "Enabled": ttl["Enabled"] });
    let input = json!({ "TableName": backing.physical_id, "TimeToLiveSpecification": specification });
    backing.ask(SERVICE, "UpdateTimeToLive", input).await.map(|_| ())
}

async fn point_in_time(backing: &Backing<'_>, recovery: Option<&Json>) -> Result<(), Failure> {
    let enabled = recovery.is_some_and(|recovery| recovery["PointInTimeRecoveryEnabled"] == true);
    let specification = json!({ "PointInTimeRecoveryEnabled": enabled });
    let input = json!({ "TableName": backing.physical_id, "PointInTimeRecoverySpecification": specification });
    backing.ask(SERVICE, "UpdateContinuousBackups", input).await.map(|_| ())
}

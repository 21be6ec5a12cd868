//! `AWS::S3::Bucket`: the bucket, and those of its settings that the embedded S3 keeps.

use super::{Backing, Change, is_gone, xml};
use crate::door::Request;
use crate::resources::Failure;
use crate::resources::model::Properties;
use crate::services::ServiceError;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value as Json, json};

/// A property, the parameter that names it in a URL, and the root of its document.
const SETTINGS: [(&str, &str, &str); 9] = [
    ("BucketEncryption", "encryption", "ServerSideEncryptionConfiguration"),
    ("CorsConfiguration", "cors", "CORSConfiguration"),
    ("LifecycleConfiguration", "lifecycle", "LifecycleConfiguration"),
    ("NotificationConfiguration", "notification", "NotificationConfiguration"),
    ("OwnershipControls", "ownershipControls", "OwnershipControls"),
    ("PublicAccessBlockConfiguration", "publicAccessBlock", "PublicAccessBlockConfiguration"),
    ("Tags", "tagging", "Tagging"),
    ("VersioningConfiguration", "versioning", "VersioningConfiguration"),
    ("WebsiteConfiguration", "website", "WebsiteConfiguration"),
];

pub(super) async fn create(backing: &Backing<'_>, properties: &Properties) -> Result<(), Failure> {
    let region = backing.place.region.as_str();
    let body = match region {
        "us-east-1" => String::new(),
        _ => xml::write("CreateBucketConfiguration", &json!({ "LocationConstraint": region })),
    };
    // In us-east-1 S3 lets an owner make a bucket twice; CloudFormation does not.
    if call(backing, Method::HEAD, backing.physical_id, None, String::new()).await.is_ok() {
        return Err(Failure::new("AlreadyExists", format!("{} already exists", backing.physical_id)));
    }
    let made = call(backing, Method::PUT, backing.physical_id, None, body).await;
    made.map_err(|error| backing.told("s3", &error))?;
    for (name, parameter, root) in SETTINGS {
        if let Some(value) = properties.get(name) {
            put_at(backing, backing.physical_id, parameter, xml::write(root, &to_service(name, value))).await?;
        }
    }
    Ok(())
}

pub(super) async fn update(backing: &Backing<'_>, change: &Change<'_>) -> Result<(), Failure> {
    for (name, parameter, root) in SETTINGS {
        match change.of(name) {
            Some(Some(value)) => {
                put_at(backing, backing.physical_id, parameter, xml::write(root, &to_service(name, value))).await?;
            }
            // Versions cannot be undone, only be made no more.
            Some(None) if name == "VersioningConfiguration" => {
                let off = xml::write(root, &json!({ "Status": "Suspended" }));
                put_at(backing, backing.physical_id, parameter, off).await?;
            }
            Some(None) if name == "NotificationConfiguration" => {
                put_at(backing, backing.physical_id, parameter, xml::write(root, &json!({}))).await?;
            }
            Some(None) => delete_at(backing, backing.physical_id, parameter).await?,
            None => {}
        }
    }
    Ok(())
}

pub(super) async fn delete(backing: &Backing<'_>) -> Result<(), Failure> {
    match call(backing, Method::DELETE, backing.physical_id, None, String::new()).await {
        Ok(_) => Ok(()),
        Err(error) if is_gone(&error.code) => Ok(()),
        Err(error) if error.code == "BucketNotEmpty" => {
            let message = "The bucket you tried to delete is not empty";
            Err(Failure::handler(backing.world, "S3", message, 409, "GeneralServiceException"))
        }
        Err(error) => Err(backing.told("s3", &error)),
    }
}

pub(super) async fn observe(backing: &Backing<'_>) -> Option<Properties> {
    call(backing, Method::HEAD, backing.physical_id, None, String::new()).await.ok()?;
    let mut observed = Properties::new();
    observed.insert("BucketName".to_owned(), json!(backing.physical_id));
    for (name, parameter, _) in SETTINGS {
        let Some(body) = get_at(backing, backing.physical_id, parameter).await else { continue };
        if let Some(value) = xml::read(&body).and_then(|document| from_service(name, &document)) {
            observed.insert(name.to_owned(), value);
        }
    }
    Some(observed)
}

/// Sets a configuration of a bucket.
pub(super) async fn put_at(backing: &Backing<'_>, bucket: &str, parameter: &str, body: String) -> Result<(), Failure> {
    let answer = call(backing, Method::PUT, bucket, Some(parameter), body).await;
    answer.map(|_| ()).map_err(|error| backing.told("s3", &error))
}

/// Takes a configuration of a bucket away; one that is not there is no error.
pub(super) async fn delete_at(backing: &Backing<'_>, bucket: &str, parameter: &str) -> Result<(), Failure> {
    match call(backing, Method::DELETE, bucket, Some(parameter), String::new()).await {
        Err(error) if !is_gone(&error.code) => Err(backing.told("s3", &error)),
        _ => Ok(()),
    }
}

/// A configuration of a bucket.
pub(super) async fn get_at(backing: &Backing<'_>, bucket: &str, parameter: &str) -> Option<Bytes> {
    call(backing, Method::GET, bucket, Some(parameter), String::new()).await.ok()
}

async fn call(
    backing: &Backing<'_>,
    method: Method,
    bucket: &str,
    parameter: Option<&str>,
    body: String,
) -> Result<Bytes, ServiceError> {
    let broken = |message: String| ServiceError { code: "InternalFailure".to_owned(), message };
    let query = parameter.map(|parameter| format!("?{parameter}")).unwrap_or_default();
    let request: Request = http::Request::builder()
        .method(method)
        .uri(format!("https://s3.{}.amazonaws.com/{bucket}{query}", backing.place.region))
        .header(http::header::CONTENT_TYPE, "application/xml")
        .body(Bytes::from(body))
        .map_err(|error| broken(error.to_string()))?;
    let Some(response) = backing.world.services.call(backing.place, "s3", request).await else {
        return Err(broken("there is no S3".to_owned()));
    };
    if response.status().is_success() {
        return Ok(response.into_body());
    }
    let error = xml::read(response.body()).unwrap_or_default();
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    let code = match response.status() {
        StatusCode::NOT_FOUND if text("Code").is_empty() => "404".to_owned(),
        _ => text("Code"),
    };
    Err(ServiceError { code, message: text("Message") })
}

/// CloudFormation's form of a setting as S3's.
fn to_service(name: &str, value: &Json) -> Json {
    let each = |member: &str, item: fn(&Json) -> Json| -> Json {
        value[member].as_array().into_iter().flatten().map(item).collect()
    };
    match name {
        "Tags" => json!({ "TagSet": { "Tag": value } }),
        "BucketEncryption" => json!({ "Rule": each("ServerSideEncryptionConfiguration", |rule| json!({
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": rule["BucketKeyEnabled"],
        })) }),
        "OwnershipControls" => json!({ "Rule": value["Rules"] }),
        "CorsConfiguration" => json!({ "CORSRule": each("CorsRules", |rule| json!({
            "ID": rule["Id"],
            "AllowedHeader": rule["AllowedHeaders"],
            "AllowedMethod": rule["AllowedMethods"],
            "AllowedOrigin": rule["AllowedOrigins"],
            "ExposeHeader": rule["ExposedHeaders"],
            "MaxAgeSeconds": rule["MaxAge"],
        })) }),
        "LifecycleConfiguration" => json!({ "Rule": each("Rules", super::lifecycle::to_service) }),
        "NotificationConfiguration" => json!({
            "QueueConfiguration": each("QueueConfigurations", |one| notification(one, "Queue", "Queue")),
            "TopicConfiguration": each("TopicConfigurations", |one| notification(one, "Topic", "Topic")),
            "CloudFunctionConfiguration": each("LambdaConfigurations", |one| notification(one, "Function", "CloudFunction")),
            "EventBridgeConfiguration": value.get("EventBridgeConfiguration").map(|_| json!({})),
        }),
        "WebsiteConfiguration" => {
            let suffix = |key: &str, member: &str| value.get(member).map(|text| json!({ key: text }));
            json!({
                "IndexDocument": suffix("Suffix", "IndexDocument"),
                "ErrorDocument": suffix("Key", "ErrorDocument"),
                "RedirectAllRequestsTo": value["RedirectAllRequestsTo"],
                "RoutingRules": value.get("RoutingRules").map(|_| json!({ "RoutingRule": each("RoutingRules", |rule| json!({
                    "Condition": rule["RoutingRuleCondition"],
                    "Redirect": rule["RedirectRule"],
                })) })),
            })
        }
        _ => value.clone(),
    }
}

/// Where one kind of event goes to; `member` has that in CloudFormation's form, `element` in S3's.
fn notification(one: &Json, member: &str, element: &str) -> Json {
    let rules = one["Filter"]["S3Key"].get("Rules");
    json!({
        element: one[member],
        "Event": one["Event"],
        "Filter": rules.map(|rules| json!({ "S3Key": { "FilterRule": rules } })),
    })
}

/// S3's form of a setting as CloudFormation's; `None` if it says nothing.
fn from_service(name: &str, document: &Json) -> Option<Json> {
    let each = |member: &str, item: fn(&Json) -> Json| -> Option<Json> {
        let items: Vec<Json> = xml::list(&document[member]).iter().map(item).map(without_nulls).collect();
        (!items.is_empty()).then_some(Json::Array(items))
    };
    match name {
        "Tags" => {
            let tags = xml::list(&document["TagSet"]["Tag"]);
            super::tags(&Json::Array(tags), "Key", "Value")
                .filter(|tags| tags.as_array().is_some_and(|all| !all.is_empty()))
        }
        "BucketEncryption" => each("Rule", |rule| {
            json!({
                "ServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"],
                "BucketKeyEnabled": rule["BucketKeyEnabled"].as_str().map(|text| text == "true"),
            })
        })
        .map(|rules| json!({ "ServerSideEncryptionConfiguration": rules })),
        "OwnershipControls" => each("Rule", |rule| json!({ "ObjectOwnership": rule["ObjectOwnership"] }))
            .map(|rules| json!({ "Rules": rules })),
        "PublicAccessBlockConfiguration" => Some(truths(document)),
        "VersioningConfiguration" => {
            document.get("Status").filter(|status| *status != "").map(|status| json!({ "Status": status }))
        }
        "CorsConfiguration" => each("CORSRule", |rule| {
            let list = |member: &str| Some(xml::list(&rule[member])).filter(|list| !list.is_empty());
            json!({
                "Id": rule["ID"],
                "AllowedHeaders": list("AllowedHeader"),
                "AllowedMethods": list("AllowedMethod"),
                "AllowedOrigins": list("AllowedOrigin"),
                "ExposedHeaders": list("ExposeHeader"),
                "MaxAge": super::lifecycle::number(&rule["MaxAgeSeconds"]),
            })
        })
        .map(|rules| json!({ "CorsRules": rules })),
        "LifecycleConfiguration" => each("Rule", super::lifecycle::from_service).map(|rules| json!({ "Rules": rules })),
        "WebsiteConfiguration" => Some(without_nulls(json!({
            "IndexDocument": document["IndexDocument"]["Suffix"],
            "ErrorDocument": document["ErrorDocument"]["Key"],
            "RedirectAllRequestsTo": document["RedirectAllRequestsTo"],
        }))),
        _ => None,
    }
}

fn truths(document: &Json) -> Json {
    let members = document.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), json!(value == "true"))).collect()
}

fn without_nulls(value: Json) -> Json {
    match value {
        Json::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect(),
        other => other,
    }
}

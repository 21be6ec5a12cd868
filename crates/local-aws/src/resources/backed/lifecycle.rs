//! The rules of a bucket's lifecycle in CloudFormation's form and in S3's.

use super::xml;
use serde_json::{Value as Json, json};

/// A rule as S3 takes it.
pub(super) fn to_service(rule: &Json) -> Json {
    let transition = |one: &Json| json!({ "StorageClass": one["StorageClass"], "Days": one["TransitionInDays"], "Date": one["TransitionDate"] });
    let transitions: Vec<Json> =
        rule["Transitions"].as_array().into_iter().flatten().chain(rule.get("Transition")).map(transition).collect();
    let expiration = ["ExpirationInDays", "ExpirationDate", "ExpiredObjectDeleteMarker"]
        .iter()
        .any(|name| rule.get(*name).is_some())
        .then(|| {
            json!({
                "Days": rule["ExpirationInDays"],
                "Date": rule["ExpirationDate"],
                "ExpiredObjectDeleteMarker": rule["ExpiredObjectDeleteMarker"],
            })
        });
    let old_versions = rule.get("NoncurrentVersionExpiration").map(|expiration| {
        json!({
            "NoncurrentDays": expiration["NoncurrentDays"],
            "NewerNoncurrentVersions": expiration["NewerNoncurrentVersions"],
        })
    });
    let uploads = rule
        .get("AbortIncompleteMultipartUpload")
        .map(|abort| json!({ "DaysAfterInitiation": abort["DaysAfterInitiation"] }));
    json!({
        "ID": rule["Id"],
        "Status": rule["Status"],
        "Filter": { "Prefix": rule["Prefix"].as_str().unwrap_or_default() },
        "Expiration": expiration,
        "Transition": transitions,
        "NoncurrentVersionExpiration": old_versions,
        "AbortIncompleteMultipartUpload": uploads,
    })
}

/// A rule as CloudFormation has it; members that are null are not there.
pub(super) fn from_service(rule: &Json) -> Json {
    let text = |value: &Json| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let transitions: Vec<Json> = xml::list(&rule["Transition"])
        .iter()
        .map(|one| json!({ "StorageClass": one["StorageClass"], "TransitionInDays": number(&one["Days"]) }))
        .collect();
    json!({
        "Id": text(&rule["ID"]),
        "Status": rule["Status"],
        "Prefix": text(&rule["Filter"]["Prefix"]).or_else(|| text(&rule["Prefix"])),
        "ExpirationInDays": number(&rule["Expiration"]["Days"]),
        "ExpiredObjectDeleteMarker": rule["Expiration"]["ExpiredObjectDeleteMarker"].as_str().map(|text| text == "true"),
        "Transitions": (!transitions.is_empty()).then_some(transitions),
        "NoncurrentVersionExpiration": number(&rule["NoncurrentVersionExpiration"]["NoncurrentDays"])
            .map(|days| json!({ "NoncurrentDays": days })),
        "AbortIncompleteMultipartUpload": number(&rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"])
            .map(|days| json!({ "DaysAfterInitiation": days })),
    })
}

/// A number that XML gives as text.
pub(super) fn number(value: &Json) -> Option<u64> {
    value.as_str()?.parse().ok()
}

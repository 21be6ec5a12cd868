//! Patch documents (RFC 6902), and what they must not touch.

use crate::query::Fault;
use cloudformation::schema::{PropertyPath, ResourceType};
use json_patch::{Patch, PatchOperation};
use serde_json::Value as Json;

/// The properties with a patch applied.
///
/// # Errors
/// `ValidationException` if the document is no patch or does not fit; `NotUpdatableException` if it touches properties
/// that are set once and for all, or by the service alone.
pub(super) fn apply(known: &ResourceType, properties: &Json, document: &str) -> Result<Json, Fault> {
    let refuse = |why: String| Fault::new("ValidationException", format!("Invalid patch document: {why}"));
    let patch: Patch = serde_json::from_str(document).map_err(|error| refuse(error.to_string()))?;
    let mut patched = properties.clone();
    // A removal may name what is not there, as the service takes it.
    let operations: Vec<PatchOperation> = patch
        .0
        .into_iter()
        .filter(|operation| match operation {
            PatchOperation::Remove(remove) => properties.pointer(remove.path.as_str()).is_some(),
            _ => true,
        })
        .collect();
    json_patch::patch(&mut patched, &operations).map_err(|error| refuse(error.to_string()))?;
    guard(known, properties, &patched)?;
    Ok(patched)
}

fn guard(known: &ResourceType, before: &Json, after: &Json) -> Result<(), Fault> {
    for (kind, paths) in [("createOnlyProperties", known.create_only()), ("readOnlyProperties", known.read_only())] {
        let touched: Vec<String> = paths
            .iter()
            .filter(|path| {
                let (old, new) = (at(before, path), at(after, path));
                // What the service sets inside a value goes with that value, and need not be given with a new one.
                let goes_along = kind == "readOnlyProperties" && path.segments().len() > 1 && new.is_empty();
                old != new && !goes_along
            })
            .map(|path| format!("/properties/{}", path.segments().collect::<Vec<_>>().join("/")))
            .collect();
        if !touched.is_empty() {
            let message = format!("Invalid patch update: {kind} [{}] cannot be updated", touched.join(", "));
            return Err(Fault::new("NotUpdatableException", message));
        }
    }
    Ok(())
}

/// All values at a path; `*` stands for every item.
fn at<'j>(value: &'j Json, path: &PropertyPath) -> Vec<&'j Json> {
    let mut here = vec![value];
    for segment in path.segments() {
        here = here
            .into_iter()
            .flat_map(|value| match (value, segment) {
                (Json::Array(items), "*") => items.iter().collect(),
                (Json::Object(members), "*") => members.values().collect(),
                (Json::Array(items), name) => items.iter().filter_map(|item| item.get(name)).collect(),
                (value, name) => value.get(name).into_iter().collect::<Vec<_>>(),
            })
            .collect();
    }
    here
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudformation::schema::resource_type;
    use serde_json::json;

    #[test]
    fn patches_change_what_may_change() {
        let topic = resource_type("AWS::SNS::Topic").expect("known");
        let properties = json!({"TopicName": "a", "DisplayName": "one", "TopicArn": "arn"});
        let patch = |document: Json| apply(topic, &properties, &document.to_string());
        let replaced = patch(json!([{"op": "replace", "path": "/DisplayName", "value": "two"}])).expect("fits");
        assert_eq!(replaced["DisplayName"], "two");
        let removed = patch(json!([{"op": "remove", "path": "/DisplayName"}])).expect("fits");
        assert_eq!(removed.get("DisplayName"), None);
        let name = patch(json!([{"op": "replace", "path": "/TopicName", "value": "b"}])).expect_err("is refused");
        assert_eq!(name.code, "NotUpdatableException");
        assert_eq!(
            name.message,
            "Invalid patch update: createOnlyProperties [/properties/TopicName] cannot be updated"
        );
        let arn = patch(json!([{"op": "replace", "path": "/TopicArn", "value": "b"}])).expect_err("is refused");
        assert_eq!(arn.code, "NotUpdatableException");
        assert_eq!(patch(json!({"op": "add"})).expect_err("is refused").code, "ValidationException");
        let bucket = resource_type("AWS::S3::Bucket").expect("known");
        let destination = json!({"TableBucketType": "aws", "TableNamespace": "n"});
        let properties = json!({"BucketName": "b", "MetadataConfiguration": {"Destination": destination}});
        let patch = |document: Json| apply(bucket, &properties, &document.to_string());
        let gone = patch(json!([{"op": "remove", "path": "/MetadataConfiguration"}])).expect("goes with its value");
        assert_eq!(gone, json!({"BucketName": "b"}));
        let own =
            json!([{"op": "add", "path": "/MetadataConfiguration", "value": {"Destination": {"TableNamespace": "m"}}}]);
        assert_eq!(patch(own).expect_err("is refused").code, "NotUpdatableException");
        let patch = |document: Json| apply(topic, &json!({}), &document.to_string());
        let test = patch(json!([{"op": "test", "path": "/DisplayName", "value": "x"}])).expect_err("is refused");
        assert_eq!(test.code, "ValidationException");
    }
}

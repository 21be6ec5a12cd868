//! A prediction as DescribeChangeSet writes it.

use super::change::{
    Action, Attribute, ChangeSource, Context, Detail, Evaluation, Replacement, ResourceChange, Shown, Target,
    recreation_name, replacement,
};
use serde_json::{Map, Value as Json, json};
use std::collections::HashSet;

/// Whether DescribeChangeSet was called with `IncludePropertyValues`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyValues {
    Included,
    Omitted,
}

/// The `Changes` of DescribeChangeSet, sorted by logical id. Contexts are JSON objects here; on the wire they are text
/// ([`Json::to_string`]).
pub fn describe(changes: &[ResourceChange], values: PropertyValues) -> Vec<Json> {
    let mut sorted: Vec<&ResourceChange> = changes.iter().collect();
    sorted.sort_by(|left, right| left.logical_id.cmp(&right.logical_id));
    sorted.into_iter().filter_map(|change| resource_change(change, values)).collect()
}

fn resource_change(change: &ResourceChange, values: PropertyValues) -> Option<Json> {
    let mut details: Vec<&Detail> = change.details.iter().filter(|detail| shown(detail, values)).collect();
    if values == PropertyValues::Omitted {
        keep_one_direct_modification(&mut details);
    }
    if change.action == Action::Modify && details.is_empty() {
        return None;
    }
    // Without paths, the leaves of one property are one.
    let mut seen = HashSet::new();
    let written: Vec<Json> = details
        .iter()
        .map(|detail| detail_json(detail, values))
        .filter(|json| values == PropertyValues::Included || seen.insert(json.to_string()))
        .collect();
    let mut scope: Vec<Attribute> = details.iter().map(|detail| detail.target.attribute).collect();
    scope.sort_unstable();
    scope.dedup();
    let mut json = Map::new();
    json.insert("Action".to_owned(), json!(change.action));
    if values == PropertyValues::Included {
        insert_context(&mut json, "AfterContext", change.after.as_ref());
        insert_context(&mut json, "BeforeContext", change.before.as_ref());
    }
    json.insert("Details".to_owned(), Json::Array(written));
    json.insert("LogicalResourceId".to_owned(), json!(change.logical_id));
    if let Some(physical_id) = &change.physical_id {
        json.insert("PhysicalResourceId".to_owned(), json!(physical_id));
    }
    let replaced = (change.action == Action::Modify).then(|| replacement(details.into_iter()));
    if let Some(policy) = change.policy_action.filter(|_| replaced != Some(Replacement::False)) {
        json.insert("PolicyAction".to_owned(), json!(policy));
    }
    if let Some(replaced) = replaced {
        json.insert("Replacement".to_owned(), json!(replaced));
    }
    json.insert("ResourceType".to_owned(), json!(change.resource_type));
    json.insert("Scope".to_owned(), json!(scope));
    Some(json!({ "ResourceChange": json, "Type": "Resource" }))
}

fn shown(detail: &Detail, values: PropertyValues) -> bool {
    match detail.shown {
        Shown::Always => true,
        Shown::WithValues => values == PropertyValues::Included,
        Shown::WithoutValues => values == PropertyValues::Omitted,
        Shown::Never => false,
    }
}

/// Without paths, all leaves of a property are modified as one: if any by what a parameter or resource says, all are.
fn keep_one_direct_modification(details: &mut Vec<&Detail>) {
    let part = |detail: &Detail| (detail.target.attribute, detail.target.name.clone());
    let direct = |detail: &Detail| detail.source == ChangeSource::DirectModification;
    let dynamic: HashSet<(Attribute, Option<String>)> = details
        .iter()
        .filter(|detail| direct(detail) && detail.evaluation == Evaluation::Dynamic)
        .map(|detail| part(detail))
        .collect();
    details.retain(|detail| {
        !direct(detail) || detail.evaluation == Evaluation::Dynamic || !dynamic.contains(&part(detail))
    });
}

fn insert_context(json: &mut Map<String, Json>, key: &str, context: Option<&Context>) {
    if let Some(context) = context {
        let members = context.iter().map(|(name, value)| ((*name).to_owned(), value.to_json()));
        json.insert(key.to_owned(), Json::Object(members.collect()));
    }
}

fn detail_json(detail: &Detail, values: PropertyValues) -> Json {
    let mut json = Map::new();
    if let Some(entity) = &detail.causing_entity {
        json.insert("CausingEntity".to_owned(), json!(entity));
    }
    json.insert("ChangeSource".to_owned(), json!(detail.source));
    json.insert("Evaluation".to_owned(), json!(detail.evaluation));
    json.insert("Target".to_owned(), target_json(&detail.target, values));
    Json::Object(json)
}

fn target_json(target: &Target, values: PropertyValues) -> Json {
    let mut json = Map::new();
    let mut insert = |key: &str, value: Option<Json>| {
        if let Some(value) = value {
            json.insert(key.to_owned(), value);
        }
    };
    let with = values == PropertyValues::Included;
    insert("AfterValue", target.after.as_ref().filter(|_| with).map(|value| json!(value.to_string())));
    insert("Attribute", Some(json!(target.attribute)));
    insert("AttributeChangeType", target.change.filter(|_| with).map(|change| json!(change)));
    insert("BeforeValue", target.before.as_ref().filter(|_| with).map(|value| json!(value.to_string())));
    insert("Name", target.name.as_ref().map(|name| json!(name)));
    insert("Path", target.path.as_ref().filter(|_| with).map(|path| json!(path)));
    insert("RequiresRecreation", Some(json!(recreation_name(target.requires_recreation))));
    Json::Object(json)
}

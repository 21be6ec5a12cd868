//! Whether a resource changes, and whether that replaces it.

use cloudformation::evaluate::Value;
use cloudformation::schema::{RequiresRecreation, resource_type};
use serde_json::Value as Json;

/// What a change of its properties does to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    None,
    InPlace,
    Replace,
}

/// Compares properties as CloudFormation keeps them, scalars as text.
pub(crate) fn change(type_name: &str, before: &Json, after: &Json) -> Change {
    let paths = paths(before, after);
    if paths.is_empty() {
        return Change::None;
    }
    let Some(schema) = resource_type(type_name) else { return Change::InPlace };
    let behaviour = |path: &str| schema.update_behaviour(path.trim_start_matches('/'));
    let replaces = |path: &String| match behaviour(path) {
        RequiresRecreation::Always => true,
        RequiresRecreation::Never => false,
        RequiresRecreation::Conditionally => {
            let sides = [before.pointer(path), after.pointer(path)];
            // What comes or goes as a whole changes all that is in it.
            let always = |leaf: &str| behaviour(leaf) == RequiresRecreation::Always;
            sides.into_iter().flatten().any(|side| any_leaf(side, path, &always))
                || provider_replaces(type_name, path, sides)
        }
    };
    if paths.iter().any(replaces) { Change::Replace } else { Change::InPlace }
}

/// Whether a provider replaces a resource for a change of which the schema leaves that open
/// (`conditionalCreateOnlyProperties`). It does where its service has no way to make the change; what is not listed is
/// changed in place. (Template reference of each type, and the API that would have to change it: ModifyVpcTenancy takes no
/// `dedicated`, UpdateService no launch type but takes a capacity provider strategy instead of
/// one; an instance is restored from a snapshot only as a new one.)
fn provider_replaces(type_name: &str, path: &str, [before, after]: [Option<&Json>; 2]) -> bool {
    let property = path.split('/').nth(1).unwrap_or_default();
    match (type_name, property) {
        ("AWS::RDS::DBInstance", "DBSnapshotIdentifier") => true,
        ("AWS::EC2::VPC", "InstanceTenancy") => after.is_some_and(|tenancy| tenancy != "default"),
        ("AWS::ECS::Service", "LaunchType") => before.is_some() && after.is_some(),
        _ => false,
    }
}

fn any_leaf(value: &Json, path: &str, is: &impl Fn(&str) -> bool) -> bool {
    match value {
        Json::Object(members) => members.iter().any(|(key, value)| any_leaf(value, &format!("{path}/{key}"), is)),
        Json::Array(items) => items.iter().enumerate().any(|(at, item)| any_leaf(item, &format!("{path}/{at}"), is)),
        _ => is(path),
    }
}

/// The paths of the leaves in which two values differ, scalars as text: `/Tags/0/Value`.
pub(crate) fn paths(before: &Json, after: &Json) -> Vec<String> {
    let mut paths = Vec::new();
    let text = |json: &Json| Value::from_json(json).into_text_scalars().to_json();
    compare(Some(&text(before)), Some(&text(after)), "", &mut paths);
    paths
}

fn compare(before: Option<&Json>, after: Option<&Json>, path: &str, found: &mut Vec<String>) {
    match (before, after) {
        (Some(Json::Object(left)), Some(Json::Object(right))) => {
            for key in left.keys().chain(right.keys().filter(|key| !left.contains_key(*key))) {
                compare(left.get(key), right.get(key), &format!("{path}/{key}"), found);
            }
        }
        (Some(Json::Array(left)), Some(Json::Array(right))) => {
            for at in 0..left.len().max(right.len()) {
                compare(left.get(at), right.get(at), &format!("{path}/{at}"), found);
            }
        }
        (before, after) if before != after => found.push(path.to_owned()),
        _ => {}
    }
}

/// Live properties with those put back that can be set but not read, so that they do not look changed.
pub(crate) fn readable(type_name: &str, declared: &Json, live: &Json) -> Json {
    let (Some(schema), Json::Object(declared), Json::Object(live)) = (resource_type(type_name), declared, live) else {
        return live.clone();
    };
    let mut live = live.clone();
    for (name, value) in declared {
        if schema.is_write_only(name) {
            live.insert(name.clone(), value.clone());
        }
    }
    Json::Object(live)
}

/// `actual` where `declared` says something: what the template speaks of, as it is.
pub(crate) fn overlay(declared: &Json, actual: &Json) -> Json {
    match (declared, actual) {
        (Json::Object(declared), Json::Object(actual)) => {
            declared.iter().filter_map(|(key, value)| Some((key.clone(), overlay(value, actual.get(key)?)))).collect()
        }
        (_, actual) => actual.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_schema_says_what_replaces() {
        let queue = |name: &str, seconds: Json| json!({"QueueName": name, "VisibilityTimeout": seconds});
        let change = |before: &Json, after: &Json| change("AWS::SQS::Queue", before, after);
        assert_eq!(change(&queue("a", json!(30)), &queue("a", json!("30"))), Change::None);
        assert_eq!(change(&queue("a", json!(30)), &queue("a", json!(31))), Change::InPlace);
        assert_eq!(change(&queue("a", json!(30)), &queue("b", json!(31))), Change::Replace);
        assert_eq!(change(&json!({}), &json!({"QueueName": "b"})), Change::Replace);
    }

    #[test]
    fn the_provider_says_what_the_schema_leaves_open() {
        let cases = [
            (
                "AWS::DynamoDB::Table",
                json!({"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}),
                json!({"KeySchema": [{"AttributeName": "key", "KeyType": "HASH"}]}),
                Change::Replace,
            ),
            (
                "AWS::EC2::VPC",
                json!({"InstanceTenancy": "dedicated"}),
                json!({"InstanceTenancy": "default"}),
                Change::InPlace,
            ),
            ("AWS::EC2::VPC", json!({"InstanceTenancy": "dedicated"}), json!({}), Change::InPlace),
            ("AWS::EC2::VPC", json!({}), json!({"InstanceTenancy": "dedicated"}), Change::Replace),
            ("AWS::ECS::Service", json!({"LaunchType": "EC2"}), json!({"LaunchType": "FARGATE"}), Change::Replace),
            (
                "AWS::ECS::Service",
                json!({"LaunchType": "FARGATE"}),
                json!({"CapacityProviderStrategy": [{"CapacityProvider": "FARGATE_SPOT"}]}),
                Change::InPlace,
            ),
            (
                "AWS::EC2::Subnet",
                json!({"CidrBlock": "10.0.0.0/24"}),
                json!({"CidrBlock": "10.0.0.0/24", "Ipv6CidrBlock": "fd00::/64"}),
                Change::InPlace,
            ),
            ("AWS::RDS::DBInstance", json!({}), json!({"DBSnapshotIdentifier": "s"}), Change::Replace),
            ("AWS::RDS::DBInstance", json!({"MultiAZ": false}), json!({"MultiAZ": true}), Change::InPlace),
        ];
        for (type_name, before, after, expected) in cases {
            assert_eq!(change(type_name, &before, &after), expected, "{type_name} {before} → {after}");
        }
    }

    #[test]
    fn only_what_is_declared_counts_of_the_live_state() {
        let live = overlay(&json!({"A": {"B": 1}, "C": 2}), &json!({"A": {"B": 5, "X": 1}, "Y": 3}));
        assert_eq!(live, json!({"A": {"B": 5}}));
    }
}

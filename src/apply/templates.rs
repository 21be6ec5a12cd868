//! The templates on the way of a resource from one stack to another: the old stack's without it, and the new one's with it
//! alone. Pure.

use crate::plan::Evaluated;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// Stands in a stack that would have no resource otherwise: CloudFormation takes no template without one. It costs nothing
/// and makes nothing.
pub(super) const PLACEHOLDER: &str = "InfraPlaceholder";
pub(super) const PLACEHOLDER_TYPE: &str = "AWS::CloudFormation::WaitConditionHandle";

/// A resource that leaves its stack, with what references to it give.
pub(super) struct Leaving {
    pub physical_id: String,
    /// Its properties and attributes, as Cloud Control reads them.
    pub live: Json,
}

/// The template without these resources; what refers to them has their values instead.
///
/// # Errors
/// References whose values nobody knows: `Alarm: Queue.Arn`.
pub(super) fn without(template: &Json, leaving: &BTreeMap<String, Leaving>) -> Result<Json, Vec<String>> {
    let mut template = template.clone();
    let mut unknown = BTreeSet::new();
    if let Some(resources) = template.get_mut("Resources").and_then(Json::as_object_mut) {
        resources.retain(|id, _| !leaving.contains_key(id));
        for (id, resource) in resources.iter_mut() {
            replace(resource, leaving, id, &mut unknown);
            forget_order(resource, leaving);
        }
        if resources.is_empty() {
            resources.insert(PLACEHOLDER.to_owned(), json!({ "Type": PLACEHOLDER_TYPE }));
        }
    }
    if let Some(outputs) = template.get_mut("Outputs").and_then(Json::as_object_mut) {
        outputs.iter_mut().for_each(|(name, output)| replace(output, leaving, name, &mut unknown));
    }
    if unknown.is_empty() { Ok(template) } else { Err(unknown.into_iter().collect()) }
}

/// Puts values where a part of a template refers to what leaves. `place` is a resource or an output.
fn replace(part: &mut Json, leaving: &BTreeMap<String, Leaving>, place: &str, unknown: &mut BTreeSet<String>) {
    let value = match part {
        Json::Array(items) => {
            items.iter_mut().for_each(|item| replace(item, leaving, place, unknown));
            return;
        }
        Json::Object(members) => match members.iter().next() {
            Some((function, argument)) if members.len() == 1 => referred(function, argument),
            _ => None,
        },
        _ => return,
    };
    if let Some(name) = value {
        let id = name.split('.').next().unwrap_or_default();
        if let Some(resource) = leaving.get(id) {
            match resource.value(&name) {
                Some(value) => *part = value,
                None => _ = unknown.insert(format!("{place}: {name}")),
            }
            return;
        }
    }
    let Json::Object(members) = part else { return };
    if let Some(text) = members.get_mut("Fn::Sub") {
        substitute(text, leaving, place, unknown);
    }
    members.values_mut().for_each(|member| replace(member, leaving, place, unknown));
}

/// The resource, and the attribute of it, that a function reads: `Queue`, `Queue.Arn`.
fn referred(function: &str, argument: &Json) -> Option<String> {
    match (function, argument) {
        ("Ref", Json::String(id)) => Some(id.clone()),
        ("Fn::GetAtt", Json::String(name)) => Some(name.clone()),
        ("Fn::GetAtt", Json::Array(parts)) => {
            let parts: Option<Vec<&str>> = parts.iter().map(Json::as_str).collect();
            parts.map(|parts| parts.join("."))
        }
        _ => None,
    }
}

/// Puts values into the text of an `Fn::Sub`, but for names that its own variables have.
fn substitute(sub: &mut Json, leaving: &BTreeMap<String, Leaving>, place: &str, unknown: &mut BTreeSet<String>) {
    let own: BTreeSet<String> = match sub {
        Json::Array(parts) => {
            parts.get(1).and_then(Json::as_object).into_iter().flatten().map(|(k, _)| k.clone()).collect()
        }
        _ => BTreeSet::new(),
    };
    let text = match sub {
        Json::String(text) => text,
        Json::Array(parts) => match parts.first_mut() {
            Some(Json::String(text)) => text,
            _ => return,
        },
        _ => return,
    };
    let (mut done, mut rest) = (String::new(), text.as_str());
    while let Some((before, after)) = rest.split_once("${") {
        done.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            done.push_str("${");
            rest = after;
            continue;
        };
        let resource = leaving.get(name.split('.').next().unwrap_or_default()).filter(|_| !own.contains(name));
        match resource.map(|resource| resource.value(name)) {
            Some(Some(Json::String(value))) => done.push_str(&value.replace("${", "${!")),
            Some(Some(Json::Number(value))) => done.push_str(&value.to_string()),
            Some(_) => _ = unknown.insert(format!("{place}: {name}")),
            None => {
                done.push_str("${");
                done.push_str(name);
                done.push('}');
            }
        }
        rest = behind;
    }
    done.push_str(rest);
    *text = done;
}

fn forget_order(resource: &mut Json, leaving: &BTreeMap<String, Leaving>) {
    let Some(resource) = resource.as_object_mut() else { return };
    let empty = match resource.get_mut("DependsOn") {
        Some(Json::String(id)) => leaving.contains_key(id.as_str()),
        Some(Json::Array(ids)) => {
            ids.retain(|id| id.as_str().is_none_or(|id| !leaving.contains_key(id)));
            ids.is_empty()
        }
        _ => false,
    };
    if empty {
        resource.remove("DependsOn");
    }
}

impl Leaving {
    /// What `Queue` or `Queue.Arn` gives.
    fn value(&self, name: &str) -> Option<Json> {
        match name.split_once('.') {
            None => Some(Json::String(self.physical_id.clone())),
            Some((_, attribute)) => {
                let value = attribute.split('.').try_fold(&self.live, |value, part| value.get(part))?;
                (value.is_string() || value.is_number()).then(|| value.clone())
            }
        }
    }
}

/// A resource that joins a stack as it is.
pub(super) struct Joining {
    pub logical_id: String,
    /// Its properties and attributes, as Cloud Control reads them; null where they were not needed.
    pub live: Json,
}

/// The template that takes these resources into a stack, and does nothing else: `base` is the stack's present one. Their
/// properties are written out as far as they are known, and none of a secret: what is left out comes with the update
/// that follows.
pub(super) fn with(base: Option<&Json>, wanted: &Json, evaluated: &Evaluated, joining: &[Joining]) -> Json {
    let mut template = base.cloned().unwrap_or_else(|| json!({ "Resources": {} }));
    if let Some(resources) = template.get_mut("Resources").and_then(Json::as_object_mut) {
        for one in joining {
            resources.insert(one.logical_id.clone(), resource(wanted, evaluated, one));
        }
    }
    template
}

fn resource(wanted: &Json, evaluated: &Evaluated, one: &Joining) -> Json {
    let id = &one.logical_id;
    let type_name = evaluated.type_of(id).unwrap_or_default();
    let known = cloudformation::schema::resource_type(type_name);
    let mut properties = Map::new();
    if let Some(cloudformation::evaluate::Value::Map(members)) = evaluated.properties(id) {
        let plain = members.into_iter().filter(|(_, value)| value.is_known() && !value.is_sensitive());
        properties.extend(plain.map(|(name, value)| (name, value.to_json())).filter(|(_, value)| !value.is_null()));
    }
    for name in known.into_iter().flat_map(|known| known.required()) {
        if let (false, Some(value)) = (properties.contains_key(name), one.live.get(name)) {
            properties.insert(name.to_owned(), value.clone());
        }
    }
    // CloudFormation imports nothing without a policy. (User guide, "Import AWS resources into a CloudFormation stack".)
    let policy = &wanted["Resources"][id]["DeletionPolicy"];
    let policy = policy.as_str().unwrap_or("Retain");
    json!({ "Type": type_name, "DeletionPolicy": policy, "Properties": properties })
}

/// Whether CloudFormation can take these resources in with everything else that changes (`ImportExistingResources`): it
/// must find the whole primary identifier of each in the template as it is, and a policy that keeps it. (User guide,
/// "Import AWS resources into a CloudFormation stack automatically".)
pub(super) fn are_found_by_name<'a>(wanted: &Json, mut joining: impl Iterator<Item = (&'a str, &'a str)>) -> bool {
    joining.all(|(id, type_name)| {
        let resource = &wanted["Resources"][id];
        let kept = matches!(resource["DeletionPolicy"].as_str(), Some("Retain" | "RetainExceptOnCreate"));
        let Some(known) = cloudformation::schema::resource_type(type_name) else { return false };
        let parts = known.primary_identifier();
        let literal = parts.iter().all(|path| {
            let own = path.segments().len() == 1 && !known.read_only().iter().any(|only| only.top() == path.top());
            own && resource["Properties"][path.top()].is_string()
        });
        kept && literal && !parts.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaving() -> BTreeMap<String, Leaving> {
        let live = json!({"Arn": "arn:aws:sqs:eu-west-1:1:orders", "QueueName": "orders", "Nested": {"Port": 5432}});
        BTreeMap::from([("Queue".to_owned(), Leaving { physical_id: "https://sqs/1/orders".to_owned(), live })])
    }

    #[test]
    fn what_refers_to_a_resource_that_leaves_has_its_values() {
        let template = json!({
            "Resources": {
                "Queue": {"Type": "AWS::SQS::Queue"},
                "Alarm": {
                    "Type": "AWS::CloudWatch::Alarm",
                    "DependsOn": ["Queue", "Topic"],
                    "Properties": {
                        "A": {"Ref": "Queue"},
                        "B": {"Fn::GetAtt": ["Queue", "Arn"]},
                        "C": {"Fn::GetAtt": "Queue.Nested.Port"},
                        "D": [{"Fn::Sub": "${Queue.QueueName}-${AWS::Region}-${!Queue}"}],
                        "E": {"Fn::Sub": ["${Queue}:${x}", {"x": {"Ref": "Queue"}}]},
                        "F": {"Fn::Sub": ["${Queue}", {"Queue": "mine"}]},
                        "G": {"Ref": "Topic"},
                    },
                },
                "Topic": {"Type": "AWS::SNS::Topic", "DependsOn": "Queue"},
            },
            "Outputs": {"Url": {"Value": {"Ref": "Queue"}}},
        });
        let expected = json!({
            "Resources": {
                "Alarm": {
                    "Type": "AWS::CloudWatch::Alarm",
                    "DependsOn": ["Topic"],
                    "Properties": {
                        "A": "https://sqs/1/orders",
                        "B": "arn:aws:sqs:eu-west-1:1:orders",
                        "C": 5432,
                        "D": [{"Fn::Sub": "orders-${AWS::Region}-${!Queue}"}],
                        "E": {"Fn::Sub": ["https://sqs/1/orders:${x}", {"x": "https://sqs/1/orders"}]},
                        "F": {"Fn::Sub": ["${Queue}", {"Queue": "mine"}]},
                        "G": {"Ref": "Topic"},
                    },
                },
                "Topic": {"Type": "AWS::SNS::Topic"},
            },
            "Outputs": {"Url": {"Value": "https://sqs/1/orders"}},
        });
        assert_eq!(without(&template, &leaving()), Ok(expected));
    }

    #[test]
    fn values_that_nobody_knows_are_said_with_their_place() {
        let template = json!({"Resources": {
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Alarm": {"Type": "T", "Properties": {"A": {"Fn::GetAtt": ["Queue", "Colour"]}}},
            "Topic": {"Type": "T", "Properties": {"A": {"Fn::Sub": "${Queue.Shape}"}}},
        }});
        let told = without(&template, &leaving()).unwrap_err();
        assert_eq!(told, ["Alarm: Queue.Colour", "Topic: Queue.Shape"]);
    }

    #[test]
    fn a_stack_that_would_be_empty_keeps_a_placeholder() {
        let template = json!({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}});
        let expected = json!({"Resources": {PLACEHOLDER: {"Type": PLACEHOLDER_TYPE}}});
        assert_eq!(without(&template, &leaving()), Ok(expected));
    }

    #[test]
    fn names_that_cloudformation_finds_itself_are_literal_and_kept() {
        let template = json!({"Resources": {
            "Literal": {"DeletionPolicy": "Retain", "Properties": {"TableName": "orders"}},
            "Function": {"DeletionPolicy": "Retain", "Properties": {"TableName": {"Fn::Sub": "orders"}}},
            "Deleted": {"Properties": {"TableName": "orders"}},
            "Queue": {"DeletionPolicy": "Retain", "Properties": {"QueueName": "orders"}},
        }});
        let table = |id: &'static str| are_found_by_name(&template, std::iter::once((id, "AWS::DynamoDB::Table")));
        assert!(table("Literal") && !table("Function") && !table("Deleted"));
        assert!(!are_found_by_name(&template, std::iter::once(("Queue", "AWS::SQS::Queue"))));
    }
}

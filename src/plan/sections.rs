//! What changes of a template beside its resources' properties and its outputs' values: description, metadata, declarations of
//! parameters, mappings, conditions, rules, and what a resource waits on.
//!
//! Paths are those of the template, values as it writes them; what another line of the plan says is not said again.

use super::changes::Sides;
use super::document::{StackStep, Value, ValueChange};
use cloudformation::schema::resource_type;
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that differs, by its path. Nothing for a stack that is made from nothing: all of it is new.
pub(super) fn sections(sides: &Sides, step: &StackStep) -> BTreeMap<String, ValueChange> {
    let Some(before) = &sides.before else { return BTreeMap::new() };
    let (before, after) = (before.template.to_json(), sides.after.template.to_json());
    let mut found = Vec::new();
    compare(Some(&before), Some(&after), &mut Vec::new(), &mut found);
    let templates = [&before, &after];
    let shown = found.into_iter().filter(|difference| !is_said(step, difference));
    shown
        .map(|difference| {
            let value =
                |side: Option<&Json>| side.map_or(Value::Absent, |json| shown_value(templates, &difference, json));
            let change = ValueChange::new(value(difference.before), value(difference.after));
            (difference.path.join("."), change)
        })
        .collect()
}

struct Difference<'j> {
    path: Vec<&'j str>,
    before: Option<&'j Json>,
    after: Option<&'j Json>,
}

/// The sections that are maps of names, which come and go one by one.
const NAMES: [&str; 7] = ["Metadata", "Parameters", "Mappings", "Conditions", "Rules", "Resources", "Outputs"];

/// The places in which two templates differ. A function is one value, and so is what a resource has of a property.
fn compare<'j>(
    before: Option<&'j Json>,
    after: Option<&'j Json>,
    path: &mut Vec<&'j str>,
    found: &mut Vec<Difference<'j>>,
) {
    if before == after {
        return;
    }
    let (left, right) = (members(before), members(after));
    let inside = match path.as_slice() {
        [] => true,
        [section] => NAMES.contains(section),
        ["Resources", _, "Properties", _, ..] => false,
        _ => left.is_some() && right.is_some(),
    };
    if !inside {
        return found.push(Difference { path: path.clone(), before, after });
    }
    let keys: BTreeSet<&'j str> =
        left.into_iter().chain(right).flat_map(|map| map.keys().map(String::as_str)).collect();
    for key in keys {
        path.push(key);
        compare(left.and_then(|map| map.get(key)), right.and_then(|map| map.get(key)), path, found);
        path.pop();
    }
}

/// The members of a map that is no function.
fn members(json: Option<&Json>) -> Option<&Map<String, Json>> {
    let map = json?.as_object()?;
    let function = |key: &String| key == "Ref" || key == "Condition" || key.starts_with("Fn::");
    (map.len() != 1 || !map.keys().any(function)).then_some(map)
}

/// Whether other lines of the plan tell of it.
fn is_said(step: &StackStep, difference: &Difference) -> bool {
    match difference.path.as_slice() {
        ["Parameters", name] | ["Parameters", name, "Default"] => step.parameters.contains_key(*name),
        ["Outputs", name] | ["Outputs", name, "Value"] => step.outputs.contains_key(*name),
        ["Resources", id, inside @ ..] => {
            step.changes.iter().find(|change| change.logical_id == *id).is_some_and(|change| match inside {
                [] | ["Properties", ..] => true,
                [attribute, ..] => change.properties.iter().any(|property| property.path.starts_with(attribute)),
            })
        }
        _ => false,
    }
}

/// A value as everybody may see it.
fn shown_value(templates: [&Json; 2], difference: &Difference, value: &Json) -> Value {
    let declared = |name: &str, member: &str| templates.map(|template| template["Parameters"][name][member].clone());
    let is_secret = |name: &str| {
        let no_echo = |json: &Json| {
            json.as_bool() == Some(true) || json.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"))
        };
        declared(name, "NoEcho").iter().any(no_echo)
    };
    let write_only = |id: &str, property: &str| {
        let types = templates.map(|template| template["Resources"][id]["Type"].clone());
        types.iter().filter_map(|name| resource_type(name.as_str()?)).any(|schema| schema.is_write_only(property))
    };
    match difference.path.as_slice() {
        ["Parameters", name, "Default"] if is_secret(name) => Value::Sensitive,
        ["Parameters", name] if is_secret(name) => {
            let mut declaration = value.clone();
            declaration.as_object_mut().map(|members| members.shift_remove("Default"));
            Value::Known(declaration)
        }
        ["Resources", id, "Properties", property, ..] if write_only(id, property) => Value::Sensitive,
        // All that is in it would hide that it is not there: its condition does not hold.
        ["Resources", _] => Value::Known(value["Type"].clone()),
        _ => Value::Known(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn differences(before: &Json, after: &Json) -> Vec<String> {
        let mut found = Vec::new();
        compare(Some(before), Some(after), &mut Vec::new(), &mut found);
        found.iter().map(|difference| difference.path.join(".")).collect()
    }

    #[test]
    fn paths_lead_to_what_differs() {
        let before = json!({
            "Description": "old",
            "Mappings": {"Sizes": {"small": {"memory": 1, "cpu": 2}}},
            "Conditions": {"Big": {"Fn::Equals": [{"Ref": "Size"}, "1"]}, "Old": {"Fn::Equals": ["a", "b"]}},
            "Resources": {"A": {"Type": "AWS::SNS::Topic", "DependsOn": "B", "Properties": {"Tags": [{"Key": "k"}]}}},
        });
        let after = json!({
            "Description": "new",
            "Mappings": {"Sizes": {"small": {"memory": 3, "cpu": 2}}},
            "Conditions": {"Big": {"Fn::Equals": [{"Ref": "Size"}, "2"]}},
            "Rules": {"R": {"Assertions": []}},
            "Resources": {"A": {"Type": "AWS::SNS::Topic", "DependsOn": "C", "Properties": {"Tags": [{"Key": "l"}]}}},
        });
        assert_eq!(
            differences(&before, &after),
            [
                "Conditions.Big",
                "Conditions.Old",
                "Description",
                "Mappings.Sizes.small.memory",
                "Resources.A.DependsOn",
                "Resources.A.Properties.Tags",
                "Rules.R",
            ]
        );
        assert_eq!(differences(&before, &before), [""; 0]);
    }

    #[test]
    fn what_nobody_may_see_is_hidden() {
        let template = json!({
            "Parameters": {"Token": {"Type": "String", "NoEcho": "TRUE", "Default": "s3cr3t"}},
            "Resources": {"S": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "s3cr3t"}}},
        });
        let shown = |path: &[&'static str], value: Json| {
            let difference = Difference { path: path.to_vec(), before: None, after: None };
            shown_value([&template, &template], &difference, &value)
        };
        assert_eq!(shown(&["Parameters", "Token", "Default"], json!("s3cr3t")), Value::Sensitive);
        let declaration = shown(&["Parameters", "Token"], template["Parameters"]["Token"].clone());
        assert_eq!(declaration, Value::Known(json!({"Type": "String", "NoEcho": "TRUE"})));
        let property = ["Resources", "S", "Properties", "SecretString"];
        assert_eq!(shown(&property, json!("s3cr3t")), Value::Sensitive);
        assert_eq!(
            shown(&["Resources", "S"], template["Resources"]["S"].clone()),
            Value::text("AWS::SecretsManager::Secret")
        );
    }
}

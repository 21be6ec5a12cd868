//! What holds for every template, however odd: nothing panics, nothing hangs, and answers agree with each other.

use cloudformation::evaluate::ParameterValue;
use cloudformation::order::Order;
use cloudformation::predict::{Action, Deployment, PropertyValues, describe, predict};
use cloudformation::template::Template;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;

/// Names that are parameters, resources, conditions or nothing.
fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["P", "List", "Secret", "A", "B", "C", "D", "AWS::Region", "AWS::NoValue", "Nobody"])
        .prop_map(str::to_owned)
}

fn condition() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["Yes", "No", "Unsure", "Nobody"]).prop_map(str::to_owned)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9,./:-]{0,6}",
        Just("${A}-${P}".to_owned()),
        Just("${B.Arn}${!x}${".to_owned()),
        Just("{{resolve:ssm:/x}}".to_owned()),
        Just("10.0.0.0/16".to_owned()),
    ]
}

/// Any value: literals, lists, maps, and functions with right and wrong arguments.
fn value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        text().prop_map(Json::String),
        any::<bool>().prop_map(Json::Bool),
        (-3_i64..300).prop_map(Json::from),
        Just(json!({})),
        Just(json!([])),
        name().prop_map(|name| json!({ "Ref": name })),
        name().prop_map(|name| json!({ "Fn::GetAtt": [name, "Arn"] })),
        text().prop_map(|text| json!({ "Fn::Sub": text })),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let pair = || (inner.clone(), inner.clone());
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            prop::collection::vec(("[A-Z][a-z]{0,3}", inner.clone()), 0..4)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
            (text(), inner.clone()).prop_map(|(text, value)| json!({ "Fn::Sub": [text, { "x": value }] })),
            pair().prop_map(|(a, b)| json!({ "Fn::Join": [a, [b]] })),
            (text(), prop::collection::vec(inner.clone(), 0..4)).prop_map(|(t, l)| json!({ "Fn::Join": [t, l] })),
            (0..4, prop::collection::vec(inner.clone(), 0..4)).prop_map(|(at, l)| json!({ "Fn::Select": [at, l] })),
            pair().prop_map(|(a, b)| json!({ "Fn::Select": [a, b] })),
            pair().prop_map(|(a, b)| json!({ "Fn::Split": [a, b] })),
            (condition(), pair()).prop_map(|(c, (a, b))| json!({ "Fn::If": [c, a, b] })),
            pair().prop_map(|(a, b)| json!({ "Fn::FindInMap": ["M", a, b, { "DefaultValue": "d" }] })),
            pair().prop_map(|(a, b)| json!({ "Fn::FindInMap": ["M", a, b] })),
            pair().prop_map(|(a, b)| json!({ "Fn::Cidr": [a, b, 4] })),
            inner.clone().prop_map(|value| json!({ "Fn::Base64": value })),
            inner.clone().prop_map(|value| json!({ "Fn::Length": value })),
            inner.clone().prop_map(|value| json!({ "Fn::ToJsonString": value })),
            inner.clone().prop_map(|value| json!({ "Fn::ImportValue": value })),
            inner.clone().prop_map(|value| json!({ "Fn::GetAZs": value })),
            inner.prop_map(|value| json!({ "Fn::Not": value })),
        ]
    })
}

fn resource() -> impl Strategy<Value = Json> {
    let type_name = prop::sample::select(vec!["AWS::SNS::Topic", "AWS::EC2::Instance", "Nobody::Knows::This"]);
    let names = prop::sample::select(vec!["TopicName", "DisplayName", "Tags", "Nested", "ImageId"]);
    let properties = prop::collection::vec((names, value()), 0..4);
    (type_name, properties, prop::option::of(condition()), prop::option::of(name()), prop::option::of(value()))
        .prop_map(|(type_name, properties, condition, depends_on, metadata)| {
            let properties: Map<String, Json> = properties.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
            let mut resource = json!({ "Type": type_name, "Properties": properties });
            if let Some(condition) = condition {
                resource["Condition"] = json!(condition);
            }
            if let Some(name) = depends_on {
                resource["DependsOn"] = json!(name);
            }
            if let Some(metadata) = metadata {
                resource["Metadata"] = metadata;
            }
            resource
        })
}

fn template() -> impl Strategy<Value = Json> {
    (prop::collection::vec((prop::sample::select(vec!["A", "B", "C", "D"]), resource()), 1..4), value()).prop_map(
        |(resources, output)| {
            let resources: Map<String, Json> = resources.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
            json!({
                "Parameters": {
                    "P": { "Type": "String", "Default": "p" },
                    "List": { "Type": "CommaDelimitedList", "Default": "x,y" },
                    "Secret": { "Type": "String", "Default": "topsecret", "NoEcho": true },
                },
                "Mappings": { "M": { "p": { "x": "1", "LIST": ["2", "3"] } } },
                "Conditions": {
                    "Yes": { "Fn::Equals": ["a", "a"] },
                    "No": { "Fn::Not": [{ "Condition": "Yes" }] },
                    "Unsure": { "Fn::Equals": [{ "Ref": "P" }, "q"] },
                },
                "Resources": resources,
                "Outputs": { "O": { "Value": output } },
            })
        },
    )
}

/// Text that can be evaluated; of the resources only `ids` are referred to.
fn sound_text(ids: &'static [&'static str]) -> BoxedStrategy<Json> {
    let mut names = vec!["P", "Secret", "AWS::Region"];
    names.extend(ids);
    let leaf = prop_oneof![
        "[a-z]{0,5}".prop_map(Json::String),
        prop::sample::select(names.clone()).prop_map(|name| json!({ "Ref": name })),
        prop::sample::select(names).prop_map(|name| json!({ "Fn::Sub": format!("a${{{name}}}b${{!x}}") })),
        prop::sample::select(if ids.is_empty() { vec!["-"] } else { ids.to_vec() }).prop_map(|id| match id {
            "-" => json!("none"),
            id => json!({ "Fn::GetAtt": [id, "DisplayName"] }),
        }),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        let list = || prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            (".?", list()).prop_map(|(with, items)| json!({ "Fn::Join": [with, items] })),
            list().prop_map(|items| json!({ "Fn::Select": [items.len() - 1, items] })),
            inner.clone().prop_map(|text| json!({ "Fn::Join": ["+", { "Fn::Split": ["-", text] }] })),
            (prop::sample::select(vec!["Yes", "No", "Unsure"]), inner.clone(), inner.clone())
                .prop_map(|(condition, a, b)| json!({ "Fn::If": [condition, a, b] })),
            inner.clone().prop_map(|text| json!({ "Fn::Base64": text })),
            inner.clone().prop_map(|text| json!({ "Fn::FindInMap": ["M", "p", text, { "DefaultValue": "d" }] })),
            inner.prop_map(|text| json!({ "Fn::ToJsonString": { "k": [text, 1] } })),
        ]
    })
    .boxed()
}

fn sound_resource(ids: &'static [&'static str]) -> impl Strategy<Value = Json> {
    let optional = || prop::option::of(sound_text(ids));
    (any::<bool>(), optional(), optional(), prop::collection::vec(sound_text(ids), 0..3), optional()).prop_map(
        |(topic, name, display, tags, metadata)| {
            let names = if topic { ["TopicName", "DisplayName"] } else { ["QueueName", "DisplayName"] };
            let mut properties = Map::new();
            properties.extend(name.map(|value| (names[0].to_owned(), value)));
            properties.extend(display.map(|value| (names[1].to_owned(), value)));
            let tags: Vec<Json> = tags.into_iter().map(|value| json!({ "Key": "k", "Value": value })).collect();
            properties.insert("Tags".to_owned(), Json::Array(tags));
            let mut resource = json!({ "Type": "AWS::SNS::Topic", "Properties": properties });
            if let Some(metadata) = metadata {
                resource["Metadata"] = json!({ "m": metadata });
            }
            resource
        },
    )
}

/// A template that CloudFormation would take: each resource refers to earlier ones only.
fn sound_template() -> impl Strategy<Value = Json> {
    let resources = (
        sound_resource(&[]),
        sound_resource(&["A"]),
        sound_resource(&["A", "B"]),
        prop::option::of(sound_resource(&["A", "B", "C"])),
    );
    (resources, sound_text(&["A", "B", "C"]), template()).prop_map(|((a, b, c, d), output, frame)| {
        let mut resources = json!({ "A": a, "B": b, "C": c });
        if let Some(d) = d {
            resources["D"] = d;
        }
        let mut template = frame;
        template["Resources"] = resources;
        template["Outputs"] = json!({ "O": { "Value": output } });
        template
    })
}

/// A template, and the same with some of its resources from another one.
fn edited() -> impl Strategy<Value = (Json, Json)> {
    (sound_template(), sound_template(), prop::collection::vec(any::<bool>(), 4)).prop_map(|(before, other, picks)| {
        let mut after = before.clone();
        for (id, pick) in ["A", "B", "C", "D"].into_iter().zip(picks) {
            if pick {
                match other["Resources"].get(id) {
                    Some(resource) => after["Resources"][id] = resource.clone(),
                    None => drop(after["Resources"].as_object_mut().and_then(|all| all.shift_remove(id))),
                }
            }
        }
        (before, after)
    })
}

fn deployment(template: &Json, unknown: bool) -> Deployment {
    let (template, _) = Template::read(&template.to_string()).expect("JSON is a tree");
    let mut deployment = Deployment::new(template);
    if unknown {
        deployment.parameters.insert("P".to_owned(), ParameterValue::Unknown);
    }
    deployment
}

fn listed(changes: &[Json]) -> BTreeSet<String> {
    changes.iter().map(|change| change["ResourceChange"]["LogicalResourceId"].to_string()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = Template::read(&text);
    }

    #[test]
    fn damaged_templates_are_read_or_refused(template in template(), at in any::<prop::sample::Index>(), with in "[{}\\[\\]\":,!&* \n-]{0,3}") {
        let mut text = template.to_string();
        let mut at = at.index(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        text.insert_str(at, &with);
        if let Ok((template, _)) = Template::read(&text) {
            let _ = predict(None, Some(&Deployment::new(template)));
        }
    }

    #[test]
    fn reading_what_was_written_changes_nothing(template in template()) {
        let (first, problems) = Template::read(&template.to_string()).expect("JSON is a tree");
        let written = first.to_json();
        let (second, again) = Template::read(&written.to_string()).expect("JSON is a tree");
        prop_assert_eq!(second.to_json(), written);
        prop_assert_eq!(problems.len(), again.len());
        for (id, resource) in &first.resources {
            let json = |resource: &cloudformation::template::Resource| resource.properties.as_ref().map(|all| all.to_json());
            prop_assert_eq!(json(resource), json(&second.resources[id]));
        }
    }

    #[test]
    fn any_template_is_predicted_or_refused(before in template(), after in template(), unknown: bool) {
        let (before, after) = (deployment(&before, false), deployment(&after, unknown));
        let _ = predict(Some(&before), Some(&after));
        let _ = predict(None, Some(&after));
    }

    #[test]
    fn the_same_template_changes_nothing(template in sound_template(), unknown: bool) {
        let deployment = deployment(&template, unknown);
        let prediction = predict(Some(&deployment), Some(&deployment)).expect("a sound template");
        prop_assert_eq!(prediction.changes, []);
    }

    #[test]
    fn creation_adds_all_and_deletion_removes_all(template in sound_template()) {
        let deployment = deployment(&template, false);
        let created = predict(None, Some(&deployment)).expect("a sound template").changes;
        let removed = predict(Some(&deployment), None).expect("a sound template").changes;
        prop_assert!(created.iter().all(|change| change.action == Action::Add));
        prop_assert!(removed.iter().all(|change| change.action == Action::Remove));
        let mut there: Vec<&str> = created.iter().map(|change| change.logical_id.as_str()).collect();
        let gone: Vec<&str> = removed.iter().map(|change| change.logical_id.as_str()).collect();
        there.reverse();
        prop_assert_eq!(there, gone);
    }

    #[test]
    fn the_descriptions_of_a_change_agree((before, after) in edited(), unknown: bool) {
        let (before, after) = (deployment(&before, false), deployment(&after, unknown));
        let prediction = predict(Some(&before), Some(&after)).expect("sound templates");
        let with = listed(&describe(&prediction.changes, PropertyValues::Included));
        let plain = listed(&describe(&prediction.changes, PropertyValues::Omitted));
        prop_assert!(with.is_subset(&plain), "{with:?} {plain:?}");
        let text = serde_json::to_string(&prediction).expect("JSON");
        prop_assert!(!text.contains("topsecret"), "{}", text);
    }

    /// A resource that is the same in both templates changes only because of what it refers to.
    #[test]
    fn every_change_has_a_reason((before, after) in edited()) {
        let same = |id: &str| before["Resources"].get(id) == after["Resources"].get(id);
        let (before, after) = (deployment(&before, false), deployment(&after, false));
        let prediction = predict(Some(&before), Some(&after)).expect("sound templates");
        for change in prediction.changes.iter().filter(|change| same(&change.logical_id)) {
            let causes: Vec<&str> = change.details.iter().filter_map(|detail| detail.causing_entity.as_deref()).collect();
            prop_assert!(!causes.is_empty(), "{change:#?}");
            for cause in causes {
                let id = cause.split('.').next().unwrap_or_default();
                prop_assert!(prediction.changes.iter().any(|other| other.logical_id == id), "{cause}: {change:#?}");
            }
        }
    }

    #[test]
    fn every_order_has_dependencies_first(template in template().boxed().prop_union(sound_template().boxed())) {
        let (template, _) = Template::read(&template.to_string()).expect("JSON is a tree");
        if let Ok(order) = Order::of(&template) {
            for (at, id) in order.creation.iter().enumerate() {
                for need in &order.dependencies[id] {
                    prop_assert!(order.creation[..at].contains(need), "{need} is needed by {id}");
                }
            }
            prop_assert_eq!(order.creation.len(), template.resources.len());
        }
    }
}

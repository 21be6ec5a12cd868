//! Every registered type with the least that its schema asks for: what is made has an id, what `Ref` gives, and every
//! attribute in the form that the schema wants.

use super::super::request::Request;
use super::*;
use crate::ids::Ids;
use cloudformation::schema::{
    CUSTOM_RESOURCE, Keyword, ResourceType, Schema, Type, resource_type, resource_type_names,
};
use serde_json::Map;

/// Types whose least properties this generator finds. More is better; fewer means that something broke.
const LEAST_MADE: usize = 1_500;
/// Attributes whose patterns no text of their kind matches: one is quoted, one is in a dialect of its own.
const UNMATCHABLE: [(&str, &str); 2] =
    [("AWS::Amplify::Domain", "Certificate.CertificateArn"), ("AWS::AutoScalingPlans::ScalingPlan", "ScalingPlanName")];

#[tokio::test]
async fn every_type_gives_what_its_schema_promises() {
    let aws = LocalAws::open(Options { partial: true, ..Options::default() }).await.expect("a world");
    let ids = Ids::new(11);
    let (mut made_types, mut problems) = (0, Vec::new());
    for name in resource_type_names().filter(|name| *name != CUSTOM_RESOURCE) {
        let known = resource_type(name).expect("listed");
        let mut properties = least(known, known.schema(), &ids, 0);
        if name == "AWS::IAM::Policy" {
            // One of nobody cannot go.
            properties["Roles"] = json!(["role"]);
        }
        let values = super::super::model::object(&properties);
        let place = owner("Thing").place;
        let request = Request { world: &aws.world, place: &place, type_name: name, before: None, properties: &values };
        let refused = super::super::constraints::refusal(&request).is_some();
        if check(name, &properties).is_err() || super::super::backed::is_backed(name) || refused {
            continue;
        }
        let owner = owner("Thing");
        let promised = super::super::name(&aws.world, &owner, name, &properties);
        let made = match create(&aws.world, &owner, name, &properties, Some(&promised)).await {
            Ok(made) => made,
            Err(failure) => {
                problems.push(format!("{name}: {}", failure.reason));
                continue;
            }
        };
        made_types += 1;
        if made.physical_id.is_empty() || reference(name, &made.physical_id, &made.attributes) == json!("") {
            problems.push(format!("{name}: no id"));
        }
        for attribute in known.attributes().into_iter().filter(|attribute| !attribute.contains('*')) {
            problems
                .extend(wrong(known, &attribute, made.attributes.get(&attribute)).map(|why| format!("{name}: {why}")));
        }
        let called = handle(name, &made.physical_id, &properties);
        let live = read(&aws.world, &owner.place, name, &called).await.expect("is there");
        let drift = drift::compare(name, &properties, Some(&live), &owner.tags);
        if !drift.differences.is_empty() {
            problems.push(format!("{name}: drifts at once: {:?}", drift.differences));
        }
        if let Err(failure) = delete(&aws.world, &owner, name, &made.physical_id, &properties).await {
            problems.push(format!("{name}: {}", failure.reason));
        }
    }
    assert!(problems.is_empty(), "{} problems: {:#?}", problems.len(), &problems[..problems.len().min(40)]);
    assert!(made_types >= LEAST_MADE, "{made_types}");
}

/// What is wrong with the value of an attribute.
fn wrong(known: &ResourceType, attribute: &str, value: Option<&Json>) -> Option<String> {
    let Some(value) = value else { return Some(format!("no {attribute}")) };
    let property = known.property(attribute)?;
    let types = property.types();
    let right = types.any()
        || types.iter().any(|one| match one {
            Type::String => value.is_string(),
            Type::Boolean => value.is_boolean(),
            Type::Integer => value.is_i64() || value.is_u64(),
            Type::Number => value.is_number(),
            Type::Array => value.is_array(),
            Type::Object => value.is_object(),
            Type::Null => value.is_null(),
        });
    if !right && value != "" {
        return Some(format!("{attribute} is {value}, not {types}"));
    }
    // What was not set has no form; what the service sets has.
    let text = value.as_str().filter(|_| known.is_read_only(attribute))?;
    if UNMATCHABLE.contains(&(known.name(), attribute)) {
        return None;
    }
    (!text.is_empty() && !pattern::fits(property.schema, text)).then(|| format!("{attribute} is {text}"))
}

/// The least value that a schema takes, as far as that can be told.
pub(super) fn least(known: &ResourceType, schema: &Schema, ids: &Ids, depth: usize) -> Json {
    let schema = schema.follow(known.schema());
    let listed = schema.keywords.iter().find_map(|keyword| match keyword {
        Keyword::Const(only) => Some(only.clone()),
        Keyword::Enum(allowed) | Keyword::EnumCaseInsensitive(allowed) => allowed.first().cloned(),
        _ => None,
    });
    if let Some(value) = listed {
        return value;
    }
    let bound = |pick: fn(&Keyword) -> Option<f64>| schema.keywords.iter().find_map(pick);
    let types = schema.types;
    if depth > 12 {
        return Json::Null;
    }
    if types.contains(Type::Object) || schema.properties().is_some() {
        return Json::Object(members(known, schema, ids, depth));
    }
    if types.contains(Type::Array) {
        let least_items = bound(|keyword| match keyword {
            Keyword::MinItems(least) => Some(*least as f64),
            _ => None,
        });
        let items = (0..least_items.unwrap_or(0.0) as usize)
            .filter_map(|_| Some(least(known, schema.items()?, ids, depth + 1)));
        return Json::Array(items.collect());
    }
    if types.contains(Type::String) || types.any() {
        return Json::String(pattern::text(schema, ids).unwrap_or_else(|| ids.lower(8)));
    }
    if types.contains(Type::Boolean) {
        return json!(false);
    }
    let number = bound(|keyword| match keyword {
        Keyword::Minimum(least) => Some(*least),
        Keyword::ExclusiveMinimum(least) => Some(*least + 1.0),
        _ => None,
    });
    json!(number.unwrap_or(1.0) as i64)
}

fn members(known: &ResourceType, schema: &Schema, ids: &Ids, depth: usize) -> Map<String, Json> {
    let mut wanted: Vec<String> = schema.required().map(str::to_owned).collect();
    let mut alternatives = vec![schema];
    while let Some(schema) = alternatives.pop() {
        for keyword in &schema.keywords {
            match keyword {
                Keyword::Required(names) => wanted.extend(names.iter().map(|name| name.to_string())),
                Keyword::RequiredXor(names) | Keyword::RequiredOr(names) => {
                    wanted.extend(names.first().map(|name| name.to_string()));
                }
                Keyword::AnyOf(any) | Keyword::OneOf(any) => alternatives.extend(any.first()),
                Keyword::AllOf(all) => alternatives.extend(all),
                _ => {}
            }
        }
    }
    wanted.sort();
    wanted.dedup();
    let find = |name: &str| schema.properties().and_then(|all| cloudformation::schema::named(all, name));
    let settable =
        |name: &String| depth > 0 || !known.is_read_only(name) || known.required().any(|required| required == name);
    wanted
        .into_iter()
        .filter(settable)
        .filter_map(|name| {
            let value = least(known, find(&name)?, ids, depth + 1);
            Some((name, value))
        })
        .collect()
}

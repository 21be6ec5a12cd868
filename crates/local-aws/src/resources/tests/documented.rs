//! What `Ref` and `Fn::GetAtt` give, against the forms of the examples in CloudFormation's documentation.

use super::every_type::least;
use super::*;
use crate::ids::Ids;
use cloudformation::schema::resource_type;
use std::collections::BTreeMap;

/// What the table says of a type.
#[derive(Default)]
struct Documented {
    given: Json,
    /// Attribute (or `Ref`) and form.
    forms: Vec<(&'static str, &'static str)>,
}

fn documented() -> BTreeMap<&'static str, Documented> {
    let mut types: BTreeMap<&str, Documented> = BTreeMap::new();
    for line in include_str!("documented.txt").lines().filter(|line| !line.starts_with('#')) {
        let (type_name, rest) = line.split_once(' ').expect(line);
        let (what, value) = rest.split_once(' ').expect(line);
        let documented = types.entry(type_name).or_default();
        match what {
            "=" => documented.given = serde_json::from_str(value).expect(line),
            attribute => documented.forms.push((attribute, value)),
        }
    }
    types
}

#[tokio::test]
async fn attributes_have_the_forms_of_the_documentation() {
    let aws = LocalAws::open(Options { partial: true, ..Options::default() }).await.expect("a world");
    let ids = Ids::new(5);
    let (mut checked, mut problems) = (0, Vec::new());
    for (type_name, documented) in documented() {
        let known = resource_type(type_name).unwrap_or_else(|| panic!("{type_name}"));
        let mut properties = least(known, known.schema(), &ids, 0);
        for (name, value) in documented.given.as_object().into_iter().flatten() {
            properties[name] = value.clone();
        }
        // What lives in a service is made by other tests.
        if super::super::backed::is_backed(type_name) || check(type_name, &properties).is_err() {
            continue;
        }
        let owner = owner("Thing");
        let made = create(&aws.world, &owner, type_name, &properties, None).await;
        let made = made.unwrap_or_else(|failure| panic!("{type_name}: {}", failure.reason));
        for (attribute, form) in documented.forms {
            let value = match attribute {
                "Ref" => reference(type_name, &made.physical_id, &made.attributes),
                name => made.attributes.get(name).cloned().unwrap_or_default(),
            };
            checked += 1;
            if !is_of(form, &value, &owner.place) {
                problems.push(format!("{type_name} {attribute}: {value} is not {form}"));
            }
        }
    }
    assert!(problems.is_empty(), "{} problems: {problems:#?}", problems.len());
    assert!(checked > 440, "{checked}");
}

/// Whether a value, or each value of a list that is not empty, is of a form.
fn is_of(form: &str, value: &Json, place: &Place) -> bool {
    let form = form
        .replace("{partition}", place.partition())
        .replace("{region}", &place.region)
        .replace("{short}", &place.region_short())
        .replace("{account}", &place.account)
        .replace("{suffix}", place.url_suffix());
    let text = |value: &Json| match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let fits = |value: &Json| match super::super::form::read(&form, &text(value)) {
        Some(parts) => parts.iter().all(|(class, part)| is_in(class, part, place)),
        None => false,
    };
    match value {
        Json::Array(items) => !items.is_empty() && items.iter().all(fits),
        value => fits(value),
    }
}

fn is_in(class: &str, part: &str, place: &Place) -> bool {
    let all = |allowed: fn(&u8) -> bool| !part.is_empty() && part.bytes().all(|byte| allowed(&byte));
    match class {
        "any" => !part.is_empty() && !part.starts_with('/') && !part.contains(char::is_whitespace),
        "id" => all(u8::is_ascii_alphanumeric),
        "letters" => all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()),
        "number" => all(u8::is_ascii_digit),
        "uuid" => part.len() == 36 && all(|byte| *byte == b'-' || byte.is_ascii_hexdigit()),
        "address" => part.parse::<std::net::Ipv4Addr>().is_ok(),
        "zone" => place.availability_zones().iter().any(|zone| zone == part),
        "time" => part.parse::<jiff::civil::DateTime>().is_ok(),
        other => panic!("{other}"),
    }
}

/// Whatever the type: an ARN is one, and says where its resource is; what is called an address is none of a host.
#[tokio::test]
async fn arns_name_the_place_of_their_stack() {
    let aws = LocalAws::open(Options { partial: true, ..Options::default() }).await.expect("a world");
    let ids = Ids::new(17);
    let mut problems = Vec::new();
    let (mut made_types, mut arns) = (0, 0);
    for type_name in cloudformation::schema::resource_type_names() {
        let known = resource_type(type_name).expect("listed");
        let properties = least(known, known.schema(), &ids, 0);
        if super::super::backed::is_backed(type_name) {
            continue;
        }
        let owner = owner("Thing");
        let Ok(made) = create(&aws.world, &owner, type_name, &properties, None).await else { continue };
        made_types += 1;
        for path in known.read_only().iter().filter(|path| path.segments().len() == 1) {
            let Some(Json::String(value)) = made.attributes.get(path.top()) else { continue };
            let Some(rest) = value.strip_prefix("arn:") else {
                let is_arn = path.top().ends_with("Arn") || path.top().ends_with("ARN");
                // One that is not there yet, or that stands for one of what the generator gave.
                let odd = ODD.contains(&(type_name, path.top()));
                if is_arn && !odd && !value.is_empty() && !mentions(&properties, value) {
                    problems.push(format!("{type_name} {}: {value}", path.top()));
                }
                continue;
            };
            // ARNs that are made of what was given say what was given.
            if mentions(&properties, value) {
                continue;
            }
            arns += 1;
            let parts: Vec<&str> = rest.splitn(5, ':').collect();
            let place = &owner.place;
            let right = parts.len() == 5
                && parts[0] == place.partition()
                && (parts[2].is_empty() || parts[2] == place.region || parts[2] == "us-east-1")
                && (parts[3].is_empty() || parts[3] == place.account || parts[3] == "aws")
                && !parts[4].is_empty();
            if !right && !ODD.contains(&(type_name, path.top())) {
                problems.push(format!("{type_name} {}: {value}", path.top()));
            }
        }
    }
    assert!(problems.is_empty(), "{} problems: {problems:#?}", problems.len());
    assert!(made_types > 1_500 && arns > 900, "{made_types} types, {arns} ARNs");
}

/// Attributes whose patterns leave no room for a place, or that are made of parts of what the generator gave.
const ODD: &[(&str, &str)] = &[
    ("AWS::RefactorSpaces::Application", "NlbArn"),
    ("AWS::S3Outposts::AccessPoint", "Arn"),
    ("AWS::SCN::DataIntegrationFlow", "Arn"),
    ("AWS::SCN::Dataset", "Arn"),
    ("AWS::SCN::Namespace", "Arn"),
    ("AWS::SageMaker::App", "BuiltInLifecycleConfigArn"),
    ("AWS::StepFunctions::StateMachineVersion", "Arn"),
    ("AWS::WorkSpacesWeb::IdentityProvider", "IdentityProviderArn"),
];

/// Whether a value is made of a text of the properties.
fn mentions(properties: &Json, value: &str) -> bool {
    match properties {
        Json::String(text) => text.len() > 4 && value.contains(text.as_str()),
        Json::Array(items) => items.iter().any(|item| mentions(item, value)),
        Json::Object(members) => members.values().any(|member| mentions(member, value)),
        _ => false,
    }
}

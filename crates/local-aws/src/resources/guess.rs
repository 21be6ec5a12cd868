//! Values that no form tells: by the schema (format, allowed values, pattern), then by the property's name. ARNs say the
//! place of their resource.

use super::draft::{Draft, last_segment};
use super::facts::{arn_prefix, form};
use super::model::Properties;
use super::pattern;
use cloudformation::schema::{Keyword, PropertyPath, Schema, Type};
use serde_json::{Map, Value as Json, json};

/// How deep an object is made that only the service sets.
const DEEPEST: usize = 3;

/// A value by what the schema and the property's name say.
pub(super) fn by_schema(draft: &Draft<'_>, schema: &Schema, path: &str, depth: usize) -> Json {
    let schema = schema.follow(draft.known.schema());
    if let Some(value) = listed(schema) {
        return value;
    }
    let types = schema.types;
    let has_members = schema.properties().is_some();
    if types.contains(Type::String) || (types.any() && !has_members && schema.items().is_none()) {
        return Json::String(text(draft, schema, path));
    }
    if types.contains(Type::Boolean) {
        return json!(false);
    }
    if types.contains(Type::Integer) || types.contains(Type::Number) {
        return number(draft, schema, path);
    }
    if types.contains(Type::Array) || schema.items().is_some() {
        let least = schema.keywords.iter().find_map(|keyword| match keyword {
            Keyword::MinItems(least) => usize::try_from(*least).ok(),
            _ => None,
        });
        let items = schema.items().filter(|_| depth < DEEPEST);
        let items = (0..least.unwrap_or(0)).filter_map(|_| Some(by_schema(draft, items?, path, depth + 1)));
        return Json::Array(items.collect());
    }
    Json::Object(members(draft, schema, path, depth))
}

fn members(draft: &Draft<'_>, schema: &Schema, path: &str, depth: usize) -> Properties {
    let mut members = Map::new();
    if depth >= DEEPEST {
        return members;
    }
    let required: Vec<&str> = schema.required().collect();
    for (name, inner) in schema.properties().into_iter().flatten() {
        let below = format!("{path}/{name}");
        if required.contains(&name.as_ref()) || draft.known.is_read_only(&below) {
            let formed = form(draft.type_name, &below).and_then(|form| draft.fill(form));
            let formed = formed.map(|text| super::attributes::typed(draft, &PropertyPath::new(&below), text));
            members.insert(name.to_string(), formed.unwrap_or_else(|| by_schema(draft, inner, &below, depth + 1)));
        }
    }
    members
}

/// A value out of those that are allowed: the one that a resource at rest has.
fn listed(schema: &Schema) -> Option<Json> {
    const AT_REST: [&str; 10] = [
        "ACTIVE",
        "Active",
        "active",
        "AVAILABLE",
        "available",
        "ENABLED",
        "READY",
        "SUCCEEDED",
        "CREATED",
        "COMPLETE",
    ];
    schema.keywords.iter().find_map(|keyword| match keyword {
        Keyword::Const(only) => Some(only.clone()),
        Keyword::Enum(allowed) | Keyword::EnumCaseInsensitive(allowed) => {
            let known = AT_REST.iter().find_map(|name| allowed.iter().find(|one| one.as_str() == Some(name)));
            known.or_else(|| allowed.first()).cloned()
        }
        _ => None,
    })
}

fn number(draft: &Draft<'_>, schema: &Schema, path: &str) -> Json {
    let name = path.rsplit('/').next().unwrap_or(path);
    let whole = schema.types.contains(Type::Integer);
    let value = match name {
        _ if is_time(name) => draft.now.as_second() as f64,
        _ if name.contains("Version") || name.contains("Revision") => 1.0,
        "Port" => 443.0,
        _ => 0.0,
    };
    let bound = |pick: fn(&Keyword) -> Option<f64>| schema.keywords.iter().find_map(pick);
    let least = bound(|keyword| match keyword {
        Keyword::Minimum(least) => Some(*least),
        Keyword::ExclusiveMinimum(least) => Some(*least + 1.0),
        _ => None,
    });
    let most = bound(|keyword| match keyword {
        Keyword::Maximum(most) => Some(*most),
        _ => None,
    });
    let value = value.max(least.unwrap_or(f64::MIN)).min(most.unwrap_or(f64::MAX));
    if whole { json!(value as i64) } else { json!(value) }
}

fn is_time(name: &str) -> bool {
    ["Time", "Timestamp", "Date", "At", "On"].iter().any(|end| name.ends_with(end))
}

fn text(draft: &Draft<'_>, schema: &Schema, path: &str) -> String {
    let candidates = candidates(draft, schema, path);
    let fit = candidates.iter().find(|text| pattern::fits(schema, text)).cloned();
    let made = || Some(located(draft, schema, pattern::text(schema, draft.ids)?));
    fit.or_else(made).or_else(|| candidates.into_iter().next()).unwrap_or_default()
}

/// An ARN that was made from a pattern, with the partition, service, region and account of the resource, as far as the
/// pattern has room for them.
fn located(draft: &Draft<'_>, schema: &Schema, made: String) -> String {
    let parts: Vec<&str> = made.splitn(6, ':').collect();
    let is_account = |text: &str| text.is_empty() || text == "aws" || text.bytes().all(|byte| byte.is_ascii_digit());
    let (service, region, account, rest) = match parts[..] {
        ["arn", _, service, region, account, rest] if is_account(account) => (service, region, account, rest),
        ["arn", _, service, region, account, _] => {
            let before = "arn:".len() + parts[1].len() + service.len() + region.len() + ":::".len();
            (service, region, "", made.get(before..).unwrap_or(account))
        }
        // The pattern does not say where the parts are.
        ["arn", .., rest] => ("", "", "", rest),
        _ => return made,
    };
    let place = &draft.owner.place;
    let prefix = arn_prefix(draft.type_name, place);
    let own: Vec<&str> = prefix.split(':').collect();
    let scopes = [
        (own[3], own[4]),
        (place.region.as_str(), place.account.as_str()),
        ("", place.account.as_str()),
        (place.region.as_str(), ""),
        ("", ""),
        (region, account),
    ];
    // A short part was drawn where anything fits: an id takes its place where one does, too.
    let longer = rest.rsplit_once(['/', ':']).map(|(head, last)| {
        let separator = &rest[head.len()..=head.len()];
        if last.len() < 8 { format!("{head}{separator}{}", draft.ids.lower(12)) } else { rest.to_owned() }
    });
    let kind = draft.type_name.rsplit("::").next().unwrap_or_default();
    let rests = longer.into_iter().chain([rest.to_owned(), format!("{}/{}", kebab(kind), draft.ids.lower(12))]);
    for rest in rests {
        for service in [own[2], service] {
            for (region, account) in scopes {
                let arn = format!("arn:{}:{service}:{region}:{account}:{rest}", place.partition());
                if pattern::fits(schema, &arn) {
                    return arn;
                }
            }
        }
    }
    made
}

/// Texts that the property may hold, the likeliest first.
fn candidates(draft: &Draft<'_>, schema: &Schema, path: &str) -> Vec<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut parts = draft.type_name.split("::").skip(1);
    let service = parts.next().unwrap_or_default().to_lowercase();
    let kind = parts.next().unwrap_or_default();
    let place = &draft.owner.place;
    let is_time = is_time(name);
    let ends = |end: &str| name.ends_with(end);
    let id = || own_id(draft);
    let mut found: Vec<String> = Vec::new();
    found.extend(format(schema).and_then(|form| draft.fill(form)));
    if ends("Arn") || ends("ARN") {
        let stem = name.strip_suffix("Arn").or_else(|| name.strip_suffix("ARN")).unwrap_or_default();
        let stem = if stem.is_empty() { kind } else { stem };
        let own = path.split('/').count() == 1 && (stem == kind || kind.ends_with(stem));
        let id = if own { id() } else { draft.ids.lower(10) };
        let prefix = arn_prefix(draft.type_name, place);
        for kind in [kebab(stem), stem.to_lowercase()] {
            found.push(format!("{prefix}{kind}/{id}"));
            found.push(format!("{prefix}{kind}:{id}"));
            found.push(format!("{prefix}{kind}/{}", draft.ids.uuid()));
        }
    }
    if is_time {
        found.push(draft.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    }
    match name {
        "AccountId" | "AwsAccountId" | "OwnerId" | "OwnerAccountId" | "Owner" | "ResourceOwner" | "RegistryId"
        | "OwnerAccount" => found.push(place.account.clone()),
        _ if ends("AvailabilityZone") => found.extend(place.availability_zones().into_iter().next()),
        _ if ends("Region") => found.push(place.region.clone()),
        "State" => found.push("ACTIVE".to_owned()),
        _ if ends("Status") => found.push("ACTIVE".to_owned()),
        "Port" => found.push("443".to_owned()),
        _ if name.contains("Version") || name.contains("Revision") => found.push("1".to_owned()),
        _ if ends("Reason") || ends("Message") => found.push(String::new()),
        _ if ends("Name") => found.push(id()),
        // What comes after the kind in an ARN that is the physical id.
        _ if name == "Id" || name.strip_suffix("Id") == Some(kind) => {
            let arn = draft.physical_id.as_deref().filter(|id| id.starts_with("arn:"));
            found.extend(arn.map(|arn| last_segment(arn).to_owned()));
        }
        _ => {}
    }
    if ends("Url") || ends("URL") || ends("Uri") || ends("URI") {
        found.push(format!("https://{}.{service}.{}.{}", draft.ids.lower(10), place.region, place.url_suffix()));
    }
    if ends("Endpoint") || ends("DomainName") || ends("DNSName") || ends("Dns") || ends("Address") || ends("Host") {
        found.push(format!("{}.{service}.{}.{}", draft.ids.lower(10), place.region, place.url_suffix()));
    }
    if ends("Ip") || ends("IpAddress") {
        found.extend(draft.value("private_ip"));
    }
    if name == "Id" && service == "ec2" {
        found.push(format!("{}-0{}", kebab(kind), draft.ids.hex(16)));
    }
    found.extend([draft.ids.uuid(), draft.ids.lower(10), draft.ids.hex(32), draft.ids.digits(12), draft.ids.upper(14)]);
    if found.len() == 5 && !ends("Id") {
        found.rotate_left(1);
    }
    found
}

/// What the formats of the registry stand for.
fn format(schema: &Schema) -> Option<&'static str> {
    let format = schema.keywords.iter().find_map(|keyword| match keyword {
        Keyword::Format(format) => Some(format.as_ref()),
        _ => None,
    })?;
    Some(match format {
        "AWS::ACM::Certificate.Arn" => "arn:{partition}:acm:{region}:{account}:certificate/{uuid}",
        "AWS::EC2::Image.Id" => "ami-0{hex:16}",
        "AWS::EC2::SecurityGroup.Id" => "sg-0{hex:16}",
        "AWS::EC2::Subnet.Id" => "subnet-0{hex:16}",
        "AWS::EC2::VPC.Id" => "vpc-0{hex:16}",
        "AWS::IAM::Role.Arn" => "arn:{partition}:iam::{account}:role/{stack}-{logical}-{alnum:12}",
        "AWS::KMS::Key.Arn" => "arn:{partition}:kms:{region}:{account}:key/{uuid}",
        "AWS::KMS::Key.Id" => "{uuid}",
        "AWS::Lambda::Function.Arn" => "arn:{partition}:lambda:{region}:{account}:function:{logical}",
        "AWS::Route53::AliasTarget.HostedZoneId" | "AWS::Route53::HostedZone.Id" => "Z0{upper:19}",
        "AWS::SNS::Topic.Arn" => "arn:{partition}:sns:{region}:{account}:{logical}",
        "AWS::SQS::Queue.Arn" => "arn:{partition}:sqs:{region}:{account}:{logical}",
        "ipv4-network" => "10.0.0.0/16",
        "uri" => "https://{lower:10}.{region}.{suffix}",
        _ => return None,
    })
}

/// The short id that the attributes of a resource have in common.
fn own_id(draft: &Draft<'_>) -> String {
    let named =
        [draft.text(&format!("{}Name", draft.type_name.rsplit("::").next().unwrap_or_default())), draft.text("Name")];
    let physical = || draft.physical_id.as_deref().map(|id| last_segment(id).to_owned());
    named.into_iter().flatten().next().or_else(physical).unwrap_or_else(|| draft.ids.lower(10))
}

/// `TargetGroup` → `target-group`.
fn kebab(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut after_lower = false;
    for character in name.chars() {
        if character.is_ascii_uppercase() && after_lower {
            out.push('-');
        }
        after_lower = character.is_ascii_lowercase() || character.is_ascii_digit();
        out.push(character.to_ascii_lowercase());
    }
    out
}

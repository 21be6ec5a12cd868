//! What the service sets: read-only properties, and through them what `Fn::GetAtt` gives.
//!
//! A form of the table of facts comes first, then what the schema says (format, allowed values, pattern), then the name
//! of the property. Whatever is chosen fits the schema's own pattern and length.

use super::draft::Draft;
use super::facts::form;
use super::model::{self, Properties};
use super::pattern;
use cloudformation::schema::{Keyword, PropertyPath, Schema, Type};
use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

/// How deep an object is made that only the service sets.
const DEEPEST: usize = 3;

/// Sets every read-only property of the draft, as far as the part of the resource is there that it belongs to.
pub(super) fn complete(draft: &mut Draft<'_>) {
    let mut paths: Vec<&PropertyPath> = draft.known.read_only().iter().collect();
    // Inner ones after outer ones; those with a form that reads another attribute after those without.
    paths.sort_by_cached_key(|path| (path.segments().len(), rank(draft, path)));
    for path in paths {
        if path.segments().any(|segment| segment == "*") || !belongs(draft, path) {
            continue;
        }
        if model::get(&draft.properties, path).is_none() && exists(draft, path) {
            let value = attribute(draft, path);
            model::set(&mut draft.properties, path, value);
        }
    }
}

/// What `Fn::GetAtt` gives for every attribute of the type. What a template may set and did not is its default, or empty.
pub(super) fn readable(draft: &Draft<'_>) -> IndexMap<String, Json> {
    let known = draft.known;
    let mut attributes = IndexMap::new();
    for name in known.attributes().into_iter().filter(|name| !name.contains('*')) {
        let path = PropertyPath::new(&name);
        let value = match model::get(&draft.properties, &path) {
            Some(value) => value.clone(),
            None if !exists(draft, &path) => Json::String(String::new()),
            None if known.is_read_only(&name) => attribute(draft, &path),
            None => known.property(&name).map_or(Json::String(String::new()), |property| {
                property.default().cloned().unwrap_or_else(|| empty(property.schema))
            }),
        };
        attributes.insert(name, value);
    }
    attributes
}

fn empty(schema: &Schema) -> Json {
    match schema.types.iter().next() {
        Some(Type::Boolean) => json!(false),
        Some(Type::Integer | Type::Number) => json!(0),
        Some(Type::Array) => json!([]),
        Some(Type::Object) => json!({}),
        _ => json!(""),
    }
}

fn rank(draft: &Draft<'_>, path: &PropertyPath) -> usize {
    let form = form(draft.type_name, &path.segments().collect::<Vec<_>>().join("/")).unwrap_or_default();
    if !form.contains('{') {
        return 0;
    }
    let reads = |other: &PropertyPath| form.contains(&format!("{{{}}}", other.dotted())) || form.contains("_dashed");
    usize::from(draft.known.read_only().iter().any(reads))
}

/// Whether the object that holds the property is there, or is the service's own.
fn belongs(draft: &Draft<'_>, path: &PropertyPath) -> bool {
    let segments: Vec<&str> = path.segments().collect();
    (1..segments.len()).all(|length| {
        let above = PropertyPath::new(&segments[..length].join("/"));
        let dotted = above.dotted();
        model::get(&draft.properties, &above).is_some()
            || draft.known.is_read_only(&dotted)
            || all_read_only(draft, &dotted)
    })
}

/// Whether nothing inside the object at `path` can be set by a template.
fn all_read_only(draft: &Draft<'_>, path: &str) -> bool {
    let Some(property) = draft.known.property(path) else { return false };
    property.schema.properties().is_some_and(|members| {
        !members.is_empty() && members.iter().all(|(name, _)| draft.known.is_read_only(&format!("{path}.{name}")))
    })
}

/// Attributes that a resource has only if something else is set.
fn exists(draft: &Draft<'_>, path: &PropertyPath) -> bool {
    match (draft.type_name, path.top()) {
        ("AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable", "StreamArn") => {
            draft.properties.contains_key("StreamSpecification")
        }
        ("AWS::EC2::Instance", "PublicIp" | "PublicDnsName") => true,
        ("AWS::Route53::HostedZone", "NameServers") => !draft.properties.contains_key("VPCs"),
        _ => true,
    }
}

/// The value of a property that only the service sets.
pub(super) fn attribute(draft: &Draft<'_>, path: &PropertyPath) -> Json {
    let joined = path.segments().collect::<Vec<_>>().join("/");
    let property = draft.known.property(&joined);
    let told = identity(draft, path).or_else(|| own(draft, &joined));
    if told.is_none()
        && let Some(value) = whole(draft, &joined)
    {
        return value;
    }
    let formed = told.or_else(|| draft.fill(form(draft.type_name, &joined)?));
    match (formed, property) {
        (Some(text), Some(property)) if !property.types().contains(Type::String) => {
            text.parse::<serde_json::Number>().map_or(Json::String(text), Json::Number)
        }
        (Some(text), _) => Json::String(text),
        (None, Some(property)) => by_schema(draft, property.schema, &joined, 0),
        (None, None) => Json::String(draft.ids.lower(10)),
    }
}

/// Parts of the physical id, once that is known.
fn identity(draft: &Draft<'_>, path: &PropertyPath) -> Option<String> {
    use cloudformation::schema::{Reference, reference};
    let physical_id = draft.physical_id.as_deref()?;
    let dotted = path.dotted();
    let told = match reference(draft.type_name) {
        Some(Reference::Arn(path) | Reference::Id(path)) => Some(path),
        _ => None,
    };
    if draft.type_name == "AWS::EC2::SecurityGroup" {
        return (dotted == "GroupId" && physical_id.starts_with("sg-")).then(|| physical_id.to_owned());
    }
    if form(draft.type_name, "").is_some() {
        return None;
    }
    if told.is_some_and(|told| draft.known.property(told).is_some()) {
        return (told == Some(dotted.as_str())).then(|| physical_id.to_owned());
    }
    match draft.known.primary_identifier() {
        [only] if only == path => Some(physical_id.to_owned()),
        several => {
            let at = several.iter().position(|one| one == path).filter(|_| several.len() > 1)?;
            physical_id.split('|').nth(at).filter(|part| !part.is_empty()).map(str::to_owned)
        }
    }
}

/// Forms that depend on what the physical id turned out to be.
fn own(draft: &Draft<'_>, path: &str) -> Option<String> {
    match (draft.type_name, path) {
        // What is part of a joined physical id.
        ("AWS::WAFv2::WebACL", "Id") => draft.physical_id.as_deref()?.split('|').nth(1).map(str::to_owned),
        ("AWS::EC2::EIP", "PublicIp") => draft.physical_id.clone(),
        ("AWS::Lambda::Permission", "Id") => draft.physical_id.clone(),
        ("AWS::EC2::VPCEndpoint", "CreationTimestamp") => Some(draft.now.to_string()),
        _ => None,
    }
}

/// Attributes that are not texts.
fn whole(draft: &Draft<'_>, path: &str) -> Option<Json> {
    Some(match (draft.type_name, path) {
        ("AWS::Route53::HostedZone", "NameServers") => {
            let server =
                |domain: &str| format!("ns-{}.awsdns-{:02}.{domain}", draft.ids.below(2048), draft.ids.below(64));
            json!(["com", "net", "org", "co.uk"].map(server))
        }
        ("AWS::EC2::VPC", "CidrBlockAssociations") => json!([format!("vpc-cidr-assoc-0{}", draft.ids.hex(16))]),
        ("AWS::EC2::VPC" | "AWS::EC2::Subnet", "Ipv6CidrBlocks") => match draft.text("Ipv6CidrBlock") {
            Some(block) => json!([block]),
            None => json!([]),
        },
        ("AWS::EC2::VPCEndpoint", "DnsEntries") => match draft.text("VpcEndpointType").as_deref() {
            Some("Interface") => {
                let service = draft.text("ServiceName").unwrap_or_default();
                let service = service.rsplit('.').next().unwrap_or_default().to_owned();
                let id = draft.physical_id.clone().unwrap_or_default();
                let (region, suffix) = (&draft.owner.place.region, draft.owner.place.url_suffix());
                let host = format!("{id}-{}.{service}.{region}.vpce.{suffix}", draft.ids.lower(8));
                json!([format!("Z{}:{host}", draft.ids.upper(13))])
            }
            _ => json!([]),
        },
        ("AWS::EC2::VPCEndpoint", "NetworkInterfaceIds") => {
            let subnets = draft.properties.get("SubnetIds").and_then(Json::as_array).map_or(0, Vec::len);
            json!((0..subnets).map(|_| format!("eni-0{}", draft.ids.hex(16))).collect::<Vec<_>>())
        }
        ("AWS::CloudFormation::WaitCondition", "Data") => json!({}),
        ("AWS::IAM::ManagedPolicy", "IsAttachable") => json!(true),
        ("AWS::IAM::ManagedPolicy", "DefaultVersionId") => json!("v1"),
        _ => return None,
    })
}

/// A value by what the schema and the property's name say.
fn by_schema(draft: &Draft<'_>, schema: &Schema, path: &str, depth: usize) -> Json {
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
            let formed = form(draft.type_name, &below).and_then(|form| draft.fill(form)).map(Json::String);
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
    fit.or_else(|| pattern::text(schema, draft.ids)).or_else(|| candidates.into_iter().next()).unwrap_or_default()
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
        found.push(place.arn(&service, &format!("{}/{id}", kebab(stem))));
        found.push(place.arn(&service, &format!("{}/{}", stem.to_lowercase(), draft.ids.uuid())));
    }
    if is_time {
        found.push(draft.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    }
    match name {
        "AccountId" | "AwsAccountId" | "OwnerId" | "OwnerAccountId" | "Owner" | "ResourceOwner" | "RegistryId"
        | "OwnerAccount" => found.push(place.account.clone()),
        "Region" | "LastModifiedRegion" => found.push(place.region.clone()),
        "AvailabilityZone" => found.extend(place.availability_zones().into_iter().next()),
        "Status" | "State" => found.push("ACTIVE".to_owned()),
        "Port" => found.push("443".to_owned()),
        _ if name.contains("Version") || name.contains("Revision") => found.push("1".to_owned()),
        _ if ends("Reason") || ends("Message") => found.push(String::new()),
        _ if ends("Name") => found.push(id()),
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
    let physical = || draft.physical_id.as_deref().map(|id| super::draft::last_segment(id).to_owned());
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

//! What the service sets: read-only properties, and through them what `Fn::GetAtt` gives.
//!
//! A form of the table of facts comes first, then what the schema says (format, allowed values, pattern), then the name
//! of the property. Whatever is chosen fits the schema's own pattern and length.

use super::draft::Draft;
use super::facts::{form, formed};
use super::guess::by_schema;
use super::model;
use cloudformation::schema::{PropertyPath, Schema, Type};
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

/// Sets every read-only property of the draft, as far as the part of the resource is there that it belongs to.
pub(super) fn complete(draft: &mut Draft<'_>) {
    chosen(draft);
    let mut paths: Vec<&PropertyPath> = draft.known.read_only().iter().collect();
    // Inner ones after outer ones; those with a form that reads another attribute after those without.
    paths.sort_by_cached_key(|path| (path.segments().len(), rank(draft, path, 0)));
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

/// Sets the properties that a template may set and the service chooses where it is silent.
fn chosen(draft: &mut Draft<'_>) {
    let type_name = draft.type_name;
    for path in formed(type_name).filter(|path| !path.is_empty()) {
        let path = PropertyPath::new(path);
        let silent = model::get(&draft.properties, &path).is_none() && !draft.known.is_read_only(&path.dotted());
        if silent
            && !excluded(draft, &path)
            && let Some(value) = form(type_name, path.top()).and_then(|form| draft.fill(form))
        {
            let value = typed(draft, &path, value);
            model::set(&mut draft.properties, &path, value);
        }
    }
}

/// Whether a property may not be there beside another one that says the same: the zone of a subnet by name and by id.
fn excluded(draft: &Draft<'_>, path: &PropertyPath) -> bool {
    draft.type_name == "AWS::EC2::Subnet"
        && (path.top() == "AvailabilityZoneId" || draft.properties.contains_key("AvailabilityZoneId"))
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
                let formed = form(draft.type_name, &name.replace('.', "/")).and_then(|form| draft.fill(form));
                let formed = formed.map(|text| typed(draft, &path, text));
                formed.or_else(|| property.default().cloned()).unwrap_or_else(|| empty(property.schema))
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

/// How many attributes stand behind one, each in the form of the next.
fn rank(draft: &Draft<'_>, path: &PropertyPath, depth: usize) -> usize {
    let form = form(draft.type_name, &path.segments().collect::<Vec<_>>().join("/")).unwrap_or_default();
    if !form.contains('{') || depth > 4 {
        return 0;
    }
    let reads =
        |name: &str| [format!("{{{name}}}"), format!(":{name}}}")].iter().any(|part| form.contains(part.as_str()));
    let others = draft.known.read_only().iter().filter(|other| *other != path && reads(&other.dotted()));
    let behind = others.map(|other| 1 + rank(draft, other, depth + 1)).max().unwrap_or(0);
    // The names of hosts hold their addresses.
    behind.max(usize::from(form.contains("_dns}")))
}

/// Whether the object that holds the property is there, or is the service's own.
fn belongs(draft: &Draft<'_>, path: &PropertyPath) -> bool {
    let segments: Vec<&str> = path.segments().collect();
    if segments == ["MasterUserSecret", "SecretArn"] {
        return exists(draft, path);
    }
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
        ("AWS::CloudTrail::Trail", "SnsTopicArn") => draft.properties.contains_key("SnsTopicName"),
        ("AWS::EC2::NetworkInterface", "PrimaryIpv6Address") => {
            ["Ipv6AddressCount", "Ipv6Addresses", "EnablePrimaryIpv6"]
                .iter()
                .any(|name| draft.properties.contains_key(*name))
        }
        ("AWS::EC2::VPCCidrBlock", "IpSource" | "Ipv6AddressAttribute") => {
            draft.properties.contains_key("Ipv6CidrBlock")
        }
        ("AWS::EKS::Cluster", "EncryptionConfigKeyArn") => draft.properties.contains_key("EncryptionConfig"),
        ("AWS::ElastiCache::CacheCluster", "RedisEndpoint") => !is_memcached(draft),
        ("AWS::ElastiCache::CacheCluster", "ConfigurationEndpoint") => is_memcached(draft),
        ("AWS::RDS::DBCluster" | "AWS::RDS::DBInstance", "MasterUserSecret") => {
            is_on(draft, "ManageMasterUserPassword")
        }
        ("AWS::Redshift::Cluster", "MasterPasswordSecretArn") => is_on(draft, "ManageMasterPassword"),
        ("AWS::RedshiftServerless::Namespace", "Namespace") if path.dotted() == "Namespace.AdminPasswordSecretArn" => {
            is_on(draft, "ManageAdminPassword")
        }
        ("AWS::Route53::HostedZone", "NameServers") => !draft.properties.contains_key("VPCs"),
        _ => true,
    }
}

fn is_on(draft: &Draft<'_>, name: &str) -> bool {
    draft.text(name).as_deref() == Some("true")
}

fn is_memcached(draft: &Draft<'_>) -> bool {
    draft.text("Engine").as_deref() == Some("memcached")
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
        (Some(text), _) => typed(draft, path, text),
        (None, Some(property)) => by_schema(draft, property.schema, &joined, 0),
        (None, None) => Json::String(draft.ids.lower(10)),
    }
}

/// A text as the property wants it: a number, or a list of one.
pub(super) fn typed(draft: &Draft<'_>, path: &PropertyPath, text: String) -> Json {
    let Some(property) = draft.known.property(&path.dotted()) else { return Json::String(text) };
    let types = property.types();
    match types.contains(Type::String) {
        true => Json::String(text),
        false if types.contains(Type::Array) => json!([text]),
        false => text.parse::<serde_json::Number>().map_or(Json::String(text), Json::Number),
    }
}

/// Parts of the physical id, once that is known.
fn identity(draft: &Draft<'_>, path: &PropertyPath) -> Option<String> {
    use cloudformation::schema::{Reference, reference};
    let physical_id = draft.physical_id.as_deref()?;
    let dotted = path.dotted();
    if draft.type_name == "AWS::EC2::SecurityGroup" {
        return (dotted == "GroupId" && physical_id.starts_with("sg-")).then(|| physical_id.to_owned());
    }
    if form(draft.type_name, "").is_some() {
        return None;
    }
    if let Some(Reference::Property(told) | Reference::Arn(told) | Reference::Id(told)) = reference(draft.type_name)
        && draft.known.property(told).is_some()
    {
        return (told == dotted).then(|| physical_id.to_owned());
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
        ("AWS::EC2::VPC" | "AWS::EC2::Subnet", "CidrBlockAssociations" | "Ipv6CidrBlocks") => {
            super::followers::blocks(draft, path)
        }
        ("AWS::EC2::NetworkInterface", "SecondaryPrivateIpAddresses") => json!(draft.secondary_ips()),
        ("AWS::NetworkFirewall::Firewall", "EndpointIds") => {
            let subnets = draft.properties.get("SubnetMappings").and_then(Json::as_array).into_iter().flatten();
            let subnets = subnets.filter_map(|mapping| mapping["SubnetId"].as_str());
            let endpoint = |subnet: &str| Some(format!("{}:vpce-0{}", draft.zone_of(subnet)?, draft.ids.hex(16)));
            json!(subnets.filter_map(endpoint).collect::<Vec<_>>())
        }
        ("AWS::DirectoryService::MicrosoftAD" | "AWS::DirectoryService::SimpleAD", "DnsIpAddresses") => {
            json!(draft.free_addresses(2))
        }
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

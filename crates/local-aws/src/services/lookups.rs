//! What tools look up before they write a template, apart from networks: load balancers, keys and hosted zones, over the
//! resources that stacks and Cloud Control made. The CDK's context providers ask for these. Nothing can be changed here.

use super::views;
use crate::door::{Request, Response};
use crate::place::Place;
use crate::query::{self, Fault, escape};
use crate::resources::Live;
use crate::world::World;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value as Json, json};

const BALANCING: &str = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/";
const ROUTE53: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

fn text<'l>(live: &'l Live, name: &str) -> &'l str {
    live.properties.get(name).and_then(Json::as_str).unwrap_or_default()
}

fn texts(value: &Json) -> Vec<&str> {
    match value {
        Json::Array(items) => items.iter().filter_map(Json::as_str).collect(),
        Json::String(text) if !text.is_empty() => vec![text],
        _ => Vec::new(),
    }
}

/// `[{Key, Value}]`: those of the template, and those of CloudFormation.
fn tags(live: &Live) -> Vec<Json> {
    let own = live.properties.get("Tags").and_then(Json::as_array).into_iter().flatten().cloned();
    let by_stack = views::stack_tags(live).into_iter().map(|(key, value)| json!({ "Key": key, "Value": value }));
    own.chain(by_stack).collect()
}

/// Elastic Load Balancing: `DescribeLoadBalancers`, `DescribeListeners`, `DescribeTargetGroups`, `DescribeTags`.
pub(crate) fn balancers(world: &World, place: &Place, request: &Request) -> Response {
    let answered = query::read_request(request).and_then(|(action, input)| {
        let state = world.resources.lock();
        let all = |kind: &'static str| {
            let name = match kind {
                "LoadBalancer" => "AWS::ElasticLoadBalancingV2::LoadBalancer",
                "Listener" => "AWS::ElasticLoadBalancingV2::Listener",
                _ => "AWS::ElasticLoadBalancingV2::TargetGroup",
            };
            state.of_type(place, name)
        };
        let asked = |member: &str| texts(&input[member]);
        let result = match action.as_str() {
            "DescribeLoadBalancers" => {
                let (arns, names) = (asked("LoadBalancerArns"), asked("Names"));
                let found: Vec<&Live> = all("LoadBalancer")
                    .filter(|live| arns.is_empty() || arns.contains(&live.physical_id.as_str()))
                    .filter(|live| names.is_empty() || names.contains(&text(live, "Name")))
                    .collect();
                if found.is_empty() && !(arns.is_empty() && names.is_empty()) {
                    return Err(Fault::new("LoadBalancerNotFound", "One or more load balancers not found"));
                }
                let subnet = |id: &str| state.get(place, "AWS::EC2::Subnet", id);
                json!({ "LoadBalancers": found.into_iter().map(|live| balancer(live, subnet)).collect::<Vec<_>>() })
            }
            "DescribeListeners" => {
                let (arns, of) = (asked("ListenerArns"), input["LoadBalancerArn"].as_str());
                let found = all("Listener")
                    .filter(|live| arns.is_empty() || arns.contains(&live.physical_id.as_str()))
                    .filter(|live| of.is_none_or(|of| text(live, "LoadBalancerArn") == of));
                json!({ "Listeners": found.map(listener).collect::<Vec<_>>() })
            }
            "DescribeTargetGroups" => {
                let (arns, names) = (asked("TargetGroupArns"), asked("Names"));
                let found = all("TargetGroup")
                    .filter(|live| arns.is_empty() || arns.contains(&live.physical_id.as_str()))
                    .filter(|live| names.is_empty() || names.contains(&text(live, "Name")));
                json!({ "TargetGroups": found.map(target_group).collect::<Vec<_>>() })
            }
            "DescribeTags" => {
                let arns = asked("ResourceArns");
                let found = ["LoadBalancer", "Listener", "TargetGroup"].into_iter().flat_map(all);
                let found = found.filter(|live| arns.contains(&live.physical_id.as_str()));
                let described = found.map(|live| json!({ "ResourceArn": live.physical_id, "Tags": tags(live) }));
                json!({ "TagDescriptions": described.collect::<Vec<_>>() })
            }
            _ => {
                let message =
                    format!("The operation {action} of Elastic Load Balancing is not part of this local AWS.");
                return Err(Fault::new("InvalidAction", message));
            }
        };
        Ok(query::answer(&action, BALANCING, &result))
    });
    answered.unwrap_or_else(|fault| fault.answer(BALANCING))
}

fn balancer<'s>(live: &Live, subnet: impl Fn(&str) -> Option<&'s Live>) -> Json {
    let subnets = live.properties.get("Subnets").map(texts).unwrap_or_default();
    let vpc = subnets.first().and_then(|id| subnet(id)).map(|subnet| text(subnet, "VpcId"));
    let zones: Vec<Json> = subnets
        .iter()
        .map(|id| json!({ "SubnetId": id, "ZoneName": subnet(id).map(|subnet| text(subnet, "AvailabilityZone")) }))
        .collect();
    let or = |name: &str, other: &'static str| match text(live, name) {
        "" => other.to_owned(),
        given => given.to_owned(),
    };
    json!({
        "LoadBalancerArn": live.physical_id,
        "LoadBalancerName": text(live, "LoadBalancerName"),
        "DNSName": text(live, "DNSName"),
        "CanonicalHostedZoneId": text(live, "CanonicalHostedZoneID"),
        "Scheme": or("Scheme", "internet-facing"),
        "Type": or("Type", "application"),
        "IpAddressType": or("IpAddressType", "ipv4"),
        "VpcId": vpc,
        "State": { "Code": "active" },
        "AvailabilityZones": zones,
        "SecurityGroups": live.properties.get("SecurityGroups"),
    })
}

fn listener(live: &Live) -> Json {
    let of = |name: &str| live.properties.get(name).cloned();
    json!({
        "ListenerArn": live.physical_id,
        "LoadBalancerArn": of("LoadBalancerArn"),
        "Port": of("Port"),
        "Protocol": of("Protocol"),
        "SslPolicy": of("SslPolicy"),
        "Certificates": of("Certificates"),
        "DefaultActions": of("DefaultActions"),
    })
}

fn target_group(live: &Live) -> Json {
    let of = |name: &str| live.properties.get(name).cloned();
    json!({
        "TargetGroupArn": live.physical_id,
        "TargetGroupName": of("TargetGroupName").or(of("Name")),
        "Port": of("Port"),
        "Protocol": of("Protocol"),
        "TargetType": of("TargetType").unwrap_or_else(|| json!("instance")),
        "VpcId": of("VpcId"),
        "HealthCheckPath": of("HealthCheckPath"),
        "HealthCheckPort": of("HealthCheckPort").unwrap_or_else(|| json!("traffic-port")),
        "HealthCheckProtocol": of("HealthCheckProtocol").or(of("Protocol")),
    })
}

/// KMS: `ListAliases`.
pub(crate) fn keys(world: &World, place: &Place, request: &Request) -> Response {
    super::single::answer(request, "ListAliases", |input: Json| {
        let of = input["KeyId"].as_str();
        let state = world.resources.lock();
        let aliases = state.of_type(place, "AWS::KMS::Alias").filter(|live| {
            let target = text(live, "TargetKeyId");
            of.is_none_or(|key| target == key || target.rsplit('/').next() == key.rsplit('/').next())
        });
        let shown = aliases.map(|live| {
            let (name, target) = (text(live, "AliasName"), text(live, "TargetKeyId"));
            json!({
                "AliasName": name,
                "AliasArn": place.arn("kms", name),
                "TargetKeyId": target.rsplit('/').next(),
            })
        });
        Ok(json!({ "Aliases": shown.collect::<Vec<_>>(), "Truncated": false }))
    })
}

/// Route 53: `ListHostedZones`, `ListHostedZonesByName` and `GetHostedZone`.
pub(crate) fn zones(world: &World, place: &Place, request: &Request) -> Response {
    let path = request.uri().path().trim_matches('/').to_owned();
    let parts: Vec<&str> = path.split('/').collect();
    let query = request.uri().query().unwrap_or_default();
    let parameter = |name: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let state = world.resources.lock();
    let mut all: Vec<&Live> = state.of_account(&place.account, "AWS::Route53::HostedZone").collect();
    all.sort_by_key(|live| reversed(&dotted(text(live, "Name"))));
    let answered = match (request.method(), parts.as_slice()) {
        (&Method::GET, [_, "hostedzone"]) => {
            let zones: String = all.iter().map(|live| zone(live)).collect();
            Ok((
                "ListHostedZonesResponse",
                format!("<HostedZones>{zones}</HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems>"),
            ))
        }
        (&Method::GET, [_, "hostedzonesbyname"]) => {
            let from = parameter("dnsname").map(|name| reversed(&dotted(&name)));
            let listed = all
                .iter()
                .filter(|live| from.as_ref().is_none_or(|from| reversed(&dotted(text(live, "Name"))) >= *from));
            let zones: String = listed.map(|live| zone(live)).collect();
            Ok((
                "ListHostedZonesByNameResponse",
                format!("<HostedZones>{zones}</HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems>"),
            ))
        }
        (&Method::GET, [_, "hostedzone", id]) => match all.iter().find(|live| live.physical_id == *id) {
            Some(live) => Ok(("GetHostedZoneResponse", format!("{}{}", zone(live), networks(live)))),
            None => Err(Fault::new("NoSuchHostedZone", format!("No hosted zone found with ID: {id}")).with_status(404)),
        },
        (method, _) => {
            Err(Fault::new("InvalidAction", format!("{method} /{path} of Route 53 is not part of this local AWS.")))
        }
    };
    match answered {
        Ok((root, content)) => {
            let xml =
                format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"{ROUTE53}\">{content}</{root}>");
            let mut response = Response::new(Bytes::from(xml));
            *response.status_mut() = StatusCode::OK;
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
            response
        }
        Err(fault) => fault.answer(ROUTE53),
    }
}

fn dotted(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

/// The labels in the order by which Route 53 sorts: `com.example.` for `example.com.`.
fn reversed(name: &str) -> String {
    name.trim_end_matches('.').rsplit('.').collect::<Vec<_>>().join(".")
}

fn zone(live: &Live) -> String {
    let private = live.properties.get("VPCs").is_some();
    let comment =
        live.properties.get("HostedZoneConfig").and_then(|config| config["Comment"].as_str()).unwrap_or_default();
    format!(
        "<HostedZone><Id>/hostedzone/{}</Id><Name>{}</Name><CallerReference>{}</CallerReference><Config><Comment>{}</Comment>\
         <PrivateZone>{private}</PrivateZone></Config><ResourceRecordSetCount>2</ResourceRecordSetCount></HostedZone>",
        escape(&live.physical_id),
        escape(&dotted(text(live, "Name"))),
        escape(&live.physical_id),
        escape(comment)
    )
}

/// The networks of a private zone, or the name servers of another.
fn networks(live: &Live) -> String {
    let vpcs = live.properties.get("VPCs").and_then(Json::as_array);
    if let Some(vpcs) = vpcs {
        let vpc = |vpc: &Json| {
            let of = |name: &str| escape(vpc[name].as_str().unwrap_or_default()).into_owned();
            format!("<VPC><VPCRegion>{}</VPCRegion><VPCId>{}</VPCId></VPC>", of("VPCRegion"), of("VPCId"))
        };
        return format!("<VPCs>{}</VPCs>", vpcs.iter().map(vpc).collect::<String>());
    }
    let servers = live.properties.get("NameServers").map(texts).unwrap_or_default();
    let servers: String =
        servers.into_iter().map(|server| format!("<NameServer>{}</NameServer>", escape(server))).collect();
    format!("<DelegationSet><NameServers>{servers}</NameServers></DelegationSet>")
}

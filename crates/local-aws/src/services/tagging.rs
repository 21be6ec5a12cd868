//! The Resource Groups Tagging API: `GetResources`, over the resources that stacks and Cloud Control made, and the stacks.
//!
//! Tags are found where each type's schema says that they are. Resources whose ARN is none of their properties are called
//! as EC2 calls its own: `arn:aws:ec2:<region>:<account>:<kind>/<id>`.

use super::single;
use crate::door::{Request, Response};
use crate::place::Place;
use crate::query::Fault;
use crate::world::World;
use cloudformation::schema::resource_type;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// Resources on a page if nothing else is asked for.
const PAGE: usize = 50;
const LARGEST_PAGE: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    #[serde(default)]
    tag_filters: Vec<Filter>,
    /// `ec2`, `ec2:vpc`.
    #[serde(default)]
    resource_type_filters: Vec<String>,
    resources_per_page: Option<usize>,
    pagination_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    key: String,
    /// Any of them; none: any value.
    #[serde(default)]
    values: Vec<String>,
}

type Tags = BTreeMap<String, String>;

pub(crate) fn answer(world: &World, place: &Place, request: &Request) -> Response {
    single::answer(request, "GetResources", |input| get_resources(world, place, input))
}

fn get_resources(world: &World, place: &Place, input: Input) -> Result<Json, Fault> {
    let size = input.resources_per_page.unwrap_or(PAGE);
    if size == 0 || size > LARGEST_PAGE {
        let message = format!("ResourcesPerPage must be between 1 and {LARGEST_PAGE}");
        return Err(Fault::new("InvalidParameterException", message));
    }
    let after = input.pagination_token.as_deref().unwrap_or_default();
    let fits = |(arn, tags): &(&String, &Tags)| {
        let of_type = |filter: &String| {
            let mut parts = arn.splitn(6, ':').skip(2);
            let (service, kind) = (parts.next().unwrap_or_default(), parts.nth(2).unwrap_or_default());
            match filter.split_once(':') {
                Some((wanted, wanted_kind)) => service == wanted && kind.split(['/', ':']).next() == Some(wanted_kind),
                None => service == filter,
            }
        };
        let has = |filter: &Filter| {
            tags.get(&filter.key).is_some_and(|value| filter.values.is_empty() || filter.values.contains(value))
        };
        (input.resource_type_filters.is_empty() || input.resource_type_filters.iter().any(of_type))
            && input.tag_filters.iter().all(has)
    };
    let all = tagged(world, place);
    let mut found: Vec<(&String, &Tags)> = all.iter().filter(fits).filter(|(arn, _)| arn.as_str() > after).collect();
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map_or("", |(arn, _)| arn.as_str());
    let shown = found.iter().map(|(arn, tags)| {
        let tags: Vec<Json> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        json!({ "ResourceARN": arn, "Tags": tags })
    });
    Ok(json!({ "ResourceTagMappingList": shown.collect::<Vec<_>>(), "PaginationToken": next }))
}

/// Everything with tags, by ARN.
fn tagged(world: &World, place: &Place) -> BTreeMap<String, Tags> {
    let mut all = BTreeMap::new();
    for live in world.resources.lock().of_place(place) {
        let mut tags = tags_of(&live.type_name, &live.properties);
        if resource_type(&live.type_name).is_some_and(|known| known.tagging().taggable) {
            tags.extend(super::views::stack_tags(live).into_iter().map(|(key, value)| (key.to_owned(), value)));
        }
        if !tags.is_empty() {
            all.insert(arn(place, &live.type_name, &live.physical_id, &live.properties), tags);
        }
    }
    for stack in world.stacks.lock().values().filter(|stack| stack.place == *place && stack.status != "DELETE_COMPLETE")
    {
        let tags: Tags = stack.current.tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        if !tags.is_empty() {
            all.insert(stack.id.clone(), tags);
        }
    }
    all
}

fn tags_of(type_name: &str, properties: &Map<String, Json>) -> Tags {
    let Some(known) = resource_type(type_name) else { return Tags::new() };
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match properties.get(known.tags_at()) {
        Some(Json::Array(tags)) => {
            tags.iter().filter_map(|tag| Some((tag["Key"].as_str()?.to_owned(), text(&tag["Value"])))).collect()
        }
        Some(Json::Object(tags)) => tags.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
        _ => Tags::new(),
    }
}

/// What API Gateway calls its resources by: their paths in its API, in ARNs without an account. (API Gateway developer
/// guide, "ARN reference".)
fn gateway_path(type_name: &str, physical_id: &str, properties: &Map<String, Json>) -> Option<String> {
    let of = |name: &str| properties.get(name).and_then(Json::as_str);
    let own = |name: &str| of(name).unwrap_or(physical_id).to_owned();
    Some(match type_name {
        "AWS::ApiGateway::RestApi" => format!("/restapis/{}", own("RestApiId")),
        "AWS::ApiGateway::Stage" => format!("/restapis/{}/stages/{}", of("RestApiId")?, own("StageName")),
        "AWS::ApiGateway::ApiKey" => format!("/apikeys/{}", own("APIKeyId")),
        "AWS::ApiGateway::UsagePlan" => format!("/usageplans/{}", own("Id")),
        "AWS::ApiGateway::ClientCertificate" => format!("/clientcertificates/{}", own("ClientCertificateId")),
        "AWS::ApiGateway::DomainName" | "AWS::ApiGatewayV2::DomainName" => {
            format!("/domainnames/{}", own("DomainName"))
        }
        "AWS::ApiGateway::VpcLink" | "AWS::ApiGatewayV2::VpcLink" => format!("/vpclinks/{}", own("VpcLinkId")),
        "AWS::ApiGatewayV2::Api" => format!("/apis/{}", own("ApiId")),
        "AWS::ApiGatewayV2::Stage" => format!("/apis/{}/stages/{}", of("ApiId")?, own("StageName")),
        _ => return None,
    })
}

fn arn(place: &Place, type_name: &str, physical_id: &str, properties: &Map<String, Json>) -> String {
    if physical_id.starts_with("arn:") {
        return physical_id.to_owned();
    }
    let kind = type_name.rsplit("::").next().unwrap_or(type_name);
    let names = ["Arn".to_owned(), format!("{kind}Arn"), format!("{kind}ARN"), "ARN".to_owned(), "Id".to_owned()];
    let given = names.iter().find_map(|name| properties.get(name)?.as_str().filter(|text| text.starts_with("arn:")));
    if let Some(given) = given {
        return given.to_owned();
    }
    if let Some(path) = gateway_path(type_name, physical_id, properties) {
        return format!("arn:{}:apigateway:{}::{path}", place.partition(), place.region);
    }
    let service = type_name.split("::").nth(1).unwrap_or_default().to_ascii_lowercase();
    let (mut dashed, mut after_small) = (String::new(), false);
    for c in kind.chars() {
        if c.is_ascii_uppercase() && after_small {
            dashed.push('-');
        }
        after_small = c.is_ascii_lowercase();
        dashed.push(c.to_ascii_lowercase());
    }
    format!("arn:{}:{service}:{}:{}:{dashed}/{physical_id}", place.partition(), place.region, place.account)
}

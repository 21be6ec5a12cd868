//! EC2's `Describe…` of networks, over the resources that stacks and Cloud Control made: what tools look up before they
//! write a template (the CDK's context providers among them). Nothing can be changed here.
//!
//! The protocol is EC2's own: requests are forms, lists in answers hold `<item>`s. (Amazon EC2 API reference.)

mod groups;
mod networks;
mod zones;

use super::views;
use crate::door::{Request, Response};
use crate::place::Place;
use crate::query::{self, Fault, escape};
use crate::resources::{Live, State};
use crate::world::World;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value as Json, json};

const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

/// What an operation lists.
struct Listing {
    /// The element that holds the list: `vpcSet`.
    set: &'static str,
    items: Vec<Item>,
    /// The member that asks for some by their ids, the property of an item that holds one, and what is said where there is
    /// none.
    by_id: Option<(&'static str, &'static str, &'static str, &'static str)>,
}

/// One thing that is listed, with what filters may ask of it.
struct Item {
    shown: Json,
    /// Name of a filter → values.
    filters: Vec<(String, Vec<String>)>,
}

impl Item {
    fn new(shown: Json, filters: &[(&str, &str)]) -> Self {
        let filters = filters.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect();
        Item { shown, filters }
    }

    /// With the tags of a resource, shown and to be asked for.
    fn tagged(mut self, live: &Live) -> Self {
        let own = live.properties.get("Tags").and_then(Json::as_array).into_iter().flatten();
        let own = own.filter_map(|tag| Some((tag["Key"].as_str()?.to_owned(), tag["Value"].as_str()?.to_owned())));
        let by_stack = views::stack_tags(live).into_iter().map(|(key, value)| (key.to_owned(), value));
        let tags: Vec<(String, String)> = own.chain(by_stack).collect();
        self.shown["tagSet"] = tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        for (key, value) in tags {
            self.filters.push((format!("tag:{key}"), vec![value]));
            self.filters.push(("tag-key".to_owned(), vec![key]));
        }
        self
    }

    fn with(mut self, name: &str, values: Vec<String>) -> Self {
        self.filters.push((name.to_owned(), values));
        self
    }
}

/// Answers a request to EC2.
pub(crate) fn answer(world: &World, place: &Place, request: &Request) -> Response {
    let answered = query::read_request(request).and_then(|(action, input)| {
        let listing = {
            let state = world.resources.lock();
            listed(&View { state: &state, place, now: world.clock.now() }, &action, &input)?
        };
        let items = chosen(listing.items, listing.by_id, &input)?;
        Ok(written(&action, &json!({ (listing.set): items })))
    });
    answered.unwrap_or_else(|fault| refused(&fault))
}

/// What there is to be listed.
struct View<'v> {
    state: &'v State,
    place: &'v Place,
    now: jiff::Timestamp,
}

impl<'v> View<'v> {
    fn all(&self, type_name: &'v str) -> impl Iterator<Item = &'v Live> + use<'v> {
        self.state.of_type(self.place, type_name)
    }
}

fn text<'l>(live: &'l Live, name: &str) -> &'l str {
    live.properties.get(name).and_then(Json::as_str).unwrap_or_default()
}

fn listed(view: &View<'_>, action: &str, input: &Json) -> Result<Listing, Fault> {
    Ok(match action {
        "DescribeAvailabilityZones" => zones::zones(view),
        "DescribeImages" => zones::images(view, input),
        "DescribeInternetGateways" => networks::internet_gateways(view),
        "DescribeNatGateways" => networks::nat_gateways(view),
        "DescribeRouteTables" => networks::route_tables(view),
        "DescribeSecurityGroups" => groups::security_groups(view),
        "DescribeSubnets" => networks::subnets(view),
        "DescribeVpcEndpointServices" => zones::endpoint_services(view, input),
        "DescribeVpcs" => networks::vpcs(view),
        "DescribeVpnGateways" => networks::vpn_gateways(view),
        _ => {
            let message = format!("The action {action} of EC2 is not part of this local AWS.");
            return Err(Fault::new("InvalidAction", message));
        }
    })
}

/// The texts of a list in a request; one that stands alone is a list of it.
fn texts(value: &Json) -> Vec<String> {
    match value {
        Json::Array(items) => items.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        Json::String(text) if !text.is_empty() => vec![text.clone()],
        _ => Vec::new(),
    }
}

/// The items that a request asks for by ids and filters.
fn chosen(
    items: Vec<Item>,
    by_id: Option<(&'static str, &'static str, &'static str, &'static str)>,
    input: &Json,
) -> Result<Vec<Json>, Fault> {
    let (mut wanted, mut id_of) = (Vec::new(), "");
    if let Some((member, name, code, message)) = by_id {
        (wanted, id_of) = (texts(&input[member]), name);
        let has = |id: &String| items.iter().any(|item| item.shown[name] == id.as_str());
        if let Some(missing) = wanted.iter().find(|id| !has(id)) {
            return Err(Fault::new(code, message.replace("{id}", missing)));
        }
    }
    let filters: Vec<(String, Vec<String>)> = input["Filter"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|filter| (filter["Name"].as_str().unwrap_or_default().to_owned(), texts(&filter["Value"])))
        .collect();
    let passes = |item: &Item| {
        let by_id = wanted.is_empty() || wanted.iter().any(|id| item.shown[id_of] == id.as_str());
        by_id
            && filters.iter().all(|(name, values)| {
                let name = if name == "isDefault" { "is-default" } else { name };
                let has = item.filters.iter().filter(|(of, _)| of == name).flat_map(|(_, all)| all);
                has.into_iter().any(|value| values.iter().any(|wanted| matches(wanted, value)))
            })
    };
    Ok(items.into_iter().filter(passes).map(|item| item.shown).collect())
}

/// `*` stands for any text, `?` for one character.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.chars();
    match (parts.next(), text.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            let rest = parts.as_str();
            let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            starts.into_iter().any(|at| matches(rest, &text[at..]))
        }
        (Some('?'), Some(first)) => matches(parts.as_str(), &text[first.len_utf8()..]),
        (Some(wanted), Some(first)) if wanted == first => matches(parts.as_str(), &text[first.len_utf8()..]),
        _ => false,
    }
}

fn written(action: &str, content: &Json) -> Response {
    let mut xml = format!("<{action}Response xmlns=\"{NAMESPACE}\"><requestId>{}</requestId>", query::request_id());
    members(content, &mut xml);
    xml.push_str(&format!("</{action}Response>"));
    respond(StatusCode::OK, xml)
}

fn members(value: &Json, xml: &mut String) {
    for (name, value) in value.as_object().into_iter().flatten() {
        element(name, value, xml);
    }
}

fn element(name: &str, value: &Json, xml: &mut String) {
    if value.is_null() {
        return;
    }
    xml.push_str(&format!("<{name}>"));
    match value {
        Json::Array(items) => items.iter().for_each(|item| element("item", item, xml)),
        Json::Object(_) => members(value, xml),
        Json::String(text) => xml.push_str(&escape(text)),
        other => xml.push_str(&other.to_string()),
    }
    xml.push_str(&format!("</{name}>"));
}

fn refused(fault: &Fault) -> Response {
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::BAD_REQUEST);
    let xml = format!(
        "<Response><Errors><Error><Code>{}</Code><Message>{}</Message></Error></Errors><RequestID>{}</RequestID></Response>",
        escape(&fault.code),
        escape(&fault.message),
        query::request_id()
    );
    respond(status, xml)
}

fn respond(status: StatusCode, xml: String) -> Response {
    let mut response = Response::new(Bytes::from(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{xml}")));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml;charset=UTF-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_know_stars() {
        assert!(matches("a*c?e", "abbcde") && matches("*", "") && matches("web-*", "web-"));
        assert!(!matches("a", "ab") && !matches("?", "") && !matches("web-?", "web-12"));
    }
}

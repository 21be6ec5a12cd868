//! The record sets of hosted zones, over the resources that stacks and Cloud Control made: `ListResourceRecordSets`.

use crate::door::{Request, Response};
use crate::place::Place;
use crate::query::Fault;
use crate::world::World;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use quick_xml::escape::escape;
use serde_json::Value as Json;

const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";
const ZONE: &str = "AWS::Route53::HostedZone";
const RECORD: &str = "AWS::Route53::RecordSet";
const GROUP: &str = "AWS::Route53::RecordSetGroup";

/// Answers a request to Route 53: `GET …/hostedzone/<id>/rrset`, all record sets on one page.
pub(crate) fn answer(world: &World, place: &Place, request: &Request) -> Response {
    let path = request.uri().path().to_owned();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let answered = match (request.method(), parts.as_slice()) {
        (&Method::GET, [_, "hostedzone", zone, "rrset"]) => list(world, place, zone),
        _ => Err(Fault::new(
            "InvalidAction",
            format!("{} {path} of Route 53 is not part of this local AWS.", request.method()),
        )),
    };
    answered.unwrap_or_else(|fault| fault.answer(NAMESPACE))
}

/// Zones have no region: the stack that made one may live in any.
fn list(world: &World, place: &Place, zone: &str) -> Result<Response, Fault> {
    let resources = world.resources.lock();
    let found = resources.of_account(&place.account, ZONE).find(|live| live.physical_id == zone);
    let Some(found) = found else {
        let message = format!("No hosted zone found with ID: {zone}");
        return Err(Fault::new("NoSuchHostedZone", message).with_status(404));
    };
    let name = full(found.properties.get("Name").and_then(Json::as_str).unwrap_or_default());
    let mut records = vec![(name.clone(), "NS".to_owned()), (name, "SOA".to_owned())];
    let here = |json: &Json| json["HostedZoneId"] == zone;
    let record = |json: &Json| {
        let text = |part: &str| json[part].as_str().unwrap_or_default().to_owned();
        (full(&text("Name")), text("Type"))
    };
    for live in resources.of_account(&place.account, RECORD) {
        let properties = Json::Object(live.properties.clone());
        if here(&properties) {
            records.push(record(&properties));
        }
    }
    for live in resources.of_account(&place.account, GROUP) {
        let properties = Json::Object(live.properties.clone());
        if here(&properties) {
            records.extend(properties["RecordSets"].as_array().into_iter().flatten().map(record));
        }
    }
    let items: String = records
        .iter()
        .map(|(name, kind)| {
            format!("<ResourceRecordSet><Name>{}</Name><Type>{}</Type></ResourceRecordSet>", escape(name), escape(kind))
        })
        .collect();
    let body = format!(
        "<?xml version=\"1.0\"?>\n<ListResourceRecordSetsResponse xmlns=\"{NAMESPACE}\"><ResourceRecordSets>{items}\
         </ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>300</MaxItems></ListResourceRecordSetsResponse>"
    );
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    Ok(response)
}

/// Names are shown with the full stop of the root.
fn full(name: &str) -> String {
    if name.ends_with('.') { name.to_owned() } else { format!("{name}.") }
}

//! CloudTrail: `LookupEvents`, over the management calls that came through this world's own doors and changed something.
//!
//! What CloudFormation does to resources is no call through a door and is not told; neither are data events (objects,
//! items), as in CloudTrail's event history. Events can be looked up at once, where AWS takes some minutes.

use super::single;
use crate::door::{Request, Response, Route};
use crate::place::Place;
use crate::query::Fault;
use crate::world::World;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Calls that are remembered.
const REMEMBERED: usize = 1000;
/// Names in one call that are remembered.
const NAMES: usize = 64;
const PAGE: usize = 50;

/// Calls whose subject is data.
const DATA: [&str; 3] = ["Object", "Item", "MultipartUpload"];

/// The calls of a world, the oldest first.
#[derive(Default)]
pub(crate) struct Trail(Mutex<VecDeque<Record>>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    id: String,
    place: Place,
    at: Timestamp,
    /// The signing name.
    service: String,
    operation: String,
    /// The caller's ARN.
    by: String,
    /// Every text in the request: names of what it is about are among them.
    names: Vec<String>,
}

impl Trail {
    /// Where they are kept.
    pub const FILE: &str = "trail.json";

    pub fn restore(records: VecDeque<Record>) -> Self {
        Trail(Mutex::new(records))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Remembers a call that changed something.
///
/// # Errors
/// The disk's.
pub(crate) fn note(world: &World, route: &Route, operation: &str, request: &Request) -> std::io::Result<()> {
    if route.service == "registry" || DATA.iter().any(|data| operation.contains(data)) {
        return Ok(());
    }
    let record = Record {
        id: world.request_ids.uuid(),
        place: route.place.clone(),
        at: world.clock.now(),
        service: route.service.clone(),
        operation: operation.to_owned(),
        by: super::sts::caller_arn(world, route),
        names: names(&route.service, request),
    };
    let mut records = world.trail.lock();
    records.push_back(record);
    while records.len() > REMEMBERED {
        records.pop_front();
    }
    world.store.write(Trail::FILE, &*records)
}

/// The texts of a request.
fn names(service: &str, request: &Request) -> Vec<String> {
    let mut found = Vec::new();
    if service == "s3" {
        found.push(super::s3::target(request).0);
    } else if let Ok(body) = serde_json::from_slice::<Json>(request.body()) {
        texts(&body, &mut found);
    } else if let Ok((_, input)) = crate::query::read_request(request) {
        texts(&input, &mut found);
    }
    found.retain(|name| !name.is_empty() && name.len() <= 512);
    found.truncate(NAMES);
    found
}

fn texts(value: &Json, found: &mut Vec<String>) {
    match value {
        Json::String(text) => found.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Json::Object(members) => members.values().for_each(|member| texts(member, found)),
        _ => {}
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    #[serde(default)]
    lookup_attributes: Vec<Attribute>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    attribute_key: String,
    attribute_value: String,
}

pub(crate) fn answer(world: &World, place: &Place, request: &Request) -> Response {
    single::answer(request, "LookupEvents", |input: Input| lookup(world, place, &input))
}

fn lookup(world: &World, place: &Place, input: &Input) -> Result<Json, Fault> {
    let fits = |record: &&Record, attribute: &Attribute| {
        let value = &attribute.attribute_value;
        match attribute.attribute_key.as_str() {
            "ResourceName" => record.names.contains(value),
            "EventName" => record.operation == *value,
            "EventSource" => source(record) == *value,
            "EventId" => record.id == *value,
            "Username" => name_of(&record.by) == value,
            "ReadOnly" => value == "false",
            _ => false,
        }
    };
    let records = world.trail.lock();
    let mut found = records
        .iter()
        .rev()
        .filter(|record| record.place == *place)
        .filter(|record| input.lookup_attributes.iter().all(|attribute| fits(record, attribute)));
    if let Some(token) = &input.next_token {
        found.by_ref().find(|record| record.id == *token);
    }
    let size = input.max_results.unwrap_or(PAGE).clamp(1, PAGE);
    let page: Vec<&Record> = found.by_ref().take(size).collect();
    let next = found.next().and(page.last()).map(|last| &last.id);
    Ok(json!({ "Events": page.iter().map(|record| event(record)).collect::<Vec<_>>(), "NextToken": next }))
}

fn event(record: &Record) -> Json {
    let detail = json!({
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "arn": record.by, "accountId": record.place.account},
        "eventTime": record.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "eventSource": source(record),
        "eventName": record.operation,
        "awsRegion": record.place.region,
        "eventID": record.id,
        "readOnly": false,
        "managementEvent": true,
        "recipientAccountId": record.place.account,
    });
    json!({
        "EventId": record.id,
        "EventName": record.operation,
        "ReadOnly": "false",
        "EventTime": record.at.as_second(),
        "EventSource": source(record),
        "Username": name_of(&record.by),
        "Resources": record.names.iter().map(|name| json!({ "ResourceName": name })).collect::<Vec<_>>(),
        "CloudTrailEvent": detail.to_string(),
    })
}

fn source(record: &Record) -> String {
    format!("{}.amazonaws.com", record.service)
}

fn name_of(arn: &str) -> &str {
    arn.rsplit(['/', ':']).next().unwrap_or(arn)
}

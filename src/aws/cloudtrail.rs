//! CloudTrail: who changed what, in the last ninety days.

use super::error::{Call, Explain};
use super::{Result, timestamp};
use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use jiff::Timestamp;
use serde_json::Value as Json;

/// Events of one resource that are looked through, the newest first: one page.
const EVENTS: i32 = 50;

#[derive(Clone)]
pub struct CloudTrail {
    client: Client,
}

/// A call that changed something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailEvent {
    /// `UpdateFunctionConfiguration`.
    pub operation: String,
    /// `lambda.amazonaws.com`.
    pub service: String,
    pub at: Timestamp,
    /// The caller's ARN, else the name that CloudTrail gives.
    pub by: String,
    /// A service of AWS's made the call for somebody: `cloudformation.amazonaws.com`.
    pub through: Option<String>,
}

impl CloudTrail {
    pub(super) fn new(client: Client) -> CloudTrail {
        CloudTrail { client }
    }

    /// The latest changes of a resource by its name, the newest first. AWS allows two such questions a second, and tells
    /// of a call some minutes after it was made.
    pub async fn changes(&self, resource: &str) -> Result<Vec<TrailEvent>> {
        let call = || Call::new("cloudtrail", "LookupEvents", format!("look up who changed `{resource}`"));
        let name = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::ResourceName)
            .attribute_value(resource)
            .build()
            .map_err(|error| {
                crate::error::Error::new(crate::error::Kind::Aws, format!("could not ask about `{resource}`"))
                    .caused_by(error)
            })?;
        let request = self.client.lookup_events().lookup_attributes(name).max_results(EVENTS);
        let events = request.send().await.explain(call)?.events.unwrap_or_default();
        let changed = events.into_iter().filter(|event| event.read_only() != Some("true"));
        let mut changes: Vec<TrailEvent> = changed.map(plain).collect();
        changes.sort_by_key(|event| std::cmp::Reverse(event.at));
        Ok(changes)
    }
}

fn plain(event: Event) -> TrailEvent {
    let record: Json = event.cloud_trail_event().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let text = |pointer: &str| record.pointer(pointer).and_then(Json::as_str).map(str::to_owned);
    let name = event.username.unwrap_or_default();
    TrailEvent {
        operation: event.event_name.unwrap_or_default(),
        service: event.event_source.unwrap_or_default(),
        at: event.event_time.as_ref().map(timestamp).unwrap_or_default(),
        by: text("/userIdentity/arn").unwrap_or(name),
        through: text("/userIdentity/invokedBy"),
    }
}

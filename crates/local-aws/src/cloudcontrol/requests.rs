//! Requests that take time, by their tokens.

use super::page::page;
use super::required;
use crate::place::Place;
use crate::query::Fault;
use crate::resources::{Action, Failure};
use crate::world::World;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// How long AWS answers for a request after its end.
const KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(7 * 24);

/// A request to create, change or delete a resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub token: String,
    pub place: Place,
    pub type_name: String,
    pub identifier: String,
    /// `CREATE`, `UPDATE` or `DELETE`.
    pub operation: String,
    /// What the client gave so that a repeated request is not carried out twice, and what it asked for with it.
    pub client_token: Option<String>,
    pub asked: Json,
    pub started: Timestamp,
    pub finishes: Timestamp,
    /// JSON text, where there is a resource afterwards.
    pub model: Option<String>,
    /// The handler's error code, and why.
    pub failure: Option<(String, String)>,
    pub cancelled: bool,
}

impl Request {
    fn status(&self, now: Timestamp) -> &'static str {
        match &self.failure {
            _ if self.cancelled => "CANCEL_COMPLETE",
            _ if now < self.finishes => "IN_PROGRESS",
            Some(_) => "FAILED",
            None => "SUCCESS",
        }
    }

    /// A `ProgressEvent`.
    pub fn event(&self, now: Timestamp) -> Json {
        let status = self.status(now);
        let mut event = json!({
            "TypeName": self.type_name,
            "RequestToken": self.token,
            "Operation": self.operation,
            "OperationStatus": status,
            "EventTime": if status == "IN_PROGRESS" { seconds(self.started) } else { seconds(self.finishes) },
        });
        if !self.identifier.is_empty() {
            event["Identifier"] = json!(self.identifier);
        }
        if let Some((code, message)) = self.failure.as_ref().filter(|_| status == "FAILED") {
            event["ErrorCode"] = json!(code);
            event["StatusMessage"] = json!(message);
        } else if let Some(model) = self.model.as_ref().filter(|_| status == "SUCCESS") {
            event["ResourceModel"] = json!(model);
        }
        event
    }

    fn is_open(&self, now: Timestamp) -> bool {
        self.status(now) == "IN_PROGRESS"
    }
}

/// What a request did.
pub(super) struct Outcome {
    pub identifier: String,
    pub model: Option<Json>,
    pub failure: Option<Failure>,
}

/// The answer to a client token that was used before: the same request has the same answer, another is refused.
pub(super) fn repeated(world: &World, place: &Place, operation: &str, input: &Json) -> Result<Option<Json>, Fault> {
    let Some(client_token) = input["ClientToken"].as_str() else { return Ok(None) };
    let state = world.resources.lock();
    let known = state
        .requests
        .values()
        .find(|request| request.place == *place && request.client_token.as_deref() == Some(client_token));
    match known {
        None => Ok(None),
        Some(request) if request.operation == operation && request.asked == *input => {
            Ok(Some(json!({ "ProgressEvent": request.event(world.clock.now()) })))
        }
        Some(_) => {
            let message = format!("Client token {client_token} was used with another request");
            Err(Fault::new("ClientTokenConflictException", message))
        }
    }
}

/// Refuses a change of a resource that is being changed.
pub(super) fn alone(world: &World, place: &Place, type_name: &str, identifier: &str) -> Result<(), Fault> {
    let now = world.clock.now();
    let state = world.resources.lock();
    let other = state.requests.values().find(|request| {
        request.place == *place
            && request.type_name == type_name
            && request.identifier == identifier
            && request.is_open(now)
    });
    match other {
        None => Ok(()),
        Some(other) => {
            let message = format!(
                "{} with identifier {identifier} is being changed by the request {}",
                other.type_name, other.token
            );
            Err(Fault::new("ConcurrentOperationException", message))
        }
    }
}

/// Notes a request that has had its effect, and answers it.
pub(super) fn note(
    world: &World,
    place: &Place,
    (operation, action): (&str, Action),
    type_name: &str,
    input: &Json,
    outcome: Outcome,
) -> Json {
    let now = world.clock.now();
    let takes = match outcome.failure {
        Some(_) => std::time::Duration::ZERO,
        None => world.clock.scaled(crate::resources::duration(type_name, action)),
    };
    let finishes =
        jiff::SignedDuration::try_from(takes).ok().and_then(|takes| now.checked_add(takes).ok()).unwrap_or(now);
    let request = Request {
        token: world.request_ids.uuid(),
        place: place.clone(),
        type_name: type_name.to_owned(),
        identifier: outcome.identifier,
        operation: operation.to_owned(),
        client_token: input["ClientToken"].as_str().map(str::to_owned),
        asked: input.clone(),
        started: now,
        finishes,
        model: outcome.model.map(|model| model.to_string()),
        failure: outcome.failure.map(|failure| (failure.code, failure.reason)),
        cancelled: false,
    };
    // The answer to the request itself never says how it ends.
    let mut event = request.event(now);
    event["OperationStatus"] = json!("IN_PROGRESS");
    for name in ["ErrorCode", "StatusMessage", "ResourceModel"] {
        event.as_object_mut().map(|event| event.remove(name));
    }
    let mut state = world.resources.lock();
    state.requests.retain(|_, old| now.duration_since(old.finishes) < KEPT);
    state.requests.insert(request.token.clone(), request);
    json!({ "ProgressEvent": event })
}

pub(super) fn status(world: &World, place: &Place, input: &Json) -> Result<Json, Fault> {
    let token = required(input, "RequestToken")?;
    let state = world.resources.lock();
    let request = state.requests.get(token).filter(|request| request.place == *place).ok_or_else(|| unknown(token))?;
    Ok(json!({ "ProgressEvent": request.event(world.clock.now()) }))
}

pub(super) fn list(world: &World, place: &Place, input: &Json) -> Result<Json, Fault> {
    let now = world.clock.now();
    let filter = &input["ResourceRequestStatusFilter"];
    let allows = |name: &str, value: &str| match filter[name].as_array().filter(|list| !list.is_empty()) {
        Some(list) => list.iter().any(|one| one == value),
        None => true,
    };
    let requests: Vec<Request> = {
        let state = world.resources.lock();
        let mine = state.requests.values().filter(|request| request.place == *place);
        mine.filter(|request| allows("Operations", &request.operation))
            .filter(|request| allows("OperationStatuses", request.status(now)))
            .cloned()
            .collect()
    };
    let (requests, next) = page(requests, |request| request.token.clone(), input)?;
    let summaries: Vec<Json> = requests.iter().map(|request| request.event(now)).collect();
    let mut answer = json!({ "ResourceRequestStatusSummaries": summaries });
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(answer)
}

/// What was asked for has had its effect: as on AWS, only the request ends.
pub(super) fn cancel(world: &World, place: &Place, input: &Json) -> Result<Json, Fault> {
    let token = required(input, "RequestToken")?;
    let now = world.clock.now();
    let mut state = world.resources.lock();
    let request =
        state.requests.get_mut(token).filter(|request| request.place == *place).ok_or_else(|| unknown(token))?;
    if !request.is_open(now) {
        let message = format!("The request {token} is no longer in progress");
        return Err(Fault::new("ConcurrentModificationException", message).with_status(500));
    }
    request.cancelled = true;
    request.finishes = now;
    Ok(json!({ "ProgressEvent": request.event(now) }))
}

fn unknown(token: &str) -> Fault {
    Fault::new("RequestTokenNotFoundException", format!("Request token {token} was not found"))
}

fn seconds(time: Timestamp) -> f64 {
    time.as_millisecond() as f64 / 1000.0
}

//! CloudWatch's alarms, over those that stacks and Cloud Control made: `DescribeAlarms`, and `SetAlarmState`, which is how an
//! alarm goes off here. Nothing is measured. An alarm keeps the state it was set to as long as it exists.

use crate::door::{Request, Response};
use crate::place::Place;
use crate::query::{self, Fault};
use crate::resources::Live;
use crate::store::Store;
use crate::world::World;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

const NAMESPACE: &str = "http://monitoring.amazonaws.com/doc/2010-08-01/";
pub(crate) const ALARM: &str = "AWS::CloudWatch::Alarm";
const COMPOSITE: &str = "AWS::CloudWatch::CompositeAlarm";
const STATES: [&str; 3] = ["OK", "ALARM", "INSUFFICIENT_DATA"];

/// The states that alarms were set to.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    set: Mutex<Vec<Set>>,
    /// Told of every change.
    changed: Notify,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Set {
    place: Place,
    #[serde(rename = "type")]
    type_name: String,
    name: String,
    /// Of the very alarm that it is about: another one may get its name.
    made_by: Option<String>,
    state: String,
    reason: String,
    at: Timestamp,
}

impl Alarms {
    /// Where they are kept.
    pub const FILE: &str = "alarms.json";

    /// Those that were kept.
    pub fn restore(set: Vec<Set>) -> Self {
        Alarms { set: Mutex::new(set), changed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Set>> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, alarm: &Live) -> Option<Set> {
        let same = |set: &&Set| {
            set.place == alarm.place
                && set.type_name == alarm.type_name
                && set.name == alarm.physical_id
                && set.made_by == alarm.stack_id
        };
        self.lock().iter().find(same).cloned()
    }

    fn put(&self, store: &Store, new: Set) -> io::Result<()> {
        let mut set = self.lock();
        set.retain(|old| (&old.place, &old.type_name, &old.name) != (&new.place, &new.type_name, &new.name));
        set.push(new);
        store.write(Alarms::FILE, &*set)?;
        self.changed.notify_waiters();
        Ok(())
    }

    /// Returns once one of these alarms is in ALARM; which of them.
    pub async fn goes_off(&self, world: &World, place: &Place, names: &[(String, String)]) -> usize {
        loop {
            let changed = self.changed.notified();
            let is_off = |(type_name, name): &(String, String)| {
                let live = world.resources.lock().get(place, type_name, name).cloned();
                live.and_then(|live| self.of(&live)).is_some_and(|set| set.state == "ALARM")
            };
            if let Some(which) = names.iter().position(is_off) {
                return which;
            }
            changed.await;
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    alarm_name: Option<String>,
    state_value: Option<String>,
    state_reason: Option<String>,
    #[serde(default)]
    alarm_names: Vec<String>,
    alarm_name_prefix: Option<String>,
}

/// How a client writes: both ways are CloudWatch's.
enum Protocol {
    Json,
    Query,
}

pub(crate) fn answer(world: &World, place: &Place, operation: &str, request: &Request) -> Response {
    let protocol = match request.headers().contains_key("x-amz-target") {
        true => Protocol::Json,
        false => Protocol::Query,
    };
    let answered = read(&protocol, request).and_then(|input| match operation {
        "SetAlarmState" => set(world, place, input),
        "DescribeAlarms" => Ok(describe(world, place, &input, &protocol)),
        _ => Err(Fault::new(
            "InvalidAction",
            format!("The operation {operation} of CloudWatch is not part of this local AWS."),
        )),
    });
    match (protocol, answered) {
        (Protocol::Query, Ok(output)) => query::answer(operation, NAMESPACE, &output),
        (Protocol::Query, Err(fault)) => fault.answer(NAMESPACE),
        (Protocol::Json, Ok(output)) => written(StatusCode::OK, &if output.is_null() { json!({}) } else { output }),
        (Protocol::Json, Err(fault)) => {
            written(StatusCode::BAD_REQUEST, &json!({ "__type": fault.code, "message": fault.message }))
        }
    }
}

fn read(protocol: &Protocol, request: &Request) -> Result<Input, Fault> {
    match protocol {
        Protocol::Json => serde_json::from_slice(request.body())
            .map_err(|error| Fault::new("SerializationException", error.to_string())),
        Protocol::Query => query::input(query::read_request(request)?.1),
    }
}

fn written(status: StatusCode, body: &Json) -> Response {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    response
}

fn set(world: &World, place: &Place, input: Input) -> Result<Json, Fault> {
    let (Some(name), Some(state), Some(reason)) = (input.alarm_name, input.state_value, input.state_reason) else {
        return Err(Fault::validation("AlarmName, StateValue and StateReason must be specified."));
    };
    if !STATES.contains(&state.as_str()) {
        return Err(Fault::validation(format!(
            "1 validation error detected: Value '{state}' at 'stateValue' failed to satisfy constraint: Member must \
             satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]"
        )));
    }
    let alarm = {
        let resources = world.resources.lock();
        [ALARM, COMPOSITE].iter().find_map(|type_name| resources.get(place, type_name, &name).cloned())
    };
    let Some(alarm) = alarm else {
        return Err(Fault::new("ResourceNotFound", format!("The alarm {name} does not exist")).with_status(404));
    };
    let set = Set {
        place: place.clone(),
        type_name: alarm.type_name,
        name,
        made_by: alarm.stack_id,
        state,
        reason,
        at: world.clock.now(),
    };
    let kept = world.alarms.put(&world.store, set);
    kept.map_err(|error| Fault::new("InternalFailure", error.to_string()).with_status(500))?;
    Ok(Json::Null)
}

/// All alarms that are asked for, on one page.
fn describe(world: &World, place: &Place, input: &Input, protocol: &Protocol) -> Json {
    let resources = world.resources.lock();
    let asked = |live: &&Live| {
        let (name, wanted) = (&live.physical_id, &input.alarm_names);
        (wanted.is_empty() || wanted.contains(name))
            && input.alarm_name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix))
    };
    let of_type = |type_name: &str| -> Vec<Json> {
        let shown = resources.of_type(place, type_name).filter(asked).map(|live| (live, world.alarms.of(live)));
        let shown = shown.map(|(live, set)| alarm(live, set.as_ref(), protocol));
        let state = |alarm: &Json| input.state_value.as_ref().is_none_or(|state| alarm["StateValue"] == state.as_str());
        shown.filter(state).collect()
    };
    let mut metric_alarms = of_type(ALARM);
    metric_alarms.extend(super::tracking::alarms(&resources, place).into_iter().filter(|alarm| {
        let name = alarm["AlarmName"].as_str().unwrap_or_default();
        (input.alarm_names.is_empty() || input.alarm_names.iter().any(|wanted| wanted == name))
            && input.alarm_name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix))
            && input.state_value.as_ref().is_none_or(|state| alarm["StateValue"] == state.as_str())
    }));
    json!({ "MetricAlarms": metric_alarms, "CompositeAlarms": of_type(COMPOSITE) })
}

/// An alarm's properties have the names of the members of the API.
fn alarm(live: &Live, set: Option<&Set>, protocol: &Protocol) -> Json {
    let tags = |(name, _): &(&String, &Json)| *name != "Tags";
    let mut shown: Map<String, Json> =
        live.properties.iter().filter(tags).map(|(name, value)| (name.clone(), value.clone())).collect();
    let mut put = |name: &str, value: Json| drop(shown.insert(name.to_owned(), value));
    put("AlarmName", json!(live.physical_id));
    put("AlarmArn", json!(live.place.arn("cloudwatch", &format!("alarm:{}", live.physical_id))));
    put("StateValue", json!(set.map_or("INSUFFICIENT_DATA", |set| &set.state)));
    put("StateReason", json!(set.map_or("Unchecked: Initial alarm creation", |set| &set.reason)));
    if let Some(set) = set {
        let at = match protocol {
            Protocol::Json => json!(set.at.as_millisecond() / 1000),
            Protocol::Query => json!(set.at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()),
        };
        put("StateUpdatedTimestamp", at);
    }
    Json::Object(shown)
}

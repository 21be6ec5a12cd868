//! Wait conditions: a resource that is complete once it was signalled often enough, and fails when its time is over.
//!
//! A signal is a PUT to the handle's URL, as `cfn-signal` makes it, or the call `SignalResource`.

use super::stage::{Ended, Stage};
use crate::cloudformation::model::Signal;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};
use std::time::Duration;

/// How long a condition waits at most.
const LONGEST: u64 = 43_200;

pub(super) fn condition_name(stage: &Stage, id: &str) -> String {
    format!("{}/{id}", stage.stack_id)
}

/// A presigned URL by its form; nothing listens there.
pub(super) fn handle_name(stage: &Stage, id: &str) -> String {
    let region = &stage.place.region;
    let stack = stage.stack_id.replace(':', "%3A").replace('/', "%2F");
    let signature = stage.world.ids.alphanumeric(43);
    format!(
        "https://cloudformation-waitcondition-{region}.s3.{region}.amazonaws.com/{stack}/{id}?Signature={signature}"
    )
}

/// Waits for the signals that the condition wants.
///
/// # Errors
/// One of them says `FAILURE`, or the time is over.
pub(super) async fn settle(stage: &Stage, id: &str, properties: &Json) -> Result<IndexMap<String, Json>, Ended> {
    let number = |key: &str| match properties.get(key) {
        Some(Json::String(text)) => text.parse::<u64>().ok(),
        Some(other) => other.as_u64(),
        None => None,
    };
    let wanted = number("Count").unwrap_or(1);
    let timeout = Duration::from_secs(number("Timeout").unwrap_or(LONGEST).min(LONGEST));
    let handle = properties.get("Handle").and_then(Json::as_str).unwrap_or_default();
    let signals = || stage.look(|stack| of(&stack.signals, id, handle));
    let enough = async {
        loop {
            let told = stage.world.stacks.signalled();
            let received = signals();
            if let Some(failed) = received.iter().find(|signal| signal.status == "FAILURE") {
                return Err(Ended::failed(format!(
                    "WaitCondition received failed message: '{}' for uniqueId: {}",
                    failed.reason, failed.unique_id
                )));
            }
            if received.len() as u64 >= wanted {
                return Ok(());
            }
            told.await;
        }
    };
    tokio::select! {
        biased;
        ended = enough => ended?,
        () = stage.halting() => return Err(Ended::Cancelled),
        () = stage.world.clock.take(timeout) => {
            let received = signals().len();
            let reason = format!("WaitCondition timed out. Received {received} conditions when expecting {wanted}");
            return Err(Ended::Failed(reason));
        }
    }
    let data: Map<String, Json> =
        signals().into_iter().map(|signal| (signal.unique_id, Json::String(signal.data))).collect();
    Ok(IndexMap::from([("Data".to_owned(), Json::String(Json::Object(data).to_string()))]))
}

/// The signals for a condition: sent to it, or to the resource whose handle it has.
fn of(signals: &[Signal], id: &str, handle: &str) -> Vec<Signal> {
    let meant = |signal: &&Signal| signal.target == id || signal.target == handle;
    signals.iter().filter(meant).cloned().collect()
}

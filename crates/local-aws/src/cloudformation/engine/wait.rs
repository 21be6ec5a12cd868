//! Wait conditions: a resource that is complete once it was signalled often enough, and fails when its time is over.
//!
//! A signal is the call `SignalResource`, as `cfn-signal` makes it. Instances and groups of them may want signals, too:
//! their creation policy says how many, and within what time.

use super::events::resource_event;
use super::stage::{Ended, Stage};
use crate::cloudformation::model::Signal;
use crate::world::Signals;
use indexmap::IndexMap;
use jiff::SignedDuration;
use serde_json::{Map, Value as Json};
use std::time::Duration;

/// How long a condition waits at most.
const LONGEST: u64 = 43_200;
/// How long a resource waits for signals whose creation policy does not say.
pub(super) const DEFAULT: Duration = Duration::from_secs(300);

pub(super) fn condition_name(stage: &Stage, id: &str) -> String {
    format!("{}/{id}", stage.stack_id)
}

/// A presigned URL by its form; nothing listens there.
pub(super) fn handle_name(stage: &Stage, id: &str) -> String {
    let (region, suffix) = (&stage.place.region, stage.place.url_suffix());
    let stack = stage.stack_id.replace(':', "%3A").replace('/', "%2F");
    let signature = stage.world.ids.alphanumeric(43);
    format!("https://cloudformation-waitcondition-{region}.s3.{region}.{suffix}/{stack}/{id}?Signature={signature}")
}

/// How long an instance takes until it has signalled, where signals are played.
const BOOTING: Duration = Duration::from_secs(60);

/// Plays those that would send `count` signals to a resource, where nothing runs; never returns.
async fn play(stage: &Stage, id: &str, count: u64) {
    let (status, word) = match stage.world.signals {
        Signals::None => return std::future::pending().await,
        Signals::Succeed => ("SUCCESS", "succeed"),
        Signals::Fail => ("FAILURE", "fail"),
    };
    stage.world.clock.take(BOOTING).await;
    stage.edit(|world, stack| {
        let Some(now) = stack.resources.get(id).map(|resource| resource.status.clone()) else { return };
        for _ in 0..count {
            let unique_id = format!("i-0{}", world.ids.hex(16));
            let told = format!(
                "Received {status} signal with UniqueId {unique_id} (sent by the embedded AWS, where no instance runs: signals \
                 are to {word})"
            );
            let (target, status, data) = (id.to_owned(), status.to_owned(), String::new());
            let reason = "no instance runs in the embedded AWS".to_owned();
            stack.signals.push(Signal { target, unique_id, status, reason, data });
            resource_event(world, stack, id, &now, Some(&told));
        }
    });
    stage.world.stacks.signal();
    std::future::pending().await
}

/// Waits for the signals that the condition wants.
///
/// # Errors
/// One of them says `FAILURE`, or the time is over.
pub(super) async fn settle(stage: &Stage, id: &str, properties: &Json) -> Result<IndexMap<String, Json>, Ended> {
    let number = |key: &str| properties.get(key).and_then(number);
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
        () = play(stage, id, wanted) => {}
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

pub(super) fn number(json: &Json) -> Option<u64> {
    match json {
        Json::String(text) => text.parse().ok(),
        other => other.as_u64(),
    }
}

/// The signals that a resource wants before it counts as created. (Template reference, "CreationPolicy attribute".)
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Policy {
    count: u64,
    timeout: Duration,
    /// For groups of instances: how many of the signals have to be good, in per cent. Others take no failure.
    percent: Option<u64>,
}

impl Policy {
    /// `None`: resources of this type want no signals.
    pub fn of(type_name: &str, policy: &Json) -> Option<Policy> {
        let is_group = type_name == "AWS::AutoScaling::AutoScalingGroup";
        if !is_group && !matches!(type_name, "AWS::EC2::Instance" | "AWS::CloudFormation::WaitCondition") {
            return None;
        }
        let signal = &policy["ResourceSignal"];
        let timeout = signal["Timeout"].as_str().and_then(|text| text.parse::<SignedDuration>().ok());
        let timeout = timeout.and_then(|timeout| Duration::try_from(timeout).ok()).unwrap_or(DEFAULT);
        let percent = &policy["AutoScalingCreationPolicy"]["MinSuccessfulInstancesPercent"];
        Some(Policy {
            count: number(&signal["Count"]).unwrap_or(1),
            timeout: timeout.min(Duration::from_secs(LONGEST)),
            percent: is_group.then(|| number(percent).unwrap_or(100).min(100)),
        })
    }

    /// How many signals have to be good.
    fn needed(&self) -> u64 {
        (self.count * self.percent.unwrap_or(100)).div_ceil(100)
    }

    /// What the signals that came so far mean; `None`: not enough yet.
    fn judge(&self, received: &[Signal]) -> Option<Result<(), String>> {
        let failed: Vec<&Signal> = received.iter().filter(|signal| signal.status == "FAILURE").collect();
        if (received.len() - failed.len()) as u64 >= self.needed() {
            return Some(Ok(()));
        }
        let tolerated = self.count - self.needed();
        match (failed.first(), self.percent) {
            (Some(_), Some(percent)) if failed.len() as u64 > tolerated => {
                Some(Err(short(&format!("{} FAILURE", failed.len()), self.count, percent)))
            }
            (Some(first), None) => Some(Err(format!("Received FAILURE signal with UniqueId {}", first.unique_id))),
            _ => None,
        }
    }

    /// Why it fails when its time is over.
    fn late(&self, received: &[Signal]) -> String {
        let good = received.iter().filter(|signal| signal.status == "SUCCESS").count() as u64;
        match self.percent {
            Some(percent) => short(&format!("{good} SUCCESS"), self.count, percent),
            None => {
                let missing = self.count.saturating_sub(good);
                format!("Failed to receive {missing} resource signal(s) within the specified duration")
            }
        }
    }
}

pub(super) fn short(what: &str, count: u64, percent: u64) -> String {
    format!(
        "Received {what} signal(s) out of {count}. Unable to satisfy {percent}% MinSuccessfulInstancesPercent requirement"
    )
}

/// Waits for the signals that a creation policy wants.
///
/// # Errors
/// Too many of them say `FAILURE`, or the time is over.
pub(super) async fn signals(stage: &Stage, id: &str, policy: &Policy) -> Result<(), Ended> {
    let received = || stage.look(|stack| of(&stack.signals, id, ""));
    let enough = async {
        loop {
            let told = stage.world.stacks.signalled();
            if let Some(judged) = policy.judge(&received()) {
                return judged.map_err(Ended::Failed);
            }
            told.await;
        }
    };
    tokio::select! {
        biased;
        ended = enough => ended,
        () = stage.halting() => Err(Ended::Cancelled),
        () = play(stage, id, policy.count) => Ok(()),
        () = stage.world.clock.take(policy.timeout) => Err(Ended::Failed(policy.late(&received()))),
    }
}

/// Waits until a resource was signalled this often, for good or bad; how many signals are missing when the time is over.
///
/// # Errors
/// [`Ended::Cancelled`].
pub(super) async fn count(stage: &Stage, id: &str, wanted: u64, timeout: Duration) -> Result<u64, Ended> {
    let missing = || wanted.saturating_sub(stage.look(|stack| of(&stack.signals, id, "")).len() as u64);
    let enough = async {
        loop {
            let told = stage.world.stacks.signalled();
            if missing() == 0 {
                return;
            }
            told.await;
        }
    };
    tokio::select! {
        biased;
        () = enough => Ok(0),
        () = stage.halting() => Err(Ended::Cancelled),
        () = play(stage, id, missing()) => Ok(0),
        () = stage.world.clock.take(timeout) => Ok(missing()),
    }
}

/// How many of the signals that came so far are good.
pub(super) fn good(stage: &Stage, id: &str) -> u64 {
    let received = stage.look(|stack| of(&stack.signals, id, ""));
    received.iter().filter(|signal| signal.status == "SUCCESS").count() as u64
}

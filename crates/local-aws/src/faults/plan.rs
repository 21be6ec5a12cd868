//! What a fault plan says.

use serde::{Deserialize, Serialize};

/// Everything that is to go wrong.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultPlan {
    /// What probabilities are drawn from.
    pub seed: u64,
    pub requests: Vec<RequestFault>,
    pub resources: Vec<ResourceFault>,
    pub rollouts: Vec<RolloutFault>,
    pub scans: Vec<ScanResult>,
    pub alarms: Vec<AlarmFault>,
}

/// Requests that go wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestFault {
    /// The service's signing name (`cloudformation`, `s3`, `dynamodb`, `registry` …); `*` stands for any text.
    #[serde(default = "any")]
    pub service: String,
    /// `DescribeStacks`, `Put*` …
    #[serde(default = "any")]
    pub operation: String,
    pub kind: RequestFaultKind,
    /// How many requests of each operation go well first.
    #[serde(default)]
    pub skip: u32,
    /// How many go wrong at most; `None`: no end.
    #[serde(default)]
    pub times: Option<u32>,
    /// From 0 to 1.
    #[serde(default = "always")]
    pub probability: f64,
}

/// How a request goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestFaultKind {
    /// Refused for its rate, as its service says that.
    Throttled,
    /// Answered with this HTTP status, 500 or above; nothing was done.
    Failed { status: u16 },
    /// The connection ends before anything was done.
    ResetBefore,
    /// It is done, and the connection ends before the answer.
    ResetAfter,
    /// It is done after this time.
    Slow { milliseconds: u64 },
    /// A read that is answered with what the same read was answered before, if that is not longer ago than this.
    Stale { milliseconds: u64 },
}

/// Resources that go wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceFault {
    /// The stack's name; `*` stands for any text.
    #[serde(default = "any")]
    pub stack: String,
    #[serde(default = "any")]
    pub logical_id: String,
    pub action: Action,
    /// What the provider says.
    pub reason: String,
    #[serde(default)]
    pub skip: u32,
    #[serde(default)]
    pub times: Option<u32>,
    #[serde(default = "always")]
    pub probability: f64,
}

/// Deployments of ECS services that go wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolloutFault {
    /// The service's name; `*` stands for any text.
    #[serde(default = "any")]
    pub service: String,
    /// An image that the deployment brings: `*/shop/api@sha256:…`.
    #[serde(default = "any")]
    pub image: String,
    #[serde(flatten)]
    pub failure: RolloutFailure,
    /// How many deployments of each service go well first.
    #[serde(default)]
    pub skip: u32,
    #[serde(default)]
    pub times: Option<u32>,
    #[serde(default = "always")]
    pub probability: f64,
}

/// An alarm of CloudWatch that goes off while a stack that has it as a rollback trigger is created or updated. Nothing is
/// measured here, so that no alarm does so by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmFault {
    /// The alarm's name; `*` stands for any text.
    #[serde(default = "any")]
    pub alarm: String,
    /// The name of the stack.
    #[serde(default = "any")]
    pub stack: String,
    /// How far into the operation, in AWS's time; 0: it is in ALARM already.
    #[serde(default)]
    pub after_seconds: u64,
    /// How many operations of each stack go well first.
    #[serde(default)]
    pub skip: u32,
    #[serde(default)]
    pub times: Option<u32>,
    #[serde(default = "always")]
    pub probability: f64,
}

impl AlarmFault {
    /// One that always goes off.
    pub fn new(alarm: &str, after_seconds: u64) -> Self {
        let (alarm, stack) = (alarm.to_owned(), any());
        AlarmFault { alarm, stack, after_seconds, skip: 0, times: None, probability: 1.0 }
    }

    pub(super) fn odds(&self) -> Odds {
        Odds { skip: self.skip, times: self.times, probability: self.probability }
    }
}

/// What the scan of an image finds. Not what goes wrong, but nobody else knows it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScanResult {
    /// The repository's name; `*` stands for any text.
    #[serde(default = "any")]
    pub repository: String,
    /// The image's digest.
    #[serde(default = "any")]
    pub digest: String,
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// ECR does not know the system in the image.
    #[serde(default)]
    pub unsupported: bool,
}

/// One finding of a scan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// `CVE-2026-1234`.
    pub name: String,
    /// `CRITICAL`, `HIGH`, `MEDIUM`, `LOW`, `INFORMATIONAL` or `UNDEFINED`.
    pub severity: String,
    pub package: String,
    pub version: String,
    pub uri: String,
}

/// How the tasks of a deployment fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutFailure {
    pub kind: FailureKind,
    /// Of a container that exits.
    #[serde(default = "one")]
    pub exit_code: i32,
    /// What a container writes into its log before it ends.
    #[serde(default)]
    pub log: Vec<String>,
    /// CloudFormation takes it for a success when the circuit breaker has rolled back.
    #[serde(default)]
    pub reported_as_success: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The container ends soon after its start.
    Exits,
    /// It runs, but its target does not pass the checks.
    Unhealthy,
    CannotPull,
}

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Create,
    Update,
    Delete,
    /// Whatever a rollback does to it.
    Rollback,
}

/// When a fault that is met strikes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Odds {
    pub skip: u32,
    pub times: Option<u32>,
    pub probability: f64,
}

impl RequestFault {
    /// One that always strikes.
    pub fn new(service: &str, operation: &str, kind: RequestFaultKind) -> Self {
        let (service, operation) = (service.to_owned(), operation.to_owned());
        RequestFault { service, operation, kind, skip: 0, times: None, probability: 1.0 }
    }

    /// The first `count` requests of each operation go well.
    pub fn skip(self, count: u32) -> Self {
        RequestFault { skip: count, ..self }
    }

    /// It strikes no more than `count` times.
    pub fn times(self, count: u32) -> Self {
        RequestFault { times: Some(count), ..self }
    }

    /// From 0 to 1.
    pub fn probability(self, probability: f64) -> Self {
        RequestFault { probability, ..self }
    }

    pub(super) fn odds(&self) -> Odds {
        Odds { skip: self.skip, times: self.times, probability: self.probability }
    }
}

impl ResourceFault {
    /// One that always strikes.
    pub fn new(stack: &str, logical_id: &str, action: Action, reason: &str) -> Self {
        ResourceFault {
            stack: stack.to_owned(),
            logical_id: logical_id.to_owned(),
            action,
            reason: reason.to_owned(),
            skip: 0,
            times: None,
            probability: 1.0,
        }
    }

    /// It strikes no more than `count` times.
    pub fn times(self, count: u32) -> Self {
        ResourceFault { times: Some(count), ..self }
    }

    pub(super) fn odds(&self) -> Odds {
        Odds { skip: self.skip, times: self.times, probability: self.probability }
    }
}

impl RolloutFault {
    /// Tasks of a service whose container ends with this exit code, after it wrote these lines; always.
    pub fn exits(service: &str, exit_code: i32, log: &[&str]) -> Self {
        let log = log.iter().map(|line| (*line).to_owned()).collect();
        let failure = RolloutFailure { kind: FailureKind::Exits, exit_code, log, reported_as_success: false };
        RolloutFault { service: service.to_owned(), image: any(), failure, skip: 0, times: None, probability: 1.0 }
    }

    /// Only deployments that bring such an image.
    pub fn with_image(self, image: &str) -> Self {
        RolloutFault { image: image.to_owned(), ..self }
    }

    pub fn with_kind(mut self, kind: FailureKind) -> Self {
        self.failure.kind = kind;
        self
    }

    /// The first `count` deployments of each service go well.
    pub fn skip(self, count: u32) -> Self {
        RolloutFault { skip: count, ..self }
    }

    /// CloudFormation takes the circuit breaker's roll-back for a success.
    pub fn reported_as_success(mut self) -> Self {
        self.failure.reported_as_success = true;
        self
    }

    pub(super) fn odds(&self) -> Odds {
        Odds { skip: self.skip, times: self.times, probability: self.probability }
    }
}

fn one() -> i32 {
    1
}

fn any() -> String {
    "*".to_owned()
}

fn always() -> f64 {
    1.0
}

/// Whether a text matches a pattern in which `*` stands for any text.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text) in [("*", ""), ("a*", "a"), ("*c", "abc"), ("a*c*e", "abcde"), ("a", "a"), ("*a*", "bab")] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("a*a", "a"), ("*b", "abc"), ("a*c*e", "aec")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}

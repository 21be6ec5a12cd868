//! What goes wrong, by plan: requests that are throttled, fail, are slow or lose their connection, resources that cannot
//! be created, changed or deleted, and deployments of ECS services whose tasks do not stay. The same plan with the same seed gives the same faults.

mod plan;
mod stale;

pub use plan::{
    Action, AlarmFault, FailureKind, FaultPlan, Finding, RequestFault, RequestFaultKind, ResourceFault, RolloutFailure,
    RolloutFault, ScanResult,
};

use crate::door::Response;
use stale::Stale;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A plan and how far it has come.
#[derive(Default)]
pub(crate) struct Faults(Mutex<State>);

#[derive(Default)]
struct State {
    plan: FaultPlan,
    /// How often a fault's pattern was met, by the fault's place in the plan and by what met it: what others do at the
    /// same time does not change what somebody draws.
    met: BTreeMap<(Table, usize, String), u32>,
    /// How often a fault struck.
    struck: BTreeMap<(Table, usize), u32>,
    stale: Stale,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Table {
    Requests,
    Resources,
    Rollouts,
    Alarms,
}

impl Faults {
    /// Changes the plan; all counts begin anew.
    pub fn edit<T>(&self, edit: impl FnOnce(&mut FaultPlan) -> T) -> T {
        let mut state = self.lock();
        let edited = edit(&mut state.plan);
        (state.met, state.struck, state.stale) = Default::default();
        edited
    }

    /// What is to go wrong with a request; the first fault of the plan that strikes.
    pub fn before(&self, service: &str, operation: &str) -> Option<RequestFaultKind> {
        let state = &mut *self.lock();
        let what = format!("{service}:{operation}");
        (0..state.plan.requests.len()).find_map(|place| {
            let fault = &state.plan.requests[place];
            let meets = plan::matches(&fault.service, service) && plan::matches(&fault.operation, operation);
            let (odds, kind) = (fault.odds(), fault.kind.clone());
            (meets && state.strikes(Table::Requests, place, &what, odds)).then_some(kind)
        })
    }

    /// Why a provider cannot do `action` to a resource now; `None` where it can.
    pub fn resource(&self, stack_name: &str, logical_id: &str, action: Action) -> Option<String> {
        let state = &mut *self.lock();
        let what = format!("{stack_name}.{logical_id}:{action:?}");
        (0..state.plan.resources.len()).find_map(|place| {
            let fault = &state.plan.resources[place];
            let meets = plan::matches(&fault.stack, stack_name)
                && plan::matches(&fault.logical_id, logical_id)
                && fault.action == action;
            let (odds, reason) = (fault.odds(), fault.reason.clone());
            (meets && state.strikes(Table::Resources, place, &what, odds)).then_some(reason)
        })
    }

    /// How the tasks of a deployment of an ECS service that begins now are to fail; `None` where they run.
    pub fn rollout(&self, service: &str, images: &[String]) -> Option<RolloutFailure> {
        let state = &mut *self.lock();
        (0..state.plan.rollouts.len()).find_map(|place| {
            let fault = &state.plan.rollouts[place];
            let brings = fault.image == "*" || images.iter().any(|image| plan::matches(&fault.image, image));
            let meets = plan::matches(&fault.service, service) && brings;
            let (odds, failure) = (fault.odds(), fault.failure.clone());
            (meets && state.strikes(Table::Rollouts, place, service, odds)).then_some(failure)
        })
    }

    /// How far into the operation of a stack that begins now an alarm goes off, in AWS's time; `None`: it does not.
    pub fn alarm(&self, stack_name: &str, alarm: &str) -> Option<Duration> {
        let state = &mut *self.lock();
        (0..state.plan.alarms.len()).find_map(|place| {
            let fault = &state.plan.alarms[place];
            let meets = plan::matches(&fault.stack, stack_name) && plan::matches(&fault.alarm, alarm);
            let (odds, after) = (fault.odds(), Duration::from_secs(fault.after_seconds));
            (meets && state.strikes(Table::Alarms, place, &format!("{stack_name}:{alarm}"), odds)).then_some(after)
        })
    }

    /// What a scan of an image finds, if the plan says anything of it.
    pub fn scan(&self, repository: &str, digest: &str) -> Option<ScanResult> {
        let state = self.lock();
        let meant =
            |scan: &&ScanResult| plan::matches(&scan.repository, repository) && plan::matches(&scan.digest, digest);
        state.plan.scans.iter().find(meant).cloned()
    }

    /// What a request that may be answered from the past is answered: what the same request was answered before, if
    /// that is not older than `milliseconds` on tokio's clock.
    pub fn past(&self, request: &str, milliseconds: u64) -> Option<Response> {
        self.lock().stale.find(request, milliseconds)
    }

    /// Remembers an answer, if any fault of the plan wants to give it later.
    pub fn remember(&self, request: &str, response: &Response) {
        let mut state = self.lock();
        state.stale.keep(request, response);
    }

    /// Whether answers have to be remembered.
    pub fn looks_back(&self) -> bool {
        self.lock().plan.requests.iter().any(|fault| matches!(fault.kind, RequestFaultKind::Stale { .. }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts a meeting and draws.
    fn strikes(&mut self, table: Table, place: usize, what: &str, odds: plan::Odds) -> bool {
        let met = self.met.entry((table, place, what.to_owned())).or_default();
        let before = *met;
        *met += 1;
        let struck = self.struck.entry((table, place)).or_default();
        if before < odds.skip || odds.times.is_some_and(|times| *struck >= times) {
            return false;
        }
        let strikes = odds.probability >= 1.0 || {
            let seed =
                seed_of(&[&self.plan.seed.to_le_bytes(), &place.to_le_bytes(), what.as_bytes(), &before.to_le_bytes()]);
            fastrand::Rng::with_seed(seed).f64() < odds.probability
        };
        *struck += u32::from(strikes);
        strikes
    }
}

/// FNV-1a: the same on every machine and in every release.
fn seed_of(parts: &[&[u8]]) -> u64 {
    parts
        .iter()
        .flat_map(|part| part.iter())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttled(service: &str, operation: &str) -> RequestFault {
        RequestFault::new(service, operation, RequestFaultKind::Throttled)
    }

    #[test]
    fn faults_are_counted() {
        let faults = Faults::default();
        faults.edit(|plan| plan.requests.push(throttled("cloudformation", "Describe*").skip(1).times(2)));
        let strikes = |operation| faults.before("cloudformation", operation).is_some();
        assert_eq!([(); 5].map(|()| strikes("DescribeStacks")), [false, true, true, false, false]);
        assert!(!strikes("CreateStack"));
        assert!(faults.before("s3", "DescribeStacks").is_none());
        faults.edit(|_| ());
        assert_eq!([(); 2].map(|()| strikes("DescribeStacks")), [false, true]);
    }

    #[test]
    fn the_same_seed_gives_the_same_faults_in_any_order() {
        let draw = |seed, interleaved: bool| {
            let faults = Faults::default();
            faults.edit(|plan| {
                plan.seed = seed;
                plan.requests.push(throttled("*", "*").probability(0.5));
            });
            (0..64)
                .map(|_| {
                    if interleaved {
                        faults.before("s3", "GetObject");
                    }
                    faults.before("sts", "AssumeRole").is_some()
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(1, false), draw(1, true));
        assert_ne!(draw(1, false), draw(2, false));
        let struck = draw(1, false).into_iter().filter(|struck| *struck).count();
        assert!((16..48).contains(&struck), "{struck}");
    }

    #[test]
    fn resources_fail_for_a_reason() {
        let faults = Faults::default();
        faults.edit(|plan| {
            plan.resources.push(ResourceFault::new(
                "net*",
                "Vpc",
                Action::Create,
                "The maximum number of VPCs has been reached.",
            ));
        });
        let create = |stack| faults.resource(stack, "Vpc", Action::Create);
        assert_eq!(create("network").as_deref(), Some("The maximum number of VPCs has been reached."));
        assert_eq!(create("cluster"), None);
        assert_eq!(faults.resource("network", "Vpc", Action::Delete), None);
    }

    #[test]
    fn plans_are_read_from_json() {
        let plan: FaultPlan = serde_json::from_str(
            r#"{"seed": 7, "requests": [
                {"service": "s3", "operation": "PutObject", "kind": "reset_after", "times": 1},
                {"kind": {"failed": {"status": 503}}, "probability": 0.1},
                {"operation": "Describe*", "kind": {"slow": {"milliseconds": 1500}}}],
              "resources": [{"stack": "web", "logical_id": "Service", "action": "create", "reason": "no"}]}"#,
        )
        .expect("a plan");
        assert_eq!(plan.requests[0], RequestFault::new("s3", "PutObject", RequestFaultKind::ResetAfter).times(1));
        assert_eq!(plan.requests[1].service, "*");
        assert_eq!(plan.resources[0], ResourceFault::new("web", "Service", Action::Create, "no"));
        serde_json::from_str::<FaultPlan>(r#"{"request": []}"#).expect_err("an unknown key");
        let text = serde_json::to_string(&plan).expect("JSON");
        assert_eq!(serde_json::from_str::<FaultPlan>(&text).expect("a plan"), plan);
    }
}

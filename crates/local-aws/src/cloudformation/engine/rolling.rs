//! Rolling updates of groups of instances: `AutoScalingRollingUpdate` with `WaitOnResourceSignals`. Instances are replaced
//! in batches, and each has to signal within the pause. (Template reference, "UpdatePolicy attribute"; the reasons of
//! events are those that users report.)
//!
//! There are no instances here: whoever plays them calls `SignalResource`. What goes back in a rollback is not waited for.

use super::events::resource_event;
use super::scene::Desired;
use super::stage::{Ended, Stage};
use super::wait::{self, number};
use crate::cloudformation::model::Phase;
use jiff::SignedDuration;
use serde_json::Value as Json;
use std::time::Duration;

const GROUP: &str = "AWS::AutoScaling::AutoScalingGroup";
/// What new instances are made from: a change of these replaces all that there are.
const MAKES_NEW: [&str; 5] =
    ["LaunchConfigurationName", "LaunchTemplate", "MixedInstancesPolicy", "VPCZoneIdentifier", "PlacementGroup"];
/// The pause where signals are waited for and the policy names none.
const PAUSE: &str = "PT5M";

/// How a group's instances are replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rolling {
    instances: u64,
    batch: u64,
    in_service: u64,
    percent: u64,
    /// As the policy writes it.
    pause: String,
}

impl Rolling {
    /// What an update from `before` has to wait for; `None`: for nothing.
    pub fn of(desired: &Desired, before: &Json) -> Option<Rolling> {
        let after = &desired.properties;
        let policy = &desired.update_policy.as_ref()?["AutoScalingRollingUpdate"];
        let waits =
            matches!(&policy["WaitOnResourceSignals"], Json::Bool(true)) || policy["WaitOnResourceSignals"] == "true";
        let rolls = MAKES_NEW.iter().any(|property| before[property] != after[property]);
        if desired.resource_type != GROUP || !waits || !rolls {
            return None;
        }
        let instances = number(&after["DesiredCapacity"]).or_else(|| number(&after["MinSize"])).unwrap_or_default();
        Some(Rolling {
            instances,
            batch: number(&policy["MaxBatchSize"]).unwrap_or(1).max(1),
            in_service: number(&policy["MinInstancesInService"]).unwrap_or_default(),
            percent: number(&policy["MinSuccessfulInstancesPercent"]).unwrap_or(100).min(100),
            pause: policy["PauseTime"].as_str().unwrap_or(PAUSE).to_owned(),
        })
        .filter(|rolling| rolling.instances > 0)
    }

    fn pause(&self) -> Duration {
        let parsed = self.pause.parse::<SignedDuration>().ok().and_then(|pause| Duration::try_from(pause).ok());
        parsed.unwrap_or(wait::DEFAULT)
    }

    /// How many instances may fail.
    fn tolerated(&self) -> u64 {
        self.instances - (self.instances * self.percent).div_ceil(100)
    }
}

/// Waits for the signals of all batches. A signal that does not come in time counts as a failure.
///
/// # Errors
/// More instances fail than the policy allows.
pub(super) async fn run(stage: &Stage, id: &str, rolling: &Rolling) -> Result<(), Ended> {
    if stage.operation(|operation| operation.phase != Phase::Forward) {
        return Ok(());
    }
    let Rolling { instances, batch, in_service, percent, pause } = rolling;
    tell(
        stage,
        id,
        &format!(
            "Rolling update initiated. Terminating {instances} obsolete instance(s) in batches of {batch}, while keeping \
             at least {in_service} instance(s) in service. Waiting on resource signals with a timeout of {pause} when new \
             instances are added to the autoscaling group."
        ),
    );
    let (mut begun, mut silent) = (0, 0);
    while begun < *instances {
        let here = (*batch).min(instances - begun);
        begun += here;
        tell(
            stage,
            id,
            &format!(
                "New instance(s) added to autoscaling group - Waiting on {here} resource signal(s) with a timeout of {pause}."
            ),
        );
        let missing = wait::count(stage, id, begun - silent, rolling.pause()).await?;
        if missing > 0 {
            silent += missing;
            tell(
                stage,
                id,
                &format!(
                    "Failed to receive {missing} resource signal(s) for the current batch. Each resource signal timeout \
                     is counted as a FAILURE."
                ),
            );
        }
        let good = wait::good(stage, id);
        if begun - good.min(begun) > rolling.tolerated() {
            return Err(Ended::Failed(wait::short(&format!("{good} SUCCESS"), *instances, *percent)));
        }
    }
    Ok(())
}

fn tell(stage: &Stage, id: &str, reason: &str) {
    stage.edit(|world, stack| resource_event(world, stack, id, "UPDATE_IN_PROGRESS", Some(reason)));
}

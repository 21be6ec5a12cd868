//! Rollback triggers: alarms of CloudWatch that are watched while a creation or an update goes forward, and for some
//! minutes after its last resource. One that goes off, or that is not there, rolls everything back. (User guide, "Roll
//! back your CloudFormation stack on alarm breach"; the reasons are in this engine's own words.)

use super::stage::Stage;
use crate::cloudformation::model::OperationKind;
use serde_json::Value as Json;
use std::time::Duration;

/// What an operation watches.
pub(super) struct Triggers {
    /// The alarm that goes off first, and when in the operation.
    first: Option<(Duration, String)>,
    /// All of them, by type and name.
    watched: Vec<(String, String)>,
    /// How long alarms are watched when all resources are done.
    monitoring: Duration,
}

impl Triggers {
    /// What the stack's definition asks for.
    ///
    /// # Errors
    /// An alarm is not there.
    pub fn of(stage: &Stage) -> Result<Triggers, String> {
        let configuration = match stage.kind() {
            OperationKind::Create | OperationKind::Update => {
                stage.look(|stack| stack.current.rollback_configuration.clone())
            }
            _ => Json::Null,
        };
        let triggers = configuration["RollbackTriggers"].as_array().into_iter().flatten();
        let (mut first, mut watched): (Option<(Duration, String)>, _) = (None, Vec::new());
        for trigger in triggers {
            let (arn, type_name) = (text(&trigger["Arn"]), text(&trigger["Type"]));
            let name = arn.rsplit(':').next().unwrap_or_default();
            let known = arn == stage.place.arn("cloudwatch", &format!("alarm:{name}"))
                && stage.world.resources.lock().get(&stage.place, type_name, name).is_some();
            if !known {
                return Err(format!("The rollback trigger {arn} does not exist"));
            }
            let goes_off = stage.world.faults.alarm(&stage.stack_name, name);
            if let Some(after) = goes_off
                && first.as_ref().is_none_or(|(earliest, _)| after < *earliest)
            {
                first = Some((after, arn.to_owned()));
            }
            watched.push((type_name.to_owned(), name.to_owned()));
        }
        let minutes = match &configuration["MonitoringTimeInMinutes"] {
            Json::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        Ok(Triggers { first, watched, monitoring: Duration::from_secs(60 * minutes.unwrap_or_default()) })
    }

    /// Returns when one of the alarms goes off; the reason to roll back.
    pub async fn breached(&self, stage: &Stage) -> String {
        let planned = async {
            match &self.first {
                Some((after, arn)) => {
                    stage.world.clock.take(*after).await;
                    arn.clone()
                }
                None => std::future::pending().await,
            }
        };
        let set = async {
            let which = stage.world.alarms.goes_off(&stage.world, &stage.place, &self.watched).await;
            stage.place.arn("cloudwatch", &format!("alarm:{}", self.watched[which].1))
        };
        let arn = tokio::select! {
            biased;
            arn = planned => arn,
            arn = set => arn,
        };
        format!("The rollback trigger {arn} is in ALARM state")
    }

    /// Waits until nobody watches any more.
    pub async fn monitored(&self, stage: &Stage) {
        stage.world.clock.take(self.monitoring).await;
    }
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_default()
}

//! Before a plan is made: operations that others have begun, or an earlier run that was cut off, are waited for.

use super::event::Events;
use super::follow::rest;
use super::stop::Stop;
use super::wait::Wait;
use crate::aws::Aws;
use crate::error::{Error, Kind, Result};
use crate::model::{ApplySettings, Deployed};
use futures::future::try_join_all;
use std::collections::BTreeMap;

/// Waits until no stack is being worked on. Whether there was anything to wait for: then the account is to be looked at
/// again. Reads only; may be dropped at any time.
///
/// # Errors
/// A stack does not come to rest in the time allowed, or cannot be looked at.
pub async fn settle(
    aws: &Aws,
    deployed: &BTreeMap<String, Deployed>,
    events: &Events,
    settings: &ApplySettings,
) -> Result<bool> {
    let busy: Vec<(&String, &Deployed)> = deployed.iter().filter(|(_, stack)| stack.status.in_progress()).collect();
    let waits = busy.iter().map(|(name, stack)| async move {
        let cloudformation = aws.cloudformation(&stack.target);
        match rest(events, name, &cloudformation, (*stack).clone(), Wait::new(events, name, settings)).await {
            Ok(_) => Ok(()),
            Err(Stop::Stopped(because)) => {
                Err(Error::new(Kind::Failed, format!("{} is still being worked on: {because}", stack.stack_name)))
            }
            Err(Stop::Failed(cause)) => {
                let error = Error::new(Kind::Failed, cause.message);
                let error = cause.details.into_iter().fold(error, Error::detail);
                Err(cause.hints.into_iter().fold(error, Error::hint))
            }
        }
    });
    try_join_all(waits).await?;
    Ok(!busy.is_empty())
}

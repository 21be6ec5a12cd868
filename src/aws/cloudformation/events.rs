//! Stack events: what CloudFormation does, resource by resource.

use super::super::error::{Call, Explain};
use super::super::{Result, timestamp};
use super::known::UpTo;
use super::{CloudFormation, is_not_found};
use jiff::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackEvent {
    pub event_id: String,
    pub stack_id: String,
    pub logical_id: String,
    /// The stack's own id in events of the stack as a whole.
    pub physical_id: Option<String>,
    pub resource_type: String,
    /// CloudFormation's ResourceStatus, as it spells it.
    pub status: String,
    pub reason: Option<String>,
    pub at: Timestamp,
    /// The token of the operation that the event belongs to.
    pub token: Option<String>,
    /// `CONFIGURATION_COMPLETE`, `VALIDATION_FAILED`; seldom there.
    pub detailed_status: Option<String>,
    /// The hook that spoke, with what it said, where one did.
    pub hook: Option<String>,
}

impl StackEvent {
    /// The event is about the stack as a whole.
    pub fn is_of_stack(&self) -> bool {
        self.resource_type == "AWS::CloudFormation::Stack" && self.physical_id.as_deref() == Some(&self.stack_id)
    }
}

impl CloudFormation {
    /// Events of a stack, the newest first, up to but without the one whose id is `until`; all of them if there is none.
    /// No such stack has no events.
    pub async fn events(&self, stack: &str, until: Option<&str>) -> Result<Vec<StackEvent>> {
        self.read_events(stack, until, |event| until != Some(&event.event_id)).await
    }

    /// Events of a stack, the newest first, as long as `wanted` says so: reads no page more than it needs.
    pub async fn events_while(&self, stack: &str, wanted: impl FnMut(&StackEvent) -> bool) -> Result<Vec<StackEvent>> {
        self.read_events(stack, None, wanted).await
    }

    async fn read_events(
        &self,
        stack: &str,
        known: Option<&str>,
        mut wanted: impl FnMut(&StackEvent) -> bool,
    ) -> Result<Vec<StackEvent>> {
        let call =
            || Call::new("cloudformation", "DescribeStackEvents", format!("read the events of {}", self.the(stack)));
        let (mut events, mut token) = (Vec::new(), None);
        loop {
            let request = self.client.describe_stack_events().stack_name(stack).set_next_token(token).customize();
            let request = match known {
                Some(known) => request.interceptor(UpTo::event(known)),
                None => request,
            };
            let page = match request.send().await.explain(call) {
                Err(error) if is_not_found(&error) => return Ok(events),
                page => page?,
            };
            for event in page.stack_events.unwrap_or_default() {
                let event = plain(event);
                if !wanted(&event) {
                    return Ok(events);
                }
                events.push(event);
            }
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(events);
            }
        }
    }
}

fn plain(event: aws_sdk_cloudformation::types::StackEvent) -> StackEvent {
    let hook = event.hook_type.map(|hook| match event.hook_status_reason {
        Some(reason) => format!("{hook}: {reason}"),
        None => hook,
    });
    StackEvent {
        event_id: event.event_id.unwrap_or_default(),
        stack_id: event.stack_id.unwrap_or_default(),
        logical_id: event.logical_resource_id.unwrap_or_default(),
        physical_id: event.physical_resource_id.filter(|id| !id.is_empty()),
        resource_type: event.resource_type.unwrap_or_default(),
        status: event.resource_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        reason: event.resource_status_reason.filter(|reason| !reason.is_empty()),
        at: event.timestamp.as_ref().map(timestamp).unwrap_or_default(),
        token: event.client_request_token,
        detailed_status: event.detailed_status.map(|status| status.as_str().to_owned()),
        hook,
    }
}

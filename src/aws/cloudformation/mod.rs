//! CloudFormation in plain types: stacks, change sets, events.

mod change_set;
mod drift;
mod events;
mod known;
mod stacks;

pub use change_set::{
    ChangeSet, ChangeSetAction, ChangeSetChange, ChangeSetDetail, ChangeSetKind, ChangeSetRequest, ChangeSetState,
    ChangeSetSummary, OWN_CHANGE_SETS, ParameterValue, Recreation, Replacement, TemplateSource, ToImport,
};
pub use drift::{DetectedDifference, DetectedResource, DetectedStatus, DriftDetection, DriftDetectionState};
pub use events::StackEvent;
pub use stacks::StackResource;

use crate::error::Error;
use crate::model::Target;
use aws_sdk_cloudformation::Client;

/// Templates up to here go into the request; longer ones through S3 (CloudFormation quotas).
pub const MAX_INLINE_TEMPLATE_BYTES: usize = 51_200;
/// Longer templates are refused by CloudFormation wherever they come from (CloudFormation quotas).
pub const MAX_TEMPLATE_BYTES: usize = 1_000_000;

/// CloudFormation in one account and region. Cheap to clone.
#[derive(Clone)]
pub struct CloudFormation {
    client: Client,
    target: Target,
}

impl CloudFormation {
    pub(super) fn new(client: Client, target: Target) -> CloudFormation {
        CloudFormation { client, target }
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    /// `stack `x` (eu-west-1)`, for messages.
    fn the(&self, stack: &str) -> String {
        // An id is an ARN: its second part is the name.
        let name = stack.strip_prefix("arn:").and_then(|arn| arn.split('/').nth(1)).unwrap_or(stack);
        format!("stack `{name}` ({})", self.target.region)
    }
}

/// The answer to a question about a stack or change set that is not there.
///
/// CloudFormation has a code of its own for change sets only; for stacks it answers ValidationError with the text
/// `Stack with id <name> does not exist` (DescribeStacks, GetTemplate, ListStackResources) or `Stack [<name>] does not
/// exist` (DescribeStackEvents, change sets).
pub fn is_not_found(error: &Error) -> bool {
    super::failure(error).is_some_and(|failure| match failure.code.as_str() {
        "ChangeSetNotFound" | "ChangeSetNotFoundException" | "StackNotFoundException" => true,
        "ValidationError" => failure.message.contains("does not exist"),
        _ => false,
    })
}

/// A reason of a FAILED change set that means: nothing to change. CloudFormation offers only text here.
pub fn says_no_changes(reason: &str) -> bool {
    [
        "The submitted information didn't contain changes.",
        "No updates are to be performed",
        "There are no changes to be made", // ministack
    ]
    .iter()
    .any(|known| reason.contains(known))
}

#[cfg(test)]
mod tests {
    use super::says_no_changes;

    /// Reasons as CloudFormation gave them.
    #[test]
    fn reasons_of_empty_change_sets() {
        assert!(says_no_changes(
            "The submitted information didn't contain changes. Submit different information to create a change set."
        ));
        assert!(says_no_changes("No updates are to be performed."));
        assert!(!says_no_changes("Transform AWS::Serverless-2016-10-31 failed with: Internal transform failure."));
    }
}

//! What a stack's status means for a plan: every status of CloudFormation falls into one of these.

use crate::model::{Deployed, StackStatus};

/// What is there, as far as the next step depends on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Situation<'a> {
    /// Nothing, or the empty shell that a change set leaves which nobody executed.
    Absent,
    /// On its way out: by the time of the apply it will be gone.
    Leaving(&'a Deployed),
    /// A shell that can only be deleted, or will be one when its rollback is through.
    Broken(&'a Deployed),
    /// Its last rollback failed: until that is continued CloudFormation accepts nothing else.
    Stuck(&'a Deployed),
    /// Somebody's operation runs; what comes of it can be changed.
    Busy(&'a Deployed),
    /// At rest.
    Present(&'a Deployed),
}

impl<'a> Situation<'a> {
    pub fn of(deployed: Option<&'a Deployed>) -> Situation<'a> {
        use StackStatus::*;
        let Some(stack) = deployed else { return Situation::Absent };
        match stack.status {
            ReviewInProgress | DeleteComplete => Situation::Absent,
            DeleteInProgress => Situation::Leaving(stack),
            CreateFailed | RollbackInProgress | RollbackFailed | RollbackComplete | DeleteFailed => {
                Situation::Broken(stack)
            }
            UpdateFailed | UpdateRollbackFailed | ImportRollbackFailed => Situation::Stuck(stack),
            CreateInProgress
            | UpdateInProgress
            | UpdateCompleteCleanupInProgress
            | UpdateRollbackInProgress
            | UpdateRollbackCompleteCleanupInProgress
            | ImportInProgress
            | ImportRollbackInProgress => Situation::Busy(stack),
            CreateComplete | UpdateComplete | UpdateRollbackComplete | ImportComplete | ImportRollbackComplete => {
                Situation::Present(stack)
            }
        }
    }

    /// The stack whose template, parameters and tags are compared with what is wanted.
    pub fn comparable(self) -> Option<&'a Deployed> {
        match self {
            Situation::Present(stack) | Situation::Busy(stack) | Situation::Stuck(stack) => Some(stack),
            Situation::Absent | Situation::Leaving(_) | Situation::Broken(_) => None,
        }
    }

    /// Why the step is not what it would be for a stack at rest, as an end of "because".
    pub fn reason(self) -> Option<String> {
        match self {
            Situation::Absent | Situation::Present(_) => None,
            Situation::Leaving(_) => Some("it is being deleted; apply waits for the end of that".to_owned()),
            Situation::Broken(stack) => Some(match stack.status {
                StackStatus::DeleteFailed => "its deletion failed halfway: the rest is deleted first".to_owned(),
                StackStatus::RollbackInProgress => {
                    "its first creation failed and is being rolled back: what is left is deleted first".to_owned()
                }
                status => format!("its first creation failed ({status}): what is left is deleted first"),
            }),
            Situation::Stuck(stack) => Some(format!("it is in {}: {}", stack.status, unstick(stack).0)),
            Situation::Busy(stack) => Some(format!("{} by another run; apply waits for its end", stack.status)),
        }
    }
}

/// What frees a stack in which CloudFormation gave up, as a sentence and as a command to type.
pub fn unstick(stack: &Deployed) -> (String, String) {
    let verb = match stack.status {
        StackStatus::UpdateRollbackFailed => "continue-update-rollback",
        _ => "rollback-stack",
    };
    let command =
        format!("aws cloudformation {verb} --stack-name {} --region {}", stack.stack_name, stack.target.region);
    ("CloudFormation accepts no update until its rollback is through".to_owned(), command)
}

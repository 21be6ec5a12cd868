//! Stacks that wait for the review of their first change set: one of ours that a run left behind serves again, one of
//! somebody else's is not touched.

use super::READERS;
use crate::aws::cloudformation::{ChangeSetSummary, OWN_CHANGE_SETS};
use crate::aws::{Aws, Result};
use crate::error::{Error, Kind};
use crate::model::{Deployed, Environment, StackStatus};
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::BTreeMap;

/// Looks at the change sets of stacks in REVIEW_IN_PROGRESS: one call for each of them, none where there are none.
///
/// Such a stack has no tags before its first change set is executed (DescribeStacks answers an empty list), so its change
/// sets say whose it is: ours have a name and a description that no other environment's have.
///
/// # Errors
/// [`Kind::Configuration`]: a change set that this environment did not make waits there.
pub(super) async fn check(aws: &Aws, environment: &Environment, deployed: &BTreeMap<String, Deployed>) -> Result<()> {
    let shells = deployed.values().filter(|stack| stack.status == StackStatus::ReviewInProgress);
    let reads = shells.map(|stack| async move {
        let waiting = aws.cloudformation(&stack.target).list_change_sets(&stack.stack_id).await?;
        Result::Ok((stack, waiting))
    });
    let reads: Vec<_> = reads.collect();
    let shells: Vec<(&Deployed, Vec<ChangeSetSummary>)> = stream::iter(reads).buffered(READERS).try_collect().await?;
    let foreign = shells.iter().filter_map(|(stack, waiting)| {
        let theirs: Vec<&ChangeSetSummary> = waiting.iter().filter(|one| !is_ours(one, environment)).collect();
        (!theirs.is_empty()).then_some((stack, theirs))
    });
    let foreign: Vec<_> = foreign.collect();
    let Some((first, _)) = foreign.first() else { return Ok(()) };
    let message = match foreign.len() {
        1 => format!("stack `{}` waits for the review of a change set that infra did not make", first.stack_name),
        count => format!("{count} stacks wait for the review of change sets that infra did not make"),
    };
    let mut error = Error::new(Kind::Configuration, message);
    for (stack, theirs) in &foreign {
        let names: Vec<String> = theirs.iter().map(|one| format!("`{}` of {}", one.name, one.created_at)).collect();
        let (name, region) = (&stack.stack_name, &stack.target.region);
        error = error.detail(format!("`{name}` in {region}, in REVIEW_IN_PROGRESS: {}", names.join(", ")));
    }
    let (name, region) = (&first.stack_name, &first.target.region);
    Err(error
        .detail("nothing of such a stack exists yet; whoever made the change set may still execute it")
        .hint(format!(
            "if nobody needs it: aws cloudformation delete-stack --stack-name {name} --region {region}, then run the same \
             command again"
        ))
        .hint("else choose another `project` or another name for the stack"))
}

/// A change set that a run of this environment made.
fn is_ours(change_set: &ChangeSetSummary, environment: &Environment) -> bool {
    let of = format!(" of {}/{}", environment.project, environment.name);
    change_set.name.starts_with(OWN_CHANGE_SETS)
        && change_set.description.as_deref().is_none_or(|description| description.ends_with(&of))
}

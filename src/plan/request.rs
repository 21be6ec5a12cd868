//! What a plan is made from.

use super::nested::Nested;
use crate::model::{Deployed, Environment, RenderedStack, SsmValue, State};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that [`super::plan`] looks at.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub scope: &'a Scope,
    /// All stacks of the environment, whatever [`Options::targets`] says.
    pub wanted: &'a [RenderedStack],
    /// What is in the account, by the stack's name in the environment (for a stack that is no longer in the file: its
    /// name in the state). Templates are there for the stacks that [`super::needs_template`] names.
    pub deployed: &'a BTreeMap<String, Deployed>,
    pub state: Option<&'a State>,
    pub options: &'a Options,
    pub now: Timestamp,
}

/// Which environment, and how careful to be with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub project: String,
    pub environment: String,
    pub account: String,
    pub region: String,
    /// What destroys data needs explicit words.
    pub protect: bool,
}

impl From<&Environment> for Scope {
    fn from(environment: &Environment) -> Scope {
        Scope {
            project: environment.project.clone(),
            environment: environment.name.clone(),
            account: environment.account.clone(),
            region: environment.region.clone(),
            protect: environment.protect,
        }
    }
}

/// What SSM parameters hold, by account and region, then by name. Those that do not exist are not in it.
pub type LookedUp = BTreeMap<(String, String), BTreeMap<String, SsmValue>>;

/// What was said on the command line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// Only these stacks and what they need; empty for all.
    pub targets: Vec<String>,
    /// `stack.Resource`: stateful resources that may be replaced or removed although the environment is protected.
    pub allow_replace: BTreeSet<String>,
    /// `code:stack.Resource`: findings of the worst kinds that are accepted although the environment is protected.
    pub allow: BTreeSet<String>,
    /// Stacks may be deleted although they are protected; termination protection is switched off for that.
    pub allow_destroy: bool,
    /// `stack.Resource`: buckets and repositories that are emptied before their stack is deleted.
    pub empty: BTreeSet<String>,
    /// Stacks take in what exists already under the very names that their templates give.
    pub import_existing: bool,
    /// What is there already and joins its stack: stack → logical id → physical id. Of those that [`super::candidates`]
    /// names, as somebody found them in the account.
    pub existing: BTreeMap<String, BTreeMap<String, String>>,
    /// What SSM parameters hold, by where they are; none where nobody looked, and they are taken to be as they were.
    pub looked_up: Option<LookedUp>,
    /// What is there of nested stacks: stack → logical id.
    pub nested: BTreeMap<String, BTreeMap<String, Nested>>,
}

impl Request<'_> {
    /// The stack's record in the state.
    pub(super) fn record(&self, stack: &str) -> Option<&crate::model::StackRecord> {
        self.state.and_then(|state| state.stacks.get(stack))
    }
}

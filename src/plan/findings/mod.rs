//! What a reviewer should know before saying yes, ranked: the gravest first, within a kind in the order of the steps.
//!
//! [`stacks`] looks at whole stacks and at data that goes; [`risk`] at what each change opens, widens or takes away.

mod access;
mod containers;
mod firewall;
mod interruptions;
mod json;
mod kinds;
mod literals;
mod network;
mod pair;
mod policy;
mod removed;
mod risk;
mod settings;
mod stacks;
mod storage;
mod table;

use super::document::{Action, Finding, FindingSeverity, Plan, StackStep};
use super::request::Request;
pub(super) use kinds::ROLLOUT_UNPROVEN;
use kinds::{Gravity, rank};
pub use kinds::{KINDS, about, kind};
pub(super) use risk::risks;
pub(super) use stacks::{lost_text, unseen_nested};

/// Findings of finished steps, with `risks` found on the way.
pub(super) fn findings(request: &Request, steps: &[StackStep], risks: Vec<Finding>) -> Vec<Finding> {
    let mut found: Vec<Finding> = steps.iter().flat_map(|step| stacks::of_step(request, step)).collect();
    found.extend(risks.into_iter().map(|finding| graver(request, finding)));
    // Steps that delete everything are a `destroy`: what goes with the stacks goes on purpose.
    if steps.iter().any(|step| !matches!(step.action, Action::Delete | Action::Forget)) {
        let deletions = steps.iter().filter(|step| step.action == Action::Delete);
        found.extend(deletions.flat_map(removed::with_stack).map(|finding| graver(request, finding)));
    }
    let order = |stack: &str| steps.iter().position(|step| step.stack == stack);
    found.sort_by_cached_key(|finding| {
        (std::cmp::Reverse(finding.severity), rank(&finding.code), order(&finding.stack))
    });
    found
}

impl Plan {
    /// Takes in findings from elsewhere; the order stays that of gravity.
    pub fn add_findings(&mut self, found: Vec<Finding>) {
        self.findings.extend(found);
        self.findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), rank(&finding.code)));
    }
}

/// The worst kinds are refused in a protected environment until the words for them are said.
fn graver(request: &Request, mut finding: Finding) -> Finding {
    let worst = kind(&finding.code).is_some_and(|kind| kind.gravity == Gravity::Worst);
    let word = allowing(&finding);
    if worst && request.scope.protect && !request.options.allow.contains(&word) {
        finding.severity = FindingSeverity::Refused;
        finding.message = format!("{}; `--allow {word}` allows it", finding.message);
    }
    finding
}

/// The word that allows a finding: `public-access:alb.SecurityGroup`.
pub fn allowing(finding: &Finding) -> String {
    match &finding.logical_id {
        Some(id) => format!("{}:{}.{id}", finding.code, finding.stack),
        None => format!("{}:{}", finding.code, finding.stack),
    }
}

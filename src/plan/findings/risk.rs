//! What a change puts at risk: every changed resource is looked at before and after, by all checks.

use super::pair::{Pair, pairs};
use super::{access, containers, firewall, interruptions, kinds, literals, network, removed, settings, storage};
use crate::plan::changes::Sides;
use crate::plan::document::{Action, Finding, FindingSeverity, StackStep};
use std::collections::BTreeSet;

/// What checks need to know of the step around a resource.
pub(super) struct Context<'a> {
    pub step: &'a StackStep,
    /// Nothing of the stack was there before.
    pub new_stack: bool,
    /// `${Role}` for every resource that comes with this step, or goes with it.
    pub added: BTreeSet<String>,
    pub removed: BTreeSet<String>,
    found: Vec<Finding>,
}

impl Context<'_> {
    /// Says something that belongs to no change.
    pub fn add(&mut self, finding: Finding) {
        if !self.found.contains(&finding) {
            self.found.push(finding);
        }
    }

    /// Says it of a resource. `path` is the property, empty for the resource as a whole.
    pub fn say(&mut self, pair: &Pair, code: &str, path: &str, message: impl Into<String>) {
        let severity = kinds::kind(code).map_or(FindingSeverity::Warning, |kind| kind.gravity.severity());
        self.say_as(severity, pair, code, path, message.into());
    }

    /// Refuses the plan for it, in every environment: AWS would not do it.
    pub fn refuse(&mut self, pair: &Pair, code: &str, path: &str, message: impl Into<String>) {
        self.say_as(FindingSeverity::Refused, pair, code, path, message.into());
    }

    fn say_as(&mut self, severity: FindingSeverity, pair: &Pair, code: &str, path: &str, message: String) {
        let finding = Finding {
            severity,
            code: code.to_owned(),
            stack: self.step.stack.clone(),
            logical_id: Some(pair.change.logical_id.clone()),
            path: (!path.is_empty()).then(|| path.to_owned()),
            place: pair.change.place.clone(),
            message,
        };
        self.add(finding);
    }
}

/// The risks of one step, in the order of its changes.
pub(in crate::plan) fn risks(step: &StackStep, sides: &Sides) -> Vec<Finding> {
    let pairs = pairs(sides, &step.changes);
    let those = |chosen: &dyn Fn(&Pair) -> bool| {
        pairs.iter().filter(|pair| chosen(pair)).map(|pair| format!("${{{}}}", pair.change.logical_id)).collect()
    };
    let mut context = Context {
        step,
        new_stack: sides.before.is_none() || step.action != Action::Update,
        added: those(&|pair| pair.is_new()),
        removed: those(&|pair| pair.is_removed()),
        found: Vec::new(),
    };
    for pair in &pairs {
        if pair.is_removed() {
            removed::check(pair, &mut context);
        } else {
            storage::check(pair, &mut context);
            settings::check(pair, &mut context);
            interruptions::check(pair, &mut context);
            network::check(pair, &mut context);
            firewall::check(pair, &mut context);
            containers::check(pair, &mut context);
            literals::check(pair, &mut context);
        }
        access::check(pair, &mut context);
    }
    literals::of_parameters(sides, &mut context);
    context.found
}

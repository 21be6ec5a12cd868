//! What was changed of a stack itself: template, parameters, tags, protection, policy.

use super::document::{StackChange, StackCondition};
use super::judge::Look;
use super::meaning::same;
use crate::model::{Deployed, Environment, StackRecord, digest, sensitive::MASKED, shows};
use crate::plan::{Value, ValueChange, named};
use cloudformation::sensitive::HIDDEN;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

impl Look<'_> {
    /// The stack itself against its record.
    pub(super) fn of_stack(
        &self,
        deployed: &Deployed,
        environment: &Environment,
    ) -> (StackCondition, Vec<StackChange>) {
        let Some(record) = &self.stack.record else {
            // In the account and not in the state: a run that was cut off, which the next apply takes up.
            return (StackCondition::NotApplied, Vec::new());
        };
        if record.fingerprint.stack_id != deployed.stack_id {
            return (StackCondition::Recreated, Vec::new());
        }
        let mut changes = Vec::new();
        let mut note = |what: String, before: Value, after: Value| {
            if before != after && self.rules.ignored_of_stack(&self.stack.name, &what).is_none() {
                // `parameter Name`, `tag Name`
                let name = what.split_once(' ').map_or("", |(_, name)| name);
                let shown = |value| named(name, value);
                changes.push(StackChange { change: ValueChange::new(shown(before), shown(after)), what });
            }
        };
        if let Some(template) = &deployed.template {
            let found = digest(template);
            // The template may have been written anew in another form, and say the same.
            if found != record.template_digest && !self.says_the_same(template) {
                note("template".to_owned(), Value::text(&record.template_digest), Value::text(found));
            }
        }
        let text = |value: Option<&String>| value.map_or(Value::Absent, Value::text);
        for name in keys(&record.parameters, &deployed.parameters) {
            // NoEcho parameters are in no state, and the template's own defaults are not sent.
            let (Some(before), Some(after)) = (record.parameters.get(name), deployed.parameters.get(name)) else {
                continue;
            };
            if after != MASKED && before != HIDDEN && !shows(after, before) {
                note(format!("parameter {name}"), Value::text(before), Value::text(after));
            }
        }
        for key in keys(&record.tags, &deployed.tags).into_iter().filter(|key| !key.starts_with("aws:")) {
            if record.tags.get(key).is_some_and(|tag| tag == HIDDEN) {
                continue;
            }
            let (before, after) = (record.tags.get(key), deployed.tags.get(key));
            if !before.zip(after).is_some_and(|(before, after)| shows(after, before)) {
                note(format!("tag {key}"), text(before), text(after));
            }
        }
        let switch = |on: bool| Value::text(if on { "on" } else { "off" });
        let protected = self.stack.wanted.as_ref().map_or(environment.protect, |wanted| wanted.protect);
        // Less protection than is wanted is somebody's doing; more may be a file that was edited since.
        if protected && !deployed.termination_protection {
            note("termination protection".to_owned(), switch(true), switch(false));
        }
        if let (Some(Ok(policy)), Some(before)) = (&self.stack.policy, &record.stack_policy_digest) {
            let wanted = self.stack.wanted.as_ref().and_then(|wanted| wanted.stack_policy.as_deref());
            let means_the_same = |policy: &str| {
                digest(policy) == *before
                    || wanted.is_some_and(|wanted| digest(wanted) == *before && same_document(wanted, policy))
            };
            if !policy.as_deref().is_some_and(means_the_same) {
                let after = policy.as_deref().map_or(Value::Absent, |policy| Value::text(digest(policy)));
                note("stack policy".to_owned(), Value::text(before), after);
            }
        }
        let condition = if changes.is_empty() { StackCondition::Unchanged } else { StackCondition::Changed };
        (condition, changes)
    }

    fn says_the_same(&self, template: &str) -> bool {
        let record = self.stack.record.as_ref().map(|record: &StackRecord| record.template_digest.as_str());
        let wanted = self.stack.wanted.as_ref().filter(|wanted| Some(wanted.template_digest.as_str()) == record);
        wanted.is_some_and(|wanted| same_document(&wanted.template, template))
    }
}

fn same_document(one: &str, other: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Json>(text).ok();
    matches!((read(one), read(other)), (Some(one), Some(other)) if same(&one, &other))
}

fn keys<'m>(one: &'m BTreeMap<String, String>, other: &'m BTreeMap<String, String>) -> BTreeSet<&'m str> {
    one.keys().chain(other.keys()).map(String::as_str).collect()
}

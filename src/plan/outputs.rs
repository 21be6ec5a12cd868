//! What a stack will give to others once its step is done, as far as that can be known before.
//!
//! An output keeps its present value when the template computes it as before from resources that stay as they are. For
//! this, references are left standing as symbols: an expression that comes to the same symbols comes to the same value.

use super::changes::Sides;
use super::document::{Change, ChangeAction, Value, ValueChange};
use super::shown::{named, shown};
use super::steady::stays;
use crate::model::{Deployed, RenderedStack, in_ascii};
use cloudformation::evaluate::{Evaluator, ParameterValue, Resources, Value as Evaluated};
use cloudformation::predict::Deployment;
use cloudformation::sensitive::is_secret_output;
use cloudformation::template::Template;
use std::collections::{BTreeMap, BTreeSet};

/// Outputs after a step.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    /// Every output, with its value where that is known.
    pub values: BTreeMap<String, Option<String>>,
    /// Those that come, go, change, or may change.
    pub changes: BTreeMap<String, ValueChange>,
}

pub(super) fn outputs(sides: &Sides, changes: &[Change], deployed: Option<&Deployed>) -> Outputs {
    let before = sides.before.as_ref().map(|before| symbolic(before, &[])).unwrap_or_default();
    let after = symbolic(&sides.after, changes);
    let live = deployed.map(|deployed| &deployed.outputs);
    let live = |name: &str| live.and_then(|outputs| outputs.get(name));
    let gives_secrets = secret_outputs(sides);
    let mut found = Outputs::default();
    for (name, value) in &after {
        let now = live(name);
        let same = before.get(name).is_some_and(|old| old.is_known() && old == value);
        let text = match now {
            Some(now) if same => Some(now.clone()),
            _ => value
                .as_text()
                .filter(|_| value.is_known() && !value.is_sensitive())
                .filter(|text| !text.contains(MARK))
                .map(|text| in_ascii(&text).into_owned()),
        };
        let secret = value.is_sensitive() || gives_secrets.contains(name.as_str());
        let next = match (&text, secret) {
            (_, true) => Value::Sensitive,
            (Some(text), _) => shown(Some(&Evaluated::string(text))),
            (None, _) => Value::Unknown,
        };
        let present = now.map_or(Value::Absent, Value::text);
        let changes = match (secret, now, &text) {
            (true, Some(now), Some(text)) => now != text,
            _ => present != next,
        };
        if changes {
            let present = if secret && now.is_some() { Value::Sensitive } else { named(name, present) };
            found.changes.insert(name.clone(), ValueChange::new(present, next));
        }
        found.values.insert(name.clone(), text);
    }
    for (name, now) in deployed.into_iter().flat_map(|deployed| &deployed.outputs) {
        if !after.contains_key(name) {
            let now =
                if gives_secrets.contains(name.as_str()) { Value::Sensitive } else { named(name, Value::text(now)) };
            found.changes.insert(name.clone(), ValueChange::new(now, Value::Absent));
        }
    }
    found
}

/// Outputs that give secrets away, before or after.
fn secret_outputs(sides: &Sides) -> BTreeSet<String> {
    let of = |deployment: &Deployment| -> Vec<String> {
        let template = deployment.template.to_json();
        let names = deployment.template.outputs.keys();
        names.filter(|name| is_secret_output(&template, name)).cloned().collect()
    };
    sides.before.iter().chain([&sides.after]).flat_map(of).collect()
}

/// Outputs with characters that CloudFormation does not give back, as far as they are known before an apply.
pub(super) fn lossy(wanted: &RenderedStack, values: &BTreeMap<String, Option<String>>) -> BTreeSet<String> {
    let escaped = wanted.template.contains("\\u") || !wanted.template.is_ascii();
    if !escaped && values.values().flatten().all(|value| value.is_ascii()) {
        return BTreeSet::new();
    }
    let Ok((template, _)) = Template::read(&wanted.template) else { return BTreeSet::new() };
    let mut deployment = Deployment::new(template);
    let value = |value: &Option<String>| value.clone().map_or(ParameterValue::Unknown, ParameterValue::Known);
    deployment.parameters = values.iter().map(|(name, given)| (name.clone(), value(given))).collect();
    let is_lossy = |value: &Evaluated| !value.to_json().to_string().is_ascii();
    symbolic(&deployment, &[]).into_iter().filter(|(_, value)| is_lossy(value)).map(|(name, _)| name).collect()
}

/// U+0000 is in no template, so that no text of one looks like a symbol.
const MARK: char = '\0';

/// The values of the outputs with references as symbols; those that may become others are unknown.
fn symbolic(deployment: &Deployment, changes: &[Change]) -> BTreeMap<String, Evaluated> {
    let template = &deployment.template;
    let evaluator = Evaluator::new(template, &deployment.parameters, &deployment.environment, &deployment.facts);
    let symbols = Symbols::new(template, &evaluator, changes);
    let is_there = |condition: Option<&str>| condition.is_none_or(|name| evaluator.condition(name) != Some(false));
    let there = template
        .outputs
        .iter()
        .filter(|(_, output)| is_there(output.condition.as_ref().map(|name| name.value.as_str())));
    there
        .map(|(name, output)| {
            let value = evaluator.evaluate(&output.value, &symbols, &format!("/Outputs/{name}/Value")).value;
            let open = output.condition.as_ref().is_some_and(|name| evaluator.condition(&name.value).is_none());
            (name.clone(), if open { Evaluated::Unknown } else { value.into_text_scalars() })
        })
        .collect()
}

struct Symbols<'a> {
    present: BTreeSet<&'a str>,
    /// Another physical resource, or perhaps one.
    renewed: BTreeSet<&'a str>,
    /// The same one, changed.
    modified: BTreeMap<&'a str, &'a Change>,
}

impl<'a> Symbols<'a> {
    fn new(template: &'a Template, evaluator: &Evaluator, changes: &'a [Change]) -> Symbols<'a> {
        let with = |wanted: &[ChangeAction]| {
            let chosen = changes.iter().filter(|change| wanted.contains(&change.action));
            chosen.map(|change| change.logical_id.as_str()).collect()
        };
        let in_place =
            changes.iter().filter(|change| matches!(change.action, ChangeAction::Modify | ChangeAction::MayModify));
        let ids = template.resources.keys().filter(|id| evaluator.exists(id) != Some(false));
        Symbols {
            present: ids.map(String::as_str).collect(),
            renewed: with(&[ChangeAction::Add, ChangeAction::Replace, ChangeAction::MayReplace]),
            modified: in_place.map(|change| (change.logical_id.as_str(), change)).collect(),
        }
    }
}

impl Resources for Symbols<'_> {
    fn reference(&self, id: &str) -> Option<Evaluated> {
        self.present.get(id)?;
        Some(if self.renewed.contains(id) { Evaluated::Unknown } else { symbol(id) })
    }

    fn attribute(&self, id: &str, attribute: &str) -> Option<Evaluated> {
        self.present.get(id)?;
        let open = self.renewed.contains(id) || self.modified.get(id).is_some_and(|change| !stays(change, attribute));
        Some(if open { Evaluated::Unknown } else { symbol(&format!("{id}.{attribute}")) })
    }
}

fn symbol(name: &str) -> Evaluated {
    Evaluated::String(format!("{MARK}{name}{MARK}"))
}

//! One stack as wanted against the stack as it is: template, parameters, tags, protection. Resources come later.

use super::document::{Value, ValueChange};
use super::head::Head;
use super::lookups::{self, Resolved};
use super::shown::named;
use crate::model::{
    Deployed, Equivalent, Parameter, REPOSITORY_URI, RenderedStack, StackRecord, digest, in_ascii, package_digest,
    sensitive, shows,
};
use cloudformation::template::Template;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What other stacks will give once their own steps are done: stack → output → its value, none while it cannot be known.
pub(super) type Flow = BTreeMap<String, BTreeMap<String, Option<String>>>;

/// The values that the stack's parameters will have; none while one cannot be known.
pub(super) fn resolve(wanted: &RenderedStack, flow: &Flow) -> BTreeMap<String, Option<String>> {
    let value = |parameter: &Parameter| match parameter {
        Parameter::Value(value) => Some(value.clone()),
        Parameter::Secret { value } => Some(value.0.clone()),
        Parameter::Image { reference, .. } => Some(reference.clone()),
        Parameter::Output { stack, key } => flow.get(stack)?.get(key)?.clone(),
        Parameter::LocalImage(image) => image.reference(flow.get(&image.repository)?.get(REPOSITORY_URI)?.as_ref()?),
        Parameter::Package(package) => package.value(|stack, key| flow.get(stack)?.get(key)?.clone()),
    };
    wanted.parameters.iter().map(|(name, parameter)| (name.clone(), value(parameter))).collect()
}

/// How a stack differs from what is wanted of it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Differences {
    pub template: bool,
    pub parameters: BTreeMap<String, ValueChange>,
    pub tags: BTreeMap<String, ValueChange>,
    pub images: BTreeMap<String, ValueChange>,
    pub packages: BTreeMap<String, ValueChange>,
    pub protection: Option<ValueChange>,
}

impl Differences {
    pub fn is_empty(&self) -> bool {
        *self == Differences::default()
    }

    /// Between a stack and what is wanted of it. `values` are the parameters' values as [`resolve`] gives them.
    pub fn between(
        deployed: &Deployed,
        record: Option<&StackRecord>,
        wanted: &RenderedStack,
        values: &BTreeMap<String, Option<String>>,
        resolved: &Resolved,
        head: &Head,
    ) -> Differences {
        let equivalent = equivalent(deployed, record, wanted, values, head);
        let now = equivalent.map_or(&deployed.parameters, |equivalent| &equivalent.parameters);
        let mut parameters = parameters(now, values, head);
        // A parameter that names the same SSM parameter as before, which holds something else by now.
        let given = lookups::given(deployed, record, equivalent.is_some());
        for (name, value) in resolved.values.iter().filter(|(name, _)| !head.is_secret(name)) {
            let is_it = |before: &str| value.as_ref().is_some_and(|value| shows(before, value));
            if let Some(before) = given.get(name).filter(|before| !is_it(before))
                && !parameters.contains_key(name)
            {
                let after = value.as_ref().map_or(Value::Unknown, Value::text);
                parameters.insert(name.clone(), ValueChange::new(named(name, Value::text(before)), named(name, after)));
            }
        }
        Differences {
            template: equivalent.is_none() && !same_template(deployed, record, wanted),
            parameters,
            tags: tags(&deployed.tags, &wanted.tags),
            images: images(now, wanted, values),
            packages: packages(now, wanted, values),
            protection: protection(Some((deployed, record)), wanted),
        }
    }

    /// Of a stack that is made from nothing.
    pub fn creation(wanted: &RenderedStack, values: &BTreeMap<String, Option<String>>, head: &Head) -> Differences {
        Differences {
            template: true,
            parameters: parameters(&BTreeMap::new(), values, head),
            tags: tags(&BTreeMap::new(), &wanted.tags),
            images: images(&BTreeMap::new(), wanted, values),
            packages: packages(&BTreeMap::new(), wanted, values),
            protection: protection(None, wanted),
        }
    }
}

/// What CloudFormation found to change nothing, where that is what is wanted: the stack counts as having it.
pub(super) fn equivalent<'r>(
    deployed: &Deployed,
    record: Option<&'r StackRecord>,
    wanted: &RenderedStack,
    values: &BTreeMap<String, Option<String>>,
    head: &Head,
) -> Option<&'r Equivalent> {
    let record = record.filter(|record| record.fingerprint == deployed.fingerprint())?;
    record.equivalent.as_ref().filter(|equivalent| {
        equivalent.template_digest == wanted.template_digest
            && parameters(&equivalent.parameters, values, head).is_empty()
    })
}

/// Whether the stack has the wanted template. The state's digest counts as long as nobody touched the stack since; else its
/// template is looked at. A template that nobody knows counts as another one.
pub(super) fn same_template(deployed: &Deployed, record: Option<&StackRecord>, wanted: &RenderedStack) -> bool {
    let known = record.filter(|record| record.fingerprint == deployed.fingerprint());
    known.is_some_and(|record| record.template_digest == wanted.template_digest)
        || has_template(deployed, record, wanted)
}

/// Whether the stack's template, as it was read, is the wanted one.
pub fn has_template(deployed: &Deployed, record: Option<&StackRecord>, wanted: &RenderedStack) -> bool {
    let Some(template) = deployed.template.as_deref() else { return false };
    if template == wanted.template {
        return true;
    }
    let (Some(mut now), Some(wanted)) = (as_json(template), as_json(&wanted.template)) else { return false };
    if !is_exact(template, record) {
        restore(&mut now, &wanted);
    }
    now == wanted
}

/// The stack's template with the characters that CloudFormation did not give back, as far as the wanted one tells them. None
/// where it is what was sent.
pub fn restored(template: &str, record: Option<&StackRecord>, wanted: &RenderedStack) -> Option<String> {
    if is_exact(template, record) {
        return None;
    }
    let mut now = as_json(template)?;
    let before = now.clone();
    restore(&mut now, &serde_json::from_str(&wanted.template).ok()?);
    (now != before).then(|| now.to_string())
}

/// A template as a tree: JSON, as infra sends it, or the YAML of others. None where it is neither.
fn as_json(template: &str) -> Option<Json> {
    serde_json::from_str(template).ok().or_else(|| Some(Template::read(template).ok()?.0.to_json()))
}

/// Whether a template is given back as it was sent: all is that infra sends, for it is ASCII. Others sent theirs otherwise, as
/// did infra once; one that the state has only taken up means something else by its record.
fn is_exact(template: &str, record: Option<&StackRecord>) -> bool {
    let is_sent = |record: &StackRecord| record.equivalent.is_none() && record.template_digest == digest(template);
    !template.contains('?') || record.is_some_and(is_sent)
}

/// Puts in the texts of `wanted` for those that CloudFormation would show so.
pub fn restore(shown: &mut Json, wanted: &Json) {
    match (shown, wanted) {
        (Json::String(shown), Json::String(wanted)) if shows(shown, wanted) => shown.clone_from(wanted),
        (Json::Array(shown), Json::Array(wanted)) => {
            shown.iter_mut().zip(wanted).for_each(|(shown, wanted)| restore(shown, wanted));
        }
        (Json::Object(shown), Json::Object(wanted)) => {
            for (key, value) in wanted {
                let in_answer = in_ascii(key);
                if in_answer != *key
                    && let Some(found) = shown.shift_remove(in_answer.as_ref())
                {
                    shown.insert(key.clone(), found);
                }
                if let Some(found) = shown.get_mut(key) {
                    restore(found, value);
                }
            }
        }
        _ => {}
    }
}

/// Before: what the stack has, defaults included. After: what it is given, or else the default.
fn parameters(
    before: &BTreeMap<String, String>,
    given: &BTreeMap<String, Option<String>>,
    head: &Head,
) -> BTreeMap<String, ValueChange> {
    let mut after: BTreeMap<&str, Option<String>> = BTreeMap::new();
    for (name, declared) in &head.parameters {
        if let Some(default) = declared.default() {
            after.insert(name, Some(default));
        }
    }
    after.extend(given.iter().map(|(name, value)| (name.as_str(), value.clone())));
    let mut changes = BTreeMap::new();
    for name in before.keys().map(String::as_str).chain(after.keys().copied()) {
        let (old, new) = (before.get(name), after.get(name));
        // What a secret was cannot be seen, so that a new one cannot be told from it.
        if head.is_secret(name) {
            if old.is_none() {
                changes.insert(name.to_owned(), ValueChange::new(Value::Absent, Value::Sensitive));
            }
            continue;
        }
        let new = match new {
            None => Value::Absent,
            Some(None) => Value::Unknown,
            Some(Some(text)) => Value::text(text),
        };
        let old = old.map_or(Value::Absent, Value::text);
        // A state keeps nothing of what is secret by its name.
        if old == Value::text(sensitive::MASKED) {
            continue;
        }
        if old != new {
            changes.insert(name.to_owned(), ValueChange::new(named(name, old), named(name, new)));
        }
    }
    changes
}

fn tags(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> BTreeMap<String, ValueChange> {
    let value = |text: Option<&String>| text.map_or(Value::Absent, Value::text);
    let keys = before.keys().chain(after.keys());
    let changed = keys.filter(|key| before.get(*key) != after.get(*key));
    let value = |key: &str, text| named(key, value(text));
    changed
        .map(|key| (key.clone(), ValueChange::new(value(key, before.get(key)), value(key, after.get(key)))))
        .collect()
}

fn images(
    before: &BTreeMap<String, String>,
    wanted: &RenderedStack,
    values: &BTreeMap<String, Option<String>>,
) -> BTreeMap<String, ValueChange> {
    let mut changes = BTreeMap::new();
    for (key, parameter) in &wanted.parameters {
        let name = match parameter {
            Parameter::Image { name, .. } => name,
            Parameter::LocalImage(image) => &image.name,
            _ => continue,
        };
        let after = values.get(key).and_then(Option::as_ref);
        if after.is_none() || before.get(key) != after {
            let old = before.get(key).map_or(Value::Absent, Value::text);
            changes.insert(name.clone(), ValueChange::new(old, after.map_or(Value::Unknown, Value::text)));
        }
    }
    changes
}

/// Digests of the packages that become others, or go elsewhere.
fn packages(
    before: &BTreeMap<String, String>,
    wanted: &RenderedStack,
    values: &BTreeMap<String, Option<String>>,
) -> BTreeMap<String, ValueChange> {
    let mut changes: BTreeMap<String, ValueChange> = BTreeMap::new();
    for (key, parameter) in &wanted.parameters {
        let Parameter::Package(package) = parameter else { continue };
        let after = values.get(key).and_then(Option::as_ref);
        let old = before.get(key).and_then(|value| package_digest(value));
        if after.is_none() || before.get(key) != after {
            let new = package.digest.as_ref().map_or(Value::Unknown, Value::text);
            changes.entry(package.name.clone()).or_insert_with(|| ValueChange::new(Value::Absent, new));
        }
        // Of several parameters only some say which one it was.
        if let (Some(change), Some(old)) = (changes.get_mut(&package.name), old) {
            change.before = Value::text(old);
        }
    }
    changes
}

fn protection(before: Option<(&Deployed, Option<&StackRecord>)>, wanted: &RenderedStack) -> Option<ValueChange> {
    let now = before.is_some_and(|(deployed, _)| deployed.termination_protection);
    let policy_now = before.and_then(|(_, record)| record.and_then(|record| record.stack_policy_digest.as_deref()));
    let policy = wanted.stack_policy.as_deref().map(digest);
    if now == wanted.protect && policy_now == policy.as_deref() {
        return None;
    }
    let words = |on: bool, policy: Option<&str>| match (on, policy) {
        (false, None) => "off".to_owned(),
        (true, None) => "termination protection".to_owned(),
        (false, Some(policy)) => format!("stack policy {}", short(policy)),
        (true, Some(policy)) => format!("termination protection, stack policy {}", short(policy)),
    };
    let after = words(wanted.protect, policy.as_deref());
    Some(ValueChange::new(Value::text(words(now, policy_now)), Value::text(after)))
}

/// Enough of a digest to tell two of them apart.
fn short(digest: &str) -> &str {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    hex.get(..8).unwrap_or(hex)
}

//! The way back on the side of the files: inputs that would make the templates say what is in the account.
//!
//! Which input a property comes from nobody writes down. It is tried: the input whose value is the declared one is given the
//! live one, everything is rendered anew, and it is taken only if what then differs from before is what had drifted.

use super::compare::{Declared, escaped};
use super::declared::declared;
use super::document::{Drift, PropertyDrift, ResourceDrift};
use super::facts::{Facts, ResourceFacts, StackFacts};
use super::meaning::{normal, same};
use crate::catalog::{Catalog, Kind, Spec};
use crate::document::to_json;
use crate::model::{Deployed, Environment, Input, InputKind, InputValue, Parameter, RenderedStack, StackSpec};
use crate::plan::Value;
use crate::problem::Location;
use crate::render::render;
use cloudformation::sensitive::HIDDEN;
use indexmap::IndexMap;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// An input that takes over the live value.
#[derive(Debug, Clone, PartialEq)]
pub struct Adoption {
    pub stack: String,
    pub logical_id: String,
    /// The property that had drifted.
    pub property: String,
    /// Below `stacks.<stack>.inputs`.
    pub input: Vec<String>,
    pub value: Json,
}

/// A difference that no input can take over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAdopted {
    /// `stack.Resource.Property`
    pub what: String,
    pub because: String,
}

/// What the files would have to say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Adoptions {
    pub adopted: Vec<Adoption>,
    pub not: Vec<NotAdopted>,
}

impl Adoptions {
    /// The stacks whose files change.
    pub fn stacks(&self) -> Vec<String> {
        let mut stacks: Vec<String> = self.adopted.iter().map(|adoption| adoption.stack.clone()).collect();
        stacks.dedup();
        stacks
    }
}

pub fn adopt(drift: &Drift, facts: &Facts, environment: &Environment, catalog: &Catalog) -> Adoptions {
    let mut found = Adoptions::default();
    for stack in &drift.stacks {
        let not = |what: &str, because: &str| NotAdopted {
            what: if what.is_empty() { stack.stack.clone() } else { format!("{}.{what}", stack.stack) },
            because: because.to_owned(),
        };
        for change in &stack.changes {
            found.not.push(not(&change.what, "it is of the stack itself: `infra apply` puts it back"));
        }
        let Some(stack_facts) = facts.stacks.iter().find(|facts| facts.name == stack.stack) else { continue };
        for resource in stack.drifted() {
            if resource.confirmed().next().is_none() {
                found.not.push(not(&resource.logical_id, "it is gone: `--revert` makes it anew"));
            }
            for property in resource.confirmed() {
                let what = format!("{}.{}", resource.logical_id, property.path);
                let tried = Trial::new(stack_facts, environment, catalog);
                match tried.and_then(|trial| trial.input_for(resource, property)) {
                    Ok((input, value)) => found.adopted.push(Adoption {
                        stack: stack.stack.clone(),
                        logical_id: resource.logical_id.clone(),
                        property: property.path.clone(),
                        input,
                        value,
                    }),
                    Err(because) => found.not.push(not(&what, &because)),
                }
            }
        }
    }
    found.adopted.dedup_by(|one, other| one.stack == other.stack && one.input == other.input);
    found
}

/// One stack, ready to be rendered with other inputs.
struct Trial<'a> {
    facts: &'a StackFacts,
    deployed: &'a Deployed,
    spec: &'a StackSpec,
    inputs: IndexMap<String, Spec>,
    environment: &'a Environment,
    catalog: &'a Catalog,
    /// What the files declare as they are.
    now: BTreeMap<String, Declared>,
}

impl<'a> Trial<'a> {
    fn new(facts: &'a StackFacts, environment: &'a Environment, catalog: &'a Catalog) -> Result<Trial<'a>, String> {
        let gone = || "the environment's file no longer has the stack".to_owned();
        let spec = environment.stacks.get(&facts.name).ok_or_else(gone)?;
        let (wanted, deployed) = facts.wanted.as_ref().zip(facts.deployed.as_ref()).ok_or_else(gone)?;
        let template = catalog.get(&spec.template).map_err(|_| "its template cannot be read".to_owned())?;
        let inputs = template.manifest.inputs.clone();
        let now = declares(facts, deployed, wanted).ok_or("its template cannot be evaluated")?;
        Ok(Trial { facts, deployed, spec, inputs, environment, catalog, now })
    }

    /// The input whose value the property is, and the value that makes it what is live.
    fn input_for(&self, resource: &ResourceDrift, property: &PropertyDrift) -> Result<(Vec<String>, Json), String> {
        let (declared, live) = match (&property.change.before, &property.change.after) {
            (Value::Sensitive, _) | (_, Value::Sensitive) => {
                return Err("it is sensitive, and no secret is written into a file".to_owned());
            }
            (Value::Known(declared), Value::Known(live))
                if [declared, live].iter().any(|value| value.to_string().contains(HIDDEN)) =>
            {
                return Err("a part of it is sensitive, and no secret is written into a file".to_owned());
            }
            (Value::Known(declared), Value::Known(live)) if is_scalar(declared) && is_scalar(live) => (declared, live),
            (_, Value::Absent) => return Err("nothing is there that an input could say".to_owned()),
            (Value::Absent, _) => return Err("the template has no place for it".to_owned()),
            _ => return Err("it is no single value".to_owned()),
        };
        let mut leaves = Vec::new();
        for (name, spec) in &self.inputs {
            let given = self.spec.inputs.get(name).map(|input| to_json(&input.value));
            gather_leaves(spec, vec![name.clone()], given.as_ref(), &mut leaves);
        }
        let candidates = leaves.into_iter().filter(|(_, value)| same(value, declared));
        let mut near_miss = None;
        for (path, value) in candidates {
            let Some(new) = typed_like(&value, live) else { continue };
            match self.try_out(&path, &new, resource, property, live) {
                Ok(()) => return Ok((path, new)),
                Err(because) => near_miss = near_miss.or(because),
            }
        }
        Err(near_miss.unwrap_or_else(|| "no input of its template decides it".to_owned()))
    }

    /// Whether this input makes the property what is live, and nothing else otherwise than it is. An error with a reason is
    /// worth telling: the input decides the property, and more.
    fn try_out(
        &self,
        path: &[String],
        value: &Json,
        resource: &ResourceDrift,
        property: &PropertyDrift,
        live: &Json,
    ) -> Result<(), Option<String>> {
        let mut environment = self.environment.clone();
        let spec = environment.stacks.get_mut(&self.spec.name).ok_or(None)?;
        place(&mut spec.inputs, path, value, &self.spec.at);
        let rendered = render(&environment, self.catalog)
            .map_err(|_| Some(format!("the input `{}` does not take {value}", path.join("."))))?;
        let wanted = rendered.into_iter().find(|stack| stack.name == self.spec.name).ok_or(None)?;
        let then = declares(self.facts, self.deployed, &wanted).ok_or(None)?;
        let reached = then.get(&resource.logical_id).and_then(|it| it.properties.pointer(&property.pointer));
        if !reached.is_some_and(|reached| same(&normal(reached), &normal(live))) {
            return Err(None);
        }
        let mut elsewhere = Vec::new();
        for (logical_id, then) in &then {
            let empty = Json::Object(Default::default());
            let now = self.now.get(logical_id).map_or(&empty, |it| &it.properties);
            let mut changed = Vec::new();
            leaf_changes(now, &then.properties, "", &mut changed);
            let facts = self.facts.resources.iter().flatten().find(|it| it.resource.logical_id == *logical_id);
            let lives = |pointer: &str, value: Option<&Json>| {
                let live = facts.and_then(|facts| facts.properties()?.pointer(pointer));
                match (live, value) {
                    (Some(live), Some(value)) => same(&normal(live), &normal(value)),
                    (None, None) => true,
                    _ => false,
                }
            };
            let is_it = |pointer: &str| *logical_id == resource.logical_id && pointer == property.pointer;
            elsewhere.extend(
                changed
                    .into_iter()
                    .filter(|(pointer, value)| !is_it(pointer) && !lives(pointer, *value))
                    .map(|(pointer, _)| format!("{logical_id}.{}", super::judge::path_text(&pointer))),
            );
        }
        match elsewhere.is_empty() {
            true => Ok(()),
            false => {
                elsewhere.truncate(3);
                Err(Some(format!("the input `{}` would change more: {}", path.join("."), elsewhere.join(", "))))
            }
        }
    }
}

/// What a rendered template would declare, with the stack's resources as they are.
fn declares(facts: &StackFacts, deployed: &Deployed, wanted: &RenderedStack) -> Option<BTreeMap<String, Declared>> {
    let mut deployed = Deployed { template: Some(wanted.template.clone()), ..deployed.clone() };
    for (name, parameter) in &wanted.parameters {
        if let Parameter::Value(value) = parameter {
            deployed.parameters.insert(name.clone(), value.clone());
        }
    }
    let resources: BTreeMap<&str, &ResourceFacts> =
        facts.resources.iter().flatten().map(|facts| (facts.resource.logical_id.as_str(), facts)).collect();
    declared(&deployed, &resources)
}

/// Single values below an input, each with what it is now.
fn gather_leaves(spec: &Spec, path: Vec<String>, given: Option<&Json>, leaves: &mut Vec<(Vec<String>, Json)>) {
    let default = || spec.default.as_ref().map(to_json);
    let value = given.cloned().or_else(default);
    let below = |name: &str| path.iter().cloned().chain([name.to_owned()]).collect::<Vec<String>>();
    match &spec.kind {
        Kind::Fields(fields) => {
            for (name, field) in fields {
                gather_leaves(field, below(name), value.as_ref().and_then(|value| value.get(name)), leaves);
            }
        }
        Kind::Map(items) => {
            for (name, item) in value.as_ref().and_then(Json::as_object).into_iter().flatten() {
                gather_leaves(items, below(name), Some(item), leaves);
            }
        }
        Kind::List(_) | Kind::Any => {}
        _ => leaves.extend(value.filter(is_scalar).map(|value| (path, value))),
    }
}

/// The live value in the form that the input has: `"4"` for a number is 4.
fn typed_like(now: &Json, live: &Json) -> Option<Json> {
    let text = live.as_str().map_or_else(|| live.to_string(), str::to_owned);
    match now {
        Json::Number(_) => text.parse::<i64>().map(Json::from).ok().or_else(|| serde_json::from_str(&text).ok()),
        Json::Bool(_) => text.parse::<bool>().map(Json::from).ok(),
        Json::String(_) => Some(Json::String(text)),
        _ => None,
    }
}

fn is_scalar(value: &Json) -> bool {
    value.is_string() || value.is_number() || value.is_boolean()
}

/// Puts a value below the inputs, with the maps on the way.
fn place(inputs: &mut IndexMap<String, Input>, path: &[String], value: &Json, at: &Location) {
    let Some((first, rest)) = path.split_first() else { return };
    let fresh = |kind: InputKind| Input { key_at: at.clone(), value: InputValue { at: at.clone(), kind } };
    match rest.is_empty() {
        true => {
            inputs.insert(first.clone(), fresh(InputKind::Scalar(value.clone())));
        }
        false => {
            let entry = inputs.entry(first.clone()).or_insert_with(|| fresh(InputKind::Map(IndexMap::new())));
            if let InputKind::Map(below) = &mut entry.value.kind {
                place(below, rest, value, at);
            }
        }
    }
}

/// Pointers to what differs, with the new value.
fn leaf_changes<'j>(before: &Json, after: &'j Json, pointer: &str, changed: &mut Vec<(String, Option<&'j Json>)>) {
    match (before, after) {
        (Json::Object(one), Json::Object(other)) => {
            for (name, value) in other {
                let pointer = format!("{pointer}/{}", escaped(name));
                match one.get(name) {
                    Some(before) => leaf_changes(before, value, &pointer, changed),
                    None => changed.push((pointer, Some(value))),
                }
            }
            let gone = one.keys().filter(|name| !other.contains_key(*name));
            changed.extend(gone.map(|name| (format!("{pointer}/{}", escaped(name)), None)));
        }
        (Json::Array(one), Json::Array(other)) if one.len() == other.len() => {
            for (at, (before, after)) in one.iter().zip(other).enumerate() {
                leaf_changes(before, after, &format!("{pointer}/{at}"), changed);
            }
        }
        (before, after) if same(before, after) => {}
        (_, after) => changed.push((pointer.to_owned(), Some(after))),
    }
}

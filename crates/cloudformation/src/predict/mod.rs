//! What CloudFormation will do: the change set between a stack as it is and as it should be, without asking.
//!
//! [`predict`] compares two [`Deployment`]s and gives [`ResourceChange`]s; [`describe`] writes them as DescribeChangeSet
//! does, with property values or without. The rules are read off what AWS answered (the conformance test holds the
//! answers); where AWS has two answers for one change set, each detail knows in which it is [`Shown`].

mod attributes;
mod change;
mod describe;
mod details;
mod diff;
mod state;

use crate::evaluate::{Environment, Evaluator, Facts, ParameterValue, Read, Resources, Value};
use crate::order::Order;
use crate::template::{Problem, Template, Text};
use attributes::Attributes;
use details::ParameterChange;
use indexmap::IndexMap;
use serde::Serialize;
use state::{Becoming, Fate, Live, Nothing, Symbols};
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;

pub use change::{
    Action, Attribute, ChangeSource, ChangeType, Context, Detail, Evaluation, PolicyAction, Replacement,
    RequiresRecreation, ResourceChange, Shown, Target, replacement,
};
pub use describe::{PropertyValues, describe};

/// A template with all that decides what it means.
#[derive(Debug, Clone)]
pub struct Deployment {
    pub template: Template,
    /// Values of parameters; defaults stand for those that are missing.
    pub parameters: IndexMap<String, ParameterValue>,
    pub environment: Environment,
    /// What is known of the account. The stack's own resources are looked up in the facts of the state before.
    pub facts: Facts,
    /// Existing resources that become part of the stack: logical id → physical id.
    pub imports: IndexMap<String, String>,
    /// Tags of the stack, which CloudFormation puts on every resource that takes tags.
    pub tags: IndexMap<String, String>,
}

impl Deployment {
    /// A template alone: nothing is known but its defaults.
    pub fn new(template: Template) -> Self {
        Deployment {
            template,
            parameters: IndexMap::new(),
            environment: Environment::default(),
            facts: Facts::default(),
            imports: IndexMap::new(),
            tags: IndexMap::new(),
        }
    }
}

/// What will happen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// In the order in which CloudFormation gets to them: removals last, and dependents first among these.
    pub changes: Vec<ResourceChange>,
    pub outputs: IndexMap<String, OutputChange>,
}

/// An output before and after. An output that is not there is `None`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutputChange {
    pub before: Option<Value>,
    pub after: Option<Value>,
    /// Whether it reads an attribute of a resource that is modified in place, so that `after` is not certain.
    pub may_change: bool,
}

/// Predicts the change set from `before` (`None`: there is no stack) to `after` (`None`: the stack is deleted).
///
/// # Errors
/// What CloudFormation would refuse, and macros, which only CloudFormation can run.
pub fn predict(before: Option<&Deployment>, after: Option<&Deployment>) -> Result<Prediction, Vec<Problem>> {
    let before = before.map(expanded).transpose()?;
    let after = after.map(expanded).transpose()?;
    let before = before.as_deref().map(State::new).transpose()?;
    let after = after.as_deref().map(State::new).transpose()?;
    if let Some(after) = &after {
        after.evaluator.check_rules();
    }
    let mut predictor = Predictor {
        live: before.as_ref().map(State::live),
        before: before.as_ref(),
        after: after.as_ref(),
        fates: IndexMap::new(),
        changes: Vec::new(),
        room: Cell::new(ROOM),
    };
    predictor.run()?;
    let outputs = predictor.outputs();
    let changes = predictor.changes;
    // What went wrong with the old template is history, as long as the new one is right.
    match after.as_ref().or(before.as_ref()).map(|state| state.evaluator.problems()) {
        Some(problems) if !problems.is_empty() => Err(problems),
        _ => Ok(Prediction { changes, outputs }),
    }
}

fn expanded(deployment: &Deployment) -> Result<Cow<'_, Deployment>, Vec<Problem>> {
    let template = &deployment.template;
    let macros = template.macros().map(|one| (one.name.value.as_str(), one.name.span));
    let sections = template.section_transforms.iter().map(|(section, span)| (*section, *span));
    let problems: Vec<Problem> = macros
        .chain(sections)
        .map(|(name, span)| {
            Problem::new(format!("only CloudFormation can run the macro of {name}"), span, "/Transform")
        })
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    if !template.has_language_extensions() {
        return Ok(Cow::Borrowed(deployment));
    }
    let template =
        crate::extensions::expand(template, &deployment.parameters, &deployment.environment, &deployment.facts)?;
    Ok(Cow::Owned(Deployment { template, ..deployment.clone() }))
}

/// A deployment, ready to be evaluated.
struct State<'a> {
    deployment: &'a Deployment,
    evaluator: Evaluator<'a>,
    order: Order<'a>,
}

impl<'a> State<'a> {
    fn new(deployment: &'a Deployment) -> Result<Self, Vec<Problem>> {
        let template = &deployment.template;
        let evaluator = Evaluator::new(template, &deployment.parameters, &deployment.environment, &deployment.facts);
        let order = Order::of(template).map_err(|cycle| vec![*cycle])?;
        Ok(State { deployment, evaluator, order })
    }

    fn template(&self) -> &'a Template {
        &self.deployment.template
    }

    fn has(&self, id: &str) -> bool {
        self.template().resources.contains_key(id) && self.evaluator.exists(id) != Some(false)
    }

    /// The name of the SSM parameter whose value a parameter has, where it is one of an SSM type.
    fn looks_up(&self, name: &str) -> Option<&str> {
        let declared = self.template().parameters.get(name).filter(|declared| declared.parameter_type.is_ssm())?;
        match self.deployment.parameters.get(name) {
            Some(ParameterValue::Known(key)) => Some(key),
            Some(ParameterValue::Unknown) => None,
            None => declared.default.as_ref().map(|default| default.value.as_str()),
        }
    }

    fn live(&self) -> Live<'a> {
        let mut live = Live { template: self.template(), facts: &self.deployment.facts, attributes: HashMap::new() };
        for id in &self.order.creation {
            if self.has(id) {
                let attributes = self.attributes(id, &live);
                live.attributes.insert(id, attributes);
            }
        }
        live
    }

    fn attributes(&self, id: &str, resources: &dyn Resources) -> Attributes {
        match self.template().resources.get(id) {
            Some(resource) => Attributes::of(resource, id, &self.evaluator, resources),
            None => Attributes::default(),
        }
    }

    fn symbols(&self, id: &str) -> Attributes {
        self.attributes(id, &Symbols { template: self.template(), evaluator: &self.evaluator })
    }

    fn type_of(&self, id: &str) -> &'a str {
        self.template().resources.get(id).map_or("", |resource| resource.resource_type.value.as_str())
    }
}

struct Predictor<'a, 's> {
    before: Option<&'s State<'a>>,
    after: Option<&'s State<'a>>,
    live: Option<Live<'a>>,
    fates: IndexMap<String, Fate>,
    changes: Vec<ResourceChange>,
    /// Bytes of values that details may still hold.
    room: Cell<usize>,
}

/// 64 MiB, far more than a template can sensibly change.
const ROOM: usize = 64 * 1024 * 1024;

impl Predictor<'_, '_> {
    fn run(&mut self) -> Result<(), Vec<Problem>> {
        self.refuse_changed_types()?;
        if let Some(after) = self.after {
            for id in &after.order.creation {
                if after.has(id) {
                    after.evaluator.check_depends_on(id);
                    let there = self.before.is_some_and(|before| before.has(id));
                    let fate = if there { self.modify(id) } else { self.add(id) };
                    self.fates.insert((*id).to_owned(), fate);
                }
            }
        }
        if let Some(before) = self.before {
            for id in before.order.deletion() {
                if before.has(id) && !self.after.is_some_and(|after| after.has(id)) {
                    self.remove(id);
                }
            }
        }
        Ok(())
    }

    fn refuse_changed_types(&self) -> Result<(), Vec<Problem>> {
        let (Some(before), Some(after)) = (self.before, self.after) else { return Ok(()) };
        let both = after.template().resources.keys().filter(|id| before.has(id) && after.has(id));
        let changed: Vec<&str> =
            both.filter(|id| before.type_of(id) != after.type_of(id)).map(String::as_str).collect();
        let Some(first) = changed.first().and_then(|id| after.template().resources.get(*id)) else { return Ok(()) };
        let message = format!(
            "Update of resource type is not permitted. The new template modifies resource type of the following \
             resources: [{}]",
            changed.join(", ")
        );
        Err(vec![Problem::new(message, first.resource_type.span, "/Resources")])
    }

    fn becoming<'l>(&'l self, after: &'l State<'_>) -> Becoming<'l, 'l> {
        Becoming {
            template: after.template(),
            evaluator: &after.evaluator,
            live: self.live.as_ref(),
            fates: &self.fates,
        }
    }

    fn add(&mut self, id: &str) -> Fate {
        let Some(after) = self.after else { return Fate::New };
        let attributes = after.attributes(id, &self.becoming(after));
        let imported = after.deployment.imports.get(id);
        let action = match (after.evaluator.exists(id), imported) {
            (None, _) => Action::Dynamic,
            (_, Some(_)) => Action::Import,
            _ => Action::Add,
        };
        self.changes.push(ResourceChange {
            action,
            logical_id: id.to_owned(),
            physical_id: imported.cloned(),
            resource_type: after.type_of(id).to_owned(),
            replacement: None,
            policy_action: None,
            scope: Vec::new(),
            details: Vec::new(),
            before: None,
            after: Some(attributes.into_context()),
        });
        Fate::New
    }

    fn modify(&mut self, id: &str) -> Fate {
        let (Some(before), Some(after), Some(live)) = (self.before, self.after, self.live.as_ref()) else {
            return Fate::Unchanged;
        };
        let Some(old) = live.attributes.get(id) else { return Fate::Unchanged };
        let new = after.attributes(id, &self.becoming(after));
        let parameters = |name: &str| {
            let old = before.evaluator.parameter(name).map(Value::reveal);
            let new = after.evaluator.parameter(name).map(Value::reveal);
            match (old == new, new.as_ref().is_none_or(Value::is_known)) {
                (true, _) => ParameterChange::Same,
                // It is what it was, and only what its SSM parameter holds has changed: to CloudFormation that is no change of
                // the parameter.
                (false, true) if before.looks_up(name).is_some_and(|key| after.looks_up(name) == Some(key)) => {
                    ParameterChange::Same
                }
                (false, true) => ParameterChange::Changed,
                (false, false) => ParameterChange::Open,
            }
        };
        let comparison = details::Comparison {
            resource_type: after.type_of(id),
            before: old,
            after: &new,
            before_symbols: &before.symbols(id),
            after_symbols: &after.symbols(id),
            fates: &self.fates,
            parameters: &parameters,
            room: &self.room,
        };
        let mut details = comparison.details();
        if after.type_of(id) == "AWS::CloudFormation::Stack" {
            details.push(bare(Attribute::Properties, Evaluation::Dynamic, ChangeSource::Automatic));
        }
        if before.deployment.tags != after.deployment.tags && takes_tags(after.type_of(id)) {
            details.push(bare(Attribute::Tags, Evaluation::Static, ChangeSource::DirectModification));
        }
        let uncertain = after.evaluator.exists(id).is_none();
        if details.is_empty() && !uncertain {
            return Fate::Unchanged;
        }
        let replaced = replacement(details.iter());
        let policy_action = (replaced != Replacement::False).then(|| replaced_policy(&new));
        let mut scope: Vec<Attribute> = details.iter().map(|detail| detail.target.attribute).collect();
        scope.sort_unstable();
        scope.dedup();
        self.changes.push(ResourceChange {
            action: if uncertain { Action::Dynamic } else { Action::Modify },
            logical_id: id.to_owned(),
            physical_id: live.physical_id(id),
            resource_type: after.type_of(id).to_owned(),
            replacement: Some(replaced),
            scope,
            details,
            before: Some(old.clone().into_context()),
            policy_action,
            after: Some(new.into_context()),
        });
        match replaced {
            Replacement::True => Fate::Replaced,
            Replacement::Conditional => Fate::Conditional,
            Replacement::False => Fate::Modified,
        }
    }

    fn remove(&mut self, id: &str) {
        let (Some(before), Some(live)) = (self.before, self.live.as_ref()) else { return };
        let attributes = before.attributes(id, &Nothing { template: before.template(), evaluator: &before.evaluator });
        self.changes.push(ResourceChange {
            action: Action::Remove,
            logical_id: id.to_owned(),
            physical_id: live.physical_id(id),
            resource_type: before.type_of(id).to_owned(),
            replacement: None,
            policy_action: Some(removed_policy(before.type_of(id), &attributes)),
            scope: Vec::new(),
            details: Vec::new(),
            before: Some(attributes.into_context()),
            after: None,
        });
    }

    fn outputs(&self) -> IndexMap<String, OutputChange> {
        let exists = |state: &State<'_>, condition: &Option<Text>| {
            condition.as_ref().is_none_or(|name| state.evaluator.condition(&name.value) != Some(false))
        };
        let mut outputs: IndexMap<String, OutputChange> = IndexMap::new();
        if let (Some(before), Some(live)) = (self.before, self.live.as_ref()) {
            for (name, output) in &before.template().outputs {
                if exists(before, &output.condition) {
                    let value = before.evaluator.evaluate(&output.value, live, &format!("/Outputs/{name}/Value")).value;
                    let value = Some(value.into_text_scalars());
                    outputs.insert(name.clone(), OutputChange { before: value, after: None, may_change: false });
                }
            }
        }
        if let Some(after) = self.after {
            for (name, output) in &after.template().outputs {
                if exists(after, &output.condition) {
                    let origin = format!("/Outputs/{name}/Value");
                    let evaluated = after.evaluator.evaluate(&output.value, &self.becoming(after), &origin);
                    let entry = outputs.entry(name.clone()).or_insert(OutputChange {
                        before: None,
                        after: None,
                        may_change: false,
                    });
                    entry.may_change = evaluated.reads.iter().any(|(_, read)| self.is_open(read));
                    entry.after = Some(evaluated.value.into_text_scalars());
                }
            }
        }
        outputs
    }

    fn is_open(&self, read: &Read) -> bool {
        match read {
            Read::Parameter(_) => false,
            Read::Resource(id) => self.fates.get(id) == Some(&Fate::Conditional),
            Read::Attribute(id, _) => matches!(self.fates.get(id), Some(Fate::Modified | Fate::Conditional)),
        }
    }
}

/// A change without a place or values: of a nested stack, whose template may have changed behind its URL, and of tags
/// that come from the stack.
fn bare(attribute: Attribute, evaluation: Evaluation, source: ChangeSource) -> Detail {
    let requires_recreation = RequiresRecreation::Never;
    let target =
        Target { attribute, name: None, path: None, change: None, before: None, after: None, requires_recreation };
    Detail { target, evaluation, source, causing_entity: None, shown: Shown::Always }
}

fn takes_tags(type_name: &str) -> bool {
    crate::schema::resource_type(type_name).is_some_and(|schema| {
        let tagging = schema.tagging();
        tagging.taggable && tagging.tag_updatable && tagging.tag_property.is_some()
    })
}

/// What becomes of the old resource by its `UpdateReplacePolicy`.
fn replaced_policy(after: &Attributes) -> PolicyAction {
    match after.policy(Attribute::UpdateReplacePolicy).as_deref() {
        Some("Retain") => PolicyAction::ReplaceAndRetain,
        Some("Snapshot") => PolicyAction::ReplaceAndSnapshot,
        _ => PolicyAction::ReplaceAndDelete,
    }
}

/// What becomes of a resource by its `DeletionPolicy`. Without one, databases leave a snapshot (user guide,
/// "DeletionPolicy attribute").
fn removed_policy(type_name: &str, before: &Attributes) -> PolicyAction {
    let clustered = matches!(before.properties(), Value::Map(all) if all.contains_key("DBClusterIdentifier"));
    match before.policy(Attribute::DeletionPolicy).as_deref() {
        Some("Retain" | "RetainExceptOnCreate") => PolicyAction::Retain,
        Some("Snapshot") => PolicyAction::Snapshot,
        Some(_) => PolicyAction::Delete,
        None if type_name == "AWS::RDS::DBCluster" => PolicyAction::Snapshot,
        None if type_name == "AWS::RDS::DBInstance" && !clustered => PolicyAction::Snapshot,
        None => PolicyAction::Delete,
    }
}

#[cfg(test)]
mod tests;

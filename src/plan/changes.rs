//! What CloudFormation will do to the resources of one stack, in the words of a plan. The prediction itself is
//! `cloudformation::predict`; here it learns what is not certain yet, and loses what nobody may see.

use super::document::{Change, ChangeAction, PropertyChange, Recreation, Removal, StackStep, Value, ValueChange};
use super::nested::{Nested, inside};
use super::shown::{path_text, shown, shown_at};
use super::steady::stays;
use crate::error::{Error, Kind, Result};
use crate::model::{Deployed, RenderedStack, Target};
use cloudformation::evaluate::{Environment, Facts, LiveResource, ParameterValue, Value as Evaluated};
use cloudformation::partition::Partition;
use cloudformation::predict::{
    Action, Attribute, ChangeSource, Context, Deployment, Detail, Evaluation, PolicyAction, RequiresRecreation,
    ResourceChange, Shown, predict as predict_changes,
};
use cloudformation::sensitive::Properties;
use cloudformation::template::Template;
use std::collections::{BTreeMap, BTreeSet};

/// A template with the values of its parameters; none for one that is not known yet.
pub(super) struct Side<'a> {
    pub template: &'a str,
    pub parameters: BTreeMap<String, Option<String>>,
    /// What SSM parameters hold, by their names.
    pub ssm: BTreeMap<String, String>,
}

/// One stack before and after, ready for prediction.
pub(super) struct Sides {
    pub before: Option<Deployment>,
    pub after: Deployment,
}

impl Sides {
    /// # Errors
    /// [`Kind::Configuration`]: a template that CloudFormation would not read.
    pub fn read(step: &StackStep, before: Option<Side>, after: Side, deployed: Option<&Deployed>) -> Result<Sides> {
        let stack_id = deployed.map(|deployed| deployed.stack_id.clone());
        let read = |side: Side| -> Result<Deployment> {
            let (template, problems) =
                Template::read(side.template).map_err(|problem| refused(step, [problem.message]))?;
            if let Some(problem) = problems.first() {
                return Err(refused(step, [problem.message.clone()]).into());
            }
            let mut deployment = Deployment::new(template);
            deployment.environment = environment(&step.target, &step.stack_name, stack_id.clone());
            deployment.parameters =
                side.parameters.into_iter().map(|(name, value)| (name, parameter_value(value))).collect();
            deployment.facts.ssm = side.ssm.into_iter().collect();
            Ok(deployment)
        };
        // The old template is what it is: CloudFormation took it.
        let mut before = before.map(read).transpose()?;
        if let (Some(before), Some(deployed)) = (&mut before, deployed) {
            before.facts.resources = facts(deployed).resources;
        }
        Ok(Sides { before, after: read(after)? })
    }
}

/// What CloudFormation will do to each resource.
///
/// # Errors
/// [`Kind::Configuration`]: what CloudFormation would refuse, and macros, which only CloudFormation can run.
pub(super) fn changes(step: &StackStep, sides: &Sides, nested: &BTreeMap<String, Nested>) -> Result<Vec<Change>> {
    let prediction = predict_changes(sides.before.as_ref(), Some(&sides.after))
        .map_err(|problems| refused(step, problems.into_iter().map(|problem| problem.message)))?;
    let unknown = unknown_parameters(&sides.after);
    let mut changes: Vec<Change> = Vec::new();
    for change in &prediction.changes {
        let inside = match nested.get(&change.logical_id) {
            Some(nested) if change.action == Action::Modify => inside(step, change, nested),
            _ => None,
        };
        // Whether anything changes in a nested stack is known where one can look into it.
        let is_shown_inside = |detail: &&Detail| inside.is_some() && detail.source == ChangeSource::Automatic;
        let details =
            change.details.iter().filter(|detail| is_change(detail, &changes) && !is_shown_inside(detail)).collect();
        let own = translate(step.wanted.as_ref(), change, details, &unknown);
        let alone =
            inside.as_ref().filter(|inside| inside.any).map(|inside| inside_alone(step, change, inside.certain));
        changes.extend(own.or(alone));
        changes.extend(inside.into_iter().flat_map(|inside| inside.changes));
    }
    Ok(changes)
}

/// Macros of the template, or of the one before it; none where there are none.
pub(super) fn macros(sides: &Sides) -> Option<Vec<String>> {
    let templates = sides.before.iter().map(|before| &before.template).chain([&sides.after.template]);
    let names = |template: &Template| {
        let named = template.macros().map(|one| format!("the macro {}", one.name.value));
        let within = template.section_transforms.iter().map(|(section, _)| format!("the macro of {section}"));
        named.chain(within).collect::<Vec<_>>()
    };
    let names: BTreeSet<String> = templates.flat_map(names).collect();
    (!names.is_empty()).then(|| names.into_iter().collect())
}

/// A nested stack of which only what is inside changes.
fn inside_alone(step: &StackStep, change: &ResourceChange, certain: bool) -> Change {
    Change {
        logical_id: change.logical_id.clone(),
        resource_type: change.resource_type.clone(),
        physical_id: change.physical_id.clone(),
        action: if certain { ChangeAction::Modify } else { ChangeAction::MayModify },
        properties: Vec::new(),
        because: Vec::new(),
        removal: None,
        place: step.wanted.as_ref().and_then(|wanted| wanted.places.get(&change.logical_id)).cloned(),
        taken_from: None,
        taken_by: None,
    }
}

/// A change for each resource of a stack that goes. None where the stack's template is not known, or is of a kind that
/// only CloudFormation can read.
pub(super) fn removals(deployed: &Deployed) -> Vec<Change> {
    let Some(before) = live(deployed) else { return Vec::new() };
    let changes = predict_changes(Some(&before), None).map(|prediction| prediction.changes).unwrap_or_default();
    changes.iter().filter_map(|change| translate(None, change, Vec::new(), &BTreeSet::new())).collect()
}

/// A stack as it is; none where its template is not known, or cannot be read.
pub(super) fn live(deployed: &Deployed) -> Option<Deployment> {
    let (template, _) = Template::read(deployed.template.as_deref()?).ok()?;
    let mut before = Deployment::new(template);
    before.environment = environment(&deployed.target, &deployed.stack_name, Some(deployed.stack_id.clone()));
    before.facts = facts(deployed);
    let values = deployed.parameters.iter();
    before.parameters = values.map(|(name, value)| (name.clone(), ParameterValue::Known(value.clone()))).collect();
    Some(before)
}

pub(super) fn environment(target: &Target, stack_name: &str, stack_id: Option<String>) -> Environment {
    let partition = Partition::of_region(&target.region);
    Environment {
        account_id: Some(target.account.clone()),
        region: Some(target.region.clone()),
        partition: Some(partition.id.to_owned()),
        url_suffix: Some(partition.dns_suffix.to_owned()),
        stack_name: Some(stack_name.to_owned()),
        stack_id,
        ..Environment::default()
    }
}

/// What references to the stack's resources give, as far as that was read.
fn facts(deployed: &Deployed) -> Facts {
    let live =
        |physical_id: &String| LiveResource { physical_id: Some(physical_id.clone()), ..LiveResource::default() };
    let resources = deployed.resources.iter().flatten();
    Facts { resources: resources.map(|(name, id)| (name.clone(), live(id))).collect(), ..Facts::default() }
}

fn parameter_value(value: Option<String>) -> ParameterValue {
    value.map_or(ParameterValue::Unknown, ParameterValue::Known)
}

fn refused(step: &StackStep, problems: impl IntoIterator<Item = String>) -> Error {
    let error = Error::new(Kind::Configuration, format!("the template of stack `{}` cannot be deployed", step.stack));
    problems.into_iter().fold(error, Error::detail)
}

/// Parameters whose value comes with the apply.
fn unknown_parameters(after: &Deployment) -> BTreeSet<&str> {
    let unknown = after.parameters.iter().filter(|(_, value)| **value == ParameterValue::Unknown);
    unknown.map(|(name, _)| name.as_str()).collect()
}

/// `Table` of `Table.Arn`.
fn logical_id(entity: &str) -> &str {
    entity.split('.').next().unwrap_or(entity)
}

fn translate(
    wanted: Option<&RenderedStack>,
    change: &ResourceChange,
    details: Vec<&Detail>,
    unknown: &BTreeSet<&str>,
) -> Option<Change> {
    let action = match change.action {
        Action::Add => ChangeAction::Add,
        Action::Import => ChangeAction::Import,
        Action::Remove => ChangeAction::Remove,
        // Whether it exists at all hangs on a value that comes with the apply.
        Action::Dynamic if change.before.is_none() => ChangeAction::Add,
        Action::Dynamic => ChangeAction::MayReplace,
        Action::Modify if details.is_empty() => return None,
        Action::Modify => modification(&details),
    };
    let properties = match action {
        ChangeAction::Add | ChangeAction::Import => all_properties(change),
        ChangeAction::Remove => Vec::new(),
        _ => properties(change, &details),
    };
    let mut because: Vec<String> = Vec::new();
    for reason in details.iter().filter_map(|detail| reason(detail, unknown)) {
        if !because.contains(&reason) {
            because.push(reason);
        }
    }
    if change.action == Action::Dynamic {
        because.push("its condition depends on a value known after apply".to_owned());
    }
    Some(Change {
        logical_id: change.logical_id.clone(),
        resource_type: change.resource_type.clone(),
        physical_id: change.physical_id.clone(),
        action,
        properties,
        because,
        removal: change.policy_action.filter(|_| action.may_lose_the_old()).map(removal),
        place: wanted.and_then(|wanted| wanted.places.get(&change.logical_id)).cloned(),
        taken_from: None,
        taken_by: None,
    })
}

/// The template may say a thing in another way and mean the same; what is read of a resource that changes in place may
/// stay as it is, and its physical id does. None of that is a change. `before` are the changes of what the resource
/// depends on.
fn is_change(detail: &Detail, before: &[Change]) -> bool {
    match (detail.source, detail.evaluation) {
        (ChangeSource::DirectModification, Evaluation::Static) => detail.shown != Shown::WithoutValues,
        (ChangeSource::ResourceAttribute, Evaluation::Dynamic) => {
            let (id, attribute) =
                detail.causing_entity.as_deref().and_then(|cause| cause.split_once('.')).unwrap_or_default();
            before.iter().any(|change| change.logical_id == id && !stays(change, attribute))
        }
        (ChangeSource::ResourceReference, Evaluation::Dynamic) => {
            let id = detail.causing_entity.as_deref().unwrap_or_default();
            before.iter().any(|change| change.logical_id == id && !change.action.is_in_place())
        }
        _ => true,
    }
}

/// What the details together do to a resource; for each value that changes the most certain of its details counts.
fn modification(details: &[&Detail]) -> ChangeAction {
    let mut certain: BTreeMap<(Attribute, Option<&str>), bool> = BTreeMap::new();
    for detail in details {
        let key = (detail.target.attribute, detail.target.path.as_deref());
        *certain.entry(key).or_default() |= detail.evaluation == Evaluation::Static;
    }
    let grave = |detail: &&Detail| {
        let key = (detail.target.attribute, detail.target.path.as_deref());
        match (detail.target.requires_recreation, certain.get(&key).copied().unwrap_or_default()) {
            (RequiresRecreation::Always, true) => ChangeAction::Replace,
            (RequiresRecreation::Always, false) | (RequiresRecreation::Conditionally, _) => ChangeAction::MayReplace,
            (RequiresRecreation::Never, true) => ChangeAction::Modify,
            (RequiresRecreation::Never, false) => ChangeAction::MayModify,
        }
    };
    let all: Vec<ChangeAction> = details.iter().map(grave).collect();
    let gravest = [ChangeAction::Replace, ChangeAction::MayReplace, ChangeAction::Modify];
    gravest.into_iter().find(|action| all.contains(action)).unwrap_or(ChangeAction::MayModify)
}

/// One line for each value that changes, whatever the number of its causes.
fn properties(change: &ResourceChange, details: &[&Detail]) -> Vec<PropertyChange> {
    let mut changes: Vec<PropertyChange> = Vec::new();
    for detail in details {
        let target = &detail.target;
        let path = path_text(target.attribute.as_str(), target.path.as_deref());
        if changes.iter().any(|known| known.path == path) {
            continue;
        }
        // A reference shows as what it is where its value cannot be known: `${Table.Arn}`.
        let reference = || detail.causing_entity.as_ref().map(|entity| Value::text(format!("${{{entity}}}")));
        let seen = |side: &Option<Context>, value: &Option<Evaluated>| {
            seen(&change.resource_type, side.as_ref(), target.path.as_deref(), value.as_ref())
        };
        let before = match (&target.before, &target.after) {
            (None, None) => reference().unwrap_or(Value::Unknown),
            (before, _) => match seen(&change.before, before) {
                Value::Unknown => reference().unwrap_or(Value::Unknown),
                before => before,
            },
        };
        let after = match (&target.before, &target.after) {
            (None, None) => Value::Unknown,
            (_, after) => seen(&change.after, after),
        };
        let recreation = recreation(target.requires_recreation);
        changes.push(PropertyChange { path, change: ValueChange::new(before, after), recreation });
    }
    changes
}

/// What is shown of a value at a path of a resource (`/Properties/Tags/0/Value`).
fn seen(resource_type: &str, side: Option<&Context>, path: Option<&str>, value: Option<&Evaluated>) -> Value {
    let (section, pointer) = match path
        .map(|path| path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), "")))
    {
        Some(("Properties", "")) => ("Properties", String::new()),
        Some((section, below)) => (section, format!("/{below}")),
        None => return shown(value),
    };
    let of = if section == "Properties" { Properties::of(resource_type) } else { Properties::of_nothing() };
    shown_at(of, side.and_then(|side| side.get(section)), pointer.trim_end_matches('/'), value)
}

fn all_properties(change: &ResourceChange) -> Vec<PropertyChange> {
    let all = change.after.as_ref().and_then(|context| context.get("Properties"));
    let Some(Evaluated::Map(properties)) = all else { return Vec::new() };
    let of = Properties::of(&change.resource_type);
    let new = |(name, value): (&String, &Evaluated)| PropertyChange {
        path: name.clone(),
        change: ValueChange::new(Value::Absent, shown_at(of, all, &format!("/{name}"), Some(value))),
        recreation: Recreation::Never,
    };
    properties.iter().map(new).collect()
}

fn recreation(required: RequiresRecreation) -> Recreation {
    match required {
        RequiresRecreation::Never => Recreation::Never,
        RequiresRecreation::Conditionally => Recreation::Conditionally,
        RequiresRecreation::Always => Recreation::Always,
    }
}

fn reason(detail: &Detail, unknown: &BTreeSet<&str>) -> Option<String> {
    let cause = detail.causing_entity.as_deref()?;
    let certain = detail.evaluation == Evaluation::Static;
    Some(match detail.source {
        ChangeSource::ParameterReference if unknown.contains(cause) => {
            format!("parameter {cause} may change")
        }
        ChangeSource::ParameterReference => format!("parameter {cause} changes"),
        _ if !certain => format!("{} may change", logical_id(cause)),
        _ => format!("{} is replaced", logical_id(cause)),
    })
}

fn removal(policy: PolicyAction) -> Removal {
    match policy {
        PolicyAction::Delete | PolicyAction::ReplaceAndDelete => Removal::Delete,
        PolicyAction::Retain | PolicyAction::ReplaceAndRetain => Removal::Retain,
        PolicyAction::Snapshot | PolicyAction::ReplaceAndSnapshot => Removal::Snapshot,
    }
}

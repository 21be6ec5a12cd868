//! New resources that may be there already: what this environment itself left behind, and, where that is asked for, what
//! has the very name that a template gives.

use super::changes;
use super::document::{Action, Change, ChangeAction, FindingSeverity, Plan, Removal, StackStep, Value};
use super::identity;
use super::moves;
use crate::model::{Deployed, Kept, State, Target};
use crate::stateful;
use cloudformation::schema::resource_type;
use cloudformation::template::Template;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// A new resource of a plan that may be there already.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub stack: String,
    pub stack_name: String,
    pub logical_id: String,
    pub resource_type: String,
    pub target: Target,
    /// What CloudFormation would call it: its physical id.
    pub physical_id: String,
    /// What Cloud Control calls it: the parts of its primary identifier, joined by `|`.
    pub identifier: String,
    /// The name that the template gives it; none where its service or CloudFormation makes one.
    pub name: Option<String>,
    /// What the state says of it; none for what was never this environment's.
    pub kept: Option<Kept>,
}

/// What became of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is there and can join its stack.
    There,
    Gone,
    /// What has this identifier has another name: it is another resource.
    Another,
    /// It belongs to this stack.
    Owned(String),
    /// CloudFormation cannot take it; the reason.
    Unreadable(String),
}

/// The new resources of a plan that may be there already, in the order of its steps. `import_existing`: those too that
/// were never this environment's, where a template names them and keeps them when their stack goes.
pub fn candidates(
    plan: &Plan,
    state: Option<&State>,
    deployed: &BTreeMap<String, Deployed>,
    import_existing: bool,
) -> Vec<Candidate> {
    let remembered = state.into_iter().flat_map(|state| &state.kept).cloned();
    let kept: Vec<Kept> = remembered.chain(plan.steps.iter().flat_map(|step| stranded(step, deployed))).collect();
    if kept.is_empty() && !import_existing {
        return Vec::new();
    }
    let mut found = Vec::new();
    for step in plan.steps.iter().filter(|step| is_made(step)) {
        let mut retained = None;
        let new = |change: &&Change| matches!(change.action, ChangeAction::Add | ChangeAction::Replace);
        for change in step.changes.iter().filter(new) {
            let name = moves::name_after(change);
            let candidate = |physical_id: &str, kept: Option<&Kept>| {
                let property = |part: &str| property(change, part);
                let identifier = identity::identifier(&change.resource_type, physical_id, property)?;
                Some(Candidate {
                    stack: step.stack.clone(),
                    stack_name: step.stack_name.clone(),
                    logical_id: change.logical_id.clone(),
                    resource_type: change.resource_type.clone(),
                    target: step.target.clone(),
                    physical_id: physical_id.to_owned(),
                    identifier: joined(&change.resource_type, &identifier),
                    name: name.clone(),
                    kept: kept.cloned(),
                })
            };
            let mut left: Vec<&Kept> = kept.iter().filter(|kept| may_be(kept, step, change, name.as_deref())).collect();
            // What was left behind last is what the resource was last; that of the same place comes first.
            left.sort_by_key(|kept| (!same_place(kept, step, change), std::cmp::Reverse(kept.at)));
            // A replacement takes nothing up: that its new name is taken is all that matters.
            if change.action == ChangeAction::Replace {
                left.retain(|kept| name.as_ref() == Some(&kept.physical_id));
            }
            if !left.is_empty() || change.action == ChangeAction::Replace {
                found.extend(left.into_iter().filter_map(|kept| candidate(&kept.physical_id, Some(kept))));
                continue;
            }
            let Some(name) = name.as_deref().filter(|_| import_existing && named_by_identifier(&change.resource_type))
            else {
                continue;
            };
            let retained = retained.get_or_insert_with(|| kept_resources(step));
            if retained.contains(&change.logical_id) {
                found.extend(candidate(name, None));
            }
        }
    }
    found
}

/// What a failed creation or deletion left in the account on purpose: its stack is deleted, and made anew.
fn stranded(step: &StackStep, deployed: &BTreeMap<String, Deployed>) -> Vec<Kept> {
    let Some(stack) = deployed.get(&step.stack).filter(|_| step.action == Action::Recreate) else { return Vec::new() };
    let removals = changes::removals(stack);
    let kept = removals.into_iter().filter(|change| change.removal == Some(Removal::Retain));
    kept.filter_map(|change| {
        Some(Kept {
            stack: step.stack.clone(),
            logical_id: change.logical_id,
            resource_type: change.resource_type,
            physical_id: change.physical_id?,
            target: step.target.clone(),
            at: stack.changed_at,
            operation: stack.status.to_string(),
        })
    })
    .collect()
}

fn is_made(step: &StackStep) -> bool {
    matches!(step.action, Action::Create | Action::Update | Action::Recreate)
}

fn named_by_identifier(type_name: &str) -> bool {
    resource_type(type_name).is_some_and(identity::is_named_by_identifier)
}

/// Whether a new resource may be the one that was left behind.
fn may_be(kept: &Kept, step: &StackStep, change: &Change, name: Option<&str>) -> bool {
    let place = (&kept.target.account, &kept.target.region) == (&step.target.account, &step.target.region);
    let global = change.resource_type.starts_with("AWS::IAM::") && kept.target.account == step.target.account;
    if kept.resource_type != change.resource_type || !(place || global) {
        return false;
    }
    match name {
        // A name that is the identifier says all; one of a queue or a topic has to be looked for in the resource itself.
        Some(name) if named_by_identifier(&change.resource_type) => kept.physical_id == name,
        Some(_) => true,
        None => same_place(kept, step, change),
    }
}

fn same_place(kept: &Kept, step: &StackStep, change: &Change) -> bool {
    kept.stack == step.stack && kept.logical_id == change.logical_id
}

fn property(change: &Change, name: &str) -> Option<String> {
    let found = change.properties.iter().find(|property| property.path == name)?;
    match &found.change.after {
        Value::Known(Json::String(text)) => Some(text.clone()),
        Value::Known(Json::Number(number)) => Some(number.to_string()),
        _ => None,
    }
}

/// The parts in the order of the schema.
fn joined(type_name: &str, identifier: &BTreeMap<String, String>) -> String {
    let order = resource_type(type_name).map(|known| known.primary_identifier()).unwrap_or_default();
    let parts: Vec<&str> = order.iter().filter_map(|path| identifier.get(&path.dotted()).map(String::as_str)).collect();
    parts.join("|")
}

/// The resources that the wanted template keeps when their stack goes.
fn kept_resources(step: &StackStep) -> Vec<String> {
    let Some(Ok((template, _))) = step.wanted.as_ref().map(|wanted| Template::read(&wanted.template)) else {
        return Vec::new();
    };
    let kept = template.resources.iter().filter(|(_, resource)| {
        let policy = resource.deletion_policy.as_ref().and_then(|policy| policy.as_str());
        matches!(policy, Some("Retain" | "RetainExceptOnCreate"))
    });
    kept.map(|(id, _)| id.clone()).collect()
}

impl Candidate {
    /// Whether the state alone says that it is this resource: its place is the same, or its identifier is its name.
    pub fn is_certain(&self) -> bool {
        let kept = self.kept.as_ref();
        let place = |kept: &Kept| kept.stack == self.stack && kept.logical_id == self.logical_id;
        kept.is_some_and(|kept| place(kept) || named_by_identifier(&self.resource_type))
    }

    /// Whether the resource that was found under this identifier has the name that the template gives: the identifiers of
    /// queues and topics are not their names. `live`: its properties.
    pub fn is_named(&self, live: &Json) -> bool {
        let Some(name) = &self.name else { return true };
        let property = |part: &str| live[part].as_str().map(str::to_owned);
        identity::name_of(&self.resource_type, property).is_none_or(|found| found == *name)
    }
}

/// What joins its stack, of all that was found: stack → logical id → physical id. Of several candidates for one resource
/// the first that is there counts.
pub fn joining(found: &[(Candidate, Found)]) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut joining: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (candidate, _) in found.iter().filter(|(_, found)| *found == Found::There) {
        let of_stack = joining.entry(candidate.stack.clone()).or_default();
        of_stack.entry(candidate.logical_id.clone()).or_insert_with(|| candidate.physical_id.clone());
    }
    joining
}

impl Plan {
    /// Says why resources join their stacks, and what became of those that were left behind and do not.
    pub fn add_found(&mut self, found: &[(Candidate, Found)]) {
        let mut findings = Vec::new();
        for (candidate, what) in found {
            let place = (candidate.stack.clone(), candidate.logical_id.clone());
            let Some(step) = self.steps.iter_mut().find(|step| step.stack == candidate.stack) else { continue };
            let Some(change) = step.changes.iter_mut().find(|change| change.logical_id == candidate.logical_id) else {
                continue;
            };
            let since = candidate.kept.as_ref().map(left_behind);
            let id = &candidate.physical_id;
            if let (Found::There, ChangeAction::Replace, Some(since)) = (what, change.action, &since) {
                let message = format!(
                    "would be replaced under the name of `{id}`, which is there already ({since}), and a replacement takes \
                     nothing up: give it another name, or delete the old one"
                );
                findings.push(moves::taken(&self.steps, &place, message));
                continue;
            }
            if *what == Found::There {
                let this = change.action == ChangeAction::Import && change.physical_id.as_ref() == Some(id);
                if let (true, Some(since), None) = (this, since, &change.taken_from) {
                    change.because = vec![since];
                }
                continue;
            }
            if let (None, Found::Owned(stack), ChangeAction::Add) = (&since, what, change.action) {
                let message = format!(
                    "`{id}` belongs to stack `{stack}`, and cannot join this one: give the new one another name"
                );
                findings.push(moves::taken(&self.steps, &place, message));
                continue;
            }
            // Another candidate is there; or what is not there was never this environment's.
            let Some(since) = since.filter(|_| change.action == ChangeAction::Add) else { continue };
            let holds = stateful::holds(&candidate.resource_type).unwrap_or("content");
            let (reason, blocks) = match what {
                Found::There | Found::Another => continue,
                Found::Gone => {
                    let message = format!("`{id}` is gone by now ({since}): a new one is made, without its {holds}");
                    findings.push(note(&self.steps, &place, message));
                    continue;
                }
                Found::Owned(stack) => (format!("it belongs to stack `{stack}` by now"), true),
                Found::Unreadable(reason) => (reason.clone(), true),
            };
            let message = format!("`{id}` stays outside of the stack ({since}): {reason}");
            findings.push(match (&candidate.name, blocks) {
                (Some(_), true) => moves::taken(
                    &self.steps,
                    &place,
                    format!("{message}. Its name is taken: give the new one another name, or delete the old one"),
                ),
                _ => note(&self.steps, &place, format!("{message}. A new one is made beside it, without its {holds}")),
            });
        }
        self.add_findings(findings);
    }
}

fn left_behind(kept: &Kept) -> String {
    format!("`{}` of {} left it behind", kept.operation, kept.at.strftime("%Y-%m-%d %H:%M UTC"))
}

fn note(steps: &[StackStep], place: &(String, String), message: String) -> super::document::Finding {
    super::document::Finding {
        severity: FindingSeverity::Note,
        code: "left-behind".to_owned(),
        ..moves::taken(steps, place, message)
    }
}

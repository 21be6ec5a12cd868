//! The way back on the side of the account: a plan of drift-aware change sets, which set what was changed to what the
//! template says. It is shown, approved and carried out as any other plan.

use super::document::{Drift, ResourceDrift, StackDrift, Status};
use super::facts::{Facts, StackFacts};
use crate::model::{Deployed, Environment, LocalImageUse, PackageUse, Parameter, RenderedStack, Secret, State, digest};
use crate::plan::{
    Action, Change, ChangeAction, Finding, FindingSeverity, Plan, PropertyChange, Recreation, Removal, StackStep,
    ValueChange,
};
use crate::stateful;
use cloudformation::schema::{RequiresRecreation, resource_type};
use jiff::Timestamp;

/// NoEcho parameters as DescribeStacks gives them.
const MASK: &str = "****";

/// A step for each stack with drifted resources. What was changed of a stack itself is put back by an apply.
pub fn revert(drift: &Drift, facts: &Facts, environment: &Environment, state: Option<&State>, now: Timestamp) -> Plan {
    let mut steps = Vec::new();
    let mut findings = Vec::new();
    for stack in drift.stacks.iter().filter(|stack| stack.drifted().next().is_some()) {
        let Some(facts) = facts.stacks.iter().find(|facts| facts.name == stack.stack) else { continue };
        let Some(deployed) = &facts.deployed else { continue };
        let Some(wanted) = as_deployed(facts, deployed) else { continue };
        let mut step = StackStep::new(&stack.stack, &stack.stack_name, &stack.target, Action::Update);
        step.changes = stack.resources.iter().filter_map(|resource| change(resource, &wanted)).collect();
        step.reason = Some("back to what its template says".to_owned());
        step.fingerprint = Some(deployed.fingerprint());
        step.resources = stack.resources.len();
        step.revert_drift = true;
        step.wanted = Some(wanted);
        findings.extend(made_anew(stack));
        steps.push(step);
    }
    Plan {
        format_version: Plan::FORMAT_VERSION.to_owned(),
        infra_version: env!("CARGO_PKG_VERSION").to_owned(),
        created: now,
        project: environment.project.clone(),
        environment: environment.name.clone(),
        account: environment.account.clone(),
        region: environment.region.clone(),
        lineage: state.map(|state| state.lineage.clone()),
        serial: state.map_or(0, |state| state.serial),
        targets: steps.iter().map(|step| step.stack.clone()).collect(),
        steps,
        assets: Vec::new(),
        cost: None,
        findings,
    }
}

/// What the stack was last asked for: its own template and parameters, so that nothing comes along that waits in the files.
fn as_deployed(facts: &StackFacts, deployed: &Deployed) -> Option<RenderedStack> {
    let template = deployed.template.clone()?;
    let record = facts.record.as_ref()?;
    let wanted = facts.wanted.as_ref();
    let parameter = |(name, value): (&String, &String)| {
        let parameter = match wanted.and_then(|wanted| wanted.parameters.get(name)) {
            _ if value == MASK => Parameter::Secret { value: Secret::default() },
            Some(Parameter::Image { name, .. }) => Parameter::Image { name: name.clone(), reference: value.clone() },
            Some(Parameter::LocalImage(image)) => Parameter::LocalImage(LocalImageUse {
                digest: value.split_once('@').map(|(_, digest)| digest.to_owned()),
                made_from: record.made_from.get(&image.name).cloned().unwrap_or_default(),
                ..image.clone()
            }),
            Some(Parameter::Package(package)) if record.packages.contains_key(&package.name) => {
                let last = &record.packages[&package.name];
                Parameter::Package(PackageUse {
                    digest: Some(last.digest.clone()),
                    made_from: last.made_from.clone(),
                    ..package.clone()
                })
            }
            _ => Parameter::Value(value.clone()),
        };
        (name.clone(), parameter)
    };
    Some(RenderedStack {
        name: facts.name.clone(),
        stack_name: deployed.stack_name.clone(),
        target: deployed.target.clone(),
        template_name: record.template_name.clone(),
        template_digest: digest(&template),
        template,
        parameters: deployed.parameters.iter().map(parameter).collect(),
        tags: deployed
            .tags
            .iter()
            .filter(|(key, _)| !key.starts_with("aws:"))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect(),
        capabilities: deployed.capabilities.clone(),
        protect: wanted.map_or(deployed.termination_protection, |wanted| wanted.protect),
        stack_policy: wanted.and_then(|wanted| wanted.stack_policy.clone()),
        after: record.waits_on.clone(),
        places: wanted.map(|wanted| wanted.places.clone()).unwrap_or_default(),
    })
}

/// CloudFormation puts back all of a stack that is declared, also what is ignored.
fn change(resource: &ResourceDrift, wanted: &RenderedStack) -> Option<Change> {
    let known = resource_type(&resource.resource_type);
    let property = |property: &super::PropertyDrift| {
        let recreation = match known.map(|known| known.update_behaviour(property.pointer.trim_start_matches('/'))) {
            Some(RequiresRecreation::Always) => Recreation::Always,
            Some(RequiresRecreation::Conditionally) => Recreation::Conditionally,
            _ => Recreation::Never,
        };
        let change = ValueChange::new(property.change.after.clone(), property.change.before.clone());
        PropertyChange { path: property.path.clone(), change, recreation }
    };
    let declared = resource.properties.iter().filter(|it| it.kind == super::PropertyKind::Declared);
    let properties: Vec<PropertyChange> =
        declared.filter(|it| !it.pointer.starts_with("/running/")).map(property).collect();
    let gone = resource.status == Status::Deleted;
    if properties.is_empty() && !gone {
        return None;
    }
    let replaces = properties.iter().any(|property| property.recreation != Recreation::Never);
    Some(Change {
        logical_id: resource.logical_id.clone(),
        resource_type: resource.resource_type.clone(),
        physical_id: resource.physical_id.clone(),
        action: match (gone, replaces) {
            (true, _) => ChangeAction::Replace,
            (false, true) => ChangeAction::MayReplace,
            (false, false) => ChangeAction::Modify,
        },
        because: if gone { vec!["it is gone".to_owned()] } else { Vec::new() },
        removal: (gone || replaces).then_some(Removal::Delete),
        properties,
        place: wanted.places.get(&resource.logical_id).cloned(),
        taken_from: None,
        taken_by: None,
    })
}

/// What held data comes back without it.
fn made_anew(stack: &StackDrift) -> Vec<Finding> {
    let gone = stack.resources.iter().filter(|resource| resource.status == Status::Deleted);
    let finding = |resource: &ResourceDrift| {
        let holds = stateful::holds(&resource.resource_type)?;
        let (id, of) = (&resource.logical_id, &resource.resource_type);
        Some(Finding {
            severity: FindingSeverity::Warning,
            code: "stateful-replacement".to_owned(),
            stack: stack.stack.clone(),
            logical_id: Some(id.clone()),
            path: None,
            place: resource.place.clone(),
            message: format!("makes {id} ({of}) anew: it was deleted, and the {holds} it held are gone"),
        })
    };
    gone.filter_map(finding).collect()
}

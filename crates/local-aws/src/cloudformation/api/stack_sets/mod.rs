//! Stack sets: one template for many accounts and regions. Each instance is a stack of its own in its place, made, changed
//! and deleted as any other, one after the other in the order of the request. (API reference, `CreateStackSet` and its
//! like; permission model `SELF_MANAGED`.)

mod model;
mod work;

pub(crate) use model::{StackSet, StackSets};

use super::page;
use super::show;
use crate::place::Place;
use crate::query::{self, Fault};
use crate::world::World;
use model::{Instance, Operation};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    stack_set_name: Option<String>,
    description: Option<String>,
    template_body: Option<String>,
    #[serde(rename = "TemplateURL")]
    template_url: Option<String>,
    use_previous_template: Option<bool>,
    parameters: Option<Json>,
    parameter_overrides: Option<Json>,
    tags: Option<Json>,
    capabilities: Option<Json>,
    permission_model: Option<String>,
    #[serde(rename = "AdministrationRoleARN")]
    administration_role_arn: Option<String>,
    execution_role_name: Option<String>,
    accounts: Option<Vec<String>>,
    deployment_targets: Option<Targets>,
    regions: Option<Vec<String>>,
    retain_stacks: Option<bool>,
    operation_id: Option<String>,
    stack_instance_account: Option<String>,
    stack_instance_region: Option<String>,
    status: Option<String>,
    next_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Targets {
    accounts: Option<Vec<String>>,
}

impl Input {
    /// The places that it is about: every account in every region.
    fn places(&self) -> Vec<Place> {
        let by_targets = self.deployment_targets.as_ref().and_then(|targets| targets.accounts.as_ref());
        let accounts = self.accounts.as_ref().or(by_targets).map_or(&[][..], Vec::as_slice);
        let regions = self.regions.as_deref().unwrap_or_default();
        regions.iter().flat_map(|region| accounts.iter().map(move |account| Place::new(account, region))).collect()
    }
}

/// Answers an operation on stack sets.
pub(super) async fn answer(world: &Arc<World>, place: &Place, action: &str, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let name = input.stack_set_name.clone().unwrap_or_default();
    match action {
        "CreateStackSet" => return create(world, place, &name, input).await,
        "ListStackSets" => return list(world, place, &input),
        "DeleteStackSet" => return delete(world, place, &name),
        _ => {}
    }
    let set = world.stack_sets.find(place, &name).ok_or_else(|| missing(&name))?;
    match action {
        "DescribeStackSet" => Ok(json!({ "StackSet": describe(&set) })),
        "UpdateStackSet" => update(world, set, input).await,
        "CreateStackInstances" => begin(world, &set, "CREATE", &input),
        "UpdateStackInstances" => begin(world, &set, "UPDATE", &input),
        "DeleteStackInstances" => begin(world, &set, "DELETE", &input),
        "DescribeStackInstance" => instance(&set, &input),
        "ListStackInstances" => instances(&set, &input),
        "DescribeStackSetOperation" => {
            Ok(json!({ "StackSetOperation": describe_operation(&set, operation(&set, &input)?) }))
        }
        "ListStackSetOperations" => operations(&set, &input),
        "ListStackSetOperationResults" => results(operation(&set, &input)?, &input),
        "StopStackSetOperation" => {
            let id = operation(&set, &input)?.id.clone();
            world.stack_sets.edit(world, &set.id, |set| {
                let running = set.operations.iter_mut().filter(|it| it.id == id && it.status == "RUNNING");
                running.for_each(|operation| "STOPPING".clone_into(&mut operation.status));
            })?;
            Ok(json!({}))
        }
        _ => Err(super::unknown(action)),
    }
}

pub(super) fn missing(name: &str) -> Fault {
    Fault::new("StackSetNotFoundException", format!("StackSet {name} not found")).with_status(404)
}

async fn create(world: &Arc<World>, place: &Place, name: &str, input: Input) -> Result<Json, Fault> {
    super::input::check_name(name, "stackSetName")?;
    if world.stack_sets.find(place, name).is_some() {
        let message = format!("StackSet {name} already exists");
        return Err(Fault::new("NameAlreadyExistsException", message).with_status(409));
    }
    if input.permission_model.as_deref() == Some("SERVICE_MANAGED") {
        let message = "You must be the management account or delegated admin account of an organization before operating a \
                       SERVICE_MANAGED stack set";
        return Err(Fault::validation(message));
    }
    let template =
        crate::cloudformation::text::template(world, place, input.template_body, input.template_url.as_deref()).await?;
    super::summary::read(&template)?;
    let id = format!("{name}:{}", world.ids.uuid());
    let account = &place.account;
    let role = format!("arn:{}:iam::{account}:role/AWSCloudFormationStackSetAdministrationRole", place.partition());
    let set = StackSet {
        id: id.clone(),
        name: name.to_owned(),
        place: place.clone(),
        description: input.description,
        template,
        parameters: input.parameters.unwrap_or_else(|| json!([])),
        tags: input.tags.unwrap_or_else(|| json!([])),
        capabilities: input.capabilities.unwrap_or_else(|| json!([])),
        administration_role: input.administration_role_arn.unwrap_or(role),
        execution_role: input
            .execution_role_name
            .unwrap_or_else(|| "AWSCloudFormationStackSetExecutionRole".to_owned()),
        instances: Vec::new(),
        operations: Vec::new(),
    };
    world.stack_sets.add(world, set)?;
    Ok(json!({ "StackSetId": id }))
}

fn delete(world: &Arc<World>, place: &Place, name: &str) -> Result<Json, Fault> {
    let Some(set) = world.stack_sets.find(place, name) else { return Ok(json!({})) };
    if !set.instances.is_empty() {
        return Err(Fault::new("StackSetNotEmptyException", "StackSet is not empty").with_status(409));
    }
    world.stack_sets.remove(world, &set.id)?;
    Ok(json!({}))
}

async fn update(world: &Arc<World>, set: StackSet, input: Input) -> Result<Json, Fault> {
    let template = match input.use_previous_template {
        Some(true) => set.template.clone(),
        _ => {
            let (body, url) = (input.template_body.clone(), input.template_url.as_deref());
            crate::cloudformation::text::template(world, &set.place, body, url).await?
        }
    };
    super::summary::read(&template)?;
    world.stack_sets.edit(world, &set.id, |set| {
        set.template = template;
        set.description = input.description.clone().or(set.description.take());
        for (new, old) in [
            (&input.parameters, &mut set.parameters),
            (&input.tags, &mut set.tags),
            (&input.capabilities, &mut set.capabilities),
        ] {
            if let Some(new) = new {
                *old = new.clone();
            }
        }
        set.instances.iter_mut().for_each(|instance| "OUTDATED".clone_into(&mut instance.status));
    })?;
    let set = world.stack_sets.find(&set.place, &set.name).ok_or_else(|| missing(&set.name))?;
    begin(world, &set, "UPDATE", &input)
}

/// Begins an operation on instances; it is carried out in the background.
fn begin(world: &Arc<World>, set: &StackSet, action: &str, input: &Input) -> Result<Json, Fault> {
    if set.operations.iter().any(|operation| matches!(operation.status.as_str(), "RUNNING" | "STOPPING")) {
        let message = "Another Operation on StackSet is in progress";
        return Err(Fault::new("OperationInProgressException", message).with_status(409));
    }
    let mut places = input.places();
    if action == "UPDATE" && places.is_empty() {
        places = set.instances.iter().map(Instance::place).collect();
    }
    let has = |place: &Place| set.instances.iter().any(|instance| instance.place() == *place);
    if let Some(place) = places.iter().find(|place| action != "CREATE" && !has(place)) {
        let message = format!("Stack instance of account {} and region {} does not exist", place.account, place.region);
        return Err(Fault::new("StackInstanceNotFoundException", message).with_status(404));
    }
    let id = input.operation_id.clone().unwrap_or_else(|| world.ids.uuid());
    let operation = Operation {
        id: id.clone(),
        action: action.to_owned(),
        status: "RUNNING".to_owned(),
        retain: input.retain_stacks.unwrap_or_default(),
        created: world.clock.now(),
        ended: None,
        results: Vec::new(),
    };
    let overrides = input.parameter_overrides.clone();
    world.stack_sets.edit(world, &set.id, |set| set.operations.push(operation))?;
    tokio::spawn(work::run(Arc::clone(world), set.id.clone(), id.clone(), places, overrides));
    Ok(json!({ "OperationId": id }))
}

fn describe(set: &StackSet) -> Json {
    let mut regions: Vec<&str> = set.instances.iter().map(|instance| instance.region.as_str()).collect();
    regions.sort_unstable();
    regions.dedup();
    json!({
        "StackSetName": set.name,
        "StackSetId": set.id,
        "StackSetARN": set.place.arn("cloudformation", &format!("stackset/{}", set.id)),
        "Description": set.description,
        "Status": "ACTIVE",
        "TemplateBody": set.template,
        "Parameters": set.parameters,
        "Capabilities": set.capabilities,
        "Tags": set.tags,
        "AdministrationRoleARN": set.administration_role,
        "ExecutionRoleName": set.execution_role,
        "PermissionModel": "SELF_MANAGED",
        "ManagedExecution": { "Active": false },
        "OrganizationalUnitIds": [],
        "Regions": regions,
        "StackSetDriftDetectionDetails": {
            "DriftStatus": "NOT_CHECKED",
            "DriftDetectionStatus": "COMPLETED",
            "TotalStackInstancesCount": 0,
            "DriftedStackInstancesCount": 0,
            "InSyncStackInstancesCount": 0,
            "InProgressStackInstancesCount": 0,
            "FailedStackInstancesCount": 0,
        },
    })
}

fn list(world: &World, place: &Place, input: &Input) -> Result<Json, Fault> {
    let sets = match input.status.as_deref() {
        Some("DELETED") => Vec::new(),
        _ => world.stack_sets.of(place),
    };
    let (shown, next) = page::page(sets, input.next_token.as_deref(), page::PAGE, |set| set.id.clone())?;
    let shown = shown.into_iter().map(|set| {
        json!({
            "StackSetName": set.name,
            "StackSetId": set.id,
            "Description": set.description,
            "Status": "ACTIVE",
            "PermissionModel": "SELF_MANAGED",
            "DriftStatus": "NOT_CHECKED",
            "ManagedExecution": { "Active": false },
        })
    });
    Ok(json!({ "Summaries": shown.collect::<Vec<_>>(), "NextToken": next }))
}

fn instance(set: &StackSet, input: &Input) -> Result<Json, Fault> {
    let (account, region) = (input.stack_instance_account.as_deref(), input.stack_instance_region.as_deref());
    let found = set
        .instances
        .iter()
        .find(|it| Some(it.account.as_str()) == account && Some(it.region.as_str()) == region)
        .ok_or_else(|| {
            let (account, region) = (account.unwrap_or_default(), region.unwrap_or_default());
            let message = format!("Stack instance of account {account} and region {region} does not exist");
            Fault::new("StackInstanceNotFoundException", message).with_status(404)
        })?;
    let mut shown = summary(set, found);
    shown["ParameterOverrides"] = found.overrides.clone().unwrap_or_else(|| json!([]));
    Ok(json!({ "StackInstance": shown }))
}

fn summary(set: &StackSet, instance: &Instance) -> Json {
    json!({
        "StackSetId": set.id,
        "Account": instance.account,
        "Region": instance.region,
        "StackId": instance.stack_id,
        "Status": instance.status,
        "StatusReason": instance.reason,
        "StackInstanceStatus": { "DetailedStatus": if instance.reason.is_some() { "FAILED" } else { "SUCCEEDED" } },
        "OrganizationalUnitId": "",
        "DriftStatus": "NOT_CHECKED",
        "LastOperationId": instance.last_operation,
    })
}

fn instances(set: &StackSet, input: &Input) -> Result<Json, Fault> {
    let wanted = |it: &&Instance| {
        input.stack_instance_account.as_ref().is_none_or(|account| it.account == *account)
            && input.stack_instance_region.as_ref().is_none_or(|region| it.region == *region)
    };
    let found = set.instances.iter().filter(wanted);
    let (shown, next) = page::page(found, input.next_token.as_deref(), page::PAGE, |it| it.place().to_string())?;
    Ok(json!({ "Summaries": shown.into_iter().map(|it| summary(set, it)).collect::<Vec<_>>(), "NextToken": next }))
}

fn operation<'s>(set: &'s StackSet, input: &Input) -> Result<&'s Operation, Fault> {
    let id = input.operation_id.as_deref().unwrap_or_default();
    set.operations
        .iter()
        .find(|operation| operation.id == id)
        .ok_or_else(|| Fault::new("OperationNotFoundException", format!("Operation {id} not found")).with_status(404))
}

fn describe_operation(set: &StackSet, operation: &Operation) -> Json {
    json!({
        "OperationId": operation.id,
        "StackSetId": set.id,
        "Action": operation.action,
        "Status": operation.status,
        "OperationPreferences": {
            "RegionOrder": [],
            "FailureToleranceCount": 0,
            "MaxConcurrentCount": 1,
            "ConcurrencyMode": "STRICT_FAILURE_TOLERANCE",
        },
        "RetainStacks": (operation.action == "DELETE").then_some(operation.retain),
        "AdministrationRoleARN": set.administration_role,
        "ExecutionRoleName": set.execution_role,
        "CreationTimestamp": show::time(operation.created),
        "EndTimestamp": operation.ended.map(show::time),
        "DeploymentTargets": { "OrganizationalUnitIds": [] },
        "StatusDetails": { "FailedStackInstancesCount": operation.failed() },
    })
}

fn operations(set: &StackSet, input: &Input) -> Result<Json, Fault> {
    let newest = set.operations.iter().rev();
    let (shown, next) = page::page(newest, input.next_token.as_deref(), page::PAGE, |it| it.id.clone())?;
    let shown = shown.into_iter().map(|operation| {
        json!({
            "OperationId": operation.id,
            "Action": operation.action,
            "Status": operation.status,
            "CreationTimestamp": show::time(operation.created),
            "EndTimestamp": operation.ended.map(show::time),
            "StatusDetails": { "FailedStackInstancesCount": operation.failed() },
        })
    });
    Ok(json!({ "Summaries": shown.collect::<Vec<_>>(), "NextToken": next }))
}

fn results(operation: &Operation, input: &Input) -> Result<Json, Fault> {
    let key = |result: &&model::Outcome| format!("{}/{}", result.account, result.region);
    let (shown, next) = page::page(&operation.results, input.next_token.as_deref(), page::PAGE, key)?;
    let shown = shown.into_iter().map(|result| {
        json!({
            "Account": result.account,
            "Region": result.region,
            "Status": if result.reason.is_some() { "FAILED" } else { "SUCCEEDED" },
            "StatusReason": result.reason,
            "OrganizationalUnitId": "",
        })
    });
    Ok(json!({ "Summaries": shown.collect::<Vec<_>>(), "NextToken": next }))
}

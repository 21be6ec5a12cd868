//! Change sets: asked for, read to their last change, executed, deleted.

use super::super::error::{Call, Explain};
use super::super::{Result, timestamp};
use super::{CloudFormation, is_not_found, says_no_changes};
use aws_sdk_cloudformation::types::{
    Capability, Change, ChangeAction, ChangeSetType, DeploymentMode, Parameter, RequiresRecreation, ResourceChange,
    ResourceChangeDetail, ResourceToImport, Tag,
};
use jiff::Timestamp;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeSetKind {
    Create,
    Update,
    /// Takes existing resources into a stack, and does nothing else.
    Import,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateSource {
    /// At most [`super::MAX_INLINE_TEMPLATE_BYTES`].
    Body(String),
    /// In S3.
    Url(String),
    /// The one that the stack has.
    Previous,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterValue {
    Value(String),
    /// The one that the stack has.
    Previous,
}

/// An existing resource that is to join a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToImport {
    pub logical_id: String,
    pub resource_type: String,
    /// Its primary identifier, part by part.
    pub identifier: BTreeMap<String, String>,
}

/// What to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSetRequest {
    pub stack_name: String,
    /// Letters, digits and hyphens, beginning with a letter, 128 at most.
    pub name: String,
    pub kind: ChangeSetKind,
    pub template: TemplateSource,
    pub parameters: BTreeMap<String, ParameterValue>,
    pub tags: BTreeMap<String, String>,
    pub capabilities: Vec<String>,
    pub description: String,
    /// Compares with the resources as they are, and puts back what was changed (`DeploymentMode=REVERT_DRIFT`).
    pub reverts_drift: bool,
    /// Works out change sets of nested stacks, too (`IncludeNestedStacks`).
    pub includes_nested: bool,
    /// Takes in what exists under the very name that the template gives it (`ImportExistingResources`).
    pub imports_existing: bool,
    /// For [`ChangeSetKind::Import`]: what joins the stack.
    pub imports: Vec<ToImport>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeSetState {
    /// CloudFormation is still working it out.
    Pending,
    /// It can be executed.
    Ready,
    /// It has nothing to change.
    Empty,
    Failed,
    /// Being deleted, or deleted.
    Gone,
}

/// A change set as CloudFormation worked it out.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeSet {
    pub id: String,
    pub name: String,
    pub stack_id: String,
    pub state: ChangeSetState,
    /// CloudFormation's ChangeSetStatus, as it spells it.
    pub status: String,
    pub reason: Option<String>,
    /// CloudFormation's ExecutionStatus, as it spells it (`AVAILABLE`, `EXECUTE_IN_PROGRESS` …).
    pub execution_status: String,
    /// What the SSM parameters hold that parameters of SSM types name.
    pub resolved: BTreeMap<String, String>,
    /// Complete only in state [`ChangeSetState::Ready`].
    pub changes: Vec<ChangeSetChange>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeSetAction {
    Add,
    Modify,
    Remove,
    Import,
    /// Not known before execution (nested stacks).
    Dynamic,
    /// Only CloudFormation's record is brought in line with the resource.
    SyncWithActual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacement {
    Yes,
    No,
    /// CloudFormation decides during execution.
    Conditional,
}

/// What changing a property does to its resource (CloudFormation's RequiresRecreation).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recreation {
    Never,
    Conditionally,
    Always,
}

/// One resource of a change set.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeSetChange {
    pub logical_id: String,
    pub physical_id: Option<String>,
    pub resource_type: String,
    pub action: ChangeSetAction,
    /// None but for modifications.
    pub replacement: Option<Replacement>,
    /// `Delete`, `Retain`, `Snapshot`, `ReplaceAndDelete` …: what becomes of the old physical resource.
    pub policy_action: Option<String>,
    /// `Properties`, `Metadata`, `Tags` …
    pub scope: Vec<String>,
    pub details: Vec<ChangeSetDetail>,
    /// The change set of the nested stack that it is.
    pub change_set: Option<String>,
    /// The resource's properties before and after, as JSON text, where CloudFormation gives them.
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Why a resource changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSetDetail {
    /// `Properties`, `Metadata`, `Tags` …
    pub attribute: String,
    /// The property.
    pub name: Option<String>,
    /// A JSON pointer to what changes (`/Properties/Policies/0`), where CloudFormation gives it.
    pub path: Option<String>,
    pub recreation: Option<Recreation>,
    /// False where CloudFormation only knows at execution whether it changes.
    pub is_certain: bool,
    /// `DirectModification`, `ParameterReference`, `ResourceReference`, `ResourceAttribute`, `Automatic` …
    pub source: Option<String>,
    /// `Network.VpcId`: what the value is taken from.
    pub cause: Option<String>,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What the names of all change sets begin with that infra makes.
pub const OWN_CHANGE_SETS: &str = "infra-";

/// One line of a stack's list of change sets.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeSetSummary {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub status: String,
    pub execution_status: String,
    pub created_at: Timestamp,
}

impl CloudFormation {
    /// Asks for a change set and returns its id; it is worked out in the background. The request's name is its token:
    /// asking twice for the same makes one.
    pub async fn create_change_set(&self, request: &ChangeSetRequest) -> Result<String> {
        let what = format!("create a change set for {}", self.the(&request.stack_name));
        let call = || Call::new("cloudformation", "CreateChangeSet", what);
        let operation = self
            .client
            .create_change_set()
            .stack_name(&request.stack_name)
            .change_set_name(&request.name)
            .client_token(&request.name)
            .description(&request.description)
            .change_set_type(match request.kind {
                ChangeSetKind::Create => ChangeSetType::Create,
                ChangeSetKind::Update => ChangeSetType::Update,
                ChangeSetKind::Import => ChangeSetType::Import,
            })
            .set_parameters(Some(request.parameters.iter().map(parameter).collect()))
            .set_tags(Some(
                request.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect(),
            ))
            .set_capabilities(Some(request.capabilities.iter().map(|name| Capability::from(name.as_str())).collect()));
        let operation = operation.set_deployment_mode(request.reverts_drift.then_some(DeploymentMode::RevertDrift));
        let operation = operation.set_include_nested_stacks(request.includes_nested.then_some(true));
        let operation = operation.set_import_existing_resources(request.imports_existing.then_some(true));
        let imports: Vec<ResourceToImport> = request.imports.iter().map(to_import).collect();
        let operation = operation.set_resources_to_import((!imports.is_empty()).then_some(imports));
        let operation = match &request.template {
            TemplateSource::Body(body) => operation.template_body(body),
            TemplateSource::Url(url) => operation.template_url(url),
            TemplateSource::Previous => operation.use_previous_template(true),
        };
        Ok(operation.send().await.explain(call)?.id.unwrap_or_else(|| request.name.clone()))
    }

    /// The change set with all its changes and the values before and after; none if there is no such change set.
    pub async fn describe_change_set(&self, stack: &str, change_set: &str) -> Result<Option<ChangeSet>> {
        let call = || {
            Call::new("cloudformation", "DescribeChangeSet", format!("look at the change set of {}", self.the(stack)))
        };
        let mut result: Option<ChangeSet> = None;
        let mut token = None;
        loop {
            let request = self.client.describe_change_set().stack_name(stack).change_set_name(change_set);
            let answer = request.include_property_values(true).set_next_token(token).send().await.explain(call);
            let answer = match answer {
                Err(error) if is_not_found(&error) => return Ok(None),
                answer => answer?,
            };
            token = answer.next_token.filter(|token| !token.is_empty());
            let changes = answer.changes.unwrap_or_default().into_iter().filter_map(resource_change);
            match &mut result {
                Some(result) => result.changes.extend(changes),
                None => {
                    let status = answer.status.map(|status| status.as_str().to_owned()).unwrap_or_default();
                    result = Some(ChangeSet {
                        id: answer.change_set_id.unwrap_or_default(),
                        name: answer.change_set_name.unwrap_or_default(),
                        stack_id: answer.stack_id.unwrap_or_default(),
                        state: state(&status, answer.status_reason.as_deref()),
                        status,
                        reason: answer.status_reason,
                        execution_status: answer
                            .execution_status
                            .map(|status| status.as_str().to_owned())
                            .unwrap_or_default(),
                        resolved: answer.parameters.unwrap_or_default().into_iter().filter_map(resolved).collect(),
                        changes: changes.collect(),
                    });
                }
            }
            if token.is_none() {
                return Ok(result);
            }
        }
    }

    /// Starts the change set; the stack's events, marked with `token`, tell how it goes. CloudFormation deletes the
    /// stack's other change sets.
    pub async fn execute_change_set(&self, stack: &str, change_set: &str, token: &str) -> Result<()> {
        let call = || {
            Call::new("cloudformation", "ExecuteChangeSet", format!("execute the change set of {}", self.the(stack)))
        };
        let request = self.client.execute_change_set().stack_name(stack).change_set_name(change_set);
        request.client_request_token(token).send().await.explain(call).map(drop)
    }

    /// One that is not there is deleted already.
    pub async fn delete_change_set(&self, stack: &str, change_set: &str) -> Result<()> {
        let call =
            || Call::new("cloudformation", "DeleteChangeSet", format!("delete a change set of {}", self.the(stack)));
        match self.client.delete_change_set().stack_name(stack).change_set_name(change_set).send().await.explain(call) {
            Err(error) if is_not_found(&error) => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// The change sets of a stack, executed ones included where they are kept; no such stack has none.
    pub async fn list_change_sets(&self, stack: &str) -> Result<Vec<ChangeSetSummary>> {
        let call =
            || Call::new("cloudformation", "ListChangeSets", format!("list the change sets of {}", self.the(stack)));
        let mut pages = self.client.list_change_sets().stack_name(stack).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(summary) = pages.next().await {
            let summary = match summary.explain(call) {
                Err(error) if is_not_found(&error) => break,
                summary => summary?,
            };
            found.push(ChangeSetSummary {
                id: summary.change_set_id.unwrap_or_default(),
                name: summary.change_set_name.unwrap_or_default(),
                description: summary.description.filter(|text| !text.is_empty()),
                status: summary.status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
                execution_status: summary.execution_status.map(|s| s.as_str().to_owned()).unwrap_or_default(),
                created_at: summary.creation_time.as_ref().map(timestamp).unwrap_or_default(),
            });
        }
        Ok(found)
    }
}

fn to_import(one: &ToImport) -> ResourceToImport {
    ResourceToImport::builder()
        .logical_resource_id(&one.logical_id)
        .resource_type(&one.resource_type)
        .set_resource_identifier(Some(one.identifier.clone().into_iter().collect()))
        .build()
}

fn parameter((key, value): (&String, &ParameterValue)) -> Parameter {
    let builder = Parameter::builder().parameter_key(key);
    match value {
        ParameterValue::Value(value) => builder.parameter_value(value).build(),
        ParameterValue::Previous => builder.use_previous_value(true).build(),
    }
}

fn resolved(parameter: Parameter) -> Option<(String, String)> {
    Some((parameter.parameter_key?, parameter.resolved_value?))
}

fn state(status: &str, reason: Option<&str>) -> ChangeSetState {
    match status {
        "CREATE_COMPLETE" => ChangeSetState::Ready,
        "FAILED" if reason.is_some_and(says_no_changes) => ChangeSetState::Empty,
        "FAILED" | "DELETE_FAILED" => ChangeSetState::Failed,
        "DELETE_PENDING" | "DELETE_IN_PROGRESS" | "DELETE_COMPLETE" => ChangeSetState::Gone,
        _ => ChangeSetState::Pending,
    }
}

fn resource_change(change: Change) -> Option<ChangeSetChange> {
    let ResourceChange {
        logical_resource_id,
        physical_resource_id,
        resource_type,
        action,
        replacement,
        policy_action,
        scope,
        details,
        before_context,
        after_context,
        change_set_id,
        ..
    } = change.resource_change?;
    let action = match action? {
        ChangeAction::Add => ChangeSetAction::Add,
        ChangeAction::Modify => ChangeSetAction::Modify,
        ChangeAction::Remove => ChangeSetAction::Remove,
        ChangeAction::Import => ChangeSetAction::Import,
        ChangeAction::SyncWithActual => ChangeSetAction::SyncWithActual,
        _ => ChangeSetAction::Dynamic,
    };
    let replacement = replacement.filter(|_| action == ChangeSetAction::Modify).map(|value| match value.as_str() {
        "True" => Replacement::Yes,
        "False" => Replacement::No,
        _ => Replacement::Conditional,
    });
    Some(ChangeSetChange {
        logical_id: logical_resource_id.unwrap_or_default(),
        physical_id: physical_resource_id.filter(|id| !id.is_empty()),
        resource_type: resource_type.unwrap_or_default(),
        action,
        replacement,
        policy_action: policy_action.map(|action| action.as_str().to_owned()),
        scope: scope.unwrap_or_default().iter().map(|attribute| attribute.as_str().to_owned()).collect(),
        details: details.unwrap_or_default().into_iter().map(detail).collect(),
        change_set: change_set_id.filter(|id| !id.is_empty()),
        before: before_context,
        after: after_context,
    })
}

fn detail(detail: ResourceChangeDetail) -> ChangeSetDetail {
    let target = detail.target;
    let of_target = |get: fn(&aws_sdk_cloudformation::types::ResourceTargetDefinition) -> Option<&str>| {
        target.as_ref().and_then(get).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let recreation = target.as_ref().and_then(|target| target.requires_recreation()).map(|needed| match needed {
        RequiresRecreation::Always => Recreation::Always,
        RequiresRecreation::Never => Recreation::Never,
        _ => Recreation::Conditionally,
    });
    ChangeSetDetail {
        attribute: of_target(|target| target.attribute().map(|attribute| attribute.as_str())).unwrap_or_default(),
        name: of_target(|target| target.name()),
        path: of_target(|target| target.path()),
        recreation,
        is_certain: detail.evaluation.is_none_or(|evaluation| evaluation.as_str() == "Static"),
        source: detail.change_source.map(|source| source.as_str().to_owned()),
        cause: detail.causing_entity.filter(|entity| !entity.is_empty()),
        before: of_target(|target| target.before_value()),
        after: of_target(|target| target.after_value()),
    }
}

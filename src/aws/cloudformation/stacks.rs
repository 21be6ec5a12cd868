//! Stacks as they are, and what may be asked of them as a whole.

use super::super::error::{Call, Explain};
use super::super::{Result, timestamp};
use super::{CloudFormation, TemplateSource, is_not_found};
use crate::error::{Error, Kind};
use crate::model::{Deployed, StackStatus, sensitive};
use aws_sdk_cloudformation::types::{DeletionMode, Stack, StackDriftStatus, TemplateStage};
use std::collections::{BTreeMap, BTreeSet};

/// One resource of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackResource {
    pub logical_id: String,
    pub physical_id: Option<String>,
    pub resource_type: String,
    /// CloudFormation's ResourceStatus, as it spells it.
    pub status: String,
    pub reason: Option<String>,
}

impl CloudFormation {
    /// The stacks whose names `wanted` accepts; those in deletion count, those deleted do not. At most one call for each
    /// hundred stacks in the account and region; none more once all of `names` are found.
    pub async fn describe_stacks(
        &self,
        names: &BTreeSet<String>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<Deployed>> {
        let call =
            || Call::new("cloudformation", "DescribeStacks", format!("look at the stacks in {}", self.target.region));
        let mut pages = self.client.describe_stacks().into_paginator().send();
        let mut missing: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            for stack in page.explain(call)?.stacks.unwrap_or_default() {
                let name = stack.stack_name().unwrap_or_default();
                missing.remove(name);
                if names.contains(name) || wanted(name) {
                    found.push(self.deployed(stack)?);
                }
            }
            if missing.is_empty() {
                break;
            }
        }
        found.retain(|stack| stack.status != StackStatus::DeleteComplete);
        Ok(found)
    }

    /// One stack by name or id; a deleted one is found by its id only.
    pub async fn describe_stack(&self, name_or_id: &str) -> Result<Option<Deployed>> {
        let call = || Call::new("cloudformation", "DescribeStacks", format!("look at {}", self.the(name_or_id)));
        match self.client.describe_stacks().stack_name(name_or_id).send().await.explain(call) {
            Ok(answer) => {
                answer.stacks.unwrap_or_default().into_iter().next().map(|stack| self.deployed(stack)).transpose()
            }
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The template as it was sent; none if there is no such stack.
    pub async fn template(&self, name_or_id: &str) -> Result<Option<String>> {
        let call =
            || Call::new("cloudformation", "GetTemplate", format!("read the template of {}", self.the(name_or_id)));
        let request = self.client.get_template().stack_name(name_or_id).template_stage(TemplateStage::Original);
        match request.send().await.explain(call) {
            Ok(answer) => Ok(answer.template_body),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All resources of a stack; none if there is no such stack.
    pub async fn resources(&self, name_or_id: &str) -> Result<Vec<StackResource>> {
        let call = || {
            Call::new("cloudformation", "ListStackResources", format!("list the resources of {}", self.the(name_or_id)))
        };
        let mut pages = self.client.list_stack_resources().stack_name(name_or_id).into_paginator().items().send();
        let mut resources = Vec::new();
        while let Some(resource) = pages.next().await {
            let resource = match resource.explain(call) {
                Err(error) if is_not_found(&error) => break,
                resource => resource?,
            };
            resources.push(StackResource {
                logical_id: resource.logical_resource_id.unwrap_or_default(),
                physical_id: resource.physical_resource_id.filter(|id| !id.is_empty()),
                resource_type: resource.resource_type.unwrap_or_default(),
                status: resource.resource_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
                reason: resource.resource_status_reason,
            });
        }
        Ok(resources)
    }

    /// The name of the stack that a resource belongs to; none where it belongs to none.
    pub async fn owner(&self, physical_id: &str) -> Result<Option<String>> {
        let call = || {
            Call::new(
                "cloudformation",
                "DescribeStackResources",
                format!("look which stack `{physical_id}` belongs to"),
            )
        };
        match self.client.describe_stack_resources().physical_resource_id(physical_id).send().await.explain(call) {
            Ok(answer) => {
                // A stack that is deleted still tells what it left behind.
                let gone = ["DELETE_SKIPPED", "DELETE_COMPLETE"];
                let has = answer
                    .stack_resources
                    .unwrap_or_default()
                    .into_iter()
                    .find(|one| one.resource_status.as_ref().is_none_or(|status| !gone.contains(&status.as_str())));
                Ok(has.and_then(|one| one.stack_name))
            }
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks for a deletion; the stack's events tell how it goes. `retain` (logical ids) is allowed for a stack whose
    /// deletion has failed before.
    pub async fn delete_stack(&self, id: &str, token: &str, retain: &[String]) -> Result<()> {
        let call = || Call::new("cloudformation", "DeleteStack", format!("delete {}", self.the(id)));
        let request = self.client.delete_stack().stack_name(id).client_request_token(token);
        let retain = (!retain.is_empty()).then(|| retain.to_vec());
        request.set_retain_resources(retain).send().await.explain(call).map(drop)
    }

    /// Deletes a stack whose deletion failed before, leaving behind whatever cannot be deleted.
    pub async fn force_delete_stack(&self, id: &str, token: &str) -> Result<()> {
        let call = || Call::new("cloudformation", "DeleteStack", format!("delete {} by force", self.the(id)));
        let request = self.client.delete_stack().stack_name(id).client_request_token(token);
        request.deletion_mode(DeletionMode::ForceDeleteStack).send().await.explain(call).map(drop)
    }

    pub async fn set_termination_protection(&self, stack: &str, on: bool) -> Result<()> {
        let what = format!("turn termination protection {} for {}", if on { "on" } else { "off" }, self.the(stack));
        let call = || Call::new("cloudformation", "UpdateTerminationProtection", what);
        let request = self.client.update_termination_protection().stack_name(stack);
        request.enable_termination_protection(on).send().await.explain(call).map(drop)
    }

    /// `policy` is JSON.
    pub async fn set_stack_policy(&self, stack: &str, policy: &str) -> Result<()> {
        let call =
            || Call::new("cloudformation", "SetStackPolicy", format!("set the stack policy of {}", self.the(stack)));
        let request = self.client.set_stack_policy().stack_name(stack).stack_policy_body(policy);
        request.send().await.explain(call).map(drop)
    }

    /// The stack policy (JSON), where one is set.
    pub async fn stack_policy(&self, stack: &str) -> Result<Option<String>> {
        let call =
            || Call::new("cloudformation", "GetStackPolicy", format!("read the stack policy of {}", self.the(stack)));
        let answer = self.client.get_stack_policy().stack_name(stack).send().await.explain(call)?;
        Ok(answer.stack_policy_body.filter(|body| !body.trim().is_empty()))
    }

    /// Stops a running update; CloudFormation then rolls it back.
    pub async fn cancel_update(&self, stack: &str, token: &str) -> Result<()> {
        let call =
            || Call::new("cloudformation", "CancelUpdateStack", format!("cancel the update of {}", self.the(stack)));
        let request = self.client.cancel_update_stack().stack_name(stack).client_request_token(token);
        request.send().await.explain(call).map(drop)
    }

    /// Takes up a rollback that failed; `skip` are logical ids that are left as they are.
    pub async fn continue_update_rollback(&self, stack: &str, token: &str, skip: &[String]) -> Result<()> {
        let call = || {
            Call::new(
                "cloudformation",
                "ContinueUpdateRollback",
                format!("continue the rollback of {}", self.the(stack)),
            )
        };
        let request = self.client.continue_update_rollback().stack_name(stack).client_request_token(token);
        let skip = (!skip.is_empty()).then(|| skip.to_vec());
        request.set_resources_to_skip(skip).send().await.explain(call).map(drop)
    }

    /// CloudFormation's own check of a template's form.
    pub async fn validate(&self, template: &TemplateSource) -> Result<()> {
        let call = || Call::new("cloudformation", "ValidateTemplate", "have the template checked by CloudFormation");
        let request = self.client.validate_template();
        let request = match template {
            TemplateSource::Body(body) => request.template_body(body),
            TemplateSource::Url(url) => request.template_url(url),
            TemplateSource::Previous => return Ok(()),
        };
        request.send().await.explain(call).map(drop)
    }

    fn deployed(&self, stack: Stack) -> Result<Deployed> {
        let stack_name = stack.stack_name.unwrap_or_default();
        let status = stack.stack_status.as_ref().map(|status| status.as_str()).unwrap_or_default();
        let status = StackStatus::parse(status).ok_or_else(|| {
            Error::new(
                Kind::Aws,
                format!("{} has status `{status}`, which this version of infra does not know", self.the(&stack_name)),
            )
            .hint("update infra")
        })?;
        let drift = stack.drift_information.filter(|it| it.stack_drift_status == Some(StackDriftStatus::Drifted));
        let created_at = stack.creation_time.as_ref().map(timestamp).unwrap_or_default();
        let pairs = |key: Option<String>, value: Option<String>| Some((key?, value.unwrap_or_default()));
        let parameters = stack.parameters.unwrap_or_default();
        let resolved =
            parameters.iter().filter_map(|one| Some((one.parameter_key.clone()?, one.resolved_value.clone()?)));
        let resolved: BTreeMap<_, _> = resolved.collect();
        let parameters: BTreeMap<_, _> = parameters
            .into_iter()
            .filter_map(|parameter| pairs(parameter.parameter_key, parameter.parameter_value))
            .collect();
        let outputs = stack.outputs.unwrap_or_default().into_iter();
        sensitive::learn_stack(None, &parameters, &BTreeMap::new());
        Ok(Deployed {
            stack_id: stack.stack_id.unwrap_or_default(),
            target: self.target.clone(),
            status,
            status_reason: stack.stack_status_reason,
            template: None,
            resources: None,
            parameters,
            resolved,
            outputs: outputs.filter_map(|output| pairs(output.output_key, output.output_value)).collect(),
            tags: stack.tags.unwrap_or_default().into_iter().filter_map(|tag| pairs(tag.key, tag.value)).collect(),
            capabilities: stack.capabilities.unwrap_or_default().iter().map(|c| c.as_str().to_owned()).collect(),
            termination_protection: stack.enable_termination_protection.unwrap_or(false),
            drifted_at: drift.and_then(|drift| drift.last_check_timestamp).as_ref().map(timestamp),
            created_at,
            changed_at: stack.last_updated_time.as_ref().map_or(created_at, timestamp),
            stack_name,
        })
    }
}

//! What CreateStack, UpdateStack and CreateChangeSet are given. They share most of it.

use super::{policies, required};
use crate::cloudformation::model::{DeploymentConfig, OnFailure, Operation, Stack, Token};
use crate::cloudformation::prepare::{Given, Request};
use crate::cloudformation::text;
use crate::place::Place;
use crate::query::Fault;
use crate::world::World;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value as Json;
use std::sync::Arc;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    pub stack_name: Option<String>,
    pub template_body: Option<String>,
    #[serde(rename = "TemplateURL")]
    pub template_url: Option<String>,
    pub use_previous_template: Option<bool>,
    pub parameters: Option<Vec<Given>>,
    pub tags: Option<Vec<Tag>>,
    pub capabilities: Option<Vec<String>>,
    #[serde(rename = "NotificationARNs")]
    pub notification_arns: Option<Vec<String>>,
    #[serde(rename = "RoleARN")]
    pub role_arn: Option<String>,
    pub rollback_configuration: Option<Json>,
    pub client_request_token: Option<String>,
    pub disable_rollback: Option<bool>,
    pub retain_except_on_create: Option<bool>,
    pub resource_types: Option<Vec<String>>,
    pub deployment_config: Option<DeploymentConfig>,
    pub stack_policy_body: Option<String>,
    #[serde(rename = "StackPolicyURL")]
    pub stack_policy_url: Option<String>,

    // CreateStack
    pub on_failure: Option<String>,
    pub timeout_in_minutes: Option<u32>,
    pub enable_termination_protection: Option<bool>,

    // UpdateStack
    pub stack_policy_during_update_body: Option<String>,
    #[serde(rename = "StackPolicyDuringUpdateURL")]
    pub stack_policy_during_update_url: Option<String>,

    // CreateChangeSet
    pub change_set_name: Option<String>,
    pub change_set_type: Option<String>,
    pub client_token: Option<String>,
    pub description: Option<String>,
    pub resources_to_import: Option<Vec<ToImport>>,
    pub include_nested_stacks: Option<bool>,
    pub on_stack_failure: Option<String>,
    pub import_existing_resources: Option<bool>,
    pub deployment_mode: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub key: Option<String>,
    pub value: Option<String>,
}

/// A resource that is to become part of the stack.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ToImport {
    pub resource_type: Option<String>,
    pub logical_resource_id: Option<String>,
    pub resource_identifier: Option<IndexMap<String, String>>,
}

impl Input {
    /// The stack's name or id.
    ///
    /// # Errors
    /// There is none, or it is no name.
    pub fn name(&self) -> Result<String, Fault> {
        let name = required(self.stack_name.clone(), "stackName")?;
        if !name.starts_with("arn:") {
            check_name(&name, "stackName")?;
        }
        Ok(name)
    }

    /// Whether it says where its template is: that is looked at before the stack is looked for.
    ///
    /// # Errors
    /// It says so nowhere, or twice.
    pub fn check_template(&self) -> Result<(), Fault> {
        let (body, url) = (self.template_body.as_deref(), self.template_url.as_deref());
        match self.use_previous_template {
            Some(true) if body.is_some() || url.is_some() => {
                Err(Fault::validation("You cannot specify both usePreviousTemplate and Template Body/Template URL."))
            }
            Some(true) => Ok(()),
            _ => text::check(body, url),
        }
    }

    /// What the stack is to be.
    ///
    /// # Errors
    /// A role that can be none.
    pub fn request(&mut self) -> Result<Request, Fault> {
        check_role(self.role_arn.as_deref())?;
        let tag = |tag: Tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default());
        Ok(Request {
            template_body: self.template_body.take(),
            template_url: self.template_url.take(),
            use_previous_template: self.use_previous_template.unwrap_or_default(),
            parameters: self.parameters.take().unwrap_or_default(),
            tags: self.tags.take().map(|tags| tags.into_iter().map(tag).collect()),
            capabilities: self.capabilities.take().unwrap_or_default(),
            notification_arns: self.notification_arns.take(),
            role_arn: self.role_arn.take(),
            rollback_configuration: self.rollback_configuration.take(),
            resource_types: self.resource_types.take(),
            acknowledge_macros: true,
        })
    }

    /// What becomes of a failed operation: by `DisableRollback`, of the request or of its deployment configuration, and
    /// `also` (`OnFailure`, `OnStackFailure`).
    ///
    /// # Errors
    /// Both are given.
    pub fn on_failure(&self, also: Option<&str>) -> Result<OnFailure, Fault> {
        let configured = self.deployment_config.as_ref().and_then(|config| config.disable_rollback);
        on_failure(self.disable_rollback.or(configured), also)
    }

    /// Writes into an operation, and into the stack that is to be worked on, how it is to go about its work.
    pub fn describe(&self, operation: &mut Operation) {
        operation.token.clone_from(&self.client_request_token);
        operation.retain_except_on_create = self.retain_except_on_create.unwrap_or_default();
        operation.express = self.deployment_config.as_ref().is_some_and(DeploymentConfig::is_express);
    }

    /// The stack policy that comes with it.
    ///
    /// # Errors
    /// It is none.
    pub async fn policy(&mut self, world: &Arc<World>, place: &Place) -> Result<Option<String>, Fault> {
        policies::body(world, place, self.stack_policy_body.take(), self.stack_policy_url.as_deref()).await
    }
}

/// Whether CloudFormation could work as this role.
///
/// # Errors
/// It is none.
pub(super) fn check_role(arn: Option<&str>) -> Result<(), Fault> {
    match arn.filter(|arn| !is_role(arn)) {
        None => Ok(()),
        Some(role) => Err(Fault::validation(format!("Role {role} is invalid or cannot be assumed"))),
    }
}

/// `arn:aws:iam::111122223333:role/name`.
fn is_role(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", _, "iam", "", account, name] if account.len() == 12 && name.starts_with("role/"))
}

/// Whether this may be the name of a stack or change set.
///
/// # Errors
/// `ValidationError` if it may not.
pub(super) fn check_name(name: &str, member: &str) -> Result<(), Fault> {
    let mut broken = Vec::new();
    if name.is_empty() {
        broken.push("Member must have length greater than or equal to 1".to_owned());
    }
    let mut characters = name.chars();
    let begins = characters.next().is_some_and(|first| first.is_ascii_alphabetic());
    if !begins || !characters.all(|one| one.is_ascii_alphanumeric() || one == '-') {
        let pattern = match member {
            "stackName" => "[a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*",
            _ => "[a-zA-Z][-a-zA-Z0-9]*",
        };
        broken.push(format!("Member must satisfy regular expression pattern: {pattern}"));
    }
    if name.len() > 128 {
        broken.push("Member must have length less than or equal to 128".to_owned());
    }
    let told: Vec<String> = broken
        .iter()
        .map(|constraint| format!("Value '{name}' at '{member}' failed to satisfy constraint: {constraint}"))
        .collect();
    match told.as_slice() {
        [] => Ok(()),
        [only] => Err(Fault::validation(format!("1 validation error detected: {only}"))),
        several => {
            let message = format!("{} validation errors detected: {}", several.len(), several.join("; "));
            Err(Fault::validation(message))
        }
    }
}

/// What becomes of a failed operation, by `DisableRollback` and `OnFailure` or `OnStackFailure`.
///
/// # Errors
/// Both are given.
pub(super) fn on_failure(disable_rollback: Option<bool>, on_failure: Option<&str>) -> Result<OnFailure, Fault> {
    match (disable_rollback, on_failure) {
        (Some(_), Some(_)) => {
            Err(Fault::validation("You may specify either DisableRollback or OnFailure, but not both."))
        }
        (Some(true), None) | (_, Some("DO_NOTHING")) => Ok(OnFailure::DoNothing),
        (_, Some("DELETE")) => Ok(OnFailure::Delete),
        _ => Ok(OnFailure::Rollback),
    }
}

/// Whether the same request was accepted before.
///
/// # Errors
/// `TokenAlreadyExistsException` if another one was, with the same token.
pub(super) fn is_known(stack: &Stack, action: &str, token: Option<&str>) -> Result<bool, Fault> {
    match stack.tokens.iter().find(|known| Some(known.token.as_str()) == token) {
        None => Ok(false),
        Some(known) if known.action == action => Ok(true),
        Some(_) => Err(Fault::new("TokenAlreadyExistsException", "A client request token already exists.")),
    }
}

/// The same; if it was not, it is noted that it was now.
///
/// # Errors
/// As [`is_known`].
pub(super) fn repeated(stack: &mut Stack, action: &str, token: Option<&str>) -> Result<bool, Fault> {
    let known = is_known(stack, action, token)?;
    if let Some(token) = token.filter(|_| !known) {
        stack.tokens.push(Token { token: token.to_owned(), action: action.to_owned() });
    }
    Ok(known)
}

/// The words for a stack that is busy, or past changes.
pub(super) fn cannot_be_updated(stack: &Stack) -> Fault {
    Fault::validation(format!("Stack:{} is in {} state and can not be updated.", stack.id, stack.status))
}

/// Whether an update may begin.
pub(super) fn can_be_updated(stack: &Stack) -> bool {
    matches!(
        stack.status.as_str(),
        "CREATE_COMPLETE"
            | "UPDATE_COMPLETE"
            | "UPDATE_ROLLBACK_COMPLETE"
            | "IMPORT_COMPLETE"
            | "IMPORT_ROLLBACK_COMPLETE"
            | "CREATE_FAILED"
            | "UPDATE_FAILED"
    )
}

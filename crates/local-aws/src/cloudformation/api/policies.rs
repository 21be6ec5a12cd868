//! `SetStackPolicy` and `GetStackPolicy`.

use super::{find, required};
use crate::cloudformation::text::Object;
use crate::place::Place;
use crate::query::{self, Fault};
use crate::world::World;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    stack_name: Option<String>,
    stack_policy_body: Option<String>,
    #[serde(rename = "StackPolicyURL")]
    stack_policy_url: Option<String>,
}

/// Sets what updates of a stack may touch.
pub(super) async fn set_stack_policy(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let name = required(input.stack_name, "stackName")?;
    let policy = body(world, place, input.stack_policy_body, input.stack_policy_url.as_deref()).await?;
    let id = world.stacks.id_of(place, &name).ok_or_else(|| find::with_id(&name))?;
    world.edit_stack(&id, |stack| stack.policy = policy);
    Ok(Json::Null)
}

/// The policy that a request brings, checked; `None` if it brings none.
///
/// # Errors
/// `ValidationError` if it brings two or one that is none.
pub(in crate::cloudformation) async fn body(
    world: &Arc<World>,
    place: &Place,
    body: Option<String>,
    url: Option<&str>,
) -> Result<Option<String>, Fault> {
    let text = match (body, url) {
        (Some(_), Some(_)) => {
            return Err(Fault::validation("You cannot specify both StackPolicyURL and StackPolicyBody"));
        }
        (Some(body), None) => body,
        (None, Some(url)) => {
            let object = Object::at(url).ok_or_else(|| Fault::validation("StackPolicyURL must be a supported URL."))?;
            object.read(world, place).await?
        }
        (None, None) => return Ok(None),
    };
    match is_policy(&text) {
        true => Ok(Some(text)),
        false => Err(Fault::validation("Error validating stack policy: Invalid stack policy")),
    }
}

/// Whether a text is a stack policy: `{}`, or statements for everybody that speak of updates. (User guide, "Prevent
/// updates to stack resources": `Principal` must be `*`, actions are `Update:*`, `Modify`, `Replace` and `Delete`.)
fn is_policy(text: &str) -> bool {
    let Ok(Json::Object(policy)) = serde_json::from_str(text) else { return false };
    let statements = match policy.get("Statement") {
        None => return policy.is_empty(),
        Some(Json::Array(statements)) => statements.as_slice(),
        Some(statement) => std::slice::from_ref(statement),
    };
    statements.iter().all(is_statement)
}

fn is_statement(statement: &Json) -> bool {
    let texts = |member: &str| -> Option<Vec<&str>> {
        match statement.get(member)? {
            Json::Array(items) => items.iter().map(Json::as_str).collect(),
            other => other.as_str().map(|text| vec![text]),
        }
    };
    let one_of = |member: &str, opposite: &str| match (statement.get(member), statement.get(opposite)) {
        (Some(_), None) => texts(member),
        (None, Some(_)) => texts(opposite),
        _ => None,
    };
    let is_action =
        |action: &str| matches!(action, "*" | "Update:*" | "Update:Modify" | "Update:Replace" | "Update:Delete");
    matches!(statement["Effect"].as_str(), Some("Allow" | "Deny"))
        && statement["Principal"] == "*"
        && one_of("Action", "NotAction").is_some_and(|actions| actions.into_iter().all(is_action))
        && one_of("Resource", "NotResource").is_some()
}

/// The policy of a stack; while an update with a policy of its own runs, that one.
pub(super) async fn get_stack_policy(world: &Arc<World>, place: &Place, input: Json) -> Result<Json, Fault> {
    let input: Input = query::input(input)?;
    let name = required(input.stack_name, "stackName")?;
    let stacks = world.stacks.lock();
    let stack = find::stack(&stacks, place, &name).ok_or_else(|| find::with_id(&name))?;
    Ok(json!({ "StackPolicyBody": stack.policy_during_update.as_ref().or(stack.policy.as_ref()) }))
}

#[cfg(test)]
mod tests {
    use super::is_policy;

    #[test]
    fn policies_are_about_updates_by_everybody() {
        let statement = |members: &str| format!(r#"{{"Statement": [{{{members}}}]}}"#);
        let good = [
            "{}".to_owned(),
            statement(r#""Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*""#),
            statement(
                r#""Effect": "Allow", "NotAction": ["Update:Delete"], "Principal": "*",
                   "Resource": ["LogicalResourceId/A"], "Condition": {}"#,
            ),
        ];
        for policy in &good {
            assert!(is_policy(policy), "{policy}");
        }
        let bad = [
            "policy".to_owned(),
            "[]".to_owned(),
            r#"{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}"#.to_owned(),
            statement(r#""Effect": "Deny", "Action": "Delete:*", "Principal": "*", "Resource": "*""#),
            statement(r#""Effect": "Deny", "Action": "Update:*", "Principal": "somebody", "Resource": "*""#),
            statement(r#""Effect": "Maybe", "Action": "Update:*", "Principal": "*", "Resource": "*""#),
            statement(r#""Effect": "Deny", "Action": "Update:*", "Principal": "*""#),
        ];
        for policy in &bad {
            assert!(!is_policy(policy), "{policy}");
        }
    }
}

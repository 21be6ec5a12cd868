//! What the model of CloudFormation's API says of the members of requests: which have to be there, how long they may be,
//! and what they may say. A request that is not of this form is refused before anything else is looked at, with all that
//! is wrong with it in one message. (The model is `cloudformation/2010-05-15` as botocore 1.42 publishes it.)
//!
//! What this does not look at is looked at where it is used, because AWS words it otherwise: bodies of templates, names of
//! new stacks and change sets, rollback configurations.

use crate::query::Fault;
use Form::{Each, Items, Length, Matches, OneOf, Range};
use serde_json::Value as Json;
use std::fmt::Write as _;

/// What a member has to be like.
#[derive(Debug, Clone, Copy)]
enum Form {
    Length(usize, usize),
    Range(i64, i64),
    OneOf(&'static [&'static str]),
    Matches(fn(&str) -> bool, &'static str),
    /// How many items a list has.
    Items(usize, usize),
    /// What each item of a list is like.
    Each(&'static Form),
}

/// The members that have to be there, by action.
const REQUIRED: [(&str, &[&str]); 38] = [
    ("CancelUpdateStack", &["StackName"]),
    ("ContinueUpdateRollback", &["StackName"]),
    ("CreateChangeSet", &["StackName", "ChangeSetName"]),
    ("CreateStack", &["StackName"]),
    ("DeleteChangeSet", &["ChangeSetName"]),
    ("DeleteStack", &["StackName"]),
    ("DescribeChangeSet", &["ChangeSetName"]),
    ("DescribeChangeSetHooks", &["ChangeSetName"]),
    ("DescribeStackEvents", &["StackName"]),
    ("DescribeStackResource", &["StackName", "LogicalResourceId"]),
    ("DescribeStackDriftDetectionStatus", &["StackDriftDetectionId"]),
    ("DescribeStackResourceDrifts", &["StackName"]),
    ("DetectStackDrift", &["StackName"]),
    ("DetectStackResourceDrift", &["StackName", "LogicalResourceId"]),
    ("ExecuteChangeSet", &["ChangeSetName"]),
    ("GetStackPolicy", &["StackName"]),
    ("ListChangeSets", &["StackName"]),
    ("ListImports", &["ExportName"]),
    ("ListStackResources", &["StackName"]),
    ("RollbackStack", &["StackName"]),
    ("SetStackPolicy", &["StackName"]),
    ("SignalResource", &["StackName", "LogicalResourceId", "UniqueId", "Status"]),
    ("UpdateStack", &["StackName"]),
    ("UpdateTerminationProtection", &["EnableTerminationProtection", "StackName"]),
    ("CreateStackInstances", &["StackSetName", "Regions"]),
    ("CreateStackSet", &["StackSetName"]),
    ("DeleteStackInstances", &["StackSetName", "Regions", "RetainStacks"]),
    ("DeleteStackSet", &["StackSetName"]),
    ("DescribeStackInstance", &["StackSetName", "StackInstanceAccount", "StackInstanceRegion"]),
    ("DescribeStackSet", &["StackSetName"]),
    ("DescribeStackSetOperation", &["StackSetName", "OperationId"]),
    ("ListStackInstances", &["StackSetName"]),
    ("ListStackSetOperationResults", &["StackSetName", "OperationId"]),
    ("ListStackSetOperations", &["StackSetName"]),
    ("DetectStackSetDrift", &["StackSetName"]),
    ("StopStackSetOperation", &["StackSetName", "OperationId"]),
    ("UpdateStackInstances", &["StackSetName", "Regions"]),
    ("UpdateStackSet", &["StackSetName"]),
];

/// The members that each item of a list has to have.
const REQUIRED_OF_ITEMS: [(&str, &[&str]); 2] = [
    ("ResourcesToImport", &["ResourceType", "LogicalResourceId", "ResourceIdentifier"]),
    ("RollbackConfiguration.RollbackTriggers", &["Arn", "Type"]),
];

const ON_FAILURE: Form = OneOf(&["DO_NOTHING", "ROLLBACK", "DELETE"]);
const CAPABILITY: Form = OneOf(&["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]);
const DRIFT_STATUS: Form = OneOf(&["IN_SYNC", "MODIFIED", "DELETED", "NOT_CHECKED", "UNKNOWN", "UNSUPPORTED"]);
const STACK_STATUS: Form = OneOf(&[
    "CREATE_IN_PROGRESS",
    "CREATE_FAILED",
    "CREATE_COMPLETE",
    "ROLLBACK_IN_PROGRESS",
    "ROLLBACK_FAILED",
    "ROLLBACK_COMPLETE",
    "DELETE_IN_PROGRESS",
    "DELETE_FAILED",
    "DELETE_COMPLETE",
    "UPDATE_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_COMPLETE",
    "UPDATE_FAILED",
    "UPDATE_ROLLBACK_IN_PROGRESS",
    "UPDATE_ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE",
    "REVIEW_IN_PROGRESS",
    "IMPORT_IN_PROGRESS",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_IN_PROGRESS",
    "IMPORT_ROLLBACK_FAILED",
    "IMPORT_ROLLBACK_COMPLETE",
]);
const TO_SKIP: Form = Matches(is_to_skip, "[a-zA-Z0-9]+|[a-zA-Z][-a-zA-Z0-9]*\\.[a-zA-Z0-9]+");
const RESOURCE_TYPE: Form = Length(1, 256);

/// What members have to be like, in every action that has them.
const FORMS: [(&str, Form); 33] = [
    ("Capabilities", Each(&CAPABILITY)),
    ("ChangeSetType", OneOf(&["CREATE", "UPDATE", "IMPORT"])),
    ("ClientRequestToken", Length(1, 128)),
    ("ClientRequestToken", Matches(is_token, "[a-zA-Z0-9][-a-zA-Z0-9]*")),
    ("ClientToken", Length(1, 128)),
    ("DeletionMode", OneOf(&["STANDARD", "FORCE_DELETE_STACK"])),
    ("DeploymentConfig.Mode", OneOf(&["STANDARD", "EXPRESS"])),
    ("DeploymentMode", OneOf(&["REVERT_DRIFT"])),
    ("Description", Length(1, 1024)),
    ("LogicalResourceIds", Items(1, 200)),
    ("MaxResults", Range(1, 100)),
    ("NextToken", Length(1, 1024)),
    ("NotificationARNs", Items(0, 5)),
    ("OnFailure", ON_FAILURE),
    ("OnStackFailure", ON_FAILURE),
    ("ResourceTypes", Each(&RESOURCE_TYPE)),
    ("ResourcesToImport", Items(0, 200)),
    ("ResourcesToSkip", Each(&TO_SKIP)),
    ("RoleARN", Length(20, 2048)),
    ("StackDriftDetectionId", Length(1, 36)),
    ("StackPolicyBody", Length(1, 16_384)),
    ("StackPolicyDuringUpdateBody", Length(1, 16_384)),
    ("StackPolicyDuringUpdateURL", Length(1, 5120)),
    ("StackPolicyURL", Length(1, 5120)),
    ("StackResourceDriftStatusFilters", Items(1, 4)),
    ("StackResourceDriftStatusFilters", Each(&DRIFT_STATUS)),
    ("StackStatusFilter", Each(&STACK_STATUS)),
    ("Status", OneOf(&["SUCCESS", "FAILURE"])),
    ("Tags", Items(0, 50)),
    ("TemplateStage", OneOf(&["Original", "Processed"])),
    ("TemplateURL", Length(1, 5120)),
    ("TimeoutInMinutes", Range(1, i64::MAX)),
    ("UniqueId", Length(1, 64)),
];

/// # Errors
/// `ValidationError` with everything that is wrong with the form of a request.
pub(super) fn check(action: &str, input: &Json) -> Result<(), Fault> {
    let mut wrong = Vec::new();
    let required = REQUIRED.iter().filter(|(name, _)| *name == action).flat_map(|(_, members)| members.iter());
    for member in required.filter(|member| input[**member].is_null()) {
        wrong
            .push(format!("Value null at '{}' failed to satisfy constraint: Member must not be null", spelled(member)));
    }
    for (member, form) in &FORMS {
        if let Some(constraint) = find(input, member).and_then(|value| broken(value, *form)) {
            let value = find(input, member).map(shown).unwrap_or_default();
            wrong.push(format!("Value '{value}' at '{}' failed to satisfy constraint: {constraint}", spelled(member)));
        }
    }
    tags(input, &mut wrong);
    items(input, &mut wrong);
    match wrong.len() {
        0 => Ok(()),
        1 => Err(Fault::validation(format!("1 validation error detected: {}", wrong[0]))),
        count => Err(Fault::validation(format!("{count} validation errors detected: {}", wrong.join("; ")))),
    }
}

/// Keys and values of tags, each by its place.
fn tags(input: &Json, wrong: &mut Vec<String>) {
    for (at, tag) in input["Tags"].as_array().into_iter().flatten().enumerate() {
        for (member, form) in [("Key", Length(1, 128)), ("Value", Length(1, 256))] {
            let at = format!("tags.{}.member.{}", at + 1, spelled(member));
            match &tag[member] {
                Json::Null => {
                    wrong.push(format!("Value null at '{at}' failed to satisfy constraint: Member must not be null"))
                }
                value => wrong.extend(broken(value, form).map(|constraint| {
                    format!("Value '{}' at '{at}' failed to satisfy constraint: {constraint}", shown(value))
                })),
            }
        }
    }
}

/// What items of lists lack, each by its place.
fn items(input: &Json, wrong: &mut Vec<String>) {
    for (list, members) in &REQUIRED_OF_ITEMS {
        let all = find(input, list).and_then(Json::as_array);
        for (at, item) in all.into_iter().flatten().enumerate() {
            for member in members.iter().filter(|member| item[**member].is_null()) {
                wrong.push(format!(
                    "Value null at '{}.{}.member.{}' failed to satisfy constraint: Member must not be null",
                    spelled(list),
                    at + 1,
                    spelled(member)
                ));
            }
        }
    }
}

/// A member, by its path.
fn find<'j>(input: &'j Json, path: &str) -> Option<&'j Json> {
    path.split('.').try_fold(input, |json, member| json.get(member)).filter(|json| !json.is_null())
}

/// How AWS spells a member in messages: `stackName`, `deploymentConfig.mode`.
fn spelled(path: &str) -> String {
    let lower = |member: &str| {
        let mut characters = member.chars();
        characters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(characters).collect::<String>()
    };
    path.split('.').map(lower).collect::<Vec<_>>().join(".")
}

/// A value as it stands in messages.
fn shown(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// The constraint that a value does not satisfy; `None` if there is none. What is of another type is somebody else's.
fn broken(value: &Json, form: Form) -> Option<String> {
    let length = |given: usize, least: usize, most: usize| match given {
        _ if given < least => Some(format!("Member must have length greater than or equal to {least}")),
        _ if given > most => Some(format!("Member must have length less than or equal to {most}")),
        _ => None,
    };
    match (form, value) {
        (Length(least, most), Json::String(text)) => length(text.chars().count(), least, most),
        (Items(least, most), Json::Array(items)) => length(items.len(), least, most),
        (Range(least, most), _) => {
            let number = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
            match number {
                _ if number < least => Some(format!("Member must have value greater than or equal to {least}")),
                _ if number > most => Some(format!("Member must have value less than or equal to {most}")),
                _ => None,
            }
        }
        (OneOf(names), Json::String(text)) => (!names.contains(&text.as_str()))
            .then(|| format!("Member must satisfy enum value set: [{}]", names.join(", "))),
        (Matches(is, pattern), Json::String(text)) => {
            (!is(text)).then(|| format!("Member must satisfy regular expression pattern: {pattern}"))
        }
        (Each(form), Json::Array(items)) => {
            let first = items.iter().find_map(|item| broken(item, *form))?;
            let mut told = String::new();
            let _ = write!(told, "Member must satisfy constraint: [{first}]");
            Some(told)
        }
        _ => None,
    }
}

fn is_token(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric()) && is_name(text)
}

fn is_name(text: &str) -> bool {
    text.chars().all(|one| one.is_ascii_alphanumeric() || one == '-')
}

fn is_to_skip(text: &str) -> bool {
    let is_id = |text: &str| !text.is_empty() && text.chars().all(|one| one.is_ascii_alphanumeric());
    match text.split_once('.') {
        None => is_id(text),
        Some((stack, id)) => {
            stack.starts_with(|first: char| first.is_ascii_alphabetic()) && is_name(stack) && is_id(id)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(action: &str, input: Json) -> String {
        check(action, &input).expect_err("refused").message
    }

    #[test]
    fn what_is_missing_is_named() {
        let message = "1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must \
                       not be null";
        assert_eq!(told("CreateStack", json!({})), message);
        let message = "2 validation errors detected: Value null at 'stackName' failed to satisfy constraint: Member must \
                       not be null; Value null at 'logicalResourceId' failed to satisfy constraint: Member must not be null";
        assert_eq!(told("DescribeStackResource", json!({})), message);
    }

    #[test]
    fn every_form_is_held() {
        let long = "x".repeat(129);
        let tags: Vec<Json> = (0..51).map(|at| json!({"Key": at.to_string(), "Value": "v"})).collect();
        for (member, value, constraint) in [
            ("OnFailure", json!("NOTHING"), "Member must satisfy enum value set: [DO_NOTHING, ROLLBACK, DELETE]"),
            ("ClientRequestToken", json!(long), "Member must have length less than or equal to 128"),
            (
                "ClientRequestToken",
                json!("-a"),
                "Member must satisfy regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]*",
            ),
            ("TimeoutInMinutes", json!("0"), "Member must have value greater than or equal to 1"),
            ("Tags", json!(tags), "Member must have length less than or equal to 50"),
            (
                "NotificationARNs",
                json!(["a", "b", "c", "d", "e", "f"]),
                "Member must have length less than or equal to 5",
            ),
            (
                "Capabilities",
                json!(["CAPABILITY_ALL"]),
                "Member must satisfy constraint: [Member must satisfy enum value set: [CAPABILITY_IAM, \
                 CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND]]",
            ),
        ] {
            let message = told("CreateStack", json!({"StackName": "s", member: value}));
            assert!(message.ends_with(constraint), "{message}");
        }
        let trigger = json!({"RollbackTriggers": [{"Type": "AWS::CloudWatch::Alarm"}]});
        let message = told("CreateStack", json!({"StackName": "s", "RollbackConfiguration": trigger}));
        assert!(message.contains("Value null at 'rollbackConfiguration.rollbackTriggers.1.member.arn'"), "{message}");
        let message = told("DeleteStack", json!({"StackName": "s", "DeploymentConfig": {"Mode": "FAST"}}));
        assert!(message.contains("Value 'FAST' at 'deploymentConfig.mode'"), "{message}");
        let message = told("UpdateStack", json!({"StackName": "s", "Tags": [{"Key": "", "Value": "v"}]}));
        assert!(
            message.contains("at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater")
        );
    }

    #[test]
    fn what_is_right_passes() {
        let input = json!({"StackName": "s", "ResourcesToSkip": ["A", "nested-1.B"], "ClientRequestToken": "a-1",
            "NotificationARNs": "", "Tags": [{"Key": "k", "Value": "v"}], "MaxResults": "100"});
        assert_eq!(check("ContinueUpdateRollback", &input), Ok(()));
    }
}

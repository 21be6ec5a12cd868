//! A name that is taken: what an earlier environment left behind on purpose, or somebody else's. Pure.

use crate::aws::cloudformation::StackEvent;

/// What to do about a resource that could not be made because there is one of its name; none for other failures.
///
/// Handlers have a code for it, `AlreadyExists`; CloudFormation itself has a text only: `media already exists in stack
/// arn:…`, `Resource of type 'AWS::ECR::Repository' with identifier 'shop/api' already exists.`
pub(super) fn hints(event: &StackEvent, region: &str) -> Option<Vec<String>> {
    let reason = event.reason.as_deref().filter(|_| event.status == "CREATE_FAILED")?;
    if let Some((_, stack)) = reason.split_once(" already exists in stack ") {
        let name = stack.split('/').nth(1).unwrap_or(stack);
        return Some(vec![format!("the one of this name belongs to stack {name}: give this one another name")]);
    }
    if !reason.contains("HandlerErrorCode: AlreadyExists") && !reason.contains(" already exists") {
        return None;
    }
    let kept = "what has this name was kept by an earlier `infra destroy`, or was made by somebody else";
    let delete = identifier(event, reason).map(|identifier| {
        format!(
            "if nothing in it is needed: aws cloudcontrol delete-resource --region {region} --type-name {} --identifier {identifier}",
            event.resource_type
        )
    });
    let join =
        "to keep it: the same command with --import-existing takes it into its stack, where that keeps it when it goes";
    let rename = "or give the new one another name: it is an input of its stack, or follows from the stack's name";
    Some(
        [Some(kept.to_owned()), Some(join.to_owned()), delete, Some(rename.to_owned())].into_iter().flatten().collect(),
    )
}

/// What the existing resource is called, as far as anybody says.
fn identifier(event: &StackEvent, reason: &str) -> Option<String> {
    let quoted = || Some(reason.split_once("identifier '")?.1.split_once('\'')?.0.to_owned());
    let first = || Some(reason.split_once(" already exists")?.0.to_owned()).filter(|name| is_word(name));
    let named = quoted().or_else(first).or_else(|| event.physical_id.clone())?;
    // Some handlers write `{"/properties/RepositoryName":"shop/api"}`.
    let Ok(members) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&named) else {
        return Some(named).filter(|name| is_word(name));
    };
    let values: Option<Vec<&str>> = members.values().map(serde_json::Value::as_str).collect();
    values.map(|values| values.join("|")).filter(|name| is_word(name))
}

/// It can be typed as it is.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "/:._-+=@".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: &str, reason: &str) -> String {
        let event = StackEvent {
            event_id: "1".to_owned(),
            stack_id: "arn:aws:cloudformation:eu-west-1:111122223333:stack/s/1".to_owned(),
            logical_id: "Repository".to_owned(),
            physical_id: None,
            resource_type: "AWS::ECR::Repository".to_owned(),
            status: status.to_owned(),
            reason: Some(reason.to_owned()),
            at: jiff::Timestamp::UNIX_EPOCH,
            token: None,
            detailed_status: None,
            hook: None,
        };
        hints(&event, "eu-west-1").unwrap_or_default().join("\n")
    }

    #[test]
    fn a_name_that_is_taken_says_by_what_and_what_to_do() {
        let delete = "aws cloudcontrol delete-resource --region eu-west-1 --type-name AWS::ECR::Repository --identifier shop/api\n";
        for reason in [
            "Resource of type 'AWS::ECR::Repository' with identifier 'shop/api' already exists.",
            "shop/api already exists",
            "Resource of type 'AWS::ECR::Repository' with identifier '{\"/properties/RepositoryName\":\"shop/api\"}' already exists. (RequestToken: 1, HandlerErrorCode: AlreadyExists)",
        ] {
            let told = told("CREATE_FAILED", reason);
            assert!(
                told.contains(delete) && told.contains("infra destroy") && told.contains("--import-existing"),
                "{reason}: {told}"
            );
        }
        let vague =
            "Resource handler returned message: \"it is there\" (RequestToken: 1, HandlerErrorCode: AlreadyExists)";
        let vague = told("CREATE_FAILED", vague);
        assert!(vague.contains("another name") && !vague.contains("delete-resource"), "{vague}");
        let of_a_stack = "shop/api already exists in stack arn:aws:cloudformation:eu-west-1:111122223333:stack/other/1";
        assert!(told("CREATE_FAILED", of_a_stack).contains("belongs to stack other"));
        assert_eq!(told("CREATE_FAILED", "Access denied"), "");
        assert_eq!(told("DELETE_FAILED", "shop/api already exists"), "");
    }
}

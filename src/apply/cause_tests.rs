//! Root causes of recorded and of constructed lists of events.

use super::*;
use jiff::Timestamp;

const STACK: &str = "arn:aws:cloudformation:eu-west-1:111122223333:stack/storefront-dev-web/1";

/// `at` is its place in time; the stack's own events have its name as their logical id.
fn event(at: i64, logical_id: &str, resource_type: &str, status: &str, reason: &str) -> StackEvent {
    let of_stack = logical_id == "storefront-dev-web";
    StackEvent {
        event_id: format!("{logical_id}-{status}-{at}"),
        stack_id: STACK.to_owned(),
        logical_id: logical_id.to_owned(),
        physical_id: if of_stack { Some(STACK.to_owned()) } else { Some(format!("{logical_id}-id")) },
        resource_type: resource_type.to_owned(),
        status: status.to_owned(),
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
        at: Timestamp::from_second(at).unwrap(),
        token: None,
        detailed_status: None,
        hook: None,
    }
}

fn stack(at: i64, status: &str, reason: &str) -> StackEvent {
    event(at, "storefront-dev-web", "AWS::CloudFormation::Stack", status, reason)
}

fn explained(status: StackStatus, events: &[StackEvent]) -> RootCause {
    let places = BTreeMap::from([("Parameter".to_owned(), "templates/web.yaml:12".to_owned())]);
    let failed =
        Failed { environment: "dev", stack_name: "storefront-dev-web", region: "eu-west-1", status, places: &places };
    root_cause(failed, events)
}

/// In few words.
fn sketch(status: StackStatus, events: &[StackEvent]) -> String {
    let cause = explained(status, events);
    let mut lines = vec![cause.message.clone()];
    lines.extend(cause.resource.and_then(|resource| resource.place).map(|place| format!("at {place}")));
    lines.extend(cause.also.iter().map(|also| format!("also {}: {}", also.logical_id, also.reason)));
    lines.extend(cause.details.iter().map(|detail| format!("detail: {detail}")));
    lines.extend(cause.rolled_back.map(|what| format!("rolled back: {what}")));
    lines.extend(cause.hints.iter().map(|hint| format!("hint: {hint}")));
    lines.join("\n")
}

/// As CloudFormation reported it for a parameter without a type.
#[test]
fn a_property_that_does_not_validate() {
    let events = [
        stack(1, "CREATE_IN_PROGRESS", "User Initiated"),
        event(2, "Parameter", "AWS::SSM::Parameter", "CREATE_IN_PROGRESS", ""),
        event(
            3,
            "Parameter",
            "AWS::SSM::Parameter",
            "CREATE_FAILED",
            "Property validation failure: [The property {/Type} is required]",
        ),
        stack(
            4,
            "ROLLBACK_IN_PROGRESS",
            "The following resource(s) failed to create: [Parameter]. Rollback requested by user.",
        ),
        event(5, "Parameter", "AWS::SSM::Parameter", "DELETE_COMPLETE", ""),
        stack(6, "ROLLBACK_COMPLETE", ""),
    ];
    insta::assert_snapshot!(sketch(StackStatus::RollbackComplete, &events), @"
    Parameter (AWS::SSM::Parameter) failed: Property validation failure: [The property {/Type} is required]
    at templates/web.yaml:12
    rolled back: everything that was created was deleted again; an empty stack is left
    hint: mend the cause, then: infra apply --env dev
    hint: all events: aws cloudformation describe-stack-events --stack-name storefront-dev-web --region eu-west-1
    ");
}

#[test]
fn the_first_that_failed_by_itself_not_those_cancelled_with_it() {
    let events = [
        stack(1, "UPDATE_IN_PROGRESS", "User Initiated"),
        event(2, "Alarm", "AWS::CloudWatch::Alarm", "CREATE_FAILED", "Resource creation cancelled"),
        event(3, "Queue", "AWS::SQS::Queue", "UPDATE_FAILED", "Value 5 for parameter MaximumMessageSize is invalid."),
        event(4, "Topic", "AWS::SNS::Topic", "UPDATE_FAILED", "Resource update cancelled"),
        event(5, "Bucket", "AWS::S3::Bucket", "CREATE_FAILED", "media already exists"),
        stack(6, "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Alarm, Bucket]. "),
        stack(7, "UPDATE_ROLLBACK_COMPLETE", ""),
    ];
    insta::assert_snapshot!(sketch(StackStatus::UpdateRollbackComplete, &events), @"
    Queue (AWS::SQS::Queue) failed: Value 5 for parameter MaximumMessageSize is invalid.
    also Bucket: media already exists
    rolled back: the stack is as it was before
    hint: mend the cause, then: infra apply --env dev
    hint: all events: aws cloudformation describe-stack-events --stack-name storefront-dev-web --region eu-west-1
    ");
}

/// As CloudFormation reported it: no resource event at all.
#[test]
fn an_output_that_does_not_exist() {
    let events = [
        stack(1, "REVIEW_IN_PROGRESS", "User Initiated"),
        stack(2, "CREATE_IN_PROGRESS", "User Initiated"),
        stack(
            3,
            "ROLLBACK_IN_PROGRESS",
            "[Error] /Outputs/InvalidOutput/Value/Fn::GetAtt: Resource type AWS::SSM::Parameter does not support \
             attribute {Invalid}. Rollback requested by user.",
        ),
        stack(4, "ROLLBACK_COMPLETE", ""),
    ];
    insta::assert_snapshot!(sketch(StackStatus::RollbackComplete, &events), @"
    [Error] /Outputs/InvalidOutput/Value/Fn::GetAtt: Resource type AWS::SSM::Parameter does not support attribute {Invalid}.
    rolled back: everything that was created was deleted again; an empty stack is left
    hint: mend the cause, then: infra apply --env dev
    hint: all events: aws cloudformation describe-stack-events --stack-name storefront-dev-web --region eu-west-1
    ");
}

/// As CloudFormation reported it for a policy that could be neither made nor taken back.
#[test]
fn a_rollback_that_fails_too() {
    let events = [
        stack(1, "CREATE_IN_PROGRESS", "User Initiated"),
        event(
            2,
            "BrokenPolicy",
            "AWS::IAM::Policy",
            "CREATE_FAILED",
            "At least one of [Groups,Roles,Users] must be non-empty.",
        ),
        stack(
            3,
            "ROLLBACK_IN_PROGRESS",
            "The following resource(s) failed to create: [BrokenPolicy]. Rollback requested by user.",
        ),
        event(4, "BrokenPolicy", "AWS::IAM::Policy", "DELETE_IN_PROGRESS", ""),
        event(
            5,
            "BrokenPolicy",
            "AWS::IAM::Policy",
            "DELETE_FAILED",
            "At least one of [Groups,Roles,Users] must be non-empty.",
        ),
        stack(6, "ROLLBACK_FAILED", "The following resource(s) failed to delete: [BrokenPolicy]. "),
    ];
    insta::assert_snapshot!(sketch(StackStatus::RollbackFailed, &events), @"
    BrokenPolicy (AWS::IAM::Policy) failed: At least one of [Groups,Roles,Users] must be non-empty.
    detail: in the rollback BrokenPolicy (AWS::IAM::Policy) failed: At least one of [Groups,Roles,Users] must be non-empty.
    rolled back: the rollback failed too: some of what was created is still there
    hint: mend the cause, then: infra apply --env dev
    hint: all events: aws cloudformation describe-stack-events --stack-name storefront-dev-web --region eu-west-1
    ");
}

#[test]
fn an_update_rollback_that_fails_says_how_to_go_on() {
    let events = [
        event(2, "Queue", "AWS::SQS::Queue", "UPDATE_FAILED", "Value 5 for parameter MaximumMessageSize is invalid."),
        stack(3, "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [Queue]. "),
        event(
            4,
            "Service",
            "AWS::ECS::Service",
            "UPDATE_FAILED",
            "Resource handler returned message: \"cluster not found\"",
        ),
        stack(5, "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [Service]. "),
    ];
    insta::assert_snapshot!(sketch(StackStatus::UpdateRollbackFailed, &events), @r#"
    Queue (AWS::SQS::Queue) failed: Value 5 for parameter MaximumMessageSize is invalid.
    detail: in the rollback Service (AWS::ECS::Service) failed: Resource handler returned message: "cluster not found"
    rolled back: the rollback failed too: the stack is between old and new
    hint: mend what stopped the rollback, then continue it: aws cloudformation continue-update-rollback --stack-name storefront-dev-web --region eu-west-1
    hint: or leave behind what cannot be rolled back: aws cloudformation continue-update-rollback --stack-name storefront-dev-web --region eu-west-1 --resources-to-skip Service
    hint: then: infra apply --env dev
    "#);
}

#[test]
fn a_deletion_that_fails() {
    let events = [
        stack(1, "DELETE_IN_PROGRESS", "User Initiated"),
        event(2, "Bucket", "AWS::S3::Bucket", "DELETE_FAILED", "The bucket you tried to delete is not empty"),
        stack(3, "DELETE_FAILED", "The following resource(s) failed to delete: [Bucket]. "),
    ];
    insta::assert_snapshot!(sketch(StackStatus::DeleteFailed, &events), @"
    Bucket (AWS::S3::Bucket) failed: The bucket you tried to delete is not empty
    rolled back: nothing is rolled back: what was deleted is gone, the rest is still there
    hint: remove what stands in the way (a bucket must be empty), then run the same command again
    hint: all events: aws cloudformation describe-stack-events --stack-name storefront-dev-web --region eu-west-1
    ");
}

#[test]
fn a_nested_stack_is_not_the_cause_of_what_failed_inside_it() {
    let nested = "arn:aws:cloudformation:eu-west-1:111122223333:stack/storefront-dev-web-Nested-ABC/2";
    let mut outer = event(
        5,
        "Nested",
        "AWS::CloudFormation::Stack",
        "CREATE_FAILED",
        "Embedded stack was not successfully created: The following resource(s) failed to create: [Topic].",
    );
    outer.physical_id = Some(nested.to_owned());
    let mut inner = event(3, "Topic", "AWS::SNS::Topic", "CREATE_FAILED", "Invalid parameter: DisplayName");
    inner.stack_id = nested.to_owned();
    let mut inner_stack = event(
        4,
        "storefront-dev-web-Nested-ABC",
        "AWS::CloudFormation::Stack",
        "CREATE_FAILED",
        "The following resource(s) failed to create: [Topic].",
    );
    inner_stack.stack_id = nested.to_owned();
    inner_stack.physical_id = Some(nested.to_owned());
    let events = [
        stack(1, "CREATE_IN_PROGRESS", "User Initiated"),
        inner,
        inner_stack,
        outer,
        stack(6, "ROLLBACK_COMPLETE", ""),
    ];
    let cause = explained(StackStatus::RollbackComplete, &events);
    assert_eq!(cause.resource.unwrap().logical_id, "Topic");
    assert!(cause.also.is_empty());
}

#[test]
fn a_stack_without_any_reason_says_its_status() {
    let cause = explained(StackStatus::RollbackComplete, &[]);
    assert_eq!(cause.message, "the stack is in ROLLBACK_COMPLETE, and CloudFormation gives no reason");
}

//! Deployments of ECS services: followed while CloudFormation waits, explained where they fail, compared with the plan
//! where CloudFormation says that all is well. In virtual time, on the embedded AWS.

use crate::engine::{Ran, World};
use crate::support::backend::Backend;
use infra::apply::{EventKind, Outcome, RootCause, ServiceProgress};
use infra::model::Parameter;
use infra::view::report;
use local_aws::faults::{FailureKind, RolloutFault};
use serde_json::{Value as Json, json};
use std::time::Duration;

const OLD: &str = "example.com/api@sha256:1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a";
const NEW: &str = "example.com/api@sha256:2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b";
const GROUP: &str = "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/api/0123456789abcdef";

/// A service of two tasks.
fn template(breaker: bool) -> Json {
    json!({
        "Parameters": {"ImageUri": {"Type": "String"}},
        "Resources": {
            "Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": "main"}},
            "LogGroup": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/shop/api"}},
            "TaskDefinition": {"Type": "AWS::ECS::TaskDefinition", "Properties": {
                "Family": "api",
                "ContainerDefinitions": [{
                    "Name": "app",
                    "Image": {"Ref": "ImageUri"},
                    "LogConfiguration": {"LogDriver": "awslogs", "Options": {
                        "awslogs-group": {"Ref": "LogGroup"}, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "task",
                    }},
                }],
            }},
            "Service": {"Type": "AWS::ECS::Service", "Properties": {
                "Cluster": {"Ref": "Cluster"},
                "ServiceName": "api",
                "TaskDefinition": {"Ref": "TaskDefinition"},
                "DesiredCount": 2,
                "LoadBalancers": [{"ContainerName": "app", "ContainerPort": 8000, "TargetGroupArn": GROUP}],
                "DeploymentConfiguration": {"DeploymentCircuitBreaker": {"Enable": breaker, "Rollback": breaker}},
            }},
        },
    })
}

/// An environment whose one stack has run the old image for long.
async fn running(breaker: bool) -> World {
    let mut world = fresh(breaker).await;
    let ran = world.apply().await;
    assert!(!ran.report.failed(), "{:#?}", ran.report);
    bring(&mut world, NEW);
    world
}

async fn fresh(breaker: bool) -> World {
    let mut world = World::new(Backend::local_aws().await, vec![("api", template(breaker))]).await;
    world.environment.apply.timeout = Duration::from_secs(4 * 3600);
    bring(&mut world, OLD);
    world
}

fn bring(world: &mut World, image: &str) {
    let image = Parameter::Image { name: "api".to_owned(), reference: image.to_owned() };
    world.stack("api").parameters.insert("ImageUri".to_owned(), image);
}

fn fail(world: &World, fault: RolloutFault) {
    let aws = world.backend.world.as_ref().expect("the embedded AWS");
    aws.faults(|plan| plan.rollouts = vec![fault.with_image("*@sha256:2b*")]);
}

fn deployments(ran: &Ran) -> Vec<&ServiceProgress> {
    let kinds = ran.events.iter().map(|event| &event.kind);
    kinds
        .filter_map(|kind| if let EventKind::ServiceDeployment(progress) = kind { Some(progress) } else { None })
        .collect()
}

fn cause(ran: &Ran) -> &RootCause {
    match &ran.report.stacks[0].outcome {
        Outcome::Failed(cause) => cause,
        other => panic!("{other:?}"),
    }
}

/// The report as it is printed, without what a seed has made up.
fn page(ran: &Ran) -> String {
    let told = report::Told { past: "Applied", again: "infra apply --env dev", width: 80 };
    without_names(&anstream::adapter::strip_str(&report::human(&ran.report, &told)).to_string())
}

/// UUIDs, ids of deployments and addresses of targets become `…`.
fn without_names(page: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let uuid = bare.len() == 36 && bare.matches('-').count() == 4;
        let address = bare.starts_with("10.0.") && bare.contains(':');
        let deployment = bare.starts_with("ecs-svc/");
        if uuid || address || deployment { word.replace(bare, "…") } else { word.to_owned() }
    };
    page.lines().map(|line| line.split(' ').map(word).collect::<Vec<_>>().join(" ") + "\n").collect()
}

#[tokio::test(start_paused = true)]
async fn a_deployment_is_followed_while_it_lasts() {
    let world = running(true).await;
    let ran = world.apply().await;
    assert!(!ran.report.failed(), "{:#?}", ran.report);
    let told: Vec<String> = deployments(&ran)
        .iter()
        .map(|now| {
            let ServiceProgress { task_definition, rollout_state, running, pending, desired, .. } = now;
            format!("{task_definition} {rollout_state} {running}/{desired} running, {pending} pending")
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    api:2 IN_PROGRESS 0/2 running, 2 pending
    api:2 IN_PROGRESS 2/2 running, 0 pending
    ");
}

#[tokio::test(start_paused = true)]
async fn a_failed_deployment_is_explained_on_one_screen() {
    let world = running(true).await;
    let lines = ["starting on port 8000", "Traceback (most recent call last):", "KeyError: 'TABLE_NAME'"];
    fail(&world, RolloutFault::exits("api", 1, &lines));
    let ran = world.apply().await;
    assert_eq!(cause(&ran).status.as_deref(), Some("UPDATE_ROLLBACK_COMPLETE"));
    let most = deployments(&ran).iter().map(|now| now.failed_tasks).max();
    assert_eq!(most, Some(3), "{:#?}", deployments(&ran));
    let page = page(&ran);
    assert!(page.lines().count() <= 24, "{page}");
    insta::assert_snapshot!(page, @r#"
    api failed: Service (AWS::ECS::Service) failed: Error occurred during
      operation 'ECS Deployment Circuit Breaker was triggered'.
        Service  AWS::ECS::Service  UPDATE_FAILED
        3 tasks stopped: Essential container in task exited; container app: exit
          code 1 (api:2)
        last lines of app in /shop/api:
          | starting on port 8000
          | Traceback (most recent call last):
          | KeyError: 'TABLE_NAME'
      The stack is as it was before (UPDATE_ROLLBACK_COMPLETE).

    next        mend the cause, then: infra apply --env dev
    next        all events: aws cloudformation describe-stack-events --stack-name shop-dev-api --region us-east-1
    "#);
    // What runs is what ran before, and the plan still wants the new image.
    world.backend.world.as_ref().expect("the embedded AWS").faults(|plan| plan.rollouts.clear());
    assert!(!world.apply().await.report.failed());
}

#[tokio::test(start_paused = true)]
async fn failing_health_checks_are_told() {
    let world = running(true).await;
    fail(&world, RolloutFault::exits("api", 0, &[]).with_kind(FailureKind::Unhealthy));
    let ran = world.apply().await;
    assert!(deployments(&ran).iter().any(|now| now.unhealthy_targets == 2));
    insta::assert_snapshot!(without_names(&cause(&ran).details.join("\n")), @"
    3 tasks stopped: Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/api/0123456789abcdef); container app: exit code 143 (api:2)
    target … is unhealthy: Health checks failed with these codes: [503]
    target … is unhealthy: Health checks failed with these codes: [503]
    ");
}

#[tokio::test(start_paused = true)]
async fn a_success_after_a_roll_back_is_none() {
    let world = running(true).await;
    fail(&world, RolloutFault::exits("api", 137, &["out of memory"]).reported_as_success());
    let ran = world.apply().await;
    insta::assert_snapshot!(page(&ran), @"
    api failed: CloudFormation reports success, but service `api` runs api:1, not
      api:2
        Service  AWS::ECS::Service  ROLLED_BACK_BY_ECS
          (service api) (deployment …) deployment failed:
          tasks failed to start.
        3 tasks stopped: Essential container in task exited; container app: exit
          code 137 (api:2)
        last lines of app in /shop/api:
          | out of memory

    next        mend the cause, make a new image, then: infra apply --env dev
    next        try the same once more: aws ecs update-service --cluster main --service api --task-definition api:2 --force-new-deployment --region us-east-1
    ");
    // Nobody takes it for applied, however often it is applied, until it runs.
    let again = world.apply().await;
    assert!(cause(&again).message.ends_with("service `api` runs api:1, not api:2"), "{:#?}", again.report);
    world.backend.world.as_ref().expect("the embedded AWS").faults(|plan| plan.rollouts.clear());
    try_once_more(&world, "api:2").await;
    let taken = world.apply().await;
    assert!(!taken.report.failed(), "{:#?}", taken.report);
    assert!(world.plan().await.steps.iter().all(|step| !step.adopt), "it is remembered as applied");
}

/// `aws ecs update-service --cluster main --service api --task-definition … --force-new-deployment`, and patience.
async fn try_once_more(world: &World, definition: &str) {
    let update = json!({"cluster": "main", "service": "api", "taskDefinition": definition, "forceNewDeployment": true});
    let scope = format!("{}/20260101/us-east-1/ecs/aws4_request", world.environment.account);
    let request = http::Request::post("https://ecs.us-east-1.amazonaws.com/")
        .header("x-amz-target", "AmazonEC2ContainerServiceV20141113.UpdateService")
        .header("content-type", "application/x-amz-json-1.1")
        .header("authorization", format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"))
        .body(update.to_string().into())
        .expect("a request");
    let aws = world.backend.world.as_ref().expect("the embedded AWS");
    let answer = aws.exchange(request).await.expect("an answer");
    assert!(answer.status().is_success(), "{}", String::from_utf8_lossy(answer.body()));
    tokio::time::sleep(Duration::from_secs(300)).await;
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_takes_too_long_says_how_to_end_it() {
    let mut world = fresh(false).await;
    world.environment.apply.rollout_timeout = Duration::from_secs(600);
    bring(&mut world, NEW);
    fail(&world, RolloutFault::exits("api", 1, &["no"]));
    let ran = world.apply().await;
    let cause = cause(&ran);
    assert!(cause.message.starts_with("Service (AWS::ECS::Service) was not stable after 10 min"), "{cause:#?}");
    assert_eq!(cause.hints[0], "end it: aws cloudformation delete-stack --stack-name shop-dev-api --region us-east-1");
    assert!(ran.report.elapsed_seconds < 700.0, "{}", ran.report.elapsed_seconds);
}

#[tokio::test(start_paused = true)]
async fn an_update_that_takes_too_long_is_cancelled_and_rolled_back() {
    let mut world = running(false).await;
    world.environment.apply.rollout_timeout = Duration::from_secs(600);
    fail(&world, RolloutFault::exits("api", 1, &["no table"]));
    let ran = world.apply().await;
    let notes = ran.events.iter().filter_map(|event| match &event.kind {
        EventKind::Note { message } => Some(message.as_str()),
        _ => None,
    });
    let cancelled = "Service (AWS::ECS::Service) was not stable after 10 min (`apply.rollout_timeout`); the update is \
                     cancelled and rolled back";
    assert_eq!(notes.collect::<Vec<_>>(), [cancelled]);
    insta::assert_snapshot!(page(&ran), @"
    api failed: Service (AWS::ECS::Service) was not stable after 10 min
      (`apply.rollout_timeout`), so the update was cancelled
        7 tasks stopped: Essential container in task exited; container app: exit
          code 1 (api:2)
        last lines of app in /shop/api:
          | no table
      The stack is as it was before (UPDATE_ROLLBACK_COMPLETE).

    next        mend the cause, then: infra apply --env dev
    next        all events: aws cloudformation describe-stack-events --stack-name shop-dev-api --region us-east-1
    ");
    // Ten minutes, and a deployment of what ran before.
    assert!((700.0..900.0).contains(&ran.report.elapsed_seconds), "{}", ran.report.elapsed_seconds);
    world.backend.world.as_ref().expect("the embedded AWS").faults(|plan| plan.rollouts.clear());
    assert!(!world.apply().await.report.failed());
}

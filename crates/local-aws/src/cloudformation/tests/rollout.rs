//! ECS services of stacks: real in ECS, deployed over time, given up by the circuit breaker.

use super::*;
use crate::faults::{FailureKind, RolloutFault};

const GROUP: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/t/0123456789abcdef";

/// A cluster with a service of two tasks that run an image.
fn template(image: &str, breaker: bool) -> String {
    format!(
        "Resources:
  Cluster: {{Type: AWS::ECS::Cluster, Properties: {{ClusterName: main}}}}
  Log: {{Type: AWS::Logs::LogGroup, Properties: {{LogGroupName: /api}}}}
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: api
      ContainerDefinitions:
        - Name: app
          Image: '{image}'
          LogConfiguration: {{LogDriver: awslogs, Options: {{awslogs-group: !Ref Log, awslogs-region: eu-west-1, awslogs-stream-prefix: task}}}}
  Service:
    Type: AWS::ECS::Service
    Properties:
      Cluster: !Ref Cluster
      ServiceName: api
      TaskDefinition: !Ref Task
      DesiredCount: 2
      LoadBalancers: [{{ContainerName: app, ContainerPort: 8000, TargetGroupArn: '{GROUP}'}}]
      DeploymentConfiguration: {{DeploymentCircuitBreaker: {{Enable: {breaker}, Rollback: {breaker}}}}}
"
    )
}

impl Cloud {
    async fn ecs(&self, operation: &str, input: Json) -> Json {
        let answer = self.aws.world.services.json(&self.place, "ecs", operation, &input).await;
        answer.unwrap_or_else(|error| panic!("{operation}: {error:?}"))
    }

    async fn service(&self) -> Json {
        let answer = self.ecs("DescribeServices", json!({"cluster": "main", "services": ["api"]})).await;
        answer["services"][0].clone()
    }

    /// The tasks in a state, as they are told.
    async fn tasks(&self, desired_status: &str) -> Vec<Json> {
        let which = json!({"cluster": "main", "serviceName": "api", "desiredStatus": desired_status});
        let arns = self.ecs("ListTasks", which).await["taskArns"].clone();
        if arns == json!([]) {
            return Vec::new();
        }
        let told = self.ecs("DescribeTasks", json!({"cluster": "main", "tasks": arns})).await;
        told["tasks"].as_array().cloned().unwrap_or_default()
    }

    /// How often each state of health is told of the targets.
    async fn health(&self, state: &str) -> usize {
        let body = format!("Action=DescribeTargetHealth&Version=2015-12-01&TargetGroupArn={GROUP}");
        let request = http::Request::post("https://elasticloadbalancing.eu-west-1.amazonaws.com/")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.into_bytes().into())
            .expect("a request");
        let answer = self.aws.world.services.call(&self.place, "elasticloadbalancing", request).await.expect("ELB");
        String::from_utf8_lossy(answer.body()).matches(&format!("<State>{state}</State>")).count()
    }

    fn fail_rollouts(&self, fault: RolloutFault) {
        self.aws.world.faults.edit(|plan| plan.rollouts = vec![fault]);
    }
}

fn rollout_of(service: &Json) -> Vec<(String, String, u64)> {
    let deployments = service["deployments"].as_array().into_iter().flatten();
    let text = |value: &Json| value.as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
    deployments
        .map(|one| {
            (text(&one["taskDefinition"]), text(&one["rolloutState"]), one["runningCount"].as_u64().unwrap_or(99))
        })
        .collect()
}

fn rollout(definition: &str, state: &str, running: u64) -> (String, String, u64) {
    (definition.to_owned(), state.to_owned(), running)
}

#[tokio::test(start_paused = true)]
async fn a_service_reaches_its_count_over_time() {
    let cloud = Cloud::new().await;
    cloud.ok("CreateStack", json!({"StackName": "s", "TemplateBody": template("app:1", true)})).await;
    // The cluster and its cousins take a quarter of a minute; tasks run after 36 s and are healthy after 72.
    tokio::time::sleep(Duration::from_secs(30)).await;
    let service = cloud.service().await;
    assert_eq!((&service["pendingCount"], &service["runningCount"]), (&json!(2), &json!(0)));
    tokio::time::sleep(Duration::from_secs(35)).await;
    assert_eq!(rollout_of(&cloud.service().await), [rollout("api:1", "IN_PROGRESS", 2)]);
    assert_eq!((cloud.health("initial").await, cloud.health("healthy").await), (2, 0));
    assert_eq!(cloud.rest("s").await, "CREATE_COMPLETE");
    assert_eq!(rollout_of(&cloud.service().await), [rollout("api:1", "COMPLETED", 2)]);
    assert_eq!(cloud.health("healthy").await, 2);

    let from = cloud.clock().now();
    assert_eq!(cloud.deploy("UpdateStack", "s", &template("app:2", true)).await, "UPDATE_COMPLETE");
    let took = cloud.clock().now().duration_since(from).as_secs();
    assert!((150..190).contains(&took), "{took} s");
    let tasks = cloud.tasks("RUNNING").await;
    assert!(tasks.iter().all(|task| task["containers"][0]["image"] == "app:2"), "{tasks:#?}");
    let stopped = cloud.tasks("STOPPED").await;
    let by_ecs = |task: &Json| task["stoppedReason"].as_str().is_some_and(|it| it.starts_with("Scaling activity"));
    assert!(stopped.len() == 2 && stopped.iter().all(by_ecs), "{stopped:#?}");

    let id = tasks[0]["taskArn"].clone();
    cloud.ecs("StopTask", json!({"cluster": "main", "task": id, "reason": "by hand"})).await;
    assert_eq!(cloud.service().await["runningCount"], 1);
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(cloud.service().await["runningCount"], 2);
}

#[tokio::test(start_paused = true)]
async fn the_circuit_breaker_rolls_back_and_fails_the_resource() {
    let cloud = Cloud::new().await;
    assert_eq!(cloud.deploy("CreateStack", "s", &template("app:1", true)).await, "CREATE_COMPLETE");
    cloud.fail_rollouts(RolloutFault::exits("api", 3, &["starting", "no such table"]).with_image("app:2"));
    let from = cloud.events("s").len();
    cloud.ok("UpdateStack", json!({"StackName": "s", "TemplateBody": template("app:2", true)})).await;
    tokio::time::sleep(Duration::from_secs(70)).await;
    let begun = cloud.service().await;
    assert_eq!(rollout_of(&begun)[1], rollout("api:1", "COMPLETED", 2), "what runs goes on");
    assert_eq!(begun["deployments"][0]["failedTasks"], 2);
    assert_eq!(cloud.rest("s").await, "UPDATE_ROLLBACK_COMPLETE");
    let events = cloud.events_from("s", from);
    let failed = events.iter().find(|event| event.starts_with("Service UPDATE_FAILED")).expect("it fails");
    assert!(
        failed.contains("Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'."),
        "{failed}"
    );
    let service = cloud.service().await;
    assert_eq!(rollout_of(&service), [rollout("api:1", "COMPLETED", 2)]);
    let told: Vec<&str> =
        service["events"].as_array().into_iter().flatten().filter_map(|it| it["message"].as_str()).collect();
    assert!(told.iter().any(|it| it.ends_with("deployment failed: tasks failed to start.")), "{told:#?}");

    let stopped = cloud.tasks("STOPPED").await;
    let failed: Vec<&Json> = stopped.iter().filter(|task| task["stopCode"] == "EssentialContainerExited").collect();
    assert_eq!(failed.len(), 3, "{stopped:#?}");
    assert_eq!(failed[0]["stoppedReason"], "Essential container in task exited");
    assert_eq!(failed[0]["containers"][0]["exitCode"], 3);
    let stream = failed[0]["taskArn"].as_str().and_then(|arn| arn.rsplit('/').next()).expect("an id");
    let input = json!({"logGroupName": "/api", "logStreamName": format!("task/app/{stream}")});
    let log = cloud.aws.world.services.json(&cloud.place, "logs", "GetLogEvents", &input).await.expect("a stream");
    assert_eq!(log["events"][1]["message"], "no such table");
}

#[tokio::test(start_paused = true)]
async fn a_failure_may_be_reported_as_success() {
    let cloud = Cloud::new().await;
    assert_eq!(cloud.deploy("CreateStack", "s", &template("app:1", true)).await, "CREATE_COMPLETE");
    let fault = RolloutFault::exits("*", 1, &[]).with_kind(FailureKind::Unhealthy).reported_as_success();
    cloud.fail_rollouts(fault);
    cloud.ok("UpdateStack", json!({"StackName": "s", "TemplateBody": template("app:2", true)})).await;
    tokio::time::sleep(Duration::from_secs(70)).await;
    assert_eq!(cloud.health("unhealthy").await, 2);
    assert_eq!(cloud.rest("s").await, "UPDATE_COMPLETE");
    assert_eq!(rollout_of(&cloud.service().await), [rollout("api:1", "COMPLETED", 2)], "and yet the old one runs");
}

#[tokio::test(start_paused = true)]
async fn without_a_circuit_breaker_it_is_tried_for_hours() {
    let cloud = Cloud::new().await;
    cloud.fail_rollouts(RolloutFault::exits("api", 1, &[]));
    let from = cloud.clock().now();
    assert_eq!(cloud.deploy("CreateStack", "s", &template("app:1", false)).await, "ROLLBACK_COMPLETE");
    let failed =
        cloud.events("s").into_iter().find(|event| event.starts_with("Service CREATE_FAILED")).expect("it fails");
    assert!(failed.contains("HandlerErrorCode: NotStabilized"), "{failed}");
    assert_eq!(cloud.clock().now().duration_since(from).as_hours(), 3);
    assert_eq!(cloud.live(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_update_brings_back_what_ran() {
    let cloud = Cloud::new().await;
    assert_eq!(cloud.deploy("CreateStack", "s", &template("app:1", false)).await, "CREATE_COMPLETE");
    cloud.fail_rollouts(RolloutFault::exits("api", 1, &[]).with_image("app:2"));
    cloud.ok("UpdateStack", json!({"StackName": "s", "TemplateBody": template("app:2", false)})).await;
    tokio::time::sleep(Duration::from_secs(20 * 60)).await;
    assert_eq!(rollout_of(&cloud.service().await)[0], rollout("api:2", "IN_PROGRESS", 0));
    let (from, events) = (cloud.clock().now(), cloud.events("s").len());
    cloud.ok("CancelUpdateStack", json!({"StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_ROLLBACK_COMPLETE");
    let took = cloud.clock().now().duration_since(from).as_secs();
    assert!((150..260).contains(&took), "{took} s, about as long as a deployment that goes well");
    let service: Vec<String> =
        cloud.events_from("s", events).into_iter().filter(|event| event.starts_with("Service ")).collect();
    let cancelled = "Service UPDATE_FAILED (Resource update cancelled)";
    assert_eq!(service, [cancelled, "Service UPDATE_IN_PROGRESS", "Service UPDATE_COMPLETE"]);
    assert_eq!(rollout_of(&cloud.service().await), [rollout("api:1", "COMPLETED", 2)]);
    let tasks = cloud.tasks("RUNNING").await;
    assert!(tasks.iter().all(|task| task["containers"][0]["image"] == "app:1"), "{tasks:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_ecs_is_told_is_what_the_resource_is() {
    let cloud = Cloud::new().await;
    cloud.deploy("CreateStack", "s", &template("app:1", true)).await;
    let live = async || {
        let service = cloud.stack("s").resources["Service"].physical_id.clone();
        let world = &cloud.aws.world;
        crate::resources::read(world, &cloud.place, "AWS::ECS::Service", &service).await.expect("a service")
    };
    assert_eq!(live().await["DesiredCount"], 2);
    let definition = json!({"family": "api", "containerDefinitions": [{"name": "app", "image": "app:9"}]});
    let registered = cloud.ecs("RegisterTaskDefinition", definition).await;
    assert_eq!(registered["taskDefinition"]["revision"], 2);
    let update = json!({"cluster": "main", "service": "api", "desiredCount": 5, "taskDefinition": "api"});
    cloud.ecs("UpdateService", update).await;
    assert_eq!(live().await["DesiredCount"], 5);
    assert_eq!(live().await["TaskDefinition"], registered["taskDefinition"]["taskDefinitionArn"]);
    // A revision that ECS gave away is not given again.
    cloud.deploy("UpdateStack", "s", &template("app:2", true)).await;
    assert!(cloud.stack("s").resources["Task"].physical_id.ends_with("task-definition/api:3"));
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "DELETE_COMPLETE");
    assert_eq!(cloud.service_status().await, "INACTIVE");
}

impl Cloud {
    async fn service_status(&self) -> Json {
        let region = self.ecs("CreateCluster", json!({"clusterName": "main"})).await;
        assert_eq!(region["cluster"]["status"], "ACTIVE");
        self.service().await["status"].clone()
    }
}

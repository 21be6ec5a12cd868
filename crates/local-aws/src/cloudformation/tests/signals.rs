//! What an operation waits for beside its resources: signals, alarms; and what it refuses before: rules.

use super::*;
use crate::faults::AlarmFault;

const INSTANCE: &str = "
Resources:
  Web:
    Type: AWS::EC2::Instance
    CreationPolicy: {ResourceSignal: {Count: 2, Timeout: PT15M}}
    Properties: {ImageId: ami-12345678}
";

const GROUP: &str = "
Resources:
  Group:
    Type: AWS::AutoScaling::AutoScalingGroup
    CreationPolicy:
      AutoScalingCreationPolicy: {MinSuccessfulInstancesPercent: 50}
      ResourceSignal: {Count: '3', Timeout: PT20M}
    Properties: {MinSize: '3', MaxSize: '3', AvailabilityZones: [eu-west-1a], LaunchConfigurationName: web}
";

impl Cloud {
    async fn create(&self, name: &str, template: &str) {
        self.ok("CreateStack", json!({"StackName": name, "TemplateBody": template})).await;
    }

    async fn signal(&self, stack: &str, target: &str, id: &str, status: &str) {
        let signal = json!({"StackName": stack, "LogicalResourceId": target, "UniqueId": id, "Status": status});
        self.ok("SignalResource", signal).await;
    }

    fn tells(&self, stack: &str, event: &str) {
        let events = self.events(stack);
        assert!(events.iter().any(|told| told == event), "{event} is not in {events:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_instance_is_created_once_it_was_signalled() {
    let cloud = Cloud::new().await;
    cloud.create("s", INSTANCE).await;
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(cloud.stack("s").resources["Web"].status, "CREATE_IN_PROGRESS", "it waits for signals");
    cloud.signal("s", "Web", "one", "SUCCESS").await;
    cloud.signal("s", "Web", "one", "SUCCESS").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(cloud.stack("s").resources["Web"].status, "CREATE_IN_PROGRESS", "one counts once");
    cloud.signal("s", "Web", "two", "SUCCESS").await;
    assert_eq!(cloud.rest("s").await, "CREATE_COMPLETE");
    let told: Vec<_> = cloud.events("s").into_iter().filter(|event| event.contains("signal")).collect();
    let expected =
        ["one", "two"].map(|id| format!("Web CREATE_IN_PROGRESS (Received SUCCESS signal with UniqueId {id})"));
    assert_eq!(told, expected);
    let signal = json!({"StackName": "s", "LogicalResourceId": "Web", "UniqueId": "three", "Status": "SUCCESS"});
    assert_eq!(
        cloud.refused("SignalResource", signal).await,
        "Resource Web is in CREATE_COMPLETE state and cannot be signaled"
    );
}

#[tokio::test(start_paused = true)]
async fn an_instance_without_its_signals_fails() {
    let cloud = Cloud::new().await;
    cloud.create("late", INSTANCE).await;
    tokio::time::sleep(Duration::from_secs(300)).await;
    cloud.signal("late", "Web", "one", "SUCCESS").await;
    assert_eq!(cloud.rest("late").await, "ROLLBACK_COMPLETE");
    cloud.tells("late", "Web CREATE_FAILED (Failed to receive 1 resource signal(s) within the specified duration)");
    cloud.create("bad", INSTANCE).await;
    tokio::time::sleep(Duration::from_secs(300)).await;
    cloud.signal("bad", "Web", "one", "FAILURE").await;
    assert_eq!(cloud.rest("bad").await, "ROLLBACK_COMPLETE");
    cloud.tells("bad", "Web CREATE_FAILED (Received FAILURE signal with UniqueId one)");
    assert!(cloud.live().is_empty(), "{:?}", cloud.live());
}

#[tokio::test(start_paused = true)]
async fn a_group_takes_some_failures() {
    let cloud = Cloud::new().await;
    let signals: [(&str, &[&str], &str); 3] = [
        ("good", &["FAILURE", "SUCCESS", "SUCCESS"], "Group CREATE_COMPLETE"),
        (
            "bad",
            &["FAILURE", "FAILURE"],
            "Group CREATE_FAILED (Received 2 FAILURE signal(s) out of 3. Unable to satisfy 50% \
             MinSuccessfulInstancesPercent requirement)",
        ),
        (
            "late",
            &["SUCCESS"],
            "Group CREATE_FAILED (Received 1 SUCCESS signal(s) out of 3. Unable to satisfy 50% \
             MinSuccessfulInstancesPercent requirement)",
        ),
    ];
    for (stack, statuses, told) in signals {
        cloud.create(stack, GROUP).await;
        tokio::time::sleep(Duration::from_secs(30)).await;
        for (at, status) in statuses.iter().enumerate() {
            cloud.signal(stack, "Group", &at.to_string(), status).await;
        }
        cloud.rest(stack).await;
        cloud.tells(stack, told);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_condition_may_have_a_creation_policy() {
    let cloud = Cloud::new().await;
    let template = "
Resources:
  Wait: {Type: AWS::CloudFormation::WaitCondition, CreationPolicy: {ResourceSignal: {Timeout: PT2M}}}
";
    cloud.create("s", template).await;
    let began = tokio::time::Instant::now();
    assert_eq!(cloud.rest("s").await, "ROLLBACK_COMPLETE");
    assert!(began.elapsed() < Duration::from_secs(200), "{:?}", began.elapsed());
    cloud.tells("s", "Wait CREATE_FAILED (Failed to receive 1 resource signal(s) within the specified duration)");
}

/// Stacks `alarms`, with an alarm, and `s`, which may watch it.
async fn watched() -> (Cloud, Json) {
    let cloud = Cloud::new().await;
    let alarm = "
Resources:
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: errors, ComparisonOperator: GreaterThanThreshold, EvaluationPeriods: 1, Threshold: 1,
                 MetricName: Errors, Namespace: App, Period: 60, Statistic: Sum}
";
    assert_eq!(cloud.deploy("CreateStack", "alarms", alarm).await, "CREATE_COMPLETE");
    let arn = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:errors";
    let triggers = json!([{"Arn": arn, "Type": "AWS::CloudWatch::Alarm"}]);
    let configuration = json!({"RollbackTriggers": triggers, "MonitoringTimeInMinutes": "10"});
    (cloud, configuration)
}

const ARN: &str = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:errors";

#[tokio::test(start_paused = true)]
async fn an_alarm_that_goes_off_rolls_back_even_when_all_is_done() {
    let (cloud, configuration) = watched().await;
    let send = async |action: &str, value: &str| {
        let template = parameters(&[("A", &format!("Value: {value}"))]);
        let input = json!({"StackName": "s", "TemplateBody": template, "RollbackConfiguration": configuration});
        let began = tokio::time::Instant::now();
        cloud.ok(action, input).await;
        let status = cloud.rest("s").await;
        (status, began.elapsed())
    };
    let (status, took) = send("CreateStack", "one").await;
    assert_eq!(status, "CREATE_COMPLETE");
    assert!(took >= Duration::from_secs(600), "alarms are watched for ten minutes: {took:?}");
    // It goes off in the fifth minute after the resources were done.
    cloud.aws.faults(|plan| plan.alarms.push(AlarmFault { times: Some(1), ..AlarmFault::new("errors", 300) }));
    let from = cloud.events("s").len();
    let (status, took) = send("UpdateStack", "two").await;
    assert_eq!(status, "UPDATE_ROLLBACK_COMPLETE");
    assert!((300..600).contains(&took.as_secs()), "{took:?}");
    let expected = [
        "stack UPDATE_IN_PROGRESS (User Initiated)".to_owned(),
        "A UPDATE_IN_PROGRESS".to_owned(),
        "A UPDATE_COMPLETE".to_owned(),
        format!("stack UPDATE_ROLLBACK_IN_PROGRESS (The rollback trigger {ARN} is in ALARM state)"),
        "A UPDATE_IN_PROGRESS".to_owned(),
        "A UPDATE_COMPLETE".to_owned(),
        "stack UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS".to_owned(),
        "stack UPDATE_ROLLBACK_COMPLETE".to_owned(),
    ];
    assert_eq!(cloud.events_from("s", from), expected);
    assert_eq!(cloud.stack("s").resources["A"].properties["Value"], "one");
    assert_eq!(send("UpdateStack", "two").await.0, "UPDATE_COMPLETE", "it went off once");
}

#[tokio::test(start_paused = true)]
async fn an_alarm_stops_what_is_being_made() {
    let (cloud, configuration) = watched().await;
    cloud.aws.faults(|plan| plan.alarms.push(AlarmFault::new("errors", 1)));
    let template = "Resources: {Q: {Type: AWS::SQS::Queue}}";
    let input = json!({"StackName": "s", "TemplateBody": template, "RollbackConfiguration": configuration});
    cloud.ok("CreateStack", input).await;
    assert_eq!(cloud.rest("s").await, "ROLLBACK_COMPLETE");
    cloud.tells("s", "Q CREATE_FAILED (Resource creation cancelled)");
    cloud.tells(
        "s",
        &format!(
            "stack ROLLBACK_IN_PROGRESS (The rollback trigger {ARN} is in ALARM state. Rollback requested by user.)"
        ),
    );
}

#[tokio::test(start_paused = true)]
async fn a_trigger_has_to_exist_and_to_be_an_alarm() {
    let cloud = Cloud::new().await;
    let template = parameters(&[("A", "Value: x")]);
    let with = |configuration: Json| json!({"StackName": "s", "TemplateBody": template, "RollbackConfiguration": configuration});
    let of_type = |name: &str| json!({"RollbackTriggers": [{"Arn": ARN, "Type": name}]});
    cloud.refused("CreateStack", with(of_type("AWS::SNS::Topic"))).await;
    let long = cloud.refused("CreateStack", with(json!({"MonitoringTimeInMinutes": "181"}))).await;
    assert!(
        long.contains("'rollbackConfiguration.monitoringTimeInMinutes'") && long.contains("equal to 180"),
        "{long}"
    );
    cloud.ok("CreateStack", with(of_type("AWS::CloudWatch::Alarm"))).await;
    assert_eq!(cloud.rest("s").await, "ROLLBACK_COMPLETE");
    let told =
        format!("stack ROLLBACK_IN_PROGRESS (The rollback trigger {ARN} does not exist. Rollback requested by user.)");
    cloud.tells("s", &told);
    assert!(!cloud.events("s").iter().any(|event| event.starts_with("A ")), "nothing was begun");
}

#[tokio::test(start_paused = true)]
async fn rules_are_judged_before_anything_is_done() {
    let cloud = Cloud::new().await;
    let template = format!(
        "Parameters: {{Size: {{Type: String, Default: small}}}}\nRules:\n  Sizes:\n    Assertions:\n    - Assert: \
         !Contains [[small, large], !Ref Size]\n      AssertDescription: a size is small or large\n{}",
        parameters(&[("A", "Value: !Ref Size")])
    );
    let with = |size: &str| {
        let parameters = json!([{"ParameterKey": "Size", "ParameterValue": size}]);
        json!({"StackName": "s", "TemplateBody": template, "Parameters": parameters})
    };
    assert_eq!(cloud.refused("CreateStack", with("tiny")).await, "a size is small or large");
    cloud.ok("CreateStack", with("small")).await;
    assert_eq!(cloud.rest("s").await, "CREATE_COMPLETE");
    assert_eq!(cloud.refused("UpdateStack", with("tiny")).await, "a size is small or large");
    let mut change_set = with("tiny");
    change_set["ChangeSetName"] = json!("c");
    assert_eq!(cloud.refused("CreateChangeSet", change_set).await, "a size is small or large");
}

/// A group of three that rolls in batches of two, launched from a version of a template.
fn rolling(version: &str) -> String {
    format!(
        "
Resources:
  Group:
    Type: AWS::AutoScaling::AutoScalingGroup
    UpdatePolicy:
      AutoScalingRollingUpdate: {{MaxBatchSize: 2, MinInstancesInService: 1, MinSuccessfulInstancesPercent: 60,
                                  PauseTime: PT10M, WaitOnResourceSignals: true}}
    Properties: {{MinSize: '1', MaxSize: '3', DesiredCapacity: '3', AvailabilityZones: [eu-west-1a],
                  LaunchTemplate: {{LaunchTemplateName: servers, Version: '{version}'}}}}
"
    )
}

#[tokio::test(start_paused = true)]
async fn an_update_rolls_through_a_group_batch_by_batch() {
    let cloud = Cloud::new().await;
    assert_eq!(cloud.deploy("CreateStack", "s", &rolling("1")).await, "CREATE_COMPLETE", "{:#?}", cloud.events("s"));
    let from = cloud.events("s").len();
    cloud.ok("UpdateStack", json!({"StackName": "s", "TemplateBody": rolling("2")})).await;
    for (seconds, id, status) in [(60, "i-1", "SUCCESS"), (60, "i-2", "FAILURE"), (60, "i-3", "SUCCESS")] {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        assert_eq!(cloud.stack("s").status, "UPDATE_IN_PROGRESS", "it waits for {id}");
        cloud.signal("s", "Group", id, status).await;
    }
    assert_eq!(cloud.rest("s").await, "UPDATE_COMPLETE", "one of three may fail");
    let expected = [
        "stack UPDATE_IN_PROGRESS (User Initiated)",
        "Group UPDATE_IN_PROGRESS",
        "Group UPDATE_IN_PROGRESS (Rolling update initiated. Terminating 3 obsolete instance(s) in batches of 2, while \
         keeping at least 1 instance(s) in service. Waiting on resource signals with a timeout of PT10M when new \
         instances are added to the autoscaling group.)",
        "Group UPDATE_IN_PROGRESS (New instance(s) added to autoscaling group - Waiting on 2 resource signal(s) with a \
         timeout of PT10M.)",
        "Group UPDATE_IN_PROGRESS (Received SUCCESS signal with UniqueId i-1)",
        "Group UPDATE_IN_PROGRESS (Received FAILURE signal with UniqueId i-2)",
        "Group UPDATE_IN_PROGRESS (New instance(s) added to autoscaling group - Waiting on 1 resource signal(s) with a \
         timeout of PT10M.)",
        "Group UPDATE_IN_PROGRESS (Received SUCCESS signal with UniqueId i-3)",
        "Group UPDATE_COMPLETE",
        "stack UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "stack UPDATE_COMPLETE",
    ];
    assert_eq!(cloud.events_from("s", from), expected);
}

#[tokio::test(start_paused = true)]
async fn instances_that_say_nothing_fail_the_update() {
    let cloud = Cloud::new().await;
    cloud.deploy("CreateStack", "s", &rolling("1")).await;
    let began = tokio::time::Instant::now();
    assert_eq!(cloud.deploy("UpdateStack", "s", &rolling("2")).await, "UPDATE_ROLLBACK_COMPLETE");
    assert!((600..700).contains(&began.elapsed().as_secs()), "one pause: {:?}", began.elapsed());
    cloud.tells(
        "s",
        "Group UPDATE_IN_PROGRESS (Failed to receive 2 resource signal(s) for the current batch. Each resource signal \
         timeout is counted as a FAILURE.)",
    );
    cloud.tells(
        "s",
        "Group UPDATE_FAILED (Received 0 SUCCESS signal(s) out of 3. Unable to satisfy 60% MinSuccessfulInstancesPercent \
         requirement)",
    );
    assert_eq!(cloud.stack("s").resources["Group"].properties["LaunchTemplate"]["Version"], "1");
    // What makes no new instances is not waited for.
    let wider = rolling("1").replace("MaxSize: '3'", "MaxSize: '4'");
    assert_eq!(cloud.deploy("UpdateStack", "s", &wider).await, "UPDATE_COMPLETE");
}

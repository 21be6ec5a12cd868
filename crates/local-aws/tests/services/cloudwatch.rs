//! CloudWatch's alarms, which go off when somebody says so.

use crate::support::{ACCOUNT, Client, REGION};
use aws_sdk_cloudformation::types::{RollbackConfiguration, RollbackTrigger};
use local_aws::{LocalAws, Options, Speed};
use serde_json::{Value as Json, json};
use std::time::Duration;

const ARN: &str = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:errors";

/// Sends a request that is signed for CloudWatch; its status and body.
async fn send(aws: &LocalAws, target: Option<&str>, body: String) -> (u16, String) {
    let scope =
        format!("AWS4-HMAC-SHA256 Credential={ACCOUNT}/20261122/{REGION}/monitoring/aws4_request, SignedHeaders=host");
    let request = http::Request::post("https://monitoring.eu-west-1.amazonaws.com/").header("authorization", scope);
    let request = match target {
        Some(target) => request
            .header("x-amz-target", format!("GraniteServiceVersion20100801.{target}"))
            .header("content-type", "application/x-amz-json-1.0"),
        None => request.header("content-type", "application/x-www-form-urlencoded"),
    };
    let response = aws.exchange(request.body(body.into()).expect("a request")).await.expect("an answer");
    (response.status().as_u16(), String::from_utf8_lossy(response.body()).into_owned())
}

async fn alarm(aws: &LocalAws) -> Json {
    let (status, body) = send(aws, Some("DescribeAlarms"), json!({"AlarmNames": ["errors"]}).to_string()).await;
    assert_eq!(status, 200, "{body}");
    let body: Json = serde_json::from_str(&body).expect("JSON");
    body["MetricAlarms"][0].clone()
}

#[tokio::test(start_paused = true)]
async fn an_alarm_that_is_set_rolls_back_what_watches_it() {
    let aws = LocalAws::open(Options { speed: Speed::REAL, ..Options::default() }).await.expect("a world");
    let client = Client::new(&aws).cloudformation();
    let template = "
Resources:
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: errors, ComparisonOperator: GreaterThanThreshold, EvaluationPeriods: 1, Threshold: 1,
      MetricName: Errors, Namespace: Mine, Period: 60, Statistic: Sum}
";
    client.create_stack().stack_name("alarms").template_body(template).send().await.expect("accepted");
    tokio::time::sleep(Duration::from_secs(600)).await;
    let before = alarm(&aws).await;
    assert_eq!((before["AlarmArn"].as_str(), before["StateValue"].as_str()), (Some(ARN), Some("INSUFFICIENT_DATA")));
    assert_eq!(before["MetricName"], "Errors");

    let trigger = RollbackTrigger::builder().arn(ARN).r#type("AWS::CloudWatch::Alarm").build();
    let watching = RollbackConfiguration::builder().rollback_triggers(trigger).monitoring_time_in_minutes(30).build();
    let create = client.create_stack().stack_name("s").rollback_configuration(watching);
    create.template_body("Resources: {A: {Type: AWS::SNS::Topic}}").send().await.expect("accepted");
    tokio::time::sleep(Duration::from_secs(900)).await;
    let status = async || {
        let stacks = client.describe_stacks().stack_name("s").send().await.expect("the stack");
        stacks.stacks()[0].stack_status().expect("a status").as_str().to_owned()
    };
    assert_eq!(status().await, "CREATE_IN_PROGRESS", "its alarm is watched");
    // The AWS CLI of these days writes JSON, older clients forms.
    let set = "Action=SetAlarmState&Version=2010-08-01&AlarmName=errors&StateValue=ALARM&StateReason=tried";
    let (code, body) = send(&aws, None, set.to_owned()).await;
    assert_eq!(code, 200, "{body}");
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(status().await, "ROLLBACK_COMPLETE");
    let events = client.describe_stack_events().stack_name("s").send().await.expect("events");
    let reasons: Vec<&str> = events.stack_events().iter().filter_map(|event| event.resource_status_reason()).collect();
    let told = format!("The rollback trigger {ARN} is in ALARM state");
    assert!(reasons.iter().any(|reason| reason.starts_with(&told)), "{reasons:#?}");
    let after = alarm(&aws).await;
    assert_eq!((after["StateValue"].as_str(), after["StateReason"].as_str()), (Some("ALARM"), Some("tried")));

    let set = json!({"AlarmName": "none", "StateValue": "OK", "StateReason": "tried"});
    let (_, refused) = send(&aws, Some("SetAlarmState"), set.to_string()).await;
    assert!(refused.contains("ResourceNotFound"), "{refused}");
    // An alarm of the same name that is made anew knows nothing of that.
    client.delete_stack().stack_name("alarms").send().await.expect("accepted");
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(alarm(&aws).await, Json::Null);
    client.create_stack().stack_name("alarms").template_body(template).send().await.expect("accepted");
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(alarm(&aws).await["StateValue"], "INSUFFICIENT_DATA");
}

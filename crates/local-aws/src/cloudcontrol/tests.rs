//! Cloud Control as its clients see it.

use crate::resources::{self, Owner, drift};
use crate::{LocalAws, Options, Place, Speed};
use bytes::Bytes;
use indexmap::IndexMap;
use serde_json::{Value as Json, json};
use std::time::Duration;

fn place() -> Place {
    Place::new("111122223333", "eu-west-1")
}

async fn call(aws: &LocalAws, operation: &str, input: Json) -> Result<Json, (String, String)> {
    let request = http::Request::post("/")
        .header("x-amz-target", format!("CloudApiService.{operation}"))
        .body(Bytes::from(input.to_string()))
        .expect("a request");
    let response = super::answer(&aws.world, &place(), &request).await;
    let body: Json = serde_json::from_slice(response.body()).expect("JSON");
    if response.status().is_success() {
        return Ok(body);
    }
    let code = body["__type"].as_str().unwrap_or_default().rsplit('#').next().unwrap_or_default().to_owned();
    Err((code, body["Message"].as_str().unwrap_or_default().to_owned()))
}

fn owner() -> Owner {
    Owner {
        place: place(),
        stack_name: "shop".to_owned(),
        stack_id: "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/1".to_owned(),
        logical_id: "Topic".to_owned(),
        tags: IndexMap::new(),
    }
}

async fn properties(aws: &LocalAws, type_name: &str, identifier: &str) -> Json {
    let answer = call(aws, "GetResource", json!({"TypeName": type_name, "Identifier": identifier})).await;
    let answer = answer.expect("there");
    serde_json::from_str(answer["ResourceDescription"]["Properties"].as_str().expect("text")).expect("JSON")
}

#[tokio::test(start_paused = true)]
async fn a_change_makes_drift() {
    let aws = LocalAws::open(Options { speed: Speed::REAL, ..Options::default() }).await.expect("a world");
    let declared = json!({"DisplayName": "one"});
    let made = resources::create(&aws.world, &owner(), "AWS::SNS::Topic", &declared, None).await.expect("made");
    let patch = r#"[{"op": "replace", "path": "/DisplayName", "value": "two"}]"#;
    let input = json!({"TypeName": "AWS::SNS::Topic", "Identifier": made.physical_id, "PatchDocument": patch});
    let answer = call(&aws, "UpdateResource", input.clone()).await.expect("accepted");
    let event = &answer["ProgressEvent"];
    assert_eq!((&event["OperationStatus"], &event["Operation"]), (&json!("IN_PROGRESS"), &json!("UPDATE")));
    let status = async || {
        let asked = json!({"RequestToken": event["RequestToken"]});
        call(&aws, "GetResourceRequestStatus", asked).await.expect("known")["ProgressEvent"].clone()
    };
    assert_eq!(status().await["OperationStatus"], "IN_PROGRESS");
    let (code, _) = call(&aws, "UpdateResource", input).await.expect_err("one at a time");
    assert_eq!(code, "ConcurrentOperationException");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(status().await["OperationStatus"], "SUCCESS");
    assert_eq!(properties(&aws, "AWS::SNS::Topic", &made.physical_id).await["DisplayName"], "two");
    let live = resources::read(&aws.world, &place(), "AWS::SNS::Topic", &made.physical_id).await;
    let compared = drift::compare("AWS::SNS::Topic", &declared, live.as_ref(), &IndexMap::new());
    let paths: Vec<&str> = compared.differences.iter().map(|found| found.path.as_str()).collect();
    assert_eq!(paths, ["/DisplayName"]);
    let listed = call(&aws, "ListResourceRequests", json!({})).await.expect("a list");
    assert_eq!(listed["ResourceRequestStatusSummaries"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn resources_come_and_go() {
    let aws = LocalAws::open(Options::default()).await.expect("a world");
    let desired = json!({"QueueName": "work", "DelaySeconds": 5}).to_string();
    let input = json!({"TypeName": "AWS::SQS::Queue", "DesiredState": desired, "ClientToken": "once"});
    let event = call(&aws, "CreateResource", input.clone()).await.expect("accepted")["ProgressEvent"].clone();
    let url = "https://sqs.eu-west-1.amazonaws.com/111122223333/work";
    assert_eq!(event["Identifier"], url);
    let again = call(&aws, "CreateResource", input).await.expect("the same");
    assert_eq!(again["ProgressEvent"]["RequestToken"], event["RequestToken"]);
    let other = json!({"TypeName": "AWS::SQS::Queue", "DesiredState": "{}", "ClientToken": "once"});
    assert_eq!(call(&aws, "CreateResource", other).await.expect_err("another").0, "ClientTokenConflictException");
    assert_eq!(properties(&aws, "AWS::SQS::Queue", url).await["Arn"], "arn:aws:sqs:eu-west-1:111122223333:work");
    let listed = call(&aws, "ListResources", json!({"TypeName": "AWS::SQS::Queue"})).await.expect("a list");
    assert_eq!(listed["ResourceDescriptions"][0]["Identifier"], url);
    let gone = json!({"TypeName": "AWS::SQS::Queue", "Identifier": url});
    let event = call(&aws, "DeleteResource", gone.clone()).await.expect("accepted")["ProgressEvent"].clone();
    let done = call(&aws, "GetResourceRequestStatus", json!({"RequestToken": event["RequestToken"]})).await;
    assert_eq!(done.expect("known")["ProgressEvent"]["OperationStatus"], "SUCCESS");
    assert_eq!(call(&aws, "GetResource", gone).await.expect_err("gone").0, "ResourceNotFoundException");
}

#[tokio::test]
async fn what_a_handler_refuses_is_told_by_the_request() {
    let aws = LocalAws::open(Options::default()).await.expect("a world");
    let input = json!({"TypeName": "AWS::SQS::Queue", "DesiredState": r#"{"QueueName": "work"}"#});
    call(&aws, "CreateResource", input.clone()).await.expect("accepted");
    let event = call(&aws, "CreateResource", input).await.expect("accepted")["ProgressEvent"].clone();
    assert_eq!((&event["OperationStatus"], event.get("ErrorCode")), (&json!("IN_PROGRESS"), None));
    let done = call(&aws, "GetResourceRequestStatus", json!({"RequestToken": event["RequestToken"]})).await;
    let done = done.expect("known")["ProgressEvent"].clone();
    assert_eq!((&done["OperationStatus"], &done["ErrorCode"]), (&json!("FAILED"), &json!("AlreadyExists")));
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused() {
    let aws = LocalAws::open(Options::default()).await.expect("a world");
    let cases = [
        ("GetResource", json!({"TypeName": "AWS::S3::Buckets", "Identifier": "x"}), "TypeNotFoundException"),
        ("GetResource", json!({"TypeName": "AWS::SNS::Topic", "Identifier": "x"}), "ResourceNotFoundException"),
        ("GetResource", json!({"TypeName": "AWS::SNS::Topic"}), "ValidationException"),
        ("CreateResource", json!({"TypeName": "AWS::SNS::Topic", "DesiredState": "{\"X\": 1}"}), "ValidationException"),
        ("GetResourceRequestStatus", json!({"RequestToken": "x"}), "RequestTokenNotFoundException"),
        ("ListResources", json!({"TypeName": "AWS::SNS::Topic", "MaxResults": 0}), "ValidationException"),
        ("Nonsense", json!({}), "UnknownOperationException"),
    ];
    for (operation, input, code) in cases {
        assert_eq!(call(&aws, operation, input.clone()).await.expect_err("is refused").0, code, "{operation} {input}");
    }
}

#[tokio::test]
async fn lists_come_in_pages() {
    let aws = LocalAws::open(Options::default()).await.expect("a world");
    for number in 0..7 {
        let desired = json!({"TopicName": format!("t{number}")}).to_string();
        let input = json!({"TypeName": "AWS::SNS::Topic", "DesiredState": desired});
        call(&aws, "CreateResource", input).await.expect("accepted");
    }
    let mut seen = Vec::new();
    let mut input = json!({"TypeName": "AWS::SNS::Topic", "MaxResults": 3});
    loop {
        let answer = call(&aws, "ListResources", input.clone()).await.expect("a page");
        let items = answer["ResourceDescriptions"].as_array().cloned().unwrap_or_default();
        assert!(items.len() <= 3);
        seen.extend(items.iter().map(|item| item["Identifier"].as_str().unwrap_or_default().to_owned()));
        match answer.get("NextToken") {
            Some(token) => input["NextToken"] = token.clone(),
            None => break,
        }
    }
    seen.dedup();
    assert_eq!(seen.len(), 7);
}

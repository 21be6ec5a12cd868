//! The codec against forms that the SDK writes and answers that it reads.

use super::*;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

/// As `aws-sdk-cloudformation` 1.136 writes a `CreateChangeSet`: lists with `.member`, an empty list as an empty value.
const CREATE_CHANGE_SET: &str = "Action=CreateChangeSet&Version=2010-05-15&StackName=network\
    &TemplateBody=Resources%3A%0A%20%20A%3A%20%7BType%3A%20%22A%26B%22%7D\
    &Parameters.member.1.ParameterKey=Cidr&Parameters.member.1.ParameterValue=10.0.0.0%2F8\
    &Parameters.member.2.ParameterKey=Zones&Parameters.member.2.UsePreviousValue=true\
    &Capabilities.member.1=CAPABILITY_IAM&Tags=&ChangeSetName=one\
    &ResourcesToImport.member.1.ResourceType=AWS%3A%3AS3%3A%3ABucket\
    &ResourcesToImport.member.1.ResourceIdentifier.entry.1.key=BucketName\
    &ResourcesToImport.member.1.ResourceIdentifier.entry.1.value=data\
    &RollbackConfiguration.MonitoringTimeInMinutes=7";

#[test]
fn a_form_becomes_nested_json() {
    let (action, input) = read(CREATE_CHANGE_SET.as_bytes()).expect("a form");
    assert_eq!(action, "CreateChangeSet");
    assert_eq!(
        input,
        json!({
            "StackName": "network",
            "TemplateBody": "Resources:\n  A: {Type: \"A&B\"}",
            "Parameters": [
                {"ParameterKey": "Cidr", "ParameterValue": "10.0.0.0/8"},
                {"ParameterKey": "Zones", "UsePreviousValue": "true"}
            ],
            "Capabilities": ["CAPABILITY_IAM"],
            "Tags": "",
            "ChangeSetName": "one",
            "ResourcesToImport": [{"ResourceType": "AWS::S3::Bucket", "ResourceIdentifier": {"BucketName": "data"}}],
            "RollbackConfiguration": {"MonitoringTimeInMinutes": "7"}
        })
    );
}

#[test]
fn flat_lists_are_ordered_by_number_and_gaps_close() {
    let form: Vec<String> = (1..=11).rev().map(|n| format!("Names.{}=n{n}", n * 2)).collect();
    let (_, input) = read(format!("Action=A&{}", form.join("&")).as_bytes()).expect("a form");
    let names: Vec<String> = (1..=11).map(|n| format!("n{n}")).collect();
    assert_eq!(input, json!({ "Names": names }));
}

#[test]
fn forms_that_contradict_themselves_are_refused() {
    for form in ["Action=A&B=c&B.D=e", "Action=A&B.D=e&B=c"] {
        assert_eq!(read(form.as_bytes()).expect_err(form).code, "MalformedInput");
    }
    let deep = format!("Action=A&{}=1", vec!["x"; 10_000].join("."));
    assert_eq!(read(deep.as_bytes()).expect_err("deep").code, "MalformedInput");
    for form in ["", "B=c", "Action=", "%ff%fe&&&==="] {
        assert_eq!(read(form.as_bytes()).expect_err(form).code, "MissingAction");
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    stack_name: String,
    #[serde(default)]
    tags: Vec<Tag>,
    capabilities: Option<Vec<String>>,
    disable_rollback: Option<bool>,
    timeout_in_minutes: Option<i64>,
    rollback_configuration: Option<Rollback>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rollback {
    monitoring_time_in_minutes: Option<u32>,
}

#[test]
fn strings_are_read_as_what_an_input_wants() {
    let form = "Action=A&StackName=12&Tags.member.1.Key=k&Tags.member.1.Value=&Capabilities=&DisableRollback=true\
        &TimeoutInMinutes=30&RollbackConfiguration.MonitoringTimeInMinutes=5&Unknown.member.1=x";
    let (_, json) = read(form.as_bytes()).expect("a form");
    assert_eq!(
        input::<Input>(json).expect("an input"),
        Input {
            stack_name: "12".into(),
            tags: vec![Tag { key: "k".into(), value: String::new() }],
            capabilities: Some(vec![]),
            disable_rollback: Some(true),
            timeout_in_minutes: Some(30),
            rollback_configuration: Some(Rollback { monitoring_time_in_minutes: Some(5) }),
        }
    );
    let wrong = input::<Input>(json!({"StackName": "s", "DisableRollback": "maybe"})).expect_err("no boolean");
    assert_eq!((wrong.code.as_str(), wrong.status), ("ValidationError", 400));
    let wrong = input::<Input>(json!({"StackName": "s", "TimeoutInMinutes": "x"})).expect_err("no number");
    assert!(wrong.message.contains("\"x\""), "{wrong:?}");
}

fn text(response: &crate::door::Response) -> String {
    String::from_utf8(response.body().to_vec()).expect("text")
}

#[tokio::test]
async fn results_are_written_as_sdks_read_them() {
    let result = json!({
        "Stacks": [{"StackName": "a<b>&\"c\"\r\n\u{1}", "DisableRollback": false, "Tags": [], "Reason": null, "Time": 3}],
        "Identifier": entries(json!({"BucketName": "data"}).as_object().expect("a map")),
    });
    let response = with_request_id("id-1".into(), async { answer("DescribeStacks", "http://ns/", &result) }).await;
    assert_eq!(response.headers()["x-amzn-requestid"], "id-1");
    assert_eq!(
        text(&response),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DescribeStacksResponse xmlns=\"http://ns/\"><DescribeStacksResult>\
         <Stacks><member><StackName>a&lt;b&gt;&amp;&quot;c&quot;&#xD;\n\u{fffd}</StackName>\
         <DisableRollback>false</DisableRollback><Tags></Tags><Time>3</Time></member></Stacks>\
         <Identifier><entry><key>BucketName</key><value>data</value></entry></Identifier>\
         </DescribeStacksResult><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></DescribeStacksResponse>"
    );
    let nothing = answer("DeleteStack", "http://ns/", &serde_json::Value::Null);
    assert!(!text(&nothing).contains("DeleteStackResult"));
}

#[test]
fn faults_are_error_responses() {
    let response = Fault::validation("Stack with id a<b does not exist").answer("http://ns/");
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(text(&response).contains(
        "<Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id a&lt;b does not exist</Message></Error>"
    ));
    let response = Fault::new("InternalFailure", "x").with_status(500).answer("http://ns/");
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(text(&response).contains("<Type>Receiver</Type>"));
}

proptest::proptest! {
    /// No form makes the reader panic.
    #[test]
    fn any_form_is_read_or_refused(form in "[A-C.&=0-9%]{0,60}") {
        let _ = read(format!("Action=X&{form}").as_bytes());
    }
}

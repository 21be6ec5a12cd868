//! `infra drift` as people type it: what it says, its exit codes, the two ways back.

use crate::support::project::Project;
use local_aws::{LocalAws, Options};
use serde_json::{Value as Json, json};
use std::time::Duration;

const ENVIRONMENT: &str = r#"project: small
account: "000000000000"
region: us-east-1
local: {speed: 3600}

stacks:
  jobs:
    template: queue
    inputs:
      delay: 5        # seconds
  words: {template: parameter, inputs: {value: one}}   # one line
"#;

const QUEUE: &str = r#"description: A queue.
inputs:
  delay: {type: integer, default: 0, description: Seconds before a message is seen.}
needs: {}
outputs:
  Url: Where it is.
---
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: "{{ project }}-{{ environment }}-{{ stack }}"
      DelaySeconds: {{ inputs.delay }}
      VisibilityTimeout: 45
Outputs:
  Url:
    Value: !Ref Queue
"#;

const PARAMETER: &str = r#"description: A parameter.
inputs:
  value: {type: string, description: Its value.}
needs: {}
outputs:
  Value: The value.
---
Resources:
  Parameter:
    Type: AWS::SSM::Parameter
    Properties:
      Name: /{{ project }}/{{ environment }}/{{ stack }}
      Type: String
      Value: {{ inputs.value | tojson }}
Outputs:
  Value:
    Value: !GetAtt Parameter.Value
"#;

const QUEUE_URL: &str = "https://sqs.us-east-1.amazonaws.com/000000000000/small-local-jobs";

fn applied() -> Project {
    let project = Project::offline();
    project
        .write("environments/local.yaml", ENVIRONMENT)
        .write("templates/queue.yaml", QUEUE)
        .write("templates/parameter.yaml", PARAMETER);
    project.infra(&["apply", "--env", "local"]).expect(0);
    project
}

/// Somebody changes something by hand, through Cloud Control.
fn by_hand(project: &Project, operation: &str, input: Json) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let directory = Some(project.path().join(".infra/local"));
        let world = LocalAws::open(Options { directory, ..Options::default() }).await.expect("the world");
        let scope = "000000000000/20260101/us-east-1/cloudcontrolapi/aws4_request";
        let ask = async |operation: &str, input: Json| -> Json {
            let request = http::Request::post("https://cloudcontrolapi.us-east-1.amazonaws.com/")
                .header("x-amz-target", format!("CloudApiService.{operation}"))
                .header("content-type", "application/x-amz-json-1.0")
                .header(
                    "authorization",
                    format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
                )
                .body(input.to_string().into())
                .expect("a request");
            let answer = world.exchange(request).await.expect("an answer");
            let text = String::from_utf8_lossy(answer.body()).into_owned();
            assert!(answer.status().is_success(), "{text}");
            serde_json::from_str::<Json>(&text).expect("JSON")["ProgressEvent"].take()
        };
        let mut event = ask(operation, input).await;
        while event["OperationStatus"] == "IN_PROGRESS" {
            tokio::time::sleep(Duration::from_millis(20)).await;
            event = ask("GetResourceRequestStatus", json!({"RequestToken": event["RequestToken"]})).await;
        }
        assert_eq!(event["OperationStatus"], "SUCCESS", "{event}");
    });
}

fn delay(project: &Project, seconds: u32) {
    let patch = json!([{"op": "replace", "path": "/DelaySeconds", "value": seconds}]).to_string();
    by_hand(
        project,
        "UpdateResource",
        json!({"TypeName": "AWS::SQS::Queue", "Identifier": QUEUE_URL, "PatchDocument": patch}),
    );
}

#[test]
fn drift_is_found_named_and_put_back() {
    let project = applied();
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "local"]].concat());
    let quiet = infra(&["drift", "--detailed-exitcode", "--strict"]).expect(0);
    assert_eq!(quiet.stdout, "No drift. small/local is as it was applied: 2 resources in 2 stacks.\n");

    delay(&project, 77);
    let found = infra(&["drift", "--detailed-exitcode", "--sarif", "drift.sarif"]).expect(2);
    assert!(found.stdout.contains("  ~ Queue  AWS::SQS::Queue\n      DelaySeconds: 5 → 77\n"), "{}", found.stdout);
    assert!(found.stdout.contains("by root (cloudcontrolapi:UpdateResource)"), "{}", found.stdout);
    assert!(found.stdout.ends_with("Drift: 1 modified, of 2 resources in 2 stacks.\n"), "{}", found.stdout);
    let sarif: Json = serde_json::from_str(&project.read("drift.sarif")).expect("JSON");
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "property-drift");
    let document = infra(&["drift", "--format", "json"]).expect(0).json();
    assert_eq!(document["summary"]["modified"], 1);
    infra(&["drift", "--stack", "words", "--detailed-exitcode"]).expect(0);
    infra(&["drift", "--stack", "wrods"]).expect(64);

    // A plan that changes the stack says so; a plan of anything else does not.
    let environment = project.read("environments/local.yaml");
    assert!(!infra(&["plan"]).expect(0).stdout.contains("drifted-stack"));
    project.write("environments/local.yaml", &environment.replace("delay: 5 ", "delay: 6 "));
    let plan = infra(&["plan", "--format", "json"]).expect(0).json();
    assert_eq!(plan["findings"][0]["code"], "drifted-stack", "{}", plan["findings"]);
    project.write("environments/local.yaml", &environment);

    let reverted = infra(&["drift", "--revert", "--yes"]).expect(0);
    assert!(reverted.stdout.contains("DelaySeconds: 77 → 5"), "{}", reverted.stdout);
    assert!(reverted.stdout.contains("Reverted"), "{}", reverted.stdout);
    infra(&["drift", "--detailed-exitcode"]).expect(0);
    infra(&["plan", "--detailed-exitcode"]).expect(0);
    let again = infra(&["drift", "--revert", "--yes"]).expect(0);
    assert_eq!(again.stdout, "Nothing to revert: every resource is as its template says.\n");
}

#[test]
fn what_is_live_is_written_into_the_file() {
    let project = applied();
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "local"]].concat());
    delay(&project, 77);
    let patch = json!([{"op": "replace", "path": "/VisibilityTimeout", "value": 60}]).to_string();
    by_hand(
        &project,
        "UpdateResource",
        json!({"TypeName": "AWS::SQS::Queue", "Identifier": QUEUE_URL, "PatchDocument": patch}),
    );
    let patch = json!([{"op": "replace", "path": "/Value", "value": "yes"}]).to_string();
    by_hand(
        &project,
        "UpdateResource",
        json!({"TypeName": "AWS::SSM::Parameter", "Identifier": "/small/local/words", "PatchDocument": patch}),
    );
    let before = project.read("environments/local.yaml");
    let adopted = infra(&["drift", "--adopt", "--yes"]).expect(0);
    for line in ["-       delay: 5        # seconds\n", "+       delay: 77        # seconds\n"] {
        assert!(adopted.stdout.contains(line), "{}", adopted.stdout);
    }
    assert!(
        adopted.stdout.contains("jobs.Queue.VisibilityTimeout: no input of its template decides it"),
        "{}",
        adopted.stdout
    );
    let after = project.read("environments/local.yaml");
    let expected = before.replace("delay: 5 ", "delay: 77 ").replace("value: one", "value: \"yes\"");
    assert_eq!(after, expected);
    // What no input could say is still drift; the plan is empty all the same.
    infra(&["plan", "--detailed-exitcode"]).expect(0);
    let left = infra(&["drift", "--format", "json"]).expect(0).json();
    assert_eq!(left["summary"]["modified"], 1, "{left}");
}

#[test]
fn what_is_meant_to_be_is_passed_over_until_its_day() {
    let project = applied();
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "local"]].concat());
    delay(&project, 77);
    let environment = project.read("environments/local.yaml");
    let rule = |until: &str| {
        format!(
            "{environment}drift:\n  ignore:\n    - {{stack: jobs, property: DelaySeconds, because: a sale, until: {until}}}\n"
        )
    };
    project.write("environments/local.yaml", &rule("2999-12-31"));
    let passed = infra(&["drift", "--detailed-exitcode"]).expect(0);
    assert!(passed.stdout.contains("2 resources in 2 stacks; 1 ignored."), "{}", passed.stdout);
    let told = infra(&["drift", "--verbose"]).expect(0);
    assert!(told.stdout.contains("DelaySeconds: 5 → 77  (ignored: a sale)"), "{}", told.stdout);
    project.write("environments/local.yaml", &rule("2020-01-01"));
    let expired = infra(&["drift", "--detailed-exitcode"]).expect(2);
    assert!(expired.stdout.contains("expired on\n    2020-01-01"), "{}", expired.stdout);
    project.write("environments/local.yaml", &format!("{environment}drift:\n  ignore:\n    - {{stack: jobs}}\n"));
    let refused = infra(&["drift"]).expect(1);
    assert!(refused.stderr.contains("the rule does not say why"), "{}", refused.stderr);
}

//! `infra drift` as people type it: what it says, its exit codes, the two ways back.

use crate::support::cli::Ran;
use crate::support::project::{Project, Server};
use crate::support::proxy::{Proxy, Verdict};
use crate::support::sarif::assert_valid;
use crate::support::small::{self, small};
use local_aws::{LocalAws, Options};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

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

const QUEUE_URL: &str = "https://sqs.us-east-1.amazonaws.com/000000000000/small-local-jobs";

fn applied() -> Project {
    let project = Project::offline();
    small::files(&project);
    project.write("environments/local.yaml", ENVIRONMENT).write("templates/queue.yaml", QUEUE);
    project.infra(&["apply", "--env", "local"]).expect(0);
    project
}

/// The AWS in the project's folder, for what somebody does by hand.
struct Side {
    world: LocalAws,
    runtime: tokio::runtime::Runtime,
}

impl Side {
    fn of(project: &Project) -> Side {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let directory = Some(project.path().join(".infra/local"));
        let options = Options { directory, ..Options::default() };
        Side { world: runtime.block_on(LocalAws::open(options)).expect("the world"), runtime }
    }

    /// Calls an operation (`<prefix>.<name>`) of a service that speaks JSON.
    fn ask(&self, service: &str, operation: &str, input: &Json) -> Json {
        let scope = format!("000000000000/20260101/us-east-1/{service}/aws4_request");
        let request = http::Request::post(format!("https://{service}.us-east-1.amazonaws.com/"))
            .header("x-amz-target", operation)
            .header("content-type", "application/x-amz-json-1.1")
            .header("authorization", format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"))
            .body(input.to_string().into())
            .expect("a request");
        let answer = self.runtime.block_on(self.world.exchange(request)).expect("an answer");
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        assert!(answer.status().is_success(), "{operation}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }
}

/// Somebody changes something by hand, through Cloud Control.
fn by_hand(project: &Project, operation: &str, input: Json) {
    let side = Side::of(project);
    let ask = |operation: &str, input: &Json| {
        side.ask("cloudcontrolapi", &format!("CloudApiService.{operation}"), input)["ProgressEvent"].take()
    };
    let mut event = ask(operation, &input);
    while event["OperationStatus"] == "IN_PROGRESS" {
        std::thread::sleep(Duration::from_millis(20));
        event = ask("GetResourceRequestStatus", &json!({"RequestToken": event["RequestToken"]}));
    }
    assert_eq!(event["OperationStatus"], "SUCCESS", "{event}");
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
    assert_valid(&sarif);
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

const SERVICE: &str = r#"description: A service.
inputs: {}
needs:
  ImageUri: "image:api"
outputs: {}
---
Parameters:
  ImageUri: {Type: String}
Resources:
  Cluster:
    Type: AWS::ECS::Cluster
    Properties: {ClusterName: small}
  TaskDefinition:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: api
      ContainerDefinitions:
        - {Name: app, Image: !Ref ImageUri, Essential: true, Memory: 128}
  Service:
    Type: AWS::ECS::Service
    Properties:
      Cluster: !Ref Cluster
      ServiceName: api
      TaskDefinition: !Ref TaskDefinition
      DesiredCount: 1
"#;

const REPOSITORY: &str = "000000000000.dkr.ecr.us-east-1.amazonaws.com/api";

/// Tasks run another image than the one that was applied.
#[test]
fn another_image_is_named() {
    let (old, new) = ("1a".repeat(32), "2b".repeat(32));
    let project = Project::offline();
    project.write("templates/service.yaml", SERVICE).write(
        "environments/local.yaml",
        &format!(
            "project: small\naccount: \"000000000000\"\nregion: us-east-1\nlocal: {{speed: 3600}}\n\
             images:\n  api: {{ref: \"{REPOSITORY}@sha256:{old}\"}}\nstacks:\n  api: {{template: service}}\n"
        ),
    );
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "local"]].concat());
    infra(&["apply"]).expect(0);
    infra(&["drift", "--detailed-exitcode", "--strict"]).expect(0);

    {
        let side = Side::of(&project);
        let ask = |operation: &str, input: Json| {
            side.ask("ecs", &format!("AmazonEC2ContainerServiceV20141113.{operation}"), &input)
        };
        let container = json!({"name": "app", "image": format!("{REPOSITORY}@sha256:{new}"), "memory": 128});
        ask("RegisterTaskDefinition", json!({"family": "api", "containerDefinitions": [container]}));
        ask("UpdateService", json!({"cluster": "small", "service": "api", "taskDefinition": "api:2"}));
        let began = Instant::now();
        loop {
            let tasks = ask("ListTasks", json!({"cluster": "small", "serviceName": "api"}))["taskArns"].take();
            let told = ask("DescribeTasks", json!({"cluster": "small", "tasks": tasks}));
            let running = told["tasks"].as_array().into_iter().flatten();
            let images: Vec<&Json> = running.map(|task| &task["containers"][0]["image"]).collect();
            if !images.is_empty() && images.iter().all(|image| image.as_str().is_some_and(|it| it.ends_with(&new))) {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{told}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let found = infra(&["drift", "--detailed-exitcode"]).expect(2);
    assert!(found.stdout.contains("running image of app"), "{}", found.stdout);
    let document = infra(&["drift", "--format", "json", "--sarif", "drift.sarif"]).expect(0).json();
    let service = document["stacks"][0]["resources"].as_array().expect("resources").iter();
    let service = service.clone().find(|it| it["logical_id"] == "Service").expect("the service");
    let image = service["properties"].as_array().expect("properties").iter();
    let image = image.clone().find(|it| it["path"] == "running image of app").expect("the image");
    assert_eq!(image["before"]["known"], format!("{REPOSITORY}@sha256:{old}"), "{image}");
    assert_eq!(image["after"]["known"], format!("{REPOSITORY}@sha256:{new}"), "{image}");
    assert_valid(&serde_json::from_str(&project.read("drift.sarif")).expect("JSON"));
}

/// A look that is ended early shows what it has, and says what it has not.
#[test]
fn what_an_interrupted_look_did_not_reach_is_listed() {
    let project = small(Server::Local);
    project.infra(&["apply", "--env", "dev", "--yes"]).expect(0);
    let (waiting, held) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let proxy = Proxy::before(&project.account.clone().expect("an account").endpoint, {
        let (waiting, held) = (waiting.clone(), held.clone());
        move |request| {
            if request.operation == "GetResource" && request.body.contains("/small/dev/third") {
                waiting.store(true, Ordering::SeqCst);
                while !held.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
            Verdict::Pass
        }
    });
    let run = ["drift", "--env", "dev", "--strict"];
    let run = project.infra(&run).env("AWS_ENDPOINT_URL", &proxy.endpoint).spawn();
    let began = Instant::now();
    while !waiting.load(Ordering::SeqCst) {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing was read");
        std::thread::sleep(Duration::from_millis(5));
    }
    // Time for the detections of the others.
    std::thread::sleep(Duration::from_secs(5));
    let signal = std::process::Command::new("kill").args(["-INT", &run.id().to_string()]).status().expect("kill");
    assert!(signal.success());
    let ran: Ran = run.wait_with_output().expect("it ends").into();
    held.store(true, Ordering::SeqCst);
    assert_eq!(ran.code, Some(130), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("third: the stack: the run was interrupted before it was read"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("first: the stack"), "{}", ran.stdout);
    assert!(ran.stderr.contains("interrupted;"), "{}", ran.stderr);
}

/// What may not be asked is listed, and `--strict` makes it an error.
#[test]
fn what_is_denied_never_passes_as_clean() {
    let project = small(Server::Local);
    project.infra(&["apply", "--env", "dev", "--yes"]).expect(0);
    let denied = r#"{"__type":"com.amazonaws#AccessDeniedException","message":"not yours"}"#;
    let refused = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not yours</Message></Error></ErrorResponse>";
    let proxy = Proxy::before(&project.account.clone().expect("an account").endpoint, |request| {
        match request.operation.as_str() {
            "GetResource" if request.body.contains("/small/dev/second") => Verdict::Answer(400, denied.to_owned()),
            "DetectStackDrift" => Verdict::Answer(403, refused.to_owned()),
            _ => Verdict::Pass,
        }
    });
    let drift = |args: &[&str]| {
        project.infra(&[&["drift", "--env", "dev"], args].concat()).env("AWS_ENDPOINT_URL", &proxy.endpoint)
    };
    let told = drift(&["--strict", "--detailed-exitcode"]).expect(1);
    assert!(told.stdout.contains("second: Parameter (AWS::SSM::Parameter)"), "{}", told.stdout);
    assert!(!told.stdout.contains("first: Parameter"), "{}", told.stdout);
    drift(&["--detailed-exitcode"]).expect(0);
    project.infra(&["drift", "--env", "dev", "--strict"]).expect(0);
}

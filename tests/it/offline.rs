//! The verbs that need neither credentials nor a network: init, validate, render, docs templates.

use crate::support::project::Project;

const ENVIRONMENT: &str = r#"project: shop
account: "111122223333"
region: eu-central-1
tags: {Owner: platform}

stacks:
  queue: {template: queue, inputs: {retention: 2d}}
  alarm: {template: alarm}
"#;

const QUEUE: &str = r#"description: A queue.
inputs:
  retention: {type: duration, default: 4d, description: How long a message is kept.}
outputs:
  Name: The queue's name.
---
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      MessageRetentionPeriod: {{ inputs.retention.seconds }}
Outputs:
  Name:
    Value: !GetAtt Queue.QueueName
"#;

const ALARM: &str = r#"description: An alarm when messages grow old.
needs:
  QueueName: queue.Name
---
Parameters:
  QueueName:
    Type: String
Resources:
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: AWS/SQS
      MetricName: ApproximateAgeOfOldestMessage
      Dimensions: [{Name: QueueName, Value: !Ref QueueName}]
      ComparisonOperator: GreaterThanThreshold
      EvaluationPeriods: 1
      Period: 300
      Statistic: Maximum
      Threshold: 3600
"#;

fn project() -> Project {
    let project = Project::offline();
    project
        .write("environments/dev.yaml", ENVIRONMENT)
        .write("templates/queue.yaml", QUEUE)
        .write("templates/alarm.yaml", ALARM);
    project
}

#[test]
fn render_shows_what_cloudformation_gets() {
    insta::assert_snapshot!(project().infra(&["render", "--env", "dev"]).expect(0).whole());
}

#[test]
fn render_gives_one_stack_as_a_document() {
    let project = project();
    let stacks = project.infra(&["render", "--env", "dev", "--stack", "alarm", "--format", "json"]).expect(0).json();
    assert_eq!(stacks.as_array().map(Vec::len), Some(1));
    assert_eq!(stacks[0]["template"]["Resources"]["Alarm"]["Properties"]["Threshold"], 3600);
    assert_eq!(stacks[0]["parameters"]["QueueName"]["output"]["stack"], "queue");
    let wrong = project.infra(&["render", "--env", "dev", "--stack", "alrm"]).expect(64);
    assert!(wrong.stderr.contains("did you mean `alarm`?"), "{}", wrong.stderr);
}

#[test]
fn a_picture_comes_as_it_is_asked_for() {
    let project = project();
    let drawn = |words: &[&str]| project.infra(&[&["diagram", "--env", "dev"], words].concat()).expect(0);
    let plain = drawn(&[]).stdout;
    assert!(plain.contains("flowchart"), "{plain}");
    assert_eq!(drawn(&["--format", "json"]).json()["mermaid"], plain.as_str());
    let markdown = drawn(&["--format", "markdown"]).stdout;
    assert_eq!(markdown, format!("```mermaid\n{}\n```\n", plain.trim_end()));
}

#[test]
fn a_plan_that_is_not_there_says_what_was_meant() {
    let project = project();
    let named = project.infra(&["apply", "dev"]).expect(1);
    assert!(named.stderr.contains("for the environment of this name: infra apply --env dev"), "{}", named.stderr);
    let missing = project.infra(&["apply", "plan.json"]).expect(1);
    assert!(missing.stderr.contains("`infra plan --env NAME -o FILE` saves a plan"), "{}", missing.stderr);
}

#[test]
fn render_writes_files() {
    let project = project();
    let ran = project.infra(&["render", "--env", "dev", "--out", "rendered"]).expect(0);
    assert_eq!(ran.stdout, "");
    assert!(project.read("rendered/queue.yaml").contains("MessageRetentionPeriod: 172800"));
}

#[test]
fn validate_tells_every_problem_of_every_environment_in_one_run() {
    let project = project();
    assert_eq!(project.infra(&["validate"]).expect(0).stdout, "dev: 2 stacks, valid\n");
    project
        .write("environments/prod.yaml", &ENVIRONMENT.replace("retention: 2d", "retentoin: 2d"))
        .write("templates/alarm.yaml", &ALARM.replace("Threshold: 3600", "Treshold: 3600"));
    insta::assert_snapshot!(project.infra(&["validate"]).expect(1).whole());
    let json = project.infra(&["validate", "--format", "json"]).expect(1);
    let error: serde_json::Value = serde_json::from_str(&json.stderr).expect("one line of JSON");
    let codes: Vec<_> = error["problems"].as_array().expect("problems").iter().map(|p| p["code"].to_string()).collect();
    assert!(codes.len() >= 2, "{codes:?}");
}

#[test]
fn init_writes_a_project_that_is_valid_and_never_overwrites() {
    let project = Project::offline();
    let ran = project.infra(&["init", "--project", "shop", "--account", "222233334444"]).expect(0);
    assert_eq!(ran.stdout.lines().count(), 10, "{}", ran.stdout);
    let dev = project.read("environments/dev.yaml");
    assert!(dev.contains("222233334444") && !dev.contains("storefront"), "{dev}");
    // What it cannot write are the applications themselves, and nothing else is missing.
    let invalid = project.infra(&["validate"]).expect(1);
    let errors: Vec<&str> = invalid.stderr.lines().filter(|line| line.starts_with("error: the image")).collect();
    assert!(!errors.is_empty() && errors.iter().all(|line| line.contains("there is no folder apps/")), "{errors:?}");
    for app in ["fastapi-a", "fastapi-b"] {
        project.write(&format!("apps/{app}/Dockerfile"), "FROM scratch\n");
    }
    let valid = project.infra(&["validate"]).expect(0);
    assert!(valid.stdout.contains("prod: "), "{}", valid.stdout);

    project.write("environments/dev.yaml", "mine");
    let again = project.infra(&["init"]).expect(64);
    assert!(again.stderr.contains("nothing was written"), "{}", again.stderr);
    assert_eq!(project.read("environments/dev.yaml"), "mine");
    project.infra(&["init", "-C", "other", "--account", "12"]).expect(64);
}

#[test]
fn the_catalog_describes_itself() {
    let project = project();
    let one = project.infra(&["docs", "templates", "queue"]).expect(0);
    assert!(one.stdout.contains("retention") && one.stdout.contains("How long a message is kept."), "{}", one.stdout);
    let all = project.infra(&["docs", "templates", "--format", "json"]).expect(0).json();
    let names: Vec<&str> =
        all.as_array().expect("a list").iter().filter_map(|template| template["name"].as_str()).collect();
    assert!(names.contains(&"queue") && names.contains(&"fargate-service"), "{names:?}");
    let wrong = project.infra(&["docs", "templates", "netwrok"]).expect(64);
    assert!(wrong.stderr.contains("did you mean `network`?"), "{}", wrong.stderr);
}

#[test]
fn a_resource_of_the_environment_is_explained() {
    let project = project();
    let explained = project.infra(&["explain", "queue.Queue", "--env", "dev"]).expect(0).stdout;
    assert!(explained.starts_with("queue.Queue  templates/queue.yaml:"), "{explained}");
    assert!(explained.contains("= 172800"), "what the template sets: {explained}");
    let one = project.infra(&["explain", "alarm.Alarm", "Dimensions", "--env", "dev"]).expect(0).stdout;
    assert!(one.contains("Dimensions[].Name") && !one.contains("Threshold"), "{one}");
    for (wrong, right) in [("queue.Quue", "Queue"), ("quee.Queue", "queue")] {
        let ran = project.infra(&["explain", wrong, "--env", "dev"]).expect(64);
        assert!(ran.stderr.contains(&format!("did you mean `{right}`?")), "{}", ran.stderr);
    }
    let ran = project.infra(&["explain", "AWS::SQS::Queue", "QueueNam"]).expect(64);
    assert!(ran.stderr.contains("did you mean `QueueName`?"), "{}", ran.stderr);
}

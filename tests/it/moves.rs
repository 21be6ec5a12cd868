//! What one stack gives up and another takes moves, or the plan says why it cannot.

use crate::support::live::Live;
use crate::support::project::{Project, Server};
use crate::support::schema_errors;

/// A queue of one name, and a table whose name is a function of a parameter.
fn template(policy: &str, more: &str) -> String {
    format!(
        r#"description: What holds data.
inputs: {{stage: {{type: string, default: dev, description: Of the table's name.}}}}
needs: {{}}
outputs:
  Url: The queue's.
---
Parameters:
  Stage: {{Type: String, Default: "{{{{ inputs.stage }}}}"}}
Resources:
  Orders:
    Type: AWS::SQS::Queue
    {policy}
    Properties: {{QueueName: shop-orders, DelaySeconds: 7}}
  Table:
    Type: AWS::DynamoDB::Table
    {policy}
    Properties:
      TableName: !Sub shop-${{Stage}}-orders
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{{AttributeName: id, AttributeType: S}}]
      KeySchema: [{{AttributeName: id, KeyType: HASH}}]
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: AWS/SQS
      MetricName: NumberOfMessagesSent
      Dimensions: [{{Name: QueueName, Value: !GetAtt Orders.QueueName}}]
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 1
      Threshold: 1
      ComparisonOperator: GreaterThanThreshold
{more}
Outputs:
  Url: {{Value: !Ref Orders}}
"#
    )
}

const READER: &str = r#"description: Reads a queue.
inputs: {of: {type: string, description: Stack with the queue.}}
needs:
  Url: "{{ inputs.of }}.Url"
---
Parameters:
  Url: {Type: String}
Resources:
  Value:
    Type: AWS::SSM::Parameter
    Properties: {Name: /shop/queue, Type: String, Value: !Ref Url}
"#;

fn environment(stacks: &str) -> String {
    format!("project: shop\naccount: \"ACCOUNT\"\nregion: us-east-1\nstacks:\n{stacks}")
}

const KEPT: &str = "DeletionPolicy: Retain";

fn shop() -> (Project, Live) {
    let project = Project::on_server(Server::Local);
    project.write("templates/reader.yaml", READER);
    let live = Live::new(&project.account.clone().expect("an account"));
    (project, live)
}

fn url(live: &Live) -> String {
    format!("https://sqs.us-east-1.amazonaws.com/{}/shop-orders", live.account.id)
}

#[test]
fn a_stack_that_is_renamed_hands_over_what_it_keeps() {
    let (project, live) = shop();
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "dev"]].concat());
    project.write("templates/data.yaml", &template(KEPT, "")).write(
        "environments/dev.yaml",
        &environment("  orders: {template: data}\n  reader: {template: reader, inputs: {of: orders}}\n"),
    );
    infra(&["bootstrap", "--yes"]).expect(0);
    infra(&["apply", "--yes"]).expect(0);
    let made = live.read("AWS::DynamoDB::Table", "shop-dev-orders").expect("a table")["TableId"].clone();

    project.write(
        "environments/dev.yaml",
        &environment("  sales: {template: data}\n  reader: {template: reader, inputs: {of: sales}}\n"),
    );
    let plan = infra(&["plan"]).expect(0);
    let joins = |line: &&str| line.trim_start().starts_with("<=");
    assert_eq!(plan.stdout.lines().filter(joins).count(), 2, "{}", plan.stdout);
    for told in [
        "because orders.Orders gives it up",
        "because sales.Table takes it",
        "moves to another stack",
        "Plan: 2 to import",
    ] {
        assert!(plan.stdout.contains(told), "{told}: {}", plan.stdout);
    }
    assert!(plan.stdout.lines().all(|line| line.chars().count() <= 80), "{}", plan.stdout);
    assert!(!plan.stdout.contains("outside of any stack"), "{}", plan.stdout);
    let printed = infra(&["plan", "--format", "json"]).expect(0).json();
    assert_eq!(schema_errors("plan", &printed), [] as [String; 0]);
    infra(&["apply", "--yes"]).expect(0);

    assert_eq!(live.physical_id("shop-dev-sales", "Orders").as_deref(), Some(url(&live).as_str()));
    let moved = live.read("AWS::DynamoDB::Table", "shop-dev-orders").expect("the table");
    assert_eq!(moved["TableId"], made, "it is the same table");
    assert_eq!(live.read("AWS::SQS::Queue", &url(&live)).expect("the queue")["DelaySeconds"], 7);
    assert_eq!(live.physical_id("shop-dev-orders", "Orders"), None);
    let after = infra(&["plan", "--detailed-exitcode"]).expect(0);
    assert!(after.stdout.contains("No changes."), "{}", after.stdout);
    infra(&["drift", "--detailed-exitcode"]).expect(0);
}

#[test]
fn nothing_is_deleted_for_a_taker_that_fails() {
    let (project, live) = shop();
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "dev"]].concat());
    project
        .write("templates/data.yaml", &template(KEPT, ""))
        .write("environments/dev.yaml", &environment("  orders: {template: data}\n"));
    infra(&["bootstrap", "--yes"]).expect(0);
    infra(&["apply", "--yes"]).expect(0);
    let alarm = live.physical_id("shop-dev-orders", "Alarm").expect("an alarm");

    let fails = "  Broken:\n    Type: Custom::Nothing\n    DependsOn: Table\n    Properties: {ServiceToken: !Sub \"arn:aws:lambda:us-east-1:${AWS::AccountId}:function:nothing\"}\n";
    project
        .write("templates/broken.yaml", &template(KEPT, fails))
        .write("environments/dev.yaml", &environment("  sales: {template: broken}\n"));
    infra(&["apply", "--yes"]).expect(1);
    assert!(live.read("AWS::DynamoDB::Table", "shop-dev-orders").is_some());
    assert!(live.read("AWS::SQS::Queue", &url(&live)).is_some());
    assert_eq!(live.physical_id("shop-dev-orders", "Alarm"), Some(alarm), "its old stack waits");

    // Mended, it goes on from where it is.
    project.write("environments/dev.yaml", &environment("  sales: {template: data}\n"));
    infra(&["apply", "--yes"]).expect(0);
    assert!(live.physical_id("shop-dev-sales", "Table").is_some());
    assert_eq!(live.physical_id("shop-dev-orders", "Alarm"), None);
    infra(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn what_is_not_kept_does_not_move_and_the_plan_says_how_it_could() {
    let (project, live) = shop();
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "dev"]].concat());
    project
        .write("templates/data.yaml", &template("", ""))
        .write("environments/dev.yaml", &environment("  orders: {template: data}\n"));
    infra(&["bootstrap", "--yes"]).expect(0);
    infra(&["apply", "--yes"]).expect(0);
    project.write("environments/dev.yaml", &environment("  sales: {template: data}\n"));
    let plan = infra(&["plan"]).expect(0);
    let words: String = plan.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "orders.Orders → sales.Orders (AWS::SQS::Queue `shop-orders`)",
        "orders.Table → sales.Table (AWS::DynamoDB::Table `shop-dev-orders`)",
        "apply with `DeletionPolicy: Retain` on orders.Orders first; then apply this again: it moves",
        "[name-taken]",
    ] {
        assert!(words.contains(told), "{told}: {words}");
    }
    for flags in [&["apply", "--yes"][..], &["apply", "--yes", "--import-existing"]] {
        let refused = infra(flags).expect(1);
        assert!(refused.stderr.contains("nothing was done"), "{}", refused.stderr);
    }
    assert!(live.physical_id("shop-dev-orders", "Orders").is_some());
    assert_eq!(live.physical_id("shop-dev-sales", "Orders"), None);

    // The way that it says.
    project
        .write("templates/data.yaml", &template(KEPT, ""))
        .write("environments/dev.yaml", &environment("  orders: {template: data}\n"));
    infra(&["apply", "--yes"]).expect(0);
    project.write("environments/dev.yaml", &environment("  sales: {template: data}\n"));
    infra(&["apply", "--yes"]).expect(0);
    assert_eq!(live.physical_id("shop-dev-sales", "Orders").as_deref(), Some(url(&live).as_str()));
}

#[test]
fn a_logical_id_that_is_renamed_is_refused_with_the_way() {
    let (project, live) = shop();
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "dev"]].concat());
    let queue = |id: &str| {
        format!(
            "description: A queue.\ninputs: {{}}\nneeds: {{}}\n---\nResources:\n  {id}:\n    Type: AWS::SQS::Queue\n    \
             DeletionPolicy: Retain\n    Properties: {{QueueName: shop-orders}}\n  Topic: {{Type: AWS::SNS::Topic}}\n"
        )
    };
    project
        .write("templates/data.yaml", &queue("Old"))
        .write("environments/dev.yaml", &environment("  orders: {template: data}\n"));
    infra(&["bootstrap", "--yes"]).expect(0);
    infra(&["apply", "--yes"]).expect(0);
    project.write("templates/data.yaml", &queue("New"));
    let refused = infra(&["apply", "--yes"]).expect(1);
    let words: String = refused.whole().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("orders.Old → orders.New (AWS::SQS::Queue `shop-orders`)"), "{words}");
    assert!(words.contains("in two steps: remove orders.Old, apply"), "{words}");

    // The way that it says.
    let gone = queue("Old");
    let gone: String = gone
        .split_inclusive('\n')
        .filter(|line| !["Old", "Queue\n", "Retain", "QueueName"].iter().any(|part| line.contains(part)))
        .collect();
    project.write("templates/data.yaml", &gone);
    infra(&["apply", "--yes"]).expect(0);
    assert!(live.read("AWS::SQS::Queue", &url(&live)).is_some());
    project.write("templates/data.yaml", &queue("New"));
    let plan = infra(&["plan"]).expect(0);
    assert!(plan.stdout.contains("<= New") && plan.stdout.contains("`apply` of "), "{}", plan.stdout);
    infra(&["apply", "--yes"]).expect(0);
    assert_eq!(live.physical_id("shop-dev-orders", "New").as_deref(), Some(url(&live).as_str()));
}

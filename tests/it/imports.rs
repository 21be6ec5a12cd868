//! What `infra destroy` kept comes back into its stack; what somebody else made joins it only where that is asked for.

use crate::support::live::Live;
use crate::support::project::{Project, Server};
use crate::support::schema_errors;

const ENVIRONMENT: &str = r#"project: shop
account: "ACCOUNT"
region: us-east-1
stacks:
  data: {template: data}
"#;

/// What stays when its stack goes: with a literal name, with one that is a function, and with none at all. The topic does
/// not stay.
const TEMPLATE: &str = r#"description: What holds data.
inputs: {}
needs: {}
outputs:
  Topic: Its ARN.
---
Parameters:
  Stage: {Type: String, Default: dev}
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: RetainExceptOnCreate
    UpdateReplacePolicy: Retain
    Properties:
      BucketName: {{ [project, account, "data"] | join("-") | tojson }}
  Table:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      TableName: !Sub {{ project }}-${Stage}-items
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Repository:
    Type: AWS::ECR::Repository
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      RepositoryName: {{ project }}/api
  Key:
    Type: AWS::KMS::Key
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      Description: !Sub Of ${Topic}
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}, Action: "kms:*", Resource: "*"}
  Zone:
    Type: AWS::Route53::HostedZone
    DeletionPolicy: Retain
    Properties: {Name: shop.example.org}
  Queue:
    Type: AWS::SQS::Queue
    DeletionPolicy: Retain
    Properties: {QueueName: {{ project }}-orders}
  Topic: {Type: AWS::SNS::Topic}
Outputs:
  Topic: {Value: !Ref Topic}
"#;

const KEPT: [&str; 6] = ["Bucket", "Table", "Repository", "Key", "Zone", "Queue"];

fn project() -> (Project, Live) {
    let project = Project::on_server(Server::Local);
    project.write("environments/dev.yaml", ENVIRONMENT).write("templates/data.yaml", TEMPLATE);
    let live = Live::new(&project.account.clone().expect("an account"));
    project.infra(&["bootstrap", "--env", "dev", "--yes"]).expect(0);
    (project, live)
}

fn joining(plan: &str) -> usize {
    plan.lines().filter(|line| line.trim_start().starts_with("<=")).count()
}

#[test]
fn what_a_destroy_kept_joins_its_stack_again() {
    let (project, live) = project();
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "dev"]].concat());
    assert_eq!(joining(&infra(&["plan"]).expect(0).stdout), 0, "nothing is there yet");
    infra(&["apply", "--yes"]).expect(0);
    let ids = || KEPT.map(|id| live.physical_id("shop-dev-data", id));
    let before = ids();
    let bucket = format!("shop-{}-data", live.account.id);
    live.put_object(&bucket, "precious", b"42");

    infra(&["destroy", "--yes"]).expect(0);
    let plan = infra(&["plan", "-o", "import.json"]).expect(0);
    assert_eq!((joining(&plan.stdout), plan.stdout.contains("joins the stack as it is")), (6, true), "{}", plan.stdout);
    assert!(plan.stdout.contains("Plan: 6 to import, 1 to add, 0 to change"), "{}", plan.stdout);
    assert!(plan.stdout.contains("because `destroy` of 20"), "{}", plan.stdout);
    assert!(plan.stdout.lines().all(|line| line.chars().count() <= 80), "{}", plan.stdout);
    let offline = infra(&["plan", "--offline"]).expect(0);
    assert_eq!(joining(&offline.stdout), 6, "{}", offline.stdout);
    let printed = infra(&["plan", "--format", "json"]).expect(0).json();
    assert_eq!((&printed["summary"]["import"], &printed["summary"]["add"]), (&6.into(), &1.into()));
    assert_eq!(schema_errors("plan", &printed), [] as [String; 0]);
    project.infra(&["apply", "import.json", "--yes"]).expect(0);

    assert_eq!(ids(), before, "each is the one that it was");
    assert_eq!(live.object(&bucket, "precious").as_deref(), Some(&b"42"[..]));
    let topic = live.physical_id("shop-dev-data", "Topic").expect("a topic");
    let key = live.read("AWS::KMS::Key", before[3].as_deref().expect("a key")).expect("the key");
    assert_eq!(key["Description"], format!("Of {topic}"), "what was not known at its import came later");
    let plan = infra(&["plan", "--detailed-exitcode"]).expect(0);
    assert!(plan.stdout.contains("No changes."), "{}", plan.stdout);
    infra(&["drift", "--detailed-exitcode"]).expect(0);

    // What is gone meanwhile is said to be gone, and made anew; a plan that would import it is not carried out.
    infra(&["destroy", "--yes"]).expect(0);
    infra(&["plan", "-o", "import.json"]).expect(0);
    live.remove_bucket(&bucket);
    let stopped = project.infra(&["apply", "import.json", "--yes"]).expect(1);
    assert!(stopped.stderr.contains("is gone by now"), "{}", stopped.stderr);
    let plan = infra(&["plan"]).expect(0).stdout;
    let words: String = plan.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(&format!("`{bucket}` is gone by now (`destroy` of")), "{plan}");
    assert_eq!(joining(&plan), 5, "{plan}");
    infra(&["apply", "--yes"]).expect(0);
    assert!(live.read("AWS::S3::Bucket", &bucket).is_some());
    infra(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn what_somebody_else_made_joins_only_where_that_is_asked_for() {
    let (project, live) = project();
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "dev"]].concat());
    // Another project's environment, whose state is another one, left all of it behind.
    let other = Project::on(live.account.clone());
    let theirs = TEMPLATE.replace("{{ project }}", "shop").replace("[project, ", "[\"shop\", ");
    other.write("environments/dev.yaml", &ENVIRONMENT.replace("project: shop", "project: other"));
    other.write("templates/data.yaml", &theirs);
    other.infra(&["apply", "--env", "dev", "--yes"]).expect(0);
    other.infra(&["destroy", "--env", "dev", "--yes"]).expect(0);

    assert_eq!(joining(&infra(&["plan"]).expect(0).stdout), 0);
    let failed = infra(&["apply", "--yes"]).expect(1);
    assert!(
        failed.stderr.contains("already exists") && failed.stderr.contains("--import-existing"),
        "{}",
        failed.stderr
    );
    // By their names: the literal ones, and the one that is a function of a parameter.
    let plan = infra(&["plan", "--import-existing"]).expect(0);
    assert_eq!(joining(&plan.stdout), 3, "{}", plan.stdout);

    // What another stack has does not join, and the plan knows.
    let (wanted, owner) = (TEMPLATE.to_owned(), format!("shop-{}-data", live.account.id));
    let bucket = wanted.split("  Table:").next().expect("the bucket");
    let only = format!("{}\nOutputs:\n  Topic: {{Value: !Ref Bucket}}\n", bucket);
    other.write("templates/data.yaml", &only.replace("[project, ", "[\"shop\", "));
    other.infra(&["apply", "--env", "dev", "--yes"]).expect(0);
    let plan = infra(&["plan", "--import-existing"]).expect(0);
    let words: String = plan.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains(&format!("`{owner}` stays outside of the stack"))
            && words.contains("it belongs to stack `other-dev-data` by now"),
        "{}",
        plan.stdout
    );
    let refused = infra(&["apply", "--yes", "--import-existing"]).expect(1);
    assert!(refused.stderr.contains("nothing was done"), "{}", refused.stderr);
}

//! What AWS would not delete is seen before anything is deleted.

use crate::support::live::Live;
use crate::support::project::{Project, Server};

const ENVIRONMENT: &str = r#"project: shop
account: "ACCOUNT"
region: us-east-1
stacks:
  uploads: {template: uploads}
  beside: {template: beside}
"#;

const UPLOADS: &str = r#"description: What customers send.
inputs: {}
needs: {}
---
Resources:
  Uploads:
    Type: AWS::S3::Bucket
    Properties: {BucketName: {{ [project, account, "uploads"] | join("-") | tojson }}}
  Topic: {Type: AWS::SNS::Topic}
"#;

const BESIDE: &str = r#"description: Protected, and a role.
inputs: {protect: {type: boolean, default: true, description: Whether the table is protected.}}
needs: {}
---
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: shop-items
      DeletionProtectionEnabled: {{ inputs.protect }}
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
      ManagedPolicyArns: [arn:aws:iam::aws:policy/ReadOnlyAccess]
  Policy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Roles: [!Ref Role]
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: s3:ListAllMyBuckets, Resource: "*"}]}
"#;

#[test]
fn a_bucket_that_holds_something_is_refused_or_emptied_first() {
    let project = Project::on_server(Server::Local);
    project
        .write("environments/dev.yaml", ENVIRONMENT)
        .write("templates/uploads.yaml", UPLOADS)
        .write("templates/beside.yaml", BESIDE);
    let live = Live::new(&project.account.clone().expect("an account"));
    let bucket = format!("shop-{}-uploads", live.account.id);
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "dev"]].concat());
    let words = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    infra(&["bootstrap", "--yes"]).expect(0);
    infra(&["apply", "--yes"]).expect(0);
    live.put_object(&bucket, "one", b"1");

    let refused = words(infra(&["destroy", "--yes"]).expect(1).whole());
    for told in [
        &format!("cannot be deleted: bucket `{bucket}` holds objects"),
        "`--empty uploads.Uploads` deletes them with it",
        "cannot be deleted: `shop-items` is protected from deletion (DeletionProtectionEnabled)",
        "nothing was done",
    ] {
        assert!(refused.contains(told), "{told}: {refused}");
    }
    assert!(!refused.contains("policies that its stack did not attach"), "{refused}");
    assert!(live.physical_id("shop-dev-uploads", "Topic").is_some(), "nothing was deleted");

    // Its removal from the file, and its replacement, are refused as well.
    let without = ENVIRONMENT.replace("  uploads: {template: uploads}\n", "");
    project.write("environments/dev.yaml", &without);
    let plan = words(infra(&["plan"]).expect(0).stdout);
    assert!(plan.contains(&format!("bucket `{bucket}` holds objects")), "{plan}");
    project.write("environments/dev.yaml", ENVIRONMENT);
    project.write("templates/uploads.yaml", &UPLOADS.replace("\"uploads\"]", "\"files\"]"));
    let replaced = words(infra(&["apply", "--yes"]).expect(1).whole());
    assert!(replaced.contains("`UpdateReplacePolicy: Retain`") && !replaced.contains("--empty"), "{replaced}");
    project.write("templates/uploads.yaml", UPLOADS);

    project.write(
        "environments/dev.yaml",
        &ENVIRONMENT.replace("{template: beside}", "{template: beside, inputs: {protect: false}}"),
    );
    infra(&["apply", "--yes"]).expect(0);
    let gone = infra(&["destroy", "--yes", "--empty", "uploads.Uploads"]).expect(0);
    assert!(
        words(gone.whole()).contains(&format!("bucket `{bucket}` is emptied before its stack goes")),
        "{}",
        gone.whole()
    );
    assert_eq!(live.read("AWS::S3::Bucket", &bucket), None);
}

#[test]
fn a_change_set_of_somebody_else_that_waits_for_review_is_left_alone() {
    let project = Project::on_server(Server::Local);
    project.write("environments/dev.yaml", ENVIRONMENT).write("templates/uploads.yaml", UPLOADS);
    project.write("templates/beside.yaml", BESIDE);
    let live = Live::new(&project.account.clone().expect("an account"));
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "dev"]].concat());
    infra(&["bootstrap", "--yes"]).expect(0);
    // One of a run of our own that was cut off, and one of another environment.
    live.review("shop-dev-beside", "infra-0-abc", "apply of shop/dev");
    infra(&["plan"]).expect(0);
    live.review("shop-dev-uploads", "infra-0-abc", "apply of sho/p-dev");
    for command in [&["plan"][..], &["apply", "--yes"], &["destroy", "--yes"]] {
        let refused = infra(command).expect(1);
        for told in [
            "stack `shop-dev-uploads` waits for the review of a change set that infra did not make",
            "REVIEW_IN_PROGRESS",
            "aws cloudformation delete-stack --stack-name shop-dev-uploads --region us-east-1",
        ] {
            assert!(refused.stderr.contains(told), "{told}: {}", refused.stderr);
        }
    }
}

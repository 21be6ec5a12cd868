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

#[test]
fn a_zone_with_records_made_by_hand_and_a_role_with_foreign_policies_are_named() {
    let project = Project::on_server(Server::Local);
    project.write(
        "environments/dev.yaml",
        &ENVIRONMENT.replace("  uploads: {template: uploads}\n", "  dns: {template: dns}\n"),
    );
    project.write("templates/beside.yaml", &BESIDE.replace("default: true", "default: false")).write(
        "templates/dns.yaml",
        "description: A zone.\ninputs: {}\nneeds: {}\n---\nResources:\n  Zone: {Type: AWS::Route53::HostedZone, Properties: {Name: \
         shop.example.org}}\n  Own: {Type: AWS::Route53::RecordSet, Properties: {HostedZoneId: !Ref Zone, Name: \
         own.shop.example.org, Type: TXT, TTL: \"60\", ResourceRecords: ['\"x\"']}}\n",
    );
    let live = Live::new(&project.account.clone().expect("an account"));
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "dev"]].concat());
    infra(&["bootstrap", "--yes"]).expect(0);
    infra(&["apply", "--yes"]).expect(0);
    let zone = live.physical_id("shop-dev-dns", "Zone").expect("a zone");
    let role = live.physical_id("shop-dev-beside", "Role").expect("a role");
    live.create(
        "AWS::Route53::RecordSet",
        &serde_json::json!({"HostedZoneId": zone, "Name": "www.shop.example.org", "Type": "TXT", "TTL": "60", "ResourceRecords": ["\"y\""]}),
    );
    let arns = ["arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/SecurityAudit"];
    live.patch(
        "AWS::IAM::Role",
        &role,
        &serde_json::json!([{"op": "add", "path": "/ManagedPolicyArns", "value": arns}]),
    );
    let refused = infra(&["destroy", "--yes"]).expect(1).whole();
    let words = refused.split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        &format!("zone `{zone}` has record sets that this plan does not delete: www.shop.example.org TXT;"),
        &format!("`{role}` has policies that its stack did not attach: arn:aws:iam::aws:policy/SecurityAudit;"),
    ] {
        assert!(words.contains(told), "{told}: {refused}");
    }
    assert!(live.physical_id("shop-dev-dns", "Own").is_some(), "nothing was deleted");
}

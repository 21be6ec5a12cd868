//! What `infra destroy` kept comes back into its stack, where that is asked for.

use crate::support::ministack::Account;
use crate::support::project::{Project, Server};
use crate::support::schema_errors;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_s3::primitives::ByteStream;

const ENVIRONMENT: &str = r#"project: shop
account: "ACCOUNT"
region: us-east-1
stacks:
  data: {template: data}
"#;

/// A bucket, a table and a repository, which stay when their stack goes, and a topic, which does not.
const TEMPLATE: &str = r#"description: What holds data.
inputs: {}
needs: {}
outputs:
  Topic: Its ARN.
---
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
      TableName: {{ project }}-items
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Repository:
    Type: AWS::ECR::Repository
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      RepositoryName: {{ project }}/api
  Topic: {Type: AWS::SNS::Topic}
Outputs:
  Topic: {Value: !Ref Topic}
"#;

fn s3(account: &Account) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(&account.endpoint)
        .force_path_style(true)
        .credentials_provider(Credentials::new(&account.id, "test", None, None, "test"))
        .http_client(infra::aws::network());
    aws_sdk_s3::Client::from_conf(config.build())
}

#[test]
fn what_a_destroy_kept_joins_its_stack_again() {
    let project = Project::on_server(Server::Local);
    project.write("environments/dev.yaml", ENVIRONMENT).write("templates/data.yaml", TEMPLATE);
    let account = project.account.clone().expect("an account");
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "dev"]].concat());
    infra(&["bootstrap", "--yes"]).expect(0);
    let new = infra(&["plan", "--import-existing"]).expect(0);
    assert!(!new.stdout.contains("<="), "nothing is there yet: {}", new.stdout);
    infra(&["apply", "--yes", "--import-existing"]).expect(0);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let bucket = format!("shop-{}-data", account.id);
    let put = s3(&account).put_object().bucket(&bucket).key("precious").body(ByteStream::from_static(b"42"));
    runtime.block_on(async { put.send().await }).expect("an object");

    infra(&["destroy", "--yes"]).expect(0);
    let failed = infra(&["apply", "--yes"]).expect(1);
    assert!(
        failed.stderr.contains("already exists") && failed.stderr.contains("--import-existing"),
        "{}",
        failed.stderr
    );

    let plan = infra(&["plan", "--import-existing", "-o", "import.json"]).expect(0);
    let joining = plan.stdout.lines().filter(|line| line.trim_start().starts_with("<=")).count();
    assert_eq!((joining, plan.stdout.contains("joins the stack as it is")), (3, true), "{}", plan.stdout);
    assert!(plan.stdout.contains("Plan: 3 to import, 1 to add, 0 to change"), "{}", plan.stdout);
    let printed = infra(&["plan", "--import-existing", "--format", "json"]).expect(0);
    let printed: serde_json::Value = serde_json::from_str(&printed.stdout).expect("JSON");
    assert_eq!((&printed["summary"]["import"], &printed["summary"]["add"]), (&3.into(), &1.into()));
    assert_eq!(schema_errors("plan", &printed), [] as [String; 0]);
    project.infra(&["apply", "import.json", "--yes"]).expect(0);

    let get = s3(&account).get_object().bucket(&bucket).key("precious");
    let object = runtime.block_on(async { get.send().await.expect("it is there").body.collect().await });
    assert_eq!(object.expect("its body").into_bytes().as_ref(), b"42");
    let plan = infra(&["plan", "--detailed-exitcode", "--import-existing"]).expect(0);
    assert!(plan.stdout.contains("No changes."), "{}", plan.stdout);
    infra(&["drift", "--detailed-exitcode"]).expect(0);
    infra(&["apply", "--yes"]).expect(0);

    // What is gone meanwhile is no import any more: the plan is not carried out.
    infra(&["destroy", "--yes"]).expect(0);
    infra(&["plan", "--import-existing", "-o", "import.json"]).expect(0);
    runtime.block_on(async {
        let client = s3(&account);
        client.delete_object().bucket(&bucket).key("precious").send().await.expect("deleted");
        client.delete_bucket().bucket(&bucket).send().await.expect("deleted");
    });
    let stopped = project.infra(&["apply", "import.json", "--yes"]).expect(1);
    assert!(stopped.stderr.contains("the plan showed its import"), "{}", stopped.stderr);
}

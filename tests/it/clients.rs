//! Clients that nobody here wrote, in pinned versions, against `infra local serve`: the AWS CLI, boto3's waiters, Sceptre.

use crate::support::ministack::Account;
use crate::support::{root, served, storefront, venv};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const TEMPLATE: &str = r#"
Parameters:
  Size: {Type: String, Default: small}
Resources:
  Items:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      Tags: [{Key: size, Value: !Ref Size}]
  Images:
    Type: AWS::ECR::Repository
    Properties:
      RepositoryName: clients/api
      ImageTagMutability: IMMUTABLE
Outputs:
  Table: {Value: !Ref Items}
"#;

/// One program of the test venv, with an account's keys and nothing else.
pub(crate) fn client(account: &Account, program: &str, folder: &TempDir) -> Command {
    let programs = venv::make("clients-venv", &root().join("tests/it/clients.txt")).join("bin");
    let mut command = Command::new(programs.join(program));
    command
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder.path())
        .env("AWS_ENDPOINT_URL", &account.endpoint)
        .env("AWS_ACCESS_KEY_ID", &account.id)
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_DEFAULT_REGION", "eu-west-1")
        .env("AWS_PAGER", "")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

#[track_caller]
pub(crate) fn good(output: Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn folder() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::write(folder.path().join("template.yaml"), TEMPLATE).expect("a file");
    folder
}

#[test]
fn the_aws_cli_deploys_waits_and_reads() {
    let (account, folder) = (served::account(), folder());
    let aws = |line: &str| {
        let output = client(&account, "aws", &folder).args(line.split(' ')).output().expect("aws starts");
        good(output)
    };
    let json = |line: &str| -> Value { serde_json::from_str(&aws(line)).expect("JSON") };

    let deploy =
        "cloudformation deploy --stack-name clients --template-file template.yaml --no-fail-on-empty-changeset";
    // It names its change sets by the second.
    let next_second = || {
        let second = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let now = second();
        while second() == now {
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    aws(deploy);
    aws("cloudformation wait stack-create-complete --stack-name clients");
    next_second();
    assert!(aws(deploy).contains("No changes to deploy"));
    next_second();
    aws(&format!("{deploy} --parameter-overrides Size=large"));
    let stack = json("cloudformation describe-stacks --stack-name clients");
    assert_eq!(stack["Stacks"][0]["StackStatus"], "UPDATE_COMPLETE");
    assert_eq!(stack["Stacks"][0]["Parameters"][0]["ParameterValue"], "large");
    let events = json("cloudformation describe-stack-events --stack-name clients");
    let events = events["StackEvents"].as_array().expect("events");
    assert_eq!(events[0]["ResourceStatus"], "UPDATE_COMPLETE", "the newest comes first");
    assert!(
        events
            .iter()
            .any(|event| event["LogicalResourceId"] == "Items" && event["ResourceStatus"] == "CREATE_COMPLETE")
    );
    // The table is a real one.
    let table = stack["Stacks"][0]["Outputs"][0]["OutputValue"].as_str().expect("its name").to_owned();
    aws(&format!("dynamodb put-item --table-name {table} --item {}", r#"{"pk":{"S":"one"}}"#));
    assert_eq!(json(&format!("dynamodb scan --table-name {table}"))["Count"], 1);

    // Behind CloudFormation's back, and found.
    let patch = r#"[{"op":"replace","path":"/ImageTagMutability","value":"MUTABLE"}]"#;
    aws(&format!(
        "cloudcontrol update-resource --type-name AWS::ECR::Repository --identifier clients/api --patch-document {patch}"
    ));
    let detection = json("cloudformation detect-stack-drift --stack-name clients");
    let id = detection["StackDriftDetectionId"].as_str().expect("an id");
    let check = format!("cloudformation describe-stack-drift-detection-status --stack-drift-detection-id {id}");
    let begun = std::time::Instant::now();
    while json(&check)["DetectionStatus"] == "DETECTION_IN_PROGRESS" {
        assert!(begun.elapsed().as_secs() < 60, "drift detection does not end");
    }
    let drifts = json("cloudformation describe-stack-resource-drifts --stack-name clients");
    let drifts = drifts["StackResourceDrifts"].as_array().expect("drifts");
    let modified: Vec<_> = drifts.iter().filter(|drift| drift["StackResourceDriftStatus"] == "MODIFIED").collect();
    assert_eq!(modified.len(), 1, "{drifts:#?}");
    assert_eq!(modified[0]["LogicalResourceId"], "Images");
    assert_eq!(modified[0]["PropertyDifferences"][0]["PropertyPath"], "/ImageTagMutability");

    aws("cloudformation delete-stack --stack-name clients");
    aws("cloudformation wait stack-delete-complete --stack-name clients");
    assert_eq!(json("cloudformation describe-stacks")["Stacks"], Value::Array(Vec::new()));
}

#[test]
fn boto3_waits_for_every_end() {
    const SCRIPT: &str = r#"
import boto3, botocore
c = boto3.client('cloudformation')
body = open('template.yaml').read()
fast = {'Delay': 1, 'MaxAttempts': 60}
c.create_stack(StackName='waits', TemplateBody=body)
c.get_waiter('stack_create_complete').wait(StackName='waits', WaiterConfig=fast)
c.get_waiter('stack_exists').wait(StackName='waits', WaiterConfig=fast)
name = c.create_change_set(StackName='waits', ChangeSetName='bigger', UsePreviousTemplate=True,
                           Parameters=[{'ParameterKey': 'Size', 'ParameterValue': 'big'}])['Id']
c.get_waiter('change_set_create_complete').wait(ChangeSetName=name, WaiterConfig=fast)
changes = c.describe_change_set(ChangeSetName=name)['Changes']
assert [x['ResourceChange']['LogicalResourceId'] for x in changes] == ['Items'], changes
c.execute_change_set(ChangeSetName=name)
c.get_waiter('stack_update_complete').wait(StackName='waits', WaiterConfig=fast)
try:
    c.update_stack(StackName='waits', UsePreviousTemplate=True,
                   Parameters=[{'ParameterKey': 'Size', 'UsePreviousValue': True}])
    raise SystemExit('an update without changes was taken')
except botocore.exceptions.ClientError as error:
    assert error.response['Error'] == {'Type': 'Sender', 'Code': 'ValidationError',
                                       'Message': 'No updates are to be performed.'}, error.response
c.update_stack(StackName='waits', TemplateBody=body.replace('PAY_PER_REQUEST', 'NO_SUCH_MODE'))
try:
    c.get_waiter('stack_update_complete').wait(StackName='waits', WaiterConfig=fast)
    raise SystemExit('the update should have been rolled back')
except botocore.exceptions.WaiterError:
    pass
c.get_waiter('stack_rollback_complete').wait(StackName='waits', WaiterConfig=fast)
c.delete_stack(StackName='waits')
c.get_waiter('stack_delete_complete').wait(StackName='waits', WaiterConfig=fast)
"#;
    let (account, folder) = (served::account(), folder());
    good(client(&account, "python", &folder).args(["-c", SCRIPT]).output().expect("python starts"));
}

#[test]
fn sceptre_launches_and_deletes() {
    let (account, folder) = (served::account(), folder());
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    write("templates/items.yaml", TEMPLATE);
    write("config/config.yaml", "project_code: shop\nregion: eu-west-1\n");
    write("config/dev/config.yaml", "{}\n");
    write("config/dev/items.yaml", "template: {type: file, path: items.yaml}\nparameters: {Size: tiny}\n");
    let sceptre =
        |args: &[&str]| good(client(&account, "sceptre", &folder).args(args).output().expect("sceptre starts"));
    sceptre(&["launch", "-y", "dev"]);
    assert!(sceptre(&["status", "dev"]).contains("CREATE_COMPLETE"));
    sceptre(&["launch", "-y", "dev"]);
    sceptre(&["delete", "-y", "dev"]);
    assert!(sceptre(&["status", "dev"]).contains("PENDING"));
}

/// The commands of the README around drift, as it has them: by the AWS CLI while the local AWS is served, then by `infra`.
#[test]
fn what_the_readme_changes_by_hand_is_found_and_put_back() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the README");
    let block = |after: &str, fence: &str| -> String {
        let (_, rest) = readme.split_once(after).expect("its heading");
        let (_, rest) = rest.split_once(fence).expect("a block");
        rest.split_once("```").expect("its end").0.to_owned()
    };
    let project = storefront::clone();
    project.infra(&["apply", "--env", "local"]).expect(0);
    let mut server = project.infra(&["local", "serve", "--port", "0", "--env", "local"]).spawn();
    let said = BufReader::new(server.stdout.take().expect("its output")).lines();
    let exports = said.map(|line| line.expect("text")).take_while(|line| line.starts_with("export "));
    let exports: Vec<String> = exports.take(5).collect();
    let by_hand = block("### For other clients", "```sh\n");
    assert!(by_hand.contains("aws cloudcontrol update-resource"), "{by_hand}");
    let account = Account { endpoint: String::new(), id: String::new() };
    let folder = folder();
    let aws = client(&account, "aws", &folder).get_program().to_owned();
    let programs = std::path::Path::new(&aws).parent().expect("a folder").display().to_string();
    let script = format!("set -e\nPATH={programs}:$PATH\n{}\n{by_hand}", exports.join("\n"));
    let output = Command::new("sh").args(["-c", &script]).env("AWS_PAGER", "").output().expect("sh starts");
    Command::new("kill").args(["-INT", &server.id().to_string()]).status().expect("kill");
    assert_eq!(server.wait().expect("it ends").code(), Some(0));
    let told = good(output);
    assert!(told.contains("\"StackResourceDriftStatus\": \"MODIFIED\""), "{told}");

    let commands = block("### What somebody changed", "```\n");
    let commands: Vec<&str> = commands.lines().filter_map(|line| line.strip_prefix("$ infra ")).collect();
    let codes = [2, 0, 0];
    assert_eq!(commands.len(), codes.len(), "{commands:?}");
    let ran: Vec<String> = commands
        .iter()
        .zip(codes)
        .map(|(command, code)| project.infra(&command.split_whitespace().collect::<Vec<_>>()).expect(code).stdout)
        .collect();
    assert!(ran[0].contains(r#"ImageTagMutability: "IMMUTABLE" → "MUTABLE""#), "{}", ran[0]);
    assert!(ran[2].starts_with("No drift."), "{}", ran[2]);
}

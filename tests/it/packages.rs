//! Functions with their code: packed once, in their bucket before the stacks that need them, and in plans by digest.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use crate::support::project::{Project, Server};
use crate::support::proxy::{Proxy, Request, Verdict};
use crate::support::schema_errors;
use crate::support::service::{changes, plan};
use crate::support::state::boto;
use crate::support::{root, venv};
use serde_json::{Value, json};
use std::process::Command;

const ENVIRONMENT: &str = r#"project: small
account: "ACCOUNT"
region: us-east-1
apply: {lock_lease: 6s}

packages:
  hello: {folder: functions/hello, runtime: python3.13}

stacks:
  alarms: {inputs: {customer_managed_key: false}}
  hello:
    template: function
    inputs: {package: hello, handler: handler.handle, reserved_concurrency: 5, customer_managed_key: false}
  beside:
    template: function
    inputs: {package: hello, handler: handler.other, customer_managed_key: false}
"#;

const HANDLER: &str = "def handle(event, context):\n    return 'one'\n\n\nother = handle\n";
const APPLY: [&str; 4] = ["apply", "--env", "dev", "--yes"];

fn project() -> Project {
    let project = Project::on_server(Server::Local);
    project.write("environments/dev.yaml", ENVIRONMENT).write("functions/hello/handler.py", HANDLER);
    project.infra(&["bootstrap", "--env", "dev", "--yes"]).expect(0);
    project
}

fn short(digest: &Value) -> String {
    digest.as_str().unwrap()[..15].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_gets_its_code_before_its_stack() {
    let project = project();
    let account = project.account.clone().unwrap();
    let first = plan(&project, "dev");
    let asset = &first["assets"][0];
    assert_eq!(
        (&asset["id"], &asset["kind"], &asset["action"]),
        (&json!("package hello"), &json!("package"), &json!("upload"))
    );
    assert_eq!((&asset["needed_by"], &asset["waits_on"]), (&json!(["hello", "beside"]), &json!([])), "{asset}");
    assert_eq!(first["summary"]["assets"], 1);
    let digest = asset["after"].as_str().unwrap();
    let (bucket, key) = (asset["bucket"].as_str().unwrap(), asset["key"].as_str().unwrap());
    assert_eq!(key, format!("small/dev/packages/{}.zip", &digest["sha256:".len()..]));
    let shown = project.infra(&["plan", "--env", "dev"]).expect(0).stdout;
    assert!(shown.contains(&format!("+ package hello: {}", short(&asset["after"]))), "{shown}");
    assert!(shown.contains("in 3 stacks, 1 package."), "{shown}");

    let applied = project.infra(&[&APPLY[..], &["--format", "json"]].concat()).expect(0);
    let lines: Vec<Value> = applied.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().flat_map(|line| schema_errors("events", line)).next(), None);
    let at = |kind: &str, key: &str, name: &str| {
        let found = lines.iter().position(|line| line["type"] == kind && line[key] == name);
        found.unwrap_or_else(|| panic!("{kind} {name} in {}", applied.stdout))
    };
    assert!(at("package_uploaded", "package", "hello") < at("stack_started", "stack", "hello"));
    assert_eq!(lines[at("asset_finished", "asset", "package hello")]["outcome"], "done");
    boto(
        &account,
        &format!(
            "
import hashlib, io, zipfile
body = client('s3').get_object(Bucket='{bucket}', Key='{key}')['Body'].read()
assert 'sha256:' + hashlib.sha256(body).hexdigest() == '{digest}'
assert zipfile.ZipFile(io.BytesIO(body)).namelist() == ['handler.py']
resource = client('cloudcontrol').get_resource(TypeName='AWS::Lambda::Function', Identifier='small-dev-hello')
import json
function = json.loads(resource['ResourceDescription']['Properties'])
assert function['ReservedConcurrentExecutions'] == 5 and function['TracingConfig'] == {{'Mode': 'Active'}}, function
"
        ),
    )
    .await;

    let again = project.infra(&APPLY).expect(0);
    assert!(again.stdout.contains("No changes."), "{}", again.stdout);
    project.infra(&["plan", "--env", "dev", "--offline", "--detailed-exitcode"]).expect(0);

    // Only what the functions run changes.
    project.write("functions/hello/handler.py", &HANDLER.replace("one", "two"));
    let second = plan(&project, "dev");
    assert_eq!(changes(&second), ["hello.Function", "beside.Function"]);
    let changed = &second["assets"][0];
    assert_eq!((&changed["before"], &changed["action"]), (&asset["after"], &json!("upload")), "{changed}");
    assert_eq!(
        second["steps"].as_array().unwrap().iter().find(|step| step["stack"] == "hello").unwrap()["packages"]["hello"]
            ["before"]["known"],
        asset["after"]
    );
    let shown = project.infra(&["plan", "--env", "dev"]).expect(0).stdout;
    let line = format!("~ package hello: {} → {}", short(&changed["before"]), short(&changed["after"]));
    assert!(shown.contains(&line) && shown.contains("in 2 stacks, 1 package."), "{shown}");
    let applied = project.infra(&APPLY).expect(0);
    assert!(applied.stdout.contains("2 stacks, 1 package"), "{}", applied.stdout);

    // Back to the first one, which is there still: nothing is sent, and nothing need lie on this machine.
    std::fs::remove_dir_all(project.path().join(".infra/packages")).unwrap();
    let watched = Proxy::before(&account.endpoint, |_| Verdict::Pass);
    let back = project.infra(&["rollback", "--env", "dev", "--to", "3", "--yes"]);
    back.env("AWS_ENDPOINT_URL", &watched.endpoint).expect(0);
    let about = |request: &Request| request.operation.contains("/packages/");
    let asked: Vec<Request> = watched.seen().into_iter().filter(about).collect();
    assert!(
        !asked.is_empty() && asked.iter().all(|request| !request.operation.starts_with("PUT")),
        "it is there already"
    );
    project.write("functions/hello/handler.py", HANDLER);
    let again = project.infra(&APPLY).expect(0);
    assert!(again.stdout.contains("No changes."), "{}", again.stdout);
    project.infra(&["plan", "--env", "dev", "--detailed-exitcode"]).expect(0);
    project.infra(&["rehearse", "--env", "dev"]).expect(0);
    project.infra(&["destroy", "--env", "dev", "--yes"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_looks_again_for_what_it_found() {
    let project = project();
    let account = project.account.clone().unwrap();
    project.infra(&APPLY).expect(0);
    let first = plan(&project, "dev");
    assert_eq!(first["summary"]["stacks"], 0);
    project.write("functions/hello/handler.py", &HANDLER.replace("one", "two"));
    project.infra(&APPLY).expect(0);
    project.write("functions/hello/handler.py", HANDLER);
    project.infra(&["plan", "--env", "dev", "-o", "plan.json"]).expect(0);
    let saved: Value = serde_json::from_str(&project.read("plan.json")).unwrap();
    let asset = &saved["assets"][0];
    assert_eq!(asset["action"], "nothing", "{asset}");
    let (bucket, key) = (asset["bucket"].as_str().unwrap(), asset["key"].as_str().unwrap());
    let remove = format!("client('s3').delete_object(Bucket='{bucket}', Key='{key}')");
    boto(&account, &remove).await;

    // Gone, and not on this machine either: no function is given what is not there.
    std::fs::rename(project.path().join(".infra/packages"), project.path().join("elsewhere")).unwrap();
    let lost = project.infra(&["apply", "plan.json", "--yes"]).expect(1);
    assert!(lost.whole().contains("the package `hello` of the plan is not on this machine"), "{}", lost.whole());
    std::fs::rename(project.path().join("elsewhere"), project.path().join(".infra/packages")).unwrap();
    let applied = project.infra(&["apply", "plan.json", "--yes"]).expect(0);
    assert!(applied.stderr.contains("was there when the plan was made, and is not any more"), "{}", applied.stderr);
    boto(&account, &format!("client('s3').head_object(Bucket='{bucket}', Key='{key}')")).await;
    project.infra(&["plan", "--env", "dev", "--detailed-exitcode"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_what_its_name_says_is_given_to_no_function() {
    let project = project();
    let asset = plan(&project, "dev")["assets"][0].clone();
    let (bucket, key) = (asset["bucket"].as_str().unwrap(), asset["key"].as_str().unwrap());
    project.infra(&["plan", "--env", "dev", "-o", "plan.json"]).expect(0);
    let account = project.account.clone().unwrap();
    boto(&account, &format!("client('s3').put_object(Bucket='{bucket}', Key='{key}', Body=b'other')")).await;
    let refused = project.infra(&["apply", "plan.json", "--yes"]).expect(1);
    assert!(refused.whole().contains("not what its name says"), "{}", refused.whole());
    assert!(refused.whole().contains("hello, because of package hello"), "{}", refused.whole());
}

#[test]
fn code_lies_where_its_function_is() {
    let project = project();
    let far = ENVIRONMENT.replace("    template: function\n    inputs: {package: hello, handler: handler.other", "    region: eu-west-1\n    template: function\n    needs: {AlarmTopicArn: alarms.TopicArn}\n    inputs: {package: hello, handler: handler.other");
    project.write("environments/dev.yaml", &far);
    let refused = project.infra(&["validate", "--env", "dev"]).expect(1);
    assert!(refused.stderr.contains("the stack `beside` is in eu-west-1"), "{}", refused.stderr);
    assert!(refused.stderr.contains("template: package-bucket, region: eu-west-1"), "{}", refused.stderr);
    let there = far
        .replace(
            "runtime: python3.13}",
            "runtime: python3.13}\n  far: {folder: functions/hello, runtime: python3.13, bucket: code}",
        )
        .replace("{package: hello, handler: handler.other", "{package: far, handler: handler.other")
        + "  code: {template: package-bucket, region: eu-west-1, inputs: {retain: false}}\n";
    project.write("environments/dev.yaml", &there);
    let first = plan(&project, "dev");
    let asset = first["assets"].as_array().unwrap().iter().find(|asset| asset["name"] == "far").unwrap();
    assert_eq!((&asset["waits_on"], &asset["stack"]), (&json!(["code"]), &json!("code")), "{asset}");
    assert_eq!(asset["target"]["region"], "eu-west-1");
    project.infra(&APPLY).expect(0);
    project.infra(&["plan", "--env", "dev", "--detailed-exitcode"]).expect(0);
    let shown = project.infra(&["destroy", "--env", "dev", "--yes"]).expect(0);
    assert!(shown.stdout.contains("all files and their old versions are deleted"), "{}", shown.stdout);
}

#[test]
fn what_is_wrong_with_a_package_is_told_at_its_place() {
    let project = project();
    let told = |from: &str, to: &str| {
        project.write("environments/dev.yaml", &ENVIRONMENT.replace(from, to));
        project.infra(&["validate", "--env", "dev"]).expect(1).stderr
    };
    let unknown = told("{package: hello, handler: handler.handle", "{package: helo, handler: handler.handle");
    assert!(unknown.contains("the stack `hello` needs the package `helo`"), "{unknown}");
    assert!(unknown.contains("did you mean `hello`?"), "{unknown}");
    let other = told("runtime: python3.13}", "runtime: python3.12, architecture: arm64}");
    assert!(other.contains("the function runs python3.13, and its package `hello` is made for python3.12"), "{other}");
    assert!(other.contains("the function runs x86_64, and its package `hello` is made for arm64"), "{other}");
    assert!(told(", runtime: python3.13", "").contains("the package `hello` has no `runtime`"));
    assert!(told("python3.13}", "ruby3.4}").contains("expected a runtime of Lambda"));
    let both = told("{folder: functions/hello, runtime", "{folder: functions/hello, from: prod, runtime");
    assert!(both.contains("the package `hello` comes from two places"), "{both}");
    let nowhere = told("{folder: functions/hello, runtime: python3.13}", "{from: staging}");
    assert!(
        nowhere.contains("the package `hello` comes from the environment `staging`, and there is none"),
        "{nowhere}"
    );

    // A file that is not there is found at the first call only: by whoever looks first.
    let handler = told("{package: hello, handler: handler.handle", "{package: hello, handler: handlr.handle");
    let planned = project.infra(&["plan", "--env", "dev"]).expect(1).stderr;
    for stderr in [handler, planned] {
        assert!(stderr.contains("calls `handlr.handle`, and its package `hello` has no handlr.py"), "{stderr}");
        assert!(stderr.contains("did you mean handler.py?") && stderr.contains("environments/dev.yaml"), "{stderr}");
    }

    // Without a package manager: which one, and what else to do.
    project.write("environments/dev.yaml", ENVIRONMENT);
    let hash = "00".repeat(32);
    project.write("functions/hello/requirements.txt", &format!("idna==3.10 --hash=sha256:{hash}\n"));
    let without = project.infra(&["plan", "--env", "dev"]).env("PATH", project.path().to_str().unwrap()).expect(1);
    assert!(
        without.stderr.contains("there is no pip to install the dependencies of the package `hello` with"),
        "{}",
        without.stderr
    );
    project.write(
        "environments/dev.yaml",
        &ENVIRONMENT.replace("runtime: python3.13}", "runtime: python3.13, install: false}"),
    );
    project.infra(&["plan", "--env", "dev"]).env("PATH", project.path().to_str().unwrap()).expect(0);
}

#[test]
fn a_function_as_the_catalog_has_it_passes_cfn_lint_and_the_rules() {
    let project = Project::offline();
    let environment = ENVIRONMENT
        .replace("ACCOUNT", "111122223333")
        .replace("customer_managed_key: false", "customer_managed_key: true")
        + "  key: {template: kms-key}\n  code: {template: package-bucket}\n  table: {template: dynamodb-table}\n  github-oidc: {inputs: {repository: owner/name, functions: true}}\ntags: {Owner: platform}\n";
    let full = "{package: hello, handler: handler.handle, parameters: [TableArn], env: {TABLE: \"${TableArn}\", LEVEL: info}, \
                statements: [{actions: [\"dynamodb:PutItem\"], resources: [\"${TableArn}\", \"${TableArn}/index/*\"]}], ";
    let environment = environment.replace(
        "    inputs: {package: hello, handler: handler.handle, ",
        &format!("    needs: {{TableArn: table.TableArn}}\n    inputs: {full}"),
    );
    project.write("environments/dev.yaml", &environment).write("functions/hello/handler.py", HANDLER);
    for policy in std::fs::read_dir(root().join("policies")).unwrap() {
        let policy = policy.unwrap();
        project.write(
            &format!("policies/{}", policy.file_name().to_str().unwrap()),
            &std::fs::read_to_string(policy.path()).unwrap(),
        );
    }
    project.infra(&["validate", "--env", "dev"]).expect(0);
    let stacks = project.infra(&["render", "--env", "dev", "--format", "json"]).expect(0).json();
    for name in ["hello", "beside", "code", "github-oidc"] {
        let stack = stacks.as_array().unwrap().iter().find(|stack| stack["name"] == name).unwrap();
        let file = project.path().join("template.json");
        std::fs::write(&file, stack["template"].to_string()).unwrap();
        let output = Command::new(venv::program("cfn-lint"))
            .args(["--regions", "us-east-1", "--format", "parseable", "--"])
            .arg(&file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.is_empty(), "{name}:\n{said}");
    }
}

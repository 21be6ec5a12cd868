//! What one account's environment has proven, taken over by another account's in another region.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use crate::support::project::{Project, Server};
use crate::support::service::{ENVIRONMENT, SERVICE, changes, image, plan};
use crate::support::state::boto;
use crate::support::{ministack::Account, served, small};
use serde_json::{Value, json};

const WITH_PACKAGE: &str = "packages:\n  hello: {folder: functions/hello, runtime: python3.13}\n\nstacks:\n";
const FUNCTIONS: &str = "  alarms: {inputs: {customer_managed_key: false}}\n  \
    hello: {template: function, inputs: {package: hello, handler: handler.handle, customer_managed_key: false}}\n";

/// `dev`, with an image and a package of its own, and `prod` in another account and region, which takes both over.
fn files(project: &Project, other: &str) {
    small::files(project);
    let dev = ENVIRONMENT.replace("stacks:\n", WITH_PACKAGE) + FUNCTIONS;
    let prod = dev
        .replace("archive: api.tar", "from: dev")
        .replace("{folder: functions/hello, runtime: python3.13}", "{from: dev}")
        .replace("us-east-1", "eu-west-1")
        .replace("ACCOUNT", other);
    project.write("environments/dev.yaml", &dev).write("environments/prod.yaml", &prod);
    project.write("templates/service.yaml", SERVICE);
    project.write("functions/hello/handler.py", "def handle(event, context):\n    return 'one'\n");
    image(project, "one");
}

fn asset<'p>(plan: &'p Value, id: &str) -> &'p Value {
    plan["assets"]
        .as_array()
        .unwrap()
        .iter()
        .find(|asset| asset["id"] == id)
        .unwrap_or_else(|| panic!("{id} in {plan}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn images_and_packages_go_to_another_account_and_region() {
    let project = Project::on_server(Server::Local);
    let other: Account = served::account();
    let own = project.account.clone().unwrap();
    files(&project, &other.id);
    let prod =
        |words: &[&str]| project.infra(&[words, &["--env", "prod"]].concat()).env("AWS_ACCESS_KEY_ID", &other.id);
    project.infra(&["bootstrap", "--env", "dev", "--yes"]).expect(0);
    prod(&["bootstrap", "--yes"]).expect(0);
    project.infra(&["apply", "--env", "dev", "--yes"]).expect(0);

    // Nobody is let into another account by chance.
    let closed = prod(&["plan"]).expect(1);
    assert!(closed.stderr.contains("what environment `dev` runs cannot be read"), "{}", closed.stderr);
    assert!(
        closed.stderr.contains(&format!("`state: {{reader: arn:aws:iam::{}:role/…}}`", own.id)),
        "{}",
        closed.stderr
    );

    let dev = project.read("environments/dev.yaml") + "state: {reader: \"arn:aws:iam::ACCOUNT:role/reader\"}\n";
    project.write("environments/dev.yaml", &dev);
    let planned = prod(&["plan", "--format", "json"]).expect(0).json();
    let (image_asset, package) = (asset(&planned, "image api"), asset(&planned, "package hello"));
    for taken in [image_asset, package] {
        assert_eq!((&taken["from"]["environment"], &taken["action"]), (&json!("dev"), &json!("upload")), "{taken}");
    }
    // Nothing is made on the way: neither the archive nor the code is needed.
    std::fs::remove_file(project.path().join("api.tar")).unwrap();
    std::fs::remove_dir_all(project.path().join("functions")).unwrap();
    std::fs::remove_dir_all(project.path().join(".infra")).unwrap();
    prod(&["apply", "--yes"]).expect(0);
    prod(&["plan", "--detailed-exitcode"]).expect(0);
    let there = prod(&["image", "list", "--format", "json"]).expect(0).json();
    assert_eq!(there[0]["images"][0]["digest"], image_asset["after"]);
    let (bucket, key) = (package["bucket"].as_str().unwrap(), package["key"].as_str().unwrap());
    assert_eq!(bucket, format!("infra-state-{}-eu-west-1", other.id));
    let same = format!(
        "
import hashlib
s3 = boto3.client('s3', endpoint_url=endpoint, region_name='eu-west-1', aws_access_key_id=account,
                  aws_secret_access_key='test')
body = s3.get_object(Bucket='{bucket}', Key='{key}')['Body'].read()
assert 'sha256:' + hashlib.sha256(body).hexdigest() == {}
",
        package["after"]
    );
    boto(&other, &same).await;
}

/// Two accounts and regions of the AWS that is embedded in the binary.
#[test]
fn local_environments_promote_to_each_other() {
    let project = Project::offline();
    files(&project, "444455556666");
    for name in ["dev", "prod"] {
        let text = project.read(&format!("environments/{name}.yaml")) + "local: {speed: 3600}\n";
        project.write(&format!("environments/{name}.yaml"), &text);
    }
    let run = |words: &[&str]| project.infra(words);
    run(&["apply", "--env", "dev"]).expect(0);
    run(&["apply", "--env", "prod"]).expect(0);
    run(&["plan", "--env", "prod", "--detailed-exitcode"]).expect(0);
    image(&project, "two");
    project.write("functions/hello/handler.py", "def handle(event, context):\n    return 'two'\n");
    run(&["plan", "--env", "prod", "--detailed-exitcode"]).expect(0);
    run(&["apply", "--env", "dev"]).expect(0);
    let mut changed = changes(&plan(&project, "prod"));
    changed.sort();
    assert_eq!(changed, ["api.Definition", "api.Service", "hello.Function"]);
    run(&["apply", "--env", "prod"]).expect(0);
    run(&["plan", "--env", "prod", "--detailed-exitcode"]).expect(0);
}

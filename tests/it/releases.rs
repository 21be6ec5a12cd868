//! From sources to a running service with one command: images and files go up as steps of the plan, each once, and what
//! breaks on the way breaks nothing else.

use crate::support::ministack::{self, Account};
use crate::support::project::{Project, Server};
use crate::support::proxy::{Proxy, Request, Verdict};
use crate::support::schema_errors;
use crate::support::service::{ENVIRONMENT, SERVICE, changes, image, plan};
use crate::support::state::boto;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const PAGES: &str = r#"description: Files in a bucket behind a distribution.
outputs:
  BucketName: Where the files go.
  DistributionId: What visitors reach.
---
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties:
      VersioningConfiguration: {Status: Enabled}
  Distribution:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        Enabled: true
        DefaultCacheBehavior:
          TargetOriginId: files
          ViewerProtocolPolicy: redirect-to-https
          CachePolicyId: 658327ea-f89d-4fab-a63d-7e88639e58f6
        Origins:
          - {Id: files, DomainName: !GetAtt Bucket.RegionalDomainName, S3OriginConfig: {OriginAccessIdentity: ""}}
Outputs:
  BucketName:
    Value: !Ref Bucket
  DistributionId:
    Value: !Ref Distribution
"#;

const APPLY: [&str; 4] = ["apply", "--env", "dev", "--yes"];

fn on(account: Account) -> Project {
    let project = Project::on(account);
    crate::support::small::files(&project);
    project.write("environments/dev.yaml", ENVIRONMENT).write("templates/service.yaml", SERVICE);
    image(&project, "one");
    project.infra(&["bootstrap", "--env", "dev", "--yes"]).expect(0);
    project
}

fn project() -> Project {
    on(Project::on_server(Server::Local).account.unwrap())
}

fn to_registry(request: &Request) -> bool {
    request.operation.contains(" /v2/")
}

/// What the emulator tells an event of in every update of the stack, changed or not.
const ALSO_TOLD_BY_MINISTACK: [&str; 1] = ["api.Cluster"];

/// From nothing to a service, to nothing to do, to another image. `also_told`: resources of the stack that the server has
/// events of although nothing is done to them.
fn an_image_on_its_way(project: &Project, also_told: &[&str]) {
    let first = plan(project, "dev");
    let asset = &first["assets"][0];
    assert_eq!((&asset["id"], &asset["action"]), (&json!("image api"), &json!("upload")), "{asset}");
    assert_eq!((&asset["needed_by"], &asset["waits_on"]), (&json!(["api"]), &json!(["api-images"])), "{asset}");
    assert!(asset["before"].is_null() && asset["size_bytes"].as_u64().unwrap() > 0, "{asset}");
    assert_eq!(first["summary"]["assets"], 1);

    let applied = project.infra(&[&APPLY[..], &["--format", "json"]].concat()).expect(0);
    let lines: Vec<Value> = applied.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut errors = lines.iter().flat_map(|line| schema_errors("events", line));
    assert_eq!(errors.next(), None);
    let at = |kind: &str, key: &str, name: &str| {
        let found = lines.iter().position(|line| line["type"] == kind && line[key] == name);
        found.unwrap_or_else(|| panic!("{kind} {name} in {}", applied.stdout))
    };
    assert!(at("stack_finished", "stack", "api-images") < at("image_pushed", "image", "api"));
    assert!(at("image_pushed", "image", "api") < at("stack_started", "stack", "api"));
    assert_eq!(lines[at("asset_finished", "asset", "image api")]["outcome"], "done");

    let listed = project.infra(&["image", "list", "--env", "dev", "--format", "json"]).expect(0).json();
    let image_there = &listed[0]["images"][0];
    assert_eq!(image_there["digest"], asset["after"]);
    assert_eq!(image_there["used_by"], json!([{"by": "environment", "name": "dev", "stack": "api"}]));
    let tags: Vec<&str> = image_there["tags"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let context = asset["context_digest"].as_str().unwrap();
    assert_eq!(tags, [format!("context-{}", &context["sha256:".len()..][..16])]);

    let watched = Proxy::before(&project.account.as_ref().unwrap().endpoint, |_| Verdict::Pass);
    let again = project.infra(&APPLY).env("AWS_ENDPOINT_URL", &watched.endpoint).expect(0);
    assert!(again.stdout.contains("No changes."), "{}", again.stdout);
    assert!(!watched.seen().iter().any(to_registry), "nothing is asked of the registry");

    image(project, "two");
    let second = plan(project, "dev");
    assert_eq!(changes(&second), ["api.Definition", "api.Service"]);
    let changed = &second["assets"][0];
    assert_eq!((&changed["before"], &changed["action"]), (&asset["after"], &json!("upload")), "{changed}");
    assert_ne!(changed["after"], asset["after"]);
    let shown = project.infra(&["plan", "--env", "dev"]).expect(0).stdout;
    let short = |digest: &Value| digest.as_str().unwrap()[..15].to_owned();
    let line = format!("~ image api: {} → {}", short(&changed["before"]), short(&changed["after"]));
    assert!(shown.contains(&line) && shown.contains("in 1 stack, 1 image."), "{shown}");
    let applied = project.infra(&[&APPLY[..], &["--format", "json"]].concat()).expect(0);
    let lines = applied.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let touched: BTreeSet<String> = lines
        .filter(|line| line["type"] == "resource")
        .map(|line| format!("{}.{}", line["stack"].as_str().unwrap(), line["logical_id"].as_str().unwrap()))
        .collect();
    let expected = ["api.Definition", "api.Service"].iter().chain(also_told).map(|name| (*name).to_owned());
    assert_eq!(touched, expected.collect(), "nothing else was touched");

    // Back to the first one, which is there still: nothing is sent.
    image(project, "one");
    assert_eq!(plan(project, "dev")["assets"][0]["action"], "nothing");
    let watched = Proxy::before(&project.account.as_ref().unwrap().endpoint, |_| Verdict::Pass);
    project.infra(&APPLY).env("AWS_ENDPOINT_URL", &watched.endpoint).expect(0);
    assert!(!watched.seen().iter().any(to_registry), "the plan has asked already");
    project.infra(&["plan", "--env", "dev", "--detailed-exitcode"]).expect(0);
    let by_hand = project.infra(&["image", "push", "api", "--env", "dev", "--no-commit-tag"]).expect(0);
    assert!(by_hand.stdout.contains("nothing: the repository had it"), "{}", by_hand.stdout);
    project.infra(&["destroy", "--env", "dev", "--yes"]).expect(0);
}

#[test]
fn an_image_gets_to_its_repository_before_its_service() {
    an_image_on_its_way(&project(), &[]);
}

/// The emulator's registry knows the default account alone: its requests carry no signature.
#[test]
fn the_same_on_an_aws_that_nobody_here_wrote() {
    let account = Account { endpoint: ministack::second_endpoint(), id: "000000000000".to_owned() };
    an_image_on_its_way(&on(account), &ALSO_TOLD_BY_MINISTACK);
}

/// A saved plan found the image in its repository; somebody removed it since.
#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_looks_again_for_the_images_it_found() {
    let project = project();
    project.infra(&APPLY).expect(0);
    image(&project, "two");
    project.infra(&APPLY).expect(0);
    image(&project, "one");
    project.infra(&["plan", "--env", "dev", "-o", "plan.json"]).expect(0);
    let saved: Value = serde_json::from_str(&project.read("plan.json")).unwrap();
    let asset = &saved["assets"][0];
    assert_eq!(asset["action"], "nothing", "{asset}");
    let remove = format!(
        "client('ecr').batch_delete_image(repositoryName='small/dev/api', imageIds=[{{'imageDigest': {}}}])",
        asset["after"]
    );
    boto(project.account.as_ref().unwrap(), &remove).await;
    let made = project.path().join(".infra/images");
    std::fs::rename(&made, project.path().join("elsewhere")).unwrap();
    let lost = project.infra(&["apply", "plan.json", "--yes"]).expect(1);
    assert!(lost.whole().contains("the image `api` of the plan is not on this machine"), "{}", lost.whole());
    assert!(lost.whole().contains("api, because of image api"), "{}", lost.whole());
    std::fs::rename(project.path().join("elsewhere"), &made).unwrap();
    let applied = project.infra(&["apply", "plan.json", "--yes"]).expect(0);
    assert!(applied.stderr.contains("was there when the plan was made, and is not any more"), "{}", applied.stderr);
    project.infra(&["plan", "--env", "dev", "--detailed-exitcode"]).expect(0);
}

#[test]
fn a_push_that_fails_fails_only_what_needs_the_image() {
    let project = project();
    let denied = r#"{"errors": [{"code": "DENIED", "message": "no more room"}]}"#;
    let proxy = Proxy::before(&project.account.as_ref().unwrap().endpoint, move |request| {
        match to_registry(request) && request.operation.starts_with("POST") {
            true => Verdict::Answer(403, denied.to_owned()),
            false => Verdict::Pass,
        }
    });
    let failed = project.infra(&APPLY).env("AWS_ENDPOINT_URL", &proxy.endpoint).expect(1);
    let told = failed.whole();
    assert!(told.contains("image api failed:") && told.contains("no more room"), "{told}");
    assert!(told.contains("api, because of image api"), "{told}");
    let status = project.infra(&["status", "--env", "dev", "--format", "json"]).expect(0).json();
    let there = |name: &str| status["stacks"].as_array().unwrap().iter().any(|one| one["stack"] == name);
    assert!(there("beside") && there("api-images"), "the rest went on: {status}");
    let rest = plan(&project, "dev");
    assert_eq!(rest["summary"]["stacks"], 1, "nothing of the service was touched");
    project.infra(&APPLY).expect(0);
    project.infra(&["plan", "--env", "dev", "--detailed-exitcode"]).expect(0);
}

#[test]
fn a_push_that_is_killed_is_carried_on() {
    for step in ["POST ", "PATCH ", "PUT "] {
        let project = project();
        let dead = Arc::new(AtomicBool::new(false));
        let proxy = Proxy::before(&project.account.as_ref().unwrap().endpoint, {
            let dead = dead.clone();
            move |request| {
                if to_registry(request) && request.operation.starts_with(step) {
                    dead.store(true, Ordering::SeqCst);
                }
                if dead.load(Ordering::SeqCst) { Verdict::Drop } else { Verdict::Pass }
            }
        });
        let mut run = project.infra(&APPLY).env("AWS_ENDPOINT_URL", &proxy.endpoint).spawn();
        while !dead.load(Ordering::SeqCst) {
            assert!(run.try_wait().unwrap().is_none(), "it ended before {step}");
            std::thread::sleep(Duration::from_millis(2));
        }
        run.kill().unwrap();
        run.wait().unwrap();
        project.infra(&[&APPLY[..], &["--lock-timeout", "60s"]].concat()).expect(0);
        project.infra(&["plan", "--env", "dev", "--detailed-exitcode"]).expect(0);
        let listed = project.infra(&["image", "list", "--env", "dev", "--format", "json"]).expect(0).json();
        assert_eq!(listed[0]["images"].as_array().unwrap().len(), 1, "killed at {step}");
    }
}

#[test]
fn what_one_environment_has_proven_goes_to_the_next_by_digest() {
    let project = project();
    let prod = ENVIRONMENT.replace("archive: api.tar", "from: dev").replace("us-east-1", "eu-west-1");
    project.write("environments/prod.yaml", &prod);
    project.infra(&["bootstrap", "--env", "prod", "--yes"]).expect(0);
    project.infra(&["validate"]).expect(0);
    project.infra(&["render", "--env", "prod"]).expect(0);
    project.infra(&["rehearse", "--env", "prod"]).expect(0);
    let never = project.infra(&["plan", "--env", "prod"]).expect(1);
    assert!(never.stderr.contains("environment `dev` has never been applied"), "{}", never.stderr);
    assert!(never.stderr.contains("infra apply --env dev"), "{}", never.stderr);

    project.infra(&APPLY).expect(0);
    let planned = plan(&project, "prod");
    let asset = &planned["assets"][0];
    assert_eq!((&asset["from"]["environment"], &asset["action"]), (&json!("dev"), &json!("upload")), "{asset}");
    let reference = asset["from"]["reference"].as_str().unwrap();
    assert!(reference.ends_with(asset["after"].as_str().unwrap()) && reference.contains(".us-east-1."), "{asset}");
    let shown = project.infra(&["plan", "--env", "prod"]).expect(0).stdout;
    assert!(shown.contains(" from dev\n"), "{shown}");
    // The archive is not needed any more: nothing is made on the way to prod.
    std::fs::remove_file(project.path().join("api.tar")).unwrap();
    project.infra(&["apply", "--env", "prod", "--yes"]).expect(0);
    project.infra(&["plan", "--env", "prod", "--detailed-exitcode"]).expect(0);
    project.infra(&["plan", "--env", "prod", "--offline", "--detailed-exitcode"]).expect(0);
    let there = project.infra(&["image", "list", "--env", "prod", "--format", "json"]).expect(0).json();
    assert_eq!(there[0]["images"][0]["digest"], asset["after"]);

    image(&project, "two");
    project.infra(&["plan", "--env", "prod", "--detailed-exitcode"]).expect(0);
    project.infra(&APPLY).expect(0);
    assert_eq!(changes(&plan(&project, "prod")), ["api.Definition", "api.Service"]);

    let odd = prod.replace("api: {from", "web: {repository: api-images, from").replace("service}", "parameter}");
    project.write(
        "environments/odd.yaml",
        &odd.replace("template: parameter}", "template: service, needs: {Image: image:web}}"),
    );
    let unknown = project.infra(&["plan", "--env", "odd"]).expect(1);
    assert!(unknown.stderr.contains("environment `dev` runs no image `web`"), "{}", unknown.stderr);
    assert!(unknown.stderr.contains("it runs api"), "{}", unknown.stderr);
    project.write("environments/odd.yaml", &prod.replace("from: dev", "from: stagin"));
    let nowhere = project.infra(&["validate", "--env", "odd"]).expect(1);
    assert!(nowhere.stderr.contains("comes from the environment `stagin`, and there is none"), "{}", nowhere.stderr);
}

const SITE: &str = "stacks:\n  pages: {template: pages, files: public}\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_stack_follow_their_folder() {
    let project = Project::on_server(Server::Local);
    let head = ENVIRONMENT.split("images:").next().unwrap();
    project.write("environments/dev.yaml", &format!("{head}{SITE}")).write("templates/pages.yaml", PAGES);
    project.write("public/index.html", "<h1>1</h1>").write("public/js/app.js", "one").write("public/.git/x", "");
    project.infra(&["bootstrap", "--env", "dev", "--yes"]).expect(0);
    let account = project.account.clone().unwrap();

    let first = plan(&project, "dev");
    let asset = &first["assets"][0];
    assert_eq!((&asset["id"], &asset["kind"]), (&json!("files of pages"), &json!("site")), "{asset}");
    assert_eq!(asset["add"], json!(["js/app.js", "index.html"]), "pages go last");
    project.infra(&APPLY).expect(0);
    let bucket = project.infra(&["outputs", "--env", "dev", "pages.BucketName"]).expect(0).stdout.trim().to_owned();
    let distribution = project.infra(&["outputs", "--env", "dev", "pages.DistributionId"]).expect(0).stdout;
    let head = format!(
        "
page = client('s3').head_object(Bucket='{bucket}', Key='index.html')
assert page['ContentType'] == 'text/html; charset=utf-8', page
"
    );
    boto(&account, &head).await;

    let watched = Proxy::before(&account.endpoint, |_| Verdict::Pass);
    let unchanged = project.infra(&["plan", "--env", "dev", "--detailed-exitcode"]);
    unchanged.env("AWS_ENDPOINT_URL", &watched.endpoint).expect(0);
    let about_it = |request: &Request| request.operation.contains(&bucket);
    assert_eq!(watched.seen().into_iter().filter(about_it).count(), 1, "one listing");
    project.infra(&["plan", "--env", "dev", "--offline", "--detailed-exitcode"]).expect(0);

    project.write("public/index.html", "<h1>2</h1>");
    std::fs::remove_file(project.path().join("public/js/app.js")).unwrap();
    let offline = project.infra(&["plan", "--env", "dev", "--offline", "--detailed-exitcode"]).expect(2);
    assert!(offline.stdout.contains("their bucket was not asked"), "{}", offline.stdout);
    project.infra(&["plan", "--env", "dev", "-o", "plan.json"]).expect(0);
    let second = plan(&project, "dev");
    let asset = &second["assets"][0];
    assert_eq!((&asset["change"], &asset["remove"]), (&json!(["index.html"]), &json!(["js/app.js"])), "{asset}");
    assert_eq!(second["summary"]["stacks"], 0);
    let shown = project.infra(&["plan", "--env", "dev"]).expect(0).stdout;
    assert!(shown.contains("~ files of pages: 0 to add, 1 to change, 1 to remove"), "{shown}");

    // A saved plan is what was approved, and nothing else.
    project.write("public/late.html", "late");
    let late = project.infra(&["apply", "plan.json", "--yes"]).expect(1);
    assert!(late.whole().contains("are others than when the plan was made"), "{}", late.whole());
    std::fs::remove_file(project.path().join("public/late.html")).unwrap();
    let applied = project.infra(&["apply", "plan.json", "--yes"]).expect(0);
    assert!(applied.stderr.contains("CloudFront forgets what changed"), "{}", applied.stderr);
    let told = format!(
        "
cdn, distribution = client('cloudfront'), '{}'
asked = cdn.list_invalidations(DistributionId=distribution)['InvalidationList']['Items']
assert len(asked) == 1, asked
told = cdn.get_invalidation(DistributionId=distribution, Id=asked[0]['Id'])['Invalidation']
assert sorted(told['InvalidationBatch']['Paths']['Items']) == ['/', '/index.html', '/js/app.js'], told
keys = [o['Key'] for o in client('s3').list_objects_v2(Bucket='{bucket}')['Contents']]
assert keys == ['index.html'], keys
",
        distribution.trim()
    );
    boto(&account, &told).await;

    // A bucket that holds files and old versions is emptied before it is deleted.
    let shown = project.infra(&["destroy", "--env", "dev", "--yes"]).expect(0);
    assert!(
        shown.stdout.contains("- files of pages: all files and their old versions are deleted"),
        "{}",
        shown.stdout
    );
    boto(&account, &format!("assert '{bucket}' not in [b['Name'] for b in client('s3').list_buckets()['Buckets']]"))
        .await;
}

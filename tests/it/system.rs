//! The main job from the first command to the last, on an AWS that nobody here wrote and on `infra local serve`: the
//! `fastapi` system comes up, stays as it is, changes where its file changes, and goes.

use crate::on_every_server;
use crate::support::ministack::Account;
use crate::support::project::{Project, Server};
use crate::support::{cloud_control, root, venv};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Command;

/// What the emulator lacks: resources that a stack made and that their own service cannot show.
const UNSEEN_ON_MINISTACK: &[&str] = &[];

on_every_server!(the_system_comes_up_stays_changes_and_goes,);

/// The repository's own environments and the emulator's one among them, for an account of the test's own.
fn storefront(server: Server) -> Project {
    let project = Project::on_server(server);
    for name in ["base", "staging", "emulator"] {
        let file = format!("environments/{name}.yaml");
        let text = std::fs::read_to_string(root().join(&file)).expect("an environment of the repository");
        project.write(&file, &text.replace("111122223333", "ACCOUNT"));
    }
    crate::support::storefront::assets(&project);
    project
}

/// Every resource of the project's stacks, as its own service shows it; where there is no such service, as Cloud Control
/// does.
fn judge(server: Server, account: &Account) -> BTreeMap<String, Value> {
    let prefix = "storefront-emulator-";
    if server == Server::Local {
        return cloud_control::resources(account, "us-east-1", prefix);
    }
    let output = Command::new(venv::program("python"))
        .arg(root().join("tests/it/judge.py"))
        .args([&account.endpoint, &account.id, "us-east-1", prefix])
        .output()
        .expect("python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the judge prints JSON")
}

fn the_system_comes_up_stays_changes_and_goes(server: Server) {
    let project = storefront(server);
    let account = project.account.clone().expect("an account");
    let infra = |args: &[&str]| project.infra(&[args, &["--env", "emulator"]].concat());

    infra(&["validate"]).expect(0);
    infra(&["bootstrap", "--yes"]).expect(0);
    infra(&["bootstrap", "--yes"]).expect(0); // a second time there is nothing to do

    let plan = infra(&["plan", "--detailed-exitcode"]).expect(2);
    assert!(plan.stdout.contains("Plan: "), "{}", plan.stdout);
    infra(&["apply", "--yes"]).expect(0);

    // Every resource is there, says its own service.
    let found = judge(server, &account);
    assert!(found.len() > 100, "only {} resources", found.len());
    let lost: Vec<_> = found
        .iter()
        .filter(|(_, resource)| resource["found"] != json!(true))
        .filter(|(_, resource)| !UNSEEN_ON_MINISTACK.contains(&resource["type"].as_str().unwrap_or_default()))
        .map(|(key, resource)| format!("{key} {} {} {}", resource["type"], resource["id"], resource["error"]))
        .collect();
    assert!(lost.is_empty(), "not found through their services:\n{}", lost.join("\n"));
    match server {
        Server::Ministack => properties(&found),
        Server::Local => declared_properties(&found),
    }

    // Nothing to do, and cheap to know.
    let plan = infra(&["plan", "--detailed-exitcode"]).expect(0);
    assert!(plan.stdout.contains("No changes. storefront/emulator matches its configuration."), "{}", plan.stdout);
    let again = infra(&["apply", "--yes"]).expect(0);
    assert!(again.stdout.contains("No changes."), "{}{}", again.stdout, again.stderr);

    // One input changes: exactly that change.
    let file = project.read("environments/emulator.yaml");
    project.write(
        "environments/emulator.yaml",
        &file.replace(
            "fastapi-a: {inputs: {count: {min: 2, max: 2}}}",
            "fastapi-a: {inputs: {count: {min: 3, max: 3}}}",
        ),
    );
    let plan = infra(&["plan", "--format", "json"]).expect(0).json();
    let touched: Vec<_> = plan["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .filter(|step| step["action"] != "nothing")
        .flat_map(|step| step["changes"].as_array().expect("changes").iter().map(move |change| (step, change)))
        .map(|(step, change)| format!("{}.{} {}", step["stack"], change["logical_id"], change["properties"][0]["path"]))
        .collect();
    assert_eq!(touched, [r#""fastapi-a"."Service" "DesiredCount""#]);
    infra(&["apply", "--yes"]).expect(0);
    let found = judge(server, &account);
    let count = if server == Server::Local { "DesiredCount" } else { "desiredCount" };
    assert_eq!(found["storefront-emulator-fastapi-a/Service"]["facts"][count], json!(3));

    // A stack leaves the file: its removal is planned, shown and done.
    let file = project.read("environments/emulator.yaml");
    project.write(
        "environments/emulator.yaml",
        &file.replace("monitoring: {inputs: {error_rate_alarm: false}}", "monitoring: null"),
    );
    let plan = infra(&["plan"]).expect(0);
    assert!(plan.stdout.contains("monitoring"), "{}", plan.stdout);
    assert!(plan.stdout.contains("to destroy in 1 stack"), "{}", plan.stdout);
    infra(&["apply", "--yes"]).expect(0);
    assert!(!judge(server, &account).keys().any(|key| key.contains("-monitoring/")));

    let status = infra(&["status"]).expect(0);
    assert!(status.stdout.contains("fastapi-b"), "{}", status.stdout);
    let outputs = infra(&["outputs", "--format", "json"]).expect(0).json();
    assert!(outputs.to_string().contains("DistributionDomain"), "{outputs}");

    infra(&["destroy", "--yes"]).expect(0);
    assert_eq!(judge(server, &account), BTreeMap::new());
    let plan = infra(&["plan", "--detailed-exitcode"]).expect(2);
    assert!(plan.stdout.contains(" 0 to destroy"), "{}", plan.stdout);
}

/// What the rows of the system promise, read off the services. What the emulator drops in silence (a table's encryption,
/// recovery and expiry, a task's secrets, a bucket's lifecycle) is asserted on the rendered templates instead.
fn properties(found: &BTreeMap<String, Value>) {
    let of_type = |name: &str| found.values().filter(|resource| resource["type"] == name).collect::<Vec<_>>();

    for table in of_type("AWS::DynamoDB::Table") {
        let facts = &table["facts"];
        assert_eq!(facts["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST", "{facts}");
    }
    for repository in of_type("AWS::ECR::Repository") {
        assert_eq!(repository["facts"]["imageTagMutability"], "IMMUTABLE", "{repository}");
        assert_eq!(repository["facts"]["imageScanningConfiguration"]["scanOnPush"], true, "{repository}");
        assert!(repository["facts"]["Lifecycle"].is_object(), "{repository}");
    }
    for bucket in of_type("AWS::S3::Bucket") {
        let block = &bucket["facts"]["PublicAccessBlock"];
        for setting in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
            assert_eq!(block[setting], true, "{bucket}");
        }
        assert!(bucket["facts"]["Encryption"].is_object(), "{bucket}");
    }
    for group in of_type("AWS::Logs::LogGroup") {
        assert!(group["facts"]["retentionInDays"].is_number(), "{group}");
    }
    for service in of_type("AWS::ECS::Service") {
        let facts = &service["facts"];
        assert_eq!(facts["desiredCount"], 2, "{facts}");
        let breaker = &facts["deploymentConfiguration"]["deploymentCircuitBreaker"];
        assert_eq!((&breaker["enable"], &breaker["rollback"]), (&json!(true), &json!(true)), "{facts}");
        let subnets = &facts["networkConfiguration"]["awsvpcConfiguration"]["subnets"];
        assert!(subnets.as_array().is_some_and(|subnets| subnets.len() >= 2), "{facts}");
    }
    for definition in of_type("AWS::ECS::TaskDefinition") {
        let container = &definition["facts"]["containerDefinitions"][0];
        assert!(container["image"].as_str().is_some_and(|image| image.contains("@sha256:")), "{container}");
    }
    let listeners = of_type("AWS::ElasticLoadBalancingV2::Listener");
    assert!(listeners.iter().any(|l| l["facts"]["Protocol"] == "HTTPS"), "{listeners:?}");
    assert!(
        listeners.iter().any(|l| l["facts"]["DefaultActions"][0]["Type"] == "redirect"),
        "HTTP is redirected: {listeners:?}"
    );
    for role in of_type("AWS::IAM::Role") {
        for (name, policy) in role["facts"]["Policies"].as_object().expect("policies") {
            for statement in policy["Statement"].as_array().expect("statements") {
                let actions = statement["Action"].to_string();
                assert!(!actions.contains("\"*\""), "{name} of {role}");
            }
        }
    }
}

/// The same promises in the words of the resource registry, and those that the emulator drops.
fn declared_properties(found: &BTreeMap<String, Value>) {
    let of_type = |name: &str| {
        let found: Vec<_> = found.values().filter(|resource| resource["type"] == name).collect();
        assert!(!found.is_empty(), "no {name}");
        found
    };
    for table in of_type("AWS::DynamoDB::Table") {
        let facts = &table["facts"];
        assert_eq!(facts["BillingMode"], "PAY_PER_REQUEST", "{facts}");
        assert_eq!(facts["SSESpecification"]["SSEEnabled"], true, "{facts}");
        assert_eq!(facts["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true, "{facts}");
    }
    for repository in of_type("AWS::ECR::Repository") {
        assert_eq!(repository["facts"]["ImageTagMutability"], "IMMUTABLE", "{repository}");
        assert_eq!(repository["facts"]["ImageScanningConfiguration"]["ScanOnPush"], true, "{repository}");
        assert!(repository["facts"]["LifecyclePolicy"].is_object(), "{repository}");
    }
    for bucket in of_type("AWS::S3::Bucket") {
        let block = &bucket["facts"]["PublicAccessBlockConfiguration"];
        for setting in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
            assert_eq!(block[setting], true, "{bucket}");
        }
        assert!(bucket["facts"]["BucketEncryption"].is_object(), "{bucket}");
    }
    for group in of_type("AWS::Logs::LogGroup") {
        assert!(group["facts"]["RetentionInDays"].is_number(), "{group}");
    }
    for service in of_type("AWS::ECS::Service") {
        let facts = &service["facts"];
        assert_eq!(facts["DesiredCount"], 2, "{facts}");
        let breaker = &facts["DeploymentConfiguration"]["DeploymentCircuitBreaker"];
        assert_eq!((&breaker["Enable"], &breaker["Rollback"]), (&json!(true), &json!(true)), "{facts}");
    }
    for definition in of_type("AWS::ECS::TaskDefinition") {
        let container = &definition["facts"]["ContainerDefinitions"][0];
        assert!(container["Image"].as_str().is_some_and(|image| image.contains("@sha256:")), "{container}");
    }
    let listeners = of_type("AWS::ElasticLoadBalancingV2::Listener");
    let https = listeners.iter().find(|listener| listener["facts"]["Protocol"] == "HTTPS").expect("HTTPS");
    let certificate = https["facts"]["Certificates"][0]["CertificateArn"].as_str().unwrap_or_default();
    assert!(certificate.starts_with("arn:aws:acm:us-east-1:"), "{https}");
}

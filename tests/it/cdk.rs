//! The AWS CDK's command line, in a pinned version, against `infra local serve`: from `cdk bootstrap` to `cdk destroy`. What
//! an app would synthesize lies there ready (a cloud assembly), as `cdk --app <folder>` takes it.

use crate::clients::{client, good};
use crate::support::ministack::Account;
use crate::support::{npm, served};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

const VERSION: &str = "2.1148.1";
const REGION: &str = "eu-west-1";

/// A folder with a cloud assembly, and who deploys it.
struct App {
    account: Account,
    folder: TempDir,
}

impl App {
    /// Writes the assembly of an app with one stack, which has a repository, a bucket and a nested stack with a topic.
    fn synthesize(&self, display_name: &str, version: u32) {
        let id = &self.account.id;
        let bucket = format!("cdk-hnb659fds-assets-{id}-{REGION}");
        let role =
            |name: &str| format!("arn:${{AWS::Partition}}:iam::{id}:role/cdk-hnb659fds-{name}-role-{id}-{REGION}");
        let nested = json!({
            "Parameters": {"Of": {"Type": "String"}},
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {
                "DisplayName": display_name, "Tags": [{"Key": "of", "Value": {"Ref": "Of"}}],
            }}},
            "Outputs": {"Topic": {"Value": {"Ref": "Topic"}}},
        });
        let template = json!({
            "Resources": {
                "Images": {"Type": "AWS::ECR::Repository", "Properties": {
                    "RepositoryName": "cdk/api", "ImageTagMutability": "IMMUTABLE",
                }},
                "Files": {"Type": "AWS::S3::Bucket"},
                "Inner": {
                    "Type": "AWS::CloudFormation::Stack",
                    "Properties": {
                        "TemplateURL": {"Fn::Join": ["", [
                            format!("https://s3.{REGION}."), {"Ref": "AWS::URLSuffix"}, format!("/{bucket}/inner-{version}.json"),
                        ]]},
                        "Parameters": {"Of": {"Ref": "Files"}},
                    },
                    "Metadata": {"aws:asset:path": "inner.json", "aws:asset:property": "TemplateURL"},
                },
            },
            "Outputs": {"Topic": {"Value": {"Fn::GetAtt": ["Inner", "Outputs.Topic"]}}},
            "Parameters": {"BootstrapVersion": {
                "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/hnb659fds/version",
            }},
        });
        let file = |path: &str, key: &str| {
            json!({
                "source": {"path": path, "packaging": "file"},
                "destinations": {"there": {
                    "bucketName": bucket, "objectKey": key, "region": REGION, "assumeRoleArn": role("file-publishing"),
                }},
            })
        };
        let key = format!("shop-{version}.json");
        let assets = json!({"version": "36.0.0", "dockerImages": {}, "files": {
            format!("inner-{version}"): file("inner.json", &format!("inner-{version}.json")),
            format!("shop-{version}"): file("shop.json", &key),
        }});
        let needs = json!({
            "requiresBootstrapStackVersion": 6, "bootstrapStackVersionSsmParameter": "/cdk-bootstrap/hnb659fds/version",
        });
        let with = |mut object: Value, more: &Value| {
            let more = more.as_object().expect("an object").clone();
            object.as_object_mut().expect("an object").extend(more);
            object
        };
        let manifest = json!({"version": "36.0.0", "artifacts": {
            "shop.assets": {"type": "cdk:asset-manifest", "properties": with(json!({"file": "shop.assets.json"}), &needs)},
            "shop": {
                "type": "aws:cloudformation:stack",
                "environment": format!("aws://{id}/{REGION}"),
                "displayName": "shop",
                "dependencies": ["shop.assets"],
                "properties": with(json!({
                    "templateFile": "shop.json",
                    "assumeRoleArn": role("deploy"),
                    "cloudFormationExecutionRoleArn": role("cfn-exec"),
                    "stackTemplateAssetObjectUrl": format!("s3://{bucket}/{key}"),
                    "additionalDependencies": ["shop.assets"],
                    "lookupRole": with(json!({"arn": role("lookup")}), &needs),
                }), &needs),
            },
        }});
        let folder = self.folder.path().join("cdk.out");
        std::fs::create_dir_all(&folder).expect("a folder");
        let write = |path: &Path, json: &Value| std::fs::write(path, json.to_string()).expect("a file");
        write(&folder.join("manifest.json"), &manifest);
        write(&folder.join("shop.assets.json"), &assets);
        write(&folder.join("shop.json"), &template);
        write(&folder.join("inner.json"), &nested);
    }

    fn cdk(&self, line: &str) -> Output {
        let package = npm::package("aws-cdk", VERSION);
        let mut command = Command::new("node");
        command.arg(package.join("bin/cdk")).args(["--app", "cdk.out", "--no-notices", "--ci"]).args(line.split(' '));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("AWS_ENDPOINT_URL", &self.account.endpoint)
            .env("AWS_ACCESS_KEY_ID", &self.account.id)
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .env("AWS_REGION", REGION)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("CDK_DISABLE_CLI_TELEMETRY", "true")
            .env("CDK_DISABLE_VERSION_CHECK", "true")
            .env("NODE_NO_WARNINGS", "1")
            .env("NO_COLOR", "1");
        command.output().unwrap_or_else(|error| panic!("node could not be started ({error}): this test needs Node.js"))
    }

    fn aws(&self, line: &str) -> Value {
        let output = client(&self.account, "aws", &self.folder).args(line.split(' ')).output().expect("aws starts");
        let text = good(output);
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect("JSON") }
    }
}

#[test]
fn the_cdk_bootstraps_deploys_compares_finds_drift_and_destroys() {
    let app = App { account: served::account(), folder: TempDir::new().expect("a temporary folder") };
    let said = |output: &Output| {
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    app.synthesize("orders", 1);
    good(app.cdk(&format!("bootstrap aws://{}/{REGION}", app.account.id)));
    let deployed = app.cdk("deploy shop --require-approval never");
    assert!(said(&deployed).contains("shop.Topic = arn:aws:sns:"), "{}", said(&deployed));
    good(deployed);
    let same = app.cdk("diff shop --fail");
    assert!(said(&same).contains("There were no differences"), "{}", said(&same));
    good(same);

    // Only something in the nested stack changes.
    app.synthesize("all orders", 2);
    let differs = app.cdk("diff shop --fail");
    assert_eq!(differs.status.code(), Some(1), "{}", said(&differs));
    assert!(said(&differs).contains("all orders"), "{}", said(&differs));
    good(app.cdk("deploy shop --require-approval never"));
    let nested = app.aws("cloudformation describe-stack-resource --stack-name shop --logical-resource-id Inner");
    let nested = nested["StackResourceDetail"]["PhysicalResourceId"].as_str().expect("its id").to_owned();
    let stack = app.aws(&format!("cloudformation describe-stacks --stack-name {nested}"));
    assert_eq!(stack["Stacks"][0]["StackStatus"], "UPDATE_COMPLETE");
    let topic = stack["Stacks"][0]["Outputs"][0]["OutputValue"].as_str().expect("a topic").to_owned();
    let topic = app.aws(&format!("sns get-topic-attributes --topic-arn {topic}"));
    assert_eq!(topic["Attributes"]["DisplayName"], "all orders");

    // Behind its back, and found.
    let in_sync = app.cdk("drift shop --fail");
    assert!(said(&in_sync).contains("No drift detected"), "{}", said(&in_sync));
    good(in_sync);
    let patch = r#"[{"op":"replace","path":"/ImageTagMutability","value":"MUTABLE"}]"#;
    app.aws(&format!(
        "cloudcontrol update-resource --type-name AWS::ECR::Repository --identifier cdk/api --patch-document {patch}"
    ));
    let drifted = app.cdk("drift shop --fail");
    assert_eq!(drifted.status.code(), Some(1), "{}", said(&drifted));
    assert!(said(&drifted).contains("ImageTagMutability") && said(&drifted).contains("MUTABLE"), "{}", said(&drifted));

    good(app.cdk("destroy shop --force"));
    let left = app.aws("cloudformation describe-stacks");
    let names: Vec<_> = left["Stacks"].as_array().expect("stacks").iter().map(|stack| &stack["StackName"]).collect();
    assert_eq!(names, ["CDKToolkit"]);
}

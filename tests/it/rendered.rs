//! Every stack of every environment of the repository is a template that `cfn-lint` has nothing to say against.

use crate::support::cli::Run;
use crate::support::{root, venv};
use std::collections::BTreeMap;
use std::process::Command;

#[test]
fn cfn_lint_passes_on_every_environment() {
    for environment in ["dev", "staging", "prod", "emulator"] {
        let stacks =
            Run::new(&["render", "--env", environment, "--format", "json"]).current_dir(root()).expect(0).json();
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        let mut regions: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for stack in stacks.as_array().expect("a list of stacks") {
            let file = folder.path().join(format!("{}.json", stack["name"].as_str().expect("a name")));
            std::fs::write(&file, stack["template"].to_string()).expect("a file can be written");
            regions.entry(stack["target"]["region"].as_str().expect("a region").to_owned()).or_default().push(file);
        }
        for (region, files) in regions {
            let output = Command::new(venv::program("cfn-lint"))
                .args(["--regions", &region, "--format", "parseable", "--"])
                .args(&files)
                .output()
                .expect("cfn-lint starts");
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && said.is_empty(), "{environment} in {region}:\n{said}");
        }
    }
}

/// What the emulator drops in silence, so that only the template can be asked.
#[test]
fn production_is_encrypted_recoverable_and_protected() {
    let stacks = Run::new(&["render", "--env", "prod", "--format", "json"]).current_dir(root()).expect(0).json();
    let of_type = |wanted: &str| -> Vec<serde_json::Value> {
        let stacks = stacks.as_array().expect("a list of stacks").iter();
        let resources =
            stacks.flat_map(|stack| stack["template"]["Resources"].as_object().expect("resources").values());
        resources.filter(|resource| resource["Type"] == wanted).cloned().collect()
    };
    let tables = of_type("AWS::DynamoDB::Table");
    assert_eq!(tables.len(), 1);
    let properties = &tables[0]["Properties"];
    assert_eq!(properties["SSESpecification"]["SSEEnabled"], true);
    assert_eq!(properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    assert_eq!(properties["TimeToLiveSpecification"]["Enabled"], true);
    assert_eq!(properties["DeletionProtectionEnabled"], true);

    let secrets: Vec<_> = of_type("AWS::ECS::TaskDefinition")
        .iter()
        .flat_map(|task| {
            task["Properties"]["ContainerDefinitions"][0]["Secrets"].as_array().cloned().unwrap_or_default()
        })
        .map(|secret| secret["Name"].clone())
        .collect();
    assert_eq!(secrets, ["API_SIGNING_KEY"]);
    assert_eq!(of_type("AWS::EC2::NatGateway").len(), 3, "a way out for each zone");
    assert_eq!(of_type("AWS::EC2::FlowLog").len(), 1);
    assert_eq!(of_type("AWS::WAFv2::WebACLAssociation").len(), 1);
    assert_eq!(of_type("AWS::WAFv2::WebACL").len(), 2, "one for the load balancer, one for CloudFront");
    assert!(of_type("AWS::ApplicationAutoScaling::ScalingPolicy").len() >= 4);
    assert_eq!(of_type("AWS::IAM::OIDCProvider").len(), 1);
    for group in of_type("AWS::Logs::LogGroup") {
        assert!(group["Properties"]["RetentionInDays"].is_number(), "{group}");
    }
    for bucket in of_type("AWS::S3::Bucket") {
        assert_eq!(bucket["Properties"]["PublicAccessBlockConfiguration"]["BlockPublicPolicy"], true, "{bucket}");
        assert!(bucket["Properties"]["BucketEncryption"].is_object(), "{bucket}");
    }
}

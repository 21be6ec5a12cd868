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

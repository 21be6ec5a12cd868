//! Checkov has nothing to say against production that docs/policy.md does not answer.

use crate::support::cli::Run;
use crate::support::{root, venv};
use std::collections::BTreeSet;
use std::process::Command;

#[test]
#[ignore = "installs Checkov with a hundred packages; .ci/run does"]
fn what_checkov_says_against_production_is_answered() {
    let venv = venv::make("checkov-venv", &root().join("tests/it/checkov.txt"));
    let stacks = Run::new(&["render", "--env", "prod", "--format", "json"]).current_dir(root()).expect(0).json();
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    for stack in stacks.as_array().expect("a list of stacks") {
        let file = folder.path().join(format!("{}.json", stack["name"].as_str().expect("a name")));
        let text = serde_json::to_string_pretty(&stack["template"]).expect("a template");
        std::fs::write(file, text).expect("a file can be written");
    }
    let output = Command::new(venv.join("bin/checkov"))
        .args(["--framework", "cloudformation", "--compact", "--quiet", "--skip-download", "-o", "json", "-d"])
        .arg(folder.path())
        .output()
        .expect("checkov starts");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(report["summary"]["parsing_errors"], 0, "{}", report["summary"]);
    assert!(report["summary"]["passed"].as_u64().is_some_and(|passed| passed > 100), "{}", report["summary"]);
    let failed: BTreeSet<(String, String)> = report["results"]["failed_checks"]
        .as_array()
        .expect("a list of failed checks")
        .iter()
        .map(|check| {
            let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
            let stack = text("file_path").trim_start_matches('/').trim_end_matches(".json").to_owned();
            let id = text("resource").rsplit('.').next().unwrap_or_default().to_owned();
            (text("check_id"), format!("{stack}.{id}"))
        })
        .collect();
    assert_eq!(failed, answered(), "left: what Checkov says now; right: what docs/policy.md answers");
}

/// Check and resource of each row of the table; a row without a reason is no answer.
fn answered() -> BTreeSet<(String, String)> {
    let manual = std::fs::read_to_string(root().join("docs/policy.md")).expect("docs/policy.md");
    let mut answered = BTreeSet::new();
    for row in manual.lines().filter(|line| line.starts_with("| `CKV")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [check, _, places, reason] = cells[..] else { panic!("four cells, not {row}") };
        assert!(reason.len() > 40, "a reason: {row}");
        for place in places.split(',') {
            answered.insert((check.trim_matches('`').to_owned(), place.trim().trim_matches('`').to_owned()));
        }
    }
    answered
}

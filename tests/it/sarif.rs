//! `--sarif`: what code scanning gets is SARIF as its standard says, and leads to files and lines.

use crate::support::project::Project;
use crate::support::root;
use crate::support::sarif::assert_valid;
use serde_json::Value;

const ENVIRONMENT: &str = r#"project: shop
account: "111122223333"
region: eu-central-1

stacks:
  queue: {template: queue}
"#;

fn read(project: &Project, name: &str) -> Value {
    serde_json::from_str(&project.read(name)).expect("SARIF is JSON")
}

#[test]
fn errors_of_files_lead_to_their_lines() {
    let project = Project::offline();
    project.write("environments/dev.yaml", ENVIRONMENT).write(
        "templates/queue.yaml",
        "description: A queue.\n---\nResources:\n  Queue:\n    Type: AWS::SQS::Queue\n    Properties:\n      Nonsense: 1\n",
    );
    project.infra(&["validate", "--sarif", "found.sarif"]).expect(1);
    let found = read(&project, "found.sarif");
    assert_valid(&found);
    let result = &found["runs"][0]["results"][0];
    assert_eq!(result["level"], "error");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "templates/queue.yaml");
    assert_eq!(place["region"]["startLine"], 7);

    // From the directory above, as a pipeline would that keeps the project in a folder.
    let name = project.path().file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
    let above = project.path().parent().expect("a folder");
    let run = project.infra(&["-C", &name, "validate", "--sarif", &format!("{name}/found.sarif")]).current_dir(above);
    run.expect(1);
    let place = &read(&project, "found.sarif")["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], format!("{name}/templates/queue.yaml"));
}

#[test]
fn a_clean_project_has_no_results() {
    let project = Project::offline();
    let file = project.path().join("found.sarif");
    let file = file.to_str().expect("a path");
    project.infra(&["validate", "--sarif", file]).current_dir(root()).expect(0);
    let found = read(&project, "found.sarif");
    assert_valid(&found);
    assert_eq!(found["runs"][0]["results"], serde_json::json!([]));
}

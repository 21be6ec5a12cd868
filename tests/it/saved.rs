//! Saved plans that were changed, and plans that refuse what `validate` finds: as a user meets them, on the embedded AWS.

use crate::support::project::Project;
use serde_json::{Value, json};

const ENVIRONMENT: &str = r#"project: shop
account: "000000000000"
region: us-east-1
local: {speed: 3600}
stacks:
  topic: {template: topic, inputs: {name: a}}
"#;

const TOPIC: &str = "description: A topic.
inputs:
  name: {type: string, description: What it is shown as.}
needs: {}
outputs: {}
---
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      DisplayName: {{ inputs.name | tojson }}
";

fn shop() -> Project {
    let project = Project::offline();
    project.write("environments/local.yaml", ENVIRONMENT).write("templates/topic.yaml", TOPIC);
    project
}

const APPLY: [&str; 4] = ["apply", "--env", "local", "--yes"];

#[test]
fn a_plan_that_was_changed_is_refused_and_says_where() {
    let project = shop();
    project.infra(&APPLY).expect(0);
    project.write("environments/local.yaml", &ENVIRONMENT.replace("name: a", "name: b"));
    project.infra(&["plan", "--env", "local", "-o", "plan.json"]).expect(0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(project.path().join("plan.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let original: Value = serde_json::from_str(&project.read("plan.json")).unwrap();
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut file = original.clone();
        change(&mut file);
        project.write("plan.json", &file.to_string());
        let refused = project.infra(&["apply", "plan.json", "--yes"]).expect(1);
        assert!(refused.stderr.contains("does not fit together; nothing was done"), "{}", refused.stderr);
        assert!(refused.stderr.contains("infra plan --env local -o FILE"), "{}", refused.stderr);
        refused.stderr
    };
    let evil = refused(&|file| {
        let template = &mut file["steps"][0]["wanted"]["template"];
        *template = json!(template.as_str().unwrap().replace("\"b\"", "\"EVIL\""));
    });
    assert!(evil.contains("stack `topic`: its template is not the one that `template_digest` names"), "{evil}");
    let role = refused(&|file| file["steps"][0]["target"]["role"] = json!("arn:aws:iam::000000000000:role/admin"));
    assert!(role.contains("target.role is"), "{role}");
    let delete = refused(&|file| file["steps"][0]["action"] = json!("delete"));
    assert!(delete.contains("action is \"delete\" in the plan, and should be \"update\""), "{delete}");

    // As it was saved it is done, and the next plan finds nothing to do.
    project.write("plan.json", &original.to_string());
    project.infra(&["apply", "plan.json", "--yes"]).expect(0);
    project.infra(&["plan", "--env", "local", "--detailed-exitcode"]).expect(0);
}

#[test]
fn what_validate_finds_stops_a_plan_and_an_apply() {
    let project = shop();
    let name = "f".repeat(80);
    let template = format!(
        "{TOPIC}  Function:\n    Type: AWS::Lambda::Function\n    Properties:\n      FunctionName: {name}\n      Runtime: python3.13\n      Handler: a.b\n      Role: arn:aws:iam::000000000000:role/r\n      Code: {{S3Bucket: bucket, S3Key: key}}\n"
    );
    project.write("templates/topic.yaml", &template);
    let wrong = "FunctionName";
    let validated = project.infra(&["validate"]).expect(1).stderr;
    assert!(validated.contains(wrong) && validated.contains("templates/topic.yaml:"), "{validated}");
    for command in [&APPLY[..], &["plan", "--env", "local"]] {
        let refused = project.infra(command).expect(1).stderr;
        assert!(refused.contains(wrong) && refused.contains("1 problem found"), "{command:?}: {refused}");
    }
    let status = project.infra(&["status", "--env", "local"]).expect(0);
    assert!(!status.stdout.contains("CREATE"), "nothing was begun: {}", status.stdout);
}

#[test]
fn what_a_plan_would_miss_validate_misses_with_its_place() {
    let project = shop();
    let bucket = "description: A bucket.
inputs: {}
needs: {}
outputs: {BucketName: Its name.}
---
Resources:
  Bucket:
    Type: AWS::S3::Bucket
Outputs:
  BucketName: {Value: !Ref Bucket}
";
    project.write("templates/bucket.yaml", bucket);
    let environment = format!("{ENVIRONMENT}  site: {{template: bucket, files: public}}\n");
    project.write("environments/local.yaml", &environment);
    let warned = project.infra(&["validate"]).expect(0).stderr;
    assert!(warned.contains("`files` of stack `site`: there is no folder public"), "{warned}");
    assert!(warned.contains("environments/local.yaml:7:"), "{warned}");
}

#[test]
fn two_stacks_cannot_give_one_listener_the_same_priority() {
    let project = shop();
    let rule = "description: A rule.
inputs:
  priority: {type: integer, description: Which comes first.}
needs: {}
outputs: {}
---
Resources:
  Rule:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      ListenerArn: arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/a/1/2
      Priority: {{ inputs.priority }}
      Conditions: [{Field: path-pattern, Values: [/x]}]
      Actions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: '404'}}]
";
    let environment = |second: u8| {
        format!(
            "{ENVIRONMENT}  one: {{template: rule, inputs: {{priority: 1}}}}\n  two: {{template: rule, inputs: {{priority: {second}}}}}\n"
        )
    };
    project.write("templates/rule.yaml", rule).write("environments/local.yaml", &environment(1));
    let refused = project.infra(&["validate"]).expect(1).stderr;
    assert!(refused.contains("the priority 1, which Rule of stack `one` has on the same listener"), "{refused}");
    project.write("environments/local.yaml", &environment(2));
    project.infra(&["validate"]).expect(0);
}

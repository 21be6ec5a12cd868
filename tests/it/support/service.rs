//! A project with an image of its own, a service that runs it, and what tests ask of its plans.

use super::project::Project;
use super::{root, schema_errors, venv};
use serde_json::Value;
use std::process::Command;

/// The service beside a stack that has nothing to do with it; `ACCOUNT` stands for the test's own.
pub const ENVIRONMENT: &str = r#"project: small
account: "ACCOUNT"
region: us-east-1
apply: {lock_lease: 6s}

images:
  api: {archive: api.tar}

stacks:
  api-images: {template: ecr-repository, inputs: {name: api, retain: false}}
  api: {template: service}
  beside: {template: parameter, inputs: {value: alone}}
"#;

/// `count`: tasks. `balanced`: they log, stand behind a target group, and a roll-out that fails is taken back.
pub const SERVICE: &str = r#"description: A service that runs an image.
inputs:
  count: {type: integer, default: 0, description: Tasks.}
  balanced: {type: boolean, default: false, description: "Behind a target group, with a log and a circuit breaker."}
needs:
  Image: image:api
outputs:
  Definition: What runs.
---
Parameters:
  Image:
    Type: String
Resources:
  Cluster:
    Type: AWS::ECS::Cluster
{% if inputs.balanced %}
  Log:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: /{{ project }}/api
  Network:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.0.0.0/16}
  Targets:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: {Port: 8000, Protocol: HTTP, TargetType: instance, VpcId: !Ref Network}
{% endif %}
  Definition:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: {{ project }}-{{ environment }}-api
      RequiresCompatibilities: [EC2]
      NetworkMode: bridge
      Cpu: "256"
      Memory: "512"
      ContainerDefinitions:
        - Name: app
          Image: !Ref Image
          Essential: true
{% if inputs.balanced %}
          LogConfiguration:
            LogDriver: awslogs
            Options: {awslogs-group: !Ref Log, awslogs-region: {{ region }}, awslogs-stream-prefix: task}
{% endif %}
  Service:
    Type: AWS::ECS::Service
    Properties:
      Cluster: !Ref Cluster
      ServiceName: api
      TaskDefinition: !Ref Definition
      DesiredCount: {{ inputs.count }}
      LaunchType: EC2
{% if inputs.balanced %}
      LoadBalancers: [{ContainerName: app, ContainerPort: 8000, TargetGroupArn: !Ref Targets}]
      DeploymentConfiguration: {DeploymentCircuitBreaker: {Enable: true, Rollback: true}}
{% endif %}
Outputs:
  Definition:
    Value: !Ref Definition
"#;

/// Writes `api.tar`: an image whose only file says this.
pub fn image(project: &Project, text: &str) {
    let script = "import importlib.util, sys\n\
                  spec = importlib.util.spec_from_file_location('example', sys.argv[1])\n\
                  example = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(example)\n\
                  example.NOTE = sys.argv[2].encode()\nopen(sys.argv[3], 'wb').write(example.image())\n";
    let made = Command::new(venv::program("python"))
        .args(["-c", script])
        .arg(root().join("apps/example-image.py"))
        .arg(text)
        .arg(project.path().join("api.tar"))
        .output()
        .expect("Python");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

pub fn plan(project: &Project, environment: &str) -> Value {
    let plan = project.infra(&["plan", "--env", environment, "--format", "json"]).expect(0).json();
    assert_eq!(schema_errors("plan", &plan), Vec::<String>::new(), "{plan}");
    plan
}

/// `stack.Resource` of all that changes.
pub fn changes(plan: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let steps = list(&plan["steps"]).into_iter().filter(|step| step["action"] != "nothing");
    let of = |step: Value| {
        let names = list(&step["changes"]).into_iter().map(|change| text(&change["logical_id"]));
        names.map(|id| format!("{}.{id}", text(&step["stack"]))).collect::<Vec<String>>()
    };
    steps.flat_map(of).collect()
}

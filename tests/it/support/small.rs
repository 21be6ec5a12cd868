//! A small project: three stacks in a row and one beside them, quick to apply on the emulator.

use super::project::{Project, Server};

const ENVIRONMENT: &str = r#"project: small
account: "ACCOUNT"
region: us-east-1
apply: {lock_lease: 9s}

stacks:
  first: {template: parameter, inputs: {value: one}}
  second: {template: follower, inputs: {after: first}}
  third: {template: follower, inputs: {after: second}}
  beside: {template: parameter, inputs: {value: alone}}
"#;

const PARAMETER: &str = r#"description: A parameter.
inputs:
  value: {type: string, description: Its value.}
needs: {}
outputs:
  Value: The value.
---
Resources:
  Parameter:
    Type: AWS::SSM::Parameter
    Properties:
      Name: /{{ project }}/{{ environment }}/{{ stack }}
      Type: String
      Value: {{ inputs.value | tojson }}
Outputs:
  Value:
    Value: !GetAtt Parameter.Value
"#;

const FOLLOWER: &str = r#"description: A parameter with the value of another stack's.
inputs:
  after: {type: string, description: Stack whose value it takes.}
needs:
  Source: "{{ inputs.after }}.Value"
outputs:
  Value: The value.
---
Parameters:
  Source:
    Type: String
Resources:
  Parameter:
    Type: AWS::SSM::Parameter
    Properties:
      Name: /{{ project }}/{{ environment }}/{{ stack }}
      Type: String
      Value: !Sub "${Source}-{{ stack }}"
Outputs:
  Value:
    Value: !GetAtt Parameter.Value
"#;

/// The small project, with its state bucket and lock table made.
pub fn small(server: Server) -> Project {
    let project = Project::on_server(server);
    files(&project);
    project.infra(&["bootstrap", "--env", "dev", "--yes"]).expect(0);
    project
}

/// Its files alone.
pub fn files(project: &Project) {
    project
        .write("environments/dev.yaml", ENVIRONMENT)
        .write("templates/parameter.yaml", PARAMETER)
        .write("templates/follower.yaml", FOLLOWER);
}

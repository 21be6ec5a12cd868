//! The project's own environments, and what is said about bad templates and inputs.

use super::*;
use crate::environment;
use crate::model::Parameter;
use crate::view::problem;
use cloudformation::source::{Limits, parse};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::path::Path;
use tempfile::TempDir;

fn drawn(problems: &[Problem]) -> String {
    anstream::adapter::strip_str(&problem::text(problems, 100)).to_string()
}

/// A project with an environment `dev` whose stacks are as given, and with templates of its own.
fn project(stacks: &str, templates: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("environments")).unwrap();
    std::fs::create_dir(directory.path().join("templates")).unwrap();
    let digest = "0".repeat(64);
    let text = format!(
        "project: shop\naccount: \"111122223333\"\nregion: eu-west-1\ntags: {{Owner: me}}\nimages: {{api: {{ref: \"repo/api@sha256:{digest}\"}}}}\nstacks:\n{stacks}"
    );
    std::fs::write(directory.path().join("environments/dev.yaml"), text).unwrap();
    for (name, text) in templates {
        std::fs::write(directory.path().join(format!("templates/{name}.yaml")), text).unwrap();
    }
    directory
}

fn rendered(stacks: &str, templates: &[(&str, &str)]) -> Result<Vec<RenderedStack>, Vec<Problem>> {
    let project = project(stacks, templates);
    let (environment, _) = environment::load(project.path(), "dev").map_err(|error| error.problems)?;
    render(&environment, &Catalog::open(project.path())).map_err(|error| error.problems)
}

fn good(stacks: &str, templates: &[(&str, &str)]) -> Vec<RenderedStack> {
    rendered(stacks, templates).unwrap_or_else(|problems| panic!("{}", drawn(&problems)))
}

fn refused(stacks: &str, templates: &[(&str, &str)]) -> String {
    drawn(&rendered(stacks, templates).expect_err("this project should be refused"))
}

/// A template with one topic whose properties are as given.
fn topic(inputs: &str, properties: &str) -> String {
    format!(
        "description: A topic.\ninputs: {inputs}\n---\nResources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Properties:\n{properties}"
    )
}

fn properties(stack: &RenderedStack) -> Json {
    let template: Json = serde_json::from_str(&stack.template).unwrap();
    template["Resources"]["Topic"]["Properties"].clone()
}

#[test]
fn the_projects_own_environments_render() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut environments = environment::list(root).unwrap();
    environments.retain(|listed| !listed.base);
    assert!(environments.len() >= 4);
    for listed in environments {
        let (environment, _) =
            environment::load(root, &listed.name).unwrap_or_else(|error| panic!("{}", drawn(&error.problems)));
        let stacks =
            render(&environment, &Catalog::embedded()).unwrap_or_else(|error| panic!("{}", drawn(&error.problems)));
        assert_eq!(stacks.len(), environment.stacks.len());
        for stack in stacks {
            let yaml = to_yaml(&stack).unwrap();
            let node = parse(&yaml, Limits::default()).unwrap();
            let again = write::canonical(Template::from_node(node).0.to_json());
            assert_eq!(again, stack.template, "{}: {yaml}", stack.name);
        }
    }
}

const NETWORK: &str = "\
description: A network.
inputs: {zones: {type: integer, default: 2, min: 1, max: 4}}
outputs: {VpcId: The VPC., SubnetIds: Its subnets., Extra: Only sometimes.}
---
AWSTemplateFormatVersion: \"2010-09-09\"
Outputs:
  VpcId: {Value: !Ref Vpc}
  SubnetIds: {Value: !Join [\",\", [!Ref Subnet1]]}
{% if inputs.zones > 3 %}
  Extra: {Value: !Ref Vpc}
{% endif %}
Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.0.0.0/16}
{% for zone in range(inputs.zones) %}
  Subnet{{ zone + 1 }}:
    Type: AWS::EC2::Subnet
    Properties:
      VpcId: !Ref Vpc
      CidrBlock: {{ cidr_subnet('10.0.0.0/16', 20, zone) }}
{% endfor %}
";

const SERVICE: &str = "\
description: A service.
inputs: {image: {type: string, default: null}, name: {type: string, default: svc}}
needs:
  VpcId: network.VpcId
  Image: {from: \"image:{{ inputs.image }}\", when: inputs.image}
---
{% from \"_role.yaml\" import role %}
Parameters:
  VpcId: {Type: AWS::EC2::VPC::Id}
  Image: {Type: String, Default: none}
Resources:
  {{ inputs.name | pascal }}Group:
    Type: AWS::EC2::SecurityGroup
    Properties: {GroupDescription: Of {{ stack }}, VpcId: !Ref VpcId}
{{ role('Task') }}
";

const ROLE: &str = "\
{% macro role(name) %}
  {{ name }}Role:
    Type: AWS::IAM::Role
    Properties: {AssumeRolePolicyDocument: {}}
{% endmacro %}
";

#[test]
fn stacks_are_wired_and_come_in_order() {
    let stacks = good(
        "  api: {template: service, inputs: {image: api}, after: [other]}\n  other: {template: service, inputs: {name: big-one}}\n  network: {}\n",
        &[("network", NETWORK), ("service", SERVICE), ("_role", ROLE)],
    );
    assert_eq!(stacks.iter().map(|stack| stack.name.as_str()).collect::<Vec<_>>(), ["network", "other", "api"]);
    let api = &stacks[2];
    assert_eq!(api.stack_name, "shop-dev-api");
    assert_eq!(api.waits_on(), ["network", "other"]);
    let vpc = Parameter::Output { stack: "network".to_owned(), key: "VpcId".to_owned() };
    let reference = format!("repo/api@sha256:{}", "0".repeat(64));
    let image = Parameter::Image { name: "api".to_owned(), reference };
    assert_eq!(api.parameters, [("Image".to_owned(), image), ("VpcId".to_owned(), vpc.clone())].into());
    // A need that is not there leaves its parameter to its default.
    assert_eq!(stacks[1].parameters, [("VpcId".to_owned(), vpc)].into());
    assert_eq!(api.capabilities, ["CAPABILITY_IAM"]);
    let tags = [("Environment", "dev"), ("ManagedBy", "infra"), ("Owner", "me"), ("Project", "shop")];
    assert_eq!(api.tags, tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    // What a macro wrote is placed where the macro was called.
    let places = [("SvcGroup", "templates/service.yaml:12"), ("TaskRole", "templates/service.yaml:15")];
    let of_resources = api.places.iter().filter(|(id, _)| !id.starts_with('/'));
    assert_eq!(
        of_resources.map(|(id, place)| (id.as_str(), place.as_str())).collect::<Vec<_>>(),
        places,
        "{:?}",
        api.places
    );
    assert_eq!(api.places["/Parameters"], "templates/service.yaml:8");
    assert_eq!(api.places["/Parameters/VpcId"], "templates/service.yaml:9");
    assert_eq!(stacks[0].places["Subnet2"], "templates/network.yaml:17");
    let order: Vec<usize> = ["AWSTemplateFormatVersion", "Resources", "Outputs"]
        .iter()
        .map(|section| stacks[0].template.find(&format!("{section:?}:")).unwrap())
        .collect();
    assert!(order.is_sorted(), "{}", stacks[0].template);
    assert_eq!(stacks[0].template_digest, crate::model::digest(&stacks[0].template));
    assert!(!stacks[0].protect && stacks[0].stack_policy.is_none());
}

#[test]
fn typed_inputs_reach_templates_in_their_form() {
    let inputs = "{every: {type: duration, default: 90s}, size: {type: size}, on: {type: boolean, default: true}, \
                  count: {type: map, fields: {min: {type: integer, default: 1}, max: {type: integer, default: 4}}, default: {}}, \
                  env: {type: map, items: {type: string}, default: {}}, none: {type: string, default: null}, \
                  key: {type: string, default: k, nullable: true}}";
    let body = "      A: {{ inputs.every.seconds }}\n      B: {{ inputs.every.minutes }}\n      C: {{ inputs.size.mib }}\n      \
                D: {{ inputs.on }}\n      E: {{ inputs.count.max }}\n      F: {{ inputs.env | tojson }}\n      \
                G: {{ inputs.none | tojson }}\n      H: {{ inputs.key is none }}\n      I: {{ stack_name }}\n      \
                J: {{ tags.Owner }}\n      K: {{ inputs.size.text }}\n";
    let stacks = good(
        "  t: {inputs: {size: 2GiB, count: {max: 9}, env: {A: \"yes: no\", B: null}, key: null}}\n",
        &[("t", &topic(inputs, &body.replace("      G: {{ inputs.none | tojson }}\n", "")))],
    );
    let expected = json!({"A": 90, "B": 1.5, "C": 2048, "D": true, "E": 9, "F": {"A": "yes: no"}, "H": true,
                          "I": "shop-dev-t", "J": "me", "K": "2GiB"});
    assert_eq!(properties(&stacks[0]), expected);
}

#[test]
fn wrong_inputs_point_at_the_value_and_at_the_declaration() {
    let inputs = "
  cidr: {type: cidr}
  zones: {type: integer, min: 2, max: 4, default: 2}
  nat: {type: enum, values: [none, single, per-zone], default: none}
  name: {type: string, pattern: \"^[a-z]+$\", max_length: 5, default: a}
  count: {type: map, fields: {min: {type: integer, default: 1}}, default: {}}
  wait: {type: duration, min: 1m, default: 5m}
  disk: {type: size, default: 1GiB}
  ports: {type: list, items: {type: port}, default: [80]}
  on: {type: boolean, default: true}
  text: {type: string, default: x}
  domain: {type: domain, default: null}
  topic: {type: arn, default: null}
  choice: {type: map, one_of: [a, b], fields: {a: {type: string, default: null}, b: {type: string, default: null}}, default: {a: x}}";
    let stacks = "  t:
    inputs:
      zones: 5
      nat: per-zoen
      name: Abcdef
      count: {mix: 1}
      wait: 30s
      disk: 5
      ports: [80, 99999, http]
      on: yes
      text: 12
      domain: Example
      topic: my-topic
      choice: {a: x, b: y}
      zoness: 1
  u:
    template: t
    inputs: {cidr: 10.0.0.1/16, ports: 80}
";
    insta::assert_snapshot!(refused(stacks, &[("t", &topic(inputs, "      {}\n"))]));
}

#[test]
fn values_that_are_not_safe_point_at_the_template_and_at_the_input() {
    let inputs = "{name: {type: string, default: \"a: b\"}, list: {type: list, items: {type: string}, default: []}, none: {type: string, default: null}}";
    let given = "  t: {inputs: {name: \"yes\", list: [ok, \"a b\"]}}\n";
    insta::assert_snapshot!(refused(given, &[("t", &topic(inputs, "      TopicName: {{ inputs.name }}-x\n"))]));
    insta::assert_snapshot!(refused("  t: {}\n", &[("t", &topic(inputs, "      TopicName: x-{{ inputs.name }}\n"))]));
    let each = "      Names:\n{% for name in inputs.list %}\n        - {{ name }}\n{% endfor %}\n";
    insta::assert_snapshot!(refused(given, &[("t", &topic(inputs, each))]));
    insta::assert_snapshot!(refused(given, &[("t", &topic(inputs, "      A: {{ inputs.list }}\n"))]));
    insta::assert_snapshot!(refused(given, &[("t", &topic(inputs, "      A: {{ inputs.none }}\n"))]));
    let joined = "      A: {{ (\"x \" ~ inputs.name) }}\n";
    insta::assert_snapshot!(refused(given, &[("t", &topic(inputs, joined))]));
    insta::assert_snapshot!(refused(given, &[("t", &topic(inputs, "      A: 'x{{ inputs.name | tojson }}'\n"))]));
    insta::assert_snapshot!(refused(given, &[("t", &topic(inputs, "      A: \"x{{ inputs.name | tojson }}\"\n"))]));
    let nested = "      {{ thing(inputs.name) }}\n";
    let importing = topic(inputs, nested).replace("---\n", "---\n{% from \"_thing.yaml\" import thing %}\n");
    insta::assert_snapshot!(refused(
        given,
        &[("t", &importing), ("_thing", "{% macro thing(x) %}\n  A: {{ x }}\n{% endmacro %}\n")]
    ));
}

#[test]
fn mistakes_in_templates_are_placed() {
    let inputs = "{name: {type: string, default: a}, cidr: {type: cidr, default: 10.0.0.0/24}}";
    let of = |body: &str| refused("  t: {}\n", &[("t", &topic(inputs, body)), ("_broken", "{% macro x( %}\n")]);
    insta::assert_snapshot!(of("      A: {{ inputs.nmae }}\n"));
    insta::assert_snapshot!(of("      A: {{ projct }}\n"));
    insta::assert_snapshot!(of("      A: {{ inputs.name\n      B: 1\n"));
    insta::assert_snapshot!(of("      A: {{ inputs.name | safe }}\n"));
    insta::assert_snapshot!(of("      A: {{ cidr_subnet(inputs.cidr, 26, 7) }}\n"));
    insta::assert_snapshot!(of("      A: 1\n{% if inputs.name %}\n       B: 2\n{% endif %}\n"));
    insta::assert_snapshot!(of("      A: 1\n      B: [1, {{ inputs.name }}\n      C: 2\n"));
    insta::assert_snapshot!(of("      A: 1\n{% for x in [1, 2] %}\n      B: {{ x }}\n{% endfor %}\n"));
    insta::assert_snapshot!(of(
        "{% for a in range(9000) %}{% for b in range(9000) %}{% endfor %}{% endfor %}\n      A: 1\n"
    ));
    insta::assert_snapshot!(of("      A: !Reff X\n      B: !GetAtt {{ inputs.name }}\n"));
    insta::assert_snapshot!(of("{% from \"_none.yaml\" import x %}\n      A: 1\n"));
    insta::assert_snapshot!(of("{% from \"_alrm.yaml\" import x %}\n      A: 1\n"));
    insta::assert_snapshot!(of(
        "      A: 1.{{ 5 }}\n      B: \"1.{{ 5 }}\"\n      C: {{ 1 }}e{{ 3 }}\n      D: v{{ 1 }}.{{ 2 }}\n"
    ));
    insta::assert_snapshot!(of("{% macro m() %}{{ m() }}{% endmacro %}\n      A: 1{{ m() }}\n"));
    insta::assert_snapshot!(of("{% from \"_broken.yaml\" import x %}\n      A: 1\n"));
}

#[test]
fn mistakes_in_wiring_are_told_all_at_once() {
    let user = "\
description: A user.
needs:
  VpcId: network.VpcIdd
  SubnetId: network.VpcId
  Gone: network.VpcId
  Extra: network.Extra
  Elsewhere: nowhere.Thing
  Image: image:web
outputs: {Never: Not there.}
---
Parameters:
  VpcId: {Type: AWS::EC2::VPC::Id}
  SubnetId: {Type: AWS::EC2::Subnet::Id}
  Unfilled: {Type: String}
  Extra: {Type: String}
  Elsewhere: {Type: String}
  Image: {Type: Number}
  Own: {Type: String}
Resources:
  Topic: {Type: AWS::SNS::Topic}
Outputs:
  TopicArn: {Value: !Ref Topic}
";
    let stacks = "  network: {}\n  user:\n    needs: {Own: network.SubnetId, Onw: network.VpcId, Image: image:api}\n";
    insta::assert_snapshot!(refused(stacks, &[("network", NETWORK), ("user", user)]));
}

#[test]
fn cycles_through_templates_are_found() {
    let of = |other: &str| {
        format!(
            "description: x\nneeds: {{P: {other}.Arn}}\noutputs: {{Arn: x}}\n---\nParameters:\n  P: {{Type: String}}\nResources:\n  T: {{Type: AWS::SNS::Topic}}\nOutputs:\n  Arn: {{Value: !Ref T}}\n"
        )
    };
    insta::assert_snapshot!(refused("  a: {}\n  b: {}\n", &[("a", &of("b")), ("b", &of("a"))]));
}

#[test]
fn bad_manifests_are_told_in_full() {
    let manifest = "\
descripton: x
inputs:
  a: {type: strin}
  b: {default: 1}
  c: {type: integer, pattern: x, default: two}
  d: {type: string, pattern: \"[\"}
  e: {type: enum}
  f: {type: map, one_of: [x], fields: {y: {type: string}}}
  g: {type: duration, min: 5}
  h-i: {type: string}
needs:
  A: network
  B: [network.X]
outputs: [x]
---
Resources: {}
";
    insta::assert_snapshot!(refused("  t: {}\n", &[("t", manifest)]));
    insta::assert_snapshot!(refused("  t: {}\n", &[("t", "Resources: {}\n")]));
    insta::assert_snapshot!(refused("  t: {template: ntework}\n", &[]));
}

#[test]
fn quotas_say_what_to_split() {
    let many = "description: x\n---\nResources:\n{% for n in range(501) %}\n  T{{ n }}: {Type: AWS::SNS::Topic}\n{% endfor %}\n";
    insta::assert_snapshot!(refused("  t: {}\n", &[("t", many)]));
    let big = "description: x\n---\nResources:\n{% for n in range(3) %}\n  T{{ n }}:\n    Type: AWS::SNS::Topic\n    Properties:\n      \
               DisplayName: {% for m in range(40000 + n) %}0123456789{% endfor %}\n\n{% endfor %}\n";
    insta::assert_snapshot!(refused("  t: {}\n", &[("t", big)]));
}

#[test]
fn protected_environments_protect_their_stacks() {
    let project = project("  t: {}\nprotect: true\n", &[("t", &topic("{}", "      {}\n"))]);
    let (environment, _) = environment::load(project.path(), "dev").unwrap();
    let stacks = render(&environment, &Catalog::open(project.path())).unwrap();
    assert!(stacks[0].protect && stacks[0].stack_policy.as_ref().is_some_and(|policy| policy.contains("Deny")));
}

/// The first YAML example of a page of the documentation.
fn example(page: &str) -> &str {
    page.split_once("```yaml\n").and_then(|(_, rest)| rest.split_once("```")).unwrap().0
}

#[test]
fn the_examples_of_the_documentation_render() {
    let environment = example(include_str!("../../docs/environments.md"));
    let template = example(include_str!("../../docs/templates.md"));
    let project = project("  none: {}\n", &[("notices", template)]);
    let notices = "  notices: {inputs: {emails: [a@example.com], key: key}}\n";
    std::fs::write(project.path().join("environments/dev.yaml"), format!("{environment}{notices}")).unwrap();
    let (environment, warnings) =
        environment::load(project.path(), "dev").unwrap_or_else(|error| panic!("{}", drawn(&error.problems)));
    assert_eq!(warnings, []);
    let stacks = render(&environment, &Catalog::open(project.path()))
        .unwrap_or_else(|error| panic!("{}", drawn(&error.problems)));
    let notices = stacks.iter().find(|stack| stack.name == "notices").unwrap();
    assert_eq!(notices.waits_on(), ["key"]);
    assert!(notices.template.contains("\"Endpoint\":\"a@example.com\""), "{}", notices.template);
}

proptest! {
    // Each case renders a dozen templates.
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever an input says: it is refused, or it arrives as it is, wherever it is printed.
    #[test]
    fn values_arrive_as_they_are_or_are_refused(
        value in "[a-zA-Z0-9._/:#'\"{}\\[\\],&*!|>%@` \n\t\\\\$~<=?-]{0,12}|\\PC{0,8}|[yYnNoOfF0-9x_:.e-]{1,6}"
    ) {
        let inputs = "{v: {type: string}}";
        for (place, always) in [
            ("A: {{ inputs.v }}", false),
            ("A: {{ inputs.v | tojson }}", true),
            ("{{ inputs.v | tojson }}: 1", true),
            ("A: [{{ inputs.v }}, {{ inputs.v | tojson }}]", false),
            ("A: {k: {{ inputs.v | tojson }}}", true),
            ("A: \"{{ inputs.v }}\"", false),
            ("A: '{{ inputs.v }}'", false),
            ("A: '{{ inputs.v | tojson }}'", false),
            ("A: x {{ inputs.v | tojson }}", false),
            ("A: {{ inputs.v | tojson }} # {{ inputs.v | tojson }}", true),
            ("A: {{ inputs.v | tojson }}{{ inputs.v | tojson }}", false),
            ("A: !Sub {{ inputs.v | tojson }}", true),
        ] {
            let stacks = format!("  t: {{inputs: {{v: {}}}}}\n", Json::String(value.clone()));
            match rendered(&stacks, &[("t", &topic(inputs, &format!("      {place}\n")))]) {
                Ok(stacks) => {
                    let found = properties(&stacks[0]);
                    let expected = match place {
                        _ if place.starts_with("{{") => json!({value.as_str(): 1}),
                        _ if place.contains("[{{") => json!({"A": [value, value]}),
                        _ if place.contains("{k:") => json!({"A": {"k": value}}),
                        _ if place.contains("!Sub") => json!({"A": {"Fn::Sub": value}}),
                        _ => json!({"A": value}),
                    };
                    prop_assert_eq!(found, expected, "{}", place);
                }
                Err(problems) => {
                    // An empty key and characters that YAML has no way to write are refused even so.
                    let told = drawn(&problems);
                    prop_assert!(!always || told.contains("null"), "{}: {}", place, told);
                    prop_assert!(problems.iter().all(|problem| problem.at.is_some()));
                }
            }
        }
    }

    /// Random templates are rendered or refused, never a panic.
    #[test]
    fn any_template_is_rendered_or_refused(body in "(\\{\\{|\\}\\}|\\{%|%\\}|\\{#|#\\}| set | if | for x in |endif|endfor|inputs\\.v|tojson|\\||macro m\\(|endmacro|raw|endraw|Resources:|\n|  |- |: |\"|'|x|é|[0-9\\[\\](){}])*") {
        let template = format!("description: x\ninputs: {{v: {{type: string, default: v}}}}\n---\n{body}");
        if let Err(problems) = rendered("  t: {}\n", &[("t", &template)]) {
            prop_assert!(!drawn(&problems).is_empty());
        }
    }
}

#[test]
fn dynamic_references_pass_as_they_stand() {
    let properties_text = r#"      A: "{{resolve:ssm:/a/b:3}}"
      B: 'x-{{resolve:secretsmanager:shop:SecretString:user}}:{{resolve:secretsmanager:shop:SecretString:pass}}'
      C: !Sub "{{resolve:ssm-secure:/${AWS::StackName}/${Name}}}"
      D: "{{resolve:ssm:/{{ inputs.name }}/key}}"
      E: |
        {{resolve:ssm:/first}}
          {{resolve:ssm:/second}}
      F: {{ inputs.token | tojson }}
      G: ["{{resolve:ssm:/{{ stack }}}}", {H: '{"p": "{{resolve:ssm:/a}}"}'}]
"#;
    let inputs = "{name: {type: string, default: shop}, token: {type: string, default: \"{{resolve:ssm:/default}}\"}}";
    let stacks = good("  t: {}\n", &[("t", &topic(inputs, properties_text))]);
    let expected = json!({
        "A": "{{resolve:ssm:/a/b:3}}",
        "B": "x-{{resolve:secretsmanager:shop:SecretString:user}}:{{resolve:secretsmanager:shop:SecretString:pass}}",
        "C": {"Fn::Sub": "{{resolve:ssm-secure:/${AWS::StackName}/${Name}}}"},
        "D": "{{resolve:ssm:/shop/key}}",
        "E": "{{resolve:ssm:/first}}\n  {{resolve:ssm:/second}}\n",
        "F": "{{resolve:ssm:/default}}",
        "G": ["{{resolve:ssm:/t}}", {"H": "{\"p\": \"{{resolve:ssm:/a}}\"}"}],
    });
    assert_eq!(properties(&stacks[0]), expected);

    let spaced = refused("  t: {}\n", &[("t", &topic("{}", "      A: \"{{ resolve:ssm:/a }}\"\n"))]);
    assert!(spaced.contains("templates/t.yaml:8") && spaced.contains("has no space behind its braces"), "{spaced}");
    let bare = refused("  t: {}\n", &[("t", &topic("{}", "      A: {{resolve:ssm:/a}}\n"))]);
    assert!(bare.contains("templates/t.yaml:8") && bare.contains("write a dynamic reference in quotes"), "{bare}");
}

#[test]
fn texts_that_look_like_numbers_are_proposed_as_they_were_written() {
    for written in ["1.10", "1e3", "0x1F", "-1.50"] {
        let stacks = format!("  t: {{inputs: {{name: {written}}}}}\n");
        let told = refused(&stacks, &[("t", &topic("{name: {type: string}}", "      A: 1\n"))]);
        assert!(told.contains(&format!("is written in quotes: `\"{written}\"`")), "{told}");
    }
}

#[test]
fn findings_of_every_section_have_their_line() {
    let template = "description: A topic.\ninputs: {}\n---\nParameters:\n  P: {Type: String, AllowedValues: [a], Default: b}\nConditions:\n  C: !Equals [!Ref Nobody, x]\nResources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Condition: C\n    Properties: {DisplayName: !Ref P}\n";
    let project = project("  t: {}\n", &[("t", template)]);
    let Ok((environment, _)) = environment::load(project.path(), "dev") else { panic!("the environment is right") };
    let catalog = Catalog::open(project.path());
    let stacks = render(&environment, &catalog).unwrap_or_else(|error| panic!("{}", drawn(&error.problems)));
    let found = crate::validate::validate(&stacks, &catalog);
    let places: Vec<String> =
        found.iter().map(|problem| problem.at.as_ref().map_or_else(String::new, ToString::to_string)).collect();
    assert!(!places.contains(&String::new()), "{}", drawn(&found));
    for line in ["templates/t.yaml:5:", "templates/t.yaml:7:"] {
        assert!(places.iter().any(|place| place.starts_with(line)), "{line} is not in\n{}", drawn(&found));
    }
}

//! Functions over known and unknown values, as tables.

use super::*;
use serde_json::{Value as Json, json};

/// One resource called `Known` whose references are known, one called `New` whose are not.
struct Stack;

impl Resources for Stack {
    fn reference(&self, id: &str) -> Option<Value> {
        match id {
            "Known" => Some(Value::string("known-id")),
            "New" => Some(Value::Unknown),
            _ => None,
        }
    }

    fn attribute(&self, id: &str, attribute: &str) -> Option<Value> {
        match self.reference(id)? {
            Value::Unknown => Some(Value::Unknown),
            _ => Some(Value::String(format!("known-{attribute}"))),
        }
    }
}

const HEAD: &str = "\
Parameters:
  Env: {Type: String, Default: dev}
  List: {Type: CommaDelimitedList, Default: 'a, b,c'}
  Later: {Type: String}
  Image: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /image}
  Missing: {Type: 'AWS::SSM::Parameter::Value<List<String>>', Default: /missing}
  Secret: {Type: String, Default: s3cret, NoEcho: true}
Mappings:
  Sizes: {dev: {cpu: 256, zones: [x, y]}}
Conditions:
  IsDev: !Equals [!Ref Env, dev]
  IsProd: !Not [!Condition IsDev]
  Unsure: !Equals [!Ref Later, x]
  Both: !And [!Condition IsDev, !Condition Unsure]
  Either: !Or [!Condition IsDev, !Condition Unsure]
  Neither: !And [!Condition IsProd, !Condition Unsure]
";

/// Evaluates a property; gives its value and the problems.
fn evaluate_with(head: &str, text: &str) -> (Evaluated, Vec<String>) {
    let text = format!("{head}Resources:\n  A:\n    Type: T\n    Properties:\n      P: {text}\n");
    let (template, problems) = Template::read(&text).expect("a tree");
    assert_eq!(problems, [], "{text}");
    let given = [("Later".to_owned(), ParameterValue::Unknown)].into_iter().collect();
    let given = if head.contains("Later") { given } else { IndexMap::new() };
    let environment = Environment {
        region: Some("eu-west-1".to_owned()),
        availability_zones: vec!["eu-west-1a".to_owned(), "eu-west-1b".to_owned()],
        ..Environment::default()
    };
    let facts = Facts {
        ssm: [("/image".to_owned(), "ami-1".to_owned())].into_iter().collect(),
        exports: [("shared".to_owned(), "exported".to_owned())].into_iter().collect(),
        stack_outputs: [("net".to_owned(), [("Vpc".to_owned(), "vpc-1".to_owned())].into_iter().collect())]
            .into_iter()
            .collect(),
        ..Facts::default()
    };
    let evaluator = Evaluator::new(&template, &given, &environment, &facts);
    let expr = template.resources["A"].properties.as_ref().and_then(|all| all.get("P")).expect("P");
    let evaluated = evaluator.evaluate(expr, &Stack, "/Resources/A/Properties/P");
    (evaluated, evaluator.problems().into_iter().map(|problem| problem.message).collect())
}

fn evaluate(text: &str) -> Json {
    let (evaluated, problems) = evaluate_with(HEAD, text);
    assert_eq!(problems, [] as [&str; 0], "{text}");
    evaluated.value.to_json()
}

#[test]
fn functions_give_what_cloudformation_gives() {
    let unknown = KNOWN_AFTER_APPLY;
    let cases = [
        ("!Ref Env", json!("dev")),
        ("!Ref List", json!(["a", "b", "c"])),
        ("!Ref Later", json!(unknown)),
        ("!Ref Image", json!("ami-1")),
        ("!Ref Missing", json!(unknown)),
        ("!Ref Secret", json!(MASK)),
        ("!Ref AWS::Region", json!("eu-west-1")),
        ("!Ref AWS::StackId", json!(unknown)),
        ("!Ref Known", json!("known-id")),
        ("!Ref New", json!(unknown)),
        ("!GetAtt Known.Arn", json!("known-Arn")),
        ("!GetAtt New.Endpoint.Port", json!(unknown)),
        ("!Sub 'a-${Env}-${AWS::Region}-${!Literal}'", json!("a-dev-eu-west-1-${Literal}")),
        ("!Sub 'a-${New}-${Known.Arn}'", json!(format!("a-{unknown}-known-Arn"))),
        ("!Sub '${New}'", json!(unknown)),
        ("!Sub ['${x}/${y}', {x: 1, y: !Join ['', [p, !Ref Env]]}]", json!("1/pdev")),
        ("!Sub '${List}'", json!("a,b,c")),
        ("!Sub 'x${Secret}'", json!(MASK)),
        ("!Join ['-', [a, !Ref Env, 1, true]]", json!("a-dev-1-true")),
        ("!Join ['-', [a, !Ref New]]", json!(unknown)),
        ("!Join [',', !Ref List]", json!("a,b,c")),
        ("!Join ['', [!Ref AWS::NoValue]]", json!("")),
        ("!Join ['', []]", json!("")),
        ("!Select [1, !Ref List]", json!("b")),
        ("!Select ['0', [a, !Ref New]]", json!("a")),
        ("!Select [1, [a, !Ref New]]", json!(unknown)),
        ("!Select [0, !GetAZs '']", json!("eu-west-1a")),
        ("!Select [0, !GetAZs us-east-1]", json!(unknown)),
        ("!Split ['-', 'a-b--c::d']", json!(["a", "b", "", "c::d"])),
        ("!Split ['-', !Ref New]", json!(unknown)),
        ("!If [IsDev, 1, 2]", json!(1)),
        ("!If [IsProd, 1, 2]", json!(2)),
        ("!If [Unsure, 1, 2]", json!(unknown)),
        ("!If [Unsure, same, same]", json!("same")),
        ("!If [Both, 1, 2]", json!(unknown)),
        ("!If [Either, 1, 2]", json!(1)),
        ("!If [Neither, 1, 2]", json!(2)),
        ("[a, !If [IsProd, b, !Ref AWS::NoValue], c]", json!(["a", "c"])),
        ("{x: !If [IsProd, b, !Ref AWS::NoValue], y: 1}", json!({"y": 1})),
        ("!FindInMap [Sizes, !Ref Env, cpu]", json!(256)),
        ("!FindInMap [Sizes, dev, zones]", json!(["x", "y"])),
        ("!FindInMap [Sizes, prod, cpu, {DefaultValue: 512}]", json!(512)),
        ("!FindInMap [Sizes, !Ref Later, cpu]", json!(unknown)),
        ("!Base64 HelloWorld", json!("SGVsbG9Xb3JsZA==")),
        ("!Base64 {Ref: New}", json!(unknown)),
        ("!Cidr [10.0.0.0/16, 2, 8]", json!(["10.0.0.0/24", "10.0.1.0/24"])),
        ("!Select [1, !Cidr [!GetAtt New.CidrBlock, 2, 8]]", json!(unknown)),
        ("!ImportValue shared", json!("exported")),
        ("!ImportValue nobody", json!(unknown)),
        ("{'Fn::GetStackOutput': {StackName: net, OutputName: Vpc}}", json!("vpc-1")),
        ("{'Fn::GetStackOutput': {StackName: net, OutputName: Vpc, Region: us-east-1}}", json!(unknown)),
        ("!Length [a, !Ref New]", json!(2)),
        ("!ToJsonString {b: [1, x], a: !Ref Env}", json!(r#"{"b":[1,"x"],"a":"dev"}"#)),
        ("!ToJsonString {a: !Ref New}", json!(unknown)),
        ("'{{resolve:ssm:/x}}'", json!("{{resolve:ssm:/x}}")),
    ];
    for (text, expected) in cases {
        assert_eq!(evaluate(text), expected, "{text}");
    }
}

#[test]
fn mistakes_are_worded_as_cloudformation_words_them() {
    let cases = [
        (
            "!Ref Nobody",
            "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template",
        ),
        (
            "!Sub '${Nobody.Arn}'",
            "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template",
        ),
        ("!FindInMap [Sizes, prod, cpu]", "Template error: Unable to get mapping for Sizes::prod::cpu"),
        ("!If [Nobody, 1, 2]", "Template error: unresolved condition dependency Nobody in Fn::If"),
        (
            "!Select [7, [a]]",
            "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
        ),
        ("!Select [1, !Split [',', 'a']]", "Template error: Fn::Select  cannot select nonexistent value at index 1"),
        (
            "!Select [x, [a]]",
            "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
        ),
        (
            "!Select [0, a]",
            "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(evaluate_with(HEAD, text).1, [expected], "{text}");
    }
}

#[test]
fn parameters_are_checked() {
    let cases = [
        ("{Type: String}", "Parameters: [P] must have values"),
        ("{Type: String, Default: x, AllowedValues: [a, b]}", "Parameter 'P' must be one of AllowedValues"),
        ("{Type: String, Default: x1, AllowedPattern: '[a-z]+'}", "Parameter 'P' must match pattern [a-z]+"),
        ("{Type: String, Default: x, MinLength: 2}", "Parameter 'P' must contain at least 2 characters"),
        (
            "{Type: String, Default: xyz, MaxLength: 2, ConstraintDescription: too long}",
            "Parameter 'P' failed to satisfy constraint: too long",
        ),
        ("{Type: Number, Default: 5, MaxValue: 4}", "Parameter 'P' must be a number not greater than 4"),
        ("{Type: Number, Default: x}", "Parameter 'P' must be a number."),
    ];
    for (parameter, expected) in cases {
        assert_eq!(evaluate_with(&format!("Parameters: {{P: {parameter}}}\n"), "x").1, [expected], "{parameter}");
    }
    assert_eq!(
        evaluate_with("Parameters: {P: {Type: String, Default: xyz, AllowedPattern: '[a-z]+'}}\n", "x").1,
        [] as [&str; 0]
    );
}

#[test]
fn reads_say_what_went_where() {
    let (evaluated, _) =
        evaluate_with(HEAD, "{a: [x, !Sub '${Env}-${Known.Arn}'], b: !If [IsProd, !Ref New, !Ref Known]}");
    let reads: Vec<(&str, Read)> = evaluated.reads.iter().map(|(path, read)| (path, read.clone())).collect();
    assert_eq!(
        reads,
        [
            ("/a/1", Read::Parameter("Env".to_owned())),
            ("/a/1", Read::Attribute("Known".to_owned(), "Arn".to_owned())),
            ("/b", Read::Resource("Known".to_owned())),
        ]
    );
}

#[test]
fn cycles_and_long_chains_of_conditions_end() {
    let (_, problems) =
        evaluate_with("Conditions:\n  A: !Not [!Condition B]\n  B: !Not [!Condition A]\n", "!If [A, 1, 2]");
    assert!(problems[0].contains("Circular condition dependency"), "{problems:?}");
    let mut head = "Conditions:\n  C0: !Equals [a, a]\n".to_owned();
    for at in 1..5_000 {
        head.push_str(&format!("  C{at}: !Not [!Condition C{}]\n", at - 1));
    }
    assert_eq!(evaluate_with(&head, "!If [C4999, 1, 2]").0.value, Value::Number(2.into()));
}

#[test]
fn text_cannot_grow_without_bound() {
    let mut inner = "x".to_owned();
    for _ in 0..12 {
        let names = "${v}".repeat(100);
        inner = format!("{{'Fn::Sub': ['{names}', {{v: {inner}}}]}}");
    }
    let (evaluated, problems) = evaluate_with("", &inner);
    assert!(evaluated.value.weight() < 40 * 1024 * 1024);
    assert!(problems.iter().any(|problem| problem.contains("32 MiB")), "{problems:?}");
}

/// What a template's rules find wrong with these parameters.
fn broken_rules(rules: &str, given: &[(&str, &str)]) -> Vec<String> {
    let text = format!(
        "Parameters:\n  Env: {{Type: String, Default: dev}}\n  Size: {{Type: String, Default: small}}\n  \
         Users: {{Type: CommaDelimitedList, Default: ''}}\n  Later: {{Type: String, Default: x}}\n  \
         One: {{Type: 'AWS::EC2::VPC::Id', Default: vpc-1}}\n  Two: {{Type: 'List<AWS::EC2::VPC::Id>', Default: 'vpc-1,vpc-2'}}\n\
         Rules:\n{rules}Resources: {{A: {{Type: T}}}}\n"
    );
    let (template, problems) = Template::read(&text).expect("a tree");
    assert_eq!(problems, [], "{text}");
    let value =
        |value: &str| if value == "?" { ParameterValue::Unknown } else { ParameterValue::Known(value.to_owned()) };
    let given = given.iter().map(|(name, text)| ((*name).to_owned(), value(text))).collect();
    let (environment, mut facts): (Environment, Facts) = Default::default();
    let attributes =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    facts.named.insert("vpc-1".to_owned(), attributes(&[("Tags.Stage", "prod")]));
    facts.named.insert("vpc-2".to_owned(), attributes(&[("Tags.Stage", "dev")]));
    let evaluator = Evaluator::new(&template, &given, &environment, &facts);
    evaluator.check_rules();
    evaluator.problems().into_iter().map(|problem| problem.message).collect()
}

#[test]
fn rules_judge_parameters() {
    let large = "  Large:\n    RuleCondition: !Equals [!Ref Env, prod]\n    Assertions:\n    - Assert: !Contains [[large, huge], \
                 !Ref Size]\n      AssertDescription: prod is large\n    - Assert: !Not [!Equals [!Ref Size, tiny]]\n";
    assert_eq!(broken_rules(large, &[]), [""; 0], "its condition does not hold");
    assert_eq!(broken_rules(large, &[("Env", "prod"), ("Size", "huge")]), [""; 0]);
    assert_eq!(broken_rules(large, &[("Env", "prod")]), ["prod is large"]);
    let both = broken_rules(large, &[("Env", "prod"), ("Size", "tiny")]);
    assert_eq!(both, ["prod is large", "Assertion 2 of rule Large failed"]);
    assert_eq!(broken_rules(large, &[("Env", "prod"), ("Size", "?")]), [""; 0], "what is not known is not judged");
    assert_eq!(broken_rules(large, &[("Env", "?"), ("Size", "tiny")]), [""; 0]);
    let each = "  Each:\n    Assertions:\n    - Assert: !EachMemberIn [!Ref Users, [ada, grace]]\n      AssertDescription: unknown\n";
    assert_eq!(broken_rules(each, &[("Users", "ada,grace")]), [""; 0]);
    assert_eq!(broken_rules(each, &[("Users", "ada,eve")]), ["unknown"]);
    let some =
        "  Some:\n    Assertions:\n    - Assert: !Not [!Contains [!Ref Users, '']]\n      AssertDescription: nobody\n";
    assert_eq!(broken_rules(some, &[]), ["nobody"]);
    assert_eq!(broken_rules(some, &[("Users", "ada")]), [""; 0]);
    let one_vpc = "  Vpc:\n    Assertions:\n    - Assert: {'Fn::EachMemberEquals': [{'Fn::RefAll': 'AWS::EC2::VPC::Id'}, vpc-1]}\n      \
                   AssertDescription: two networks\n";
    assert_eq!(broken_rules(one_vpc, &[]), ["two networks"]);
    assert_eq!(broken_rules(one_vpc, &[("Two", "vpc-1")]), [""; 0]);
    let stages = |function: &str| {
        format!(
            "  Stage:\n    Assertions:\n    - Assert: {{'Fn::EachMemberEquals': [{function}, prod]}}\n      \
             AssertDescription: not prod\n"
        )
    };
    let of_one = stages("{'Fn::ValueOf': [Two, Tags.Stage]}");
    assert_eq!(broken_rules(&of_one, &[]), ["not prod"]);
    assert_eq!(broken_rules(&of_one, &[("Two", "vpc-1,vpc-1")]), [""; 0]);
    assert_eq!(broken_rules(&of_one, &[("Two", "vpc-9")]), [""; 0], "what nobody knows is not judged");
    let of_all = stages("{'Fn::ValueOfAll': ['AWS::EC2::VPC::Id', Tags.Stage]}");
    assert_eq!(broken_rules(&of_all, &[]), ["not prod"]);
    assert_eq!(broken_rules(&of_all, &[("Two", "vpc-1")]), [""; 0]);
    let equals = "  Stage:\n    Assertions:\n    - Assert: !Equals [{'Fn::ValueOf': [One, Tags.Stage]}, dev]\n      \
                  AssertDescription: not dev\n";
    assert_eq!(broken_rules(equals, &[]), ["not dev"]);
    assert_eq!(broken_rules(equals, &[("One", "vpc-2")]), [""; 0]);
}

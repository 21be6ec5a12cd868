//! Templates in both syntaxes, and what is wrong with bad ones.

use super::*;
use serde_json::json;

fn problems(text: &str) -> Vec<String> {
    match Template::read(text) {
        Ok((_, problems)) => problems.into_iter().map(|problem| problem.message).collect(),
        Err(problem) => vec![problem.message],
    }
}

fn property(text: &str) -> Expr {
    let text = format!("Resources:\n  A:\n    Type: T\n    Properties:\n      P: {text}\n");
    let template = Template::parse(&text).unwrap_or_else(|problems| panic!("{problems:?}"));
    template.resources["A"].properties.as_ref().and_then(|all| all.get("P")).cloned().expect("P")
}

#[test]
fn short_and_long_forms_are_the_same_expression() {
    let cases = [
        ("!Ref X", "{Ref: X}"),
        ("!GetAtt A.B.C", "{'Fn::GetAtt': [A, B.C]}"),
        ("!GetAtt [A, B]", "{'Fn::GetAtt': A.B}"),
        ("!Sub 'a${B}'", "{'Fn::Sub': 'a${B}'}"),
        ("!Sub ['a${B}', {B: !Ref C}]", "{'Fn::Sub': ['a${B}', {B: {Ref: C}}]}"),
        ("!Join ['-', [a, !Ref B]]", "{'Fn::Join': ['-', [a, {Ref: B}]]}"),
        ("!Select [0, !GetAZs '']", "{'Fn::Select': [0, {'Fn::GetAZs': ''}]}"),
        ("!If [C, 1, !Ref AWS::NoValue]", "{'Fn::If': [C, 1, {Ref: 'AWS::NoValue'}]}"),
        ("!FindInMap [M, a, b, {DefaultValue: x}]", "{'Fn::FindInMap': [M, a, b, {DefaultValue: x}]}"),
        ("!Base64 {'Fn::Sub': x}", "{'Fn::Base64': !Sub x}"),
        ("!Fn::ImportValue x", "{'Fn::ImportValue': x}"),
        ("!Cidr [10.0.0.0/16, 2, 8]", "{'Fn::Cidr': [10.0.0.0/16, 2, 8]}"),
        ("!Length [a]", "{'Fn::Length': [a]}"),
        ("!ToJsonString {a: !Ref B}", "{'Fn::ToJsonString': {a: {Ref: B}}}"),
        ("!Split [',', 'a,b']", "{'Fn::Split': [',', 'a,b']}"),
    ];
    for (short, long) in cases {
        let (short, long) = (property(short), property(long));
        assert_eq!(short.to_json(), long.to_json());
        assert!(short.as_call().is_some(), "{short:?}");
        assert!(!matches!(short.as_call(), Some(Function::Malformed { .. })), "{short:?}");
    }
}

#[test]
fn sub_is_split_into_text_and_names() {
    let parts = |text: &str| match property(&format!("!Sub '{text}'")).as_call() {
        Some(Function::Sub { parts, .. }) => parts.clone(),
        other => panic!("{other:?}"),
    };
    let text = |text: &str| SubPart::Text(text.to_owned());
    let name = |name: &str| SubPart::Name(name.to_owned());
    assert_eq!(parts("a-${B}-${C.D}"), [text("a-"), name("B"), text("-"), name("C.D")]);
    assert_eq!(parts("${!Literal} ${ Spaced }"), [text("${Literal} "), name("Spaced")]);
    assert_eq!(parts("no ${close"), [text("no ${close")]);
    assert_eq!(parts("$ {x} $${Y}"), [text("$ {x} $"), name("Y")]);
    assert_eq!(parts(""), []);
}

#[test]
fn condition_is_a_function_in_conditions_only() {
    let text = "Conditions:\n  A: !Equals [a, b]\n  B: !Not [!Condition A]\n  C: {'Fn::Or': [{Condition: A}, !Condition B]}\n\
                Resources:\n  R:\n    Type: T\n    Properties:\n      Statement: {Condition: {Bool: x}}\n      X: {Condition: A}\n";
    let template = Template::parse(text).expect("right");
    let condition = |name: &str| template.conditions[name].expr.to_json();
    assert_eq!(condition("B"), json!({"Fn::Not": [{"Condition": "A"}]}));
    assert!(matches!(template.conditions["C"].expr.as_call(), Some(Function::Or(all))
        if all.iter().all(|one| matches!(one.as_call(), Some(Function::Condition(_))))));
    let properties = template.resources["R"].properties.as_ref().expect("properties");
    assert!(properties.get("X").is_some_and(|x| x.as_map().is_some()));
}

#[test]
fn sections_are_typed_and_placed() {
    let text = "\
Transform: [AWS::LanguageExtensions, {Name: Mine, Parameters: {a: b}}]
Parameters:
  Port: {Type: Number, Default: 8080, MinValue: 1, MaxValue: 65535, NoEcho: true}
  Image: {Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>', Default: /x}
  Subnets: {Type: 'List<AWS::EC2::Subnet::Id>'}
Mappings:
  M: {a: {b: [1, 2]}}
Rules:
  R: {RuleCondition: !Equals [a, a], Assertions: [{Assert: !Contains [[a], a], AssertDescription: no}]}
Resources:
  Fn::ForEach::Topics: [N, [a], {'T${N}': {Type: 'AWS::SNS::Topic'}}]
  A:
    Type: AWS::SNS::Topic
    Condition: C
    DependsOn: B
    DeletionPolicy: Retain
  B: {Type: 'AWS::SNS::Topic', DependsOn: [A, C], UpdateReplacePolicy: Snapshot}
Outputs:
  O: {Value: !Ref A, Export: {Name: !Sub '${AWS::StackName}-x'}, Condition: C}
";
    let template = Template::parse(text).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert!(template.has_language_extensions());
    assert_eq!(template.macros().map(|one| one.name.value.as_str()).collect::<Vec<_>>(), ["Mine"]);
    let port = &template.parameters["Port"];
    assert_eq!((port.default.as_ref().map(|text| text.value.as_str()), port.no_echo), (Some("8080"), true));
    assert_eq!((port.min_value, port.max_value, port.name_span.start.line), (Some(1.0), Some(65535.0), 3));
    assert!(template.parameters["Image"].parameter_type.is_ssm() && !template.parameters["Image"].is_list());
    assert!(template.parameters["Subnets"].is_list());
    assert_eq!(template.mappings["M"].keys["a"]["b"].to_json(), json!([1, 2]));
    assert_eq!(template.rules["R"].assertions.len(), 1);
    assert_eq!(template.loops.len(), 1);
    assert_eq!(template.resources.keys().collect::<Vec<_>>(), ["A", "B"]);
    assert_eq!(template.resources["B"].depends_on.len(), 2);
    assert_eq!(template.resources["A"].depends_on[0].span.start.line, 15);
    assert!(template.outputs["O"].export.is_some());
}

#[test]
fn problems_are_worded_as_cloudformation_words_them() {
    let resource = |body: &str| format!("Resources:\n  A:\n    {body}\n");
    let cases = [
        ("Description: x".to_owned(), "Template format error: At least one Resources member must be defined."),
        ("Resources: {}".to_owned(), "Template format error: At least one Resources member must be defined."),
        ("[]".to_owned(), "Template format error: unsupported structure."),
        ("Resources: {A: x}".to_owned(), "Template format error: Any Resources member must be an object."),
        (
            "Resources: {A: {}}".to_owned(),
            "Template format error: [/Resources/A] Every Resources object must contain a Type member.",
        ),
        (resource("Type: T\n    Invalid: x"), "Invalid template resource property 'Invalid'"),
        (
            "Resources: {my-bad: {Type: T}}".to_owned(),
            "Template format error: Resource name my-bad is non alphanumeric.",
        ),
        (
            "Resources: {A: {Type: T}}\nOutputs: {O: {Value: null, X: 1}}".to_owned(),
            "[/Outputs/O/Value] 'null' values are not allowed in templates",
        ),
        (
            "Resources: {A: {Type: T}}\nOutputs: {O: {}}".to_owned(),
            "Template format error: Every Outputs member must contain a Value object",
        ),
        (
            "Mappings: {M: {a: {b: {c: d}}}}\nResources: {A: {Type: T}}".to_owned(),
            "Template format error: Every Mappings attribute must be a String or a List.",
        ),
        (
            "Mappings: {M: {A: x}}\nResources: {A: {Type: T}}".to_owned(),
            "Template format error: Every Mappings member A must be a map",
        ),
        (
            resource("Type: T\n    Properties: {P: !GetAtt X}"),
            "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the \
             resource attribute",
        ),
        (
            resource("Type: T\n    Properties: {P: !Split ['-']}"),
            "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string \
             to be split or a function that returns a string to be split.",
        ),
        (
            resource("Type: T\n    Properties: {P: !Select [0]}"),
            "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
        ),
        (
            "Transform: {Name: !Ref X}\nResources: {A: {Type: T}}".to_owned(),
            "Key Name of transform definition must be a string.",
        ),
        ("Resources: {A: {Type: T}}\nFoo: 1".to_owned(), "Invalid template property or properties [Foo]"),
    ];
    for (text, expected) in cases {
        assert_eq!(problems(&text), [expected], "{text}");
    }
    assert_eq!(problems("{\"a\": ]}"), ["Template format error: JSON not well-formed. (line 1, column 8)"]);
    let comma = "{\n  \"Resources\": {\"A\": {\"Type\": \"T\"},}\n}";
    assert_eq!(problems(comma), [""; 0], "AWS takes a comma too many, as YAML does");
    assert!(problems("a: [b").join("").starts_with("Template format error: YAML not well-formed."));
}

#[test]
fn writing_and_reading_gives_the_same_template() {
    let text =
        "Resources:\n  A:\n    Type: T\n    Properties:\n      P: !If [C, !GetAtt A.B, !Sub ['${x}', {x: !Ref Y}]]\n";
    let written = Template::parse(text).expect("right").to_json();
    let again = Template::parse(&written.to_string()).expect("right");
    assert_eq!(again.to_json(), written);
}

#[test]
fn a_version_belongs_to_custom_resources_alone() {
    for (of, expected) in [
        ("Custom::PingTester", vec![]),
        ("AWS::CloudFormation::CustomResource", vec![]),
        ("AWS::SNS::Topic", vec!["Invalid template resource property 'Version'"]),
    ] {
        assert_eq!(problems(&format!("Resources: {{A: {{Type: '{of}', Version: '1.0'}}}}")), expected, "{of}");
    }
}

#[test]
fn defaults_are_what_was_written() {
    let read = |default: &str| {
        let text = format!("Parameters: {{P: {{Type: String, Default: {default}}}}}\nResources: {{A: {{Type: T}}}}");
        let template = Template::parse(&text).unwrap_or_else(|problems| panic!("{problems:?}"));
        let written = template.to_json()["Parameters"]["P"]["Default"].clone();
        (template.parameters["P"].default.as_ref().map(|text| text.value.clone()).unwrap_or_default(), written)
    };
    for text in ["1.30", "1e3", "0x1F", "0o17", "012", "1_000", "12345678901234567890", "2012-10-17", "1.0.0"] {
        let (value, json) = read(text);
        assert_eq!(value, text);
        assert_eq!(json.as_str().map_or_else(|| json.to_string(), str::to_owned), text);
    }
    assert_eq!(read("Yes"), ("true".to_owned(), serde_json::json!(true)));
    assert_eq!(read("'Yes'"), ("Yes".to_owned(), serde_json::json!("Yes")));
}

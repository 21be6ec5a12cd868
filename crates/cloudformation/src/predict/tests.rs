//! Predictions of small changes, as tables, snapshots and whole answers.

use super::*;
use crate::evaluate::LiveResource;
use std::fmt::Write;

fn deployment(template: &str, parameters: &[(&str, Option<&str>)]) -> Deployment {
    let template = Template::parse(template).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let parameters = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.map_or(ParameterValue::Unknown, ParameterValue::from)))
        .collect();
    Deployment { parameters, ..Deployment::new(template) }
}

/// A line for each change, and one for each detail of it.
fn summary(prediction: &Prediction) -> String {
    let mut text = String::new();
    for change in &prediction.changes {
        let _ = write!(text, "{:?} {} ({})", change.action, change.logical_id, change.resource_type);
        if let Some(replacement) = change.replacement {
            let _ = write!(text, ", replacement {replacement:?}");
        }
        if let Some(policy) = change.policy_action {
            let _ = write!(text, ", {policy:?}");
        }
        text.push('\n');
        for detail in &change.details {
            let target = &detail.target;
            let side = |value: &Option<Value>| value.as_ref().map_or("∅".to_owned(), |value| format!("{value:?}"));
            let values = match target.change {
                Some(kind) => format!(" {kind:?} {} → {}", side(&target.before), side(&target.after)),
                None => String::new(),
            };
            let path = target.path.as_deref().unwrap_or("-");
            let because = detail.causing_entity.as_ref().map_or(String::new(), |entity| format!(" {entity}"));
            let _ = writeln!(
                text,
                "  {:?} {path}{values} [{:?} {:?} {:?}{because}, shown {:?}]",
                target.attribute, target.requires_recreation, detail.evaluation, detail.source, detail.shown
            );
        }
    }
    for (name, output) in
        prediction.outputs.iter().filter(|(_, output)| output.before != output.after || output.may_change)
    {
        let _ = writeln!(
            text,
            "output {name}: {:?} → {:?}, may change: {}",
            output.before, output.after, output.may_change
        );
    }
    text
}

fn predicted(before: &str, after: &str) -> String {
    let (before, after) = (deployment(before, &[]), deployment(after, &[]));
    summary(&predict(Some(&before), Some(&after)).unwrap_or_else(|problems| panic!("{problems:#?}")))
}

/// Templates of one resource `R` with these lines below `Properties:` or beside it.
fn one(type_name: &str, body: &str) -> String {
    format!("Resources:\n  R:\n    Type: {type_name}\n    {}\n", body.trim().replace('\n', "\n    "))
}

#[test]
fn nested_values_are_listed_leaf_by_leaf() {
    let before = one(
        "AWS::Lambda::Function",
        "Properties: {Timeout: 3, Role: r, Code: {S3Bucket: b}, Environment: {Variables: {A: '1', B: '2', C: '3'}}, Layers: [x, y], Tags: []}",
    );
    let after = one(
        "AWS::Lambda::Function",
        "Properties: {Timeout: '3', Role: r, Code: {S3Bucket: b2}, Environment: {Variables: {A: '1', B: '9', D: '4'}}, Layers: [x], Tags: [{Key: k, Value: v}], MemorySize: 128}",
    );
    insta::assert_snapshot!(predicted(&before, &after));
}

#[test]
fn tags_of_ec2_are_an_attribute() {
    let before = one(
        "AWS::EC2::Instance",
        "Properties: {ImageId: a, InstanceType: t2.micro, Tags: [{Key: Purpose, Value: testing}]}",
    );
    let after =
        one("AWS::EC2::Instance", "Properties: {ImageId: a, InstanceType: t2.small, Tags: [{Key: Test, Value: Test}]}");
    insta::assert_snapshot!(predicted(&before, &after));
}

#[test]
fn policies_and_metadata_are_attributes() {
    let before = one("AWS::S3::Bucket", "Metadata: {Why: {a: 1}}\nDeletionPolicy: Delete");
    let after = one(
        "AWS::S3::Bucket",
        "Metadata: {Why: {a: 2}}\nDeletionPolicy: Retain\nUpdateReplacePolicy: Retain\nProperties: {BucketName: new}",
    );
    insta::assert_snapshot!(predicted(&before, &after));
}

#[test]
fn removed_resources_follow_their_deletion_policy() {
    let none = "Resources: {Keep: {Type: 'AWS::SNS::Topic'}}\n";
    let policy = |type_name: &str, body: &str| {
        let before = format!("{}  Keep: {{Type: 'AWS::SNS::Topic'}}\n", one(type_name, body));
        let prediction = predict(Some(&deployment(&before, &[])), Some(&deployment(none, &[]))).expect("right");
        prediction.changes[0].policy_action
    };
    let cases = [
        ("AWS::S3::Bucket", "", PolicyAction::Delete),
        ("AWS::S3::Bucket", "DeletionPolicy: Retain", PolicyAction::Retain),
        ("AWS::S3::Bucket", "DeletionPolicy: RetainExceptOnCreate", PolicyAction::Retain),
        ("AWS::RDS::DBInstance", "DeletionPolicy: Snapshot", PolicyAction::Snapshot),
        ("AWS::RDS::DBInstance", "DeletionPolicy: Delete", PolicyAction::Delete),
        ("AWS::RDS::DBInstance", "", PolicyAction::Snapshot),
        ("AWS::RDS::DBInstance", "Properties: {DBClusterIdentifier: c}", PolicyAction::Delete),
        ("AWS::RDS::DBCluster", "", PolicyAction::Snapshot),
    ];
    for (type_name, body, expected) in cases {
        assert_eq!(policy(type_name, body), Some(expected), "{type_name} {body}");
    }
}

const CHAIN: &str = "
Resources:
  Bucket: {Type: 'AWS::S3::Bucket', Properties: {BucketName: NAME, Tags: [{Key: a, Value: TAG}]}}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties: {Bucket: !Ref Bucket, PolicyDocument: {Statement: [{Effect: Allow, Resource: !Sub '${Bucket.Arn}/*'}]}}
  Value: {Type: 'AWS::SSM::Parameter', Properties: {Type: String, Value: !GetAtt Bucket.Arn}}
  Reader: {Type: 'AWS::SSM::Parameter', Properties: {Type: String, Value: !GetAtt Value.Value}}
  Apart: {Type: 'AWS::SNS::Topic', DependsOn: Bucket}
Outputs:
  Arn: {Value: !GetAtt Bucket.Arn}
  Name: {Value: !Ref Bucket}
";

fn chain(name: &str, tag: &str) -> String {
    CHAIN.replace("NAME", name).replace("TAG", tag)
}

#[test]
fn a_replacement_reaches_those_that_refer_to_it() {
    insta::assert_snapshot!(predicted(&chain("one", "x"), &chain("two", "x")));
}

#[test]
fn a_change_in_place_reaches_readers_of_attributes_in_the_plain_description_only() {
    let (before, after) = (deployment(&chain("one", "x"), &[]), deployment(&chain("one", "y"), &[]));
    let prediction = predict(Some(&before), Some(&after)).expect("right");
    insta::assert_snapshot!(summary(&prediction));
    let listed = |values| -> Vec<String> {
        describe(&prediction.changes, values)
            .iter()
            .map(|change| change["ResourceChange"]["LogicalResourceId"].as_str().expect("an id").to_owned())
            .collect()
    };
    assert_eq!(listed(PropertyValues::Included), ["Bucket"]);
    assert_eq!(listed(PropertyValues::Omitted), ["Bucket", "Policy", "Reader", "Value"]);
}

#[test]
fn known_attributes_show_what_was() {
    let mut before = deployment(&chain("one", "x"), &[]);
    let live = LiveResource {
        physical_id: Some("one".to_owned()),
        attributes: [("Arn".to_owned(), serde_json::json!("arn:aws:s3:::one"))].into_iter().collect(),
    };
    before.facts.resources.insert("Bucket".to_owned(), live);
    let prediction = predict(Some(&before), Some(&deployment(&chain("two", "x"), &[]))).expect("right");
    let value = prediction.changes.iter().find(|change| change.logical_id == "Value").expect("a change");
    assert_eq!(value.details[0].target.before, Some(Value::string("arn:aws:s3:::one")));
    assert_eq!(value.details[0].target.after, Some(Value::Unknown));
    assert_eq!(prediction.outputs["Name"].after, Some(Value::Unknown));
}

const PARAMETERS: &str = "
Parameters:
  Name: {Type: String}
  Size: {Type: Number, Default: 1}
  Secret: {Type: String, Default: s, NoEcho: true}
Conditions:
  Big: !Equals [!Ref Size, 2]
Resources:
  Topic: {Type: 'AWS::SNS::Topic', Properties: {TopicName: !Ref Name, DisplayName: !If [Big, big, small]}}
  Value: {Type: 'AWS::SSM::Parameter', Properties: {Type: String, Value: !Sub '${Secret}-${Size}', Description: fixed}}
  Extra: {Type: 'AWS::SNS::Topic', Condition: Big}
";

#[test]
fn parameters_are_causes() {
    let before = deployment(PARAMETERS, &[("Name", Some("a"))]);
    let after = deployment(PARAMETERS, &[("Name", Some("b")), ("Size", Some("2")), ("Secret", Some("t"))]);
    insta::assert_snapshot!(summary(&predict(Some(&before), Some(&after)).expect("right")));
}

#[test]
fn unknown_parameters_make_changes_uncertain() {
    let before = deployment(PARAMETERS, &[("Name", Some("a"))]);
    let after = deployment(PARAMETERS, &[("Name", None), ("Size", None)]);
    insta::assert_snapshot!(summary(&predict(Some(&before), Some(&after)).expect("right")));
}

#[test]
fn secrets_are_never_shown() {
    let before = deployment(PARAMETERS, &[("Name", Some("a")), ("Secret", Some("hidden-1"))]);
    let after = deployment(PARAMETERS, &[("Name", Some("a")), ("Secret", Some("hidden-2"))]);
    let prediction = predict(Some(&before), Some(&after)).expect("right");
    assert_eq!(prediction.changes.len(), 1);
    let described = serde_json::to_string(&describe(&prediction.changes, PropertyValues::Included)).expect("JSON");
    let serialised = serde_json::to_string(&prediction).expect("JSON");
    assert!(!described.contains("hidden") && !serialised.contains("hidden"), "{described}");
    assert!(described.contains("****"));
}

#[test]
fn creation_and_deletion_of_a_stack() {
    let stack = deployment(&chain("one", "x"), &[]);
    let actions = |before, after| -> Vec<(Action, String)> {
        let changes = predict(before, after).expect("right").changes;
        changes.into_iter().map(|change| (change.action, change.logical_id)).collect()
    };
    let created = actions(None, Some(&stack));
    assert!(created.iter().all(|(action, _)| *action == Action::Add) && created.len() == 5);
    let removed = actions(Some(&stack), None);
    assert!(removed.iter().all(|(action, _)| *action == Action::Remove));
    let order = |changes: &[(Action, String)]| changes.iter().map(|(_, id)| id.clone()).collect::<Vec<_>>();
    let reversed: Vec<String> = order(&removed).into_iter().rev().collect();
    assert_eq!(order(&created), reversed);
    assert_eq!(actions(Some(&stack), Some(&stack)), []);
    assert_eq!(actions(None, None), []);
}

#[test]
fn empty_objects_change_without_being_seen() {
    let before = one("AWS::WAFv2::WebACL", "Properties: {DefaultAction: {Allow: {}}}");
    let after = one("AWS::WAFv2::WebACL", "Properties: {DefaultAction: {Block: {}}}");
    let prediction = predict(Some(&deployment(&before, &[])), Some(&deployment(&after, &[]))).expect("right");
    assert!(prediction.changes[0].details.iter().all(|detail| detail.shown == Shown::Never));
    assert_eq!(describe(&prediction.changes, PropertyValues::Included), [] as [serde_json::Value; 0]);
}

#[test]
fn nested_stacks_and_tags_of_the_stack() {
    let text = "
Resources:
  Nested: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: 'https://x'}}
  Topic: {Type: 'AWS::SNS::Topic', Properties: {DisplayName: !GetAtt Nested.Outputs.Name}}
";
    let mut after = deployment(text, &[]);
    after.tags.insert("owner".to_owned(), "platform".to_owned());
    insta::assert_snapshot!(summary(&predict(Some(&deployment(text, &[])), Some(&after)).expect("right")));
}

#[test]
fn imports_are_said() {
    let mut after = deployment(&one("AWS::S3::Bucket", "DeletionPolicy: Retain"), &[]);
    after.imports.insert("R".to_owned(), "my-bucket".to_owned());
    let prediction = predict(None, Some(&after)).expect("right");
    assert_eq!(prediction.changes[0].action, Action::Import);
    assert_eq!(prediction.changes[0].physical_id.as_deref(), Some("my-bucket"));
}

#[test]
fn what_cloudformation_refuses_is_refused() {
    let refused = |before: &str, after: &str| -> String {
        match predict(Some(&deployment(before, &[])), Some(&deployment(after, &[]))) {
            Ok(prediction) => panic!("{prediction:#?}"),
            Err(problems) => problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join("; "),
        }
    };
    let topic = one("AWS::SNS::Topic", "");
    assert_eq!(
        refused(&topic, &one("AWS::SQS::Queue", "")),
        "Update of resource type is not permitted. The new template modifies resource type of the following \
         resources: [R]"
    );
    let cycle = "Resources: {A: {Type: T, DependsOn: B}, B: {Type: T, DependsOn: A}, C: {Type: T}}";
    assert_eq!(refused(&topic, cycle), "Circular dependency between resources: [A, B]");
    assert!(refused(&topic, &format!("Transform: Mine\n{topic}")).contains("only CloudFormation can run"));
    let inside = one("AWS::SNS::Topic", "Properties: {DisplayName: x, Fn::Transform: {Name: Mine}}");
    assert!(refused(&topic, &inside).contains("only CloudFormation can run"));
    for body in ["Properties: {DisplayName: !Ref Nobody}", "DependsOn: Nobody", "Metadata: {X: !GetAtt Nobody.Arn}"] {
        let expected =
            "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template";
        assert_eq!(refused(&topic, &one("AWS::SNS::Topic", body)), expected, "{body}");
    }
}

#[test]
fn language_extensions_are_literals_to_the_comparison() {
    let text = "
Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList}}
Resources:
  Fn::ForEach::Topics: [N, !Ref Names, {'Topic${N}': {Type: 'AWS::SNS::Topic', Properties: {TopicName: !Ref N}}}]
  Count: {Type: 'AWS::SSM::Parameter', Properties: {Type: String, Value: {'Fn::Length': !Ref Names}}}
";
    let (before, after) = (deployment(text, &[("Names", Some("a,b"))]), deployment(text, &[("Names", Some("b,c,d"))]));
    insta::assert_snapshot!(summary(&predict(Some(&before), Some(&after)).expect("right")));
}

#[test]
fn a_group_is_replaced_only_where_its_update_policy_says_so() {
    let group = |version: &str, policy: &str| {
        format!(
            "Resources:\n  Group:\n    Type: AWS::AutoScaling::AutoScalingGroup\n{policy}    Properties:\n      \
             MinSize: '1'\n      MaxSize: '2'\n      LaunchTemplate: {{LaunchTemplateId: lt-1, Version: '{version}'}}\n"
        )
    };
    let replacement = |policy: &str| {
        let (before, after) = (deployment(&group("1", policy), &[]), deployment(&group("2", policy), &[]));
        let prediction = predict(Some(&before), Some(&after)).unwrap_or_else(|problems| panic!("{problems:#?}"));
        prediction.changes[0].replacement
    };
    assert_eq!(replacement(""), Some(Replacement::False));
    let replacing = "    UpdatePolicy: {AutoScalingReplacingUpdate: {WillReplace: true}}\n";
    assert_eq!(replacement(replacing), Some(Replacement::True));
    let rolling = "    UpdatePolicy: {AutoScalingRollingUpdate: {MinInstancesInService: '1'}}\n";
    assert_eq!(replacement(rolling), Some(Replacement::False));
}

/// As AWS answers where an SSM parameter holds something else under the same name: no word of the parameter.
#[test]
fn an_ssm_parameter_that_moved_is_a_direct_modification() {
    let template = "
        Parameters: {Name: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /shop/name}}
        Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Name}}}";
    let holding = |name: &str, value: &str| {
        let mut deployment = deployment(template, &[("Name", Some(name))]);
        deployment.facts.ssm.insert(name.to_owned(), value.to_owned());
        deployment
    };
    let details = |before: &Deployment, after: &Deployment| {
        let changes = predict(Some(before), Some(after)).unwrap().changes;
        let details = changes.iter().flat_map(|change| &change.details);
        details.map(|it| (it.source, it.evaluation, it.causing_entity.clone())).collect::<Vec<_>>()
    };
    let before = holding("/shop/name", "queue-a");
    assert_eq!(
        details(&before, &holding("/shop/name", "queue-b")),
        [(ChangeSource::DirectModification, Evaluation::Static, None)]
    );
    assert_eq!(details(&before, &holding("/shop/other", "queue-a")), []);
    let other = details(&before, &holding("/shop/other", "queue-b"));
    assert!(
        other.contains(&(ChangeSource::ParameterReference, Evaluation::Static, Some("Name".to_owned()))),
        "{other:?}"
    );
}

//! Changes that modify or replace a resource.

use super::*;

fn topic(id: &str, properties: &str) -> String {
    format!("  {id}: {{Type: AWS::SNS::Topic, Properties: {{{properties}}}}}\n")
}

fn resources(topics: &[(&str, &str)]) -> String {
    format!("Resources:\n{}", topics.iter().map(|(id, properties)| topic(id, properties)).collect::<String>())
}

#[tokio::test(start_paused = true)]
async fn a_modification_has_these_members() {
    let before = resources(&[("A", "TopicName: t, DisplayName: one")]);
    let (_, described) = Cloud::changing(&before, &before.replace("one", "two")).await;
    let plain = change(&described.plain, "A");
    let expected =
        ["Action", "Details", "LogicalResourceId", "PhysicalResourceId", "Replacement", "ResourceType", "Scope"];
    assert_eq!(members(plain), expected);
    assert_eq!((&plain["Replacement"], &plain["Scope"]), (&json!("False"), &json!(["Properties"])));
    let detail = &plain["Details"][0];
    assert_eq!(members(detail), ["ChangeSource", "Evaluation", "Target"]);
    let target = json!({"Attribute": "Properties", "Name": "DisplayName", "RequiresRecreation": "Never"});
    assert_eq!(detail["Target"], target);
    assert_eq!(details(plain), set(["DisplayName DirectModification/Static"]));

    let valued = described.change("A");
    let mut with_contexts = expected.to_vec();
    with_contexts.extend(["AfterContext", "BeforeContext"]);
    with_contexts.sort_unstable();
    assert_eq!(members(valued), with_contexts);
    let target = json!({"Attribute": "Properties", "Name": "DisplayName", "RequiresRecreation": "Never",
        "Path": "/Properties/DisplayName", "AttributeChangeType": "Modify", "BeforeValue": "one", "AfterValue": "two"});
    assert_eq!(valued["Details"][0]["Target"], target);
    // Both contexts have all properties, changed or not.
    let all = |value: &str| json!({"Properties": {"TopicName": "t", "DisplayName": value}});
    assert_eq!(context(valued, "BeforeContext"), all("one"));
    assert_eq!(context(valued, "AfterContext"), all("two"));
}

#[tokio::test(start_paused = true)]
async fn a_replacement_says_so() {
    let before = resources(&[("A", "TopicName: one")]);
    let (_, described) = Cloud::changing(&before, &before.replace("one", "two")).await;
    for json in [&described.plain, &described.valued] {
        let change = change(json, "A");
        assert_eq!(change["Replacement"], "True");
        assert_eq!(change["PolicyAction"], "ReplaceAndDelete");
        assert_eq!(change["Details"][0]["Target"]["RequiresRecreation"], "Always");
    }
}

#[tokio::test(start_paused = true)]
async fn empty_text_is_modified_like_any_other() {
    let (_, described) =
        Cloud::changing(&resources(&[("A", "DisplayName: ''")]), &resources(&[("A", "DisplayName: x")])).await;
    let target = &described.change("A")["Details"][0]["Target"];
    assert_eq!(target["AttributeChangeType"], "Modify");
    assert_eq!((&target["BeforeValue"], &target["AfterValue"]), (&json!(""), &json!("x")));
}

#[tokio::test(start_paused = true)]
async fn literals_inside_functions_are_static() {
    let mapping = |value: &str| format!("Mappings: {{M: {{a: {{b: {value}}}}}}}\n");
    let plain = |properties: &str| resources(&[("A", properties)]);
    let edits = [
        (plain("DisplayName: !Join ['-', [a, b]]"), plain("DisplayName: !Join ['.', [a, b]]")),
        (plain("DisplayName: !Sub 'a-${AWS::Region}'"), plain("DisplayName: !Sub 'b-${AWS::Region}'")),
        (plain("DisplayName: !Select [0, [a, b]]"), plain("DisplayName: !Select [1, [a, b]]")),
        (plain("DisplayName: !Select [0, !Split ['-', a-b]]"), plain("DisplayName: !Select [0, !Split ['-', c-b]]")),
        (plain("DisplayName: !Base64 a"), plain("DisplayName: !Base64 b")),
        (
            mapping("one") + &plain("DisplayName: !FindInMap [M, a, b]"),
            mapping("two") + &plain("DisplayName: !FindInMap [M, a, b]"),
        ),
    ];
    for (before, after) in edits {
        let (_, described) = Cloud::changing(&before, &after).await;
        for json in [&described.plain, &described.valued] {
            assert_eq!(details(change(json, "A")), set(["DisplayName DirectModification/Static"]), "{after}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_parameter_causes_two_details() {
    let expected = set(["DisplayName DirectModification/Dynamic", "DisplayName ParameterReference/Static P"]);
    let template =
        format!("Parameters: {{P: {{Type: String, Default: d}}}}\n{}", resources(&[("A", "DisplayName: !Ref P")]));
    let (_, described) = Cloud::reparametrised(&template, &[("P", "one")], &[("P", "two")]).await;
    for json in [&described.plain, &described.valued] {
        assert_eq!(details(change(json, "A")), expected);
    }
    // Another default is another value.
    let (_, described) = Cloud::changing(&template, &template.replace("Default: d", "Default: e")).await;
    assert_eq!(details(described.change("A")), expected);
    // So it is when the template only begins to read the parameter.
    let literal = template.replace("DisplayName: !Ref P", "DisplayName: x");
    let (_, described) = Cloud::changing(&literal, &template.replace("!Ref P", "!Sub 'x-${P}'")).await;
    for json in [&described.plain, &described.valued] {
        assert_eq!(details(change(json, "A")), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn the_reader_of_something_replaced_is_told_of_it() {
    let before = resources(&[("A", "TopicName: one"), ("B", "TopicName: b, DisplayName: !GetAtt A.TopicName")]);
    let (_, described) = Cloud::changing(&before, &before.replace("TopicName: one", "TopicName: two")).await;
    let valued = described.change("B");
    let expected = set(["DisplayName DirectModification/Dynamic", "DisplayName ResourceAttribute/Static A.TopicName"]);
    assert_eq!(details(valued), expected);
    for detail in valued["Details"].as_array().expect("details") {
        let target = &detail["Target"];
        assert_eq!((&target["BeforeValue"], &target["AfterValue"]), (&json!("one"), &json!(LATER)));
    }
    let only = set(["DisplayName ResourceAttribute/Static A.TopicName"]);
    assert_eq!(details(change(&described.plain, "B")), only);
}

#[tokio::test(start_paused = true)]
async fn the_reader_of_something_changed_in_place_is_listed_without_values_only() {
    let before = resources(&[
        ("A", "TopicName: a, DisplayName: one"),
        ("B", "TopicName: b, DisplayName: !GetAtt A.DisplayName"),
        ("C", "TopicName: c, DisplayName: !Ref A"),
    ]);
    let (cloud, described) = Cloud::changing(&before, &before.replace("one", "two")).await;
    assert_eq!(Described::actions(&described.valued), set(["Modify A"]));
    assert_eq!(Described::actions(&described.plain), set(["Modify A", "Modify B"]), "and no reader of its id");
    let reader = change(&described.plain, "B");
    assert_eq!(details(reader), set(["DisplayName ResourceAttribute/Dynamic A.DisplayName"]));
    assert_eq!(reader["Replacement"], "False");
    let from = cloud.events("s").len();
    assert_eq!(cloud.execute("update").await, "UPDATE_COMPLETE");
    assert_eq!(cloud.stack("s").resources["B"].properties["DisplayName"], "two", "it is updated all the same");
    let events = cloud.events_from("s", from);
    assert!(!events.iter().any(|event| event.starts_with("C ")), "{events:#?}");
}

#[tokio::test(start_paused = true)]
async fn dependencies_alone_are_no_change() {
    let both = |depends: &str, value: &str| {
        format!(
            "Resources:\n  A: {{Type: AWS::SNS::Topic, Properties: {{DisplayName: {value}}}}}\n  \
             B: {{Type: AWS::SNS::Topic{depends}}}\n"
        )
    };
    // Something else has to change, or there would be nothing to do.
    let (_, described) = Cloud::changing(&both("", "one"), &both(", DependsOn: A", "two")).await;
    assert_eq!(Described::actions(&described.plain), set(["Modify A"]), "what only waits for it is not listed either");
    let (_, described) = Cloud::changing(&both(", DependsOn: A", "one"), &both("", "two")).await;
    assert_eq!(Described::actions(&described.plain), set(["Modify A"]));
}

#[tokio::test(start_paused = true)]
async fn a_mapping_changes_only_those_whose_value_it_changes() {
    let template = |mapping: &str, second: &str| {
        format!(
            "Mappings: {{M: {{{mapping}}}}}\n{}",
            resources(&[
                ("A", "DisplayName: !FindInMap [M, a, key]"),
                ("B", &format!("DisplayName: !FindInMap [M, {second}, key]"))
            ])
        )
    };
    let before = template("a: {key: one}, b: {key: two}", "b");
    let (_, described) = Cloud::changing(&before, &template("a: {key: one}", "a")).await;
    assert_eq!(Described::actions(&described.plain), set(["Modify B"]));
}

//! Changes that remove a resource.

use super::*;

const FIRST: &str = "Resources:\n  First: {Type: AWS::SNS::Topic, Properties: {TopicName: t, DisplayName: d}}\n";

#[tokio::test(start_paused = true)]
async fn a_removal_has_these_members() {
    let second = "  Second: {Type: AWS::SNS::Topic, DependsOn: First, Properties: {DisplayName: literal, \
                  TopicName: !GetAtt First.TopicName, KmsMasterKeyId: !Ref First}}\n";
    let before = format!("{FIRST}{second}").replace("TopicName: !GetAtt", "SignatureVersion: !GetAtt");
    let (_, described) = Cloud::changing(&before, FIRST).await;
    let plain = change(&described.plain, "Second");
    let expected =
        ["Action", "Details", "LogicalResourceId", "PhysicalResourceId", "PolicyAction", "ResourceType", "Scope"];
    assert_eq!(members(plain), expected);
    assert_eq!(plain["PolicyAction"], "Delete");
    let valued = described.change("Second");
    let mut with_context = expected.to_vec();
    with_context.push("BeforeContext");
    with_context.sort_unstable();
    assert_eq!(members(valued), with_context);
    let before = context(valued, "BeforeContext");
    let expected =
        json!({"Properties": {"DisplayName": "literal", "SignatureVersion": LATER, "KmsMasterKeyId": LATER}});
    assert_eq!(before, expected, "what the template refers to stays unknown");
}

#[tokio::test(start_paused = true)]
async fn conditions_remove_and_add() {
    let template = "
Parameters: {Which: {Type: String}}
Conditions: {One: !Equals [!Ref Which, one], Two: !Not [!Condition One]}
Resources:
  Always: {Type: AWS::SNS::Topic}
  OnlyOne: {Type: AWS::SNS::Topic, Condition: One}
  OnlyTwo: {Type: AWS::SNS::Topic, Condition: Two}
";
    let (_, described) = Cloud::reparametrised(template, &[("Which", "one")], &[("Which", "two")]).await;
    for json in [&described.plain, &described.valued] {
        assert_eq!(Described::actions(json), set(["Add OnlyTwo", "Remove OnlyOne"]));
    }
}

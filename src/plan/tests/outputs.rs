//! What is known of a stack's outputs before its step is done.

use super::*;

fn after(change: impl FnOnce(&mut Json)) -> BTreeMap<String, ValueChange> {
    let template = json!({
        "Resources": {
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "news", "DisplayName": "News"}},
            "Queue": {"Type": "AWS::SQS::Queue"},
        },
        "Outputs": {
            "Literal": {"Value": "plain"},
            "Ref": {"Value": {"Ref": "Topic"}},
            "Identity": {"Value": {"Fn::GetAtt": ["Topic", "TopicArn"]}},
            "Attribute": {"Value": {"Fn::GetAtt": ["Topic", "DisplayName"]}},
            "Fixed": {"Value": {"Fn::GetAtt": ["Topic", "TopicName"]}},
            "Other": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}},
            "Mixed": {"Value": {"Fn::Sub": "${Topic} and ${Queue.QueueName}"}},
        },
    });
    let mut world = World::new(vec![stack("topic", &template)]).applied();
    let mut changed = template;
    change(&mut changed);
    world.set_template("topic", &changed);
    world.plan().steps.remove(0).outputs
}

fn names(changes: &BTreeMap<String, ValueChange>) -> Vec<&str> {
    changes.keys().map(String::as_str).collect()
}

#[test]
fn a_change_in_place_opens_only_what_it_may_touch() {
    let changes = after(|template| template["Resources"]["Topic"]["Properties"]["DisplayName"] = json!("Old news"));
    assert_eq!(names(&changes), ["Attribute"]);
    assert_eq!(changes["Attribute"], ValueChange::new(Value::text("live-Attribute"), Value::Unknown));
}

#[test]
fn a_replacement_opens_all_that_reads_the_resource() {
    let changes = after(|template| template["Resources"]["Topic"]["Properties"]["TopicName"] = json!("old-news"));
    assert_eq!(names(&changes), ["Attribute", "Fixed", "Identity", "Mixed", "Ref"]);
}

#[test]
fn literals_are_known_and_outputs_come_and_go() {
    let changes = after(|template| {
        template["Outputs"]["Literal"]["Value"] = json!("new");
        template["Outputs"]["More"] = json!({"Value": {"Ref": "Queue"}});
        template["Outputs"].as_object_mut().unwrap().remove("Other");
    });
    assert_eq!(names(&changes), ["Literal", "More", "Other"]);
    assert_eq!(changes["Literal"], ValueChange::new(Value::text("plain"), Value::text("new")));
    assert_eq!(changes["More"], ValueChange::new(Value::Absent, Value::Unknown));
    assert_eq!(changes["Other"], ValueChange::new(Value::text("live-Other"), Value::Absent));
}

//! What a plan knows although CloudFormation's description of the stack does not say it.

use super::*;
use crate::model::{Equivalent, SsmValue};
use insta::assert_snapshot;

/// The state, as after an apply in which CloudFormation found nothing to change.
fn found_equal(world: &mut World, name: &str) {
    let wanted = world.stack_mut(name).clone();
    let given: BTreeMap<String, String> = wanted
        .parameters
        .iter()
        .filter_map(|(name, parameter)| match parameter {
            Parameter::Value(value) => Some((name.clone(), value.clone())),
            _ => None,
        })
        .collect();
    let parameters = with_defaults(&wanted.template, &given);
    let equivalent = Equivalent { template_digest: wanted.template_digest, parameters, resolved: BTreeMap::new() };
    let record = world.state.as_mut().unwrap().stacks.get_mut(name).unwrap();
    record.equivalent = Some(equivalent);
}

#[test]
fn what_changed_nothing_is_applied() {
    let mut world = World::storefront().applied();
    let mut template = network("10.0.0.0/16");
    template["Parameters"]["Cidr"]["Default"] = json!("10.9.0.0/16");
    template["Parameters"]["Token"] = json!({"Type": "String", "NoEcho": true, "Default": "s3cr3t"});
    template["Description"] = json!("Subnets");
    world.set_template("network", &template);
    assert_snapshot!(sketch(&world.plan()), @r"
    Update network because in which CloudFormation will find nothing to change
      parameter Cidr: 10.0.0.0/16 → 10.9.0.0/16
      parameter Token: absent → secret
      section Description: absent → Subnets
    Nothing data
    Nothing service after data, network
    Warning literal-secret network: Parameters.Token.Default is a secret, and stands in the template for all who may read it; give a dynamic reference instead: `{{resolve:secretsmanager:NAME:SecretString:KEY}}`
    ");
    found_equal(&mut world, "network");
    assert!(!world.plan().has_work(), "{}", sketch(&world.plan()));
    // What was found equal is told from what the stack has.
    template["Parameters"]["Cidr"]["Default"] = json!("10.8.0.0/16");
    world.set_template("network", &template);
    assert!(sketch(&world.plan()).contains("parameter Cidr: 10.0.0.0/16 → 10.8.0.0/16"), "{}", sketch(&world.plan()));
    // Whoever touches the stack ends it.
    world.set_template("network", &network("10.0.0.0/16"));
    world.deployed.get_mut("network").unwrap().changed_at = at(50);
    assert!(!world.plan().has_changes(), "{}", sketch(&world.plan()));
}

fn reader() -> Json {
    json!({
        "Parameters": {"Name": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/shop/name"}},
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Name"}}}},
    })
}

fn holding(world: &mut World, name: &str, value: SsmValue) {
    let place = (ACCOUNT.to_owned(), REGION.to_owned());
    world.options.looked_up = Some(BTreeMap::from([(place, BTreeMap::from([(name.to_owned(), value)]))]));
}

#[test]
fn an_ssm_parameter_is_what_it_holds() {
    let mut world = World::new(vec![stack("reader", &reader())]).applied();
    let resolved = BTreeMap::from([("Name".to_owned(), "queue-a".to_owned())]);
    world.deployed.get_mut("reader").unwrap().resolved = resolved;
    assert!(!world.plan().has_changes(), "nobody looked");
    let needed = needs_parameters(&world.request());
    assert_eq!(needed, BTreeMap::from([(target(), ["/shop/name".to_owned()].into())]));
    holding(&mut world, "/shop/name", SsmValue::Text("queue-a".to_owned()));
    assert!(!world.plan().has_changes(), "{}", sketch(&world.plan()));
    holding(&mut world, "/shop/name", SsmValue::Text("queue-b".to_owned()));
    assert_eq!(needs_template(&world.request()), ["reader".to_owned()].into());
    assert_snapshot!(sketch(&world.plan()), @r"
    Update reader
      parameter Name: queue-a → queue-b
      Replace Queue AWS::SQS::Queue (Delete the old)
        QueueName: queue-a → queue-b [Always]
    Warning stateful-replacement reader.Queue: replaces Queue (AWS::SQS::Queue): the new one is without the messages
    ");
    for (value, expected) in [
        (None, "names the SSM parameter `/shop/name`, which does not exist in eu-west-1"),
        (Some(SsmValue::Secure), "which is a SecureString"),
    ] {
        let (name, value) = match value {
            None => ("/shop/other", SsmValue::Text(String::new())),
            Some(value) => ("/shop/name", value),
        };
        holding(&mut world, name, value);
        let error = plan(&world.request()).unwrap_err();
        let told = crate::error::find(&error).unwrap();
        assert!(told.details[0].contains(expected), "{:?}", told.details);
    }
}

#[test]
fn what_a_stack_of_the_run_sets_is_known_after_it() {
    let setter = json!({"Resources": {"Name": {"Type": "AWS::SSM::Parameter",
        "Properties": {"Name": "/shop/name", "Type": "String", "Value": "queue-b"}}}});
    let mut reader = stack("reader", &reader());
    reader.after = vec!["setter".to_owned()];
    let mut world = World::new(vec![reader, stack("setter", &setter)]);
    holding(&mut world, "/shop/other", SsmValue::Text(String::new()));
    let plan = sketch(&world.plan());
    assert!(plan.contains("Create reader after setter"), "{plan}");
    let mut world = world.applied();
    world.deployed.get_mut("reader").unwrap().resolved = BTreeMap::from([("Name".to_owned(), "queue-b".to_owned())]);
    holding(&mut world, "/shop/name", SsmValue::Text("queue-b".to_owned()));
    assert!(!world.plan().has_changes(), "{}", sketch(&world.plan()));
    let mut template = setter;
    template["Resources"]["Name"]["Properties"]["Value"] = json!("queue-c");
    world.set_template("setter", &template);
    assert_snapshot!(sketch(&world.plan()), @r"
    Update setter
      Modify Name AWS::SSM::Parameter
        Value: queue-b → queue-c [Never]
    Update reader after setter
      parameter Name: queue-b → ?
      MayReplace Queue AWS::SQS::Queue (Delete the old) because parameter Name changes
        QueueName: queue-b → ? [Always]
    Warning stateful-replacement reader.Queue: may replace Queue (AWS::SQS::Queue), and the new one would be without the messages
    ");
}

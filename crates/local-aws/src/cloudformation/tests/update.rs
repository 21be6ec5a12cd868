//! Updates: in place, replacement, removal, failure, rollback, cancellation, policies.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_change_in_place_and_one_that_replaces() {
    let cloud = Cloud::new().await;
    cloud.deploy("CreateStack", "s", &parameters(&[("A", "Name: one, Value: x"), ("B", "Value: !Ref A")])).await;
    let from = cloud.events("s").len();
    let template = parameters(&[("A", "Name: two, Value: x"), ("B", "Value: !Ref A")]);
    assert_eq!(cloud.deploy("UpdateStack", "s", &template).await, "UPDATE_COMPLETE");
    let expected = [
        "stack UPDATE_IN_PROGRESS (User Initiated)",
        "A UPDATE_IN_PROGRESS (Requested update requires the creation of a new physical resource; hence creating one.)",
        "A UPDATE_IN_PROGRESS (Resource creation Initiated)",
        "A UPDATE_COMPLETE",
        "B UPDATE_IN_PROGRESS",
        "B UPDATE_COMPLETE",
        "stack UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "A DELETE_IN_PROGRESS",
        "A DELETE_COMPLETE",
        "stack UPDATE_COMPLETE",
    ];
    assert_eq!(cloud.events_from("s", from), expected);
    let stack = cloud.stack("s");
    let ids: Vec<&str> = stack.events[from..].iter().map(|event| event.physical_id.as_str()).collect();
    assert_eq!([ids[1], ids[2], ids[3], ids[7], ids[8]], ["one", "two", "two", "one", "one"]);
    assert_eq!(stack.events[from + 7].properties, None, "the cleanup shows no properties");
    assert_eq!(stack.resources["B"].properties["Value"], "two");
}

#[tokio::test(start_paused = true)]
async fn an_update_without_changes_is_refused() {
    let cloud = Cloud::new().await;
    let template = parameters(&[("A", "Value: x")]);
    cloud.deploy("CreateStack", "s", &template).await;
    let input = json!({"StackName": "s", "TemplateBody": template});
    assert_eq!(cloud.refused("UpdateStack", input).await, "No updates are to be performed.");
    let input = json!({"StackName": "s", "UsePreviousTemplate": true, "Tags": [{"Key": "a", "Value": "b"}]});
    cloud.ok("UpdateStack", input.clone()).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_COMPLETE");
    assert_eq!(cloud.refused("UpdateStack", input).await, "No updates are to be performed.");
}

#[tokio::test(start_paused = true)]
async fn a_busy_stack_is_not_updated() {
    let cloud = Cloud::new().await;
    let template = parameters(&[("A", "Value: x")]);
    cloud.deploy("CreateStack", "s", &template).await;
    let other = parameters(&[("A", "Value: y")]);
    cloud.ok("UpdateStack", json!({"StackName": "s", "TemplateBody": other})).await;
    let input = json!({"StackName": "s", "TemplateBody": template});
    let id = cloud.stack("s").id;
    let expected = format!("Stack:{id} is in UPDATE_IN_PROGRESS state and can not be updated.");
    assert_eq!(cloud.refused("UpdateStack", input).await, expected);
    let expected = "Stack [s] cannot be deleted while in status UPDATE_IN_PROGRESS";
    assert_eq!(cloud.refused("DeleteStack", json!({"StackName": "s"})).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_token_makes_a_request_once() {
    let cloud = Cloud::new().await;
    let template = parameters(&[("A", "Value: x")]);
    let input = json!({"StackName": "s", "TemplateBody": template, "ClientRequestToken": "t"});
    let first = cloud.ok("CreateStack", input.clone()).await;
    assert_eq!(cloud.ok("CreateStack", input.clone()).await, first);
    cloud.rest("s").await;
    assert_eq!(cloud.ok("CreateStack", input).await, first);
    let input = json!({"StackName": "s", "TemplateBody": template, "ClientRequestToken": "other"});
    assert_eq!(cloud.refused("CreateStack", input).await, "Stack [s] already exists");
}

#[tokio::test(start_paused = true)]
async fn removed_resources_go_in_the_cleanup_dependents_first() {
    let cloud = Cloud::new().await;
    let all = [("A", "Value: x"), ("B", "Value: !Ref A"), ("C", "Value: !Ref B")];
    cloud.deploy("CreateStack", "s", &parameters(&all)).await;
    let from = cloud.events("s").len();
    cloud.deploy("UpdateStack", "s", &parameters(&all[..1])).await;
    let expected = [
        "stack UPDATE_IN_PROGRESS (User Initiated)",
        "stack UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "C DELETE_IN_PROGRESS",
        "C DELETE_COMPLETE",
        "B DELETE_IN_PROGRESS",
        "B DELETE_COMPLETE",
        "stack UPDATE_COMPLETE",
    ];
    assert_eq!(cloud.events_from("s", from), expected);
}

#[tokio::test(start_paused = true)]
async fn retained_resources_are_skipped() {
    let cloud = Cloud::new().await;
    let template = |name: &str| {
        format!(
            "Resources:\n  A: {{Type: AWS::SSM::Parameter, UpdateReplacePolicy: Retain, DeletionPolicy: Retain, Properties: {{Name: {name}, Type: String, Value: x}}}}\n"
        )
    };
    cloud.deploy("CreateStack", "s", &template("one")).await;
    cloud.deploy("UpdateStack", "s", &template("two")).await;
    assert!(cloud.events("s").contains(&"A DELETE_SKIPPED".to_owned()));
    cloud.ok("DeleteStack", json!({"StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "DELETE_COMPLETE");
    assert_eq!(cloud.events("s").iter().filter(|event| *event == "A DELETE_SKIPPED").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_update_goes_back_to_what_was() {
    let cloud = Cloud::new().await;
    let before = [("A", "Name: one, Value: x"), ("B", "Value: 'b1'"), ("Last", "Value: !Ref B")];
    cloud.deploy("CreateStack", "s", &parameters(&before)).await;
    let old = cloud.stack("s");
    cloud.fail("Last", Action::Update, None);
    let after = parameters(&[
        ("A", "Name: two, Value: x"),
        ("B", "Name: other, Value: 'b2'"),
        ("New", "Value: !Ref A"),
        ("Last", "Value: !Sub '${B}${New}'"),
    ]);
    let from = cloud.events("s").len();
    assert_eq!(cloud.deploy("UpdateStack", "s", &after).await, "UPDATE_ROLLBACK_COMPLETE");
    let events = cloud.events_from("s", from);
    let at = |line: &str| {
        events.iter().position(|event| event.starts_with(line)).unwrap_or_else(|| panic!("{line}: {events:#?}"))
    };
    let order = [
        "stack UPDATE_IN_PROGRESS (User Initiated)",
        "New CREATE_COMPLETE",
        "Last UPDATE_FAILED (planned)",
        "stack UPDATE_ROLLBACK_IN_PROGRESS (The following resource(s) failed to update: [Last]. )",
        "stack UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "New DELETE_IN_PROGRESS",
        "stack UPDATE_ROLLBACK_COMPLETE",
    ];
    let places: Vec<usize> = order.iter().map(|line| at(line)).collect();
    assert!(places[..6].is_sorted(), "{events:#?}");
    assert_eq!(events.last().map(String::as_str), Some("stack UPDATE_ROLLBACK_COMPLETE"));
    let now = cloud.stack("s");
    for (id, resource) in &old.resources {
        assert_eq!(now.resources[id].physical_id, resource.physical_id, "{id}");
        assert_eq!(now.resources[id].properties, resource.properties, "{id}");
    }
    assert_eq!(now.resources.len(), old.resources.len());
    assert_eq!(now.current.template, old.current.template);
    let live: Vec<String> = cloud.live();
    assert_eq!(live.len(), 3, "nothing new is left: {live:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_fails_goes_on_when_it_is_told_to() {
    let cloud = Cloud::new().await;
    cloud.deploy("CreateStack", "s", &parameters(&[("A", "Value: x"), ("B", "Value: y")])).await;
    cloud.fail("B", Action::Update, None);
    cloud.fail("A", Action::Rollback, None);
    let after = "
Resources:
  A: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: x2}}
  B: {Type: AWS::SSM::Parameter, DependsOn: A, Properties: {Type: String, Value: y2}}
";
    assert_eq!(cloud.deploy("UpdateStack", "s", after).await, "UPDATE_ROLLBACK_FAILED");
    let reason = cloud.stack("s").status_reason;
    assert_eq!(reason.as_deref(), Some("The following resource(s) failed to update: [A]. "));
    let again = json!({"StackName": "s"});
    cloud.ok("ContinueUpdateRollback", again.clone()).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_ROLLBACK_FAILED");
    cloud.ok("ContinueUpdateRollback", json!({"StackName": "s", "ResourcesToSkip": ["A"]})).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_ROLLBACK_COMPLETE");
    cloud.heal();
    assert!(cloud.refused("ContinueUpdateRollback", again).await.contains("UPDATE_ROLLBACK_COMPLETE state"));
    assert_eq!(cloud.deploy("UpdateStack", "s", after).await, "UPDATE_COMPLETE");
}

#[tokio::test(start_paused = true)]
async fn an_update_can_be_cancelled() {
    let cloud = Cloud::new().await;
    let queue = |seconds: u32| {
        format!("Resources: {{Q: {{Type: AWS::SQS::Queue, Properties: {{VisibilityTimeout: {seconds}}}}}}}")
    };
    cloud.deploy("CreateStack", "s", &queue(1)).await;
    let from = cloud.events("s").len();
    cloud.ok("UpdateStack", json!({"StackName": "s", "TemplateBody": queue(2)})).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    cloud.ok("CancelUpdateStack", json!({"StackName": "s"})).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_ROLLBACK_COMPLETE");
    let expected = [
        "stack UPDATE_IN_PROGRESS (User Initiated)",
        "Q UPDATE_IN_PROGRESS",
        "Q UPDATE_FAILED (Resource update cancelled)",
        "stack UPDATE_ROLLBACK_IN_PROGRESS (The following resource(s) failed to update: [Q]. )",
        "Q UPDATE_IN_PROGRESS",
        "Q UPDATE_COMPLETE",
        "stack UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "stack UPDATE_ROLLBACK_COMPLETE",
    ];
    assert_eq!(cloud.events_from("s", from), expected);
    let told = "CancelUpdateStack cannot be called from current stack status";
    assert_eq!(cloud.refused("CancelUpdateStack", json!({"StackName": "s"})).await, told);
}

#[tokio::test(start_paused = true)]
async fn policies_deny_what_they_do_not_allow() {
    let cloud = Cloud::new().await;
    let template = |value: &str| parameters(&[("A", &format!("Value: {value}"))]);
    let policy = json!({"Statement": [
        {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "Update:Modify", "Principal": "*", "Resource": "LogicalResourceId/A"}]});
    let input = json!({"StackName": "s", "TemplateBody": template("x"), "StackPolicyBody": policy.to_string()});
    cloud.ok("CreateStack", input).await;
    cloud.rest("s").await;
    assert_eq!(cloud.deploy("UpdateStack", "s", &template("y")).await, "UPDATE_ROLLBACK_COMPLETE");
    let denied = "A UPDATE_FAILED (Action denied by stack policy: Statement [#2] does not allow [Update:Modify] for resource [A])";
    assert!(cloud.events("s").contains(&denied.to_owned()), "{:#?}", cloud.events("s"));
    let allow = json!({"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]});
    let input =
        json!({"StackName": "s", "TemplateBody": template("y"), "StackPolicyDuringUpdateBody": allow.to_string()});
    cloud.ok("UpdateStack", input).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_COMPLETE");
    let told = cloud.ok("GetStackPolicy", json!({"StackName": "s"})).await;
    assert_eq!(told["StackPolicyBody"], policy.to_string());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_deleted_is_left_behind_by_an_update() {
    let cloud = Cloud::new().await;
    cloud.deploy("CreateStack", "s", &parameters(&[("A", "Value: x"), ("B", "Value: x")])).await;
    cloud.fail("B", Action::Delete, None);
    cloud.ok("UpdateStack", json!({"StackName": "s", "TemplateBody": parameters(&[("A", "Value: x")])})).await;
    assert_eq!(cloud.rest("s").await, "UPDATE_COMPLETE");
    let stack = cloud.stack("s");
    let told = "Update successful. One or more resources could not be deleted.";
    assert_eq!(stack.status_reason.as_deref(), Some(told));
    assert_eq!(cloud.events("s").iter().filter(|event| *event == "B DELETE_FAILED (planned)").count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_the_template_gives_cannot_be_replaced() {
    let cloud = Cloud::new().await;
    let template = |encryption: &str| {
        format!(
            "Resources: {{R: {{Type: AWS::ECR::Repository, Properties: {{RepositoryName: own-name, EncryptionConfiguration: \
             {{EncryptionType: {encryption}}}}}}}}}"
        )
    };
    assert_eq!(cloud.deploy("CreateStack", "s", &template("AES256")).await, "CREATE_COMPLETE");
    assert_eq!(cloud.deploy("UpdateStack", "s", &template("KMS")).await, "UPDATE_ROLLBACK_COMPLETE");
    let told = "R UPDATE_FAILED (CloudFormation cannot update a stack when a custom-named resource requires replacing. \
                Rename own-name and update the stack again.)";
    assert!(cloud.events("s").contains(&told.to_owned()), "{:#?}", cloud.events("s"));
}

#[tokio::test(start_paused = true)]
async fn a_group_is_made_anew_where_its_policy_replaces_it() {
    let cloud = Cloud::with(Options { partial: true, ..Options::default() }).await;
    let template = |image: &str, most: u32, policy: &str| {
        format!(
            r#"
Resources:
  L: {{Type: AWS::AutoScaling::LaunchConfiguration, Properties: {{ImageId: {image}, InstanceType: t3.micro}}}}
  G:
    Type: AWS::AutoScaling::AutoScalingGroup
    UpdatePolicy: {policy}
    Properties: {{MinSize: "0", MaxSize: "{most}", AvailabilityZones: [eu-west-1a], LaunchConfigurationName: !Ref L}}
"#
        )
    };
    let replacing = "{AutoScalingReplacingUpdate: {WillReplace: true}}";
    let group = || cloud.stack("s").resources["G"].physical_id.clone();
    assert_eq!(cloud.deploy("CreateStack", "s", &template("ami-1", 1, replacing)).await, "CREATE_COMPLETE");
    let first = group();
    assert_eq!(cloud.deploy("UpdateStack", "s", &template("ami-1", 2, replacing)).await, "UPDATE_COMPLETE");
    assert_eq!(group(), first, "another size is no reason");
    let from = cloud.events("s").len();
    assert_eq!(cloud.deploy("UpdateStack", "s", &template("ami-2", 2, replacing)).await, "UPDATE_COMPLETE");
    let second = group();
    assert_ne!(second, first);
    assert!(cloud.live().contains(&second) && !cloud.live().contains(&first), "{:?}", cloud.live());
    let events = cloud.events_from("s", from);
    let creating =
        "G UPDATE_IN_PROGRESS (Requested update requires the creation of a new physical resource; hence creating one.)";
    assert!(events.iter().any(|event| event == creating), "{events:?}");
    assert!(events.iter().any(|event| event == "G DELETE_COMPLETE"), "{events:?}");
    let keeping = "{AutoScalingReplacingUpdate: {WillReplace: false}}";
    assert_eq!(cloud.deploy("UpdateStack", "s", &template("ami-3", 2, keeping)).await, "UPDATE_COMPLETE");
    assert_eq!(group(), second);
}

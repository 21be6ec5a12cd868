//! One stack's step, for everything that may be there already; and how what flows between stacks is followed.

use super::*;
use crate::model::SiteRecord;
use insta::assert_snapshot;

#[test]
fn everything_is_created_in_order_when_nothing_is_there() {
    let plan = World::storefront().plan();
    assert_snapshot!(sketch(&plan), @"
    Create network
      parameter Cidr: absent → 10.0.0.0/16
      tag ManagedBy: absent → infra
      output Cidr: absent → 10.0.0.0/16
      output Constant: absent → always
      output VpcId: absent → ?
      Add Vpc AWS::EC2::VPC
      Add Subnet AWS::EC2::Subnet
    Create data
      tag ManagedBy: absent → infra
      output TableArn: absent → ?
      output TableName: absent → ?
      Add Table AWS::DynamoDB::Table
    Create service after data, network
      parameter Image: absent → repo@sha256:aa
      parameter Table: absent → ?
      parameter VpcId: absent → ?
      tag ManagedBy: absent → infra
      output Group: absent → ?
      image app: absent → repo@sha256:aa
      Add Group AWS::EC2::SecurityGroup
      Add Definition AWS::ECS::TaskDefinition
      Add Service AWS::ECS::Service
    ");
    assert_eq!(plan.summary(), Summary { add: 6, stacks: 3, ..Summary::default() });
}

#[test]
fn nothing_is_to_be_done_after_an_apply() {
    let world = World::storefront().applied();
    let plan = world.plan();
    assert_snapshot!(sketch(&plan), @"
    Nothing network
    Nothing data
    Nothing service after data, network
    ");
    assert!(!plan.has_changes() && !plan.has_work());
    assert!(needs_template(&world.request()).is_empty());
}

#[test]
fn a_change_in_place_leaves_its_users_alone() {
    let mut world = World::storefront().applied();
    let mut template = network("10.0.0.0/16");
    template["Resources"]["Vpc"]["Properties"]["EnableDnsSupport"] = json!(false);
    world.set_template("network", &template);
    assert_snapshot!(sketch(&world.plan()), @"
    Update network
      Modify Vpc AWS::EC2::VPC
        EnableDnsSupport: true → false [Never]
    Nothing data
    Nothing service after data, network
    ");
}

#[test]
fn a_replacement_spreads_within_the_stack_and_to_its_users() {
    let mut world = World::storefront().applied();
    world.set_template("network", &network("10.1.0.0/16"));
    assert_snapshot!(sketch(&world.plan()), @"
    Update network
      output Cidr: 10.0.0.0/16 → 10.1.0.0/16
      output VpcId: live-VpcId → ?
      Replace Vpc AWS::EC2::VPC (Delete the old)
        CidrBlock: 10.0.0.0/16 → 10.1.0.0/16 [Always]
      Replace Subnet AWS::EC2::Subnet (Delete the old) because Vpc is replaced
        VpcId: ${Vpc} → ? [Always]
    Nothing data
    Update service after data, network
      parameter VpcId: live-VpcId → ?
      output Group: live-Group → ?
      MayReplace Group AWS::EC2::SecurityGroup (Delete the old) because parameter VpcId may change
        VpcId: live-VpcId → ? [Always]
    Warning downtime network.Vpc: is replaced: everything in it must move
    Warning downtime network.Subnet: is replaced: what runs in it must move
    ");
}

#[test]
fn a_new_image_replaces_the_task_definition() {
    let mut world = World::storefront().applied();
    let image = Parameter::Image { name: "app".to_owned(), reference: "repo@sha256:bb".to_owned() };
    world.stack_mut("service").parameters.insert("Image".to_owned(), image);
    assert_snapshot!(sketch(&world.plan()), @"
    Nothing network
    Nothing data
    Update service after data, network
      parameter Image: repo@sha256:aa → repo@sha256:bb
      image app: repo@sha256:aa → repo@sha256:bb
      Replace Definition AWS::ECS::TaskDefinition (Delete the old) because parameter Image changes
        ContainerDefinitions[0].Image: repo@sha256:aa → repo@sha256:bb [Always]
      Modify Service AWS::ECS::Service because Definition is replaced
        TaskDefinition: ${Definition} → ? [Never]
    ");
}

#[test]
fn tags_and_protection_are_changes_of_their_own() {
    let mut world = World::storefront().applied();
    let network = world.stack_mut("network");
    network.tags.insert("owner".to_owned(), "platform".to_owned());
    network.protect = true;
    network.stack_policy = Some("{}".to_owned());
    assert_snapshot!(sketch(&world.plan()), @"
    Update network
      tag owner: absent → platform
      protection: off → termination protection, stack policy 44136fa3
    Nothing data
    Nothing service after data, network
    ");
}

#[test]
fn a_resource_that_leaves_the_template_is_removed() {
    let mut world = World::storefront().applied();
    let mut template = network("10.0.0.0/16");
    template["Resources"].as_object_mut().unwrap().remove("Subnet");
    world.set_template("network", &template);
    assert_snapshot!(sketch(&world.plan()), @"
    Update network
      Remove Subnet AWS::EC2::Subnet (Delete the old)
    Nothing data
    Nothing service after data, network
    Warning redundancy-lowered network.Subnet: is removed: one subnet less to run in
    ");
}

#[test]
fn a_stack_that_leaves_the_file_goes_after_its_users_have_changed() {
    let mut world = World::storefront().applied();
    world.wanted.retain(|stack| stack.name != "data");
    world.stack_mut("service").parameters.remove("Table");
    let request = world.request();
    assert_eq!(Vec::from_iter(needs_template(&request)), ["data", "service"]);
    assert_snapshot!(sketch(&world.plan()), @"
    Nothing network
    Update service (adopt) after network
      parameter Table: live-TableName → none
      Replace Definition AWS::ECS::TaskDefinition (Delete the old) because parameter Table changes
        ContainerDefinitions[0].Environment[0].Value: live-TableName → none [Always]
      Modify Service AWS::ECS::Service because Definition is replaced
        TaskDefinition: ${Definition} → ? [Never]
    Delete data after service because it is no longer in the file
      Remove Table AWS::DynamoDB::Table (Delete the old)
    Warning stateful-removal data.Table: removes Table (AWS::DynamoDB::Table) with its items
    ");
}

#[test]
fn a_stack_that_left_the_file_and_the_account_is_forgotten() {
    let mut world = World::storefront().applied();
    world.wanted.retain(|stack| stack.name != "service");
    world.deployed.remove("service");
    assert_snapshot!(sketch(&world.plan()), @"
    Nothing network
    Nothing data
    Forget service because it is gone from the account already
    ");
}

#[test]
fn every_status_has_its_step() {
    use StackStatus::*;
    let mut text = String::new();
    for status in [
        CreateInProgress,
        CreateFailed,
        CreateComplete,
        RollbackInProgress,
        RollbackFailed,
        RollbackComplete,
        DeleteInProgress,
        DeleteFailed,
        DeleteComplete,
        UpdateInProgress,
        UpdateCompleteCleanupInProgress,
        UpdateComplete,
        UpdateFailed,
        UpdateRollbackInProgress,
        UpdateRollbackFailed,
        UpdateRollbackCompleteCleanupInProgress,
        UpdateRollbackComplete,
        ReviewInProgress,
        ImportInProgress,
        ImportComplete,
        ImportRollbackInProgress,
        ImportRollbackFailed,
        ImportRollbackComplete,
    ] {
        let mut world = World::new(vec![stack("data", &data("id"))]).applied();
        world.deployed.get_mut("data").unwrap().status = status;
        let plan = world.plan();
        let step = &plan.steps[0];
        let there = if step.fingerprint.is_some() { "" } else { " (not there)" };
        let reason = step.reason.as_ref().map(|reason| format!(", {reason}")).unwrap_or_default();
        writeln!(text, "{status}: {:?}{there}{reason}", step.action).unwrap();
    }
    assert_snapshot!(text, @"
    CREATE_IN_PROGRESS: Nothing, CREATE_IN_PROGRESS by another run; apply waits for its end
    CREATE_FAILED: Recreate, its first creation failed (CREATE_FAILED): what is left is deleted first
    CREATE_COMPLETE: Nothing
    ROLLBACK_IN_PROGRESS: Recreate, its first creation failed and is being rolled back: what is left is deleted first
    ROLLBACK_FAILED: Recreate, its first creation failed (ROLLBACK_FAILED): what is left is deleted first
    ROLLBACK_COMPLETE: Recreate, its first creation failed (ROLLBACK_COMPLETE): what is left is deleted first
    DELETE_IN_PROGRESS: Create, it is being deleted; apply waits for the end of that
    DELETE_FAILED: Recreate, its deletion failed halfway: the rest is deleted first
    DELETE_COMPLETE: Create (not there), it is in the state, but no longer in the account
    UPDATE_IN_PROGRESS: Nothing, UPDATE_IN_PROGRESS by another run; apply waits for its end
    UPDATE_COMPLETE_CLEANUP_IN_PROGRESS: Nothing, UPDATE_COMPLETE_CLEANUP_IN_PROGRESS by another run; apply waits for its end
    UPDATE_COMPLETE: Nothing
    UPDATE_FAILED: Update, it is in UPDATE_FAILED: CloudFormation accepts no update until its rollback is through
    UPDATE_ROLLBACK_IN_PROGRESS: Nothing, UPDATE_ROLLBACK_IN_PROGRESS by another run; apply waits for its end
    UPDATE_ROLLBACK_FAILED: Update, it is in UPDATE_ROLLBACK_FAILED: CloudFormation accepts no update until its rollback is through
    UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS: Nothing, UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS by another run; apply waits for its end
    UPDATE_ROLLBACK_COMPLETE: Nothing
    REVIEW_IN_PROGRESS: Create (not there), it is in the state, but no longer in the account
    IMPORT_IN_PROGRESS: Nothing, IMPORT_IN_PROGRESS by another run; apply waits for its end
    IMPORT_COMPLETE: Nothing
    IMPORT_ROLLBACK_IN_PROGRESS: Nothing, IMPORT_ROLLBACK_IN_PROGRESS by another run; apply waits for its end
    IMPORT_ROLLBACK_FAILED: Update, it is in IMPORT_ROLLBACK_FAILED: CloudFormation accepts no update until its rollback is through
    IMPORT_ROLLBACK_COMPLETE: Nothing
    ");
}

#[test]
fn a_stack_that_the_state_does_not_know_is_adopted() {
    let mut world = World::storefront().applied();
    world.state.as_mut().unwrap().stacks.remove("data");
    let plan = world.plan();
    assert_snapshot!(sketch(&plan), @"
    Nothing network
    Nothing data (adopt)
    Nothing service after data, network
    ");
    assert!(!plan.has_changes() && plan.has_work());
}

#[test]
fn targets_bring_what_they_need_and_nothing_else() {
    let mut world = World::storefront();
    world.wanted.push(stack("alone", &data("id")));
    world.options.targets = vec!["service".to_owned()];
    let stacks: Vec<String> = world.plan().steps.into_iter().map(|step| step.stack).collect();
    assert_eq!(stacks, ["network", "data", "service"]);
    world.options.targets = vec!["servise".to_owned()];
    let error = plan(&world.request()).unwrap_err();
    assert_eq!(crate::error::kind(&error), crate::error::Kind::Usage);
    assert_eq!(crate::error::find(&error).unwrap().hints, ["did you mean `--target service`?"]);
}

#[test]
fn a_default_that_changes_is_a_changed_parameter() {
    let mut world = World::storefront().applied();
    let mut template = network("10.0.0.0/16");
    template["Parameters"]["Cidr"]["Default"] = json!("10.9.0.0/16");
    world.set_template("network", &template);
    assert_snapshot!(sketch(&world.plan()), @"
    Update network because in which CloudFormation will find nothing to change
      parameter Cidr: 10.0.0.0/16 → 10.9.0.0/16
    Nothing data
    Nothing service after data, network
    ");
}

#[test]
fn everything_goes_in_reverse() {
    let world = World::storefront().applied();
    assert_snapshot!(sketch(&plan_destroy(&world.request())), @"
    Delete service
      Remove Service AWS::ECS::Service (Delete the old)
      Remove Definition AWS::ECS::TaskDefinition (Delete the old)
      Remove Group AWS::EC2::SecurityGroup (Delete the old)
    Delete data after service
      Remove Table AWS::DynamoDB::Table (Delete the old)
    Delete network after service
      Remove Subnet AWS::EC2::Subnet (Delete the old)
      Remove Vpc AWS::EC2::VPC (Delete the old)
    Warning stateful-removal data.Table: removes Table (AWS::DynamoDB::Table) with its items
    ");
}

#[test]
fn destroy_takes_stacks_that_a_cut_off_first_apply_made() {
    let mut world = World::storefront().applied();
    world.state = None;
    world.deployed.remove("service");
    assert_snapshot!(sketch(&plan_destroy(&world.request())), @"
    Delete network
      Remove Subnet AWS::EC2::Subnet (Delete the old)
      Remove Vpc AWS::EC2::VPC (Delete the old)
    Delete data
      Remove Table AWS::DynamoDB::Table (Delete the old)
    Warning stateful-removal data.Table: removes Table (AWS::DynamoDB::Table) with its items
    ");
}

/// The storefront with an image that is made here, for the repository of the stack `images`.
fn with_local_image(digest: &str) -> World {
    let mut world = World::storefront();
    let template = json!({
        "Resources": {"Repository": {"Type": "AWS::ECR::Repository"}},
        "Outputs": {"RepositoryUri": {"Value": {"Fn::GetAtt": ["Repository", "RepositoryUri"]}}},
    });
    world.wanted.push(stack("images", &template));
    world.stack_mut("service").parameters.insert("Image".to_owned(), local_image(digest));
    world
}

fn local_image(digest: &str) -> Parameter {
    Parameter::LocalImage(LocalImageUse {
        name: "app".to_owned(),
        repository: "images".to_owned(),
        digest: Some(digest.to_owned()),
        made_from: MadeFrom::default(),
        size_bytes: None,
        platforms: Vec::new(),
        from: None,
    })
}

#[test]
fn an_image_made_here_waits_for_its_repository() {
    let plan = with_local_image("sha256:aa").plan();
    let service = plan.step("service").unwrap();
    assert_eq!(service.images["app"], ValueChange::new(Value::Absent, Value::Unknown));
    assert!(service.waits_on.contains(&"images".to_owned()), "{:?}", service.waits_on);
    let [asset] = &plan.assets[..] else { panic!("one image: {:?}", plan.assets) };
    assert_eq!((asset.id.as_str(), asset.action), ("image app", AssetAction::Upload));
    assert_eq!((asset.stack.as_str(), &asset.needed_by[..]), ("images", &["service".to_owned()][..]));
    assert_eq!(plan.summary().assets, 1);
}

#[test]
fn one_image_of_two_stacks_goes_up_once_and_two_of_one_name_are_two() {
    let mut world = with_local_image("sha256:aa");
    let mut other = world.stack_mut("service").clone();
    (other.name, other.stack_name) = ("twin".to_owned(), "storefront-dev-twin".to_owned());
    world.wanted.push(other);
    let ids = |world: &World| -> Vec<(String, Vec<String>)> {
        world.plan().assets.into_iter().map(|asset| (asset.id, asset.needed_by)).collect()
    };
    assert_eq!(ids(&world), [("image app".to_owned(), vec!["service".to_owned(), "twin".to_owned()])]);
    world.stack_mut("twin").parameters.insert("Image".to_owned(), local_image("sha256:bb"));
    let found = ids(&world);
    assert_eq!(found[0].0, "image app");
    assert_eq!((found[1].0.as_str(), &found[1].1[..]), ("image app@sha256:bb", &["twin".to_owned()][..]));
}

#[test]
fn an_image_made_here_changes_with_its_digest_only() {
    let mut world = with_local_image("sha256:aa").applied();
    assert!(!world.plan().has_changes());
    world.stack_mut("service").parameters.insert("Image".to_owned(), local_image("sha256:bb"));
    let plan = world.plan();
    let reference = |digest: &str| Value::text(format!("live-RepositoryUri@sha256:{digest}"));
    let service = plan.step("service").unwrap();
    assert_eq!(service.images["app"], ValueChange::new(reference("aa"), reference("bb")));
    let changed: Vec<&str> =
        plan.steps.iter().filter(|step| step.action != Action::Nothing).map(|step| step.stack.as_str()).collect();
    assert_eq!(changed, ["service"]);
    let image = plan.assets[0].image().unwrap();
    assert_eq!((image.before.as_deref(), image.after.as_deref()), (Some("sha256:aa"), Some("sha256:bb")));
    assert_eq!(plan.assets[0].action, AssetAction::UploadIfMissing, "its repository has yet to be asked");
}

#[test]
fn files_go_before_the_bucket_that_would_be_deleted_with_its_stack() {
    let mut world = World::storefront();
    let bucket = |policy: &str| json!({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "DeletionPolicy": policy}}});
    world.wanted.push(stack("site", &bucket("Delete")));
    world.wanted.push(stack("kept", &bucket("Retain")));
    let mut world = world.applied();
    assert!(plan_destroy(&world.request()).assets.is_empty(), "nothing was put there");
    let applied = world.state.as_ref().unwrap().written.clone();
    for name in ["site", "kept"] {
        let record = world.state.as_mut().unwrap().stacks.get_mut(name).unwrap();
        let digest = "sha256:aa".to_owned();
        record.site = Some(SiteRecord { digest, files: 3, unfinished: false, applied: applied.clone() });
    }
    let assets = plan_destroy(&world.request()).assets;
    let found: Vec<_> = assets.iter().map(|asset| (asset.id.as_str(), asset.action, &asset.needed_by[..])).collect();
    assert_eq!(found, [("files of site", AssetAction::Remove, &["site".to_owned()][..])]);
}

#[test]
fn references_show_what_they_give_now_where_that_is_known() {
    let mut world = World::storefront().applied();
    let definition = "arn:aws:ecs:eu-west-1:111122223333:task-definition/app:3";
    let ids = [("Group", "sg-1"), ("Definition", definition), ("Service", "arn:aws:ecs:::service/main/app")];
    let ids = ids.map(|(name, id)| (name.to_owned(), id.to_owned()));
    world.deployed.get_mut("service").unwrap().resources = Some(ids.into());
    let image = Parameter::Image { name: "app".to_owned(), reference: "repo@sha256:bb".to_owned() };
    world.stack_mut("service").parameters.insert("Image".to_owned(), image);
    let plan = world.plan();
    let changes = &plan.step("service").unwrap().changes;
    let names: Vec<_> = changes.iter().map(|change| (change.logical_id.as_str(), change.action)).collect();
    assert_eq!(names, [("Definition", ChangeAction::Replace), ("Service", ChangeAction::Modify)]);
    assert_eq!(changes[0].physical_id.as_deref(), Some(definition));
    assert_eq!(changes[1].properties[0].change, ValueChange::new(Value::text(definition), Value::Unknown));
}

/// What is read of a service that changes in place is its name, and what is called by that name stays too.
#[test]
fn what_hangs_on_the_identity_of_a_resource_that_changes_in_place_is_left_alone() {
    let template = |cpu: &str| {
        json!({"Resources": {
            "Definition": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"Cpu": cpu}},
            "Service": {"Type": "AWS::ECS::Service", "Properties": {"TaskDefinition": {"Ref": "Definition"}}},
            "Target": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": {
                "ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount",
                "ResourceId": {"Fn::Sub": "service/main/${Service.Name}"}, "MinCapacity": 1, "MaxCapacity": 2,
            }},
            "Policy": {"Type": "AWS::ApplicationAutoScaling::ScalingPolicy", "Properties": {
                "PolicyName": "cpu", "PolicyType": "TargetTrackingScaling", "ScalingTargetId": {"Ref": "Target"},
            }},
        }})
    };
    let mut world = World::new(vec![stack("app", &template("256"))]).applied();
    let changed = |world: &World| -> Vec<String> {
        let plan = world.plan();
        plan.steps.iter().flat_map(|step| &step.changes).map(|change| change.logical_id.clone()).collect()
    };
    world.set_template("app", &template("512"));
    assert_eq!(changed(&world), ["Definition", "Service"]);
    // A service that is replaced takes all of it along.
    let mut replaced = template("256");
    replaced["Resources"]["Service"]["Properties"]["ServiceName"] = json!("another");
    world.set_template("app", &replaced);
    assert_eq!(changed(&world), ["Service", "Target", "Policy"]);
}

//! Attributes that move, that follow from other resources, and that two stacks share.

use super::*;

/// What the templates refer to and do not make is taken to be there.
async fn partial() -> Cloud {
    Cloud::with(Options { seed: 7, partial: true, ..Options::default() }).await
}

impl Cloud {
    /// As `deploy`, with leave to make resources of IAM.
    async fn deploy_iam(&self, action: &str, name: &str, template: &str) -> String {
        let capabilities = ["CAPABILITY_IAM"];
        self.ok(action, json!({ "StackName": name, "TemplateBody": template, "Capabilities": capabilities })).await;
        self.rest(name).await
    }

    fn output(&self, stack: &str, key: &str) -> String {
        let stack = self.stack(stack);
        let output = stack.outputs.iter().find(|output| output.key == key);
        output.unwrap_or_else(|| panic!("no output {key}")).value.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_version_of_a_launch_template_reaches_its_group() {
    let cloud = partial().await;
    let template = |kind: &str| {
        format!(
            r#"
Resources:
  L: {{Type: AWS::EC2::LaunchTemplate, Properties: {{LaunchTemplateData: {{InstanceType: {kind}}}}}}}
  G:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties:
      MinSize: "0"
      MaxSize: "0"
      AvailabilityZones: [eu-west-1a]
      LaunchTemplate: {{LaunchTemplateId: !Ref L, Version: !GetAtt L.LatestVersionNumber}}
Outputs:
  Latest: {{Value: !GetAtt L.LatestVersionNumber}}
  Default: {{Value: !GetAtt L.DefaultVersionNumber}}
"#
        )
    };
    assert_eq!(cloud.deploy("CreateStack", "s", &template("t3.micro")).await, "CREATE_COMPLETE");
    assert_eq!((cloud.output("s", "Latest"), cloud.output("s", "Default")), ("1".to_owned(), "1".to_owned()));
    let from = cloud.events("s").len();
    assert_eq!(cloud.deploy("UpdateStack", "s", &template("t3.small")).await, "UPDATE_COMPLETE");
    assert_eq!((cloud.output("s", "Latest"), cloud.output("s", "Default")), ("2".to_owned(), "1".to_owned()));
    assert_eq!(cloud.stack("s").resources["G"].properties["LaunchTemplate"]["Version"], "2");
    assert!(
        cloud.events_from("s", from).contains(&"G UPDATE_COMPLETE".to_owned()),
        "{:?}",
        cloud.events_from("s", from)
    );
}

#[tokio::test(start_paused = true)]
async fn streams_revisions_and_versions_move() {
    let cloud = partial().await;
    let template = |view: &str, text: &str| {
        format!(
            r#"
Resources:
  M:
    Type: AWS::StepFunctions::StateMachine
    Properties: {{RoleArn: "arn:aws:iam::111122223333:role/m", DefinitionString: '{text}'}}
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties: {{PolicyDocument: {{Version: "2012-10-17", Statement: [{{Effect: Allow, Action: "s3:{text}", Resource: "*"}}]}}}}
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{{AttributeName: id, AttributeType: S}}]
      KeySchema: [{{AttributeName: id, KeyType: HASH}}]
      StreamSpecification: {{StreamViewType: {view}}}
Outputs:
  Revision: {{Value: !GetAtt M.StateMachineRevisionId}}
  Version: {{Value: !GetAtt P.DefaultVersionId}}
  Stream: {{Value: !GetAtt T.StreamArn}}
"#
        )
    };
    assert_eq!(cloud.deploy_iam("CreateStack", "s", &template("NEW_IMAGE", "One")).await, "CREATE_COMPLETE");
    let keys = ["Revision", "Version", "Stream"];
    let before = keys.map(|key| cloud.output("s", key));
    assert_eq!((before[0].as_str(), before[1].as_str()), ("INITIAL", "v1"));
    assert_eq!(cloud.deploy_iam("UpdateStack", "s", &template("OLD_IMAGE", "Two")).await, "UPDATE_COMPLETE");
    let after = keys.map(|key| cloud.output("s", key));
    assert_eq!((after[0].len(), after[1].as_str()), (36, "v2"));
    assert_ne!(before[2], after[2], "a stream of its own for each view type");
    assert!(after[2].contains(":table/") && after[2].contains("/stream/"), "{}", after[2]);
    let more = template("OLD_IMAGE", "Two").replace("Resources:", "Resources:\n  Other: {Type: AWS::SNS::Topic}");
    assert_eq!(cloud.deploy_iam("UpdateStack", "s", &more).await, "UPDATE_COMPLETE");
    assert_eq!(keys.map(|key| cloud.output("s", key)), after, "nothing moves by itself");
}

#[tokio::test(start_paused = true)]
async fn a_changed_job_definition_is_the_next_revision() {
    let cloud = partial().await;
    let template = |image: &str| {
        format!(
            r#"
Resources:
  J:
    Type: AWS::Batch::JobDefinition
    Properties: {{JobDefinitionName: nightly, Type: container, ContainerProperties: {{Image: {image}}}}}
  P: {{Type: AWS::SSM::Parameter, Properties: {{Type: String, Value: !Ref J}}}}
Outputs:
  Job: {{Value: !Ref J}}
"#
        )
    };
    let revision = |number: u32| format!("arn:aws:batch:eu-west-1:111122223333:job-definition/nightly:{number}");
    assert_eq!(cloud.deploy("CreateStack", "s", &template("a")).await, "CREATE_COMPLETE");
    assert_eq!(cloud.output("s", "Job"), revision(1));
    for (number, image) in [(2, "b"), (3, "c")] {
        assert_eq!(cloud.deploy("UpdateStack", "s", &template(image)).await, "UPDATE_COMPLETE");
        assert_eq!(cloud.output("s", "Job"), revision(number));
        assert_eq!(cloud.stack("s").resources["P"].properties["Value"], revision(number), "who reads it follows");
    }
}

#[tokio::test(start_paused = true)]
async fn versions_of_extensions_have_eight_digits() {
    let cloud = partial().await;
    let template = r#"
Resources:
  M: {Type: AWS::CloudFormation::ModuleVersion, Properties: {ModuleName: "My::Shop::Queue::MODULE", ModulePackage: "https://packages.s3.amazonaws.com/m.zip"}}
  D: {Type: AWS::CloudFormation::ModuleDefaultVersion, Properties: {Arn: !Ref M}}
  R: {Type: AWS::CloudFormation::ResourceVersion, Properties: {TypeName: "My::Shop::Queue", SchemaHandlerPackage: "s3://packages/r.zip"}}
Outputs:
  Module: {Value: !Ref M}
  Version: {Value: !GetAtt M.VersionId}
  Resource: {Value: !Ref R}
  Type: {Value: !GetAtt R.TypeArn}
"#;
    assert_eq!(cloud.deploy("CreateStack", "s", template).await, "CREATE_COMPLETE", "{:?}", cloud.events("s"));
    let of = |rest: &str| format!("arn:aws:cloudformation:eu-west-1:111122223333:type/{rest}");
    assert_eq!(cloud.output("s", "Module"), of("module/My-Shop-Queue-MODULE/00000001"));
    assert_eq!(cloud.output("s", "Version"), "00000001");
    assert_eq!(cloud.output("s", "Resource"), of("resource/My-Shop-Queue/00000001"));
    assert_eq!(cloud.output("s", "Type"), of("resource/My-Shop-Queue"));
}

#[tokio::test(start_paused = true)]
async fn a_block_that_is_associated_later_is_the_vpcs() {
    let cloud = partial().await;
    let template = r#"
Resources:
  V: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  B: {Type: AWS::EC2::VPCCidrBlock, Properties: {AmazonProvidedIpv6CidrBlock: true, VpcId: !Ref V}}
  C: {Type: AWS::EC2::VPCCidrBlock, Properties: {CidrBlock: 10.1.0.0/16, VpcId: !Ref V}}
  S:
    Type: AWS::EC2::Subnet
    DependsOn: [B, C]
    Properties:
      VpcId: !Ref V
      CidrBlock: 10.0.0.0/24
      Ipv6CidrBlock: !Select [0, !Cidr [!Select [0, !GetAtt V.Ipv6CidrBlocks], 8, 64]]
Outputs:
  Blocks: {Value: !Join [",", !GetAtt V.Ipv6CidrBlocks]}
  Associations: {Value: !Join [",", !GetAtt V.CidrBlockAssociations]}
  OfSubnet: {Value: !Join [",", !GetAtt S.Ipv6CidrBlocks]}
  Zone: {Value: !GetAtt S.AvailabilityZone}
"#;
    assert_eq!(cloud.deploy("CreateStack", "s", template).await, "CREATE_COMPLETE", "{:?}", cloud.events("s"));
    let blocks = cloud.output("s", "Blocks");
    assert!(blocks.ends_with("::/56") && !blocks.contains(','), "{blocks}");
    let of_subnet = cloud.output("s", "OfSubnet");
    assert_eq!(of_subnet.split_once("::"), Some((blocks.split_once("::").expect("a block").0, "/64")));
    assert_eq!(cloud.output("s", "Associations").split(',').count(), 2, "the VPC's own, and that of C");
    assert_eq!(cloud.output("s", "Zone"), "eu-west-1a");
    // Without the block the VPC has none, and who asks for it is told so.
    let without = template.lines().filter(|line| !line.starts_with("  B:")).collect::<Vec<_>>().join("\n");
    let without = without.replace("DependsOn: [B, C]", "DependsOn: C");
    assert_eq!(cloud.deploy("CreateStack", "t", &without).await, "ROLLBACK_COMPLETE");
    let events = cloud.events("t");
    let failed = events.iter().find(|event| event.starts_with("S CREATE_FAILED")).expect("the subnet fails");
    assert!(failed.contains("Fn::Select"), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn an_interface_has_an_address_of_its_subnet() {
    let cloud = partial().await;
    let template = r#"
Resources:
  V: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  S: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref V, CidrBlock: 10.0.7.0/28}}
  Nic: {Type: AWS::EC2::NetworkInterface, Properties: {SubnetId: !Ref S, SecondaryPrivateIpAddressCount: 2}}
  I: {Type: AWS::EC2::Instance, Properties: {SubnetId: !Ref S, ImageId: ami-12345678}}
  G:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: from the interface
      VpcId: !Ref V
      SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: !Sub "${Nic.PrimaryPrivateIpAddress}/32"}]
Outputs:
  Addresses: {Value: !Join [",", [!GetAtt Nic.PrimaryPrivateIpAddress, !GetAtt I.PrivateIp, !Join [",", !GetAtt Nic.SecondaryPrivateIpAddresses]]]}
  Zones: {Value: !Sub "${S.AvailabilityZone} ${I.AvailabilityZone}"}
  Name: {Value: !GetAtt I.PrivateDnsName}
  Vpcs: {Value: !Sub "${V} ${I.VpcId} ${Nic.VpcId}"}
"#;
    assert_eq!(cloud.deploy("CreateStack", "s", template).await, "CREATE_COMPLETE", "{:?}", cloud.events("s"));
    let addresses = cloud.output("s", "Addresses");
    let mut addresses: Vec<&str> = addresses.split(',').collect();
    assert_eq!(cloud.output("s", "Name"), format!("ip-{}.eu-west-1.compute.internal", addresses[1].replace('.', "-")));
    for address in &addresses {
        let last: u8 = address.strip_prefix("10.0.7.").expect(address).parse().expect(address);
        assert!((4..15).contains(&last), "{address}");
    }
    addresses.sort_unstable();
    addresses.dedup();
    assert_eq!(addresses.len(), 4, "none twice");
    assert_eq!(cloud.output("s", "Zones"), "eu-west-1a eu-west-1a");
    let vpcs = cloud.output("s", "Vpcs");
    let vpcs: Vec<&str> = vpcs.split(' ').collect();
    assert_eq!((vpcs[0], vpcs[0]), (vpcs[1], vpcs[2]));
}

#[tokio::test(start_paused = true)]
async fn settings_of_an_account_are_those_of_the_stack_that_wrote_last() {
    let cloud = partial().await;
    let template = |role: &str| {
        format!(
            "Resources:\n  A: {{Type: AWS::ApiGateway::Account, Properties: {{CloudWatchRoleArn: \"arn:aws:iam::111122223333:role/{role}\"}}}}\n"
        )
    };
    assert_eq!(cloud.deploy("CreateStack", "one", &template("a")).await, "CREATE_COMPLETE");
    assert_eq!(
        cloud.deploy("CreateStack", "two", &template("b")).await,
        "CREATE_COMPLETE",
        "{:?}",
        cloud.events("two")
    );
    let role = async |stack: &str| {
        let id = cloud.stack(stack).resources["A"].physical_id.clone();
        let live = crate::resources::read(&cloud.aws.world, &cloud.place, "AWS::ApiGateway::Account", &id).await;
        live.expect("is there")["CloudWatchRoleArn"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(role("one").await, "arn:aws:iam::111122223333:role/b");
    cloud.ok("DeleteStack", json!({"StackName": "two"})).await;
    assert_eq!(cloud.rest("two").await, "DELETE_COMPLETE");
    assert_eq!(role("one").await, "arn:aws:iam::111122223333:role/b", "a deletion takes nothing back");
    assert_eq!(cloud.deploy("UpdateStack", "one", &template("c")).await, "UPDATE_COMPLETE");
    assert_eq!(role("one").await, "arn:aws:iam::111122223333:role/c");
}

#[tokio::test(start_paused = true)]
async fn names_are_unique_in_what_they_belong_to() {
    let cloud = partial().await;
    let template = r#"
Resources:
  One: {Type: AWS::ApiGateway::RestApi, Properties: {Name: one}}
  Two: {Type: AWS::ApiGateway::RestApi, Properties: {Name: two}}
  DeployOne: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref One}}
  DeployTwo: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Two}}
  StageOne: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref One, DeploymentId: !Ref DeployOne, StageName: prod}}
  StageTwo: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Two, DeploymentId: !Ref DeployTwo, StageName: prod}}
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: orders}}
  Plain: {Type: AWS::Events::Rule, Properties: {Name: made, EventPattern: {source: [shop]}}}
  OnBus: {Type: AWS::Events::Rule, Properties: {Name: made, EventBusName: !Ref Bus, EventPattern: {source: [shop]}}}
  LogsOne: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: one}}
  LogsTwo: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: two}}
  StreamOne: {Type: AWS::Logs::LogStream, Properties: {LogGroupName: !Ref LogsOne, LogStreamName: main}}
  StreamTwo: {Type: AWS::Logs::LogStream, Properties: {LogGroupName: !Ref LogsTwo, LogStreamName: main}}
Outputs:
  Stages: {Value: !Sub "${StageOne} ${StageTwo}"}
  Rules: {Value: !Sub "${Plain} ${OnBus}"}
  Arns: {Value: !Sub "${Plain.Arn} ${OnBus.Arn}"}
  Streams: {Value: !Sub "${StreamOne} ${StreamTwo}"}
"#;
    assert_eq!(cloud.deploy("CreateStack", "s", template).await, "CREATE_COMPLETE", "{:?}", cloud.events("s"));
    assert_eq!(cloud.output("s", "Stages"), "prod prod");
    assert_eq!(cloud.output("s", "Rules"), "made orders|made");
    let arn = "arn:aws:events:eu-west-1:111122223333:rule";
    assert_eq!(cloud.output("s", "Arns"), format!("{arn}/made {arn}/orders/made"));
    assert_eq!(cloud.output("s", "Streams"), "main main");
    // Within one of them a name is taken.
    let again = template.replace("{Name: two}", "{Name: one}").replace(
        "RestApiId: !Ref Two, DeploymentId: !Ref DeployTwo",
        "RestApiId: !Ref One, DeploymentId: !Ref DeployOne",
    );
    let again =
        again.replace("LogGroupName: one", "LogGroupName: three").replace("LogGroupName: two", "LogGroupName: four");
    let again = again.replace("Name: orders", "Name: bills").replace(
        "Plain: {Type: AWS::Events::Rule, Properties: {Name: made",
        "Plain: {Type: AWS::Events::Rule, Properties: {Name: other",
    );
    assert_eq!(cloud.deploy("CreateStack", "t", &again).await, "ROLLBACK_COMPLETE");
    assert!(
        cloud.events("t").iter().any(|event| event.contains("CREATE_FAILED (prod already exists in stack")),
        "{:?}",
        cloud.events("t")
    );
    // Deleting one leaves the other.
    let fewer: String = template
        .lines()
        .filter(|line| {
            !line.starts_with("  StageTwo")
                && !line.starts_with("  OnBus")
                && !line.starts_with("  Stages")
                && !line.starts_with("  Rules")
                && !line.starts_with("  Arns")
        })
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(cloud.deploy("UpdateStack", "s", &fewer).await, "UPDATE_COMPLETE");
    let live = cloud.live();
    assert_eq!(live.iter().filter(|id| *id == "prod").count(), 1);
    assert_eq!(live.iter().filter(|id| *id == "made" || *id == "orders|made").collect::<Vec<_>>(), ["made"]);
}

#[tokio::test(start_paused = true)]
async fn a_password_that_rds_manages_is_in_a_secret() {
    let cloud = partial().await;
    let template = |managed: bool| {
        let password = if managed { "ManageMasterUserPassword: true" } else { "MasterUserPassword: written-down" };
        let outputs = if managed { "Outputs:\n  Secret: {Value: !GetAtt D.MasterUserSecret.SecretArn}\n" } else { "" };
        format!(
            "Resources:\n  D:\n    Type: AWS::RDS::DBInstance\n    Properties: {{Engine: postgres, DBInstanceClass: db.t3.micro, AllocatedStorage: '20', MasterUsername: shop, {password}}}\n{outputs}"
        )
    };
    assert_eq!(cloud.deploy("CreateStack", "s", &template(true)).await, "CREATE_COMPLETE", "{:?}", cloud.events("s"));
    let secret = cloud.output("s", "Secret");
    assert!(secret.starts_with("arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds!db-"), "{secret}");
    let ask = async |operation: &str| {
        let input = json!({ "SecretId": secret });
        cloud.aws.world.services.json(&cloud.place, "secretsmanager", operation, &input).await
    };
    let value = ask("GetSecretValue").await.expect("the secret is there");
    let value: Json = serde_json::from_str(value["SecretString"].as_str().expect("a text")).expect("JSON");
    assert_eq!(value["username"], "shop");
    assert_eq!(cloud.deploy("UpdateStack", "s", &template(false)).await, "UPDATE_COMPLETE", "{:?}", cloud.events("s"));
    assert!(ask("DescribeSecret").await.is_err(), "it goes with the switch");
}

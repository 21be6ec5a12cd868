//! The rules that projects start with: the catalog passes them, and each of them is tried with something that does not.

use super::*;
use crate::catalog::Catalog;
use crate::model::Target;
use crate::problem::{Location, SourceFile};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn stack(resource_type: &str, properties: Json) -> RenderedStack {
    RenderedStack {
        name: "one".to_owned(),
        stack_name: "shop-dev-one".to_owned(),
        target: Target { account: "111122223333".to_owned(), region: "eu-west-1".to_owned(), role: None },
        template_name: "one".to_owned(),
        template: json!({"Resources": {"Thing": {"Type": resource_type, "Properties": properties}}}).to_string(),
        template_digest: String::new(),
        parameters: BTreeMap::new(),
        tags: BTreeMap::from([("Owner".to_owned(), "platform".to_owned())]),
        capabilities: Vec::new(),
        protect: false,
        stack_policy: None,
        after: Vec::new(),
        places: BTreeMap::from([("Thing".to_owned(), "templates/one.yaml:4".to_owned())]),
    }
}

fn broken(stack: &RenderedStack) -> BTreeSet<String> {
    let rules = Rules::read(project()).unwrap();
    check(&rules, std::slice::from_ref(stack)).unwrap().into_iter().map(|violation| violation.rule).collect()
}

#[test]
fn the_catalog_passes_in_every_environment() {
    let rules = Rules::read(project()).unwrap();
    for name in ["dev", "staging", "prod", "emulator"] {
        let (environment, _) = crate::environment::load(project(), name).unwrap();
        let stacks = crate::render::render(&environment, &Catalog::open(project())).unwrap();
        assert_eq!(check(&rules, &stacks).unwrap(), [], "{name}");
    }
}

/// Rule, type, properties that break it, properties that do not.
fn cases() -> Vec<(&'static str, &'static str, Json, Json)> {
    let statement = |statement: Json| json!({"PolicyDocument": {"Statement": [statement]}});
    let trust = |principal: Json| {
        json!({"AssumeRolePolicyDocument": {"Statement": [
        {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}})
    };
    let ecs = || json!({"Service": "ecs-tasks.amazonaws.com"});
    let with = |mut role: Json, arn: &str| {
        role["ManagedPolicyArns"] = json!([arn]);
        role
    };
    let group = |port: u16, cidr: &str| {
        json!({"GroupDescription": "x", "SecurityGroupIngress": [
        {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": cidr}]})
    };
    let blocked = |on: bool| {
        json!({"PublicAccessBlockConfiguration": {"BlockPublicAcls": true, "BlockPublicPolicy": on,
        "IgnorePublicAcls": true, "RestrictPublicBuckets": true}})
    };
    let encrypted =
        json!({"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]});
    let bucket_policy = |condition: Json| {
        json!({"Bucket": "b", "PolicyDocument": {"Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": condition}]}})
    };
    let site = |policy: &str| json!({"DistributionConfig": {"DefaultCacheBehavior": {"ViewerProtocolPolicy": policy}}});
    vec![
        ("table_encrypted", "AWS::DynamoDB::Table", json!({}), json!({"SSESpecification": {"SSEEnabled": true}})),
        ("bucket_encrypted", "AWS::S3::Bucket", json!({}), json!({"BucketEncryption": encrypted})),
        ("topic_encrypted", "AWS::SNS::Topic", json!({}), json!({"KmsMasterKeyId": {"Ref": "Key"}})),
        ("queue_encrypted", "AWS::SQS::Queue", json!({"SqsManagedSseEnabled": false}), json!({})),
        ("database_encrypted", "AWS::RDS::DBInstance", json!({}), json!({"StorageEncrypted": true})),
        ("filesystem_encrypted", "AWS::EFS::FileSystem", json!({"Encrypted": false}), json!({"Encrypted": true})),
        ("key_rotates", "AWS::KMS::Key", json!({}), json!({"KeySpec": "RSA_2048"})),
        ("bucket_not_public", "AWS::S3::Bucket", blocked(false), blocked(true)),
        ("only_web_ports_open_to_all", "AWS::EC2::SecurityGroup", group(22, "0.0.0.0/0"), group(443, "0.0.0.0/0")),
        ("database_not_public", "AWS::RDS::DBInstance", json!({"PubliclyAccessible": true}), json!({})),
        ("function_url_not_public", "AWS::Lambda::Url", json!({"AuthType": "NONE"}), json!({"AuthType": "AWS_IAM"})),
        (
            "no_action_for_all",
            "AWS::IAM::ManagedPolicy",
            statement(json!({"Effect": "Allow", "Action": ["s3:Get*", "*"], "Resource": "a"})),
            statement(json!({"Effect": "Deny", "Action": "*", "Resource": "*"})),
        ),
        (
            "no_service_for_all_resources",
            "AWS::IAM::ManagedPolicy",
            statement(json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})),
            statement(json!({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"})),
        ),
        ("trust_names_principals", "AWS::IAM::Role", trust(json!({"AWS": "*"})), trust(ecs())),
        (
            "no_administrators",
            "AWS::IAM::Role",
            with(trust(ecs()), "arn:aws:iam::aws:policy/AdministratorAccess"),
            with(trust(ecs()), "arn:aws:iam::aws:policy/SecurityAudit"),
        ),
        ("logs_have_retention", "AWS::Logs::LogGroup", json!({}), json!({"RetentionInDays": 30})),
        (
            "table_recoverable",
            "AWS::DynamoDB::Table",
            json!({}),
            json!({"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true}}),
        ),
        (
            "database_has_backups",
            "AWS::RDS::DBInstance",
            json!({"BackupRetentionPeriod": 0}),
            json!({"BackupRetentionPeriod": 7}),
        ),
        (
            "repository_expires",
            "AWS::ECR::Repository",
            json!({"ImageTagMutability": "IMMUTABLE"}),
            json!({"ImageTagMutability": "IMMUTABLE", "LifecyclePolicy": {"LifecyclePolicyText": "{}"}}),
        ),
        (
            "listener_has_modern_tls",
            "AWS::ElasticLoadBalancingV2::Listener",
            json!({"Protocol": "HTTPS", "SslPolicy": "ELBSecurityPolicy-2016-08"}),
            json!({"Protocol": "HTTPS", "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06"}),
        ),
        (
            "bucket_policy_insists_on_tls",
            "AWS::S3::BucketPolicy",
            bucket_policy(json!({"StringEquals": {"a": "b"}})),
            bucket_policy(json!({"Bool": {"aws:SecureTransport": "false"}})),
        ),
        ("site_insists_on_tls", "AWS::CloudFront::Distribution", site("allow-all"), site("redirect-to-https")),
    ]
}

#[test]
fn every_rule_fails_on_what_it_is_against_and_on_nothing_else() {
    let mut wrong = Vec::new();
    for (rule, resource_type, bad, good) in cases() {
        if !broken(&stack(resource_type, bad)).contains(rule) {
            wrong.push(format!("{rule} lets pass what it is against"));
        }
        if broken(&stack(resource_type, good)).contains(rule) {
            wrong.push(format!("{rule} fails on what is good"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let mut ownerless = stack("AWS::SSM::Parameter", json!({"Type": "String", "Value": "x"}));
    assert_eq!(broken(&ownerless), BTreeSet::new());
    ownerless.tags.clear();
    assert_eq!(broken(&ownerless), BTreeSet::from(["stack_has_owner".to_owned()]));
}

#[test]
fn every_rule_of_the_starter_set_is_tried() {
    let mut named: BTreeSet<String> = cases().into_iter().map(|case| case.0.to_owned()).collect();
    named.insert("stack_has_owner".to_owned());
    let mut written = BTreeSet::new();
    for entry in std::fs::read_dir(project().join(DIRECTORY)).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let names = text.lines().filter_map(|line| line.strip_prefix("rule "));
        // Those with parameters are parts of others.
        let names = names.map(|line| line.split([' ', '{']).next().unwrap()).filter(|name| !name.contains('('));
        written.extend(names.map(str::to_owned));
    }
    assert_eq!(written, named);
}

#[test]
fn a_violation_says_where_and_a_waiver_holds_until_its_day() {
    let rules = Rules::read(project()).unwrap();
    let mut found = check(&rules, &[stack("AWS::Logs::LogGroup", json!({}))]).unwrap();
    assert_eq!(found.len(), 1, "{found:#?}");
    let one = &found[0];
    assert_eq!((one.subject().as_str(), one.file.as_str()), ("one.Thing", "policies/retention.guard"));
    assert_eq!(one.place.as_deref(), Some("templates/one.yaml:4"));
    assert_eq!(one.message, "a log group says how long its lines are kept: RetentionInDays");
    let at = Location {
        file: Arc::new(SourceFile { name: "environments/dev.yaml".to_owned(), text: String::new() }),
        span: Default::default(),
    };
    let day = |text: &str| text.parse::<jiff::civil::Date>().unwrap();
    let waiver = |rule: &str, resource: Option<&str>| Waiver {
        rule: rule.to_owned(),
        stack: "one".to_owned(),
        resource: resource.map(str::to_owned),
        because: "a trial".to_owned(),
        until: day("2026-06-30"),
        at: at.clone(),
    };
    let waivers = [waiver("logs_have_retention", Some("Thing")), waiver("logs_have_retention", Some("Other"))];
    waive(&mut found, &waivers, day("2026-06-30"));
    assert!(
        found[0].is_waived() && found[0].text().ends_with("(waived until 2026-06-30: a trial)"),
        "{}",
        found[0].text()
    );
    waive(&mut found, &waivers, day("2026-07-01"));
    assert!(
        !found[0].is_waived() && found[0].text().ends_with("(its waiver ended on 2026-06-30)"),
        "{}",
        found[0].text()
    );
    assert_eq!(unused(&found, &waivers).len(), 1, "the other one waives nothing");
}

#[test]
fn a_file_that_is_no_guard_says_where() {
    let file = rules::File::new("policies/x.guard".to_owned(), "rule a {\n  this is not it ???\n}\n".to_owned());
    let error = file.evaluate("{}").unwrap_err();
    assert!(error.to_string().contains("policies/x.guard cannot be evaluated"), "{error}");
}

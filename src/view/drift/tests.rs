//! How drift looks, without a command.

use super::*;
use crate::drift::{Changed, Ignored, IgnoredBy, Source, StackChange, StrayIgnore, Unchecked, Unmanaged};
use crate::model::Target;
use crate::plan::{Value, ValueChange};
use serde_json::json;

fn property(path: &str, declared: Value, live: Value) -> PropertyDrift {
    PropertyDrift {
        path: path.to_owned(),
        pointer: format!("/{path}"),
        kind: PropertyKind::Declared,
        change: ValueChange::new(declared, live),
        sources: vec![Source::CloudFormation, Source::CloudControl],
        ignored: None,
    }
}

fn resource(id: &str, of: &str, status: Status, properties: Vec<PropertyDrift>) -> ResourceDrift {
    ResourceDrift {
        logical_id: id.to_owned(),
        resource_type: of.to_owned(),
        physical_id: Some(format!("{}-0123456789abcdef0", id.to_lowercase())),
        status,
        reason: None,
        sources: vec![Source::CloudFormation],
        properties,
        not_comparable: Vec::new(),
        changed: None,
        place: Some("templates/alb.yaml:42".to_owned()),
    }
}

fn sample() -> Drift {
    let target = Target { account: "111122223333".to_owned(), region: "eu-west-1".to_owned(), role: None };
    let stack = |name: &str, condition, resources| StackDrift {
        stack: name.to_owned(),
        stack_name: format!("storefront-prod-{name}"),
        target: target.clone(),
        condition,
        changes: Vec::new(),
        resources,
        unchecked: Vec::new(),
    };
    let rule = json!({"CidrIp": "0.0.0.0/0", "Description": "just for a moment", "FromPort": 22, "IpProtocol": "tcp", "ToPort": 22});
    let policy = |action: &str| {
        Value::Known(json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["dynamodb:GetItem", action], "Resource": "arn:aws:dynamodb:eu-west-1:111122223333:table/items"},
        ]}))
    };
    let mut group = resource(
        "Group",
        "AWS::EC2::SecurityGroup",
        Status::Modified,
        vec![property("SecurityGroupIngress[2]", Value::Absent, Value::Known(rule))],
    );
    group.changed = Some(Changed {
        at: "2026-11-22T07:14:00Z".parse().unwrap(),
        by: "arn:aws:sts::111122223333:assumed-role/Administrator/alice@example.com".to_owned(),
        call: "ec2:AuthorizeSecurityGroupIngress".to_owned(),
    });
    let scaled = PropertyDrift {
        ignored: Some(Ignored { by: IgnoredBy::AutoScaling, because: "auto scaling sets it".to_owned() }),
        ..property("DesiredCount", Value::Known(json!(2)), Value::Known(json!(4)))
    };
    let open = PropertyDrift {
        kind: PropertyKind::Undeclared,
        ..property("HealthCheckGracePeriodSeconds", Value::Absent, Value::Known(json!(90)))
    };
    let service = resource(
        "Service",
        "AWS::ECS::Service",
        Status::Modified,
        vec![
            property(
                "running image of app",
                Value::text(format!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/api@sha256:{}", "a".repeat(64))),
                Value::text(format!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/api@sha256:{}", "b".repeat(64))),
            ),
            scaled,
            open,
        ],
    );
    let mut data = stack(
        "data",
        StackCondition::Changed,
        vec![
            resource("Table", "AWS::DynamoDB::Table", Status::Deleted, Vec::new()),
            resource(
                "Role",
                "AWS::IAM::Role",
                Status::Modified,
                vec![property("Policies[0].PolicyDocument", policy("dynamodb:Query"), policy("dynamodb:*"))],
            ),
        ],
    );
    data.changes.push(StackChange {
        what: "tag owner".to_owned(),
        change: ValueChange::new(Value::text("platform"), Value::text("me")),
    });
    let mut record = resource("Www", "AWS::Route53::RecordSet", Status::NotChecked, Vec::new());
    record.reason = Some("CloudFormation does not check this type; Cloud Control cannot read it".to_owned());
    let mut records = stack("records", StackCondition::Unchanged, vec![record]);
    records
        .unchecked
        .push(Unchecked { what: "stack policy".to_owned(), reason: "AWS denied permission to read it".to_owned() });
    Drift {
        format_version: Drift::FORMAT_VERSION.to_owned(),
        infra_version: "0.1.0".to_owned(),
        checked_at: "2026-11-22T08:00:00Z".parse().unwrap(),
        project: "storefront".to_owned(),
        environment: "prod".to_owned(),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        serial: Some(12),
        summary: Summary::default(),
        stacks: vec![
            stack("alb", StackCondition::Unchanged, vec![group]),
            stack("fastapi-a", StackCondition::Unchanged, vec![service]),
            data,
            records,
            stack("old", StackCondition::Deleted, Vec::new()),
        ],
        unmanaged: vec![Unmanaged {
            arn: "arn:aws:sns:eu-west-1:111122223333:by-hand".to_owned(),
            region: "eu-west-1".to_owned(),
            left_by: None,
        }],
        unchecked: Vec::new(),
        stray_ignores: vec![StrayIgnore {
            place: "environments/prod.yaml:40".to_owned(),
            rule: "fastapi-a Service DesiredCount".to_owned(),
            expired: Some("2026-11-01".to_owned()),
        }],
    }
    .summed()
}

#[test]
fn in_a_terminal_of_eighty_columns() {
    let text = text::plain(&human(&sample(), Detail { width: 80, verbose: false }));
    assert!(text.lines().all(|line| text::columns(line) <= 80), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn verbose_shows_what_is_no_drift_too() {
    insta::assert_snapshot!(text::plain(&human(&sample(), Detail { width: 80, verbose: true })));
}

#[test]
fn in_a_comment() {
    let whole = markdown(&sample(), usize::MAX);
    insta::assert_snapshot!(whole);
    let cut = markdown(&sample(), 900);
    assert!(cut.chars().count() <= 900 && cut.contains("more lines do not fit"), "{cut}");
}

#[test]
fn the_document_is_what_its_schema_says() {
    let document = serde_json::to_value(sample()).unwrap();
    assert_eq!(crate::view::schema_errors("drift", &document), Vec::<String>::new());
}

#[test]
fn what_is_quiet_says_so() {
    let mut quiet = sample();
    quiet.stacks.truncate(1);
    quiet.stacks[0].resources[0].status = Status::InSync;
    quiet.stacks[0].resources[0].properties.clear();
    (quiet.unmanaged, quiet.stray_ignores) = Default::default();
    let quiet = quiet.summed();
    let text = text::plain(&human(&quiet, Detail { width: 80, verbose: false }));
    insta::assert_snapshot!(text, @"No drift. storefront/prod is as it was applied: 1 resource in 1 stack.");
}

#[test]
fn what_was_never_applied_is_not_called_right() {
    let never =
        Drift { serial: None, stacks: Vec::new(), unmanaged: Vec::new(), summary: Summary::default(), ..sample() };
    assert!(
        summary_line(&never).starts_with("Nothing to compare: storefront/prod was never applied"),
        "{}",
        summary_line(&never)
    );
    let applied = Drift { serial: Some(3), unchecked: Vec::new(), ..never };
    assert!(summary_line(&applied).starts_with("No drift"), "{}", summary_line(&applied));
}

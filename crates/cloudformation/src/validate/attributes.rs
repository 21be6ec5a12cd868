//! The attributes of resources beside their properties: policies and metadata.

use super::check::{Checker, pointer};
use super::facts::{Facts, text};
use super::finding::{Finding, Rule, did_you_mean};
use super::rules;
use crate::schema::{Schema, document};
use crate::source::Span;
use crate::template::{Expr, Kind, Member, Resource};
use serde::Deserialize;
use serde_json::json;

/// Types of which CloudFormation can keep a snapshot ("DeletionPolicy attribute" of the user guide).
const WITH_SNAPSHOTS: [&str; 8] = [
    "AWS::DocDB::DBCluster",
    "AWS::EC2::Volume",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::Neptune::DBCluster",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::Redshift::Cluster",
];

pub fn check(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for (name, resource) in &facts.template.resources {
        let policies = [
            ("DeletionPolicy", &resource.deletion_policy, rules::DELETION_POLICY),
            ("UpdateReplacePolicy", &resource.update_replace_policy, rules::UPDATE_REPLACE_POLICY),
        ];
        for (key, policy, rule) in policies {
            policy.iter().for_each(|policy| keep_policy(facts, name, resource, key, policy, rule, found));
        }
        if let Some(policy) = &resource.update_policy {
            update_policy(facts, name, resource, policy, found);
        }
        if let (Some(policy), Some(schema)) =
            (&resource.creation_policy, creation_schema(&resource.resource_type.value))
        {
            hold(facts, name, "CreationPolicy", policy, &schema, rules::CREATION_POLICY, found);
        }
        let init = resource.metadata.as_ref().and_then(|metadata| metadata.get("AWS::CloudFormation::Init"));
        if let (Some(init), Some(schema)) = (init, document("#CfnInit")) {
            hold(facts, name, "Metadata/AWS::CloudFormation::Init", init, schema, rules::METADATA_INIT, found);
        }
    }
}

fn keep_policy(
    facts: &Facts<'_>,
    name: &str,
    resource: &Resource,
    key: &str,
    policy: &Expr,
    rule: Rule,
    found: &mut Vec<Finding>,
) {
    let mut allowed = vec!["Delete", "Retain"];
    if key == "DeletionPolicy" {
        allowed.push("RetainExceptOnCreate");
    }
    let snapshots = WITH_SNAPSHOTS.contains(&resource.resource_type.value.as_str());
    allowed.extend(snapshots.then_some("Snapshot"));
    for (value, _) in facts.at(policy, &[], &facts.assumed_for(name)) {
        let written = match &value.kind {
            Kind::Call(_) => continue,
            _ => text(value).unwrap_or_default(),
        };
        if allowed.contains(&written) {
            continue;
        }
        let what = if written.is_empty() { "This" } else { written };
        let message =
            format!("{what} is no {key} of {}: it is one of {}", resource.resource_type.value, allowed.join(", "));
        let mut finding = Finding::new(rule, message, value.span, format!("/Resources/{name}/{key}"));
        finding.remedy = did_you_mean(written, allowed.iter().copied());
        found.push(finding);
    }
}

/// The schema of update policies depends on the resource's type, so it is held against both together.
fn update_policy(facts: &Facts<'_>, name: &str, resource: &Resource, policy: &Expr, found: &mut Vec<Finding>) {
    let Some(schema) = document("#UpdatePolicy") else { return };
    let kind = Kind::Literal(crate::source::Scalar {
        text: resource.resource_type.value.clone(),
        style: crate::source::Style::Text,
    });
    let member = |key: &str, value: Expr, span: Span| Member { key: key.to_owned(), key_span: span, value };
    let both = Kind::Map(vec![
        member("Type", Expr::new(kind, resource.resource_type.span), resource.resource_type.span),
        member("UpdatePolicy", policy.clone(), policy.span),
    ]);
    hold(facts, name, "", &Expr::new(both, policy.span), schema, rules::UPDATE_POLICY, found);
}

fn creation_schema(resource_type: &str) -> Option<Schema> {
    let signal = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {"Count": {"type": "integer"}, "Timeout": {"type": "string"}}
    });
    let properties = match resource_type {
        "AWS::AppStream::Fleet" => json!({"StartFleet": {"type": "boolean"}}),
        "AWS::AutoScaling::AutoScalingGroup" => json!({
            "AutoScalingCreationPolicy": {
                "type": "object",
                "additionalProperties": false,
                "properties": {"MinSuccessfulInstancesPercent": {"type": "integer"}}
            },
            "ResourceSignal": signal
        }),
        "AWS::CloudFormation::WaitCondition" | "AWS::EC2::Instance" => json!({"ResourceSignal": signal}),
        _ => return None,
    };
    let schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
    Schema::deserialize(schema).ok()
}

fn hold(facts: &Facts<'_>, name: &str, key: &str, value: &Expr, schema: &Schema, rule: Rule, found: &mut Vec<Finding>) {
    let mut checker = Checker::new(facts, schema);
    checker.check(value, schema, &facts.assumed_for(name));
    for broken in checker.found {
        let mut path = format!("/Resources/{name}");
        let below = broken.path.iter().map(String::as_str);
        for part in (!key.is_empty()).then_some(key).into_iter().chain(below) {
            path = path + "/" + part;
        }
        let message = format!("{}: {}", pointer(&broken.path), broken.message);
        let mut finding = Finding::new(rule, message, broken.span, path);
        finding.remedy = broken.remedy;
        found.push(finding);
    }
}

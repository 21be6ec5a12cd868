//! Names that two resources would share, and names of roles and resources in policies.

use super::{Subject, plain};
use crate::schema::{Pattern, Text};
use crate::template::Expr;
use crate::validate::conditions::Assumed;
use crate::validate::facts::{Facts, Spot};
use crate::validate::finding::Finding;
use crate::validate::rules;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Properties that hold the ARN of a role where a name will not do.
const ROLES: [(&str, &str); 6] = [
    ("AWS::Backup::BackupSelection", "BackupSelection/IamRoleArn"),
    ("AWS::Batch::ComputeEnvironment", "ComputeResources/SpotIamFleetRole"),
    ("AWS::Batch::ComputeEnvironment", "ServiceRole"),
    ("AWS::EC2::SpotFleet", "SpotFleetRequestConfigData/IamFleetRole"),
    ("AWS::ECS::TaskDefinition", "ExecutionRoleArn"),
    ("AWS::S3::Bucket", "ReplicationConfiguration/Role"),
];

/// Properties that hold policies of resources.
const RESOURCE_POLICIES: [(&str, &str); 5] = [
    ("AWS::KMS::Key", "KeyPolicy"),
    ("AWS::OpenSearchService::Domain", "AccessPolicies"),
    ("AWS::S3::BucketPolicy", "PolicyDocument"),
    ("AWS::SNS::TopicPolicy", "PolicyDocument"),
    ("AWS::SQS::QueuePolicy", "PolicyDocument"),
];

pub fn check(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    same_identifiers(facts, found);
    let role = Pattern::new(Text::Borrowed(r"^arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/[a-zA-Z_0-9+=,.@\-_/]+$"));
    let some = Pattern::new(Text::Borrowed(r"^arn:aws[A-Za-z\-]*?:[^:]+:[^:]*(:(?:\d{12}|\*|aws)?:.+|)$"));
    for subject in facts.template.resources.keys().filter_map(|name| Subject::new(facts, name)) {
        for (_, path) in ROLES.iter().filter(|(name, _)| *name == subject.resource_type) {
            for Spot { value, path, .. } in subject.at(path) {
                let wrong = plain(value).filter(|arn| role.matches(arn) == Some(false));
                found.extend(wrong.map(|arn| {
                    let message = format!("{arn} is no ARN of a role");
                    subject.finding(rules::ROLE_ARN, message, value.span, &path)
                }));
            }
        }
        for (_, path) in RESOURCE_POLICIES.iter().filter(|(name, _)| *name == subject.resource_type) {
            policy_arns(&subject, path, &some, found);
        }
    }
}

fn policy_arns(subject: &Subject<'_, '_>, path: &str, arn: &Pattern, found: &mut Vec<Finding>) {
    // A bucket's policy names the bucket: `*` would be taken for its name.
    let any_is_allowed = subject.resource_type != "AWS::S3::BucketPolicy";
    let statements = ["Statement", "Statement/*"].map(|statements| format!("{path}/{statements}"));
    for statement in statements.iter().flat_map(|statements| subject.at(statements)) {
        for place in ["Resource", "Resource/*", "NotResource", "NotResource/*"] {
            for Spot { value, path, .. } in subject.spots(statement.value, place, &statement.assumed) {
                let Some(text) = plain(value).filter(|text| !(any_is_allowed && *text == "*")) else { continue };
                if arn.matches(text) == Some(false) {
                    let path: Vec<String> = statement.path.iter().chain(&path).cloned().collect();
                    found.push(subject.finding(rules::POLICY_ARN, format!("{text} is no ARN"), value.span, &path));
                }
            }
        }
    }
}

/// Two resources of a type that would be one and the same, as two buckets of one name.
fn same_identifiers(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let mut seen: BTreeMap<(&str, String), Vec<(&str, Assumed)>> = BTreeMap::new();
    for subject in facts.template.resources.keys().filter_map(|name| Subject::new(facts, name)) {
        let known = facts.type_of(subject.name);
        let identifier: Vec<String> = match (subject.resource_type, known) {
            // What CodeBuild calls a project's identifier is given by the service; its name is given here.
            ("AWS::CodeBuild::Project", _) => vec!["Name".to_owned()],
            ("AWS::Serverless::Function", _) => vec!["FunctionName".to_owned()],
            ("AWS::Serverless::SimpleTable", _) => vec!["TableName".to_owned()],
            (_, Some(known)) => known.primary_identifier().iter().map(|path| path.dotted()).collect(),
            (_, None) => continue,
        };
        let read_only = |path: &str| known.is_some_and(|known| known.is_read_only(path));
        let settable = !identifier.iter().any(|path| read_only(path) || path.contains('.'));
        let Some(values) = settable.then(|| identifier_of(&subject, &identifier)).flatten() else { continue };
        let key = (subject.resource_type, Json::Array(values).to_string());
        let others = seen.entry(key).or_default();
        let together = |assumed: &Assumed| facts.conditions.possible(&assumed.and(&subject.assumed));
        if let Some((other, _)) = others.iter().find(|(_, assumed)| together(assumed)) {
            let message = format!(
                "{} and {other} have the same {}: they would be one resource",
                subject.name,
                identifier.join(", ")
            );
            let path: Vec<String> = identifier.iter().take(1).filter(|_| identifier.len() == 1).cloned().collect();
            let span = subject.properties.get(&identifier[0]).map_or(subject.properties.span, |value| value.span);
            let mut finding = subject.finding(rules::SAME_IDENTIFIER, message, span, &path);
            finding.related = facts.template.resources.get(*other).map(|it| ("the other".to_owned(), it.name_span));
            found.push(finding);
        }
        others.push((subject.name, subject.assumed.clone()));
    }
}

/// The values of the properties that identify a resource, when they are given without conditions.
fn identifier_of(subject: &Subject<'_, '_>, names: &[String]) -> Option<Vec<Json>> {
    let value = |name: &String| {
        let mut spots = subject.at(name);
        let only = spots.pop().filter(|spot| spots.is_empty() && spot.assumed == subject.assumed)?;
        Some(Expr::to_json(only.value))
    };
    (!names.is_empty()).then(|| names.iter().map(value).collect()).flatten()
}

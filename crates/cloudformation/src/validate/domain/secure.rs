//! Secure strings of Parameter Store: only some properties take a reference to one.

use super::Subject;
use crate::template::{Expr, Function, Kind, SubPart};
use crate::validate::finding::Finding;
use crate::validate::rules;

/// Properties that take `{{resolve:ssm-secure:…}}` ("Resources that support dynamic parameter patterns for secure
/// strings" of the user guide).
const TAKERS: [(&str, &str); 11] = [
    ("AWS::DirectoryService::MicrosoftAD", "Password"),
    ("AWS::DirectoryService::SimpleAD", "Password"),
    ("AWS::ElastiCache::ReplicationGroup", "AuthToken"),
    ("AWS::IAM::User", "LoginProfile/Password"),
    ("AWS::KinesisFirehose::DeliveryStream", "RedshiftDestinationConfiguration/Password"),
    ("AWS::OpsWorks::App", "AppSource/Password"),
    ("AWS::OpsWorks::Stack", "CustomCookbooksSource/Password"),
    ("AWS::OpsWorks::Stack", "RdsDbInstances/*/DbPassword"),
    ("AWS::RDS::DBCluster", "MasterUserPassword"),
    ("AWS::RDS::DBInstance", "MasterUserPassword"),
    ("AWS::Redshift::Cluster", "MasterUserPassword"),
];

const SECURE: &str = "{{resolve:ssm-secure:";

pub fn check(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    walk(subject, subject.properties, &mut Vec::new(), &mut Vec::new(), found);
}

/// `place` is `path` with `*` for each item of a list, and without functions.
fn walk(
    subject: &Subject<'_, '_>,
    value: &Expr,
    path: &mut Vec<String>,
    place: &mut Vec<String>,
    found: &mut Vec<Finding>,
) {
    let mut text = |text: &str, path: &[String], place: &[String]| {
        let takes = |taker: &(&str, &str)| taker.0 == subject.resource_type && taker.1 == place.join("/");
        if text.contains(SECURE) && !TAKERS.iter().any(takes) {
            let place = place.join("/");
            let message =
                format!("SSM Secure reference is not supported in: [{}/Properties/{place}]", subject.resource_type);
            let finding = subject.finding(rules::SECURE_STRING, message, value.span, path);
            let remedy = "Keep the secret in Secrets Manager: `{{resolve:secretsmanager:NAME}}` stands anywhere.";
            found.push(finding.with_remedy(remedy));
        }
    };
    match &value.kind {
        Kind::Literal(scalar) => text(&scalar.text, path, place),
        Kind::List(items) => {
            for (at, item) in items.iter().enumerate() {
                path.push(at.to_string());
                place.push("*".to_owned());
                walk(subject, item, path, place, found);
                path.pop();
                place.pop();
            }
        }
        Kind::Map(members) => {
            for member in members {
                path.push(member.key.clone());
                place.push(member.key.clone());
                walk(subject, &member.value, path, place, found);
                path.pop();
                place.pop();
            }
        }
        Kind::Call(function) => {
            match function.as_ref() {
                Function::Sub { parts, .. } => {
                    let fixed = parts.iter().filter_map(|part| match part {
                        SubPart::Text(fixed) => Some(fixed.as_str()),
                        SubPart::Name(_) => None,
                    });
                    text(&fixed.collect::<Vec<_>>().concat(), path, place);
                }
                // A branch stands where its choice stands; arguments of other functions are no values of the property.
                Function::If { .. } => {
                    for branch in function.arguments() {
                        walk(subject, branch, path, place, found);
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::validate::{Options, validate_text};

    #[test]
    fn secure_strings_stand_where_they_are_taken() {
        let found = |user: &str, password: &str| {
            let text = format!(
                "Conditions: {{C: !Equals [!Ref AWS::Region, eu-west-1]}}\nResources:\n  D: {{Type: \
                 AWS::RDS::DBInstance, Properties: {{Engine: mysql, DBInstanceClass: db.t3.micro, AllocatedStorage: \
                 '20', MasterUsername: {user}, MasterUserPassword: {password}}}}}\n"
            );
            let found = validate_text(&text, &Options::default());
            found.iter().filter(|one| one.rule.id == "secure-string").map(|one| one.path.clone()).collect::<Vec<_>>()
        };
        let secure = "'{{resolve:ssm-secure:p:1}}'";
        let wrong = ["/Resources/D/Properties/MasterUsername"];
        assert_eq!(found("admin", secure), [""; 0]);
        assert_eq!(found("admin", &format!("!If [C, {secure}, {secure}]")), [""; 0]);
        assert_eq!(found(secure, secure), wrong);
        assert_eq!(found("!Sub '{{resolve:ssm-secure:${AWS::StackName}:1}}'", secure), wrong);
        assert_eq!(found("'{{resolve:ssm:p:1}}'", secure), [""; 0]);
        // What a reference that is put together names, nobody says before it is.
        assert_eq!(found("!Join ['', ['{{resolve:ssm-secure:', !Ref AWS::StackName, '}}']]", secure), [""; 0]);
    }
}

//! Secrets that stand in what is sent to CloudFormation as they are: whoever may read the template, or the stack, has them.

use super::pair::Pair;
use super::risk::Context;
use crate::plan::changes::Sides;
use crate::plan::document::{Finding, FindingSeverity};
use crate::plan::shown::path_text;
use cloudformation::sensitive::Template;

const CODE: &str = "literal-secret";

pub(super) fn check(pair: &Pair, context: &mut Context) {
    for literal in &pair.literals {
        let path = path_text("Properties", Some(&format!("/Properties{}", literal.pointer)));
        let message = format!(
            "{path} of {} is a secret, and stands in the template for all who may read it; {}",
            pair.change.logical_id,
            instead(&pair.change.resource_type, &literal.pointer)
        );
        let places = context.step.wanted.as_ref().map(|wanted| &wanted.places);
        let own = places.and_then(|places| places.get(&format!("{}{}", pair.change.logical_id, literal.pointer)));
        context.add(Finding {
            severity: FindingSeverity::Warning,
            code: CODE.to_owned(),
            stack: context.step.stack.clone(),
            logical_id: Some(pair.change.logical_id.clone()),
            path: Some(path),
            place: own.or(pair.change.place.as_ref()).cloned(),
            message,
        });
    }
}

/// Defaults of parameters, and mappings.
pub(super) fn of_parameters(sides: &Sides, context: &mut Context) {
    let template = sides.after.template.to_json();
    let literals = Template(&template).literals();
    for literal in literals.iter().filter(|literal| !literal.pointer.starts_with("/Resources/")) {
        let path = path_text("", Some(&literal.pointer));
        let places = context.step.wanted.as_ref().map(|wanted| &wanted.places);
        let message = format!(
            "{path} is a secret, and stands in the template for all who may read it; {}",
            "give a dynamic reference instead: `{{resolve:secretsmanager:NAME:SecretString:KEY}}`"
        );
        context.add(Finding {
            severity: FindingSeverity::Warning,
            code: CODE.to_owned(),
            stack: context.step.stack.clone(),
            logical_id: None,
            path: Some(path),
            place: places.and_then(|places| places.get(&literal.pointer)).cloned(),
            message,
        });
    }
}

/// What keeps the secret out of the template, by what the resource's type offers (its documentation of the property).
fn instead(resource_type: &str, pointer: &str) -> String {
    let reference = "`{{resolve:secretsmanager:NAME:SecretString:KEY}}`";
    let has = |part: &str| pointer.contains(part);
    match resource_type {
        "AWS::SecretsManager::Secret" if has("/SecretString") => {
            "let `GenerateSecretString` make one that nobody has seen, or put the value in by hand".to_owned()
        }
        "AWS::RDS::DBInstance" | "AWS::RDS::DBCluster" if has("/MasterUserPassword") => {
            format!("`ManageMasterUserPassword: true` lets RDS keep it in Secrets Manager; or refer to it: {reference}")
        }
        "AWS::Redshift::Cluster" if has("/MasterUserPassword") => {
            format!(
                "`ManageMasterPassword: true` lets Redshift keep it in Secrets Manager; or refer to it: {reference}"
            )
        }
        "AWS::ECS::TaskDefinition" if has("/Environment/") => {
            "give it by the container's `Secrets` (`ValueFrom`: the ARN of a secret or a parameter)".to_owned()
        }
        "AWS::CodeBuild::Project" if has("/EnvironmentVariables/") => {
            "give the variable `Type: SECRETS_MANAGER` or `PARAMETER_STORE`, and the secret's name as its value"
                .to_owned()
        }
        "AWS::Lambda::Function" if has("/Environment/") => {
            format!("let the function read it from Secrets Manager when it runs, or refer to it: {reference}")
        }
        _ => format!("refer to it instead: {reference}"),
    }
}

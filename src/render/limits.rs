//! What CloudFormation takes, and what it asks for in return.

use super::marks::Trace;
use super::workshop::Workshop;
use crate::problem::Problem;
use crate::stateful;
use cloudformation::template::{Expr, Resource, Template};
use serde_json::json;

/// Bytes of a template that comes from S3. The quotas say "1 MB", and the service's own error 1000000.
const MOST_BYTES: usize = 1_000_000;
const MOST_RESOURCES: usize = 500;
const MOST_PARAMETERS: usize = 200;
const MOST_OUTPUTS: usize = 200;
const MOST_MAPPINGS: usize = 200;

/// Whether a template is within the quotas.
pub fn check(
    template: &Template,
    json: &str,
    name: &str,
    trace: &Trace,
    workshop: &Workshop,
    problems: &mut Vec<Problem>,
) {
    let mut section = |count: usize, most: usize, key: &str, what: &str| {
        if count > most
            && let Some(entry) = template.root.entry(key)
        {
            let message = format!("the template `{name}` has {count} {what}; CloudFormation takes {most}");
            let problem = workshop.problem_at(trace, entry.key_span, "quota", message);
            problems.push(
                problem.help("split it into templates for two stacks, where few values flow from one to the other"),
            );
        }
    };
    section(template.resources.len(), MOST_RESOURCES, "Resources", "resources");
    section(template.parameters.len(), MOST_PARAMETERS, "Parameters", "parameters");
    section(template.outputs.len(), MOST_OUTPUTS, "Outputs", "outputs");
    section(template.mappings.len(), MOST_MAPPINGS, "Mappings", "mappings");
    if json.len() > MOST_BYTES {
        problems.push(too_big(template, json.len(), name, trace, workshop));
    }
}

fn too_big(template: &Template, bytes: usize, name: &str, trace: &Trace, workshop: &Workshop) -> Problem {
    let size = |resource: &Resource| resource.properties.as_ref().map_or(0, |expr| expr.to_json().to_string().len());
    let mut sizes: Vec<(usize, &String, &Resource)> =
        template.resources.iter().map(|(id, it)| (size(it), id, it)).collect();
    sizes.sort_by_key(|(bytes, ..)| std::cmp::Reverse(*bytes));
    let biggest: Vec<String> = sizes.iter().take(3).map(|(bytes, id, _)| format!("`{id}` ({bytes} bytes)")).collect();
    let message = format!("the template `{name}` has {bytes} bytes; CloudFormation takes {MOST_BYTES}");
    let span = sizes.first().map_or(template.root.span, |(_, _, resource)| resource.name_span);
    let problem = workshop.problem_at(trace, span, "quota", message);
    problem
        .label("the biggest resource")
        .help(format!("split it into templates for two stacks; its biggest resources are {}", biggest.join(", ")))
}

/// The capabilities that a template needs, in alphabetical order.
pub fn capabilities(template: &Template) -> Vec<String> {
    let is_iam = |resource: &Resource| resource.resource_type.value.starts_with("AWS::IAM::");
    // AWS's list of names for which CAPABILITY_NAMED_IAM must be given.
    let names = ["RoleName", "UserName", "GroupName", "ManagedPolicyName", "InstanceProfileName"];
    let named = |resource: &Resource| {
        let properties = resource.properties.as_ref().map(Expr::to_json);
        is_iam(resource) && properties.is_some_and(|properties| names.iter().any(|name| properties.get(name).is_some()))
    };
    let resources = || template.resources.values();
    let nested = || resources().any(|resource| resource.resource_type.value == "AWS::CloudFormation::Stack");
    // AWS::Serverless makes roles; what a nested stack has inside, nobody knows here.
    let serverless = template.transforms.iter().any(|transform| transform.name.value.starts_with("AWS::Serverless"));
    let macros = !template.transforms.is_empty() || !template.section_transforms.is_empty() || nested();
    let mut capabilities = Vec::new();
    if macros {
        capabilities.push("CAPABILITY_AUTO_EXPAND".to_owned());
    }
    if resources().any(named) || nested() {
        capabilities.push("CAPABILITY_NAMED_IAM".to_owned());
    } else if resources().any(is_iam) || serverless {
        capabilities.push("CAPABILITY_IAM".to_owned());
    }
    capabilities
}

/// The stack policy of a protected environment: whatever cannot be made again is neither replaced nor deleted.
pub fn protecting_policy() -> String {
    let types: Vec<&str> = stateful::TYPES.iter().map(|(name, _)| *name).collect();
    json!({"Statement": [
        {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": ["Update:Replace", "Update:Delete"],
            "Principal": "*",
            "Resource": "*",
            "Condition": {"StringEquals": {"ResourceType": types}},
        },
    ]})
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(body: &str) -> Vec<String> {
        capabilities(&Template::parse(body).unwrap())
    }

    #[test]
    fn capabilities_follow_from_resources() {
        let resource = |kind: &str, properties: &str| {
            format!("Resources:\n  A:\n    Type: {kind}\n    Properties: {properties}\n")
        };
        assert!(needed(&resource("AWS::SNS::Topic", "{TopicName: RoleName}")).is_empty());
        assert_eq!(needed(&resource("AWS::IAM::Role", "{Path: /}")), ["CAPABILITY_IAM"]);
        assert_eq!(needed(&resource("AWS::IAM::Role", "{RoleName: x}")), ["CAPABILITY_NAMED_IAM"]);
        let nested = resource("AWS::CloudFormation::Stack", "{TemplateURL: x}");
        assert_eq!(needed(&nested), ["CAPABILITY_AUTO_EXPAND", "CAPABILITY_NAMED_IAM"]);
        let extended = format!("Transform: AWS::LanguageExtensions\n{}", resource("AWS::SNS::Topic", "{}"));
        assert_eq!(needed(&extended), ["CAPABILITY_AUTO_EXPAND"]);
    }

    #[test]
    fn the_policy_is_within_cloudformations_limit() {
        // StackPolicyBody: at most 16,384 characters.
        assert!(protecting_policy().len() < 16_384);
        assert!(protecting_policy().contains("AWS::DynamoDB::Table"));
    }
}

//! What makes a resource the only one of its kind: a name that its template gives, which no other resource of the type can
//! have in the same account and region.

use crate::model::Target;
use cloudformation::schema::{ResourceType, Type, resource_type};
use std::collections::BTreeMap;

/// Types that their service tells apart by these properties, although the registry's primary identifier is made by the
/// service (an ARN, an id, a URL). From the user guide's resource reference: "must be unique within your account".
const NAMED: &[(&str, &[&str])] = &[
    ("AWS::EC2::SecurityGroup", &["GroupName", "VpcId"]),
    ("AWS::ECS::Service", &["ServiceName", "Cluster"]),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", &["Name"]),
    ("AWS::ElasticLoadBalancingV2::TargetGroup", &["Name"]),
    ("AWS::Events::Rule", &["Name", "EventBusName"]),
    ("AWS::SecretsManager::Secret", &["Name"]),
    ("AWS::StepFunctions::Activity", &["Name"]),
    ("AWS::WAFv2::IPSet", &["Name", "Scope"]),
    ("AWS::WAFv2::RegexPatternSet", &["Name", "Scope"]),
    ("AWS::WAFv2::RuleGroup", &["Name", "Scope"]),
    ("AWS::WAFv2::WebACL", &["Name", "Scope"]),
];

/// Parts of names in [`NAMED`] that need not be given: their default.
const DEFAULTS: &[(&str, &str, &str)] =
    &[("AWS::Events::Rule", "EventBusName", "default"), ("AWS::ECS::Service", "Cluster", "default")];

/// Types of which a new resource of the same name is a new revision, and no conflict.
const REVISED: [&str; 2] = ["AWS::Batch::JobDefinition", "AWS::ECS::TaskDefinition"];

/// Services whose names are the same in all regions of an account.
const GLOBAL: [&str; 2] = ["AWS::IAM::", "AWS::CloudFront::"];

/// A resource that cannot be there twice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    pub resource_type: String,
    pub account: String,
    /// Empty for what is the same in all regions.
    pub region: String,
    /// The parts of its name, joined by `|`.
    pub name: String,
}

impl Identity {
    pub fn new(resource_type: &str, target: &Target, name: String) -> Identity {
        let global = GLOBAL.iter().any(|service| resource_type.starts_with(service));
        Identity {
            resource_type: resource_type.to_owned(),
            account: target.account.clone(),
            region: if global { String::new() } else { target.region.clone() },
            name,
        }
    }
}

/// The properties that name a resource of this type; empty for types whose names are made by their service, or need not
/// be the only ones.
pub fn name_properties(type_name: &str) -> Vec<String> {
    let Some(known) = resource_type(type_name).filter(|_| !REVISED.contains(&type_name)) else { return Vec::new() };
    if let Some((_, names)) = NAMED.iter().find(|(name, _)| *name == type_name) {
        return names.iter().map(|name| (*name).to_owned()).collect();
    }
    if is_named_by_identifier(known) {
        return known.primary_identifier().iter().map(|path| path.top().to_owned()).collect();
    }
    // `QueueName` of AWS::SQS::Queue: a name that a change of replaces the resource.
    let kind = type_name.rsplit("::").next().unwrap_or_default();
    let name = format!("{kind}Name");
    let settable = known.property(&name).is_some_and(|property| property.types().contains(Type::String));
    let fixed = known.create_only().iter().any(|path| path.dotted() == name);
    if settable && fixed && !known.is_read_only(&name) { vec![name] } else { Vec::new() }
}

/// Whether the primary identifier is made of properties that a template can give.
pub fn is_named_by_identifier(known: &ResourceType) -> bool {
    let identifier = known.primary_identifier();
    let settable = |path: &cloudformation::schema::PropertyPath| {
        path.segments().len() == 1 && !known.read_only().iter().any(|only| only.top() == path.top())
    };
    !identifier.is_empty() && identifier.iter().all(settable)
}

/// The name that these properties give; none where a part is missing or not known. `property` gives the text of a
/// property.
pub fn name_of(type_name: &str, property: impl Fn(&str) -> Option<String>) -> Option<String> {
    let names = name_properties(type_name);
    let default = |name: &str| {
        DEFAULTS.iter().find(|(of, part, _)| *of == type_name && *part == name).map(|(.., value)| (*value).to_owned())
    };
    let parts: Option<Vec<String>> = names.iter().map(|name| property(name).or_else(|| default(name))).collect();
    parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join("|"))
}

/// Whether CloudFormation can take a resource of this type into a stack: it must be able to read it.
pub fn is_importable(type_name: &str) -> bool {
    resource_type(type_name).is_some_and(|known| known.has_handler("read"))
}

/// What CloudFormation and Cloud Control call a resource: its primary identifier, part by part. `physical_id` stands for
/// the parts that no property gives; none where these are several and the physical id has not as many.
pub fn identifier(
    type_name: &str,
    physical_id: &str,
    property: impl Fn(&str) -> Option<String>,
) -> Option<BTreeMap<String, String>> {
    let known = resource_type(type_name).filter(|known| known.name() == type_name)?;
    let paths: Vec<String> = known.primary_identifier().iter().map(|path| path.dotted()).collect();
    if let [only] = paths.as_slice() {
        return Some(BTreeMap::from([(only.clone(), physical_id.to_owned())]));
    }
    let parts: Vec<&str> = physical_id.split('|').collect();
    if parts.len() == paths.len() && !parts.is_empty() {
        return Some(paths.into_iter().zip(parts.into_iter().map(str::to_owned)).collect());
    }
    let given: Vec<Option<String>> = paths.iter().map(|path| property(path)).collect();
    let open = given.iter().filter(|part| part.is_none()).count();
    if paths.is_empty() || open > 1 {
        return None;
    }
    let part = |part: Option<String>| part.unwrap_or_else(|| physical_id.to_owned());
    Some(paths.into_iter().zip(given.into_iter().map(part)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whoever_makes_the_identifier() {
        let cases: &[(&str, &[&str])] = &[
            ("AWS::S3::Bucket", &["BucketName"]),
            ("AWS::DynamoDB::Table", &["TableName"]),
            ("AWS::ECR::Repository", &["RepositoryName"]),
            ("AWS::Logs::LogGroup", &["LogGroupName"]),
            ("AWS::IAM::Role", &["RoleName"]),
            // The identifiers of these are made by their services.
            ("AWS::SQS::Queue", &["QueueName"]),
            ("AWS::SNS::Topic", &["TopicName"]),
            ("AWS::IAM::ManagedPolicy", &["ManagedPolicyName"]),
            ("AWS::StepFunctions::StateMachine", &["StateMachineName"]),
            ("AWS::SecretsManager::Secret", &["Name"]),
            // Nothing of these has to be the only one of its name.
            ("AWS::KMS::Key", &[]),
            ("AWS::Route53::HostedZone", &[]),
            ("AWS::Cognito::UserPool", &[]),
            ("AWS::ECS::TaskDefinition", &[]),
            ("AWS::Batch::JobDefinition", &[]),
            ("Custom::Thing", &[]),
        ];
        for (name, expected) in cases {
            assert_eq!(name_properties(name), *expected, "{name}");
        }
        for (name, properties) in NAMED {
            let known = resource_type(name).unwrap_or_else(|| panic!("{name}"));
            assert!(properties.iter().all(|property| known.property(property).is_some()), "{name}");
        }
    }

    #[test]
    fn identifiers_are_put_together_from_properties_and_physical_id() {
        let none = |_: &str| None;
        let queue = identifier("AWS::SQS::Queue", "https://sqs/1/orders", none).unwrap();
        assert_eq!(queue, BTreeMap::from([("QueueUrl".to_owned(), "https://sqs/1/orders".to_owned())]));
        let stage = |name: &str| (name == "RestApiId").then(|| "abc123".to_owned());
        let stage = identifier("AWS::ApiGateway::Stage", "prod", stage).unwrap();
        assert_eq!(stage["RestApiId"], "abc123");
        assert_eq!(stage["StageName"], "prod");
        assert_eq!(identifier("AWS::ApiGateway::Stage", "abc123|prod", none).unwrap()["StageName"], "prod");
        assert_eq!(identifier("AWS::ApiGateway::Stage", "prod", none), None);
        assert_eq!(identifier("Custom::Thing", "x", none), None);
    }

    #[test]
    fn a_name_is_of_one_account_and_region_unless_its_service_is_global() {
        let target = |region: &str| Target { account: "1".to_owned(), region: region.to_owned(), role: None };
        let of = |name: &str, region: &str| Identity::new(name, &target(region), "x".to_owned());
        assert_ne!(of("AWS::SQS::Queue", "eu-west-1"), of("AWS::SQS::Queue", "us-east-1"));
        assert_eq!(of("AWS::IAM::Role", "eu-west-1"), of("AWS::IAM::Role", "us-east-1"));
    }
}

//! What the embedded schemas say of types that are well known.

use super::*;
use RequiresRecreation::{Always, Conditionally, Never};

fn known(name: &str) -> &'static ResourceType {
    resource_type(name).unwrap_or_else(|| panic!("{name} is not in the artifact"))
}

#[test]
fn the_artifact_says_where_it_comes_from() {
    let provenance = provenance().expect("provenance");
    assert_eq!((provenance.package.as_str(), provenance.region.as_str()), ("cfn-lint", "us-east-1"));
    assert_eq!(provenance.sha256.len(), 64);
    assert_eq!(provenance.resource_types, resource_type_names().count());
    assert!(provenance.resource_types > 1_800);
}

#[test]
fn every_type_can_be_read() {
    for name in resource_type_names() {
        let resource_type = known(name);
        assert_eq!(resource_type.name(), name);
        assert!(resource_type.schema().properties().is_some_and(|properties| !properties.is_empty()), "{name}");
        assert!(!resource_type.primary_identifier().is_empty(), "{name}");
        for path in resource_type.primary_identifier() {
            assert!(resource_type.property(&path.dotted()).is_some(), "{name}: {path:?}");
        }
    }
}

#[test]
fn every_entry_is_a_schema() {
    let problems: Vec<_> = archive::names()
        .filter_map(|name| {
            let (json, _) = archive::entry(name)?;
            let schema = json.split(|byte| *byte == b'\n').next_back()?;
            serde_json::from_slice::<Schema>(schema).err().map(|error| format!("{name}: {error}"))
        })
        .collect();
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn what_a_change_does() {
    let cases = [
        ("AWS::S3::Bucket", "BucketName", Always),
        ("AWS::S3::Bucket", "Tags", Never),
        ("AWS::ECS::Service", "LaunchType", Conditionally),
        ("AWS::ECS::Service", "SchedulingStrategy", Always),
        ("AWS::ECS::Service", "DesiredCount", Never),
        ("AWS::DynamoDB::Table", "TableName", Always),
        ("AWS::DynamoDB::Table", "KeySchema/0/AttributeName", Always),
        ("AWS::DynamoDB::Table", "SSESpecification", Never),
        ("AWS::SNS::Topic", "TopicName", Always),
        ("AWS::SNS::Topic", "DisplayName", Never),
        ("AWS::EC2::Subnet", "AvailabilityZone", Always),
        ("AWS::ECS::TaskDefinition", "ContainerDefinitions", Always),
        ("AWS::ECS::TaskDefinition", "ContainerDefinitions/0/Image", Always),
        ("AWS::ECS::TaskDefinition", "Tags", Never),
        ("AWS::Lambda::Version", "FunctionName", Always),
    ];
    for (name, path, expected) in cases {
        assert_eq!(known(name).update_behaviour(path), expected, "{name} {path}");
    }
}

#[test]
fn read_only_and_write_only() {
    assert!(known("AWS::S3::Bucket").is_read_only("Arn"));
    assert!(!known("AWS::S3::Bucket").is_read_only("BucketName"));
    assert!(known("AWS::RDS::DBInstance").is_write_only("MasterUserPassword"));
    assert!(known("AWS::RDS::DBInstance").is_read_only("Endpoint/Port"));
    assert_eq!(known("AWS::S3::Bucket").primary_identifier(), [PropertyPath::new("BucketName")]);
}

#[test]
fn attributes_that_exist() {
    let cases = [
        ("AWS::S3::Bucket", "Arn", true),
        ("AWS::S3::Bucket", "DomainName", true),
        ("AWS::S3::Bucket", "Nonsense", false),
        ("AWS::RDS::DBInstance", "Endpoint.Port", true),
        ("AWS::RDS::DBInstance", "Endpoint.Ports", false),
        ("AWS::SNS::Topic", "TopicName", true),
        ("AWS::SNS::Topic", "DisplayName", true),
        ("AWS::SSM::Parameter", "Invalid", false),
        ("AWS::SSM::Parameter", "Value", true),
        ("AWS::EC2::VPC", "CidrBlock", true),
        ("AWS::EC2::VPC", "DefaultSecurityGroup", true),
        ("AWS::CloudFormation::Stack", "Outputs.Anything", true),
        ("AWS::CloudFormation::Stack", "Outputs.", false),
        ("AWS::CloudFormation::Stack", "Anything", false),
        ("Custom::Thing", "Whatever", true),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "DNSName", true),
        ("AWS::CloudFront::Distribution", "DomainName", true),
        ("AWS::ECS::Service", "Name", true),
    ];
    for (name, attribute, expected) in cases {
        assert_eq!(known(name).has_attribute(attribute), expected, "{name} {attribute}");
    }
    assert!(known("AWS::EC2::VPC").attribute_types("CidrBlockAssociations").contains(Type::Array));
}

#[test]
fn properties_are_found_by_path() {
    let table = known("AWS::DynamoDB::Table");
    let found = |path: &str| table.property(path).map(|property| property.types().to_string());
    assert_eq!(found("TableName").as_deref(), Some("string"));
    assert_eq!(found("KeySchema/0/KeyType").as_deref(), Some("string"));
    assert_eq!(found("ProvisionedThroughput.ReadCapacityUnits").as_deref(), Some("integer"));
    assert_eq!(found("Nothing"), None);
    let function = known("AWS::Lambda::Function");
    assert!(function.property("Environment/Variables/ANY").is_some(), "maps are entered");
    assert!(table.property("Tags").is_some_and(|property| property.types().contains(Type::Array)));
}

#[test]
fn types_that_do_not_exist() {
    assert!(resource_type("AWS::S3::Buckets").is_none());
    assert!(resource_type("#E3047").is_none());
    assert!(resource_type("").is_none());
}

#[test]
fn tagging_and_strategy() {
    let tagging = known("AWS::DynamoDB::Table").tagging();
    assert!(tagging.taggable && tagging.tag_updatable);
    assert_eq!(tagging.tag_property, Some(PropertyPath::new("Tags")));
    assert_eq!(known("AWS::S3::Bucket").replacement_strategy(), ReplacementStrategy::CreateThenDelete);
}

#[test]
fn every_pattern_can_be_compiled() {
    fn patterns<'s>(schema: &'s Schema, found: &mut Vec<&'s Pattern>) {
        for keyword in &schema.keywords {
            match keyword {
                Keyword::Pattern(pattern) => found.push(pattern),
                Keyword::PatternProperties(entries) => {
                    found.extend(entries.iter().map(|(pattern, _)| pattern));
                    entries.iter().for_each(|(_, schema)| patterns(schema, found));
                }
                Keyword::Properties(entries) | Keyword::Definitions(entries) | Keyword::DependentSchemas(entries) => {
                    entries.iter().for_each(|(_, schema)| patterns(schema, found));
                }
                Keyword::Items(inner)
                | Keyword::AdditionalProperties(inner)
                | Keyword::PropertyNames(inner)
                | Keyword::Contains(inner)
                | Keyword::Not(inner) => patterns(inner, found),
                Keyword::AllOf(all) | Keyword::AnyOf(all) | Keyword::OneOf(all) | Keyword::PrefixItems(all) => {
                    all.iter().for_each(|schema| patterns(schema, found));
                }
                _ => {}
            }
        }
    }
    let mut refused = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for name in resource_type_names() {
        let mut found = Vec::new();
        patterns(known(name).schema(), &mut found);
        refused.extend(
            found
                .into_iter()
                .filter(|pattern| seen.insert(pattern.text().to_owned()))
                .filter(|pattern| pattern.matches("x").is_none())
                .map(|pattern| format!("{name}: {pattern:?}")),
        );
    }
    assert!(seen.len() > 2_000);
    assert!(refused.is_empty(), "{} of {}: {refused:#?}", refused.len(), seen.len());
}

#[test]
fn a_type_can_be_explained() {
    let explained = explain(known("AWS::DynamoDB::Table"), None);
    let find = |path: &str| {
        explained.properties.iter().find(|property| property.path == path).unwrap_or_else(|| panic!("{path}"))
    };
    assert!(find("KeySchema").required && find("KeySchema/*/AttributeName").required);
    assert_eq!(find("BillingMode").allowed, ["PAY_PER_REQUEST", "PROVISIONED"]);
    assert_eq!((find("TableName").change, find("BillingMode").change), (Always, Never));
    assert!(find("Arn").read_only);
    assert!(explained.attributes.contains(&"StreamArn".to_owned()));
    assert_eq!(explained.primary_identifier, ["TableName"]);
    assert_eq!(explained.reference, Some("the table's name"));
    let part = explain(known("AWS::DynamoDB::Table"), Some("ProvisionedThroughput"));
    let paths: Vec<&str> = part.properties.iter().map(|property| property.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "ProvisionedThroughput",
            "ProvisionedThroughput/ReadCapacityUnits",
            "ProvisionedThroughput/WriteCapacityUnits"
        ]
    );
    let function = explain(known("AWS::Lambda::Function"), Some("MemorySize"));
    assert_eq!(function.properties[0].constraints, ["128 to 32768"]);
}

#[test]
fn types_that_contain_themselves_are_explained_once() {
    let explained = explain(known("AWS::WAFv2::WebACL"), None);
    assert!(explained.properties.len() < 5_000, "{}", explained.properties.len());
    for name in resource_type_names() {
        assert!(!explain(known(name), None).properties.is_empty(), "{name}");
    }
}

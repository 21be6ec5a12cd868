//! Whether a provider takes properties, in CloudFormation's words.
//!
//! A missing property is worded as the recorded answers have it; the words for a wrong type and for an unknown property
//! are those that users of the same validator report (cfn-lint#863, eksctl#1692); what only the registry's own validator
//! finds (patterns, lengths, alternatives) is said in its words.

use super::Failure;
use cloudformation::schema::{CUSTOM_RESOURCE, ResourceType, Type, resource_type};
use cloudformation::validate::plain::{self, Violation};
use cloudformation::validate::rules;
use serde_json::Value as Json;

/// Checks properties against the schema of their type.
///
/// # Errors
/// `InvalidRequest` with all that is wrong; `TypeNotFound` for a type that is not in the registry.
pub fn check(type_name: &str, properties: &Json) -> Result<(), Failure> {
    let known = known(type_name)?;
    let object = match properties {
        Json::Null => &Json::Object(serde_json::Map::new()),
        other => other,
    };
    if known.name() == CUSTOM_RESOURCE {
        return Ok(());
    }
    let mut broken = plain::properties(known, object);
    broken.retain(|violation| !is_imprecise_network(object, violation) && !is_of_nobody(known, violation));
    match broken.is_empty() {
        true => Ok(()),
        false => Err(Failure::new("InvalidRequest", reason(known, &broken))),
    }
}

/// Whether the violation is a network with host bits: EC2 takes `100.30.20.0/20` and clears them, in the rules of security
/// groups those of IPv6 too (API reference, `IpRange` and `Ipv6Range`: "AWS canonicalizes IPv4 and IPv6 CIDRs").
fn is_imprecise_network(properties: &Json, violation: &Violation) -> bool {
    let pointer = violation.path.iter().map(|part| format!("/{part}")).collect::<String>();
    let parts = properties.pointer(&pointer).and_then(Json::as_str).and_then(|text| text.split_once('/'));
    let Some((address, Ok(bits))) = parts.map(|(address, bits)| (address, bits.parse::<u8>())) else { return false };
    let is_network = match violation.path.last().map(String::as_str) {
        Some("CidrIpv6") => address.parse::<std::net::Ipv6Addr>().is_ok() && bits <= 128,
        _ => address.parse::<std::net::Ipv4Addr>().is_ok() && bits <= 32,
    };
    violation.rule == rules::FORMAT && is_network
}

/// Whether the violation is that a policy belongs to nobody: its handler finds that out, when it has begun to make it.
fn is_of_nobody(known: &ResourceType, violation: &Violation) -> bool {
    known.name() == "AWS::IAM::Policy" && violation.path.is_empty() && told(known, violation).is_none()
}

/// The type, or the refusal of one that is not in the registry.
pub(super) fn known(type_name: &str) -> Result<&'static ResourceType, Failure> {
    resource_type(type_name).ok_or_else(|| unknown(type_name))
}

pub(super) fn unknown(type_name: &str) -> Failure {
    Failure::new("TypeNotFound", format!("Template format error: Unrecognized resource types: [{type_name}]"))
}

fn reason(known: &ResourceType, broken: &[Violation]) -> String {
    // The older validator runs first and names all that it finds; what it does not look at is said by the newer one.
    let told: Vec<String> = broken.iter().filter_map(|violation| told(known, violation)).collect();
    if !told.is_empty() {
        return format!("Property validation failure: [{}]", told.join(", "));
    }
    let pointer = |path: &[String]| path.iter().fold("#".to_owned(), |pointer, part| pointer + "/" + part);
    let all: Vec<String> = broken.iter().map(|one| format!("{}: {}", pointer(&one.path), one.message)).collect();
    format!("Model validation failed ({})", all.join(", "))
}

fn told(known: &ResourceType, violation: &Violation) -> Option<String> {
    let at = |path: &[String]| path.iter().map(|part| format!("/{part}")).collect::<String>();
    let rule = violation.rule;
    if rule == rules::MISSING_PROPERTY {
        return Some(format!("The property {{{}}} is required", at(&violation.path)));
    }
    if rule == rules::UNKNOWN_PROPERTY {
        let (name, above) = violation.path.split_last()?;
        let above = if above.is_empty() { "/".to_owned() } else { at(above) };
        return Some(format!("Encountered unsupported properties in {{{above}}}: [{name}]"));
    }
    if rule == rules::WRONG_TYPE {
        let types = known.property(&violation.path.join("/"))?.types();
        let name = match types.iter().next()? {
            Type::Array => "Array",
            Type::Object => "Object",
            Type::Boolean => "Boolean",
            Type::Integer => "Integer",
            Type::Number => "Number",
            Type::String | Type::Null => "String",
        };
        return Some(format!("Value of property {{{}}} does not match type {{{name}}}", at(&violation.path)));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn refusals_are_in_cloudformations_words() {
        let cases = [
            (
                "AWS::SSM::Parameter",
                json!({"Value": "x"}),
                "Property validation failure: [The property {/Type} is required]",
            ),
            (
                "AWS::SSM::Parameter",
                json!({"Value": "x", "Type": "String", "Colour": "red"}),
                "Property validation failure: [Encountered unsupported properties in {/}: [Colour]]",
            ),
            (
                "AWS::EC2::VPC",
                json!({"CidrBlock": "10.0.0.0/16", "Tags": {}}),
                "Property validation failure: [Value of property {/Tags} does not match type {Array}]",
            ),
            (
                "AWS::DynamoDB::Table",
                json!({"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "FREE"}),
                "Model validation failed (#/BillingMode: FREE is not a valid enum value)",
            ),
            ("AWS::S3::Buckets", json!({}), "Template format error: Unrecognized resource types: [AWS::S3::Buckets]"),
        ];
        for (name, properties, expected) in cases {
            assert_eq!(check(name, &properties).expect_err("is refused").reason, expected);
        }
        assert_eq!(check("AWS::SNS::Topic", &Json::Null), Ok(()));
        assert_eq!(check("AWS::EC2::VPC", &json!({ "CidrBlock": "100.30.20.0/20" })), Ok(()));
        assert!(check("AWS::EC2::VPC", &json!({ "CidrBlock": "100.30.20.0/33" })).is_err());
        for (name, network, taken) in [
            ("CidrIp", "192.168.1.0/0", true),
            ("CidrIp", "192.168.1.0/33", false),
            ("CidrIpv6", "2001:db8::1/64", true),
            ("CidrIpv6", "2001:db8::1/129", false),
            ("CidrIpv6", "10.0.0.0/8", false),
        ] {
            let group =
                json!({"GroupDescription": "x", "SecurityGroupIngress": [{"IpProtocol": "tcp", name: network}]});
            assert_eq!(check("AWS::EC2::SecurityGroup", &group).is_ok(), taken, "{name} {network}");
        }
        assert_eq!(check("Custom::Anything", &json!({"ServiceToken": "arn", "Any": [1]})), Ok(()));
    }
}

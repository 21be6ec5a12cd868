//! Formats of ids, names and ARNs of AWS resources: what a text must look like, and what a reference gives.
//!
//! Source: the formats of `cfn-lint` 1.58.0 (`rules/formats`, MIT-0), which annotates the registry's schemas with them.

use crate::schema::{Keyword, Pattern, Schema, Text};
use crate::source::Scalar;
use crate::template::{Function, Kind};
use crate::validate::facts::Facts;
use crate::validate::finding::{Rule, Severity};
use crate::validate::rules;
use std::sync::LazyLock;

/// What a format is about.
struct Format {
    name: &'static str,
    pattern: Pattern,
    cfn_lint: &'static str,
    /// As in "x is no …".
    noun: &'static str,
    /// As in "It is …".
    shape: &'static str,
}

static FORMATS: LazyLock<Vec<Format>> = LazyLock::new(|| TABLE.iter().map(Format::read).collect());

const GROUP_ID: &str = "AWS::EC2::SecurityGroup.Id";
const GROUP_NAME: &str = "AWS::EC2::SecurityGroup.Name";

/// Name, pattern, rule, noun, shape.
const TABLE: [[&str; 5]; 14] = [
    [
        "AWS::ACM::Certificate.Arn",
        r"^arn:aws[a-zA-Z-]*:acm:[a-z0-9-]+:\d{12}:certificate/.+$",
        "E1159",
        "ARN of a certificate",
        "`arn:aws:acm:REGION:ACCOUNT:certificate/ID`",
    ],
    [
        "AWS::EC2::Image.Id",
        r"^ami-([0-9a-z]{8}|[0-9a-z]{17})$",
        "E1152",
        "id of an image",
        "`ami-` and 8 or 17 characters",
    ],
    [
        GROUP_ID,
        r"^sg-([a-fA-F0-9]{8}|[a-fA-F0-9]{17})$",
        "E1150",
        "id of a security group",
        "`sg-` and 8 or 17 hexadecimal digits",
    ],
    [
        GROUP_NAME,
        r"^[a-zA-Z0-9 \._\-:\/()#\,@\[\]+=&;\{\}!\$\*]+$",
        "E1153",
        "name of a security group",
        "letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*",
    ],
    [
        "AWS::EC2::Subnet.Id",
        r"^subnet-(([0-9A-Fa-f]{8})|([0-9A-Fa-f]{17}))$",
        "E1154",
        "id of a subnet",
        "`subnet-` and 8 or 17 hexadecimal digits",
    ],
    [
        "AWS::EC2::VPC.Id",
        r"^vpc-(([0-9A-Fa-f]{8})|([0-9A-Fa-f]{17}))$",
        "E1151",
        "id of a VPC",
        "`vpc-` and 8 or 17 hexadecimal digits",
    ],
    [
        "AWS::IAM::Role.Arn",
        r"^arn:aws[a-zA-Z-]*:iam::\d{12}:role/.+$",
        "E1156",
        "ARN of a role",
        "`arn:aws:iam::ACCOUNT:role/NAME`",
    ],
    ["AWS::KMS::Alias.AliasName", r"^alias/[a-zA-Z0-9:/_-]+$", "E1164", "alias of a key", "`alias/NAME`"],
    [
        "AWS::KMS::Key.Arn",
        r"^arn:aws[a-zA-Z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/.+$",
        "E1157",
        "ARN of a KMS key",
        "`arn:aws:kms:REGION:ACCOUNT:key/ID`",
    ],
    [
        "AWS::KMS::Key.Id",
        r"^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}|alias/[a-zA-Z0-9/_-]+)$",
        "E1162",
        "id of a KMS key",
        "a UUID, `mrk-` and 32 hexadecimal digits, or `alias/NAME`",
    ],
    [
        "AWS::Lambda::Function.Arn",
        r"^arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:\d{12}:function:.+(:.+)?$",
        "E1160",
        "ARN of a function",
        "`arn:aws:lambda:REGION:ACCOUNT:function:NAME`",
    ],
    [
        "AWS::Logs::LogGroup.Name",
        r"^[\.\-_\/#A-Za-z0-9]{1,512}$",
        "E1155",
        "name of a log group",
        "1 to 512 letters, digits and .-_/#",
    ],
    [
        "AWS::S3::Bucket.Name",
        r"^(?![.\-])(?!.*\.\.)(?!.*\-\.)(?!.*\.\-)[a-z0-9.\-]{3,63}(?<![.\-])$",
        "E1161",
        "name of a bucket",
        "3 to 63 small letters, digits, hyphens and single dots",
    ],
    [
        "AWS::SNS::Topic.Arn",
        r"^arn:aws[a-zA-Z-]*:sns:[a-z0-9-]+:\d{12}:.+$",
        "E1158",
        "ARN of a topic",
        "`arn:aws:sns:REGION:ACCOUNT:NAME`",
    ],
];

impl Format {
    fn read([name, pattern, cfn_lint, noun, shape]: &'static [&'static str; 5]) -> Format {
        Format { name, pattern: Pattern::new(Text::Borrowed(pattern)), cfn_lint, noun, shape }
    }

    fn named(name: &str) -> Option<&'static Format> {
        FORMATS.iter().find(|format| format.name == name)
    }
}

/// What is wrong with a text that ought to have a format: the rule, the message and what to do.
pub fn violation(scalar: &Scalar, format: &str) -> Option<(Rule, String, String)> {
    let format = Format::named(format).filter(|_| scalar.is_string())?;
    // An empty bucket name is one that CloudFormation gives.
    let may_be_empty = format.name == "AWS::S3::Bucket.Name" && scalar.text.is_empty();
    if may_be_empty || format.pattern.matches(&scalar.text) != Some(false) {
        return None;
    }
    let rule = Rule { id: rules::FORMAT.id, severity: Severity::Error, cfn_lint: Some(format.cfn_lint) };
    Some((rule, format!("[{}] is no {}", scalar.text, format.noun), format!("It is {}.", format.shape)))
}

/// What is wrong with a reference that gives another format than the one that is asked for: the message and what to do.
pub fn mismatch(facts: &Facts<'_>, function: &Function, wanted: &str) -> Option<(String, String)> {
    let (resource, attribute) = match function {
        Function::Ref(name) => (name.as_str()?, None),
        Function::GetAtt { resource, attribute } => (resource.as_str()?, Some(attribute.as_str()?)),
        _ => return None,
    };
    let known = facts.type_of(resource)?;
    if known.has_open_attributes() {
        return None;
    }
    if matches!(wanted, "ipv4-network" | "ipv6-network") && attribute.is_none() {
        let message = format!("Ref of {resource} gives the id of {}, not addresses", known.name());
        return Some((message, "Name an attribute that holds them with `Fn::GetAtt`.".to_owned()));
    }
    let wanted = Format::named(wanted)?;
    let given = match (known.name(), attribute) {
        ("AWS::EC2::SecurityGroup", None) => group_reference(facts, resource)?,
        (_, Some(attribute)) => format_of(known.property(attribute)?.schema)?,
        (_, None) => match known.primary_identifier() {
            [only] => format_of(known.property(&only.dotted())?.schema)?,
            _ => return None,
        },
    };
    if given.name == wanted.name {
        return None;
    }
    let shown = attribute.map_or_else(|| format!("Ref of {resource}"), |attribute| format!("{resource}.{attribute}"));
    let remedy = match (given.name, wanted.name) {
        (GROUP_NAME, GROUP_ID) => format!("Use `Fn::GetAtt: [{resource}, GroupId]`, or give the group a VpcId."),
        _ => format!("It is {}.", wanted.shape),
    };
    Some((format!("{shown} gives the {}, but the {} belongs here", given.noun, wanted.noun), remedy))
}

/// `Ref` of a security group gives its id where it has a `VpcId`, else its name ("Return values" of
/// `AWS::EC2::SecurityGroup`). `None` where it depends on a condition.
fn group_reference(facts: &Facts<'_>, resource: &str) -> Option<&'static Format> {
    let properties = facts.template.resources.get(resource)?.properties.as_ref();
    let vpc = properties.and_then(|properties| properties.get("VpcId"));
    match vpc.map(|vpc| &vpc.kind) {
        None => Format::named(GROUP_NAME),
        Some(Kind::Call(function)) if matches!(**function, Function::If { .. }) => None,
        Some(_) => Format::named(GROUP_ID),
    }
}

fn format_of(schema: &Schema) -> Option<&'static Format> {
    schema.keywords.iter().find_map(|keyword| match keyword {
        Keyword::Format(format) => Format::named(format),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Style;

    #[test]
    fn every_format_is_held() {
        let cases = [
            ("AWS::ACM::Certificate.Arn", "arn:aws:acm:us-east-1:111122223333:certificate/a", "a"),
            ("AWS::EC2::Image.Id", "ami-0a1b2c3d", "ami-x"),
            (GROUP_ID, "sg-0123456789abcdef0", "sg-foobar"),
            (GROUP_NAME, "web servers", "ä"),
            ("AWS::EC2::Subnet.Id", "subnet-0a1b2c3d", "subnet-1"),
            ("AWS::EC2::VPC.Id", "vpc-0a1b2c3d", "vpc-1"),
            ("AWS::IAM::Role.Arn", "arn:aws:iam::111122223333:role/r", "arn:aws:iam::1111:role/r"),
            ("AWS::KMS::Alias.AliasName", "alias/aws/sns", "aws/sns"),
            ("AWS::KMS::Key.Arn", "arn:aws:kms:us-east-1:111122223333:key/k", "arn:aws:kms:us-east-1:1:key/k"),
            ("AWS::KMS::Key.Id", "12345678-1234-1234-1234-123456789012", "testing"),
            ("AWS::Lambda::Function.Arn", "arn:aws:lambda:us-east-1:111122223333:function:f", "arn"),
            ("AWS::Logs::LogGroup.Name", "/aws/lambda/f", "a b"),
            ("AWS::S3::Bucket.Name", "my-bucket", "My_Bucket"),
            ("AWS::SNS::Topic.Arn", "arn:aws:sns:us-east-1:111122223333:t", "t"),
        ];
        assert_eq!(cases.len(), FORMATS.len());
        for (format, right, wrong) in cases {
            let of = |text: &str| violation(&Scalar { text: text.to_owned(), style: Style::Text }, format);
            assert!(of(right).is_none(), "{format} {right}");
            let (rule, ..) = of(wrong).unwrap_or_else(|| panic!("{format} {wrong}"));
            assert_eq!(rule.id, "format");
        }
    }
}

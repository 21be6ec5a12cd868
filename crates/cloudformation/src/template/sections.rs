//! The typed sections of a template.

use super::expr::{Expr, Text};
use crate::source::{Node, Span};
use indexmap::IndexMap;

/// A template. Maps are in the order of the text; what could not be read is left out (a problem says so).
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// The whole text as a tree, tags and all: for what the sections below do not keep.
    pub root: Node,
    pub format_version: Option<Text>,
    pub description: Option<Text>,
    pub metadata: Option<Expr>,
    /// Macros that rewrite the whole template, in the order in which CloudFormation runs them.
    pub transforms: Vec<Transform>,
    pub parameters: IndexMap<String, Parameter>,
    pub mappings: IndexMap<String, Mapping>,
    pub conditions: IndexMap<String, Condition>,
    pub rules: IndexMap<String, Rule>,
    pub resources: IndexMap<String, Resource>,
    pub outputs: IndexMap<String, Output>,
    /// `Fn::ForEach::…` loops that stand directly in a section, by section and key; expanded by
    /// [`crate::extensions`].
    pub loops: Vec<(&'static str, String, Span)>,
    /// Sections that hold an `Fn::Transform`, whose result only CloudFormation knows.
    pub section_transforms: Vec<(&'static str, Span)>,
}

/// A macro by name; parameters as written.
#[derive(Debug, Clone, PartialEq)]
pub struct Transform {
    pub name: Text,
    pub parameters: Option<Expr>,
}

/// A declared parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    pub name_span: Span,
    pub span: Span,
    pub parameter_type: ParameterType,
    pub type_span: Span,
    /// As text, as CloudFormation keeps it: the default `8080` is `"8080"`.
    pub default: Option<Text>,
    /// Whether the value is to be shown as `****`.
    pub no_echo: bool,
    pub allowed_values: Vec<Text>,
    pub allowed_pattern: Option<Text>,
    pub min_length: Option<u64>,
    pub max_length: Option<u64>,
    pub min_value: Option<f64>,
    pub max_value: Option<f64>,
    pub description: Option<Text>,
    pub constraint_description: Option<Text>,
}

/// What a parameter may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterType {
    String,
    Number,
    /// `List<Number>`.
    ListOfNumber,
    CommaDelimitedList,
    /// An AWS-specific type that holds one value, as `AWS::EC2::VPC::Id`.
    Aws(String),
    /// `List<AWS::EC2::Subnet::Id>`: the type of the items.
    ListOfAws(String),
    /// `AWS::SSM::Parameter::Name`: the name itself is the value.
    SsmName,
    /// `AWS::SSM::Parameter::Value<…>`: the parameter's value is the name of the SSM parameter that holds it.
    Ssm(Box<ParameterType>),
    /// No type that CloudFormation knows (a problem says so).
    Other(String),
}

/// A mapping: first key → second key → value.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    pub name_span: Span,
    pub span: Span,
    pub keys: IndexMap<String, IndexMap<String, Expr>>,
    /// Whether a macro fills (part of) it, so that a missing key says nothing.
    pub transformed: bool,
}

/// A named condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    pub name_span: Span,
    pub expr: Expr,
}

/// A rule: when its condition holds (or it has none), all its assertions must.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub name_span: Span,
    pub span: Span,
    pub condition: Option<Expr>,
    pub assertions: Vec<Assertion>,
}

/// An assertion of a rule, with the text that CloudFormation shows when it does not hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Assertion {
    pub assert: Expr,
    pub description: Option<Text>,
}

/// A resource with its attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    pub name_span: Span,
    pub span: Span,
    pub resource_type: Text,
    /// The condition by name without which the resource does not exist.
    pub condition: Option<Text>,
    pub depends_on: Vec<Text>,
    /// A map, but for a macro in its place.
    pub properties: Option<Expr>,
    pub metadata: Option<Expr>,
    pub creation_policy: Option<Expr>,
    pub update_policy: Option<Expr>,
    /// `Delete`, `Retain`, `RetainExceptOnCreate` or `Snapshot`; the language extensions allow functions.
    pub deletion_policy: Option<Expr>,
    pub update_replace_policy: Option<Expr>,
}

/// An output; `export` is the name under which other stacks import it.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    pub name_span: Span,
    pub span: Span,
    pub value: Expr,
    pub description: Option<Text>,
    pub export: Option<Expr>,
    pub condition: Option<Text>,
}

impl Template {
    /// Whether `AWS::LanguageExtensions` is among the transforms.
    pub fn has_language_extensions(&self) -> bool {
        self.transforms.iter().any(|transform| transform.name.value == super::LANGUAGE_EXTENSIONS)
    }

    /// The macros that only CloudFormation can run: all transforms but the language extensions.
    pub fn macros(&self) -> impl Iterator<Item = &Transform> {
        self.transforms.iter().filter(|transform| transform.name.value != super::LANGUAGE_EXTENSIONS)
    }
}

impl Parameter {
    /// Whether `Ref` gives a list.
    pub fn is_list(&self) -> bool {
        self.parameter_type.is_list()
    }
}

impl ParameterType {
    pub fn parse(text: &str) -> Self {
        let inner = |prefix: &str| text.strip_prefix(prefix).and_then(|rest| rest.strip_suffix('>'));
        match text {
            "String" => ParameterType::String,
            "Number" => ParameterType::Number,
            "List<Number>" => ParameterType::ListOfNumber,
            // `List<String>` is not documented, but accepted.
            "CommaDelimitedList" | "List<String>" => ParameterType::CommaDelimitedList,
            "AWS::SSM::Parameter::Name" => ParameterType::SsmName,
            _ => {
                if let Some(held) = inner("AWS::SSM::Parameter::Value<") {
                    return match ParameterType::parse(held) {
                        ParameterType::Other(_) | ParameterType::Ssm(_) => ParameterType::Other(text.to_owned()),
                        held => ParameterType::Ssm(Box::new(held)),
                    };
                }
                if let Some(item) = inner("List<").filter(|item| AWS_TYPES.contains(item)) {
                    return ParameterType::ListOfAws(item.to_owned());
                }
                match AWS_TYPES.contains(&text) {
                    true => ParameterType::Aws(text.to_owned()),
                    false => ParameterType::Other(text.to_owned()),
                }
            }
        }
    }

    /// Whether `Ref` gives a list.
    pub fn is_list(&self) -> bool {
        match self {
            ParameterType::ListOfNumber | ParameterType::CommaDelimitedList | ParameterType::ListOfAws(_) => true,
            ParameterType::Ssm(held) => held.is_list(),
            _ => false,
        }
    }

    /// Whether the parameter's value is the name of an SSM parameter.
    pub fn is_ssm(&self) -> bool {
        matches!(self, ParameterType::Ssm(_))
    }
}

/// AWS-specific parameter types ("CloudFormation-supplied parameter types" of the user guide).
const AWS_TYPES: [&str; 11] = [
    "AWS::EC2::AvailabilityZone::Name",
    "AWS::EC2::Image::Id",
    "AWS::EC2::Instance::Id",
    "AWS::EC2::KeyPair::KeyName",
    "AWS::EC2::SecurityGroup::GroupName",
    "AWS::EC2::SecurityGroup::Id",
    "AWS::EC2::Subnet::Id",
    "AWS::EC2::VPC::Id",
    "AWS::EC2::Volume::Id",
    "AWS::Route53::HostedZone::Id",
    "AWS::SSM::Parameter::Name",
];

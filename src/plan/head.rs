//! The little that every plan needs to know of every rendered template, read without taking the template apart: hundreds
//! of stacks without changes are planned from this alone.

use crate::model::sensitive::MASKED;
use cloudformation::template::ParameterType;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// A look at a template in canonical JSON.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Head {
    pub parameters: BTreeMap<String, Declared>,
    resources: BTreeMap<String, IgnoredAny>,
}

/// A parameter as the template declares it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Declared {
    default: Option<Json>,
    no_echo: Option<Json>,
    r#type: Option<Json>,
}

/// What a parameter has of the SSM parameter that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Value,
    Name,
}

impl Head {
    /// What is no template has neither parameters nor resources; CloudFormation will say so in its own words.
    pub fn of(template: &str) -> Head {
        serde_json::from_str(template).unwrap_or_default()
    }

    pub fn resources(&self) -> usize {
        self.resources.len()
    }

    pub fn is_secret(&self, parameter: &str) -> bool {
        self.parameters.get(parameter).is_some_and(Declared::is_secret)
    }
}

impl Declared {
    /// As CloudFormation keeps it: text, whatever it was written as.
    pub fn default(&self) -> Option<String> {
        self.default.as_ref().map(|default| match default {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    /// Whether its value names an SSM parameter, and whether what that holds is put in for it.
    pub fn ssm(&self) -> Option<Named> {
        match ParameterType::parse(self.r#type.as_ref()?.as_str()?) {
            ParameterType::Ssm(_) => Some(Named::Value),
            ParameterType::SsmName => Some(Named::Name),
            _ => None,
        }
    }

    pub fn is_secret(&self) -> bool {
        match &self.no_echo {
            Some(Json::Bool(value)) => *value,
            Some(Json::String(text)) => text.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }
}

/// The values that a stack's parameters have once they are given these: defaults stand for the others, and NoEcho parameters
/// show as CloudFormation shows them.
pub fn with_defaults(template: &str, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let head = Head::of(template);
    let defaults = head.parameters.iter().filter_map(|(name, declared)| Some((name.clone(), declared.default()?)));
    let mut values: BTreeMap<String, String> = defaults.collect();
    values.extend(given.iter().map(|(name, value)| (name.clone(), value.clone())));
    for (name, value) in &mut values {
        if head.is_secret(name) {
            MASKED.clone_into(value);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_text_and_secrets_are_known() {
        let head = Head::of(
            r#"{"Parameters":{"Port":{"Type":"Number","Default":8000},"Name":{"Type":"String","Default":"x"},
            "Password":{"Type":"String","NoEcho":true},"Token":{"Type":"String","NoEcho":"True"}},
            "Resources":{"A":{"Type":"AWS::SNS::Topic"},"B":{"Type":"AWS::SNS::Topic"}}}"#,
        );
        assert_eq!(head.parameters["Port"].default().as_deref(), Some("8000"));
        assert_eq!(head.parameters["Name"].default().as_deref(), Some("x"));
        assert!(head.is_secret("Password") && head.is_secret("Token"));
        assert!(!head.is_secret("Port") && !head.is_secret("Absent"));
        assert_eq!(head.resources(), 2);
        assert_eq!(Head::of("Resources: {}").resources(), 0);
    }
}

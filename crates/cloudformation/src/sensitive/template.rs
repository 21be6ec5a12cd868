//! What of a whole template, as JSON, nobody may see: properties, parameters' defaults, mappings, metadata, outputs.

use super::names::is_name;
use super::{HIDDEN, Literal, Properties, has_reference};
use serde_json::Value as Json;
use std::borrow::Cow;

const INTERFACE: &str = "AWS::CloudFormation::Interface";

/// A template as JSON.
#[derive(Debug, Clone, Copy)]
pub struct Template<'t>(pub &'t Json);

impl Template<'_> {
    /// The template without its secrets. It is no template that can be deployed where anything was hidden.
    pub fn hide(self) -> Json {
        let Json::Object(sections) = self.0 else { return self.0.clone() };
        let section = |(name, value): (&String, &Json)| {
            let shown = match (name.as_str(), value) {
                ("Resources", Json::Object(resources)) => Json::Object(resources.iter().map(resource).collect()),
                ("Parameters", Json::Object(parameters)) => {
                    let one = |(name, declared): (&String, &Json)| (name.clone(), parameter(name, declared));
                    Json::Object(parameters.iter().map(one).collect())
                }
                ("Outputs", Json::Object(outputs)) => Json::Object(outputs.iter().map(output).collect()),
                ("Metadata", value) => metadata(value),
                ("Mappings", value) => Properties::of_nothing().hide(value),
                (_, value) => value.clone(),
            };
            (name.clone(), shown)
        };
        Json::Object(sections.iter().map(section).collect())
    }

    /// The secrets that stand in the template as they are; pointers are from its root.
    pub fn literals(self) -> Vec<Literal> {
        let mut all = Vec::new();
        let mut add = |at: String, found: Vec<Literal>| {
            all.extend(
                found.into_iter().map(|one| Literal { pointer: format!("{at}{}", one.pointer), text: one.text }),
            );
        };
        for (id, resource) in members(self.0, "Resources") {
            let properties = resource.get("Properties").unwrap_or(&Json::Null);
            add(format!("/Resources/{id}/Properties"), Properties::of(type_of(resource)).literals(properties));
            let value = resource.get("Metadata").unwrap_or(&Json::Null);
            add(format!("/Resources/{id}/Metadata"), Properties::of_nothing().literals(value));
        }
        for (name, declared) in members(self.0, "Parameters") {
            let default = declared.get("Default").filter(|default| **default != parameter(name, declared)["Default"]);
            let text = default.map(|default| default.as_str().map_or_else(|| default.to_string(), str::to_owned));
            let literal = text.map(|text| Literal { pointer: "/Default".to_owned(), text });
            add(format!("/Parameters/{name}"), literal.into_iter().collect());
        }
        for (name, declared) in members(self.0, "Outputs") {
            let value = declared.get("Value").unwrap_or(&Json::Null);
            let named = Json::Object([(name.clone(), value.clone())].into_iter().collect());
            add("/Outputs".to_owned(), Properties::of_nothing().literals(&named));
        }
        for (name, value) in members(self.0, "Metadata").filter(|(name, _)| *name != INTERFACE) {
            add(format!("/Metadata/{name}"), Properties::of_nothing().literals(value));
        }
        add("/Mappings".to_owned(), Properties::of_nothing().literals(self.0.get("Mappings").unwrap_or(&Json::Null)));
        all
    }
}

fn resource((id, resource): (&String, &Json)) -> (String, Json) {
    let Json::Object(members) = resource else { return (id.clone(), resource.clone()) };
    let one = |(name, value): (&String, &Json)| {
        let shown = match name.as_str() {
            "Properties" => Properties::of(type_of(resource)).hide(value),
            "Metadata" => Properties::of_nothing().hide(value),
            _ => value.clone(),
        };
        (name.clone(), shown)
    };
    (id.clone(), Json::Object(members.iter().map(one).collect()))
}

/// An output's name says what its value is, and nothing of its description or its condition.
fn output((name, output): (&String, &Json)) -> (String, Json) {
    let mut shown = output.clone();
    if let Some(value) = shown.get_mut("Value") {
        let named = Json::Object([(name.clone(), value.take())].into_iter().collect());
        *value = Properties::of_nothing().hide(&named)[name].take();
    }
    (name.clone(), shown)
}

/// Labels of parameters are for people.
fn metadata(metadata: &Json) -> Json {
    let Json::Object(members) = metadata else { return metadata.clone() };
    let one = |(name, value): (&String, &Json)| match name.as_str() {
        INTERFACE => (name.clone(), value.clone()),
        _ => (name.clone(), Properties::of_nothing().hide(value)),
    };
    Json::Object(members.iter().map(one).collect())
}

fn parameter(name: &str, declared: &Json) -> Json {
    let mut shown = declared.clone();
    if let (true, Some(default)) = (is_secret_parameter(name, declared), shown.get_mut("Default"))
        && !default.as_str().is_some_and(super::text::is_open)
    {
        *default = Json::String(HIDDEN.to_owned());
    }
    shown
}

/// NoEcho, or the name says so. Parameters of SSM's types hold the name of a parameter, not its value.
pub(super) fn is_secret_parameter(name: &str, declared: &Json) -> bool {
    let by_name = declared.get("Type").and_then(Json::as_str).is_some_and(|of| of == "String" || of == "Number");
    let no_echo = match declared.get("NoEcho") {
        Some(Json::Bool(no_echo)) => *no_echo,
        Some(Json::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    };
    no_echo || (by_name && is_name(name))
}

/// Whether an output of a template (as JSON) gives a secret away: an attribute that is one, a parameter that holds one, a
/// dynamic reference, or a name that says so of what is no resource's identifier.
pub fn is_secret_output(template: &Json, name: &str) -> bool {
    let Some(output) = template.get("Outputs").and_then(|outputs| outputs.get(name)) else { return is_name(name) };
    let value = output.get("Value").unwrap_or(&Json::Null);
    reads_secret(template, value) || (is_name(name) && !is_identifier(template, value))
}

/// `Ref` and `Fn::GetAtt` of a resource: what they give is decided by the attribute.
fn is_identifier(template: &Json, value: &Json) -> bool {
    let Json::Object(map) = value else { return false };
    match map.get("Ref").and_then(Json::as_str) {
        Some(id) => template.pointer("/Resources").is_some_and(|resources| resources.get(id).is_some()),
        None => map.contains_key("Fn::GetAtt"),
    }
}

fn reads_secret(template: &Json, value: &Json) -> bool {
    let parameter = |name: &str| {
        template.get("Parameters").and_then(|all| all.get(name)).is_some_and(|it| is_secret_parameter(name, it))
    };
    let attribute = |name: &str| name.rsplit('.').next().is_some_and(is_name);
    match value {
        Json::String(text) => has_reference(text) || matches!(super::hide(text), Cow::Owned(_)),
        Json::Array(items) => items.iter().any(|item| reads_secret(template, item)),
        Json::Object(map) => map.iter().any(|(key, value)| match (key.as_str(), value) {
            ("Ref", Json::String(name)) => parameter(name),
            ("Fn::GetAtt", Json::String(path)) => attribute(path),
            ("Fn::GetAtt", Json::Array(parts)) => parts.last().and_then(Json::as_str).is_some_and(attribute),
            ("Fn::Sub", argument) => {
                let text = argument.as_str().or_else(|| argument.get(0)?.as_str()).unwrap_or_default();
                let mut names = text.split("${").skip(1).filter_map(|rest| rest.split('}').next());
                names.any(|name| parameter(name) || (name.contains('.') && attribute(name)))
                    || reads_secret(template, argument)
            }
            ("Fn::If", Json::Array(parts)) => parts.iter().skip(1).any(|part| reads_secret(template, part)),
            (_, value) => reads_secret(template, value),
        }),
        _ => false,
    }
}

fn type_of(resource: &Json) -> &str {
    resource.get("Type").and_then(Json::as_str).unwrap_or_default()
}

fn members<'t>(template: &'t Json, section: &str) -> impl Iterator<Item = (&'t String, &'t Json)> {
    template.get(section).and_then(Json::as_object).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn template() -> Json {
        json!({
            "Parameters": {
                "Token": {"Type": "String", "NoEcho": "true", "Default": "canary-one"},
                "DbPassword": {"Type": "String", "Default": "canary-two"},
                "Size": {"Type": "Number", "Default": 3},
                "TokenName": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/shop/token"},
            },
            "Mappings": {"Db": {"prod": {"Password": "canary-three", "Size": "1"}}},
            "Resources": {"Key": {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": "u"}},
                "S": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "canary-four"}}},
            "Metadata": {"AWS::CloudFormation::Interface": {"ParameterLabels": {"DbPassword": {"default": "The password"}}}},
            "Outputs": {
                "Plain": {"Value": {"Ref": "Size"}}, "A": {"Value": {"Fn::GetAtt": ["Key", "SecretAccessKey"]}},
                "B": {"Value": {"Fn::Sub": "x-${Token}"}}, "C": {"Value": {"Ref": "DbPassword"}},
                "D": {"Value": "{{resolve:ssm:/a}}"}, "E": {"Value": {"Fn::Sub": "${Key.SecretAccessKey}"}},
                "DatabaseSecret": {"Value": {"Ref": "S"}}, "Secret": {"Value": "canary-five"},
                "F": {"Value": {"Fn::If": ["UsesToken", "a", "b"]}},
            },
        })
    }

    #[test]
    fn nothing_secret_is_left() {
        let template = template();
        assert!(!Template(&template).hide().to_string().contains("canary-four"));
        let shown = Template(&template).hide().to_string();
        for canary in ["canary-one", "canary-two", "canary-three", "canary-five"] {
            assert!(!shown.contains(canary), "{canary}");
        }
        assert!(shown.contains("The password") && shown.contains("/shop/token") && shown.contains(r#""Default":3"#));
        let literals = Template(&template).literals();
        assert_eq!(literals.len(), 5, "{literals:?}");
    }

    #[test]
    fn outputs_that_give_secrets_away() {
        let template = template();
        for name in ["A", "B", "C", "D", "E", "Secret", "Password"] {
            assert!(is_secret_output(&template, name), "{name}");
        }
        for name in ["Plain", "DatabaseSecret", "F", "Other"] {
            assert!(!is_secret_output(&template, name), "{name}");
        }
    }
}

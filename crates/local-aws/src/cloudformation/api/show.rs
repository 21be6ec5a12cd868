//! How things look in answers.

use crate::cloudformation::model::{Definition, Stack};
use crate::cloudformation::reading;
use cloudformation::evaluate::{MASK, ParameterValue};
use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use std::collections::HashSet;

/// ISO 8601 with milliseconds, in UTC.
pub(in crate::cloudformation) fn time(stamp: Timestamp) -> String {
    stamp.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// `{ParameterKey, ParameterValue, ResolvedValue}` of every parameter; what is `NoEcho` is masked.
pub(super) fn parameters(definition: &Definition) -> Option<Json> {
    let hidden = hidden(definition);
    let shown: Vec<Json> = definition
        .parameters
        .iter()
        .map(|(name, value)| {
            let value = match value {
                _ if hidden.contains(name) => MASK,
                ParameterValue::Known(value) => value.as_str(),
                ParameterValue::Unknown => "",
            };
            let resolved = definition.resolved.get(name);
            let resolved = resolved.map(|resolved| if hidden.contains(name) { MASK } else { resolved.as_str() });
            json!({ "ParameterKey": name, "ParameterValue": value, "ResolvedValue": resolved })
        })
        .collect();
    (!shown.is_empty()).then_some(Json::Array(shown))
}

/// The parameters that the template declares `NoEcho`. Reading a template costs more than looking for the word.
fn hidden(definition: &Definition) -> HashSet<String> {
    if definition.parameters.is_empty() || !definition.template.contains("NoEcho") {
        return HashSet::new();
    }
    let Ok((template, _)) = reading::read(&definition.template) else { return HashSet::new() };
    template.parameters.into_iter().filter(|(_, parameter)| parameter.no_echo).map(|(name, _)| name).collect()
}

/// `{Key, Value}` of every tag.
pub(super) fn tags(tags: &IndexMap<String, String>) -> Vec<Json> {
    tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

/// `None` for an empty list: such members are left out.
pub(super) fn any(texts: &[String]) -> Option<&[String]> {
    (!texts.is_empty()).then_some(texts)
}

/// The rollback configuration, `{}` where there is none.
pub(super) fn rollback_configuration(definition: &Definition) -> Json {
    match &definition.rollback_configuration {
        Json::Object(members) => Json::Object(members.clone()),
        _ => Json::Object(Map::new()),
    }
}

/// `{StackDriftStatus, LastCheckTimestamp}`.
pub(super) fn stack_drift(stack: &Stack) -> Json {
    json!({
        "StackDriftStatus": or_not_checked(&stack.drift_status),
        "LastCheckTimestamp": stack.drift_checked.map(time),
    })
}

/// `NOT_CHECKED` where nothing was said.
pub(super) fn or_not_checked(status: &str) -> &str {
    if status.is_empty() { "NOT_CHECKED" } else { status }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stamps_have_milliseconds() {
        let stamp = Timestamp::from_millisecond(1_750_000_000_012).expect("a time");
        assert_eq!(time(stamp), "2025-06-15T15:06:40.012Z");
    }

    #[test]
    fn values_that_are_not_to_be_shown_are_masked() {
        let template = r#"{"Parameters": {"Open": {"Type": "String"}, "Shut": {"Type": "String", "NoEcho": true}}}"#;
        let mut definition = Definition { template: template.to_owned(), ..Definition::default() };
        definition.parameters =
            [("Open", "a"), ("Shut", "b")].map(|(name, value)| (name.to_owned(), value.into())).into();
        assert_eq!(
            parameters(&definition),
            Some(json!([
                { "ParameterKey": "Open", "ParameterValue": "a", "ResolvedValue": null },
                { "ParameterKey": "Shut", "ParameterValue": "****", "ResolvedValue": null },
            ]))
        );
        assert_eq!(parameters(&Definition::default()), None);
    }
}

//! Values as a plan may show them: secrets hidden, what is not known marked, paths as people write them.

use super::document::Value;
use crate::model::sensitive::hide;
use cloudformation::evaluate::Value as Evaluated;
use cloudformation::sensitive::{HIDDEN, Properties, has_secret_reference, is_name, text::is_open};
use serde_json::Value as Json;

/// Stands for an unknown part inside of a value that is known otherwise.
pub const UNKNOWN_PART: &str = "(known after apply)";
/// Stands for a secret part inside of a value.
pub const SENSITIVE_PART: &str = HIDDEN;

pub(super) fn shown(value: Option<&Evaluated>) -> Value {
    match value {
        None | Some(Evaluated::NoValue) => Value::Absent,
        Some(Evaluated::Unknown) => Value::Unknown,
        Some(Evaluated::Sensitive(_)) => Value::Sensitive,
        // The reference is not the secret, but what it stands for is.
        Some(Evaluated::String(text)) if has_secret_reference(text) => Value::Sensitive,
        Some(value) => Value::Known(json(value)),
    }
}

/// A value that stands at `pointer` of a resource's `properties`: as [`shown`], without what is sensitive there.
pub(super) fn shown_at(
    of: Properties<'_>,
    properties: Option<&Evaluated>,
    pointer: &str,
    value: Option<&Evaluated>,
) -> Value {
    let Value::Known(value) = shown(value) else { return shown(value) };
    let properties = properties.map(json).unwrap_or_default();
    hidden(of.hide_at(&properties, pointer, &value))
}

/// The value of something that has a name and nothing around it: a parameter, a tag, an output.
pub fn named(name: &str, value: Value) -> Value {
    match value {
        Value::Known(Json::String(text)) if is_name(name) && !is_open(&text) => Value::Sensitive,
        Value::Known(value) => hidden(value),
        other => other,
    }
}

/// Secrets that were met elsewhere are none less here.
fn hidden(value: Json) -> Value {
    match value {
        Json::String(text) if text == HIDDEN => Value::Sensitive,
        Json::String(text) => match hide(&text).into_owned() {
            text if text == HIDDEN => Value::Sensitive,
            text => Value::text(text),
        },
        other => Value::Known(other),
    }
}

pub(super) fn json(value: &Evaluated) -> Json {
    match value {
        Evaluated::Unknown => Json::String(UNKNOWN_PART.to_owned()),
        Evaluated::Sensitive(_) => Json::String(SENSITIVE_PART.to_owned()),
        Evaluated::String(text) if has_secret_reference(text) => Json::String(SENSITIVE_PART.to_owned()),
        Evaluated::List(items) => items.iter().map(json).collect(),
        Evaluated::Map(members) => members.iter().map(|(key, value)| (key.clone(), json(value))).collect(),
        Evaluated::Partial(_) => match value.to_json() {
            Json::String(text) => {
                let text = text.replace(cloudformation::evaluate::KNOWN_AFTER_APPLY, UNKNOWN_PART);
                Json::String(if has_secret_reference(&text) { SENSITIVE_PART.to_owned() } else { text })
            }
            other => other,
        },
        other => other.to_json(),
    }
}

/// `Tags[0].Value` for `/Properties/Tags/0/Value`; the attribute's name where the pointer ends at it.
pub(super) fn path_text(attribute: &str, pointer: Option<&str>) -> String {
    let Some(pointer) = pointer else { return attribute.to_owned() };
    let mut steps = pointer.split('/').skip(1);
    let first = steps.next().unwrap_or(attribute);
    let mut text = if first == "Properties" { String::new() } else { first.to_owned() };
    for step in steps {
        if step.bytes().all(|byte| byte.is_ascii_digit()) && !step.is_empty() {
            text.push_str(&format!("[{step}]"));
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(step);
        }
    }
    if text.is_empty() { attribute.to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudformation::evaluate::Fragment;

    #[test]
    fn paths() {
        assert_eq!(path_text("Properties", Some("/Properties/Tags/0/Value")), "Tags[0].Value");
        assert_eq!(path_text("Properties", Some("/Properties/Name")), "Name");
        assert_eq!(path_text("Metadata", Some("/Metadata/Version")), "Metadata.Version");
        assert_eq!(path_text("DeletionPolicy", Some("/DeletionPolicy")), "DeletionPolicy");
        assert_eq!(path_text("Tags", None), "Tags");
    }

    #[test]
    fn what_is_sensitive_where_it_stands_is_hidden() {
        let properties = serde_json::json!({"Environment": {"Variables": {"DB_PASSWORD": "hunter2", "LEVEL": "info"}}});
        let properties = Evaluated::from_json(&properties);
        let at = |pointer: &str| {
            let value = properties.at(pointer);
            shown_at(Properties::of("AWS::Lambda::Function"), Some(&properties), pointer, value)
        };
        assert_eq!(at("/Environment/Variables/DB_PASSWORD"), Value::Sensitive);
        assert_eq!(at("/Environment/Variables/LEVEL"), Value::text("info"));
        let expected = serde_json::json!({"Variables": {"DB_PASSWORD": "(sensitive)", "LEVEL": "info"}});
        assert_eq!(at("/Environment"), Value::Known(expected));
        assert_eq!(named("ApiToken", Value::text("x")), Value::Sensitive);
        assert_eq!(named("ApiTokenArn", Value::text("x")), Value::text("x"));
    }

    #[test]
    fn secrets_are_hidden_wherever_they_are() {
        let secret = Evaluated::Sensitive(Box::new(Evaluated::string("hunter2")));
        let reference = Evaluated::string("{{resolve:secretsmanager:db:SecretString:password}}");
        assert_eq!(shown(Some(&secret)), Value::Sensitive);
        assert_eq!(shown(Some(&reference)), Value::Sensitive);
        let partial = Evaluated::Partial(vec![Fragment::Text("arn:".to_owned()), Fragment::Unknown]);
        let list = Evaluated::List(vec![secret, reference, Evaluated::Unknown, partial, Evaluated::string("plain")]);
        let expected = serde_json::json!([
            "(sensitive)",
            "(sensitive)",
            "(known after apply)",
            "arn:(known after apply)",
            "plain"
        ]);
        assert_eq!(shown(Some(&list)), Value::Known(expected));
    }
}

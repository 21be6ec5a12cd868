//! Values as a plan may show them: secrets hidden, what is not known marked, paths as people write them.

use super::document::Value;
use cloudformation::evaluate::Value as Evaluated;
use serde_json::Value as Json;

/// Stands for an unknown part inside of a value that is known otherwise.
pub const UNKNOWN_PART: &str = "(known after apply)";
/// Stands for a secret part inside of a value.
pub const SENSITIVE_PART: &str = "(sensitive)";

/// Secrets that CloudFormation looks up itself: the reference is not the secret, but what it stands for is.
const SECRET_REFERENCES: [&str; 2] = ["{{resolve:secretsmanager:", "{{resolve:ssm-secure:"];

pub(super) fn shown(value: Option<&Evaluated>) -> Value {
    match value {
        None | Some(Evaluated::NoValue) => Value::Absent,
        Some(Evaluated::Unknown) => Value::Unknown,
        Some(Evaluated::Sensitive(_)) => Value::Sensitive,
        Some(Evaluated::String(text)) if is_secret_reference(text) => Value::Sensitive,
        Some(value) => Value::Known(json(value)),
    }
}

fn is_secret_reference(text: &str) -> bool {
    SECRET_REFERENCES.iter().any(|reference| text.contains(reference))
}

fn json(value: &Evaluated) -> Json {
    match value {
        Evaluated::Unknown => Json::String(UNKNOWN_PART.to_owned()),
        Evaluated::Sensitive(_) => Json::String(SENSITIVE_PART.to_owned()),
        Evaluated::String(text) if is_secret_reference(text) => Json::String(SENSITIVE_PART.to_owned()),
        Evaluated::List(items) => items.iter().map(json).collect(),
        Evaluated::Map(members) => members.iter().map(|(key, value)| (key.clone(), json(value))).collect(),
        Evaluated::Partial(_) => match value.to_json() {
            Json::String(text) => {
                let text = text.replace(cloudformation::evaluate::KNOWN_AFTER_APPLY, UNKNOWN_PART);
                Json::String(if is_secret_reference(&text) { SENSITIVE_PART.to_owned() } else { text })
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

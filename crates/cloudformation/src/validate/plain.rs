//! Plain values against the schema of a resource type: what a provider checks when it is called, with every function
//! resolved.

use super::check::{Checker, Found};
use super::conditions::Assumed;
use super::facts::{Facts, Options};
use super::finding::Rule;
use super::rules;
use crate::schema::ResourceType;
use crate::source::{Node, Scalar, Span, Style, Value};
use crate::template::{Expr, Kind, Member, Template};
use serde_json::Value as Json;

/// A property that the schema does not allow.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    pub rule: Rule,
    /// From the properties down; of a missing or an unknown property, its own.
    pub path: Vec<String>,
    /// In the words of the registry's validator, without the place.
    pub message: String,
}

/// What `properties` break of the type's schema, read-only properties included.
pub fn properties(known: &ResourceType, properties: &Json) -> Vec<Violation> {
    let root = Node { span: Span::default(), tag: None, value: Value::Map(Vec::new()) };
    let (template, _) = Template::from_node(root);
    let options = Options::default();
    let facts = Facts::new(&template, &options);
    let mut checker = Checker::new(&facts, known.schema()).literal(true);
    checker.check(&expr(properties), known.schema(), &Assumed::default());
    let mut found: Vec<Violation> = checker.found.into_iter().map(violation).collect();
    found.extend(read_only(known, properties));
    found
}

fn violation(found: Found) -> Violation {
    let mut path = found.path;
    if found.rule == rules::MISSING_PROPERTY {
        let missing = found.message.strip_prefix("required key [").and_then(|rest| rest.strip_suffix("] not found"));
        path.extend(missing.map(str::to_owned));
    }
    Violation { rule: found.rule, path, message: found.message }
}

/// Read-only properties at the top; those that are required can be set, whatever else the registry says.
fn read_only<'k>(known: &'k ResourceType, properties: &'k Json) -> impl Iterator<Item = Violation> {
    known.read_only().iter().filter(|path| path.segments().len() == 1).filter_map(|path| {
        let name = path.top();
        properties.get(name).filter(|_| !known.required().any(|required| required == name))?;
        let message = format!("read-only key [{name}] is not permitted");
        Some(Violation { rule: rules::READ_ONLY, path: vec![name.to_owned()], message })
    })
}

fn expr(value: &Json) -> Expr {
    let scalar = |text: String, style: Style| Kind::Literal(Scalar { text, style });
    let kind = match value {
        Json::Null => scalar(String::new(), Style::Plain),
        Json::Bool(truth) => scalar(truth.to_string(), Style::Plain),
        Json::Number(number) => scalar(number.to_string(), Style::Plain),
        Json::String(text) => scalar(text.clone(), Style::Text),
        Json::Array(items) => Kind::List(items.iter().map(expr).collect()),
        Json::Object(members) => {
            let member = |(key, value): (&String, &Json)| Member {
                key: key.clone(),
                key_span: Span::default(),
                value: expr(value),
            };
            Kind::Map(members.iter().map(member).collect())
        }
    };
    Expr::new(kind, Span::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::resource_type;
    use serde_json::json;

    #[test]
    fn what_breaks_the_schema_is_found() {
        let known = |name: &str| resource_type(name).expect("a type of the registry");
        let cases = [
            ("AWS::SSM::Parameter", json!({"Value": "x"}), vec![("missing-property", "Type")]),
            ("AWS::SSM::Parameter", json!({"Value": "x", "Type": "String"}), vec![]),
            ("AWS::SNS::Topic", json!({"Nonsense": 1}), vec![("unknown-property", "Nonsense")]),
            ("AWS::SNS::Topic", json!({"TopicArn": "arn:aws:sns:::x"}), vec![("read-only-property", "TopicArn")]),
            ("AWS::SNS::Topic", json!({"Tags": "x"}), vec![("wrong-type", "Tags")]),
            ("AWS::SNS::Topic", json!({"FifoTopic": "true"}), vec![]),
            ("AWS::SQS::Queue", json!({"DelaySeconds": "many"}), vec![("wrong-type", "DelaySeconds")]),
            ("AWS::SNS::Topic", json!({"Tags": [{"Key": "a"}]}), vec![("missing-property", "Tags/0/Value")]),
        ];
        for (name, value, expected) in cases {
            let found = properties(known(name), &value);
            let found: Vec<(&str, String)> = found.iter().map(|one| (one.rule.id, one.path.join("/"))).collect();
            let expected: Vec<(&str, String)> =
                expected.iter().map(|(rule, path)| (*rule, (*path).to_owned())).collect();
            assert_eq!(found, expected, "{name} {value}");
        }
    }
}

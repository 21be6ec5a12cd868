//! A template as text: canonical JSON for CloudFormation, YAML for people.

use super::safety::is_ambiguous;
use crate::model::escaped;
use cloudformation::template::FUNCTIONS;
use serde_json::{Map, Value as Json};
use serde_yaml::value::{Tag, TaggedValue, Value as Yaml};

/// The order of sections; others come after them.
const SECTIONS: [&str; 10] = [
    "AWSTemplateFormatVersion",
    "Transform",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Resources",
    "Outputs",
];

/// The template as minified JSON in pure ASCII, sections in a fixed order, everything in them in the order of the source: the
/// same source and inputs give the same bytes.
pub fn canonical(template: Json) -> String {
    let Json::Object(mut members) = template else { return escaped(&template.to_string()).into_owned() };
    let mut ordered = Map::new();
    for section in SECTIONS {
        ordered.extend(members.shift_remove(section).map(|value| (section.to_owned(), value)));
    }
    ordered.extend(members);
    escaped(&Json::Object(ordered).to_string()).into_owned()
}

/// A template's JSON as YAML with short function tags.
///
/// # Errors
/// The text is no JSON.
pub fn yaml(json: &str) -> anyhow::Result<String> {
    let template: Json = serde_json::from_str(json)?;
    let Json::Object(members) = template else { return Ok(serde_yaml::to_string(&template)?) };
    let mut writer = Writer { literals: Vec::new() };
    let mut text = String::new();
    for (name, value) in members {
        let conditions = name == "Conditions";
        let section = Yaml::Mapping([(writer.text(name), writer.short(value, conditions))].into_iter().collect());
        let section = serde_yaml::to_string(&section)?;
        // A blank line before each section that has members, as people write templates.
        if section.lines().count() > 1 && !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&section);
    }
    Ok(writer.with_literals(&text))
}

/// Stands before the number of a literal. No template has such a character.
const LITERAL: char = '\u{F0000}';

struct Writer {
    /// Texts that are written in double quotes. The serializer knows YAML 1.2 alone, where dates, `yes` and `0123` are
    /// text; and it takes Unicode's line separators for line breaks.
    literals: Vec<String>,
}

impl Writer {
    fn text(&mut self, text: String) -> Yaml {
        if !is_ambiguous(&text) && !text.contains(['\u{85}', '\u{2028}', '\u{2029}', '\u{FEFF}']) {
            return Yaml::String(text);
        }
        let mut literal = String::new();
        for c in Json::String(text).to_string().chars() {
            match c {
                '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}' => literal.push_str(&format!("\\u{:04x}", c as u32)),
                c => literal.push(c),
            }
        }
        self.literals.push(literal);
        Yaml::String(format!("{LITERAL}{}", self.literals.len() - 1))
    }

    fn with_literals(&self, text: &str) -> String {
        let mut parts = text.split(LITERAL);
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            let number: Option<usize> = part[..digits].parse().ok();
            whole.push_str(number.and_then(|number| self.literals.get(number)).map_or("", String::as_str));
            whole.push_str(&part[digits..]);
        }
        whole
    }

    /// Long forms become tags where YAML can say so: a tag within a tag it cannot.
    fn short(&mut self, value: Json, conditions: bool) -> Yaml {
        match value {
            Json::Object(members) => match self.function(&members, conditions) {
                Some((tag, argument)) => Yaml::Tagged(Box::new(TaggedValue { tag: Tag::new(tag), value: argument })),
                None => {
                    let entry = |(key, value)| (self.text(key), self.short(value, conditions));
                    Yaml::Mapping(members.into_iter().map(entry).collect())
                }
            },
            Json::Array(items) => Yaml::Sequence(items.into_iter().map(|item| self.short(item, conditions)).collect()),
            Json::String(text) => self.text(text),
            Json::Bool(value) => Yaml::Bool(value),
            Json::Null => Yaml::Null,
            Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
                (Some(number), ..) => Yaml::Number(number.into()),
                (_, Some(number), _) => Yaml::Number(number.into()),
                (_, _, number) => Yaml::Number(number.unwrap_or_default().into()),
            },
        }
    }

    /// The short tag and its argument, if this map is a call that has a short form.
    fn function(&mut self, members: &Map<String, Json>, conditions: bool) -> Option<(&'static str, Yaml)> {
        let mut entries = members.iter();
        let ((name, argument), None) = (entries.next()?, entries.next()) else { return None };
        let (_, tag) = FUNCTIONS.iter().find(|(long, _)| long == name)?;
        match (*tag, argument) {
            ("Condition", Json::String(name)) => conditions.then(|| (*tag, Yaml::String(name.clone()))),
            ("Ref", Json::String(name)) => Some((*tag, Yaml::String(name.clone()))),
            ("Condition" | "Ref", _) => None,
            ("GetAtt", Json::Array(parts)) => match parts.as_slice() {
                [Json::String(resource), Json::String(attribute)] if !resource.contains('.') => {
                    Some((*tag, Yaml::String(format!("{resource}.{attribute}"))))
                }
                _ => Some((*tag, self.short(argument.clone(), conditions))),
            },
            ("GetAtt", _) => None,
            _ => match self.short(argument.clone(), conditions) {
                Yaml::Tagged(_) => None,
                argument => Some((*tag, argument)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudformation::template::Template;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn sections_have_their_order_and_everything_else_keeps_its_own() {
        let template =
            json!({"Outputs": {}, "Resources": {"B": {"z": 1, "a": 2}, "A": 1}, "Description": "d", "Hooks": 1});
        assert_eq!(
            canonical(template),
            r#"{"Description":"d","Resources":{"B":{"z":1,"a":2},"A":1},"Outputs":{},"Hooks":1}"#
        );
    }

    #[test]
    fn what_is_sent_is_ascii() {
        let template = json!({"Description": "für", "Resources": {"A": {"Type": "T", "Properties": {"Name": "😀"}}}});
        let text = canonical(template.clone());
        assert_eq!(
            text,
            r#"{"Description":"f\u00fcr","Resources":{"A":{"Type":"T","Properties":{"Name":"\ud83d\ude00"}}}}"#
        );
        assert_eq!(Template::read(&text).unwrap().0.to_json(), template, "whoever reads it reads the same");
    }

    #[test]
    fn yaml_reads_as_people_write_it() {
        let template = json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": "On: what \"is\" it",
            "Conditions": {"Both": {"Fn::And": [{"Condition": "A"}, {"Fn::Equals": [{"Ref": "X"}, "yes"]}]}},
            "Resources": {
                "Topic": {
                    "Type": "AWS::SNS::Topic",
                    "Condition": "Both",
                    "Properties": {
                        "TopicName": {"Fn::Sub": "${AWS::StackName}-x"},
                        "DisplayName": {"Fn::GetAtt": ["Other", "Endpoint.Address"]},
                        "UserData": {"Fn::Base64": {"Fn::Sub": "#!/bin/sh\necho ${X}\n"}},
                        "Policy": {"Statement": [{"Condition": {"Bool": {"a": "true"}}, "Version": "2012-10-17"}]},
                        "Zone": {"Fn::Select": [0, {"Fn::GetAZs": ""}]},
                    },
                },
            },
        });
        insta::assert_snapshot!(yaml(&template.to_string()).unwrap());
    }

    fn value() -> impl Strategy<Value = Json> {
        let text = prop_oneof![
            "[a-zA-Z0-9 :#'\"\\\\{}\\[\\],&*!|>%@`~.\n\t_-]{0,12}",
            "(yes|no|null|~|true|0123|1e3|1_0|0x1|2012-10-17|12:30|\\.inf|<<|=|- a|a: b|# c| x|x |\n|é|😀|\u{85}|\u{2028})",
        ];
        let leaf = prop_oneof![
            text.prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<bool>().prop_map(Json::from),
            (-1000i32..1000).prop_map(|n| Json::from(f64::from(n) / 8.0 + 0.0625)),
        ];
        leaf.prop_recursive(4, 24, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
                proptest::collection::btree_map("[A-Za-z]{1,4}", inner.clone(), 0..3)
                    .prop_map(|map| Json::Object(map.into_iter().collect())),
                "[A-Za-z:]{1,6}".prop_map(|name| json!({"Ref": name})),
                ("(Fn::Sub|Fn::Join|Fn::If|Fn::Base64|Fn::GetAtt|Condition)", inner)
                    .prop_map(|(name, argument)| json!({name: argument})),
            ]
        })
    }

    proptest! {
        /// What people read is what CloudFormation gets.
        #[test]
        fn yaml_is_the_template(value in value()) {
            let template = json!({"Resources": {"A": {"Properties": value}}});
            let yaml = yaml(&template.to_string()).unwrap();
            let node = cloudformation::source::parse(&yaml, cloudformation::source::Limits::default()).unwrap();
            prop_assert_eq!(Template::from_node(node).0.to_json(), template, "{}", yaml);
        }
    }
}

//! The sections that give a template its inputs: parameters, mappings, rules.

use super::{Reader, scalar};
use crate::source::{Entry, Node};
use crate::template::expr::Text;
use crate::template::form::read_expr;
use crate::template::is_alphanumeric;
use crate::template::sections::{Assertion, Mapping, Parameter, ParameterType, Rule};
use indexmap::IndexMap;

impl Reader<'_> {
    pub(super) fn parameter(&mut self, name: &Entry, node: &Node) {
        let path = format!("/Parameters/{}", name.key);
        if !is_alphanumeric(&name.key) {
            let message = format!("Template format error: Parameter name {} is non alphanumeric.", name.key);
            self.problem(&message, name.key_span, &path);
        }
        if node.as_map().is_none() {
            self.problem("Template format error: Any Parameters member must be an object.", node.span, &path);
            return;
        }
        let Some(type_node) = node.get("Type") else {
            let message = "Template format error: Every Parameters object must contain a Type member.";
            self.problem(message, name.key_span, &path);
            return;
        };
        let text = type_node.as_str().unwrap_or_default();
        let parameter_type = ParameterType::parse(text);
        if let ParameterType::Other(other) = &parameter_type {
            let message = format!("Template format error: Unrecognized parameter type: {other}");
            self.problem(&message, type_node.span, &format!("{path}/Type"));
        }
        let parameter = Parameter {
            name_span: name.key_span,
            span: node.span,
            parameter_type,
            type_span: type_node.span,
            default: node.get("Default").and_then(|default| self.default(default, &format!("{path}/Default"))),
            no_echo: node.get("NoEcho").and_then(scalar).is_some_and(|text| text.value.eq_ignore_ascii_case("true")),
            allowed_values: node
                .get("AllowedValues")
                .and_then(Node::as_list)
                .map(|values| values.iter().filter_map(scalar).collect())
                .unwrap_or_default(),
            allowed_pattern: node.get("AllowedPattern").and_then(scalar),
            min_length: number(node, "MinLength"),
            max_length: number(node, "MaxLength"),
            min_value: number(node, "MinValue"),
            max_value: number(node, "MaxValue"),
            description: node.get("Description").and_then(scalar),
            constraint_description: node.get("ConstraintDescription").and_then(scalar),
        };
        self.template.parameters.insert(name.key.clone(), parameter);
    }

    fn default(&mut self, node: &Node, path: &str) -> Option<Text> {
        let text = scalar(node);
        if text.is_none() {
            let message = match node.is_null() {
                true => format!("[{path}] 'null' values are not allowed in templates"),
                false => "Template format error: Every Default member must be a string.".to_owned(),
            };
            self.problem(&message, node.span, path);
        }
        text
    }

    pub(super) fn mapping(&mut self, name: &Entry, node: &Node) {
        let path = format!("/Mappings/{}", name.key);
        let mut mapping =
            Mapping { name_span: name.key_span, span: node.span, keys: IndexMap::new(), transformed: false };
        let Some(firsts) = node.as_map() else {
            let message = format!("Template format error: Every Mappings member {} must be a map", name.key);
            self.problem(&message, node.span, &path);
            return;
        };
        for first in firsts {
            if first.key == "Fn::Transform" {
                mapping.transformed = true;
                continue;
            }
            let Some(seconds) = first.value.as_map() else {
                let message = format!("Template format error: Every Mappings member {} must be a map", first.key);
                self.problem(&message, first.value.span, &format!("{path}/{}", first.key));
                continue;
            };
            let mut values = IndexMap::new();
            for second in seconds {
                let path = format!("{path}/{}/{}", first.key, second.key);
                if second.key == "Fn::Transform" {
                    mapping.transformed = true;
                    continue;
                }
                let flat = |node: &Node| node.as_scalar().is_some() && node.tag.is_none();
                let allowed = flat(&second.value) || second.value.as_list().is_some_and(|list| list.iter().all(flat));
                if !allowed {
                    let message = "Template format error: Every Mappings attribute must be a String or a List.";
                    self.problem(message, second.value.span, &path);
                }
                values.insert(second.key.clone(), self.value(&second.value, &path));
            }
            mapping.keys.insert(first.key.clone(), values);
        }
        self.template.mappings.insert(name.key.clone(), mapping);
    }

    pub(super) fn rule(&mut self, name: &Entry, node: &Node) {
        let path = format!("/Rules/{}", name.key);
        let condition = node
            .get("RuleCondition")
            .map(|condition| read_expr(condition, &format!("{path}/RuleCondition"), &mut self.problems));
        let items = node.get("Assertions").and_then(Node::as_list);
        if items.is_none() {
            let message = format!("Template format error: Rule {} must have a list of Assertions", name.key);
            self.problem(&message, node.span, &path);
        }
        let mut assertions = Vec::new();
        for (at, item) in items.unwrap_or_default().iter().enumerate() {
            if let Some(assert) = item.get("Assert") {
                let path = format!("{path}/Assertions/{at}/Assert");
                let assert = read_expr(assert, &path, &mut self.problems);
                let description = item.get("AssertDescription").and_then(scalar);
                assertions.push(Assertion { assert, description });
            }
        }
        let rule = Rule { name_span: name.key_span, span: node.span, condition, assertions };
        self.template.rules.insert(name.key.clone(), rule);
    }
}

fn number<N: std::str::FromStr>(node: &Node, key: &str) -> Option<N> {
    scalar(node.get(key)?)?.value.parse().ok()
}

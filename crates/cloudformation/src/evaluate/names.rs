//! What a name stands for: parameters, pseudo parameters, resources and their attributes, mappings, the region's zones, other
//! stacks' outputs.

use super::{Cursor, Evaluator, Read, Value, functions};
use crate::source::Span;
use crate::template::{Expr, Member, SubPart};
use std::collections::HashMap;

impl Evaluator<'_> {
    pub(super) fn reference(&self, name: &str, cursor: &mut Cursor<'_>) -> Value {
        if let Some(value) = self.parameters.get(name) {
            cursor.read(Read::Parameter(name.to_owned()));
            return value.clone();
        }
        if let Some(value) = self.pseudo(name) {
            return value;
        }
        match cursor.resources.reference(name) {
            Some(value) => {
                cursor.read(Read::Resource(name.to_owned()));
                value
            }
            None => self.missing(name, cursor),
        }
    }

    pub(super) fn attribute(&self, resource: &str, attribute: &str, cursor: &mut Cursor<'_>) -> Value {
        match cursor.resources.attribute(resource, attribute) {
            Some(value) => {
                cursor.read(Read::Attribute(resource.to_owned(), attribute.to_owned()));
                value
            }
            None => self.missing(resource, cursor),
        }
    }

    fn missing(&self, name: &str, cursor: &Cursor<'_>) -> Value {
        let section = cursor.origin.split('/').nth(1).unwrap_or("Resources").to_owned();
        self.unresolved.borrow_mut().insert((section, name.to_owned()));
        Value::Unknown
    }

    fn pseudo(&self, name: &str) -> Option<Value> {
        let known = |value: &Option<String>| Some(value.as_ref().map_or(Value::Unknown, Value::string));
        let environment = self.environment;
        match name {
            "AWS::NoValue" => Some(Value::NoValue),
            "AWS::AccountId" => known(&environment.account_id),
            "AWS::Region" => known(&environment.region),
            "AWS::Partition" => known(&environment.partition),
            "AWS::URLSuffix" => known(&environment.url_suffix),
            "AWS::StackName" => known(&environment.stack_name),
            "AWS::StackId" => known(&environment.stack_id),
            "AWS::NotificationARNs" => {
                Some(Value::List(environment.notification_arns.iter().map(Value::string).collect()))
            }
            _ => None,
        }
    }

    pub(super) fn substitute(
        &self,
        parts: &[SubPart],
        variables: &[Member],
        span: Span,
        cursor: &mut Cursor<'_>,
    ) -> Value {
        let variables: HashMap<&str, Value> =
            variables.iter().map(|member| (member.key.as_str(), self.value(&member.value, cursor))).collect();
        let mut text = functions::Text::default();
        for part in parts {
            let looked_up;
            let value = match part {
                SubPart::Text(known) => {
                    text.push_str(known);
                    continue;
                }
                SubPart::Name(name) => match variables.get(name.as_str()) {
                    Some(value) => value,
                    None => {
                        looked_up = match name.split_once('.') {
                            Some((resource, attribute)) => self.attribute(resource, attribute, cursor),
                            None => self.reference(name, cursor),
                        };
                        &looked_up
                    }
                },
            };
            // What was put together already counts, or a few names could stand for gigabytes.
            let length = text.len() + value.weight();
            if !self.budget.has(length) {
                self.spent(length, span, cursor);
                return Value::Unknown;
            }
            text.push(value);
        }
        let value = text.finish();
        self.spend(value, span, cursor)
    }

    pub(super) fn find_in_map(
        &self,
        keys: [&Expr; 3],
        default: Option<&Expr>,
        span: Span,
        cursor: &mut Cursor<'_>,
    ) -> Value {
        let [map, first, second] = keys.map(|key| self.text(key, cursor));
        let (Some(map), Some(first), Some(second)) = (map, first, second) else { return Value::Unknown };
        let mapping = self.template.mappings.get(&map);
        match mapping.and_then(|mapping| mapping.keys.get(&first)?.get(&second)) {
            Some(value) => self.value(value, cursor),
            None => match default {
                Some(default) => self.value(default, cursor),
                None => {
                    if mapping.is_none_or(|mapping| !mapping.transformed) {
                        let message = format!("Template error: Unable to get mapping for {map}::{first}::{second}");
                        self.problem(message, span, cursor.origin);
                    }
                    Value::Unknown
                }
            },
        }
    }

    /// The zones of this region; those of others are not known.
    pub(super) fn zones(&self, region: &Value) -> Value {
        let here =
            region.as_text().is_some_and(|text| text.is_empty() || Some(&text) == self.environment.region.as_ref());
        let zones = &self.environment.availability_zones;
        if here && !zones.is_empty() { Value::List(zones.iter().map(Value::string).collect()) } else { Value::Unknown }
    }

    pub(super) fn stack_output(&self, argument: &Value) -> Value {
        let Value::Map(argument) = argument else { return Value::Unknown };
        let text = |key: &str| argument.get(key).and_then(Value::as_text);
        // Facts are of this account and region.
        let elsewhere =
            text("RoleArn").is_some() || text("Region").is_some_and(|it| Some(it) != self.environment.region);
        let output = |stack: String, output: String| self.facts.stack_outputs.get(&stack)?.get(&output).cloned();
        match (text("StackName"), text("OutputName")) {
            (Some(stack), Some(name)) if !elsewhere => output(stack, name).map_or(Value::Unknown, Value::String),
            _ => Value::Unknown,
        }
    }
}

//! What the checks share: the template, its conditions, and how expressions look under assumptions.

use super::conditions::{Assumed, Conditions};
use crate::schema::{ResourceType, Type, Types, resource_type};
use crate::template::{Expr, Function, Kind, Parameter, Template};
use std::collections::BTreeMap;

/// How to validate.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The region the stack is for. What a service offers there (instance types) is known for us-east-1 only, and
    /// checked only when this is that region or not given.
    pub region: Option<String>,
    /// The values that parameters get. One that is missing gets its default, or a value that is not known. None: nothing
    /// is known of any parameter but its default.
    pub parameters: Option<BTreeMap<String, Option<String>>>,
}

impl Options {
    /// The value of a parameter, where it is certain.
    pub fn value<'o>(&'o self, name: &str, declared: &'o Parameter) -> Option<&'o str> {
        match self.parameters.as_ref()?.get(name) {
            Some(given) => given.as_deref(),
            None => declared.default.as_ref().map(|default| default.value.as_str()),
        }
    }
}

pub struct Facts<'t> {
    pub template: &'t Template,
    pub conditions: Conditions<'t>,
    pub options: &'t Options,
}

/// A value somewhere below another.
pub struct Spot<'e> {
    pub value: &'e Expr,
    /// What is assumed on the way to it.
    pub assumed: Assumed,
    pub path: Vec<String>,
}

impl<'t> Facts<'t> {
    pub fn new(template: &'t Template, options: &'t Options) -> Self {
        Facts { template, conditions: Conditions::new(template, options), options }
    }

    /// What `value` can be: every branch of its `Fn::If` that can be taken, with what is then assumed. `None` for
    /// `AWS::NoValue`.
    pub fn branches<'e>(&self, value: &'e Expr, assumed: &Assumed) -> Vec<(Option<&'e Expr>, Assumed)> {
        let mut found = Vec::new();
        self.collect_branches(value, assumed, &mut found);
        found
    }

    fn collect_branches<'e>(&self, value: &'e Expr, assumed: &Assumed, found: &mut Vec<(Option<&'e Expr>, Assumed)>) {
        let Some(Function::If { condition, then, otherwise }) = value.as_call() else {
            found.push(((!is_no_value(value)).then_some(value), assumed.clone()));
            return;
        };
        let name = self.conditions.name(&condition.value);
        for (branch, holds) in [(then, true), (otherwise, false)] {
            match name.map(|name| (name, assumed.get(name))) {
                Some((_, Some(known))) if known != holds => {}
                None | Some((_, Some(_))) => self.collect_branches(branch, assumed, found),
                Some((name, None)) => {
                    let assumed = assumed.with(name, holds);
                    if self.conditions.possible(&assumed) {
                        self.collect_branches(branch, &assumed, found);
                    }
                }
            }
        }
    }

    /// The values at `path` below `value` (`*` for each item of a list), with what is assumed on the way to each.
    pub fn at<'e>(&self, value: &'e Expr, path: &[&str], assumed: &Assumed) -> Vec<(&'e Expr, Assumed)> {
        self.spots(value, path, assumed).into_iter().map(|spot| (spot.value, spot.assumed)).collect()
    }

    /// As [`Facts::at`], each with its own path.
    pub fn spots<'e>(&self, value: &'e Expr, path: &[&str], assumed: &Assumed) -> Vec<Spot<'e>> {
        let mut found = Vec::new();
        self.collect_spots(value, path, assumed, &mut Vec::new(), &mut found);
        found
    }

    fn collect_spots<'e>(
        &self,
        value: &'e Expr,
        path: &[&str],
        assumed: &Assumed,
        here: &mut Vec<String>,
        found: &mut Vec<Spot<'e>>,
    ) {
        for (branch, assumed) in self.branches(value, assumed) {
            let Some(branch) = branch else { continue };
            let inner: Vec<(String, &'e Expr)> = match path.split_first() {
                None => {
                    found.push(Spot { value: branch, assumed, path: here.clone() });
                    continue;
                }
                Some((&"*", _)) => {
                    let items = branch.as_list().unwrap_or_default().iter();
                    items.enumerate().map(|(at, item)| (at.to_string(), item)).collect()
                }
                Some((name, _)) => branch.get(name).map(|inner| ((*name).to_owned(), inner)).into_iter().collect(),
            };
            for (name, value) in inner {
                here.push(name);
                self.collect_spots(value, &path[1..], &assumed, here, found);
                here.pop();
            }
        }
    }

    /// As [`Facts::at`] from a resource's properties.
    pub fn property<'e>(&'e self, resource: &'e str, path: &[&str], assumed: &Assumed) -> Vec<(&'e Expr, Assumed)> {
        let properties = self.template.resources.get(resource).and_then(|resource| resource.properties.as_ref());
        properties.map(|properties| self.at(properties, path, assumed)).unwrap_or_default()
    }

    /// The resource that `value` refers to by `Ref` or `Fn::GetAtt`.
    pub fn referred<'e>(&self, value: &'e Expr) -> Option<&'e str> {
        let name = match value.as_call()? {
            Function::Ref(name) => name.as_str()?,
            Function::GetAtt { resource, .. } => resource.as_str()?,
            _ => return None,
        };
        self.template.resources.contains_key(name).then_some(name)
    }

    /// What is assumed where a resource is: its own condition holds.
    pub fn assumed_for(&self, resource: &str) -> Assumed {
        let condition = self.template.resources.get(resource).and_then(|resource| resource.condition.as_ref());
        let name = condition.and_then(|condition| self.conditions.name(&condition.value));
        name.map(|name| Assumed::default().with(name, true)).unwrap_or_default()
    }

    /// The text that a value has: written, or that of the parameter that it names (its default, where nothing else is
    /// known of it).
    pub fn known_text<'e>(&'e self, value: &'e Expr) -> Option<&'e str> {
        if let Some(text) = text(value) {
            return Some(text).filter(|text| !is_dynamic(text));
        }
        let Some(Function::Ref(name)) = value.as_call() else { return None };
        let declared = self.template.parameters.get(name.as_str()?)?;
        match self.options.parameters {
            Some(_) => self.options.value(name.as_str()?, declared),
            None => declared.default.as_ref().map(|default| default.value.as_str()),
        }
    }

    /// What is assumed, in words: `HasIndex is true and HasSortKey is false`; none where nothing is.
    pub fn scenario(&self, assumed: &Assumed) -> Option<String> {
        let name = |at: usize| self.template.conditions.get_index(at).map(|(name, _)| name.as_str());
        let words: Vec<String> =
            assumed.pairs().filter_map(|(at, holds)| Some(format!("{} is {holds}", name(at)?))).collect();
        (!words.is_empty()).then(|| words.join(" and "))
    }

    /// The types of what a function gives, as far as they are certain.
    pub fn result_types(&self, function: &Function) -> Types {
        let template = self.template;
        match function {
            Function::Sub { .. }
            | Function::Join { .. }
            | Function::Base64(_)
            | Function::ToJsonString(_)
            | Function::ImportValue(_) => Type::String.into(),
            Function::Split { .. } | Function::GetAzs(_) | Function::Cidr { .. } => Type::Array.into(),
            Function::Length(_) => Type::Integer.into(),
            Function::Ref(name) => match name.as_str() {
                Some("AWS::NotificationARNs") => Type::Array.into(),
                Some("AWS::NoValue") | None => Types::default(),
                Some(name) => match template.parameters.get(name) {
                    Some(parameter) if parameter.is_list() => Type::Array.into(),
                    Some(_) => Type::String.into(),
                    None if template.resources.contains_key(name) || name.starts_with("AWS::") => Type::String.into(),
                    None => Types::default(),
                },
            },
            Function::GetAtt { resource, attribute } => {
                let resource_type = resource.as_str().and_then(|name| self.type_of(name));
                match (resource_type, attribute.as_str()) {
                    (Some(known), Some(attribute)) if !known.has_open_attributes() => known.attribute_types(attribute),
                    _ => Types::default(),
                }
            }
            _ => Types::default(),
        }
    }

    pub fn type_of(&self, resource: &str) -> Option<&'static ResourceType> {
        resource_type(&self.template.resources.get(resource)?.resource_type.value)
    }
}

/// Whether this is `Ref: AWS::NoValue`.
pub fn is_no_value(value: &Expr) -> bool {
    matches!(value.as_call(), Some(Function::Ref(name)) if name.as_str() == Some("AWS::NoValue"))
}

/// The conditions that the outermost `Fn::If`s of `value` ask for.
pub fn asked_conditions(facts: &Facts<'_>, value: &Expr, names: &mut Vec<usize>) {
    if let Some(Function::If { condition, then, otherwise }) = value.as_call() {
        names.extend(facts.conditions.name(&condition.value));
        asked_conditions(facts, then, names);
        asked_conditions(facts, otherwise, names);
    }
}

/// Whether a text holds a dynamic reference (`{{resolve:…}}`): its value is known only to CloudFormation.
pub fn is_dynamic(text: &str) -> bool {
    text.contains("{{resolve:")
}

/// The literal text of a scalar.
pub fn text(value: &Expr) -> Option<&str> {
    match &value.kind {
        Kind::Literal(scalar) if !scalar.is_null() => Some(&scalar.text),
        _ => None,
    }
}

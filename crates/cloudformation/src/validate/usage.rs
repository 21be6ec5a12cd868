//! Parameters, conditions and mappings that nothing uses.

use super::facts::Facts;
use super::finding::Finding;
use super::references::is_open;
use super::rules;
use crate::template::{Expr, Function, SubPart, Template};
use std::collections::HashSet;

#[derive(Default)]
struct Used<'t> {
    names: HashSet<&'t str>,
    conditions: HashSet<&'t str>,
    mappings: HashSet<&'t str>,
    /// A map is looked up by a name that is computed: any may be meant.
    any_mapping: bool,
}

pub fn check(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let template = facts.template;
    // What a macro reads, nobody else knows.
    if is_open(facts) {
        return;
    }
    let mut used = Used::default();
    all_expressions(template).into_iter().for_each(|expr| used.expr(expr));
    let conditions = template.resources.values().filter_map(|resource| resource.condition.as_ref());
    let conditions = conditions.chain(template.outputs.values().filter_map(|output| output.condition.as_ref()));
    used.conditions.extend(conditions.map(|condition| condition.value.as_str()));
    for (name, parameter) in &template.parameters {
        if !used.names.contains(name.as_str()) {
            let message = format!("Parameter {name} is not used");
            found.push(Finding::new(
                rules::UNUSED_PARAMETER,
                message,
                parameter.name_span,
                format!("/Parameters/{name}"),
            ));
        }
    }
    for (name, condition) in &template.conditions {
        if !used.conditions.contains(name.as_str()) {
            let message = format!("Condition {name} is not used");
            let path = format!("/Conditions/{name}");
            found.push(Finding::new(rules::UNUSED_CONDITION, message, condition.name_span, path));
        }
    }
    for (name, mapping) in template.mappings.iter().filter(|_| !used.any_mapping) {
        if !used.mappings.contains(name.as_str()) {
            let message = format!("Mapping {name} is not used");
            found.push(Finding::new(rules::UNUSED_MAPPING, message, mapping.name_span, format!("/Mappings/{name}")));
        }
    }
}

/// Every expression of the template, section by section.
fn all_expressions(template: &Template) -> Vec<&Expr> {
    let mut all: Vec<&Expr> = Vec::new();
    all.extend(template.transforms.iter().filter_map(|transform| transform.parameters.as_ref()));
    all.extend(template.conditions.values().map(|condition| &condition.expr));
    for rule in template.rules.values() {
        all.extend(&rule.condition);
        all.extend(rule.assertions.iter().map(|assertion| &assertion.assert));
    }
    for resource in template.resources.values() {
        all.extend(&resource.properties);
        all.extend(&resource.metadata);
        all.extend(&resource.creation_policy);
        all.extend(&resource.update_policy);
        all.extend(&resource.deletion_policy);
        all.extend(&resource.update_replace_policy);
    }
    for output in template.outputs.values() {
        all.push(&output.value);
        all.extend(&output.export);
    }
    all
}

impl<'t> Used<'t> {
    fn expr(&mut self, expr: &'t Expr) {
        expr.walk(&mut |expr| match expr.as_call() {
            Some(Function::Ref(name)) => self.names.extend(name.as_str()),
            Some(Function::Sub { parts, .. }) => {
                self.names.extend(parts.iter().filter_map(|part| match part {
                    SubPart::Name(name) => Some(name.as_str()),
                    SubPart::Text(_) => None,
                }));
            }
            Some(Function::If { condition: name, .. } | Function::Condition(name)) => {
                self.conditions.insert(&name.value);
            }
            Some(Function::FindInMap { map, .. }) => match map.as_str() {
                Some(name) => {
                    self.mappings.insert(name);
                }
                None => self.any_mapping = true,
            },
            // The functions of rules name parameters in plain text.
            Some(Function::Rule { argument, .. }) => argument.walk(&mut |inner| self.names.extend(inner.as_str())),
            _ => {}
        });
    }
}

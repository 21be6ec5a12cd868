//! What is named must be there: parameters, resources, attributes, conditions, mappings.

use super::conditions::Assumed;
use super::facts::Facts;
use super::finding::{Finding, did_you_mean};
use super::properties::{MODULE, SERVERLESS};
use super::rules;
use crate::source::Span;
use crate::template::{Expr, Function, Kind, PSEUDO_PARAMETERS, Resource, SubPart, Text};

/// Where an expression stands: what may be named there, and how CloudFormation calls the place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Resources,
    Outputs,
    Conditions,
    Rules,
}

pub fn check(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let template = facts.template;
    for (name, condition) in &template.conditions {
        Walk::new(facts, Block::Conditions, found).expr(&condition.expr, &format!("/Conditions/{name}"), &nothing());
    }
    for (name, rule) in &template.rules {
        let path = format!("/Rules/{name}");
        let mut walk = Walk::new(facts, Block::Rules, found);
        let asserts = rule.assertions.iter().map(|assertion| &assertion.assert);
        rule.condition.iter().chain(asserts).for_each(|expr| walk.expr(expr, &path, &nothing()));
    }
    for (name, resource) in &template.resources {
        let path = format!("/Resources/{name}");
        let assumed = facts.assumed_for(name);
        if let Some(condition) = &resource.condition {
            named_condition(facts, &condition.value, condition.span, &format!("{path}/Condition"), "Condition", found);
        }
        depends_on(facts, name, found);
        let mut walk = Walk::new(facts, Block::Resources, found);
        let parts = [
            ("Properties", &resource.properties),
            ("Metadata", &resource.metadata),
            ("CreationPolicy", &resource.creation_policy),
            ("UpdatePolicy", &resource.update_policy),
        ];
        for (key, part) in parts {
            part.iter().for_each(|part| walk.expr(part, &format!("{path}/{key}"), &assumed));
        }
    }
    for (name, output) in &template.outputs {
        let path = format!("/Outputs/{name}");
        let mut assumed = nothing();
        if let Some(condition) = &output.condition {
            named_condition(facts, &condition.value, condition.span, &format!("{path}/Condition"), "Condition", found);
            let name = facts.conditions.name(&condition.value);
            assumed = name.map(|name| assumed.with(name, true)).unwrap_or_default();
        }
        let mut walk = Walk::new(facts, Block::Outputs, found);
        walk.expr(&output.value, &format!("{path}/Value"), &assumed);
        output.export.iter().for_each(|export| walk.expr(export, &format!("{path}/Export/Name"), &assumed));
    }
}

fn nothing() -> Assumed {
    Assumed::default()
}

fn depends_on(facts: &Facts<'_>, name: &str, found: &mut Vec<Finding>) {
    let template = facts.template;
    for other in template.resources[name].depends_on.iter() {
        found.extend(may_go_with(facts, name, other));
        if template.resources.contains_key(&other.value) || is_open(facts) || is_of_module(facts, &other.value) {
            continue;
        }
        let message = unresolved(&other.value, Block::Resources);
        let path = format!("/Resources/{name}/DependsOn");
        let mut finding = Finding::new(rules::UNRESOLVED_DEPENDS_ON, message, other.span, path);
        finding.remedy = did_you_mean(&other.value, template.resources.keys().map(String::as_str));
        found.push(finding);
    }
}

/// "If a resource with a condition isn't created, any resources that depend on that resource aren't created either,
/// regardless of their own conditions" (user guide, `Condition` attribute).
fn may_go_with(facts: &Facts<'_>, name: &str, other: &Text) -> Option<Finding> {
    let declared = facts.template.resources.get(&other.value)?.condition.as_ref()?;
    let condition = facts.conditions.name(&declared.value)?;
    let assumed = facts.assumed_for(name);
    if assumed.get(condition) == Some(true) || !facts.conditions.possible(&assumed.with(condition, false)) {
        return None;
    }
    let when = &declared.value;
    let message =
        format!("{name} is not created either when {} is not, because its condition {when} is false", other.value);
    let finding =
        Finding::new(rules::GOES_WITH_DEPENDENCY, message, other.span, format!("/Resources/{name}/DependsOn"));
    Some(finding.with_remedy(format!("Give {name} a condition that holds only with {when}, or remove the dependency.")))
}

fn named_condition(facts: &Facts<'_>, name: &str, span: Span, path: &str, function: &str, found: &mut Vec<Finding>) {
    if facts.conditions.name(name).is_none() && !is_open(facts) {
        let message = format!("Template error: unresolved condition dependency {name} in {function}");
        let mut finding = Finding::new(rules::UNRESOLVED_CONDITION, message, span, path);
        finding.remedy = did_you_mean(name, facts.template.conditions.keys().map(String::as_str));
        found.push(finding);
    }
}

/// Whether a macro or a loop may still add resources, conditions and more. Serverless resources without their transform
/// have a finding of their own; what the transform would add is not missed besides.
pub fn is_open(facts: &Facts<'_>) -> bool {
    let template = facts.template;
    let serverless = |resource: &Resource| resource.resource_type.value.starts_with(SERVERLESS);
    template.macros().next().is_some()
        || !template.loops.is_empty()
        || !template.section_transforms.is_empty()
        || template.resources.values().any(serverless)
}

/// Whether a name may be that of a resource within a module: the module's logical id with the resource's behind it
/// ("Referencing resources in a module" of the user guide).
fn is_of_module(facts: &Facts<'_>, name: &str) -> bool {
    let mut modules = facts.template.resources.iter().filter(|(_, it)| it.resource_type.value.ends_with(MODULE));
    modules.any(|(module, _)| name.strip_prefix(module.as_str()).is_some_and(|rest| !rest.is_empty()))
}

fn unresolved(name: &str, block: Block) -> String {
    match block {
        Block::Outputs => format!("Unresolved resource dependencies [{name}] in the Outputs block of the template"),
        Block::Resources => {
            format!(
                "Template format error: Unresolved resource dependencies [{name}] in the Resources block of the template"
            )
        }
        Block::Conditions => format!(
            "Template format error: Unresolved dependencies [{name}]. Cannot reference resources in the Conditions block of the template"
        ),
        Block::Rules => format!(
            "Template format error: Unresolved dependencies [{name}]. Cannot reference resources in the Rules block of the template"
        ),
    }
}

struct Walk<'w, 't> {
    facts: &'w Facts<'t>,
    block: Block,
    found: &'w mut Vec<Finding>,
}

impl<'w, 't> Walk<'w, 't> {
    fn new(facts: &'w Facts<'t>, block: Block, found: &'w mut Vec<Finding>) -> Self {
        Walk { facts, block, found }
    }

    fn expr(&mut self, expr: &Expr, path: &str, assumed: &Assumed) {
        match &expr.kind {
            Kind::Literal(_) => {}
            Kind::List(items) => {
                items.iter().enumerate().for_each(|(at, item)| self.expr(item, &format!("{path}/{at}"), assumed));
            }
            Kind::Map(members) => {
                for member in members {
                    self.expr(&member.value, &format!("{path}/{}", member.key), assumed);
                }
            }
            Kind::Call(function) => self.call(function, expr.span, &format!("{path}/{}", function.name()), assumed),
        }
    }

    fn call(&mut self, function: &Function, span: Span, path: &str, assumed: &Assumed) {
        match function {
            Function::Ref(name) => {
                if let Some(name) = name.as_str() {
                    self.name(name, rules::UNRESOLVED_REFERENCE, span, path, assumed);
                }
            }
            Function::GetAtt { resource, attribute } => {
                if let Some(resource) = resource.as_str() {
                    self.attribute(resource, attribute.as_str(), rules::UNRESOLVED_GETATT, span, path, assumed);
                }
            }
            Function::Sub { parts, variables, .. } => {
                for part in parts {
                    let SubPart::Name(name) = part else { continue };
                    if variables.iter().any(|variable| variable.key == *name) {
                        continue;
                    }
                    match name.split_once('.') {
                        None => self.name(name, rules::UNRESOLVED_SUB, span, path, assumed),
                        Some((resource, attribute)) => {
                            self.attribute(resource, Some(attribute), rules::UNRESOLVED_SUB, span, path, assumed);
                        }
                    }
                }
            }
            Function::Condition(name) => {
                named_condition(self.facts, &name.value, name.span, path, "Condition", self.found);
            }
            Function::If { condition, then, otherwise } => {
                named_condition(self.facts, &condition.value, condition.span, path, "Fn::If", self.found);
                let name = self.facts.conditions.name(&condition.value);
                for (at, branch, holds) in [(1, then, true), (2, otherwise, false)] {
                    let assumed = name.map_or_else(
                        || assumed.clone(),
                        |name| match assumed.get(name) {
                            Some(_) => assumed.clone(),
                            None => assumed.with(name, holds),
                        },
                    );
                    self.expr(branch, &format!("{path}/{at}"), &assumed);
                }
                return;
            }
            Function::FindInMap { map, first, second, default } => {
                self.mapping(map, first, second, default.is_some(), span, path);
            }
            // What a macro gets or makes is its own affair.
            Function::Transform(_) => return,
            _ => {}
        }
        function.arguments().into_iter().for_each(|argument| self.expr(argument, path, assumed));
    }

    fn name(&mut self, name: &str, rule: super::Rule, span: Span, path: &str, assumed: &Assumed) {
        let template = self.facts.template;
        if template.parameters.contains_key(name) || PSEUDO_PARAMETERS.contains(&name) {
            return;
        }
        self.resource(name, rule, span, path, assumed);
    }

    /// Whether the resource is there; says so if not, or not always.
    fn resource(&mut self, name: &str, rule: super::Rule, span: Span, path: &str, assumed: &Assumed) -> bool {
        let template = self.facts.template;
        let outside = matches!(self.block, Block::Conditions | Block::Rules);
        let Some(resource) = template.resources.get(name).filter(|_| !outside) else {
            let of_module = !outside && is_of_module(self.facts, name);
            if !is_open(self.facts) && !of_module {
                let mut finding = Finding::new(rule, unresolved(name, self.block), span, path);
                let names = template.parameters.keys().chain(template.resources.keys()).map(String::as_str);
                finding.remedy = did_you_mean(name, names.chain(PSEUDO_PARAMETERS));
                self.found.push(finding);
            }
            return false;
        };
        let condition = resource.condition.as_ref().and_then(|condition| self.facts.conditions.name(&condition.value));
        let Some(condition) = condition.filter(|condition| assumed.get(*condition) != Some(true)) else { return true };
        if self.facts.conditions.possible(&assumed.with(condition, false)) {
            let when = resource.condition.as_ref().map(|text| text.value.as_str()).unwrap_or_default();
            let message = format!("{name} does not exist when its condition {when} is false, and is then named here");
            let finding = Finding::new(rules::MAY_NOT_EXIST, message, span, path);
            let remedy = format!("Use `Fn::If` with {when}, or give this the same condition.");
            self.found.push(finding.with_remedy(remedy));
        }
        true
    }

    fn attribute(
        &mut self,
        resource: &str,
        attribute: Option<&str>,
        rule: super::Rule,
        span: Span,
        path: &str,
        assumed: &Assumed,
    ) {
        if !self.resource(resource, rule, span, path, assumed) {
            return;
        }
        let (Some(known), Some(attribute)) = (self.facts.type_of(resource), attribute) else { return };
        if !known.has_attribute(attribute) {
            let message =
                format!("[Error] {path}: Resource type {} does not support attribute {{{attribute}}}.", known.name());
            let mut finding = Finding::new(rules::UNKNOWN_ATTRIBUTE, message, span, path);
            let names = known.attributes();
            finding.remedy = did_you_mean(attribute, names.iter().map(String::as_str))
                .or_else(|| (!names.is_empty() && names.len() <= 12).then(|| format!("It has {}.", names.join(", "))));
            self.found.push(finding);
        }
    }

    fn mapping(&mut self, map: &Expr, first: &Expr, second: &Expr, has_default: bool, span: Span, path: &str) {
        let template = self.facts.template;
        let Some(name) = map.as_str().filter(|_| !has_default && !is_open(self.facts)) else { return };
        let Some(mapping) = template.mappings.get(name) else {
            let message =
                format!("Template error: Mapping named '{name}' is not present in the 'Mappings' section of template.");
            let mut finding = Finding::new(rules::UNRESOLVED_MAPPING, message, span, path);
            finding.remedy = did_you_mean(name, template.mappings.keys().map(String::as_str));
            self.found.push(finding);
            return;
        };
        let text = super::facts::text;
        let keys = mapping.keys.get(text(first).unwrap_or_default());
        let missing_first = text(first).is_some() && keys.is_none();
        let missing_second = text(second).is_some_and(|second| match keys {
            Some(keys) => !keys.contains_key(second),
            None => text(first).is_none() && !mapping.keys.values().any(|keys| keys.contains_key(second)),
        });
        if (missing_first || missing_second) && !mapping.transformed {
            let shown = |expr: &Expr| text(expr).unwrap_or("…").to_owned();
            let message =
                format!("Template error: Unable to get mapping for {name}::{}::{}", shown(first), shown(second));
            let mut finding = Finding::new(rules::UNRESOLVED_MAPPING, message, span, path);
            finding.remedy = match missing_first {
                true => did_you_mean(&shown(first), mapping.keys.keys().map(String::as_str)),
                false => {
                    let names = mapping.keys.values().flat_map(|keys| keys.keys());
                    did_you_mean(&shown(second), names.map(String::as_str))
                }
            };
            self.found.push(finding);
        }
    }
}

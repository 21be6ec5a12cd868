//! Parameters whose own default breaks their own constraints.

use super::facts::Facts;
use super::finding::Finding;
use super::rules;
use crate::evaluate::java;
use crate::template::{Parameter, ParameterType};

pub fn check(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for (name, parameter) in &facts.template.parameters {
        let Some(default) = &parameter.default else { continue };
        // What an SSM parameter holds, nobody knows here; its name is under no constraint.
        if parameter.parameter_type.is_ssm() {
            continue;
        }
        if let Some(message) = broken(name, parameter, &default.value) {
            let path = format!("/Parameters/{name}/Default");
            found.push(Finding::new(rules::PARAMETER_DEFAULT, message, default.span, path));
        }
    }
}

/// What the default breaks, in CloudFormation's words for a value that is given.
fn broken(name: &str, parameter: &Parameter, value: &str) -> Option<String> {
    let items: Vec<&str> = match parameter.is_list() {
        true => value.split(',').map(str::trim).collect(),
        false => vec![value],
    };
    let is_number = matches!(parameter.parameter_type, ParameterType::Number | ParameterType::ListOfNumber);
    let given = |text: &str| format!("Template format error: Parameter '{name}' {text}");
    if is_number && !items.iter().all(|item| item.parse::<f64>().is_ok()) {
        return Some(given("default value must be numeric.").replace("Template format error: ", ""));
    }
    let allowed = &parameter.allowed_values;
    if !allowed.is_empty() && !items.iter().all(|item| allowed.iter().any(|one| one.value == *item)) {
        let names: Vec<&str> = allowed.iter().map(|one| one.value.as_str()).collect();
        return Some(given(&format!("must be one of AllowedValues [{}].", names.join(", "))));
    }
    for item in &items {
        let length = item.chars().count() as u64;
        if parameter.min_length.is_some_and(|least| length < least)
            || parameter.max_length.is_some_and(|most| length > most)
        {
            return Some(given("default value does not fit MinLength and MaxLength."));
        }
        let number = item.parse::<f64>().ok().filter(|_| is_number);
        if number.zip(parameter.min_value).is_some_and(|(number, least)| number < least)
            || number.zip(parameter.max_value).is_some_and(|(number, most)| number > most)
        {
            return Some(given("default value does not fit MinValue and MaxValue."));
        }
        if let Some(pattern) = &parameter.allowed_pattern {
            let anchored = java::compiled(&pattern.value)?;
            if !anchored.is_match(item).unwrap_or(true) {
                return Some(given(&format!("must match pattern {}", pattern.value)));
            }
        }
    }
    None
}

//! Parameters: defaults, lists, SSM values, constraints.

use super::{Facts, ParameterValue, Value, java};
use crate::template::{Parameter, ParameterType, Problem, Template};
use indexmap::IndexMap;

/// The value of every parameter of the template.
pub(super) fn resolve(
    template: &Template,
    given: &IndexMap<String, ParameterValue>,
    facts: &Facts,
    problems: &mut Vec<Problem>,
) -> IndexMap<String, Value> {
    let unknown: Vec<&str> =
        given.keys().filter(|name| !template.parameters.contains_key(*name)).map(String::as_str).collect();
    if !unknown.is_empty() {
        let message = format!("Parameters: [{}] do not exist in the template", unknown.join(", "));
        problems.push(Problem::new(message, template.root.span, "/Parameters"));
    }
    let mut values = IndexMap::new();
    let mut missing = Vec::new();
    for (name, parameter) in &template.parameters {
        let text = match given.get(name) {
            Some(ParameterValue::Known(text)) => Some(text.as_str()),
            Some(ParameterValue::Unknown) => None,
            None => match &parameter.default {
                Some(default) => Some(default.value.as_str()),
                None => {
                    missing.push(name.as_str());
                    None
                }
            },
        };
        if let Some(text) = text
            && let Some(message) = violation(name, parameter, text)
        {
            problems.push(Problem::new(message, parameter.name_span, &format!("/Parameters/{name}")));
        }
        let value = text.map_or(Value::Unknown, |text| typed(&parameter.parameter_type, text, facts));
        let value = if parameter.no_echo { Value::Sensitive(Box::new(value)) } else { value };
        values.insert(name.clone(), value);
    }
    if !missing.is_empty() {
        let message = format!("Parameters: [{}] must have values", missing.join(", "));
        problems.push(Problem::new(message, template.root.span, "/Parameters"));
    }
    values
}

fn typed(of: &ParameterType, text: &str, facts: &Facts) -> Value {
    match of {
        ParameterType::Ssm(held) => match facts.ssm.get(text) {
            Some(value) => typed(held, value, facts),
            None => Value::Unknown,
        },
        of if of.is_list() && text.is_empty() => Value::List(Vec::new()),
        of if of.is_list() => Value::List(text.split(',').map(|item| Value::string(item.trim())).collect()),
        _ => Value::string(text),
    }
}

/// The first constraint that `text` does not meet, in CloudFormation's words.
fn violation(name: &str, parameter: &Parameter, text: &str) -> Option<String> {
    if parameter.parameter_type.is_ssm() {
        return None;
    }
    let items: Vec<&str> = match parameter.is_list() {
        true => text.split(',').map(str::trim).collect(),
        false => vec![text],
    };
    let broken = items.iter().find_map(|item| item_violation(parameter, item))?;
    Some(match &parameter.constraint_description {
        Some(description) => format!("Parameter '{name}' failed to satisfy constraint: {}", description.value),
        None => format!("Parameter '{name}' {broken}"),
    })
}

fn item_violation(parameter: &Parameter, item: &str) -> Option<String> {
    let allowed = &parameter.allowed_values;
    if !allowed.is_empty() && !allowed.iter().any(|value| value.value == item) {
        return Some("must be one of AllowedValues".to_owned());
    }
    if let Some(pattern) = &parameter.allowed_pattern
        && !matches_whole(&pattern.value, item)
    {
        return Some(format!("must match pattern {}", pattern.value));
    }
    let length = item.chars().count() as u64;
    if let Some(min) = parameter.min_length.filter(|min| length < *min) {
        return Some(format!("must contain at least {min} characters"));
    }
    if let Some(max) = parameter.max_length.filter(|max| length > *max) {
        return Some(format!("must contain at most {max} characters"));
    }
    if !matches!(parameter.parameter_type, ParameterType::Number | ParameterType::ListOfNumber) {
        return None;
    }
    let Ok(number) = item.parse::<f64>() else { return Some("must be a number.".to_owned()) };
    if let Some(min) = parameter.min_value.filter(|min| number < *min) {
        return Some(format!("must be a number not less than {min}"));
    }
    let max = parameter.max_value.filter(|max| number > *max)?;
    Some(format!("must be a number not greater than {max}"))
}

/// Java's `matches`: the whole text. A pattern that is none, or takes too long, constrains nothing here.
fn matches_whole(pattern: &str, text: &str) -> bool {
    match java::compiled(pattern) {
        Some(regex) => regex.is_match(text).unwrap_or(true),
        None => true,
    }
}

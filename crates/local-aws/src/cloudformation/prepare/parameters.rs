//! The value of every parameter: given, kept, or the default; and what those of SSM types hold.

use crate::cloudformation::engine::dynamic;
use crate::place::Place;
use crate::query::Fault;
use crate::world::World;
use cloudformation::evaluate::{KNOWN_AFTER_APPLY, ParameterValue};
use cloudformation::template::{ParameterType, Template};
use indexmap::IndexMap;
use serde::Deserialize;

/// A parameter as a request gives it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Given {
    pub parameter_key: Option<String>,
    pub parameter_value: Option<String>,
    pub use_previous_value: Option<bool>,
}

impl Given {
    pub(crate) fn value(key: &str, value: &str) -> Self {
        let (key, value) = (key.to_owned(), value.to_owned());
        Given { parameter_key: Some(key), parameter_value: Some(value), use_previous_value: None }
    }
}

/// Every parameter of the template with its value, defaults included, then those that are not in the template: they are
/// refused later, with all else that is wrong.
///
/// # Errors
/// `UsePreviousValue` of what has none.
pub(super) fn effective(
    template: &Template,
    given: &[Given],
    previous: Option<&IndexMap<String, ParameterValue>>,
) -> Result<IndexMap<String, ParameterValue>, Fault> {
    let mut values = IndexMap::new();
    for (name, parameter) in &template.parameters {
        values.extend(parameter.default.as_ref().map(|default| (name.clone(), default.value.as_str().into())));
    }
    for one in given {
        let Some(key) = &one.parameter_key else { continue };
        let value = match (&one.parameter_value, one.use_previous_value == Some(true)) {
            (Some(value), true) if !value.is_empty() => {
                return Err(Fault::validation(format!(
                    "Invalid input for parameter key {key}. Cannot specify usePreviousValue as true and non empty value \
                     for a parameter"
                )));
            }
            (_, true) => {
                let kept = previous.and_then(|previous| previous.get(key)).cloned();
                kept.ok_or_else(|| {
                    Fault::validation(format!(
                        "Invalid input for parameter key {key}. Cannot specify usePreviousValue as true for a parameter \
                         key not in the previous template"
                    ))
                })?
            }
            // What a change set gives a nested stack before what it comes from exists.
            (Some(value), false) if value.contains(KNOWN_AFTER_APPLY) => ParameterValue::Unknown,
            (value, false) => ParameterValue::Known(value.clone().unwrap_or_default()),
        };
        values.insert(key.clone(), value);
    }
    Ok(values)
}

/// What the parameters of SSM types hold, by the name of the template's parameter.
///
/// # Errors
/// One of them names nothing, or a SecureString.
pub(super) async fn looked_up(
    world: &World,
    place: &Place,
    template: &Template,
    values: &IndexMap<String, ParameterValue>,
) -> Result<IndexMap<String, String>, Fault> {
    let mut resolved = IndexMap::new();
    for (name, parameter) in &template.parameters {
        let only_named = parameter.parameter_type == ParameterType::SsmName;
        let Some(ParameterValue::Known(key)) =
            values.get(name).filter(|_| only_named || parameter.parameter_type.is_ssm())
        else {
            continue;
        };
        match dynamic::typed_parameter(world, place, key).await {
            // It is asked for only whether it is there.
            Some(_) if only_named => {}
            // As AWS words it (aws-cdk, issue 15135).
            Some((_, kind)) if kind == "SecureString" => {
                return Err(Fault::validation(format!(
                    "Parameters [{key}] referenced by template have types not supported by CloudFormation."
                )));
            }
            Some((value, _)) => drop(resolved.insert(name.clone(), value)),
            None if only_named => {
                let message = format!("Unable to fetch parameters [{key}] from parameter store for this account.");
                return Err(Fault::validation(message));
            }
            None => {
                let message = format!("Parameter {name} should either have input value or default value");
                return Err(Fault::validation(message));
            }
        }
    }
    Ok(resolved)
}

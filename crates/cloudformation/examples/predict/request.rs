//! A question to the predictor as a JSON document, and its answer.
//!
//! Templates are objects or the text of a file. Recordings write placeholders (`<region>`) where a name was; a question
//! that has any is answered in the same terms. Text that holds a JSON object is that object in the answer, as in
//! recordings: on the wire contexts and values are text.

use cloudformation::evaluate::{Environment, Facts, ParameterValue};
use cloudformation::predict::{Deployment, PropertyValues, describe, predict};
use cloudformation::template::Template;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Value as Json, json};

#[derive(Debug, Deserialize)]
pub struct Request {
    template_1: Option<Json>,
    parameters_1: Option<IndexMap<String, Json>>,
    template_2: Option<Json>,
    parameters_2: Option<IndexMap<String, Json>>,
    live_1: Option<Facts>,
    live_2: Option<Facts>,
    /// Values of pseudo parameters, by the names of [`Environment`]'s fields.
    environment: Option<Environment>,
}

/// Answers `{"Changes": […]}`, or says what CloudFormation would refuse.
///
/// # Errors
/// The question is none, or CloudFormation would refuse a template.
pub fn answer(question: &str, values: PropertyValues) -> Result<Json, String> {
    let request: Request = serde_json::from_str(question).map_err(|error| format!("not a question: {error}"))?;
    let environment = request.environment.unwrap_or_else(|| environment(question));
    let first = request.live_1.unwrap_or_default();
    let second = Facts { ..later(&first, request.live_2) };
    // The stack's resources are looked up in the state before: what was seen last is what there is.
    let first = Facts { resources: second.resources.clone(), ..first };
    let before = deployment(request.template_1, request.parameters_1, &environment, first)?;
    let after = deployment(request.template_2, request.parameters_2, &environment, second)?;
    match predict(before.as_ref(), after.as_ref()) {
        Ok(prediction) => Ok(opened(json!({ "Changes": describe(&prediction.changes, values) }))),
        Err(problems) => {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Err(lines.join("\n"))
        }
    }
}

fn opened(json: Json) -> Json {
    match json {
        Json::String(text) if text.starts_with('{') => match serde_json::from_str(&text) {
            Ok(object @ Json::Object(_)) => opened(object),
            _ => Json::String(text),
        },
        Json::Array(items) => items.into_iter().map(opened).collect(),
        Json::Object(members) => members.into_iter().map(|(key, value)| (key, opened(value))).collect(),
        other => other,
    }
}

/// What is known later: the same, but for what was looked up again.
fn later(first: &Facts, second: Option<Facts>) -> Facts {
    let second = second.unwrap_or_default();
    let mut facts = first.clone();
    facts.ssm.extend(second.ssm);
    facts.exports.extend(second.exports);
    facts.stack_outputs.extend(second.stack_outputs);
    facts.resources.extend(second.resources);
    facts
}

fn deployment(
    template: Option<Json>,
    parameters: Option<IndexMap<String, Json>>,
    environment: &Environment,
    facts: Facts,
) -> Result<Option<Deployment>, String> {
    let text = match template {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::String(text)) => text,
        Some(object) => object.to_string(),
    };
    let template = Template::parse(&text)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let parameters = parameters.unwrap_or_default().into_iter().map(|(name, value)| (name, parameter(value)));
    Ok(Some(Deployment {
        parameters: parameters.collect(),
        environment: environment.clone(),
        facts,
        ..Deployment::new(template)
    }))
}

/// A parameter of null is one that is not known yet.
fn parameter(value: Json) -> ParameterValue {
    match value {
        Json::Null => ParameterValue::Unknown,
        Json::String(text) => ParameterValue::Known(text),
        other => ParameterValue::Known(other.to_string()),
    }
}

/// Where the stack stands, if the question does not say: us-east-1, or the placeholders of a recording.
fn environment(question: &str) -> Environment {
    let recorded = ["<region>", "<partition>", "<stack-name", "<resource:"].iter().any(|it| question.contains(it));
    let text = |real: &str, placeholder: &str| Some(if recorded { placeholder } else { real }.to_owned());
    Environment {
        account_id: text("111111111111", "111111111111"),
        region: text("us-east-1", "<region>"),
        partition: text("aws", "aws"),
        url_suffix: text("amazonaws.com", "url_suffix"),
        stack_name: text("stack-name", "<stack-name:1>"),
        stack_id: text(
            "arn:aws:cloudformation:us-east-1:111111111111:stack/stack-name/00000000-0000-0000-0000-000000000000",
            "arn:<partition>:cloudformation:<region>:111111111111:stack/<stack-name:1>/<resource:2>",
        ),
        ..Environment::default()
    }
}

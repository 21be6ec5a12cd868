//! CloudFormation's quotas for templates, as far as it refuses a request at once.

use crate::query::Fault;
use cloudformation::template::Template;
use cloudformation::validate::{Options, rules, validate};
use serde_json::Value as Json;

const MANY: usize = 200;

/// # Errors
/// `ValidationError` with the first quota that the template exceeds.
pub(super) fn check(template: &Template) -> Result<(), Fault> {
    let sections =
        [template.resources.len(), template.parameters.len(), template.outputs.len(), template.mappings.len()];
    let long = template.description.as_ref().is_some_and(|text| text.value.len() > 1024);
    // All that the validator knows costs more than looking whether anything is large at all.
    if !long && sections.iter().all(|size| *size <= MANY) {
        return Ok(());
    }
    let quotas = [
        rules::TOO_MANY_RESOURCES,
        rules::TOO_MANY_PARAMETERS,
        rules::TOO_MANY_OUTPUTS,
        rules::TOO_MANY_MAPPINGS,
        rules::DESCRIPTION_TOO_LONG,
    ];
    let findings = validate(template, &[], 0, &Options::default());
    match findings.into_iter().find(|finding| quotas.contains(&finding.rule)) {
        Some(finding) => Err(Fault::validation(finding.message)),
        None => Ok(()),
    }
}

/// # Errors
/// `ValidationError` with the first type that is not among those that the request allows.
pub(super) fn check_types(template: &Template, allowed: Option<&[String]>) -> Result<(), Fault> {
    let Some(allowed) = allowed.filter(|allowed| !allowed.is_empty()) else { return Ok(()) };
    let is = |type_name: &str, pattern: &str| match pattern.strip_suffix('*') {
        Some(begin) => type_name.starts_with(begin),
        None => type_name == pattern,
    };
    let types = template.resources.values().map(|resource| resource.resource_type.value.as_str());
    match types.into_iter().find(|name| !allowed.iter().any(|pattern| is(name, pattern))) {
        None => Ok(()),
        Some(name) => Err(Fault::validation(format!(
            "Resource type {name} is not allowed by parameter ResourceTypes [{}]",
            allowed.join(", ")
        ))),
    }
}

/// # Errors
/// `ValidationError` with the first bound of the API that a rollback configuration exceeds.
pub(super) fn check_rollback(configuration: &Json) -> Result<(), Fault> {
    let refused = |value: &str, at: &str, constraint: &str| {
        Fault::validation(format!(
            "1 validation error detected: Value '{value}' at 'rollbackConfiguration.{at}' failed to satisfy constraint: \
             Member must {constraint}"
        ))
    };
    let minutes = match &configuration["MonitoringTimeInMinutes"] {
        Json::Null => "0".to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    match minutes.parse::<i64>() {
        Ok(0..=180) => {}
        Ok(..0) => {
            return Err(refused(&minutes, "monitoringTimeInMinutes", "have value greater than or equal to 0"));
        }
        _ => return Err(refused(&minutes, "monitoringTimeInMinutes", "have value less than or equal to 180")),
    }
    let triggers = configuration["RollbackTriggers"].as_array().map_or(&[][..], Vec::as_slice);
    if triggers.len() > 5 {
        let listed = Json::Array(triggers.to_vec()).to_string();
        return Err(refused(&listed, "rollbackTriggers", "have length less than or equal to 5"));
    }
    let types = ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"];
    for trigger in triggers {
        if !types.iter().any(|name| trigger["Type"] == *name) {
            return Err(Fault::validation("Rollback Trigger Type not supported"));
        }
        if !is_alarm(trigger["Arn"].as_str().unwrap_or_default()) {
            return Err(Fault::validation("Relative Id of a Rollback Trigger's ARN is incorrect"));
        }
    }
    Ok(())
}

/// `arn:aws:cloudwatch:us-east-1:111122223333:alarm:name`.
fn is_alarm(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(7, ':').collect();
    matches!(parts.as_slice(), ["arn", _, "cloudwatch", _, _, "alarm", name] if !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rollback_triggers_are_alarms() {
        let checked = |type_name: &str, arn: &str| {
            let configuration = serde_json::json!({"RollbackTriggers": [{"Type": type_name, "Arn": arn}]});
            check_rollback(&configuration).err().map(|fault| fault.message)
        };
        let (alarm, arn) = ("AWS::CloudWatch::Alarm", "arn:aws:cloudwatch:us-east-1:111122223333:alarm:a:b");
        assert_eq!(checked(alarm, arn), None);
        assert_eq!(checked("AWS::CloudWatch::CompositeAlarm", arn), None);
        assert_eq!(checked("Another", arn).as_deref(), Some("Rollback Trigger Type not supported"));
        let told = "Relative Id of a Rollback Trigger's ARN is incorrect";
        for wrong in
            ["arn", "arn:aws:cloudwatch:us-east-1:111122223333:alarm:", "arn:aws:sns:us-east-1:111122223333:alarm:a"]
        {
            assert_eq!(checked(alarm, wrong).as_deref(), Some(told), "{wrong}");
        }
    }

    #[test]
    fn a_template_has_at_most_500_resources() {
        let template = |count: usize| {
            let resources: String = (0..count).map(|at| format!("  R{at}: {{Type: AWS::SNS::Topic}}\n")).collect();
            Template::parse(&format!("Resources:\n{resources}")).expect("right")
        };
        assert_eq!(check(&template(500)), Ok(()));
        let message = check(&template(501)).expect_err("too many").message;
        assert_eq!(message, "Template format error: Number of resources, 501, is greater than maximum allowed, 500");
    }
}

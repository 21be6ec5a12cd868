//! CloudFormation's quotas for templates ("Understand CloudFormation quotas" of the user guide).

use super::facts::Facts;
use super::finding::{Finding, Rule};
use super::rules;
use crate::source::Span;

/// Bytes of a template that is sent in the request itself; larger ones must be put into S3 first.
pub const INLINE_BYTES: usize = 51_200;
/// Bytes of a template in S3.
pub const LARGEST_BYTES: usize = 1_000_000;
const RESOURCES: usize = 500;
const PARAMETERS: usize = 200;
const OUTPUTS: usize = 200;
const MAPPINGS: usize = 200;
const NAME_CHARACTERS: usize = 255;
const DESCRIPTION_BYTES: usize = 1024;

pub fn check(facts: &Facts<'_>, bytes: usize, found: &mut Vec<Finding>) {
    let template = facts.template;
    if bytes > LARGEST_BYTES {
        let message = format!("Template may not exceed {LARGEST_BYTES} bytes in size.");
        let remedy = format!("It has {bytes}: split the stack in two.");
        found.push(Finding::new(rules::TOO_LARGE, message, Span::default(), "").with_remedy(remedy));
    } else if bytes > INLINE_BYTES {
        let message = format!(
            "The template has {bytes} bytes: over {INLINE_BYTES} it cannot be sent in the request, but must be uploaded to S3"
        );
        found.push(Finding::new(rules::TOO_LARGE_INLINE, message, Span::default(), ""));
    }
    let mut count = |what: &str, number: usize, most: usize, rule: Rule, path: &str| {
        if number > most {
            let message =
                format!("Template format error: Number of {what}, {number}, is greater than maximum allowed, {most}");
            let span = template.root.entry(path.trim_start_matches('/')).map(|entry| entry.key_span);
            found.push(Finding::new(rule, message, span.unwrap_or_default(), path));
        }
    };
    count("resources", template.resources.len(), RESOURCES, rules::TOO_MANY_RESOURCES, "/Resources");
    count("parameters", template.parameters.len(), PARAMETERS, rules::TOO_MANY_PARAMETERS, "/Parameters");
    count("outputs", template.outputs.len(), OUTPUTS, rules::TOO_MANY_OUTPUTS, "/Outputs");
    count("mappings", template.mappings.len(), MAPPINGS, rules::TOO_MANY_MAPPINGS, "/Mappings");
    let resources = template.resources.iter().map(|(name, it)| ("Resources", name, it.name_span));
    let parameters = template.parameters.iter().map(|(name, it)| ("Parameters", name, it.name_span));
    let outputs = template.outputs.iter().map(|(name, it)| ("Outputs", name, it.name_span));
    let mappings = template.mappings.iter().map(|(name, it)| ("Mappings", name, it.name_span));
    for (section, name, span) in resources.chain(parameters).chain(outputs).chain(mappings) {
        if name.chars().count() > NAME_CHARACTERS {
            let message =
                format!("The name has {} characters; at most {NAME_CHARACTERS} are allowed", name.chars().count());
            found.push(Finding::new(rules::NAME_TOO_LONG, message, span, format!("/{section}/{name}")));
        }
    }
    for (name, parameter) in &template.parameters {
        if let Some(resource) = template.resources.get(name) {
            let message = format!("{name} is the name of a parameter and of a resource");
            let mut finding = Finding::new(rules::SAME_NAME, message, resource.name_span, format!("/Resources/{name}"));
            finding.related = Some(("the parameter".to_owned(), parameter.name_span));
            found.push(finding);
        }
    }
    if let Some(description) = template.description.as_ref().filter(|text| text.value.len() > DESCRIPTION_BYTES) {
        let message = format!("Template format error: 'Description' length is greater than {DESCRIPTION_BYTES}.");
        found.push(Finding::new(rules::DESCRIPTION_TOO_LONG, message, description.span, "/Description"));
    }
}

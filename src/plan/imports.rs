//! Which resources a stack could take in although somebody else made them: those that `infra destroy` kept.

use super::situation::Situation;
use crate::model::{Deployed, RenderedStack};
use cloudformation::schema::resource_type;
use cloudformation::template::{Resource, Template};
use std::collections::BTreeSet;

/// A resource that would be created, and that CloudFormation would import instead where it exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub logical_id: String,
    pub resource_type: String,
    /// The parts of its primary identifier, joined by `|`.
    pub identifier: String,
}

/// The new resources of a stack that CloudFormation imports if they exist: those whose name stands in the template as it
/// is, and that stay when their stack goes. (CloudFormation's user guide, "Import AWS resources into a stack
/// automatically".) None for a stack that does not change: without its present template nothing of it is new.
pub fn importable(wanted: &RenderedStack, deployed: Option<&Deployed>) -> Vec<Candidate> {
    let has: BTreeSet<String> = match Situation::of(deployed).comparable() {
        None => BTreeSet::new(),
        Some(deployed) => match deployed.template.as_deref().map(Template::read) {
            Some(Ok((template, _))) => template.resources.keys().cloned().collect(),
            _ => return Vec::new(),
        },
    };
    let Ok((template, _)) = Template::read(&wanted.template) else { return Vec::new() };
    let new = template.resources.iter().filter(|(id, _)| !has.contains(*id));
    new.filter_map(|(id, resource)| candidate(id, resource)).collect()
}

fn candidate(id: &str, resource: &Resource) -> Option<Candidate> {
    let policy = resource.deletion_policy.as_ref().and_then(|policy| policy.as_str());
    if !matches!(policy, Some("Retain" | "RetainExceptOnCreate")) {
        return None;
    }
    let type_name = resource.resource_type.value.as_str();
    let schema = resource_type(type_name)?;
    let properties = resource.properties.as_ref()?;
    let parts: Option<Vec<&str>> = schema
        .primary_identifier()
        .iter()
        .map(|path| {
            let settable = path.segments().len() == 1 && !schema.read_only().iter().any(|it| it.top() == path.top());
            properties.get(path.top())?.as_str().filter(|_| settable)
        })
        .collect();
    let identifier = parts.filter(|parts| !parts.is_empty())?.join("|");
    Some(Candidate { logical_id: id.to_owned(), resource_type: type_name.to_owned(), identifier })
}

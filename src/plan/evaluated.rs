//! The properties of a template's resources as far as they can be known: those of a stack that is there, with its own
//! parameters and physical ids.

use super::changes::{environment, live};
use super::document::{ChangeAction, StackStep};
use crate::model::Deployed;
use cloudformation::evaluate::{Evaluator, LiveResource, ParameterValue, Resources, Value};
use cloudformation::extensions;
use cloudformation::predict::Deployment;
use cloudformation::template::Template;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// A template with values for its parameters, ready to be asked for the properties of its resources.
pub struct Evaluated {
    deployment: Deployment,
}

impl Evaluated {
    /// A stack as it is; none where its template was not fetched, or is of a kind that only CloudFormation can read.
    pub fn live(deployed: &Deployed) -> Option<Evaluated> {
        Evaluated::new(live(deployed)?)
    }

    /// A template that a stack is to have, with values for its parameters. Those that nobody may see (NoEcho) are sensitive
    /// values here.
    ///
    /// None for a template of a kind that only CloudFormation can read.
    pub fn wanted(step: &StackStep, template: &str, parameters: &BTreeMap<String, String>) -> Option<Evaluated> {
        let (template, _) = Template::read(template).ok()?;
        let mut deployment = Deployment::new(template);
        deployment.environment = environment(&step.target, &step.stack_name, None);
        let values = parameters.iter();
        deployment.parameters =
            values.map(|(name, value)| (name.clone(), ParameterValue::Known(value.clone()))).collect();
        for change in &step.changes {
            if let Some(id) = change.physical_id.clone().filter(|_| change.action == ChangeAction::Import) {
                let live = LiveResource { physical_id: Some(id), ..LiveResource::default() };
                deployment.facts.resources.insert(change.logical_id.clone(), live);
            }
        }
        Evaluated::new(deployment)
    }

    fn new(mut deployment: Deployment) -> Option<Evaluated> {
        if deployment.template.has_language_extensions() {
            let Deployment { template, parameters, environment, facts, .. } = &deployment;
            deployment.template = extensions::expand(template, parameters, environment, facts).ok()?;
        }
        Some(Evaluated { deployment })
    }

    /// The resource's type; none where there is no such resource.
    pub fn type_of(&self, logical_id: &str) -> Option<&str> {
        let resource = self.deployment.template.resources.get(logical_id)?;
        Some(resource.resource_type.value.as_str())
    }

    /// The resource's properties: a map, empty where it has none; none where there is no such resource.
    pub fn properties(&self, logical_id: &str) -> Option<Value> {
        let Deployment { template, parameters, environment, facts, .. } = &self.deployment;
        let resource = template.resources.get(logical_id)?;
        let Some(properties) = &resource.properties else { return Some(Value::Map(Default::default())) };
        let evaluator = Evaluator::new(template, parameters, environment, facts);
        let origin = format!("/Resources/{logical_id}/Properties");
        Some(evaluator.evaluate(properties, &PhysicalIds(&self.deployment), &origin).value)
    }

    /// The same as JSON, with CloudFormation's marker for what is not known.
    pub fn json(&self, logical_id: &str) -> Option<Json> {
        self.properties(logical_id).map(|properties| properties.to_json())
    }
}

/// A reference gives the physical id where that is known; attributes are not.
struct PhysicalIds<'d>(&'d Deployment);

impl Resources for PhysicalIds<'_> {
    fn reference(&self, id: &str) -> Option<Value> {
        self.0.template.resources.get(id)?;
        let physical_id = self.0.facts.resources.get(id).and_then(|live| live.physical_id.as_ref());
        Some(physical_id.map_or(Value::Unknown, Value::string))
    }

    fn attribute(&self, id: &str, _: &str) -> Option<Value> {
        self.0.template.resources.get(id)?;
        Some(Value::Unknown)
    }
}

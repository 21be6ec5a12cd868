//! The last known state as stacks that can be applied: a rehearsal brings an empty AWS there first, by the same apply.

use crate::error::Result;
use crate::model::{
    Deployed, Environment, Parameter, RenderedStack, Secret, StackRecord, State, digest, sensitive::MASKED,
};
use crate::state::LocalCopy;
use std::collections::BTreeMap;

/// What is known of an environment.
pub struct Known {
    pub state: State,
    deployed: BTreeMap<String, Deployed>,
}

/// Nobody remembers which of them a template needed; one that it does not need does no harm.
const CAPABILITIES: [&str; 3] = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];

impl Known {
    /// None where nothing has been applied, as far as this machine knows.
    ///
    /// # Errors
    /// A stack whose present template this machine has never met; a copy that cannot be read.
    pub fn from_copy(
        copy: Option<LocalCopy>,
        environment: &Environment,
        wanted: &[RenderedStack],
    ) -> Result<Option<Known>> {
        let Some(copy) = copy else { return Ok(None) };
        let deployed = copy.deployed(environment, wanted)?;
        Ok(copy.state.map(|state| Known { state, deployed }))
    }

    /// The stacks as they were applied last. What was another stack's output is one again, for ids are made anew.
    pub fn stacks(&self, wanted: &[RenderedStack]) -> Vec<RenderedStack> {
        let stacks = self.state.stacks.iter().filter_map(|(name, record)| {
            let wanted = wanted.iter().find(|stack| stack.name == *name);
            Some(self.stack(name, record, self.deployed.get(name)?, wanted))
        });
        stacks.collect()
    }

    fn stack(
        &self,
        name: &str,
        record: &StackRecord,
        deployed: &Deployed,
        wanted: Option<&RenderedStack>,
    ) -> RenderedStack {
        let equivalent = record.equivalent.as_ref();
        let equivalent =
            equivalent.filter(|it| wanted.is_some_and(|wanted| wanted.template_digest == it.template_digest));
        let values = equivalent.map_or(&deployed.parameters, |equivalent| &equivalent.parameters);
        let parameters = values.iter().map(|(key, value)| {
            let parameter = match value.as_str() {
                // CloudFormation lists it and the state leaves it out: a secret.
                MASKED => match wanted.and_then(|wanted| wanted.parameters.get(key)) {
                    Some(output @ Parameter::Output { .. }) => output.clone(),
                    _ => Parameter::Secret { value: secret(wanted, key) },
                },
                value => self.parameter(record, value),
            };
            (key.clone(), parameter)
        });
        // What means the same is what the files say.
        let same = wanted.filter(|_| equivalent.is_some()).map(|wanted| &wanted.template);
        let template = same.or(deployed.template.as_ref()).cloned().unwrap_or_default();
        RenderedStack {
            name: name.to_owned(),
            stack_name: record.stack_name.clone(),
            target: record.target.clone(),
            template_name: record.template_name.clone(),
            template_digest: digest(&template),
            template,
            parameters: parameters.collect(),
            tags: record.tags.clone(),
            capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
            protect: deployed.termination_protection,
            stack_policy: record
                .stack_policy_digest
                .as_ref()
                .and(wanted.and_then(|wanted| wanted.stack_policy.clone())),
            after: record.waits_on.clone(),
            places: BTreeMap::new(),
        }
    }

    fn parameter(&self, record: &StackRecord, value: &str) -> Parameter {
        if let Some((name, reference)) = record.images.iter().find(|(_, reference)| *reference == value) {
            return Parameter::Image { name: name.clone(), reference: reference.clone() };
        }
        let others = record.waits_on.iter().filter_map(|stack| Some((stack, self.state.stacks.get(stack)?)));
        let mut outputs = others.flat_map(|(stack, other)| other.outputs.iter().map(move |output| (stack, output)));
        match outputs.find(|(_, (_, output))| *output == value) {
            Some((stack, (key, _))) => Parameter::Output { stack: stack.clone(), key: key.clone() },
            None => Parameter::Value(value.to_owned()),
        }
    }
}

/// The value that the files give it; what is remembered is only that there is one.
fn secret(wanted: Option<&RenderedStack>, key: &str) -> Secret {
    match wanted.and_then(|wanted| wanted.parameters.get(key)) {
        Some(Parameter::Secret { value }) if !value.0.is_empty() => value.clone(),
        _ => Secret("unknown".to_owned()),
    }
}

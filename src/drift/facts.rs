//! What was read, before anybody says what it means. Plain data.

use crate::aws::cloudformation::{DetectedResource, StackResource};
use crate::aws::{Reading, RunningContainer, TaggedResource};
use crate::model::{Deployed, RenderedStack, StackRecord, Target};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Everything that was read of an environment.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// In the order in which they are applied; those that only the state knows come last.
    pub stacks: Vec<StackFacts>,
    /// Resources with the environment's tags, by place; an error in words where they could not be listed.
    pub tagged: Vec<(Target, Result<Vec<TaggedResource>, String>)>,
}

/// One stack.
#[derive(Debug, Clone, Default)]
pub struct StackFacts {
    /// As the environment names it.
    pub name: String,
    /// As the files have it now; none if only the state knows it.
    pub wanted: Option<RenderedStack>,
    pub record: Option<StackRecord>,
    /// As DescribeStacks tells, with its template; none if it is not there.
    pub deployed: Option<Deployed>,
    /// The stack policy that is set, where one was set by the last apply.
    pub policy: Option<Result<Option<String>, String>>,
    /// What CloudFormation's detection found, by logical id.
    pub detected: Detected,
    /// None where they could not be listed.
    pub resources: Option<Vec<ResourceFacts>>,
    /// Why the resources could not be listed.
    pub problem: Option<String>,
    /// What the stack's ECS services run, by the service's logical id.
    pub running: BTreeMap<String, Result<Vec<RunningContainer>, String>>,
}

/// What became of CloudFormation's detection.
#[derive(Debug, Clone, Default)]
pub struct Detected {
    pub resources: BTreeMap<String, DetectedResource>,
    /// Why it did not end well.
    pub problem: Option<String>,
}

/// One resource, as Cloud Control reads it.
#[derive(Debug, Clone)]
pub struct ResourceFacts {
    pub resource: StackResource,
    /// None where nobody knows by which identifier to ask.
    pub live: Option<Result<Reading, String>>,
    /// The identifier names this resource and no other for certain: if there is none, it is gone.
    pub sure: bool,
    /// Where Cloud Control gave no properties: what the service itself says, of some of them.
    pub by_service: Option<Result<Reading, String>>,
}

impl ResourceFacts {
    /// The properties as they are.
    pub fn properties(&self) -> Option<&Json> {
        match &self.live {
            Some(Ok(Reading::Found(properties))) => Some(properties),
            _ => None,
        }
    }

    /// Some of the properties as the service itself has them, and no others; null for what is not set.
    pub fn by_service(&self) -> Option<&Json> {
        match &self.by_service {
            Some(Ok(Reading::Found(properties))) => Some(properties),
            _ => None,
        }
    }

    /// It is there for certain, because somebody has seen it.
    pub fn is_seen(&self) -> bool {
        self.properties().is_some() || self.by_service().is_some()
    }
}

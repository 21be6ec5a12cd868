//! Resources of any registered type: what creating, changing and deleting one does, by its provider schema, and by the
//! services that hold the real thing where there is one.
//!
//! Nothing here waits: how long something takes on AWS is told by [`duration`], and who asks waits. Names and ids come
//! from the world's seed. A physical id that was made once is enough to make the same resource again.

mod attributes;
mod backed;
mod check;
mod code;
mod companions;
mod constraints;
mod custom;
mod draft;
pub mod drift;
mod durations;
mod facts;
mod followers;
mod form;
mod guard;
mod guess;
mod identity;
mod live;
mod model;
mod moves;
mod network;
mod pattern;
mod provider;
mod read;
mod references;
mod request;
mod settings;
#[cfg(test)]
mod tests;
mod values;

pub use check::check;
pub use durations::{Action, duration};
pub(crate) use followers::follow;
pub(crate) use live::handle;
pub use live::{Live, Resources, State};
pub(crate) use provider::{adopt, create, delete, name, release, stabilize, update};
pub(crate) use read::{Found, find, list, read};

use crate::place::Place;
use crate::world::World;
use indexmap::IndexMap;
use serde_json::Value as Json;

/// Who asks for a resource: what names are made of.
#[derive(Debug, Clone)]
pub struct Owner {
    pub place: Place,
    pub stack_name: String,
    pub stack_id: String,
    pub logical_id: String,
    /// Tags that the stack puts on every resource that takes tags.
    pub tags: IndexMap<String, String>,
}

/// A resource as it is after it was created or changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    pub physical_id: String,
    /// What `Fn::GetAtt` gives, by attribute name (`Endpoint.Port` is one name). `Ref` is [`reference`].
    pub attributes: IndexMap<String, Json>,
}

/// Why a provider could not do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A handler error code of the registry: `InvalidRequest`, `AlreadyExists`, `NotFound`, `GeneralServiceException` …
    pub code: String,
    /// The whole status reason, as CloudFormation words it.
    pub reason: String,
}

impl Failure {
    pub(crate) fn new(code: &str, reason: impl Into<String>) -> Self {
        Failure { code: code.to_owned(), reason: reason.into() }
    }

    /// What a service refused, as CloudFormation passes it on.
    fn handler(world: &World, service: &str, message: &str, status: u16, code: &str) -> Self {
        let (request, token) = (world.request_ids.uuid(), world.request_ids.uuid());
        let reason = format!(
            "Resource handler returned message: \"{message} (Service: {service}, Status Code: {status}, Request ID: \
             {request})\" (RequestToken: {token}, HandlerErrorCode: {code})"
        );
        Failure::new(code, reason)
    }
}

/// What `Ref` gives for a resource: its physical id, but for the few types that say something else.
pub fn reference(type_name: &str, physical_id: &str, attributes: &IndexMap<String, Json>) -> Json {
    let told = match type_name {
        // Each change registers a revision.
        "AWS::Batch::JobDefinition" => attributes.get("JobDefinitionArn"),
        "AWS::SecretsManager::SecretTargetAttachment" => attributes.get("SecretId"),
        _ => None,
    };
    told.cloned().unwrap_or_else(|| Json::String(physical_id.to_owned()))
}

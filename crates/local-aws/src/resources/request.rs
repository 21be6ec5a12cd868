//! What a resource is asked to be, and the answer of a service that refuses it.

use super::Failure;
use super::model::Properties;
use crate::place::Place;
use crate::world::World;

/// A resource that is to be created, or changed.
pub(super) struct Request<'r> {
    pub world: &'r World,
    pub place: &'r Place,
    pub type_name: &'r str,
    /// Its properties so far, which were accepted; `None` where it is created.
    pub before: Option<&'r Properties>,
    pub properties: &'r Properties,
}

/// What a service says of a request that it refuses.
pub(super) struct Refusal {
    pub service: &'static str,
    pub message: String,
    /// The status of its HTTP response.
    pub status: u16,
    /// A handler error code of the registry.
    pub code: &'static str,
}

impl Refusal {
    pub(super) fn invalid(service: &'static str, message: impl Into<String>) -> Self {
        Refusal { service, message: message.into(), status: 400, code: "InvalidRequest" }
    }

    pub(super) fn taken(service: &'static str, message: impl Into<String>) -> Self {
        Refusal { service, message: message.into(), status: 400, code: "AlreadyExists" }
    }

    pub(super) fn missing(service: &'static str, message: impl Into<String>) -> Self {
        Refusal { service, message: message.into(), status: 404, code: "NotFound" }
    }

    pub(super) fn failure(&self, world: &World) -> Failure {
        Failure::handler(world, self.service, &self.message, self.status, self.code)
    }
}

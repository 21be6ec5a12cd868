//! Resources of any registered type: what creating, changing and deleting one does, by its provider schema, and by the
//! services that hold the real thing where there is one.

use crate::place::Place;
use indexmap::IndexMap;
use serde_json::Value as Json;

/// All resources of a world, whoever made them.
#[derive(Debug, Default)]
pub struct Resources {}

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

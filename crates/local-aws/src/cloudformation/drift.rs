//! What was found when a stack's resources were compared with what its template says. Plain data that can be saved.

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The detections of a stack, and what the last ones found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// By their id (a UUID), in the order they were started.
    pub detections: IndexMap<String, Detection>,
    /// By logical id: only resources that were looked at.
    pub resources: IndexMap<String, ResourceDrift>,
}

/// One `DetectStackDrift`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    pub started: Timestamp,
    /// Which resources it looks at; empty: all.
    pub logical_ids: Vec<String>,
    /// What it ended with; `None` while it runs.
    pub found: Option<Found>,
}

/// How a detection ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// `DRIFTED` or `IN_SYNC`.
    pub stack_status: String,
    /// How many of the resources that it looked at differ or are gone.
    pub drifted_resources: usize,
}

/// How a resource compares with its template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceDrift {
    pub physical_id: String,
    pub resource_type: String,
    /// `IN_SYNC`, `MODIFIED`, `DELETED` or `NOT_CHECKED`.
    pub status: String,
    /// The properties that the template gives, as the stack last set them.
    pub expected: Json,
    /// The same properties as they are; `None` if the resource is gone.
    pub actual: Option<Json>,
    /// `{PropertyPath, ExpectedValue, ActualValue, DifferenceType}`, sorted by path.
    pub differences: Vec<Json>,
    pub checked: Timestamp,
}

//! What a change set says, as plain values.

use crate::evaluate::Value;
pub use crate::schema::RequiresRecreation;
use indexmap::IndexMap;
use serde::Serialize;

/// What will happen to one resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResourceChange {
    pub action: Action,
    pub logical_id: String,
    /// Of the resource that exists, as far as it is known.
    pub physical_id: Option<String>,
    pub resource_type: String,
    /// For [`Action::Modify`].
    pub replacement: Option<Replacement>,
    /// What becomes of the resource that exists, when it is removed or replaced.
    pub policy_action: Option<PolicyAction>,
    /// Which attributes change, sorted.
    pub scope: Vec<Attribute>,
    pub details: Vec<Detail>,
    /// All properties (and metadata and policies) before and after: `{"Properties": {…}}`.
    pub before: Option<Context>,
    pub after: Option<Context>,
}

/// A resource's attributes by name, in the order of DescribeChangeSet.
pub type Context = IndexMap<&'static str, Value>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Action {
    Add,
    Modify,
    Remove,
    /// An existing resource becomes part of the stack.
    Import,
    /// Whether the resource exists depends on a parameter that is not known yet.
    Dynamic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Replacement {
    False,
    Conditional,
    True,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum PolicyAction {
    Delete,
    Retain,
    Snapshot,
    ReplaceAndDelete,
    ReplaceAndRetain,
    ReplaceAndSnapshot,
}

/// An attribute of a resource. `Tags` stands for the tags of types that CloudFormation tags itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Attribute {
    CreationPolicy,
    DeletionPolicy,
    Metadata,
    Properties,
    Tags,
    UpdatePolicy,
    UpdateReplacePolicy,
}

/// One changed value and why it changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Detail {
    pub target: Target,
    pub evaluation: Evaluation,
    pub source: ChangeSource,
    /// The parameter (`Name`), resource (`LogicalId`) or attribute (`LogicalId.Attribute`) that the change comes from.
    pub causing_entity: Option<String>,
    pub shown: Shown,
}

/// The value that changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Target {
    pub attribute: Attribute,
    /// The property, for [`Attribute::Properties`].
    pub name: Option<String>,
    /// `/Properties/Tags/0/Value`.
    pub path: Option<String>,
    pub change: Option<ChangeType>,
    pub before: Option<Value>,
    pub after: Option<Value>,
    #[serde(serialize_with = "recreation")]
    pub requires_recreation: RequiresRecreation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ChangeType {
    Add,
    Remove,
    Modify,
}

/// Whether the new value is certain before the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Evaluation {
    Static,
    Dynamic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum ChangeSource {
    DirectModification,
    ParameterReference,
    ResourceReference,
    ResourceAttribute,
    /// A nested stack, whose template may have changed.
    Automatic,
}

/// Which descriptions of a change set show a detail: the one with property values and the plain one disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Shown {
    Always,
    /// Only with property values.
    WithValues,
    /// Only without property values: the value may change, and the deployment will tell.
    WithoutValues,
    /// In neither: the deployment makes the change, but change sets do not see it (an empty object comes or goes).
    Never,
}

impl Attribute {
    pub fn as_str(self) -> &'static str {
        match self {
            Attribute::CreationPolicy => "CreationPolicy",
            Attribute::DeletionPolicy => "DeletionPolicy",
            Attribute::Metadata => "Metadata",
            Attribute::Properties => "Properties",
            Attribute::Tags => "Tags",
            Attribute::UpdatePolicy => "UpdatePolicy",
            Attribute::UpdateReplacePolicy => "UpdateReplacePolicy",
        }
    }
}

/// What the details together do to a resource: a certain change of a property that must not change replaces it.
pub fn replacement<'d>(details: impl Iterator<Item = &'d Detail>) -> Replacement {
    details
        .map(|detail| match (detail.target.requires_recreation, detail.evaluation) {
            (RequiresRecreation::Never, _) => Replacement::False,
            (RequiresRecreation::Always, Evaluation::Static) => Replacement::True,
            _ => Replacement::Conditional,
        })
        .max()
        .unwrap_or(Replacement::False)
}

pub(super) fn recreation_name(recreation: RequiresRecreation) -> &'static str {
    match recreation {
        RequiresRecreation::Never => "Never",
        RequiresRecreation::Conditionally => "Conditionally",
        RequiresRecreation::Always => "Always",
    }
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn recreation<S: serde::Serializer>(recreation: &RequiresRecreation, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(recreation_name(*recreation))
}

//! Drift: what is in the account against what was applied. Facts are gathered first ([`gather`]), reading only; what they
//! mean is decided afterwards, without asking anybody ([`judge`]), and is a document that can be shown, saved and tested.
//!
//! Three sources become one answer for each resource: CloudFormation's own detection, the properties that Cloud Control
//! reads, and what is remembered of the last apply. What none of them could look at is told, never taken for clean.

mod adopt;
mod compare;
mod declared;
mod document;
mod edit;
mod facts;
mod gather;
mod identifier;
mod ignore;
mod judge;
mod known;
mod meaning;
mod of_stack;
mod owned;
mod revert;
mod tagged;

pub use adopt::{Adoption, Adoptions, NotAdopted, adopt};
pub use document::{
    Changed, Drift, Ignored, IgnoredBy, PropertyDrift, PropertyKind, ResourceDrift, Source, StackChange,
    StackCondition, StackDrift, Status, StrayIgnore, Summary, Unchecked, Unmanaged,
};
pub use edit::set;
pub use facts::{Detected, Facts, ResourceFacts, StackFacts};
pub use gather::{Gathering, gather, who_changed};
pub use judge::judge;
pub use revert::revert;

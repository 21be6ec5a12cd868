//! Pure: what is wanted and what is there make a [`Plan`]; nothing here asks AWS or prints.
//!
//! A plan is plain data. It can be shown, saved, approved and applied; what applies it never decides anew what to do,
//! it only compares what CloudFormation is about to do with what the plan says, and stops where they differ.

mod assets;
mod build;
mod changes;
mod deletions;
mod differences;
mod document;
mod evaluated;
mod findings;
mod fit;
mod head;
mod identity;
mod imports;
mod lookups;
mod moves;
mod nested;
mod outputs;
mod removal;
mod request;
mod running;
mod saved;
mod sections;
mod shown;
mod situation;
mod steady;

pub use assets::{
    Asset, AssetAction, AssetStep, ImageAsset, PackageAsset, SiteAsset, before, emptied, new_images, new_packages,
    site_id,
};
use build::without_secrets;
pub use build::{needs_template, plan};
pub use deletions::{Deletion, DeletionCause, Obstacle, deletions};
pub use differences::{has_template, restore, restored};
pub use document::{
    Action, Change, ChangeAction, CostChange, Finding, FindingSeverity, Hand, Plan, PropertyChange, Recreation,
    Removal, StackCostChange, StackStep, Summary, UnknownCost, Value, ValueChange,
};
pub use evaluated::Evaluated;
pub use findings::{KINDS, about, allowing};
pub use fit::{differences, misfit_error, misfits};
pub use head::with_defaults;
pub use identity::{identifier, is_importable};
pub use imports::{Candidate, Found, candidates, joining};
pub use lookups::{needs_parameters, read_parameters};
pub use nested::{Child, Nested, STACK, children, children_of, nesting, read_by};
pub use removal::plan_destroy;
pub use request::{LookedUp, Options, Request, Scope};
pub use running::{is_image, named_images, unproven_images};
pub use saved::{Saved, stale, stale_error};
pub use shown::{SENSITIVE_PART, UNKNOWN_PART, named};
pub use situation::{Situation, unstick};

#[cfg(test)]
mod tests;

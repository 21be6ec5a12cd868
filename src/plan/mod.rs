//! Pure: what is wanted and what is there make a [`Plan`]; nothing here asks AWS or prints.
//!
//! A plan is plain data. It can be shown, saved, approved and applied; what applies it never decides anew what to do,
//! it only compares what CloudFormation is about to do with what the plan says, and stops where they differ.

mod document;

pub use document::{
    Action, Change, ChangeAction, Finding, FindingSeverity, Plan, PropertyChange, Recreation, Removal, StackStep,
    Summary, Value, ValueChange,
};

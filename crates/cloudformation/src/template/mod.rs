//! A template as CloudFormation understands it: typed sections, expressions instead of maps with magic keys, and for
//! everything the place in the text that it came from.
//!
//! Reading never stops at the first problem: [`Template::read`] gives the best template it can and all [`Problem`]s,
//! in CloudFormation's own words where CloudFormation has words for them. Short tags (`!Ref`) and long forms
//! (`Ref:`, `Fn::Sub:`) are the same expressions afterwards. Macros are not run; `Fn::ForEach` of the language
//! extensions is expanded by [`crate::extensions`] before a template is evaluated.

mod expr;
mod form;
mod names;
mod problem;
mod read;
mod sections;
mod write;

pub use expr::{Expr, Function, Kind, Member, SubPart, Text};
pub use form::{FUNCTIONS, SELECT, read_expr, read_value};
pub use names::{PSEUDO_PARAMETERS, is_alphanumeric};
pub use problem::Problem;
pub use sections::{
    Assertion, Condition, Mapping, Output, Parameter, ParameterType, Resource, Rule, Template, Transform,
};

/// The transform that adds `Fn::ForEach`, `Fn::Length`, `Fn::ToJsonString` and functions in more places.
pub const LANGUAGE_EXTENSIONS: &str = "AWS::LanguageExtensions";

/// What a key of a loop starts with: `Fn::ForEach::<name>`.
pub const FOR_EACH: &str = "Fn::ForEach::";

#[cfg(test)]
mod tests;

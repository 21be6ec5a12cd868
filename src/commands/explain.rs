//! `infra explain`: what a resource is made of, and what a change of each property would do to it.

use super::session::Session;
use crate::error::{Error, Kind, Result};
use crate::explain::explain;
use crate::problem::nearest;
use cloudformation::schema::{resource_type, resource_type_names};
use std::process::ExitCode;

/// Explain a resource type: its properties, and what a change of each does to a resource
///
/// A change is made in place, replaces the resource, or may replace it. The facts are those of CloudFormation's
/// registry, embedded: neither an account nor a network is needed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A resource type: `AWS::DynamoDB::Table`
    #[arg(value_name = "TYPE")]
    subject: String,
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let Some(found) = resource_type(&args.subject) else { return Err(unknown(&args.subject).into()) };
    session.view.explanation(&explain(found))?;
    Ok(ExitCode::SUCCESS)
}

fn unknown(name: &str) -> Error {
    let error = Error::new(Kind::Usage, format!("the registry has no resource type `{name}`"));
    match nearest(name, resource_type_names()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("a resource type is written `AWS::Service::Resource`"),
    }
}

//! `infra schema`: the JSON Schema of environment files.

use super::session::Session;
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use std::process::ExitCode;

/// Print the JSON Schema of environment files, for editors
///
/// It knows the inputs of every template, those of the project too.
///
/// Save it, and name it in the first line of a file: `# yaml-language-server: $schema=infra.schema.json`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: Args, session: &Session) -> Result<ExitCode> {
    let catalog = Catalog::open(&session.project);
    let schema = catalog.schema().map_err(Error::problems)?;
    session.view.json(&schema)?;
    Ok(ExitCode::SUCCESS)
}

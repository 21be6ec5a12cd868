//! `infra schema`: the JSON Schema of environment files.

use super::session::Session;
use crate::environment;
use crate::error::Result;
use std::process::ExitCode;

/// Print the JSON Schema of environment files, for editors
///
/// Save it, and name it in the first line of a file: `# yaml-language-server: $schema=infra.schema.json`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: Args, session: &Session) -> Result<ExitCode> {
    session.view.json(&environment::schema())?;
    Ok(ExitCode::SUCCESS)
}

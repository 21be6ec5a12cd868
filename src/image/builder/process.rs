//! Runs a builder: every line that it prints goes to the log and to whoever is told.

use super::command::Inputs;
use super::programs::Found;
use super::{Progress, Tell};
use crate::process;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitStatus;
use tokio::process::Command;

/// Why there is no image.
pub(super) enum Ended {
    /// The program could not be run, or what it printed not be kept.
    NotRun(io::Error),
    /// The program says so.
    Badly(ExitStatus),
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Ended {
        Ended::NotRun(error)
    }
}

/// Builds, and brings the image to the layout. The log is written anew.
pub(super) async fn run(found: &Found, inputs: &Inputs<'_>, log: &Path, tell: &Tell) -> Result<(), Ended> {
    let mut log = File::create(log)?;
    one(found, inputs, &inputs.build(found.builder), &mut log, tell).await?;
    // Only builders with a store of their own have an id to tell.
    let id = match tokio::fs::read_to_string(inputs.id_file()).await {
        Ok(id) => id.trim().to_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error.into()),
    };
    if let Some(words) = inputs.export(found.builder, &id) {
        let exported = one(found, inputs, &words, &mut log, tell).await;
        if let Some(words) = inputs.forget(found.builder, &id) {
            // An image that somebody else uses stays; that is no fault of this build.
            match one(found, inputs, &words, &mut log, tell).await {
                Ok(()) | Err(Ended::Badly(_)) => {}
                Err(not_run) => return Err(not_run),
            }
        }
        exported?;
    }
    Ok(())
}

async fn one(found: &Found, inputs: &Inputs<'_>, words: &[String], log: &mut File, tell: &Tell) -> Result<(), Ended> {
    let mut command = Command::new(&found.program);
    command.args(words).env("SOURCE_DATE_EPOCH", inputs.epoch.to_string()).current_dir(&inputs.context.folder);
    let line = |line: String| {
        writeln!(log, "{line}")?;
        tell(Progress::Line(line));
        Ok(())
    };
    let status = process::run(&mut command, line).await?;
    if status.success() { Ok(()) } else { Err(Ended::Badly(status)) }
}

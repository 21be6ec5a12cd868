//! Puts dependencies beside the code, as the lock file names them, for the system that the function will run on: pip and
//! npm fetch what others have built for it; nothing is compiled, and no script of a dependency is run.

use super::build::{Progress, Recipe, Tell};
use super::lock::REQUIREMENTS;
use crate::error::{Error, Kind};
use crate::files::reason;
use crate::model::{Architecture, Runtime};
use crate::process;
use std::fs;
use std::io;
use std::path::Path;
use tokio::process::Command;

/// The youngest glibc of Amazon Linux 2023, and of Amazon Linux 2, which Python up to 3.11 runs on.
const AL2023_GLIBC: u32 = 34;
const AL2_GLIBC: u32 = 26;
/// The oldest that wheels are built for: manylinux2014.
const OLDEST_GLIBC: u32 = 17;

/// Runs pip in the package's own folder.
///
/// # Errors
/// There is no Python with pip, or pip says no: in its own words.
pub async fn pip(recipe: &Recipe, name: &str, folder: &Path, target: &Path, tell: &Tell) -> Result<(), Error> {
    let Runtime::Python { minor } = recipe.runtime else { return Ok(()) };
    let program = python().await.ok_or_else(|| {
        Error::new(Kind::Other, format!("there is no pip to install the dependencies of the package `{name}` with"))
            .detail("neither `python3 -I -m pip` nor `python -I -m pip` works")
            .hint("install Python with pip; or `install: false`, where the folder is complete as it is")
    })?;
    let mut command = Command::new(program);
    // `-I`: a `pip.py` of the function's folder is not pip.
    command.args([
        "-I",
        "-m",
        "pip",
        "install",
        "--no-input",
        "--disable-pip-version-check",
        "--no-warn-script-location",
    ]);
    command.args(["--no-compile", "--require-hashes", "--only-binary=:all:", "--implementation", "cp"]);
    command.args(["--python-version", &format!("3.{minor}")]);
    for platform in platforms(minor, recipe.architecture) {
        command.args(["--platform", &platform]);
    }
    command.arg("--target").arg(target).args(["-r", REQUIREMENTS]).current_dir(folder);
    run(&mut command, "pip install", name, tell).await?;
    tidy(target).map_err(|error| unwritable(target, &error))
}

/// From the first to the last choice, as pip takes them.
fn platforms(minor: u32, architecture: Architecture) -> Vec<String> {
    let processor = match architecture {
        Architecture::X86 => "x86_64",
        Architecture::Arm => "aarch64",
    };
    let newest = if minor >= 12 { AL2023_GLIBC } else { AL2_GLIBC };
    let mut platforms: Vec<String> =
        (OLDEST_GLIBC..=newest).rev().map(|glibc| format!("manylinux_2_{glibc}_{processor}")).collect();
    platforms.push(format!("manylinux2014_{processor}"));
    platforms
}

async fn python() -> Option<&'static str> {
    for program in ["python3", "python"] {
        let mut command = Command::new(program);
        command.args(["-I", "-m", "pip", "--version"]);
        if process::run(&mut command, |_| Ok(())).await.is_ok_and(|status| status.success()) {
            return Some(program);
        }
    }
    None
}

/// Removes what differs from machine to machine, and what no function uses: commands, which name this machine's Python,
/// and what pip notes of the installation.
fn tidy(target: &Path) -> io::Result<()> {
    let gone = |result: io::Result<()>| match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    gone(fs::remove_dir_all(target.join("bin")))?;
    for found in fs::read_dir(target)? {
        let folder = found?.path();
        if folder.extension().is_some_and(|extension| extension == "dist-info") {
            for note in ["RECORD", "INSTALLER", "REQUESTED", "direct_url.json"] {
                gone(fs::remove_file(folder.join(note)))?;
            }
        }
    }
    Ok(())
}

/// Runs `npm ci` in a folder that has a copy of what it needs.
///
/// # Errors
/// There is no npm, or npm says no: in its own words.
pub async fn npm(recipe: &Recipe, name: &str, folder: &Path, tell: &Tell) -> Result<(), Error> {
    let processor = match recipe.architecture {
        Architecture::X86 => "--cpu=x64",
        Architecture::Arm => "--cpu=arm64",
    };
    let mut command = Command::new("npm");
    command.args(["ci", "--omit=dev", "--ignore-scripts", "--no-bin-links", "--no-audit", "--no-fund"]);
    command.args(["--no-update-notifier", "--os=linux", processor, "--libc=glibc"]).current_dir(folder);
    run(&mut command, "npm ci", name, tell).await.map_err(|error| match error.source {
        Some(_) => {
            Error::new(Kind::Other, format!("there is no npm to install the dependencies of the package `{name}` with"))
                .hint("install Node.js, which has it; or `install: false`, where the folder is complete as it is")
        }
        None => error,
    })?;
    let note = folder.join("node_modules/.package-lock.json");
    match fs::remove_file(&note) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unwritable(&note, &error)),
        _ => Ok(()),
    }
}

/// An error has a source only where the program is not there.
async fn run(command: &mut Command, what: &str, name: &str, tell: &Tell) -> Result<(), Error> {
    tell(Progress::Started { with: what.to_owned() });
    let mut said = Vec::new();
    let line = |line: String| {
        said.push(line.clone());
        tell(Progress::Line(line));
        Ok(())
    };
    match process::run(command, line).await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let message =
                format!("the dependencies of the package `{name}` could not be installed: {what} ended with {status}");
            Err(said.into_iter().fold(Error::new(Kind::Other, message), Error::detail))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Error::new(Kind::Other, format!("there is no {what}")).caused_by(error))
        }
        Err(error) => Err(Error::new(Kind::Other, format!("{what} could not be run: {}", reason(&error)))),
    }
}

pub(super) fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::new(Kind::Other, format!("cannot write {}: {}", path.display(), reason(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wheels_are_those_of_the_system_that_the_runtime_has() {
        let new = platforms(13, Architecture::Arm);
        assert_eq!(new.first().map(String::as_str), Some("manylinux_2_34_aarch64"));
        assert_eq!(new.last().map(String::as_str), Some("manylinux2014_aarch64"));
        assert_eq!(platforms(11, Architecture::X86)[0], "manylinux_2_26_x86_64");
    }
}

//! Which builder there is.

use crate::error::{Error, Kind};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// A builder that does not say its version within this time is none.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A program that builds images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Builder {
    /// `docker buildx`
    Docker,
    Podman,
    Buildah,
}

impl Builder {
    /// In the order in which they are looked for.
    pub const ALL: [Builder; 3] = [Builder::Docker, Builder::Podman, Builder::Buildah];

    pub fn program(self) -> &'static str {
        match self {
            Builder::Docker => "docker",
            Builder::Podman => "podman",
            Builder::Buildah => "buildah",
        }
    }

    /// As the environment file and `--builder` name it.
    pub fn parse(text: &str) -> Option<Builder> {
        Builder::ALL.into_iter().find(|builder| builder.program() == text)
    }
}

impl fmt::Display for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Builder::Docker => "docker buildx",
            other => other.program(),
        })
    }
}

/// The builder that was asked for, if one was.
pub type Choice = Option<Builder>;

/// Where programs are looked for.
#[derive(Debug, Clone)]
pub struct Programs {
    path: OsString,
}

/// A builder and where its program lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub builder: Builder,
    pub program: PathBuf,
}

impl Programs {
    /// The folders of `PATH`.
    pub fn of_path() -> Programs {
        Programs { path: std::env::var_os("PATH").unwrap_or_default() }
    }

    /// Only these folders, separated as in `PATH`.
    pub fn within(path: impl Into<OsString>) -> Programs {
        Programs { path: path.into() }
    }

    /// The builder that was asked for, or else the first that works.
    ///
    /// # Errors
    /// There is none.
    pub async fn choose(&self, choice: Choice) -> Result<Found, Error> {
        let candidates = match choice {
            Some(builder) => vec![builder],
            None => Builder::ALL.to_vec(),
        };
        let mut tried = Vec::new();
        for builder in candidates {
            match self.find(builder).await {
                Ok(found) => return Ok(found),
                Err(why) => tried.push(format!("{builder}: {why}")),
            }
        }
        let error = match choice {
            Some(builder) => Error::new(Kind::Other, format!("there is no {builder} to build images with")),
            None => Error::new(Kind::Other, "there is no program to build images with"),
        };
        let error = tried.into_iter().fold(error, Error::detail);
        Err(error.hint("install one: Docker with buildx, Podman, or Buildah; or name the image by `archive` or `ref`"))
    }

    /// Why not, if it is not there.
    async fn find(&self, builder: Builder) -> Result<Found, String> {
        let places = std::env::split_paths(&self.path).map(|folder| folder.join(builder.program()));
        let program = places.into_iter().find(|path| is_program(path)).ok_or("not in PATH")?;
        let version: &[&str] = if builder == Builder::Docker { &["buildx", "version"] } else { &["--version"] };
        let mut command = Command::new(&program);
        command.args(version).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        match tokio::time::timeout(ANSWER_WITHIN, command.status()).await {
            Ok(Ok(status)) if status.success() => Ok(Found { builder, program }),
            Ok(Ok(status)) => Err(format!("`{} {}` ended with {status}", builder.program(), version.join(" "))),
            Ok(Err(error)) => Err(format!("{} cannot be run: {error}", program.display())),
            Err(_) => Err(format!("{} gave no answer for {} s", program.display(), ANSWER_WITHIN.as_secs())),
        }
    }
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

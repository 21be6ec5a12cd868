//! Builds an image with the builder that the machine has, into an OCI layout under `.infra/images/<name>/<context>/`.
//!
//! What always holds: a folder of a context's name holds a whole image whose digests were checked; a build that fails,
//! is interrupted or killed leaves no such folder; what lies there is not built again.

mod command;
mod epoch;
mod failure;
mod process;
mod programs;
#[cfg(all(test, unix))]
mod tests;

use super::choice;
use super::context::{self, Context, Recipe, SecretSource};
use super::layout::{Check, Layout};
use super::model::Image;
use crate::error::{Error, Kind, Result};
use crate::files::reason;
use crate::model::sensitive;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use programs::{Builder, Choice, Programs};

/// Builds that were not finished: this and some letters.
pub(super) const PARTIAL: &str = ".partial-";

/// How often a build looks whether another one of the same image has ended.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What a build tells while it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Another process builds the same image; this one waits for it.
    Waiting,
    Started {
        builder: Builder,
    },
    /// A line that the builder printed.
    Line(String),
}

/// Who is told.
pub type Tell = Arc<dyn Fn(Progress) + Send + Sync>;

/// An image, and whether it had to be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    pub image: Image,
    /// It was there from an earlier build of the same context.
    pub reused: bool,
}

/// An image to build.
#[derive(Debug, Clone)]
pub struct Build<'a> {
    /// The project's folder.
    pub project: &'a Path,
    /// As the environment names the image.
    pub name: &'a str,
    pub recipe: &'a Recipe,
    pub context: &'a Context,
}

/// The image of this context, if it lies whole on this machine. Layers are looked at when they are read.
pub fn built(project: &Path, name: &str, context: &Context) -> Option<Image> {
    let layout = Layout::open(&place(project, name, context)).ok()?;
    layout.load(&layout.entry(None).ok()?, Check::Sizes).ok()
}

fn place(project: &Path, name: &str, context: &Context) -> PathBuf {
    folder(project, name).join(context.digest.hex())
}

/// Where the images of one name lie.
pub fn folder(project: &Path, name: &str) -> PathBuf {
    project.join(context::FOLDER).join("images").join(name)
}

/// Builds the image if this context has not been built before.
///
/// # Errors
/// There is no builder, a secret is missing, the build fails (with its whole log), or what it made is not whole.
pub async fn build(build: &Build<'_>, programs: &Programs, choice: Choice, tell: &Tell) -> Result<Built> {
    if let Some(image) = built(build.project, build.name, build.context) {
        return Ok(Built { image, reused: true });
    }
    let folder = folder(build.project, build.name);
    fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
    let _lock = lock(&folder, tell).await?;
    if let Some(image) = built(build.project, build.name, build.context) {
        return Ok(Built { image, reused: true });
    }
    clear(&folder)?;
    let builder = programs.choose(choice).await?;
    tell(Progress::Started { builder: builder.builder });
    let partial =
        tempfile::Builder::new().prefix(PARTIAL).tempdir_in(&folder).map_err(|error| unwritable(&folder, &error))?;
    // Builders run in the context, so that paths must not depend on where this process runs.
    let partial_path = partial.path().canonicalize().map_err(|error| unwritable(&folder, &error))?;
    let inputs = command::Inputs {
        recipe: build.recipe,
        context: build.context,
        secrets: secrets(build)?,
        folder: &partial_path,
        epoch: epoch::of(&build.context.folder).await,
    };
    let log = folder.join("build.log");
    process::run(&builder, &inputs, &log, tell)
        .await
        .map_err(|ended| failure::explain(build, &builder, &log, ended))?;
    let made = inputs.layout();
    let layout = Layout::open(&made)?;
    let entry = choice::choose(&layout, &layout.index()?.manifests, &build.recipe.platforms)?;
    layout.load(&entry, Check::Contents)?;
    layout.set_entry(&entry)?;
    let place = place(build.project, build.name, build.context);
    match fs::remove_dir_all(&place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unwritable(&place, &error).into()),
        _ => {}
    }
    fs::rename(&made, &place).map_err(|error| unwritable(&place, &error))?;
    let layout = Layout::open(&place)?;
    Ok(Built { image: layout.load(&entry, Check::Sizes)?, reused: false })
}

/// `id=…,env=…` or `id=…,src=…`, as all builders read it.
fn secrets(build: &Build<'_>) -> Result<Vec<String>, Error> {
    let project = build.project.canonicalize().map_err(|error| unwritable(build.project, &error))?;
    let one = |(id, source): (&String, &SecretSource)| match source {
        SecretSource::Variable(name) => match std::env::var_os(name) {
            Some(value) => {
                sensitive::learn(&value.to_string_lossy());
                Ok(format!("id={id},env={name}"))
            }
            None => {
                let message = format!("the image `{}` needs the secret `{id}`, and {name} is not set", build.name);
                Err(Error::new(Kind::Configuration, message).hint(format!("export {name}=…")))
            }
        },
        SecretSource::File(path) => {
            let path = context::inside(&project, &project, path, "secret file")?;
            if let Ok(secret) = fs::read_to_string(&path) {
                sensitive::learn(&secret);
            }
            Ok(format!("id={id},src={}", path.display()))
        }
    };
    build.recipe.secrets.iter().map(one).collect()
}

/// One build of an image at a time: the operating system gives the lock back, however a process ends.
pub(super) async fn lock(folder: &Path, tell: &Tell) -> Result<File, Error> {
    let path = folder.join(".lock");
    let file = File::create(&path).map_err(|error| unwritable(&path, &error))?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                if !std::mem::replace(&mut told, true) {
                    tell(Progress::Waiting);
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
            Err(TryLockError::Error(error)) => return Err(unwritable(&path, &error)),
        }
    }
}

/// Removes what builds that were killed have left. Nobody else builds: the lock is held.
pub(super) fn clear(folder: &Path) -> Result<(), Error> {
    let entries = fs::read_dir(folder).map_err(|error| unwritable(folder, &error))?;
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            fs::remove_dir_all(entry.path()).map_err(|error| unwritable(&entry.path(), &error))?;
        }
    }
    Ok(())
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::new(Kind::Other, format!("cannot write {}: {}", path.display(), reason(error)))
}

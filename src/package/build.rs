//! From a folder to an archive under `.infra/packages/`, named for the digest of what it was made from.
//!
//! That digest covers the code's files (names, contents, whether they may be run), the lock file and what else the
//! installation reads, runtime and processor. It covers neither times nor owners nor modes otherwise.

use super::archive::{self, LIMIT_BYTES, Packed};
use super::contents::{self, Entries, Entry};
use super::handler::Listing;
use super::install::{self, unwritable};
use super::lock::{self, Install, REQUIREMENTS};
use crate::error::{Error, Kind};
use crate::files;
use crate::image::Digest;
use crate::image::digest::Hasher;
use crate::model::{Architecture, Runtime};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Told apart from what an older version of this program would have made of the same sources.
const FORM: &str = "infra package 1";

/// Packages that were not finished: this and some letters.
const PARTIAL: &str = ".partial-";
/// Nobody packs for so long.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// How a package is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// Relative to the project.
    pub folder: String,
    pub runtime: Runtime,
    pub architecture: Architecture,
    /// Whether dependencies are installed.
    pub install: bool,
}

/// What is told while a package is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// `pip install` or `npm ci` begins.
    Started { with: String },
    /// A line that it printed.
    Line(String),
}

/// Who is told.
pub type Tell = Arc<dyn Fn(Progress) + Send + Sync>;

/// An archive, and what it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    pub path: PathBuf,
    pub packed: Packed,
    pub source: Digest,
    /// It was there from an earlier run.
    pub reused: bool,
}

/// Where the packages of a project lie.
pub fn folder(project: &Path) -> PathBuf {
    project.join(files::OWN_FOLDER).join("packages")
}

/// The archive that was made from these sources, if it lies on this machine.
pub fn find(project: &Path, source: &Digest) -> Option<PathBuf> {
    Some(folder(project).join(format!("{}.zip", source.hex()))).filter(|path| path.is_file())
}

/// Makes the package if its sources have not been packed before.
///
/// # Errors
/// The folder is not there or cannot be read, dependencies are not fixed or cannot be installed, the code is too large.
pub async fn build(project: &Path, name: &str, recipe: &Recipe, tell: &Tell) -> Result<Built, Error> {
    let sources = blocking({
        let (project, name, recipe) = (project.to_owned(), name.to_owned(), recipe.clone());
        move || Sources::read(&project, &name, &recipe)
    })
    .await?;
    if let Some(path) = find(project, &sources.digest) {
        let packed = archive::read(&path).map_err(|error| contents::unreadable(&path, &error))?;
        return Ok(Built { path, packed, source: sources.digest, reused: true });
    }
    let own = files::own_folder(project).map_err(|error| unwritable(project, &error))?.join("packages");
    fs::create_dir_all(&own).map_err(|error| unwritable(&own, &error))?;
    clear(&own);
    let scratch = tempfile::Builder::new().prefix(PARTIAL).tempdir_in(&own);
    let scratch = scratch.map_err(|error| unwritable(&own, &error))?;
    // Programs that are run elsewhere must find it all the same.
    let beside = scratch.path().canonicalize().map_err(|error| unwritable(&own, &error))?;
    match &sources.install {
        Install::Nothing => {}
        Install::Pip => install::pip(recipe, name, &sources.folder, &beside, tell).await?,
        Install::Npm { .. } => {
            sources.copy_inputs(&beside)?;
            install::npm(recipe, name, &beside, tell).await?;
        }
    }
    let name = name.to_owned();
    blocking(move || {
        let entries = sources.with_dependencies(&beside)?;
        if entries.is_empty() {
            let message = format!("the package `{name}` is empty: {} has no code", sources.folder.display());
            return Err(Error::new(Kind::Configuration, message));
        }
        archive::check(&name, &entries, LIMIT_BYTES)?;
        let partial = tempfile::NamedTempFile::new_in(scratch.path()).map_err(|error| unwritable(&own, &error))?;
        let (file, partial) = partial.into_parts();
        archive::write(&entries, file, &partial)?;
        let packed = archive::read(&partial).map_err(|error| contents::unreadable(&partial, &error))?;
        let path = own.join(format!("{}.zip", sources.digest.hex()));
        partial.persist(&path).map_err(|error| unwritable(&path, &error.error))?;
        Ok(Built { path, packed, source: sources.digest, reused: false })
    })
    .await
}

/// Removes what runs that were killed have left. What cannot be removed only takes room.
fn clear(own: &Path) {
    for found in fs::read_dir(own).into_iter().flatten().flatten() {
        let age = found.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|at| at.elapsed().ok());
        let partial = found.file_name().to_string_lossy().starts_with(PARTIAL);
        if partial && age.is_some_and(|age| age > ABANDONED) {
            let _ = fs::remove_dir_all(found.path());
        }
    }
}

impl Built {
    /// Returns the archive's files.
    ///
    /// # Errors
    /// The archive cannot be read.
    pub fn listing(&self) -> Result<Listing, Error> {
        of_archive(&self.path)
    }
}

/// Returns the files that the package will have, without installing anything: those of its archive where that lies on this
/// machine, else those of its folder.
///
/// # Errors
/// As [`build`], for what is wrong with the folder.
pub fn listing(project: &Path, name: &str, recipe: &Recipe) -> Result<Listing, Error> {
    let sources = Sources::read(project, name, recipe)?;
    match find(project, &sources.digest) {
        Some(archive) => of_archive(&archive),
        None => {
            Ok(Listing { complete: sources.install == Install::Nothing, files: sources.code.into_keys().collect() })
        }
    }
}

fn of_archive(path: &Path) -> Result<Listing, Error> {
    let files = archive::names(path).map_err(|error| contents::unreadable(path, &error))?;
    Ok(Listing { files, complete: true })
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::new(Kind::Other, "a package could not be made").caused_by(error)),
    }
}

/// A file of the code that is an environment.
fn environments<'c>(project: &Path, folder: &Path, code: &'c Entries) -> Option<&'c str> {
    let own = project.join(files::ENVIRONMENTS);
    let below = own.strip_prefix(folder).ok()?.to_str()?;
    let prefix = if below.is_empty() { String::new() } else { format!("{below}/") };
    code.keys().map(String::as_str).find(|name| name.starts_with(&prefix) && name.ends_with(".yaml"))
}

/// A folder that was read.
struct Sources {
    folder: PathBuf,
    code: Entries,
    install: Install,
    /// What the installation reads, whether it is part of the code or not.
    inputs: Entries,
    digest: Digest,
}

impl Sources {
    fn read(project: &Path, name: &str, recipe: &Recipe) -> Result<Sources, Error> {
        let refused = |why: &str| {
            let message = format!("the folder `{}` of the package `{name}` {why}", recipe.folder);
            Error::new(Kind::Configuration, message).hint("`folder` is relative to the project")
        };
        let project = project.canonicalize().map_err(|error| contents::unreadable(project, &error))?;
        let folder = project.join(&recipe.folder).canonicalize().map_err(|_| refused("does not exist"))?;
        if !folder.is_dir() {
            return Err(refused("is no folder"));
        }
        if !folder.starts_with(&project) {
            return Err(refused("lies outside of the project"));
        }
        let install = match recipe.install {
            true => lock::judge(&folder, name, recipe.runtime)?,
            false => Install::Nothing,
        };
        let code = contents::of_sources(&folder, recipe.install)?;
        if let Some(file) = environments(&project, &folder, &code) {
            return Err(refused(&format!("holds `{file}`, an environment of the project"))
                .hint("name the folder of the code alone, or leave environments/ out in .packageignore"));
        }
        let inputs = inputs(&folder, &install)?;
        let digest = digest(recipe, &code, &inputs);
        Ok(Sources { folder, code, install, inputs, digest })
    }

    fn copy_inputs(&self, to: &Path) -> Result<(), Error> {
        let mut inputs: Vec<(&str, &Path)> =
            self.inputs.iter().map(|(name, entry)| (name.as_str(), entry.path.as_path())).collect();
        // It says where to look, and perhaps with which token: npm reads it, and it goes no further.
        let settings = self.folder.join(".npmrc");
        if settings.is_file() {
            inputs.push((".npmrc", &settings));
        }
        for (name, from) in inputs {
            let path = to.join(name);
            let above = path.parent().unwrap_or(to);
            fs::create_dir_all(above).map_err(|error| unwritable(above, &error))?;
            fs::copy(from, &path).map_err(|error| unwritable(&path, &error))?;
        }
        Ok(())
    }

    /// The code with what was installed; where both have a file, the code's counts.
    fn with_dependencies(&self, beside: &Path) -> Result<Entries, Error> {
        let installed = match &self.install {
            Install::Nothing => Entries::new(),
            Install::Pip => contents::everything(beside)?,
            // Links to folders of the project lead into the copy beside it.
            Install::Npm { .. } => {
                let mut found = contents::everything(beside)?;
                found.retain(|path, _| path.starts_with("node_modules/"));
                found
            }
        };
        Ok(installed.into_iter().chain(self.code.clone()).collect())
    }
}

fn inputs(folder: &Path, install: &Install) -> Result<Entries, Error> {
    let names = match install {
        Install::Nothing => return Ok(Entries::new()),
        Install::Pip => vec![REQUIREMENTS.to_owned()],
        Install::Npm { inputs } => inputs.clone(),
    };
    let mut found = Entries::new();
    for name in names {
        let path = folder.join(&name);
        if path.is_dir() {
            let below = contents::of_sources(&path, true)?;
            found.extend(below.into_iter().map(|(path, entry)| (format!("{name}/{path}"), entry)));
        } else {
            found.insert(name, contents::entry(path)?);
        }
    }
    Ok(found)
}

fn digest(recipe: &Recipe, code: &Entries, inputs: &Entries) -> Digest {
    let mut hasher = Hasher::default();
    // Each field with its length first, so that no two packages run into each other.
    let mut say = |field: &str| {
        hasher.update(format!("{}:", field.len()).as_bytes());
        hasher.update(field.as_bytes());
    };
    say(FORM);
    say(&recipe.runtime.to_string());
    say(&recipe.architecture.to_string());
    say(if recipe.install { "install" } else { "as it is" });
    for entries in [code, inputs] {
        say(&entries.len().to_string());
        for (path, Entry { executable, digest, .. }) in entries {
            say(path);
            say(if *executable { "x" } else { "-" });
            say(&digest.to_string());
        }
    }
    hasher.finish()
}

//! What an image is built from, and its digest: two contexts of one digest give the same image, so that what has been
//! built once is not built again.
//!
//! The digest covers the files that `.dockerignore` leaves (names, contents, modes, symbolic links), the Dockerfile with
//! the base images as it writes them, build arguments, target, platform, and which secrets there are. It covers neither
//! times nor owners, which a checkout changes at will, nor what secrets say.

use super::digest::{Digest, Hasher, HashingReader};
use super::dockerfile::Dockerfile;
use super::ignore::Ignore;
use super::model::Platform;
use crate::error::{Error, Kind};
use crate::files::{self, reason};
use crate::problem::{Location, Position, Problem, Span};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// Where builds lie, in the project: never part of a context.
pub const FOLDER: &str = ".infra";

const TEXT_LIMIT_BYTES: u64 = 1024 * 1024;

/// What the environment says about building an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// Of the context, relative to the project.
    pub context: String,
    /// Relative to the context. Default: `Dockerfile`.
    pub dockerfile: Option<String>,
    pub target: Option<String>,
    pub arguments: BTreeMap<String, String>,
    /// One image for each; several make an index.
    pub platforms: Vec<Platform>,
    /// By the id that the Dockerfile knows them by.
    pub secrets: BTreeMap<String, SecretSource>,
}

/// Where a builder takes a secret from. It is mounted while an instruction runs, and is in no layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// A variable of the environment that `infra` runs in.
    Variable(String),
    /// Relative to the project.
    File(String),
}

/// A recipe whose files were read.
#[derive(Debug, Clone)]
pub struct Context {
    /// Absolute, links resolved.
    pub folder: PathBuf,
    pub dockerfile_path: PathBuf,
    pub dockerfile: Dockerfile,
    /// The file with the patterns, if there is one.
    pub ignore_path: Option<PathBuf>,
    pub digest: Digest,
    pub files: usize,
    pub size_bytes: u64,
}

impl Context {
    /// Reads what the recipe names.
    ///
    /// # Errors
    /// A folder or file that is missing or lies outside of the project, a wrong pattern or target, a file of a kind that
    /// no context has.
    pub fn read(project: &Path, recipe: &Recipe) -> Result<Context, Error> {
        let project = project.canonicalize().map_err(|error| unusable(".", &error))?;
        let folder = inside(&project, &project, &recipe.context, "context")?;
        if !folder.is_dir() {
            return Err(Error::new(Kind::Configuration, format!("the context `{}` is no folder", recipe.context)));
        }
        let name = recipe.dockerfile.as_deref().unwrap_or("Dockerfile");
        let dockerfile_path = inside(&project, &folder, name, "Dockerfile")?;
        let text = files::read(&dockerfile_path, &shown(&project, &dockerfile_path), TEXT_LIMIT_BYTES);
        let text = text.map_err(refused)?;
        let dockerfile = Dockerfile::parse(text.clone());
        if let Some(wrong) = dockerfile.problem(recipe.target.as_deref(), &recipe.arguments) {
            return Err(refused(wrong));
        }
        let (ignore_path, ignore) = ignore(&project, &folder, &dockerfile_path)?;
        let builds = project.join(FOLDER);
        let paths = Walk { root: &folder, ignore: &ignore, builds: &builds, found: BTreeMap::new() }.run()?;
        if let Some(path) = environments(&project, &folder, &paths) {
            let message = format!("the build context holds `{path}`, an environment of the project");
            return Err(Error::new(Kind::Configuration, message)
                .hint("name the folder of the application alone, or add environments/ to .dockerignore"));
        }
        let entries: Vec<(&String, Entry)> = paths
            .par_iter()
            .map(|(path, metadata)| Ok((path, Entry::read(&folder, path, metadata)?)))
            .collect::<Result<_, Error>>()?;
        let mut digest = Hasher::default();
        // Each field with its length first, so that no two contexts run into each other.
        let mut say = |field: &str| {
            digest.update(format!("{}:", field.len()).as_bytes());
            digest.update(field.as_bytes());
        };
        say("infra context 1");
        say(&text.text);
        say(recipe.target.as_deref().unwrap_or_default());
        say(&super::source::listed(&recipe.platforms));
        say(&recipe.arguments.len().to_string());
        for (name, value) in &recipe.arguments {
            say(name);
            say(value);
        }
        say(&recipe.secrets.len().to_string());
        recipe.secrets.keys().for_each(|id| say(id));
        let mut size_bytes = 0;
        for (path, entry) in &entries {
            say(path);
            say(&entry.line());
            size_bytes += entry.size_bytes();
        }
        Ok(Context {
            dockerfile,
            ignore_path,
            digest: digest.finish(),
            files: entries.len(),
            size_bytes,
            dockerfile_path,
            folder,
        })
    }
}

/// A file of the context that is an environment: who pulls the image could read it.
fn environments<'p>(project: &Path, folder: &Path, paths: &'p BTreeMap<String, Metadata>) -> Option<&'p str> {
    let own = project.join(files::ENVIRONMENTS);
    let below = own.strip_prefix(folder).ok()?.to_str()?;
    let prefix = if below.is_empty() { String::new() } else { format!("{below}/") };
    let mut files = paths.iter().filter(|(_, metadata)| metadata.is_file()).map(|(path, _)| path.as_str());
    files.find(|path| path.starts_with(&prefix) && path.ends_with(".yaml"))
}

/// A part of the context. Folders have no size and no time, only their mode.
enum Entry {
    File { mode: u32, digest: Digest, size_bytes: u64 },
    Link { target: PathBuf },
    Folder { mode: u32 },
}

impl Entry {
    fn read(folder: &Path, path: &str, metadata: &Metadata) -> Result<Entry, Error> {
        let at = folder.join(path);
        let mode = mode(metadata);
        if metadata.is_symlink() {
            let target = std::fs::read_link(&at).map_err(|error| unusable(path, &error))?;
            return Ok(Entry::Link { target });
        }
        if metadata.is_dir() {
            return Ok(Entry::Folder { mode });
        }
        if !metadata.is_file() {
            let message = format!("`{path}` in the build context is neither file nor folder nor symbolic link");
            return Err(Error::new(Kind::Configuration, message).hint("add it to .dockerignore"));
        }
        if files::is_saved_plan(&at).map_err(|error| unusable(path, &error))? {
            let message = format!("`{path}` in the build context is a saved plan");
            return Err(Error::new(Kind::Configuration, message).hint("remove it, or add it to .dockerignore"));
        }
        let mut reader = HashingReader::new(File::open(&at).map_err(|error| unusable(path, &error))?);
        io::copy(&mut reader, &mut io::sink()).map_err(|error| unusable(path, &error))?;
        let (digest, size_bytes) = reader.finish();
        Ok(Entry::File { mode, digest, size_bytes })
    }

    fn line(&self) -> String {
        match self {
            Entry::File { mode, digest, .. } => format!("file {mode:o} {digest}"),
            Entry::Link { target } => format!("link {}", target.display()),
            Entry::Folder { mode } => format!("folder {mode:o}"),
        }
    }

    fn size_bytes(&self) -> u64 {
        match self {
            Entry::File { size_bytes, .. } => *size_bytes,
            Entry::Link { .. } | Entry::Folder { .. } => 0,
        }
    }
}

#[cfg(unix)]
fn mode(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::MetadataExt;
    metadata.mode() & 0o7777
}

#[cfg(not(unix))]
fn mode(metadata: &Metadata) -> u32 {
    if metadata.is_dir() { 0o755 } else { 0o644 }
}

/// Finds what belongs to the context, by name.
struct Walk<'a> {
    root: &'a Path,
    ignore: &'a Ignore,
    /// The project's folder of builds.
    builds: &'a Path,
    found: BTreeMap<String, Metadata>,
}

impl Walk<'_> {
    fn run(mut self) -> Result<BTreeMap<String, Metadata>, Error> {
        self.folder("")?;
        // A folder that is left out is there all the same if something in it is not.
        let above = |path: &String| path.match_indices('/').map(|(end, _)| path[..end].to_owned()).collect::<Vec<_>>();
        let folders: BTreeSet<String> = self.found.keys().flat_map(above).collect();
        for folder in folders.into_iter().filter(|folder| !self.found.contains_key(folder)).collect::<Vec<_>>() {
            let metadata = self.root.join(&folder).symlink_metadata().map_err(|error| unusable(&folder, &error))?;
            self.found.insert(folder, metadata);
        }
        Ok(self.found)
    }

    fn folder(&mut self, within: &str) -> Result<(), Error> {
        let entries = self.root.join(within).read_dir().map_err(|error| unusable(within, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| unusable(within, &error))?;
            let name = entry.file_name().into_string().map_err(|name| {
                let message = format!("`{}` in the build context has a name that is not UTF-8", name.display());
                Error::new(Kind::Configuration, message)
            })?;
            let path = if within.is_empty() { name } else { format!("{within}/{name}") };
            let metadata = entry.path().symlink_metadata().map_err(|error| unusable(&path, &error))?;
            let excluded = self.ignore.excludes(&path);
            if !excluded && self.root.join(&path) == self.builds {
                let message = format!("the build context holds `{path}`, where infra keeps builds");
                return Err(Error::new(Kind::Configuration, message)
                    .hint(format!("add `{path}` to .dockerignore: a build would change what it is built from")));
            }
            if metadata.is_dir() && (!excluded || self.ignore.brings_back()) {
                self.folder(&path)?;
            }
            if !excluded {
                self.found.insert(path, metadata);
            }
        }
        Ok(())
    }
}

/// `<Dockerfile>.dockerignore` counts before the `.dockerignore` of the context.
fn ignore(project: &Path, folder: &Path, dockerfile: &Path) -> Result<(Option<PathBuf>, Ignore), Error> {
    let mut own = dockerfile.as_os_str().to_owned();
    own.push(".dockerignore");
    let candidates = [PathBuf::from(own), folder.join(".dockerignore")];
    let Some(path) = candidates.into_iter().find(|path| path.is_file()) else {
        return Ok((None, Ignore::default()));
    };
    let file = files::read(&path, &shown(project, &path), TEXT_LIMIT_BYTES).map_err(refused)?;
    let ignore = Ignore::parse(&file.text).map_err(|bad| {
        let offset = file.text.split_inclusive('\n').take(bad.line - 1).map(|line| line.chars().count()).sum();
        let start = Position { line: bad.line, column: 1, offset };
        let length = bad.pattern.chars().count();
        let end = Position { column: 1 + length, offset: offset + length, ..start };
        let at = Location { file: file.clone(), span: Span { start, end } };
        refused(Problem::error("wrong-pattern", format!("`{}` is no pattern", bad.pattern), Some(at)))
    })?;
    Ok((Some(path), ignore))
}

/// The absolute path of `name`, seen from `base`, which must lie within the project.
pub(super) fn inside(project: &Path, base: &Path, name: &str, what: &str) -> Result<PathBuf, Error> {
    let refused = |why: &str| Error::new(Kind::Configuration, format!("the {what} `{name}` {why}"));
    let path = base.join(name).canonicalize().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => refused("does not exist"),
        _ => refused(&format!("cannot be read: {}", reason(&error))),
    })?;
    match path.starts_with(project) {
        true => Ok(path),
        false => Err(refused(&format!("lies outside of the project {}", project.display()))),
    }
}

fn shown(project: &Path, path: &Path) -> String {
    path.strip_prefix(project).unwrap_or(path).display().to_string()
}

fn refused(problem: Problem) -> Error {
    Error::problems(vec![problem])
}

fn unusable(path: &str, error: &io::Error) -> Error {
    Error::new(Kind::Configuration, format!("cannot read `{path}` of the build context: {}", reason(error)))
}

#[cfg(all(test, unix))]
#[path = "context_tests.rs"]
mod tests;

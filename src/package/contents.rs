//! Which files of a folder are a function's code, and what they hold.
//!
//! What tools leave behind, version control, virtual environments and files that usually hold secrets are left out;
//! `.packageignore` adds to that, and brings back, in the syntax of `.dockerignore`.

use crate::error::{Error, Kind};
use crate::files::{self, reason};
use crate::image::Digest;
use crate::image::digest::HashingReader;
use crate::image::ignore::Ignore;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What is left out beside what the usual list names.
pub const IGNORE_FILE: &str = ".packageignore";

const TEXT_LIMIT_BYTES: u64 = 1024 * 1024;

/// Never code: version control, what tools and editors leave, virtual environments, credentials.
const USUAL: &str = "**/.git\n**/.hg\n**/.svn\n**/.gitignore\n**/.gitattributes\n**/.DS_Store\n**/.idea\n**/.vscode\n\
    **/.infra\n**/__pycache__\n**/*.pyc\n**/*.pyo\n**/.pytest_cache\n**/.mypy_cache\n**/.ruff_cache\n**/.coverage\n\
    **/.venv\n**/venv\n**/.env\n**/.env.*\n**/.npmrc\n**/.pypirc\n**/.netrc\n.packageignore\n";

/// A file of an archive to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where its content is read from.
    pub path: PathBuf,
    /// Whoever owns it may run it; archives keep nothing else of a mode.
    pub executable: bool,
    pub bytes: u64,
    pub digest: Digest,
}

/// By their paths in the archive, with slashes.
pub type Entries = BTreeMap<String, Entry>;

/// The code below a folder. `installs`: dependencies are put in anew, so that those that lie there do not count.
///
/// # Errors
/// The folder or a file cannot be read; a name is not UTF-8; a link leads out of the folder; `.packageignore` has a pattern
/// that is none.
pub fn of_sources(folder: &Path, installs: bool) -> Result<Entries, Error> {
    let own = folder.join(IGNORE_FILE);
    let mut text = USUAL.to_owned();
    if installs {
        text.push_str("**/node_modules\n");
    }
    let usual = text.lines().count();
    if own.is_file() {
        let file = files::read(&own, &own.display().to_string(), TEXT_LIMIT_BYTES);
        text.push_str(&file.map_err(|problem| Error::problems(vec![problem]))?.text);
    }
    let ignore = Ignore::parse(&text).map_err(|bad| {
        let message = format!("{}:{}: `{}` is no pattern", own.display(), bad.line.saturating_sub(usual), bad.pattern);
        Error::new(Kind::Configuration, message).hint("patterns are those of .dockerignore")
    })?;
    below(folder, &|path| if ignore.excludes(path) { Left::Out(ignore.brings_back()) } else { Left::In })
}

/// All that lies below a folder.
///
/// # Errors
/// As [`of_sources`].
pub fn everything(folder: &Path) -> Result<Entries, Error> {
    below(folder, &|_| Left::In)
}

/// Whether a path is part of the archive.
enum Left {
    In,
    /// Not it; and whether something below it may be.
    Out(bool),
}

fn below(folder: &Path, judge: &dyn Fn(&str) -> Left) -> Result<Entries, Error> {
    let root = folder.canonicalize().map_err(|error| unreadable(folder, &error))?;
    let mut paths = Vec::new();
    Walk { root: &root, judge, paths: &mut paths, within: vec![root.clone()] }.folder(&root, "")?;
    paths.into_par_iter().map(|(name, path)| Ok((name, entry(path)?))).collect()
}

struct Walk<'a> {
    root: &'a Path,
    judge: &'a dyn Fn(&str) -> Left,
    paths: &'a mut Vec<(String, PathBuf)>,
    /// The real folders that the walk is in: a link to one of them would never end.
    within: Vec<PathBuf>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, prefix: &str) -> Result<(), Error> {
        for found in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
            let path = found.map_err(|error| unreadable(folder, &error))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
                Error::new(Kind::Configuration, format!("the name of {} is not UTF-8", path.display()))
                    .hint("rename it")
            })?;
            let name = format!("{prefix}{name}");
            let included = match (self.judge)(&name) {
                Left::In => true,
                Left::Out(true) => false,
                Left::Out(false) => continue,
            };
            let real = match path.canonicalize() {
                Ok(real) => real,
                // A link to nowhere that is left out does no harm.
                Err(_) if !included => continue,
                Err(error) => return Err(unreadable(&path, &error)),
            };
            if included && !real.starts_with(self.root) {
                return Err(Error::new(Kind::Configuration, format!("{} leads out of the folder", path.display()))
                    .detail(format!("to {}", real.display()))
                    .hint("copy what it leads to into the folder, or leave it out in .packageignore"));
            }
            let metadata = fs::metadata(&real).map_err(|error| unreadable(&path, &error))?;
            if metadata.is_dir() {
                if self.within.contains(&real) {
                    return Err(Error::new(
                        Kind::Configuration,
                        format!("{} leads to a folder that it is in", path.display()),
                    )
                    .hint("remove the link, or leave it out in .packageignore"));
                }
                self.within.push(real.clone());
                self.folder(&real, &format!("{name}/"))?;
                self.within.pop();
            } else if included && metadata.is_file() {
                if files::is_saved_plan(&real).map_err(|error| unreadable(&path, &error))? {
                    let message = format!("{} is a saved plan, and no code", path.display());
                    return Err(
                        Error::new(Kind::Configuration, message).hint("remove it, or leave it out in .packageignore")
                    );
                }
                self.paths.push((name, real));
            } else if included {
                return Err(Error::new(Kind::Configuration, format!("{} is neither file nor folder", path.display()))
                    .hint("leave it out in .packageignore"));
            }
        }
        Ok(())
    }
}

/// # Errors
/// The file cannot be read.
pub fn entry(path: PathBuf) -> Result<Entry, Error> {
    let failed = |error: &io::Error| unreadable(&path, error);
    let file = File::open(&path).map_err(|error| failed(&error))?;
    let executable = is_executable(&file.metadata().map_err(|error| failed(&error))?);
    let mut reader = HashingReader::new(file);
    io::copy(&mut reader, &mut io::sink()).map_err(|error| failed(&error))?;
    let (digest, bytes) = reader.finish();
    Ok(Entry { path, executable, bytes, digest })
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::new(Kind::Configuration, format!("cannot read {}: {}", path.display(), reason(error)))
}

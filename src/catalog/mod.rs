//! Templates: those of the project's `templates/` first, then those embedded in the binary.
//!
//! A template is a file of two YAML documents, the manifest and the body. It is read when somebody asks for it. Files whose
//! names start with `_` are partials: templates import them, environments cannot name them.

mod describe;
mod keys;
mod manifest;
mod schema;
mod spec;

#[cfg(test)]
mod tests;

use crate::document::{self, PRIVATE_USE, listed};
use crate::files;
use crate::problem::{Located, Problem, SourceFile, nearest};
use include_dir::{Dir, include_dir};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use describe::{InputDescription, NeedDescription, TemplateDescription};
pub use manifest::{Manifest, NeedSpec};
pub use spec::{Kind, Spec, plain, resolve_all};

/// Where templates are, in a project and in `infra` itself.
pub const DIRECTORY: &str = "templates";

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// A longer file is refused; CloudFormation takes templates of 1 MB.
const LIMIT_BYTES: u64 = 1024 * 1024;

/// Rendering tells lines apart up to here.
pub const MOST_LINES: usize = 60_000;

/// Something that was read, or everything that is wrong with it.
pub type Checked<T> = Result<T, Vec<Problem>>;

#[derive(Debug)]
pub struct Catalog {
    /// File names of the project's `templates/`, with their paths.
    own: BTreeMap<String, PathBuf>,
    read: Mutex<HashMap<String, Checked<Arc<Template>>>>,
}

#[derive(Debug)]
pub struct Template {
    pub name: String,
    pub origin: Origin,
    pub file: Arc<SourceFile>,
    pub manifest: Manifest,
    /// Bytes of the file before the body.
    pub body_start: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Embedded in the binary.
    Catalog,
    /// The project's own.
    Project,
}

impl Catalog {
    /// The templates that a project can use. Nothing is read yet but the names of its files.
    pub fn open(project: &Path) -> Catalog {
        let entries = std::fs::read_dir(project.join(DIRECTORY)).into_iter().flatten();
        let own = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let name = entry.file_name().into_string().ok()?;
                name.ends_with(".yaml").then(|| (name, entry.path()))
            })
            .collect();
        Catalog { own, read: Mutex::default() }
    }

    /// The embedded templates alone.
    pub fn embedded() -> Catalog {
        Catalog { own: BTreeMap::new(), read: Mutex::default() }
    }

    /// Names of all templates, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.file_names().filter_map(|name| Some(name.strip_suffix(".yaml")?.to_owned())).collect();
        names.retain(|name| !name.starts_with('_'));
        names.sort();
        names.dedup();
        names
    }

    fn file_names(&self) -> impl Iterator<Item = &str> {
        let embedded = EMBEDDED.files().filter_map(|file| file.path().file_name()?.to_str());
        self.own.keys().map(String::as_str).chain(embedded)
    }

    /// A template by name.
    ///
    /// # Errors
    /// There is none (the problem points at `name`), or everything that is wrong with it.
    pub fn get(&self, name: &Located<String>) -> Checked<Arc<Template>> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.get(&name.value) {
            return known.clone();
        }
        let Some(file) = self.file(&format!("{}.yaml", name.value)).filter(|_| !name.value.starts_with('_')) else {
            return Err(vec![self.unknown(name)]);
        };
        let template = file.and_then(|(file, origin)| parse(&name.value, file, origin));
        read.insert(name.value.clone(), template.clone());
        template
    }

    /// A file of the catalog by its name (`alb.yaml`, `_alarm.yaml`); none if there is none.
    pub fn file(&self, name: &str) -> Option<Checked<(Arc<SourceFile>, Origin)>> {
        let (file, origin) = match self.own.get(name) {
            Some(path) => (files::read(path, &format!("{DIRECTORY}/{name}"), LIMIT_BYTES), Origin::Project),
            None => {
                let bytes = EMBEDDED.get_file(name)?.contents().to_vec();
                (files::decode(bytes, &format!("<catalog>/{name}")), Origin::Catalog)
            }
        };
        Some(file.map_err(|problem| vec![problem]).and_then(|file| match unusable(&file) {
            Some(problem) => Err(vec![problem]),
            None => Ok((file, origin)),
        }))
    }

    /// File names of the partials, sorted.
    pub fn partials(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.file_names().filter(|name| name.starts_with('_')).map(str::to_owned).collect();
        names.sort();
        names.dedup();
        names
    }

    fn unknown(&self, name: &Located<String>) -> Problem {
        let names = self.names();
        let names = || names.iter().map(String::as_str);
        let message = format!("there is no template `{}`", name.value);
        Problem::error("unknown-template", message, Some(name.at.clone())).help(match nearest(&name.value, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the templates are {}", listed(names())),
        })
    }
}

/// Characters for private use mark lines while a template is rendered, and only so many lines can be told apart.
fn unusable(file: &Arc<SourceFile>) -> Option<Problem> {
    let lines = file.text.matches('\n').count();
    if lines > MOST_LINES {
        let message = format!("{} has {lines} lines; at most {MOST_LINES} can be told apart", file.name);
        return Some(Problem::error("file-too-big", message, None));
    }
    let (byte, sign) = file.text.char_indices().find(|(_, c)| *c >= PRIVATE_USE)?;
    let at = document::place_of_bytes(file, byte..byte + sign.len_utf8());
    let message = "characters of Unicode's planes for private use (from U+F0000) are refused";
    Some(Problem::error("private-use", message, Some(at)))
}

fn parse(name: &str, file: Arc<SourceFile>, origin: Origin) -> Checked<Arc<Template>> {
    let Some((manifest_end, body_start)) = border(&file.text) else {
        let problem = Problem::error(
            "no-manifest",
            "a template has two documents, and this is one",
            Some(document::start_of(&file)),
        );
        return Err(vec![problem.help("write the manifest, a line `---`, and then the CloudFormation template")]);
    };
    let mut problems = Vec::new();
    let manifest = manifest::read(&file.text[..manifest_end], &file, &mut problems);
    match manifest.filter(|_| !problems.iter().any(Problem::is_error)) {
        Some(manifest) => Ok(Arc::new(Template { name: name.to_owned(), origin, file, manifest, body_start })),
        None => Err(problems),
    }
}

/// Where the manifest ends and where the body starts, in bytes. A line `---` at the very start opens the manifest.
fn border(text: &str) -> Option<(usize, usize)> {
    let mut at = 0;
    let mut first = true;
    for line in text.split_inclusive('\n') {
        let separates = line.trim_end() == "---";
        if separates && !first {
            return Some((at, at + line.len()));
        }
        let blank = line.trim().is_empty() || line.starts_with('#');
        first = first && blank;
        at += line.len();
    }
    None
}

//! `environments/<name>.yaml` → a validated [`Environment`].
//!
//! A file may start from another (`extends`); every value keeps the file that it came from. All problems of all files
//! come in one run: each file is checked by itself against the table in [`keys`], then what they make together is.

mod build;
mod chain;
mod drift;
mod images;
mod keys;
mod merge;
mod packages;
mod scan;
mod usage;
mod waivers;

#[cfg(test)]
mod tests;

use crate::document;
use crate::error::{Error, Kind};
use crate::model::{Environment, Image, PackageSource, PromotedImage};
use crate::problem::{Problem, nearest};
use std::path::Path;

pub use keys::{CONCURRENCY, RESERVED_TAGS, SPEED, SPEED_LIMIT};
pub use usage::{ASSUMPTIONS, Assumption};

/// Where environment files are, in a project.
pub const DIRECTORY: &str = "environments";

/// A longer environment file is refused.
const LIMIT_BYTES: u64 = 1024 * 1024;

/// Reads `environments/<name>.yaml` below `project` and all that it extends. The problems that come with an
/// environment are warnings.
///
/// # Errors
/// No such file or directory, or the problems of all files.
pub fn load(project: &Path, name: &str) -> Result<(Environment, Vec<Problem>), Error> {
    if !document::matches(&keys::ENVIRONMENT_NAME, name) {
        let error = Error::new(Kind::Usage, format!("`{name}` is no name of an environment"));
        return Err(error.hint(format!("a name has {}", keys::ENVIRONMENT_NAME.expects)));
    }
    if !project.join(DIRECTORY).join(format!("{name}.yaml")).exists() {
        return Err(missing(project, name));
    }
    let mut chain = chain::read(project, name);
    let environment = match chain.merged.take() {
        Some(merged) => build::build(name, merged, chain.complete, &mut chain.problems),
        None => None,
    };
    if let Some(environment) = &environment {
        promotions(project, environment, &mut chain.problems);
    }
    in_reading_order(&mut chain.problems);
    match environment.filter(|_| !chain.problems.iter().any(Problem::is_error)) {
        Some(environment) => Ok((environment, chain.problems)),
        None => Err(Error::problems(chain.problems)),
    }
}

/// Environments that images and packages are taken from must be there, and be others.
fn promotions(project: &Path, environment: &Environment, problems: &mut Vec<Problem>) {
    let images = environment.images.iter().filter_map(|(name, image)| match image {
        Image::Promoted(PromotedImage { environment: from, .. }) => Some(("image", name, from)),
        _ => None,
    });
    let packages = environment.packages.iter().filter_map(|(name, package)| match &package.source {
        PackageSource::Promoted(from) => Some(("package", name, from)),
        PackageSource::Folder(_) => None,
    });
    for (what, name, from) in images.chain(packages) {
        let problem = |message: String| Problem::error("unknown-environment", message, Some(from.at.clone()));
        if from.value == environment.name {
            problems.push(problem(format!("the {what} `{name}` cannot come from its own environment")));
        } else if !project.join(DIRECTORY).join(format!("{}.yaml", from.value)).exists() {
            let message = format!("the {what} `{name}` comes from the environment `{}`, and there is none", from.value);
            let others = names(project).unwrap_or_default();
            let others = others.iter().map(String::as_str).filter(|other| *other != environment.name);
            problems.push(match nearest(&from.value, others.clone()) {
                Some(near) => problem(message).help(format!("did you mean `from: {near}`?")),
                None => problem(message).help(format!("the environments are {}", document::listed(others))),
            });
        }
    }
}

/// File by file, the environment's own first, from top to bottom.
fn in_reading_order(problems: &mut [Problem]) {
    let mut files: Vec<String> = Vec::new();
    for at in problems.iter().filter_map(|problem| problem.at.as_ref()) {
        if !files.contains(&at.file.name) {
            files.push(at.file.name.clone());
        }
    }
    problems.sort_by_key(|problem| match &problem.at {
        Some(at) => (files.iter().position(|name| *name == at.file.name), at.span.start.offset),
        None => (None, 0),
    });
}

/// The JSON Schema of environment files, for editors.
pub fn schema() -> serde_json::Value {
    document::schema(&keys::ENVIRONMENT, "An environment of infra")
}

/// A file of `environments/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    /// It only serves others to start from: another file extends it, and by itself it has no account.
    pub base: bool,
}

/// The files of `environments/`, sorted by name. Files that cannot be read are listed, for loading them tells why.
///
/// # Errors
/// There is no directory `environments/`, or it cannot be read.
pub fn list(project: &Path) -> Result<Vec<Listed>, Error> {
    let names = names(project)?;
    let chains: Vec<chain::Chain> = names.iter().map(|name| chain::read(project, name)).collect();
    let extended: Vec<&str> = chains.iter().flat_map(|chain| chain.extended.iter().map(String::as_str)).collect();
    let base = |name: &str, chain: &chain::Chain| extended.contains(&name) && chain.complete && !chain.has("account");
    Ok(names.iter().zip(&chains).map(|(name, chain)| Listed { name: name.clone(), base: base(name, chain) }).collect())
}

fn names(project: &Path) -> Result<Vec<String>, Error> {
    let directory = project.join(DIRECTORY);
    let entries = std::fs::read_dir(&directory).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::new(Kind::Configuration, format!("there is no directory {}", directory.display()))
                .hint("`infra init` writes a project to start from; `-C DIR` works in another directory")
        }
        _ => Error::new(
            Kind::Configuration,
            format!("cannot read the directory {}: {}", directory.display(), crate::files::reason(&error)),
        ),
    })?;
    let file_names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = file_names.filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned)).collect();
    names.retain(|name| document::matches(&keys::ENVIRONMENT_NAME, name));
    names.sort();
    Ok(names)
}

fn missing(project: &Path, name: &str) -> Error {
    let names = match names(project) {
        Ok(names) => names,
        Err(error) => return error,
    };
    let error = Error::new(
        Kind::Configuration,
        format!("there is no environment `{name}`: {DIRECTORY}/{name}.yaml is missing"),
    );
    if project.join(DIRECTORY).join(format!("{name}.yml")).exists() {
        return error.hint(format!("rename {DIRECTORY}/{name}.yml to {name}.yaml"));
    }
    let error = match names.is_empty() {
        true => error.detail(format!("{DIRECTORY}/ has no environment file")),
        false => error.detail(format!("{DIRECTORY}/ has {}", document::listed(names.iter().map(String::as_str)))),
    };
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error,
    }
}

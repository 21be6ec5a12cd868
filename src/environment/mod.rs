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
use crate::model::{Environment, Image, PackageSource, PromotedImage, sensitive};
use crate::problem::{Problem, nearest};
use std::path::Path;

pub use keys::{CONCURRENCY, RESERVED_TAGS, SPEED, SPEED_LIMIT};
pub use usage::{ASSUMPTIONS, Assumption};

/// Where environment files are, in a project.
pub const DIRECTORY: &str = crate::files::ENVIRONMENTS;

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
        let names = environment.stacks.keys().chain(environment.images.keys()).chain(environment.packages.keys());
        names.for_each(|name| sensitive::open(name));
        let inputs = environment.stacks.values().flat_map(|stack| &stack.inputs);
        inputs.for_each(|(name, input)| sensitive::learn_named(name, &document::to_json(&input.value)));
        promotions(project, environment, &mut chain.problems);
        collisions(project, environment, &mut chain.problems);
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

/// Files of `environments/` that look like environments and are none: of another ending or case, with a name that none has,
/// or in a folder of their own. Nobody reads them, which nobody would notice.
pub fn passed_over(project: &Path) -> Vec<Problem> {
    let mut found: Vec<String> = Vec::new();
    gather(&project.join(DIRECTORY), "", 0, &mut found);
    found.sort();
    let problem = |name: String| {
        let (folder, file) = name.rsplit_once('/').map_or((None, name.as_str()), |(folder, file)| (Some(folder), file));
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let right = stem.to_lowercase().replace(['_', '.', ' '], "-");
        let message = format!("{DIRECTORY}/{name} is no environment, and nobody reads it");
        let problem = Problem::warning("not-an-environment", message, None);
        match folder {
            Some(folder)
                if document::matches(&keys::ENVIRONMENT_NAME, &format!("{}-{right}", folder.replace('/', "-"))) =>
            {
                problem.help(format!(
                    "environments lie in {DIRECTORY}/ itself: move it to {DIRECTORY}/{}-{right}.yaml",
                    folder.replace('/', "-").to_lowercase()
                ))
            }
            Some(_) => problem.help(format!("environments lie in {DIRECTORY}/ itself")),
            None if document::matches(&keys::ENVIRONMENT_NAME, &right) => {
                problem.help(format!("call it {DIRECTORY}/{right}.yaml"))
            }
            None => problem.help(format!("the name of an environment has {}", keys::ENVIRONMENT_NAME.expects)),
        }
    };
    found.into_iter().map(problem).collect()
}

/// Names below a folder of `environments/` that are not environments' but could be meant to be.
fn gather(folder: &Path, prefix: &str, depth: usize, found: &mut Vec<String>) {
    const DEEPEST: usize = 3;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with('.') {
            continue;
        }
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && depth < DEEPEST {
            gather(&entry.path(), &format!("{prefix}{name}/"), depth + 1, found);
        } else if !is_folder && looks_like_one(&name) && !(depth == 0 && is_environment(&name)) {
            found.push(format!("{prefix}{name}"));
        }
    }
}

fn looks_like_one(file: &str) -> bool {
    let ending = file.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
    ending.is_some_and(|ending| matches!(ending.as_str(), "yaml" | "yml" | "json"))
}

fn is_environment(file: &str) -> bool {
    file.strip_suffix(".yaml").is_some_and(|name| document::matches(&keys::ENVIRONMENT_NAME, name))
}

/// Stacks that CloudFormation would know by the same name as one of another environment: `prod` with `eu-key` and `prod-eu`
/// with `key`. The second one to come would take over the first one's stack.
fn collisions(project: &Path, environment: &Environment, problems: &mut Vec<Problem>) {
    let related = |other: &String| {
        let (one, other) = (environment.name.as_str(), other.as_str());
        let within =
            |longer: &str, shorter: &str| longer.strip_prefix(shorter).is_some_and(|rest| rest.starts_with('-'));
        within(one, other) || within(other, one)
    };
    for other in names(project).unwrap_or_default().iter().filter(|other| related(other)) {
        let mut chain = chain::read(project, other);
        let other = chain.merged.take().and_then(|merged| build::build(other, merged, chain.complete, &mut Vec::new()));
        let Some(other) = other.filter(|other| other.project == environment.project) else { continue };
        for (name, spec) in &environment.stacks {
            let ours = format!("{}-{name}", environment.name);
            let same = other.stacks.iter().find(|(theirs, stack)| {
                let place = (&stack.target.account, &stack.target.region);
                ours == format!("{}-{theirs}", other.name) && place == (&spec.target.account, &spec.target.region)
            });
            // Each local environment is an AWS of its own account; it is told all the same, as it may move.
            if let Some((theirs, stack)) = same {
                let message = format!(
                    "the stack `{name}` has the same name in the account as `{theirs}` of the environment `{}`: {}-{ours}",
                    other.name, environment.project
                );
                problems.push(
                    Problem::error("same-stack", message, Some(spec.at.clone()))
                        .related(stack.at.clone(), format!("`{theirs}` of `{}`", other.name))
                        .help("give one of the two stacks, or one of the environments, another name"),
                );
            }
        }
    }
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
    let meant = |problem: Problem| {
        Some((problem.message, problem.help.filter(|help| help.ends_with(&format!("/{name}.yaml")))?))
    };
    if let Some((message, help)) = passed_over(project).into_iter().find_map(meant) {
        return error.detail(message).hint(help);
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

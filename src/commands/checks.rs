//! What `validate` finds, for the commands that plan: errors refuse, warnings are shown; and what a plan would refuse of the
//! project's folders, for `validate`.

use super::session::Session;
use crate::catalog::Catalog;
use crate::error::{Error, Kind, Result};
use crate::model::{Environment, Image, ImageSource, LocalImage, PackageSource, Parameter, RenderedStack};
use crate::problem::{Location, Problem, Severity};
use crate::validate::validate;
use std::collections::BTreeSet;
use std::path::Path;
use std::thread::JoinHandle;

/// A check of stacks that goes on beside whatever else is done meanwhile.
pub struct Checks(JoinHandle<Vec<Problem>>);

impl Checks {
    /// Begins to check the stacks' templates.
    pub fn start(project: &Path, stacks: &[RenderedStack]) -> Checks {
        let (project, stacks) = (project.to_owned(), stacks.to_owned());
        Checks(std::thread::spawn(move || validate(&stacks, &Catalog::open(&project))))
    }

    /// Shows the warnings.
    ///
    /// # Errors
    /// All problems, where there are errors among them.
    pub fn finish(self, session: &Session) -> Result<()> {
        let stopped = |_| Error::new(Kind::Other, "the check of the templates stopped through a fault of infra's own");
        let problems = self.0.join().map_err(stopped)?;
        if problems.iter().any(Problem::is_error) {
            return Err(Error::problems(problems).into());
        }
        session.view.problems(&problems);
        Ok(())
    }
}

/// Folders and files that a plan of these stacks needs and the project does not have.
pub fn missing(project: &Path, environment: &Environment, stacks: &[RenderedStack]) -> Vec<Problem> {
    let parameters = || stacks.iter().flat_map(|stack| stack.parameters.values());
    let images: BTreeSet<&str> = parameters().filter_map(image).collect();
    let packages: BTreeSet<&str> = parameters().filter_map(package).collect();
    let mut problems = Vec::new();
    for (name, image) in environment.images.iter().filter(|(name, _)| images.contains(name.as_str())) {
        if let Image::Local(image) = image {
            problems.extend(missing_source(project, name, image));
        }
    }
    for (name, package) in environment.packages.iter().filter(|(name, _)| packages.contains(name.as_str())) {
        if let PackageSource::Folder(folder) = &package.source {
            let folder = &folder.folder;
            let what = format!("the package `{name}`");
            problems.extend(no_folder(project, &what, &folder.value, &folder.at));
        }
    }
    for (name, stack) in &environment.stacks {
        if let Some(folder) = &stack.files {
            let missing = no_folder(project, &format!("`files` of stack `{name}`"), &folder.value, &folder.at);
            // A build may have to make it first.
            problems.extend(missing.map(|problem| Problem { severity: Severity::Warning, ..problem }));
        }
    }
    problems
}

fn image(parameter: &Parameter) -> Option<&str> {
    match parameter {
        Parameter::LocalImage(image) => Some(&image.name),
        _ => None,
    }
}

fn package(parameter: &Parameter) -> Option<&str> {
    match parameter {
        Parameter::Package(package) => Some(&package.name),
        _ => None,
    }
}

/// An image with a fallback does not need its source.
fn missing_source(project: &Path, name: &str, image: &LocalImage) -> Option<Problem> {
    if let Some(archive) = &image.fallback {
        return no_file(project, &format!("the fallback of image `{name}`"), archive, &image.at);
    }
    let what = format!("the image `{name}`");
    match &image.source {
        // What an archive holds is looked at with its platforms.
        ImageSource::Archive { .. } => None,
        ImageSource::Build { context, dockerfile, .. } => {
            let file = dockerfile.as_deref().unwrap_or("Dockerfile");
            let path = Path::new(context).join(file);
            no_folder(project, &what, context, &image.at)
                .or_else(|| no_file(project, &what, &path.to_string_lossy(), &image.at))
        }
    }
}

fn no_folder(project: &Path, what: &str, folder: &str, at: &Location) -> Option<Problem> {
    let there = project.join(folder).is_dir();
    (!there).then(|| not_there(format!("{what}: there is no folder {folder}"), at))
}

fn no_file(project: &Path, what: &str, file: &str, at: &Location) -> Option<Problem> {
    let there = project.join(file).is_file();
    (!there).then(|| not_there(format!("{what}: there is no file {file}"), at))
}

fn not_there(message: String, at: &Location) -> Problem {
    Problem::error("missing-files", message, Some(at.clone())).help("paths are relative to the project's folder")
}

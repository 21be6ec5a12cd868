//! The images of an environment, made before its plan: a plan names them by digest.

use super::packages;
use super::promotion;
use super::session::Session;
use super::surroundings;
use crate::apply::{EventKind, Events, send};
use crate::environment;
use crate::error::{Error, Kind, Result, find};
use crate::image::builder::{self, Build, Builder, Choice, Programs, Progress, Tell};
use crate::image::context::{Context, Recipe, SecretSource};
use crate::image::layout::Layout;
use crate::image::{Image as Made, Platform, choice as image_choice, source};
use crate::model::{
    BuildSecret, Environment, Image, ImageSource, LocalImage, MadeFrom, Parameter, RenderedStack, State,
};
use crate::plan::{Asset, Plan};
use crate::problem::Problem;
use crate::processors::{self, MadeFor};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// An image that lies on this machine.
#[derive(Debug, Clone)]
pub struct Local {
    pub image: Made,
    pub made_from: MadeFrom,
    /// What it runs on, as its configurations say.
    pub platforms: Vec<Platform>,
    /// It is not what was asked for, which could not be built.
    pub stands_in: bool,
}

/// Makes the images that the stacks name, finds those that other environments have proven, and writes their digests into
/// the stacks. `offline`: of other environments only what this machine remembers.
pub fn fill(
    session: &Session,
    environment: &Environment,
    stacks: &mut [RenderedStack],
    choice: Choice,
    offline: bool,
) -> Result<()> {
    let named: BTreeSet<String> = uses(stacks).map(|image| image.name.clone()).collect();
    if named.is_empty() {
        return Ok(());
    }
    let (made, proven) = session.read(async |events| {
        let proven = match offline {
            true => promotion::last_known(session, environment, &named)?,
            false => promotion::resolve(session, environment, &named, events).await?,
        };
        Ok((make(session, environment, &named, choice, events).await?, proven))
    })?;
    let made_for = |(name, local): (&String, &Local)| {
        let platforms = local.platforms.clone();
        Some((name.clone(), MadeFor { platforms, at: processors::place(environment, name)? }))
    };
    let made_for = made.iter().filter(|(_, local)| !local.stands_in).filter_map(made_for).collect();
    let wrong = processors::problems(environment, stacks, &made_for);
    if !wrong.is_empty() {
        return Err(Error::problems(wrong).into());
    }
    for image in uses(stacks) {
        if let Some(local) = made.get(&image.name) {
            image.digest = Some(local.image.digest.to_string());
            image.made_from = local.made_from.clone();
            image.size_bytes = Some(local.image.size_bytes);
            if let [first, second, rest @ ..] = &local.platforms[..] {
                image.platforms = [first, second].into_iter().chain(rest).map(ToString::to_string).collect();
            }
        }
        if let Some(proven) = proven.get(&image.name) {
            image.digest = Some(proven.digest.clone());
            image.made_from = proven.made_from.clone();
            image.from = Some(proven.from.clone());
        }
    }
    Ok(())
}

fn uses(stacks: &mut [RenderedStack]) -> impl Iterator<Item = &mut crate::model::LocalImageUse> {
    stacks.iter_mut().flat_map(|stack| stack.parameters.values_mut()).filter_map(|parameter| match parameter {
        Parameter::LocalImage(image) => Some(image),
        _ => None,
    })
}

/// Makes these images of the environment, one after the other: builders use all processors by themselves.
pub async fn make(
    session: &Session<'_>,
    environment: &Environment,
    names: &BTreeSet<String>,
    choice: Choice,
    events: &Events,
) -> Result<BTreeMap<String, Local>> {
    let git_commit = surroundings::git_commit(&session.project);
    let mut made = BTreeMap::new();
    for (name, image) in &environment.images {
        let Image::Local(image) = image else { continue };
        if !names.contains(name) {
            continue;
        }
        let One { image, context, stands_in } =
            one(&session.project, name, image, choice, events).await.map_err(|error| placed(error, name, image))?;
        let made_from = MadeFrom { context_digest: Some(context), git_commit: git_commit.clone() };
        let layout = Layout::open(&image.layout)?;
        let images = image_choice::images(&layout, &[layout.entry(None)?])?;
        let platforms = images.into_iter().filter_map(|one| one.platform).collect();
        made.insert(name.clone(), Local { image, made_from, platforms, stands_in });
    }
    Ok(made)
}

/// What was made of one image.
struct One {
    image: Made,
    /// Of what it was made from.
    context: String,
    stands_in: bool,
}

/// Names the image and its place in what is wrong with it.
fn placed(error: anyhow::Error, name: &str, image: &LocalImage) -> anyhow::Error {
    let mut error = match error.downcast::<Error>() {
        Ok(error) => error,
        Err(other) => return other,
    };
    let is_archive = matches!(image.source, ImageSource::Archive { .. });
    if is_archive && error.kind == Kind::Configuration && error.problems.is_empty() {
        let message = std::iter::once(&error.message).chain(&error.details).cloned().collect::<Vec<_>>().join("; ");
        let mut problem = Problem::error("wrong-image", message, None);
        problem.help = error.hints.into_iter().next();
        error = Error::problems(vec![problem]);
    }
    for problem in error.problems.iter_mut().filter(|problem| problem.at.is_none() && problem.code == "wrong-image") {
        problem.message = format!("the image `{name}`: {}", problem.message);
        problem.at = Some(image.at.clone());
    }
    error.into()
}

/// The images of the environment whose platforms can be found out without building or fetching any, and what is wrong with
/// their archives.
pub fn made_for(project: &Path, environment: &Environment) -> (BTreeMap<String, MadeFor>, Vec<Problem>) {
    let (mut found, mut problems) = (BTreeMap::new(), Vec::new());
    for (name, image) in &environment.images {
        let Image::Local(image) = image else { continue };
        let at = image.at.clone();
        let wanted =
            |platforms: &[String]| -> Vec<Platform> { platforms.iter().filter_map(|text| text.parse().ok()).collect() };
        let platforms = match &image.source {
            // Where something may stand in, it runs nowhere but on this machine.
            _ if image.fallback.is_some() => continue,
            ImageSource::Build { platforms, .. } if platforms.is_empty() => vec![Platform::linux_amd64()],
            ImageSource::Build { platforms, .. } => wanted(platforms),
            ImageSource::Archive { path, platforms } => match source::platforms(project, path) {
                Ok(inside) => {
                    let wanted = wanted(platforms);
                    let missing = wanted.iter().find(|wanted| !inside.iter().any(|inside| inside.serves(wanted)));
                    if let Some(missing) = missing.filter(|_| !inside.is_empty()) {
                        let listed = inside.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                        let message =
                            format!("the image `{name}`: {path} is made for {listed}, and {missing} is asked for");
                        problems.push(Problem::error("wrong-image", message, Some(at)));
                        continue;
                    }
                    if wanted.is_empty() { inside } else { wanted }
                }
                Err(error) => {
                    let mut problem =
                        Problem::error("wrong-image", format!("the image `{name}`: {}", error.message), Some(at));
                    problem.help = error.hints.into_iter().next();
                    problems.push(problem);
                    continue;
                }
            },
        };
        found.insert(name.clone(), MadeFor { platforms, at });
    }
    (found, problems)
}

/// The image, and the digest of what it was made from. Where it cannot be built, what the environment has for that case
/// stands in, and whoever looks on is told why.
async fn one(project: &Path, name: &str, image: &LocalImage, choice: Choice, events: &Events) -> Result<One> {
    let asked_for = |(image, context)| One { image, context, stands_in: false };
    let Some(archive) = &image.fallback else {
        return Ok(asked_for(origin(project, name, image, choice, events).await?));
    };
    let marker = Marker::of(project, name, image).await;
    let known = choice.is_none() && marker.as_ref().is_some_and(Marker::is_set);
    let why = match known {
        // The reason was told when it was found out.
        true => "as its last build failed; changed sources or --builder make it try again".to_owned(),
        false => match origin(project, name, image, choice, events).await {
            Ok(made) => return Ok(asked_for(made)),
            Err(error) => {
                let why = first_reason(&error);
                if let Some(marker) = &marker {
                    marker.write(&why);
                }
                format!("since it could not be built: {why}")
            }
        },
    };
    let message = format!("image {name}: {archive} stands in, {why}");
    send(events, None, EventKind::Note { message });
    let (image, digest) = source::of_archive(project, name, archive, &[], &teller(name, events)).await?;
    Ok(One { image, context: digest.to_string(), stands_in: true })
}

/// Remembers that a context could not be built, so that the next command does not wait for the same failure.
struct Marker(PathBuf);

impl Marker {
    /// None where the context cannot even be read, which takes no time to find out again.
    async fn of(project: &Path, name: &str, image: &LocalImage) -> Option<Marker> {
        let recipe = recipe(&image.source).ok()?;
        let folder = project.to_owned();
        let context = tokio::task::spawn_blocking(move || Context::read(&folder, &recipe)).await.ok()?.ok()?;
        let folder = builder::folder(project, name);
        Some(Marker(folder.join(format!("{}.failed", context.digest.hex()))))
    }

    fn is_set(&self) -> bool {
        self.0.exists()
    }

    /// A marker that cannot be kept costs time, and nothing else.
    fn write(&self, why: &str) {
        let _ = std::fs::write(&self.0, why);
    }
}

/// Facts that fit into a sentence.
const FEW_DETAILS: usize = 3;

/// What went wrong, in one line.
fn first_reason(error: &anyhow::Error) -> String {
    match find(error) {
        Some(known) => {
            let said: Vec<&str> =
                known.details.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
            // Of a whole log its last words.
            let said = if said.len() > FEW_DETAILS { &said[said.len() - 1..] } else { &said[..] };
            let colon = if said.is_empty() { "" } else { ": " };
            format!("{}{colon}{}", known.message, said.join("; "))
        }
        None => error.to_string(),
    }
}

/// The image from where it should come.
async fn origin(
    project: &Path,
    name: &str,
    image: &LocalImage,
    choice: Choice,
    events: &Events,
) -> Result<(Made, String)> {
    let began = Instant::now();
    let tell = teller(name, events);
    let (image, context, fresh) = match &image.source {
        ImageSource::Archive { path, platforms } => {
            let platforms = parsed(platforms)?;
            let (image, digest) = source::of_archive(project, name, path, &platforms, &tell).await?;
            (image, digest, false)
        }
        ImageSource::Build { builder: named, .. } => {
            let recipe = recipe(&image.source)?;
            let (folder, asked) = (project.to_owned(), recipe.clone());
            let context = tokio::task::spawn_blocking(move || Context::read(&folder, &asked)).await??;
            let choice = choice.or_else(|| named.as_deref().and_then(Builder::parse));
            let build = Build { project, name, recipe: &recipe, context: &context };
            let built = builder::build(&build, &Programs::of_path(), choice, &tell).await?;
            (built.image, context.digest, !built.reused)
        }
    };
    if fresh {
        let built = EventKind::ImageBuilt {
            image: name.to_owned(),
            digest: image.digest.to_string(),
            bytes: image.size_bytes,
            elapsed_seconds: began.elapsed().as_secs_f64(),
        };
        send(events, None, built);
    }
    Ok((image, context.to_string()))
}

fn teller(name: &str, events: &Events) -> Tell {
    // Weak, or the listener would wait for a builder that is slow to go away.
    let (events, image) = (events.downgrade(), name.to_owned());
    Arc::new(move |progress| {
        let Some(events) = events.upgrade() else { return };
        let image = image.clone();
        let kind = match progress {
            Progress::Waiting => {
                EventKind::Note { message: format!("another run makes the image {image}; waiting for it") }
            }
            Progress::Started { builder } => EventKind::ImageBuilding { image, builder: builder.to_string() },
            Progress::Line(line) => EventKind::ImageOutput { image, line },
        };
        send(&events, None, kind);
    })
}

fn recipe(source: &ImageSource) -> Result<Recipe> {
    let ImageSource::Build { context, dockerfile, target, args, platforms, secrets, .. } = source else {
        return Err(Error::new(Kind::Other, "an archive is not built").into());
    };
    let secret = |source: &BuildSecret| match source {
        BuildSecret::Variable(name) => SecretSource::Variable(name.clone()),
        BuildSecret::File(path) => SecretSource::File(path.clone()),
    };
    Ok(Recipe {
        context: context.clone(),
        dockerfile: dockerfile.clone(),
        target: target.clone(),
        arguments: args.clone(),
        platforms: if platforms.is_empty() { vec![Platform::linux_amd64()] } else { parsed(platforms)? },
        secrets: secrets.iter().map(|(id, source)| (id.clone(), secret(source))).collect(),
    })
}

fn parsed(platforms: &[String]) -> Result<Vec<Platform>> {
    let one = |platform: &String| -> Result<Platform> {
        platform.parse().map_err(|error| Error::new(Kind::Configuration, format!("{error}")).into())
    };
    platforms.iter().map(one).collect()
}

/// The part of the project that an image is made from, here or where it is proven.
fn sources(project: &Path, environment: &Environment, name: &str) -> Option<String> {
    let made_here = |image: &Image| match image {
        Image::Local(image) => Some(match &image.source {
            ImageSource::Build { context, .. } => context.clone(),
            ImageSource::Archive { path, .. } => path.clone(),
        }),
        _ => None,
    };
    match environment.images.get(name)? {
        Image::Promoted(image) => {
            let (other, _) = environment::load(project, &image.environment.value).ok()?;
            made_here(other.images.get(name)?)
        }
        image => made_here(image),
    }
}

/// Counts, for each image and package that changes, the commits since the one that runs was made.
pub fn count_commits(plan: &mut Plan, state: Option<&State>, environment: &Environment, project: &Path) {
    for step in &mut plan.steps {
        let record = state.and_then(|state| state.stacks.get(&step.stack));
        for name in step.images.keys() {
            let before = record.and_then(|record| record.made_from.get(name)?.git_commit.as_deref());
            let after =
                step.wanted.iter().flat_map(|wanted| wanted.parameters.values()).find_map(
                    |parameter| match parameter {
                        Parameter::LocalImage(image) if image.name == *name => image.made_from.git_commit.as_deref(),
                        _ => None,
                    },
                );
            let Some(folder) = sources(project, environment, name) else { continue };
            let commits = match (before, after) {
                (Some(before), Some(after)) => surroundings::commits_between(project, before, after, &folder),
                _ => None,
            };
            step.image_commits.extend(commits.map(|commits| (name.clone(), commits)));
        }
        packages::count_commits(&mut plan.assets, step, record, environment, project);
        let mine = plan.assets.iter_mut().filter(|asset| asset.needed_by.contains(&step.stack));
        for asset in mine {
            if let Asset::Image(image) = &mut asset.asset
                && image.commits.is_none()
            {
                image.commits = step.image_commits.get(&asset.name).copied();
            }
        }
    }
}

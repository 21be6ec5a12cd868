//! The packages of an environment, made before its plan: a plan names them by digest.

use super::promotion;
use super::session::Session;
use super::surroundings;
use crate::apply::{EventKind, Events, send};
use crate::catalog::Catalog;
use crate::environment;
use crate::error::{Error, Result};
use crate::handlers;
use crate::model::{
    Environment, MadeFrom, PackageFolder, PackageSource, PackageUse, Parameter, RenderedStack, StackRecord,
};
use crate::package::{self, Built, Listing, Progress, Recipe, Tell};
use crate::plan::{Asset, AssetStep, StackStep};
use crate::problem::Problem;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Makes the packages that the stacks name, finds those that other environments have proven, and writes their digests into
/// the stacks. `offline`: of other environments only what this machine remembers.
pub fn fill(session: &Session, environment: &Environment, stacks: &mut [RenderedStack], offline: bool) -> Result<()> {
    let named: BTreeSet<String> = uses(stacks).map(|package| package.name.clone()).collect();
    if named.is_empty() {
        return Ok(());
    }
    let (made, proven) = session.read(async |events| {
        let proven = match offline {
            true => promotion::last_known_packages(session, environment, &named)?,
            false => promotion::resolve_packages(session, environment, &named, events).await?,
        };
        Ok((make(&session.project, environment, &named, events).await?, proven))
    })?;
    let listings = made.iter().map(|(name, built)| Ok((name.clone(), built.listing()?)));
    let listings = listings.collect::<Result<BTreeMap<String, Listing>>>()?;
    let problems = handlers::problems(environment, stacks, &listings, &Catalog::open(&session.project));
    if !problems.is_empty() {
        return Err(Error::problems(problems).into());
    }
    let git_commit = surroundings::git_commit(&session.project);
    for package in uses(stacks) {
        if let Some(built) = made.get(&package.name) {
            package.digest = Some(built.packed.digest.to_string());
            package.size_bytes = Some(built.packed.bytes);
            package.made_from =
                MadeFrom { context_digest: Some(built.source.to_string()), git_commit: git_commit.clone() };
        }
        if let Some(proven) = proven.get(&package.name) {
            package.digest = Some(proven.digest.clone());
            package.made_from = proven.made_from.clone();
            package.from = Some(proven.from.clone());
        }
    }
    Ok(())
}

/// Functions that call a file which their package does not hold, as far as that is known without installing anything. A folder
/// that cannot be packed is for who packs it to refuse.
pub fn handler_problems(
    project: &Path,
    environment: &Environment,
    stacks: &[RenderedStack],
    catalog: &Catalog,
) -> Vec<Problem> {
    let named: BTreeSet<&str> = stacks.iter().flat_map(|stack| stack.parameters.values()).filter_map(name).collect();
    let packages = environment.packages.iter().filter(|(name, _)| named.contains(name.as_str()));
    let listings = packages.filter_map(|(name, package)| match &package.source {
        PackageSource::Folder(folder) => Some((name.clone(), package::listing(project, name, &recipe(folder)).ok()?)),
        PackageSource::Promoted(_) => None,
    });
    handlers::problems(environment, stacks, &listings.collect(), catalog)
}

fn name(parameter: &Parameter) -> Option<&str> {
    match parameter {
        Parameter::Package(package) => Some(&package.name),
        _ => None,
    }
}

fn uses(stacks: &mut [RenderedStack]) -> impl Iterator<Item = &mut PackageUse> {
    stacks.iter_mut().flat_map(|stack| stack.parameters.values_mut()).filter_map(|parameter| match parameter {
        Parameter::Package(package) => Some(package),
        _ => None,
    })
}

/// One after the other: where their folders are the same, the second is there already.
async fn make(
    project: &Path,
    environment: &Environment,
    names: &BTreeSet<String>,
    events: &Events,
) -> Result<BTreeMap<String, Built>> {
    let mut made = BTreeMap::new();
    for (name, package) in environment.packages.iter().filter(|(name, _)| names.contains(*name)) {
        let PackageSource::Folder(folder) = &package.source else { continue };
        let began = Instant::now();
        let built = package::build(project, name, &recipe(folder), &teller(name, events)).await?;
        if !built.reused {
            let kind = EventKind::PackageBuilt {
                package: name.clone(),
                digest: built.packed.digest.to_string(),
                bytes: built.packed.bytes,
                elapsed_seconds: began.elapsed().as_secs_f64(),
            };
            send(events, None, kind);
        }
        made.insert(name.clone(), built);
    }
    Ok(made)
}

fn recipe(folder: &PackageFolder) -> Recipe {
    Recipe {
        folder: folder.folder.value.clone(),
        runtime: folder.runtime,
        architecture: folder.architecture,
        install: folder.install,
    }
}

fn teller(name: &str, events: &Events) -> Tell {
    // Weak, or the listener would wait for a program that is slow to go away.
    let (events, package) = (events.downgrade(), name.to_owned());
    Arc::new(move |progress| {
        let Some(events) = events.upgrade() else { return };
        let package = package.clone();
        let kind = match progress {
            Progress::Started { with } => EventKind::PackageBuilding { package, with },
            Progress::Line(line) => EventKind::PackageOutput { package, line },
        };
        send(&events, None, kind);
    })
}

/// Counts, for the packages that the step brings, the commits to their folders since the ones that run were made.
pub fn count_commits(
    assets: &mut [AssetStep],
    step: &StackStep,
    record: Option<&StackRecord>,
    environment: &Environment,
    project: &Path,
) {
    for asset in assets.iter_mut().filter(|asset| asset.needed_by.contains(&step.stack)) {
        let Asset::Package(package) = &mut asset.asset else { continue };
        let before = record.and_then(|record| record.packages.get(&asset.name)?.made_from.git_commit.as_deref());
        let after = package.made_from.git_commit.as_deref();
        if let (None, Some(before), Some(after), Some(folder)) =
            (package.commits, before, after, sources(project, environment, &asset.name))
        {
            package.commits = surroundings::commits_between(project, before, after, &folder);
        }
    }
}

/// The part of the project that a package is made from, here or where it is proven.
fn sources(project: &Path, environment: &Environment, name: &str) -> Option<String> {
    match &environment.packages.get(name)?.source {
        PackageSource::Folder(folder) => Some(folder.folder.value.clone()),
        PackageSource::Promoted(from) => {
            let (other, _) = environment::load(project, &from.value).ok()?;
            match &other.packages.get(name)?.source {
                PackageSource::Folder(folder) => Some(folder.folder.value.clone()),
                PackageSource::Promoted(_) => None,
            }
        }
    }
}

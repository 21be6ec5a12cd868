//! Images and packages that another environment has proven: which one it runs, read from its state and from nothing else.
//!
//! The other environment is only read: its account, region and bucket are its own; these credentials read them, or the role
//! that it names for readers of other accounts.

use super::session::Session;
use crate::apply::Events;
use crate::aws::Aws;
use crate::environment;
use crate::error::{Error, Kind, Result};
use crate::image::registry::{Reference, ecr};
use crate::model::{
    Environment, Image, MadeFrom, PackagePromotion, PackageSource, PromotedImage, Promotion, State, Target,
};
use crate::state::{LocalCopy, StateStore};
use std::collections::{BTreeMap, BTreeSet};

/// An image as it runs elsewhere.
#[derive(Debug, Clone)]
pub struct Proven {
    pub digest: String,
    pub made_from: MadeFrom,
    pub from: Promotion,
}

/// A package as it runs elsewhere.
#[derive(Debug, Clone)]
pub struct ProvenPackage {
    pub digest: String,
    pub made_from: MadeFrom,
    pub from: PackagePromotion,
}

/// The images of these names that come from other environments, as those have them now.
///
/// # Errors
/// One of them was never applied, does not know the image, or cannot be read with these credentials.
pub async fn resolve(
    session: &Session<'_>,
    environment: &Environment,
    names: &BTreeSet<String>,
    events: &Events,
) -> Result<BTreeMap<String, Proven>> {
    let mut proven = BTreeMap::new();
    for (from, images) in wanted(environment, names) {
        let (other, state) = read(session, environment, from, events).await?;
        for name in images {
            proven.insert(name.to_owned(), of_state(&state, &other, environment, name)?);
        }
    }
    Ok(proven)
}

/// The same for packages.
pub async fn resolve_packages(
    session: &Session<'_>,
    environment: &Environment,
    names: &BTreeSet<String>,
    events: &Events,
) -> Result<BTreeMap<String, ProvenPackage>> {
    let mut proven = BTreeMap::new();
    for (from, packages) in wanted_packages(environment, names) {
        let (other, state) = read(session, environment, from, events).await?;
        for name in packages {
            proven.insert(name.to_owned(), package_of_state(&state, &other, environment, name)?);
        }
    }
    Ok(proven)
}

/// The other environment, and its state as it is now.
async fn read(
    session: &Session<'_>,
    environment: &Environment,
    from: &str,
    events: &Events,
) -> Result<(Environment, State)> {
    let (other, _) = environment::load(&session.project, from)?;
    if other.local != environment.local {
        let message = format!(
            "environment `{}` takes images or packages from `{from}`, and one of the two is local",
            environment.name
        );
        return Err(Error::new(Kind::Configuration, message)
            .detail("what lies on the embedded AWS is not on the other one")
            .into());
    }
    let aws: Aws = match other.local {
        true => session.aws_of(&other, events).await?,
        false => session.aws(&environment.region, events).await,
    };
    let store = match reader(&other, environment) {
        // The embedded AWS is reached as the other account anyhow.
        Some(role) if !other.local => StateStore::read_as(&aws, &other, &role),
        _ => StateStore::new(&aws, &other),
    };
    let state = match store.read().await {
        Ok(snapshot) => snapshot.map(|snapshot| snapshot.state),
        Err(error) if error.kind == Kind::NotBootstrapped => None,
        Err(error) if error.kind == Kind::AccessDenied => return Err(unreadable(&other, error).into()),
        Err(error) => return Err(error.into()),
    };
    let state = state.ok_or_else(|| never_applied(&other))?;
    Ok((other, state))
}

/// The same from what this machine last saw of the other environments. What it does not know stays unknown.
pub fn last_known(
    session: &Session,
    environment: &Environment,
    names: &BTreeSet<String>,
) -> Result<BTreeMap<String, Proven>> {
    let mut proven = BTreeMap::new();
    for (from, images) in wanted(environment, names) {
        let (other, _) = environment::load(&session.project, from)?;
        let Some(state) = LocalCopy::find(&session.project, &other)?.and_then(|copy| copy.state) else { continue };
        for name in images {
            proven.extend(of_state(&state, &other, environment, name).ok().map(|image| (name.to_owned(), image)));
        }
    }
    Ok(proven)
}

/// The same for packages.
pub fn last_known_packages(
    session: &Session,
    environment: &Environment,
    names: &BTreeSet<String>,
) -> Result<BTreeMap<String, ProvenPackage>> {
    let mut proven = BTreeMap::new();
    for (from, packages) in wanted_packages(environment, names) {
        let (other, _) = environment::load(&session.project, from)?;
        let Some(state) = LocalCopy::find(&session.project, &other)?.and_then(|copy| copy.state) else { continue };
        for name in packages {
            let package = package_of_state(&state, &other, environment, name).ok();
            proven.extend(package.map(|package| (name.to_owned(), package)));
        }
    }
    Ok(proven)
}

/// Environments, and which of their packages are asked for.
fn wanted_packages<'e>(environment: &'e Environment, names: &BTreeSet<String>) -> BTreeMap<&'e str, Vec<&'e str>> {
    let mut wanted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, package) in environment.packages.iter().filter(|(name, _)| names.contains(*name)) {
        if let PackageSource::Promoted(from) = &package.source {
            wanted.entry(&from.value).or_default().push(name);
        }
    }
    wanted
}

/// What the environment's functions run under this name.
fn package_of_state(
    state: &State,
    other: &Environment,
    environment: &Environment,
    name: &str,
) -> Result<ProvenPackage, Error> {
    let mut found = BTreeMap::new();
    for (stack, record) in &state.stacks {
        if let Some(package) = record.packages.get(name) {
            found.insert(package.digest.as_str(), (stack, package));
        }
    }
    let mut found = found.into_iter();
    let Some((digest, (_, package))) = found.next() else { return Err(unknown_package(state, other, name)) };
    if let Some((second, (stack, _))) = found.next() {
        let message = format!("environment `{}` runs two packages `{name}`", other.name);
        return Err(Error::new(Kind::Other, message)
            .detail(digest.to_owned())
            .detail(format!("{second}, in stack `{stack}`"))
            .hint(format!("apply it as a whole first: infra apply --env {}", other.name)));
    }
    let role = package.target.role.clone().or_else(|| role_into(other, environment, &package.target.account));
    Ok(ProvenPackage {
        digest: package.digest.clone(),
        made_from: package.made_from.clone(),
        from: PackagePromotion {
            environment: other.name.clone(),
            bucket: package.bucket.clone(),
            key: package.key.clone(),
            target: Target { role, ..package.target.clone() },
        },
    })
}

fn unknown_package(state: &State, other: &Environment, name: &str) -> Error {
    let known: BTreeSet<&str> =
        state.stacks.values().flat_map(|record| record.packages.keys().map(String::as_str)).collect();
    let error = Error::new(Kind::Other, format!("environment `{}` runs no package `{name}`", other.name));
    let error = match known.is_empty() {
        true => error.detail("its stacks run none at all"),
        false => error.detail(format!("it runs {}", known.into_iter().collect::<Vec<_>>().join(", "))),
    };
    error.hint(format!("apply it with that package first: infra apply --env {}", other.name))
}

/// Environments, and which of their images are asked for.
fn wanted<'e>(environment: &'e Environment, names: &BTreeSet<String>) -> BTreeMap<&'e str, Vec<&'e str>> {
    let mut wanted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, image) in environment.images.iter().filter(|(name, _)| names.contains(*name)) {
        if let Image::Promoted(PromotedImage { environment: from, .. }) = image {
            wanted.entry(&from.value).or_default().push(name);
        }
    }
    wanted
}

/// What the environment's stacks run under this name.
fn of_state(state: &State, other: &Environment, environment: &Environment, name: &str) -> Result<Proven, Error> {
    let mut found = BTreeMap::new();
    for (stack, record) in &state.stacks {
        if let Some(reference) = record.images.get(name) {
            found.insert(reference.as_str(), (stack, record));
        }
    }
    let mut found = found.into_iter();
    let Some((reference, (_, record))) = found.next() else { return Err(unknown(state, other, name)) };
    if let Some((second, (stack, _))) = found.next() {
        let message = format!("environment `{}` runs two images `{name}`", other.name);
        return Err(Error::new(Kind::Other, message)
            .detail(reference.to_owned())
            .detail(format!("{second}, in stack `{stack}`"))
            .hint(format!("apply it as a whole first: infra apply --env {}", other.name)));
    }
    let Some((_, digest)) = reference.rsplit_once('@') else {
        let message = format!("environment `{}` names the image `{name}` without a digest: {reference}", other.name);
        return Err(Error::new(Kind::State, message));
    };
    Ok(Proven {
        digest: digest.to_owned(),
        made_from: record.made_from.get(name).cloned().unwrap_or_default(),
        from: Promotion {
            environment: other.name.clone(),
            reference: reference.to_owned(),
            role: role(other, environment, reference),
        },
    })
}

/// The way into the account that the image lies in.
fn role(other: &Environment, environment: &Environment, reference: &str) -> Option<String> {
    let host = reference.parse::<Reference>().ok()?.host;
    let (account, _) = ecr::place(&host)?;
    role_into(other, environment, &account)
}

/// Into the other environment's own account as its reader, into others by the role of a stack that lives there.
fn role_into(other: &Environment, environment: &Environment, account: &str) -> Option<String> {
    if account == environment.account {
        return None;
    }
    if account == other.account
        && let Some(reader) = reader(other, environment)
    {
        return Some(reader);
    }
    let mut stacks = other.stacks.values().filter(|stack| stack.target.account == account);
    stacks.find_map(|stack| stack.target.role.clone())
}

/// The role to read the other environment as; none where it is in the same account, or names none.
fn reader(other: &Environment, environment: &Environment) -> Option<String> {
    if other.account == environment.account {
        return None;
    }
    // On the embedded AWS every role is there.
    let anybody = || other.local.then(|| format!("arn:aws:iam::{}:role/reader", other.account));
    other.reader.clone().or_else(anybody)
}

fn never_applied(other: &Environment) -> Error {
    let name = &other.name;
    Error::new(Kind::Other, format!("environment `{name}` has never been applied: nothing of it is proven"))
        .detail(format!("there is no state of {}/{name} in {}", other.project, other.state.bucket))
        .hint(format!("apply it first: infra apply --env {name}"))
}

fn unknown(state: &State, other: &Environment, name: &str) -> Error {
    let known: BTreeSet<&str> =
        state.stacks.values().flat_map(|record| record.images.keys().map(String::as_str)).collect();
    let error = Error::new(Kind::Other, format!("environment `{}` runs no image `{name}`", other.name));
    let error = match known.is_empty() {
        true => error.detail("its stacks run none at all"),
        false => error.detail(format!("it runs {}", known.into_iter().collect::<Vec<_>>().join(", "))),
    };
    error.hint(format!("apply it with that image first: infra apply --env {}", other.name))
}

fn unreadable(other: &Environment, error: Error) -> Error {
    let name = &other.name;
    let message = format!("what environment `{name}` runs cannot be read: {}", error.message);
    let told = error.details.iter().fold(Error::new(error.kind, message), |told, detail| told.detail(detail.clone()));
    let told = told.hint(format!(
        "these credentials need s3:GetObject on {}/{}/{name}/*, and to pull from its repositories (account {})",
        other.state.bucket, other.project, other.account
    ));
    match &other.reader {
        Some(role) => told.hint(format!("or to be allowed to assume {role}, which needs the same")),
        None => told.hint(format!(
            "or a role of that account that may: `state: {{reader: arn:aws:iam::{}:role/…}}` in environments/{name}.yaml",
            other.account
        )),
    }
}

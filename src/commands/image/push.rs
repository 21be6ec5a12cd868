//! `infra image push`: from an OCI layout on this machine to a repository.

use super::super::images;
use super::super::session::Session;
use super::super::surroundings;
use super::place::{self, Place};
use crate::apply::teller;
use crate::error::{Error, Kind, Result};
use crate::image::layout::{Check, Layout};
use crate::image::push::{Destination, Source, push};
use crate::image::registry::{Reference, is_tag};
use crate::model::{Environment, Image};
use crate::problem::nearest;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Push an image to a repository, by digest
///
/// Only what the repository lacks is sent: layers in parallel, streamed from disk, resumed where a connection broke. The
/// image is tagged with the git commit of a clean work tree; tags are labels, nothing takes an image by them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The image: one of the environment's, made as a plan would make it; or the folder of an OCI layout
    image: String,

    /// Where to: a repository of the environment's account, or HOST/REPOSITORY of any registry; by default the
    /// environment's own, PROJECT/ENVIRONMENT/IMAGE
    #[arg(long, value_name = "REPOSITORY")]
    to: Option<String>,

    /// Tag it so as well; may be given more than once
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,

    /// Do not tag it with the git commit
    #[arg(long)]
    no_commit_tag: bool,
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let tags = tags(&args, session)?;
    let reference = args.to.as_deref().and_then(|to| to.parse::<Reference>().ok());
    let environment = match &reference {
        Some(_) if session.global.env.is_none() => None,
        _ => Some(session.environment()?),
    };
    let folder = match of_environment(&args.image, environment.as_ref()) {
        Some(environment) => made(session, environment, &args.image)?,
        None => folder(session, &args.image),
    };
    let layout = Layout::open(&folder).map_err(|error| not_there(error, &folder, &args.image, environment.as_ref()))?;
    let image = layout.load(&layout.entry(None)?, Check::Sizes)?;
    let region = match (&environment, &args.to) {
        (Some(environment), _) => environment.region.clone(),
        (None, to) => to.as_deref().and_then(place::region).unwrap_or_else(|| "us-east-1".to_owned()),
    };
    let mut name = String::new();
    let pushed = super::moving(session, async |events| {
        // Registries that are no AWS's are on the network, whatever the environment lives on.
        let in_its_aws = reference.is_none() || args.to.as_deref().and_then(place::region).is_some();
        let aws = match environment.as_ref().filter(|_| in_its_aws) {
            Some(environment) => session.aws_of(environment, events).await?,
            None => session.aws(&region, events).await,
        };
        if let Some(environment) = environment.as_ref().filter(|_| reference.is_none()) {
            aws.check_identity(environment).await?;
        }
        let Place { repository, immutable_tags } = match (&reference, &environment, &args.to) {
            (Some(reference), environment, _) => place::by_reference(&aws, environment.as_ref(), reference).await?,
            (None, Some(environment), to) => {
                let own = || format!("{}/{}/{}", environment.project, environment.name, args.image);
                place::by_name(&aws, environment, &to.clone().unwrap_or_else(own)).await?
            }
            (None, None, _) => return Err(Error::new(Kind::Usage, "no environment is named").into()),
        };
        name = repository.to_string();
        let to = Destination { repository, tags, immutable_tags, mount_from: Vec::new() };
        let tell = teller(events, &args.image);
        Ok(push(&Source::Layout(folder.clone()), &image.digest, &to, &tell).await?)
    })?;
    super::report(session, &format!("{name}@{}", pushed.digest), &pushed)?;
    Ok(ExitCode::SUCCESS)
}

/// The environment, if this is an image that it makes on this machine. A folder of the same name counts before it.
fn of_environment<'e>(image: &str, environment: Option<&'e Environment>) -> Option<&'e Environment> {
    let is_local = |environment: &&Environment| matches!(environment.images.get(image), Some(Image::Local(_)));
    environment.filter(|_| !Path::new(image).join("oci-layout").is_file()).filter(is_local)
}

/// Where the image lies once it is made.
fn made(session: &Session, environment: &Environment, image: &str) -> Result<PathBuf> {
    let names = BTreeSet::from([image.to_owned()]);
    let made = session.read(async |events| images::make(session, environment, &names, None, events).await)?;
    let local = made.into_values().next();
    Ok(local.map(|local| local.image.layout).unwrap_or_else(|| folder(session, image)))
}

/// What was named is neither a layout nor an image of the environment.
fn not_there(error: Error, folder: &Path, image: &str, environment: Option<&Environment>) -> Error {
    let Some(environment) = environment.filter(|_| !folder.exists()) else { return error };
    let of =
        format!("environment `{}` makes no image `{image}`, and {} is no folder", environment.name, folder.display());
    let made = environment.images.iter().filter(|(_, image)| matches!(image, Image::Local(_)));
    let made: Vec<&str> = made.map(|(name, _)| name.as_str()).collect();
    let taken = environment.images.contains_key(image);
    let missing = Error::new(Kind::Usage, of);
    match nearest(image, made.iter().copied()) {
        _ if taken => {
            missing.hint("it takes this image from elsewhere: `infra apply` brings it, `infra image copy` too")
        }
        Some(near) => missing.hint(format!("did you mean `{near}`?")),
        None if made.is_empty() => missing.hint("name the folder of an OCI layout"),
        None => missing.hint(format!("it makes {}; or name the folder of an OCI layout", made.join(", "))),
    }
}

/// A path is a path; a bare name is that of a layout of the project.
fn folder(session: &Session, image: &str) -> PathBuf {
    let path = Path::new(image);
    if path.components().count() > 1 || path.is_absolute() || path.join("oci-layout").is_file() {
        return path.to_owned();
    }
    session.project.join(".infra/images").join(image)
}

fn tags(args: &Args, session: &Session) -> Result<Vec<String>> {
    if let Some(wrong) = args.tags.iter().find(|tag| !is_tag(tag)) {
        return Err(Error::new(Kind::Usage, format!("`{wrong}` is no tag"))
            .hint("a tag has letters, digits, `_`, `.` and `-`, at most 128 of them")
            .into());
    }
    let mut tags = args.tags.clone();
    // With uncommitted changes the commit would name something else tomorrow.
    let commit = surroundings::git_commit(&session.project).filter(|commit| !commit.ends_with("-dirty"));
    tags.extend(commit.filter(|commit| !args.no_commit_tag && !tags.contains(commit)));
    Ok(tags)
}

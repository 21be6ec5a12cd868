//! `infra image list`: what the environment's repositories hold, and who uses it.

use super::super::session::Session;
use super::uses::{self, Known};
use crate::error::Result;
use crate::image::list::{self, Listed};
use crate::view::table::Table;
use serde_json::json;
use std::process::ExitCode;

/// List the images of the environment's repositories, and who uses them
///
/// An image is in use if the state of an environment of this project names it, or a running task does.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this repository, as ECR calls it; by default all that the environment's stacks have made
    repository: Option<String>,
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let environment = session.environment()?;
    let (repositories, unknown) = session.read(async |events| {
        let aws = session.aws_of(&environment, events).await?;
        aws.check_identity(&environment).await?;
        let Known { uses, unknown, state } = uses::look(session, &aws, &environment).await?;
        let mut repositories: Vec<(String, Vec<Listed>)> = Vec::new();
        for (name, target) in uses::repositories(&environment, state.as_ref(), args.repository.as_deref())? {
            let images = list::list(&aws, &target, &name, &uses).await?;
            repositories.push((name, images));
        }
        Ok((repositories, unknown))
    })?;
    for (name, why) in &unknown {
        session.view.note(&format!("What environment `{name}` uses is not known: {why}."));
    }
    let document: Vec<_> =
        repositories.iter().map(|(name, images)| json!({"repository": name, "images": images})).collect();
    session.view.table(&table(&repositories), &document)?;
    Ok(ExitCode::SUCCESS)
}

fn table(repositories: &[(String, Vec<Listed>)]) -> Table {
    let mut table = Table::new(["repository", "digest", "size", "pushed", "tags", "used by"], "No images.");
    for (name, images) in repositories {
        for image in images.iter().filter(|image| !image.is_part) {
            table.row([
                name.clone(),
                image.digest.short(),
                super::size(image.size_bytes),
                pushed(image),
                tags(image),
                used_by(image),
            ]);
        }
    }
    table
}

pub(super) fn pushed(image: &Listed) -> String {
    image.pushed_at.map(|at| at.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}

/// Commits are told by their beginnings.
pub(super) fn tags(image: &Listed) -> String {
    let short = |tag: &String| match tag.len() == 40 && tag.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => tag[..9].to_owned(),
        false => tag.clone(),
    };
    image.tags.iter().map(short).collect::<Vec<_>>().join(", ")
}

fn used_by(image: &Listed) -> String {
    let mut names: Vec<String> = image.used_by.iter().map(ToString::to_string).collect();
    names.dedup();
    names.join(", ")
}

//! `infra image build`: the images of an environment, as a plan makes them.

use crate::commands::images;
use crate::commands::session::Session;
use crate::error::{Error, Kind, Result};
use crate::image::builder::Builder;
use crate::model::{Environment, Image};
use crate::problem::nearest;
use crate::view::table::Table;
use serde_json::json;
use std::collections::BTreeSet;
use std::process::ExitCode;

/// Build images, or read them from their archives, as a plan would
///
/// What was built from the same files lies under .infra/images and is not built again. Needs no credentials.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only these images; all of the environment's by default
    #[arg(value_name = "IMAGE", add = super::super::completions::images())]
    names: Vec<String>,

    /// Build with this one, whatever the environment's file says
    #[arg(long, value_enum)]
    builder: Option<Builder>,
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let environment = session.environment()?;
    let names = chosen(&args.names, &environment)?;
    let made = session.read(async |events| images::make(session, &environment, &names, args.builder, events).await)?;
    let mut table = Table::new(["image", "digest", "bytes", "layout"], "No images to build.");
    for (name, local) in &made {
        let image = &local.image;
        let layout = image.layout.display().to_string();
        table.row([name.clone(), image.digest.to_string(), image.size_bytes.to_string(), layout]);
    }
    let document: serde_json::Map<String, serde_json::Value> =
        made.iter().map(|(name, local)| (name.clone(), json!(local.image))).collect();
    session.view.table(&table, &document)?;
    Ok(ExitCode::SUCCESS)
}

/// The images that are made here, all or those that were named.
fn chosen(names: &[String], environment: &Environment) -> Result<BTreeSet<String>, Error> {
    let is_local = |image: &Image| matches!(image, Image::Local(_));
    for name in names {
        match environment.images.get(name) {
            Some(image) if is_local(image) => {}
            Some(Image::Promoted(image)) => {
                let from = &image.environment.value;
                let message =
                    format!("the image `{name}` is taken from the environment `{from}`; there is nothing to build");
                return Err(Error::new(Kind::Usage, message)
                    .hint(format!("build it there: infra image build {name} --env {from}")));
            }
            Some(_) => {
                let message = format!("the image `{name}` is named by its digest; there is nothing to build");
                return Err(Error::new(Kind::Usage, message));
            }
            None => {
                let error = Error::new(Kind::Usage, format!("the environment has no image `{name}`"));
                let names: Vec<&str> = environment.images.keys().map(String::as_str).collect();
                return Err(match nearest(name, names.iter().copied()) {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None if names.is_empty() => error.hint("`images:` of its file names what is built"),
                    None => error.hint(format!("its images: {}", names.join(", "))),
                });
            }
        }
    }
    let local = environment.images.iter().filter(|(_, image)| is_local(image)).map(|(name, _)| name.clone());
    Ok(local.filter(|name| names.is_empty() || names.contains(name)).collect())
}

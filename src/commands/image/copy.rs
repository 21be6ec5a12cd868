//! `infra image copy`: the image that one account or region has, byte by byte the same in another one.

use super::super::session::Session;
use super::place;
use crate::apply::teller;
use crate::error::{Error, Kind, Result};
use crate::image::copy::copy;
use crate::image::push::Destination;
use crate::image::registry::Reference;
use std::process::ExitCode;

/// Copy an image to another repository, registry, account or region, by digest
///
/// What one environment runs gets to the next one without being built again. Layers stream from the one registry to the
/// other; what is there already stays. With --env, accounts are entered by the roles of that environment's stacks.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The image: HOST/REPOSITORY@sha256:… or HOST/REPOSITORY:TAG
    from: String,

    /// Where to: HOST/REPOSITORY, with :TAG to tag it there
    to: String,
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let from: Reference = args.from.parse()?;
    let to: Reference = args.to.parse()?;
    let wanted = match (&from.digest, &from.tag) {
        (Some(digest), _) => digest.to_string(),
        (None, Some(tag)) => tag.clone(),
        (None, None) => {
            return Err(Error::new(Kind::Usage, format!("`{from}` names a repository, not an image"))
                .hint("add @sha256:… or :TAG")
                .into());
        }
    };
    let environment = session.global.env.is_some().then(|| session.environment()).transpose()?;
    let region = place::region(&args.to).or_else(|| place::region(&args.from));
    let region = region.unwrap_or_else(|| "us-east-1".to_owned());
    let pushed = super::moving(session, async |events| {
        let aws = session.aws(&region, events).await;
        let source = place::by_reference(&aws, environment.as_ref(), &from).await?;
        let target = place::by_reference(&aws, environment.as_ref(), &to).await?;
        let destination = Destination {
            repository: target.repository,
            tags: to.tag.iter().cloned().collect(),
            immutable_tags: target.immutable_tags,
            mount_from: Vec::new(),
        };
        Ok(copy(&source.repository, &wanted, &destination, &teller(events, &to.repository)).await?)
    })?;
    if let Some(other) = to.digest.filter(|digest| *digest != pushed.digest) {
        return Err(Error::new(Kind::Other, format!("what was copied is {}, not {other}", pushed.digest)).into());
    }
    super::report(session, &format!("{}@{}", to.name(), pushed.digest), &pushed)?;
    Ok(ExitCode::SUCCESS)
}

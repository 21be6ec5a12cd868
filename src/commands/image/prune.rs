//! `infra image prune`: images that nobody uses, shown, approved and removed.

use super::super::session::Session;
use super::uses::{self, Known};
use crate::aws::Aws;
use crate::error::{Error, Kind, Result};
use crate::image::list;
use crate::image::prune::{Pruning, choose, prune};
use crate::model::{Environment, Target};
use crate::view::progress::Stdout;
use crate::view::table::Table;
use serde_json::json;
use std::process::ExitCode;

/// Remove images that nobody uses
///
/// Shows what would go, and asks. What the state of an environment of this project or a running task names always stays,
/// and so do the newest images, to go back to. Who uses what is looked at once more before anything is removed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this repository, as ECR calls it; by default all that the environment's stacks have made
    repository: Option<String>,

    /// Keep so many of the newest images in each repository
    #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    keep: u32,

    /// Go on although it is not known what this environment uses: none of these images, you say
    #[arg(long = "without", value_name = "ENVIRONMENT")]
    without: Vec<String>,

    /// Only show what would go
    #[arg(long)]
    dry_run: bool,

    /// Do not ask for approval
    #[arg(short, long)]
    yes: bool,
}

/// What would go from one repository.
struct Chosen {
    repository: String,
    target: Target,
    pruning: Pruning,
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let environment = session.environment()?;
    session.block_on(async {
        let (events, listener) = session.view.listen(Stdout::Document);
        let aws = session.aws_of(&environment, &events).await?;
        aws.check_identity(&environment).await?;
        let chosen = look(session, &aws, &environment, &args).await?;
        listener.pause().await;
        show(session, &chosen)?;
        let count: usize = chosen.iter().map(|chosen| chosen.pruning.remove.len()).sum();
        if count > 0 && !args.dry_run {
            if !args.yes {
                let without = session.command("image prune --yes");
                session.view.approve(&format!("Remove {count} images?"), &without).await?;
            }
            // Somebody may have deployed one of them while the question stood.
            let now = look(session, &aws, &environment, &args).await?;
            let mut gone = 0;
            for Chosen { repository, target, pruning } in now {
                let approved = chosen.iter().find(|chosen| chosen.repository == repository && chosen.target == target);
                if let Some(approved) = approved {
                    let pruning = pruning.but_only(&approved.pruning);
                    gone += prune(&aws.ecr(&target), &repository, &pruning).await?.len();
                }
            }
            session.view.note(&format!("{gone} images removed."));
        }
        drop(events);
        listener.finish().await;
        Ok(ExitCode::SUCCESS)
    })
}

async fn look(session: &Session<'_>, aws: &Aws, environment: &Environment, args: &Args) -> Result<Vec<Chosen>> {
    let Known { uses, unknown, state } = uses::look(session, aws, environment).await?;
    if let Some((name, why)) = unknown.iter().find(|(name, _)| !args.without.contains(name)) {
        return Err(Error::new(Kind::Other, format!("it is not known which images environment `{name}` uses"))
            .detail(why.clone())
            .hint(format!("if it uses none of these repositories, say so: --without {name}"))
            .into());
    }
    let mut chosen = Vec::new();
    for (repository, target) in uses::repositories(environment, state.as_ref(), args.repository.as_deref())? {
        let images = list::list(aws, &target, &repository, &uses).await?;
        let pruning = choose(&images, usize::try_from(args.keep).unwrap_or(usize::MAX));
        chosen.push(Chosen { repository, target, pruning });
    }
    Ok(chosen)
}

fn show(session: &Session, chosen: &[Chosen]) -> Result<()> {
    let mut table = Table::new(["repository", "remove", "size", "pushed", "tags"], "Every image is in use or new.");
    for Chosen { repository, pruning, .. } in chosen {
        for image in pruning.remove.iter().filter(|image| !image.is_part) {
            table.row([
                repository.clone(),
                image.digest.short(),
                super::size(image.size_bytes),
                super::list::pushed(image),
                super::list::tags(image),
            ]);
        }
    }
    let document: Vec<_> = chosen
        .iter()
        .map(|Chosen { repository, pruning, .. }| {
            json!({
                "repository": repository,
                "remove": pruning.remove,
                "kept": pruning.keep.len(),
                "bytes": pruning.bytes(),
            })
        })
        .collect();
    session.view.table(&table, &document)
}

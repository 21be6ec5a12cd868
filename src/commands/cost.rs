//! `infra cost`: what a month of an environment costs, line by line, from its files alone.

use super::planning;
use super::session::Session;
use crate::cost::refresh::{Renewed, renew};
use crate::cost::{Sheets, estimate};
use crate::error::Result;
use crate::inventory;
use crate::model::{Environment, RenderedStack};
use crate::view::cost::{Basis, Document};
use std::collections::BTreeSet;
use std::process::ExitCode;

/// Estimate what a month costs, line by line
///
/// From templates, dated prices and figures of use (`usage` in the environment's file): quantity × price for every
/// resource, in USD, without free tiers and without tax. Nothing needs to exist, and nothing is asked of AWS. What costs
/// nothing is counted, what has no known price is listed and is in no sum.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Read today's prices in AWS's price list first and keep them in the project's prices/ (needs credentials)
    #[arg(long)]
    refresh: bool,
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let (environment, stacks) = planning::wanted(session)?;
    if args.refresh {
        let renewed = refresh(session, &environment, &stacks)?;
        renewed.iter().for_each(|renewed| session.view.note(&renewed.to_string()));
    }
    let sheets = Sheets::open(&session.project)?;
    let estimate = estimate(&inventory::of_stacks(&stacks), &sheets, &environment.usage);
    let basis = Basis { project: &environment.project, environment: &environment.name };
    session.view.cost(&Document::new(basis, &estimate))?;
    Ok(ExitCode::SUCCESS)
}

/// The sheets of the environment's regions, written anew from the price list.
fn refresh(session: &Session, environment: &Environment, stacks: &[RenderedStack]) -> Result<Vec<Renewed>> {
    let regions: BTreeSet<&str> = stacks.iter().map(|stack| stack.target.region.as_str()).collect();
    session.read(async |events| {
        let aws = match environment.local {
            true => session.aws_of(environment, events).await?,
            false => session.aws(&environment.region, events).await,
        };
        let mut renewed = Vec::new();
        for region in regions {
            renewed.push(renew(&aws.pricing(), &session.project, region).await?);
        }
        Ok(renewed)
    })
}

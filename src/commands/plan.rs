//! `infra plan`: what apply would do. Reads only.

use super::assets::{self, Buckets};
use super::diagram::{self, Language};
use super::images;
use super::planning::{self, Aim, Imports, Limits, Making};
use super::policies;
use super::session::Session;
use crate::error::Result;
use crate::files;
use crate::model::{Deployed, Environment, RenderedStack};
use crate::observe;
use crate::plan::{self, Found, Options, Plan, Request, Scope};
use crate::state::LocalCopy;
use crate::view::plan::GITHUB_COMMENT_LIMIT;
use crate::view::sarif;
use anyhow::Context;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

/// Show what apply would do
///
/// Reads the account and changes nothing. `+` is created, `~` changed in place, `-/+` replaced, `-` deleted, `<=`
/// imported; what `>` changes is known after apply.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    limits: Limits,

    #[command(flatten)]
    imports: Imports,

    #[command(flatten)]
    making: Making,

    /// Save the plan for `infra apply FILE`
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,

    /// Write the findings to a file as SARIF 2.1.0, for code scanning
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    sarif: Option<PathBuf>,

    /// Against the state that this machine last read or saved: needs no credentials, and sees nothing newer
    #[arg(long, conflicts_with_all = ["out", "import_existing"])]
    offline: bool,

    /// Draw the environment with what changes coloured: a file that ends in .svg, .mmd or .dot
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    diagram: Option<PathBuf>,

    /// Exit with 2 where there are changes
    #[arg(long)]
    detailed_exitcode: bool,

    /// With --format markdown: at most so many characters (GitHub takes 65536 in a comment, 1048576 in a summary)
    #[arg(long, value_name = "CHARACTERS", default_value_t = GITHUB_COMMENT_LIMIT)]
    size_limit: usize,
}

/// There are changes, and --detailed-exitcode asked to be told.
const CHANGES: u8 = 2;

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let language = args.diagram.as_deref().map(Language::of).transpose()?;
    let (environment, wanted, checks) = planning::wanted_with_assets(session, args.making.builder, args.offline)?;
    let options = args.imports.options(args.limits.options());
    let plan = match args.offline {
        true => offline(session, &environment, &wanted, &options),
        false => online(session, &environment, &wanted, &options),
    };
    // What is wrong with the files comes before what went wrong on the way to the account.
    checks.finish(session)?;
    let mut plan = plan?;
    policies::judge(&session.project, &environment, &wanted, &options, &mut plan)?;
    if let Some(path) = &args.out {
        let text = plan.save(&wanted, &options)?;
        files::write_own(path, text.as_bytes())
            .with_context(|| format!("cannot save the plan as {}", path.display()))?;
    }
    if let (Some(path), Some(language)) = (&args.diagram, language) {
        let mut scene = diagram::scene(&environment, &wanted);
        crate::diagram::mark(&mut scene, &plan);
        diagram::save(path, &language.write(&scene))?;
    }
    if let Some(path) = &args.sarif {
        let category = format!("infra/plan/{}", environment.name);
        sarif::write(path, &session.project, &category, sarif::plan(&plan, &environment))?;
    }
    session.view.plan(&plan, args.size_limit)?;
    if let Some(path) = &args.out {
        let path = path.display();
        session
            .view
            .note(&format!("Saved as {path}. To do exactly this: {}", session.command(&format!("apply {path}"))));
    }
    Ok(match args.detailed_exitcode && plan.has_changes() {
        true => ExitCode::from(CHANGES),
        false => ExitCode::SUCCESS,
    })
}

fn online(session: &Session, environment: &Environment, wanted: &[RenderedStack], options: &Options) -> Result<Plan> {
    let (plan, kept) = session.read(async |events| {
        let account = session.connect(environment, events).await?;
        let mut facts = observe::look(&account.aws, &account.store, environment, wanted).await?;
        let state = facts.state.as_ref().map(|snapshot| &snapshot.state);
        let mut plan =
            planning::make(&account, environment, wanted, state, &mut facts.deployed, options, Aim::Reach).await?;
        images::count_commits(&mut plan, state, environment, &session.project);
        let bucket = Buckets::Asked(&account);
        assets::sites(&mut plan, environment, &session.project, state, &facts.deployed, bucket).await?;
        price(&mut plan, session, environment, wanted, &facts.deployed);
        let texts = planning::templates(wanted, &facts.deployed);
        Ok((plan, LocalCopy::keep(&session.project, environment, state, texts)))
    })?;
    if let Err(error) = kept {
        session.view.note(&planning::not_kept(&error));
    }
    Ok(plan)
}

fn offline(session: &Session, environment: &Environment, wanted: &[RenderedStack], options: &Options) -> Result<Plan> {
    let copy = LocalCopy::read(&session.project, environment)?;
    let state = copy.state.as_ref();
    observe::check_not_moved(wanted, state)?;
    let deployed = copy.deployed(environment, wanted)?;
    let minute = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let basis = match state {
        Some(state) => format!("serial {}, saved {}", state.serial, minute(state.written.at)),
        None => format!("an environment where nothing had been applied, as seen {}", minute(copy.copied_at)),
    };
    session.view.note(&format!("offline: against {basis}; what changed in the account since is not seen"));
    let read: BTreeSet<String> =
        wanted.iter().flat_map(plan::read_parameters).map(|(_, name)| format!("`{name}`")).collect();
    if !read.is_empty() {
        session.view.note(&format!(
            "offline: nobody knows what the SSM parameters hold now ({}); they are taken to hold what they held",
            read.into_iter().collect::<Vec<_>>().join(", ")
        ));
    }
    let scope = Scope::from(environment);
    let now = Timestamp::now();
    let (comparable, without) = copy.comparable(wanted);
    if !without.is_empty() {
        let stacks = without.join(", ");
        session.view.note(&format!("offline: whether secrets in the template of {stacks} change is not seen"));
    }
    let request = Request { scope: &scope, wanted: &comparable, deployed: &deployed, state, options, now };
    let mut plan = plan::plan(&request)?;
    let candidates = plan::candidates(&plan, state, &deployed, false);
    if !candidates.is_empty() {
        // What the state says was left behind counts as there, as all else that it says.
        let found: Vec<_> = candidates.into_iter().map(|candidate| (candidate, Found::There)).collect();
        let options = Options { existing: plan::joining(&found), ..options.clone() };
        plan = plan::plan(&Request { options: &options, ..request })?;
        plan.add_found(&found);
    }
    images::count_commits(&mut plan, state, environment, &session.project);
    let sites = assets::sites(&mut plan, environment, &session.project, state, &deployed, Buckets::Remembered);
    session.block_on(sites)?;
    price(&mut plan, session, environment, wanted, &deployed);
    Ok(plan)
}

/// A plan is a plan without its cost, too.
fn price(
    plan: &mut Plan,
    session: &Session,
    environment: &Environment,
    wanted: &[RenderedStack],
    deployed: &BTreeMap<String, Deployed>,
) {
    match planning::cost_of(plan, &session.project, environment, wanted, deployed) {
        Ok(cost) => plan.cost = cost,
        Err(error) => session.view.note(&planning::not_priced(&error)),
    }
}

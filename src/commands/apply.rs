//! `infra apply`: makes the account what the files say, or does exactly what a saved plan says.

use super::changing::{self, Grip, Manner, Operation, change};
use super::checks::Checks;
use super::planning::{self, Imports, Limits, Making};
use super::session::Session;
use crate::catalog::Catalog;
use crate::environment;
use crate::error::{Error, Kind, Result, find};
use crate::files;
use crate::model::Environment;
use crate::observe;
use crate::plan::{self, AssetAction, Plan, Scope, stale, stale_error};
use crate::render::render;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Make the account what the files say
///
/// Plans, shows the plan, asks, and does it: each stack as soon as what it needs is done, under a lock. With FILE it does
/// exactly what that saved plan says, and refuses where anything has changed since.
///
/// Killed, interrupted or failed: run it again, and it carries on. The first Ctrl-C starts nothing new and waits for what
/// runs, the second stops waiting.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A plan that `infra plan -o FILE` saved
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with_all = ["targets", "allow_replace", "allow", "allow_destroy", "empty", "import_existing", "builder"])]
    plan: Option<PathBuf>,

    #[command(flatten)]
    limits: Limits,

    #[command(flatten)]
    imports: Imports,

    #[command(flatten)]
    making: Making,

    #[command(flatten)]
    manner: Manner,
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    match &args.plan {
        Some(path) => saved(path, &args.manner, session),
        None => fresh(&args, session),
    }
}

fn fresh(args: &Args, session: &Session) -> Result<ExitCode> {
    let (environment, wanted, checks) = planning::wanted_with_assets(session, args.making.builder, false)?;
    checks.finish(session)?;
    let options = args.imports.options(args.limits.options());
    let words = format!("apply{}{}", args.limits.words(), args.imports.words());
    change(session, &environment, &args.manner, &operation(&environment, words), async |grip: Grip<'_>| {
        planning::under_lock(&grip, &environment, &wanted, &options, planning::Aim::Reach).await
    })
}

fn saved(path: &Path, manner: &Manner, session: &Session) -> Result<ExitCode> {
    let mut saved = Plan::load(&std::fs::read_to_string(path).map_err(|error| unread(path, &error, session))?)?;
    let plan = &saved.plan;
    if let Some(named) = session.global.env.as_deref().filter(|named| *named != plan.environment) {
        return Err(changing::other_environment(named, &plan.environment).into());
    }
    let environment = session.environment_named(&plan.environment)?;
    let moved = elsewhere(plan, &environment);
    if !moved.is_empty() {
        return Err(stale_error(plan, moved).into());
    }
    if saved.lacks_secrets() {
        saved.restore_secrets(&render(&environment, &Catalog::open(&session.project))?)?;
    }
    let plan = &saved.plan;
    let targets = environment.stacks.values().map(|stack| (stack.name.clone(), stack.target.clone())).collect();
    let misfits = plan::misfits(&saved, &Scope::from(&environment), &targets);
    if !misfits.is_empty() {
        return Err(plan::misfit_error(plan, misfits).into());
    }
    let wanted = saved.wanted();
    Checks::start(&session.project, &wanted).finish(session)?;
    let words = format!("apply {}", path.display());
    change(session, &environment, manner, &operation(&environment, words), async |grip: Grip<'_>| {
        let state = grip.state.state();
        let known = (state.serial > 0).then_some(&*state);
        let deployed = observe::deployed(&grip.account.aws, &environment, &wanted, known).await?;
        let reasons = stale(plan, known, &deployed);
        if !reasons.is_empty() {
            return Err(stale_error(plan, reasons).into());
        }
        let options = saved.options();
        let anew = planning::under_lock(&grip, &environment, &wanted, &options, planning::Aim::Reach).await?;
        let differences = plan::differences(&saved, &anew);
        if !differences.is_empty() {
            return Err(plan::misfit_error(plan, differences).into());
        }
        Ok(carried_out(plan, anew))
    })
    .map_err(|error| match find(&error) {
        Some(_) => error,
        None => error.context(format!("the plan {} was not applied", path.display())),
    })
}

/// The plan that was made anew. What was there when the saved one was made and is gone since is told as such.
fn carried_out(saved: &Plan, mut anew: Plan) -> Plan {
    for asset in &mut anew.assets {
        let before = saved.assets.iter().find(|before| before.id == asset.id);
        if before.is_some_and(|before| before.action == AssetAction::Nothing) && asset.site().is_none() {
            asset.action = AssetAction::Nothing;
        }
    }
    anew
}

/// A name without `--env` before it is taken for a plan's.
fn unread(path: &Path, error: &std::io::Error, session: &Session) -> Error {
    let read = Error::new(Kind::Other, format!("cannot read the plan {}: {}", path.display(), files::reason(error)));
    let name = path.to_str().unwrap_or_default();
    let listed = environment::list(&session.project).unwrap_or_default();
    match listed.iter().any(|listed| listed.name == name) {
        true => read.hint(format!("for the environment of this name: infra apply --env {name}")),
        false => read.hint("`infra plan --env NAME -o FILE` saves a plan; without a file, apply makes its own"),
    }
}

/// The environment's file has moved since.
fn elsewhere(plan: &Plan, environment: &Environment) -> Vec<String> {
    let planned = [&plan.project, &plan.account, &plan.region];
    let now = [&environment.project, &environment.account, &environment.region];
    let pairs = ["project", "account", "region"].into_iter().zip(planned.into_iter().zip(now));
    pairs
        .filter(|(_, (planned, now))| planned != now)
        .map(|(what, (planned, now))| format!("the environment's {what} was {planned} and is {now} now"))
        .collect()
}

fn operation(environment: &Environment, words: String) -> Operation {
    Operation {
        name: "apply".to_owned(),
        past: "Applied",
        question: changing::question("Apply this plan to", environment),
        nothing: None,
        words,
    }
}

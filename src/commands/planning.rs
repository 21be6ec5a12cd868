//! From files and account to a plan: what `plan`, `apply`, `destroy` and `rollback` have in common.

use super::assets::{self, Buckets};
use super::changing::Grip;
use super::checks::Checks;
use super::images;
use super::packages;
use super::policies;
use super::session::{Account, Session};
use crate::apply::{EventKind, send, settle};
use crate::catalog::Catalog;
use crate::cost;
use crate::error::{Error, Result};
use crate::files;
use crate::image::builder::{Builder, Choice};
use crate::model::{Deployed, Environment, RenderedStack, State};
use crate::observe;
use crate::plan::{self, CostChange, Options, Plan, Request, Scope};
use crate::render::render;
use crate::state::LocalCopy;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;

/// Words for what destroys data.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Removal {
    /// Replace or remove this stateful resource although its environment is protected: STACK.RESOURCE
    #[arg(long, value_name = "STACK.RESOURCE")]
    allow_replace: Vec<String>,

    /// Accept this finding although its environment is protected: CODE:STACK.RESOURCE, as the finding says it
    #[arg(long, value_name = "CODE:STACK.RESOURCE")]
    allow: Vec<String>,

    /// Delete stacks although their environment is protected
    #[arg(long)]
    allow_destroy: bool,

    /// Delete what this bucket or repository holds before its stack is deleted: STACK.RESOURCE
    #[arg(long, value_name = "STACK.RESOURCE")]
    empty: Vec<String>,
}

/// What a plan looks at, and which words are said beforehand.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Limits {
    /// Only this stack and what it needs; may be given more than once
    #[arg(long = "target", value_name = "STACK", add = super::completions::stacks())]
    targets: Vec<String>,

    #[command(flatten)]
    removal: Removal,
}

/// What joins its stack although it exists already and was never this environment's.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct Imports {
    /// Take what exists already under its very name into its stack, whoever made it, where it is kept when its stack goes
    /// (DeletionPolicy Retain). What this environment itself left behind joins its stack without that
    #[arg(long)]
    import_existing: bool,
}

impl Imports {
    pub fn options(self, options: Options) -> Options {
        Options { import_existing: self.import_existing, ..options }
    }

    /// As it was typed, after a space.
    pub fn words(self) -> &'static str {
        if self.import_existing { " --import-existing" } else { "" }
    }
}

/// How images are made.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Making {
    /// Build images with this one, whatever the environment's file says
    #[arg(long, value_enum)]
    pub builder: Option<Builder>,
}

impl Removal {
    pub fn options(&self) -> Options {
        Options {
            targets: Vec::new(),
            allow_replace: self.allow_replace.iter().cloned().collect(),
            allow: self.allow.iter().cloned().collect(),
            allow_destroy: self.allow_destroy,
            empty: self.empty.iter().cloned().collect(),
            ..Options::default()
        }
    }

    /// As they were typed, each after a space.
    pub fn words(&self) -> String {
        let replace = self.allow_replace.iter().map(|one| format!(" --allow-replace {one}"));
        let destroy = self.allow_destroy.then(|| " --allow-destroy".to_owned());
        let allow = self.allow.iter().map(|one| format!(" --allow {one}"));
        let empty = self.empty.iter().map(|one| format!(" --empty {one}"));
        replace.chain(allow).chain(destroy).chain(empty).collect()
    }
}

impl Limits {
    pub fn options(&self) -> Options {
        Options { targets: self.targets.clone(), ..self.removal.options() }
    }

    /// As they were typed, each after a space.
    pub fn words(&self) -> String {
        self.targets.iter().map(|target| format!(" --target {target}")).chain([self.removal.words()]).collect()
    }
}

/// Which plan is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// The account becomes what is wanted.
    Reach,
    /// It becomes what it was; files of sites stay as they are.
    Return,
    /// The same as the first, but nothing goes up.
    Rehearse,
    /// Everything goes.
    Destroy,
}

/// The environment and its stacks, from the files.
pub fn wanted(session: &Session) -> Result<(Environment, Vec<RenderedStack>)> {
    let environment = session.environment()?;
    let stacks = render(&environment, &Catalog::open(&session.project))?;
    Ok((environment, stacks))
}

/// The same, with the images and packages that the stacks name made: what a plan to be applied is made from. What
/// `validate` finds in the templates is being looked for meanwhile.
pub fn wanted_with_assets(
    session: &Session,
    builder: Choice,
    offline: bool,
) -> Result<(Environment, Vec<RenderedStack>, Checks)> {
    let (environment, mut stacks) = wanted(session)?;
    let checks = Checks::start(&session.project, &stacks);
    images::fill(session, &environment, &mut stacks, builder, offline)?;
    packages::fill(session, &environment, &mut stacks, offline)?;
    Ok((environment, stacks, checks))
}

/// The plan, once the templates that it must compare with have been fetched.
pub async fn make(
    account: &Account,
    environment: &Environment,
    wanted: &[RenderedStack],
    state: Option<&State>,
    deployed: &mut BTreeMap<String, Deployed>,
    options: &Options,
    aim: Aim,
) -> Result<Plan> {
    let scope = Scope::from(environment);
    let now = Timestamp::now();
    let options = match aim {
        Aim::Reach | Aim::Return | Aim::Rehearse => {
            observe::complete(&account.aws, &scope, wanted, state, deployed, options).await?
        }
        Aim::Destroy => {
            let all = deployed.keys().cloned().collect();
            observe::fetch_templates(&account.aws, deployed, &all).await?;
            options.clone()
        }
    };
    let request = Request { scope: &scope, wanted, deployed, state, options: &options, now };
    let mut plan = match aim {
        Aim::Reach | Aim::Return | Aim::Rehearse => plan::plan(&request)?,
        Aim::Destroy => plan::plan_destroy(&request),
    };
    let candidates = plan::candidates(&plan, state, deployed, options.import_existing);
    if !candidates.is_empty() {
        let found = observe::existing(&account.aws, candidates).await?;
        let options = Options { existing: plan::joining(&found), ..options.clone() };
        plan = plan::plan(&Request { options: &options, ..request })?;
        plan.add_found(&found);
    }
    if aim != Aim::Rehearse {
        assets::settle(&mut plan, account, deployed).await;
        let obstacles = observe::obstacles(&account.aws, &plan::deletions(&plan, deployed)).await?;
        plan.add_obstacles(&obstacles, &options.empty);
    }
    Ok(plan)
}

/// The plan while the lock is held: what others have begun in the account is waited for first.
pub async fn under_lock(
    grip: &Grip<'_>,
    environment: &Environment,
    wanted: &[RenderedStack],
    options: &Options,
    aim: Aim,
) -> Result<Plan> {
    let aws = &grip.account.aws;
    let state = grip.state.state();
    let known = (state.serial > 0).then_some(&*state);
    let mut deployed = observe::deployed(aws, environment, wanted, known).await?;
    while settle(aws, &deployed, grip.events, &environment.apply).await? {
        deployed = observe::deployed(aws, environment, wanted, known).await?;
    }
    let mut plan = make(grip.account, environment, wanted, known, &mut deployed, options, aim).await?;
    images::count_commits(&mut plan, known, environment, grip.project);
    match cost_of(&plan, grip.project, environment, wanted, &deployed) {
        Ok(cost) => plan.cost = cost,
        Err(error) => send(grip.events, None, EventKind::Note { message: not_priced(&error) }),
    }
    if aim != Aim::Destroy {
        policies::judge(grip.project, environment, wanted, options, &mut plan)?;
    }
    if aim == Aim::Reach {
        let bucket = Buckets::Asked(grip.account);
        assets::sites(&mut plan, environment, grip.project, known, &deployed, bucket).await?;
    }
    keep(grip, environment, known, templates(wanted, &deployed));
    Ok(plan)
}

/// What a plan changes in a month's cost, by the project's prices.
///
/// # Errors
/// A price sheet of the project cannot be read.
pub fn cost_of(
    plan: &Plan,
    project: &Path,
    environment: &Environment,
    wanted: &[RenderedStack],
    deployed: &BTreeMap<String, Deployed>,
) -> Result<Option<CostChange>, Error> {
    Ok(cost::difference(plan, wanted, deployed, &cost::Sheets::open(project)?, &environment.usage))
}

/// Nothing else depends on it.
pub fn not_priced(error: &Error) -> String {
    let details: Vec<&str> = error.details.iter().map(String::as_str).collect();
    format!("the plan has no cost: {error} {}", details.join("; ")).trim_end().to_owned()
}

/// The texts at hand that may be those of templates in the state.
pub fn templates<'a>(
    wanted: &'a [RenderedStack],
    deployed: &'a BTreeMap<String, Deployed>,
) -> impl Iterator<Item = &'a str> {
    let fetched = deployed.values().filter_map(|stack| stack.template.as_deref());
    wanted.iter().map(|stack| stack.template.as_str()).chain(fetched)
}

/// Keeps the state for `plan --offline`. That it could not is no reason to stop.
pub fn keep<'a>(
    grip: &Grip<'_>,
    environment: &Environment,
    state: Option<&State>,
    texts: impl IntoIterator<Item = &'a str>,
) {
    if !grip.remembered {
        return;
    }
    if let Err(error) = LocalCopy::keep(grip.project, environment, state, texts) {
        send(grip.events, None, EventKind::Note { message: not_kept(&error) });
    }
}

/// Nothing else depends on it.
pub fn not_kept(error: &std::io::Error) -> String {
    format!("no copy of the state was kept for `plan --offline`: {}", files::reason(error))
}

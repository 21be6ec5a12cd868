//! `infra drift`: the account against the last apply. Reads only, unless it is asked to put things right.

use super::changing::{self, Grip, Manner, Operation, change};
use super::planning::{self, Aim};
use super::session::Session;
use super::signals::interrupted;
use crate::apply::{Events, Interrupt};
use crate::aws::Aws;
use crate::catalog::Catalog;
use crate::drift::{self, Adoptions, Drift, Facts, Gathering};
use crate::environment::DIRECTORY;
use crate::error::{Error, Kind, Result};
use crate::model::{Environment, RenderedStack, State};
use crate::plan::{Action, Options, Plan};
use crate::problem::nearest;
use crate::view::drift::results;
use crate::view::plan::GITHUB_COMMENT_LIMIT;
use crate::view::sarif;
use anyhow::Context;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

/// Show what was changed behind the environment's back
///
/// Compares the account with the last apply: CloudFormation's drift detection, every resource as Cloud Control reads it,
/// the images that run, the stacks themselves, and resources with the environment's tags that no stack has. It reads and
/// changes nothing: requests that would are refused before they are sent.
///
/// `~` is modified, `-` is gone, `+` is there too many. What could not be checked is listed.
///
/// There are two ways back, and both are shown and approved first. --revert sets the account to what the templates say.
/// --adopt writes what is live into the environment's file, as inputs, and tells CloudFormation.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this stack; may be given more than once
    #[arg(long = "stack", value_name = "STACK", add = super::completions::stacks())]
    stacks: Vec<String>,

    /// Exit with 2 where there is drift
    #[arg(long)]
    detailed_exitcode: bool,

    /// Exit with 1 where something could not be checked
    #[arg(long)]
    strict: bool,

    /// Put the account back to what the templates say, by drift-aware change sets
    #[arg(long, conflicts_with_all = ["adopt", "detailed_exitcode", "strict", "sarif"])]
    revert: bool,

    /// Write what is live into the environment's file, where a template takes it from an input
    #[arg(long, conflicts_with_all = ["detailed_exitcode", "strict", "sarif"])]
    adopt: bool,

    #[command(flatten)]
    manner: Manner,

    /// Write what was found to a file too, as SARIF 2.1.0 for code scanning
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    sarif: Option<PathBuf>,

    /// Do not ask CloudTrail who made the changes
    #[arg(long)]
    no_who: bool,

    /// With --format markdown: at most so many characters (GitHub takes 65536 in a comment, 1048576 in a summary)
    #[arg(long, value_name = "CHARACTERS", default_value_t = GITHUB_COMMENT_LIMIT)]
    size_limit: usize,
}

/// Something could not be checked, and --strict asked to be told.
const INCOMPLETE: u8 = 1;
/// There is drift, and --detailed-exitcode asked to be told.
const DRIFT: u8 = 2;

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let (environment, wanted) = planning::wanted(session)?;
    if args.revert {
        return revert(&args, session, &environment, &wanted);
    }
    let ((drift, facts), signal) = look(&args, session, &environment, &wanted)?;
    if args.adopt {
        if let Some(code) = signal {
            return Err(interrupted(code));
        }
        return adopt(&args, session, &environment, &drift, &facts);
    }
    if let Some(path) = &args.sarif {
        let category = format!("infra/drift/{}", environment.name);
        sarif::write(path, &session.project, &category, results(&drift, &environment))?;
    }
    session.view.drift(&drift, args.size_limit)?;
    if let Some(code) = signal {
        session.view.note("interrupted; what was not looked at by then is listed as not checked");
        return Ok(ExitCode::from(Kind::Interrupted(code).exit_code()));
    }
    Ok(ExitCode::from(code(&drift, args.detailed_exitcode, args.strict)))
}

/// What was not seen weighs more than what was: drift is reported in any case.
fn code(drift: &Drift, detailed: bool, strict: bool) -> u8 {
    if strict && !drift.is_complete() {
        INCOMPLETE
    } else if detailed && drift.has_drift() {
        DRIFT
    } else {
        0
    }
}

/// What was found, and the exit code of a signal that ended the look early.
fn look(
    args: &Args,
    session: &Session,
    environment: &Environment,
    wanted: &[RenderedStack],
) -> Result<((Drift, Facts), Option<u8>)> {
    session.read_in_part(async |events, interrupt| {
        let account = session.connect_to_read(environment, events).await?;
        let snapshot = account.store.read().await?;
        let state = snapshot.as_ref().map(|snapshot| &snapshot.state);
        looked(args, &account.aws, environment, wanted, state, (events, interrupt)).await
    })
}

async fn looked(
    args: &Args,
    aws: &Aws,
    environment: &Environment,
    wanted: &[RenderedStack],
    state: Option<&State>,
    (events, interrupt): (&Events, &Interrupt),
) -> Result<(Drift, Facts)> {
    check_names(&args.stacks, wanted, state, environment)?;
    let how = Gathering { aws, environment, wanted, state, only: &args.stacks, events, interrupt };
    let facts = drift::gather(how).await?;
    let mut drift = drift::judge(&facts, environment, state, Timestamp::now(), args.stacks.is_empty());
    if !args.no_who {
        drift::who_changed(how, &mut drift).await;
    }
    Ok((drift, facts))
}

/// Under the lock, from a look that nobody can overtake: a plan as any other.
fn revert(args: &Args, session: &Session, environment: &Environment, wanted: &[RenderedStack]) -> Result<ExitCode> {
    let operation = Operation {
        name: "drift --revert".to_owned(),
        past: "Reverted",
        question: changing::question("Put back what was changed in", environment),
        nothing: Some("Nothing to revert: every resource is as its template says."),
        words: format!("drift --revert{}", stack_words(args)),
    };
    change(session, environment, &args.manner, &operation, async |grip: Grip<'_>| {
        let state = grip.state.state();
        let known = (state.serial > 0).then_some(&*state);
        let aws = &grip.account.aws;
        let never = Interrupt::never();
        let (drift, facts) = looked(args, aws, environment, wanted, known, (grip.events, &never)).await?;
        Ok(drift::revert(&drift, &facts, environment, known, Timestamp::now()))
    })
}

/// The file first, shown and approved; then CloudFormation is told what its templates say now, in the stacks concerned
/// and nowhere else.
fn adopt(args: &Args, session: &Session, environment: &Environment, drift: &Drift, facts: &Facts) -> Result<ExitCode> {
    let adoptions = drift::adopt(drift, facts, environment, &Catalog::open(&session.project));
    let name = format!("{DIRECTORY}/{}.yaml", environment.name);
    let path = session.project.join(&name);
    let before = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let (after, adoptions) = edited(&before, adoptions);
    session.view.adoptions(&adoptions, (&name, &before, &after))?;
    if before == after {
        return Ok(ExitCode::SUCCESS);
    }
    let words = format!("drift --adopt{}", stack_words(args));
    if !args.manner.yes() && !session.goes_without_saying(environment) {
        let question = format!("Write this to {name}?");
        let without = session.command(&format!("{words} --yes"));
        session.block_on(async { session.view.approve(&question, &without).await })?;
    }
    std::fs::write(&path, &after).with_context(|| format!("cannot write {}", path.display()))?;
    session.view.note(&format!("{name} is written; CloudFormation is told now."));
    let (environment, wanted) = planning::wanted(session)?;
    let targets: Vec<String> = adoptions.stacks();
    let operation = Operation {
        name: "drift --adopt".to_owned(),
        past: "Adopted",
        question: changing::question("Tell CloudFormation what its templates say now, in", &environment),
        nothing: Some("CloudFormation knows already."),
        words: format!("apply{}", targets.iter().map(|stack| format!(" --target {stack}")).collect::<String>()),
    };
    let options = Options { targets, ..Options::default() };
    change(session, &environment, &args.manner, &operation, async |grip: Grip<'_>| {
        let plan = planning::under_lock(&grip, &environment, &wanted, &options, Aim::Reach).await?;
        Ok(only_adopted(plan, &adoptions))
    })
}

/// The file with every input that can be written; one that cannot is told with the others that are not adopted.
fn edited(text: &str, adoptions: Adoptions) -> (String, Adoptions) {
    let mut text = text.to_owned();
    let mut done = Adoptions { not: adoptions.not, ..Adoptions::default() };
    for adoption in adoptions.adopted {
        let path: Vec<&str> = ["stacks", &adoption.stack, "inputs"]
            .into_iter()
            .chain(adoption.input.iter().map(String::as_str))
            .collect();
        match drift::set(&text, &path, &adoption.value) {
            Some(edited) => {
                text = edited;
                done.adopted.push(adoption);
            }
            None => done.not.push(drift::NotAdopted {
                what: format!("{}.{}.{}", adoption.stack, adoption.logical_id, adoption.property),
                because: format!(
                    "the file has no place for {}; write {} there yourself",
                    path.join("."),
                    adoption.value
                ),
            }),
        }
    }
    (text, done)
}

/// A stack with further changes waits for an apply that shows them all.
fn only_adopted(mut plan: Plan, adoptions: &Adoptions) -> Plan {
    let is_adopted = |stack: &str, id: &str| {
        adoptions.adopted.iter().any(|adoption| adoption.stack == stack && adoption.logical_id == id)
    };
    plan.steps.retain(|step| {
        step.action == Action::Update && step.changes.iter().all(|change| is_adopted(&step.stack, &change.logical_id))
    });
    let kept: Vec<String> = plan.steps.iter().map(|step| step.stack.clone()).collect();
    plan.findings.retain(|finding| kept.contains(&finding.stack));
    plan
}

/// As they were typed, each after a space.
fn stack_words(args: &Args) -> String {
    args.stacks.iter().map(|stack| format!(" --stack {stack}")).collect()
}

fn check_names(names: &[String], wanted: &[RenderedStack], state: Option<&State>, of: &Environment) -> Result<()> {
    let known = || {
        let remembered = state.into_iter().flat_map(|state| state.stacks.keys());
        let all = wanted.iter().map(|stack| &stack.name).chain(remembered);
        all.map(String::as_str).collect::<BTreeSet<&str>>()
    };
    let Some(unknown) = names.iter().find(|name| !known().contains(name.as_str())) else { return Ok(()) };
    let error = Error::new(Kind::Usage, format!("there is no stack `{unknown}` in environment `{}`", of.name));
    Err(match nearest(unknown, known()) {
        Some(near) => error.hint(format!("did you mean `--stack {near}`?")),
        None => error.hint(format!("its stacks: {}", known().into_iter().collect::<Vec<_>>().join(", "))),
    }
    .into())
}

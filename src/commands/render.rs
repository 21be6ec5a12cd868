//! `infra render`: the stacks as CloudFormation will get them.

use super::session::Session;
use crate::catalog::Catalog;
use crate::error::{Error, Kind, Result};
use crate::model::{RenderedStack, sensitive::hide};
use crate::problem::nearest;
use crate::render::{render, to_yaml};
use anyhow::Context;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Show the templates as CloudFormation will get them
///
/// Each stack with its name, region and parameters in comments. A secret that stands in a template shows as `(sensitive)`.
/// Neither credentials nor a network are needed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this stack
    #[arg(long, value_name = "STACK", add = super::completions::stacks())]
    stack: Option<String>,

    /// Write the templates into this directory instead, a file `<stack>.yaml` for each stack
    #[arg(short, long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    out: Option<PathBuf>,
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let environment = session.environment()?;
    let stacks = render(&environment, &Catalog::open(&session.project))?;
    let stacks = match &args.stack {
        Some(name) => vec![one(stacks, name)?],
        None => stacks,
    };
    let texts: Vec<String> = stacks.par_iter().map(to_yaml).collect::<Result<_>>()?;
    match &args.out {
        Some(directory) => write(directory, &stacks, &texts)?,
        None => session.view.rendered(&stacks, &texts)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn one(stacks: Vec<RenderedStack>, name: &str) -> Result<RenderedStack> {
    let names: Vec<String> = stacks.iter().map(|stack| stack.name.clone()).collect();
    stacks.into_iter().find(|stack| stack.name == name).ok_or_else(|| {
        let error = Error::new(Kind::Usage, format!("the environment has no stack `{name}`"));
        match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")).into(),
            None => error.detail(format!("it has {}", names.join(", "))).into(),
        }
    })
}

fn write(directory: &Path, stacks: &[RenderedStack], texts: &[String]) -> Result<()> {
    let writing = || format!("cannot write templates into {}", directory.display());
    std::fs::create_dir_all(directory).with_context(writing)?;
    for (stack, text) in stacks.iter().zip(texts) {
        std::fs::write(directory.join(format!("{}.yaml", stack.name)), hide(text).as_bytes()).with_context(writing)?;
    }
    Ok(())
}

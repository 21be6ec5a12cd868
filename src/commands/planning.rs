//! From files and account to a plan: what `plan`, `apply`, `destroy` and `rollback` have in common.

use super::session::{Account, Session};
use crate::catalog::Catalog;
use crate::error::Result;
use crate::model::{Deployed, Environment, RenderedStack, State};
use crate::observe;
use crate::plan::{self, Options, Plan, Request, Scope};
use crate::render::render;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What a plan looks at, and which words are said beforehand.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Limits {
    /// Only this stack and what it needs; may be given more than once
    #[arg(long = "target", value_name = "STACK")]
    targets: Vec<String>,

    /// Replace or remove this stateful resource although its environment is protected: STACK.RESOURCE
    #[arg(long, value_name = "STACK.RESOURCE")]
    allow_replace: Vec<String>,

    /// Delete stacks although their environment is protected
    #[arg(long)]
    allow_destroy: bool,
}

impl Limits {
    pub fn options(&self) -> Options {
        Options {
            targets: self.targets.clone(),
            allow_replace: self.allow_replace.iter().cloned().collect(),
            allow_destroy: self.allow_destroy,
        }
    }
}

/// The environment and its stacks, from the files.
pub fn wanted(session: &Session) -> Result<(Environment, Vec<RenderedStack>)> {
    let environment = session.environment()?;
    let stacks = render(&environment, &Catalog::open(&session.project))?;
    Ok((environment, stacks))
}

/// The plan, once the templates that it must compare with have been fetched.
pub async fn make(
    account: &Account,
    environment: &Environment,
    wanted: &[RenderedStack],
    state: Option<&State>,
    deployed: &mut BTreeMap<String, Deployed>,
    options: &Options,
) -> Result<Plan> {
    let scope = Scope::from(environment);
    let now = Timestamp::now();
    let needed = plan::needs_template(&Request { scope: &scope, wanted, deployed, state, options, now });
    observe::fetch_templates(&account.aws, deployed, &needed).await?;
    plan::plan(&Request { scope: &scope, wanted, deployed, state, options, now })
}

//! Who uses which image, over all environments of the project that can be seen from here.

use super::super::session::Session;
use super::place::home;
use crate::aws::Aws;
use crate::environment;
use crate::error::{Error, Kind, Result};
use crate::image::list::{self, Uses};
use crate::model::{Environment, State, Target};
use crate::state::StateStore;
use std::collections::BTreeSet;

/// What is known, and of whom nothing is.
pub struct Known {
    pub uses: Uses,
    /// Environments whose state cannot be read from here, each with the reason.
    pub unknown: Vec<(String, String)>,
    /// The named environment's own state; none before its first apply.
    pub state: Option<State>,
}

/// Looks at the states of all environments of the account, and at all tasks in their places.
pub async fn look(session: &Session<'_>, aws: &Aws, named: &Environment) -> Result<Known> {
    let mut known = Known { uses: Uses::new(), unknown: Vec::new(), state: None };
    let mut places: BTreeSet<Target> = BTreeSet::new();
    for listed in environment::list(&session.project)?.into_iter().filter(|listed| !listed.base) {
        let environment = match environment::load(&session.project, &listed.name) {
            Ok((environment, _)) => environment,
            Err(error) => {
                known.unknown.push((listed.name, error.to_string()));
                continue;
            }
        };
        // Neither of them sees the other's AWS, of which one is in this machine's memory.
        if environment.local != named.local {
            continue;
        }
        if environment.account != named.account {
            let why = format!("it is of account {}, these credentials are of {}", environment.account, named.account);
            known.unknown.push((listed.name, why));
            continue;
        }
        let state = match StateStore::new(aws, &environment).read().await {
            Ok(snapshot) => snapshot.map(|snapshot| snapshot.state),
            // Nothing was ever applied from there.
            Err(error) if error.kind == Kind::NotBootstrapped => None,
            Err(error) => return Err(error.into()),
        };
        if let Some(state) = &state {
            known.uses = list::merge(known.uses, list::uses_of_state(&environment.name, state));
        }
        places.extend(list::places(&environment));
        if environment.name == named.name {
            known.state = state;
        }
    }
    known.uses = list::merge(known.uses, list::uses_of_tasks(aws, places).await?);
    Ok(known)
}

/// The repositories that are meant: the named one, or all that the environment's stacks have made.
pub fn repositories(
    environment: &Environment,
    state: Option<&State>,
    named: Option<&str>,
) -> Result<Vec<(String, Target)>> {
    if let Some(name) = named {
        return Ok(vec![(name.to_owned(), home(environment))]);
    }
    let stacks = state.into_iter().flat_map(|state| state.stacks.values());
    let made = stacks.filter(|record| record.template_name == "ecr-repository");
    let made: Vec<(String, Target)> = made
        .filter_map(|record| Some((record.outputs.get("RepositoryName")?.clone(), record.target.clone())))
        .collect();
    if made.is_empty() {
        return Err(Error::new(Kind::Usage, format!("environment `{}` has made no repository yet", environment.name))
            .hint("name one, as ECR calls it")
            .into());
    }
    Ok(made)
}

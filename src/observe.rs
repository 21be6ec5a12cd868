//! The facts in the account: what is there of the stacks that are wanted or remembered, in as few calls as possible.
//!
//! Reads only. One DescribeStacks for each hundred stacks of an account and region, beside the state; templates and
//! physical ids are fetched for those stacks alone that may change ([`fetch_templates`]).

mod deletions;
mod shells;

pub use deletions::obstacles;

use crate::aws::cloudformation::StackResource;
use crate::aws::{Aws, Reading, Result, denied, failure};
use crate::error::{Error, Kind};
use crate::model::{Deployed, Environment, RenderedStack, StackRecord, StackStatus, State, Target, sensitive};
use crate::plan::{self, Candidate, Found};
use crate::state::{Snapshot, StateStore};
use cloudformation::sensitive::HIDDEN;
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};

/// Stacks that are asked for one by one at the same time.
const READERS: usize = 8;

/// What a plan is made from, beside what the files say.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// None before the first save.
    pub state: Option<Snapshot>,
    /// By the environment's names of the stacks. Templates are not fetched yet.
    pub deployed: BTreeMap<String, Deployed>,
}

/// The state, and at the same time the stacks.
///
/// # Errors
/// Those of reading the state and of [`deployed`].
pub async fn look(aws: &Aws, store: &StateStore, environment: &Environment, wanted: &[RenderedStack]) -> Result<Facts> {
    let sought = Sought::new(environment, wanted, None);
    let (state, found) = tokio::try_join!(store.read(), sought.find(aws))?;
    let deployed = settle(aws, environment, wanted, state.as_ref().map(|snapshot| &snapshot.state), found).await?;
    Ok(Facts { state, deployed })
}

/// The stacks alone, for whoever has the state already.
///
/// # Errors
/// A stack that has one of our names and belongs to somebody else; a stack that the file has moved to another account
/// or region while its old self is remembered.
pub async fn deployed(
    aws: &Aws,
    environment: &Environment,
    wanted: &[RenderedStack],
    state: Option<&State>,
) -> Result<BTreeMap<String, Deployed>> {
    let found = Sought::new(environment, wanted, state).find(aws).await?;
    settle(aws, environment, wanted, state, found).await
}

/// Fetches the templates of these stacks, and what their resources are called, where that is not there yet: both in one
/// round of calls.
pub async fn fetch_templates(
    aws: &Aws,
    deployed: &mut BTreeMap<String, Deployed>,
    names: &BTreeSet<String>,
) -> Result<()> {
    let missing = deployed
        .iter()
        .filter(|(name, stack)| names.contains(*name) && (stack.template.is_none() || stack.resources.is_none()));
    let reads = missing.map(|(name, stack)| {
        let (name, stack, cloudformation) = (name.clone(), stack.clone(), aws.cloudformation(&stack.target));
        async move {
            let template = async {
                match stack.template {
                    None => cloudformation.template(&stack.stack_id).await,
                    known => Ok(known),
                }
            };
            let resources = async {
                match stack.resources {
                    None => cloudformation.resources(&stack.stack_id).await.map(physical_ids).map(Some),
                    known => Ok(known),
                }
            };
            tokio::try_join!(template, resources).map(|(template, resources)| (name, template, resources))
        }
    });
    let reads: Vec<_> = reads.collect();
    let details: Vec<_> = stream::iter(reads).buffer_unordered(READERS).try_collect().await?;
    for (name, template, resources) in details {
        if let Some(stack) = deployed.get_mut(&name) {
            (stack.template, stack.resources) = (template, resources);
            sensitive::learn_stack(stack.template.as_deref(), &stack.parameters, &stack.outputs);
        }
    }
    Ok(())
}

/// What there is of these candidates, one read of Cloud Control for each and, for what is there, the question whose it is.
///
/// # Errors
/// Those of reading a resource, but for access that is denied.
pub async fn existing(aws: &Aws, candidates: Vec<Candidate>) -> Result<Vec<(Candidate, Found)>> {
    let reads = candidates.into_iter().map(|candidate| async move {
        let found = look_for(aws, &candidate).await?;
        Result::Ok((candidate, found))
    });
    let reads: Vec<_> = reads.collect();
    stream::iter(reads).buffered(READERS).try_collect().await
}

async fn look_for(aws: &Aws, candidate: &Candidate) -> Result<Found> {
    if !plan::is_importable(&candidate.resource_type) {
        let reason = format!("CloudFormation imports no {}", candidate.resource_type);
        return Ok(Found::Unreadable(reason));
    }
    let read = aws.cloud_control(&candidate.target).read(&candidate.resource_type, &candidate.identifier).await;
    let live = match read {
        Ok(Reading::Found(live)) => live,
        Ok(Reading::Gone) => return Ok(Found::Gone),
        Ok(Reading::Unsupported(reason)) => return Ok(Found::Unreadable(reason)),
        // An identifier that the type does not have: what was recorded is no resource of it.
        Err(error) if failure(&error).is_some_and(|failure| failure.code == "ValidationException") => {
            return Ok(Found::Unreadable(error.message.clone()));
        }
        // Who may not look goes by what the state says; what is not so, CloudFormation finds before it changes anything.
        Err(error) => {
            return match denied(&error) {
                Some(_) if candidate.is_certain() => Ok(Found::There),
                Some(reason) => Ok(Found::Unreadable(reason)),
                None => Err(error),
            };
        }
    };
    if !candidate.is_named(&live) {
        return Ok(Found::Another);
    }
    let owner = match aws.cloudformation(&candidate.target).owner(&candidate.physical_id).await {
        Err(error) if denied(&error).is_some() => None,
        owner => owner?,
    };
    Ok(match owner.filter(|owner| *owner != candidate.stack_name) {
        Some(owner) => Found::Owned(owner),
        None => Found::There,
    })
}

fn physical_ids(resources: Vec<StackResource>) -> BTreeMap<String, String> {
    let known = resources.into_iter().filter(|resource| resource.status != "DELETE_COMPLETE");
    known.filter_map(|resource| Some((resource.logical_id, resource.physical_id?))).collect()
}

/// Where a stack is found: CloudFormation's name is unique in there.
type Place = (Target, String);

/// What to look for: CloudFormation's names, by where.
struct Sought {
    names: BTreeMap<Target, BTreeSet<String>>,
    /// What all names of the environment begin with: a stack that only the state knows may be met on the way.
    prefix: String,
}

impl Sought {
    fn new(environment: &Environment, wanted: &[RenderedStack], state: Option<&State>) -> Sought {
        let mut names: BTreeMap<Target, BTreeSet<String>> = BTreeMap::new();
        for stack in wanted {
            names.entry(stack.target.clone()).or_default().insert(stack.stack_name.clone());
        }
        for record in state.into_iter().flat_map(|state| state.stacks.values()) {
            names.entry(record.target.clone()).or_default().insert(record.stack_name.clone());
        }
        Sought { names, prefix: format!("{}-{}-", environment.project, environment.name) }
    }

    async fn find(&self, aws: &Aws) -> Result<BTreeMap<Place, Deployed>> {
        let looks = self.names.iter().map(|(target, names)| async move {
            aws.cloudformation(target).describe_stacks(names, |name| name.starts_with(&self.prefix)).await
        });
        let found = try_join_all(looks).await?.into_iter().flatten();
        Ok(found.map(|stack| ((stack.target.clone(), stack.stack_name.clone()), stack)).collect())
    }
}

/// Found stacks by the environment's names; stacks that only the state knows and that were not met are asked for.
async fn settle(
    aws: &Aws,
    environment: &Environment,
    wanted: &[RenderedStack],
    state: Option<&State>,
    mut found: BTreeMap<Place, Deployed>,
) -> Result<BTreeMap<String, Deployed>> {
    let records = || state.into_iter().flat_map(|state| &state.stacks);
    check_not_moved(wanted, state)?;
    let wanted_names: BTreeSet<&str> = wanted.iter().map(|stack| stack.name.as_str()).collect();
    let unmet: Vec<&StackRecord> = records()
        .filter(|(name, record)| {
            !wanted_names.contains(name.as_str())
                && !found.contains_key(&(record.target.clone(), record.stack_name.clone()))
        })
        .map(|(_, record)| record)
        .collect();
    let looks = unmet.into_iter().map(|record| {
        let cloudformation = aws.cloudformation(&record.target);
        async move { cloudformation.describe_stack(&record.stack_name).await }
    });
    let looks: Vec<_> = looks.collect();
    let more: Vec<Option<Deployed>> = stream::iter(looks).buffer_unordered(READERS).try_collect().await?;
    found.extend(more.into_iter().flatten().map(|stack| ((stack.target.clone(), stack.stack_name.clone()), stack)));

    let mut deployed = BTreeMap::new();
    let places = wanted.iter().map(|stack| (&stack.name, &stack.target, &stack.stack_name));
    let places = places.chain(records().map(|(name, record)| (name, &record.target, &record.stack_name)));
    for (name, target, stack_name) in places {
        if let Some(stack) = found.remove(&(target.clone(), stack_name.clone())) {
            deployed.insert(name.clone(), stack);
        }
    }
    for (name, record) in records() {
        let live = deployed.get(name).map(|stack| &stack.outputs);
        let hidden = record.outputs.iter().filter(|(_, value)| *value == HIDDEN);
        hidden.filter_map(|(key, _)| live?.get(key)).for_each(|value| sensitive::learn(value));
    }
    check_ours(environment, state, &deployed)?;
    shells::check(aws, environment, &deployed).await?;
    Ok(deployed)
}

/// A stack that is remembered in one place and wanted in another would be made anew there and forgotten here.
///
/// # Errors
/// [`Kind::Configuration`], with both places.
pub fn check_not_moved(wanted: &[RenderedStack], state: Option<&State>) -> Result<()> {
    let Some(state) = state else { return Ok(()) };
    let place = |target: &Target| (target.account.clone(), target.region.clone());
    let moved = wanted.iter().find_map(|stack| {
        let record = state.stacks.get(&stack.name)?;
        (place(&record.target) != place(&stack.target)).then_some((stack, record))
    });
    let Some((stack, record)) = moved else { return Ok(()) };
    let (from, to) = (&record.target, &stack.target);
    let name = &stack.name;
    Err(Error::new(
        Kind::Configuration,
        format!(
            "stack `{name}` is in {} of account {} and wanted in {} of account {}",
            from.region, from.account, to.region, to.account
        ),
    )
    .detail("CloudFormation cannot move a stack, and making it anew there would leave the old one behind")
    .hint(format!("give the new one another name, apply, then remove `{name}` from the file and apply again")))
}

/// A stack of ours carries our tags, or is remembered under its very id. What nobody ever executed has no tags: its change
/// sets say whose it is ([`shells`]).
fn check_ours(environment: &Environment, state: Option<&State>, deployed: &BTreeMap<String, Deployed>) -> Result<()> {
    let marks = [("ManagedBy", "infra"), ("Project", &environment.project), ("Environment", &environment.name)];
    let is_marked =
        |stack: &Deployed| marks.iter().all(|(key, value)| stack.tags.get(*key).is_some_and(|found| found == value));
    let is_remembered = |name: &str, stack: &Deployed| {
        let record = state.and_then(|state| state.stacks.get(name));
        record.is_some_and(|record| record.fingerprint.stack_id == stack.stack_id)
    };
    let foreign: Vec<_> = deployed
        .iter()
        .filter(|(name, stack)| {
            stack.status != StackStatus::ReviewInProgress && !is_marked(stack) && !is_remembered(name, stack)
        })
        .collect();
    let Some((_, first)) = foreign.first() else { return Ok(()) };
    let message = match foreign.len() {
        1 => format!("stack `{}` exists already and belongs to somebody else", first.stack_name),
        count => format!("{count} stacks of this environment exist already and belong to somebody else"),
    };
    let mut error = Error::new(Kind::Configuration, message);
    for (_, stack) in &foreign {
        let tags = marks.iter().map(|(key, _)| match stack.tags.get(*key) {
            Some(value) => format!("{key}={value}"),
            None => format!("no {key}"),
        });
        let (name, region) = (&stack.stack_name, &stack.target.region);
        error = error.detail(format!(
            "`{name}` in {region}, made {}: {}",
            stack.created_at,
            tags.collect::<Vec<_>>().join(", ")
        ));
    }
    let tags: Vec<_> = marks.iter().map(|(key, value)| format!("{key}={value}")).collect();
    Err(error
        .detail(format!("a stack of this environment carries the tags {}", tags.join(", ")))
        .hint("choose another `project` or another name for the stack; infra does not touch what it did not make"))
}

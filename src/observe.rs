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
use crate::model::{
    Deployed, Environment, Parameter, RenderedStack, StackRecord, StackStatus, State, Target, sensitive, shows,
};
use crate::plan::{
    self, Candidate, Child, Found, LookedUp, Nested, Options, Request, Scope, children, children_of, needs_parameters,
    needs_template, nesting, read_by, with_defaults,
};
use crate::state::{Snapshot, StateStore};
use cloudformation::sensitive::HIDDEN;
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
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

/// What a plan is made from beside the stacks: what SSM parameters hold, the templates that are compared, and nested stacks. Each is asked for only where something hangs on it. The answer is what is said on the command line, with
/// what was found; templates come to the stacks.
///
/// # Errors
/// Those of the calls.
pub async fn complete(
    aws: &Aws,
    scope: &Scope,
    wanted: &[RenderedStack],
    state: Option<&State>,
    deployed: &mut BTreeMap<String, Deployed>,
    options: &Options,
) -> Result<Options> {
    let (mut options, now) = (options.clone(), Timestamp::now());
    let needed = needs_parameters(&Request { scope, wanted, deployed, state, options: &options, now });
    options.looked_up = Some(parameters(aws, &needed).await?);
    let request = Request { scope, wanted, deployed, state, options: &options, now };
    let nesting = nesting(&request);
    let mut needed = needs_template(&request);
    needed.extend(nesting.iter().cloned());
    fetch_templates(aws, deployed, &needed).await?;
    for wanted in wanted.iter().filter(|wanted| nesting.contains(&wanted.name)) {
        if let Some(parent) = deployed.get(&wanted.name) {
            let found = nested(aws, parent, children_of(deployed, wanted)).await?;
            options.nested.insert(wanted.name.clone(), found);
        }
    }
    Ok(options)
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

/// What SSM parameters hold: a call for each ten of them in an account and region, none where there are none to look up.
///
/// # Errors
/// Those of the calls.
pub async fn parameters(aws: &Aws, needed: &BTreeMap<Target, BTreeSet<String>>) -> Result<LookedUp> {
    let looks = needed.iter().map(|(target, names)| async move {
        let found = aws.ssm(target).parameters(names).await?;
        Ok::<_, Error>(((target.account.clone(), target.region.clone()), found))
    });
    let mut looked_up = LookedUp::new();
    for (place, found) in try_join_all(looks).await? {
        looked_up.entry(place).or_default().extend(found);
    }
    Ok(looked_up)
}

/// What is there of the stacks that a stack nests, and what they are to become: a few calls for each of them.
///
/// # Errors
/// Those of CloudFormation and of SSM. A template that cannot be read is none.
pub async fn nested(
    aws: &Aws,
    parent: &Deployed,
    children: BTreeMap<String, Child>,
) -> Result<BTreeMap<String, Nested>> {
    let looks = children.into_iter().filter_map(|(id, child)| {
        let physical_id = parent.resources.as_ref()?.get(&id)?.clone();
        Some(async move { Ok::<_, Error>((id, nested_stack(aws, &parent.target, &physical_id, child).await?)) })
    });
    let looks: Vec<_> = looks.collect();
    Ok(stream::iter(looks).buffer_unordered(READERS).try_collect::<Vec<_>>().await?.into_iter().collect())
}

async fn nested_stack(aws: &Aws, target: &Target, id: &str, child: Child) -> Result<Nested> {
    let cloudformation = aws.cloudformation(target);
    let template = async {
        match &child.url {
            // Whether it can be read is for its bucket to say; CloudFormation may be allowed more.
            Some(url) => aws.nested_templates(target).read(url).await.ok(),
            None => None,
        }
    };
    let (template, deployed) = tokio::join!(template, cloudformation.describe_stack(id));
    let Some(deployed) = deployed? else { return Ok(Nested { template, ..Nested::default() }) };
    let mut all = BTreeMap::from([(id.to_owned(), deployed)]);
    fetch_templates(aws, &mut all, &BTreeSet::from([id.to_owned()])).await?;
    let deployed = all.remove(id);
    let (mut looked_up, mut inner) = (BTreeMap::new(), BTreeMap::new());
    if let (Some(template), Some(deployed)) = (&template, &deployed) {
        let names = read_by(template, &child);
        if !names.is_empty() {
            looked_up = aws.ssm(target).parameters(&names).await?;
        }
        let children = children(template, &child.parameters, deployed);
        inner = Box::pin(nested(aws, deployed, children)).await?;
    }
    Ok(Nested { deployed, template, looked_up, nested: inner })
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
        if let Some(mut stack) = found.remove(&(target.clone(), stack_name.clone())) {
            let record = state.and_then(|state| state.stacks.get(name));
            restore(&mut stack, record, wanted.iter().find(|wanted| wanted.name == *name));
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

/// Puts characters outside ASCII back into what CloudFormation shows of a stack: as the state remembers them while nobody has
/// touched the stack, else as they are wanted.
fn restore(stack: &mut Deployed, record: Option<&StackRecord>, wanted: Option<&RenderedStack>) {
    let record = record.filter(|record| record.fingerprint == stack.fingerprint());
    let text = |shown: &mut String, remembered: Option<&String>, wanted: Option<&String>| {
        // A state does not remember what is secret.
        if let Some(sent) = remembered.into_iter().chain(wanted).find(|sent| shows(shown, sent)) {
            shown.clone_from(sent);
        }
    };
    if stack.parameters.values().any(|shown| shown.contains('?')) {
        let given = wanted.into_iter().flat_map(|wanted| &wanted.parameters).filter_map(|(name, parameter)| {
            let Parameter::Value(value) = parameter else { return None };
            Some((name.clone(), value.clone()))
        });
        let given = given.collect();
        let values = wanted.map(|wanted| with_defaults(&wanted.template, &given)).unwrap_or_default();
        for (name, shown) in &mut stack.parameters {
            text(shown, record.and_then(|record| record.parameters.get(name)), values.get(name));
        }
    }
    for (name, shown) in &mut stack.resolved {
        text(shown, record.and_then(|record| record.resolved.get(name)), None);
    }
    for (key, shown) in &mut stack.tags {
        let remembered = record.and_then(|record| record.tags.get(key));
        text(shown, remembered, wanted.and_then(|wanted| wanted.tags.get(key)));
    }
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

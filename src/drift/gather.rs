//! Reading: CloudFormation's detection, the resources through Cloud Control, what is around them. Everything at the same
//! time, at a pace that AWS bears; what fails for one stack or resource is noted there and stops nothing else.

use super::compare::Declared;
use super::declared::{as_sent, declared};
use super::document::{Changed, Drift};
use super::facts::{Detected, Facts, ResourceFacts, StackFacts};
use super::identifier::identifier;
use crate::apply::{EventKind, Events, Interrupt, Level, send};
use crate::aws::cloudformation::{CloudFormation, DriftDetectionState, StackResource};
use crate::aws::{self, Aws, Pace, Reading, RunningContainer};
use crate::error::{Error, Kind};
use crate::model::{Deployed, Environment, RenderedStack, State, Target, sensitive};
use crate::observe;
use futures::future::{join_all, try_join_all};
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Questions a second to CloudFormation in one account and region, of each kind: well below what it refuses.
const QUESTIONS_PER_SECOND: f64 = 20.0;
/// The same for Cloud Control, behind which are the services with limits of their own.
const READS_PER_SECOND: f64 = 20.0;
/// Resources of a stack that are read at the same time.
const READERS: usize = 8;
/// CloudTrail's limit for LookupEvents.
const LOOKUPS_PER_SECOND: f64 = 2.0;
/// Resources that are looked up at most.
const LOOKUPS: usize = 25;
/// The first question after a detection; then a share of the time that it has taken, up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(15);
const SHARE: f64 = 0.15;
/// Why something was not looked at.
const INTERRUPTED: &str = "the run was interrupted before it was read";

/// What to look at, and how.
#[derive(Clone, Copy)]
pub struct Gathering<'a> {
    pub aws: &'a Aws,
    pub environment: &'a Environment,
    pub wanted: &'a [RenderedStack],
    pub state: Option<&'a State>,
    /// Only these stacks; empty for all.
    pub only: &'a [String],
    pub events: &'a Events,
    /// What has not been read by then is not read any more.
    pub interrupt: &'a Interrupt,
}

/// Reads everything.
///
/// # Errors
/// The stacks cannot be listed, or the credentials have ended: nothing can be said then.
pub async fn gather(how: Gathering<'_>) -> aws::Result<Facts> {
    let mut deployed = observe::deployed(how.aws, how.environment, how.wanted, how.state).await?;
    let chosen = |name: &str| how.only.is_empty() || how.only.iter().any(|only| only == name);
    let known = how.wanted.iter().map(|stack| stack.name.as_str());
    let in_files: BTreeSet<&str> = known.clone().collect();
    let remembered = how.state.into_iter().flat_map(|state| state.stacks.keys()).map(String::as_str);
    let names: Vec<&str> = known.chain(remembered.filter(|name| !in_files.contains(name))).collect();
    let stacks: Vec<StackFacts> = names
        .into_iter()
        .filter(|name| chosen(name))
        .map(|name| StackFacts {
            name: name.to_owned(),
            wanted: how.wanted.iter().find(|stack| stack.name == name).cloned(),
            record: how.state.and_then(|state| state.stacks.get(name)).cloned(),
            deployed: deployed.remove(name),
            ..StackFacts::default()
        })
        .collect();
    let places: BTreeSet<Target> =
        stacks.iter().filter_map(|stack| Some(stack.deployed.as_ref()?.target.clone())).collect();
    let speed = how.environment.apply.speed;
    let paces: BTreeMap<&Target, Paces> = places.iter().map(|place| (place, Paces::new(speed))).collect();
    let progress = Progress { events: how.events, done: AtomicUsize::new(0), total: AtomicUsize::new(0) };
    // The largest first: its detection takes longest.
    let mut order: Vec<usize> = (0..stacks.len()).collect();
    let size = |stack: &StackFacts| stack.wanted.as_ref().map_or(0, |wanted| wanted.template.len());
    order.sort_by_key(|index| std::cmp::Reverse(size(&stacks[*index])));
    let mut looks = Vec::new();
    let mut slots: Vec<Option<StackFacts>> = stacks.into_iter().map(Some).collect();
    for index in order {
        let Some(stack) = slots[index].take() else { continue };
        let (paces, progress) = (&paces, &progress);
        looks.push(async move {
            let unread = StackFacts { problem: Some(INTERRUPTED.to_owned()), ..stack.clone() };
            tokio::select! {
                biased;
                stack = look(how, stack, paces, progress) => Ok::<_, Error>((index, stack?)),
                () = how.interrupt.reached(Level::Finish) => Ok((index, unread)),
            }
        });
    }
    let tagged = async {
        match how.only.is_empty() {
            true => join_all(places.iter().map(|place| tagged(how, place))).await,
            false => Vec::new(),
        }
    };
    let (looked, tagged) = tokio::join!(try_join_all(looks), tagged);
    let mut looked = looked?;
    looked.sort_by_key(|(index, _)| *index);
    Ok(Facts { stacks: looked.into_iter().map(|(_, stack)| stack).collect(), tagged })
}

/// How fast one account and region is asked.
struct Paces {
    detections: Pace,
    questions: Pace,
    reads: Pace,
}

impl Paces {
    fn new(speed: f64) -> Paces {
        Paces {
            detections: Pace::new(QUESTIONS_PER_SECOND, speed),
            questions: Pace::new(QUESTIONS_PER_SECOND, speed),
            reads: Pace::new(READS_PER_SECOND, speed),
        }
    }
}

struct Progress<'a> {
    events: &'a Events,
    done: AtomicUsize,
    total: AtomicUsize,
}

impl Progress<'_> {
    fn expect(&self, more: usize) {
        self.total.fetch_add(more, Ordering::Relaxed);
    }

    fn one(&self, stack: &str, logical_id: &str) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let total = self.total.load(Ordering::Relaxed);
        let kind = EventKind::ResourceChecked { logical_id: logical_id.to_owned(), done, total };
        send(self.events, Some(stack), kind);
    }
}

async fn look(
    how: Gathering<'_>,
    mut stack: StackFacts,
    paces: &BTreeMap<&Target, Paces>,
    progress: &Progress<'_>,
) -> aws::Result<StackFacts> {
    let Some(deployed) = stack.deployed.take() else { return Ok(stack) };
    let Some(paces) = paces.get(&deployed.target) else { return Ok(stack) };
    if deployed.status.in_progress() {
        stack.problem = Some(format!("the stack is {}: somebody is working on it", deployed.status));
        stack.deployed = Some(deployed);
        return Ok(stack);
    }
    let cloudformation = how.aws.cloudformation(&deployed.target);
    let asks_policy = stack.record.as_ref().is_some_and(|record| record.stack_policy_digest.is_some());
    let policy = async {
        match asks_policy {
            true => {
                paces.questions.turn().await;
                noted(cloudformation.stack_policy(&deployed.stack_id).await).map(Some)
            }
            false => Ok(None),
        }
    };
    let (detected, read, policy) = tokio::join!(
        detect(how, &cloudformation, &deployed, paces),
        read(how, &stack.name, &cloudformation, deployed.clone(), paces, progress),
        policy
    );
    let read = read?;
    (stack.detected, stack.policy) = (detected?, policy?);
    (stack.deployed, stack.resources, stack.problem) = (Some(read.deployed), read.resources, read.problem);
    stack.running = running(how, &deployed.target, stack.resources.as_deref().unwrap_or_default()).await?;
    Ok(stack)
}

/// A failure in words; what nobody can go on after is an error.
fn noted<T>(result: aws::Result<T>) -> aws::Result<Result<T, String>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) if error.kind == Kind::Credentials => Err(error),
        Err(error) => Ok(Err(reason(&error))),
    }
}

fn reason(error: &Error) -> String {
    match error.details.first() {
        Some(detail) => format!("{}: {detail}", error.message),
        None => error.message.clone(),
    }
}

/// CloudFormation's detection, from its beginning to its result.
async fn detect(
    how: Gathering<'_>,
    cloudformation: &CloudFormation,
    deployed: &Deployed,
    paces: &Paces,
) -> aws::Result<Detected> {
    let problem = |problem: String| Ok(Detected { problem: Some(problem), ..Detected::default() });
    let settings = &how.environment.apply;
    let began = Instant::now();
    let late = || began.elapsed() > settings.timeout;
    let pause = || {
        let taken = began.elapsed().mul_f64(settings.speed * SHARE);
        sleep(taken.clamp(SHORTEST, LONGEST).div_f64(settings.speed))
    };
    let detection = loop {
        paces.detections.turn().await;
        match cloudformation.detect_drift(&deployed.stack_id).await {
            Ok(detection) => break detection,
            // Somebody else looks at the same stack: this one has its turn afterwards.
            Err(error) if is_under_way(&error) && !late() => pause().await,
            Err(error) => match noted::<()>(Err(error))? {
                Ok(()) => return Ok(Detected::default()),
                Err(reason) => return problem(reason),
            },
        }
    };
    let (since, failure) = loop {
        pause().await;
        paces.questions.turn().await;
        let state = match noted(cloudformation.drift_detection(&detection).await)? {
            Ok(state) => state,
            Err(reason) => return problem(reason),
        };
        match state.state {
            DriftDetectionState::Complete => break (state.began, None),
            DriftDetectionState::Failed(reason) => break (state.began, Some(reason)),
            DriftDetectionState::Running if late() => {
                let minutes = settings.timeout.as_secs().div_ceil(60);
                return problem(format!("the detection did not end within {minutes} min (`apply.timeout`)"));
            }
            DriftDetectionState::Running => {}
        }
    };
    paces.questions.turn().await;
    let found = match noted(cloudformation.detected_resources(&deployed.stack_id).await)? {
        Ok(found) => found,
        Err(reason) => return problem(reason),
    };
    // What an earlier detection found says nothing of today.
    let fresh = found.into_iter().filter(|found| found.checked_at >= since || failure.is_none());
    Ok(Detected { resources: fresh.map(|found| (found.logical_id.clone(), found)).collect(), problem: failure })
}

/// CloudFormation has no code for it.
fn is_under_way(error: &Error) -> bool {
    aws::failure(error).is_some_and(|failure| failure.message.contains("already in progress"))
}

/// A stack's resources, and its template.
struct Read {
    deployed: Deployed,
    resources: Option<Vec<ResourceFacts>>,
    problem: Option<String>,
}

async fn read(
    how: Gathering<'_>,
    stack: &str,
    cloudformation: &CloudFormation,
    mut deployed: Deployed,
    paces: &Paces,
    progress: &Progress<'_>,
) -> aws::Result<Read> {
    let template = async {
        if deployed.template.is_some() {
            return Ok(Ok(deployed.template.clone()));
        }
        paces.questions.turn().await;
        noted(cloudformation.template(&deployed.stack_id).await)
    };
    let resources = async {
        paces.questions.turn().await;
        noted(cloudformation.resources(&deployed.stack_id).await)
    };
    let (template, resources) = tokio::try_join!(template, resources)?;
    let (template, problem) = match template {
        Ok(template) => (template, None),
        Err(reason) => (None, Some(reason)),
    };
    deployed.template = template;
    sensitive::learn_stack(deployed.template.as_deref(), &deployed.parameters, &deployed.outputs);
    let resources = match resources {
        Ok(resources) => resources,
        Err(reason) => return Ok(Read { deployed, resources: None, problem: Some(reason) }),
    };
    let resources: Vec<StackResource> = resources.into_iter().filter(exists).collect();
    progress.expect(resources.len());
    // Values of attributes are not known yet; references are, which is what identifiers are made of.
    let unread: Vec<ResourceFacts> = resources
        .iter()
        .map(|resource| ResourceFacts { resource: resource.clone(), live: None, sure: false, by_service: None })
        .collect();
    let by_id = unread.iter().map(|facts| (facts.resource.logical_id.as_str(), facts)).collect();
    let record = how.state.and_then(|state| state.stacks.get(stack));
    let wanted = how.wanted.iter().find(|wanted| wanted.name == stack);
    let declared = declared(&as_sent(&deployed, record, wanted), &by_id).unwrap_or_default();
    let control = how.aws.cloud_control(&deployed.target);
    let services = how.aws.services(&deployed.target);
    let reads = resources.into_iter().map(|resource| {
        let declared = declared.get(&resource.logical_id).map(|it: &Declared| &it.properties);
        let found = identifier(&resource, declared);
        let (control, services) = (&control, &services);
        async move {
            let (live, sure) = match found {
                Some(found) => {
                    paces.reads.turn().await;
                    (Some(noted(control.read(&resource.resource_type, &found.text).await)?), found.sure)
                }
                None => (None, false),
            };
            let by_service = match (&live, resource.physical_id.as_deref(), declared) {
                (Some(Ok(Reading::Found(_))), ..) => None,
                (_, Some(id), Some(declared)) => match services.read(&resource.resource_type, id, declared).await {
                    Some(reading) => Some(noted(reading)?),
                    None => None,
                },
                _ => None,
            };
            progress.one(stack, &resource.logical_id);
            Ok::<_, Error>(ResourceFacts { resource, live, sure, by_service })
        }
    });
    let reads: Vec<_> = reads.collect();
    let resources = stream::iter(reads).buffered(READERS).try_collect().await?;
    Ok(Read { deployed, resources: Some(resources), problem })
}

/// Deleted resources stay in the list of a stack whose update left them behind.
fn exists(resource: &StackResource) -> bool {
    resource.physical_id.is_some() && resource.status != "DELETE_COMPLETE"
}

/// What the ECS services among the resources run.
async fn running(
    how: Gathering<'_>,
    target: &Target,
    resources: &[ResourceFacts],
) -> aws::Result<BTreeMap<String, Result<Vec<RunningContainer>, String>>> {
    let services = resources.iter().filter(|facts| facts.resource.resource_type == "AWS::ECS::Service");
    let looks = services.filter_map(|facts| {
        let (id, arn) = (facts.resource.logical_id.clone(), facts.resource.physical_id.clone()?);
        let ecs = how.aws.ecs(target);
        Some(async move { Ok::<_, Error>((id, noted(ecs.running(&arn).await)?)) })
    });
    Ok(try_join_all(looks).await?.into_iter().collect())
}

async fn tagged(how: Gathering<'_>, place: &Target) -> (Target, Result<Vec<aws::TaggedResource>, String>) {
    let Environment { project, name, .. } = how.environment;
    let marks = [("ManagedBy", "infra"), ("Project", project.as_str()), ("Environment", name.as_str())];
    let tagging = how.aws.tagging(place);
    let found = tokio::select! {
        biased;
        found = tagging.resources(&marks) => found.map_err(|error| reason(&error)),
        () = how.interrupt.reached(Level::Finish) => Err(INTERRUPTED.to_owned()),
    };
    (place.clone(), found)
}

/// Asks CloudTrail who made the last change of each drifted resource since the last apply. Who may not ask is told
/// nothing; the drift itself does not hang on it.
pub async fn who_changed(how: Gathering<'_>, drift: &mut Drift) {
    tokio::select! {
        biased;
        () = how.interrupt.reached(Level::Finish) => {}
        () = ask_who_changed(how, drift) => {}
    }
}

async fn ask_who_changed(how: Gathering<'_>, drift: &mut Drift) {
    let mut places: BTreeMap<Target, Pace> = BTreeMap::new();
    let mut left = LOOKUPS;
    for stack in &mut drift.stacks {
        let applied = how.state.and_then(|state| state.stacks.get(&stack.stack)).map(|record| record.applied.at);
        let trail = how.aws.cloud_trail(&stack.target);
        for resource in stack.resources.iter_mut().filter(|resource| resource.is_drifted()) {
            let Some(id) = &resource.physical_id else { continue };
            if left == 0 {
                let message = format!("CloudTrail was asked about the first {LOOKUPS} resources only");
                return send(how.events, None, EventKind::Note { message });
            }
            left -= 1;
            let pace = places
                .entry(stack.target.clone())
                .or_insert_with(|| Pace::new(LOOKUPS_PER_SECOND, how.environment.apply.speed));
            // CloudTrail knows some resources by their ARN, others by their name alone.
            let mut names = vec![id.as_str()];
            names.extend(id.starts_with("arn:").then(|| id.rsplit(['/', ':']).next().unwrap_or(id)));
            for name in names {
                pace.turn().await;
                let changes = match trail.changes(name).await {
                    Ok(changes) => changes,
                    Err(error) => {
                        let message = format!("nobody can be named: {}", reason(&error));
                        return send(how.events, None, EventKind::Note { message });
                    }
                };
                let by_hand =
                    |event: &aws::TrailEvent| event.through.as_deref() != Some("cloudformation.amazonaws.com");
                // CloudTrail tells seconds.
                let recent =
                    |event: &aws::TrailEvent| applied.is_none_or(|applied| event.at.as_second() >= applied.as_second());
                if let Some(event) = changes.into_iter().find(|event| by_hand(event) && recent(event)) {
                    let service = event.service.split('.').next().unwrap_or_default();
                    let call = format!("{service}:{}", event.operation);
                    resource.changed = Some(Changed { at: event.at, by: event.by, call });
                    break;
                }
            }
        }
    }
}

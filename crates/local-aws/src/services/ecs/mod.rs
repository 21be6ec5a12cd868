//! ECS: clusters, task definitions, services, and the tasks that they would run.
//!
//! winterbaume forgets most of what a task definition or a service says, and its services have no deployments and no
//! tasks, so these are kept here. Container instances, capacity providers, task sets and account settings are its own.
//!
//! No container is run. [`simulate`] lets tasks start, pass their checks or fail, and deployments complete or be given
//! up, as the table of durations and the fault plan say.

mod answer;
mod clusters;
mod definitions;
mod model;
mod services;
mod simulate;
mod targets;
mod tasks;

pub(super) use answer::answer;
pub(super) use targets::answer as target_health;

use super::Services;
use crate::ids::Ids;
use crate::place::Place;
use crate::store::Store;
use jiff::Timestamp;
use model::{Region, RolloutState, last};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use simulate::{LogLines, Simulation};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Everything that ECS holds in a world.
pub(super) struct Ecs {
    regions: Mutex<BTreeMap<Place, Region>>,
    ids: Ids,
}

/// A region as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept<R> {
    place: Place,
    region: R,
}

const FOLDER: &str = "ecs";

/// How far a service is with what was last asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It runs what it should.
    Steady,
    /// Nothing can be said before this time; `None`: by nothing that is planned.
    Waiting(Option<Timestamp>),
    /// The circuit breaker has given the deployment up.
    GivenUp,
    /// There is no such service.
    Gone,
}

impl Ecs {
    pub fn new(seed: u64) -> Self {
        Ecs { regions: Mutex::default(), ids: Ids::new(seed) }
    }

    /// Brings back what was kept.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn restore(&self, store: &Store) -> io::Result<()> {
        for file in store.list(FOLDER)? {
            let kept = store.read::<Kept<Region>>(&format!("{FOLDER}/{file}"))?;
            self.lock().extend(kept.map(|kept| (kept.place, kept.region)));
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Place, Region>> {
        self.regions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Services {
    /// The last revision of a family of task definitions; 0 if there is none.
    pub(crate) fn last_revision(&self, place: &Place, family: &str) -> u64 {
        self.ecs.lock().get(place).map_or(0, |region| region.last_revision(family))
    }

    /// How far a service is, by its ARN.
    pub(crate) async fn standing(&self, place: &Place, arn: &str) -> Standing {
        self.catch_up(place).await;
        let mut regions = self.ecs.lock();
        let Some(region) = regions.get_mut(place) else { return Standing::Gone };
        let (cluster, name) = cluster_and_name(arn);
        let Some(service) = region.service(cluster, name).filter(|service| service.active) else {
            return Standing::Gone;
        };
        let next = service.agenda.iter().map(|(due, _)| *due).min();
        let (desired, id) = (service.desired() as usize, service.arn.clone());
        let done = service.deployments.iter().all(|one| one.state == RolloutState::Completed);
        if service.last.as_ref().is_some_and(|last| last.state == RolloutState::Failed && !last.hidden) {
            return Standing::GivenUp;
        }
        let running = region.tasks.values().filter(|task| task.service == id && task.is_running()).count();
        if done && running == desired { Standing::Steady } else { Standing::Waiting(next) }
    }

    /// Lets happen in ECS what was due by now; containers' last words go to their logs.
    pub(super) async fn catch_up(&self, place: &Place) {
        let mut happened = false;
        let logs = self.simulate(place, |simulation| {
            happened = simulation.advance();
            std::mem::take(&mut simulation.logs)
        });
        if happened {
            // A world that cannot be written says so when it is next changed by a request.
            let _ = self.keep_ecs(place);
        }
        for lines in logs {
            self.write_log(place, lines).await;
        }
    }

    fn simulate<T>(&self, place: &Place, what: impl FnOnce(&mut Simulation<'_>) -> T) -> T {
        let mut regions = self.ecs.lock();
        let region = regions.entry(place.clone()).or_default();
        let mut simulation = Simulation { region, place, clock: &self.clock, ids: &self.ecs.ids, logs: Vec::new() };
        what(&mut simulation)
    }

    fn keep_ecs(&self, place: &Place) -> io::Result<()> {
        let regions = self.ecs.lock();
        let Some(region) = regions.get(place) else { return Ok(()) };
        let file = format!("{FOLDER}/{}.{}.json", place.account, place.region);
        self.store.write(&file, &Kept { place: place.clone(), region })
    }

    async fn write_log(&self, place: &Place, lines: LogLines) {
        let account = self.account(&place.account);
        let LogLines { group, stream, at, lines } = lines;
        let stream = json!({ "logGroupName": group, "logStreamName": stream });
        // A group that is gone takes no lines, as on AWS.
        if super::json_call(&account, place, "logs", "CreateLogStream", &stream).await.is_ok() {
            let events = lines.iter().map(|line| json!({ "timestamp": at.as_millisecond(), "message": line }));
            let mut input = stream;
            input["logEvents"] = events.collect::<Json>();
            let _ = super::json_call(&account, place, "logs", "PutLogEvents", &input).await;
        }
    }
}

/// `…:service/cluster/name`.
fn cluster_and_name(arn: &str) -> (&str, &str) {
    let cluster = arn.rsplit_once('/').map_or("default", |(before, _)| last(before));
    (cluster, last(arn))
}

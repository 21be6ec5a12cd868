//! The world that all doors lead to: its clock, its identifiers, its stacks, resources and services.

use crate::clock::{Clock, Speed};
use crate::cloudformation::Stacks;
use crate::cloudformation::api::stack_sets::StackSets;
use crate::door::{Connector, Request, Reset, Response};
use crate::faults::{FaultPlan, Faults};
use crate::ids::Ids;
use crate::place::Place;
use crate::resources::Resources;
use crate::services::Services;
use crate::services::cloudfront::Invalidations;
use crate::services::cloudtrail::Trail;
use crate::services::cloudwatch::Alarms;
use crate::services::sts::Sessions;
use crate::store::Store;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use jiff::Timestamp;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;

/// What a world is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// How fast its resources come and go.
    pub speed: Speed,
    /// What random names come from.
    pub seed: u64,
    /// What time it is when it begins; `None`: the machine's.
    pub epoch: Option<Timestamp>,
    /// Where it keeps what it holds, so that another process can go on with it; `None`: in memory.
    pub directory: Option<PathBuf>,
    /// Whether it stands for an account that holds more than was made here: what refers to something that is not here is
    /// then taken as it is.
    pub partial: bool,
    /// What becomes of those that wait for signals: nothing runs here that could send one.
    pub signals: Signals,
}

/// What instances, groups and wait conditions are told that wait for signals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Signals {
    /// Nothing: only a client's `SignalResource` counts.
    #[default]
    None,
    /// That all is well.
    Succeed,
    /// That something went wrong.
    Fail,
}

impl Default for Options {
    /// In memory, from seed 0, and nothing takes time.
    fn default() -> Self {
        Options { speed: Speed::INSTANT, seed: 0, epoch: None, directory: None, partial: false, signals: Signals::None }
    }
}

/// An AWS in this process. Cheap to clone: clones are the same world.
#[derive(Clone)]
pub struct LocalAws {
    pub(crate) world: Arc<World>,
}

/// What every part of it can reach.
pub(crate) struct World {
    pub clock: Clock,
    pub ids: Ids,
    /// For what is drawn in an order that nobody decides: ids of requests, credentials. Names of resources do not hang on it.
    pub request_ids: Ids,
    pub sessions: Sessions,
    pub services: Services,
    pub invalidations: Invalidations,
    pub faults: Arc<Faults>,
    pub store: Arc<Store>,
    pub resources: Resources,
    pub stacks: Stacks,
    /// Who changed what.
    pub trail: Trail,
    /// Which alarms went off.
    pub alarms: Alarms,
    pub stack_sets: StackSets,
    /// As [`Options::partial`].
    pub partial: bool,
    /// As [`Options::signals`].
    pub signals: Signals,
}

impl LocalAws {
    /// Makes a world, or opens the one that a directory holds.
    ///
    /// # Errors
    /// The directory cannot be read or made, or another process has it open.
    pub async fn open(options: Options) -> io::Result<Self> {
        let store = Arc::new(options.directory.as_deref().map_or_else(|| Ok(Store::default()), Store::open)?);
        let clock = Clock::new(options.epoch.unwrap_or_else(Timestamp::now), options.speed);
        // What one process drew, the next one must not draw again.
        let seed = options.seed.wrapping_add(store.opened_before().wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let faults = Arc::new(Faults::default());
        let world = World {
            ids: Ids::new(seed),
            request_ids: Ids::new(!seed),
            sessions: Sessions::restore(store.read(Sessions::FILE)?.unwrap_or_default()),
            services: Services::new(clock.clone(), seed.rotate_left(32), Arc::clone(&store), Arc::clone(&faults)),
            invalidations: Invalidations::restore(store.read(Invalidations::FILE)?.unwrap_or_default()),
            faults,
            resources: Resources::default(),
            stacks: Stacks::default(),
            trail: Trail::restore(store.read(Trail::FILE)?.unwrap_or_default()),
            alarms: Alarms::restore(store.read(Alarms::FILE)?.unwrap_or_default()),
            stack_sets: StackSets::restore(store.read(StackSets::FILE)?.unwrap_or_default()),
            clock,
            store,
            partial: options.partial,
            signals: options.signals,
        };
        world.services.restore().await?;
        if let Some(resources) = world.store.read("resources.json")? {
            world.resources.restore(resources);
        }
        for stack in world.store.stacks()? {
            world.stacks.restore(stack);
        }
        let world = Arc::new(world);
        Store::keep(&world);
        crate::cloudformation::resume(&world);
        Ok(LocalAws { world })
    }

    /// Removes what a directory keeps of a world.
    ///
    /// # Errors
    /// A process has it open, or the directory holds something else.
    pub fn reset(directory: &Path) -> io::Result<()> {
        crate::store::reset(directory)
    }

    /// An HTTP client for the AWS SDK that leads every request to this world, whatever its URL says.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(Connector(Arc::clone(&self.world)))
    }

    /// Answers one request as AWS would, or not at all where the fault plan ends the connection.
    ///
    /// # Errors
    /// The plan does.
    pub async fn exchange(&self, request: Request) -> Result<Response, Reset> {
        crate::door::exchange(&self.world, request).await
    }

    /// Sets an SSM parameter of type String.
    ///
    /// # Errors
    /// The service refuses it; its message.
    pub async fn put_parameter(&self, place: &Place, name: &str, value: &str) -> Result<(), String> {
        let input = serde_json::json!({ "Name": name, "Value": value, "Type": "String", "Overwrite": true });
        let answer = self.world.services.json(place, "ssm", "PutParameter", &input).await;
        answer.map(drop).map_err(|error| error.message)
    }

    /// Serves this world to any AWS client until `shutdown` is done; then finishes what was begun.
    ///
    /// # Errors
    /// The listener fails for good.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        crate::door::serve(Arc::clone(&self.world), listener, shutdown).await
    }

    /// Changes what goes wrong in this world from now on; all counts begin anew.
    pub fn faults<T>(&self, edit: impl FnOnce(&mut FaultPlan) -> T) -> T {
        self.world.faults.edit(edit)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.store.close(self);
    }
}

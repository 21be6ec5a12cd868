//! The world that all doors lead to: its clock, its identifiers, its stacks, resources and services.

use crate::clock::{Clock, Speed};
use crate::cloudformation::Stacks;
use crate::door::{Request, Response};
use crate::ids::Ids;
use crate::resources::Resources;
use crate::services::Services;
use jiff::Timestamp;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

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
}

impl Default for Options {
    /// In memory, from seed 0, and nothing takes time.
    fn default() -> Self {
        Options { speed: Speed::INSTANT, seed: 0, epoch: None, directory: None }
    }
}

/// An AWS in this process. Cheap to clone: clones are the same world.
#[derive(Clone)]
pub struct LocalAws {
    pub(crate) world: Arc<World>,
}

/// What every part of it can reach.
#[allow(dead_code, reason = "the rooms that use it follow")]
pub(crate) struct World {
    pub clock: Clock,
    pub ids: Ids,
    pub services: Services,
    pub resources: Resources,
    pub stacks: Stacks,
}

impl LocalAws {
    /// Makes a world, or opens the one that a directory holds.
    ///
    /// # Errors
    /// The directory cannot be read or made, or another process has it open.
    pub async fn open(options: Options) -> io::Result<Self> {
        let clock = Clock::new(options.epoch.unwrap_or_else(Timestamp::now), options.speed);
        let world = World {
            clock,
            ids: Ids::new(options.seed),
            services: Services::default(),
            resources: Resources::default(),
            stacks: Stacks::default(),
        };
        Ok(LocalAws { world: Arc::new(world) })
    }

    /// Answers one request as AWS would.
    pub async fn answer(&self, request: Request) -> Response {
        crate::door::answer(&self.world, request).await
    }
}

//! What is kept of stack sets. Plain data that can be saved.

use crate::place::Place;
use crate::query::Fault;
use crate::world::World;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// All stack sets of a world.
#[derive(Debug, Default)]
pub(crate) struct StackSets(Mutex<Vec<StackSet>>);

/// One template for many places.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StackSet {
    /// `<name>:<uuid>`.
    pub id: String,
    pub name: String,
    /// Of whoever administers it.
    pub place: Place,
    pub description: Option<String>,
    pub template: String,
    /// As requests give them.
    pub parameters: Json,
    pub tags: Json,
    pub capabilities: Json,
    pub administration_role: String,
    pub execution_role: String,
    pub instances: Vec<Instance>,
    /// Oldest first.
    pub operations: Vec<Operation>,
}

/// A stack of the set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub account: String,
    pub region: String,
    pub stack_id: Option<String>,
    /// `CURRENT`, `OUTDATED` or `INOPERABLE`.
    pub status: String,
    /// Why it is not current.
    pub reason: Option<String>,
    pub overrides: Option<Json>,
    pub last_operation: String,
}

impl Instance {
    pub fn place(&self) -> Place {
        Place::new(&self.account, &self.region)
    }
}

/// What is done to instances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub id: String,
    /// `CREATE`, `UPDATE` or `DELETE`.
    pub action: String,
    /// `RUNNING`, `SUCCEEDED`, `FAILED`, `STOPPING` or `STOPPED`.
    pub status: String,
    /// Whether a deletion leaves the stacks where they are.
    pub retain: bool,
    pub created: Timestamp,
    pub ended: Option<Timestamp>,
    pub results: Vec<Outcome>,
}

impl Operation {
    pub fn failed(&self) -> usize {
        self.results.iter().filter(|result| result.reason.is_some()).count()
    }
}

/// How an operation ended for one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub account: String,
    pub region: String,
    /// Why it failed; `None`: it did not.
    pub reason: Option<String>,
}

impl StackSets {
    /// Where they are kept.
    pub const FILE: &str = "stack_sets.json";

    /// Those that were kept. What was under way when the world was closed was stopped by that.
    pub fn restore(mut kept: Vec<StackSet>) -> Self {
        for operation in kept.iter_mut().flat_map(|set| &mut set.operations) {
            if matches!(operation.status.as_str(), "RUNNING" | "STOPPING") {
                "STOPPED".clone_into(&mut operation.status);
            }
        }
        StackSets(Mutex::new(kept))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<StackSet>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one of this name or id.
    pub fn find(&self, place: &Place, name: &str) -> Option<StackSet> {
        self.lock().iter().find(|set| set.place == *place && (set.name == name || set.id == name)).cloned()
    }

    pub fn by_id(&self, id: &str) -> Option<StackSet> {
        self.lock().iter().find(|set| set.id == id).cloned()
    }

    pub fn of(&self, place: &Place) -> Vec<StackSet> {
        self.lock().iter().filter(|set| set.place == *place).cloned().collect()
    }

    /// # Errors
    /// The disk's, as the next three.
    pub fn add(&self, world: &World, set: StackSet) -> Result<(), Fault> {
        let mut all = self.lock();
        all.push(set);
        keep(world, &all)
    }

    pub fn remove(&self, world: &World, id: &str) -> Result<(), Fault> {
        let mut all = self.lock();
        all.retain(|set| set.id != id);
        keep(world, &all)
    }

    pub fn edit(&self, world: &World, id: &str, edit: impl FnOnce(&mut StackSet)) -> Result<(), Fault> {
        let mut all = self.lock();
        if let Some(set) = all.iter_mut().find(|set| set.id == id) {
            edit(set);
        }
        keep(world, &all)
    }
}

fn keep(world: &World, all: &[StackSet]) -> Result<(), Fault> {
    let kept = world.store.write(StackSets::FILE, &all);
    kept.map_err(|error| Fault::new("InternalFailure", error.to_string()).with_status(500))
}

//! The stack that an operation works on, and the way to stop it.

use super::scene::{Scene, account_facts};
use crate::cloudformation::model::{Halt, Operation, OperationKind, Phase, Stack, StackResource, StepState};
use crate::faults;
use crate::place::Place;
use crate::resources::{self, Action, Owner};
use crate::world::World;
use indexmap::IndexMap;
use std::sync::Arc;
use std::time::Duration;

/// How long a resource takes at most until it is configured, where nobody waits until it is ready (`EXPRESS`). AWS says
/// that this is a part of the whole, and not which.
const CONFIGURING: Duration = Duration::from_secs(5);

/// How work on a resource ended that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cloudformation) enum Ended {
    /// By itself, for this reason.
    Failed(String),
    /// Because another resource failed, or somebody wanted it.
    Cancelled,
}

impl Ended {
    pub(super) fn failed(reason: impl Into<String>) -> Self {
        Ended::Failed(reason.into())
    }
}

/// One stack while something is done to it.
pub(super) struct Stage {
    pub world: Arc<World>,
    pub stack_id: String,
    pub place: Place,
    pub stack_name: String,
    halt: Arc<Halt>,
}

impl Stage {
    /// `None` if there is no such stack.
    pub(super) fn new(world: &Arc<World>, stack_id: &str) -> Option<Stage> {
        let (place, stack_name, cancelled) = world.with_stack(stack_id, |stack| {
            let cancelled = stack.operation.as_ref().is_some_and(|operation| operation.cancelled);
            (stack.place.clone(), stack.name.clone(), cancelled)
        })?;
        let halt = world.stacks.halt_of(stack_id);
        halt.set(cancelled);
        Some(Stage { world: Arc::clone(world), stack_id: stack_id.to_owned(), place, stack_name, halt })
    }

    /// Changes the stack. The stack is there as long as the stage is: stacks are never taken away.
    pub(super) fn edit<T: Default>(&self, edit: impl FnOnce(&World, &mut Stack) -> T) -> T {
        self.world.edit_stack(&self.stack_id, |stack| edit(&self.world, stack)).unwrap_or_default()
    }

    pub(super) fn look<T: Default>(&self, look: impl FnOnce(&Stack) -> T) -> T {
        self.world.with_stack(&self.stack_id, look).unwrap_or_default()
    }

    /// Something of the operation; the default if there is none.
    pub(super) fn operation<T: Default>(&self, look: impl FnOnce(&Operation) -> T) -> T {
        self.look(|stack| stack.operation.as_ref().map(look).unwrap_or_default())
    }

    pub(super) fn resource(&self, id: &str) -> Option<StackResource> {
        self.look(|stack| stack.resources.get(id).cloned())
    }

    pub(super) fn kind(&self) -> OperationKind {
        self.look(|stack| stack.operation.as_ref().map(|operation| operation.kind)).unwrap_or(OperationKind::Create)
    }

    pub(super) fn set_step(&self, id: &str, state: StepState) {
        self.edit(|_, stack| {
            if let Some(step) = stack.operation.as_mut().and_then(|operation| operation.steps.get_mut(id)) {
                step.state = state;
            }
        });
    }

    /// The stack's definition, ready to be carried out.
    pub(super) fn scene(&self) -> Result<Scene, String> {
        let facts = account_facts(&self.world, &self.place);
        self.world
            .with_stack(&self.stack_id, |stack| Scene::new(stack, &stack.current, facts))
            .unwrap_or_else(|| Err("the stack is gone".to_owned()))
    }

    pub(super) fn owner(&self, logical_id: &str) -> Owner {
        let tags: IndexMap<String, String> = self.look(|stack| stack.current.tags.clone());
        Owner {
            place: self.place.clone(),
            stack_name: self.stack_name.clone(),
            stack_id: self.stack_id.clone(),
            logical_id: logical_id.to_owned(),
            tags,
        }
    }

    /// Nothing new starts from now on, and what waits stops waiting.
    pub(super) fn halt(&self) {
        self.halt.set(true);
    }

    pub(super) fn halted(&self) -> bool {
        self.halt.is_set()
    }

    /// Returns when [`Stage::halt`] was called.
    pub(super) async fn halting(&self) {
        self.halt.wait().await;
    }

    /// Waits as long as an action takes on AWS.
    pub(super) async fn take(&self, type_name: &str, action: Action) {
        let whole = resources::duration(type_name, action);
        self.world.clock.take(if self.is_express() { whole.min(CONFIGURING) } else { whole }).await;
    }

    /// Whether resources only have to be configured, not ready.
    pub(super) fn is_express(&self) -> bool {
        self.operation(|operation| operation.express)
    }

    /// The same, unless the operation is halted meanwhile.
    ///
    /// # Errors
    /// [`Ended::Cancelled`].
    pub(super) async fn take_or_stop(&self, type_name: &str, action: Action) -> Result<(), Ended> {
        tokio::select! {
            biased;
            () = self.take(type_name, action) => Ok(()),
            () = self.halting() => Err(Ended::Cancelled),
        }
    }

    /// The reason for which an action on a resource is to fail. An update that is undone fails only by what is planned
    /// for rollbacks: what could not be changed can mostly be changed back.
    pub(super) fn fault(&self, logical_id: &str, action: Action) -> Option<String> {
        let back = matches!(self.phase(), Some(Phase::Rollback | Phase::RollbackCleanup));
        let planned = |action| self.world.faults.resource(&self.stack_name, logical_id, action);
        let in_rollback = if back { planned(faults::Action::Rollback) } else { None };
        in_rollback.or_else(|| match action {
            Action::Create => planned(faults::Action::Create),
            Action::Update if back => None,
            Action::Update => planned(faults::Action::Update),
            Action::Delete => planned(faults::Action::Delete),
        })
    }

    fn phase(&self) -> Option<Phase> {
        self.look(|stack| stack.operation.as_ref().map(|operation| operation.phase))
    }

    /// What was halted goes on: a rollback is not to be stopped by what it undoes.
    pub(super) fn go_on(&self) {
        self.halt.set(false);
    }
}

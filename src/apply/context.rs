//! What the life of a stack needs from the run around it.

use super::event::{EventKind, Events, ResourceEvent, send};
use super::interrupt::Interrupt;
use super::stop::{Result, Stop};
use super::wait::Wait;
use crate::aws::Aws;
use crate::aws::cloudformation::{CloudFormation, TemplateSource};
use crate::model::{ApplySettings, StackRecord, Written};
use crate::plan::{Plan, StackStep};
use crate::state::LockedState;
use cloudformation::sensitive::HIDDEN;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What a run works with; given by the command.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub aws: &'a Aws,
    /// Held for the whole run; released by whoever took it. None for what nothing but CloudFormation remembers: the stack
    /// that state and lock live in.
    pub state: Option<&'a LockedState>,
    pub events: &'a Events,
    pub interrupt: &'a Interrupt,
    pub settings: &'a ApplySettings,
    /// Who applies, and what the operation is called; its time is set anew for each record.
    pub written: &'a Written,
    /// The project's folder, below which images lie.
    pub project: &'a Path,
}

/// One run of a plan.
pub(super) struct Run<'a> {
    pub context: Context<'a>,
    pub plan: &'a Plan,
    /// Raised by signals and by the loss of the lock.
    pub interrupt: Interrupt,
    /// The lock's, or one of its own.
    id: String,
    /// When the work on each stack began.
    began: Mutex<BTreeMap<String, Instant>>,
    /// Outputs of the stacks that this run has finished.
    outputs: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
    /// Held by whoever works on a stack beside that stack's own step.
    turns: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// Stacks that other steps of this run have taken resources from.
    givers: Mutex<BTreeSet<String>>,
}

impl<'a> Run<'a> {
    pub fn new(context: Context<'a>, plan: &'a Plan, interrupt: Interrupt) -> Run<'a> {
        let id = context.state.map_or_else(crate::random::uuid, |state| state.lock_id().to_owned());
        Run {
            context,
            plan,
            interrupt,
            id,
            began: Mutex::default(),
            outputs: Mutex::default(),
            turns: Mutex::default(),
            givers: Mutex::default(),
        }
    }

    pub fn cloudformation(&self, step: &StackStep) -> CloudFormation {
        self.context.aws.cloudformation(&step.target)
    }

    /// How long this run has been at work on a stack.
    pub fn elapsed(&self, step: &StackStep) -> Duration {
        self.began(step).elapsed()
    }

    fn began(&self, step: &StackStep) -> Instant {
        let mut began = self.began.lock().unwrap_or_else(PoisonError::into_inner);
        *began.entry(step.stack.clone()).or_insert_with(Instant::now)
    }

    /// A wait for CloudFormation; all waits for one stack share the time that it is allowed.
    pub fn wait<'s>(&'s self, step: &'s StackStep) -> Wait<'s> {
        Wait::since(self.began(step), self.context.events, &step.stack, self.context.settings)
    }

    pub fn tell(&self, step: &StackStep, kind: EventKind) {
        send(self.context.events, Some(&step.stack), kind);
    }

    pub fn note(&self, step: &StackStep, message: impl Into<String>) {
        self.tell(step, EventKind::Note { message: message.into() });
    }

    pub fn tell_resource(&self, step: &StackStep, event: ResourceEvent) {
        self.tell(step, EventKind::Resource(event));
    }

    /// To be asked before every write to AWS.
    ///
    /// # Errors
    /// The lock is lost.
    pub fn may_write(&self) -> Result<()> {
        match self.context.state {
            Some(state) => Ok(state.signal().ensure()?),
            None => Ok(()),
        }
    }

    /// To be asked before every write that begins something.
    ///
    /// # Errors
    /// The lock is lost, or the run is to end.
    pub fn may_begin(&self) -> Result<()> {
        self.may_write()?;
        if self.interrupt.is_raised() {
            return Err(Stop::Stopped("interrupted before anything was changed".to_owned()));
        }
        Ok(())
    }

    /// A token of this run: what AWS takes for one request however often it comes. Letters, digits and hyphens.
    pub fn token(&self, what: &str) -> String {
        format!("{what}-{}", self.id.split('-').next().unwrap_or(&self.id))
    }

    /// A template as a request takes it: in the request itself, or in the state's bucket where it is long.
    pub async fn template_source(&self, template: String) -> Result<TemplateSource> {
        match self.context.state {
            Some(state) => Ok(state.store().objects().template_source(&state.store().id(), &template).await?),
            None => Ok(TemplateSource::Body(template)),
        }
    }

    /// What change sets say of themselves.
    pub fn description(&self) -> String {
        format!("{} of {}/{}", self.context.written.operation, self.plan.project, self.plan.environment)
    }

    /// Waits until no other step works on this stack; nobody else does until the guard is dropped.
    pub async fn alone_with(&self, stack: &str) -> tokio::sync::OwnedMutexGuard<()> {
        let turn =
            self.turns.lock().unwrap_or_else(PoisonError::into_inner).entry(stack.to_owned()).or_default().clone();
        turn.lock_owned().await
    }

    /// This run took resources from the stack.
    pub fn let_go(&self, stack: &str) {
        self.givers.lock().unwrap_or_else(PoisonError::into_inner).insert(stack.to_owned());
    }

    /// Whether this run has taken resources from the stack.
    pub fn has_let_go(&self, stack: &str) -> bool {
        self.givers.lock().unwrap_or_else(PoisonError::into_inner).contains(stack)
    }

    /// What is remembered of a stack.
    pub fn record(&self, stack: &str) -> Option<StackRecord> {
        self.context.state?.state().stacks.get(stack).cloned()
    }

    pub fn finished(&self, stack: &str, outputs: BTreeMap<String, String>) {
        self.outputs.lock().unwrap_or_else(PoisonError::into_inner).insert(stack.to_owned(), outputs);
    }

    /// An output of another stack: of this run, or as it was recorded.
    pub fn output(&self, stack: &str, key: &str) -> Option<String> {
        let outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outputs) = outputs.get(stack) {
            return outputs.get(key).cloned();
        }
        self.record(stack)?.outputs.get(key).filter(|value| *value != HIDDEN).cloned()
    }
}

//! The state in the hands of the one who may write it.

use super::format::{self, FORMAT_VERSION};
use super::lock::{Lock, LockSignal};
use super::{HistoryEntry, Snapshot, StateStore};
use crate::aws::{Precondition, Put, Result};
use crate::error::{Error, Kind};
use crate::model::{Kept, Parameter, RenderedStack, Secret, StackRecord, State, Written, sensitive};
use cloudformation::sensitive::HIDDEN;
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Templates that are written at the same time.
const WRITERS: usize = 8;

/// A change to the state.
#[derive(Debug, Clone)]
pub enum Update {
    /// The stack is as `record` says; `rendered` is what was asked for, none where that is as it was.
    Applied { stack: String, record: Box<StackRecord>, rendered: Option<Box<RenderedStack>> },
    /// The stack is gone.
    Forgotten { stack: String },
    /// The resource left its stack and stayed in the account.
    Kept(Kept),
    /// The stack has this resource: what was left behind under its id waits no longer; for a new one, whose id is not known,
    /// what was left behind in its place.
    Has { stack: String, logical_id: String, resource_type: String, physical_id: Option<String> },
}

/// The state, locked: made by [`StateStore::lock`] only, and the only type that can save.
///
/// Whoever drops it without [`LockedState::release`] leaves the lock to end with its lease.
pub struct LockedState {
    store: StateStore,
    lock: Lock,
    state: Mutex<Arc<State>>,
    /// Held through a save: saves go one after the other.
    writing: tokio::sync::Mutex<Writing>,
}

struct Writing {
    /// Of `state.json` as it is now; none if it is not there.
    etag: Option<String>,
    /// The stacks of the history's newest entry; none until it is needed.
    stacks: Option<BTreeMap<String, RenderedStack>>,
    /// Digests of templates that are in the bucket for sure.
    stored: BTreeSet<String>,
    /// A state of ours that may or may not have been written: no answer came, and it could not be read back.
    in_doubt: Option<State>,
}

impl LockedState {
    pub(super) fn new(store: StateStore, snapshot: Option<Snapshot>, lock: Lock) -> LockedState {
        let (state, etag) = match snapshot {
            Some(snapshot) => (snapshot.state, Some(snapshot.etag)),
            None => (empty(&store, &lock), None),
        };
        let writing = Writing { etag, stacks: None, stored: BTreeSet::new(), in_doubt: None };
        LockedState { store, lock, state: Mutex::new(Arc::new(state)), writing: tokio::sync::Mutex::new(writing) }
    }

    /// As last read or saved. Serial 0: there is none yet.
    pub fn state(&self) -> Arc<State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn store(&self) -> &StateStore {
        &self.store
    }

    /// This lock's id.
    pub fn lock_id(&self) -> &str {
        self.lock.id()
    }

    /// To be asked before every write to AWS, and to be waited on beside every wait.
    pub fn signal(&self) -> LockSignal {
        self.lock.signal()
    }

    /// Saves the state with these changes under the next serial and returns that. First what the new state refers to
    /// (templates, its history entry), then `state.json`: a run that dies in between leaves the old state whole.
    ///
    /// # Errors
    /// `LockLost` if the lock is not held any more, or somebody else has saved.
    pub async fn save(&self, written: Written, updates: Vec<Update>) -> Result<u64> {
        let mut writing = self.writing.lock().await;
        self.lock.signal().ensure()?;
        self.settle(&mut writing).await?;
        let mut state = State::clone(&self.state());
        if state.serial == 0 {
            // The history of a state that was deleted stays as it is: this one goes on behind it.
            state.serial = self.store.last_of_another(&state.lineage).await?;
        }
        let first = self.state().serial == 0;
        let mut stacks = match writing.stacks.take() {
            Some(stacks) => stacks,
            None if first => BTreeMap::new(),
            None => self.store.find_entry(state.serial).await?.map(|entry| entry.stacks).unwrap_or_default(),
        };
        let templates = apply(&mut state, &mut stacks, updates);
        state.serial = state.serial.checked_add(1).ok_or_else(|| {
            Error::new(
                Kind::State,
                format!("the serial of {} is {}: no number comes after it", self.store.id(), u64::MAX),
            )
            .detail("no run of infra gives such a number: the state was written by something else")
            .hint("restore an older version of state.json: the bucket keeps them")
        })?;
        state.written = written;
        state.format_version = FORMAT_VERSION;
        self.put_templates(&mut writing, templates).await?;
        let entry = HistoryEntry { format_version: FORMAT_VERSION, state, stacks };
        self.put_entry(&entry, writing.etag.as_deref()).await?;
        let HistoryEntry { state, stacks, .. } = entry;
        let serial = state.serial;
        match self.put_state(&state, writing.etag.clone()).await {
            Ok(etag) => {
                writing.stacks = Some(stacks);
                self.adopt(&mut writing, state, etag);
                Ok(serial)
            }
            Err(error) => {
                writing.in_doubt = Some(state);
                Err(error)
            }
        }
    }

    /// Finds out what became of a save whose answer was lost.
    async fn settle(&self, writing: &mut Writing) -> Result<()> {
        let Some(doubtful) = writing.in_doubt.take() else { return Ok(()) };
        match self.store.read().await {
            Ok(Some(now)) if now.state == doubtful => self.adopt(writing, now.state, now.etag),
            Ok(_) => {} // not written; if anything else was, the next write is refused for its ETag
            Err(error) => {
                writing.in_doubt = Some(doubtful);
                return Err(error);
            }
        }
        Ok(())
    }

    fn adopt(&self, writing: &mut Writing, state: State, etag: String) {
        writing.etag = Some(etag);
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
    }

    /// Gives the lock back. Saves are refused from here on.
    pub async fn release(&self) -> Result<()> {
        let _last_save = self.writing.lock().await;
        self.lock.release().await
    }

    async fn put_templates(&self, writing: &mut Writing, templates: BTreeMap<String, String>) -> Result<()> {
        let prefix = self.store.id();
        let missing: Vec<_> = templates.into_iter().filter(|(digest, _)| !writing.stored.contains(digest)).collect();
        let writes = missing.iter().map(|(_, template)| self.store.objects.put_template(&prefix, template));
        stream::iter(writes).buffer_unordered(WRITERS).try_collect::<Vec<_>>().await?;
        writing.stored.extend(missing.into_iter().map(|(digest, _)| digest));
        Ok(())
    }

    /// An entry of this serial may lie there from a run that died before its state was written: it is replaced, as long
    /// as the state is still the one that was read.
    async fn put_entry(&self, entry: &HistoryEntry, state_etag: Option<&str>) -> Result<()> {
        let objects = &self.store.objects;
        let key = self.store.history_key(entry.state.serial);
        let body = format::to_bytes(entry)?;
        self.lock.signal().ensure()?;
        if objects.put(&key, body.clone(), JSON, Precondition::Absent).await? != Put::Refused {
            return Ok(());
        }
        let Some(there) = objects.get(&key).await? else {
            return Err(self.overtaken("the history entry came and went"));
        };
        if there.body == body {
            return Ok(()); // ours: the answer to the first attempt was lost
        }
        let state_now = objects.get(&self.store.state_key()).await?.map(|object| object.etag);
        if state_now.as_deref() != state_etag {
            return Err(self.overtaken("another run has saved the state"));
        }
        self.lock.signal().ensure()?;
        match objects.put(&key, body, JSON, Precondition::Unchanged(there.etag)).await? {
            Put::Done { .. } => Ok(()),
            Put::Refused => match objects.get(&key).await? {
                Some(again) if again.body == format::to_bytes(entry)? => Ok(()),
                _ => Err(self.overtaken("another run has written the history")),
            },
        }
    }

    async fn put_state(&self, state: &State, read: Option<String>) -> Result<String> {
        let objects = &self.store.objects;
        let key = self.store.state_key();
        let body = format::to_bytes(state)?;
        self.lock.signal().ensure()?;
        let condition = read.map_or(Precondition::Absent, Precondition::Unchanged);
        let answer = objects.put(&key, body.clone(), JSON, condition).await;
        if let Ok(Put::Done { etag }) = answer {
            return Ok(etag);
        }
        // Refused, or no answer: the write may have happened all the same. What lies there now tells.
        match objects.get(&key).await {
            Ok(Some(there)) if there.body == body => Ok(there.etag),
            Ok(_) if answer.is_ok() => Err(self.overtaken("another run has saved the state")),
            _ => Err(answer.err().unwrap_or_else(|| self.overtaken("the state cannot be read back"))),
        }
    }

    fn overtaken(&self, how: &str) -> Error {
        Error::new(Kind::LockLost, format!("the state of {} was not saved: {how}", self.store.id()))
            .detail("nothing was overwritten")
            .hint(format!(
                "`infra history --env {}` tells who saved it; run the command again to carry on",
                self.store.environment
            ))
    }
}

const JSON: &str = "application/json";

fn empty(store: &StateStore, lock: &Lock) -> State {
    let info = lock.info();
    State {
        format_version: FORMAT_VERSION,
        lineage: crate::random::uuid(),
        serial: 0,
        project: store.project.clone(),
        environment: store.environment.clone(),
        written: Written {
            at: info.created,
            by: info.who.clone(),
            host: info.host.clone(),
            version: info.version.clone(),
            operation: info.operation.clone(),
            git_commit: None,
            pipeline_url: info.pipeline_url.clone(),
        },
        stacks: BTreeMap::new(),
        kept: Vec::new(),
    }
}

/// Makes the changes, and returns the templates that they bring, by digest.
fn apply(
    state: &mut State,
    stacks: &mut BTreeMap<String, RenderedStack>,
    updates: Vec<Update>,
) -> BTreeMap<String, String> {
    let mut templates = BTreeMap::new();
    for update in updates {
        match update {
            Update::Forgotten { stack } => {
                state.stacks.remove(&stack);
                stacks.remove(&stack);
            }
            Update::Kept(kept) => {
                let same = |known: &Kept| {
                    (&known.resource_type, &known.physical_id) == (&kept.resource_type, &kept.physical_id)
                        && known.target == kept.target
                };
                state.kept.retain(|known| !same(known));
                state.kept.push(kept);
            }
            Update::Has { stack, logical_id, resource_type, physical_id } => {
                state.kept.retain(|kept| {
                    let same = match &physical_id {
                        Some(physical_id) => *physical_id == kept.physical_id,
                        None => kept.stack == stack && kept.logical_id == logical_id,
                    };
                    kept.resource_type != resource_type || !same
                });
            }
            Update::Applied { stack, mut record, rendered } => {
                if let Some(mut rendered) = rendered {
                    withhold_secrets(&mut record, &mut rendered);
                    templates.insert(rendered.template_digest.clone(), std::mem::take(&mut rendered.template));
                    stacks.insert(stack.clone(), *rendered);
                }
                withhold(&mut record);
                state.stacks.insert(stack, *record);
            }
        }
    }
    templates
}

/// The last line of defence: values of NoEcho parameters, and whatever else is sensitive, do not get past here, whoever
/// forgot to leave them out.
fn withhold_secrets(record: &mut StackRecord, rendered: &mut RenderedStack) {
    for name in no_echo_parameters(&rendered.template) {
        record.parameters.remove(&name);
        record.resolved.remove(&name);
        if let Some(value) = record.equivalent.as_mut().and_then(|equivalent| equivalent.parameters.get_mut(&name)) {
            sensitive::MASKED.clone_into(value);
        }
        if let Some(parameter @ Parameter::Value(_)) = rendered.parameters.get_mut(&name) {
            *parameter = Parameter::Secret { value: Secret::default() };
        }
    }
    withhold(record);
}

/// What a state remembers of a stack, without what is sensitive by its name or by what was met.
pub(super) fn withhold(record: &mut StackRecord) {
    record.parameters.retain(|name, value| !sensitive::is_secret(name, value));
    record.resolved.retain(|name, value| !sensitive::is_secret(name, value));
    if let Some(equivalent) = &mut record.equivalent {
        equivalent.resolved.retain(|name, value| !sensitive::is_secret(name, value));
        let parameters = equivalent.parameters.iter_mut();
        for (_, value) in parameters.filter(|(name, value)| sensitive::is_secret(name, value)) {
            sensitive::MASKED.clone_into(value);
        }
    }
    for value in record.outputs.values_mut().chain(record.tags.values_mut()).filter(|value| sensitive::holds(value)) {
        *value = HIDDEN.to_owned();
    }
}

/// Parameters whose values CloudFormation shows to nobody.
fn no_echo_parameters(template: &str) -> Vec<String> {
    let template: serde_json::Value = serde_json::from_str(template).unwrap_or_default();
    let declared = template.get("Parameters").and_then(|section| section.as_object());
    let is_no_echo = |parameter: &serde_json::Value| match parameter.get("NoEcho") {
        Some(serde_json::Value::Bool(no_echo)) => *no_echo,
        Some(serde_json::Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    };
    let names = declared.into_iter().flatten().filter(|(_, parameter)| is_no_echo(parameter));
    names.map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::no_echo_parameters;

    #[test]
    fn no_echo_in_all_its_spellings() {
        let template = r#"{"Parameters":{"A":{"NoEcho":true},"B":{"NoEcho":"True"},"C":{"NoEcho":false},"D":{}}}"#;
        assert_eq!(no_echo_parameters(template), ["A", "B"]);
        assert!(no_echo_parameters(r#"{"Resources":{}}"#).is_empty());
    }
}

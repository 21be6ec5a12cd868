//! `history/<serial>.json`: each saved state, with what it takes to go back to it.
//!
//! Templates are not repeated: they lie once under the digest of their text.

use super::StateStore;
use super::format;
use crate::aws::{Result, template_key};
use crate::error::{Error, Kind};
use crate::model::{RenderedStack, State, digest};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Objects that are read at the same time.
const READERS: usize = 8;

/// One saved state and the stacks as they were asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryEntry {
    pub format_version: u32,
    pub state: State,
    /// By the environment's names; their templates are empty here, see [`StateStore::recorded_stacks`].
    pub stacks: BTreeMap<String, RenderedStack>,
}

/// One line of the list of saved states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryItem {
    pub serial: u64,
    pub saved_at: Timestamp,
}

impl StateStore {
    pub(super) fn history_key(&self, serial: u64) -> String {
        format!("{}/history/{serial}.json", self.id())
    }

    /// What was saved, the newest first. An entry beyond the current serial was never the state (its run died between
    /// the two writes).
    pub async fn history(&self) -> Result<Vec<HistoryItem>> {
        let prefix = format!("{}/history/", self.id());
        let keys = self.objects.list(&prefix).await?;
        let mut items: Vec<_> = keys
            .into_iter()
            .filter_map(|object| {
                let serial = object.key.strip_prefix(&prefix)?.strip_suffix(".json")?.parse().ok()?;
                Some(HistoryItem { serial, saved_at: object.modified })
            })
            .collect();
        items.sort_by_key(|item| std::cmp::Reverse(item.serial));
        Ok(items)
    }

    /// The last `count` entries, the newest first.
    pub async fn last_entries(&self, count: usize) -> Result<Vec<HistoryEntry>> {
        let items = self.history().await?;
        let reads = items.into_iter().take(count).map(|item| self.entry(item.serial));
        stream::iter(reads).buffered(READERS).try_collect().await
    }

    /// The entry of one serial.
    pub async fn entry(&self, serial: u64) -> Result<HistoryEntry> {
        self.find_entry(serial).await?.ok_or_else(|| {
            Error::new(Kind::State, format!("{} has no history of serial {serial}", self.id()))
                .hint(format!("`infra history --env {}` lists what there is", self.environment))
        })
    }

    pub(super) async fn find_entry(&self, serial: u64) -> Result<Option<HistoryEntry>> {
        let key = self.history_key(serial);
        let place = self.objects.place(&key);
        let Some(object) = self.objects.get(&key).await? else { return Ok(None) };
        let entry: HistoryEntry = format::from_bytes(&object.body).map_err(|unreadable| unreadable.explain(&place))?;
        format::check_owner(&entry.state, &self.project, &self.environment, &place)?;
        Ok(Some(entry))
    }

    /// The highest serial in the history of another state, which is not there any more; 0 without one. An entry that a run
    /// left which died before its first state was written cannot be told from that, and is kept as well.
    pub(super) async fn last_of_another(&self, lineage: &str) -> Result<u64> {
        for item in self.history().await? {
            let entry = self.find_entry(item.serial).await?;
            if entry.is_some_and(|entry| entry.state.lineage != lineage) {
                return Ok(item.serial);
            }
        }
        Ok(0)
    }

    /// The stacks of an entry with their templates: what `rollback` plans with.
    pub async fn recorded_stacks(&self, entry: HistoryEntry) -> Result<Vec<RenderedStack>> {
        let reads = entry.stacks.into_values().map(|stack| self.with_template(stack));
        stream::iter(reads).buffered(READERS).try_collect().await
    }

    async fn with_template(&self, mut stack: RenderedStack) -> Result<RenderedStack> {
        let key = template_key(&self.id(), &stack.template_digest);
        let place = self.objects.place(&key);
        let object = self.objects.get(&key).await?.ok_or_else(|| {
            Error::new(Kind::State, format!("the template of stack `{}` is missing: {place}", stack.name))
                .hint("a lifecycle rule of the bucket may have removed it; older versions may still be there")
        })?;
        stack.template = String::from_utf8_lossy(&object.body).into_owned();
        if digest(&stack.template) != stack.template_digest {
            return Err(Error::new(Kind::State, format!("{place} is not the template that its name says"))
                .detail("its digest is another one: somebody changed it")
                .hint("restore its first version"));
        }
        Ok(stack)
    }
}

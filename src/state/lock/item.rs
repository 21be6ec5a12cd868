//! The lock as an item: `LockID`, `Info` (JSON, as Terraform's locks have it), `Beat`, `LeaseMillis`.

use crate::aws::{Item, ItemValue, Result, Table};
use crate::error::{Error, Kind};
use crate::model::LockInfo;
use std::collections::BTreeMap;
use std::time::Duration;

const KEY: &str = "LockID";
const INFO: &str = "Info";
const BEAT: &str = "Beat";
const LEASE: &str = "LeaseMillis";

#[derive(Debug, Clone, PartialEq)]
pub(super) struct LockItem {
    pub info: LockInfo,
    /// `Info` as it stands in the item: it holds the lock's id, so that equal text means the same lock.
    pub info_text: String,
    pub beat: u64,
    pub lease: Duration,
}

impl LockItem {
    pub(super) fn new(info: LockInfo, lease: Duration) -> Result<LockItem> {
        let info_text = serde_json::to_string(&info)
            .map_err(|error| Error::new(Kind::Other, "the lock cannot be written as JSON").caused_by(error))?;
        Ok(LockItem { info, info_text, beat: 1, lease })
    }

    pub(super) fn read(item: &Item, table: &Table, key: &str) -> Result<LockItem> {
        let (Some(ItemValue::Text(text)), Some(ItemValue::Number(beat)), Some(ItemValue::Number(lease))) =
            (item.get(INFO), item.get(BEAT), item.get(LEASE))
        else {
            return Err(foreign(table, key, "it lacks Info, Beat or LeaseMillis"));
        };
        let info = serde_json::from_str(text).map_err(|error| foreign(table, key, &error.to_string()))?;
        Ok(LockItem { info, info_text: text.clone(), beat: *beat, lease: Duration::from_millis(*lease) })
    }

    pub(super) fn to_item(&self, key: &str, beat: u64) -> Item {
        let lease = u64::try_from(self.lease.as_millis()).unwrap_or(u64::MAX);
        BTreeMap::from([
            (KEY.to_owned(), ItemValue::Text(key.to_owned())),
            (INFO.to_owned(), ItemValue::Text(self.info_text.clone())),
            (BEAT.to_owned(), ItemValue::Number(beat)),
            (LEASE.to_owned(), ItemValue::Number(lease)),
        ])
    }

    /// Holds for this lock at whatever beat.
    pub(super) fn is_of(info_text: &str) -> Item {
        BTreeMap::from([(INFO.to_owned(), ItemValue::Text(info_text.to_owned()))])
    }

    /// Holds for this lock at this beat.
    pub(super) fn at_beat(&self, beat: u64) -> Item {
        let mut wanted = LockItem::is_of(&self.info_text);
        wanted.insert(BEAT.to_owned(), ItemValue::Number(beat));
        wanted
    }
}

fn foreign(table: &Table, key: &str, why: &str) -> Error {
    Error::new(Kind::State, format!("the item `{key}` of table `{}` is not a lock of infra", table.name()))
        .detail(why)
        .hint("look at what else uses this table; if nothing does, delete the item")
}

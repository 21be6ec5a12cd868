//! The lock: a DynamoDB item that beats.
//!
//! Its holder counts a number up every few seconds. A contender who sees the number unchanged for a whole lease, by its
//! own clock, takes the lock over on the condition that the number is still the same. No clock is compared with another,
//! and a holder that died blocks nobody for longer than a lease. The holder, for its part, takes the lock for lost when
//! it could not beat for nearly a lease: it stops before anyone can have taken over.

mod beat;
mod item;
mod take;

pub(super) use beat::Lock;
pub use beat::LockSignal;
pub(super) use take::take;

use crate::aws::{Condition, Result, Table, Write};
use crate::error::{Error, Kind};
use crate::model::LockInfo;
use item::LockItem;
use std::time::Duration;

/// Who wants the lock, and how long for.
#[derive(Debug, Clone)]
pub struct LockRequest {
    /// `apply`, `destroy` …
    pub operation: String,
    /// The caller's ARN.
    pub who: String,
    pub host: String,
    pub pipeline_url: Option<String>,
    /// How long to wait for a holder that is alive.
    pub timeout: Duration,
    /// After so long without a beat the lock is anybody's.
    pub lease: Duration,
    /// How often the holder beats; several times a lease.
    pub beat: Duration,
}

impl LockRequest {
    pub const LEASE: Duration = Duration::from_secs(60);
    pub const BEAT: Duration = Duration::from_secs(10);

    pub fn new(operation: impl Into<String>, who: impl Into<String>, host: impl Into<String>) -> LockRequest {
        LockRequest {
            operation: operation.into(),
            who: who.into(),
            host: host.into(),
            pipeline_url: None,
            timeout: Duration::ZERO,
            lease: LockRequest::LEASE,
            beat: LockRequest::BEAT,
        }
    }
}

/// What a contender sees while it does not have the lock.
#[derive(Debug, Clone, PartialEq)]
pub enum LockProgress {
    Waiting {
        holder: LockInfo,
        waited: Duration,
        timeout: Duration,
        /// The holder has beaten since the first look; until then nobody knows whether it lives.
        alive: bool,
    },
    /// The holder showed no sign of life for its whole lease.
    TakenOver { from: LockInfo },
}

/// A lock as it lies in the table.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldLock {
    pub info: LockInfo,
    pub beat: u64,
    pub lease: Duration,
}

pub(super) async fn show(table: &Table, key: &str) -> Result<Option<HeldLock>> {
    let Some(item) = table.get(key).await? else { return Ok(None) };
    let LockItem { info, beat, lease, .. } = LockItem::read(&item, table, key)?;
    Ok(Some(HeldLock { info, beat, lease }))
}

pub(super) async fn break_it(table: &Table, key: &str, id: &str) -> Result<HeldLock> {
    let Some(held) = show(table, key).await? else {
        return Err(Error::new(Kind::State, format!("nobody holds the lock of {key}: there is nothing to break")));
    };
    let other = |info: &LockInfo| {
        Error::new(Kind::LockHeld, format!("the lock of {key} has another id: {}", info.id))
            .detail(describe(info))
            .hint(format!("if that is the one to break: `infra lock break {}`", info.id))
    };
    if held.info.id != id {
        return Err(other(&held.info));
    }
    // On the text alone, not on the beat: it may beat while it is being broken.
    let info_text = LockItem::new(held.info.clone(), held.lease)?.info_text;
    match table.delete(key, &Condition::Equal(LockItem::is_of(&info_text))).await? {
        Write::Done => Ok(held),
        // Given back or taken over in the meantime, or deleted by an attempt whose answer was lost.
        Write::Refused => match show(table, key).await? {
            Some(now) => Err(other(&now.info)),
            None => Ok(held),
        },
    }
}

/// One line that says who holds a lock.
fn describe(info: &LockInfo) -> String {
    let pipeline = info.pipeline_url.as_ref().map(|url| format!(", {url}")).unwrap_or_default();
    format!("held for `{}` by {} on {} since {}{pipeline}", info.operation, info.who, info.host, info.created)
}

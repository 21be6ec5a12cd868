//! Getting the lock: at once, after waiting, or from a holder that shows no sign of life.

use super::beat::{Lock, Moment};
use super::item::LockItem;
use super::{LockProgress, LockRequest, describe};
use crate::aws::{Condition, Result, Table, Write};
use crate::error::{Error, Kind};
use crate::model::LockInfo;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Pauses between looks at a held lock.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(16);
/// While it is open whether the holder lives.
const MAX_PAUSE_UNKNOWN: Duration = Duration::from_secs(2);

/// A holder, as one contender has seen it.
struct Watched {
    item: LockItem,
    /// When this beat was first seen.
    since: Instant,
    alive: bool,
}

/// Waits as long as the request says for a holder that is alive. One that is not known to be alive is watched for its
/// lease in any case: that is how the lock of a run that was killed is had by its next run without further words.
pub(in crate::state) async fn take(
    table: Table,
    key: String,
    request: LockRequest,
    mut progress: impl FnMut(LockProgress),
) -> Result<Lock> {
    let mine = LockItem::new(info(&request), request.lease)?;
    let began = Instant::now();
    let mut watched: Option<Watched> = None;
    let mut pause = FIRST_PAUSE;
    loop {
        let asked = Moment::now();
        let condition = match &watched {
            None => Some(Condition::Absent),
            Some(holder) if holder.since.elapsed() >= holder.item.lease => {
                Some(Condition::Equal(holder.item.at_beat(holder.item.beat)))
            }
            Some(_) => None,
        };
        if let Some(condition) = condition
            && put(&table, &key, &mine, &condition).await?
        {
            if let Some(dead) = watched {
                progress(LockProgress::TakenOver { from: dead.item.info });
            }
            return Ok(Lock::hold(table, key, mine, asked, request.beat));
        }
        let Some(found) = table.get(&key).await? else {
            watched = None; // released a moment ago
            continue;
        };
        let found = LockItem::read(&found, &table, &key)?;
        watched = Some(match watched.take() {
            Some(old) if old.item == found => old,
            // It has beaten, or somebody else has just got it.
            Some(_) => Watched { item: found, since: Instant::now(), alive: true },
            None => Watched { item: found, since: Instant::now(), alive: false },
        });
        let Some(holder) = &watched else { continue };
        let waited = began.elapsed();
        if waited >= request.timeout && holder.alive {
            return Err(held(&key, holder, waited));
        }
        progress(LockProgress::Waiting {
            holder: holder.item.info.clone(),
            waited,
            timeout: request.timeout,
            alive: holder.alive,
        });
        let lease_left = (holder.since + holder.item.lease).saturating_duration_since(Instant::now());
        let mut next = pause.min(lease_left);
        if holder.alive {
            next = next.min(request.timeout.saturating_sub(waited));
        } else {
            next = next.min(MAX_PAUSE_UNKNOWN);
        }
        sleep(next).await;
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

/// Whether the lock is ours now. Where the answer is lost or may stem from a second attempt, the item tells.
async fn put(table: &Table, key: &str, mine: &LockItem, condition: &Condition) -> Result<bool> {
    let answer = table.put(&mine.to_item(key, mine.beat), condition).await;
    if let Ok(Write::Done) = answer {
        return Ok(true);
    }
    let is_ours = |item: &crate::aws::Item| LockItem::read(item, table, key).is_ok_and(|item| item == *mine);
    match (answer, table.get(key).await) {
        (_, Ok(Some(item))) if is_ours(&item) => Ok(true),
        (Ok(_), Ok(_)) => Ok(false),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

fn info(request: &LockRequest) -> LockInfo {
    LockInfo {
        id: crate::random::uuid(),
        operation: request.operation.clone(),
        who: request.who.clone(),
        host: request.host.clone(),
        created: jiff::Timestamp::now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pipeline_url: request.pipeline_url.clone(),
    }
}

fn held(key: &str, holder: &Watched, waited: Duration) -> Error {
    let LockItem { info, lease, .. } = &holder.item;
    let error = Error::new(Kind::LockHeld, format!("somebody else works on {key}"))
        .detail(describe(info))
        .detail(format!("lock id {}", info.id));
    let error = match waited.as_secs() {
        0..10 => error,
        seconds => error.detail(format!("waited {seconds} s for it")),
    };
    error.hint("wait for it: `--lock-timeout 10m`").hint(format!(
        "a run that was killed gives its lock up by itself after {} s; this one is alive. If it must not be, end it \
             there, or take its lock away: `infra lock break {}`",
        lease.as_secs(),
        info.id
    ))
}

//! Keeping the lock: the heartbeat, the signal that it is lost, giving it back.

use super::describe;
use super::item::LockItem;
use crate::aws::{Condition, Result, Table, Write};
use crate::error::{Error, Kind};
use crate::model::LockInfo;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

/// The holder gives up this part of its lease before its end, so that it has stopped when a contender may begin.
const MARGIN: u32 = 10;
/// One attempt at a beat may take this part of the lease.
const ATTEMPT: u32 = 6;

/// The lock in our hands. Beats in the background until it is released, dropped or lost.
pub(in crate::state) struct Lock {
    table: Table,
    key: String,
    item: LockItem,
    signal: LockSignal,
    lose: Arc<watch::Sender<Option<Loss>>>,
    heart: JoinHandle<()>,
}

/// Tells whether the lock is still held. Clones tell the same.
#[derive(Clone)]
pub struct LockSignal {
    key: Arc<str>,
    confirmed: Arc<Mutex<Moment>>,
    lease: Duration,
    loss: watch::Receiver<Option<Loss>>,
}

/// A moment by both clocks of this machine: the steady one stands still while a laptop sleeps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    steady: Instant,
    wall: SystemTime,
}

impl Moment {
    pub(super) fn now() -> Moment {
        Moment { steady: Instant::now(), wall: SystemTime::now() }
    }

    /// By the clock that has run further. One that was set back counts for nothing.
    fn elapsed(self) -> Duration {
        self.steady.elapsed().max(self.wall.elapsed().unwrap_or_default())
    }
}

/// How the lock was lost.
#[derive(Debug, Clone, PartialEq)]
enum Loss {
    /// The item is gone: `lock break`, or somebody at the console.
    Broken,
    TakenOver(Box<LockInfo>),
    /// No beat came through for nearly a lease; why the last one failed.
    Silenced(String),
    /// Given back by ourselves.
    Released,
}

impl LockSignal {
    /// # Errors
    /// [`Kind::LockLost`] once the lock is lost: nothing may be written then.
    pub fn ensure(&self) -> Result<()> {
        if let Some(loss) = &*self.loss.borrow() {
            return Err(self.lost_by(loss));
        }
        // Asks the clocks: a process that was stopped for minutes comes here before its heart beats again.
        if self.confirmed().elapsed() >= self.good_for() {
            return Err(self.lost_by(&Loss::Silenced("this process, or the whole machine, stood still".to_owned())));
        }
        Ok(())
    }

    pub fn is_held(&self) -> bool {
        self.ensure().is_ok()
    }

    /// Comes back when the lock is lost (or given back), with the error that says how; for `select!` beside a wait.
    pub async fn lost(&self) -> Error {
        let mut loss = self.loss.clone();
        match loss.wait_for(Option::is_some).await {
            Ok(loss) => self.lost_by(loss.as_ref().unwrap_or(&Loss::Released)),
            Err(_) => self.lost_by(&Loss::Released),
        }
    }

    fn confirmed(&self) -> Moment {
        *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long after a beat nobody can have taken over.
    fn good_for(&self) -> Duration {
        self.lease - self.lease / MARGIN
    }

    fn lost_by(&self, loss: &Loss) -> Error {
        let key = &self.key;
        let error = match loss {
            Loss::Broken => Error::new(Kind::LockLost, format!("the lock of {key} was broken by somebody")),
            Loss::TakenOver(info) => {
                Error::new(Kind::LockLost, format!("the lock of {key} was taken over")).detail(describe(info))
            }
            Loss::Silenced(why) => Error::new(
                Kind::LockLost,
                format!("the lock of {key} could not be kept for {} s", self.lease.as_secs()),
            )
            .detail(why.clone()),
            Loss::Released => Error::new(Kind::LockLost, format!("the lock of {key} has been given back already")),
        };
        error
            .detail("nothing was written after that; CloudFormation finishes what it has begun")
            .hint("run the command again: it waits for what runs and carries on from there")
    }
}

impl Lock {
    /// `asked`: when the request that took the lock was sent, which is the earliest that a contender can have seen it.
    pub(super) fn hold(table: Table, key: String, item: LockItem, asked: Moment, beat: Duration) -> Lock {
        let (lose, loss) = watch::channel(None);
        let lose = Arc::new(lose);
        let confirmed = Arc::new(Mutex::new(asked));
        let signal = LockSignal { key: key.as_str().into(), confirmed, lease: item.lease, loss };
        let heart = Heart {
            table: table.once(),
            key: key.clone(),
            item: item.clone(),
            signal: signal.clone(),
            pause: beat,
            lose: lose.clone(),
        };
        Lock { table, key, item, signal, lose, heart: tokio::spawn(heart.beat()) }
    }

    pub(in crate::state) fn id(&self) -> &str {
        &self.item.info.id
    }

    pub(in crate::state) fn info(&self) -> &LockInfo {
        &self.item.info
    }

    pub(in crate::state) fn signal(&self) -> LockSignal {
        self.signal.clone()
    }

    /// Deletes the item, if it is still ours. The signal says "released" from here on.
    pub(in crate::state) async fn release(&self) -> Result<()> {
        self.give_up();
        // On the text alone: a beat may be under way.
        self.table.delete(&self.key, &Condition::Equal(LockItem::is_of(&self.item.info_text))).await.map(drop)
    }

    fn give_up(&self) {
        self.heart.abort();
        self.lose.send_if_modified(|loss| loss.is_none() && loss.insert(Loss::Released) == &Loss::Released);
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.give_up();
    }
}

/// What beats.
struct Heart {
    table: Table,
    key: String,
    item: LockItem,
    signal: LockSignal,
    pause: Duration,
    lose: Arc<watch::Sender<Option<Loss>>>,
}

impl Heart {
    async fn beat(self) {
        let mut beat = self.item.beat;
        loop {
            sleep_until(self.signal.confirmed().steady + self.pause).await;
            match self.beat_once(beat).await {
                Ok(confirmed) => {
                    beat += 1;
                    *self.signal.confirmed.lock().unwrap_or_else(PoisonError::into_inner) = confirmed;
                }
                Err(loss) => {
                    self.lose.send_replace(Some(loss));
                    return;
                }
            }
        }
    }

    /// Counts up from `beat`, through throttling, errors and silence, as long as the lease allows. Returns the latest
    /// moment that the new beat cannot have been seen before.
    async fn beat_once(&self, beat: u64) -> std::result::Result<Moment, Loss> {
        let deadline = self.signal.confirmed().steady + self.signal.good_for();
        let next = self.item.to_item(&self.key, beat + 1);
        let condition = Condition::Equal(self.item.at_beat(beat));
        let first_try = Moment::now();
        let mut why = "no answer".to_owned();
        while Instant::now() < deadline {
            let this_try = Moment::now();
            let end = deadline.min(this_try.steady + self.item.lease / ATTEMPT);
            let attempt = async {
                match self.table.put(&next, &condition).await {
                    Ok(Write::Done) => Ok(Some(Ok(this_try))),
                    // Somebody else's doing, or an earlier attempt of ours that got through although nobody said so.
                    Ok(Write::Refused) => self.look(beat + 1, first_try).await,
                    // It may have got through all the same.
                    Err(error) => self.look(beat + 1, first_try).await.map_err(|_| error),
                }
            };
            match timeout_at(end, attempt).await {
                Ok(Ok(Some(answer))) => return answer,
                Ok(Ok(None)) => {} // the item is as it was: the attempt had no effect
                Ok(Err(error)) => why = explain(&error),
                Err(_) => {}
            }
            sleep((self.pause / 4).min(deadline.saturating_duration_since(Instant::now()))).await;
        }
        Err(Loss::Silenced(why))
    }

    async fn look(&self, expected: u64, first_try: Moment) -> Result<Option<std::result::Result<Moment, Loss>>> {
        let Some(item) = self.table.get(&self.key).await? else { return Ok(Some(Err(Loss::Broken))) };
        let found = LockItem::read(&item, &self.table, &self.key)?;
        Ok(match found {
            found if found.info_text != self.item.info_text => Some(Err(Loss::TakenOver(Box::new(found.info)))),
            found if found.beat == expected => Some(Ok(first_try)),
            _ => None,
        })
    }
}

fn explain(error: &Error) -> String {
    match error.details.first() {
        Some(detail) => format!("{error}: {detail}"),
        None => error.to_string(),
    }
}

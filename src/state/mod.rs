//! What is remembered between runs, and who may change it: `state.json` with its history in S3, the lock in DynamoDB.
//!
//! What always holds: only [`LockedState`] can write, and only while its lock is held; a write happens only over what was
//! read (by ETag), so that whoever lost the lock overwrites nothing even if it does not know yet; no secret is written.

mod copy;
mod format;
mod history;
mod lock;
mod locked;
mod store;

pub use copy::LocalCopy;
pub use format::FORMAT_VERSION;
pub use history::{HistoryEntry, HistoryItem};
pub use lock::{HeldLock, LockProgress, LockRequest, LockSignal};
pub use locked::{LockedState, Update};
pub use store::{Snapshot, StateStore};

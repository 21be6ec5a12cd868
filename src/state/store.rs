//! Where an environment's state lies, and how it is read. Reading needs no lock.

use super::format::{self, Unreadable};
use super::lock::{self, HeldLock, LockProgress, LockRequest};
use super::locked::LockedState;
use crate::aws::{Aws, Object, Objects, Result, Table};
use crate::error::Error;
use crate::model::{Environment, State};

/// An environment's state, history and lock. Cheap to clone.
#[derive(Clone)]
pub struct StateStore {
    pub(super) objects: Objects,
    pub(super) table: Table,
    pub(super) project: String,
    pub(super) environment: String,
}

/// A state as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    pub state: State,
    /// Of the object: a save over this state is conditional on it.
    pub etag: String,
}

impl StateStore {
    pub fn new(aws: &Aws, environment: &Environment) -> StateStore {
        StateStore {
            objects: aws.objects(&environment.state),
            table: aws.table(&environment.state),
            project: environment.project.clone(),
            environment: environment.name.clone(),
        }
    }

    /// Read as this role: the environment of another account.
    pub fn read_as(aws: &Aws, environment: &Environment, role: &str) -> StateStore {
        StateStore { objects: aws.objects_as(&environment.state, role), ..StateStore::new(aws, environment) }
    }

    /// `<project>/<environment>`: the lock's id, and what all keys begin with.
    pub fn id(&self) -> String {
        format!("{}/{}", self.project, self.environment)
    }

    /// The bucket, for what else goes into it (long templates).
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    pub(super) fn state_key(&self) -> String {
        format!("{}/state.json", self.id())
    }

    /// The state; none before the first save. One call.
    ///
    /// # Errors
    /// `NotBootstrapped` without a bucket; `State` for what is newer, corrupt or another environment's.
    pub async fn read(&self) -> Result<Option<Snapshot>> {
        let Some(object) = self.objects.get(&self.state_key()).await? else { return Ok(None) };
        let place = self.objects.place(&self.state_key());
        match format::from_bytes::<State>(&object.body) {
            Ok(state) => {
                format::check_owner(&state, &self.project, &self.environment, &place)?;
                Ok(Some(Snapshot { state, etag: object.etag }))
            }
            Err(unreadable @ Unreadable::Newer { .. }) => Err(unreadable.explain(&place)),
            Err(unreadable) => Err(self.corrupt(unreadable.explain(&place), &object).await),
        }
    }

    /// Says which version of the object to go back to, where the bucket has one that can be read.
    async fn corrupt(&self, error: Error, object: &Object) -> Error {
        /// Versions that are tried before giving up.
        const LOOK_BACK: usize = 10;
        let (bucket, key) = (self.objects.bucket(), self.state_key());
        let error = error.hint(
            "never edit it by hand: every stack that it forgets is one that `plan` takes for new, and `destroy` leaves behind",
        );
        let versions = self.objects.versions(&key).await.unwrap_or_default();
        let older = versions.into_iter().filter(|version| Some(&version.id) != object.version.as_ref());
        for version in older.take(LOOK_BACK) {
            let Ok(Some(earlier)) = self.objects.get_version(&key, &version.id).await else { continue };
            if let Ok(state) = format::from_bytes::<State>(&earlier.body)
                && format::check_owner(&state, &self.project, &self.environment, &key).is_ok()
            {
                return error
                    .detail(format!(
                        "version {} of {} can be read: serial {}, {} stacks",
                        version.id,
                        version.modified,
                        state.serial,
                        state.stacks.len()
                    ))
                    .hint(format!(
                        "restore it: `aws s3api copy-object --bucket {bucket} --key {key} --copy-source \
                         '{bucket}/{key}?versionId={}'`",
                        version.id
                    ));
            }
        }
        error.detail("the bucket keeps no earlier version that can be read")
    }

    /// Takes the lock, then reads the state. `progress` hears of every look at a lock that is held.
    ///
    /// # Errors
    /// `LockHeld` only if somebody else holds it and shows signs of life; anything else that goes wrong says what it is.
    pub async fn lock(&self, request: LockRequest, progress: impl FnMut(LockProgress)) -> Result<LockedState> {
        let lock = lock::take(self.table.clone(), self.id(), request, progress).await?;
        match self.read().await {
            Ok(snapshot) => Ok(LockedState::new(self.clone(), snapshot, lock)),
            Err(error) => {
                // Whoever could not read must not keep others out; if this fails too, the lease ends by itself.
                let _ = lock.release().await;
                Err(error)
            }
        }
    }

    /// Who holds the lock now; none if nobody does.
    pub async fn holder(&self) -> Result<Option<HeldLock>> {
        lock::show(&self.table, &self.id()).await
    }

    /// Takes the lock away from the holder of this id, and from nobody else. The holder learns of it with its next beat
    /// and stops.
    pub async fn break_lock(&self, lock_id: &str) -> Result<HeldLock> {
        lock::break_it(&self.table, &self.id(), lock_id).await
    }
}

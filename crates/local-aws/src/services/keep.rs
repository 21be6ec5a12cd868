//! How services outlive the process: after each change the state of that service in that region is written, once for
//! all changes that wait for it.

use super::account::Account;
use super::{Buckets, Services};
use crate::place::Place;
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Who waits for which file.
#[derive(Default)]
pub(super) struct Keeper(Mutex<BTreeMap<String, Arc<Turn>>>);

#[derive(Default)]
struct Turn {
    /// How many changes were made.
    made: AtomicU64,
    /// How many of them the file holds.
    held: tokio::sync::Mutex<u64>,
}

impl Keeper {
    fn turn(&self, file: &str) -> Arc<Turn> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(file.to_owned()).or_default())
    }
}

impl Services {
    /// Writes what a service holds in a place; returns when a file holds every change that was made before the call.
    ///
    /// # Errors
    /// The disk's.
    pub(super) async fn keep(&self, account: &Account, place: &Place, service: &str) -> io::Result<()> {
        let file = format!("services/{}/{}/{service}.json", place.account, place.region);
        if self.store.path(&file).is_none() {
            return Ok(());
        }
        let Some(backend) = account.backend(service) else { return Ok(()) };
        let turn = self.keeper.turn(&file);
        let mine = turn.made.fetch_add(1, Ordering::SeqCst) + 1;
        let mut held = turn.held.lock().await;
        if *held >= mine {
            return Ok(());
        }
        let made = turn.made.load(Ordering::SeqCst);
        let unused = account.unused_files(service);
        let state = backend.snapshot(&place.region).await?;
        account.settle(service)?;
        self.store.write_bytes(&file, &state)?;
        *held = made;
        for file in unused {
            // A file that stays behind only takes up room.
            let _ = std::fs::remove_file(file);
        }
        Ok(())
    }

    /// Brings back what was kept.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) async fn restore(&self) -> io::Result<()> {
        self.registry.restore(&self.store)?;
        self.ecs.restore(&self.store)?;
        for id in self.store.list("services")? {
            let account = self.account(&id);
            for region in self.store.list(&format!("services/{id}"))? {
                let place = Place::new(&id, &region);
                for file in self.store.list(&format!("services/{id}/{region}"))? {
                    let path = format!("services/{id}/{region}/{file}");
                    let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidData, format!("{path}: {why}"));
                    let Some(state) = self.store.read::<serde_json::Value>(&path)? else { continue };
                    let service = file.trim_end_matches(".json");
                    let Some(backend) = account.backend(service) else {
                        return Err(invalid("there is no such service".to_owned()));
                    };
                    if service == "s3" {
                        Buckets::restore(&self.buckets, &place, &state);
                    }
                    backend.restore(&region, state).await.map_err(invalid)?;
                }
            }
        }
        Ok(())
    }
}

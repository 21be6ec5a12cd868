//! What keeps a world: a directory of JSON files and blobs, or nothing.
//!
//! Every file is written beside its place, waited for until it is on the disk, and renamed into it, so that a process that
//! is killed at any moment, and a machine that loses its power, leave files that are whole. A request that changes
//! something is answered after its change is on the disk, its name included.

mod blobs;
pub(crate) mod files;

pub(crate) use blobs::Blobs;

use crate::cloudformation::model::Stack;
use crate::resources;
use crate::world::World;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;

/// The layout of the directory; another one is not read.
const FORMAT_VERSION: u32 = 1;

/// How long changes that nobody waits for are gathered.
const GATHERING: Duration = Duration::from_millis(50);

/// Says which files are there and how to read them.
#[derive(Debug, Serialize, Deserialize)]
struct Format {
    format_version: u32,
    /// How often this directory was opened. Names drawn from a seed must not be drawn again.
    opened: u64,
}

/// A directory that this process has open, or nothing.
#[derive(Default)]
pub(crate) struct Store {
    open: Option<Open>,
    /// Stacks that differ from their files, by id.
    touched: Mutex<BTreeSet<String>>,
    /// What the file of resources says; held while files are written.
    written: Mutex<Option<resources::State>>,
    wake: Arc<Notify>,
}

struct Open {
    directory: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
    opened: u64,
}

impl Store {
    /// Opens a directory; makes it if it is not there.
    ///
    /// # Errors
    /// Another process has it open, it cannot be read or written, or it holds something else.
    pub fn open(directory: &Path) -> io::Result<Self> {
        files::make_directory(&directory.join("stacks"))?;
        let lock = lock(directory)?;
        let path = directory.join("format.json");
        let mut format: Format = files::read(&path)?.unwrap_or(Format { format_version: FORMAT_VERSION, opened: 0 });
        if format.format_version != FORMAT_VERSION {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "{} holds a local AWS of format {}, and this program reads format {FORMAT_VERSION}; remove it to begin anew",
                    directory.display(),
                    format.format_version
                ),
            ));
        }
        format.opened += 1;
        files::write(&path, &format)?;
        let open = Open { directory: directory.to_owned(), _lock: lock, opened: format.opened };
        Ok(Store { open: Some(open), ..Store::default() })
    }

    /// How often its directory was opened before.
    pub fn opened_before(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.opened - 1)
    }

    /// A path below the directory; `None` where nothing is kept.
    pub fn path(&self, relative: &str) -> Option<PathBuf> {
        self.open.as_ref().map(|open| open.directory.join(relative))
    }

    /// Writes a file of the directory.
    ///
    /// # Errors
    /// The disk's.
    pub fn write<T: Serialize>(&self, relative: &str, value: &T) -> io::Result<()> {
        self.path(relative).map_or(Ok(()), |path| files::write(&path, value))
    }

    /// Writes a file of the directory that is JSON already.
    ///
    /// # Errors
    /// The disk's.
    pub fn write_bytes(&self, relative: &str, bytes: &[u8]) -> io::Result<()> {
        self.path(relative).map_or(Ok(()), |path| files::write_bytes(&path, bytes))
    }

    /// Reads a file of the directory, if it is there.
    ///
    /// # Errors
    /// It is not what this process would have written.
    pub fn read<T: DeserializeOwned>(&self, relative: &str) -> io::Result<Option<T>> {
        self.path(relative).map_or(Ok(None), |path| files::read(&path))
    }

    /// The files of a folder of the directory that are whole, by name.
    ///
    /// # Errors
    /// The disk's.
    pub fn list(&self, relative: &str) -> io::Result<Vec<String>> {
        self.path(relative).map_or(Ok(Vec::new()), |path| files::list(&path))
    }

    /// Every stack that was kept.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn stacks(&self) -> io::Result<Vec<Stack>> {
        let mut stacks = Vec::new();
        for name in self.list("stacks")? {
            stacks.extend(self.read::<Stack>(&format!("stacks/{name}"))?);
        }
        stacks.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
        Ok(stacks)
    }

    /// A stack has changed and will be written soon; [`Store::flush`] writes it now.
    pub fn touch_stack(&self, id: &str) {
        if self.open.is_some() {
            guard(&self.touched).insert(id.to_owned());
            self.wake.notify_one();
        }
    }

    /// Writes what has changed of resources and stacks, in this order: what a stack speaks of is there.
    ///
    /// # Errors
    /// The disk's; what could not be written will be tried again.
    pub fn flush(&self, world: &World) -> io::Result<()> {
        if self.open.is_none() {
            return Ok(());
        }
        let mut written = guard(&self.written);
        let resources = world.resources.save();
        if written.as_ref() != Some(&resources) {
            self.write("resources.json", &resources)?;
            *written = Some(resources);
        }
        let touched = std::mem::take(&mut *guard(&self.touched));
        let kept = self.write_stacks(world, &touched);
        if kept.is_err() {
            guard(&self.touched).extend(touched);
        }
        kept
    }

    /// Writes stacks, and waits for the names of all of them at once.
    fn write_stacks(&self, world: &World, ids: &BTreeSet<String>) -> io::Result<()> {
        let Some(folder) = self.path("stacks").filter(|_| !ids.is_empty()) else { return Ok(()) };
        for id in ids {
            let Some(stack) = world.stacks.lock().get(id).cloned() else { continue };
            files::replace(&folder.join(format!("{}.json", file_name(id))), &files::bytes(&folder, &stack)?)?;
        }
        files::sync_names(&folder)
    }

    /// Writes what is left, at the end of a world.
    pub fn close(&self, world: &World) {
        // Nobody is left to hear of an error; what was acknowledged is written.
        let _ = self.flush(world);
        self.wake.notify_one();
    }

    /// Writes in the background what nobody waits for, until the world is gone.
    pub fn keep(world: &Arc<World>) {
        if world.store.open.is_none() {
            return;
        }
        let (weak, wake) = (Arc::downgrade(world), Arc::clone(&world.store.wake));
        tokio::spawn(async move {
            loop {
                wake.notified().await;
                tokio::time::sleep(GATHERING).await;
                let Some(world) = Weak::upgrade(&weak) else { return };
                if world.store.flush(&world).is_err() {
                    world.store.wake.notify_one();
                }
            }
        });
    }
}

/// Empties the directory of a local AWS.
///
/// # Errors
/// A process has it open, or it is not one.
pub(crate) fn reset(directory: &Path) -> io::Result<()> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries.collect::<io::Result<Vec<_>>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if entries.is_empty() {
        return Ok(());
    }
    if !directory.join("format.json").exists() && !directory.join("lock").exists() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{} is not the directory of a local AWS; nothing was removed", directory.display()),
        ));
    }
    let _lock = lock(directory)?;
    // What says that it is one goes last, so that an interrupted reset can be done again.
    let goes_last = |name: &std::ffi::OsStr| name == "format.json" || name == "lock";
    for entry in entries.iter().filter(|entry| !goes_last(&entry.file_name())) {
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        } else {
            std::fs::remove_file(entry.path())?;
        }
    }
    match std::fs::remove_file(directory.join("format.json")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn lock(directory: &Path) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(directory.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::Error::new(
            io::ErrorKind::WouldBlock,
            format!("{} is open in another process; wait for it to end, or stop it", directory.display()),
        )),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// A stack's file: the last part of its id is its own.
fn file_name(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::files::trace;
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn one_process_at_a_time() {
        let directory = tempfile::tempdir().expect("a directory");
        let first = Store::open(directory.path()).expect("the first");
        let error = Store::open(directory.path()).err().expect("the second is refused");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert_eq!(reset(directory.path()).expect_err("open").kind(), io::ErrorKind::WouldBlock);
        drop(first);
        assert_eq!(Store::open(directory.path()).expect("now").opened_before(), 1);
        reset(directory.path()).expect("nobody has it open");
        assert_eq!(Store::open(directory.path()).expect("anew").opened_before(), 0);
    }

    #[test]
    fn other_directories_are_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("precious"), "x").expect("a file");
        assert_eq!(reset(directory.path()).expect_err("not one").kind(), io::ErrorKind::InvalidInput);
        assert!(directory.path().join("precious").exists());
        reset(&directory.path().join("none")).expect("nothing to do");
    }

    #[test]
    fn another_format_is_not_read() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("format.json"), r#"{"format_version": 99, "opened": 1}"#).expect("a file");
        let error = Store::open(directory.path()).err().expect("refused").to_string();
        assert!(error.contains("99"), "{error}");
    }

    #[test]
    fn what_was_not_finished_is_not_there() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(directory.path()).expect("a store");
        store.write("services/a.json", &1).expect("written");
        std::fs::write(directory.path().join("services/b.json.tmp"), "{").expect("half a file");
        assert_eq!(store.list("services").expect("a list"), ["a.json"]);
        std::fs::write(directory.path().join("services/c.json"), "{").expect("half a file");
        let error = store.read::<u8>("services/c.json").expect_err("broken");
        assert!(error.to_string().contains("c.json"), "{error}");
    }

    /// What a disk holds after the power failed: of each file what was waited for, under the names that were waited
    /// for, unless it was lucky.
    fn survives(steps: &[trace::Step], lucky: bool) -> BTreeMap<PathBuf, Vec<u8>> {
        let (mut cache, mut disk) = (BTreeMap::<PathBuf, Vec<u8>>::new(), BTreeMap::<PathBuf, Vec<u8>>::new());
        let mut content = BTreeMap::<PathBuf, Vec<u8>>::new();
        let mut names: Vec<(PathBuf, PathBuf)> = Vec::new();
        for step in steps {
            match step {
                trace::Step::Written(path, bytes) => drop(cache.insert(path.clone(), bytes.clone())),
                trace::Step::Synced(path) => drop(content.insert(path.clone(), cache[path].clone())),
                trace::Step::Renamed(from, to) => names.push((from.clone(), to.clone())),
                trace::Step::NamesSynced(folder) => names.retain(|(from, to)| {
                    let synced = to.parent() == Some(folder);
                    if synced {
                        disk.insert(to.clone(), content.remove(from).unwrap_or_default());
                    }
                    !synced
                }),
            }
        }
        // A name may have reached the disk without being waited for, and its content not.
        for (from, to) in names.into_iter().filter(|_| lucky) {
            disk.insert(to, content.remove(&from).unwrap_or_default());
        }
        disk
    }

    #[test]
    fn what_was_acknowledged_survives_a_power_failure() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(directory.path()).expect("a store");
        trace::take();
        let (mut steps, mut acknowledged) = (Vec::new(), Vec::new());
        for round in 0..4_u32 {
            store.write("services/1/eu/s3.json", &round).expect("written");
            store.write_bytes("resources.json", round.to_string().as_bytes()).expect("written");
            steps.extend(trace::take());
            acknowledged.push((steps.len(), round));
        }
        for cut in 0..=steps.len() {
            let told = acknowledged.iter().filter(|(at, _)| *at <= cut).map(|(_, round)| *round).next_back();
            for lucky in [false, true] {
                let disk = survives(&steps[..cut], lucky);
                for name in ["services/1/eu/s3.json", "resources.json"] {
                    let found = disk.get(&directory.path().join(name));
                    let found = found.map(|bytes| serde_json::from_slice::<u32>(bytes).expect("it is whole"));
                    assert!(found >= told, "after {cut} steps {told:?} was acknowledged, {found:?} is there");
                }
            }
        }
    }

    #[test]
    fn names_are_waited_for_once_for_all_stacks() {
        let directory = tempfile::tempdir().expect("a directory");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let options = crate::Options { directory: Some(directory.path().to_owned()), ..crate::Options::default() };
            let aws = crate::LocalAws::open(options).await.expect("a world");
            let place = crate::Place::new("111122223333", "eu-west-1");
            for name in ["one", "two", "three"] {
                let id = place.arn("cloudformation", &format!("stack/{name}/1"));
                aws.world.add_stack(Stack::new(&place, name, &id, aws.world.clock.now()));
            }
            trace::take();
            aws.world.store.flush(&aws.world).expect("written");
            let steps = trace::take();
            let count = |is: fn(&trace::Step) -> bool| steps.iter().filter(|step| is(step)).count();
            assert_eq!(
                count(|step| matches!(step, trace::Step::Synced(_))),
                4,
                "resources and three stacks: {steps:?}"
            );
            assert_eq!(count(|step| matches!(step, trace::Step::NamesSynced(_))), 2, "two folders: {steps:?}");
        });
    }
}

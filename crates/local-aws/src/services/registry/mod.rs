//! Images of ECR's repositories: one state behind ECR's own operations ([`ecr`]) and the registry that container tools
//! push to and pull from ([`oci`]).
//!
//! winterbaume keeps repositories, their policies and settings. It knows no layers, forgets images whose tag moves on
//! and does not respect immutable tags, so images are kept here.

mod content;
pub(super) mod ecr;
mod images;
pub(super) mod oci;
mod scans;
mod token;

use super::Services;
use super::account::Account;
use crate::place::Place;
use content::Content;
use images::{Problem, Repository};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// All images of a world.
pub(super) struct Registry {
    repositories: Mutex<BTreeMap<(Place, String), Repository>>,
    content: Content,
}

/// A repository as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept<R> {
    place: Place,
    name: String,
    repository: R,
}

impl Registry {
    pub fn new(store: &crate::store::Store) -> Self {
        let content = store.path("registry").map_or_else(Content::in_memory, Content::in_folder);
        Registry { repositories: Mutex::default(), content }
    }

    /// Brings back what was kept.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn restore(&self, store: &crate::store::Store) -> io::Result<()> {
        for file in store.list(FOLDER)? {
            let kept = store.read::<Kept<Repository>>(&format!("{FOLDER}/{file}"))?;
            self.lock().extend(kept.map(|kept| ((kept.place, kept.name), kept.repository)));
        }
        Ok(())
    }

    /// Looks at a repository's images; an empty one where nothing was pushed.
    fn look<T>(&self, place: &Place, name: &str, look: impl FnOnce(&Repository) -> T) -> T {
        let repositories = self.lock();
        match repositories.get(&(place.clone(), name.to_owned())) {
            Some(repository) => look(repository),
            None => look(&Repository::default()),
        }
    }

    /// Changes a repository's images and keeps them.
    fn edit<T>(
        &self,
        store: &crate::store::Store,
        place: &Place,
        name: &str,
        edit: impl FnOnce(&mut Repository) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let mut repositories = self.lock();
        let repository = repositories.entry((place.clone(), name.to_owned())).or_default();
        let edited = edit(repository)?;
        let kept = Kept { place: place.clone(), name: name.to_owned(), repository };
        store.write(&file(place, name), &kept).map_err(|error| Problem::Disk(error.to_string()))?;
        Ok(edited)
    }

    /// Forgets a repository's images, and the content that no other repository has.
    fn forget(&self, store: &crate::store::Store, place: &Place, name: &str) -> io::Result<()> {
        let mut repositories = self.lock();
        let Some(gone) = repositories.remove(&(place.clone(), name.to_owned())) else { return Ok(()) };
        if let Some(path) = store.path(&file(place, name))
            && path.exists()
        {
            std::fs::remove_file(path)?;
        }
        let used: BTreeSet<&String> = repositories.values().flat_map(|repository| repository.layers.keys()).collect();
        gone.layers.keys().filter(|digest| !used.contains(digest)).for_each(|digest| self.content.remove(digest));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(Place, String), Repository>> {
        self.repositories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where repositories are kept.
const FOLDER: &str = "registry/repositories";

/// A repository's file. Names have no tilde.
fn file(place: &Place, name: &str) -> String {
    format!("{FOLDER}/{}.{}.{}.json", place.account, place.region, name.replace('/', "~"))
}

/// Whether tags of a repository stay where they are; the problem, if ECR has no such repository.
async fn is_immutable(account: &Account, place: &Place, name: &str) -> Result<bool, Problem> {
    let described =
        super::json_call(account, place, "ecr", "DescribeRepositories", &json!({ "repositoryNames": [name] }))
            .await
            .map_err(|_| Problem::NoRepository)?;
    let mutability = described["repositories"][0]["imageTagMutability"].as_str().unwrap_or_default();
    Ok(mutability.starts_with("IMMUTABLE"))
}

/// Whether a repository's images are scanned when they are pushed.
async fn scans_on_push(account: &Account, place: &Place, name: &str) -> bool {
    let which = json!({ "repositoryNames": [name] });
    let described = super::json_call(account, place, "ecr", "DescribeRepositories", &which).await;
    described.is_ok_and(|it| it["repositories"][0]["imageScanningConfiguration"]["scanOnPush"] == true)
}

/// Puts a manifest into a repository: what it names has to be there.
fn put_manifest(
    services: &Services,
    place: &Place,
    name: &str,
    manifest: &str,
    put: images::Put<'_>,
) -> Result<images::Pushed, Problem> {
    let now = services.clock.now();
    services.registry.edit(&services.store, place, name, |repository| repository.put(manifest, put, now))
}

/// ECR's name of a registry that is reached by AWS's own hosts.
fn registry_host(place: &Place) -> String {
    format!("{}.dkr.ecr.{}.{}", place.account, place.region, place.url_suffix())
}

/// JSON of an error that both APIs word alike.
fn no_repository(place: &Place, name: &str) -> String {
    format!("The repository with name '{name}' does not exist in the registry with id '{}'", place.account)
}

fn text<'j>(json: &'j Json, member: &str) -> &'j str {
    json[member].as_str().unwrap_or_default()
}

//! From one repository to another, of whatever registry, account or region: how an image that one environment runs gets
//! to the next one, byte by byte the same.
//!
//! The rules are those of a push; blobs stream from the one connection to the other and are never held.

use super::Digest;
use super::push::{Destination, Pushed, Source, Tell, push};
use super::registry::Repository;
use crate::error::{Error, Kind};

/// Makes the destination have what `reference`, a digest or a tag, names in `from`.
///
/// # Errors
/// There is no such image; else as for [`push`].
pub async fn copy(from: &Repository, reference: &str, to: &Destination, tell: &Tell) -> Result<Pushed, Error> {
    let digest = match reference.parse::<Digest>() {
        Ok(digest) => digest,
        Err(_) => from.find(reference).await?.ok_or_else(|| no_image(from, reference))?,
    };
    let mut to = to.clone();
    if to.repository.registry.host() == from.registry.host() {
        to.mount_from.insert(0, from.name.clone());
    }
    push(&Source::Repository(from.clone()), &digest, &to, tell).await
}

fn no_image(from: &Repository, reference: &str) -> Error {
    Error::new(Kind::Other, format!("{from} has no image `{reference}`"))
        .hint("name it by its digest (sha256:…), or by a tag that there is")
}

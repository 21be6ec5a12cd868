//! Moving blobs: a few at a time, the largest first, each the cheapest way there is.

use super::{Destination, PARALLEL_BLOBS, Progress, Pushed, Result, Source, Tell};
use crate::error::Error;
use crate::image::Descriptor;
use crate::image::registry::{Mount, Sent, refusal};
use futures::stream::{self, StreamExt, TryStreamExt};
use std::sync::Arc;

pub(super) struct Blobs<'a> {
    pub source: &'a Source,
    pub to: &'a Destination,
    pub tell: &'a Tell,
}

/// How a blob came to be there.
enum Moved {
    Present,
    Mounted,
    Uploaded,
}

impl Blobs<'_> {
    /// Makes the destination have all of them.
    pub async fn move_all(&self, blobs: &[Descriptor], pushed: &mut Pushed) -> Result<()> {
        let bytes = blobs.iter().map(|blob| blob.size_bytes).sum();
        (self.tell)(Progress::Begun { blobs: blobs.len(), bytes });
        let mut blobs: Vec<&Descriptor> = blobs.iter().collect();
        blobs.sort_by_key(|blob| std::cmp::Reverse(blob.size_bytes));
        let moves = blobs.into_iter().map(|blob| async move { Ok::<_, Error>((blob, self.move_one(blob).await?)) });
        let mut moves = stream::iter(moves).buffer_unordered(PARALLEL_BLOBS);
        while let Some((blob, moved)) = moves.try_next().await? {
            match moved {
                Moved::Present => pushed.present_blobs += 1,
                Moved::Mounted => pushed.mounted_blobs += 1,
                Moved::Uploaded => {
                    pushed.uploaded_blobs += 1;
                    pushed.uploaded_bytes += blob.size_bytes;
                }
            }
        }
        Ok(())
    }

    async fn move_one(&self, blob: &Descriptor) -> Result<Moved> {
        let (repository, digest, bytes) = (&self.to.repository, blob.digest, blob.size_bytes);
        if repository.has_blob(blob).await? {
            (self.tell)(Progress::Present { digest, bytes });
            return Ok(Moved::Present);
        }
        let mut begun = None;
        for from in self.to.mount_from.iter().filter(|from| **from != repository.name) {
            match repository.mount(&digest, from).await? {
                // Its word is not taken for it.
                Mount::Done if repository.has_blob(blob).await? => {
                    (self.tell)(Progress::Mounted { digest, from: from.clone(), bytes });
                    return Ok(Moved::Mounted);
                }
                Mount::Begun(location) => begun = Some(location),
                Mount::Done | Mount::No => {}
            }
        }
        self.upload(blob, begun).await?;
        (self.tell)(Progress::Uploaded { digest, bytes });
        Ok(Moved::Uploaded)
    }

    /// Where the registry calls the digest wrong, either what is here is damaged or it was damaged on its way: the first
    /// is told, the second tried once more.
    async fn upload(&self, blob: &Descriptor, begun: Option<String>) -> Result<()> {
        let repository = &self.to.repository;
        let source = self.source.blob(blob).await?;
        let (tell, digest, of_bytes) = (self.tell.clone(), blob.digest, blob.size_bytes);
        let sent: Sent = Arc::new(move |bytes| tell(Progress::Sent { digest, bytes, of_bytes }));
        match repository.upload(blob, &source, begun, &sent).await {
            Err(error) if is_digest_refused(&error) => {
                self.source.check(blob).await?;
                repository.upload(blob, &source, None, &sent).await
            }
            result => result,
        }
    }
}

fn is_digest_refused(error: &Error) -> bool {
    refusal(error).is_some_and(|refusal| matches!(refusal.code.as_str(), "DIGEST_INVALID" | "SIZE_INVALID"))
}

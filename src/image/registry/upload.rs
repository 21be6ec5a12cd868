//! Uploading one blob: begun, streamed, resumed where a connection broke, closed under its digest, and looked at after.
//!
//! The whole rest of a blob goes in one request, as Docker sends it, so that every registry takes it. After a cut the
//! registry is asked how much it has: one that knows is sent only what is missing, one that has lost track is sent
//! everything again.

use super::refusal::{is_broken, refusal};
use super::{Ask, MAX_ATTEMPTS, Repository, Result, pause};
use crate::aws::{Body, Chunks};
use crate::error::{Error, Kind};
use crate::image::Descriptor;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// A registry may take long to close an upload: some copy the blob once more.
const CLOSING: Duration = Duration::from_secs(300);

/// Where a blob's bytes come from: opened at any byte, as often as it takes.
pub type BlobSource = Arc<dyn Fn(u64) -> Chunks + Send + Sync>;

/// Hears how many bytes of the blob are on their way or there; goes back where something is sent again.
pub type Sent = Arc<dyn Fn(u64) + Send + Sync>;

/// An upload that the registry knows.
struct Session {
    location: String,
    /// Bytes that the registry has.
    offset: u64,
}

/// How one try ended.
enum Try {
    Done,
    /// Worth another one.
    Cut {
        error: Error,
        /// The session may still be good.
        resume: Option<Session>,
    },
}

impl Repository {
    /// Uploads a blob that is not there. `begun` is the address of an upload that a mount has begun.
    ///
    /// # Errors
    /// The registry says no, calls the digest wrong (`DIGEST_INVALID`), or loses what it is given again and again.
    pub(in crate::image) async fn upload(
        &self,
        blob: &Descriptor,
        source: &BlobSource,
        begun: Option<String>,
        sent: &Sent,
    ) -> Result<()> {
        let mut session = begun.map(|location| Session { location, offset: 0 });
        let (mut furthest, mut failures) = (0, 0);
        loop {
            let current = match session.take() {
                Some(session) => session,
                None => self.begin(blob).await?,
            };
            sent(current.offset);
            let (error, resume) = match self.send_rest(current, blob, source, sent).await? {
                Try::Done => return Ok(()),
                Try::Cut { error, resume } => (error, resume),
            };
            failures += 1;
            if failures >= MAX_ATTEMPTS {
                return Err(error.detail(format!("tried {failures} times to send {}", blob.digest)));
            }
            sleep(pause(failures)).await;
            session = match resume {
                Some(session) => self.progress(session, blob).await?,
                None => None,
            };
            if let Some(Session { offset, .. }) = session.as_ref().filter(|session| session.offset > furthest) {
                (furthest, failures) = (*offset, 0);
            }
        }
    }

    async fn begin(&self, blob: &Descriptor) -> Result<Session> {
        let url = self.url("blobs/uploads/");
        let what = format!("begin the upload of {} to {self}", blob.digest.short());
        let answer = self.insist(&Ask::new("POST", url.clone(), what)).await?;
        let location = answer.header("location").ok_or_else(|| self.speechless("where an upload goes"))?;
        Ok(Session { location: super::absolute(&url, location), offset: 0 })
    }

    async fn send_rest(&self, session: Session, blob: &Descriptor, source: &BlobSource, sent: &Sent) -> Result<Try> {
        if session.offset >= blob.size_bytes {
            return self.close(session, blob).await;
        }
        let from = session.offset;
        let length_bytes = blob.size_bytes - from;
        let body = || Body::Stream { length_bytes, chunks: counted(source(from), from, sent) };
        let what = format!("send {} to {self}", blob.digest.short());
        let ask = Ask { body: &body, attempts: 1, ..Ask::new("PATCH", session.location.clone(), what) };
        let ask = ask.header("content-type", "application/octet-stream");
        let ask = match from {
            0 => ask,
            _ => ask.header("content-range", format!("{from}-{}", blob.size_bytes - 1)),
        };
        let answer = match self.ask(&ask).await {
            Ok(answer) => answer,
            Err(error) if is_broken(&error) => return Ok(Try::Cut { error, resume: Some(session) }),
            Err(error) => return Err(error),
        };
        let location = answer.header("location").map(|location| super::absolute(&session.location, location));
        let session = Session { location: location.unwrap_or(session.location), ..session };
        if answer.is_success() {
            let has = answer.header("range").and_then(range_end).map(|end| end + 1);
            return match has {
                Some(has) if has != blob.size_bytes => {
                    let message = format!("{self} took {has} of {} bytes of {}", blob.size_bytes, blob.digest);
                    Ok(Try::Cut { error: Error::new(Kind::Other, message), resume: Some(session) })
                }
                _ => self.close(Session { offset: blob.size_bytes, ..session }, blob).await,
            };
        }
        let status = answer.status;
        let error = self.refused(answer, &ask.what).await;
        match status {
            404 => Ok(Try::Cut { error, resume: None }),
            416 => Ok(Try::Cut { error, resume: Some(session) }),
            _ if super::is_passing(status) => Ok(Try::Cut { error, resume: Some(session) }),
            _ if is_unknown_upload(&error) => Ok(Try::Cut { error, resume: None }),
            _ => Err(error),
        }
    }

    /// Says under which digest the registry is to keep what it has, and looks whether it does.
    async fn close(&self, session: Session, blob: &Descriptor) -> Result<Try> {
        let joint = if session.location.contains('?') { '&' } else { '?' };
        let url = format!("{}{joint}digest={}", session.location, blob.digest);
        let what = format!("close the upload of {} to {self}", blob.digest.short());
        let ask = Ask { attempts: 1, patience: CLOSING, ..Ask::new("PUT", url, what) };
        let answer = self.ask(&ask.header("content-type", "application/octet-stream")).await;
        let what = format!("close the upload of {} to {self}", blob.digest.short());
        let (error, resume) = match answer {
            Ok(answer) if answer.is_success() => {
                let told = answer.header("docker-content-digest").map(str::to_owned);
                if let Some(told) = told.filter(|told| *told != blob.digest.to_string()) {
                    return Err(Error::new(Kind::Other, format!("{self} keeps {} under another digest", blob.digest))
                        .detail(format!("it says that it has {told}"))
                        .hint("the registry, or something in front of it, changes what is pushed: do not use it"));
                }
                let message = format!("{self} accepted the blob {} and does not have it", blob.digest);
                let lost = Error::new(Kind::Other, message).hint("look at the registry's storage, then push again");
                (lost, None)
            }
            Ok(answer) => {
                let status = answer.status;
                let error = self.refused(answer, &what).await;
                match status {
                    _ if super::is_passing(status) || status == 416 => (error, Some(session)),
                    404 => (error, None),
                    _ if is_unknown_upload(&error) => (error, None),
                    _ => return Err(error),
                }
            }
            Err(error) if is_broken(&error) => (error, Some(session)),
            Err(error) => return Err(error),
        };
        // Its word is not taken for it; and an answer that got lost may have been a yes.
        Ok(if self.has_blob(blob).await? { Try::Done } else { Try::Cut { error, resume } })
    }

    /// How much of an upload the registry has; none if it has lost track of it.
    async fn progress(&self, session: Session, blob: &Descriptor) -> Result<Option<Session>> {
        let what = format!("ask {self} how much it has of {}", blob.digest.short());
        let answer = self.ask(&Ask::new("GET", session.location.clone(), what)).await?;
        if !answer.is_success() {
            return Ok(None);
        }
        let Some(end) = answer.header("range").and_then(range_end) else { return Ok(None) };
        // `0-0` is said of no byte and of one.
        let offset = if end == 0 { 0 } else { end + 1 };
        if offset > blob.size_bytes || (end == 0 && blob.size_bytes == 1) {
            return Ok(None);
        }
        let location = answer.header("location").map(|location| super::absolute(&session.location, location));
        Ok(Some(Session { location: location.unwrap_or(session.location), offset }))
    }

    fn speechless(&self, what: &str) -> Error {
        Error::new(Kind::Other, format!("{self} does not say {what}"))
            .hint("is this a registry that speaks the OCI distribution API?")
    }
}

/// Tells of each piece as the connection takes it.
fn counted(chunks: Chunks, from: u64, sent: &Sent) -> Chunks {
    use futures::StreamExt;
    let sent = sent.clone();
    let mut at = from;
    chunks
        .inspect(move |chunk| {
            if let Ok(bytes) = chunk {
                at += bytes.len() as u64;
                sent(at);
            }
        })
        .boxed()
}

/// The last byte of `0-1023`, also where it is written as `bytes=0-1023`.
fn range_end(range: &str) -> Option<u64> {
    let range = range.trim().trim_start_matches("bytes").trim_start_matches(['=', ' ']);
    range.split_once('-')?.1.trim().parse().ok()
}

/// The session is gone: the blob has to be sent from its beginning.
fn is_unknown_upload(error: &Error) -> bool {
    refusal(error).is_some_and(|refusal| {
        matches!(refusal.code.as_str(), "BLOB_UPLOAD_UNKNOWN" | "BLOB_UPLOAD_INVALID" | "RANGE_INVALID")
    })
}

#[cfg(test)]
mod tests {
    use super::range_end;

    #[test]
    fn ranges() {
        assert_eq!(range_end("0-1023"), Some(1023));
        assert_eq!(range_end("bytes=0-1023"), Some(1023));
        assert_eq!(range_end("0-0"), Some(0));
        assert_eq!(range_end(""), None);
    }
}

//! What a push tells while it goes on, and what came of it.

use crate::image::Digest;
use serde::Serialize;
use std::sync::Arc;

/// Hears of progress; must be quick.
pub type Tell = Arc<dyn Fn(Progress) + Send + Sync>;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// So many blobs, and bytes in them, make up what the destination may lack.
    Begun { blobs: usize, bytes: u64 },
    /// The destination has this blob already.
    Present { digest: Digest, bytes: u64 },
    /// The destination took it from a neighbour.
    Mounted { digest: Digest, from: String, bytes: u64 },
    /// So many bytes of this blob are on their way or there. Goes back where something is sent again.
    Sent { digest: Digest, bytes: u64, of_bytes: u64 },
    /// This blob is there, and has been looked at.
    Uploaded { digest: Digest, bytes: u64 },
}

/// What came of a push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pushed {
    pub digest: Digest,
    /// The image was there: nothing was moved.
    pub already_there: bool,
    pub uploaded_blobs: usize,
    pub uploaded_bytes: u64,
    pub present_blobs: usize,
    pub mounted_blobs: usize,
    /// Tags that were set: those that named the image before are not among them.
    pub tags: Vec<String>,
}

impl Pushed {
    pub(super) fn new(digest: Digest) -> Pushed {
        Pushed {
            digest,
            already_there: false,
            uploaded_blobs: 0,
            uploaded_bytes: 0,
            present_blobs: 0,
            mounted_blobs: 0,
            tags: Vec::new(),
        }
    }
}

/// A listener that nobody listens to.
pub fn silent() -> Tell {
    Arc::new(|_| {})
}

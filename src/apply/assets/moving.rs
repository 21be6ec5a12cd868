//! What is told while an image is on its way.

use crate::apply::event::{EventKind, Events, send};
use crate::image::Digest;
use crate::image::push::{Progress, Tell};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How often progress is told: as often as a line on a terminal is worth drawing again.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// Adds up what a push tells of its blobs, and tells of the sum: at its beginning, a few times a second, and at its end.
pub fn teller(events: &Events, image: &str) -> Tell {
    let (events, image) = (events.clone(), image.to_owned());
    let sums = Mutex::new(Sums { total_bytes: 0, done: HashMap::new(), told: None });
    Arc::new(move |progress| {
        let mut sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::Begun { bytes, .. } => sums.total_bytes += bytes,
            Progress::Present { digest, bytes }
            | Progress::Mounted { digest, bytes, .. }
            | Progress::Sent { digest, bytes, .. }
            | Progress::Uploaded { digest, bytes } => {
                sums.done.insert(digest, bytes);
            }
        }
        let done_bytes = sums.done.values().sum();
        let ended = done_bytes == sums.total_bytes;
        if ended || sums.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            sums.told = Some(Instant::now());
            let kind = EventKind::ImageProgress { image: image.clone(), done_bytes, total_bytes: sums.total_bytes };
            send(&events, None, kind);
        }
    })
}

struct Sums {
    total_bytes: u64,
    done: HashMap<Digest, u64>,
    told: Option<Instant>,
}

//! Reads of the past: what a service that is consistent in the end may still say.

use crate::door::Response;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// More reads than are repeated in a while.
const MOST: usize = 10_000;

/// Answers by what was asked.
#[derive(Default)]
pub(super) struct Stale(HashMap<String, (Instant, Response)>);

impl Stale {
    pub fn find(&self, request: &str, milliseconds: u64) -> Option<Response> {
        let (given, response) = self.0.get(request)?;
        (given.elapsed() <= Duration::from_millis(milliseconds)).then(|| response.clone())
    }

    pub fn keep(&mut self, request: &str, response: &Response) {
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.insert(request.to_owned(), (Instant::now(), response.clone()));
    }
}

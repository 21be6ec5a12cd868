//! Waiting for CloudFormation: how often to ask, what to bear while asking, when to give up.

use super::event::{EventKind, Events, send};
use super::stop::{Result, Stop};
use crate::aws::{self, failure};
use crate::error::{Error, Kind};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The first question comes soon: an emulator is done at once, and a failure at the start should show at once.
const FIRST: Duration = Duration::from_millis(500);
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(5);
/// Between two attempts of a question that could not be asked (credentials ended, no network).
const RETRY: Duration = Duration::from_secs(5);

/// One wait, from its beginning to its deadline.
pub(super) struct Wait<'a> {
    events: &'a Events,
    stack: &'a str,
    began: Instant,
    deadline: Instant,
    allowed: Duration,
    pause: Duration,
}

impl<'a> Wait<'a> {
    pub fn new(events: &'a Events, stack: &'a str, allowed: Duration) -> Wait<'a> {
        Wait::since(Instant::now(), events, stack, allowed)
    }

    /// A wait whose time has been running since `start`.
    pub fn since(start: Instant, events: &'a Events, stack: &'a str, allowed: Duration) -> Wait<'a> {
        Wait { events, stack, began: Instant::now(), deadline: start + allowed, allowed, pause: FIRST }
    }

    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Sleeps until the next question is due: soon while something happens, more and more seldom while nothing does.
    ///
    /// # Errors
    /// The time is up.
    pub async fn pause(&mut self, something_happened: bool) -> Result<()> {
        self.check()?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        sleep(self.pause.min(left)).await;
        self.pause = if something_happened { SHORTEST } else { (self.pause * 3 / 2).clamp(SHORTEST, LONGEST) };
        Ok(())
    }

    /// Asks until there is an answer: what a wait must survive does not end it.
    ///
    /// # Errors
    /// What no patience helps against, or the time is up.
    pub async fn ask<T>(&self, question: impl AsyncFn() -> aws::Result<T>) -> Result<T> {
        let mut troubled: Option<Instant> = None;
        loop {
            let error = match question().await {
                Ok(answer) => return Ok(answer),
                Err(error) if passes(&error) => error,
                Err(error) => return Err(error.into()),
            };
            if self.check().is_err() {
                return Err(error.into());
            }
            let since = troubled.get_or_insert_with(Instant::now).elapsed();
            let kind = match error.kind {
                Kind::Credentials => EventKind::CredentialsExpired { since_seconds: since.as_secs() },
                _ => EventKind::Note { message: format!("{error}; still trying") },
            };
            send(self.events, Some(self.stack), kind);
            sleep(RETRY).await;
        }
    }

    fn check(&self) -> Result<()> {
        if Instant::now() < self.deadline {
            return Ok(());
        }
        let minutes = self.allowed.as_secs().div_ceil(60);
        Err(Stop::Stopped(format!(
            "not finished within {minutes} min (`apply.timeout`); CloudFormation goes on by itself, and the next apply \
             waits for it"
        )))
    }
}

/// Whether time may heal it: credentials that ended (somebody signs in again, a role is assumed anew), an endpoint out
/// of reach, AWS being overloaded.
fn passes(error: &Error) -> bool {
    match error.kind {
        Kind::Credentials | Kind::Unreachable => true,
        Kind::Aws => failure(error).is_none_or(|failure| {
            matches!(
                failure.code.as_str(),
                "Throttling"
                    | "ThrottlingException"
                    | "ThrottledException"
                    | "RequestLimitExceeded"
                    | "TooManyRequestsException"
                    | "InternalFailure"
                    | "InternalError"
                    | "ServiceUnavailable"
                    | "RequestTimeout"
            )
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use tokio::sync::mpsc::unbounded_channel;

    fn expired() -> Error {
        Error::new(Kind::Credentials, "the credentials have expired")
    }

    #[tokio::test(start_paused = true)]
    async fn expired_credentials_are_waited_out_and_told() {
        let (events, mut told) = unbounded_channel();
        let wait = Wait::new(&events, "network", Duration::from_secs(600));
        let calls = Cell::new(0);
        let answer = wait
            .ask(async || {
                calls.set(calls.get() + 1);
                if calls.get() < 4 { Err(expired()) } else { Ok(calls.get()) }
            })
            .await;
        assert_eq!(answer.unwrap(), 4);
        drop(events);
        let mut since = Vec::new();
        while let Some(event) = told.recv().await {
            assert_eq!(event.stack.as_deref(), Some("network"));
            if let EventKind::CredentialsExpired { since_seconds } = event.kind {
                since.push(since_seconds);
            }
        }
        assert_eq!(since, [0, 5, 10]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_ends_the_wait_at_once_and_trouble_at_its_deadline() {
        let (events, _told) = unbounded_channel();
        let wait = Wait::new(&events, "network", Duration::from_secs(60));
        let denied = wait.ask(async || Err::<(), _>(Error::new(Kind::AccessDenied, "denied"))).await;
        assert!(matches!(denied, Err(Stop::Failed(_))));
        assert_eq!(wait.elapsed(), Duration::ZERO);
        let never = wait.ask(async || Err::<(), _>(expired())).await;
        assert!(matches!(never, Err(Stop::Failed(cause)) if cause.message == "the credentials have expired"));
        assert!(wait.elapsed() <= Duration::from_secs(65));
    }

    #[tokio::test(start_paused = true)]
    async fn questions_grow_rare_and_end_with_the_time_allowed() {
        let (events, _told) = unbounded_channel();
        let mut wait = Wait::new(&events, "network", Duration::from_secs(60));
        let mut asked = Vec::new();
        while wait.pause(false).await.is_ok() {
            asked.push(wait.elapsed().as_millis());
        }
        assert_eq!(asked[..6], [500, 1500, 3000, 5250, 8625, 13625]);
        assert_eq!(asked.last(), Some(&60_000));
        assert!(matches!(wait.pause(true).await, Err(Stop::Stopped(because)) if because.contains("1 min")));
    }
}

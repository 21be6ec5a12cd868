//! Waiting for CloudFormation: how often to ask, what to bear while asking, when to give up.

use super::event::{EventKind, Events, send};
use super::stop::{Result, Stop};
use crate::aws::{self, failure};
use crate::error::{Error, Kind};
use crate::model::ApplySettings;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The first question comes soon: an emulator is done at once, and a failure at the start should show at once.
const FIRST: Duration = Duration::from_millis(500);
/// Then a fiftieth of the time that the wait has taken passes between two questions, within these bounds: an end is seen
/// a hundredth too late on average, and a wait of an hour asks less than a thousand times.
const SHARE: u32 = 50;
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(5);
/// However fast the time of an embedded AWS passes.
const SHORTEST_EVER: Duration = Duration::from_millis(10);
/// Between two attempts of a question that could not be asked (credentials ended, no network).
const RETRY: Duration = Duration::from_secs(5);

/// One wait, from its beginning to its deadline.
pub(super) struct Wait<'a> {
    events: &'a Events,
    stack: &'a str,
    began: Instant,
    deadline: Instant,
    allowed: Duration,
    speed: f64,
    asked: bool,
}

impl<'a> Wait<'a> {
    pub fn new(events: &'a Events, stack: &'a str, settings: &ApplySettings) -> Wait<'a> {
        Wait::since(Instant::now(), events, stack, settings)
    }

    /// A wait whose time has been running since `start`.
    pub fn since(start: Instant, events: &'a Events, stack: &'a str, settings: &ApplySettings) -> Wait<'a> {
        let ApplySettings { timeout: allowed, speed, .. } = *settings;
        Wait { events, stack, began: Instant::now(), deadline: start + allowed, allowed, speed, asked: false }
    }

    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Whether a time of AWS's has passed since `then`: sooner where time passes faster.
    pub fn has_passed(&self, duration: Duration, then: Instant) -> bool {
        then.elapsed().mul_f64(self.speed) >= duration
    }

    /// Sleeps until the next question is due: the longer the wait has taken, the later.
    ///
    /// # Errors
    /// The time is up.
    pub async fn pause(&mut self) -> Result<()> {
        self.check()?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        let pause = match self.asked {
            true => (self.elapsed().mul_f64(self.speed) / SHARE).clamp(SHORTEST, LONGEST),
            false => FIRST,
        };
        self.asked = true;
        sleep(pause.div_f64(self.speed).max(SHORTEST_EVER).min(left)).await;
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
    use crate::model::ResourceSignals;
    use std::cell::Cell;
    use tokio::sync::mpsc::unbounded_channel;

    fn settings(timeout_seconds: u64, speed: f64) -> ApplySettings {
        let timeout = Duration::from_secs(timeout_seconds);
        ApplySettings {
            concurrency: 8,
            timeout,
            rollout_timeout: timeout,
            scan: None,
            lock_lease: Duration::from_secs(60),
            speed,
            signals: ResourceSignals::default(),
        }
    }

    fn expired() -> Error {
        Error::new(Kind::Credentials, "the credentials have expired")
    }

    #[tokio::test(start_paused = true)]
    async fn expired_credentials_are_waited_out_and_told() {
        let (events, mut told) = unbounded_channel();
        let wait = Wait::new(&events, "network", &settings(600, 1.0));
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
        let wait = Wait::new(&events, "network", &settings(60, 1.0));
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
        let mut wait = Wait::new(&events, "network", &settings(3600, 1.0));
        let mut asked = vec![0];
        while wait.pause().await.is_ok() {
            asked.push(wait.elapsed().as_millis());
        }
        assert_eq!(asked[..4], [0, 500, 1500, 2500]);
        assert_eq!(asked.last(), Some(&3_600_000));
        assert!(asked.len() < 1000, "{} questions in an hour", asked.len());
        let latest = asked.windows(2).skip(1).all(|two| two[1] - two[0] <= 1000.max(two[0] / 50 + 1));
        assert!(latest, "an end is seen a fiftieth of the time too late at most: {asked:?}");
        assert!(matches!(wait.pause().await, Err(Stop::Stopped(because)) if because.contains("60 min")));
    }

    #[tokio::test(start_paused = true)]
    async fn where_time_passes_faster_questions_come_sooner() {
        let (events, _told) = unbounded_channel();
        let mut wait = Wait::new(&events, "network", &settings(3600, 50.0));
        let began = Instant::now();
        for _ in 0..3 {
            wait.pause().await.unwrap();
        }
        assert_eq!(wait.elapsed().as_millis(), 10 + 20 + 20);
        assert!(wait.has_passed(Duration::from_secs(2), began));
        assert!(!wait.has_passed(Duration::from_secs(3), began));
    }
}

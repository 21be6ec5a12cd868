//! Time: `tokio::time`, told as wall-clock time from the moment the clock was made. With a paused runtime it stands
//! still until everybody waits.

use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tokio::time::Instant;

/// How many seconds of AWS pass in a second here. Durations of resources are divided by it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed(f64);

impl Speed {
    /// As slow as AWS.
    pub const REAL: Speed = Speed(1.0);
    /// Nothing takes time.
    pub const INSTANT: Speed = Speed(f64::INFINITY);

    /// `None` if it is not above zero.
    pub fn times(factor: f64) -> Option<Self> {
        (factor > 0.0).then_some(Speed(factor))
    }
}

/// Tells the time and waits.
#[derive(Debug, Clone)]
pub struct Clock {
    /// What time it was when the clock was made, and when that was on tokio's clock.
    epoch: Timestamp,
    started: Instant,
    speed: Speed,
}

impl Clock {
    /// `epoch`: what time it is now.
    pub fn new(epoch: Timestamp, speed: Speed) -> Self {
        Clock { epoch, started: Instant::now(), speed }
    }

    /// The time of time stamps. Not scaled: it runs with the caller's.
    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.started.elapsed()).unwrap_or(SignedDuration::ZERO);
        self.epoch.checked_add(passed).unwrap_or(self.epoch)
    }

    /// How long something takes here that takes `duration` on AWS.
    pub fn scaled(&self, duration: Duration) -> Duration {
        Duration::from_secs_f64(duration.as_secs_f64() / self.speed.0)
    }

    /// Waits as long as something takes that takes `duration` on AWS.
    pub async fn take(&self, duration: Duration) {
        let scaled = self.scaled(duration);
        if !scaled.is_zero() {
            tokio::time::sleep(scaled).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_are_scaled_and_stamps_are_not() {
        let clock = Clock::new(Timestamp::UNIX_EPOCH, Speed::times(60.0).expect("above zero"));
        clock.take(Duration::from_secs(600)).await;
        assert_eq!(clock.now(), Timestamp::from_second(10).expect("a time"));
        let clock = Clock::new(Timestamp::UNIX_EPOCH, Speed::INSTANT);
        clock.take(Duration::from_secs(600)).await;
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
    }
}

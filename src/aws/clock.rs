//! The time of day as the SDK is told it: the system's, moved on by as much as tokio's clock is ahead of the real one.
//!
//! They are the same but where tokio's clock is stopped and jumps. There the SDK's pauses pass at once, and its rate after
//! throttling, which it reckons in time of day, would recover no sooner for it: the call would pause again and again for
//! as long as a real wait would have taken.

use aws_smithy_async::time::TimeSource;
use std::time::SystemTime;

#[derive(Debug, Clone)]
pub(super) struct Clock {
    real: std::time::Instant,
    tokio: tokio::time::Instant,
}

impl Clock {
    pub(super) fn new() -> Clock {
        Clock { real: std::time::Instant::now(), tokio: tokio::time::Instant::now() }
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        // Both are monotonic; the time of day is not, and follows the system's corrections and sleeps.
        let (now, real, ours) = (SystemTime::now(), self.real.elapsed(), self.tokio.elapsed());
        let moved = if ours >= real { now.checked_add(ours - real) } else { now.checked_sub(real - ours) };
        moved.unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_passes_at_once_has_passed() {
        let clock = Clock::new();
        let began = clock.now();
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let passed = clock.now().duration_since(began).unwrap();
        assert!(passed.abs_diff(Duration::from_secs(3600)) < Duration::from_secs(1), "{passed:?}");
    }

    #[tokio::test]
    async fn it_is_the_system_s_time_where_time_is_real() {
        let off = Clock::new().now().duration_since(SystemTime::now());
        assert!(off.unwrap_or_else(|error| error.duration()) < Duration::from_secs(60));
    }
}

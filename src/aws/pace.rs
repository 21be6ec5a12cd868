//! How fast many questions of one kind may be asked together, so that AWS need not ask for patience.

use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// Hands out turns, evenly.
#[derive(Debug)]
pub struct Pace {
    apart: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// `per_second` turns a second of AWS's; `speed` of its seconds pass in one.
    pub fn new(per_second: f64, speed: f64) -> Pace {
        Pace { apart: Duration::from_secs_f64(1.0 / (per_second * speed)), next: Mutex::new(None) }
    }

    /// Waits for the next turn.
    pub async fn turn(&self) {
        let mine = {
            let mut next = self.next.lock().await;
            let now = Instant::now();
            let mine = next.map_or(now, |next| next.max(now));
            *next = Some(mine + self.apart);
            mine
        };
        sleep_until(mine).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn turns_are_even_and_not_saved_up() {
        let pace = Pace::new(4.0, 1.0);
        let began = Instant::now();
        for _ in 0..5 {
            pace.turn().await;
        }
        assert_eq!(began.elapsed(), Duration::from_secs(1));
        tokio::time::sleep(Duration::from_secs(60)).await;
        let began = Instant::now();
        pace.turn().await;
        pace.turn().await;
        assert_eq!(began.elapsed(), Duration::from_millis(250));
    }
}

//! What stops a run before its end: signals, and the loss of the lock.
//!
//! Levels only rise. [`Level::Finish`]: start nothing new, wait for what runs, record it. [`Level::Leave`]: stop waiting
//! as well; CloudFormation goes on by itself, and the next run finds what it did.

use tokio::sync::watch;

/// How urgently the run is to end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nobody asked for an end.
    #[default]
    Run,
    /// Start nothing new, wait for what runs.
    Finish,
    /// Stop waiting too.
    Leave,
}

/// Listens. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Interrupt {
    level: watch::Receiver<Level>,
}

/// Asks for the end; held by whoever listens to signals.
#[derive(Debug, Clone)]
pub struct Interrupter {
    level: watch::Sender<Level>,
}

/// A way to end a run early.
pub fn interrupt() -> (Interrupter, Interrupt) {
    let (sender, receiver) = watch::channel(Level::Run);
    (Interrupter { level: sender }, Interrupt { level: receiver })
}

impl Interrupter {
    /// A lower level than the present one changes nothing.
    pub fn raise(&self, level: Level) {
        self.level.send_if_modified(|present| {
            let rises = level > *present;
            *present = level.max(*present);
            rises
        });
    }
}

impl Interrupt {
    /// One that never comes.
    pub fn never() -> Interrupt {
        interrupt().1
    }

    pub fn level(&self) -> Level {
        *self.level.borrow()
    }

    /// Nothing new is to be started.
    pub fn is_raised(&self) -> bool {
        self.level() > Level::Run
    }

    /// Returns as soon as the level is at least `level`; never, if nobody can raise it any more.
    pub async fn reached(&self, level: Level) {
        let mut receiver = self.level.clone();
        let closed = receiver.wait_for(|present| *present >= level).await.is_err();
        if closed {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn levels_only_rise() {
        let (interrupter, interrupt) = interrupt();
        assert_eq!(interrupt.level(), Level::Run);
        interrupter.raise(Level::Leave);
        interrupter.raise(Level::Finish);
        assert_eq!(interrupt.level(), Level::Leave);
        interrupt.reached(Level::Finish).await;
    }

    #[tokio::test(start_paused = true)]
    async fn without_anybody_to_raise_it_nothing_is_reached() {
        let never = Interrupt::never();
        let waited = tokio::time::timeout(std::time::Duration::from_secs(60), never.reached(Level::Finish)).await;
        assert!(waited.is_err());
    }
}

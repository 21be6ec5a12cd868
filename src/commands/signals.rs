//! SIGINT and SIGTERM, and the exit codes that they stand for.

use crate::error::{Error, Kind, Result};
use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// 128 + the signal's number, as shells have it.
const SIGINT_CODE: u8 = 130;
const SIGTERM_CODE: u8 = 143;

/// From now on signals end nothing by themselves.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub fn listen() -> Result<Signals> {
        let listen = |kind| signal(kind).context("signals cannot be listened to");
        Ok(Signals { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Waits for the next one. Gives the exit code that it asks for.
    pub async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => SIGINT_CODE,
            _ = self.terminate.recv() => SIGTERM_CODE,
        }
    }
}

/// The work's result, or an error if a signal comes first; the work is dropped then.
pub async fn unless_interrupted<T>(signals: &mut Signals, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        result = work => result,
        code = signals.next() => Err(interrupted(code)),
    }
}

/// The error of a run that a signal ended before anything was changed.
pub fn interrupted(code: u8) -> anyhow::Error {
    Error::new(Kind::Interrupted(code), "interrupted; nothing was changed").into()
}

//! The one question that is ever asked: whether to go on. Only the whole word `yes` is a yes.

use super::View;
use super::style::{STRONG, paint};
use crate::error::{Error, Kind, Result};
use std::io::{BufRead, Write};

impl View {
    /// Asks on the terminal. Where nobody can be asked it refuses, and says how to answer beforehand.
    ///
    /// Waiting for the answer holds no worker up and can be dropped at any time.
    pub async fn approve(&self, question: &str, without_asking: &str) -> Result<()> {
        if !self.terminal.interactive {
            return Err(Error::new(Kind::Declined, "nobody can be asked: standard input or error is no terminal")
                .hint(format!("to go on without being asked: {without_asking}"))
                .into());
        }
        let _ = write!(anstream::stderr(), "{}\n  Only `yes` is a yes: ", paint(STRONG, question));
        let (sender, answer) = tokio::sync::oneshot::channel();
        // A thread of its own: nothing waits for it when the run ends without an answer.
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line);
            let _ = sender.send(read.is_ok_and(|bytes| bytes > 0) && line.trim() == "yes");
        });
        match answer.await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(Error::new(Kind::Declined, "not approved; nothing was changed").into()),
        }
    }
}

//! What is asked: whether to go on (only the whole word `yes` is a yes), and the code of an MFA device.

use super::View;
use super::style::{STRONG, paint};
use crate::aws::{AskCode, MfaDevice};
use crate::error::{Error, Kind, Result};
use crate::model::sensitive::hide;
use futures::FutureExt;
use std::io::{BufRead, Write};
use std::sync::Arc;

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
        let _ = write!(anstream::stderr(), "\n{}\n  Only `yes` is a yes: ", paint(STRONG, hide(question)));
        let mut line = OpenLine { answered: false };
        let (sender, answer) = tokio::sync::oneshot::channel();
        // A thread of its own: nothing waits for it when the run ends without an answer.
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line);
            let _ = sender.send(read.ok().filter(|bytes| *bytes > 0).map(|_| line.trim() == "yes"));
        });
        let answer = answer.await.unwrap_or_default();
        line.answered = answer.is_some();
        match answer {
            Some(true) => Ok(()),
            Some(false) | None => Err(Error::new(Kind::Declined, "not approved; nothing was changed").into()),
        }
    }

    /// Asks for the code of an MFA device; what is typed is not shown. None where nobody can be asked.
    pub fn ask_code(&self) -> Option<AskCode> {
        let ask: AskCode = Arc::new(|device| {
            async move {
                let MfaDevice { serial, role, profile } = device;
                let question = format!("The profile `{profile}` assumes {role} with the code of {serial}.");
                let _ = write!(anstream::stderr(), "\n{question}\n  {}: ", paint(STRONG, "Code"));
                let mut line = OpenLine { answered: false };
                let (sender, answer) = tokio::sync::oneshot::channel();
                std::thread::spawn(move || sender.send(console::Term::stderr().read_secure_line()));
                let code = answer.await.ok().and_then(std::io::Result::ok);
                line.answered = code.is_some();
                code.ok_or_else(|| Error::new(Kind::Declined, "no code was typed").into())
            }
            .boxed()
        });
        self.terminal.interactive.then_some(ask)
    }
}

/// The cursor stands behind a question: without an answer nobody has ended the line.
struct OpenLine {
    answered: bool,
}

impl Drop for OpenLine {
    fn drop(&mut self) {
        if !self.answered {
            let _ = writeln!(anstream::stderr());
        }
    }
}

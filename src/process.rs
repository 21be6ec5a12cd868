//! Runs a program whose words are told line by line, as they come.

use crate::model::sensitive;
use std::io;
use std::process::{ExitStatus, Stdio};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::sync::mpsc;

/// Runs it to its end; `line` is given all that it prints, on both ways. Dropping the future ends the program.
///
/// # Errors
/// It could not be run, or `line` says so.
pub async fn run(command: &mut Command, mut line: impl FnMut(String) -> io::Result<()>) -> io::Result<ExitStatus> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    let (sender, mut lines) = mpsc::channel(64);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let other = sender.clone();
    let readers = async move { tokio::try_join!(forward(stdout, sender), forward(stderr, other)).map(drop) };
    let teller = async {
        while let Some(text) = lines.recv().await {
            // What a builder or an installer prints may hold what it was given.
            line(sensitive::hide(&text).into_owned())?;
        }
        Ok::<(), io::Error>(())
    };
    tokio::try_join!(readers, teller)?;
    child.wait().await
}

/// Sends every line of a pipe, and drops the sender at its end.
async fn forward(pipe: Option<impl AsyncRead + Unpin>, lines: mpsc::Sender<String>) -> io::Result<()> {
    let Some(pipe) = pipe else { return Ok(()) };
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).await? > 0 {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        line.clear();
        if lines.send(text).await.is_err() {
            break;
        }
    }
    Ok(())
}

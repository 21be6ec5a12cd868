//! What people and programs see while something runs: live lines on a terminal, a log elsewhere, JSON lines for programs.
//!
//! A listener takes events until everybody who sends them is gone. It never holds anything up: a display that breaks is
//! a display that shows nothing.

mod board;
pub mod json;
mod lines;
mod live;
#[cfg(test)]
mod samples;

use super::View;
use crate::apply::{Event, EventKind, Events};
use crate::view::Format;
use board::Board;
use json::JsonLines;
use lines::Lines;
use live::Live;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

/// How often a display is told that time passes.
const TICK: Duration = Duration::from_secs(1);

/// How often a log tells of the bytes of one image.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

/// What stdout is for while this run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stdout {
    /// A document at the end: progress keeps away from it.
    Document,
    /// With `--format json`, the events themselves.
    Events,
}

/// The receiving end, at work.
#[derive(Debug)]
pub struct Listener {
    task: JoinHandle<()>,
    pauses: mpsc::UnboundedSender<oneshot::Sender<()>>,
}

impl Listener {
    /// Comes back when all that was sent is shown and nothing is being redrawn: so that something else can be printed.
    pub async fn pause(&self) {
        let (paused, pause) = oneshot::channel();
        if self.pauses.send(paused).is_ok() {
            let _ = pause.await;
        }
    }

    /// Waits until the last event is shown: until every sender is gone, or for a moment, if something keeps one.
    pub async fn finish(mut self) {
        if tokio::time::timeout(TICK, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

impl View {
    /// Shows what is sent, from now on.
    pub fn listen(&self, stdout: Stdout) -> (Events, Listener) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let display = Display::choose(self, stdout);
        let (pauses, asked) = mpsc::unbounded_channel();
        (sender, Listener { task: tokio::spawn(show(display, receiver, asked)), pauses })
    }
}

async fn show(
    mut display: Display,
    mut events: UnboundedReceiver<Event>,
    mut pauses: UnboundedReceiver<oneshot::Sender<()>>,
) {
    let mut board = Board::default();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seldom = Seldom::default();
    loop {
        tokio::select! {
            biased;
            event = events.recv() => {
                let Some(event) = event else { break };
                board.note(&event);
                if display.redraws() || seldom.passes(&event) {
                    display.event(&event, &board);
                }
            }
            Some(paused) = pauses.recv() => {
                board.rest();
                display.clear();
                let _ = paused.send(());
            }
            _ = ticks.tick() => display.tick(&board),
        }
    }
    display.clear();
}

/// What comes several times a second is worth a line in a log only now and then.
#[derive(Default)]
struct Seldom {
    /// When progress of each image was last told, or first heard of.
    told: HashMap<String, Instant>,
}

impl Seldom {
    fn passes(&mut self, event: &Event) -> bool {
        let EventKind::ImageProgress { image, .. } = &event.kind else { return true };
        match self.told.get_mut(image) {
            Some(told) if told.elapsed() < PROGRESS_EVERY => false,
            Some(told) => {
                *told = Instant::now();
                true
            }
            None => {
                self.told.insert(image.clone(), Instant::now());
                false
            }
        }
    }
}

enum Display {
    Live(Live),
    Lines(Lines),
    Json(JsonLines),
    Silent,
}

impl Display {
    fn choose(view: &View, stdout: Stdout) -> Display {
        match (view.format, stdout) {
            (Format::Json, Stdout::Events) => Display::Json(JsonLines::start()),
            _ if view.quiet => Display::Silent,
            (Format::Human, _) if view.terminal.live => Display::Live(Live::new(view.verbose)),
            _ => Display::Lines(Lines::new(view.verbose)),
        }
    }

    /// What is shown is drawn over, not added to.
    fn redraws(&self) -> bool {
        matches!(self, Display::Live(_))
    }

    fn event(&mut self, event: &Event, board: &Board) {
        match self {
            Display::Live(live) => live.event(event, board),
            Display::Lines(lines) => lines.event(event, board),
            Display::Json(json) => json.event(event),
            Display::Silent => {}
        }
    }

    fn tick(&mut self, board: &Board) {
        match self {
            Display::Live(live) => live.tick(board),
            Display::Lines(lines) => lines.tick(board),
            Display::Json(_) | Display::Silent => {}
        }
    }

    /// Nothing is left that would be redrawn.
    fn clear(&mut self) {
        if let Display::Live(live) = self {
            live.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_log_tells_of_bytes_now_and_then() {
        let progress =
            samples::events().into_iter().find(|event| matches!(event.kind, EventKind::ImageProgress { .. }));
        let (progress, note) = (progress.expect("a sample"), samples::events().remove(0));
        let mut seldom = Seldom::default();
        let mut told = 0;
        for _ in 0..100 {
            told += usize::from(seldom.passes(&progress));
            assert!(seldom.passes(&note), "everything else passes");
            tokio::time::advance(Duration::from_millis(200)).await;
        }
        assert_eq!(told, 3, "after 5, 10 and 15 of 20 seconds");
    }
}

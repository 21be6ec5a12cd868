//! A terminal: a line for each stack in flight and each image on its way, redrawn in place; what is over scrolls up above them.

use super::board::Board;
use super::lines::{doing, line};
use crate::apply::{Event, EventKind};
use crate::model::sensitive::hide;
use crate::view::style::{FAINT, STRONG, paint};
use crate::view::text;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use std::collections::HashMap;
use std::time::Duration;

const SPIN: Duration = Duration::from_millis(120);

/// What the lines of images are told apart by: no stack's name has a blank.
const IMAGE: &str = "image ";

pub(super) struct Live {
    verbose: bool,
    bars: MultiProgress,
    /// One for each stack in flight, and each image on its way.
    lines: HashMap<String, ProgressBar>,
    /// What the run as a whole waits for: the lock.
    whole: Option<ProgressBar>,
    color: bool,
}

impl Live {
    pub fn new(verbose: bool) -> Live {
        let color = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
        Live::on(ProgressDrawTarget::stderr_with_hz(10), verbose, color)
    }

    fn on(target: ProgressDrawTarget, verbose: bool, color: bool) -> Live {
        let bars = MultiProgress::with_draw_target(target);
        Live { verbose, bars, lines: HashMap::new(), whole: None, color }
    }

    pub fn event(&mut self, event: &Event, board: &Board) {
        match &event.kind {
            // Shown by the line of the stack while it lasts.
            EventKind::Resource(resource) if !resource.status.ends_with("_FAILED") && !self.verbose => {}
            EventKind::ServiceDeployment(_) if !self.verbose => {}
            EventKind::ImageProgress { .. } => {}
            EventKind::ImageBuilding { .. } | EventKind::PackageBuilding { .. } => {}
            EventKind::StackStarted { .. } | EventKind::LockWaiting { .. } | EventKind::StackBusy { .. } => {}
            _ => {
                if let Some(line) = line(event, self.verbose) {
                    self.print(&line);
                }
            }
        }
        self.tick(board);
    }

    /// Brings the lines in step with the board.
    pub fn tick(&mut self, board: &Board) {
        let shown = |line: &str| match line.strip_prefix(IMAGE) {
            Some(image) => board.moving.contains_key(image),
            None => board.in_flight.contains_key(line),
        };
        let gone: Vec<String> = self.lines.keys().filter(|line| !shown(line)).cloned().collect();
        for bar in gone.iter().filter_map(|name| self.lines.remove(name)) {
            bar.finish_and_clear();
            self.bars.remove(&bar);
        }
        self.show_whole(board.waits_for.as_deref());
        let now = Timestamp::now();
        let names = board.in_flight.keys().chain(board.moving.keys());
        let width = names.map(|name| text::columns(name)).max().unwrap_or(0).min(24);
        let room = usize::from(console::Term::stderr().size().1).saturating_sub(3);
        let stacks = board.in_flight.iter().map(|(stack, flight)| {
            (stack.clone(), stack, format!("{}  {}", doing(flight.action), flight.state(now)), flight.elapsed(now))
        });
        let images = board
            .moving
            .iter()
            .map(|(image, moving)| (format!("{IMAGE}{image}"), image, moving.state(), moving.elapsed(now)));
        for (line, name, state, elapsed) in stacks.chain(images) {
            let name = text::pad(name, width);
            let left = format!("{name}  {state}");
            let left = text::cut(&left, room.saturating_sub(text::columns(&elapsed) + 2));
            let rest = left.strip_prefix(&name).unwrap_or_default();
            let message = self.colored(&format!("{}{rest}  {}", paint(STRONG, &name), paint(FAINT, elapsed)));
            let bar = self.lines.entry(line).or_insert_with(|| new_line(&self.bars));
            bar.set_message(hide(&message).into_owned());
        }
    }

    pub fn clear(&mut self) {
        for bar in self.lines.drain().map(|(_, bar)| bar).chain(self.whole.take()) {
            bar.finish_and_clear();
            self.bars.remove(&bar);
        }
        let _ = self.bars.clear();
    }

    fn show_whole(&mut self, text: Option<&str>) {
        match (text, &self.whole) {
            (Some(text), _) => {
                let bar = self.whole.get_or_insert_with(|| new_line(&self.bars));
                bar.set_message(hide(text).into_owned());
            }
            (None, Some(bar)) => {
                bar.finish_and_clear();
                self.whole = None;
            }
            (None, None) => {}
        }
    }

    fn print(&self, line: &str) {
        let width = usize::from(console::Term::stderr().size().1);
        let _ = self.bars.println(self.colored(&text::hang(&hide(line), width)));
    }

    fn colored(&self, line: &str) -> String {
        if self.color { line.to_owned() } else { text::plain(line) }
    }
}

fn new_line(bars: &MultiProgress) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = bars.add(ProgressBar::new_spinner().with_style(style));
    bar.enable_steady_tick(SPIN);
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Action;

    #[test]
    fn stacks_and_images_have_a_line_each_while_they_last() {
        let (mut live, mut board) = (Live::on(ProgressDrawTarget::hidden(), false, false), Board::default());
        let mut tell = |stack: Option<&str>, kind| {
            let event = Event::now(stack, kind);
            board.note(&event);
            live.event(&event, &board);
            // How long it took is no matter here.
            let line = |bar: &ProgressBar| bar.message().rsplit_once("  ").map(|(line, _)| line.to_owned());
            let mut lines: Vec<String> = live.lines.values().filter_map(line).collect();
            lines.sort();
            lines
        };
        let progress = |mib: u64| EventKind::ImageProgress {
            image: "fastapi-a".to_owned(),
            done_bytes: mib << 20,
            total_bytes: 87 << 20,
        };
        tell(Some("cdn"), EventKind::StackStarted { action: Action::Create, resources: 3, estimate_seconds: None });
        tell(None, progress(0));
        let lines = tell(None, progress(34));
        assert_eq!(lines, ["cdn        creating  0/3  preparing", "fastapi-a  34.0/87.0 MiB"]);
        let pushed = EventKind::ImagePushed {
            image: "fastapi-a".to_owned(),
            repository: "r.test/fastapi-a".to_owned(),
            digest: "sha256:1a".to_owned(),
            uploaded_bytes: 87 << 20,
            already_there: false,
        };
        assert_eq!(tell(None, pushed), ["cdn  creating  0/3  preparing"]);
    }
}

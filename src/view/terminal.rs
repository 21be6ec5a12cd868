//! What the run is connected to: terminals, their width, and whether colours are wanted.

use super::Color;
use std::io::{self, IsTerminal};

/// Width of texts where no terminal says otherwise.
const DEFAULT_WIDTH: usize = 80;
/// Longer lines are hard to read, however wide the window.
const WIDEST: usize = 120;

#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Columns for texts.
    pub width: usize,
    /// Somebody can be asked: questions go to stderr, answers come from stdin.
    pub interactive: bool,
    /// Lines on stderr may be redrawn.
    pub live: bool,
}

impl Terminal {
    /// `CI` means that a log is being written, whatever the runner pretends stderr to be.
    pub fn detect() -> Terminal {
        let ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let stderr = io::stderr().is_terminal();
        let columns = [console::Term::stdout(), console::Term::stderr()]
            .into_iter()
            .find_map(|term| term.size_checked())
            .map_or(DEFAULT_WIDTH, |(_, columns)| usize::from(columns));
        Terminal {
            width: columns.clamp(40, WIDEST),
            interactive: stderr && io::stdin().is_terminal(),
            live: stderr && !ci && !dumb,
        }
    }
}

/// Tells `anstream`, which knows NO_COLOR, CLICOLOR and CLICOLOR_FORCE.
pub fn choose_color(color: Color) {
    match color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
}

//! The few styles that texts use. What a colour says is always said by a symbol or a word too.

use anstyle::{AnsiColor, Style};
use std::fmt::Display;

pub const FAINT: Style = Style::new().dimmed();
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
pub const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// `text` in a style.
pub fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

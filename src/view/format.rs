//! In which form a run prints, and in colour or not: what people choose on the command line.

use clap::ValueEnum;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, in a terminal
    #[default]
    Human,
    /// For programs: a document, or an object a line while something runs
    Json,
    /// For pull requests and step summaries
    Markdown,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

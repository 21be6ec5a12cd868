//! The only room that prints. What it shows are values made elsewhere; no view decides what happens.
//!
//! Nothing leaves it with a secret in it that this run has met, nor with a password in an address: every way out hides them.
//!
//! Texts are built with colours and lose them on the way out where they are not wanted. Data goes to stdout, everything
//! else to stderr. A reader that went away (a closed pipe) is no error and stops no run.

mod catalog;
pub mod cost;
pub mod drift;
mod error;
pub mod explain;
mod format;
pub mod plan;
pub mod problem;
pub mod progress;
mod prompt;
pub mod reference;
mod rehearsal;
mod rendered;
pub mod report;
pub mod sarif;
mod style;
pub mod table;
mod terminal;
mod text;

use crate::apply::Report;
use crate::error::Result;
use crate::model::sensitive::hide;
use crate::plan::Plan;
use crate::problem::Problem;
use anyhow::Context;
pub use format::{Color, Format};
use plan::{Detail, Document};
use report::Told;
use std::io::{self, Write};
pub use terminal::Terminal;
pub use text::principal;

/// How this run talks to people and programs.
#[derive(Debug, Clone)]
pub struct View {
    pub format: Format,
    pub quiet: bool,
    pub verbose: bool,
    pub terminal: Terminal,
}

impl View {
    /// Settles colours for the whole process, as `color` says.
    pub fn new(format: Format, color: Color, quiet: bool, verbose: bool) -> View {
        terminal::choose_color(color);
        View { format, quiet, verbose, terminal: Terminal::detect() }
    }

    /// Data: text for people on stdout, which loses its colours where they are not wanted, and hides nothing.
    pub fn data(&self, text: &str) -> Result<()> {
        delivered(anstream::stdout().write_all(hide(&text::visible(text)).as_bytes()))
    }

    /// Data as it is.
    pub fn raw(&self, bytes: &[u8]) -> Result<()> {
        let mut stdout = io::stdout().lock();
        let text = std::str::from_utf8(bytes).map(hide);
        let bytes = text.as_deref().map_or(bytes, str::as_bytes);
        delivered(stdout.write_all(bytes).and_then(|()| stdout.flush()))
    }

    /// A value as a JSON document on stdout.
    pub fn json(&self, value: &impl serde::Serialize) -> Result<()> {
        let mut text = serde_json::to_string_pretty(value).context("a value could not be written as JSON")?;
        text.push('\n');
        self.raw(text.as_bytes())
    }

    /// A picture in Mermaid's language: as it is, in a block that GitHub draws, or in a document.
    pub fn mermaid(&self, text: &str) -> Result<()> {
        match self.format {
            Format::Human => self.raw(text.as_bytes()),
            Format::Markdown => self.data(&format!("{}\n", text::fenced(text, "mermaid"))),
            Format::Json => self.json(&serde_json::json!({"mermaid": text})),
        }
    }

    /// A plan, as a document, as text, or as Markdown of at most `size_limit` characters.
    pub fn plan(&self, plan: &Plan, size_limit: usize) -> Result<()> {
        let detail = Detail { width: self.terminal.width, verbose: self.verbose };
        match self.format {
            Format::Human => self.data(&plan::human(plan, detail)),
            Format::Json => self.json(&Document::new(plan)),
            Format::Markdown => self.data(&plan::markdown(plan, detail, size_limit)),
        }
    }

    /// A plan as a part of what a run prints: with JSON a line of its stream. `nothing` is said of a plan without changes
    /// where the usual sentence would not do.
    pub fn plan_of_run(&self, plan: &Plan, nothing: Option<&str>) -> Result<()> {
        match self.format {
            Format::Json => {
                let document = serde_json::json!({"plan": Document::new(plan)});
                progress::json::write(&progress::json::line("plan", &document));
                Ok(())
            }
            Format::Human | Format::Markdown => match nothing.filter(|_| !plan.has_changes()) {
                Some(nothing) => self.data(&format!("{nothing}\n")),
                None => self.plan(plan, plan::NO_LIMIT),
            },
        }
    }

    /// How a run ended: a good end is data, a bad one an error. Programs have been told by events.
    pub fn report(&self, report: &Report, told: &Told) -> Result<()> {
        match self.format {
            Format::Json => Ok(()),
            Format::Markdown => self.data(&report::markdown(report, told)),
            Format::Human if report.failed() || report.interrupted => {
                self.stderr(&format!("\n{}", report::human(report, told).trim_end()));
                Ok(())
            }
            Format::Human => self.data(&format!("\n{}", report::human(report, told))),
        }
    }

    /// A line for people on stderr; nothing where they asked for quiet.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.stderr(text);
        }
    }

    /// Warnings about files, on stderr.
    pub fn problems(&self, problems: &[Problem]) {
        if problems.is_empty() || self.quiet {
            return;
        }
        match self.format {
            Format::Json => problems.iter().for_each(|problem| {
                self.stderr(&progress::json::line("problem", &problem::json(problem)).to_string());
            }),
            Format::Human | Format::Markdown => {
                self.stderr(&format!("{}\n", problem::text(problems, self.terminal.width)));
            }
        }
    }

    /// An error, on stderr.
    pub fn error(&self, error: &anyhow::Error) {
        match self.format {
            Format::Json => self.stderr(&error::json(error)),
            Format::Human | Format::Markdown => self.stderr(&error::text(error, self.terminal.width)),
        }
    }

    /// Nobody can be told that stderr is gone.
    fn stderr(&self, text: &str) {
        let _ = writeln!(anstream::stderr(), "{}", hide(&text::visible(text)));
    }
}

/// A closed pipe means that the reader has what it wanted.
fn delivered(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot write to stdout"),
        _ => Ok(()),
    }
}

/// Where `value` differs from what docs/schemas/<name>.json says.
#[cfg(test)]
fn schema_errors(name: &str, value: &serde_json::Value) -> Vec<String> {
    let path = format!("{}/docs/schemas/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

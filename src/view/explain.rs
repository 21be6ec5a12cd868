//! A resource type for people: one line a property, what a change of it does in words.

use super::View;
use super::style::{CHANGE, FAINT, REMOVE, STRONG, paint};
use super::text;
use crate::cli::Format;
use crate::error::Result;
use crate::explain::{Explanation, Property, Update};
use std::fmt::Write;

impl View {
    pub fn explanation(&self, explanation: &Explanation) -> Result<()> {
        match self.format {
            Format::Human => self.data(&human(explanation, self.verbose, self.terminal.width)),
            Format::Markdown => self.data(&markdown(explanation, self.verbose)),
            Format::Json => self.json(explanation),
        }
    }
}

fn human(explanation: &Explanation, deep: bool, width: usize) -> String {
    let mut page = format!("{}\n", paint(STRONG, &explanation.resource_type));
    if let Some(end) = &explanation.lifecycle {
        let _ = writeln!(page, "  {}", paint(REMOVE, format!("its service ends: {end}")));
    }
    if !explanation.identifier.is_empty() {
        let _ = writeln!(page, "  named by {}", text::list(&explanation.identifier));
    }
    let shown: Vec<&Property> = shown(explanation, deep).collect();
    let names = shown.iter().map(|property| text::columns(&property.path)).max().unwrap_or(0).min(36);
    let _ = writeln!(page, "\nProperties{}", if deep { "" } else { " (-v: what is inside of them, too)" });
    for property in shown {
        let mark = if property.required { "*" } else { " " };
        let update = match property.update {
            Update::InPlace => "in place".to_owned(),
            Update::MayReplace => paint(CHANGE, "may replace"),
            Update::Replaces => paint(REMOVE, "replaces"),
        };
        let line = format!("{mark} {}  {}  ", text::pad(&property.path, names), text::pad(&update, 11));
        let start = text::columns(&line);
        for (index, value) in text::wrap(&value(property), width.saturating_sub(start).max(20)).iter().enumerate() {
            let before = if index == 0 { line.clone() } else { " ".repeat(start) };
            let _ = writeln!(page, "{before}{}", paint(FAINT, value));
        }
    }
    let _ = writeln!(page, "\n* required");
    if !explanation.attributes.is_empty() {
        let _ = writeln!(page, "\nAttributes (set by the service, for GetAtt)");
        for line in text::wrap(&explanation.attributes.join(", "), width.saturating_sub(2)) {
            let _ = writeln!(page, "  {line}");
        }
    }
    page
}

fn markdown(explanation: &Explanation, deep: bool) -> String {
    let mut page = format!("### `{}`\n\n| property | a change | value |\n|---|---|---|\n", explanation.resource_type);
    for property in shown(explanation, deep) {
        let update = match property.update {
            Update::InPlace => "in place",
            Update::MayReplace => "may replace",
            Update::Replaces => "**replaces**",
        };
        let required = if property.required { " (required)" } else { "" };
        let _ =
            writeln!(page, "| `{}`{required} | {update} | {} |", property.path, value(property).replace('|', "\\|"));
    }
    if !explanation.attributes.is_empty() {
        let _ = writeln!(page, "\nAttributes: `{}`", explanation.attributes.join("`, `"));
    }
    page
}

fn shown(explanation: &Explanation, deep: bool) -> impl Iterator<Item = &Property> {
    explanation.properties.iter().filter(move |property| deep || property.depth == 1)
}

fn value(property: &Property) -> String {
    let mut value = property.value.clone();
    if property.write_only {
        value += ", cannot be read back";
    }
    if property.deprecated {
        value += ", deprecated";
    }
    value
}

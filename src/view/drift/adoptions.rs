//! What `--adopt` is about to write.

use crate::drift::Adoptions;
use crate::error::Result;
use crate::view::style::{ADD, FAINT, REMOVE, STRONG, paint};
use crate::view::{Format, View, text};
use cloudformation::sensitive::text::hide_settings;
use serde_json::json;
use similar::{ChangeTag, TextDiff};
use std::fmt::Write;

/// Unchanged lines around a changed one.
const CONTEXT: usize = 2;

impl View {
    /// The change of the file (its name, before, after), and what no input can say.
    pub fn adoptions(&self, adoptions: &Adoptions, file: (&str, &str, &str)) -> Result<()> {
        match self.format {
            Format::Json => self.json(&document(adoptions, file)),
            Format::Markdown => {
                let diff = text::fenced(&text::plain(&diff(file)), "diff");
                self.data(&format!("{diff}\n\n{}", text::plain(&rest(adoptions, self.terminal.width))))
            }
            Format::Human => self.data(&format!("{}{}", diff(file), rest(adoptions, self.terminal.width))),
        }
    }
}

fn document(adoptions: &Adoptions, (name, ..): (&str, &str, &str)) -> serde_json::Value {
    let adopted = adoptions.adopted.iter().map(|adoption| {
        json!({
            "stack": adoption.stack,
            "logical_id": adoption.logical_id,
            "property": adoption.property,
            "input": adoption.input.join("."),
            "value": adoption.value,
        })
    });
    let not = adoptions.not.iter().map(|one| json!({ "what": one.what, "because": one.because }));
    json!({ "file": name, "adopted": adopted.collect::<Vec<_>>(), "not_adopted": not.collect::<Vec<_>>() })
}

fn diff((name, before, after): (&str, &str, &str)) -> String {
    let mut page = String::new();
    if before == after {
        return "Nothing to adopt.\n".to_owned();
    }
    let _ = writeln!(page, "{}", paint(STRONG, name));
    let diff = TextDiff::from_lines(before, after);
    for group in diff.grouped_ops(CONTEXT) {
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, style) = match change.tag() {
                ChangeTag::Delete => ("-", REMOVE),
                ChangeTag::Insert => ("+", ADD),
                ChangeTag::Equal => (" ", FAINT),
            };
            let line = hide_settings(change.value().trim_end_matches('\n'));
            let _ = writeln!(page, "{}", paint(style, format!("{sign} {line}")));
        }
    }
    page
}

fn rest(adoptions: &Adoptions, width: usize) -> String {
    let mut page = String::new();
    if adoptions.not.is_empty() {
        return page;
    }
    let _ = writeln!(page, "\n{}", paint(STRONG, "Not adopted"));
    for one in &adoptions.not {
        let lines = text::wrap(&format!("{}: {}", one.what, one.because), width.saturating_sub(4));
        for (at, line) in lines.iter().enumerate() {
            let _ = writeln!(page, "{}{line}", if at == 0 { "  " } else { "    " });
        }
    }
    page
}

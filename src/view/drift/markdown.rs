//! For a comment or a step summary: the figures first, then stacks to open.

use super::{changed, condition, remark, shown, strays, summary_line, told, unchecked};
use crate::drift::Drift;
use crate::plan::Value;
use crate::view::plan::values::{inline, with_short_digests};
use crate::view::text;
use std::fmt::Write;

/// What is kept free for saying that something was cut.
const RESERVE: usize = 200;
/// Characters of a value in a table.
const VALUE: usize = 160;

/// At most `limit` characters; what does not fit is counted.
pub fn markdown(drift: &Drift, limit: usize) -> String {
    let mut page = format!("### Drift of `{}/{}`\n\n{}\n\n", drift.project, drift.environment, summary_line(drift));
    let mut cut = 0;
    let mut add = |page: &mut String, block: String| {
        if cut > 0 || page.chars().count() + block.chars().count() + RESERVE > limit {
            cut += block.lines().count().max(1);
        } else {
            *page += &block;
        }
    };
    for stack in told(drift) {
        let count = stack.drifted().count();
        let mut says =
            vec![condition(stack).to_owned(), if count > 0 { text::count(count, "resource") } else { String::new() }];
        says.retain(|part| !part.is_empty());
        let mut block =
            format!("<details open><summary><code>{}</code> {}</summary>\n\n", escape(&stack.stack), says.join(", "));
        if count + stack.changes.len() > 0 {
            block += "| | property | declared | live |\n|---|---|---|---|\n";
        }
        for change in &stack.changes {
            let _ = writeln!(
                block,
                "| stack | {} | {} | {} |",
                cell(&change.what),
                code(&change.change.before),
                code(&change.change.after)
            );
        }
        for resource in stack.drifted() {
            let mut name = format!("`{}`<br>{}", resource.logical_id, resource.resource_type);
            if let Some(changed) = changed(resource) {
                let _ = write!(name, "<br>{}", cell(&changed));
            }
            let mut properties = shown(resource, false).peekable();
            if properties.peek().is_none() {
                let _ = writeln!(block, "| {name} | **{}** | | |", remark(resource));
            }
            for property in properties {
                let (declared, live) = (code(&property.change.before), code(&property.change.after));
                let _ = writeln!(block, "| {name} | {} | {declared} | {live} |", cell(&property.path));
                name = String::new();
            }
        }
        block += "\n</details>\n\n";
        add(&mut page, block);
    }
    let list = |title: &str, lines: Vec<String>| {
        let lines: String = lines.iter().map(|line| format!("- {}\n", escape(line))).collect();
        (!lines.is_empty()).then(|| format!("<details><summary>{title}</summary>\n\n{lines}\n</details>\n\n"))
    };
    let unmanaged = drift.unmanaged.iter().map(|one| format!("`{}`", one.arn)).collect();
    let not_checked = unchecked(drift).into_iter().map(|(what, reason)| format!("{what}: {reason}")).collect();
    for block in [
        list("Unmanaged: with this environment's tags, in none of its stacks", unmanaged),
        list("Not checked", not_checked),
        list("Rules to remove", strays(drift)),
    ] {
        block.into_iter().for_each(|block| add(&mut page, block));
    }
    if cut > 0 {
        let _ = writeln!(page, "> {cut} more lines do not fit here; `infra drift` shows them all.");
    }
    page.trim_end().to_owned() + "\n"
}

/// A value in a cell; HTML's `code`, for a backtick in the value would end Markdown's.
fn code(value: &Value) -> String {
    match value {
        Value::Absent => "*(none)*".to_owned(),
        value => format!("<code>{}</code>", cell(&text::cut(&with_short_digests(&inline(value)), VALUE))),
    }
}

fn cell(text: &str) -> String {
    escape(text).replace('|', "\\|")
}

/// Text that neither HTML nor a mention of somebody can hide in.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "&#64;").replace('\n', " ")
}

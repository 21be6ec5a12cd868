//! The plan for a pull request's comment or a step summary: a heading that tells all, then stacks to open.

use super::rows::{Row, headline, rows};
use super::{Detail, Sign, assets, busy, cost, severity_name, summary_line};
use crate::plan::Plan;
use crate::view::text;
use std::fmt::Write;

/// Characters that GitHub accepts in a comment.
pub const GITHUB_COMMENT_LIMIT: usize = 65_536;

/// As long as it gets.
pub const NO_LIMIT: usize = usize::MAX;

/// What is kept free for saying that something was cut, and for closing what is open.
const RESERVE: usize = 300;

/// The plan in at most `limit` characters. Too long a plan loses properties first, then whole lines from its end, and
/// says so; its summary and its findings stand first and stay.
pub fn markdown(plan: &Plan, detail: Detail, limit: usize) -> String {
    let whole = page(plan, detail, true, usize::MAX);
    if whole.chars().count() <= limit {
        return whole;
    }
    let short = page(plan, detail, false, usize::MAX);
    let notice = "\n> Properties were left out: with them the plan is too long for this place.\n";
    if short.chars().count() + notice.len() <= limit {
        return short + notice;
    }
    page(plan, detail, false, limit.saturating_sub(RESERVE))
}

fn page(plan: &Plan, detail: Detail, properties: bool, budget: usize) -> String {
    let mut page = Page { text: String::new(), left: budget, lines_cut: 0 };
    let figures = summary_line(plan);
    page.line(&format!("### `{}/{}`: {}", plan.project, plan.environment, figures.trim_start_matches("Plan: ")));
    page.line("");
    for finding in &plan.findings {
        let place = finding.logical_id.as_ref().map_or(finding.stack.clone(), |id| format!("{}.{id}", finding.stack));
        let severity = severity_name(finding.severity);
        let line = finding.place.as_ref().map(|line| format!(", {}", text::inert(line))).unwrap_or_default();
        let message = text::inert(&finding.message);
        page.line(&format!("- **{severity}** `{place}`: {message} (`{}`{line})", finding.code));
    }
    if !plan.findings.is_empty() {
        page.line("");
    }
    let cost: Vec<String> = plan.cost.iter().flat_map(|cost| cost::lines(cost, detail)).collect();
    for line in &cost {
        page.line(&format!("{}\n", text::inert(line)));
    }
    let assets = plan.assets.iter().map(|asset| Block {
        sign: assets::sign(asset),
        name: &asset.id,
        headline: assets::headline(asset),
        rows: assets::rows(asset, detail),
    });
    let stacks = busy(plan).map(|step| Block {
        sign: Sign::from(step.action),
        name: &step.stack,
        headline: headline(plan, step),
        rows: rows(step, detail),
    });
    for Block { sign, name, headline, rows } in assets.chain(stacks) {
        let rows: Vec<String> = rows.iter().filter(|row| properties || !row.minor).map(diff_line).collect();
        let fence = "`".repeat(longest_run_of_backticks(&rows).max(2) + 1);
        let summary = format!("<code>{} {}</code> {}", sign.symbol(), escape(name), escape(&headline));
        if rows.is_empty() {
            page.line(&format!("{summary}\n"));
            continue;
        }
        page.block(
            &format!("<details><summary>{summary}</summary>\n\n{fence}diff"),
            &rows,
            &format!("{fence}\n\n</details>\n"),
        );
    }
    if page.lines_cut > 0 {
        let _ = writeln!(page.text, "> {} more lines do not fit here; `infra plan` shows them all.", page.lines_cut);
    }
    page.text
}

/// What is shown under one name.
struct Block<'a> {
    sign: Sign,
    name: &'a str,
    headline: String,
    rows: Vec<Row>,
}

/// A text that counts how much of it may still grow.
struct Page {
    text: String,
    left: usize,
    lines_cut: usize,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.block(line, &[], "");
    }

    /// Head and foot go together; of the lines between them as many as fit, and none after the first that did not.
    fn block(&mut self, head: &str, lines: &[String], foot: &str) {
        let cost = |text: &str| if text.is_empty() { 0 } else { text.chars().count() + 1 };
        let frame = cost(head).max(1) + cost(foot);
        if self.lines_cut > 0 || frame > self.left {
            self.lines_cut += lines.len().max(1);
            return;
        }
        self.left -= frame;
        let _ = writeln!(self.text, "{head}");
        for (index, line) in lines.iter().enumerate() {
            if cost(line) > self.left {
                self.lines_cut = lines.len() - index;
                break;
            }
            self.left -= cost(line).max(1);
            let _ = writeln!(self.text, "{line}");
        }
        if !foot.is_empty() {
            let _ = writeln!(self.text, "{foot}");
        }
    }
}

/// GitHub colours a diff by the first column: `+`, `-`, and `!` for what changes.
fn diff_line(row: &Row) -> String {
    let first = match row.sign {
        Sign::Add | Sign::Import => "+",
        Sign::Remove => "-",
        Sign::Change | Sign::Replace | Sign::Unknown => "!",
        Sign::None => " ",
    };
    let symbol = row.sign.symbol();
    let symbol = if symbol == first { "" } else { symbol };
    let indent = " ".repeat(row.indent);
    format!("{first}{indent}{symbol:>3} {}", text::plain(&row.text)).trim_end().to_owned()
}

fn longest_run_of_backticks(lines: &[String]) -> usize {
    lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or(0)
}

/// Text that neither HTML nor a mention of somebody can hide in.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "&#64;").replace('\n', " ")
}

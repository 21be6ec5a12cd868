//! Rows of facts: aligned for people, as a Markdown table, and as a document for programs.

use super::View;
use super::style::{STRONG, paint};
use super::text;
use crate::error::Result;
use crate::view::Format;
use serde::Serialize;

/// Columns of text; the first row names them.
#[derive(Debug, Clone)]
pub struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    /// Said instead of a table without rows.
    empty: String,
}

impl Table {
    pub fn new<const COLUMNS: usize>(head: [&'static str; COLUMNS], empty: impl Into<String>) -> Table {
        Table { head: head.to_vec(), rows: Vec::new(), empty: empty.into() }
    }

    pub fn row<const COLUMNS: usize>(&mut self, cells: [String; COLUMNS]) {
        debug_assert_eq!(COLUMNS, self.head.len());
        self.rows.push(cells.to_vec());
    }

    /// The last column is never padded or cut, so that what stands there can be copied.
    fn human(&self) -> String {
        if self.rows.is_empty() {
            return format!("{}\n", self.empty);
        }
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| text::columns(&row[column]));
            cells.chain([text::columns(self.head[column])]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let line = |cells: &mut dyn Iterator<Item = String>| {
            let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| text::pad(&cell, *width)).collect();
            format!("{}\n", padded.join("  ").trim_end())
        };
        let head = line(&mut self.head.iter().map(|name| paint(STRONG, name)));
        let rows = self.rows.iter().map(|row| line(&mut row.iter().cloned()));
        std::iter::once(head).chain(rows).collect()
    }

    fn markdown(&self) -> String {
        if self.rows.is_empty() {
            return format!("{}\n", self.empty);
        }
        let line = |cells: &[String]| {
            let cells: Vec<String> =
                cells.iter().map(|cell| text::plain(cell).replace('|', "\\|").replace('\n', " ")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let head: Vec<String> = self.head.iter().map(|name| name.to_string()).collect();
        let rule = format!("|{}\n", "---|".repeat(self.head.len()));
        std::iter::once(line(&head)).chain([rule]).chain(self.rows.iter().map(|row| line(row))).collect()
    }
}

impl View {
    /// The table for people, `document` for programs.
    pub fn table(&self, table: &Table, document: &impl Serialize) -> Result<()> {
        match self.format {
            Format::Human => self.data(&table.human()),
            Format::Markdown => self.data(&table.markdown()),
            Format::Json => self.json(document),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(["stack", "status", "outputs"], "No stacks.");
        table.row(["network".to_owned(), paint(STRONG, "done"), "VpcId|x".to_owned()]);
        table.row(["data".to_owned(), "CREATE_COMPLETE".to_owned(), String::new()]);
        table
    }

    #[test]
    fn columns_are_aligned() {
        insta::assert_snapshot!(text::plain(&table().human()), @r"
        stack    status           outputs
        network  done             VpcId|x
        data     CREATE_COMPLETE
        ");
    }

    #[test]
    fn cells_cannot_break_a_markdown_table() {
        insta::assert_snapshot!(table().markdown(), @r"
        | stack | status | outputs |
        |---|---|---|
        | network | done | VpcId\|x |
        | data | CREATE_COMPLETE |  |
        ");
    }

    #[test]
    fn no_rows_are_said_in_words() {
        assert_eq!(Table::new(["a"], "No stacks.").human(), "No stacks.\n");
    }
}

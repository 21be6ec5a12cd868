//! `infra history`: what was saved, when, by whom and from which commit.

use super::session::Session;
use crate::error::Result;
use crate::state::HistoryEntry;
use crate::view::principal;
use crate::view::table::Table;
use serde_json::json;
use std::process::ExitCode;

/// Show what was applied, when and by whom
///
/// Each line is a saved state; `infra rollback --to SERIAL` goes back to it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many entries, the newest first
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20)]
    last: usize,
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let environment = session.environment()?;
    let entries = session.read(async |events| {
        let account = session.connect(&environment, events).await?;
        Ok(account.store.last_entries(args.last).await?)
    })?;
    let mut table = Table::new(["serial", "saved", "what", "commit", "stacks", "by"], "Nothing was applied yet.");
    for entry in &entries {
        let written = &entry.state.written;
        table.row([
            entry.state.serial.to_string(),
            written.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            written.operation.clone(),
            written.git_commit.as_deref().map(|commit| commit.chars().take(9).collect()).unwrap_or_default(),
            entry.stacks.len().to_string(),
            principal(&written.by).to_owned(),
        ]);
    }
    session.view.table(&table, &entries.iter().map(document).collect::<Vec<_>>())?;
    Ok(ExitCode::SUCCESS)
}

fn document(entry: &HistoryEntry) -> serde_json::Value {
    json!({
        "serial": entry.state.serial,
        "written": entry.state.written,
        "stacks": entry.stacks.keys().collect::<Vec<_>>(),
    })
}

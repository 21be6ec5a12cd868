//! `infra lock`: who holds an environment's lock, and taking it away from a run that will not give it back.

use super::session::Session;
use crate::error::Result;
use crate::model::LockInfo;
use crate::state::HeldLock;
use crate::view::table::Table;
use clap::Subcommand;
use serde_json::json;
use std::process::ExitCode;

/// Show or break the lock of an environment
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show who holds the lock, since when and for what
    Show,
    /// Take the lock away from the run that holds it
    ///
    /// That run learns of it within seconds and stops before its next write. A run that is dead needs no breaking: its
    /// lock is anybody's a minute after its last beat.
    Break {
        /// The lock's id, as `infra lock show` prints it: so that no other lock is broken by mistake
        id: String,
    },
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    match args.action {
        Action::Show => show(session),
        Action::Break { id } => break_lock(&id, session),
    }
}

fn break_lock(id: &str, session: &Session) -> Result<ExitCode> {
    let environment = session.environment()?;
    let (name, broken) = session.read(async |events| {
        let account = session.connect(&environment, events).await?;
        Ok((account.store.id(), account.store.break_lock(id).await?))
    })?;
    session.view.table(&table(Some(&broken), &name), &json!({"broken": broken.info}))?;
    session.view.note("The lock is broken; the run that held it stops before its next write.");
    Ok(ExitCode::SUCCESS)
}

fn show(session: &Session) -> Result<ExitCode> {
    let environment = session.environment()?;
    let (name, held) = session.read(async |events| {
        let account = session.connect(&environment, events).await?;
        Ok((account.store.id(), account.store.holder().await?))
    })?;
    let document = json!({
        "held": held.is_some(),
        "lock": held.as_ref().map(|held| &held.info),
        "beat": held.as_ref().map(|held| held.beat),
        "lease_seconds": held.as_ref().map(|held| held.lease.as_secs()),
    });
    session.view.table(&table(held.as_ref(), &name), &document)?;
    Ok(ExitCode::SUCCESS)
}

fn table(held: Option<&HeldLock>, environment: &str) -> Table {
    let mut table = Table::new(["lock", ""], format!("Nobody holds the lock of {environment}."));
    let Some(HeldLock { info, lease, .. }) = held else { return table };
    let LockInfo { id, operation, who, host, created, version, pipeline_url } = info;
    let mut fact = |name: &str, value: String| table.row([name.to_owned(), value]);
    fact("of", environment.to_owned());
    fact("id", id.clone());
    fact("held by", format!("{who} on {host}"));
    fact("for", format!("infra {operation} (version {version})"));
    fact("since", created.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    if let Some(url) = pipeline_url {
        fact("pipeline", url.clone());
    }
    fact("free", format!("{} s after its holder's last beat", lease.as_secs()));
    table
}

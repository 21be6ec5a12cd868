//! `infra status`: the stacks as they are in the account, beside what is remembered of them.

use super::planning;
use super::session::Session;
use crate::error::Result;
use crate::model::{Deployed, StackRecord};
use crate::observe;
use crate::view::principal;
use crate::view::table::Table;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::ExitCode;

/// Show the stacks, their state in the account and who applied them last
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: Args, session: &Session) -> Result<ExitCode> {
    let (environment, wanted) = planning::wanted(session)?;
    let (facts, lock) = session.read(async |events| {
        let account = session.connect(&environment, events).await?;
        let look = observe::look(&account.aws, &account.store, &environment, &wanted);
        let (facts, lock) = tokio::try_join!(look, account.store.holder())?;
        Ok((facts, lock))
    })?;
    let state = facts.state.as_ref().map(|snapshot| &snapshot.state);
    let in_file: BTreeSet<&str> = wanted.iter().map(|stack| stack.name.as_str()).collect();
    let remembered = state.into_iter().flat_map(|state| state.stacks.keys()).map(String::as_str);
    // Those of the file in the order in which they are applied, then those that have left it.
    let gone = remembered.filter(|name| !in_file.contains(name));
    let names: Vec<&str> = wanted.iter().map(|stack| stack.name.as_str()).chain(gone).collect();
    let stacks: Vec<Status> = names
        .into_iter()
        .map(|name| Status {
            name,
            in_file: in_file.contains(name),
            deployed: facts.deployed.get(name),
            record: state.and_then(|state| state.stacks.get(name)),
        })
        .collect();
    let mut table = Table::new(["stack", "status", "changed", "applied by", "remark"], "No stacks.");
    for stack in &stacks {
        table.row(stack.row());
    }
    let document = json!({
        "project": environment.project,
        "environment": environment.name,
        "account": environment.account,
        "serial": state.map(|state| state.serial),
        "lock": lock.as_ref().map(|held| &held.info),
        "stacks": stacks.iter().map(Status::document).collect::<Vec<_>>(),
    });
    session.view.table(&table, &document)?;
    if let Some(held) = lock {
        let info = held.info;
        session
            .view
            .note(&format!("\nThe lock is held by {} for `{}` since {}.", info.who, info.operation, info.created));
    }
    Ok(ExitCode::SUCCESS)
}

/// One stack from both sides.
struct Status<'a> {
    name: &'a str,
    in_file: bool,
    deployed: Option<&'a Deployed>,
    record: Option<&'a StackRecord>,
}

impl Status<'_> {
    fn row(&self) -> [String; 5] {
        [
            self.name.to_owned(),
            self.deployed.map_or("-".to_owned(), |stack| stack.status.to_string()),
            self.deployed.map(|stack| stack.changed_at.strftime("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default(),
            self.record.map(|record| principal(&record.applied.by).to_owned()).unwrap_or_default(),
            self.remarks().join("; "),
        ]
    }

    fn remarks(&self) -> Vec<&'static str> {
        let mut remarks = Vec::new();
        match (self.deployed, self.record) {
            (None, None) => remarks.push("not created yet"),
            (None, Some(_)) => remarks.push("gone from the account"),
            (Some(_), None) => remarks.push("not in the state"),
            (Some(_), Some(_)) if self.changed_outside() => remarks.push("changed since, not by infra"),
            (Some(_), Some(_)) => {}
        }
        if !self.in_file {
            remarks.push("no longer in the environment file");
        }
        remarks
    }

    fn changed_outside(&self) -> bool {
        match (self.deployed, self.record) {
            (Some(stack), Some(record)) => stack.fingerprint() != record.fingerprint,
            _ => false,
        }
    }

    fn document(&self) -> Value {
        let target = self.deployed.map(|stack| &stack.target).or(self.record.map(|record| &record.target));
        json!({
            "stack": self.name,
            "stack_name": self.deployed.map(|stack| &stack.stack_name).or(self.record.map(|record| &record.stack_name)),
            "target": target,
            "status": self.deployed.map(|stack| stack.status),
            "status_reason": self.deployed.and_then(|stack| stack.status_reason.as_ref()),
            "changed_at": self.deployed.map(|stack| stack.changed_at),
            "applied": self.record.map(|record| &record.applied),
            "in_file": self.in_file,
            "in_state": self.record.is_some(),
            "changed_outside": self.changed_outside(),
        })
    }
}

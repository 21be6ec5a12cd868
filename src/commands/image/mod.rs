//! `infra image`: container images, from this machine to a registry, and what becomes of them there.

mod build;
mod copy;
mod list;
mod place;
mod prune;
mod push;
mod uses;

use super::session::Session;
use super::signals::Signals;
use crate::apply::Events;
use crate::error::{Error, Kind, Result};
use crate::image::push::Pushed;
use crate::view::progress::Stdout;
use crate::view::table::Table;
use clap::Subcommand;
use std::process::ExitCode;

/// Build, push, copy, list and prune container images
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Build(build::Args),
    Push(push::Args),
    Copy(copy::Args),
    List(list::Args),
    Prune(prune::Args),
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    match args.action {
        Action::Build(args) => build::run(args, session),
        Action::Push(args) => push::run(args, session),
        Action::Copy(args) => copy::run(args, session),
        Action::List(args) => list::run(args, session),
        Action::Prune(args) => prune::run(args, session),
    }
}

/// Moves images while progress is shown. A signal ends it where it stands: what has arrived stays.
fn moving(session: &Session, work: impl AsyncFnOnce(&Events) -> Result<Pushed>) -> Result<Pushed> {
    session.block_on(async {
        let mut signals = Signals::listen()?;
        let (events, listener) = session.view.listen(Stdout::Document);
        let result = tokio::select! {
            result = work(&events) => result,
            code = signals.next() => {
                let message = "interrupted; the layers that have arrived stay, and are not sent again";
                Err(Error::new(Kind::Interrupted(code), message).into())
            }
        };
        drop(events);
        listener.finish().await;
        result
    })
}

/// How a push ended, for people and programs.
fn report(session: &Session, reference: &str, pushed: &Pushed) -> Result<()> {
    let mut table = Table::new(["image", ""], "");
    let mut fact = |name: &str, value: String| table.row([name.to_owned(), value]);
    fact("reference", reference.to_owned());
    let moved = match pushed.already_there {
        true => "nothing: the repository had it".to_owned(),
        false => format!(
            "{} of {} blobs, {}",
            pushed.uploaded_blobs,
            pushed.uploaded_blobs + pushed.present_blobs + pushed.mounted_blobs,
            size(pushed.uploaded_bytes)
        ),
    };
    fact("moved", moved);
    if !pushed.tags.is_empty() {
        fact("tagged", pushed.tags.join(", "));
    }
    let mut document = serde_json::json!({"reference": reference});
    if let (Some(document), Ok(serde_json::Value::Object(fields))) =
        (document.as_object_mut(), serde_json::to_value(pushed))
    {
        document.extend(fields);
    }
    session.view.table(&table, &document)
}

/// `512 B`, `1.5 KiB`, `300.0 MiB`.
fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes() {
        let text = [0, 1023, 1536, 300 * 1024 * 1024, u64::MAX].map(size);
        assert_eq!(text, ["0 B", "1023 B", "1.5 KiB", "300.0 MiB", "16777216.0 TiB"]);
    }
}

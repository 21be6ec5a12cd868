//! How an error reads: what happened, why, facts that help, what to do next.

use super::problem;
use super::style::{ERROR, FAINT, HINT, paint};
use crate::error::{self, Kind};
use jiff::Timestamp;
use serde_json::json;
use std::fmt::Write;

/// The error for people, without a line break at its end.
pub fn text(error: &anyhow::Error, width: usize) -> String {
    let known = error::find(error);
    let mut text = String::new();
    if let Some(known) = known.filter(|known| !known.problems.is_empty()) {
        let _ = writeln!(text, "{}\n", problem::text(&known.problems, width));
    }
    let _ = write!(text, "{} {error}", paint(ERROR, "error:"));
    for cause in causes(error) {
        let _ = write!(text, "\n  {} {cause}", paint(FAINT, "because:"));
    }
    for detail in known.iter().flat_map(|known| &known.details) {
        for line in detail.lines() {
            let _ = write!(text, "\n  {line}");
        }
    }
    for hint in known.iter().flat_map(|known| &known.hints) {
        let _ = write!(text, "\n{} {}", paint(HINT, "hint:"), hint.replace('\n', "\n      "));
    }
    text
}

/// The error for programs: one line, of the same shape as progress events.
pub fn json(error: &anyhow::Error) -> String {
    let known = error::find(error);
    json!({
        "type": "error",
        "timestamp": Timestamp::now(),
        "kind": kind_name(error::kind(error)),
        "exit_code": error::kind(error).exit_code(),
        "message": error.to_string(),
        "causes": causes(error),
        "details": known.map(|known| known.details.clone()).unwrap_or_default(),
        "hints": known.map(|known| known.hints.clone()).unwrap_or_default(),
        "problems": known.iter().flat_map(|known| &known.problems).map(problem::json).collect::<Vec<_>>(),
    })
    .to_string()
}

/// What the error follows from, outermost first; a cause that only repeats what is said anyway is left out.
fn causes(error: &anyhow::Error) -> Vec<String> {
    let details = error::find(error).map(|known| known.details.clone()).unwrap_or_default();
    let mut said = vec![error.to_string()];
    for cause in error.chain().skip(1).map(|cause| cause.to_string()) {
        if !said.iter().chain(&details).any(|said| said.contains(&cause)) {
            said.push(cause);
        }
    }
    said.split_off(1)
}

/// Stable names for programs.
fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Usage => "usage",
        Kind::Configuration => "configuration",
        Kind::LockHeld => "lock_held",
        Kind::LockLost => "lock_lost",
        Kind::Credentials => "credentials",
        Kind::WrongAccount => "wrong_account",
        Kind::AccessDenied => "access_denied",
        Kind::NotBootstrapped => "not_bootstrapped",
        Kind::Unreachable => "unreachable",
        Kind::Stale => "stale",
        Kind::State => "state",
        Kind::Failed => "failed",
        Kind::NotAsPlanned => "not_as_planned",
        Kind::Declined => "declined",
        Kind::Interrupted(_) => "interrupted",
        Kind::Aws => "aws",
        Kind::Other => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::problem::{Problem, SourceFile};
    use crate::view::schema_errors;
    use anyhow::Context;
    use std::sync::Arc;

    fn held() -> anyhow::Error {
        let error = Error::new(Kind::LockHeld, "somebody else works on storefront/prod")
            .detail("held by  ada on ci-7\nsince    10:00")
            .hint("wait for it: --lock-timeout 5m")
            .caused_by(anyhow::anyhow!("ConditionalCheckFailedException"));
        Err::<(), _>(error).context("cannot apply").unwrap_err()
    }

    #[test]
    fn an_error_says_what_why_and_what_next() {
        insta::assert_snapshot!(crate::view::text::plain(&text(&held(), 80)), @r"
        error: cannot apply
          because: somebody else works on storefront/prod
          because: ConditionalCheckFailedException
          held by  ada on ci-7
          since    10:00
        hint: wait for it: --lock-timeout 5m
        ");
    }

    #[test]
    fn an_error_for_programs_is_as_the_schema_says() {
        let file = Arc::new(SourceFile { name: "environments/prod.yaml".to_owned(), text: "a: 1\n".to_owned() });
        let start = crate::problem::Position { line: 1, column: 1, ..Default::default() };
        let at = crate::problem::Location { file, span: crate::problem::Span { start, end: start } };
        let problem =
            Problem::error("unknown-key", "no such key", Some(at.clone())).related(at, "here").help("did you");
        let problems = anyhow::Error::from(Error::problems(vec![problem, Problem::warning("x", "y", None)]));
        for error in [held(), problems, anyhow::anyhow!("plain")] {
            let line = serde_json::from_str(&json(&error)).unwrap();
            assert_eq!(schema_errors("error", &line), Vec::<String>::new(), "{line}");
        }
    }
}

//! `infra init`: a project to start from, in files that are then its own.

use super::session::Session;
use crate::environment;
use crate::error::{Error, Kind, Result};
use crate::policy;
use anyhow::Context;
use clap::ValueEnum;
use include_dir::{Dir, include_dir};
use std::process::ExitCode;

static ENVIRONMENTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/environments");
static POLICIES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/policies");

/// What the embedded files call project and account.
const PROJECT: &str = "storefront";
const ACCOUNT: &str = "111122223333";

/// Write a project to start from
///
/// Environment files of a whole system, which use the templates that are built in, and the rules that they are checked
/// by (policies/). No file is ever overwritten.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The system to start from
    #[arg(long, value_enum, default_value_t, value_name = "SYSTEM")]
    from: System,

    /// The project's name: what all stack names begin with
    #[arg(long, value_name = "NAME", default_value = PROJECT)]
    project: String,

    /// The AWS account, twelve digits; without it the files hold a placeholder
    #[arg(long, value_name = "ID", default_value = ACCOUNT, value_parser = account)]
    account: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum System {
    /// Two FastAPI services on Fargate behind a load balancer, a DynamoDB table, a static site on CloudFront
    #[default]
    Fastapi,
}

impl System {
    fn environments(self) -> &'static [&'static str] {
        match self {
            System::Fastapi => &["base", "dev", "staging", "prod"],
        }
    }
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let directory = session.project.join(environment::DIRECTORY);
    let mut files = Vec::new();
    for name in args.from.environments() {
        let name = format!("{name}.yaml");
        let text = ENVIRONMENTS.get_file(&name).and_then(|file| file.contents_utf8()).unwrap_or_default();
        files.push((directory.join(&name), text.replace(PROJECT, &args.project).replace(ACCOUNT, &args.account)));
    }
    let policies = session.project.join(policy::DIRECTORY);
    for file in POLICIES.files() {
        let text = file.contents_utf8().unwrap_or_default().to_owned();
        files.push((policies.join(file.path()), text));
    }
    let there: Vec<String> =
        files.iter().filter(|(path, _)| path.exists()).map(|(path, _)| path.display().to_string()).collect();
    if !there.is_empty() {
        let error = Error::new(Kind::Usage, format!("there is a project already: {}", there.join(", ")));
        return Err(error.hint("nothing was written; `-C DIR` writes into another directory").into());
    }
    for directory in [&directory, &policies] {
        std::fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    }
    for (path, text) in &files {
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        session.view.data(&format!("{}\n", path.display()))?;
    }
    session.view.note(&next(&args, session));
    Ok(ExitCode::SUCCESS)
}

fn next(args: &Args, session: &Session) -> String {
    let at = session.global.directory.as_ref().map(|path| format!(" -C {}", path.display())).unwrap_or_default();
    let account = match args.account == ACCOUNT {
        true => format!("\n  write your account's id in place of {ACCOUNT}, your domain and your images"),
        false => "\n  write your domain and your images".to_owned(),
    };
    format!(
        "\nNext:{account}\n  infra validate{at}\n  infra bootstrap --env dev{at}\n  infra plan --env dev{at}\n  infra apply --env dev{at}"
    )
}

fn account(text: &str) -> Result<String, String> {
    match text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(text.to_owned()),
        false => Err("an account id has twelve digits".to_owned()),
    }
}

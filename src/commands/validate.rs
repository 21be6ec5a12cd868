//! `infra validate`: everything that can be known to be wrong without asking anybody.

use super::assets;
use super::checks;
use super::images;
use super::packages;
use super::policies;
use super::session::Session;
use crate::catalog::Catalog;
use crate::environment;
use crate::error::{Error, Kind, Result, find};
use crate::policy::{self, Rules, Violation};
use crate::problem::Problem;
use crate::processors;
use crate::render::render;
use crate::validate::{Files, validate};
use crate::view::sarif;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Check configuration and templates, offline
///
/// Environment files, templates and their inputs, the wiring between stacks, and every rendered resource against
/// CloudFormation's registry and the rules of policies/, and the folders and files that images, packages and sites are made from. Without --env all environments are checked. Neither credentials nor a network are needed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write what was found to a file as SARIF 2.1.0, for code scanning
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    sarif: Option<PathBuf>,
}

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    let (names, passed_over) = match &session.global.env {
        Some(name) => (vec![name.clone()], Vec::new()),
        None => {
            let names: Vec<String> = environment::list(&session.project)?
                .into_iter()
                .filter(|listed| !listed.base)
                .map(|listed| listed.name)
                .collect();
            (names, environment::passed_over(&session.project))
        }
    };
    if names.is_empty() {
        session.view.problems(&passed_over);
        let message = format!("{}/ has no environment: nothing was checked", environment::DIRECTORY);
        return Err(Error::new(Kind::Configuration, message)
            .hint("write environments/NAME.yaml, or let `infra init` write some")
            .into());
    }
    let catalog = Catalog::open(&session.project);
    let rules = Rules::read(&session.project)?;
    let mut against: Vec<sarif::Entry> = Vec::new();
    let mut problems: Vec<Problem> = passed_over;
    let mut checked = Vec::new();
    for name in &names {
        let found = match check(session, &catalog, &rules, name) {
            Ok(Checked { stacks, problems, violations }) => {
                checked.push((name, stacks));
                for entry in sarif::violations(&violations) {
                    if !against.contains(&entry) {
                        against.push(entry);
                    }
                }
                problems
            }
            // Only a list of problems may be one of several: anything else ends the command.
            Err(error) => match find(&error) {
                Some(known) if !known.problems.is_empty() => known.problems.clone(),
                _ => return Err(error),
            },
        };
        // What environments have in common is told once.
        found.into_iter().for_each(|problem| {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        });
    }
    if let Some(path) = &args.sarif {
        // Violations are told as such, with the names of their rules.
        let of_files: Vec<Problem> = problems.iter().filter(|problem| problem.code != "policy").cloned().collect();
        let entries = sarif::problems(&of_files).into_iter().chain(against).collect();
        sarif::write(path, &session.project, "infra/validate", entries)?;
    }
    if problems.iter().any(Problem::is_error) {
        return Err(Error::problems(problems).into());
    }
    session.view.problems(&problems);
    session.view.valid(&checked, &json!({
        "valid": true,
        "environments": checked.iter().map(|(name, stacks)| json!({"name": name, "stacks": stacks})).collect::<Vec<_>>(),
    }))?;
    Ok(ExitCode::SUCCESS)
}

/// What was found in one environment.
struct Checked {
    stacks: usize,
    problems: Vec<Problem>,
    violations: Vec<Violation>,
}

fn check(session: &Session, catalog: &Catalog, rules: &Rules, name: &str) -> Result<Checked> {
    let (environment, mut problems) = environment::load(&session.project, name)?;
    let stacks = render(&environment, catalog)?;
    problems.extend(validate(&stacks, catalog));
    let (made_for, wrong) = images::made_for(&session.project, &environment);
    problems.extend(wrong);
    problems.extend(assets::site_problems(&session.project, &environment));
    problems.extend(processors::problems(&environment, &stacks, &made_for));
    problems.extend(checks::missing(&session.project, &environment, &stacks));
    problems.extend(packages::handler_problems(&session.project, &environment, &stacks, catalog));
    let violations = policies::violations(rules, &environment, &stacks)?;
    let mut files = Files::new(catalog);
    problems.extend(violations.iter().filter_map(|one| policies::problem(one, &environment, &mut files)));
    problems.extend(policy::unused(&violations, &environment.waivers));
    Ok(Checked { stacks: stacks.len(), problems, violations })
}

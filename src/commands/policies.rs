//! The project's rules on an environment's stacks: as problems of `validate`, as findings of a plan.

use crate::error::Result;
use crate::model::{Environment, RenderedStack};
use crate::plan::{Action, Finding, FindingSeverity, Options, Plan, allowing};
use crate::policy::{self, Rules, Violation};
use crate::problem::Problem;
use crate::validate::Files;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::path::Path;

/// What the rules say, waivers considered.
pub fn violations(rules: &Rules, environment: &Environment, stacks: &[RenderedStack]) -> Result<Vec<Violation>> {
    let mut found = policy::check(rules, stacks)?;
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    policy::waive(&mut found, &environment.waivers, today);
    Ok(found)
}

/// A violation at its place in a template. None for one that is waived.
pub fn problem(violation: &Violation, environment: &Environment, files: &mut Files) -> Option<Problem> {
    let at = violation.place.as_deref().and_then(|place| files.location(place));
    let stack = || environment.stacks.get(&violation.stack).map(|stack| stack.at.clone());
    let message = format!("{}: {}", violation.subject(), violation.text());
    let help =
        format!("rule {} of {}; `waivers` of the environment accept it for a time", violation.rule, violation.file);
    let problem = Problem::error("policy", message, at.or_else(stack)).label(violation.path.clone()).help(help);
    (!violation.is_waived()).then_some(problem)
}

/// Adds what the rules say of the stacks to a plan's findings. In a protected environment a violation of a stack that
/// changes is refused until it is corrected, waived, or allowed for this once; one of a stack that stays as it is stops
/// nothing.
pub fn judge(
    project: &Path,
    environment: &Environment,
    wanted: &[RenderedStack],
    options: &Options,
    plan: &mut Plan,
) -> Result<()> {
    let changes = |name: &str| plan.step(name).is_some_and(|step| step.action != Action::Nothing);
    let planned: Vec<RenderedStack> = wanted.iter().filter(|stack| plan.step(&stack.name).is_some()).cloned().collect();
    let rules = Rules::read(project)?;
    if rules.is_empty() || planned.is_empty() {
        return Ok(());
    }
    let found = violations(&rules, environment, &planned)?;
    let findings = found.iter().map(|violation| {
        let mut finding = Finding {
            severity: if violation.is_waived() { FindingSeverity::Note } else { FindingSeverity::Warning },
            code: format!("policy/{}", violation.rule),
            stack: violation.stack.clone(),
            logical_id: violation.logical_id.clone(),
            path: None,
            place: violation.place.clone(),
            message: violation.text(),
        };
        let word = allowing(&finding);
        if environment.protect && changes(&violation.stack) && !violation.is_waived() && !options.allow.contains(&word)
        {
            finding.severity = FindingSeverity::Refused;
            finding.message = format!("{}; `--allow {word}` allows it", finding.message);
        }
        finding
    });
    let findings = findings.collect();
    plan.add_findings(findings);
    Ok(())
}

//! Saved plans: written, read back, and refused once state or account have moved on.
//!
//! What a saved plan holds may be read by whoever may read the project, or download an artifact. Values of NoEcho parameters
//! are not in it, so that a plan which depends on one cannot be saved; a template is in it without the secrets that stand in
//! it, and has them again from the files when it is applied, if these still give the very same template. What it says about
//! its own safety counts for nothing: it is planned anew from the templates in it, and the two must be the same
//! ([`super::fit`]).

use super::document::{Plan, StackStep};
use super::head::Head;
use super::request::Options;
use super::without_secrets;
use crate::error::{Error, Kind, Result};
use crate::model::{Deployed, Fingerprint, Parameter, RenderedStack, StackStatus, State, digest, sensitive};
use cloudformation::sensitive::HIDDEN;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// A plan from a file, with what it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    pub plan: Plan,
    basis: Basis,
    /// Nothing in the file was changed since it was written, as far as its digest tells.
    pub intact: bool,
}

/// What a plan was made from, beside the stacks that its steps hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Basis {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    allow_replace: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    allow: BTreeSet<String>,
    #[serde(default)]
    allow_destroy: bool,
    #[serde(default)]
    import_existing: bool,
    /// The stacks that stay as they are.
    #[serde(default)]
    others: Vec<RenderedStack>,
}

const BASIS: &str = "basis";
const DIGEST: &str = "digest";

impl Plan {
    /// As `plan -o` writes it. `wanted` and `options` are what the plan was made from.
    ///
    /// # Errors
    /// [`Kind::Configuration`]: a NoEcho parameter is given literally, and would have to be in the file.
    pub fn save(&self, wanted: &[RenderedStack], options: &Options) -> Result<String> {
        let secrets: Vec<String> = self.steps.iter().flat_map(secrets).collect();
        if let Some(first) = secrets.first() {
            let error = Error::new(
                Kind::Configuration,
                format!("the plan needs secrets to be applied: {}", secrets.join(", ")),
            )
            .detail("a saved plan holds no values of NoEcho parameters")
            .hint(format!(
                "keep the value of {first} in Secrets Manager and give `{{{{resolve:secretsmanager:…}}}}` instead, \
                     or apply without a saved plan"
            ));
            return Err(error.into());
        }
        let held = |stack: &&RenderedStack| self.step(&stack.name).is_some_and(|step| step.wanted.is_some());
        let others = wanted.iter().filter(|stack| !held(stack));
        let basis = Basis {
            allow_replace: options.allow_replace.clone(),
            allow: options.allow.clone(),
            allow_destroy: options.allow_destroy,
            import_existing: options.import_existing,
            others: others.map(|stack| without_secrets(stack, &Head::of(&stack.template))).collect(),
        };
        let mut file = serde_json::to_value(self)?;
        file[BASIS] = serde_json::to_value(basis)?;
        // What is hidden is hidden before the digest is made.
        let mut file: Json = serde_json::from_str(&sensitive::hide(&file.to_string()))?;
        file[DIGEST] = Json::String(digest(&file.to_string()));
        Ok(serde_json::to_string_pretty(&file)?)
    }

    /// A saved plan, read back.
    ///
    /// # Errors
    /// [`Kind::Configuration`]: no plan, or one of another major format version, or of an earlier minor one.
    pub fn load(text: &str) -> Result<Saved> {
        let no_plan = || Error::new(Kind::Configuration, "the file is no saved plan");
        let damaged = || Error::new(Kind::Configuration, "the saved plan is damaged");
        let mut file: Json = serde_json::from_str(text).map_err(|error| no_plan().caused_by(error))?;
        let Some(found) = file.get("format_version").and_then(Json::as_str) else { return Err(no_plan().into()) };
        // A later minor version only adds keys; an earlier one lacks some that must be there.
        let parts = |version: &str| version.split_once('.').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        let (own, of_file): (Option<(u32, u32)>, _) = (parts(Plan::FORMAT_VERSION), parts(found));
        if own.zip(of_file).is_none_or(|(own, of_file)| of_file.0 != own.0 || of_file.1 < own.1) {
            let error = Error::new(
                Kind::Configuration,
                format!("the plan has format {found}, and this version of infra reads {}", Plan::FORMAT_VERSION),
            );
            return Err(error.hint("plan again with this version, or apply with the version that planned").into());
        }
        let written = file.as_object_mut().and_then(|members| members.shift_remove(DIGEST));
        let intact = written == Some(Json::String(digest(&file.to_string())));
        let basis = file.as_object_mut().and_then(|members| members.shift_remove(BASIS)).unwrap_or_default();
        let basis: Basis = serde_json::from_value(basis).map_err(|error| damaged().caused_by(error))?;
        let plan: Plan = serde_json::from_value(file).map_err(|error| damaged().caused_by(error))?;
        Ok(Saved { plan, basis, intact })
    }
}

impl Saved {
    /// Whether a template of a plan that was read back is without its secrets.
    pub fn lacks_secrets(&self) -> bool {
        let held = self.plan.steps.iter().filter_map(|step| step.wanted.as_ref());
        held.chain(&self.basis.others).any(lacks_secrets)
    }

    /// Puts the secrets back into the templates, from what the files give now.
    ///
    /// # Errors
    /// [`Kind::Stale`]: the files give another template than the plan was made from.
    pub fn restore_secrets(&mut self, rendered: &[RenderedStack]) -> Result<()> {
        let held = self.plan.steps.iter_mut().filter_map(|step| step.wanted.as_mut());
        for wanted in held.chain(&mut self.basis.others).filter(|wanted| lacks_secrets(wanted)) {
            let fresh = rendered.iter().find(|fresh| {
                fresh.name == wanted.name
                    && digest(&fresh.template) == wanted.template_digest
                    && sensitive::template(&fresh.template) == wanted.template
            });
            let Some(fresh) = fresh else {
                let error = Error::new(
                    Kind::Stale,
                    format!("the files no longer give the template of `{}` that the plan was made from", wanted.name),
                )
                .detail("a secret stands in that template; the plan does not hold it, and takes it from the files")
                .hint(format!("plan again: infra plan --env {} -o FILE", self.plan.environment))
                .hint(
                    "a secret that is referred to (`{{resolve:secretsmanager:…}}`) is in no template, and in no file",
                );
                return Err(error.into());
            };
            wanted.template.clone_from(&fresh.template);
        }
        Ok(())
    }

    /// All stacks of the environment, as the plan was made from them.
    pub fn wanted(&self) -> Vec<RenderedStack> {
        let of = |step: &StackStep| {
            let other = || self.basis.others.iter().find(|stack| stack.name == step.stack);
            step.wanted.as_ref().or_else(other).cloned()
        };
        let beside = |stack: &&RenderedStack| self.plan.step(&stack.name).is_none();
        self.plan.steps.iter().filter_map(of).chain(self.basis.others.iter().filter(beside).cloned()).collect()
    }

    /// The words that were said when it was made.
    pub fn options(&self) -> Options {
        Options {
            targets: self.plan.targets.clone(),
            allow_replace: self.basis.allow_replace.clone(),
            allow: self.basis.allow.clone(),
            allow_destroy: self.basis.allow_destroy,
            import_existing: self.basis.import_existing,
            ..Options::default()
        }
    }
}

fn lacks_secrets(wanted: &RenderedStack) -> bool {
    wanted.template.contains(HIDDEN) && digest(&wanted.template) != wanted.template_digest
}

fn secrets(step: &StackStep) -> Vec<String> {
    let parameters = step.wanted.iter().flat_map(|wanted| &wanted.parameters);
    let secret = parameters.filter(|(_, value)| matches!(value, Parameter::Secret { .. }));
    secret.map(|(name, _)| format!("{}.{name}", step.stack)).collect()
}

/// Why a plan may not be applied any more, a sentence each; empty while nothing has changed since it was made.
///
/// `deployed` is by the stack's name, as for [`super::plan`].
pub fn stale(plan: &Plan, state: Option<&State>, deployed: &BTreeMap<String, Deployed>) -> Vec<String> {
    let mut reasons = Vec::new();
    reasons.extend(state_moved_on(plan, state));
    for step in &plan.steps {
        let now = deployed.get(&step.stack).filter(|stack| is_there(stack.status)).map(Deployed::fingerprint);
        if now != step.fingerprint {
            let by = state
                .and_then(|state| state.stacks.get(&step.stack))
                .filter(|record| now.as_ref() == Some(&record.fingerprint));
            let who = by.map(|record| format!(", by {} ({})", record.applied.by, record.applied.operation));
            let what = difference(step.fingerprint.as_ref(), now.as_ref());
            reasons.push(format!("{} {what}{}", step.stack, who.unwrap_or_default()));
        }
    }
    reasons
}

/// The error that refuses a stale plan.
pub fn stale_error(plan: &Plan, reasons: Vec<String>) -> Error {
    let error = Error::new(
        Kind::Stale,
        format!("the plan made at {} does not match {}/{} any more", plan.created, plan.project, plan.environment),
    );
    let error = reasons.into_iter().fold(error, Error::detail);
    error.hint(format!("plan again: infra plan --env {} -o FILE", plan.environment))
}

/// A shell that waits for its first change set is no stack yet.
fn is_there(status: StackStatus) -> bool {
    !matches!(status, StackStatus::ReviewInProgress | StackStatus::DeleteComplete)
}

fn state_moved_on(plan: &Plan, state: Option<&State>) -> Option<String> {
    let written = |state: &State| {
        let written = &state.written;
        format!("`{}` by {} on {} at {}", written.operation, written.by, written.host, written.at)
    };
    match (&plan.lineage, state) {
        (None, None) => None,
        (None, Some(state)) => {
            Some(format!("the plan was made before the environment's first apply; since then: {}", written(state)))
        }
        (Some(_), None) => Some("the environment's state is gone".to_owned()),
        (Some(lineage), Some(state)) if *lineage != state.lineage => {
            Some("the plan belongs to another state: its lineage differs".to_owned())
        }
        (Some(_), Some(state)) if plan.serial != state.serial => Some(format!(
            "the state is at serial {}, the plan was made at {}; since then: {}",
            state.serial,
            plan.serial,
            written(state)
        )),
        _ => None,
    }
}

fn difference(before: Option<&Fingerprint>, after: Option<&Fingerprint>) -> String {
    match (before, after) {
        (None, Some(after)) => format!("did not exist and is {} since {}", after.status, after.changed_at),
        (Some(_), None) => "is gone from the account".to_owned(),
        (Some(before), Some(after)) if before.stack_id != after.stack_id => {
            format!("was deleted and created again at {}", after.changed_at)
        }
        (Some(before), Some(after)) => format!(
            "was {} since {} and is {} since {}",
            before.status, before.changed_at, after.status, after.changed_at
        ),
        (None, None) => String::new(),
    }
}

//! Saved plans: written, read back, and refused once state or account have moved on.
//!
//! What a saved plan holds may be read by whoever may read the project, or download an artifact. Values of NoEcho parameters
//! are not in it, so that a plan which depends on one cannot be saved; a template is in it without the secrets that stand in
//! it, and has them again from the files when it is applied, if these still give the very same template.

use super::document::{Plan, StackStep};
use crate::error::{Error, Kind, Result};
use crate::model::{Deployed, Fingerprint, Parameter, RenderedStack, StackStatus, State, digest, sensitive};
use cloudformation::sensitive::HIDDEN;
use serde::Deserialize;
use std::collections::BTreeMap;

impl Plan {
    /// As `plan -o` writes it.
    ///
    /// # Errors
    /// [`Kind::Configuration`]: a NoEcho parameter is given literally, and would have to be in the file.
    pub fn save(&self) -> Result<String> {
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
        Ok(serde_json::to_string_pretty(self)?)
    }

    /// Whether a template of a plan that was read back is without its secrets.
    pub fn lacks_secrets(&self) -> bool {
        self.steps.iter().filter_map(|step| step.wanted.as_ref()).any(lacks_secrets)
    }

    /// Puts the secrets back into the templates, from what the files give now.
    ///
    /// # Errors
    /// [`Kind::Stale`]: the files give another template than the plan was made from.
    pub fn restore_secrets(&mut self, rendered: &[RenderedStack]) -> Result<()> {
        for step in &mut self.steps {
            let Some(wanted) = step.wanted.as_mut().filter(|wanted| lacks_secrets(wanted)) else { continue };
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
                .hint(format!("plan again: infra plan --env {} -o FILE", self.environment))
                .hint(
                    "a secret that is referred to (`{{resolve:secretsmanager:…}}`) is in no template, and in no file",
                );
                return Err(error.into());
            };
            wanted.template.clone_from(&fresh.template);
        }
        Ok(())
    }

    /// A saved plan, read back.
    ///
    /// # Errors
    /// [`Kind::Configuration`]: no plan, or one of another major format version.
    pub fn load(text: &str) -> Result<Plan> {
        #[derive(Deserialize)]
        struct Version {
            format_version: String,
        }
        let version: Version = serde_json::from_str(text)
            .map_err(|error| Error::new(Kind::Configuration, "the file is no saved plan").caused_by(error))?;
        let major = |version: &str| version.split('.').next().unwrap_or_default().to_owned();
        if major(&version.format_version) != major(Plan::FORMAT_VERSION) {
            let found = version.format_version;
            let error = Error::new(
                Kind::Configuration,
                format!("the plan has format {found}, and this version of infra reads {}", Plan::FORMAT_VERSION),
            );
            return Err(error.hint("plan again with this version, or apply with the version that planned").into());
        }
        serde_json::from_str(text)
            .map_err(|error| Error::new(Kind::Configuration, "the saved plan is damaged").caused_by(error).into())
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

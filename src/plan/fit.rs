//! Whether the parts of a saved plan fit together: its stacks with the environment's files, and everything else with
//! what its stacks come to when they are planned anew. Pure.
//!
//! A file can be changed by whoever can reach it. What it says of protection, findings, roles and changes is therefore
//! compared, and never believed; what is carried out is the plan that was made anew.

use super::assets::{AssetAction, AssetStep};
use super::document::{Finding, Plan, StackStep};
use super::request::Scope;
use super::saved::Saved;
use crate::error::{Error, Kind};
use crate::model::{Parameter, RenderedStack, Target, digest, sensitive};
use crate::render;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// More differences are counted, not listed.
const LISTED: usize = 12;
/// Characters of a value in a message.
const SHOWN: usize = 60;

/// What does not fit between the plan's stacks and the environment, a sentence each. `targets` are those of the
/// environment's files, by stack.
pub fn misfits(saved: &Saved, scope: &Scope, targets: &BTreeMap<String, Target>) -> Vec<String> {
    let mut found = Vec::new();
    let mut names = BTreeSet::new();
    let wanted = saved.wanted();
    for stack in &wanted {
        let name = &stack.name;
        let mut wrong = |what: String| found.push(format!("stack `{name}`: {what}"));
        if !names.insert(name.clone()) {
            wrong("it is in the plan twice".to_owned());
        }
        if stack.template_digest != digest(&stack.template) {
            wrong("its template is not the one that `template_digest` names".to_owned());
        }
        let expected = format!("{}-{}-{name}", scope.project, scope.environment);
        if stack.stack_name != expected {
            wrong(format!("the plan calls it {}, and it is {expected}", stack.stack_name));
        }
        match targets.get(name) {
            None => wrong(format!("the files of environment `{}` have no such stack", scope.environment)),
            Some(target) if *target != stack.target => wrong(format!(
                "the plan has it in {}, and the environment's files in {}",
                place(&stack.target),
                place(target)
            )),
            Some(_) => {}
        }
        let word = |on: bool| if on { "protects" } else { "does not protect" };
        if stack.protect != scope.protect {
            wrong(format!("the plan {} it, and the environment's file {}", word(stack.protect), word(scope.protect)));
        }
        if stack.stack_policy != scope.protect.then(render::protecting_policy) {
            wrong("its stack policy is not the one that the environment's `protect` stands for".to_owned());
        }
        for (parameter, giver, key) in missing_outputs(stack, &wanted) {
            wrong(format!(
                "parameter {parameter} takes output {key} of stack `{giver}`, whose template has none of that name"
            ));
        }
        match render::capabilities_of(&stack.template) {
            None => wrong("its template cannot be read".to_owned()),
            Some(capabilities) if capabilities != stack.capabilities => wrong(format!(
                "the plan gives it the capabilities [{}], and its template needs [{}]",
                stack.capabilities.join(", "),
                capabilities.join(", ")
            )),
            Some(_) => {}
        }
    }
    for step in &saved.plan.steps {
        if let Some(wanted) = step.wanted.as_ref().filter(|wanted| wanted.name != step.stack) {
            found.push(format!("stack `{}`: its step holds the stack `{}`", step.stack, wanted.name));
        }
    }
    found
}

/// Parameters that take an output which its stack, as it is in the plan, does not give.
fn missing_outputs<'s>(
    stack: &'s RenderedStack,
    wanted: &'s [RenderedStack],
) -> impl Iterator<Item = (&'s str, &'s str, &'s str)> {
    stack.parameters.iter().filter_map(|(name, parameter)| {
        let Parameter::Output { stack: giver, key } = parameter else { return None };
        let template = &wanted.iter().find(|other| other.name == *giver)?.template;
        let given = serde_json::from_str::<Json>(template).ok()?["Outputs"].get(key).is_some();
        (!given).then_some((name.as_str(), giver.as_str(), key.as_str()))
    })
}

fn place(target: &Target) -> String {
    let role = target.role.as_ref().map(|role| format!(" with the role {role}"));
    format!("account {}, {}{}", target.account, target.region, role.unwrap_or_default())
}

/// Where the plan differs from `anew`, the plan that its own stacks come to.
pub fn differences(saved: &Saved, anew: &Plan) -> Vec<String> {
    let plan = &saved.plan;
    let mut found = Vec::new();
    let steps = |plan: &Plan| plan.steps.iter().map(|step| (step.stack.clone(), of_step(step))).collect();
    compare("stack", steps(plan), steps(anew), "step", &mut found);
    let others = plan.assets.iter().filter_map(|asset| other_files(asset, anew));
    found.extend(others.map(|folder| format!("the files of {folder} are others than when the plan was made")));
    let ours = plan.assets.iter().filter(|asset| !may_turn_out_to_be_nothing(asset, anew));
    compare("asset", ours.map(of_asset).collect(), anew.assets.iter().map(of_asset).collect(), "upload", &mut found);
    let (ours, theirs) = (findings(plan), findings(anew));
    let lacks = theirs.iter().filter(|(key, _)| !ours.contains_key(*key));
    found.extend(lacks.map(|(_, finding)| format!("findings: the plan lacks {}", named(finding))));
    let more = ours.iter().filter(|(key, _)| !theirs.contains_key(*key));
    found.extend(
        more.map(|(_, finding)| format!("findings: the plan has {}, for which there is no reason", named(finding))),
    );
    if found.is_empty() && !saved.intact {
        found.push("something in the file was changed after it was saved: its digest is another one".to_owned());
    }
    found
}

/// The error that refuses a plan whose parts do not fit together.
pub fn misfit_error(plan: &Plan, mut reasons: Vec<String>) -> Error {
    let more = reasons.len().saturating_sub(LISTED);
    reasons.truncate(LISTED);
    let own = env!("CARGO_PKG_VERSION");
    if plan.infra_version != own {
        reasons.push(format!("it was made by infra {}, and this is {own}", plan.infra_version));
    }
    let error =
        Error::new(Kind::Stale, format!("the plan made at {} does not fit together; nothing was done", plan.created));
    let error = reasons.into_iter().fold(error, Error::detail);
    let error = if more > 0 { error.detail(format!("and {more} more")) } else { error };
    error.hint(format!(
        "the file was changed, or the environment's files or the account were: plan again: infra plan --env {} -o FILE",
        plan.environment
    ))
}

/// A part of a plan as a saved one has it: without what is hidden.
fn as_in_a_file(part: &impl serde::Serialize) -> Json {
    let text = serde_json::to_string(part).unwrap_or_default();
    serde_json::from_str(&sensitive::hide(&text)).unwrap_or_default()
}

/// What a step is and does; what is only counted for the reader is left out.
fn of_step(step: &StackStep) -> Json {
    let mut json = as_in_a_file(step);
    if let Some(members) = json.as_object_mut() {
        members.remove("image_commits");
    }
    json
}

/// What goes where. Whether it is there already, and what a bucket holds, is asked for again.
fn of_asset(asset: &AssetStep) -> (String, Json) {
    let mut json = as_in_a_file(asset);
    if let Some(members) = json.as_object_mut() {
        let asked = ["action", "size_bytes", "commits", "add", "change", "remove", "unchanged", "invalidate"];
        asked.iter().for_each(|key| _ = members.remove(*key));
        if asset.site().is_some() {
            members.remove("digest");
        }
    }
    (asset.id.clone(), json)
}

/// The folder of a site whose files have changed since.
fn other_files<'p>(asset: &'p AssetStep, anew: &Plan) -> Option<&'p str> {
    let now = anew.assets.iter().find(|other| other.id == asset.id)?.site()?;
    asset.site().filter(|site| site.digest != now.digest).map(|site| site.folder.as_str())
}

/// The bucket could not be asked when the plan was made, and has all of it.
fn may_turn_out_to_be_nothing(asset: &AssetStep, anew: &Plan) -> bool {
    asset.action == AssetAction::UploadIfMissing
        && asset.site().is_some()
        && anew.assets.iter().all(|other| other.id != asset.id)
}

fn findings(plan: &Plan) -> BTreeMap<String, &Finding> {
    let key = |finding: &Finding| as_in_a_file(finding).to_string();
    plan.findings.iter().map(|finding| (key(finding), finding)).collect()
}

fn named(finding: &Finding) -> String {
    let subject = match &finding.logical_id {
        Some(id) => format!("{}.{id}", finding.stack),
        None => finding.stack.clone(),
    };
    let severity = serde_json::to_value(finding.severity).unwrap_or_default();
    let severity = severity.as_str().unwrap_or_default();
    format!("`{}` of {subject} ({severity}: {})", finding.code, shortened(&finding.message))
}

fn compare(
    kind: &str,
    saved: BTreeMap<String, Json>,
    anew: BTreeMap<String, Json>,
    part: &str,
    found: &mut Vec<String>,
) {
    for (name, theirs) in &anew {
        match saved.get(name) {
            None => found.push(format!("{kind} `{name}`: the plan has no {part} for it, and it needs one")),
            Some(ours) => leaves(&format!("{kind} `{name}`"), "", ours, theirs, found),
        }
    }
    for name in saved.keys().filter(|name| !anew.contains_key(*name)) {
        found.push(format!("{kind} `{name}`: the plan has a {part} for it, and there is no reason for one"));
    }
}

/// Where two values differ, leaf by leaf.
fn leaves(subject: &str, path: &str, saved: &Json, anew: &Json, found: &mut Vec<String>) {
    const NOTHING: &Json = &Json::Null;
    match (saved, anew) {
        (Json::Object(ours), Json::Object(theirs)) => {
            let keys: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
            for key in keys {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                leaves(subject, &path, ours.get(key).unwrap_or(NOTHING), theirs.get(key).unwrap_or(NOTHING), found);
            }
        }
        (Json::Array(ours), Json::Array(theirs)) => {
            for at in 0..ours.len().max(theirs.len()) {
                let path = format!("{path}[{at}]");
                leaves(subject, &path, ours.get(at).unwrap_or(NOTHING), theirs.get(at).unwrap_or(NOTHING), found);
            }
        }
        _ if saved == anew => {}
        _ => found.push(format!("{subject}: {path} is {} in the plan, and should be {}", value(saved), value(anew))),
    }
}

fn value(value: &Json) -> String {
    match value {
        Json::Null => "not there".to_owned(),
        other => shortened(&other.to_string()),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

//! The merged values as an [`Environment`]: what is missing, and names that must exist. Types and forms have been
//! checked file by file; a value of a wrong type is passed over here, for its problem is told already.

use super::{drift, images, keys, packages, usage, waivers};
use crate::document::{self, Shape, start_of, to_json};
use crate::graph::{Edge, Graph};
use crate::model::{
    ApplySettings, Environment, Image, Input, InputKind, InputValue, Need, Package, ResourceSignals, StackSpec,
    StateLocation, Target,
};
use crate::problem::{Located, Location, Problem, nearest};
use crate::quantity;
use indexmap::IndexMap;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(60 * 60);
/// Fargate starts a task in a minute or two; a circuit breaker gives up after a few.
const ROLLOUT_TIMEOUT: Duration = Duration::from_secs(30 * 60);
const LOCK_LEASE: Duration = Duration::from_secs(60);
/// Under this a slow network would cost a healthy run its lock.
const SHORTEST_LEASE: Duration = Duration::from_secs(3);
const TABLE: &str = "infra-locks";

/// `complete`: every file could be read, so that what is not there is missing.
pub fn build(name: &str, merged: InputValue, complete: bool, problems: &mut Vec<Problem>) -> Option<Environment> {
    let at = start_of(&merged.at.file);
    let top = map(&merged)?;
    if complete {
        missing_keys(name, top, &at, problems);
    }
    check_tags(top, problems);
    let account = text(top, "account").unwrap_or_default();
    let region = text(top, "region").unwrap_or_default();
    let target = Target { account: account.clone(), region: region.clone(), role: None };
    let images = images::read(top, complete, problems);
    let packages = packages::read(top, complete, problems);
    let stacks = stacks(top, &target);
    if complete {
        check_names(&stacks, &images, &packages, problems);
    }
    let usage = usage::read(top, &stacks, complete, problems);
    let drift_ignores = drift::read(top, &stacks, complete, problems);
    Some(Environment {
        name: name.to_owned(),
        project: text(top, "project").unwrap_or_default(),
        tags: entries(top, "tags").filter_map(|(key, input)| Some((key.clone(), scalar(&input.value)?))).collect(),
        protect: top.get("protect").is_some_and(|input| to_json(&input.value) == serde_json::Value::Bool(true)),
        images,
        packages,
        stacks,
        usage,
        waivers: waivers::read(top, problems),
        state: state(top, &account, &region),
        reader: top.get("state").and_then(|input| text(map(&input.value)?, "reader")),
        apply: apply(top),
        drift_ignores,
        local: top.get("local").is_some_and(|input| map(&input.value).is_some()),
        account,
        region,
        at,
    })
}

fn missing_keys(name: &str, top: &IndexMap<String, Input>, at: &Location, problems: &mut Vec<Problem>) {
    let missing = keys::ENVIRONMENT.keys.iter().filter(|key| key.required && !top.contains_key(key.name));
    let names: Vec<&str> = missing.clone().map(|key| key.name).collect();
    if names.is_empty() {
        return;
    }
    let expected = missing.filter_map(|key| match &key.shape {
        Shape::Text(format) | Shape::Digits(format) => Some(format!("`{}`: {}", key.name, format.expects)),
        _ => None,
    });
    let message = format!("the environment `{name}` has no {}", document::listed(names));
    problems.push(
        Problem::error("missing-key", message, Some(at.clone()))
            .label("needed, here or in a file that this one extends")
            .help(format!("add {}", expected.collect::<Vec<String>>().join("; "))),
    );
}

fn check_tags(top: &IndexMap<String, Input>, problems: &mut Vec<Problem>) {
    let mut count = 0;
    for (key, input) in entries(top, "tags") {
        count += 1;
        let reserved = keys::RESERVED_TAGS.iter().find(|reserved| reserved.eq_ignore_ascii_case(key));
        let problem = |message: String| Problem::error("reserved-tag", message, Some(input.key_at.clone()));
        if let Some(reserved) = reserved {
            problems.push(problem(format!("the tag `{reserved}` is set by infra itself")));
        } else if key.to_lowercase().starts_with("aws:") {
            problems.push(problem(format!("the tag `{key}` belongs to AWS, as all that start with `aws:`")));
        }
    }
    if count > keys::MOST_TAGS
        && let Some(tags) = top.get("tags")
    {
        let message = format!("{count} tags; CloudFormation takes {} besides those that infra sets", keys::MOST_TAGS);
        problems.push(Problem::error("too-many-tags", message, Some(tags.key_at.clone())));
    }
}

fn stacks(top: &IndexMap<String, Input>, target: &Target) -> IndexMap<String, StackSpec> {
    let read = |(name, input): (&String, &Input)| {
        let stack = map(&input.value)?;
        let template = stack.get("template").and_then(|template| located(&template.value));
        let spec = StackSpec {
            name: name.clone(),
            template: template.unwrap_or_else(|| Located { value: name.clone(), at: input.key_at.clone() }),
            target: Target {
                account: text(stack, "account").unwrap_or_else(|| target.account.clone()),
                region: text(stack, "region").unwrap_or_else(|| target.region.clone()),
                role: text(stack, "role"),
            },
            inputs: entries(stack, "inputs").map(|(key, input)| (key.clone(), input.clone())).collect(),
            needs: entries(stack, "needs")
                .filter_map(|(key, input)| {
                    let need = located(&input.value)?;
                    Some((key.clone(), Located { value: Need::parse(&need.value)?, at: need.at }))
                })
                .collect(),
            after: match stack.get("after").map(|after| &after.value.kind) {
                Some(InputKind::List(items)) => items.iter().filter_map(located).collect(),
                _ => Vec::new(),
            },
            files: stack.get("files").and_then(|files| located(&files.value)),
            at: input.key_at.clone(),
        };
        Some((name.clone(), spec))
    };
    entries(top, "stacks").filter_map(read).collect()
}

/// Stacks, images and packages that `needs` and `after` name must exist, and nobody may wait on itself.
fn check_names(
    stacks: &IndexMap<String, StackSpec>,
    images: &IndexMap<String, Image>,
    packages: &IndexMap<String, Package>,
    problems: &mut Vec<Problem>,
) {
    let mut edges = Vec::new();
    for (name, stack) in stacks {
        let mut wait = |on: &str, at: &Location| {
            if !stacks.contains_key(on) {
                problems.push(unknown("stack", on, at, stacks.keys()));
            }
            edges.push(Edge { from: name.clone(), to: on.to_owned(), at: Some(at.clone()) });
        };
        stack.after.iter().for_each(|after| wait(&after.value, &after.at));
        for need in stack.needs.values() {
            match &need.value {
                Need::Output { stack, .. } => wait(stack, &need.at),
                Need::Image { .. } | Need::Package { .. } => {}
            }
        }
        for need in stack.needs.values() {
            match &need.value {
                Need::Image { name } if !images.contains_key(name) => {
                    problems.push(unknown("image", name, &need.at, images.keys()));
                }
                Need::Package { name, .. } if !packages.contains_key(name) => {
                    problems.push(unknown("package", name, &need.at, packages.keys()));
                }
                _ => {}
            }
        }
    }
    for bucket in packages.values().filter_map(|package| package.bucket.as_ref()) {
        if !stacks.contains_key(&bucket.value) {
            problems.push(unknown("stack", &bucket.value, &bucket.at, stacks.keys()));
        }
    }
    for (name, image) in images {
        if let Some(repository) = image.repository().filter(|repository| !stacks.contains_key(&repository.value)) {
            problems.push(images::no_repository(name, repository, stacks.keys()));
        }
    }
    problems.extend(Graph::new(stacks.keys().cloned(), edges).cycles().iter().map(crate::graph::Cycle::problem));
}

/// A name that should be one of `known` and is not.
pub fn unknown<'a>(what: &str, name: &str, at: &Location, known: impl Iterator<Item = &'a String> + Clone) -> Problem {
    let code = match what {
        "image" => "unknown-image",
        "package" => "unknown-package",
        _ => "unknown-stack",
    };
    let problem = Problem::error(code, format!("there is no {what} `{name}` in this environment"), Some(at.clone()));
    match nearest(name, known.clone().map(String::as_str)) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help(format!("its {what}s are {}", document::listed(known.map(String::as_str)))),
    }
}

fn state(top: &IndexMap<String, Input>, account: &str, region: &str) -> StateLocation {
    let empty = IndexMap::new();
    let state = top.get("state").and_then(|input| map(&input.value)).unwrap_or(&empty);
    let region = text(state, "region").unwrap_or_else(|| region.to_owned());
    StateLocation {
        bucket: text(state, "bucket").unwrap_or_else(|| format!("infra-state-{account}-{region}")),
        table: text(state, "table").unwrap_or_else(|| TABLE.to_owned()),
        region,
    }
}

fn apply(top: &IndexMap<String, Input>) -> ApplySettings {
    let empty = IndexMap::new();
    let apply = top.get("apply").and_then(|input| map(&input.value)).unwrap_or(&empty);
    let concurrency = apply.get("concurrency").and_then(|input| to_json(&input.value).as_u64());
    ApplySettings {
        concurrency: concurrency.and_then(|count| usize::try_from(count).ok()).unwrap_or(keys::CONCURRENCY),
        timeout: text(apply, "timeout").and_then(|text| quantity::duration(&text)).unwrap_or(TIMEOUT),
        rollout_timeout: text(apply, "rollout_timeout")
            .and_then(|text| quantity::duration(&text))
            .unwrap_or(ROLLOUT_TIMEOUT),
        scan: super::scan::read(top),
        lock_lease: text(apply, "lock_lease")
            .and_then(|text| quantity::duration(&text))
            .unwrap_or(LOCK_LEASE)
            .max(SHORTEST_LEASE),
        speed: top.get("local").and_then(|input| map(&input.value)).map_or(1.0, speed),
        signals: top.get("local").and_then(|input| map(&input.value)).map(signals).unwrap_or_default(),
    }
}

/// Of the embedded AWS.
fn speed(local: &IndexMap<String, Input>) -> f64 {
    let said = local.get("speed").and_then(|speed| to_json(&speed.value).as_u64());
    f64::from(said.and_then(|speed| u32::try_from(speed).ok()).unwrap_or(keys::SPEED))
}

/// The same.
fn signals(local: &IndexMap<String, Input>) -> ResourceSignals {
    match text(local, "signals").as_deref() {
        Some("fail") => ResourceSignals::Fail,
        Some("none") => ResourceSignals::None,
        _ => ResourceSignals::Succeed,
    }
}

pub(super) fn map(value: &InputValue) -> Option<&IndexMap<String, Input>> {
    match &value.kind {
        InputKind::Map(entries) => Some(entries),
        _ => None,
    }
}

pub(super) fn entries<'v>(
    within: &'v IndexMap<String, Input>,
    key: &str,
) -> impl Iterator<Item = (&'v String, &'v Input)> {
    within.get(key).and_then(|input| map(&input.value)).into_iter().flatten()
}

/// Text, or digits that YAML read as a number.
pub(super) fn scalar(value: &InputValue) -> Option<String> {
    match &value.kind {
        InputKind::Scalar(serde_json::Value::String(text)) => Some(text.clone()),
        InputKind::Scalar(serde_json::Value::Number(number)) => Some(number.to_string()),
        _ => None,
    }
}

pub(super) fn located(value: &InputValue) -> Option<Located<String>> {
    scalar(value).map(|text| Located { value: text, at: value.at.clone() })
}

pub(super) fn text(within: &IndexMap<String, Input>, key: &str) -> Option<String> {
    within.get(key).and_then(|input| scalar(&input.value))
}

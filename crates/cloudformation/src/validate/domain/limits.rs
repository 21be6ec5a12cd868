//! Values that a service refuses whatever the template's author may mean: runtimes that are gone, capacities the wrong way
//! round, priorities given twice, characters that a description must not have.

use super::{Subject, plain};
use crate::validate::conditions::Assumed;
use crate::validate::facts::{Facts, Spot};
use crate::validate::finding::Finding;
use crate::validate::rules;
use std::collections::HashMap;

pub(super) fn runtime(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    for Spot { value, path, .. } in subject.at("Runtime") {
        let ended = subject.facts.known_text(value).and_then(ended_runtime);
        found.extend(ended.map(|(message, remedy)| {
            subject.finding(rules::RUNTIME_ENDED, message, value.span, &path).with_remedy(remedy)
        }));
    }
}

/// The runtime that `Globals` gives to serverless functions that have none of their own.
pub(super) fn global_runtime(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let template = facts.template;
    let takes_it = template.resources.values().any(|resource| {
        let own = resource.properties.as_ref().and_then(|properties| properties.get("Runtime"));
        resource.resource_type.value == "AWS::Serverless::Function" && own.is_none()
    });
    let runtime = template.root.get("Globals").and_then(|globals| globals.get("Function")?.get("Runtime"));
    let Some(runtime) = runtime.filter(|node| takes_it && node.tag.is_none()) else { return };
    if let Some((message, remedy)) = runtime.as_str().and_then(ended_runtime) {
        let finding = Finding::new(rules::RUNTIME_ENDED, message, runtime.span, "/Globals/Function/Runtime");
        found.push(finding.with_remedy(remedy));
    }
}

/// What Lambda says of a runtime that it makes no functions with any more, and what to do.
fn ended_runtime(name: &str) -> Option<(String, String)> {
    let since = crate::lambda::refused_since(name)?;
    let message =
        format!("The runtime parameter of {name} is no longer supported for creating or updating AWS Lambda functions");
    Some((message, format!("Use a newer one: Lambda takes {name} no more since {since}.")))
}

/// Expressions of EventBridge Scheduler: those of rules, and a single time.
pub(super) fn schedule(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    for Spot { value, path, .. } in subject.at("ScheduleExpression") {
        if let Some(problem) = plain(value).and_then(crate::schedule::problem_with_times) {
            found.push(subject.finding(rules::SCHEDULE, problem, value.span, &path));
        }
    }
}

pub(super) fn capacity(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    let number = |spot: &Spot<'_>| subject.facts.known_text(spot.value)?.parse::<i64>().ok();
    for most in subject.at("MaxCapacity") {
        for least in subject.spots(subject.properties, "MinCapacity", &most.assumed) {
            if let (Some(min), Some(max)) = (number(&least), number(&most))
                && min > max
            {
                let message =
                    format!("Maximum capacity cannot be less than minimum capacity: {max} is less than {min}");
                found.push(subject.finding(rules::CAPACITY_RANGE, message, most.value.span, &most.path));
            }
        }
    }
}

/// Characters of a security group rule's description (API reference of EC2, IpRange), at most 255 of them.
pub(super) fn rule_descriptions(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    let places: &[&str] = match subject.resource_type {
        "AWS::EC2::SecurityGroup" => &["SecurityGroupIngress/*/Description", "SecurityGroupEgress/*/Description"],
        _ => &["Description"],
    };
    for Spot { value, path, .. } in places.iter().flat_map(|place| subject.at(place)) {
        let Some(text) = subject.facts.known_text(value) else { continue };
        let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
        let message = match text.chars().find(|c| !allowed(*c)) {
            Some(wrong) => format!(
                "Invalid rule description: EC2 does not take {wrong:?}. Valid are letters, digits, spaces and \
                 ._-:/()#,@[]+=&;{{}}!$*"
            ),
            None if text.chars().count() > 255 => {
                "Invalid rule description: valid descriptions are strings less than 256 characters".to_owned()
            }
            None => continue,
        };
        found.push(subject.finding(rules::RULE_DESCRIPTION, message, value.span, &path));
    }
}

/// Rules of one listener that have one priority.
pub(super) fn priorities(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let mut seen: HashMap<(String, &str), Vec<(Assumed, &str)>> = HashMap::new();
    for subject in facts.template.resources.keys().filter_map(|name| Subject::new(facts, name)) {
        if subject.resource_type != "AWS::ElasticLoadBalancingV2::ListenerRule" {
            continue;
        }
        for listener in subject.at("ListenerArn") {
            for Spot { value, path, assumed } in subject.spots(subject.properties, "Priority", &listener.assumed) {
                let Some(priority) = plain(value) else { continue };
                let others = seen.entry((listener.value.to_json().to_string(), priority)).or_default();
                let together = |(other, _): &&(Assumed, &str)| facts.conditions.possible(&other.and(&assumed));
                if let Some((_, other)) = others.iter().find(together) {
                    let message =
                        format!("Priority '{priority}' is currently in use: by {other}, a rule of the same listener");
                    found.push(subject.finding(rules::SAME_PRIORITY, message, value.span, &path));
                }
                others.push((assumed, subject.name));
            }
        }
    }
}

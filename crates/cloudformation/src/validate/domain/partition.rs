//! ARNs of another partition than that of the stack's region.

use super::Subject;
use crate::partition::Partition;
use crate::template::Expr;
use crate::validate::facts::Facts;
use crate::validate::finding::Finding;
use crate::validate::rules;
use serde_json::Value as Json;

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let Some(region) = facts.options.region.as_deref() else { return };
    let own = Partition::of_region(region).id;
    for subject in facts.template.resources.keys().filter_map(|name| Subject::new(facts, name)) {
        let mut arns = Vec::new();
        arns_in(&Expr::to_json(subject.properties), &mut Vec::new(), &mut arns);
        for (path, arn) in arns {
            let Some(other) = of_arn(&arn).filter(|other| *other != own) else { continue };
            let span = subject
                .properties
                .get(path.first().map_or("", String::as_str))
                .map_or(subject.properties.span, |it| it.span);
            let message = format!("arn:{other}:… names nothing in {region}, whose partition is {own}");
            let finding = subject.finding(rules::PARTITION, message, span, &path);
            found.push(finding.with_remedy("Write `arn:${AWS::Partition}:…` with `Fn::Sub`."));
        }
    }
}

/// The partition that an ARN is of, where it is one that there is.
fn of_arn(arn: &str) -> Option<&'static str> {
    Partition::of_id(arn.strip_prefix("arn:")?.split(':').next()?).map(|partition| partition.id)
}

/// Every ARN that is written in a value, with its place. What is text for people may name whatever it likes.
fn arns_in(value: &Json, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, String)>) {
    match value {
        Json::String(text) => {
            let starts = text.match_indices("arn:").map(|(at, _)| at);
            let begins =
                |at: usize| text[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != ':' && c != '-');
            found.extend(starts.filter(|at| begins(*at)).map(|at| (path.clone(), text[at..].to_owned())));
        }
        Json::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                path.push(at.to_string());
                arns_in(item, path, found);
                path.pop();
            }
        }
        Json::Object(members) => {
            for (key, value) in members.iter().filter(|(key, _)| !key.ends_with("Description")) {
                path.push(key.clone());
                arns_in(value, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

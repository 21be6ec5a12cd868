//! `waivers` of an environment: which rule of `policies/` does not count where, why, and until when.

use super::build::{map, text};
use super::keys::{DATE, PARAMETER_NAME, REASON, RULE, STACK_NAME};
use crate::document::{Key, Section, Shape, listed};
use crate::model::{Input, InputKind, Waiver};
use crate::problem::Problem;
use indexmap::IndexMap;

pub(super) const WAIVER: Section = Section {
    of: "a waiver",
    keys: &[
        Key { name: "rule", shape: Shape::Text(&RULE), required: true, about: "The rule's name." },
        Key { name: "stack", shape: Shape::Text(&STACK_NAME), required: true, about: "The stack." },
        Key {
            name: "resource",
            shape: Shape::Text(&PARAMETER_NAME),
            required: false,
            about: "The resource by its logical id. Default: all of the stack.",
        },
        Key { name: "because", shape: Shape::Text(&REASON), required: true, about: "Why it is accepted." },
        Key {
            name: "until",
            shape: Shape::Text(&DATE),
            required: true,
            about: "The last day on which it is accepted.",
        },
    ],
};

/// The waivers of the merged files; what each lacks is told.
pub fn read(top: &IndexMap<String, Input>, problems: &mut Vec<Problem>) -> Vec<Waiver> {
    let Some(InputKind::List(items)) = top.get("waivers").map(|input| &input.value.kind) else { return Vec::new() };
    let mut waivers = Vec::new();
    for item in items {
        let Some(entry) = map(item) else { continue };
        let missing: Vec<&str> =
            ["rule", "stack", "because", "until"].into_iter().filter(|key| !entry.contains_key(*key)).collect();
        if !missing.is_empty() {
            let message = format!("the waiver has no {}", listed(missing.iter().copied()));
            let help = "a waiver names `rule`, `stack`, `because` and `until` (a date), and may name a `resource`";
            problems.push(Problem::error("missing-key", message, Some(item.at.clone())).help(help));
            continue;
        }
        let said = |key: &str| text(entry, key).unwrap_or_default();
        let Ok(until) = said("until").parse::<jiff::civil::Date>() else {
            let at = entry.get("until").map_or(&item.at, |input| &input.value.at);
            let message = format!("`{}` is no date", said("until"));
            problems.push(Problem::error("not-a-date", message, Some(at.clone())).help("write it as 2027-01-31"));
            continue;
        };
        waivers.push(Waiver {
            rule: said("rule"),
            stack: said("stack"),
            resource: text(entry, "resource"),
            because: said("because"),
            until,
            at: item.at.clone(),
        });
    }
    waivers
}

//! `drift:` of an environment's file: differences between files and account that are meant to be.

use super::build::{located, map, text, unknown};
use super::keys::{PARAMETER_NAME, STACK_NAME};
use crate::document::{Format, Key, Section, Shape};
use crate::model::{DriftIgnore, Input, InputKind, StackSpec};
use crate::problem::Problem;
use indexmap::IndexMap;

const PROPERTY: Format = Format {
    expects: "a property with or without what is below it: Tags, Environment.Variables.LEVEL",
    pattern: "^[A-Za-z0-9][A-Za-z0-9_.:/\\[\\]-]*$",
    longest: 512,
};
const DATE: Format =
    Format { expects: "a day, such as 2027-01-31", pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", longest: 10 };
const REASON: Format = Format { expects: "a sentence", pattern: "^.*[^ ].*$", longest: 500 };

pub(super) const DRIFT: Section = Section {
    of: "`drift`",
    keys: &[Key {
        name: "ignore",
        shape: Shape::List(&Shape::Keys(&IGNORE)),
        required: false,
        about: "Differences that are no drift. Each rule names a stack, a resource, a property, or more of them.",
    }],
};

const IGNORE: Section = Section {
    of: "a rule of `drift.ignore`",
    keys: &[
        Key {
            name: "stack",
            shape: Shape::Text(&STACK_NAME),
            required: false,
            about: "The stack. Default: every stack.",
        },
        Key {
            name: "resource",
            shape: Shape::Text(&PARAMETER_NAME),
            required: false,
            about: "The resource, by its logical id. Default: every resource.",
        },
        Key {
            name: "property",
            shape: Shape::Text(&PROPERTY),
            required: false,
            about: "The property, with everything below it. Default: every property.",
        },
        Key {
            name: "until",
            shape: Shape::Text(&DATE),
            required: false,
            about: "The last day on which the rule holds; afterwards the difference counts, and the rule is reported.",
        },
        Key {
            name: "because",
            shape: Shape::Text(&REASON),
            required: true,
            about: "Why the difference is meant to be.",
        },
    ],
};

/// The rules, and what is wrong with them beyond their form.
pub(super) fn read(
    top: &IndexMap<String, Input>,
    stacks: &IndexMap<String, StackSpec>,
    complete: bool,
    problems: &mut Vec<Problem>,
) -> Vec<DriftIgnore> {
    let Some(drift) = top.get("drift").and_then(|input| map(&input.value)) else { return Vec::new() };
    let Some(InputKind::List(rules)) = drift.get("ignore").map(|input| &input.value.kind) else { return Vec::new() };
    let mut read = Vec::new();
    for rule in rules {
        let Some(keys) = map(rule) else { continue };
        let problem = |message: &str| Problem::error("drift-ignore", message, Some(rule.at.clone()));
        let Some(because) = text(keys, "because") else {
            if !keys.contains_key("because") {
                problems.push(problem("the rule does not say why").help("add `because: …`"));
            }
            continue;
        };
        if !["stack", "resource", "property"].iter().any(|key| keys.contains_key(*key)) {
            problems
                .push(problem("the rule would ignore everything").help("name a `stack`, a `resource` or a `property`"));
            continue;
        }
        if let Some(stack) = keys.get("stack").and_then(|stack| located(&stack.value))
            && complete
            && !stacks.contains_key(&stack.value)
        {
            problems.push(unknown("stack", &stack.value, &stack.at, stacks.keys()));
        }
        let until = match keys.get("until").and_then(|until| located(&until.value)) {
            Some(day) => match day.value.parse() {
                Ok(day) => Some(day),
                Err(_) => {
                    let message = format!("there is no day {}", day.value);
                    problems.push(Problem::error("drift-ignore", message, Some(day.at)));
                    continue;
                }
            },
            None => None,
        };
        read.push(DriftIgnore {
            stack: text(keys, "stack"),
            resource: text(keys, "resource"),
            property: text(keys, "property"),
            until,
            because,
            at: rule.at.clone(),
        });
    }
    read
}

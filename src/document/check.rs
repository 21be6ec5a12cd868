//! A value against a table of keys: unknown keys, wrong types, wrong forms. Null is right anywhere, for it removes.

use super::shape::{Format, REGION, REGIONS, Section, Shape};
use super::tree::{is_null, kind_of, written};
use crate::model::{InputKind, InputValue};
use crate::problem::{Location, Problem, nearest};
use regex::Regex;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Everything that is wrong with `value` by itself. `path` is how people call it (`stacks.network.inputs`).
pub fn check(value: &InputValue, shape: &Shape, path: &str, problems: &mut Vec<Problem>) {
    if is_null(value) {
        return;
    }
    match (shape, &value.kind) {
        (Shape::Any, _) => {}
        (Shape::Text(format), InputKind::Scalar(serde_json::Value::String(text))) => {
            text_has_form(text, format, path, &value.at, problems);
        }
        (Shape::Digits(format), InputKind::Scalar(serde_json::Value::String(text))) => {
            text_has_form(text, format, path, &value.at, problems);
        }
        (Shape::Digits(format), InputKind::Scalar(serde_json::Value::Number(number))) => {
            text_has_form(&number.to_string(), format, path, &value.at, problems);
        }
        (Shape::OneOrMore(format), InputKind::Scalar(serde_json::Value::String(text))) => {
            text_has_form(text, format, path, &value.at, problems);
        }
        (Shape::OneOrMore(_), InputKind::List(items)) if items.is_empty() => {
            let problem = Problem::error("wrong-value", format!("`{path}` is an empty list"), Some(value.at.clone()));
            problems.push(problem.label("expected one at least"));
        }
        (Shape::OneOrMore(format), InputKind::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                let path = format!("{path}[{index}]");
                match &item.kind {
                    InputKind::Scalar(serde_json::Value::String(text)) => {
                        text_has_form(text, format, &path, &item.at, problems);
                    }
                    _ => problems.push(wrong_type(item, &Shape::Text(format), &path)),
                }
            }
        }
        (Shape::Boolean, InputKind::Scalar(serde_json::Value::Bool(_))) => {}
        (Shape::Integer { min, max }, InputKind::Scalar(serde_json::Value::Number(number))) => {
            if !number.as_i64().is_some_and(|number| (*min..=*max).contains(&number)) {
                let message = format!("`{path}` is out of range");
                let label = format!("expected an integer from {min} to {max}");
                problems.push(Problem::error("wrong-value", message, Some(value.at.clone())).label(label));
            }
        }
        (Shape::Quantity { max }, InputKind::Scalar(serde_json::Value::Number(number))) => {
            if !number.as_f64().is_some_and(|number| (0.0..=f64::from(*max)).contains(&number)) {
                let message = format!("`{path}` is out of range");
                let label = format!("expected a number from 0 to {max}");
                problems.push(Problem::error("wrong-value", message, Some(value.at.clone())).label(label));
            }
        }
        (Shape::List(shape), InputKind::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                let path = format!("{path}[{index}]");
                match is_null(item) {
                    true => problems.push(wrong_type(item, shape, &path)),
                    false => check(item, shape, &path, problems),
                }
            }
        }
        (Shape::Keys(section), InputKind::Map(entries)) => {
            for (name, input) in entries {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match section.keys.iter().find(|key| key.name == name) {
                    Some(key) => check_key(&input.value, &key.shape, &path, &input.key_at, problems),
                    None if name == "<<" => {}
                    None => problems.push(unknown_key(name, section, &input.key_at)),
                }
            }
        }
        (Shape::Named { name: format, entry }, InputKind::Map(entries)) => {
            for (name, input) in entries.iter().filter(|(name, _)| *name != "<<") {
                if !matches(format, name) {
                    let message = format!("`{name}` is no valid name in `{path}`");
                    let problem = Problem::error("wrong-name", message, Some(input.key_at.clone()));
                    problems.push(problem.label(format!("expected {}", format.expects)));
                }
                check_key(&input.value, entry, &format!("{path}.{name}"), &input.key_at, problems);
            }
        }
        (shape, _) => problems.push(wrong_type(value, shape, path)),
    }
}

fn check_key(value: &InputValue, shape: &Shape, path: &str, key_at: &Location, problems: &mut Vec<Problem>) {
    match shape {
        Shape::Refused(reason) => problems.push(
            Problem::error("not-supported", format!("`{path}` is not supported yet"), Some(key_at.clone()))
                .help(*reason),
        ),
        shape => check(value, shape, path, problems),
    }
}

fn text_has_form(text: &str, format: &Format, path: &str, at: &Location, problems: &mut Vec<Problem>) {
    let region = (format.pattern == REGION.pattern).then_some(text);
    let region = region.filter(|text| !REGIONS.contains(text));
    if !matches(format, text) {
        let length = text.chars().count();
        let label = if length > format.longest {
            format!("expected at most {} characters; this has {length}", format.longest)
        } else {
            format!("expected {}", format.expects)
        };
        let shown: String = text.chars().take(60).collect();
        let ellipsis = if length > 60 { "…" } else { "" };
        let message = format!("`{shown}{ellipsis}` is no valid value of `{path}`");
        let mut problem = Problem::error("wrong-value", message, Some(at.clone())).label(label);
        problem.help = region.and_then(nearest_region);
        problems.push(problem);
    } else if let Some(region) = region {
        let message = format!("`{region}` is not a region that this version knows");
        let mut problem = Problem::warning("unknown-region", message, Some(at.clone()));
        problem.help = nearest_region(region);
        problems.push(problem);
    }
}

fn nearest_region(text: &str) -> Option<String> {
    nearest(text, REGIONS.iter().copied()).map(|region| format!("did you mean `{region}`?"))
}

/// Whether a text has a form; patterns are compiled once.
pub fn matches(format: &Format, text: &str) -> bool {
    static COMPILED: LazyLock<Mutex<HashMap<&'static str, Option<Regex>>>> = LazyLock::new(Mutex::default);
    if text.chars().count() > format.longest {
        return false;
    }
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let regex = compiled.entry(format.pattern).or_insert_with(|| Regex::new(format.pattern).ok());
    regex.as_ref().is_some_and(|regex| regex.is_match(text))
}

fn unknown_key(name: &str, section: &Section, at: &Location) -> Problem {
    let names = || section.keys.iter().filter(|key| !matches!(key.shape, Shape::Refused(_))).map(|key| key.name);
    let help = match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the keys of {} are {}", section.of, listed(names())),
    };
    Problem::error("unknown-key", format!("unknown key `{name}` in {}", section.of), Some(at.clone()))
        .label("not a key")
        .help(help)
}

fn wrong_type(value: &InputValue, shape: &Shape, path: &str) -> Problem {
    let expected = match shape {
        Shape::Text(_) => "text",
        Shape::OneOrMore(_) => "text or a list of texts",
        Shape::Digits(_) => "digits",
        Shape::Boolean => "true or false",
        Shape::Integer { .. } => "an integer",
        Shape::Quantity { .. } => "a number",
        Shape::List(_) => "a list",
        Shape::Keys(_) | Shape::Named { .. } => "a map",
        Shape::Any | Shape::Refused(_) => "a value",
    };
    let subject = match shape {
        Shape::Keys(section) if path.is_empty() => section.of.to_owned(),
        _ => format!("`{path}`"),
    };
    let problem = Problem::error("wrong-type", format!("{subject} must be {expected}"), Some(value.at.clone()))
        .label(format!("this is {}", kind_of(value)));
    match (shape, &value.kind) {
        (
            Shape::Text(format),
            InputKind::Scalar(scalar @ (serde_json::Value::Bool(_) | serde_json::Value::Number(_))),
        ) => match matches(format, &written(scalar, &value.at)) {
            true => {
                let written = written(scalar, &value.at);
                problem.help(format!("text that looks like {} is written in quotes: `\"{written}\"`", kind_of(value)))
            }
            false => problem.label(format!("this is {}; expected {}", kind_of(value), format.expects)),
        },
        (Shape::Boolean, InputKind::Scalar(serde_json::Value::String(text))) => match text.to_lowercase().as_str() {
            "yes" | "on" | "y" | "true" => problem.help("write `true`"),
            "no" | "off" | "n" | "false" => problem.help("write `false`"),
            _ => problem,
        },
        (Shape::List(_), InputKind::Scalar(serde_json::Value::String(text))) if text.len() < 60 => {
            problem.help(format!("a list of one item is written `[{text}]`"))
        }
        _ => problem,
    }
}

/// `a`, `b` and `c`.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

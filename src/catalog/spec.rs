//! Typed inputs: what a manifest declares, and what becomes of the value that an environment gives.

use crate::document::{self, is_null, kind_of, to_json};
use crate::model::{Input, InputKind, InputValue};
use crate::problem::{Location, Problem, nearest};
use crate::quantity;
use indexmap::IndexMap;
use regex::Regex;
use serde_json::{Map, Value as Json, json};
use std::sync::LazyLock;

/// A declared input, or a part of one.
#[derive(Debug, Clone)]
pub struct Spec {
    pub kind: Kind,
    pub about: String,
    /// None: a value is required.
    pub default: Option<InputValue>,
    pub nullable: bool,
    pub rules: Rules,
    pub at: Location,
}

#[derive(Debug, Clone)]
pub enum Kind {
    String,
    Integer,
    Number,
    Boolean,
    /// One of [`Rules::values`].
    Enum,
    List(Box<Spec>),
    /// A map with known keys.
    Fields(IndexMap<String, Spec>),
    /// A map with keys of the user's choice.
    Map(Box<Spec>),
    Cidr,
    Duration,
    Size,
    Arn,
    Domain,
    Port,
    Percent,
    Any,
}

/// What a value must be besides being of its type.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub min: Option<Bound>,
    pub max: Option<Bound>,
    pub pattern: Option<Regex>,
    pub min_length: Option<usize>,
    pub max_length: Option<usize>,
    pub values: Vec<Json>,
    pub one_of: Vec<String>,
}

/// A limit as a number (seconds, bytes), and as it was written.
#[derive(Debug, Clone)]
pub struct Bound {
    pub number: f64,
    pub text: String,
}

impl Spec {
    /// The value that a template sees: checked, with all defaults filled in. `owner` is pointed at where a required value
    /// is missing. After a problem the value is null.
    pub fn resolve(&self, given: Option<&Input>, path: &str, owner: &Location, problems: &mut Vec<Problem>) -> Json {
        match given.map(|input| &input.value) {
            Some(value) if !is_null(value) => self.value(value, path, problems),
            Some(_) if self.nullable => Json::Null,
            _ => match &self.default {
                Some(default) if is_null(default) => Json::Null,
                Some(default) => self.value(default, path, problems),
                None => {
                    let problem =
                        Problem::error("missing-input", format!("the input `{path}` is missing"), Some(owner.clone()));
                    problems.push(self.declared(problem).help(format!("it takes {}", self.describe())));
                    Json::Null
                }
            },
        }
    }

    fn value(&self, value: &InputValue, path: &str, problems: &mut Vec<Problem>) -> Json {
        let before = problems.len();
        let json = match (&self.kind, &value.kind) {
            (Kind::List(items), InputKind::List(list)) => {
                self.length(list.len(), "items", value, path, problems);
                let item = |(index, item): (usize, &InputValue)| {
                    let path = format!("{path}[{index}]");
                    match is_null(item) {
                        true => items.wrong_type(item, &path, problems),
                        false => items.value(item, &path, problems),
                    }
                };
                Json::Array(list.iter().enumerate().map(item).collect())
            }
            (Kind::Map(items), InputKind::Map(entries)) => {
                self.length(entries.len(), "entries", value, path, problems);
                let entries = entries.iter().filter(|(_, input)| items.nullable || !is_null(&input.value));
                let entry = |(key, input): (&String, &Input)| {
                    let path = format!("{path}.{key}");
                    (key.clone(), items.resolve(Some(input), &path, &input.key_at, problems))
                };
                Json::Object(entries.map(entry).collect())
            }
            (Kind::Fields(fields), InputKind::Map(entries)) => self.fields(fields, entries, value, path, problems),
            (Kind::Any, _) => to_json(value),
            (_, InputKind::Scalar(scalar)) => self.scalar(scalar, value, path, problems),
            _ => self.wrong_type(value, path, problems),
        };
        if problems.len() == before { json } else { Json::Null }
    }

    fn fields(
        &self,
        fields: &IndexMap<String, Spec>,
        entries: &IndexMap<String, Input>,
        value: &InputValue,
        path: &str,
        problems: &mut Vec<Problem>,
    ) -> Json {
        for (key, input) in entries.iter().filter(|(key, _)| !fields.contains_key(*key)) {
            let message = format!("unknown field `{key}` in the input `{path}`");
            let problem = Problem::error("unknown-field", message, Some(input.key_at.clone()));
            let names = || fields.keys().map(String::as_str);
            problems.push(self.declared(problem).help(match nearest(key, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("its fields are {}", document::listed(names())),
            }));
        }
        let given =
            self.rules.one_of.iter().filter(|name| entries.get(*name).is_some_and(|input| !is_null(&input.value)));
        if !self.rules.one_of.is_empty() && given.count() != 1 {
            let names = document::listed(self.rules.one_of.iter().map(String::as_str));
            self.refuse(value, format!("the input `{path}` needs exactly one of {names}"), "", problems);
        }
        let field = |(key, spec): (&String, &Spec)| {
            (key.clone(), spec.resolve(entries.get(key), &format!("{path}.{key}"), &value.at, problems))
        };
        Json::Object(fields.iter().map(field).collect())
    }

    fn scalar(&self, scalar: &Json, value: &InputValue, path: &str, problems: &mut Vec<Problem>) -> Json {
        let json = match (&self.kind, scalar) {
            (Kind::String, Json::String(text)) => {
                self.length(text.chars().count(), "characters", value, path, problems);
                if let Some(pattern) = self.rules.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
                    let message = format!("the input `{path}` does not match its pattern");
                    self.refuse(value, message, &format!("expected a match of {pattern}"), problems);
                }
                scalar.clone()
            }
            (Kind::Boolean, Json::Bool(_)) | (Kind::Enum, _) => scalar.clone(),
            (Kind::Integer | Kind::Port, Json::Number(number)) if number.is_i64() => {
                self.bounded(number.as_f64(), value, path, problems);
                scalar.clone()
            }
            (Kind::Number | Kind::Percent, Json::Number(number)) => {
                self.bounded(number.as_f64(), value, path, problems);
                scalar.clone()
            }
            (Kind::Cidr, Json::String(text)) => self.cidr(text, value, path, problems),
            (Kind::Duration, Json::String(text)) => match quantity::duration(text) {
                Some(duration) => {
                    let seconds = duration.as_secs();
                    self.bounded(Some(seconds as f64), value, path, problems);
                    json!({"seconds": seconds, "minutes": part(seconds, 60), "hours": part(seconds, 3_600),
                           "days": part(seconds, 86_400), "text": text})
                }
                None => return self.wrong_type(value, path, problems),
            },
            (Kind::Size, Json::String(text)) => match quantity::bytes(text) {
                Some(bytes) => {
                    self.bounded(Some(bytes as f64), value, path, problems);
                    json!({"bytes": bytes, "kib": part(bytes, 1 << 10), "mib": part(bytes, 1 << 20),
                           "gib": part(bytes, 1 << 30), "text": text})
                }
                None => return self.wrong_type(value, path, problems),
            },
            (Kind::Arn, Json::String(text)) if ARN.is_match(text) => scalar.clone(),
            (Kind::Domain, Json::String(text)) if text.len() <= 253 && DOMAIN.is_match(text) => scalar.clone(),
            _ => return self.wrong_type(value, path, problems),
        };
        if !self.rules.values.is_empty() && !self.rules.values.contains(scalar) {
            let values: Vec<String> = self.rules.values.iter().map(plain).collect();
            let label = format!("expected {}", one_of(&values));
            let message = format!("`{}` is no value of the input `{path}`", plain(scalar));
            let mut problem =
                self.declared(Problem::error("wrong-input", message, Some(value.at.clone()))).label(label);
            problem.help = nearest(&plain(scalar), values.iter().map(String::as_str))
                .map(|near| format!("did you mean `{near}`?"));
            problems.push(problem);
        }
        json
    }

    fn cidr(&self, text: &str, value: &InputValue, path: &str, problems: &mut Vec<Problem>) -> Json {
        match text.parse::<ipnet::IpNet>() {
            Ok(net) if net.addr() == net.network() => Json::String(text.to_owned()),
            Ok(net) => {
                let message = format!("the input `{path}` is no network: bits behind the prefix are set");
                let problem = Problem::error("wrong-input", message, Some(value.at.clone()));
                problems.push(self.declared(problem).help(format!("did you mean `{}`?", net.trunc())));
                Json::Null
            }
            Err(_) => self.wrong_type(value, path, problems),
        }
    }

    fn bounded(&self, number: Option<f64>, value: &InputValue, path: &str, problems: &mut Vec<Problem>) {
        let Some(number) = number else { return };
        let (least, most) = match self.kind {
            Kind::Port => (Some(1.0), Some(65_535.0)),
            Kind::Percent => (Some(0.0), Some(100.0)),
            _ => (None, None),
        };
        let low = self.rules.min.as_ref().map(|bound| bound.number).or(least);
        let high = self.rules.max.as_ref().map(|bound| bound.number).or(most);
        if low.is_some_and(|low| number < low) || high.is_some_and(|high| number > high) {
            let label = format!("expected {}", self.describe());
            self.refuse(value, format!("the input `{path}` is out of range"), &label, problems);
        }
    }

    fn length(&self, length: usize, of: &str, value: &InputValue, path: &str, problems: &mut Vec<Problem>) {
        let (least, most) = (self.rules.min_length, self.rules.max_length);
        if least.is_some_and(|least| length < least) {
            let label = format!("expected at least {} {of}", least.unwrap_or_default());
            self.refuse(value, format!("the input `{path}` is too short"), &label, problems);
        } else if most.is_some_and(|most| length > most) {
            let label = format!("expected at most {} {of}, found {length}", most.unwrap_or_default());
            self.refuse(value, format!("the input `{path}` is too long"), &label, problems);
        }
    }

    fn wrong_type(&self, value: &InputValue, path: &str, problems: &mut Vec<Problem>) -> Json {
        let mut problem = Problem::error(
            "wrong-input",
            format!("the input `{path}` must be {}", self.type_name()),
            Some(value.at.clone()),
        );
        let same_kind = matches!(
            (&self.kind, &value.kind),
            (Kind::Duration | Kind::Size | Kind::Arn | Kind::Domain | Kind::Cidr, InputKind::Scalar(Json::String(_)))
        );
        problem.label = match same_kind {
            true => format!("expected {}", self.describe()),
            false => format!("this is {}", kind_of(value)),
        };
        problem.help = match (&self.kind, &value.kind) {
            (Kind::Boolean, InputKind::Scalar(Json::String(text))) => match text.to_lowercase().as_str() {
                "yes" | "on" | "y" | "true" => Some("write `true`".to_owned()),
                "no" | "off" | "n" | "false" => Some("write `false`".to_owned()),
                _ => None,
            },
            (Kind::String | Kind::Enum, InputKind::Scalar(scalar)) if !scalar.is_string() => {
                let written = document::written(scalar, &value.at);
                Some(format!("text that looks like {} is written in quotes: `\"{written}\"`", kind_of(value)))
            }
            (Kind::Integer | Kind::Number | Kind::Port | Kind::Percent, InputKind::Scalar(Json::String(text)))
                if text.parse::<f64>().is_ok() =>
            {
                Some("write the number without quotes".to_owned())
            }
            (Kind::List(_), InputKind::Scalar(scalar)) => {
                Some(format!("a list of one item is written `[{}]`", plain(scalar)))
            }
            (Kind::Duration | Kind::Size, InputKind::Scalar(Json::Number(_))) => {
                Some(format!("say the unit: it takes {}", self.describe()))
            }
            _ => None,
        };
        problems.push(self.declared(problem));
        Json::Null
    }

    fn refuse(&self, value: &InputValue, message: String, label: &str, problems: &mut Vec<Problem>) {
        problems.push(self.declared(Problem::error("wrong-input", message, Some(value.at.clone())).label(label)));
    }

    /// Points at the declaration, too, unless the problem is in the declaration.
    fn declared(&self, problem: Problem) -> Problem {
        match problem.at.as_ref().is_some_and(|at| std::sync::Arc::ptr_eq(&at.file, &self.at.file)) {
            true => problem,
            false => problem.related(self.at.clone(), "declared here"),
        }
    }

    /// The type with its article: "an integer".
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::String => "text",
            Kind::Integer => "an integer",
            Kind::Number => "a number",
            Kind::Boolean => "true or false",
            Kind::Enum => "one of its values",
            Kind::List(_) => "a list",
            Kind::Fields(_) | Kind::Map(_) => "a map",
            Kind::Cidr => "a network in CIDR notation",
            Kind::Duration => "a duration",
            Kind::Size => "a size",
            Kind::Arn => "an ARN",
            Kind::Domain => "a domain name",
            Kind::Port => "a port",
            Kind::Percent => "a percentage",
            Kind::Any => "a value",
        }
    }

    /// What is right, for messages and documentation: "an integer from 2 to 4".
    pub fn describe(&self) -> String {
        let range = match (&self.rules.min, &self.rules.max) {
            (Some(min), Some(max)) => format!(" from {} to {}", min.text, max.text),
            (Some(min), None) => format!(", at least {}", min.text),
            (None, Some(max)) => format!(", at most {}", max.text),
            (None, None) => String::new(),
        };
        match &self.kind {
            _ if !self.rules.values.is_empty() => one_of(&self.rules.values.iter().map(plain).collect::<Vec<String>>()),
            Kind::List(items) => format!("a list, each item {}", items.describe()),
            Kind::Map(items) => format!("a map, each value {}", items.describe()),
            Kind::Fields(fields) => format!("a map of {}", document::listed(fields.keys().map(String::as_str))),
            Kind::Cidr => "a network in CIDR notation, such as 10.0.0.0/16".to_owned(),
            Kind::Duration => format!("a duration, such as 30s, 5m, 1h or 7d{range}"),
            Kind::Size => format!("a size, such as 512MiB or 20GiB{range}"),
            Kind::Arn => "an ARN, such as arn:aws:sns:us-east-1:111122223333:topic".to_owned(),
            Kind::Domain => "a domain name in lower case, such as www.example.com".to_owned(),
            Kind::Port if range.is_empty() => "a port from 1 to 65535".to_owned(),
            Kind::Percent if range.is_empty() => "a percentage from 0 to 100".to_owned(),
            Kind::String => match &self.rules.pattern {
                Some(pattern) => format!("text that matches {pattern}"),
                None => "text".to_owned(),
            },
            _ => format!("{}{range}", self.type_name()),
        }
    }
}

/// `count` in units of `unit`: a whole number where it is one.
fn part(count: u64, unit: u64) -> Json {
    match count % unit {
        0 => json!(count / unit),
        _ => json!(count as f64 / unit as f64),
    }
}

/// A scalar as it is written.
pub fn plain(scalar: &Json) -> String {
    match scalar {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn one_of(values: &[String]) -> String {
    match values {
        [only] => format!("`{only}`"),
        [first @ .., last] => {
            format!("{} or `{last}`", first.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", "))
        }
        [] => "nothing".to_owned(),
    }
}

pub const ARN_PATTERN: &str = r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12}|aws)?:[^\s]+$";
pub const DOMAIN_PATTERN: &str = r"^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$";

#[allow(clippy::unwrap_used, reason = "a constant pattern, used by tests")]
static ARN: LazyLock<Regex> = LazyLock::new(|| Regex::new(ARN_PATTERN).unwrap());
#[allow(clippy::unwrap_used, reason = "a constant pattern, used by tests")]
static DOMAIN: LazyLock<Regex> = LazyLock::new(|| Regex::new(DOMAIN_PATTERN).unwrap());

/// All inputs of a stack as a template sees them.
pub fn resolve_all(
    specs: &IndexMap<String, Spec>,
    given: &IndexMap<String, Input>,
    template: &str,
    owner: &Location,
    problems: &mut Vec<Problem>,
) -> Map<String, Json> {
    for (name, input) in given.iter().filter(|(name, _)| !specs.contains_key(*name)) {
        let message = format!("the template `{template}` has no input `{name}`");
        let names = || specs.keys().map(String::as_str);
        let help = match nearest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if specs.is_empty() => "it takes none".to_owned(),
            None => format!("it takes {}", document::listed(names())),
        };
        problems.push(Problem::error("unknown-input", message, Some(input.key_at.clone())).help(help));
    }
    specs.iter().map(|(name, spec)| (name.clone(), spec.resolve(given.get(name), name, owner, problems))).collect()
}
